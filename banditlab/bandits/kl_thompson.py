"""Thompson sampling with the Gibbs policy on a Gaussian draw (Agrawal and Goyal 2013, arXiv:1209.3353)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.bandits.problem import Bandit
from banditlab.regularizer import gibbs
from banditlab.rng import normal


class KLThompson(NamedTuple):
    """State of KL-regularized Thompson sampling; build it with `kl_thompson`."""

    eta: float  # inverse temperature
    sigma: float  # standard deviation of one observation in the posterior
    ceiling: float  # index of an unseen arm
    reference: np.ndarray  # (K,) pi_ref
    pulls: np.ndarray  # (K,)
    total: np.ndarray  # (K,) summed rewards
    draw: np.ndarray  # (K,) workspace

    def policy(self, t, pi, rng):
        for a in range(pi.size):
            n = self.pulls[a]
            self.draw[a] = self.total[a] / n + self.sigma / math.sqrt(n) * normal(rng) if n > 0.0 else self.ceiling
        gibbs(self.reference, self.draw, self.eta, pi)

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r


def kl_thompson(problem: Bandit, rounds: int, *, s2: float = 0.25) -> KLThompson:
    """KL-regularized Thompson sampling: the Gibbs policy on a draw of N(mean, s2 / n) for each arm.

    What is scored is the policy committed to after the draw.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms; its reference, inverse temperature and ceiling are read.
    rounds : int
        Unused: the rule is anytime.
    s2 : float
        Variance >= 0 of one observation in the posterior: 1/4 is the largest of rewards in [0, 1], 0 is
        `kl_greedy`.

    Returns
    -------
    KLThompson
        Fresh learner.

    Raises
    ------
    ValueError, TypeError
        In one line, for `s2` out of range.

    Notes
    -----
    The asymptotic law is that of `kl_greedy` plus (eta / 2) s2 (K - 1), about twice greedy where s2 is the
    variance of the rewards, and it is reached without greedy's tail at large eta. The posterior has a flat
    prior: draws are not clipped, and an unseen arm has the ceiling as its index.

    References
    ----------
    Agrawal and Goyal 2013, AISTATS, arXiv:1209.3353, Algorithm 2 (eta = inf).
    """
    s2 = checks.finite("s2", s2, 0.0)
    K = problem.mean.size
    return KLThompson(
        eta=float(problem.eta),
        sigma=math.sqrt(s2),
        ceiling=float(problem.ceiling),
        reference=problem.reference.copy(),
        pulls=np.zeros(K),
        total=np.zeros(K),
        draw=np.zeros(K),
    )
