"""Greedy sampling: the Gibbs policy on empirical means (Wu, Shi, Yang and Shen 2025, arXiv:2510.24700)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab.bandits.problem import Bandit


class KLGreedy(NamedTuple):
    """State of greedy sampling; build it with `kl_greedy`."""

    ceiling: float  # index of an unseen arm
    pulls: np.ndarray  # (K,)
    total: np.ndarray  # (K,) summed rewards

    def index(self, a, t):
        return self.total[a] / self.pulls[a] if self.pulls[a] > 0.0 else self.ceiling

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r


def kl_greedy(problem: Bandit, rounds: int) -> KLGreedy:
    """Greedy sampling: the Gibbs policy on empirical means, without bonus.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms; its ceiling is read.
    rounds : int
        Unused: the rule is anytime.

    Returns
    -------
    KLGreedy
        Fresh learner.

    Notes
    -----
    The regret is O(log T), because a Gibbs policy on indices in [0, 1] gives each arm at least e^{-eta} times
    its reference mass, with a constant exponential in eta in the paper. The asymptotic law on a fixed
    instance is d regret / d log t -> (eta / 2) sum_a sigma_a^2 (1 - pi*_a). At large eta the regret is
    heavy-tailed over replications, since an arm whose first rewards were bad is not tried for about e^eta
    rounds: report the median and an upper quantile. An unseen arm has the ceiling as its index, which makes
    this `kl_ucb` with scale 0. The law does not depend on that choice: forced first pulls, or 1/2, give the
    same regret within standard errors at eta = 20.

    References
    ----------
    Wu, Shi, Yang and Shen 2025, NeurIPS, arXiv:2510.24700.
    """
    K = problem.mean.size
    return KLGreedy(float(problem.ceiling), np.zeros(K), np.zeros(K))
