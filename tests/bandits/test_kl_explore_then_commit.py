"""Explore-then-commit."""

import math
from functools import partial

import numpy as np
import pytest

from banditlab.bandits.kl_explore_then_commit import kl_explore_then_commit
from banditlab.bandits.problem import bandit


def regret(problem, constructor, T, replications):
    control = np.zeros(2, np.int64)
    return np.array(
        [
            problem.play(constructor(problem, T), np.array([T]), 0, i, control)[2]["regret"][0]
            for i in range(replications)
        ]
    )


def test_indices_by_hand():
    learner = kl_explore_then_commit(bandit([0.2, 0.4, 0.5], eta=2.0), 10, exploration=3)
    for t, a, r in ((1, 0, 1.0), (2, 1, 1.0), (3, 0, 0.0), (4, 1, 0.0)):
        assert learner.refresh(t) == (t == 4)
        expected = [0.0, 0.0, 0.0] if t <= 3 else [0.5, 1.0, 0.0]
        assert [learner.index(b, t) for b in range(3)] == expected
        learner.update(t, a, r)
    assert not learner.refresh(5)
    assert [learner.index(b, 5) for b in range(3)] == [0.5, 1.0, 0.0]  # committed: later rewards do not count


def test_exploration_costs_the_gap_of_the_reference_each_round():
    problem = bandit([0.3, 0.5, 0.8], eta=4.0, reference=[0.5, 0.3, 0.2])
    gap = problem.value - problem.reference @ problem.mean
    learner = kl_explore_then_commit(problem, 100, exploration=70)
    cut = np.array([1, 10, 70])
    channels = problem.play(learner, cut, 0, 0, np.zeros(2, np.int64))[2]
    np.testing.assert_allclose(channels["regret"], cut * gap, rtol=1e-12)


def test_at_eta_inf_exploration_pulls_the_arms_in_turn():
    problem = bandit([0.3, 0.5, 0.8], eta=math.inf)
    learner = kl_explore_then_commit(problem, 100, exploration=30)
    cut = np.array([3, 6, 30])
    channels = problem.play(learner, cut, 0, 0, np.zeros(2, np.int64))[2]
    np.testing.assert_allclose(channels["regret"], cut / 3 * problem.gap.sum(), rtol=1e-12)
    assert learner.pulls.tolist() == [10.0, 10.0, 10.0]


def test_default_exploration():
    def rounds(K, T, eta, **noise):
        return kl_explore_then_commit(bandit([0.5] * K, eta=eta, **noise), T).exploration

    assert rounds(5, 10_000, 1e-3) == rounds(5, 10_000, 8.0) == 200  # sqrt(4 T)
    assert rounds(5, 10_000, 32.0) == 400
    assert rounds(5, 10_000, math.inf) == math.ceil(5 ** (1 / 3) * 10_000 ** (2 / 3))
    assert rounds(5, 10_000, 1.0, noise="gaussian", spread=2.0) == 800
    assert rounds(1, 10_000, 1.0) == rounds(1, 10_000, math.inf) == 0
    assert rounds(1000, 10, 1.0) == 10


@pytest.mark.parametrize("bad", [-1, 2.5])
def test_bad_exploration(bad):
    with pytest.raises((ValueError, TypeError), match="exploration"):
        kl_explore_then_commit(bandit([0.5, 0.6], eta=1.0), 10, exploration=bad)


@pytest.mark.slow
def test_tuned_regret_grows_like_sqrt_T_as_its_law_says():
    eta, K, n = 8.0, 4, 200
    problem = bandit([0.3, 0.4, 0.5, 0.6], eta=eta)
    gap = problem.value - problem.mean.mean()
    V = (problem.variance * problem.optimal * (1.0 - problem.optimal)).sum()
    mean = []
    for T in (2**10, 2**16):
        exploration = round(math.sqrt(T * K * eta * V / (2.0 * gap)))
        x = regret(problem, partial(kl_explore_then_commit, exploration=exploration), T, n)
        law = exploration * gap + (T - exploration) * K * eta * V / (2.0 * exploration)
        # standard errors are 3 to 4 % of the mean, the law's own error at these n about 5 %
        assert abs(x.mean() / law - 1.0) < 0.2
        mean.append(x.mean())
    slope = math.log(mean[1] / mean[0]) / math.log(64.0)
    # standard error of the slope: sqrt(2) * 4 % / log 64 = 0.014
    assert 0.45 < slope < 0.6
