"""KL-UCB over a finite class: its version space by hand and by brute force, the truth in it, and the regret."""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.contextual.finite_class import finite_class
from banditlab.contextual.kl_eluder_ucb import kl_eluder_ucb
from banditlab.contextual.problem import tabular

TABLES = np.random.default_rng(0).random((40, 3, 4))


def instance(noise="bernoulli", spread=1.0):
    return tabular(TABLES[0], eta=4.0, noise=noise, spread=spread)


def test_one_observation_by_hand():
    problem, pi, own = tabular([[0.5, 0.5]], eta=math.log(4.0)), np.zeros(2), rng.stream(0, 1, 0)
    learner = kl_eluder_ucb(problem, 10, models=[[[1.0, 0.0]], [[0.0, 0.5]]], delta=0.5)
    assert learner.slack == pytest.approx(2.0 * 0.25 * math.log(2.0 / 0.5), rel=1e-15)  # 0.69
    learner.policy(1, 0, pi, own)
    np.testing.assert_allclose(pi, [2.0 / 3.0, 1.0 / 3.0], rtol=1e-14)  # upper values 1 and 1/2
    learner.update(1, 0, 0, 1.0)  # losses 0 and 1: the second table leaves
    learner.policy(2, 0, pi, own)
    np.testing.assert_allclose(pi, [0.8, 0.2], rtol=1e-14)
    learner.update(2, 0, 0, 0.0)  # losses 1 and 1: it comes back
    learner.policy(3, 0, pi, own)
    np.testing.assert_allclose(pi, [2.0 / 3.0, 1.0 / 3.0], rtol=1e-14)


def replay(learner, problem, rounds, seed, look):
    """Play in Python; `look` sees every round's contexts, arms and rewards so far."""
    g, pi, log = np.random.default_rng(seed), np.zeros(4), []
    for t in range(1, rounds + 1):
        s = int(g.integers(3))
        learner.policy(t, s, pi, rng.stream(0, 1, 0))
        look(t, s, pi, log)
        a = int(g.choice(4, p=pi / pi.sum()))
        r = float(g.random() < problem.mean[s, a])
        learner.update(t, s, a, r)
        log.append((s, a, r))


def test_version_space_and_policy_are_those_of_brute_force():
    problem, sizes = instance(), []
    learner = kl_eluder_ucb(problem, 400, models=TABLES, scale=0.3)

    def look(t, s, pi, log):
        if t % 7 and t > 30:
            return
        loss = np.zeros(40)
        for x, a, r in log:
            loss += (r - TABLES[:, x, a]) ** 2
        inside = loss - loss.min() <= 0.3 * 0.5 * math.log(40 / 0.01)
        w = np.exp(4.0 * TABLES[inside][:, s].max(axis=0))
        np.testing.assert_allclose(pi, w / w.sum(), rtol=1e-12)
        np.testing.assert_array_equal(learner.inside > 0.0, inside)
        sizes.append(int(inside.sum()))

    replay(learner, problem, 400, 0, look)
    assert sizes[0] == 40 and 1 <= sizes[-1] < 10


def test_version_space_holds_the_truth_and_the_index_is_above_it():
    """The theorem allows one failure in 100 runs; none is seen in 30, and with a hundredth of beta^2 half fail."""
    problem = instance()

    def failures(scale):
        failed = []

        def look(t, s, pi, log):
            below = learner.upper[s] < problem.mean[s] - 1e-15
            held.append(learner.inside[0] > 0.0)
            assert not (held[-1] and below.any())

        for seed in range(30):
            held = []
            learner = kl_eluder_ucb(problem, 100, models=TABLES, scale=scale)
            replay(learner, problem, 100, seed, look)
            failed.append(not all(held))
        return sum(failed)

    assert failures(1.0) == 0
    assert failures(0.01) > 15


def test_regret_is_constant_with_the_truth_and_linear_without():
    problem, cut, control = instance(), np.array([500, 1000, 10_000]), np.zeros(2, np.int64)

    def regret(models):
        return np.mean(
            [
                problem.play(kl_eluder_ucb(problem, 10_000, models=models), cut, 0, i, control)[2]["regret"]
                for i in range(8)
            ],
            axis=0,
        )

    inside, outside = regret(TABLES), regret(TABLES[1:])
    assert inside[2] < 1.1 * inside[1]
    assert outside[2] > 5.0 * outside[1]


def test_both_measures_have_the_same_mean_regret():
    """40 replications of 300 rounds on the same worlds: the mean difference within four standard errors."""
    out = []
    for measure in ("average", "realised"):
        problem = tabular(TABLES[0], eta=4.0, measure=measure, law=[0.5, 0.3, 0.2])
        runs = (kl_eluder_ucb(problem, 300, models=TABLES) for _ in range(40))
        out.append(
            [problem.play(x, np.array([300]), 0, i, np.zeros(2, np.int64))[2]["regret"][0] for i, x in enumerate(runs)]
        )
    difference = np.diff(out, axis=0)[0]
    assert 0.0 < abs(difference.mean()) < 4.0 * difference.std(ddof=1) / math.sqrt(40)


def test_default_class_does_not_know_the_instance():
    one, two = (kl_eluder_ucb(tabular(m, eta=1.0), 10) for m in ([[0.2, 0.3]], [[0.7, 0.1]]))
    np.testing.assert_array_equal(one.models, two.models)
    assert one.models.shape == (1, 2, 256)
    wide = finite_class(tabular([[0.0]], eta=1.0, noise="gaussian", floor=-3.0, ceiling=5.0), None)
    assert -3.0 <= wide.min() < -2.8 and 4.8 < wide.max() <= 5.0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"models": TABLES[0]}, r"models: expected shape \(M, 3, 4\)"),
        ({"models": TABLES[:, :, :3]}, r"models: expected shape \(M, 3, 4\)"),
        ({"models": TABLES[:0]}, r"models: expected shape \(M, 3, 4\)"),
        ({"models": np.where(TABLES > 0.9, np.nan, TABLES)}, "models: every mean"),
        ({"models": "many"}, "models: expected an"),
        ({"scale": -1.0}, "scale: -1 is not in"),
        ({"delta": 0.0}, "delta: 0 is not in"),
    ],
)
def test_bad_input(parameters, message):
    with pytest.raises((ValueError, TypeError), match=message):
        kl_eluder_ucb(instance(), 10, **parameters)


def test_another_regularizer():
    with pytest.raises(ValueError, match="regularizer: kl_eluder_ucb needs 'kl'"):
        kl_eluder_ucb(tabular(TABLES[0], eta=4.0, regularizer="chi2"), 10)
