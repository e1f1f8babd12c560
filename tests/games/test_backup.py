"""Equilibria and best responses of a stage, as compiled planners call them."""

import math

import numpy as np
import pytest

from banditlab import equilibrium as matrices
from banditlab.games import backup


def arena_of(g, shape, eta):
    A, B = shape
    return backup.arena(g.dirichlet(np.ones(A), size=(1, 1)), g.dirichlet(np.ones(B), size=(1, 1)), eta)


def solved(games, payoff):
    row, column = np.empty(payoff.shape[0]), np.empty(payoff.shape[1])
    return backup.equilibrium(games, 0, 0, payoff, row, column), row, column


@pytest.mark.parametrize("eta", [1e-3, 1.0, 100.0, 1e4])
def test_values_and_policies_are_those_of_the_solver_of_matrix_games(eta):
    g = np.random.default_rng(0)
    for shape in ((2, 2), (3, 4), (5, 2)):
        games, payoff = arena_of(g, shape, eta), g.random(shape)
        value, row, column = solved(games, payoff)
        right = matrices.newton_game(payoff, games.row_reference[0, 0], games.column_reference[0, 0], eta)
        np.testing.assert_allclose(row, np.exp(right.log_row), rtol=1e-8, atol=1e-300)
        np.testing.assert_allclose(column, np.exp(right.log_column), rtol=1e-8, atol=1e-300)
        # the value from both sides
        up = backup.row_response(games, 0, 0, payoff, column, np.empty(shape[0]))
        down = backup.column_response(games, 0, 0, payoff, row, np.empty(shape[1]))
        assert down - 1e-11 <= value <= up + 1e-11 and up - down <= 1e-11
        assert games.effort[backup.CERTIFICATE] <= 1e-12


def test_warm_starts_follow_a_drifting_game_and_give_what_cold_ones_do():
    g = np.random.default_rng(1)
    for eta in (1.0, 30.0, 1000.0):
        games, payoff = arena_of(g, (3, 3), eta), g.random((3, 3))
        for t in range(1, 200):
            payoff = np.clip(payoff + 0.1 / math.sqrt(t) * g.standard_normal((3, 3)), 0.0, 1.0)
            value, row, _ = solved(games, payoff)
            cold = backup.arena(games.row_reference, games.column_reference, eta)
            other, again, _ = solved(cold, payoff)
            assert value == pytest.approx(other, abs=1e-11)
            np.testing.assert_allclose(row, again, atol=1e-9)
        assert games.effort[backup.SOLVES] == 199.0 and games.effort[backup.RESTARTS] <= 20.0


def test_without_kl_the_value_is_the_simplexs_and_ties_do_no_harm():
    g = np.random.default_rng(2)
    games = arena_of(g, (3, 3), math.inf)
    for payoff in (g.random((3, 3)), np.full((3, 3), 0.7), np.round(g.random((3, 3)))):
        value, row, column = solved(games, payoff)
        assert value == pytest.approx(matrices.nash(payoff).value, abs=1e-14)
        assert (payoff @ column).max() - (row @ payoff).min() <= 1e-12


@pytest.mark.parametrize("eta", [2.0, math.inf])
def test_payoffs_that_are_not_finite_give_no_value(eta):
    games = arena_of(np.random.default_rng(3), (2, 2), eta)
    assert math.isnan(solved(games, np.array([[0.1, math.nan], [0.3, 0.4]]))[0])
    value, _, _ = solved(games, np.array([[0.1, 0.9], [0.3, 0.4]]))  # and the next game is solved again
    assert math.isfinite(value)


@pytest.mark.parametrize("eta", [0.5, 20.0, math.inf])
def test_best_responses_by_their_formula(eta):
    g = np.random.default_rng(4)
    games, payoff = arena_of(g, (3, 2), eta), g.random((3, 2))
    p, q = g.dirichlet(np.ones(3)), g.dirichlet(np.ones(2))
    row, column = np.empty(3), np.empty(2)
    up = backup.row_response(games, 0, 0, payoff, q, row)
    down = backup.column_response(games, 0, 0, payoff, p, column)
    x_ref, y_ref = games.row_reference[0, 0], games.column_reference[0, 0]

    def kl(a, b):
        return (a * np.log(a / b)).sum()

    if eta == math.inf:
        assert up == (payoff @ q).max() and row[(payoff @ q).argmax()] == 1.0
        assert down == pytest.approx((p @ payoff).min(), rel=1e-15) and column[(p @ payoff).argmin()] == 1.0
        return
    x, y = x_ref * np.exp(eta * payoff @ q), y_ref * np.exp(-eta * p @ payoff)
    np.testing.assert_allclose(row, x / x.sum(), rtol=1e-13)
    np.testing.assert_allclose(column, y / y.sum(), rtol=1e-13)
    assert up == pytest.approx(math.log(x.sum()) / eta + kl(q, y_ref) / eta, rel=1e-12)
    assert down == pytest.approx(-math.log(y.sum()) / eta - kl(p, x_ref) / eta, rel=1e-12)
