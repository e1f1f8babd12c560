"""Greedy value iteration: it explores by accident only. By hand and against replays in `test_lsvi`."""

import numpy as np
import pytest

from banditlab.mdps import instances
from banditlab.mdps.greedy import greedy


def test_it_never_finds_the_treasure_of_deep_sea(regret):
    """N = 6, six seeds, 4000 episodes: it loses .99 or more in every one of the last half."""
    for seed in range(6):
        problem = instances.deep_sea(6, seed=seed)
        half, full = regret(problem, greedy(problem, 4000), [2000, 4000], seed)
        assert full - half >= 0.99 * 2000.0 * (1.0 - 1e-12)


def test_its_regret_in_river_swim_is_linear(regret):
    """Within 1 % from 2500 to 5000 episodes, at a tenth of what the optimum earns or more, for six seeds."""
    for seed in range(6):
        problem = instances.river_swim(seed=seed)
        cuts = regret(problem, greedy(problem, 5000), [1250, 2500, 5000], seed)
        assert (cuts[2] - cuts[1]) / (cuts[1] - cuts[0]) == pytest.approx(2.0, rel=0.01)
        assert cuts[2] > 0.1 * 5000 * problem.value


@pytest.mark.slow
def test_regularization_explores_for_it(regret, ratio_of_increments):
    """eta = 1, 3 instances x 8 seeds: the second decade over the first is in [.5, 1.5], to 4 standard errors.

    Control: at eta = 100 it is above 3.16, that of sqrt(K), to 4 standard errors.
    """
    for eta, runs in ((1.0, 24), (100.0, 12)):
        curves = []
        for i in range(runs):
            problem = instances.random_linear(seed=i % 3, eta=eta)
            curves.append(regret(problem, greedy(problem, 10_000), [100, 1000, 10_000], i))
        found, error = ratio_of_increments(np.array(curves))
        if eta == 1.0:
            assert 0.5 < found - 4.0 * error
            assert found + 4.0 * error < 1.5
        else:
            assert found - 4.0 * error > 3.16
