"""Offline Gibbs sampling from human feedback with pointwise pessimism (Xiong et al. 2024, arXiv:2312.11456)."""

from __future__ import annotations

import numpy as np

from banditlab import checks
from banditlab.contextual.dataset import Fitted
from banditlab.dueling.comparisons import Comparisons


def gshf(dataset: Comparisons, *, scale: float = 1.0, lam: float = 0.1, delta: float | None = None) -> Fitted:
    """Pessimistic offline RLHF: the Gibbs policy of maximum-likelihood rewards minus their width against the reference.

    The reward of arm a is lowered by scale |phi(x, a) - nu(x)|_{H^-1}, nu(x) the reference's mean feature and H the
    Hessian of the regularized likelihood (in tables phi is a unit vector an arm); with `delta` by
    scale beta |phi(x, a) - nu(x)|_{V^-1}, beta and V of `Comparisons.confident`.

    Parameters
    ----------
    dataset : Comparisons
        With Bradley-Terry preferences.
    scale : float
        Factor >= 0 of the width; 0 is greedy, and with `delta` 1 is the theorem.
    lam : float
        Ridge > 0 of the fit.
    delta : float, optional
        Failure probability in (0, 1] of the theorem's width; the practical width unless given.

    Returns
    -------
    (X, K) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range or general preferences.

    Notes
    -----
    Reconstructed: Option II. Where |theta - theta*|_V <= beta and with w = beta |phi - nu|_{V^-1}, for every policy pi
    J(pi) - J(found) <= 2 E_pi w - E KL(pi || found) / eta, and the gap is at most 2 eta E_pi* w^2: single-policy
    coverage. The theorem's width is many times the practical one, and with it rewards are not projected into their
    known range, for which the bound does not hold. Pessimism is a trade: it pays where bad arms are rare in the data,
    and costs where the best one is.

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456, Option II of offline GSHF. Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026,
    arXiv:2502.06051, for the rate 1/n under single-policy coverage.
    """
    scale = checks.finite("scale", scale, 0.0)
    dataset.require_rewards("gshf")
    rewards, inverse, radius = dataset.confident(lam, delta)
    away = dataset.relative_features()
    width = np.sqrt(np.maximum(np.einsum("xai,xij,xaj->xa", away, inverse, away), 0.0))
    return dataset.optimal(rewards - scale * radius * width)
