"""Feel-good Thompson sampling over tables; `models` is checked in test_kl_eluder_ucb.py."""

import math

import numpy as np
import pytest

from banditlab import bandits, rng
from banditlab.contextual.feel_good_thompson import feel_good_thompson
from banditlab.contextual.problem import one_context, tabular

TABLES = np.random.default_rng(0).random((12, 3, 4))


def test_weights_by_hand():
    problem, own = tabular([[0.3, 0.8], [0.5, 0.5]], eta=math.log(4.0)), rng.stream(0, 1, 0)
    models, pi = [[[0.0, 1.0], [1.0, 1.0]], [[0.5, 0.5], [0.0, 0.0]]], np.zeros(2)
    learner = feel_good_thompson(problem, 10, models=models, s2=0.5, lam_fg=2.0)
    learner.update(1, 0, 1, 1.0)
    # values in context 0: log(5/2) / log 4 and 1/2; errors 0 and 1/4, at precision 1 / (2 s2) = 1
    np.testing.assert_allclose(learner.log_weight, [2.0 * math.log(2.5) / math.log(4.0), 1.0 - 0.25], rtol=1e-14)
    learner.policy(2, 0, pi, own)
    assert pi == pytest.approx([0.2, 0.8], rel=1e-14) or pi == pytest.approx([0.5, 0.5], rel=1e-14)


@pytest.mark.parametrize("eta", [3.0, math.inf])
def test_agrees_with_numpy_and_draws_once_a_round(eta):
    g, s2, lam_fg = np.random.default_rng(0), 0.25, 0.1
    reference = g.dirichlet(np.ones(4), size=3)
    problem = tabular(TABLES[0], eta=eta, reference=reference)
    learner, pi = feel_good_thompson(problem, 200, models=TABLES, s2=s2, lam_fg=lam_fg), np.zeros(4)
    own, other = rng.stream(0, rng.LEARNER, 0), rng.stream(0, rng.LEARNER, 0)
    if math.isinf(eta):
        value, policies = TABLES.max(axis=-1), np.eye(4)[TABLES.argmax(axis=-1)]
    else:
        w = reference * np.exp(eta * TABLES)
        value, policies = np.log(w.sum(axis=-1)) / eta, w / w.sum(axis=-1, keepdims=True)
    log_weight = np.zeros(12)
    for t in range(1, 201):
        weight = np.exp(log_weight - log_weight.max())
        drawn = int(np.searchsorted(np.cumsum(weight), rng.uniform(other) * weight.sum(), side="right"))
        for s in (1, 0, 2):
            learner.policy(t, s, pi, own)
            np.testing.assert_allclose(pi, policies[drawn, s], rtol=1e-12)
        s, a = int(g.integers(3)), int(g.integers(4))
        r = float(g.random() < problem.mean[s, a])
        learner.update(t, s, a, r)
        log_weight += lam_fg * value[:, s] - (r - TABLES[:, s, a]) ** 2 / (2 * s2)


def test_one_context_is_the_rule_of_bandits():
    models = TABLES[:, 0]
    bandit = bandits.bandit([0.2, 0.9, 0.4, 0.5], eta=5.0)
    contextual, pi, rho = one_context(bandit), np.zeros(4), np.zeros(4)
    one = bandits.feel_good_thompson(bandit, 100, models=models)
    two = feel_good_thompson(contextual, 100, models=models[:, None])
    own, other, g = rng.stream(0, 1, 0), rng.stream(0, 1, 0), np.random.default_rng(0)
    for t in range(1, 101):
        one.policy(t, pi, own)
        two.policy(t, 0, rho, other)
        np.testing.assert_array_equal(pi, rho)
        a, r = int(g.integers(4)), float(g.integers(2))
        one.update(t, a, r)
        two.update(t, 0, a, r)


def test_a_class_with_the_truth_ends_the_regret():
    problem, cut = tabular(TABLES[0], eta=5.0), np.array([1000, 10_000])

    def regret(models):
        learners = (feel_good_thompson(problem, 10_000, models=models) for _ in range(10))
        runs = [problem.play(x, cut, 0, i, np.zeros(2, np.int64))[2]["regret"] for i, x in enumerate(learners)]
        return np.mean(runs, axis=0)

    inside, outside = regret(TABLES), regret(TABLES[1:])
    assert inside[1] < 1.1 * inside[0]
    assert outside[1] > 5.0 * outside[0]  # control: without it the regret is linear


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"models": TABLES[0]}, r"models: expected shape \(M, 3, 4\)"),
        ({"s2": 0.0}, "s2: 0 is not in"),
        ({"lam_fg": -1.0}, "lam_fg: -1 is not in"),
    ],
)
def test_bad_input(parameters, message):
    with pytest.raises(ValueError, match=message):
        feel_good_thompson(tabular(TABLES[0], eta=5.0), 10, **parameters)


def test_another_regularizer():
    with pytest.raises(ValueError, match="regularizer: feel_good_thompson needs 'kl'"):
        feel_good_thompson(tabular(TABLES[0], eta=4.0, regularizer="chi2"), 10)
