"""Ridge regression by rank-one updates: by hand, against dense solves, and its drift."""

import math

import numpy as np
import pytest
from scipy import linalg

from banditlab import rng
from banditlab.jit import jit
from banditlab.regression import (
    absorb,
    dot,
    draw,
    observe,
    posterior,
    ridge,
    solve_lower,
    solve_upper,
    update_factor,
)


def data(n, d, seed=0):
    g = np.random.default_rng(seed)
    x = g.standard_normal((n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True), g.standard_normal(n)


def fed(state, take, x, r):
    for row, response in zip(x, r, strict=True):
        take(state, row, response)
    return state


def error(found, truth):
    """Largest error relative to the largest entry."""
    return np.abs(found - truth).max() / np.abs(truth).max()


# By hand


def test_one_dimension_by_hand():
    state = ridge(1, 1.0)
    assert observe(state, np.array([1.0]), 2.0) == (2.0, 2.0)  # c = 1 + 1, e = 2 - 0
    assert (state.inverse[0, 0], state.estimate[0], state.direction[0]) == (0.5, 1.0, 1.0)
    assert observe(state, np.array([2.0]), 5.0) == (3.0, 3.0)  # c = 1 + 4 / 2, e = 5 - 2
    assert state.inverse[0, 0] == pytest.approx(1.0 / 6.0, rel=1e-15)
    assert state.estimate[0] == pytest.approx(12.0 / 6.0, rel=1e-15)  # b = 2 + 10


def test_a_factor_by_hand():
    factor, x = np.array([[3.0, 0.0], [0.0, 1.0]]), np.array([4.0, 2.0])
    update_factor(factor, x)  # 9 + 16 = 25, 8 = 5 * 1.6, 1 + 4 - 1.6^2
    np.testing.assert_allclose(np.tril(factor), [[5.0, 0.0], [1.6, math.sqrt(5.0 - 2.56)]], rtol=1e-14)


# Against dense solves


@pytest.mark.parametrize("lam", [0.1, 1.0])
@pytest.mark.parametrize("d", [1, 3, 20])
def test_inverse_and_estimate_are_those_of_a_dense_solve(d, lam):
    for n in (1, 7, 300):
        x, r = data(n, d, n)
        state = fed(ridge(d, lam), observe, x, r)
        gram = lam * np.eye(d) + x.T @ x
        assert error(state.inverse, np.linalg.inv(gram)) < 1e-12
        assert error(state.estimate, np.linalg.solve(gram, x.T @ r)) < 1e-12


@pytest.mark.parametrize("d", [1, 3, 20])
def test_factor_is_the_cholesky_factor(d):
    x, r = data(300, d)
    state = fed(posterior(d, 0.5), absorb, x, r)
    assert error(np.tril(state.factor), np.linalg.cholesky(0.5 * np.eye(d) + x.T @ x)) < 1e-12
    np.testing.assert_allclose(state.moment, x.T @ r, rtol=1e-11, atol=1e-12)


def test_triangular_solves():
    x, b = data(6, 6)
    factor = np.tril(x) + 3.0 * np.eye(6)
    lower, upper = b.copy(), b.copy()
    solve_lower(factor, lower)
    solve_upper(factor, upper)
    np.testing.assert_allclose(lower, linalg.solve_triangular(factor, b, lower=True), rtol=1e-12)
    np.testing.assert_allclose(upper, linalg.solve_triangular(factor.T, b, lower=False), rtol=1e-12)
    assert dot(b, lower) == pytest.approx(float(b @ lower), rel=1e-12)


# Draws


def test_a_draw_without_spread_is_the_estimate():
    x, r = data(100, 5)
    state, other = fed(posterior(5, 1.0), absorb, x, r), fed(ridge(5, 1.0), observe, x, r)
    draw(state, 0.0, rng.stream(0, rng.LEARNER, 0))
    np.testing.assert_allclose(state.drawn, other.estimate, rtol=1e-12)


def test_a_draw_is_the_estimate_plus_the_normals_through_the_inverse_factor():
    x, r = data(100, 5)
    state = fed(posterior(5, 1.0), absorb, x, r)
    draw(state, 0.7, rng.stream(3, rng.LEARNER, 0))
    other = rng.stream(3, rng.LEARNER, 0)
    z = np.array([rng.normal(other) for _ in range(5)])
    gram = np.eye(5) + x.T @ x
    expected = np.linalg.solve(gram, x.T @ r) + 0.7 * np.linalg.solve(np.linalg.cholesky(gram).T, z)
    np.testing.assert_allclose(state.drawn, expected, rtol=1e-12)


def test_draws_have_the_covariance_of_the_posterior():
    """20,000 draws; each entry within four standard errors, and the covariance with Lambda's diagonal only is not."""
    x = np.array([[0.8, 0.6], [0.7, 0.7], [1.0, 0.0]])
    state, stream, n = fed(posterior(2, 1.0), absorb, x, np.zeros(3)), rng.stream(0, rng.LEARNER, 0), 20_000
    draws = np.empty((n, 2))
    for row in draws:
        draw(state, 1.5, stream)
        row[:] = state.drawn
    gram = np.eye(2) + x.T @ x

    def deviation(covariance):
        se = np.sqrt((covariance**2 + np.outer(covariance.diagonal(), covariance.diagonal())) / n)
        return (np.abs(np.cov(draws.T) - covariance) / se).max()

    assert deviation(2.25 * np.linalg.inv(gram)) < 4.0
    assert deviation(2.25 * np.diag(1.0 / gram.diagonal())) > 4.0


# Drift


@jit
def feed_both(one, other, pool, response, chosen):
    for i in range(chosen.size):
        observe(one, pool[chosen[i]], response[i])
        absorb(other, pool[chosen[i]], response[i])


@pytest.mark.slow
@pytest.mark.parametrize("smallest", [1.0, 1e-3])
def test_drift_after_a_million_rounds(smallest):
    """Relative to a dense solve at d = 20: below 1e-8, also where features are badly scaled."""
    n, d, g = 10**6, 20, np.random.default_rng(1)
    pool = data(200, d)[0] * np.geomspace(1.0, smallest, d)
    chosen = g.integers(200, size=n)
    response = pool[chosen] @ g.standard_normal(d) + 0.1 * g.standard_normal(n)
    state, other = ridge(d, 1.0), posterior(d, 1.0)
    feed_both(state, other, pool, response, chosen)
    counts = np.bincount(chosen, minlength=200)
    gram = np.eye(d) + (pool.T * counts) @ pool
    moment = pool.T @ np.bincount(chosen, response, 200)
    found = [
        error(state.inverse, np.linalg.inv(gram)),
        error(state.estimate, np.linalg.solve(gram, moment)),
        error(np.tril(other.factor), np.linalg.cholesky(gram)),
    ]
    print("drift", smallest, found)
    assert max(found) < 1e-8
    assert max(found) > 0.0
