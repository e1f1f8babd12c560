"""Sparring with Exp3: two copies of exponential weights, each rewarded by its own win (Ailon et al. 2014)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab.dueling.problem import Dueling
from banditlab.jit import jit


@jit
def _weigh(loss, rate, pi):
    """Write pi proportional to exp(-rate loss)."""
    least = math.inf
    for a in range(loss.size):
        least = min(least, loss[a])
    total = 0.0
    for a in range(loss.size):
        pi[a] = math.exp(rate * (least - loss[a]))
        total += pi[a]
    for a in range(loss.size):
        pi[a] /= total


class SparringExp3(NamedTuple):
    """State of sparring with Exp3; build it with `sparring_exp3`."""

    loss: np.ndarray  # (2, K) estimated sums of each copy's probabilities of losing
    played: np.ndarray  # (2, K) the distributions of the round

    def duel(self, t, x, first, second, rng):
        K = first.size
        rate = math.sqrt(math.log(K) / (K * t))
        _weigh(self.loss[0], rate, first)
        _weigh(self.loss[1], rate, second)
        for a in range(K):
            self.played[0, a] = first[a]
            self.played[1, a] = second[a]
            self.loss[0, a] += 0.5 * second[a]  # an arm against itself loses half the time
            self.loss[1, a] += 0.5 * first[a]
        return True

    def update(self, t, x, a, b, y):
        self.loss[0, a] += (1.0 - y) / self.played[0, a]
        self.loss[1, b] += y / self.played[1, b]


def sparring_exp3(problem: Dueling, rounds: int) -> SparringExp3:
    """Sparring with Exp3: two copies of exponential weights play each other, each rewarded by its own win.

    Each copy plays weights exp(-rate L) on estimates L of what its arms would have lost by, with the anytime rate
    sqrt(log K / (K t)). It assumes nothing of the preferences: the average play tends to the von Neumann winner.

    Parameters
    ----------
    problem : Dueling
        With one context and K arms.
    rounds : int
        Unused: the rule is anytime.

    Returns
    -------
    SparringExp3
        Fresh learner; a round costs 2 K exponentials.

    Raises
    ------
    ValueError
        In one line, for several contexts.

    Notes
    -----
    Reconstructed. Losses are importance-weighted; rounds in which both arms are the same, of which a learner is told
    nothing, enter by their expectation: arm a meets itself with the other copy's probability of a, and loses half the
    time. So the estimates are unbiased. The regret of each copy is O(sqrt(K T log K)).

    References
    ----------
    Ailon, Karnin and Joachims 2014, ICML, arXiv:1405.3396, Sparring.
    """
    problem.require_one_context("sparring_exp3")
    K = problem.reference.shape[1]
    return SparringExp3(np.zeros((2, K)), np.zeros((2, K)))
