"""Feel-good Thompson sampling."""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.bandits.feel_good_thompson import feel_good_thompson
from banditlab.bandits.problem import bandit

MODELS = np.array([[0.3, 0.5, 0.8], [0.8, 0.5, 0.3], [0.3, 0.9, 0.3], [0.5, 0.5, 0.5]])


def test_weights_by_hand():
    problem = bandit([0.3, 0.8], eta=math.log(4.0))
    learner, pi = feel_good_thompson(problem, 10, models=[[0.0, 1.0], [0.5, 0.5]], s2=0.5, lam_fg=2.0), np.zeros(2)
    learner.update(1, 1, 1.0)
    # values log(5/2) / log 4 and 1/2; errors 0 and 1/4, at precision 1 / (2 s2) = 1
    assert learner.log_weight == pytest.approx([2.0 * math.log(2.5) / math.log(4.0), 1.0 - 0.25], rel=1e-14)
    learner.policy(2, pi, rng.stream(0, rng.LEARNER, 0))
    assert pi == pytest.approx([0.2, 0.8], rel=1e-14) or pi == pytest.approx([0.5, 0.5], rel=1e-14)


@pytest.mark.parametrize("eta", [3.0, math.inf])
def test_agrees_with_numpy_round_by_round(eta):
    rewards, s2, lam_fg = np.random.default_rng(0), 0.25, 0.1
    reference = np.array([0.2, 0.3, 0.5])
    problem = bandit(MODELS[0], eta=eta, reference=reference)
    learner, pi = feel_good_thompson(problem, 200, models=MODELS, s2=s2, lam_fg=lam_fg), np.zeros(3)
    own, other = rng.stream(0, rng.LEARNER, 0), rng.stream(0, rng.LEARNER, 0)
    if math.isinf(eta):
        value, policies = MODELS.max(axis=1), np.eye(3)[MODELS.argmax(axis=1)]
    else:
        w = reference * np.exp(eta * MODELS)
        value, policies = np.log(w.sum(axis=1)) / eta, w / w.sum(axis=1, keepdims=True)
    log_weight = np.zeros(4)
    for t in range(1, 201):
        weight = np.exp(log_weight - log_weight.max())
        drawn = int(np.searchsorted(np.cumsum(weight), rng.uniform(other) * weight.sum(), side="right"))
        learner.policy(t, pi, own)
        np.testing.assert_allclose(pi, policies[drawn], rtol=1e-12)
        a = rewards.choice(3, p=pi / pi.sum())
        r = float(rewards.random() < problem.mean[a])
        learner.update(t, a, r)
        log_weight += lam_fg * value - (r - MODELS[:, a]) ** 2 / (2 * s2)


def test_a_class_with_the_truth_ends_the_regret():
    problem, cut = bandit(MODELS[0], eta=5.0), np.array([500, 5000])
    control = np.zeros(2, np.int64)

    def regret(models):
        runs = [
            problem.play(feel_good_thompson(problem, 5000, models=models), cut, 0, i, control)[2]["regret"]
            for i in range(10)
        ]
        return np.mean(runs, axis=0)

    inside, outside = regret(MODELS), regret(MODELS[1:])
    assert inside[1] < 1.1 * inside[0]
    assert outside[1] > 5.0 * outside[0]  # control: without it the regret is linear


def test_default_class_does_not_know_the_instance():
    one = feel_good_thompson(bandit([0.2, 0.3], eta=1.0), 10)
    two = feel_good_thompson(bandit([0.7, 0.1], eta=1.0), 10)
    assert np.array_equal(one.models, two.models)
    assert one.models.shape == (256, 2)
    assert (one.models >= 0.0).all()
    assert (one.models <= 1.0).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"models": [0.5, 0.5]}, "models: expected shape"),
        ({"models": [[0.5]]}, "models: expected shape"),
        ({"models": [[0.5, math.nan]]}, "models: every mean"),
        ({"models": "many"}, "models: expected an"),
        ({"s2": 0.0}, "s2: 0"),
        ({"lam_fg": -1.0}, "lam_fg: -1"),
    ],
)
def test_bad_input(parameters, message):
    with pytest.raises((ValueError, TypeError), match=message):
        feel_good_thompson(bandit([0.2, 0.3], eta=1.0), 10, **parameters)
