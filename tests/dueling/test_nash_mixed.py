"""Nash learning against the reference. What it shares with its sisters is tested in test_nash.py."""

import numpy as np

from banditlab import rng
from banditlab.dueling.nash_mixed import nash_mixed
from banditlab.dueling.problem import preferences


def test_the_rival_is_the_reference_of_the_context():
    cycle = [[0.5, 0.9, 0.2], [0.1, 0.5, 0.7], [0.8, 0.3, 0.5]]
    problem = preferences([cycle, cycle], eta=3.0, reference=[[0.2, 0.3, 0.5], [0.4, 0.5, 0.1]])
    learner, own = nash_mixed(problem, 10), rng.stream(0, rng.LEARNER, 0)
    first, second, pi = np.zeros((3, 3))
    learner.update(1, 1, 0, 2, 1.0)
    for x in range(2):
        learner.policy(x, pi)
        assert learner.duel(2, x, first, second, own)
        np.testing.assert_array_equal(first, pi)
        np.testing.assert_array_equal(second, problem.reference[x])
        assert (abs(first - second).max() > 0.01) == (x == 1)
    np.testing.assert_array_equal(own, rng.stream(0, rng.LEARNER, 0))  # draws nothing
