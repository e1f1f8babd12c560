"""What a learner knows of a Markov game: counts of a tabular one, regressions of a linear one, under the same verbs.

- `update(h, s, a, b, r, s2)` takes in a transition.
- `predict(h, value, unseen, q)` writes estimates of r + P V for all (s, a, b), `unseen` where there are no data.
- `uncertainty(h, width)` writes 1 / sqrt(n), 0 where there are no data, or |phi| in the norm of Lambda^{-1}.
- `draw(h, value, spread, rng, q)` writes a draw of r + P V from the posterior.
- `due()`: whether the data have grown enough for a new plan since the last `settle()`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.games.problem import Game
from banditlab.jit import jit_apart
from banditlab.mdps.least_squares import LeastSquares, least_squares, observe, perturb, regress
from banditlab.mdps.lsvi import grown
from banditlab.regression import dot
from banditlab.rng import gamma, normal


class Counts(NamedTuple):
    """Visits, transitions and rewards of every (h, s, a, b)."""

    visits: np.ndarray  # (H, S, A, B) n
    moves: np.ndarray  # (H, S, A, B, S) transitions
    rewards: np.ndarray  # (H, S, A, B) sums of rewards
    growth: float  # a plan is due when some n has grown by this factor
    planned: np.ndarray  # (H, S, A, B) n at the last plan
    stale: np.ndarray  # (1,) 1 where a plan is due

    def update(self, h, s, a, b, r, s2):
        self.visits[h, s, a, b] += 1.0
        self.moves[h, s, a, b, s2] += 1.0
        self.rewards[h, s, a, b] += r
        if self.visits[h, s, a, b] >= self.growth * self.planned[h, s, a, b]:
            self.stale[0] = 1.0

    def due(self):
        return self.stale[0] > 0.0

    def settle(self):
        self.stale[0] = 0.0
        H, S, A, B = self.visits.shape
        for h in range(H):
            for s in range(S):
                for a in range(A):
                    for b in range(B):
                        self.planned[h, s, a, b] = self.visits[h, s, a, b]

    def predict(self, h, value, unseen, q):
        for s in range(q.shape[0]):
            for a in range(q.shape[1]):
                for b in range(q.shape[2]):
                    n = self.visits[h, s, a, b]
                    total = self.rewards[h, s, a, b]
                    for s2 in range(value.size):
                        total += self.moves[h, s, a, b, s2] * value[s2]
                    q[s, a, b] = total / n if n > 0.0 else unseen

    def uncertainty(self, h, width):
        for s in range(width.shape[0]):
            for a in range(width.shape[1]):
                for b in range(width.shape[2]):
                    n = self.visits[h, s, a, b]
                    width[s, a, b] = 1.0 / math.sqrt(n) if n > 0.0 else 0.0

    def draw(self, h, value, spread, rng, q):
        draw_counts(self, h, value, spread, rng, q)


@jit_apart
def draw_counts(model, h, value, spread, rng, q):
    """Write draws of r + P V: a reward N((sum + 1/2) / (n + 1), spread^2 / (4 (n + 1))), next states Dirichlet.

    The Dirichlet's parameters are (n(s') + 1 / S) / spread^2.
    """
    S = value.size
    last = h == model.visits.shape[0] - 1  # no next state is worth anything
    for s in range(q.shape[0]):
        for a in range(q.shape[1]):
            for b in range(q.shape[2]):
                n = model.visits[h, s, a, b] + 1.0
                mean = (model.rewards[h, s, a, b] + 0.5) / n
                q[s, a, b] = mean + 0.5 * spread / math.sqrt(n) * normal(rng)
                if last:
                    continue
                mass = 0.0
                total = 0.0
                for s2 in range(S):
                    g = gamma(rng, (model.moves[h, s, a, b, s2] + 1.0 / S) / (spread * spread))
                    mass += g
                    total += g * value[s2]
                if mass > 0.0:
                    q[s, a, b] += total / mass


class Regressions(NamedTuple):
    """Ridge regressions of the stages, whose actions are the pairs a B + b."""

    regression: LeastSquares  # features (H, S, A B, d)
    columns: int  # B
    doubling: float  # log det Lambda must grow by this at a stage for a new plan
    planned: np.ndarray  # (H,) log det Lambda - d log lam at the last plan

    def update(self, h, s, a, b, r, s2):
        observe(self.regression, h, s, a * self.columns + b, r, s2, 1.0)

    def due(self):
        return grown(self.regression.gain, self.planned, self.doubling)

    def settle(self):
        for h in range(self.planned.size):
            self.planned[h] = self.regression.gain[h]

    def predict(self, h, value, unseen, q):
        regress(self.regression, h, value)
        predict_pairs(self.regression, h, q)

    def uncertainty(self, h, width):
        for s in range(width.shape[0]):
            for a in range(width.shape[1]):
                for b in range(width.shape[2]):
                    squared = self.regression.width[h, s, a * self.columns + b]
                    width[s, a, b] = math.sqrt(max(squared, 0.0))

    def draw(self, h, value, spread, rng, q):
        regress(self.regression, h, value)
        perturb(self.regression, h, 0.5 * spread * (self.planned.size - h), rng)
        predict_pairs(self.regression, h, q)


@jit_apart
def predict_pairs(regression, h, q):
    """Write phi' w for all (s, a, b)."""
    for s in range(q.shape[0]):
        for a in range(q.shape[1]):
            for b in range(q.shape[2]):
                q[s, a, b] = dot(regression.features[h, s, a * q.shape[2] + b], regression.weight)


def counts(problem: Game, growth: float) -> Counts:
    """No data of a tabular game.

    Parameters
    ----------
    problem : Game
    growth : float
        Factor >= 1 by which some count must grow for a new plan; 1: every round.

    Raises
    ------
    ValueError, TypeError
        In one line, for a growth out of range.
    """
    shape = problem.reward.shape
    return Counts(
        visits=np.zeros(shape),
        moves=np.zeros(problem.transition.shape),
        rewards=np.zeros(shape),
        growth=checks.finite("growth", growth, 1.0),
        planned=np.zeros(shape),
        stale=np.zeros(1),
    )


def model(problem: Game, growth: float, lam: float) -> Counts | Regressions:
    """No data of a game: counts, or regressions where it has features.

    Parameters
    ----------
    problem : Game
        Read are sizes and features.
    growth : float
        Factor >= 1 by which some count, or the determinant of Lambda at a stage, must grow for a new plan.
    lam : float
        Ridge >= 1e-6.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.
    """
    H, S, A, B, d = problem.features.shape
    lam = checks.finite("lam", lam, 0.0)
    if d == 0:
        return counts(problem, growth)
    return Regressions(
        regression=least_squares(problem.features.reshape(H, S, A * B, d), lam),
        columns=B,
        doubling=math.log(checks.finite("growth", growth, 1.0)),
        planned=np.zeros(H),
    )
