"""LSVI-UCB: optimistic least-squares value iteration (Jin, Yang, Wang and Jordan 2020, arXiv:1907.05388)."""

from __future__ import annotations

import math

from banditlab.mdps.lsvi import LSVI, optimistic
from banditlab.mdps.problem import MDP


def lsvi_ucb(problem: MDP, rounds: int, *, scale: float | None = None, lam: float = 0.1, growth: float = 1.0) -> LSVI:
    """LSVI-UCB: least-squares value iteration with an elliptic bonus, acting greedily.

    At stage h, Q_h = phi' w_h + beta_h |phi|_{Lambda^{-1}}, clipped to [0, H - h], with w_h the ridge regression of
    r + max_a Q_{h+1}(s', a), and beta_h = (H - h) scale.

    Parameters
    ----------
    problem : MDP
        Linear, or tabular: then every pair (s, a) is a feature.
    rounds : int
        Unused: the rule is anytime.
    scale : float, optional
        Practical width >= 0, by default 0.3 + sqrt(lam d); the theorem's is of order d sqrt(log(d K H)), vacuous at
        these sizes.
    lam : float
        Ridge >= 1e-6. Its bias is of size sqrt(lam d) |phi|: a smaller bonus may not be optimistic.
    growth : float
        The plan is made anew when det Lambda has grown by this factor at a stage; 1: every episode.

    Returns
    -------
    LSVI
        Fresh learner; an episode costs O(H (S A d + d S + d^2)).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    Reconstructed. Regret is O~(sqrt(d^3 H^4 K)) with the theorem's bonus. On a fixed instance a positive gap makes it
    logarithmic in the end; sqrt(K) shows on a family whose gap falls like 1 / sqrt(K) (`instances.hypercube`).

    References
    ----------
    Jin, Yang, Wang and Jordan 2020, COLT, arXiv:1907.05388, Algorithm 1; rare switching: Wang, Zhou and Gu 2021,
    arXiv:2101.02195.
    """
    return optimistic(problem, math.inf, scale, lam, growth)
