"""The symmetric optimistic pair with a query gate (the pair of Di, Jin, Wu, Zhao, Farnoud and Gu 2024)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.confidence import wald
from banditlab.dueling.loop import write_pair
from banditlab.dueling.problem import Dueling
from banditlab.dueling.rlhf import regression
from banditlab.preference import Logistic, learn, rewards, widths


class SymmetricPair(NamedTuple):
    """State of the symmetric optimistic pair; build it with `symmetric_pair`."""

    beta: float  # radius of the confidence ellipsoid, in the norm of V
    gate: float  # Gamma: a pair is queried where its width is larger
    logistic: Logistic
    score: np.ndarray  # (K,) workspace: estimated rewards
    width: np.ndarray  # (K, K) workspace: |phi_a - phi_b| in the norm of V^{-1}

    def duel(self, t, x, first, second, rng):
        rewards(self.logistic, x, self.score)
        widths(self.logistic, self.logistic.inverse, x, self.width)
        top = -math.inf
        i = 0
        j = 0
        for a in range(first.size):
            for b in range(a, first.size):
                value = self.score[a] + self.score[b] + self.beta * self.width[a, b]
                if value > top:
                    top = value
                    i = a
                    j = b
        write_pair(first, second, i, j)
        return self.width[i, j] > self.gate

    def update(self, t, x, a, b, y):
        learn(self.logistic, x, a, b, y)


def symmetric_pair(
    problem: Dueling, rounds: int, *, scale: float = 1.0, gate: float = 0.0, lam: float = 1.0
) -> SymmetricPair:
    """The pair whose sum of rewards may be the largest, queried where it is not known well enough.

    With V = lam I + sum z z' over the comparisons told, z the difference of features, the pair maximizes
    theta' (phi_a + phi_b) + beta |phi_a - phi_b| over a <= b, in the norm of V^{-1}, and is queried where
    |phi_a - phi_b| > gate. theta is the regularized maximum-likelihood estimate, projected into the known range, and
    beta = 2 scale sqrt(2 log T).

    Parameters
    ----------
    problem : Dueling
        Bradley-Terry, linear or tabular. Read are features and the known range: `radius` with features, `span`
        without.
    rounds : int
        T >= 2; enters beta.
    scale : float
        Factor > 0 of beta. Where theta* leaves the ellipsoid regret may be linear: below 1/4 the rule may compare an
        arm with itself for ever, up to 1/2 a gate of Delta / (2 beta) may stop it learning.
    gate : float
        Gamma >= 0, in units of the width, which is at most 2 / sqrt(lam). At 0 all pairs of two arms are queried
        whose features differ.
    lam : float
        Ridge > 0.

    Returns
    -------
    SymmetricPair
        Fresh learner; a round costs O(K d^2 + K^2 d), without features O(K^2), and fits are at most about fifteen for
        each doubling of the comparisons after two hundred (of a context's comparisons without features).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, general preferences, or a known range that is not positive.

    Notes
    -----
    Of pairs that tie the first in order of (a, b) is taken. With features of norm at most 1, the least positive gap
    Delta of r = phi' theta*, and |theta - theta*|_V <= beta at all rounds, Q queries among them:

    - 2 max r - r(a) - r(b) <= 2 beta |phi_a - phi_b| in every round, so that rounds that are not queried have no
      regret where gate < Delta / (2 beta);
    - Q <= (2 d / gate^2) log(1 + 4 Q / (lam d)) where 0 < gate <= 1;
    - the regret of both arms is at most max(1, 4 / lam) (8 d beta^2 / Delta) log(1 + 4 Q / (lam d)) where
      gate < Delta / (2 beta).

    References
    ----------
    Di, Jin, Wu, Zhao, Farnoud and Gu, ICLR 2024, arXiv:2310.00968, for the pair; Ji, He and Gu 2024,
    arXiv:2402.09401, for the gate. Reconstructed; the three statements are this package's.
    """
    logistic = regression(problem, "symmetric_pair", lam)
    rounds = checks.integer("rounds", rounds, 2)
    scale = checks.finite("scale", scale, 0.0, closed=False)
    gate = checks.finite("gate", gate, 0.0)
    K = problem.reference.shape[1]
    return SymmetricPair(2.0 * float(wald(scale, rounds)), gate, logistic, np.zeros(K), np.zeros((K, K)))
