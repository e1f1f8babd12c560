"""UCB1."""

import math

import numpy as np

from banditlab.bandits.problem import bandit
from banditlab.bandits.ucb1 import ucb1


def test_first_rounds_by_hand():
    learner, pi = ucb1(bandit([0.5, 0.5], eta=math.inf), 10), np.full(2, 7.0)
    for t, arm, r in ((1, 0, 1.0), (2, 1, 0.0), (3, 0, 0.0)):
        learner.policy(t, pi, None)
        assert pi.tolist() == [1.0 - arm, 1.0 * arm]
        learner.update(t, arm, r)
    # t = 4: 1/2 + sqrt(2 log 4 / 2) = 1.677 against sqrt(2 log 4) = 1.665
    learner.policy(4, pi, None)
    assert pi.tolist() == [1.0, 0.0]


def test_agrees_with_numpy_round_by_round():
    for sigma in (None, 0.3):
        noise = {} if sigma is None else {"noise": "gaussian", "spread": sigma}
        rng, K = np.random.default_rng(0), 7
        learner, pi = ucb1(bandit(np.linspace(0.2, 0.8, K), eta=math.inf, **noise), 2000), np.zeros(K)
        N, S = np.zeros(K), np.zeros(K)
        for t in range(1, 2001):
            with np.errstate(divide="ignore", invalid="ignore"):
                scale = 1.0 if sigma is None else 2.0 * sigma
                index = np.where(N > 0, S / N + scale * np.sqrt(2.0 * np.log(t) / N), np.inf)
            learner.policy(t, pi, None)
            # the lowest index wins ties, which rounding may split in this form
            assert np.array_equal(pi, np.eye(K)[(index >= index.max() - 1e-12).argmax()])
            a = int(pi.argmax())
            r = float(rng.random() < 0.2 + 0.1 * a) if sigma is None else 0.1 * a + sigma * rng.normal()
            learner.update(t, a, r)
            N[a] += 1.0
            S[a] += r


def test_regret_is_below_the_bound_of_auer_et_al():
    problem, T = bandit([0.5, 0.4, 0.4, 0.3, 0.2], eta=math.inf), 2**15
    gap = problem.gap[problem.gap > 0]
    bound = (8.0 * math.log(T) / gap + (1.0 + math.pi**2 / 3.0) * gap).sum()
    control = np.zeros(2, np.int64)
    regret = [problem.play(ucb1(problem, T), np.array([T]), 0, i, control)[2]["regret"][0] for i in range(10)]
    assert max(regret) < bound
    assert T * problem.gap.mean() > 1.5 * bound  # control: the uniform policy violates it
