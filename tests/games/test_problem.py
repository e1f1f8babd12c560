"""Markov games as data: errors of one line, summaries, policies, references, verbs and matches of learners."""

import math
from typing import NamedTuple

import numpy as np
import pytest

import banditlab as bl
from banditlab.games.problem import linear, matrix, tabular
from banditlab.games.somg import somg

P = np.full((2, 2, 3, 2), 0.5)
R = np.full((2, 2, 3), 0.5)


def with_entry(x, index, value):
    x = x.copy()
    x[index] = value
    return x


ERRORS = [
    (lambda: tabular(P, R, eta=1.0), "transition: has no stage axis, give the horizon"),
    (lambda: tabular(P, R, eta=0.0, horizon=2), "eta: 0 is not in (0, inf]"),
    (lambda: tabular(P, R, eta=1.0, horizon=0), "horizon: 0 is not allowed, must be at least 1"),
    (
        lambda: tabular(P, with_entry(R, (0, 1, 2), math.nan), eta=1.0, horizon=2),
        "reward[0, 1, 2]: nan is not allowed, must be finite",
    ),
    (
        lambda: tabular(P, with_entry(R, (0, 1, 2), 1.5), eta=1.0, horizon=2),
        "reward[0, 0, 1, 2]: 1.5 is not allowed, rewards must be in [0, 1]",
    ),
    (
        lambda: tabular(with_entry(P, (1, 0, 0, 0), 0.6), R, eta=1.0, horizon=2),
        "transition[0, 1, 0, 0]: sums to 1.1, must sum to 1",
    ),
    (
        lambda: tabular(P, R[:, :1], eta=1.0, horizon=2),
        "transition: expected (H, S, A, B, S) with rewards (H, S, A, B), got (2, 2, 2, 3, 2) and (2, 2, 1, 3)",
    ),
    (
        lambda: tabular(P, R, eta=1.0, horizon=2, row_reference=[1.0, 0.0]),
        "row_reference[0, 1]: 0 is not allowed, every arm needs positive reference mass",
    ),
    (
        lambda: tabular(P, R, eta=1.0, horizon=2, column_reference=[0.5, 0.5]),
        "column_reference: expected shape (2, 2, 3), (2, 3) or (3,), got (2,)",
    ),
    (
        lambda: tabular(P, R, eta=1.0, horizon=2, behaviour=np.full((2, 3), 0.2)),
        "behaviour: sums to 1.2 in some state, must sum to 1",
    ),
    (
        lambda: tabular(P, R, eta=1.0, horizon=2, behaviour=np.full((3, 2), 1 / 6)),
        "behaviour: expected shape (2, 2, 2, 3), (2, 2, 3) or (2, 3), got (3, 2)",
    ),
    (
        lambda: tabular(P, R, eta=1.0, horizon=2, behaviour=[[1.5, -0.5, 0.0], [0.0, 0.0, 0.0]]),
        "behaviour[0, 1]: -0.5 is not allowed, must be at least 0",
    ),
    (lambda: tabular(P, R, eta=1.0, horizon=2, noise="gauss"), "noise: 'gauss' is unknown; did you mean gaussian?"),
    (lambda: tabular(P, R, eta=1.0, horizon=2, spread=0.0), "spread: 0 is not in (0, inf]"),
    (lambda: tabular(P, R, eta=1.0, horizon=2, start=2), "start: 2 is not allowed, must be at most 1"),
    (lambda: matrix([[0.5, math.nan]], eta=1.0), "payoff[0, 1]: nan is not allowed, must be finite"),
    (lambda: matrix([[0.5, -0.1]], eta=1.0), "payoff[0, 1]: -0.1 is not allowed, payoffs must be in [0, 1]"),
    (lambda: matrix([0.5, 0.1], eta=1.0), "payoff: expected shape (A, B) with A, B >= 1, got (2,)"),
    (lambda: matrix(np.zeros((0, 2)), eta=1.0), "payoff: expected shape (A, B) with A, B >= 1, got (0, 2)"),
    (
        lambda: linear(np.full((2, 2, 3, 2), 2.0), P, R, eta=1.0, horizon=2),
        "features: a norm of 2.82843 is not allowed, must be at most 1",
    ),
    (lambda: somg(matrix([[0.5]], eta=1.0), 10, scale=-1.0), "scale: -1 is not in [0, inf]"),
    (lambda: somg(matrix([[0.5]], eta=1.0), 10, growth=0.5), "growth: 0.5 is not in [1, inf]"),
    (lambda: somg(matrix([[0.5]], eta=1.0), 10, delta=0.0), "delta: 0 is not in (0, 1]"),
    (lambda: somg(matrix([[0.5]], eta=1.0), 0), "rounds: 0 is not allowed, must be at least 1"),
    (lambda: bl.games.nash_vi(matrix([[0.5]], eta=1.0), -5), "rounds: -5 is not allowed, must be at least 1"),
    (lambda: matrix([[0.5]], eta=1.0).dataset(-1, 0, 0), "samples: -1 is not allowed, must be at least 0"),
    (
        lambda: bl.games.omg(bl.games.mixed_core(eta=1.0), 10),
        "problem: H = 3, S = 3 is not allowed, OMG plays matrix games; SOMG plays Markov games",
    ),
    (lambda: bl.games.hard_pair(2), "which: 2 is not allowed, must be at most 1"),
    (lambda: bl.games.trap(cover="none"), "cover: 'none' is unknown; known: all, nash, unilateral"),
]


@pytest.mark.parametrize("make, message", ERRORS, ids=[message for _, message in ERRORS])
def test_errors_are_one_line_and_name_the_field(make, message):
    with pytest.raises((ValueError, TypeError)) as error:
        make()
    assert str(error.value) == message


def test_features_that_do_not_realise_the_tables_are_refused_with_the_residual():
    phi = np.random.default_rng(0).dirichlet(np.ones(2), size=(2, 2, 3))
    with pytest.raises(ValueError, match=r"features\[0\]: a residual of 0\.\d+ is not allowed"):
        linear(phi, P, np.random.default_rng(1).random((2, 2, 3)), eta=1.0, horizon=2)


PAIRS = [
    (None, TypeError, "policy: expected a pair (row, column) of policies, got NoneType"),
    (([0.5, 0.5], [0.5, 0.5]), ValueError, "column: expected shape (1, 1, 3), (1, 3) or (3,), got (2,)"),
    (([0.5, 0.4], [1, 0, 0]), ValueError, "row[0]: sums to 0.9, must sum to 1"),
]


@pytest.mark.parametrize("pair, kind, message", PAIRS)
def test_a_wrong_pair_is_told_in_one_line(pair, kind, message):
    problem = matrix(np.full((2, 3), 0.5), eta=1.0)
    for ask in (problem.check_fit, problem.suboptimality):
        with pytest.raises(kind) as error:
            ask(pair)
        assert str(error.value) == message


class Wrong(NamedTuple):
    """A learner whose verb has another argument, or whose matches are none."""

    matches: np.ndarray

    def plan(self, k, row, column, rng):
        return False

    def update(self, h, s, a, b, r, s2):
        pass


class Misnamed(NamedTuple):
    """A learner with an MDP's verbs."""

    x: float

    def plan(self, k, pi, rng):
        return False

    def update(self, h, s, a, r, s2):
        pass


def test_verbs_and_matches_of_a_learner_are_checked():
    problem = matrix([[0.5]], eta=1.0)
    with pytest.raises(TypeError) as error:
        problem.check(Misnamed(1.0))
    assert str(error.value) == "learner Misnamed: `plan(k, pi, rng)` must be `plan(k, row, column, rng)`"
    for pairs in (np.zeros((1, 2)), np.array([[0, -1]]), np.array([0, 0]), [[0, 0]]):
        with pytest.raises(ValueError, match="matches: expected an"):
            problem.check(Wrong(pairs))
    problem.check(Wrong(np.array([[0, 0]])))


def test_summaries_say_what_the_instance_is():
    assert bl.games.mixed_matrix(eta=2.0).summary == "matrix game, 3 x 3 actions, eta = 2"
    assert "spread 0.5" in bl.games.mixed_matrix(eta=2.0, noise="gaussian").summary
    assert bl.games.mixed_core(eta=1.0).summary == "tabular Markov game, H = 3, S = 3, 2 x 2 actions, eta = 1"
    assert "linear Markov game, d = 4" in bl.games.random_linear(eta=1.0).summary


def test_the_default_behaviour_is_both_references(random_game):
    problem = bl.games.tabular(P, R, eta=1.0, horizon=2, row_reference=[0.2, 0.8], column_reference=[0.5, 0.3, 0.2])
    np.testing.assert_allclose(problem.behaviour[1, 0], np.outer([0.2, 0.8], [0.5, 0.3, 0.2]), rtol=1e-15)


def test_a_game_makes_and_measures_nothing_that_compiles_a_second_kernel(random_game):
    for problem in (random_game(0, 1.0), bl.games.random_linear(eta=math.inf), bl.games.trap()):
        for x in problem:
            if isinstance(x, np.ndarray):
                assert x.dtype == np.float64 and x.flags.c_contiguous and x.flags.writeable
            else:
                assert type(x) in (int, float)


def test_run_and_run_offline_take_games():
    problem = bl.games.mixed_matrix(eta=2.0)
    result = bl.run(problem, {"OMG": bl.games.omg}, rounds=64, replications=2)
    assert result.regret["OMG"].shape == (2, 7) and "certificate" in result.channels["OMG"]
    offline = bl.run_offline(problem, {"plug-in": bl.games.plug_in}, samples=[10, 1000], replications=3)
    assert offline.gap["plug-in"].shape == (3, 2)
    with pytest.raises(TypeError, match="policy: expected a pair"):
        bl.run_offline(problem, {"one": lambda dataset: dataset.row_reference}, samples=[10], replications=1)
