"""Greedy Nash learning: the main policy against itself. What it shares with its sisters is tested in test_nash.py."""

import numpy as np

from banditlab import rng
from banditlab.dueling.instances import rare_good, rps
from banditlab.dueling.nash_greedy import nash_greedy
from banditlab.dueling.rlhf_greedy import rlhf_greedy


def test_both_arms_are_of_the_main_policy():
    problem = rps(3, 0.3, 1, eta=5.0, reference=[0.1, 0.2, 0.3, 0.4])
    learner, own = nash_greedy(problem, 10), rng.stream(0, rng.LEARNER, 0)
    first, second, pi = np.zeros((3, 4))
    for t in range(1, 6):
        learner.update(t, 0, t % 4, (t + 1) % 4, 1.0)
        learner.policy(0, pi)
        assert learner.duel(t + 1, 0, first, second, own)
        np.testing.assert_array_equal(first, pi)
        np.testing.assert_array_equal(second, pi)
        assert abs(pi - problem.reference[0]).max() > 0.01
    np.testing.assert_array_equal(own, rng.stream(0, rng.LEARNER, 0))  # draws nothing


def test_it_does_not_lock_in_on_a_cycle_where_greedy_sampling_with_rewards_does_on_a_rare_best_arm():
    """2e4 rounds of five seeds: rps(5, .3, 1) at eta = 10 compares two arms in most, `rare_good` at 8 in under .01."""
    cycle, rare = rps(5, 0.3, 1, eta=10.0), rare_good()
    for i in range(5):
        for problem, learner, locked in (
            (cycle, nash_greedy(cycle, 20_000), False),
            (rare, rlhf_greedy(rare, 20_000, projected=False), True),
        ):
            run = problem.play(learner, np.array([20_000]), 0, i, np.zeros(2, np.int64))[2]
            assert run["same"][0] + run["queries"][0] == 20_000
            assert run["same"][0] > 19_800 if locked else run["same"][0] < 10_000
