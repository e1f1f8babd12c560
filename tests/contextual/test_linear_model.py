"""Predictions of linear rewards: the table and the product against NumPy, their drift, and draws of the round."""

import numpy as np
import pytest

from banditlab import rng
from banditlab.contextual.linear_model import (
    learn,
    learn_draw,
    linear_draw,
    linear_model,
    optimistic,
    point_mass,
    predict,
    sampled,
)
from banditlab.contextual.problem import linear
from banditlab.jit import jit
from banditlab.regression import REFRESH


def instance(S, K, d, *, seed=0, measure="average"):
    g = np.random.default_rng(seed)
    features = g.standard_normal((S, K, d))
    features /= np.linalg.norm(features, axis=-1, keepdims=True)
    theta = g.standard_normal(d)
    return linear(features, theta / np.linalg.norm(theta), eta=5.0, spread=0.3, measure=measure)


def dense(problem, lam, pairs, rewards):
    """Means and squared widths (S, K) by a dense solve."""
    x = problem.features[pairs[:, 0], pairs[:, 1]]
    inverse = np.linalg.inv(lam * np.eye(x.shape[1]) + x.T @ x)
    phi = problem.features
    return phi @ (inverse @ (x.T @ rewards)), np.einsum("sai,ij,saj->sa", phi, inverse, phi)


def test_one_observation_by_hand():
    problem = linear([[[1.0], [0.5]]], [0.8], eta=1.0)
    model, out = linear_model(problem, 1.0), np.zeros(2)
    learn(model, 0, 0, 3.0)  # Lambda = 2, theta = 3 / 2
    assert predict(model, 0) == 0
    np.testing.assert_allclose(model.mean[0], [1.5, 0.75], rtol=1e-15)
    np.testing.assert_allclose(model.square[0], [0.5, 0.125], rtol=1e-15)
    optimistic(model, 0, 2.0, out)
    np.testing.assert_allclose(out, [1.5 + 2.0 * 0.5**0.5, 0.75 + 2.0 * 0.125**0.5], rtol=1e-15)


def test_the_table_is_kept_where_contexts_are_few_or_all_are_asked_for():
    tabled = {
        (S, measure): linear_model(instance(S, 2, 6, measure=measure), 1.0).tabled
        for S in (3, 4)
        for measure in ("average", "realised")
    }
    assert tabled == {(3, "average"): True, (4, "average"): True, (3, "realised"): True, (4, "realised"): False}


@pytest.mark.parametrize("measure", ["average", "realised"])
@pytest.mark.parametrize(("S", "K", "d"), [(7, 4, 3), (12, 20, 20), (5, 1, 1)])
def test_predictions_are_those_of_a_dense_solve(S, K, d, measure):
    problem, g, lam = instance(S, K, d, measure=measure), np.random.default_rng(1), 0.5
    model, n = linear_model(problem, lam), 400
    pairs = np.stack([g.integers(S, size=n), g.integers(K, size=n)], axis=1)
    rewards = g.standard_normal(n)
    for seen in range(n + 1):
        if seen in (0, 1, 50, n):
            mean, square = dense(problem, lam, pairs[:seen], rewards[:seen])
            for s in range(S):
                row = predict(model, s)
                np.testing.assert_allclose(model.mean[row], mean[s], rtol=1e-12, atol=1e-12 * np.abs(mean).max())
                np.testing.assert_allclose(model.square[row], square[s], rtol=1e-12)
        if seen < n:
            learn(model, *map(int, pairs[seen]), rewards[seen])


def test_the_table_is_recomputed_every_so_often():
    problem = instance(3, 2, 2)
    model, g = linear_model(problem, 1.0), np.random.default_rng(0)
    model.square[0, 0] = 7.0  # an error that increments would keep
    for i in range(REFRESH):
        if i == REFRESH - 1:
            assert model.square[0, 0] > 5.0
        learn(model, int(g.integers(3)), int(g.integers(2)), 0.0)
    x = problem.features[0, 0]
    assert model.square[0, 0] == pytest.approx(float(x @ model.ridge.inverse @ x), rel=1e-12, abs=0.0)


def solve(gram, right):
    """gram^{-1} right in long double, by Gaussian elimination of a positive definite matrix."""
    a, b = gram.copy(), right.copy()
    for k in range(len(a)):
        for i in range(k + 1, len(a)):
            share = a[i, k] / a[k, k]
            a[i] -= share * a[k]
            b[i] -= share * b[k]
    for k in reversed(range(len(a))):
        b[k] = (b[k] - a[k, k + 1 :] @ b[k + 1 :]) / a[k, k]
    return b


@jit
def feed(model, contexts, arms, rewards):
    for i in range(contexts.size):
        learn(model, contexts[i], arms[i], rewards[i])


@pytest.mark.slow
@pytest.mark.parametrize(("contexts", "share"), [(5, 0.0), (1, 0.99), (1, 0.9999)])
def test_drift_of_the_table_after_a_million_rounds(contexts, share):
    """Each entry relative to a solve in long double, d = K = 20, just before a factorisation.

    Where one arm is played nearly always its width is a thousandth of the others', and drifts most.
    """
    problem, g = instance(contexts, 20, 20), np.random.default_rng(0)
    n = 10**6 // REFRESH * REFRESH + REFRESH - 1
    contexts, arms = g.integers(contexts, size=n), np.where(g.random(n) < share, 0, g.integers(20, size=n))
    rewards = problem.mean[contexts, arms] + 0.3 * g.standard_normal(n)
    model = linear_model(problem, 1.0)
    feed(model, contexts, arms, rewards)
    counts, total = np.zeros(problem.mean.shape), np.zeros(problem.mean.shape)
    np.add.at(counts, (contexts, arms), 1.0)
    np.add.at(total, (contexts, arms), rewards)
    phi = problem.features.astype(np.longdouble)
    gram = np.eye(20) + np.einsum("sa,sai,saj->ij", counts, phi, phi)
    mean = np.einsum("sai,i->sa", phi, solve(gram, np.einsum("sa,sai->i", total, phi)[:, None])[:, 0])
    square = (phi * solve(gram, phi.reshape(-1, 20).T).T.reshape(phi.shape)).sum(axis=-1)
    found = [np.abs(model.mean - mean).max() / np.abs(mean).max(), np.abs(model.square / square - 1.0).max()]
    print("drift", found)
    assert 0.0 < max(found) < 1e-8


# Draws


def test_a_round_draws_once_for_all_contexts():
    problem = instance(4, 3, 2)
    model, own, other = (linear_draw(problem, 0.5, 1.0), *(rng.stream(1, rng.LEARNER, 0) for _ in range(2)))
    out = np.zeros(3)
    learn_draw(model, 1, 2, 0.7)
    x = problem.features[1, 2]
    gram = np.eye(2) + np.outer(x, x)
    for t in (1, 2):
        z = np.array([rng.normal(other) for _ in range(2)])
        theta = np.linalg.solve(gram, 0.7 * x) + 0.5 * np.linalg.solve(np.linalg.cholesky(gram).T, z)
        for s in (2, 0, 2):
            sampled(model, t, s, own, out)
            np.testing.assert_allclose(out, problem.features[s] @ theta, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(own, other)


def test_point_mass_is_at_the_lowest_argmax():
    out = np.full(4, 0.25)
    point_mass(np.array([-2.0, 0.5, -1.0, 0.5]), out)
    np.testing.assert_array_equal(out, [0.0, 1.0, 0.0, 0.0])
