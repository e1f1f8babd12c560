"""MOSS."""

import math

import numpy as np

from banditlab.bandits.moss import moss
from banditlab.bandits.problem import bandit


def test_first_rounds_by_hand():
    learner, pi = moss(bandit([0.5, 0.5], eta=math.inf), 6), np.full(2, 7.0)
    for t, arm, r in ((1, 0, 1.0), (2, 1, 0.0), (3, 0, 0.0)):
        learner.policy(t, pi, None)
        assert pi.tolist() == [1.0 - arm, 1.0 * arm]
        learner.update(t, arm, r)
    # 1/2 + sqrt(log(6/4) / 2) = 0.950 against sqrt(log(6/2)) = 1.048
    learner.policy(4, pi, None)
    assert pi.tolist() == [0.0, 1.0]


def test_agrees_with_numpy_round_by_round():
    rng, K, T = np.random.default_rng(0), 7, 2000
    learner, pi = moss(bandit(np.linspace(0.2, 0.8, K), eta=math.inf), T), np.zeros(K)
    N, S = np.zeros(K), np.zeros(K)
    for t in range(1, T + 1):
        with np.errstate(divide="ignore", invalid="ignore"):
            index = np.where(N > 0, S / N + np.sqrt(np.maximum(0.0, np.log(T / (K * N))) / N), np.inf)
        learner.policy(t, pi, None)
        assert np.array_equal(pi, np.eye(K)[index.argmax()])
        a = int(pi.argmax())
        r = float(rng.random() < 0.2 + 0.1 * a)
        learner.update(t, a, r)
        N[a] += 1.0
        S[a] += r


def test_an_arm_pulled_more_than_its_share_has_no_bonus():
    learner = moss(bandit([0.5, 0.5], eta=math.inf), 20)
    for t in range(1, 11):
        learner.update(t, 0, 0.5)
    assert learner.score[0] == 0.5
    assert learner.score[1] == math.inf


def test_regret_is_below_the_minimax_rate():
    problem, T = bandit([0.5, 0.4, 0.4, 0.3, 0.2], eta=math.inf), 4096
    regret = [
        problem.play(moss(problem, T), np.array([T]), 0, i, np.zeros(2, np.int64))[2]["regret"][0] for i in range(20)
    ]
    # 25 sqrt(K T) is vacuous at this size. In units of sqrt(K T): measured 0.52 +- 0.03, the uniform policy 4.0
    assert np.mean(regret) < math.sqrt(5 * T) < T * problem.gap.mean()
