"""Fixtures of the MDP tests: random tabular instances, plays of a learner, and how fast its regret grows."""

import math

import numpy as np
import pytest

from banditlab.mdps.instances import minimax_hypercube
from banditlab.mdps.problem import tabular


@pytest.fixture(scope="session")
def random_mdp():
    """A random instance of every field: start, reference (with zeros where asked) and behaviour too."""

    def make(seed, eta, *, states=3, actions=3, horizon=3, zeros=False, noise="bernoulli"):
        g = np.random.default_rng(seed)
        H, S, A = horizon, states, actions
        reference = g.dirichlet(np.ones(A), size=(H, S))
        if zeros:
            reference[g.random((H, S, A)) < 0.3] = 0.0
            reference[..., 0] += reference.sum(axis=-1) == 0.0
            reference /= reference.sum(axis=-1, keepdims=True)
        return tabular(
            g.dirichlet(np.full(S, 0.7), size=(H, S, A)),
            g.random((H, S, A)),
            eta=eta,
            start=g.dirichlet(np.ones(S)),
            reference=reference,
            behaviour=g.dirichlet(np.ones(A), size=(H, S)),
            noise=noise,
        )

    return make


@pytest.fixture(scope="session")
def play():
    """Play one replication: (status, episode, channels)."""

    def play(problem, learner, checkpoints, seed=0, replication=0, control=None):
        control = np.zeros(2, np.int64) if control is None else control
        return problem.play(learner, np.asarray(checkpoints, np.int64), seed, replication, control)

    return play


@pytest.fixture(scope="session")
def regret(play):
    """Cumulative regret at the checkpoints, in one replication."""

    def regret(problem, learner, checkpoints, seed, replication=0):
        return play(problem, learner, checkpoints, seed, replication)[2]["regret"]

    return regret


@pytest.fixture(scope="session")
def slope():
    """Slope of log mean regret in log K, and its standard error; `finals` (C, n) of independent runs."""

    def slope(sizes, finals):
        x = np.log(sizes) - np.log(sizes).mean()
        error = finals.std(axis=1, ddof=1) / np.sqrt(finals.shape[1]) / finals.mean(axis=1)
        return x @ np.log(finals.mean(axis=1)) / (x @ x), np.sqrt(x**2 @ error**2) / (x @ x)

    return slope


@pytest.fixture(scope="session")
def gap_scaled(regret):
    """Final regrets (C, n) on `minimax_hypercube`, n instances for each K, and those of uniform play (C, 1).

    The family's gap falls like 1 / sqrt(K), so that uniform play too loses about sqrt(K): a slope alone shows nothing.
    """

    def gap_scaled(algorithm, sizes, runs, **parameters):
        finals, blind = np.empty((len(sizes), runs)), np.empty((len(sizes), 1))
        for c, K in enumerate(sizes):
            for i in range(runs):
                problem = minimax_hypercube(K, seed=i)
                finals[c, i] = regret(problem, algorithm(problem, K, **parameters), [K], runs * c + i)[-1]
            blind[c] = K * problem.suboptimality(problem.reference)
        return finals, blind

    return gap_scaled


@pytest.fixture(scope="session")
def ratio_of_increments():
    """Mean of the second increment over that of the first, and its standard error (paired); rows are runs."""

    def ratio_of_increments(curves):
        first, second = np.diff(curves, axis=1).T
        ratio = second.mean() / first.mean()
        return ratio, (second - ratio * first).std(ddof=1) / math.sqrt(len(curves)) / first.mean()

    return ratio_of_increments
