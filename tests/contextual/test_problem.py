"""Contextual problems: by hand, against definitions, the measures, and what is refused in one line."""

import math

import numpy as np
import pytest
from scipy import optimize

from banditlab import bandits
from banditlab.contextual.kl_lin_greedy import kl_lin_greedy
from banditlab.contextual.loop import AVERAGED, REALISED
from banditlab.contextual.problem import Contextual, FContextual, linear, one_context, tabular

MEAN = np.array([[0.2, 0.9, 0.5], [0.6, 0.1, 0.3]])
REFERENCE = np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])


def test_two_contexts_by_hand():
    problem = tabular([[1.0, 0.0], [0.0, 1.0]], eta=math.log(2.0), law=[0.25, 0.75], reference=[0.5, 0.5])
    np.testing.assert_allclose(problem.optimal, [[2.0 / 3.0, 1.0 / 3.0], [1.0 / 3.0, 2.0 / 3.0]], rtol=1e-14)
    np.testing.assert_allclose(problem.log_optimal, np.log(problem.optimal), rtol=1e-14)
    assert problem.value == pytest.approx(math.log(1.5) / math.log(2.0), rel=1e-14)
    np.testing.assert_array_equal(problem.gap, [[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(problem.cumulative, [0.25, 1.0])
    np.testing.assert_array_equal(problem.behaviour, problem.reference)
    assert (problem.floor, problem.ceiling, problem.sigma) == (0.0, 1.0, 0.5)
    np.testing.assert_array_equal(problem.variance, np.zeros((2, 2)))
    assert problem.measure == AVERAGED


def test_a_linear_problem_by_hand():
    features = [[[1.0, 0.0], [0.0, -1.0]], [[0.6, 0.8], [0.0, 0.0]]]
    problem = linear(features, [3.0, 4.0], eta=1.0, spread=0.2, measure="realised")
    np.testing.assert_allclose(problem.mean, [[3.0, -4.0], [5.0, 0.0]], rtol=1e-15)
    assert (problem.radius, problem.sigma, problem.measure) == (5.0, 0.2, REALISED)
    assert (problem.floor, problem.ceiling) == (-4.0, pytest.approx(5.0, rel=1e-15))
    np.testing.assert_allclose(problem.variance, 0.04, rtol=1e-15)
    assert linear(features, [3.0, 4.0], eta=1.0, radius=7.0).radius == 7.0
    assert problem.burn_in == 8


def test_known_bounds_are_numbers_at_every_eta():
    for eta in (1e-3, 5.0, math.inf):
        problem = tabular(MEAN, eta=eta)
        assert (type(problem.floor), type(problem.ceiling)) == (float, float)
        assert (problem.floor, problem.ceiling) == (0.0, 1.0)
        assert tabular(MEAN, eta=eta, floor=-1.0, ceiling=3.0).ceiling == 3.0


def test_one_context_is_the_bandit():
    bandit = bandits.bandit([0.2, 0.5, 0.7], eta=3.0, reference=[0.5, 0.3, 0.2])
    problem = one_context(bandit, behaviour=[0.0, 0.5, 0.5])
    assert problem.mean.shape == (1, 3)
    np.testing.assert_allclose(problem.optimal[0], bandit.optimal, rtol=1e-14)
    assert problem.value == pytest.approx(bandit.value, rel=1e-14)
    np.testing.assert_array_equal(problem.behaviour, [[0.0, 0.5, 0.5]])


def value_of(problem, policy):
    """J(pi) from its definition: KL, or half the chi^2 divergence."""
    ratio = policy / problem.reference
    kl = problem.regularizer_name == "kl"
    f = ratio * np.log(np.maximum(ratio, 1e-300)) if kl else 0.5 * (ratio - 1.0) ** 2
    penalty = (problem.reference * f).sum(axis=1) / problem.eta if problem.eta < math.inf else 0.0
    return float(problem.law @ ((policy * problem.mean).sum(axis=1) - penalty))


@pytest.mark.parametrize("name", ["kl", "chi2"])
@pytest.mark.parametrize("eta", [0.1, 3.0])
def test_optimum_is_that_of_a_general_solver(name, eta):
    problem = tabular(MEAN, eta=eta, law=[0.3, 0.7], reference=REFERENCE, regularizer=name)
    assert type(problem) is (Contextual if name == "kl" else FContextual)
    assert value_of(problem, problem.optimal) == pytest.approx(problem.value, rel=1e-13)
    found = optimize.minimize(
        lambda x: -value_of(problem, x.reshape(2, 3)),
        REFERENCE.ravel(),
        bounds=[(0.0, 1.0)] * 6,
        constraints={"type": "eq", "fun": lambda x: x.reshape(2, 3).sum(axis=1) - 1.0},
        options={"ftol": 1e-14, "maxiter": 500},
        method="SLSQP",
    )
    assert -found.fun == pytest.approx(problem.value, rel=1e-8)
    np.testing.assert_allclose(found.x.reshape(2, 3), problem.optimal, atol=1e-4)


@pytest.mark.parametrize("name", ["kl", "chi2"])
@pytest.mark.parametrize("eta", [0.1, 3.0, math.inf])
def test_suboptimality_is_the_difference_of_values(name, eta):
    problem, g = tabular(MEAN, eta=eta, law=[0.3, 0.7], reference=REFERENCE, regularizer=name), np.random.default_rng(0)
    for policy in [*g.dirichlet(np.ones(3), size=(5, 2)), np.eye(3)[[1, 0]], np.eye(3)[[0, 1]]]:
        assert problem.suboptimality(policy) == pytest.approx(
            problem.value - value_of(problem, policy), rel=1e-11, abs=1e-13
        )
    assert abs(problem.suboptimality(problem.optimal)) < 1e-14


def test_suboptimality_under_kl_is_the_divergence_from_the_optimum():
    problem = tabular(MEAN, eta=3.0, law=[0.3, 0.7], reference=REFERENCE)
    policy = np.random.default_rng(1).dirichlet(np.ones(3), size=2)
    kl = (policy * np.log(policy / problem.optimal)).sum(axis=1)
    assert problem.suboptimality(policy) == pytest.approx(float(problem.law @ kl) / 3.0, rel=1e-12)


def test_a_far_optimum_keeps_its_logarithms():
    problem = tabular([[0.0, 1.0]], eta=5000.0)
    assert problem.optimal[0, 0] == 0.0
    np.testing.assert_allclose(problem.log_optimal, [[-5000.0, 0.0]], rtol=1e-14, atol=1e-300)
    assert problem.suboptimality([[1.0, 0.0]]) == pytest.approx(1.0, rel=1e-12)


def test_summary_and_failure():
    assert tabular(MEAN, eta=3.0).summary == "bernoulli contextual bandit, S = 2, K = 3, eta = 3"
    problem = linear(np.full((2, 3, 1), 0.5), [1.0], eta=3.0, regularizer="alpha", alpha=1.5, measure="realised")
    assert problem.summary == (
        "gaussian linear bandit, d = 1, S = 2, K = 3, eta = 3, regularizer alpha 1.5, gap at the context drawn"
    )
    assert "not a distribution" in problem.failure(3)


def test_a_learner_is_checked_before_anything_is_compiled():
    problem = tabular(MEAN, eta=3.0)
    with pytest.raises(TypeError, match=r"has no verb `policy\(t, x, pi, rng\)`|expected a typing.NamedTuple"):
        problem.check(object())
    with pytest.raises(TypeError, match=r"`policy\(t, pi, rng\)` must be `policy\(t, x, pi, rng\)`"):
        problem.check(bandits.kl_thompson(bandits.bandit([0.1, 0.2], eta=1.0), 10))
    problem.check(kl_lin_greedy(linear(np.full((2, 3, 1), 0.5), [1.0], eta=3.0), 10))


GOOD = {"mean": MEAN, "eta": 3.0}
BAD = [
    ({"mean": [[0.2, 1.5]]}, r"mean\[0, 1\]: 1.5 is not allowed, Bernoulli rewards need means in \[0, 1\]"),
    ({"mean": [[0.2, math.nan]]}, r"mean\[0, 1\]: nan is not allowed"),
    ({"mean": "high"}, "mean: expected a table"),
    ({"eta": 0.0}, "eta: 0 is not in"),
    ({"law": [0.5, 0.6]}, "law: sums to 1.1"),
    ({"law": [1.0, 0.0]}, r"law\[1\]: 0 is not allowed"),
    ({"law": [1.0]}, "law: expected 2 entries"),
    ({"reference": [0.5, 0.5, 0.0]}, r"reference\[0, 2\]: 0 is not allowed"),
    ({"reference": [0.5, 0.5]}, r"reference: expected shape \(2, 3\)"),
    ({"behaviour": [0.5, 0.6, 0.0]}, r"behaviour\[0\]: sums to 1.1"),
    ({"behaviour": [-0.5, 1.5, 0.0]}, r"behaviour\[0, 0\]: -0.5 is not allowed"),
    ({"noise": "gauss"}, "noise: 'gauss' is unknown; did you mean gaussian"),
    ({"measure": "averaged"}, "measure: 'averaged' is unknown; did you mean average"),
    ({"regularizer": "chi"}, "'chi' is unknown"),
    ({"spread": 0.0, "noise": "gaussian"}, "spread: 0 is not in"),
    ({"ceiling": 0.5}, "ceiling: 0.5 is not in"),
    ({"floor": 0.5}, "floor: 0.5 is not in"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_tables(change, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        tabular(**GOOD | change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("features", "options", "message"),
    [
        (np.ones((2, 3, 2)), {}, r"features: a norm of 1.41421 is not allowed, must be at most 1"),
        (np.ones((2, 3, 1)), {}, r"features: expected shape \(S, K, d\) with d = 2"),
        (np.full((2, 3, 2), math.nan), {}, "features: every entry must be finite"),
        ("many", {}, "features: expected an"),
        (np.full((2, 3, 2), 0.5), {"radius": 0.1}, "radius: 0.1 is not in"),
    ],
)
def test_bad_features(features, options, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        linear(features, [0.5, 0.5], eta=1.0, **options)
    assert "\n" not in str(caught.value)


def test_a_policy_that_is_none_is_refused():
    problem = tabular(MEAN, eta=3.0)
    with pytest.raises(ValueError, match=r"policy: expected shape \(2, 3\)"):
        problem.suboptimality(np.full((3, 3), 1.0 / 3.0))
    with pytest.raises(ValueError, match=r"policy\[1\]: sums to 1.5"):
        problem.suboptimality([[1.0, 0.0, 0.0], [0.5, 0.5, 0.5]])
