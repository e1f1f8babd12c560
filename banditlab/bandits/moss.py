"""MOSS: minimax optimal strategy in the stochastic case (Audibert and Bubeck 2009, COLT)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import confidence
from banditlab.bandits import bounds
from banditlab.bandits.loop import point_mass
from banditlab.bandits.problem import Bandit


class MOSS(NamedTuple):
    """State of MOSS; build it with `moss`."""

    factor: float  # 2 sigma: 1 for rewards in [0, 1]
    rounds: float  # T
    score: np.ndarray  # (K,) inf for an unseen arm
    pulls: np.ndarray  # (K,)
    total: np.ndarray  # (K,) summed rewards
    last: np.ndarray  # (1,) the arm played last

    def policy(self, t, pi, rng):
        best = 0
        top = -math.inf
        for a in range(pi.size):
            if self.score[a] > top:
                top = self.score[a]
                best = a
        point_mass(pi, self.last, t, best)

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r
        n = self.pulls[a]
        self.score[a] = self.total[a] / n + self.factor * confidence.moss(n, self.rounds, float(self.pulls.size))


def moss(problem: Bandit, rounds: int) -> MOSS:
    """MOSS: the arm of largest empirical mean plus sqrt(log+(T / (K n)) / n), minimax up to a constant.

    Every arm is played once first; the lowest index wins ties. An unregularized rule: it plays point masses,
    also where the problem has finite eta.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms; the noise model and the spread of Gaussian rewards are read.
    rounds : int
        Horizon T >= 1, which the index needs.

    Returns
    -------
    MOSS
        Fresh learner.

    Notes
    -----
    For rewards in [0, 1] and eta = inf the expected regret is at most a constant times sqrt(K T): 49 in the
    paper, 25 in later versions. For Gaussian rewards of standard deviation sigma the width is multiplied by 2
    sigma, which is the same rule for sigma-subgaussian rewards.

    References
    ----------
    Audibert and Bubeck 2009, "Minimax policies for adversarial and stochastic bandits", COLT.
    """
    K = problem.mean.size
    factor = 2.0 * problem.sigma
    return MOSS(factor, float(rounds), np.full(K, np.inf), np.zeros(K), np.zeros(K), np.zeros(1, np.int64))


moss.bound = bounds.moss  # type: ignore[attr-defined]
