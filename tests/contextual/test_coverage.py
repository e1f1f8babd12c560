"""Coverage coefficients: a case by hand, the suprema they stand for, and how they are ordered."""

import math

import numpy as np
import pytest

from banditlab.contextual import coverage
from banditlab.contextual.problem import linear, tabular


def random_problem(seed):
    rng = np.random.default_rng(seed)
    S, K = rng.integers(1, 5), rng.integers(2, 6)
    reference, behaviour = rng.dirichlet(np.full(K, 3.0), (2, S))
    law = rng.dirichlet(np.full(S, 3.0))
    return tabular(
        rng.random((S, K)), eta=10.0 ** rng.uniform(-1, 2), law=law, reference=reference, behaviour=behaviour
    )


def test_worked_by_hand():
    # pi* prop. to (1/2, 1/2) exp(eta r): odds e^(log 3) = 3, so pi* = (1/4, 3/4) in context 0 and (1/2, 1/2) in 1
    problem = tabular([[0.0, 1.0], [0.5, 0.5]], eta=math.log(3.0), law=[0.8, 0.2], behaviour=[[0.5, 0.5], [0.9, 0.1]])
    assert coverage.single_policy(problem) == pytest.approx(5.0, rel=1e-12)
    assert coverage.all_policy(problem) == pytest.approx(10.0, rel=1e-12)
    second = 0.8 * (1 / 16 + 9 / 16) * 2 + 0.2 * 0.25 * (1 / 0.9 + 10)
    assert coverage.second_moment(problem) == pytest.approx(second, rel=1e-12)
    np.testing.assert_allclose(coverage.d2(problem), [[2.5, 2.5], [1 / 0.18, 50.0]], rtol=1e-12)
    assert coverage.average_d2(problem) == pytest.approx(2.0 + 0.5 / 0.9 + 0.5 / 0.1, rel=1e-12)


def test_coefficients_are_ordered_on_random_instances():
    for seed in range(100):
        problem = random_problem(seed)
        S, K = problem.mean.shape
        second, single, every = (
            f(problem) for f in (coverage.second_moment, coverage.single_policy, coverage.all_policy)
        )
        assert 1.0 <= second * (1 + 1e-12) and second <= single * (1 + 1e-12) and single <= every
        ratio = (problem.optimal / problem.behaviour).sum()
        assert coverage.average_d2(problem) == pytest.approx(ratio, rel=1e-12)
        assert ratio <= S * K * single


def test_d2_is_the_supremum_over_pairs_of_tables():
    problem = random_problem(3)
    weight = problem.law[:, None] * problem.behaviour
    rng = np.random.default_rng(0)
    largest = np.zeros(weight.shape)
    for _ in range(2000):
        f = rng.standard_normal(weight.shape) ** 3
        largest = np.maximum(largest, f * f / (weight * f * f).sum())
    d2 = coverage.d2(problem)
    assert (largest <= d2 * (1 + 1e-12)).all() and (largest > 0.3 * d2).any()
    for pair in np.ndindex(*weight.shape):  # attained where the difference is at one pair
        f = np.zeros(weight.shape)
        f[pair] = 1.0
        assert d2[pair] == pytest.approx(1.0 / (weight * f * f).sum(), rel=1e-12)


def test_d2_is_the_supremum_over_linear_functions_and_attained_at_the_preimage():
    rng = np.random.default_rng(1)
    phi = rng.standard_normal((3, 4, 3))
    phi /= 2.0 * np.sqrt((phi**2).sum(axis=-1, keepdims=True))
    behaviour = rng.dirichlet(np.ones(4), 3)
    problem = linear(phi, [0.3, -0.2, 0.5], eta=2.0, law=[0.2, 0.3, 0.5], behaviour=behaviour)
    weight = problem.law[:, None] * problem.behaviour
    moment = np.einsum("sa,sai,saj->ij", weight, phi, phi)
    d2 = coverage.d2(problem)
    for _ in range(500):
        f = phi @ rng.standard_normal(3)
        assert (f * f / (weight * f * f).sum() <= d2 * (1 + 1e-12)).all()
    for s, a in np.ndindex(3, 4):
        f = phi @ np.linalg.solve(moment, phi[s, a])
        assert d2[s, a] == pytest.approx(f[s, a] ** 2 / (weight * f * f).sum(), rel=1e-10)


def test_one_hot_features_have_the_coefficients_of_a_table():
    table = random_problem(5)
    S, K = table.mean.shape
    one_hot = linear(
        np.eye(S * K).reshape(S, K, S * K),
        table.mean.ravel(),
        eta=table.eta,
        law=table.law,
        reference=table.reference,
        behaviour=table.behaviour,
    )
    np.testing.assert_allclose(coverage.d2(one_hot), coverage.d2(table), rtol=1e-12)
    assert coverage.average_d2(one_hot) == pytest.approx(coverage.average_d2(table), rel=1e-12)


@pytest.mark.parametrize("mass", [1e-6, 1e-13, 1e-25])
def test_one_hot_features_have_the_coefficients_of_a_table_however_rare_an_arm(mass):
    known = {"eta": 2.0, "behaviour": [1.0 - mass, mass, 0.0]}
    one_hot = linear(np.eye(3)[None], [0.1, 0.5, 0.2], **known)
    expected = coverage.d2(tabular([[0.1, 0.5, 0.2]], **known))
    assert expected.tolist() == [[1.0 / (1.0 - mass), 1.0 / mass, math.inf]]
    np.testing.assert_allclose(coverage.d2(one_hot), expected, rtol=1e-12)


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-9])
def test_what_is_outside_the_span_of_the_data_does_not_depend_on_its_length(size):
    phi = size * np.array([[[1.0, 0.0], [0.5, 2e-5], [0.0, 1e-3], [-0.25, 0.0], [0.0, 0.0]]])
    problem = linear(phi, [0.4, 0.1], eta=1.0, behaviour=[1.0, 0.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(coverage.d2(problem), [[1.0, math.inf, math.inf, 0.0625, 0.0]], rtol=1e-12)
    unseen = linear(phi, [0.4, 0.1], eta=1.0, behaviour=[0.0, 0.0, 0.0, 0.0, 1.0])
    assert coverage.d2(unseen).tolist() == [[math.inf] * 4 + [0.0]]


def test_a_subspace_in_general_position_has_the_coefficients_of_its_coordinates():
    rng = np.random.default_rng(7)
    turn, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    inner = rng.uniform(-0.4, 0.4, (3, 4, 2))
    behaviour = rng.dirichlet(np.ones(4), 3)
    behaviour[0] = [1.0 - 3e-10, 1e-10, 1e-10, 1e-10]
    known = {"eta": 2.0, "behaviour": behaviour, "radius": 1.0}
    plain = linear(inner, [0.3, 0.2], **known)
    turned = linear(inner @ turn[:2], np.array([0.3, 0.2]) @ turn[:2], **known)
    np.testing.assert_allclose(coverage.d2(turned), coverage.d2(plain), rtol=1e-10)
    lifted = inner @ turn[:2] + 1e-6 * (np.arange(12).reshape(3, 4, 1) == 11) * turn[2]
    behaviour[2] = [0.5, 0.25, 0.25, 0.0]
    outside = linear(lifted, np.array([0.3, 0.2]) @ turn[:2], **known)
    assert np.isinf(coverage.d2(outside)).ravel().tolist() == [False] * 11 + [True]


def test_an_arm_of_the_optimum_that_is_never_played_makes_coverage_infinite():
    problem = tabular([[0.2, 0.7], [0.4, 0.4]], eta=2.0, reference=[0.5, 0.5], behaviour=[[1.0, 0.0], [0.5, 0.5]])
    coefficients = (coverage.single_policy, coverage.all_policy, coverage.second_moment, coverage.average_d2)
    assert [f(problem) for f in coefficients] == [math.inf] * 4
    assert coverage.d2(problem).tolist() == [[2.0, math.inf], [4.0, 4.0]]


def test_an_arm_that_the_optimum_does_not_play_needs_no_coverage():
    problem = tabular([[0.2, 0.7]], eta=math.inf, behaviour=[0.0, 1.0])
    assert coverage.single_policy(problem) == coverage.second_moment(problem) == coverage.average_d2(problem) == 1.0
    assert coverage.all_policy(problem) == math.inf


def test_linear_rewards_transfer_between_arms_within_the_span_of_the_data():
    phi = np.array([[[1.0, 0.0], [0.5, 0.0], [0.0, 1.0]]])
    problem = linear(phi, [0.4, 0.1], eta=1.0, behaviour=[1.0, 0.0, 0.0])
    np.testing.assert_allclose(coverage.d2(problem), [[1.0, 0.25, math.inf]], rtol=1e-12)
    assert coverage.average_d2(problem) == math.inf
