"""OMG on the 3 x 3 game of mixed equilibria: logarithmic and linear in eta with KL, the root of T without."""

import math

import numpy as np
import pytest

from banditlab.games import instances
from banditlab.games.omg import omg
from banditlab.games.problem import linear, matrix

T = 30_000
AT = np.unique(np.geomspace(1, T, 60).astype(np.int64))


def increments(mean, times):
    """Regret gained per e-fold of rounds from each of the times on."""
    x = np.log(AT)
    return np.array([np.interp(math.log(t) + 1.0, x, mean) - np.interp(math.log(t), x, mean) for t in times])


@pytest.fixture(scope="module")
def finals(curves):
    """Regrets (16, C) by eta, with Gaussian payoffs of spread 1/2."""
    etas = (0.5, 2.0, 10.0, 100.0, math.inf)
    return {eta: curves(instances.mixed_matrix(eta=eta, noise="gaussian"), omg, AT, 16)["regret"] for eta in etas}


@pytest.mark.slow
def test_with_kl_every_e_fold_of_rounds_costs_the_same(finals):
    for eta in (0.5, 2.0, 10.0):
        found = increments(finals[eta].mean(axis=0), [40, 150, 600, 2500, 10_000])
        assert found.max() / found.min() < 2.6, (eta, found)
    without = increments(finals[math.inf].mean(axis=0), [40, 150, 600, 2500, 10_000])
    assert without[-1] / without[0] > 5.0  # control


@pytest.mark.slow
def test_regret_is_linear_in_eta_up_to_ten(finals):
    mean = {eta: x[:, -1].mean() for eta, x in finals.items()}
    assert 3.0 < mean[2.0] / mean[0.5] < 5.0 and 3.5 < mean[10.0] / mean[2.0] < 6.5
    assert mean[100.0] / mean[10.0] < 8.0  # beyond, less than linear


@pytest.mark.slow
def test_without_kl_regret_grows_like_the_root_of_the_rounds(finals):
    late = AT >= T / 10

    def slope(x):
        return np.polyfit(np.log(AT[late]), np.log(x.mean(axis=0)[late]), 1)[0]

    assert 0.4 < slope(finals[math.inf]) < 0.6
    assert slope(finals[0.5]) < 0.25 and slope(finals[2.0]) < 0.25 and slope(finals[10.0]) < 0.25


@pytest.mark.slow
def test_solving_anew_at_every_tenth_more_plays_loses_little(curves):
    problem = instances.mixed_matrix(eta=2.0)
    rare = curves(problem, omg, [5000], 16)
    often = curves(problem, omg, [5000], 16, growth=1.0)
    assert (often["plans"] == 5000.0).all() and rare["plans"].max() < 200.0
    x, y = rare["regret"][:, 0], often["regret"][:, 0]
    assert abs(x.mean() - y.mean()) <= 4.0 * math.hypot(x.std(), y.std()) / 4.0  # four standard errors


def test_features_of_every_cell_are_the_game_without_features_up_to_the_ridge(curves):
    payoff = np.array([[0.9, 0.2], [0.1, 0.7]])
    phi = np.eye(4).reshape(1, 2, 2, 4)
    problem = linear(phi, np.ones((1, 2, 2, 1)), payoff[None], eta=2.0, horizon=1)
    found = curves(problem, omg, [4000], 8)["regret"][:, 0]
    plain = curves(matrix(payoff, eta=2.0), omg, [4000], 8)["regret"][:, 0]
    assert 0.3 < found.mean() / plain.mean() < 4.0
    blind = 4000.0 * problem.suboptimality((problem.row_reference, problem.column_reference))
    assert found.max() < blind / 10.0  # control: play of the references


def test_games_of_one_row_and_of_constant_payoff_are_played(curves):
    for payoff in ([[0.2, 0.9, 0.5]], [[0.3], [0.8]], [[0.5]], np.full((2, 3), 0.5)):
        for eta in (2.0, math.inf):
            found = curves(matrix(payoff, eta=eta), omg, [10, 300], 2)["regret"]
            assert np.isfinite(found).all() and (found >= 0.0).all()
            if np.ptp(payoff) == 0.0 and eta == math.inf:
                assert found.max() <= 1e-12
