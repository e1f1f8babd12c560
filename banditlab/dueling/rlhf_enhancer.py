"""RLHF with an exploring rival: the enhancer of online GSHF in its practical form (arXiv:2312.11456)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab.dueling.problem import Dueling
from banditlab.dueling.rlhf_greedy import plug_in, regression
from banditlab.jit import jit
from banditlab.preference import Logistic, learn, width
from banditlab.rng import categorical

WIDTHS = 2.0
"""Standard errors by which an arm's reward may exceed its estimate, against that of the first arm."""


@jit
def rival(logistic, log_reference, eta, x, a, score):
    """The arm most uncertain against a among those that may come within 1 / eta of it; a itself where none may.

    `score` (K,) are the predicted rewards. Of several the lowest.
    """
    chosen = a
    widest = 0.0
    least = score[a] + (log_reference[x, a] - 1.0) / eta
    for b in range(score.size):
        w = width(logistic, logistic.covariance, x, a, b)
        if w > widest and score[b] + log_reference[x, b] / eta + WIDTHS * w >= least:
            chosen = b
            widest = w
    return chosen


class RLHFEnhancer(NamedTuple):
    """State of the enhancer; build it with `rlhf_enhancer`."""

    eta: float  # inverse temperature
    reference: np.ndarray  # (X, K) pi_ref
    log_reference: np.ndarray  # (X, K) its logarithm
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
        a = categorical(rng, first)
        b = rival(self.logistic, self.log_reference, self.eta, x, a, self.score)
        for c in range(first.size):
            first[c] = 1.0 if c == a else 0.0
            second[c] = 1.0 if c == b else 0.0
        return True

    def update(self, t, x, a, b, y):
        if learn(self.logistic, x, a, b, y):
            self.changed[0] = 1.0


def rlhf_enhancer(problem: Dueling, rounds: int, *, lam: float | None = None) -> RLHFEnhancer:
    """The Gibbs policy of the estimated rewards against the arm that is most uncertain beside the one it drew.

    Rewards are estimated by regularized maximum likelihood and projected into the range known of them. The first arm a
    is a draw of the main policy. The second has the largest |z|, z = phi(a) - phi(b), in the norm of the inverse
    Hessian, among the arms that may be nearly as likely: r_hat(b) + log ref(b) / eta + 2 |z| at least
    r_hat(a) + log ref(a) / eta - 1 / eta. Where there is none it is a, and the round is lost.

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
    RLHFEnhancer
        Fresh learner; a round costs O(K + d^2), with features O(K d^2), and fits are at most about fifteen for each
        doubling of the comparisons after two hundred.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, general preferences, or a known range that is not positive.

    Notes
    -----
    The gap of the main policy is at most (eta / 8) E_x (max d - min d)^2, d = r - r_hat, at every round (Hoeffding's
    lemma). The second arm depends on the first, while a round's two distributions are drawn from independently: so
    `duel` draws the first arm from the learner's own stream and writes two point masses, and regrets of the arms
    compared are those of that draw. The Hessian is that of the last fit. Of arms equally uncertain the lowest is taken.

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456, for online GSHF; this form of its enhancer is reconstructed.
    """
    logistic = regression(problem, "rlhf_enhancer", lam)
    reference = problem.reference.copy()
    K = reference.shape[1]
    return RLHFEnhancer(problem.eta, reference, np.log(reference), logistic, np.zeros(1), np.zeros(K))
