"""Named games: their structure, equilibria known by hand, and that seeds matter."""

import math

import numpy as np
import pytest

from banditlab.games import instances


def test_the_mixed_core_has_mixed_equilibria_at_the_last_stage_and_nearly_always_before():
    pure = 0
    for seed in range(40):
        problem = instances.mixed_core(seed=seed, eta=math.inf)
        plan = problem.equilibrium()
        pure += (plan.row.max(axis=-1) > 1.0 - 1e-12).sum()
        # At the last stage the diagonal beats what is beside it in every row and column.
        assert plan.row[-1].min() > 1e-3 and plan.column[-1].min() > 1e-3
        r = problem.reward
        assert (r[..., 0, 0] > r[..., 0, 1]).all() and (r[..., 1, 1] > r[..., 0, 1]).all()
        assert r.min() >= 0.0 and r.max() <= 0.9
    assert pure <= 3  # of 360


def test_random_games_often_have_pure_equilibria():
    plans = [instances.random_tabular(seed=seed, eta=math.inf).equilibrium() for seed in range(20)]
    pure = np.mean([(plan.row.max(axis=-1) > 1.0 - 1e-12).mean() for plan in plans])
    assert 0.3 < pure < 0.95


def test_the_linear_game_is_linear_in_its_features():
    problem = instances.random_linear(seed=3, eta=1.0)
    H, S, A, B, d = problem.features.shape
    np.testing.assert_allclose(problem.features.sum(axis=-1), 1.0, rtol=1e-12)
    for h in range(H):
        phi = problem.features[h].reshape(-1, d)
        wanted = np.c_[problem.transition[h].reshape(-1, S), problem.reward[h].reshape(-1, 1)]
        assert np.abs(phi @ np.linalg.lstsq(phi, wanted, rcond=None)[0] - wanted).max() < 1e-12
    assert phi.shape == (S * A * B, d)


def test_in_turn_based_games_one_player_moves():
    problem = instances.turn_based(seed=1, eta=1.0)
    x = np.concatenate([problem.transition, problem.reward[..., None]], axis=-1)
    row_idle = np.ptp(x, axis=2).max(axis=(2, 3)) == 0.0
    column_idle = np.ptp(x, axis=3).max(axis=(2, 3)) == 0.0
    assert (row_idle ^ column_idle).all() and row_idle.any() and column_idle.any()


def test_the_gaps_of_the_hard_pair_sum_to_one():
    g = np.random.default_rng(0)
    first, second = instances.hard_pair(0), instances.hard_pair(1)
    for _ in range(200):
        pair = g.dirichlet(np.full(2, 0.3)), g.dirichlet(np.full(2, 0.3))
        assert first.suboptimality(pair) + second.suboptimality(pair) == pytest.approx(1.0, abs=1e-15)
    np.testing.assert_array_equal(np.diagonal(first.reward[0, 0]), np.diagonal(second.reward[0, 0]))
    assert first.suboptimality(([1, 0], [1, 0])) == second.suboptimality(([0, 1], [0, 1])) == 0.0
    regularized = instances.hard_pair(0, eta=1.0), instances.hard_pair(1, eta=1.0)  # control: with KL they do not
    assert abs(sum(p.suboptimality(([0.5, 0.5], [0.5, 0.5])) for p in regularized) - 1.0) > 0.1


def test_the_trap_is_never_worth_it():
    problem = instances.trap()
    assert problem.value == pytest.approx(0.5, abs=1e-15)
    assert problem.suboptimality(([0.5, 0.5, 0.0], [0.5, 0.5, 0.0])) <= 1e-15
    assert problem.suboptimality(([0.0, 0.0, 1.0], [0.5, 0.5, 0.0])) == pytest.approx(0.4, abs=1e-12)


@pytest.mark.parametrize("make", [instances.hard_pair, instances.trap])
def test_covers_are_even_over_their_cells(make):
    for cover, cells in (("all", 1), ("unilateral", 1), ("nash", 1)):
        mu = make(cover=cover).behaviour[0, 0]
        assert set(np.round(mu[mu > 0.0] * (mu > 0.0).sum(), 12)) == {cells}
    sizes = [int((make(cover=c).behaviour > 0.0).sum()) for c in ("nash", "unilateral", "all")]
    assert sizes == ([2, 3, 4] if make is instances.hard_pair else [4, 8, 9])


def test_the_mixed_matrix_mixes_all_actions():
    plan = instances.mixed_matrix(eta=math.inf).equilibrium()
    assert plan.row.min() > 0.1 and plan.column.min() > 0.1


@pytest.mark.parametrize(
    "make", [instances.random_tabular, instances.mixed_core, instances.random_linear, instances.turn_based]
)
def test_an_instance_is_a_function_of_its_seed(make):
    one, same, other = make(seed=1, eta=2.0), make(seed=1, eta=2.0), make(seed=2, eta=2.0)
    np.testing.assert_array_equal(one.reward, same.reward)
    np.testing.assert_array_equal(one.transition, same.transition)
    assert (one.reward != other.reward).any()
    for bad in (-1, 1.5):
        with pytest.raises((ValueError, TypeError), match="seed: "):
            make(seed=bad, eta=2.0)
