"""Offline Gibbs sampling from human feedback with pointwise pessimism (Xiong et al. 2024, arXiv:2312.11456)."""

from __future__ import annotations

import numpy as np

from banditlab import checks
from banditlab.contextual.dataset import Fitted
from banditlab.dueling.comparisons import Comparisons


def gshf(dataset: Comparisons, *, scale: float = 1.0, lam: float = 0.1) -> Fitted:
    """Pessimistic offline RLHF: the Gibbs policy of maximum-likelihood rewards minus their width against the reference.

    The reward of arm a is lowered by scale |phi(x, a) - nu(x)|_{H^-1}, nu(x) the reference's mean feature and H the
    Hessian of the regularized likelihood (in tables phi is a unit vector an arm).

    Parameters
    ----------
    dataset : Comparisons
        With Bradley-Terry preferences.
    scale : float
        Factor >= 0 of the width; 0 is `bt_greedy`.
    lam : float
        Ridge > 0 of the fit.

    Returns
    -------
    (X, K) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range or general preferences.

    Notes
    -----
    Reconstructed: Option II with the practical Hessian width in place of the theorem's radius. Pessimism is a trade: it
    pays where bad arms are rare in the data, and costs where the best one is.

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456, Option II of offline GSHF.
    """
    scale = checks.finite("scale", scale, 0.0)
    lam = checks.finite("lam", lam, 0.0, closed=False)
    dataset.require_rewards("gshf")
    fit = dataset.estimated(lam)
    X, K = dataset.reference.shape
    phi = np.broadcast_to(np.eye(K), (X, K, K)) if fit.tabular else dataset.features
    away = phi - np.einsum("xa,xai->xi", dataset.reference, phi)[:, None]
    covariance = fit.covariance if fit.tabular else np.broadcast_to(fit.covariance, (X, *fit.covariance.shape[1:]))
    width = np.sqrt(np.maximum(np.einsum("xai,xij,xaj->xa", away, covariance, away), 0.0))
    return dataset.optimal(dataset.rewards(fit) - scale * width)
