"""Mirror descent on importance-weighted rewards."""

import math

import numpy as np
import pytest

from banditlab.bandits.kl_mirror_descent import kl_mirror_descent
from banditlab.bandits.problem import bandit


def test_first_rounds_by_hand():
    learner, pi = kl_mirror_descent(bandit([0.5, 0.5], eta=math.log(2.0)), 10), np.zeros(2)
    learner.policy(1, pi, None)
    assert pi.tolist() == [0.5, 0.5]
    learner.update(1, 0, 1.0)  # estimate (2, 0): weights 4 to 1
    learner.policy(2, pi, None)
    assert pi == pytest.approx([0.8, 0.2], rel=1e-15)
    learner.update(2, 1, 1.0)  # estimate (2, 5) / 2: weights 2 to 2^{5/2}
    learner.policy(3, pi, None)
    assert pi == pytest.approx(np.array([2.0, 2.0**2.5]) / (2.0 + 2.0**2.5), rel=1e-14)


def test_it_is_the_mirror_recursion_with_step_one_over_t():
    rng, K, eta = np.random.default_rng(0), 4, 2.0
    reference = np.array([0.1, 0.2, 0.3, 0.4])
    problem = bandit(np.linspace(0.3, 0.7, K), eta=eta, reference=reference)
    learner, pi = kl_mirror_descent(problem, 1000), np.zeros(K)
    log_pi = np.log(reference)
    for t in range(1, 1001):
        learner.policy(t, pi, None)
        np.testing.assert_allclose(pi, np.exp(log_pi), rtol=1e-10)
        a = rng.choice(K, p=pi / pi.sum())
        r = float(rng.random() < problem.mean[a])
        learner.update(t, a, r)
        estimate = np.zeros(K)
        estimate[a] = r / pi[a]
        lam = 1.0 / t
        log_pi = (1.0 - lam) * log_pi + lam * (np.log(reference) + eta * estimate)
        log_pi -= np.log(np.exp(log_pi - log_pi.max()).sum()) + log_pi.max()


def test_the_estimate_is_unbiased():
    problem, n = bandit([0.3, 0.6], eta=1.0), 4000
    control, estimate = np.zeros(2, np.int64), np.zeros((n, 2))
    for i in range(n):
        learner = kl_mirror_descent(problem, 20)
        problem.play(learner, np.array([20]), 0, i, control)
        estimate[i] = learner.total / 20
    error = (estimate.mean(axis=0) - problem.mean) / (estimate.std(axis=0) / math.sqrt(n))
    assert abs(error).max() < 4.0  # standard errors
    assert (0.05 / (estimate.std(axis=0) / math.sqrt(n)) > 4.0).all()  # a bias of 0.05 would be seen
