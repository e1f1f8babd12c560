"""KL-UCB with the bonus enlarged for corruption."""

import math

import numpy as np
import pytest

from banditlab.bandits import instances
from banditlab.bandits.kl_robust_ucb import kl_robust_ucb
from banditlab.bandits.kl_ucb import kl_ucb


def regret(problem, learner, rounds):
    status, t, channels = problem.play(learner, np.array([rounds], np.int64), 1, 0, np.zeros(2, np.int64))
    assert (status, t) == (0, rounds)
    return channels["regret"][0]


def test_index_of_a_hand_worked_history():
    # level log(2 * 2 * 25 / .01) = log(10^4)
    learner = kl_robust_ucb(instances.bernoulli([0.2, 0.5], 2.0), 25, scale=0.1, delta=0.01, corruption=0.8)
    assert learner.index(0, 1) == learner.index(1, 1) == 1.0
    for t, r in enumerate([1.0, 0.0, 0.0, 0.0], start=1):
        learner.update(t, 0, r)
    np.testing.assert_allclose(learner.index(0, 5), 0.25 + 0.1 * math.sqrt(math.log(1e4) / 8) + 0.2, rtol=1e-14)
    learner.update(5, 1, 1.0)
    assert learner.index(1, 6) == 1.0  # clipped


@pytest.mark.parametrize("corruption", [0.0, 3.0, 40.0])
def test_index_agrees_with_the_formula_at_every_round(corruption):
    K, rounds, delta = 4, 300, 0.05
    problem = instances.gaussian([0.1, 0.4, 0.5, 0.8], 3.0, sigma=0.7, ceiling=1.5)
    learner = kl_robust_ucb(problem, rounds, scale=0.8, delta=delta, corruption=corruption)
    rng, rewards = np.random.default_rng(0), [[] for _ in range(K)]
    L = math.log(2 * K * rounds / delta)
    below = 0
    for t in range(1, rounds + 1):
        for a, seen in enumerate(rewards):
            n = len(seen)
            expected = min(np.mean(seen) + 0.8 * 0.7 * math.sqrt(2 * L / n) + corruption / n, 1.5) if n else 1.5
            np.testing.assert_allclose(learner.index(a, t), expected, rtol=1e-12)
            below += expected < 1.5
        a = int(rng.integers(K))
        r = problem.mean[a] + 0.7 * rng.normal()
        learner.update(t, a, r)
        rewards[a].append(r)
    assert below > 100


def test_without_corruption_it_is_kl_ucb():
    problem = instances.textbook(5.0)
    plain = regret(problem, kl_ucb(problem, 3000), 3000)
    np.testing.assert_allclose(regret(problem, kl_robust_ucb(problem, 3000, corruption=0.0), 3000), plain, rtol=1e-12)
    assert regret(problem, kl_robust_ucb(problem, 3000, corruption=100.0), 3000) > 1.2 * plain  # control


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"scale": -0.1}, "scale"),
        ({"delta": 0.0}, "delta"),
        ({"delta": 1.5}, "delta"),
        ({"corruption": -1.0}, "corruption"),
        ({"corruption": math.inf}, "corruption"),
        ({"corruption": "much"}, "corruption"),
    ],
)
def test_bad_parameters_are_one_line_that_names_the_field(parameters, field):
    with pytest.raises((ValueError, TypeError)) as error:
        kl_robust_ucb(instances.textbook(), 100, **parameters)
    assert str(error.value).startswith(field) and "\n" not in str(error.value)
