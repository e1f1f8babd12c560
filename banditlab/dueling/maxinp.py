"""MaxInP: the maximum informative pair of arms that may be the best (Saha 2021)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.confidence import wald
from banditlab.dueling.loop import write_pair
from banditlab.dueling.problem import Dueling
from banditlab.dueling.rlhf import regression
from banditlab.preference import Logistic, learn, rewards, widths


class MaxInP(NamedTuple):
    """State of MaxInP; build it with `maxinp`."""

    beta: float  # radius of the confidence ellipsoid, in the norm of V
    logistic: Logistic
    score: np.ndarray  # (K,) workspace: estimated rewards
    width: np.ndarray  # (K, K) workspace: |phi_a - phi_b| in the norm of V^{-1}
    candidate: np.ndarray  # (K,) workspace: 1 for an arm that may be the best

    def duel(self, t, x, first, second, rng):
        rewards(self.logistic, x, self.score)
        widths(self.logistic, self.logistic.inverse, x, self.width)
        K = first.size
        for a in range(K):
            self.candidate[a] = 1.0
            for b in range(K):
                if self.score[a] - self.score[b] + self.beta * self.width[a, b] < 0.0:
                    self.candidate[a] = 0.0
                    break
        widest = -1.0
        i = 0
        j = 0
        for a in range(K):
            for b in range(a, K):
                if self.candidate[a] > 0.0 and self.candidate[b] > 0.0 and self.width[a, b] > widest:
                    widest = self.width[a, b]
                    i = a
                    j = b
        write_pair(first, second, i, j)
        return widest > 0.0

    def update(self, t, x, a, b, y):
        learn(self.logistic, x, a, b, y)


def maxinp(problem: Dueling, rounds: int, *, scale: float = 0.5, lam: float = 1.0) -> MaxInP:
    """MaxInP: of the arms that may be the best, the two about whose difference least is known.

    With V = lam I + sum z z' over the comparisons told, z the difference of features, an arm a may be the best where
    theta' (phi_a - phi_b) + beta |phi_a - phi_b| >= 0 for all b, in the norm of V^{-1}; the pair of such arms with
    the largest |phi_a - phi_b| is compared. theta is the regularized maximum-likelihood estimate, projected into the
    known range, and beta = 2 scale sqrt(2 log T).

    Parameters
    ----------
    problem : Dueling
        Bradley-Terry, linear or tabular. Read are features and the known range: `radius` with features, `span`
        without.
    rounds : int
        T >= 2; enters beta.
    scale : float
        Factor > 0 of beta.
    lam : float
        Ridge > 0.

    Returns
    -------
    MaxInP
        Fresh learner; a round costs O(K d^2 + K^2 d), without features O(K^2), and fits are at most about fifteen for
        each doubling of the comparisons after two hundred (of a context's comparisons without features).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, general preferences, or a known range that is not positive.

    Notes
    -----
    Reconstructed; the paper begins with random pairs until V is large enough, which the ridge makes superfluous. Of
    pairs that tie the first in order of (a, b) is taken, a = b included; two arms of the same features are not
    queried. The arm of the largest estimate always may be the best. The regret of both arms is of order
    d sqrt(T) / kappa up to logarithms, and logarithmic where the gaps of finitely many contexts are positive.

    References
    ----------
    Saha 2021, NeurIPS, "Optimal algorithms for stochastic contextual preference bandits", Algorithm 1.
    """
    logistic = regression(problem, "maxinp", lam)
    rounds = checks.integer("rounds", rounds, 2)
    scale = checks.finite("scale", scale, 0.0, closed=False)
    K = problem.reference.shape[1]
    return MaxInP(2.0 * float(wald(scale, rounds)), logistic, np.zeros(K), np.zeros((K, K)), np.zeros(K))
