"""Coverage of unilateral deviations: by hand, by enumeration of policies, and what it misses."""

import itertools
import math

import numpy as np
import pytest

from banditlab.games import coverage, instances
from banditlab.games.problem import matrix


def occupancy(problem, row, column):
    state, out = problem.start, np.empty(problem.reward.shape)
    for h in range(len(out)):
        out[h] = np.einsum("s,sa,sb->sab", state, row[h], column[h])
        state = np.einsum("sab,sabt->t", out[h], problem.transition[h])
    return out


def deterministic(actions, shape):
    H, S = shape
    return [np.eye(actions)[list(c)].reshape(H, S, actions) for c in itertools.product(range(actions), repeat=H * S)]


def test_the_trap_by_hand():
    # x* = (1/2, 1/2, 0): deviations reach a cell with probability 1/2 at most; the data have 1/8 on eight cells.
    assert coverage.unilateral_concentrability(instances.trap()) == pytest.approx(4.0, rel=1e-12)
    assert coverage.unilateral_concentrability(instances.trap(cover="all")) == pytest.approx(4.5, rel=1e-12)
    assert coverage.unilateral_concentrability(instances.trap(cover="nash")) == math.inf
    assert coverage.unilateral_concentrability(instances.hard_pair(1, cover="unilateral")) == pytest.approx(3.0)
    assert coverage.unilateral_concentrability(instances.hard_pair(0)) == math.inf


def test_with_kl_unilateral_data_of_the_trap_are_not_enough():
    # The regularized equilibrium has full support, so that a deviation reaches the cell that was left out.
    assert coverage.unilateral_concentrability(instances.trap(eta=5.0)) == math.inf


@pytest.mark.parametrize("eta", [2.0, math.inf])
def test_concentrability_and_uncertainty_by_enumeration(random_game, eta):
    problem = random_game(4, eta, states=2, horizon=2)
    plan = problem.equilibrium()
    data = coverage.behaviour_occupancy(problem)
    np.testing.assert_allclose(data.sum(axis=(1, 2, 3)), 1.0, rtol=1e-12)
    rows = [occupancy(problem, x, plan.column) for x in deterministic(2, (2, 2))]
    columns = [occupancy(problem, plan.row, y) for y in deterministic(3, (2, 2))]
    most = np.max([*rows, *columns], axis=0)
    assert coverage.unilateral_concentrability(problem) == pytest.approx((most / data).max(), rel=1e-12)
    for n, lam in ((0, 1.0), (100, 0.5)):
        norm = 1.0 / np.sqrt(lam + n * data)
        wanted = max(max((d * norm).sum() for d in rows), max((d * norm).sum() for d in columns))
        assert coverage.relative_uncertainty(problem, n, lam=lam) == pytest.approx(wanted, rel=1e-12)


def test_uncertainty_of_a_linear_game_uses_its_features():
    problem = instances.random_linear(2, 2, 2, 1, 2, eta=3.0)
    plan = problem.equilibrium()
    data = coverage.behaviour_occupancy(problem)
    phi = problem.features[0].reshape(-1, 2)
    precision = 2.0 * np.eye(2) + 50.0 * (phi * data[0].reshape(-1, 1)).T @ phi
    norm = np.sqrt(np.einsum("xi,ij,xj->x", phi, np.linalg.inv(precision), phi)).reshape(2, 2, 2)
    against_column = (norm[0] @ plan.column[0, 0]).max()
    against_row = (plan.row[0, 0] @ norm[0]).max()
    wanted = max(against_column, against_row)
    assert coverage.relative_uncertainty(problem, 50, lam=2.0) == pytest.approx(wanted, rel=1e-12)


def test_more_data_leave_less_uncertainty_like_the_root_of_n():
    problem = instances.trap()
    n = np.array([100, 400, 1600, 6400, 10**6, 4 * 10**6])
    u = np.array([coverage.relative_uncertainty(problem, int(k)) for k in n])
    assert (np.diff(u) < 0.0).all() and u[-1] / u[-2] == pytest.approx(0.5, rel=1e-3)
    stuck = [coverage.relative_uncertainty(instances.trap(cover="nash"), k) for k in (10**6, 4 * 10**6)]
    assert stuck[0] == pytest.approx(stuck[1], rel=1e-2) and stuck[1] > 0.9  # control: cells that data never reach


def test_errors_name_the_field():
    for call, message in (
        (lambda: coverage.relative_uncertainty(instances.trap(), -1), "samples: -1 is not allowed, must be at least 0"),
        (lambda: coverage.relative_uncertainty(instances.trap(), 1, lam=0.0), "lam: 0 is not in (0, inf]"),
        (
            lambda: coverage.unilateral_concentrability(instances.trap(), instances.hard_pair().equilibrium()),
            "plan: is of a game of shape (1, 1, 2, 2), must be of shape (1, 1, 3, 3)",
        ),
    ):
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value) == message


def test_a_game_of_one_cell_is_covered():
    assert coverage.unilateral_concentrability(matrix([[0.3]], eta=1.0)) == 1.0
