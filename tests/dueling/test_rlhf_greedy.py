"""Greedy sampling by hand; what it shares with its sisters, and how it locks in, is tested in test_rlhf.py."""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.dueling.problem import bradley_terry
from banditlab.dueling.rlhf_greedy import rlhf_greedy


@pytest.mark.parametrize("linear", [False, True])
def test_one_win_by_hand(linear):
    """Stationary where sigma(u) - 1 + lam theta = 0: u = log 3 for the ridge below; at eta 2 odds are 9 to 1."""
    u = math.log(3.0)
    if linear:
        problem = bradley_terry(features=[[[1.0], [0.0]]], parameter=[1.0], radius=2.0, eta=2.0)
        learner = rlhf_greedy(problem, 10, lam=0.25 / u)
    else:
        problem = bradley_terry([1.0, 0.0], span=2.0, eta=2.0)
        learner = rlhf_greedy(problem, 10, lam=0.5 / u)
    pi, first, second, own = np.zeros(2), np.zeros(2), np.zeros(2), rng.stream(0, rng.LEARNER, 0)
    learner.policy(0, pi)
    np.testing.assert_array_equal(pi, [0.5, 0.5])
    assert not learner.refresh(1)
    learner.update(1, 0, 0, 1, 1.0)
    assert learner.refresh(2) and not learner.refresh(3)
    learner.policy(0, pi)
    np.testing.assert_allclose(pi, [0.9, 0.1], rtol=1e-9)
    assert learner.duel(2, 0, first, second, own)
    np.testing.assert_array_equal(first, pi)
    np.testing.assert_array_equal(second, pi)
    np.testing.assert_array_equal(own, rng.stream(0, rng.LEARNER, 0))  # draws nothing


@pytest.mark.parametrize("linear", [False, True])
def test_the_known_range_is_imposed_unless_asked_not_to(linear):
    """A range of log 2 caps the odds at 4 to 1 for eta 2."""
    r, pi = math.log(2.0), np.zeros(2)
    if linear:
        problem = bradley_terry(features=[[[1.0], [0.0]]], parameter=[r], eta=2.0)
    else:
        problem = bradley_terry([r, 0.0], eta=2.0)
    for projected in (True, False):
        learner = rlhf_greedy(problem, 10, lam=0.01, projected=projected)
        learner.update(1, 0, 0, 1, 1.0)
        learner.policy(0, pi)
        if projected:
            np.testing.assert_allclose(pi, [0.8, 0.2], rtol=1e-12)
        else:
            assert pi[0] > 0.99
