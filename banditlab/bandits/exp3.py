"""EXP3: exponential weights on importance-weighted rewards (Auer et al. 2002, SIAM J. Comput. 32)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.bandits import bounds
from banditlab.bandits.problem import Bandit
from banditlab.protocol import GAUSSIAN

_HIGH = 30.0  # largest log weight before the weights are centred anew


class EXP3(NamedTuple):
    """State of EXP3; build it with `exp3`."""

    gamma: float  # share of uniform exploration, and learning rate
    log_weight: np.ndarray  # (K,) up to a common constant
    weight: np.ndarray  # (K,) their exponentials
    played: np.ndarray  # (K,) the distribution played last

    def policy(self, t, pi, rng):
        K = pi.size
        total = 0.0
        for a in range(K):
            total += self.weight[a]
        share = (1.0 - self.gamma) / total
        for a in range(K):
            pi[a] = share * self.weight[a] + self.gamma / K
            self.played[a] = pi[a]

    def update(self, t, a, r):
        K = self.weight.size
        self.log_weight[a] += self.gamma / K * r / self.played[a]
        centre = self.log_weight[a]
        if centre <= _HIGH:
            self.weight[a] = math.exp(centre)
            return
        for b in range(K):
            self.log_weight[b] -= centre
            self.weight[b] = math.exp(self.log_weight[b])


def exp3(problem: Bandit, rounds: int, *, gamma: float | None = None) -> EXP3:
    """EXP3: exponential weights on importance-weighted rewards, mixed with uniform exploration.

    An unregularized rule, whatever the problem's eta; it makes no assumption on how rewards arise.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms and rewards in [0, 1].
    rounds : int
        Horizon T >= 1, which tunes `gamma`.
    gamma : float, optional
        Exploration share and learning rate in [0, 1]; by default min(1, sqrt(K log K / ((e - 1) T))).

    Returns
    -------
    EXP3
        Fresh learner.

    Raises
    ------
    ValueError, TypeError
        In one line, for `gamma` out of range or Gaussian rewards.

    Notes
    -----
    At eta = inf and with the default `gamma` the expected regret is at most
    2 sqrt(e - 1) sqrt(T K log K) = 2.63 sqrt(T K log K) (Corollary 3.2 with g = T).

    References
    ----------
    Auer, Cesa-Bianchi, Freund and Schapire 2002, SIAM J. Comput. 32, Figure 1 and Corollary 3.2.
    """
    if problem.noise == GAUSSIAN:
        raise ValueError("noise: gaussian is not allowed, exp3 needs rewards in [0, 1]")
    K = problem.mean.size
    gamma = bounds.best_gamma(K, rounds) if gamma is None else checks.finite("gamma", gamma, 0.0, 1.0)
    return EXP3(gamma, np.zeros(K), np.ones(K), np.zeros(K))


exp3.bound = bounds.exp3  # type: ignore[attr-defined]
