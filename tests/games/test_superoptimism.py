"""The three recursions of best-response sampling, against NumPy, and the theorem of their good event."""

import math

import numpy as np
import pytest

from banditlab.games import instances, planning
from banditlab.games.omg import omg
from banditlab.games.problem import matrix
from banditlab.games.somg import somg


def visited(problem, learner, rounds, seed=0):
    """The learner after so many rounds of its own play."""
    status, _, _ = problem.play(learner, np.array([rounds]), seed, 0, np.zeros(2, np.int64))
    assert status == 0
    return learner


def recursions(problem, learner, scale_per_left):
    """Q, Q+ and Q- of a tabular learner's counts, by NumPy, with equilibria and responses of `planning`'s form."""
    H, S, A, B = problem.reward.shape
    n = learner.model.visits
    seen = n > 0.0
    P = learner.model.moves / np.maximum(n, 1.0)[..., None]
    r = learner.model.rewards / np.maximum(n, 1.0)
    value = np.zeros((3, H + 1, S))
    out = []
    for h in range(H - 1, -1, -1):
        left = float(H - h)
        bonus = np.where(seen[h], scale_per_left * left / np.sqrt(np.maximum(n[h], 1.0)), 0.0)
        mean = [np.where(seen[h], r[h] + P[h] @ v[h + 1], u) for v, u in zip(value, (left / 2, 2 * left, -left))]
        q = np.clip(mean[0], 0.0, left), np.minimum(mean[1] + bonus, 2 * left), np.maximum(mean[2] - bonus, -left)
        out.append(q)
        nothing, stage = np.zeros((1, S, A, B, S)), slice(h, h + 1)
        given = problem.row_reference[stage], problem.column_reference[stage], problem.eta
        plan = planning.equilibrium(nothing, q[0][None], *given)
        value[0, h] = plan.value[0]
        for i, side in ((1, 0), (2, 1)):
            value[i, h] = planning.best_response_values(nothing, q[i][None], *given, plan.row, plan.column)[side][0]
    return value, out[::-1]


@pytest.mark.parametrize("eta", [0.5, 20.0, math.inf])
def test_values_are_those_of_the_three_recursions(random_game, planned, eta):
    problem = random_game(1, eta)
    learner = visited(problem, somg(problem, 300, scale=0.7), 40)
    planned(problem, learner)
    level = math.log(2.0 * 3 * 2 * 3 * 3 * 300 / 0.1)
    value, _ = recursions(problem, learner, 0.7 * math.sqrt(level / 2.0))
    for mine, right in zip((learner.value, learner.upper, learner.lower), value, strict=True):
        np.testing.assert_allclose(mine, right, rtol=1e-9, atol=1e-9)
    assert (learner.model.visits == 0.0).any()  # and cells without visits count as the docstring says


@pytest.mark.parametrize("eta", [0.5, 20.0])
def test_exploiters_are_best_responses_to_the_measured_pair(random_game, planned, eta):
    problem = random_game(2, eta)
    learner = visited(problem, somg(problem, 300), 100)
    row, column = planned(problem, learner)
    level = math.log(2.0 * 3 * 2 * 3 * 3 * 300 / 0.1)
    _, q = recursions(problem, learner, 0.5 * math.sqrt(level / 2.0))
    for h in range(3):
        x = problem.row_reference[h] * np.exp(eta * np.einsum("sab,sb->sa", q[h][1], column[0, h]))
        y = problem.column_reference[h] * np.exp(-eta * np.einsum("sab,sa->sb", q[h][2], row[0, h]))
        np.testing.assert_allclose(row[1, h], x / x.sum(axis=1, keepdims=True), rtol=1e-8)
        np.testing.assert_allclose(column[1, h], y / y.sum(axis=1, keepdims=True), rtol=1e-8)


@pytest.mark.parametrize("eta", [1.0, 30.0, math.inf])
def test_where_the_bonus_covers_the_errors_the_gap_is_at_most_the_exploiters_bracket(random_game, planned, eta):
    """Where |r + P V - r_hat - P_hat V| <= b at V = V+ and V-, and nothing is clipped: L- <= L and U <= V+."""
    held = broken = 0
    for seed in range(16):
        problem = random_game(seed, eta, states=2, rows=2, columns=2)
        for scale in (2.0, 0.02):
            learner = visited(problem, somg(problem, 2000, scale=scale), 2000, seed)
            row, column = planned(problem, learner)
            n = learner.model.visits
            if n.min() == 0.0:
                continue
            level = math.log(2.0 * 2 * 2 * 2 * 3 * 2000 / 0.1)
            left = np.arange(3, 0, -1.0)[:, None, None, None]
            bonus = scale * left * np.sqrt(level / (2.0 * n))
            P, r = learner.model.moves / n[..., None], learner.model.rewards / n
            event = True
            for v in (learner.upper, learner.lower):
                error = np.stack(
                    [r[h] - problem.reward[h] + (P[h] - problem.transition[h]) @ v[h + 1] for h in range(3)]
                )
                event = event and (np.abs(error) <= bonus).all()
            upper, lower = planning.best_response_values(
                problem.transition,
                problem.reward,
                problem.row_reference,
                problem.column_reference,
                eta,
                row[0],
                column[0],
            )
            # Ceilings 2 (H - h) and -(H - h) do not bind on what the best responses are worth here.
            inside = (upper[:-1] <= 2.0 * left[..., 0, 0]).all() and (lower[:-1] >= -left[..., 0, 0]).all()
            covered = (upper <= learner.upper + 1e-9).all() and (lower >= learner.lower - 1e-9).all()
            if event and inside:
                assert covered
                gap = problem.suboptimality((row[0], column[0]))
                assert gap <= problem.start @ (learner.upper[0] - learner.lower[0]) + 1e-9
                held += 1
            broken += not covered
    assert held >= 10 and broken >= 3  # control: without the event the bracket fails


def test_matrix_and_markov_form_agree_on_a_matrix_game():
    problem = instances.mixed_matrix(eta=3.0)
    runs = [problem.play(f(problem, 500), np.array([500]), 0, 0, np.zeros(2, np.int64)) for f in (omg, somg)]
    assert runs[0][2]["regret"][0] == runs[1][2]["regret"][0]


def test_the_bonus_of_features_by_its_formula_and_that_of_louder_rewards():
    problem = instances.random_linear(seed=1, eta=1.0)
    learner = somg(problem, 1000, scale=0.7, superoptimism=2.0, delta=0.05, lam=0.5)
    kappa = 0.5 * math.sqrt(4 * math.log(3.0 * (1.0 + 2.0 * 1000 / 0.5) / 0.05)) + math.sqrt(0.5 * 4)
    np.testing.assert_allclose(learner.bonus, 1.4 * kappa * np.array([3.0, 2.0, 1.0]), rtol=1e-14)
    loud = matrix(np.full((2, 2), 0.5), eta=1.0, noise="gaussian", spread=2.0)
    quiet = matrix(np.full((2, 2), 0.5), eta=1.0, noise="gaussian", spread=0.1)
    bonus = math.sqrt(0.5 * math.log(2.0 * 4 * 100 / 0.1))
    assert omg(loud, 100, scale=1.0).bonus[0] == pytest.approx(4.0 * bonus, rel=1e-14)
    assert omg(quiet, 100, scale=1.0).bonus[0] == pytest.approx(bonus, rel=1e-14)
