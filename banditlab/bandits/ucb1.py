"""UCB1: optimism by Hoeffding's width (Auer, Cesa-Bianchi and Fischer 2002, Machine Learning 47)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab.bandits import bounds
from banditlab.bandits.loop import point_mass
from banditlab.bandits.problem import Bandit


class UCB1(NamedTuple):
    """State of UCB1; build it with `ucb1`."""

    factor: float  # 2 sigma: 1 for rewards in [0, 1]
    mean: np.ndarray  # (K,) empirical means
    width: np.ndarray  # (K,) 1 / sqrt(pulls), inf for an unseen arm
    pulls: np.ndarray  # (K,)
    total: np.ndarray  # (K,) summed rewards
    last: np.ndarray  # (1,) the arm played last

    def policy(self, t, pi, rng):
        growth = self.factor * math.sqrt(2.0 * math.log(max(t, 2)))
        best = 0
        top = -math.inf
        for a in range(pi.size):
            index = self.mean[a] + growth * self.width[a]
            if index > top:
                top = index
                best = a
        point_mass(pi, self.last, t, best)

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r
        self.mean[a] = self.total[a] / self.pulls[a]
        self.width[a] = 1.0 / math.sqrt(self.pulls[a])


def ucb1(problem: Bandit, rounds: int) -> UCB1:
    """UCB1: the arm of largest empirical mean plus sqrt(2 log t / n).

    Every arm is played once first; the lowest index wins ties. An unregularized rule: it plays point masses,
    also where the problem has finite eta.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms; the noise model and the spread of Gaussian rewards are read.
    rounds : int
        Unused: the rule is anytime.

    Returns
    -------
    UCB1
        Fresh learner.

    Notes
    -----
    For rewards in [0, 1] and eta = inf the expected regret is at most sum_a 8 log T / Delta_a + (1 + pi^2 /
    3) sum_a Delta_a (Theorem 1). For Gaussian rewards of standard deviation sigma the width is multiplied by
    2 sigma, which is the same rule for sigma-subgaussian rewards.

    References
    ----------
    Auer, Cesa-Bianchi and Fischer 2002, Machine Learning 47, Figure 1 and Theorem 1.
    """
    K = problem.mean.size
    factor = 2.0 * problem.sigma
    return UCB1(factor, np.zeros(K), np.full(K, np.inf), np.zeros(K), np.zeros(K), np.zeros(1, np.int64))


ucb1.bound = bounds.ucb1  # type: ignore[attr-defined]
