"""The KL-Nash policy of estimated preferences, without pessimism (arXiv:2510.24700)."""

from __future__ import annotations

import numpy as np

from banditlab import checks, equilibrium
from banditlab.dueling.comparisons import Comparisons, require_game


def nash_plug_in(dataset: Comparisons, *, smoothing: float = 0.5) -> np.ndarray:
    """Greedy offline Nash learning: the KL-Nash policy of the empirical preference matrix.

    A pair with N comparisons of which a won W has the estimate (W + s) / (N + 2 s), 1/2 without comparisons.

    Parameters
    ----------
    dataset : Comparisons
        With general preferences, at finite eta.
    smoothing : float
        s > 0.

    Returns
    -------
    (X, K) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, Bradley-Terry preferences or eta = inf.

    Notes
    -----
    With D = (P - estimate) pi its one-sided gap is at most eta E_x (max D - min D)^2 / 8, always: errors enter squared,
    so the rate is 1 / n without pessimism.

    References
    ----------
    Wu, Shi, Yang and Shen, NeurIPS 2025, arXiv:2510.24700.
    """
    s = checks.finite("smoothing", smoothing, 0.0, closed=False)
    require_game(dataset.bradley_terry, dataset.eta, "nash_plug_in")
    wins = dataset.wins
    estimate = (wins + s) / (wins + wins.transpose(0, 2, 1) + 2.0 * s)
    estimate = 0.5 * (estimate + 1.0 - estimate.transpose(0, 2, 1))
    solved = [equilibrium.newton(p, q, dataset.eta) for p, q in zip(estimate, dataset.reference, strict=True)]
    policy = np.exp(np.stack([found.log_policy for found in solved]))
    return policy / policy.sum(axis=1, keepdims=True)
