"""Conditional posterior sampling: exploration and bad input. Its law is tested in `test_sampled_lsvi`."""

import math

import numpy as np
import pytest

from banditlab.mdps import instances
from banditlab.mdps.conditional_posterior_sampling import conditional_posterior_sampling


@pytest.mark.slow
def test_it_finds_the_end_of_the_river():
    """It loses less than a fifth of the optimum in 1500 episodes, three labellings; without spread, nearly all."""
    shares = {}
    for precision in (5.0, 1e6):
        for seed in range(3):
            problem = instances.river_swim(seed=seed)
            learner = conditional_posterior_sampling(
                problem, 1500, precision=precision, prior=3.0 if precision < 6 else 1e-3
            )
            regret = problem.play(learner, np.array([1500]), seed, 0, np.zeros(2, np.int64))[2]["regret"][0]
            shares.setdefault(precision, []).append(regret / 1500 / problem.value)
    assert max(shares[5.0]) < 0.2
    assert min(shares[1e6]) > 0.9  # control


@pytest.mark.slow
def test_more_optimism_has_a_greater_share_of_optimistic_episodes():
    """Weights 0 and 20 on 3 x 10 runs of 300 episodes: the difference is over 4 standard errors."""
    out = np.empty((2, 30))
    for row, optimism in zip(out, (0.0, 20.0), strict=True):
        for i in range(30):
            problem = instances.random_tabular(seed=i % 3, eta=math.inf)
            learner = conditional_posterior_sampling(problem, 300, optimism=optimism)
            row[i] = problem.play(learner, np.array([300]), i, 0, np.zeros(2, np.int64))[2]["optimism"][0]
    difference = out[1] - out[0]
    assert difference.mean() > 4.0 * difference.std(ddof=1) / math.sqrt(30)


def test_bad_parameters_are_refused_in_one_line():
    for name, value in (("precision", 0.0), ("prior", 0.0), ("optimism", -1.0), ("candidates", 0), ("prior", np.nan)):
        with pytest.raises(ValueError, match=rf"^{name}: [^\n]*$"):
            conditional_posterior_sampling(instances.random_tabular(eta=1.0), 10, **{name: value})
