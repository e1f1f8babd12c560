"""Greedy sampling for RLHF: both answers from the plug-in policy (Wu, Shi, Yang and Shen 2025, arXiv:2510.24700)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.dueling.problem import Dueling
from banditlab.jit import jit
from banditlab.preference import Logistic, learn, maximum_likelihood, rewards
from banditlab.regularizer import gibbs


def regression(problem: Dueling, algorithm: str, lam: float | None, *, projected: bool = True) -> Logistic:
    """The regression of a Bradley-Terry problem, without comparisons: tabular, or on features where it has them.

    Parameters
    ----------
    problem : Dueling
        Read are features, span and radius.
    algorithm : str
        Who asks, for messages.
    lam : float or None
        Ridge > 0; None: 0.1 without features, 0.5 with.
    projected : bool
        Whether the known range is imposed on predictions.

    Raises
    ------
    ValueError, TypeError
        In one line, for general preferences, or a parameter or known range that is not positive.
    """
    if not problem.bradley_terry:
        raise ValueError(f"preference: {algorithm} needs Bradley-Terry preferences, made by `bradley_terry`")
    linear = problem.features.shape[2] > 0
    if lam is None:
        lam = 0.5 if linear else 0.1
    bound = math.inf
    if projected:
        name = "radius" if linear else "span"
        bound = checks.finite(name, getattr(problem, name), 0.0, closed=False)
    return maximum_likelihood(problem.features, lam, bound=bound)


@jit
def plug_in(logistic, reference, eta, x, score, pi):
    """Write the Gibbs policy of the predicted rewards of context x, which are left in `score` (K,)."""
    rewards(logistic, x, score)
    gibbs(reference[x], score, eta, pi)


class RLHFGreedy(NamedTuple):
    """State of greedy sampling; build it with `rlhf_greedy`."""

    eta: float  # inverse temperature
    reference: np.ndarray  # (X, K) pi_ref
    logistic: Logistic
    changed: np.ndarray  # (1,) 1 where the estimate changed since `refresh` last looked
    score: np.ndarray  # (K,) workspace: predicted rewards

    def policy(self, x, pi):
        plug_in(self.logistic, self.reference, self.eta, x, self.score, pi)

    def refresh(self, t):
        changed = self.changed[0] > 0.0
        self.changed[0] = 0.0
        return changed

    def duel(self, t, x, first, second, rng):
        plug_in(self.logistic, self.reference, self.eta, x, self.score, first)
        for a in range(first.size):
            second[a] = first[a]
        return True

    def update(self, t, x, a, b, y):
        if learn(self.logistic, x, a, b, y):
            self.changed[0] = 1.0


def rlhf_greedy(problem: Dueling, rounds: int, *, lam: float | None = None, projected: bool = True) -> RLHFGreedy:
    """Greedy sampling: both arms are independent draws of the Gibbs policy of the estimated rewards.

    Rewards are estimated by regularized maximum likelihood and projected into the range known of them. The main policy
    is the one compared with itself.

    Parameters
    ----------
    problem : Dueling
        Bradley-Terry, tabular or linear. Read are features, reference, eta, and the known range: `span` without
        features, `radius` with.
    rounds : int
        Unused: the rule is anytime.
    lam : float, optional
        Ridge > 0; by default 0.1 without features, 0.5 with.
    projected : bool
        Whether the known range is imposed.

    Returns
    -------
    RLHFGreedy
        Fresh learner; a round costs O(K + d^2), with features O(K d + d^2), and fits are at most about fifteen for
        each doubling of the comparisons after two hundred.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, general preferences, or a known range that is not positive.

    Notes
    -----
    The gap of the main policy is at most (eta / 8) E_x (max d - min d)^2, d = r - r_hat, at every round (Hoeffding's
    lemma). Where eta times the range of rewards is large the policy soon is nearly deterministic and compares an arm
    with itself, which tells nothing: regret is logarithmic with a constant that is exponential in that product.
    Without the projection it may stay so for ever, and at eta = inf it never compares two arms at all.

    References
    ----------
    Wu, Shi, Yang and Shen, NeurIPS 2025, arXiv:2510.24700; Xiong et al. 2024, ICML, arXiv:2312.11456. Reconstructed.
    """
    logistic = regression(problem, "rlhf_greedy", lam, projected=bool(projected))
    K = problem.reference.shape[1]
    return RLHFGreedy(problem.eta, problem.reference.copy(), logistic, np.zeros(1), np.zeros(K))
