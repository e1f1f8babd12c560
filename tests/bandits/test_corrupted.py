"""Corrupted feedback: what the adversary changes, and which bonus wins when."""

import functools
import math
from typing import NamedTuple

import numpy as np
import pytest

from banditlab import bandits
from banditlab.bandits import instances
from banditlab.bandits.as_policy import as_policy
from banditlab.bandits.corrupted import corrupted
from banditlab.bandits.kl_robust_ucb import kl_robust_ucb
from banditlab.bandits.kl_ucb import kl_ucb


class Recorder(NamedTuple):
    """A learner that writes down the rewards reported."""

    told: list

    def policy(self, t, pi, rng):
        pi[:] = 1.0 / pi.size

    def update(self, t, a, r):
        self.told.append(float(r))


def recorder(problem, rounds):
    return Recorder([])


def play(problem, learner, checkpoints, replication=0):
    checkpoints = np.array(checkpoints, np.int64)
    status, t, channels = problem.play(learner, checkpoints, 1, replication, np.zeros(2, np.int64))
    assert (status, t) == (0, checkpoints[-1])
    return channels["regret"]


def test_rewards_reported_by_hand():
    learner = corrupted(instances.bernoulli([0.5, 0.5], 1.0), 100, algorithm=recorder, budget=1.5)
    for t, (a, r) in enumerate([(1, 1.0), (0, 1.0), (1, 0.0), (1, 1.0), (1, 1.0), (1, 1.0)], start=1):
        learner.update(t, a, r)
    assert learner.inner.told == [0.0, 1.0, 0.0, 0.5, 1.0, 1.0]
    assert learner.left[0] == 0.0


@pytest.mark.parametrize(("budget", "target"), [(0.0, -1), (3.3, 0), (20.0, 2), (60.0, -1), (400.0, 1)])
def test_no_more_than_the_budget_is_spent_and_only_on_the_target_during_the_attack(budget, target):
    problem = instances.gaussian([0.1, 0.5, 0.9], 2.0, sigma=0.5)
    learner = corrupted(problem, 1000, algorithm=recorder, budget=budget, target=target)
    generator, spent = np.random.default_rng(0), 0.0
    for t in range(1, 1001):
        a = int(generator.integers(3))
        r = problem.mean[a] + 0.5 * generator.normal()
        learner.update(t, a, r)
        reported = learner.inner.told[-1]
        if a == target % 3 and t <= 4 * budget and r > 0.0:
            assert reported == pytest.approx(max(r - max(budget - spent, 0.0), 0.0), abs=1e-12)
        else:
            assert reported == r
        spent += abs(reported - r)
    assert spent <= budget + 1e-12 and learner.left[0] == pytest.approx(budget - spent, abs=1e-9)
    assert (learner.left[0] < 1e-9) == (budget in (0.0, 20.0, 60.0))  # control: some budgets are spent, some are not


@pytest.mark.parametrize("algorithm", [bandits.kl_ucb, bandits.kl_thompson])
def test_no_budget_is_the_algorithm_itself(algorithm):
    problem, cut = instances.textbook(5.0), [10, 100, 2000]
    alone = play(problem, as_policy(problem, algorithm(problem, 2000)), cut)
    none = play(problem, corrupted(problem, 2000, algorithm=algorithm, budget=0.0), cut)
    np.testing.assert_allclose(none, alone, rtol=1e-12)
    some = play(problem, corrupted(problem, 2000, algorithm=algorithm, budget=50.0), cut)
    assert some[-1] > 1.2 * alone[-1]  # control


@functools.cache
def measured(budget, robust):
    """Regret (30, 4) of 30 replications at 2^8, 2^10, 2^12, 2^15."""
    problem, rounds = instances.textbook(5.0), 2**15
    inner = functools.partial(kl_robust_ucb, corruption=budget) if robust else kl_ucb
    learners = [corrupted(problem, rounds, algorithm=inner, budget=budget) for _ in range(30)]
    return np.array([play(problem, x, [2**8, 2**10, 2**12, 2**15], i) for i, x in enumerate(learners)])


MEASURED = {  # specification 6.6 at 2^10, 2^12, 2^15: (budget, enlarged bonus) -> regret
    (50, False): (32, 37, 46),
    (50, True): (32, 52, 77),
    (200, False): (84, 115, 126),
    (200, True): (42, 122, 226),
    (800, False): (87, 349, 446),
    (800, True): (42, 169, 643),
}


@pytest.mark.slow
@pytest.mark.parametrize(("budget", "robust"), MEASURED)
def test_measured_regret_under_attack(budget, robust):
    # Two independent runs of 30 seeds: margin 4 sqrt(2) of our standard errors, and one half for the rounding printed.
    found = measured(budget, robust)[:, 1:]
    margin = 4 * math.sqrt(2 / 30) * found.std(axis=0, ddof=1) + 0.5
    assert (abs(found.mean(axis=0) - MEASURED[budget, robust]) < margin).all(), found.mean(axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("budget", [200, 800])
def test_the_enlarged_bonus_wins_during_the_attack_and_loses_afterwards(budget):
    difference = measured(budget, True) - measured(budget, False)
    z = difference.mean(axis=0) / (difference.std(axis=0, ddof=1) / math.sqrt(30))
    assert (z[:2] < -4.0).all() and z[3] > 4.0  # at 2^8, 2^10 and at 2^15


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"budget": -1.0}, "budget"),
        ({"budget": math.inf}, "budget"),
        ({"target": 5}, "target"),
        ({"target": -2}, "target"),
        ({"target": 0.5}, "target"),
        ({"algorithm": 1}, "algorithm"),
    ],
)
def test_bad_parameters_are_one_line_that_names_the_field(parameters, field):
    with pytest.raises((ValueError, TypeError)) as error:
        corrupted(instances.textbook(), 100, **parameters)
    assert str(error.value).startswith(field) and "\n" not in str(error.value)
