"""Sparring with UCB1: two copies of an index rule, each rewarded by its own win (Ailon et al. 2014)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab.dueling.loop import largest, write_pair
from banditlab.dueling.problem import Dueling
from banditlab.jit import jit
from banditlab.rng import uniform


@jit
def _write_upper(wins, plays, level, upper):
    """Write wins / n + sqrt(level / n), inf where n = 0."""
    for a in range(upper.size):
        n = plays[a]
        upper[a] = wins[a] / n + math.sqrt(level / n) if n > 0.0 else math.inf


@jit
def _count(wins, plays, a, b, y):
    """Count a play of a by the first copy and of b by the second; a won where y = 1."""
    wins[0, a] += y
    wins[1, b] += 1.0 - y
    plays[0, a] += 1.0
    plays[1, b] += 1.0


class SparringUCB(NamedTuple):
    """State of sparring with UCB1; build it with `sparring_ucb`."""

    wins: np.ndarray  # (2, K) of each copy's arms, against whatever the other played
    plays: np.ndarray  # (2, K)
    upper: np.ndarray  # (K,) workspace

    def duel(self, t, x, first, second, rng):
        level = 0.5 * math.log(t)
        _write_upper(self.wins[0], self.plays[0], level, self.upper)
        a = largest(self.upper, rng)
        _write_upper(self.wins[1], self.plays[1], level, self.upper)
        b = largest(self.upper, rng)
        write_pair(first, second, a, b)
        if a == b:  # of this no outcome will be told: a fair coin
            _count(self.wins, self.plays, a, b, 1.0 if uniform(rng) < 0.5 else 0.0)
        return True

    def update(self, t, x, a, b, y):
        _count(self.wins, self.plays, a, b, y)


def sparring_ucb(problem: Dueling, rounds: int) -> SparringUCB:
    """Sparring with UCB1: two copies of an index rule play each other, each rewarded by its own win.

    A copy plays its arm of largest share of wins plus sqrt(log t / (2 n)), whoever the opponents were. A heuristic:
    as both copies learn, the rewards of neither are stationary.

    Parameters
    ----------
    problem : Dueling
        With one context and K arms.
    rounds : int
        Unused: the rule is anytime.

    Returns
    -------
    SparringUCB
        Fresh learner; a round costs O(K).

    Raises
    ------
    ValueError
        In one line, for several contexts.

    Notes
    -----
    Reconstructed. Ties are broken at random. A round in which both copies play the same arm, of which a learner is told
    nothing, is decided by a coin of the learner's.

    References
    ----------
    Ailon, Karnin and Joachims 2014, ICML, arXiv:1405.3396, Sparring.
    """
    problem.require_one_context("sparring_ucb")
    K = problem.reference.shape[1]
    return SparringUCB(np.zeros((2, K)), np.zeros((2, K)), np.zeros(K))
