"""APPO: policy optimization that asks only where a comparison is uncertain (Ji, He and Gu 2024, arXiv:2402.09401)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.confidence import wald
from banditlab.dueling.loop import write_pair
from banditlab.dueling.problem import Dueling
from banditlab.dueling.rlhf import regression
from banditlab.jit import jit
from banditlab.preference import Logistic, learn, rewards, width
from banditlab.regularizer import gibbs
from banditlab.rng import categorical

CEILING = 2.0
"""Above it an optimistic advantage is cut."""


@jit
def improve(logistic, x, b, alpha, beta, score, logits):
    """One mirror step: add alpha times the optimistic advantages over arm b to the logits (K,), and centre their top.

    `score` (K,) is workspace for the estimated rewards.
    """
    rewards(logistic, x, score)
    for j in range(logits.size):
        advantage = score[j] - score[b]
        if j != b:
            advantage += beta * width(logistic, logistic.inverse, x, j, b)
        logits[j] += alpha * min(CEILING, advantage)
    top = logits[0]
    for j in range(logits.size):
        top = max(top, logits[j])
    for j in range(logits.size):
        logits[j] -= top


class APPO(NamedTuple):
    """State of APPO; build it with `appo`."""

    alpha: float  # step of the logits
    beta: float  # radius of the confidence ellipsoid, in the norm of V
    gate: float  # Gamma: a pair is queried where its width is larger
    reference: np.ndarray  # (X, K) pi_ref, from which the second arm is drawn
    uniform: np.ndarray  # (K,) the policy of zero logits
    logistic: Logistic
    logits: np.ndarray  # (X, K) of the first arm's policy
    last: np.ndarray  # (2,) int64 context and second arm of the round before; -1 before the first
    score: np.ndarray  # (K,) workspace: estimated rewards

    def duel(self, t, x, first, second, rng):
        if self.last[0] >= 0:  # what the round before told is in
            s = self.last[0]
            improve(self.logistic, s, self.last[1], self.alpha, self.beta, self.score, self.logits[s])
        gibbs(self.uniform, self.logits[x], 1.0, first)
        a = categorical(rng, first)
        b = categorical(rng, self.reference[x])
        self.last[0] = x
        self.last[1] = b
        write_pair(first, second, a, b)
        return width(self.logistic, self.logistic.inverse, x, a, b) > self.gate

    def update(self, t, x, a, b, y):
        learn(self.logistic, x, a, b, y)


def appo(
    problem: Dueling,
    rounds: int,
    *,
    scale: float = 0.5,
    gate: float = 0.04,
    alpha: float = 0.2,
    lam: float = 1.0,
) -> APPO:
    """APPO: a softmax policy improved by optimistic advantages over a baseline, which queries only uncertain pairs.

    The first arm is a draw of the softmax of the context's logits, zero at first, the second of the reference. With
    V = lam I + sum z z' over the comparisons told, z the difference of features, they are compared where
    |phi_a - phi_b| > gate in the norm of V^{-1}. Then, queried or not, alpha D_j is added to the logit of each arm j of
    the context, D_j = min(2, theta' (phi_j - phi_b) + beta |phi_j - phi_b|). theta is the regularized
    maximum-likelihood estimate, projected into the known range, and beta = 2 scale sqrt(2 log T).

    Parameters
    ----------
    problem : Dueling
        Bradley-Terry, linear or tabular. Read are features, reference and the known range: `radius` with features,
        `span` without. Its regret is that of the first arm: measure ``first``.
    rounds : int
        T >= 2; enters beta.
    scale : float
        Factor > 0 of beta.
    gate : float
        Gamma >= 0, in units of the width, which is at most 2 / sqrt(lam). At 0 all pairs of two arms are queried
        whose features differ. A gap of 2 beta gate or more is told apart: 0.04 is for gaps from 0.4 on at T = 10^5.
    alpha : float
        Step > 0 of the logits.
    lam : float
        Ridge > 0.

    Returns
    -------
    APPO
        Fresh learner; a round costs O(K d^2), without features O(K^2), and fits are at most about fifteen for each
        doubling of the comparisons after two hundred (of a context's comparisons without features).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, general preferences, or a known range that is not positive.

    Notes
    -----
    Reconstructed. As recalled, the paper changes the policy in queried rounds alone and in all contexts; here every
    round changes that of its context. Whether to ask depends on the arms, while a round's two distributions are drawn
    from independently: so `duel` draws both arms from the learner's own stream and writes two point masses, and
    regret is that of the draw. The theory has gate of order kappa Delta / d with Delta the least positive gap, and with
    it regret of order d^2 / Delta and d^2 / Delta^2 queries.

    References
    ----------
    Ji, He and Gu 2024, arXiv:2402.09401, Algorithm 1.
    """
    logistic = regression(problem, "appo", lam)
    rounds = checks.integer("rounds", rounds, 2)
    scale = checks.finite("scale", scale, 0.0, closed=False)
    gate = checks.finite("gate", gate, 0.0)
    alpha = checks.finite("alpha", alpha, 0.0, closed=False)
    X, K = problem.reference.shape
    return APPO(
        alpha=alpha,
        beta=2.0 * float(wald(scale, rounds)),
        gate=gate,
        reference=problem.reference.copy(),
        uniform=np.full(K, 1.0 / K),
        logistic=logistic,
        logits=np.zeros((X, K)),
        last=np.full(2, -1, dtype=np.int64),
        score=np.zeros(K),
    )
