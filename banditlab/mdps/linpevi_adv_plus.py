"""LinPEVI-ADV+: pessimism with regressions weighted by the variance of the next value (arXiv:2205.15512)."""

from __future__ import annotations

import math

import numpy as np

from banditlab import checks
from banditlab.mdps.episodes import Episodes


def linpevi_adv_plus(dataset: Episodes, *, scale: float | None = None, lam: float | None = None) -> np.ndarray:
    """Pessimistic value iteration, weighted by variances that the other half of the data estimates.

    On the first half pessimistic value iteration of ridge 1 and width 0.1 sqrt(d) (H - h) |phi| gives V_ref, and
    regressions of V_ref and of its square the variance sigma^2(s, a) = max(1, P V_ref^2 - (P V_ref)^2) of the next
    value. On the second half each transition has weight 1 / sigma^2, Sigma = lam I + sum phi phi' / sigma^2, and the
    width is scale |phi|_{Sigma^{-1}}, without a factor of the horizon.

    Parameters
    ----------
    dataset : Episodes
        Linear, or tabular.
    scale : float, optional
        Practical width >= 0; 0.1 sqrt(d) by default.
    lam : float, optional
        Ridge > 0; 1 / H^2 by default.

    Returns
    -------
    (H, S, A) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    Reconstructed, without the slack of the variance estimate. Half of the data only weighs the other, which shows at
    small n and short horizons. Backups are soft at finite eta.

    References
    ----------
    Xiong, Zhong, Shi, Shen, Wang and Zhang 2023, ICLR, arXiv:2205.15512, Algorithm 2.
    """
    H, S, A = dataset.total.shape[1:]
    d = dataset.basis().shape[2]
    scale = 0.1 * math.sqrt(d) if scale is None else checks.finite("scale", scale, 0.0)
    lam = 1.0 / (H * H) if lam is None else checks.finite("lam", lam, 0.0, closed=False)
    early, late = dataset.half(0), dataset.half(1)
    unit = early.precision(1.0)
    reference = early.iterate(dataset.eta, unit, 0.1 * math.sqrt(d) * np.arange(H, 0, -1.0)).value
    moves = early.moves.sum(axis=0)
    variance = np.empty((H, S, A))
    for h in range(H):
        mean = np.clip(early.regress(h, unit[h], moves[h] @ reference[h + 1]), 0.0, H)
        square = np.clip(early.regress(h, unit[h], moves[h] @ reference[h + 1] ** 2), 0.0, H * H)
        variance[h] = np.maximum(square - mean * mean, 1.0)
    weight = 1.0 / variance
    return late.iterate(dataset.eta, late.precision(lam, weight), np.full(H, scale), weight).policy
