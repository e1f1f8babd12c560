"""Least-squares value iteration with sampled regressions: one state for RLSVI and conditional posterior sampling."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab.jit import jit
from banditlab.mdps.backup import soft_backup
from banditlab.mdps.least_squares import LeastSquares, least_squares, observe, perturb, predict, regress
from banditlab.mdps.problem import MDP
from banditlab.rng import exponential


class RLSVI(NamedTuple):
    """State of sampled least-squares value iteration; build it with `rlsvi` or `conditional_posterior_sampling`."""

    regression: LeastSquares
    start: np.ndarray  # (S,) law of the first state
    reference: np.ndarray  # (H, S, A) pi_ref
    eta: float  # inverse temperature of the backup; inf: the largest action value
    spread: np.ndarray  # (H,) standard deviation of the noise of one target
    clipped: bool  # whether action values are clipped to [0, H - h]
    candidates: int  # samples of which one is taken
    optimism: float  # a sample is taken with weight exp(optimism V_0)
    q: np.ndarray  # (S, A) workspace: action values of a stage in the sample
    sampled: np.ndarray  # (H, S, A) workspace: policy of the sample
    value: np.ndarray  # (H + 1, S) values of the sample
    first: np.ndarray  # (S,) values of first states of the sample taken

    def plan(self, k, pi, rng):
        most = -math.inf
        for _ in range(self.candidates):
            sample_backwards(self, rng)
            worth = 0.0
            for s in range(self.start.size):
                worth += self.start[s] * self.value[0, s]
            # the largest of log weight + Gumbel noise is a draw by weight
            weight = 0.0
            if self.candidates > 1:
                weight = self.optimism * worth - math.log(max(exponential(rng), 1e-300))
            if weight > most:
                most = weight
                copy_sample(self, pi)
        return True

    def update(self, h, s, a, r, s2):
        observe(self.regression, h, s, a, r, s2, 1.0)

    def estimate(self, s):
        return self.first[s]


@jit
def sample_backwards(learner, rng):
    """Draw w_h ~ N(w_h(V_{h+1}), spread^2 Lambda^{-1}) from the last stage to the first, with its policy and values."""
    H = learner.spread.size
    for h in range(H - 1, -1, -1):
        regress(learner.regression, h, learner.value[h + 1])
        perturb(learner.regression, h, learner.spread[h], rng)
        low = 0.0 if learner.clipped else -math.inf
        high = float(H - h) if learner.clipped else math.inf
        predict(learner.regression, h, 0.0, low, high, learner.q)
        soft_backup(learner.q, learner.reference[h], learner.eta, learner.sampled[h], learner.value[h])


@jit
def copy_sample(learner, pi):
    """Take the sample: its policy into `pi`, its values of first states into `first`."""
    H, S, A = pi.shape
    for s in range(S):
        learner.first[s] = learner.value[0, s]
    for h in range(H):
        for s in range(S):
            for a in range(A):
                pi[h, s, a] = learner.sampled[h, s, a]


def sampled(
    problem: MDP, spread: np.ndarray, lam: float, *, clipped: bool, candidates: int = 1, optimism: float = 0.0
) -> RLSVI:
    """A fresh learner that plans with sampled regressions; parameters as in `rlsvi`, whose noise is `spread` (H,)."""
    H, S, A = problem.reward.shape
    return RLSVI(
        regression=least_squares(problem.features, lam),
        start=problem.start.copy(),
        reference=problem.reference.copy(),
        eta=problem.eta,
        spread=spread,
        clipped=clipped,
        candidates=candidates,
        optimism=optimism,
        q=np.zeros((S, A)),
        sampled=np.zeros((H, S, A)),
        value=np.zeros((H + 1, S)),
        first=np.zeros(S),
    )
