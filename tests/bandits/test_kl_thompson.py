"""KL-regularized Thompson sampling."""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.bandits.kl_eps_greedy import kl_eps_greedy
from banditlab.bandits.kl_thompson import kl_thompson
from banditlab.bandits.problem import bandit


def test_an_unseen_arm_has_the_ceiling():
    learner, pi = kl_thompson(bandit([0.5, 0.5], eta=math.log(4.0)), 10, s2=0.0), np.zeros(2)
    learner.update(1, 0, 0.0)
    learner.policy(2, pi, rng.stream(0, rng.LEARNER, 0))
    assert pi == pytest.approx([0.2, 0.8], rel=1e-15)


@pytest.mark.parametrize("eta", [5.0, math.inf])
def test_agrees_with_numpy_on_the_same_normals(eta):
    rewards, K, s2 = np.random.default_rng(0), 4, 0.25
    problem = bandit(np.linspace(0.3, 0.7, K), eta=eta, reference=[0.1, 0.2, 0.3, 0.4])
    learner, pi = kl_thompson(problem, 300, s2=s2), np.zeros(K)
    own, other = rng.stream(0, rng.LEARNER, 0), rng.stream(0, rng.LEARNER, 0)
    N, S = np.zeros(K), np.zeros(K)
    for t in range(1, 301):
        draw = [S[a] / N[a] + math.sqrt(s2 / N[a]) * rng.normal(other) if N[a] else 1.0 for a in range(K)]
        if math.isinf(eta):
            expected = np.eye(K)[np.argmax(draw)]
        else:
            w = problem.reference * np.exp(eta * (np.array(draw) - max(draw)))
            expected = w / w.sum()
        learner.policy(t, pi, own)
        np.testing.assert_allclose(pi, expected, rtol=1e-12)
        a = rewards.choice(K, p=pi / pi.sum())
        r = float(rewards.random() < problem.mean[a])
        learner.update(t, a, r)
        N[a] += 1.0
        S[a] += r


def test_without_variance_it_is_greedy():
    problem, cut = bandit([0.3, 0.5, 0.8], eta=4.0), np.array([5, 500])
    play = [
        problem.play(learner, cut, 0, 1, np.zeros(2, np.int64))[2]["regret"]
        for learner in (
            kl_thompson(problem, 500, s2=0.0),
            kl_eps_greedy(problem, 500, epsilon=0.0),
            kl_thompson(problem, 500),
        )
    ]
    assert np.array_equal(play[0], play[1])
    assert not np.array_equal(play[0], play[2])


def test_bad_s2():
    with pytest.raises(ValueError, match="s2: -1"):
        kl_thompson(bandit([0.5, 0.6], eta=1.0), 10, s2=-1.0)
