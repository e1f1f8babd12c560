"""PMVI: pessimistic minimax value iteration on offline plays (Zhong et al. 2022, arXiv:2202.07511)."""

from __future__ import annotations

import math

import numpy as np

from banditlab.games.kl_pmvi import brackets
from banditlab.games.plays import Plays


def pmvi(dataset: Plays, *, scale: float = 0.5, delta: float = 0.1, lam: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """PMVI: each player's Nash policy under action values that are pessimistic for it, without KL.

    Q_lo = r_hat + P_hat V_lo - b and Q_up = r_hat + P_hat V_up + b, in [0, H - h]; the row player follows the Nash
    policies of Q_lo, the column player those of Q_up. With n transitions b = scale (H - h) sqrt(log(2 H S A B / delta)
    / (2 n)); with features scale (H - h) sqrt(log(2 d H / delta)) |phi|, the norm that of Lambda^{-1}. Where nothing
    was seen Q_lo = 0 and Q_up = H - h.

    Parameters
    ----------
    dataset : Plays
        Of any eta, which is not used.
    scale : float
        Practical width >= 0.
    delta : float
        In (0, 1].
    lam : float
        Ridge > 0, where the game has features.

    Returns
    -------
    row, column : (H, S, A), (H, S, B) arrays

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    V_lo <= V* <= V_up where |r_hat + P_hat V* - r - P V*| <= b, with probability 1 - delta without features at scale 1.
    The duality gap is at most V_up - V_lo where the same holds at V_lo and V_up, which depend on the data.

    References
    ----------
    Zhong, Xiong, Tan, Wang, Zhang, Wang and Yang 2022, ICML, arXiv:2202.07511; the tabular form and the widths are
    this package's.
    """
    low, high = brackets(dataset._replace(eta=math.inf), scale, delta, lam)
    return low.row, high.column
