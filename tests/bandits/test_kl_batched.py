"""Batched greedy sampling."""

import math

import numpy as np
import pytest

from banditlab.bandits.kl_batched import kl_batched
from banditlab.bandits.kl_greedy import kl_greedy
from banditlab.bandits.problem import bandit


def test_indices_by_hand():
    learner = kl_batched(bandit([0.2, 0.4], eta=2.0), 10)
    seen = []
    for t, r in ((1, 1.0), (2, 0.0), (3, 0.0), (4, 1.0), (5, 1.0)):
        seen.append((learner.refresh(t), learner.index(0, t)))
        learner.update(t, 0, r)
    assert seen == [(True, 1.0), (True, 1.0), (False, 1.0), (True, 1.0 / 3.0), (False, 1.0 / 3.0)]
    assert learner.index(1, 6) == 1.0


@pytest.mark.parametrize("rho", [1.01, 1.3, 2.0, 3.7, 10.0])
def test_policy_changes_exactly_at_the_ceilings_of_powers(rho):
    learner = kl_batched(bandit([0.2, 0.4], eta=2.0), 10, rho=rho)
    rounds = [t for t in range(1, 3001) if learner.refresh(t)]
    powers = {math.ceil(rho**k * (1 - 1e-12)) for k in range(math.ceil(math.log(3001) / math.log(rho)) + 1)}
    assert rounds == sorted(t for t in powers if t <= 3000)


def test_batches_of_one_round_are_greedy():
    problem, cut = bandit([0.3, 0.5, 0.8], eta=4.0), np.array([5, 50])
    small = problem.play(kl_batched(problem, 50, rho=1.001), cut, 0, 1, np.zeros(2, np.int64))[2]["regret"]
    greedy = problem.play(kl_greedy(problem, 50), cut, 0, 1, np.zeros(2, np.int64))[2]["regret"]
    double = problem.play(kl_batched(problem, 50), cut, 0, 1, np.zeros(2, np.int64))[2]["regret"]
    np.testing.assert_allclose(small, greedy, rtol=1e-12)
    assert abs(double / greedy - 1.0).max() > 1e-3


@pytest.mark.parametrize("bad", [1.0, 0.5, math.inf, math.nan])
def test_bad_rho(bad):
    with pytest.raises(ValueError, match="rho"):
        kl_batched(bandit([0.5, 0.6], eta=1.0), 10, rho=bad)
