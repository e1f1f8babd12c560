"""KL-PCB with linear rewards: the Gibbs policy on pessimistic predictions (Zhao et al. 2025, arXiv:2502.06051)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks, confidence, regularizer
from banditlab.contextual.dataset import Dataset, Fitted
from banditlab.contextual.problem import Contextual


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


def law(
    problem: Contextual, samples: ArrayLike, *, scale: float = 0.2, delta: float = 0.05, lam: float = 1.0
) -> np.ndarray:
    r"""First-order law (C,) of the mean suboptimality of `kl_lin_pcb`.

    (eta / 2) sum_s rho_s {tr(Cov_{pi*}(phi) V) + Var_{pi*}(b)} with V = Sigma^{-1} M Sigma^{-1} / n the covariance of
    theta, Sigma = E_{rho, mu}[phi phi'], M = E_{rho, mu}[v phi phi'], v the variance of a reward, and the widths
    b = scale beta sqrt(phi' Sigma^{-1} phi / n). With Gaussian noise V = sigma^2 Sigma^{-1} / n.

    Parameters
    ----------
    problem : Contextual
        Linear.
    samples : (C,) array_like
        Sample sizes n.
    scale, delta, lam : float
        As in `kl_lin_pcb`; lam enters through beta alone.

    Returns
    -------
    (C,) array
        NaN where eta is infinite, under another regularizer, where Sigma is singular, and where a mean reward is at
        the floor, which clips its lower bounds for every n.
    """
    n, d = np.asarray(samples, dtype=np.float64), problem.parameter.size
    sigma = np.einsum("s,sa,sai,saj->ij", problem.law, problem.behaviour, problem.features, problem.features)
    applies = problem.regularizer == regularizer.KL and problem.eta < math.inf and d > 0
    if not applies or np.linalg.matrix_rank(sigma, hermitian=True) < d or (problem.mean <= problem.floor).any():
        return np.full(n.shape, math.nan)
    inverse = np.linalg.inv(sigma)
    weight = problem.law[:, None] * problem.behaviour * problem.variance
    covariance = inverse @ np.einsum("sa,sai,saj->ij", weight, problem.features, problem.features) @ inverse
    optimal = problem.law[:, None] * problem.optimal
    centred = problem.features - np.einsum("sa,sai->si", problem.optimal, problem.features)[:, None, :]
    noise = np.einsum("sa,sai,ij,saj->", optimal, centred, covariance, centred)
    norm = np.sqrt(np.einsum("sai,ij,saj->sa", problem.features, inverse, problem.features))
    spread = (optimal * (norm - (problem.optimal * norm).sum(axis=1, keepdims=True)) ** 2).sum()
    known = problem.sigma, problem.radius
    beta = np.array([confidence.ellipsoid(d, int(size), lam, delta, *known) for size in n])
    return 0.5 * problem.eta * (noise + (scale * beta) ** 2 * spread) / n


kl_lin_pcb.law = law  # type: ignore[attr-defined]
