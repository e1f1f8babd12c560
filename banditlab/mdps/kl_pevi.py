"""KL-PEVI: pessimistic value iteration with soft backups, on offline data."""

from __future__ import annotations

import numpy as np

from banditlab import checks
from banditlab.mdps.episodes import Episodes


def kl_pevi(dataset: Episodes, *, scale: float = 0.3, lam: float = 0.01) -> np.ndarray:
    """Pessimistic regularized value iteration: the Gibbs policy of least-squares action values less a width.

    At stage h, Q_h = phi' w_h - (H - h) scale |phi|_{Lambda^{-1}}, clipped to [0, H - h], with w_h the ridge
    regression of r + V_{h+1}(s'), V = log E_{a ~ pi_ref} exp(eta Q) / eta.

    Parameters
    ----------
    dataset : Episodes
        Linear, or tabular: then every pair (s, a) is a feature. At eta = inf it is `pevi`.
    scale : float
        Practical width >= 0.
    lam : float
        Ridge > 0.

    Returns
    -------
    (H, S, A) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    Derived for this package from the bandit case. Where the widths hold its suboptimality is at most 2 sum_h E_{pi*} of
    them, as that of `pevi`. Where the action values are below those of the policy itself, it is also at most
    (eta / 2) sum_h E (Q^pi_h - Q_h)^2 under the optimum's states and the soft-greedy policy of Q^pi: errors enter
    squared, so the rate is 1 / n, in the end with single-policy coverage, since that policy tends to the optimum.

    References
    ----------
    Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026, arXiv:2502.06051, for contextual bandits.
    """
    scale = checks.finite("scale", scale, 0.0)
    lam = checks.finite("lam", lam, 0.0, closed=False)
    H = dataset.total.shape[1]
    return dataset.iterate(dataset.eta, dataset.precision(lam), scale * np.arange(H, 0, -1.0)).policy
