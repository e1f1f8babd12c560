"""Superoptimistic best-response sampling: one state for matrix games and Markov games, tabular or linear.

Three recursions on the same data. The measured pair (x, y) is the equilibrium of the plain estimates; x~ is the best
response to y under estimates raised by a bonus, y~ that to x under lowered ones; x~ plays y and x plays y~.

References
----------
Nayak, Yang, Yagan, Joshi and Chi 2025, arXiv:2510.13060. Reconstructed from the abstract.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from banditlab import checks
from banditlab.games.backup import Arena, arena, column_response, equilibrium, row_response
from banditlab.games.models import model
from banditlab.games.problem import Game


class Superoptimistic(NamedTuple):
    """State of best-response sampling with bonuses; build it with `omg` or `somg`."""

    model: Any  # `Counts` or `Regressions`
    arena: Arena
    bonus: np.ndarray  # (H,) what multiplies the uncertainty
    matches: np.ndarray  # (2, 2) x~ against y, x against y~
    effort: np.ndarray  # (3,) the arena's
    value: np.ndarray  # (H + 1, S) of the plain estimates
    upper: np.ndarray  # (H + 1, S) of the raised ones
    lower: np.ndarray  # (H + 1, S) of the lowered ones
    q: np.ndarray  # (S, A, B) workspace: estimates of a stage
    above: np.ndarray  # (S, A, B) workspace: raised
    below: np.ndarray  # (S, A, B) workspace: lowered
    width: np.ndarray  # (S, A, B) workspace: uncertainty

    def plan(self, k, row, column, rng):
        if k > 1 and not self.model.due():
            return False
        self.model.settle()
        H = self.bonus.size
        S, A, B = self.q.shape
        for h in range(H - 1, -1, -1):
            left = float(H - h)
            self.model.uncertainty(h, self.width)
            self.model.predict(h, self.value[h + 1], 0.5 * left, self.q)
            self.model.predict(h, self.upper[h + 1], 2.0 * left, self.above)
            self.model.predict(h, self.lower[h + 1], -left, self.below)
            for s in range(S):
                for a in range(A):
                    for b in range(B):
                        bonus = self.bonus[h] * self.width[s, a, b]
                        self.q[s, a, b] = min(max(self.q[s, a, b], 0.0), left)
                        self.above[s, a, b] = min(self.above[s, a, b] + bonus, 2.0 * left)
                        self.below[s, a, b] = max(self.below[s, a, b] - bonus, -left)
                x = row[0, h, s]
                y = column[0, h, s]
                self.value[h, s] = equilibrium(self.arena, h, s, self.q[s], x, y)
                self.upper[h, s] = row_response(self.arena, h, s, self.above[s], y, row[1, h, s])
                self.lower[h, s] = column_response(self.arena, h, s, self.below[s], x, column[1, h, s])
        return True

    def update(self, h, s, a, b, r, s2):
        self.model.update(h, s, a, b, r, s2)


def superoptimistic(
    problem: Game, rounds: int, scale: float, superoptimism: float, delta: float, lam: float, growth: float
) -> Superoptimistic:
    """A learner without data.

    Parameters
    ----------
    problem : Game
        Read are sizes, features, references and eta.
    rounds : int
        K, in the level of the bonus.
    scale, superoptimism : float
        Factors >= 0 of the bonus.
    delta : float
        In (0, 1].
    lam : float
        Ridge >= 1e-6, of linear games.
    growth : float
        Factor >= 1.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.
    """
    H, S, A, B, d = problem.features.shape
    scale = checks.finite("scale", scale, 0.0) * checks.finite("superoptimism", superoptimism, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    rounds = checks.integer("rounds", rounds, 1)
    known = model(problem, growth, lam)
    if d:
        radius = 0.5 * math.sqrt(d * math.log(3.0 * (1.0 + 2.0 * rounds / lam) / delta)) + math.sqrt(lam * d)
    else:
        radius = math.sqrt(0.5 * math.log(2.0 * S * A * B * H * rounds / delta))
    games = arena(problem.row_reference, problem.column_reference, problem.eta)
    return Superoptimistic(
        model=known,
        arena=games,
        bonus=scale * problem.width_factor * radius * np.arange(H, 0, -1.0),
        matches=np.array([[1, 0], [0, 1]]),
        effort=games.effort,
        value=np.zeros((H + 1, S)),
        upper=np.zeros((H + 1, S)),
        lower=np.zeros((H + 1, S)),
        q=np.zeros((S, A, B)),
        above=np.zeros((S, A, B)),
        below=np.zeros((S, A, B)),
        width=np.zeros((S, A, B)),
    )
