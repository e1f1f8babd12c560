"""KL-UCB: the Gibbs policy on optimistic rewards (Zhao, Ye, Xiong, Gu and Zhang 2025, arXiv:2502.07460)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.bandits import bounds
from banditlab.bandits.problem import Bandit


class KLUCB(NamedTuple):
    """State of KL-UCB; build it with `kl_ucb`."""

    width: float  # bonus of an arm pulled once, at level 1
    ceiling: float  # index of an unseen arm, and clip of every index
    anytime: bool  # level log(2 K t^2 / delta), renewed when t is a power of two
    log_arms: float  # anytime: log(2 K / delta)
    epoch: np.ndarray  # (2,) bonus of an arm pulled once, now; round of the next renewal
    pulls: np.ndarray  # (K,)
    total: np.ndarray  # (K,) summed rewards

    def index(self, a, t):
        n = self.pulls[a]
        if n == 0.0:
            return self.ceiling
        return min(self.total[a] / n + self.epoch[0] / math.sqrt(n), self.ceiling)

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r

    def refresh(self, t):
        if not self.anytime or t < self.epoch[1]:
            return False
        self.epoch[0] = self.width * math.sqrt(self.log_arms + 2.0 * math.log(self.epoch[1]))
        self.epoch[1] *= 2.0
        return True


def kl_ucb(
    problem: Bandit,
    rounds: int,
    *,
    scale: float = 0.5,
    delta: float = 0.01,
    level: float | None = None,
    anytime: bool = False,
) -> KLUCB:
    """KL-regularized UCB: the Gibbs policy on upper confidence bounds of the mean rewards.

    With n pulls of arm a the index is min(mean + scale * sqrt(L / (2 n)), ceiling), or min(mean + scale *
    sigma * sqrt(2 L / n), ceiling) for Gaussian rewards; an unseen arm has the ceiling as its index. The
    policy played is pi_ref(a) exp(eta index(a)) / Z in every round (no forced pulls); at eta = inf it is the
    argmax.

    Parameters
    ----------
    problem : Bandit
        Read are the number of arms, the noise model with its spread, and the ceiling.
    rounds : int
        T >= 1; enters the level unless it is given or `anytime`.
    scale : float
        Factor >= 0 of the bonus: 1 is the theorem, 0.5 the practical default, 0 is greedy.
    delta : float
        Failure probability in (0, 1]; the theorem is empty for delta >= 1/2.
    level : float, optional
        L >= 0; by default log(2 K T / delta).
    anytime : bool
        Use L = log(2 K s^2 / delta) instead, s the largest power of two up to the round: T need not be known.

    Returns
    -------
    KLUCB

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, or a level given to the anytime form.

    Notes
    -----
    Not the classical KL-UCB of Garivier and Cappe (2011), an unregularized index policy whose confidence
    bound is a Bernoulli divergence: that one is `kl_index_ucb`.

    For scale >= 1 the regret satisfies `bounds.kl_ucb` with probability at least 1 - 2 delta; on a fixed
    instance it grows like `bounds.law_kl_ucb` times log t. The papers treat general function classes and
    state no constants; the rule for K arms, its clip at the ceiling and the constants of the bound are this
    package's.

    References
    ----------
    Zhao, Ye, Xiong, Gu and Zhang, ICML 2025, arXiv:2502.07460 (logarithmic regret of online KL-regularized
    RL). Ji, Zhao, Zhao, Di and Gu, 2026, arXiv:2603.02155 (K arms: O(eta K log^2 T), and sqrt(K T) for large
    eta).
    """
    K = problem.mean.size
    rounds = checks.integer("rounds", rounds, 1)
    scale = checks.finite("scale", scale, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    width = scale * problem.sigma * math.sqrt(2.0)
    if level is None:
        L = math.log(2.0 * K * rounds / delta)
    elif anytime:
        raise ValueError(f"level: {level!r} is not allowed with anytime=True, which sets its own level")
    else:
        L = checks.finite("level", level, 0.0)
    return KLUCB(
        width=width,
        ceiling=problem.ceiling,
        anytime=bool(anytime),
        log_arms=math.log(2.0 * K / delta),
        epoch=np.array([width * math.sqrt(L), 1.0]),
        pulls=np.zeros(K),
        total=np.zeros(K),
    )


kl_ucb.bound = bounds.kl_ucb  # type: ignore[attr-defined]
