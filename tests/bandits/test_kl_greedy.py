"""Greedy sampling."""

import math

import numpy as np

from banditlab.bandits.kl_greedy import kl_greedy
from banditlab.bandits.kl_ucb import kl_ucb
from banditlab.bandits.problem import bandit


def test_indices_by_hand():
    learner = kl_greedy(bandit([0.2, 0.4], eta=2.0, ceiling=0.9), 10)
    assert learner.index(0, 1) == 0.9
    learner.update(1, 0, 1.0)
    learner.update(2, 0, 0.0)
    assert learner.index(0, 3) == 0.5
    assert learner.index(1, 3) == 0.9


def test_it_is_kl_ucb_without_bonus():
    for eta in (0.5, 20.0, math.inf):
        problem, cut = bandit([0.3, 0.45, 0.5, 0.55, 0.7], eta=eta), np.array([10, 1000])
        plain = problem.play(kl_greedy(problem, 1000), cut, 0, 3, np.zeros(2, np.int64))[2]["regret"]
        ucb = problem.play(kl_ucb(problem, 1000, scale=0.0), cut, 0, 3, np.zeros(2, np.int64))[2]["regret"]
        bonus = problem.play(kl_ucb(problem, 1000, scale=1.0), cut, 0, 3, np.zeros(2, np.int64))[2]["regret"]
        assert np.array_equal(plain, ucb)
        assert not np.array_equal(plain, bonus)
