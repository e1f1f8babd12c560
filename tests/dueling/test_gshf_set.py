"""Offline RLHF, pessimistic over a set: by hand, strong duality against a grid and at random, identities."""

import numpy as np
import pytest

from banditlab.dueling import instances
from banditlab.dueling.bt_greedy import bt_greedy
from banditlab.dueling.gshf import gshf
from banditlab.dueling.gshf_set import gshf_set, in_ball
from banditlab.dueling.problem import bradley_terry, preferences


def value(policy, rewards, width, problem):
    """The value of policies (..., X, K) that is maximised: E_pi r - width(E_pi phi - nu) - KL / eta."""
    with np.errstate(divide="ignore", invalid="ignore"):
        kl = np.where(policy > 0.0, policy * np.log(policy / problem.reference), 0.0)
    mean = np.einsum("x,...xa->...", problem.law, policy * rewards - kl / problem.eta)
    return mean - width(problem.law[:, None] * (policy - problem.reference))


def width_of(data, problem, scale):
    """The width of law (pi - reference), from dense matrices."""
    _, inverse, _ = data.confident(0.1, None)
    if not problem.parameter.size:
        return lambda moved: scale * np.sqrt(np.einsum("...xi,xij,...xj->...", moved, inverse, moved))

    def width(moved):
        total = np.einsum("...xa,xai->...i", moved, problem.features)
        return scale * np.sqrt(np.einsum("...i,ij,...j->...", total, inverse[0], total))

    return width


@pytest.mark.parametrize("scale", [0.0, 0.3, 2.0])
def test_of_two_arms_the_difference_is_drawn_to_zero(scale):
    """E_pi phi - nu = (p - q) z: the Gibbs policy of the difference u less scale |z|_{H^-1}, at least 0."""
    problem = bradley_terry([0.6, 0.0], eta=3.0, span=9.0, reference=[0.3, 0.7])
    data = problem.described(np.array([[[0.0, 20.0], [10.0, 0.0]]]))
    fit = data.estimated(0.1)
    u = fit.projected[0, 0] - fit.projected[0, 1]
    z = np.array([1.0, -1.0])
    short = max(u - scale * np.sqrt(z @ fit.covariance[0] @ z), 0.0)
    assert (short == 0.0) == (scale == 2.0)
    odds = 0.3 / 0.7 * np.exp(3.0 * short)
    assert gshf_set(data, scale=scale)[0, 0] == pytest.approx(odds / (1.0 + odds), rel=1e-9)


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_it_attains_the_best_value_on_a_grid(linear, scale):
    """Three arms: a grid of step 1/600 in the simplex is nowhere better, and within 10^-5 of it.

    Linear: two contexts of two arms, and a common width.
    """
    step = np.linspace(0.0, 1.0, 601)
    one, two = (grid.ravel() for grid in np.meshgrid(step, step))
    g = np.random.default_rng(3)
    if linear:
        phi = g.standard_normal((2, 2, 2))
        phi /= 1.01 * np.linalg.norm(phi, axis=-1, keepdims=True)
        problem = bradley_terry(features=phi, parameter=[0.8, -0.4], eta=4.0, law=[0.3, 0.7])
        grid = np.stack([np.stack([p, 1.0 - p], axis=-1) for p in (one, two)], axis=1)
    else:
        problem = bradley_terry([0.9, 0.5, 0.0], eta=4.0, span=1.0, reference=[0.2, 0.5, 0.3])
        keep = one + two <= 1.0
        grid = np.stack([one, two, 1.0 - one - two], axis=-1)[keep][:, None].clip(0.0)
    data = problem.dataset(200, 0, 0)
    rewards, width = data.confident(0.1, None)[0], width_of(data, problem, scale)
    best = value(grid, rewards, width, problem).max()
    found = value(np.asarray(gshf_set(data, scale=scale)), rewards, width, problem)
    assert best - 1e-12 <= found <= best + 1e-5
    assert found > value(np.asarray(bt_greedy(data)), rewards, width, problem) + 1e-4  # control
    assert found > value(np.asarray(gshf(data, scale=scale)), rewards, width, problem) + 1e-6


@pytest.mark.slow
def test_primal_and_dual_values_agree():
    """100 random instances, eta .1 to 1000: the policy of r - u' phi has the dual's value, to 10^-9; `gshf` has not.

    The dual's value is E_x log E_ref exp(eta (r - u' (phi - nu))) / eta at the vector the policy remembers.
    """
    g = np.random.default_rng(4)
    apart = {gshf_set: 0.0, gshf: 0.0}
    for draw in range(100):
        eta = float(10.0 ** g.uniform(-1.0, 3.0))
        X, K = int(g.integers(1, 4)), int(g.integers(2, 6))
        known = {"eta": eta, "law": g.dirichlet(np.full(X, 3.0)), "reference": g.dirichlet(np.ones(K), size=X)}
        if draw % 2:
            problem = bradley_terry(g.random((X, K)), **known)
        else:
            phi = g.standard_normal((X, K, int(g.integers(1, 5))))
            phi /= 1.001 * np.linalg.norm(phi, axis=-1, keepdims=True)
            problem = bradley_terry(features=phi, parameter=phi[0, 0], **known)
        data = problem.dataset(int(10.0 ** g.uniform(0.0, 4.0)), 0, draw)
        scale = float(10.0 ** g.uniform(-1.0, 1.0))
        rewards, width = data.confident(0.1, None)[0], width_of(data, problem, scale)
        for fit in (gshf_set, gshf):
            found = fit(data, scale=scale)
            lowered = found.estimate - rewards
            lowered = lowered - (problem.reference * lowered).sum(axis=1, keepdims=True)
            score = eta * (rewards + lowered)
            top = score.max(axis=1)
            mass = (problem.reference * np.exp(score - top[:, None])).sum(axis=1)
            dual = float(problem.law @ (top + np.log(mass))) / eta
            apart[fit] = max(apart[fit], abs(dual - value(np.asarray(found), rewards, width, problem)))
    assert apart[gshf_set] < 1e-9
    assert apart[gshf] > 1e-3  # control


def test_scale_zero_is_greedy():
    data = instances.bt_linear().dataset(500, 0, 0)
    np.testing.assert_allclose(gshf_set(data, scale=0.0), bt_greedy(data), rtol=1e-12)


def test_a_large_scale_stays_at_the_reference():
    problem = instances.rare_good()
    np.testing.assert_allclose(gshf_set(problem.dataset(100, 0, 0), scale=1e3), problem.reference, rtol=1e-9)


def test_tables_are_linear_rewards_in_unit_vectors():
    g = np.random.default_rng(2)
    reward, reference = g.random((3, 4)), g.dirichlet(np.ones(4), size=3)
    table = bradley_terry(reward, eta=4.0, span=1.0, reference=reference)
    known = {"eta": 4.0, "span": 1.0, "reference": reference, "radius": 0.5 * np.sqrt(12.0)}
    linear = bradley_terry(features=np.eye(12).reshape(3, 4, 12), parameter=reward.ravel() - 0.5, **known)
    wins = table.dataset(2000, 0, 0).wins
    one, two = (gshf_set(problem.described(wins), scale=0.2, delta=0.1) for problem in (table, linear))
    np.testing.assert_allclose(one, two, rtol=1e-7)
    assert np.abs(one - bt_greedy(table.described(wins))).max() > 0.01


def test_in_ball_by_hand():
    """Inside, (A^-1 b); on the sphere, mu = 1 where A = diag(1, 2), b = (1.2, 2.4); along a null vector, the sphere."""
    np.testing.assert_allclose(in_ball(np.diag([2.0, 4.0]), np.array([0.6, 0.8])), [0.3, 0.2], rtol=1e-12)
    np.testing.assert_allclose(in_ball(np.diag([1.0, 2.0]), np.array([1.2, 2.4])), [0.6, 0.8], rtol=1e-12)
    np.testing.assert_allclose(in_ball(np.zeros((2, 2)), np.array([3.0, 4.0])), [0.6, 0.8], rtol=1e-12)
    np.testing.assert_allclose(in_ball(np.diag([0.0, 1.0]), np.array([1e-9, 0.0])), [1.0, 0.0], rtol=1e-9)


def test_bad_input():
    data = instances.rare_good().dataset(10, 0, 0)
    with pytest.raises(ValueError, match="scale: -1 is not in"):
        gshf_set(data, scale=-1.0)
    with pytest.raises(ValueError, match="lam: 0 is not in"):
        gshf_set(data, lam=0.0)
    with pytest.raises(ValueError, match="delta: 0 is not in"):
        gshf_set(data, delta=0.0)
    with pytest.raises(ValueError, match="eta: inf is not allowed"):
        gshf_set(data._replace(eta=np.inf))
    with pytest.raises(ValueError, match="regularizer: gshf_set needs 'kl', the data have 'chi2'"):
        gshf_set(instances.rare_good(regularizer="chi2").dataset(10, 0, 0))
    with pytest.raises(ValueError, match="preference: gshf_set needs Bradley-Terry preferences"):
        gshf_set(preferences([[0.5, 0.7], [0.3, 0.5]], eta=1.0).dataset(10, 0, 0))
