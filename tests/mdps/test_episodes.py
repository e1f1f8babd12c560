"""Offline episodes as counts: equality with a replay of the raw transitions, halves, and the limit of much data."""

import math

import numpy as np
import pytest

from banditlab.mdps import planning
from banditlab.mdps.instances import random_linear


def rolled_out(problem, n, seed=0):
    """Raw transitions (h, s, a, r, s') of n episodes of the behaviour policy, and the dataset of their counts."""
    g, rows = np.random.default_rng(seed), []
    H, S, A = problem.reward.shape
    moves, total = np.zeros((2, H, S, A, S)), np.zeros((2, H, S, A))
    for i in range(n):
        s = g.choice(S, p=problem.start)
        for h in range(H):
            a = g.choice(A, p=problem.behaviour[h, s])
            r, s2 = float(g.random() < problem.reward[h, s, a]), g.choice(S, p=problem.transition[h, s, a])
            rows.append((h, s, a, r, s2))
            moves[i % 2, h, s, a, s2] += 1.0
            total[i % 2, h, s, a] += r
            s = s2
    return rows, problem.described(moves, total)


@pytest.fixture(scope="module", params=["linear", "tabular"])
def setting(request, random_mdp):
    """A problem with 60 raw episodes and their counts."""
    problem = random_linear(5, 3, 3, 3, seed=2, eta=2.0) if request.param == "linear" else random_mdp(2, 2.0)
    return problem, *rolled_out(problem, 60)


def replay(problem, data, rows, eta, lam, bonus, weight):
    """Pessimistic value iteration that goes through the transitions one by one."""
    H, S, A = problem.reward.shape
    phi = data.basis().reshape(H, S, A, -1)
    d, value, q = phi.shape[-1], np.zeros((H + 1, S)), np.zeros((H, S, A))
    for h in range(H - 1, -1, -1):
        precision, moment = lam * np.eye(d), np.zeros(d)
        for stage, s, a, r, s2 in rows:
            if stage == h:
                precision += weight[h, s, a] * np.outer(phi[h, s, a], phi[h, s, a])
                moment += weight[h, s, a] * phi[h, s, a] * (r + value[h + 1, s2])
        w = np.linalg.solve(precision, moment)
        for s, a in np.ndindex(S, A):
            x = phi[h, s, a]
            q[h, s, a] = min(max(x @ w - bonus[h] * math.sqrt(x @ np.linalg.solve(precision, x)), 0.0), H - h)
        if eta == math.inf:
            value[h] = q[h].max(axis=1)
        else:
            value[h] = np.log((problem.reference[h] * np.exp(eta * q[h])).sum(axis=1)) / eta
    return value, q


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("eta", [2.0, math.inf])
def test_counts_give_the_value_iteration_of_the_raw_transitions(setting, eta, weighted):
    problem, rows, data = setting
    weight = np.random.default_rng(1).uniform(0.2, 3.0, problem.reward.shape) if weighted else None
    bonus, lam = np.array([0.5, 0.3, 0.1]), 0.2
    fit = data.iterate(eta, data.precision(lam, weight), bonus, weight)
    ones = np.ones(problem.reward.shape)
    value, q = replay(problem, data, rows, eta, lam, bonus, weight if weighted else ones)
    np.testing.assert_allclose(fit.value, value, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(fit.q, q, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(fit.policy.sum(axis=-1), 1.0, rtol=1e-13)
    soft = problem.reference * np.exp(2.0 * (q - q.max(axis=-1, keepdims=True)))
    wanted = soft / soft.sum(axis=-1, keepdims=True) if eta == 2.0 else np.eye(3)[q.argmax(axis=-1)]
    np.testing.assert_allclose(fit.policy, wanted, rtol=1e-8)
    assert (fit.width > 0.0).all() and fit.value[:-1].max() > 0.1


def test_a_regression_is_that_of_the_raw_transitions(setting):
    problem, rows, data = setting
    H, S, A = problem.reward.shape
    g = np.random.default_rng(0)
    target, weight = g.random((S, A, S)), g.random((S, A)) + 0.5
    sums = (data.moves.sum(axis=0)[1] * target).sum(axis=-1)
    precision = data.precision(0.3, np.broadcast_to(weight, (H, S, A)))[1]
    at = [(s, a, s2) for h, s, a, _, s2 in rows if h == 1]
    phi = data.basis()[1].reshape(S, A, -1)
    x, y = np.array([phi[s, a] for s, a, _ in at]), np.array([target[i] for i in at])
    w = np.array([weight[s, a] for s, a, _ in at])
    wanted = phi @ np.linalg.solve(0.3 * np.eye(x.shape[1]) + (w[:, None] * x).T @ x, x.T @ (w * y))
    np.testing.assert_allclose(data.regress(1, precision, sums, weight), wanted, rtol=1e-9, atol=1e-13)


def test_halves_are_datasets(setting):
    _, _, data = setting
    one, two = data.half(0), data.half(1)
    assert (data.samples, one.samples, two.samples) == (60, 30, 30)
    np.testing.assert_array_equal(one.moves[0], data.moves[0])
    np.testing.assert_array_equal(two.total[0], data.total[1])
    assert not one.moves[1].any() and not two.total[1].any()
    both = one.precision(0.1) + two.precision(0.1)
    np.testing.assert_allclose(
        both - data.precision(0.1), 0.1 * np.broadcast_to(np.eye(both.shape[1]), both.shape), atol=1e-11
    )


@pytest.mark.parametrize("eta", [2.0, math.inf])
def test_expected_counts_of_much_data_give_the_optimal_plan(random_mdp, eta):
    for problem in (random_linear(5, 3, 3, 3, seed=2, eta=eta), random_mdp(3, eta, zeros=True)):
        counts = 1e9 * np.ones(problem.reward.shape)[..., None] * problem.transition
        zero = np.zeros_like(counts)
        data = problem.described(np.stack([counts, zero]), np.stack([1e9 * problem.reward, zero[..., 0]]))
        fit = data.iterate(eta, data.precision(1e-3), np.zeros(problem.horizon))
        np.testing.assert_allclose(fit.value, problem.optimal_value, atol=1e-9)
        assert problem.suboptimality(fit.policy) < 1e-9
        best = planning.backward_induction(problem.transition, problem.reward, problem.reference, eta)
        np.testing.assert_allclose(fit.q, np.clip(best.q, 0.0, 3.0), atol=1e-9)


def test_no_data_leave_the_reference(random_mdp):
    problem = random_mdp(1, 3.0)
    data = problem.dataset(0, 0, 0)
    assert data.samples == 0 and not data.moves.flags.writeable
    fit = data.iterate(data.eta, data.precision(0.5), np.ones(3))
    np.testing.assert_allclose(fit.policy, problem.reference, rtol=1e-14)
    np.testing.assert_allclose(fit.width, 1.0 / math.sqrt(0.5), rtol=1e-14)
    assert not fit.q.any()
