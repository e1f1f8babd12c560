"""KL-PMVI: the regularized form of PMVI, and where pessimism helps."""

import math

import numpy as np
import pytest

from banditlab.games import instances
from banditlab.games.kl_pmvi import kl_pmvi
from banditlab.games.plug_in import plug_in
from banditlab.games.pmvi import pmvi


def mean_gap(problem, fit, n, replications=40, **parameters):
    return float(
        np.mean([problem.suboptimality(fit(problem.dataset(n, 1, i), **parameters)) for i in range(replications)])
    )


def test_without_kl_it_is_pmvi(random_game):
    data = random_game(0, math.inf).dataset(1000, 0, 0)
    for x, y in zip(kl_pmvi(data), pmvi(data), strict=True):
        np.testing.assert_array_equal(x, y)


def test_its_policies_are_equilibria_of_pessimistic_games_by_hand():
    problem = instances.trap(cover="all", eta=5.0)
    data = problem.dataset(1000, 0, 0)
    n = data.moves[0, 0, ..., 0]
    width = 0.5 * np.sqrt(math.log(2.0 * 9 / 0.1) / (2.0 * n))
    low = np.clip(data.total[0, 0] / n - width, 0.0, 1.0)
    row, _ = kl_pmvi(data)
    pair = instances.matrix(low, eta=5.0).equilibrium()
    np.testing.assert_allclose(row[0, 0], pair.row[0, 0], atol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("eta, pessimistic, plain", [(1.0, 0.002, 0.068), (5.0, 0.054, 0.35), (30.0, 0.24, 0.54)])
def test_on_the_cells_of_the_equilibrium_alone_both_stop_and_pessimism_lower(eta, pessimistic, plain):
    problem = instances.trap(cover="nash", eta=eta)
    late = [mean_gap(problem, kl_pmvi, n) for n in (100_000, 400_000)]
    assert late[0] == pytest.approx(late[1], rel=0.05)
    assert late[1] == pytest.approx(pessimistic, rel=0.25)
    assert mean_gap(problem, plug_in, 400_000) == pytest.approx(plain, rel=0.05)


@pytest.mark.slow
def test_a_cell_left_out_leaves_a_gap_that_no_data_remove():
    # With KL the equilibrium has full support: unilateral data of the game without KL do not cover it.
    problem = instances.trap(cover="unilateral", eta=1.0)
    found = [mean_gap(problem, kl_pmvi, n) for n in (100_000, 400_000)]
    assert found[1] == pytest.approx(0.003, abs=0.001) and found[0] == pytest.approx(found[1], rel=0.05)
    covered = mean_gap(instances.trap(cover="all", eta=1.0), kl_pmvi, 400_000)
    assert covered < found[1] / 100.0  # control
