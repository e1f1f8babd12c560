"""Thompson sampling with Beta posteriors."""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.bandits.problem import bandit
from banditlab.bandits.thompson_beta import _gamma, thompson_beta


def test_first_round_is_uniform_over_the_arms():
    problem, pi, state = bandit([0.1, 0.5, 0.9], eta=math.inf), np.zeros(3), rng.stream(0, rng.LEARNER, 0)
    count = np.zeros(3)
    for _ in range(3000):
        learner = thompson_beta(problem, 10)
        learner.policy(1, pi, state)
        assert np.array_equal(pi, np.eye(3)[pi.argmax()])
        count += pi
    # standard deviation of a count: sqrt(3000 / 3 * 2 / 3) = 26; four of them
    assert abs(count - 1000).max() < 104


def test_plays_the_argmax_of_the_package_s_beta_draws():
    rewards, K, T = np.random.default_rng(0), 5, 2000
    problem = bandit(np.linspace(0.1, 0.9, K), eta=math.inf)
    learner, pi = thompson_beta(problem, T), np.zeros(K)
    own, other = rng.stream(3, rng.LEARNER, 1), rng.stream(3, rng.LEARNER, 1)
    N, S = np.zeros(K), np.zeros(K)
    for t in range(1, T + 1):
        learner.policy(t, pi, own)
        a = int(np.argmax([rng.beta(other, 1.0 + S[b], 1.0 + N[b] - S[b]) for b in range(K)]))
        assert np.array_equal(pi, np.eye(K)[a])
        r = float(rewards.random() < problem.mean[a])
        learner.update(t, a, r)
        N[a] += 1.0
        S[a] += r
    assert np.array_equal(own, other)


@pytest.mark.parametrize("shape", [1.0, 1.5, 7.0, 3e4])
def test_the_closer_squeeze_accepts_the_same_proposals(shape):
    own, other = rng.stream(0, rng.LEARNER, 0), rng.stream(0, rng.LEARNER, 0)
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    for _ in range(20_000):
        assert _gamma(own, d, c) == rng.gamma(other, shape)
    assert np.array_equal(own, other)


def test_gaussian_rewards_are_refused():
    with pytest.raises(ValueError, match="noise: gaussian"):
        thompson_beta(bandit([0.5, 0.6], eta=math.inf, noise="gaussian"), 10)
