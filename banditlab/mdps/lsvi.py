"""Optimistic least-squares value iteration: one state for its plain, its regularized and its greedy form."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.jit import jit
from banditlab.mdps.backup import soft_backup
from banditlab.mdps.least_squares import LeastSquares, least_squares, observe, predict, regress
from banditlab.mdps.problem import MDP


class LSVI(NamedTuple):
    """State of optimistic least-squares value iteration; build it with `lsvi_ucb`, `kl_lsvi_ucb` or `greedy`."""

    regression: LeastSquares
    reference: np.ndarray  # (H, S, A) pi_ref
    eta: float  # inverse temperature of the backup; inf: the largest action value
    bonus: np.ndarray  # (H,) beta_h
    doubling: float  # log det Lambda must grow by this at a stage for a new plan; 0: a plan every episode
    planned: np.ndarray  # (H,) log det Lambda - d log lam at the last plan
    q: np.ndarray  # (H, S, A) optimistic action values of the last plan
    value: np.ndarray  # (H + 1, S) its values

    def plan(self, k, pi, rng):
        if k > 1 and not grown(self.regression.gain, self.planned, self.doubling):
            return False
        H = self.q.shape[0]
        for h in range(H - 1, -1, -1):
            self.planned[h] = self.regression.gain[h]
            regress(self.regression, h, self.value[h + 1])
            predict(self.regression, h, self.bonus[h], 0.0, float(H - h), self.q[h])
            soft_backup(self.q[h], self.reference[h], self.eta, pi[h], self.value[h])
        return True

    def update(self, h, s, a, r, s2):
        observe(self.regression, h, s, a, r, s2, 1.0)

    def estimate(self, s):
        return self.value[0, s]


@jit
def grown(gain, planned, doubling):
    """Whether log det Lambda grew by `doubling` at some stage since it was `planned`."""
    for h in range(gain.size):
        if gain[h] >= planned[h] + doubling:
            return True
    return False


def optimistic(problem: MDP, eta: float, scale: float | None, lam: float, growth: float) -> LSVI:
    """A fresh learner with Q = phi' w + (H - h) scale |phi|_{Lambda^-1}, that plans as det Lambda grows by `growth`.

    Parameters
    ----------
    problem : MDP
        Read are features, reference and sizes.
    eta : float
        Of the backup.
    scale : float or None
        Width >= 0; None: 0.3 + sqrt(lam d), which covers the ridge's bias.
    lam : float
        Ridge >= 1e-6.
    growth : float
        Factor >= 1; 1 plans every episode, 2 is determinant doubling.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.
    """
    regression = least_squares(problem.features, lam)
    growth = checks.finite("growth", growth, 1.0)
    H, S, A = problem.reward.shape
    if scale is None:
        scale = 0.3 + math.sqrt(regression.lam * regression.weight.size)
    return LSVI(
        regression=regression,
        reference=problem.reference.copy(),
        eta=float(eta),
        bonus=checks.finite("scale", scale, 0.0) * np.arange(H, 0, -1.0),
        doubling=math.log(growth),
        planned=np.zeros(H),
        q=np.zeros((H, S, A)),
        value=np.zeros((H + 1, S)),
    )
