"""Exact planning: closed forms, linear programs, fixed points, best responses, and what theorems say of values."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import linprog

from banditlab import equilibrium as matrices
from banditlab.games import instances, planning
from banditlab.games.problem import matrix, tabular

ETAS = [1e-3, 1.0, 30.0, 1e4, math.inf]


def plan_of(problem):
    return planning.equilibrium(
        problem.transition, problem.reward, problem.row_reference, problem.column_reference, problem.eta
    )


def best_values(problem, row, column):
    return planning.best_response_values(
        problem.transition, problem.reward, problem.row_reference, problem.column_reference, problem.eta, row, column
    )


def value_of(problem, row, column):
    return planning.evaluate(
        problem.transition, problem.reward, problem.row_reference, problem.column_reference, problem.eta, row, column
    )


def game_value(payoff):
    """Value of a matrix game by HiGHS."""
    A, B = payoff.shape
    found = linprog(
        np.r_[np.zeros(A), -1.0],
        A_ub=np.c_[-payoff.T, np.ones(B)],
        b_ub=np.zeros(B),
        A_eq=[np.r_[np.ones(A), 0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * A + [(None, None)],
    )
    return -found.fun


def test_matching_pennies_twice_by_hand():
    # Winning the first stage leads to state 1, where everything pays 1; else to state 2, where nothing does.
    P = np.zeros((3, 2, 2, 3))
    P[0, [0, 1], [0, 1], 1] = 1.0
    P[0, [0, 1], [1, 0], 2] = 1.0
    P[1, ..., 1] = P[2, ..., 2] = 1.0
    r = np.zeros((3, 2, 2))
    r[1] = 1.0
    problem = tabular(P, r, eta=math.inf, horizon=3)
    plan = plan_of(problem)
    np.testing.assert_allclose(plan.value[:, 0], [1.0, 0.5, 0.0, 0.0], atol=1e-15)
    np.testing.assert_allclose(plan.row[0, 0], [0.5, 0.5], atol=1e-15)
    assert problem.value == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize("seed", range(4))
def test_values_without_kl_are_those_of_linear_programs(random_game, seed):
    problem = random_game(seed, math.inf)
    plan = plan_of(problem)
    for h, s in np.ndindex(*plan.value[:-1].shape):
        q = problem.reward[h, s] + problem.transition[h, s] @ plan.value[h + 1]
        assert plan.value[h, s] == pytest.approx(game_value(q), abs=1e-9)


@pytest.mark.parametrize("eta", ETAS[:-1])
def test_the_regularized_plan_is_its_own_best_response(random_game, eta):
    problem = random_game(1, eta)
    plan = plan_of(problem)
    # 1e-11 in log probabilities is what the solver promises, and 1e-14 eta beyond.
    tolerance = max(1e-10, 1e-13 * eta)
    for h in range(3):
        x = np.log(problem.row_reference[h]) + eta * np.einsum("sab,sb->sa", plan.q[h], plan.column[h])
        y = np.log(problem.column_reference[h]) - eta * np.einsum("sab,sa->sb", plan.q[h], plan.row[h])
        for policy, score in ((plan.row[h], x), (plan.column[h], y)):
            top = score.max(axis=1, keepdims=True)
            wanted = score - top - np.log(np.exp(score - top).sum(axis=1, keepdims=True))
            likely = policy > 1e-200
            np.testing.assert_allclose(np.log(policy[likely]), wanted[likely], atol=tolerance)


@pytest.mark.parametrize("eta", ETAS)
def test_a_plan_has_no_gap_and_the_value_of_its_pair(random_game, eta):
    for seed in range(3):
        problem = random_game(seed, eta)
        plan = plan_of(problem)
        assert 0.0 <= problem.suboptimality((plan.row, plan.column)) <= 1e-11
        np.testing.assert_allclose(value_of(problem, plan.row, plan.column), plan.value, atol=1e-10)


def test_the_value_of_the_equilibrium_lies_between_zero_and_the_stages_left(random_game):
    for seed, eta in itertools.product(range(5), ETAS):
        value = plan_of(random_game(seed, eta)).value
        left = 3.0 - np.arange(4.0)[:, None]
        assert (value >= -1e-9).all() and (value <= left + 1e-9).all()


def test_values_of_other_pairs_leave_that_range(random_game, random_pair):  # control
    problem = random_game(0, 0.05)
    value = value_of(problem, *random_pair(problem, 0, 0.1))
    assert value.min() < -1.0 or value.max() > 4.0


@pytest.mark.parametrize("eta", [0.1, 5.0, math.inf])
def test_best_responses_are_worth_at_least_what_any_policy_is(random_game, random_pair, eta):
    for seed in range(5):
        problem = random_game(seed, eta)
        row, column = random_pair(problem, seed)
        upper, lower = best_values(problem, row, column)
        mine = value_of(problem, row, column)
        assert (lower <= mine + 1e-12).all() and (mine <= upper + 1e-12).all()
        for other in range(20):
            x, y = random_pair(problem, 100 + other, 0.5)
            assert (value_of(problem, x, column) <= upper + 1e-12).all()
            assert (value_of(problem, row, y) >= lower - 1e-12).all()
        plan = plan_of(problem)
        assert (lower <= plan.value + 1e-10).all() and (plan.value <= upper + 1e-10).all()


def test_best_responses_without_kl_are_the_best_deterministic_policies(random_game, random_pair):
    problem = random_game(3, math.inf, states=2, horizon=2)
    row, column = random_pair(problem, 3)
    upper, lower = best_values(problem, row, column)
    rows = [np.eye(2)[list(c)].reshape(2, 2, 2) for c in itertools.product(range(2), repeat=4)]
    columns = [np.eye(3)[list(c)].reshape(2, 2, 3) for c in itertools.product(range(3), repeat=4)]
    np.testing.assert_allclose(upper[0], np.max([value_of(problem, x, column)[0] for x in rows], axis=0), rtol=1e-13)
    np.testing.assert_allclose(lower[0], np.min([value_of(problem, row, y)[0] for y in columns], axis=0), rtol=1e-13)


@pytest.mark.parametrize("eta", [0.2, 3.0, 50.0])
def test_the_exploitability_is_a_sum_of_divergences_under_the_pairs_own_occupancies(random_game, random_pair, eta):
    for seed in range(4):
        problem = random_game(seed, eta)
        row, column = random_pair(problem, 10 + seed)
        upper, _ = best_values(problem, row, column)
        mine = value_of(problem, row, column)
        state, total = problem.start, 0.0
        for h in range(3):
            q = problem.reward[h] + problem.transition[h] @ upper[h + 1]
            x = np.log(problem.row_reference[h]) + eta * np.einsum("sab,sb->sa", q, column[h])
            response = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
            total += state @ (row[h] * (np.log(row[h]) - response)).sum(axis=1) / eta
            state = np.einsum("s,sa,sb,sabt->t", state, row[h], column[h], problem.transition[h])
        assert total == pytest.approx(problem.start @ (upper[0] - mine[0]), rel=1e-10)


def test_the_regularized_value_is_near_the_value_without_kl(random_game):
    broken = 0
    for seed in range(4):
        plain = plan_of(random_game(seed, math.inf)).value
        for eta in (2.0, 20.0, 200.0, 2000.0):
            problem = random_game(seed, eta)
            least = min(problem.row_reference.min(), problem.column_reference.min())
            left = 3.0 - np.arange(4.0)[:, None]
            assert (np.abs(plan_of(problem).value - plain) <= left * math.log(1.0 / least) / eta + 1e-9).all()
            broken += (np.abs(plan_of(problem).value - plain) > 0.1 * left * math.log(1.0 / least) / eta).any()
    assert broken > 0  # control: a tenth of the bound


def test_in_a_turn_based_game_the_state_is_worth_its_movers_best_action():
    problem = instances.turn_based(seed=2, eta=math.inf)
    plan = plan_of(problem)
    movers = set()
    for h, s in np.ndindex(*plan.value[:-1].shape):
        q = plan.q[h, s]
        by_row = np.ptp(q, axis=1).max() < 1e-12
        assert by_row or np.ptp(q, axis=0).max() < 1e-12
        movers.add(by_row)
        assert plan.value[h, s] == pytest.approx(q[:, 0].max() if by_row else q[0].min(), abs=1e-12)
    assert movers == {True, False}


def test_a_matrix_game_is_solved_as_by_the_solver_of_matrix_games():
    payoff = np.random.default_rng(0).random((3, 4))
    plan = plan_of(matrix(payoff, eta=7.0))
    saddle = matrices.newton_game(payoff, np.full(3, 1 / 3), np.full(4, 1 / 4), 7.0)
    np.testing.assert_allclose(np.log(plan.row[0, 0]), saddle.log_row, atol=1e-10)
    assert plan.certificate <= 1e-12
    assert plan_of(matrix(payoff, eta=math.inf)).value[0, 0] == pytest.approx(matrices.nash(payoff).value, abs=1e-14)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1)])
@pytest.mark.parametrize("eta", [3.0, math.inf])
def test_games_of_one_row_or_column_are_softmax_problems(shape, eta):
    payoff = np.random.default_rng(1).random(shape)
    plan = plan_of(matrix(payoff, eta=eta))
    x = payoff.ravel() if shape[1] == 1 else -payoff.ravel()
    wanted = x.max() if eta == math.inf else math.log(np.exp(eta * x).mean()) / eta
    assert plan.value[0, 0] == pytest.approx(wanted if shape[1] == 1 else -wanted, abs=1e-12)


@pytest.mark.parametrize("eta", [1.0, 1e4, math.inf])
def test_constant_payoffs_are_worth_their_constant_under_the_references(eta):
    problem = matrix(np.full((2, 3), 0.4), eta=eta, row_reference=[0.9, 0.1])
    plan = plan_of(problem)
    assert plan.value[0, 0] == pytest.approx(0.4, abs=1e-12)
    if eta < math.inf:
        np.testing.assert_allclose(plan.row[0, 0], [0.9, 0.1], rtol=1e-9)
    assert problem.suboptimality((problem.row_reference, problem.column_reference)) <= 1e-15


def test_best_responses_against_references_that_nearly_vanish():
    # payoff [[0, 0], [1, 1]]: the better row has reference mass p, so U = 1 + log(p + (1 - p) e^-eta) / eta
    for p in (1e-12, 1e-17, 1e-100):
        problem = matrix([[0.0, 0.0], [1.0, 1.0]], eta=1000.0, row_reference=[1.0 - p, p])
        pair = problem.row_reference, problem.column_reference
        upper, lower = best_values(problem, *pair)
        assert upper[0, 0] == pytest.approx(1.0 + math.log(p) / 1000.0, rel=1e-12)
        assert problem.suboptimality(pair) == pytest.approx(upper[0, 0] - lower[0, 0], rel=1e-9)
