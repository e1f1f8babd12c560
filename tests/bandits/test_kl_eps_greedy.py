"""Epsilon-greedy around the Gibbs policy."""

import math

import numpy as np
import pytest

from banditlab.bandits.kl_eps_greedy import kl_eps_greedy
from banditlab.bandits.problem import bandit


def test_first_rounds_by_hand():
    learner, pi = kl_eps_greedy(bandit([0.5, 0.5], eta=math.log(4.0)), 10), np.zeros(2)
    learner.policy(1, pi, None)
    assert pi.tolist() == [0.5, 0.5]
    learner.update(1, 0, 0.0)
    learner.policy(8, pi, None)  # Gibbs (1/5, 4/5), share 2/8
    assert pi == pytest.approx([0.75 * 0.2 + 0.125, 0.75 * 0.8 + 0.125], rel=1e-15)


@pytest.mark.parametrize(("eta", "epsilon"), [(5.0, 1.0), (300.0, 0.3), (math.inf, 2.0), (5.0, 0.0)])
def test_agrees_with_numpy_round_by_round(eta, epsilon):
    rng, K = np.random.default_rng(0), 5
    reference = np.array([0.1, 0.3, 0.2, 0.15, 0.25])
    problem = bandit(np.linspace(0.3, 0.7, K), eta=eta, reference=reference)
    learner, pi = kl_eps_greedy(problem, 500, epsilon=epsilon), np.zeros(K)
    N, S = np.zeros(K), np.zeros(K)
    for t in range(1, 501):
        mean = np.where(N > 0, S / np.maximum(N, 1), 1.0)
        if math.isinf(eta):
            gibbs = np.eye(K)[mean.argmax()]
        else:
            w = reference * np.exp(eta * (mean - mean.max()))
            gibbs = w / w.sum()
        share = min(1.0, epsilon * K / t)
        learner.policy(t, pi, None)
        np.testing.assert_allclose(pi, (1.0 - share) * gibbs + share / K, rtol=1e-12, atol=1e-300)
        a = rng.choice(K, p=pi)
        r = float(rng.random() < problem.mean[a])
        learner.update(t, a, r)
        N[a] += 1.0
        S[a] += r


def test_bad_epsilon():
    with pytest.raises(ValueError, match="epsilon: -1"):
        kl_eps_greedy(bandit([0.5, 0.6], eta=1.0), 10, epsilon=-1.0)
