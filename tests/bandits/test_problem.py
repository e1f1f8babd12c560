"""The bandit instance: a case by hand, the optimum against exact arithmetic, identities, and refusals in one line."""

import math
from decimal import Decimal, localcontext
from typing import NamedTuple

import numpy as np
import pytest

from banditlab import protocol, rng
from banditlab.bandits import loop
from banditlab.bandits.kl_ucb import kl_ucb
from banditlab.bandits.problem import FORMS, bandit
from banditlab.jit import check_verbs


def value(problem, pi):
    """J(pi) = <pi, r> - KL(pi || pi_ref) / eta."""
    seen = pi > 0.0
    kl = math.fsum(pi[seen] * np.log(pi[seen] / problem.reference[seen]))
    return math.fsum(pi * problem.mean) - (kl / problem.eta if problem.eta < math.inf else 0.0)


# By hand


def test_two_arms_by_hand():
    # eta = log 4, r = (1, 1/2): weights 4 : 2 over the reference (1/3, 2/3), so pi* = (1/2, 1/2) and Z = 8/3.
    problem = bandit([1.0, 0.5], eta=math.log(4.0), reference=[1.0 / 3.0, 2.0 / 3.0])
    np.testing.assert_allclose(problem.optimal, [0.5, 0.5], rtol=1e-14)
    np.testing.assert_allclose(problem.log_optimal, np.log([0.5, 0.5]), rtol=1e-14)
    assert problem.value == pytest.approx(math.log(8.0 / 3.0) / math.log(4.0), rel=1e-14)
    np.testing.assert_array_equal(problem.gap, [0.0, 0.5])
    assert problem.ceiling == 1.0 and problem.noise == protocol.BERNOULLI
    np.testing.assert_allclose(problem.variance, [0.0, 0.25])


def test_unregularized_optimum_is_the_first_best_arm():
    problem = bandit([0.2, 0.7, 0.7], eta=math.inf)
    np.testing.assert_array_equal(problem.optimal, [0.0, 1.0, 0.0])
    assert problem.value == 0.7
    np.testing.assert_allclose(problem.gap, [0.5, 0.0, 0.0], rtol=1e-15)


def test_noise_models_by_hand():
    gaussian = bandit([0.5, 2.0, -1.0], eta=1.0, noise="gaussian", spread=3.0)
    np.testing.assert_array_equal(gaussian.variance, [9.0, 9.0, 9.0])
    assert gaussian.ceiling == 2.0
    assert bandit([0.5], eta=1.0, noise="gaussian", ceiling=4.0).ceiling == 4.0
    beta = bandit([0.2, 0.5], eta=1.0, noise="beta", spread=3.0)  # Beta(0.6, 2.4), Beta(1.5, 1.5)
    np.testing.assert_allclose(beta.variance, [0.16 / 4.0, 0.25 / 4.0], rtol=1e-15)


# Oracles and identities


@pytest.mark.parametrize("eta", [1e-3, 0.1, 5.0, 300.0, 1e4])
def test_optimum_agrees_with_exact_arithmetic(eta):
    generator = np.random.default_rng(0)
    for K in (1, 2, 50):
        reference = generator.dirichlet(np.ones(K))
        problem = bandit(generator.uniform(size=K), eta=eta, reference=reference)
        with localcontext(prec=60):
            weights = [
                Decimal(float(p)) * (Decimal(eta) * Decimal(float(r))).exp()
                for p, r in zip(problem.reference, problem.mean, strict=True)
            ]
            log_z = sum(weights).ln()
            log_optimal = [float(w.ln() - log_z) for w in weights]
            best = float(log_z / Decimal(eta))
        np.testing.assert_allclose(problem.log_optimal, log_optimal, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(problem.optimal, np.exp(log_optimal), rtol=1e-11, atol=1e-300)
        assert problem.value == pytest.approx(best, rel=1e-12)
        assert abs(problem.optimal.sum() - 1.0) < 1e-12


@pytest.mark.parametrize("eta", [0.1, 1.0, 20.0])
def test_gap_of_any_policy_is_its_divergence_from_the_optimum(eta):
    generator = np.random.default_rng(1)
    problem = bandit(generator.uniform(size=6), eta=eta, reference=generator.dirichlet(np.ones(6)))
    for _ in range(20):
        pi = generator.dirichlet(np.ones(6))
        gap = problem.value - value(problem, pi)
        kl = math.fsum(pi * (np.log(pi) - problem.log_optimal))
        assert gap == pytest.approx(kl / eta, rel=1e-10)
        assert gap > 0.0


def test_variances_are_those_of_the_rewards_drawn():
    n = 4000
    for noise, spread in (("bernoulli", 1.0), ("gaussian", 0.7), ("beta", 3.0)):
        problem = bandit([0.3], eta=1.0, noise=noise, spread=spread)
        state = rng.stream(0, rng.ENVIRONMENT, 0)
        spare = np.zeros(4, np.uint64)
        x = np.array([loop.draw_reward(problem.noise, 0.3, problem.spread, state, spare) for _ in range(n)])
        deviation = x - 0.3
        fourth = np.mean(deviation**4)
        assert abs(deviation.mean()) < 4.0 * math.sqrt(problem.variance[0] / n)
        error = math.sqrt((fourth - problem.variance[0] ** 2) / n)
        assert abs(np.mean(deviation**2) - problem.variance[0]) < 4.0 * error
        assert abs(np.mean(deviation**2) - 1.3 * problem.variance[0]) > 4.0 * error  # control


def test_arrays_are_fresh_and_ready_for_kernels():
    mean, reference = np.array([0.5, 0.1, 0.9, 0.2])[::2], np.array([0.5, 0.5])
    reference.flags.writeable = False
    problem = bandit(mean, eta=5, reference=reference)
    for name in ("mean", "reference", "gap", "log_optimal", "optimal"):
        x = getattr(problem, name)
        assert x.dtype == np.float64 and x.flags.c_contiguous and x.flags.writeable, name
        assert not np.shares_memory(x, mean) and not np.shares_memory(x, reference), name
    assert type(problem.eta) is float and type(problem.ceiling) is float and type(problem.spread) is float
    assert type(problem.noise) is int and type(problem.value) is float
    mean[0] = 7.0
    assert problem.mean[0] == 0.5


def test_play_is_a_function_of_its_arguments():
    problem = bandit([0.3, 0.6, 0.5], eta=4.0)
    checkpoints = np.array([10, 500], dtype=np.int64)

    def played(seed, replication):
        learner = kl_ucb(problem, 500)
        status, t, channels = problem.play(learner, checkpoints, seed, replication, np.zeros(2, np.int64))
        assert (status, t) == (loop.DONE, 500)
        assert set(channels) == {"regret", "pseudo_regret"}
        return np.concatenate((channels["regret"], channels["pseudo_regret"]))

    np.testing.assert_array_equal(played(1, 2), played(1, 2))
    assert (played(1, 2) != played(1, 3)).all()
    assert (played(1, 2) != played(2, 2)).all()


# Refusals

BAD = [
    ({"eta": 0.0}, ValueError, "eta: 0 "),
    ({"eta": -1.0}, ValueError, "eta: -1 "),
    ({"eta": math.nan}, ValueError, "eta: nan "),
    ({"eta": None}, TypeError, "eta: .*None"),
    ({"eta": "five"}, TypeError, "eta: .*'five'"),
    ({"reference": [0.5, 0.4]}, ValueError, "reference: sums to 0.9"),
    ({"reference": [1.0, 0.0]}, ValueError, r"reference\[1\]: 0 "),
    ({"reference": [1.5, -0.5]}, ValueError, r"reference\[1\]: -0.5 "),
    ({"reference": [0.3, 0.3, 0.4]}, ValueError, "reference: .* 2 .* 3"),
    ({"mean": [0.5, 1.2]}, ValueError, r"mean\[1\]: 1.2 .*\[0, 1\]"),
    ({"mean": [-0.1, 1.0]}, ValueError, r"mean\[0\]: -0.1 .*\[0, 1\]"),
    ({"mean": [0.5, math.nan]}, ValueError, r"mean\[1\]: nan "),
    ({"mean": []}, ValueError, "mean: .*at least one"),
    ({"mean": [[0.5, 0.5]]}, ValueError, r"mean: .*\(1, 2\)"),
    ({"mean": "ab"}, TypeError, "mean: "),
    ({"mean": [0.5, math.inf], "noise": "gaussian"}, ValueError, r"mean\[1\]: inf "),
    ({"mean": [0.5, 1.0], "noise": "beta"}, ValueError, "mean: Beta"),
    ({"noise": "gausian"}, ValueError, "noise: 'gausian' .*gaussian"),
    ({"noise": "gaussian", "spread": 0.0}, ValueError, "spread: 0 "),
    ({"noise": "gaussian", "spread": math.inf}, ValueError, "spread: .*inf"),
    ({"noise": "beta", "spread": -2}, ValueError, "spread: -2 "),
    ({"ceiling": 0.55}, ValueError, r"ceiling: 0.55 .*\[0.6"),
    ({"ceiling": math.inf}, ValueError, "ceiling: .*inf"),
]


@pytest.mark.parametrize(("change", "kind", "message"), BAD)
def test_bad_input_is_refused_in_one_line_that_names_it(change, kind, message):
    good = {"mean": [0.4, 0.6], "eta": 5.0}
    bandit(**good)
    with pytest.raises(kind, match=message) as caught:
        bandit(**{**good, **change})
    assert "\n" not in str(caught.value)


class State(NamedTuple):
    x: float


def learner_class(**verbs):
    return type("Own", (State,), {"__slots__": (), **verbs})


VERBS = [
    ({"index": lambda self, a, t: 0.0, "update": lambda self, t, a, r: None}, "an index rule"),
    ({"policy": lambda self, t, pi, rng: None, "update": lambda self, t, a, r: None}, "a general policy"),
]


@pytest.mark.parametrize(("verbs", "form"), VERBS)
def test_each_form_is_recognised_by_its_verbs(verbs, form):
    # Every tuple has a method `index`, which is no verb.
    assert check_verbs(learner_class(**verbs), FORMS) == form


BAD_VERBS = [
    ({}, r"learner Own has no verb `index\(a, t\)` or `policy\(t, pi, rng\)`"),
    ({"index": lambda self, a, t: 0.0}, r"learner Own has no verb `update\(t, a, r\)`, required of an index rule"),
    ({"policy": lambda self, t, pi, rng: None}, r"no verb `update\(t, a, r\)`, required of a general policy"),
    (
        {"index": lambda self, t, a: 0.0, "update": lambda self, t, a, r: None},
        r"learner Own: `index\(t, a\)` must be `index\(a, t\)`",
    ),
    (
        {"index": lambda self, a, t: 0.0, "update": lambda self, t, arm, reward: None},
        r"learner Own: `update\(t, arm, reward\)` must be `update\(t, a, r\)`",
    ),
    (
        {
            "index": lambda self, a, t: 0.0,
            "update": lambda self, t, a, r: None,
            "refresh": lambda self: True,
        },
        r"learner Own: `refresh\(\)` must be `refresh\(t\)`",
    ),
]


@pytest.mark.parametrize(("verbs", "message"), BAD_VERBS)
def test_a_learner_with_a_wrong_verb_is_refused_before_it_is_compiled(verbs, message):
    problem = bandit([0.4, 0.6], eta=5.0)
    with pytest.raises(TypeError, match=message) as caught:
        problem.play(learner_class(**verbs)(0.0), np.array([10]), 0, 0, np.zeros(2, np.int64))
    assert "\n" not in str(caught.value)


def test_a_learner_that_is_no_named_tuple_is_refused():
    problem = bandit([0.4, 0.6], eta=5.0)
    with pytest.raises(TypeError, match=r"expected a typing\.NamedTuple with verbs, got dict"):
        problem.play({}, np.array([10]), 0, 0, np.zeros(2, np.int64))
