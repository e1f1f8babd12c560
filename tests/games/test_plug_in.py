"""The plug-in equilibrium: exact on exact data, 1/n with KL and linear in eta, slower without."""

import math

import numpy as np
import pytest

from banditlab.games import instances
from banditlab.games.plug_in import plug_in
from banditlab.games.pmvi import pmvi
from banditlab.games.problem import matrix


def test_on_exact_tables_it_is_the_equilibrium(random_game):
    for eta in (2.0, 100.0):
        problem = random_game(0, eta)
        n = 2.0**40
        moves = n * problem.transition
        data = problem.described(moves, moves.sum(axis=-1) * problem.reward)
        plan = problem.equilibrium()
        for x, y in zip(plug_in(data), (plan.row, plan.column), strict=True):
            np.testing.assert_allclose(x, y, atol=1e-8)


def test_on_exact_tables_a_linear_game_is_fitted_exactly():
    problem = instances.random_linear(seed=2, eta=3.0)
    moves = 2.0**40 * problem.transition
    data = problem.described(moves, moves.sum(axis=-1) * problem.reward)
    assert problem.suboptimality(plug_in(data, lam=1e-6)) < 1e-15


@pytest.mark.slow
def test_the_gap_falls_like_one_over_n_with_kl_linearly_in_eta_and_slower_at_large_eta():
    sizes = np.array([200 * 4**k for k in range(6)])
    slopes, last = {}, {}
    for eta in (1.0, 5.0, 30.0, 1000.0):
        problem = instances.trap(cover="all", eta=eta)
        found = np.mean(
            [[problem.suboptimality(plug_in(problem.dataset(int(n), 0, i))) for n in sizes] for i in range(60)], axis=0
        )
        slopes[eta], last[eta] = np.polyfit(np.log(sizes), np.log(found), 1)[0], found[-1]
    for eta in (1.0, 5.0, 30.0):
        assert slopes[eta] == pytest.approx(-1.0, abs=0.08)
    assert slopes[1000.0] == pytest.approx(-0.57, abs=0.07)  # control: hardly any KL
    assert last[5.0] / last[1.0] == pytest.approx(5.6, rel=0.2) and last[30.0] / last[1.0] == pytest.approx(34, rel=0.3)


def test_cells_without_data_take_the_value_that_is_given():
    problem = instances.trap(cover="nash")
    data = problem.dataset(100_000, 0, 0)
    low, high = plug_in(data, unseen=0.0), plug_in(data, unseen=1.0)
    assert high[0][0, 0, 2] > 0.99 > 0.01 > low[0][0, 0, 2]  # an action that might be worth 1 is taken
    with pytest.raises(ValueError, match=r"unseen: 2 is not in \[0, 1\]"):
        plug_in(data, unseen=2.0)


def test_unilateral_data_are_not_enough_without_kl_and_without_pessimism():
    # (1, 1) is an equilibrium, and all its deviations are seen; the cell (2, 2), which is not, ties at the value 0.
    cells = np.array([[1.0, 1.0], [1.0, 0.0]]) / 3.0
    problem = matrix([[0.5, 0.5], [0.5, 1.0]], eta=math.inf, behaviour=cells)
    plain, cautious = (
        [np.mean([problem.suboptimality(fit(problem.dataset(n, 0, i))) for i in range(40)]) for n in (10**3, 10**5)]
        for fit in (plug_in, pmvi)
    )
    assert min(plain) > 0.15 and cautious[1] < cautious[0] < 0.05


def test_games_that_cannot_be_solved_are_an_error_in_one_line():
    problem = instances.trap(cover="all", eta=1e13)
    with pytest.raises(RuntimeError, match=r"equilibrium: none found in state 0 at stage 0, eta = 1e\+13"):
        for i in range(40):
            plug_in(problem.dataset(1000, 0, i))
