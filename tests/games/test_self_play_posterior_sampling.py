"""Self-play posterior sampling: independent agents, and its rates with KL and without."""

import math

import numpy as np
import pytest

from banditlab.games import instances
from banditlab.games.self_play_posterior_sampling import self_play_posterior_sampling


@pytest.mark.slow
def test_regret_is_logarithmic_with_kl_and_grows_like_the_root_without(curves):
    at = np.array([2**k for k in range(4, 13)])
    ratios = {}
    for eta in (1.0, math.inf):
        regret = curves(instances.mixed_core(eta=eta), self_play_posterior_sampling, at, 8)["regret"].mean(axis=0)
        gained = np.diff(regret)
        ratios[eta] = gained[-3:].sum() / gained[-6:-3].sum()
        if eta == math.inf:
            assert 0.4 < np.polyfit(np.log(at[-4:]), np.log(regret[-4:]), 1)[0] < 0.6
        else:
            per_e_fold = gained[2:] / math.log(2.0)
            assert 1.1 < per_e_fold.min() and per_e_fold.max() < 2.2  # 1.57 to 1.78, measured independently
    assert 0.7 < ratios[1.0] < 1.4 and ratios[math.inf] > 2.0


@pytest.mark.slow
def test_a_posterior_that_stays_wide_does_not_learn(curves):
    problem = instances.mixed_core(eta=1.0)
    wide = curves(problem, self_play_posterior_sampling, [512, 1024, 2048], 4, spread=300.0)["regret"].mean(axis=0)
    narrow = curves(problem, self_play_posterior_sampling, [512, 1024, 2048], 4)["regret"].mean(axis=0)
    assert (wide[2] - wide[1]) / (wide[1] - wide[0]) > 1.8 and wide[2] > 10.0 * narrow[2]


def test_main_agents_and_exploiters_draw_games_of_their_own(play):
    problem = instances.mixed_core(eta=1.0)
    learner = self_play_posterior_sampling(problem, 100)
    play(problem, learner, [100])
    values = [learner.row_value[0], learner.column_value[0], learner.upper[0], learner.lower[0]]
    for i in range(4):
        for j in range(i):
            assert (values[i] != values[j]).all()


def test_linear_games_are_learnt_in_a_logarithm(curves):
    problem = instances.random_linear(3, 2, 2, 2, 3, seed=1, eta=2.0)
    regret = curves(problem, self_play_posterior_sampling, [250, 500, 1000, 2000], 4)["regret"].mean(axis=0)
    blind = problem.suboptimality((problem.row_reference, problem.column_reference))
    assert regret[3] - regret[2] < 1.3 * (regret[2] - regret[1])  # an octave and the one before; the root gives 1.41
    assert regret[3] - regret[2] < 100.0 * blind  # a tenth of what play of the references loses


@pytest.mark.parametrize("spread", [0.0, -1.0, math.nan, math.inf])
def test_a_spread_out_of_range_is_told(spread):
    with pytest.raises(ValueError, match="spread: "):
        self_play_posterior_sampling(instances.mixed_core(eta=1.0), 10, spread=spread)
