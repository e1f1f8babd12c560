"""Linear Thompson sampling; its draws are compared with NumPy in test_kl_lin_thompson.py."""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.contextual.kl_lin_thompson import kl_lin_thompson
from banditlab.contextual.lin_thompson import lin_thompson
from banditlab.contextual.problem import linear, tabular

FEATURES = [[[1.0, 0.0], [0.0, 1.0], [0.6, 0.6]], [[0.0, -1.0], [-0.7, 0.7], [0.3, 0.3]]]


def test_first_round_by_hand():
    problem, pi = linear([[[1.0], [0.5], [-1.0]]], [0.8], eta=2.0), np.zeros(3)
    for seed in range(6):
        lin_thompson(problem, 10).policy(1, 0, pi, rng.stream(seed, rng.LEARNER, 0))
        positive = rng.normal(rng.stream(seed, rng.LEARNER, 0)) > 0.0
        np.testing.assert_array_equal(pi, [1.0, 0.0, 0.0] if positive else [0.0, 0.0, 1.0])


def test_it_is_the_gibbs_rule_at_infinite_eta():
    problem, cut = linear(FEATURES, [0.5, 0.3], eta=math.inf, spread=0.3), np.array([10, 500])
    one, two, other = (
        problem.play(learner, cut, 0, 0, np.zeros(2, np.int64))[2]["regret"]
        for learner in (
            lin_thompson(problem, 500),
            kl_lin_thompson(problem, 500),
            lin_thompson(problem, 500, scale=2.0),
        )
    )
    np.testing.assert_array_equal(one, two)
    assert one[1] != other[1]


def test_plain_regret_slows_down():
    problem, cut = linear(FEATURES, [0.5, 0.1], eta=math.inf, spread=0.3), np.array([500, 5000])
    runs = [problem.play(lin_thompson(problem, 5000), cut, 0, i, np.zeros(2, np.int64))[2]["regret"] for i in range(10)]
    first, last = np.mean(runs, axis=0)
    assert last < 3.0 * first  # log 5000 / log 500 = 1.4 against 10


def test_bad_input():
    with pytest.raises(ValueError, match="scale: -1 is not in"):
        lin_thompson(linear(FEATURES, [0.5, 0.3], eta=1.0), 10, scale=-1.0)
    with pytest.raises(ValueError, match="regularizer: lin_thompson plays point masses"):
        lin_thompson(linear(FEATURES, [0.5, 0.3], eta=3.0, regularizer="forward_kl"), 10)
    with pytest.raises(ValueError, match="features: lin_thompson needs a linear problem"):
        lin_thompson(tabular([[0.1, 0.2]], eta=1.0), 10)
