"""KL-PCB with linear rewards: the Gibbs policy on pessimistic predictions (Zhao et al. 2025, arXiv:2502.06051)."""

from __future__ import annotations

import numpy as np

from banditlab import checks, confidence
from banditlab.contextual import bounds
from banditlab.contextual.dataset import Dataset, Fitted


def kl_lin_pcb(dataset: Dataset, *, scale: float = 0.2, delta: float = 0.05, lam: float = 1.0) -> Fitted:
    """KL-regularized pessimistic linear bandit: the Gibbs policy on lower confidence bounds of ridge regression.

    The lower bound of a pair is max(floor, phi' theta - scale beta sqrt(phi' Lambda^{-1} phi)) with the ridge estimate
    theta, Lambda = lam I + sum N phi phi', and beta of `confidence.ellipsoid` at n in place of T.

    Parameters
    ----------
    dataset : Dataset
        With features, under the regularizer KL.
    scale : float
        Factor >= 0 of the width: with 1 all bounds hold with probability at least 1 - delta; 0.2 is practical.
    delta : float
        Failure probability in (0, 1].
    lam : float
        Ridge regularization > 0.

    Returns
    -------
    (S, K) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, data without features, or another regularizer than KL.

    Notes
    -----
    Reconstructed for linear rewards; the paper treats general function classes. A fit costs O(S K d^2 + d^3).

    References
    ----------
    Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026, arXiv:2502.06051. Abbasi-Yadkori, Pal and Szepesvari 2011, NeurIPS, for
    the confidence ellipsoid.
    """
    scale = checks.finite("scale", scale, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    lam = checks.finite("lam", lam, 0.0, closed=False)
    dataset.require_regularizer("kl_lin_pcb", "kl")
    d = dataset.features.shape[2]
    if d == 0:
        raise ValueError("features: kl_lin_pcb needs linear rewards, the data have no features")
    phi = dataset.features.reshape(-1, d)
    gram = lam * np.eye(d) + phi.T @ (phi * dataset.counts.reshape(-1, 1))
    factor = np.linalg.cholesky(gram)
    theta = np.linalg.solve(gram, phi.T @ dataset.total.ravel())
    norm = np.sqrt((np.linalg.solve(factor, phi.T) ** 2).sum(axis=0))
    beta = confidence.ellipsoid(d, dataset.samples, lam, delta, dataset.sigma, dataset.radius)
    lower = phi @ theta - scale * beta * norm
    return dataset.optimal(np.maximum(lower, dataset.floor).reshape(dataset.counts.shape))


kl_lin_pcb.law = bounds.law_kl_lin_pcb  # type: ignore[attr-defined]
