"""IMED."""

import math

import numpy as np
import pytest
from scipy.special import rel_entr

from banditlab.bandits.imed import imed
from banditlab.bandits.problem import bandit


def test_first_rounds_by_hand():
    learner, pi = imed(bandit([0.5, 0.5], eta=math.inf), 10), np.full(2, 7.0)
    for t, arm, r in ((1, 0, 0.0), (2, 1, 1.0), (3, 1, 0.0)):
        learner.policy(t, pi, None)
        assert pi.tolist() == [1.0 - arm, 1.0 * arm]  # round 3: kl(0, 1) = inf against log 1
        learner.update(t, arm, r)
    # round 4: kl(0, 1/2) + log 1 = log 2 against 0 + log 2: a tie, to the lowest index
    learner.policy(4, pi, None)
    assert pi.tolist() == [1.0, 0.0]


def test_agrees_with_numpy_round_by_round():
    rng, K, T = np.random.default_rng(0), 7, 3000
    mean = np.linspace(0.05, 0.95, K)
    learner, pi = imed(bandit(mean, eta=math.inf), T), np.zeros(K)
    N, S = np.zeros(K), np.zeros(K)
    for t in range(1, T + 1):
        learner.policy(t, pi, None)
        a = int(pi.argmax())
        assert np.array_equal(pi, np.eye(K)[a])
        if (N == 0).any():
            assert a == int(np.flatnonzero(N == 0)[0])
        else:
            p = S / N
            index = N * (rel_entr(p, p.max()) + rel_entr(1 - p, 1 - p.max())) + np.log(N)
            assert a == int((index <= index.min() + 1e-9).argmax())
        r = float(rng.random() < mean[a])
        learner.update(t, a, r)
        N[a] += 1.0
        S[a] += r


def test_means_of_zero_and_one_are_finite_policies():
    for mean in ([0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0]):
        problem = bandit(mean, eta=math.inf)
        status, _, channels = problem.play(imed(problem, 50), np.array([50]), 0, 0, np.zeros(2, np.int64))
        assert status == 0
        assert channels["regret"][0] <= 1.0


def test_gaussian_rewards_are_refused():
    with pytest.raises(ValueError, match="noise: gaussian"):
        imed(bandit([0.5, 0.6], eta=math.inf, noise="gaussian"), 10)
