"""LinUCB: by hand, and the index that it shares with its regularized form."""

import math

import numpy as np
import pytest

from banditlab import confidence, rng
from banditlab.contextual.kl_lin_ucb import kl_lin_ucb
from banditlab.contextual.lin_ucb import lin_ucb
from banditlab.contextual.problem import linear, tabular

FEATURES = [[[1.0, 0.0], [0.0, 1.0], [0.6, 0.6]], [[0.0, -1.0], [-0.7, 0.7], [0.3, 0.3]]]


def test_two_rounds_by_hand():
    problem, own, pi = linear(FEATURES[:1], [0.5, 0.3], eta=1.0, spread=0.1), rng.stream(0, 1, 0), np.zeros(3)
    learner = lin_ucb(problem, 100, scale=1.0)
    learner.policy(1, 0, pi, own)
    np.testing.assert_array_equal(pi, [1.0, 0.0, 0.0])  # widths 1, 1, 0.85: the lowest index wins the tie
    learner.update(1, 0, 0, 0.5)
    beta = confidence.ellipsoid(2, 100, 1.0, 0.01, 0.1, math.hypot(0.5, 0.3))
    index = [0.25 + beta * math.sqrt(0.5), beta, 0.15 + beta * math.sqrt(0.36 * 0.5 + 0.36)]
    learner.policy(2, 0, pi, own)
    np.testing.assert_allclose(learner.score, index, rtol=1e-14)
    np.testing.assert_array_equal(pi, np.eye(3)[np.argmax(index)])


def test_it_is_the_gibbs_rule_at_infinite_eta():
    problem, cut = linear(FEATURES, [0.5, 0.3], eta=math.inf, spread=0.3), np.array([10, 500])
    one, two, other = (
        problem.play(learner, cut, 0, 0, np.zeros(2, np.int64))[2]["regret"]
        for learner in (lin_ucb(problem, 500), kl_lin_ucb(problem, 500), lin_ucb(problem, 500, scale=0.8))
    )
    np.testing.assert_array_equal(one, two)
    assert one[1] != other[1]


def test_point_masses_are_refused_where_their_gap_is_infinite():
    with pytest.raises(ValueError, match="regularizer: lin_ucb plays point masses, whose gap under 'forward_kl'"):
        lin_ucb(linear(FEATURES, [0.5, 0.3], eta=3.0, regularizer="forward_kl"), 10)
    lin_ucb(linear(FEATURES, [0.5, 0.3], eta=math.inf, regularizer="forward_kl"), 10)


@pytest.mark.parametrize("regularizer", ["kl", "chi2"])
def test_regret_is_linear_at_finite_eta(regularizer):
    problem, cut = linear(FEATURES, [0.5, 0.1], eta=3.0, spread=0.3, regularizer=regularizer), np.array([500, 5000])
    regret = problem.play(lin_ucb(problem, 5000), cut, 0, 0, np.zeros(2, np.int64))[2]["regret"]
    assert 8.0 < regret[1] / regret[0] < 10.5


def test_plain_regret_slows_down():
    problem, cut = linear(FEATURES, [0.5, 0.1], eta=math.inf, spread=0.3), np.array([500, 5000])
    runs = [problem.play(lin_ucb(problem, 5000), cut, 0, i, np.zeros(2, np.int64))[2]["regret"] for i in range(10)]
    first, last = np.mean(runs, axis=0)
    assert last < 3.0 * first  # against 10


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scale": -1.0}, "scale: -1 is not in"),
        ({"delta": 0.0}, "delta: 0 is not in"),
        ({"lam": 0.0}, "lam: 0 is not in"),
    ],
)
def test_bad_input(parameters, message):
    with pytest.raises(ValueError, match=message):
        lin_ucb(linear(FEATURES, [0.5, 0.3], eta=1.0), 10, **parameters)


def test_bad_problem_or_rounds():
    with pytest.raises(ValueError, match="rounds: 0"):
        lin_ucb(linear(FEATURES, [0.5, 0.3], eta=1.0), 0)
    with pytest.raises(ValueError, match="features: lin_ucb needs a linear problem"):
        lin_ucb(tabular([[0.1, 0.2]], eta=1.0), 10)
