"""EXP3."""

import math

import numpy as np
import pytest

from banditlab.bandits.exp3 import exp3
from banditlab.bandits.problem import bandit


def test_first_rounds_by_hand():
    learner, pi = exp3(bandit([0.5, 0.5], eta=math.inf), 10, gamma=0.5), np.zeros(2)
    learner.policy(1, pi, None)
    assert pi.tolist() == [0.5, 0.5]
    learner.update(1, 0, 1.0)  # w_0 = exp(gamma / K * 1 / (1/2)) = e^{1/2}
    learner.policy(2, pi, None)
    share = math.exp(0.5) / (1.0 + math.exp(0.5))
    assert pi == pytest.approx([0.5 * share + 0.25, 0.5 * (1.0 - share) + 0.25], rel=1e-15)


def test_agrees_with_numpy_round_by_round():
    rng, K, T, gamma = np.random.default_rng(0), 4, 3000, 0.3  # log weights pass the centring at 30 several times
    learner, pi = exp3(bandit(np.linspace(0.2, 0.8, K), eta=math.inf), T, gamma=gamma), np.zeros(K)
    theta = np.zeros(K)
    for t in range(1, T + 1):
        w = np.exp(theta - theta.max())
        p = (1.0 - gamma) * w / w.sum() + gamma / K
        learner.policy(t, pi, None)
        np.testing.assert_allclose(pi, p, rtol=1e-11)
        a = rng.choice(K, p=p)
        r = float(rng.random() < 0.2 + 0.2 * a)
        learner.update(t, a, r)
        theta[a] += gamma / K * r / p[a]
    assert theta.max() > 100.0


def test_default_rate_is_the_tuned_one():
    assert exp3(bandit([0.5] * 5, eta=math.inf), 10_000).gamma == pytest.approx(
        math.sqrt(5 * math.log(5) / ((math.e - 1) * 10_000)), rel=1e-15
    )
    assert exp3(bandit([0.5] * 5, eta=math.inf), 1).gamma == 1.0


def test_mean_regret_is_below_the_bound():
    problem, T = bandit([0.5, 0.4, 0.4, 0.3, 0.2], eta=math.inf), 4096
    regret = [
        problem.play(exp3(problem, T), np.array([T]), 0, i, np.zeros(2, np.int64))[2]["regret"][0] for i in range(20)
    ]
    bound = 2.0 * math.sqrt(math.e - 1.0) * math.sqrt(5 * T * math.log(5))
    assert np.mean(regret) < bound
    # control: without learning the regret is the uniform policy's, beyond the bound
    assert T * problem.gap.mean() > 1.1 * bound


def test_bad_input():
    with pytest.raises(ValueError, match="noise: gaussian"):
        exp3(bandit([0.5, 0.6], eta=math.inf, noise="gaussian"), 10)
    with pytest.raises(ValueError, match=r"gamma: 1\.5"):
        exp3(bandit([0.5, 0.6], eta=math.inf), 10, gamma=1.5)
