"""Mirror descent to the Gibbs policy on importance-weighted rewards (Lan 2021, arXiv:2102.00135)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab.bandits.problem import Bandit
from banditlab.regularizer import gibbs


class KLMirrorDescent(NamedTuple):
    """State of mirror descent; build it with `kl_mirror_descent`."""

    eta: float  # inverse temperature
    reference: np.ndarray  # (K,) pi_ref
    total: np.ndarray  # (K,) summed importance-weighted rewards
    score: np.ndarray  # (K,) their means over all rounds
    played: np.ndarray  # (K,) the distribution played last

    def policy(self, t, pi, rng):
        decay = 1.0 / max(t - 1, 1)
        for a in range(pi.size):
            self.score[a] = decay * self.total[a]
        gibbs(self.reference, self.score, self.eta, pi)
        for a in range(pi.size):
            self.played[a] = pi[a]

    def update(self, t, a, r):
        self.total[a] += r / self.played[a]


def kl_mirror_descent(problem: Bandit, rounds: int) -> KLMirrorDescent:
    """Mirror descent with step 1/t: the Gibbs policy on the importance-weighted mean rewards.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms; its reference and inverse temperature are read.
    rounds : int
        Unused: the rule is anytime.

    Returns
    -------
    KLMirrorDescent
        Fresh learner.

    Notes
    -----
    The mirror step pi_{t+1} = argmax <p, g_t> - KL(p || pi_ref) / eta - KL(p || pi_t) / gamma_t on the
    estimate g_t(a) = r_t 1{a = a_t} / pi_t(a) reads log pi_{t+1} = (1 - lam) log pi_t + lam (log pi_ref + eta
    g_t) up to a constant, lam = gamma_t / (eta + gamma_t). With lam = 1/t the potential is eta times the mean
    of g over the rounds so far: the decay of all arms is one global factor, and an update touches the pulled
    arm only. The asymptotic law is

        d regret / d log t -> (eta / 2) {sum_a sigma_a^2 (1 - p_a) + sum_a r_a^2 (1 - 2 p_a) + (p . r)^2}

    with p = pi*.

    At large eta the rule fails: weights 1 / pi of order e^eta make the regret close to linear for any
    feasible T.

    References
    ----------
    Lan 2021, "Policy mirror descent for reinforcement learning", arXiv:2102.00135.
    Auer, Cesa-Bianchi, Freund and Schapire 2002, SIAM J. Comput. 32, for the estimate.
    """
    K = problem.mean.size
    return KLMirrorDescent(
        eta=float(problem.eta),
        reference=problem.reference.copy(),
        total=np.zeros(K),
        score=np.zeros(K),
        played=np.zeros(K),
    )
