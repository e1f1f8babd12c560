"""IMED: indexed minimum empirical divergence (Honda and Takemura 2015, JMLR 16)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab.bandits.loop import point_mass
from banditlab.bandits.problem import Bandit
from banditlab.protocol import GAUSSIAN


class IMED(NamedTuple):
    """State of IMED; build it with `imed`."""

    total: np.ndarray  # (K,) summed rewards S
    misses: np.ndarray  # (K,) n - S
    mean: np.ndarray  # (K,) empirical means
    entropy: np.ndarray  # (K,) n h(mean), h the binary entropy
    log_pulls: np.ndarray  # (K,) log n, -inf for an unseen arm
    last: np.ndarray  # (1,) the arm played last

    def policy(self, t, pi, rng):
        q = 0.0
        for a in range(pi.size):
            q = max(q, self.mean[a])
        log_hit = math.log(q) if q > 0.0 else 0.0  # q = 0: no arm has a hit
        log_miss = math.log1p(-q) if q < 1.0 else -math.inf
        best = 0
        low = math.inf
        for a in range(pi.size):
            divergence = -self.entropy[a] - self.total[a] * log_hit  # n kl(mean, q)
            if self.misses[a] > 0.0:
                divergence -= self.misses[a] * log_miss
            index = max(divergence, 0.0) + self.log_pulls[a]
            if index < low:
                low = index
                best = a
        point_mass(pi, self.last, t, best)

    def update(self, t, a, r):
        self.total[a] += r
        self.misses[a] += 1.0 - r
        hits = self.total[a]
        misses = self.misses[a]
        n = hits + misses
        p = hits / n
        self.mean[a] = p
        self.entropy[a] = -hits * math.log(p) - misses * math.log(misses / n) if 0.0 < p and 0.0 < misses else 0.0
        self.log_pulls[a] = math.log(n)


def imed(problem: Bandit, rounds: int) -> IMED:
    """IMED: the arm of smallest n kl(mean, largest mean) + log n.

    Every arm is played once first; the lowest index wins ties. An unregularized rule: it plays point masses,
    also where the problem has finite eta.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms and rewards in [0, 1].
    rounds : int
        Unused: the rule is anytime.

    Returns
    -------
    IMED
        Fresh learner.

    Raises
    ------
    ValueError
        In one line, for Gaussian rewards.

    Notes
    -----
    At eta = inf and for Bernoulli rewards, regret / log T tends to the Lai-Robbins constant. The divergence
    is expanded, n kl = -n h(mean) - S log q - (n - S) log(1 - q), so that a round takes two logarithms for q
    and none an arm.

    References
    ----------
    Honda and Takemura 2015, JMLR 16, pages 3721-3756.
    """
    if problem.noise == GAUSSIAN:
        raise ValueError("noise: gaussian is not allowed, imed needs rewards in [0, 1]")
    K = problem.mean.size
    return IMED(np.zeros(K), np.zeros(K), np.zeros(K), np.zeros(K), np.full(K, -np.inf), np.zeros(1, np.int64))
