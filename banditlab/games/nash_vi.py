"""Nash-VI: optimistic value iteration with coarse correlated equilibria (Liu et al. 2021, arXiv:2010.01604)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.equilibrium import Simplex, minimax, simplex
from banditlab.games.backup import CERTIFICATE, SOLVES
from banditlab.games.models import Counts, counts
from banditlab.games.problem import Game
from banditlab.jit import jit, jit_apart


class NashVI(NamedTuple):
    """State of optimistic Nash value iteration; build it with `nash_vi`."""

    model: Counts
    bonus: np.ndarray  # (H,) what is added and taken off after one visit
    joint: np.ndarray  # (H, S, A B) correlated policy that is played, of the pairs a B + b
    effort: np.ndarray  # (3,) games solved, 0, largest gain of a deviation
    upper: np.ndarray  # (H + 1, S) optimistic values for the row player
    lower: np.ndarray  # (H + 1, S) and for the column player
    above: np.ndarray  # (S, A, B) workspace
    below: np.ndarray  # (S, A, B) workspace
    width: np.ndarray  # (S, A, B) workspace
    gain: np.ndarray  # (A + B, A B) workspace: what a deviation gains at a pair of actions
    simplex: Simplex

    def plan(self, k, row, column, rng):
        if k > 1 and not self.model.due():
            return False
        self.model.settle()
        H = self.bonus.size
        S, A, B = self.above.shape
        for h in range(H - 1, -1, -1):
            left = float(H - h)
            self.model.uncertainty(h, self.width)
            self.model.predict(h, self.upper[h + 1], left, self.above)
            self.model.predict(h, self.lower[h + 1], 0.0, self.below)
            for s in range(S):
                for a in range(A):
                    for b in range(B):
                        bonus = self.bonus[h] * self.width[s, a, b]
                        self.above[s, a, b] = min(self.above[s, a, b] + bonus, left)
                        self.below[s, a, b] = max(self.below[s, a, b] - bonus, 0.0)
                z = self.joint[h, s]
                correlate(self.above[s], self.below[s], self.gain, self.simplex, self.effort, z)
                marginals(z, row[0, h, s], column[0, h, s])
                self.upper[h, s] = 0.0
                self.lower[h, s] = 0.0
                for a in range(A):
                    for b in range(B):
                        self.upper[h, s] += z[a * B + b] * self.above[s, a, b]
                        self.lower[h, s] += z[a * B + b] * self.below[s, a, b]
        return True

    def update(self, h, s, a, b, r, s2):
        self.model.update(h, s, a, b, r, s2)


@jit_apart
def correlate(above, below, gain, work, effort, z):
    """Write a coarse correlated equilibrium z (A B) of the payoffs `above` to the row, -`below` to the column player.

    It is the optimal policy of whoever chooses the pair, in the game against an opponent who chooses a deviation of
    either player and is paid what it gains: its value is at most 0, so that no deviation gains.
    """
    A, B = above.shape
    for a in range(A):
        for b in range(B):
            for k in range(A):
                gain[k, a * B + b] = above[k, b] - above[a, b]
            for k in range(B):
                gain[A + k, a * B + b] = below[a, b] - below[a, k]
    solved = minimax(gain, work)
    for i in range(z.size):
        z[i] = work.column[i] if solved else math.nan  # which stops a run
    effort[SOLVES] += 1.0
    effort[CERTIFICATE] = max(effort[CERTIFICATE], work.status[0] + 0.5 * work.status[1])


@jit
def marginals(z, row, column):
    """Write both players' marginals of a joint policy."""
    for a in range(row.size):
        row[a] = 0.0
    for b in range(column.size):
        column[b] = 0.0
    for a in range(row.size):
        for b in range(column.size):
            row[a] += z[a * column.size + b]
            column[b] += z[a * column.size + b]


def nash_vi(problem: Game, rounds: int, *, scale: float = 0.5, delta: float = 0.1, growth: float = 1.1) -> NashVI:
    """Nash-VI: coarse correlated equilibria of optimistic values for both players, without KL.

    Backwards, Q+ = r_hat + P_hat V+ + b and Q- = r_hat + P_hat V- - b, in [0, H - h]; z is a coarse correlated
    equilibrium of (Q+, Q-) in every state and V+ = E_z Q+, V- = E_z Q-. An episode plays z; the marginals of z are
    measured. After n visits b = scale (H - h) sqrt(L / (2 n)), L = log(2 S A B H K / delta), times
    `Game.width_factor`.

    Parameters
    ----------
    problem : Game
        Of any kind; features are not used. Its eta is that of the measure alone.
    rounds : int
        K, in the level of the bonus.
    scale : float
        Practical width >= 0. See `somg` for what happens where it is too small.
    delta : float
        In (0, 1].
    growth : float
        Plans are made anew when some visits have grown by this factor >= 1; 1: every episode.

    Returns
    -------
    NashVI
        Fresh learner; a plan costs O(H S^2 A B) and H S programs of A + B rows and A B columns.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    The bonus is practical; the paper's has a further term of order H^2 S L / n. At eta = inf, and where
    |r_hat + P_hat V - r - P V| <= b at V = V+ and V-, the duality gap of the marginals is at most V+ - V- at the first
    state. Regret is of order sqrt(H^3 S A B K H). The paper's output, the marginals of the episode whose bracket
    V+ - V- is the smallest, is not kept: the policies of every episode are measured.

    References
    ----------
    Liu, Yu, Bai and Jin 2021, ICML, arXiv:2010.01604 (Nash-VI).
    """
    H, S, A, B = problem.reward.shape
    scale = checks.finite("scale", scale, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    rounds = checks.integer("rounds", rounds, 1)
    level = math.log(2.0 * S * A * B * H * rounds / delta)
    return NashVI(
        model=counts(problem, growth),
        bonus=scale * problem.width_factor * math.sqrt(0.5 * level) * np.arange(H, 0, -1.0),
        joint=np.full((H, S, A * B), 1.0 / (A * B)),
        effort=np.zeros(3),
        upper=np.zeros((H + 1, S)),
        lower=np.zeros((H + 1, S)),
        above=np.zeros((S, A, B)),
        below=np.zeros((S, A, B)),
        width=np.zeros((S, A, B)),
        gain=np.zeros((A + B, A * B)),
        simplex=simplex(A + B, A * B),
    )
