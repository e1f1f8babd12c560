"""Offline plays of a Markov game as counts, and what is known of the problem; the argument of offline algorithms."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.games.backup import arena, solve_stage
from banditlab.mdps.episodes import Episodes


class GameFit(NamedTuple):
    """Value iteration on offline plays."""

    row: np.ndarray  # (H, S, A) equilibrium policies of q
    column: np.ndarray  # (H, S, B)
    value: np.ndarray  # (H + 1, S) estimated values
    q: np.ndarray  # (H, S, A, B) estimated action values, clipped


class Plays(NamedTuple):
    """Transitions that a joint behaviour policy collected; made by `Game.dataset`."""

    moves: np.ndarray  # (H, S, A, B, S) transitions, in [h, s, a, b, s']
    total: np.ndarray  # (H, S, A, B) sums of their rewards
    features: np.ndarray  # (H, S, A, B, d); d = 0 where there is no linear structure
    row_reference: np.ndarray  # (H, S, A) x_ref
    column_reference: np.ndarray  # (H, S, B) y_ref
    eta: float  # inverse temperature, inf: unregularized
    start: np.ndarray  # (S,) law of the first state
    width_factor: float  # what widths for rewards in [0, 1] are multiplied by: `Game.width_factor`

    @property
    def samples(self) -> int:
        """Number n of episodes."""
        return int(self.moves[0].sum())

    def pairs(self) -> Episodes:
        """The same transitions as an MDP's whose actions are the pairs (a, b), numbered a B + b."""
        H, S, A, B = self.total.shape
        moves, total = self.moves.reshape(H, S, A * B, S), self.total.reshape(H, S, A * B)
        return Episodes(
            moves=np.stack([moves, np.zeros_like(moves)]),
            total=np.stack([total, np.zeros_like(total)]),
            features=self.features.reshape(H, S, A * B, -1) if self.features.size else np.zeros((H, S, A * B, 0)),
            reference=np.full((H, S, A * B), 1.0 / (A * B)),
            eta=self.eta,
            start=self.start,
        )

    def widths(self, lam: float) -> np.ndarray:
        """(H, S, A, B) |phi| in the norm of Lambda_h^{-1}; without features 1 / sqrt(n), inf where nothing was seen."""
        H, S, A, B, d = self.features.shape
        if d == 0:
            with np.errstate(divide="ignore"):
                return 1.0 / np.sqrt(self.moves.sum(axis=-1))
        pairs = self.pairs()
        phi, precision = pairs.basis(), pairs.precision(lam)
        squared = np.stack([(phi[h] * np.linalg.solve(precision[h], phi[h].T).T).sum(axis=1) for h in range(H)])
        return np.sqrt(np.maximum(squared, 0.0)).reshape(H, S, A, B)

    def iterate(self, bonus: np.ndarray, *, unseen: float, lam: float) -> GameFit:
        """Value iteration with Q_h = r_hat + P_hat V_{h+1} + bonus, in [0, H - h], and the equilibria of Q_h.

        Parameters
        ----------
        bonus : (H, S, A, B) array
            What is added, of either sign.
        unseen : float
            In [0, 1]: in place of estimates, as a share of H - h, where no transition was seen; not with features,
            where the regression of r + V on them stands for the means.
        lam : float
            Ridge of the regression.

        Raises
        ------
        RuntimeError
            Where a matrix game could not be solved.
        """
        unseen = checks.finite("unseen", unseen, 0.0, 1.0)
        H, S, A, B, d = self.features.shape
        counts = self.moves.sum(axis=-1)
        games = arena(self.row_reference, self.column_reference, self.eta)
        row, column = np.empty((H, S, A)), np.empty((H, S, B))
        value, q = np.zeros((H + 1, S)), np.empty((H, S, A, B))
        pairs = self.pairs()
        precision = pairs.precision(lam) if d else None
        for h in range(H - 1, -1, -1):
            target = self.total[h] + self.moves[h] @ value[h + 1]
            if precision is not None:
                mean = pairs.regress(h, precision[h], target.reshape(S, A * B)).reshape(S, A, B)
                q[h] = np.clip(mean + bonus[h], 0.0, H - h)
            else:
                mean = target / np.maximum(counts[h], 1.0)
                seen = np.clip(mean + np.where(counts[h] > 0.0, bonus[h], 0.0), 0.0, H - h)
                q[h] = np.where(counts[h] > 0.0, seen, unseen * (H - h))
            solve_stage(games, h, q[h], row[h], column[h], value[h])
        return GameFit(row, column, value, q)


def game_widths(dataset: Plays, scale: float, delta: float, lam: float) -> np.ndarray:
    """(H, S, A, B) half-widths of confidence intervals for r + P V at a fixed V with values in [0, H - h - 1].

    Without features scale (H - h) sqrt(log(2 H S A B / delta) / (2 n)), else scale (H - h) sqrt(log(2 d H / delta))
    times |phi| in the norm of Lambda^{-1}; both times `Game.width_factor`; inf without data.

    Parameters
    ----------
    dataset : Plays
    scale : float
        At least 0.
    delta : float
        In (0, 1].
    lam : float
        Ridge > 0.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.
    """
    scale = dataset.width_factor * checks.finite("scale", scale, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    lam = checks.finite("lam", lam, 0.0, closed=False)
    H, S, A, B, d = dataset.features.shape
    level = math.log(2.0 * d * H / delta) if d else 0.5 * math.log(2.0 * H * S * A * B / delta)
    left = np.arange(H, 0, -1.0)[:, None, None, None]
    width = dataset.widths(lam)
    return np.where(np.isinf(width), math.inf, scale * math.sqrt(level) * left * np.where(np.isinf(width), 0.0, width))
