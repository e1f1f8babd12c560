"""Pessimistic offline Nash learning from general preferences (Ye et al. 2024, arXiv:2402.07314)."""

from __future__ import annotations

import math

import numpy as np

from banditlab import checks, equilibrium
from banditlab.dueling.comparisons import Comparisons, require_game
from banditlab.dueling.nash import estimate


def nash_pessimistic(dataset: Comparisons, *, scale: float = 1.0, delta: float | None = None) -> np.ndarray:
    """Pessimistic offline Nash learning: the max player of the KL game with payoffs at the low end of their intervals.

    A pair with N comparisons of which a won W has the payoff A_hat = (W + 1/2) / (N + 1) - 1/2 and the width
    b = beta / sqrt(N) + 1 / (2 (N + 1)), at most 1/2 + |A_hat|, zero for a = b. The policy is

        argmax_p min_q p' (A_hat - b) q - KL(p || ref) / eta + KL(q || ref) / eta.

    Parameters
    ----------
    dataset : Comparisons
        With general preferences, at finite eta.
    scale : float
        beta >= 0 itself, or its multiple of the theorem's if `delta` is given.
    delta : float, optional
        Failure probability in (0, 1] of all widths together, X contexts: beta = scale sqrt(log(2 X K^2 / delta) / 2).

    Returns
    -------
    (X, K) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, Bradley-Terry preferences or eta = inf.

    Notes
    -----
    Where |A_hat - A| <= b in every entry the one-sided gap is at most 2 E_x pi*' b q, with the min player's answer to
    pi*, q = ref exp(-eta (A_hat - b)' pi*) / Z. The data must cover pi* against every q: covering pi* alone is not
    enough. The bound falls like n^{-1/2}; `nash_plug_in` has 1 / n without pessimism. The game is not symmetric, and is
    solved by Newton's method.

    References
    ----------
    Ye, Xiong, Zhang, Jiang and Zhang 2024, arXiv:2402.07314. Reconstructed.
    """
    beta = checks.finite("scale", scale, 0.0)
    X, K = dataset.reference.shape
    if delta is not None:
        delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
        beta *= math.sqrt(math.log(2.0 * X * K * K / delta) / 2.0)
    require_game(dataset.bradley_terry, dataset.eta, "nash_pessimistic")
    payoff, width = np.zeros((K, K)), np.zeros((K, K))
    policy = np.empty((X, K))
    for x in range(X):
        estimate(dataset.wins[x].copy(), beta, payoff, width)
        reference = dataset.reference[x]
        policy[x] = np.exp(equilibrium.newton_game(payoff - width, reference, reference, dataset.eta).log_row)
    return policy / policy.sum(axis=1, keepdims=True)
