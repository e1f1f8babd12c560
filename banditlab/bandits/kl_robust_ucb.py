"""KL-UCB with a bonus enlarged for corrupted rewards (after Lykouris et al. 2018, arXiv:1803.09353)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.bandits.problem import Bandit


class KLRobustUCB(NamedTuple):
    """State of KL-UCB with an enlarged bonus; build it with `kl_robust_ucb`."""

    width: float  # bonus of an arm pulled once, but for corruption
    corruption: float  # C: the mean of n rewards may be off by C / n
    ceiling: float  # index of an unseen arm, and clip of every index
    pulls: np.ndarray  # (K,)
    total: np.ndarray  # (K,) summed rewards

    def index(self, a, t):
        n = self.pulls[a]
        if n == 0.0:
            return self.ceiling
        return min((self.total[a] + self.corruption) / n + self.width / math.sqrt(n), self.ceiling)

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r


def kl_robust_ucb(
    problem: Bandit, rounds: int, *, scale: float = 0.5, delta: float = 0.01, corruption: float = 100.0
) -> KLRobustUCB:
    """KL-UCB for corrupted rewards: the bonus of `kl_ucb` plus C / n, for a known corruption budget C.

    With n pulls of arm a the index is min(mean + scale * sigma * sqrt(2 L / n) + C / n, ceiling), L = log(2 K T /
    delta) and sigma = 1/2 for rewards in [0, 1]; an unseen arm has the ceiling as its index. The policy is the Gibbs
    policy of the indices, at eta = inf the argmax.

    Parameters
    ----------
    problem : Bandit
        Read are the number of arms, the noise model with its spread, and the ceiling.
    rounds : int
        T >= 1; enters the level.
    scale : float
        Factor >= 0 of the statistical bonus: 1 is the theorem, 0.5 the practical default.
    delta : float
        Failure probability in (0, 1].
    corruption : float
        C >= 0, a bound of sum_t abs(reported reward - reward); 0 is `kl_ucb`.

    Returns
    -------
    KLRobustUCB
        Fresh learner.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    For scale >= 1, with probability 1 - delta every mean is within b + C / n of its target, b = sigma sqrt(2 L / n), so
    that a gap is at most E_pi min(u, eta u^2 / 2), u = 2 (b + C / n): corruption adds no more than the order of
    min(eta C^2 K, C K log T) to the regret. The guarantee is for the worst case: the bonus C / n persists after an
    attack has ended, and the plain rule then has the smaller regret. The constants are this package's.

    References
    ----------
    Lykouris, Mirrokni and Paes Leme, STOC 2018, arXiv:1803.09353 (enlarged confidence intervals, unregularized).
    Zhao, Ye, Xiong, Gu and Zhang, ICML 2025, arXiv:2502.07460 (KL-regularized optimism).
    """
    rounds = checks.integer("rounds", rounds, 1)
    scale = checks.finite("scale", scale, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    K = problem.mean.size
    return KLRobustUCB(
        width=scale * problem.sigma * math.sqrt(2.0 * math.log(2.0 * K * rounds / delta)),
        corruption=checks.finite("corruption", corruption, 0.0),
        ceiling=float(problem.ceiling),
        pulls=np.zeros(K),
        total=np.zeros(K),
    )
