"""Epsilon-greedy around the Gibbs policy (epsilon_n-greedy of Auer et al. 2002, Machine Learning 47)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.bandits.problem import Bandit
from banditlab.regularizer import gibbs


class KLEpsGreedy(NamedTuple):
    """State of epsilon-greedy; build it with `kl_eps_greedy`."""

    eta: float  # inverse temperature
    epsilon: float  # eps_t = min(1, epsilon K / t)
    reference: np.ndarray  # (K,) pi_ref
    score: np.ndarray  # (K,) empirical means, the ceiling for an unseen arm
    pulls: np.ndarray  # (K,)
    total: np.ndarray  # (K,) summed rewards

    def policy(self, t, pi, rng):
        K = pi.size
        gibbs(self.reference, self.score, self.eta, pi)
        explore = min(1.0, self.epsilon * K / t)
        for a in range(K):
            pi[a] = (1.0 - explore) * pi[a] + explore / K

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r
        self.score[a] = self.total[a] / self.pulls[a]


def kl_eps_greedy(problem: Bandit, rounds: int, *, epsilon: float = 1.0) -> KLEpsGreedy:
    """Epsilon-greedy: the Gibbs policy on empirical means, mixed with uniform exploration of share ~ 1/t.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms; its reference, inverse temperature and ceiling are read.
    rounds : int
        Unused: the rule is anytime.
    epsilon : float
        Exploration rate >= 0: the share of round t is min(1, epsilon K / t).

    Returns
    -------
    KLEpsGreedy
        Fresh learner.

    Raises
    ------
    ValueError, TypeError
        In one line, for `epsilon` out of range.

    Notes
    -----
    At finite eta the cost of exploring is of second order in the share and summable: the law is that of
    `kl_greedy`. At large eta exploring shortens that rule's tail by orders of magnitude without removing it:
    an arm is tried only about epsilon log T times. At eta = inf it is the classical rule, with an exploration
    constant that knows no gap.

    References
    ----------
    Auer, Cesa-Bianchi and Fischer 2002, Machine Learning 47, Figure 3.
    """
    epsilon = checks.finite("epsilon", epsilon, 0.0)
    K = problem.mean.size
    return KLEpsGreedy(
        eta=float(problem.eta),
        epsilon=epsilon,
        reference=problem.reference.copy(),
        score=np.full(K, float(problem.ceiling)),
        pulls=np.zeros(K),
        total=np.zeros(K),
    )
