"""Classical KL-UCB, an unregularized index policy (Garivier and Cappe 2011, arXiv:1102.2490, Algorithm 1)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.bandits.loop import point_mass
from banditlab.bandits.problem import Bandit
from banditlab.confidence import kl_upper_logit, logistic
from banditlab.jit import jit
from banditlab.protocol import GAUSSIAN

_TIE = 1e-10  # logits of indices this close count as equal: Newton reaches them from different starts


@jit
def _level(t, c):
    """log t + c log log t, increasing in t >= 2."""
    x = math.log(max(t, 2))
    return x + c * math.log(max(x, 1.0))


@jit
def _solve(learner, a, depth):
    """Bring the logit of arm a to kl(mean, index) = `depth`, by Newton from its last value."""
    y = kl_upper_logit(learner.mean[a], depth, learner.logit[a])
    learner.logit[a] = y
    learner.depth[a] = depth
    rise = logistic(y) - learner.mean[a]
    learner.slope[a] = 1.0 / rise if rise > 0.0 else 0.0
    return y


class KLIndexUCB(NamedTuple):
    """State of the classical KL-UCB; build it with `kl_index_ucb`."""

    c: float  # weight of log log t
    mean: np.ndarray  # (K,) empirical means
    inverse: np.ndarray  # (K,) 1 / pulls
    logit: np.ndarray  # (K,) logit of the index when it was last solved for, inf for an unseen arm
    depth: np.ndarray  # (K,) level / pulls at that time
    slope: np.ndarray  # (K,) derivative of the logit in depth, there
    pulls: np.ndarray  # (K,)
    total: np.ndarray  # (K,) summed rewards
    last: np.ndarray  # (1,) the arm played last

    def policy(self, t, pi, rng):
        if t <= pi.size:
            point_mass(pi, self.last, t, t - 1)
            return
        level = _level(t, self.c)
        best = self.last[0]
        top = self.logit[best]
        if self.depth[best] != level * self.inverse[best]:
            top = _solve(self, best, level * self.inverse[best])
        for a in range(pi.size):
            depth = level * self.inverse[a]
            y = self.logit[a] + self.slope[a] * (depth - self.depth[a])  # tangent of a concave function
            if y < top - _TIE:
                continue
            if depth != self.depth[a]:
                y = _solve(self, a, depth)
            if y > top + _TIE or (y >= top - _TIE and a < best):
                top = y
                best = a
        point_mass(pi, self.last, t, best)

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r
        self.mean[a] = self.total[a] / self.pulls[a]
        self.inverse[a] = 1.0 / self.pulls[a]
        _solve(self, a, _level(t + 1, self.c) * self.inverse[a])


def kl_index_ucb(problem: Bandit, rounds: int, *, c: float = 0.0) -> KLIndexUCB:
    """Classical KL-UCB: the arm of largest max{q : n kl(mean, q) <= log t + c log log t}.

    Every arm is played once first; the lowest index wins ties. An unregularized rule: it plays point masses,
    also where the problem has finite eta. The KL here is the divergence of a confidence bound. The rule of
    the KL-*regularized* literature that is also called KL-UCB, a Gibbs policy on optimistic rewards, is
    `kl_ucb`.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms and rewards in [0, 1].
    rounds : int
        Unused: the rule is anytime.
    c : float
        Weight of log log t, >= 0; 3 in the theorem, 0 recommended there in practice.

    Returns
    -------
    KLIndexUCB
        Fresh learner.

    Raises
    ------
    ValueError, TypeError
        In one line, for `c` out of range or Gaussian rewards.

    Notes
    -----
    At eta = inf and for Bernoulli rewards, regret / log T tends to the Lai-Robbins constant sum_a Delta_a /
    kl(r_a, max r), proved for c = 3. The index is found in its logit, where the divergence is convex and
    asymptotically linear, by Newton from the arm's last index. It is a concave function of level / n, so its
    tangent at the last solution bounds it from above, and an arm whose bound is below the best index is
    skipped. Indices whose logits agree to 1e-10 count as ties.

    References
    ----------
    Garivier and Cappe 2011, COLT, arXiv:1102.2490, Algorithm 1.
    Cappe et al. 2013, Annals of Statistics 41, arXiv:1210.1136.
    """
    c = checks.finite("c", c, 0.0)
    if problem.noise == GAUSSIAN:
        raise ValueError("noise: gaussian is not allowed, kl_index_ucb needs rewards in [0, 1]")
    K = problem.mean.size
    return KLIndexUCB(
        c=c,
        mean=np.zeros(K),
        inverse=np.zeros(K),
        logit=np.full(K, np.inf),
        depth=np.zeros(K),
        slope=np.zeros(K),
        pulls=np.zeros(K),
        total=np.zeros(K),
        last=np.zeros(1, np.int64),
    )
