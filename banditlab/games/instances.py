"""Named instances of Markov games: random ones, with mixed equilibria, and those hard to cover.

Random instances draw from ``np.random.default_rng(seed)``, so an instance is a function of its arguments.
"""

from __future__ import annotations

import math

import numpy as np

from banditlab import checks
from banditlab.games.problem import Game, linear, matrix, tabular

COVERS = ("all", "unilateral", "nash")
"""Which cells offline data cover: all, those of one player's deviations from the equilibrium, or the equilibrium's."""


def random_tabular(
    states: int = 3,
    row_actions: int = 2,
    column_actions: int = 2,
    horizon: int = 3,
    *,
    seed: int = 0,
    eta: float,
) -> Game:
    """A random tabular Markov game: next-state laws Dirichlet(1/2), rewards uniform in [0, 1], at every stage.

    Its matrix games often have pure equilibria, those of `mixed_core` hardly ever.

    Parameters
    ----------
    states, row_actions, column_actions, horizon : int
        S, A, B, H >= 1.
    seed : int
        Of the instance.
    eta : float
        Inverse temperature > 0; ``inf`` means unregularized.

    References
    ----------
    This package's.
    """
    H, S, A, B = _sizes(horizon, states, row_actions, column_actions)
    g = np.random.default_rng(checks.integer("seed", seed, 0))
    return tabular(g.dirichlet(np.full(S, 0.5), size=(H, S, A, B)), g.random((H, S, A, B)), eta=eta)


def mixed_core(states: int = 3, horizon: int = 3, *, seed: int = 0, eta: float) -> Game:
    """A Markov game of two actions each whose rewards have a mixed equilibrium in every state and stage.

    Rewards are .3 U + [[.6, q], [q, .6]] with U uniform in [0, 1]^{2 x 2} and q in [0, .3], next-state laws
    Dirichlet(1/2). So has the game itself at the last stage, and almost always before. At a pure equilibrium regret
    without KL would be bounded, and hide its growth like sqrt(K).

    Parameters
    ----------
    states, horizon : int
        S, H >= 1.
    seed, eta
        As in `random_tabular`.

    References
    ----------
    This package's.
    """
    H, S, A, B = _sizes(horizon, states, 2, 2)
    g = np.random.default_rng(checks.integer("seed", seed, 0))
    P = g.dirichlet(np.full(S, 0.5), size=(H, S, A, B))
    off = 0.3 * g.random((H, S))
    core = np.full((H, S, A, B), 0.6)
    core[..., 0, 1] = core[..., 1, 0] = off
    return tabular(P, 0.3 * g.random((H, S, A, B)) + core, eta=eta)


def random_linear(
    states: int = 4,
    row_actions: int = 3,
    column_actions: int = 3,
    horizon: int = 3,
    dim: int = 4,
    *,
    seed: int = 0,
    eta: float,
) -> Game:
    """A random linear Markov game: features on the simplex, random measures and rewards.

    Features are Dirichlet(.3), the same at all stages, next-state measures Dirichlet(1/2), theta_h uniform in [0, 1]^d.

    Parameters
    ----------
    states, row_actions, column_actions, horizon, dim : int
        S, A, B, H, d >= 1.
    seed, eta
        As in `random_tabular`.

    References
    ----------
    Xie, Chen, Wang and Yang 2020, COLT, arXiv:2002.07066, for the class; the law of the instance is this package's.
    """
    H, S, A, B = _sizes(horizon, states, row_actions, column_actions)
    d = checks.integer("dim", dim, 1)
    g = np.random.default_rng(checks.integer("seed", seed, 0))
    phi = g.dirichlet(np.full(d, 0.3), size=(S, A, B))
    mu = g.dirichlet(np.full(S, 0.5), size=(H, d))
    theta = g.random((H, d))
    P = np.einsum("sabi,hit->hsabt", phi, mu)
    return linear(phi, P / P.sum(axis=-1, keepdims=True), np.einsum("sabi,hi->hsab", phi, theta), eta=eta)


def turn_based(states: int = 4, actions: int = 3, horizon: int = 3, *, seed: int = 0, eta: float) -> Game:
    """A random turn-based game: in every state one player moves, and what the other does changes nothing.

    Who moves is drawn for each state and stage; laws as of `random_tabular`.

    Parameters
    ----------
    states, actions, horizon : int
        S, A = B, H >= 1.
    seed, eta
        As in `random_tabular`.

    References
    ----------
    Shapley 1953 allows it; the law of the instance is this package's.
    """
    H, S, A, B = _sizes(horizon, states, actions, actions)
    g = np.random.default_rng(checks.integer("seed", seed, 0))
    P, r = g.dirichlet(np.full(S, 0.5), size=(H, S, A)), g.random((H, S, A))
    row_moves = g.random((H, S)) < 0.5
    by_row = np.repeat(P[:, :, :, None], B, axis=3), np.repeat(r[:, :, :, None], B, axis=3)
    by_column = np.repeat(P[:, :, None], A, axis=2), np.repeat(r[:, :, None], A, axis=2)
    P = np.where(row_moves[:, :, None, None, None], by_row[0], by_column[0])
    return tabular(P, np.where(row_moves[:, :, None, None], by_row[1], by_column[1]), eta=eta)


def mixed_matrix(*, noise: str = "bernoulli", eta: float) -> Game:
    """A 3 x 3 matrix game with bandit feedback whose equilibrium without KL mixes all actions.

    The payoffs are [[.5, .8, .1], [.2, .5, .9], [.9, .1, .5]].

    Parameters
    ----------
    noise : {"bernoulli", "gaussian", "none"}
        Law of a payoff given its mean; Gaussian ones have standard deviation 1/2.
    eta : float
        Inverse temperature > 0; ``inf`` means unregularized.

    References
    ----------
    This package's.
    """
    return matrix([[0.5, 0.8, 0.1], [0.2, 0.5, 0.9], [0.9, 0.1, 0.5]], eta=eta, noise=noise)


def hard_pair(which: int = 0, *, cover: str = "nash", eta: float = math.inf) -> Game:
    """One of two matrix games that agree on the cells of their equilibria, and that no data there tell apart.

    G_0 = [[1/2, 1], [0, 1/2]] has the equilibrium (1, 1), G_1 = [[1/2, 0], [1, 1/2]] has (2, 2). For all policies
    gap_0(x, y) + gap_1(x, y) = 1 without KL: on data of the diagonal any algorithm has a gap of 1/2 at least on one.

    Parameters
    ----------
    which : int
        0 or 1.
    cover : {"nash", "unilateral", "all"}
        Cells that the data cover evenly: the diagonal, the row and column of the equilibrium, or all.
    eta : float
        Inverse temperature > 0; ``inf`` means unregularized.

    References
    ----------
    Cui and Du 2022, NeurIPS, arXiv:2201.03522 (unilateral coverage is needed); the pair is derived for this package.
    """
    which = checks.integer("which", which, 0, 1)
    cells = {"all": np.ones((2, 2)), "nash": np.eye(2), "unilateral": np.ones((2, 2))}[
        checks.known("cover", cover, COVERS)
    ].copy()
    if cover == "unilateral":
        cells[1 - which, 1 - which] = 0.0
    payoff = [[[0.5, 1.0], [0.0, 0.5]], [[0.5, 0.0], [1.0, 0.5]]][which]
    return matrix(payoff, behaviour=cells / cells.sum(), eta=eta)


def trap(*, cover: str = "unilateral", eta: float = math.inf) -> Game:
    """Matching pennies with a third action that is never worth it: [[.8, .2, .9], [.2, .8, .9], [.1, .1, .5]].

    The equilibrium without KL is (1/2, 1/2, 0) for both players, the value 1/2.

    Parameters
    ----------
    cover : {"unilateral", "nash", "all"}
        Cells that the data cover evenly: all but (3, 3), the four of the equilibrium, or all.
    eta : float
        Inverse temperature > 0; ``inf`` means unregularized.

    References
    ----------
    Cui and Du 2022, NeurIPS, arXiv:2201.03522, for the condition; the instance is this package's.
    """
    cells = np.ones((3, 3))
    if checks.known("cover", cover, COVERS) == "unilateral":
        cells[2, 2] = 0.0
    elif cover == "nash":
        cells[2] = 0.0
        cells[:, 2] = 0.0
    payoff = [[0.8, 0.2, 0.9], [0.2, 0.8, 0.9], [0.1, 0.1, 0.5]]
    return matrix(payoff, behaviour=cells / cells.sum(), eta=eta)


def _sizes(horizon: int, states: int, row_actions: int, column_actions: int) -> tuple[int, int, int, int]:
    """H, S, A, B, checked."""
    return (
        checks.integer("horizon", horizon, 1),
        checks.integer("states", states, 1),
        checks.integer("row_actions", row_actions, 1),
        checks.integer("column_actions", column_actions, 1),
    )
