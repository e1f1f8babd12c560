"""Self-play posterior sampling: main agents solve sampled games, exploiters answer them (arXiv:2210.01907)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from banditlab import checks
from banditlab.games.backup import Arena, arena, column_response, equilibrium, row_response
from banditlab.games.models import model
from banditlab.games.problem import Game


class SelfPlay(NamedTuple):
    """State of self-play posterior sampling; build it with `self_play_posterior_sampling`."""

    model: Any  # `Counts` or `Regressions`
    arena: Arena
    spread: float  # multiplies the posterior's standard deviation
    matches: np.ndarray  # (2, 2) the row player's exploiter against y, x against the column player's exploiter
    effort: np.ndarray  # (3,) the arena's
    row_value: np.ndarray  # (H + 1, S) of the game drawn by the row player's main agent
    column_value: np.ndarray  # (H + 1, S) of that drawn by the column player's
    upper: np.ndarray  # (H + 1, S) of the game drawn by the exploiter of y
    lower: np.ndarray  # (H + 1, S) of that drawn by the exploiter of x
    q: np.ndarray  # (S, A, B) workspace: action values drawn
    row: np.ndarray  # (A,) workspace
    column: np.ndarray  # (B,) workspace

    def plan(self, k, row, column, rng):
        H = self.row_value.shape[0] - 1
        for h in range(H - 1, -1, -1):
            self.model.draw(h, self.row_value[h + 1], self.spread, rng, self.q)
            for s in range(self.q.shape[0]):
                self.row_value[h, s] = equilibrium(self.arena, h, s, self.q[s], row[0, h, s], self.column)
            self.model.draw(h, self.column_value[h + 1], self.spread, rng, self.q)
            for s in range(self.q.shape[0]):
                self.column_value[h, s] = equilibrium(self.arena, h, s, self.q[s], self.row, column[0, h, s])
            self.model.draw(h, self.upper[h + 1], self.spread, rng, self.q)
            for s in range(self.q.shape[0]):
                self.upper[h, s] = row_response(self.arena, h, s, self.q[s], column[0, h, s], row[1, h, s])
            self.model.draw(h, self.lower[h + 1], self.spread, rng, self.q)
            for s in range(self.q.shape[0]):
                self.lower[h, s] = column_response(self.arena, h, s, self.q[s], row[0, h, s], column[1, h, s])
        return True

    def update(self, h, s, a, b, r, s2):
        self.model.update(h, s, a, b, r, s2)


def self_play_posterior_sampling(problem: Game, rounds: int, *, spread: float = 1.0, lam: float = 1.0) -> SelfPlay:
    """Self-play posterior sampling: equilibria of sampled games, each played against an exploiter's best response.

    Every episode four independent draws: the row player's main agent plays the equilibrium policy x of its draw, the
    column player's y of its own; an exploiter of y answers with the best response in its draw, an exploiter of x
    likewise. Two episodes are played, exploiter against y and x against exploiter, and the pair (x, y) is measured.
    Without features rewards are drawn from N((sum + 1/2) / (n + 1), spread^2 / (4 (n + 1))) and next-state laws from
    Dirichlet((n(s') + 1 / S) / spread^2); with features w from N(w_hat, spread^2 (H - h)^2 / 4 Lambda^{-1}).

    Parameters
    ----------
    problem : Game
        Linear, or tabular. At finite eta equilibria and responses are the regularized ones.
    rounds : int
        Unused: the rule is anytime.
    spread : float
        kappa > 0; it is multiplied by `Game.width_factor`.
    lam : float
        Ridge >= 1e-6, where the game has features.

    Returns
    -------
    SelfPlay
        Fresh learner; a round costs 2 H S equilibria and 4 H S A B draws.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    The posterior's optimistic factor and its conditioning on Bellman losses are left out. The paper's
    one-sided regret is O(d^{3/2} H^2 sqrt(T)) in linear games; the measured gap is the sum of both sides.

    References
    ----------
    Xiong, Zhong, Shi, Shen and Zhang 2022, ICML, arXiv:2210.01907. Reconstructed.
    """
    checks.integer("rounds", rounds, 1)
    H, S, A, B = problem.reward.shape
    games = arena(problem.row_reference, problem.column_reference, problem.eta)
    return SelfPlay(
        model=model(problem, 1.0, lam),
        arena=games,
        spread=problem.width_factor * checks.finite("spread", spread, 0.0, closed=False),
        matches=np.array([[1, 0], [0, 1]]),
        effort=games.effort,
        row_value=np.zeros((H + 1, S)),
        column_value=np.zeros((H + 1, S)),
        upper=np.zeros((H + 1, S)),
        lower=np.zeros((H + 1, S)),
        q=np.zeros((S, A, B)),
        row=np.zeros(A),
        column=np.zeros(B),
    )
