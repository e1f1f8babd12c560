"""RLHF with the reference as rival: one answer from the plug-in policy, one from pi_ref (arXiv:2312.11456)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab.dueling.problem import Dueling
from banditlab.dueling.rlhf_greedy import plug_in, regression
from banditlab.preference import Logistic, learn


class RLHFMixed(NamedTuple):
    """State of sampling against the reference; build it with `rlhf_mixed`."""

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
        for b in range(second.size):
            second[b] = self.reference[x, b]
        return True

    def update(self, t, x, a, b, y):
        if learn(self.logistic, x, a, b, y):
            self.changed[0] = 1.0


def rlhf_mixed(problem: Dueling, rounds: int, *, lam: float | None = None) -> RLHFMixed:
    """The Gibbs policy of the estimated rewards against the reference, from which the second arm is drawn.

    Rewards are estimated by regularized maximum likelihood and projected into the range known of them. The main policy
    is that of the first arm.

    Parameters
    ----------
    problem : Dueling
        Bradley-Terry, tabular or linear. Read are features, reference, eta, and the known range: `span` without
        features, `radius` with.
    rounds : int
        Unused: the rule is anytime.
    lam : float, optional
        Ridge > 0; by default 0.1 without features, 0.5 with.

    Returns
    -------
    RLHFMixed
        Fresh learner; a round costs O(K + d^2), with features O(K d + d^2), and fits are at most about fifteen for
        each doubling of the comparisons after two hundred.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, general preferences, or a known range that is not positive.

    Notes
    -----
    The gap of the main policy is at most (eta / 8) E_x (max d - min d)^2, d = r - r_hat, at every round (Hoeffding's
    lemma). The rival keeps trying every arm, which greedy sampling does not; it is the online half of hybrid learning,
    whose guarantee needs the reference to cover the optimum together with the offline data.

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456. Reconstructed.
    """
    logistic = regression(problem, "rlhf_mixed", lam)
    K = problem.reference.shape[1]
    return RLHFMixed(problem.eta, problem.reference.copy(), logistic, np.zeros(1), np.zeros(K))
