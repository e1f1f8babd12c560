"""Greedy sampling in geometric batches (batched bandits: Perchet et al. 2016, arXiv:1505.00369)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.bandits.problem import Bandit


class KLBatched(NamedTuple):
    """State of batched greedy sampling; build it with `kl_batched`."""

    rho: float  # ratio of successive batch ends
    schedule: np.ndarray  # (2,) rho^k, and its ceiling: the next round to update the policy
    estimate: np.ndarray  # (K,) the indices in force: the empirical means at the start of the batch
    pulls: np.ndarray  # (K,)
    total: np.ndarray  # (K,) summed rewards

    def index(self, a, t):
        return self.estimate[a]

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r

    def refresh(self, t):
        if t < self.schedule[1]:
            return False
        while self.schedule[1] <= t:
            self.schedule[0] *= self.rho
            self.schedule[1] = math.ceil(self.schedule[0])
        for a in range(self.pulls.size):
            if self.pulls[a] > 0.0:
                self.estimate[a] = self.total[a] / self.pulls[a]
        return True


def kl_batched(problem: Bandit, rounds: int, *, rho: float = 2.0) -> KLBatched:
    """Batched greedy sampling: the Gibbs policy on empirical means, renewed only at rounds ceil(rho^k).

    Parameters
    ----------
    problem : Bandit
        Instance with K arms; its ceiling is read.
    rounds : int
        Unused: the rule is anytime, with about log T / log rho batches.
    rho : float
        Ratio of successive batch ends, > 1.

    Returns
    -------
    KLBatched
        Fresh learner.

    Raises
    ------
    ValueError, TypeError
        In one line, for `rho` out of range.

    Notes
    -----
    The policy of a batch rests on the rounds before it, so the law of `kl_greedy` is multiplied by
    (rho - 1) / log rho, 1.443 at rho = 2. An arm not seen before the batch has the ceiling as its index.

    References
    ----------
    Perchet, Rigollet, Chassang and Snowberg 2016, "Batched bandit problems", arXiv:1505.00369.
    """
    rho = checks.finite("rho", rho, 1.0, closed=False)
    K = problem.mean.size
    return KLBatched(rho, np.ones(2), np.full(K, float(problem.ceiling)), np.zeros(K), np.zeros(K))
