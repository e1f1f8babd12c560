"""Any bandit algorithm behind an adversary who spoils rewards (Lykouris et al. 2018, arXiv:1803.09353)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from banditlab import checks
from banditlab.bandits.as_policy import build
from banditlab.bandits.kl_ucb import kl_ucb
from banditlab.bandits.problem import Bandit


class Corrupted(NamedTuple):
    """A learner behind an adversary; build it with `corrupted`."""

    inner: Any  # the learner, a general policy
    target: int  # the arm attacked
    attack: float  # rounds of the attack
    left: np.ndarray  # (1,) what is left of the budget

    def policy(self, t, pi, rng):
        self.inner.policy(t, pi, rng)

    def update(self, t, a, r):
        if a == self.target and t <= self.attack and r > 0.0:
            spent = min(r, self.left[0])
            self.left[0] -= spent
            r -= spent
        self.inner.update(t, a, r)


def corrupted(
    problem: Bandit,
    rounds: int,
    *,
    algorithm: Callable[..., Any] = kl_ucb,
    budget: float = 100.0,
    target: int = -1,
) -> Corrupted:
    """Corrupted feedback for any algorithm: early rewards of one arm are lowered to zero while a budget lasts.

    The adversary stands between environment and learner and attacks during the first 4 `budget` rounds; the regret is
    that of the policies played, in the true means.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms; read by `algorithm`.
    rounds : int
        T >= 1; read by `algorithm`.
    algorithm : callable
        Constructor ``(problem, rounds) -> learner`` of this family, an index rule or a general policy; parameters
        are bound by ``functools.partial``.
    budget : float
        C >= 0, the most that sum_t abs(reported reward - reward) may be; 0 is the algorithm itself.
    target : int
        The arm attacked, 0 to K - 1; -1 is the last arm.

    Returns
    -------
    Corrupted
        Fresh learner; its field `left` is what remains of the budget.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, or an `algorithm` that is no constructor of a learner.

    Notes
    -----
    Only positive rewards are lowered, the last of them in part if the budget ends within it. The mean of an arm pulled
    n times errs by at most C / n more than without the adversary: see `kl_robust_ucb`. The attack itself is this
    package's choice.

    References
    ----------
    Lykouris, Mirrokni and Paes Leme, STOC 2018, arXiv:1803.09353 (stochastic bandits with a corruption budget).
    """
    checks.integer("rounds", rounds, 1)
    K = problem.mean.size
    budget = checks.finite("budget", budget, 0.0)
    target = checks.integer("target", target, -1, K - 1)
    return Corrupted(
        inner=build(problem, rounds, algorithm),
        target=target % K,
        attack=4.0 * budget,
        left=np.array([budget]),
    )
