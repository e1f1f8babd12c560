"""Fixtures of the games' tests: random instances of every field, random policies, plays and plans of a learner."""

import math

import numpy as np
import pytest

from banditlab.games.problem import tabular
from banditlab.jit import jit


@jit
def plan_once(learner, k, row, column, rng):
    return learner.plan(k, row, column, rng)


@pytest.fixture(scope="session")
def planned():
    """The plan that a learner makes now: its policies (M, H, S, A) and (M, H, S, B)."""

    def planned(problem, learner):
        H, S, A, B = problem.reward.shape
        M = 1 + int(getattr(learner, "matches", np.zeros((1, 2))).max())
        row, column = np.zeros((M, H, S, A)), np.zeros((M, H, S, B))
        plan_once(learner, 1, row, column, np.zeros(4, np.uint64))
        return row, column

    return planned


@pytest.fixture(scope="session")
def increments():
    """Regret gained per e-fold of rounds from each of the times on; `at` are the checkpoints of `mean`."""

    def increments(at, mean, times):
        x = np.log(at)
        return np.array([np.interp(math.log(t) + 1.0, x, mean) - np.interp(math.log(t), x, mean) for t in times])

    return increments


@pytest.fixture(scope="session")
def random_game():
    """A random instance of every field; the players have different numbers of actions."""

    def make(seed, eta, *, states=3, rows=2, columns=3, horizon=3, noise="bernoulli"):
        g = np.random.default_rng(seed)
        H, S, A, B = horizon, states, rows, columns
        return tabular(
            g.dirichlet(np.full(S, 0.7), size=(H, S, A, B)),
            g.random((H, S, A, B)),
            eta=eta,
            start=g.dirichlet(np.ones(S)),
            row_reference=g.dirichlet(np.ones(A), size=(H, S)),
            column_reference=g.dirichlet(np.ones(B), size=(H, S)),
            behaviour=g.dirichlet(np.ones(A * B), size=(H, S)).reshape(H, S, A, B),
            noise=noise,
        )

    return make


@pytest.fixture(scope="session")
def random_pair():
    """Random policies of both players of a game."""

    def make(problem, seed, concentration=1.0):
        g = np.random.default_rng(seed)
        H, S, A, B = problem.reward.shape
        row = g.dirichlet(np.full(A, concentration), size=(H, S))
        return row, g.dirichlet(np.full(B, concentration), size=(H, S))

    return make


@pytest.fixture(scope="session")
def play():
    """Play one replication: (status, round, channels)."""

    def play(problem, learner, checkpoints, seed=0, replication=0, control=None):
        control = np.zeros(2, np.int64) if control is None else control
        return problem.play(learner, np.asarray(checkpoints, np.int64), seed, replication, control)

    return play


@pytest.fixture(scope="session")
def curves(play):
    """Channels (replications, C) of several replications."""

    def curves(problem, algorithm, checkpoints, replications, seed=0, **parameters):
        runs = []
        for i in range(replications):
            status, _, channels = play(
                problem, algorithm(problem, int(checkpoints[-1]), **parameters), checkpoints, seed, i
            )
            assert status == 0
            runs.append(channels)
        return {name: np.stack([run[name] for run in runs]) for name in runs[0]}

    return curves
