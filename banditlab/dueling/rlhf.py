"""Online RLHF with Bradley-Terry feedback: one state and one round for the schemes that differ in what they compare.

Rewards are estimated by regularized maximum likelihood, projected into the range known of them, and the main policy pi
is the Gibbs policy of the estimate. A scheme is the pair of policies from which the two arms of a round are drawn.

References
----------
Xiong et al. 2024, ICML, arXiv:2312.11456; Zhao, Ye, Gu and Zhang 2025, NeurIPS, arXiv:2411.04625. Reconstructed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.dueling.loop import write_pair
from banditlab.dueling.problem import Dueling
from banditlab.jit import jit, jit_apart
from banditlab.preference import Logistic, learn, maximum_likelihood, rewards, width, widths
from banditlab.regression import dot
from banditlab.regularizer import gibbs, log_partition
from banditlab.rng import categorical

SELF, REFERENCE, UNCERTAIN, EXPLORING, FROZEN = 0, 1, 2, 3, 4
"""What the second arm is drawn from: pi, the reference, the arm most uncertain beside the first (`rival`), the rival
policy (`explore`); or both arms from pi_0, the policy at the end of the first stage."""

SWEEPS = 3
"""Local improvements of the rival policy from each arm as a start."""

REACH = 1e12
"""Range in which the strength of a tilt is sought: a factor."""

BISECTIONS = 28
"""Halvings of the logarithm of that range: to a relative 1e-7."""


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
def write(pi, out):
    """Copy a distribution."""
    for a in range(pi.size):
        out[a] = pi[a]


@jit
def plug_in(logistic, reference, eta, x, score, pi):
    """Write the Gibbs policy of the predicted rewards of context x, which are left in `score` (K,)."""
    rewards(logistic, x, score)
    gibbs(reference[x], score, eta, pi)


@jit
def rival(logistic, log_reference, eta, wide, x, a, score):
    """The arm most uncertain against a among those that may come within 1 / eta of it; a itself where none may.

    `score` (K,) are the predicted rewards, which `wide` standard errors are added to. Of several the lowest.
    """
    chosen = a
    widest = 0.0
    least = score[a] + (log_reference[x, a] - 1.0) / eta
    for b in range(score.size):
        w = width(logistic, logistic.covariance, x, a, b)
        if w > widest and score[b] + log_reference[x, b] / eta + wide * w >= least:
            chosen = b
            widest = w
    return chosen


@jit
def distance(pair, p, q, along):
    """|E_p phi - E_q phi| in the norm of which `pair` (K, K) are the distances of arms.

    Left in `along` (K,) is the gradient of the square by p.
    """
    total = 0.0
    for a in range(p.size):
        along[a] = 0.0
        for b in range(p.size):
            along[a] -= (p[b] - q[b]) * pair[a, b] * pair[a, b]
        total += (p[a] - q[a]) * along[a]
    return math.sqrt(max(0.5 * total, 0.0))


@jit
def tilt(reference, score, eta, level, w, s, tilted, p):
    """Write p, the Gibbs policy of score + s w with max w = 0; returns KL(p || Gibbs policy of score) / eta.

    `level` is the log-partition of `score`; `tilted` (K,) is a workspace.
    """
    for a in range(p.size):
        tilted[a] = score[a] + s * w[a]
    gibbs(reference, tilted, eta, p)
    return s * dot(p, w) + level - log_partition(reference, tilted, eta)


@jit_apart
def explore(reference, score, eta, scale, pair, pi, out, work):
    """Write the rival policy p (K,): largest |p - pi| under KL(p || pi) / eta <= scale |p - pi|; returns |p - pi|.

    |p - pi| stands for `distance(pair, p, pi)`, and pi is the Gibbs policy of `score`. Where w is its gradient at some
    p, the largest p' w at a given divergence is a `tilt` by s w. All s <= scale keep the constraint, the largest is
    sought up to `REACH` times as much, and the gradient is taken anew there, `SWEEPS` times: since |p - pi| is convex,
    no sweep lowers it. Of the starts, every arm, the best is kept; pi itself where there is nothing to explore. `work`
    is (4, K).
    """
    K = pi.size
    w, tilted, p, spare = work[0], work[1], work[2], work[3]
    level = log_partition(reference, score, eta)
    best = 0.0
    write(pi, out)
    for start in range(K):
        for a in range(K):
            p[a] = 1.0 if a == start else 0.0
        length = distance(pair, p, pi, w)
        for _ in range(SWEEPS):
            if length <= 0.0:
                break
            top = w[0]
            for a in range(K):
                top = max(top, w[a])
            for a in range(K):
                w[a] = 0.5 * (w[a] - top) / length
            low = scale
            high = REACH * scale
            s = high
            for _ in range(BISECTIONS):
                if tilt(reference, score, eta, level, w, s, tilted, p) <= scale * distance(pair, p, pi, spare):
                    low = s
                else:
                    high = s
                if low == high:
                    break
                s = math.sqrt(low * high)
            tilt(reference, score, eta, level, w, low, tilted, p)
            length = distance(pair, p, pi, w)
        if length > best:
            best = length
            write(p, out)
    return best


class RLHF(NamedTuple):
    """State of an online RLHF scheme; build it with `rlhf_greedy` or a sister."""

    scheme: int  # `SELF` to `FROZEN`
    eta: float  # inverse temperature
    reference: np.ndarray  # (X, K) pi_ref
    log_reference: np.ndarray  # (X, K) its logarithm
    logistic: Logistic
    scale: float  # UNCERTAIN: standard errors; EXPLORING: beta of the constraint
    stage: int  # rounds, the first of all, in which both arms are draws of `kept`
    kept: np.ndarray  # (X, K) policy of the first stage; then EXPLORING: rival policies, FROZEN: pi_0
    due: np.ndarray  # (X,) int64 when the next fit was due at the computation of a context's rival policy
    changed: np.ndarray  # (1,) 1 where the estimate changed since `refresh` last looked
    score: np.ndarray  # (K,) workspace: predicted rewards
    pair: np.ndarray  # (K, K) workspace: distances of arms
    work: np.ndarray  # (4, K) workspace

    def policy(self, x, pi):
        plug_in(self.logistic, self.reference, self.eta, x, self.score, pi)

    def refresh(self, t):
        changed = self.changed[0] > 0.0
        self.changed[0] = 0.0
        return changed

    def duel(self, t, x, first, second, rng):
        if self.scheme == FROZEN and t == self.stage + 1:
            for c in range(self.due.size):
                plug_in(self.logistic, self.reference, self.eta, c, self.score, self.kept[c])
        if self.scheme == FROZEN or t <= self.stage:
            write(self.kept[x], first)
            write(self.kept[x], second)
            return True
        plug_in(self.logistic, self.reference, self.eta, x, self.score, first)
        if self.scheme == SELF:
            write(first, second)
        elif self.scheme == REFERENCE:
            write(self.reference[x], second)
        elif self.scheme == EXPLORING:
            due = self.logistic.due[x if self.logistic.tabular else 0]
            if due != self.due[x]:  # there was a fit since
                self.due[x] = due
                widths(self.logistic, self.logistic.inverse, x, self.pair)
                explore(self.reference[x], self.score, self.eta, self.scale, self.pair, first, self.kept[x], self.work)
            write(self.kept[x], second)
        else:
            a = categorical(rng, first)
            b = rival(self.logistic, self.log_reference, self.eta, self.scale, x, a, self.score)
            write_pair(first, second, a, b)
        return True

    def update(self, t, x, a, b, y):
        if learn(self.logistic, x, a, b, y):
            self.changed[0] = 1.0


def fresh(
    problem: Dueling,
    algorithm: str,
    scheme: int,
    lam: float | None,
    *,
    projected: bool = True,
    scale: float = 0.0,
    stage: int = 0,
    source: np.ndarray | None = None,
) -> RLHF:
    """The state of a scheme before its first round.

    Parameters
    ----------
    problem : Dueling
        Read are features, reference, eta, span and radius.
    algorithm : str
        Who asks, for messages.
    scheme : int
        `SELF` to `FROZEN`.
    lam, projected
        As in `regression`.
    scale : float
        Standard errors of `UNCERTAIN`, beta of `EXPLORING`.
    stage : int
        Rounds >= 0 of the first stage.
    source : (X, K) array, optional
        Its policy; the reference unless given.

    Raises
    ------
    ValueError, TypeError
        As `regression`.
    """
    logistic = regression(problem, algorithm, lam, projected=projected)
    reference = problem.reference.copy()
    X, K = reference.shape
    return RLHF(
        scheme=scheme,
        eta=problem.eta,
        reference=reference,
        log_reference=np.log(reference),
        logistic=logistic,
        scale=scale,
        stage=stage,
        kept=(problem.reference if source is None else source).copy(),
        due=np.zeros(X, dtype=np.int64),
        changed=np.zeros(1),
        score=np.zeros(K),
        pair=np.zeros((K, K)),
        work=np.zeros((4, K)),
    )
