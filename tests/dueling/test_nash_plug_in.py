"""The plug-in Nash policy: its certificate at every draw, and the rate 1 / n without pessimism."""

import math

import numpy as np
import pytest

import banditlab as bl
from banditlab.dueling import instances
from banditlab.dueling.nash_plug_in import nash_plug_in
from banditlab.dueling.problem import preferences


def matrix(g, K):
    upper = np.triu(g.random((K, K)), 1)
    return upper + np.tril(1.0 - upper.T, -1) + 0.5 * np.eye(K)


def test_without_data_it_is_the_reference():
    problem = preferences(matrix(np.random.default_rng(0), 4), eta=3.0, reference=[0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(nash_plug_in(problem.dataset(0, 0, 0))[0], problem.reference[0], rtol=1e-12)


def test_its_gap_is_below_the_plug_in_certificate_at_every_draw():
    """(0.10) of the family: with D = (P - Phat) pi the gap is at most eta range(D)^2 / 8; control: 9 for 8."""
    g, ratios = np.random.default_rng(2), []
    for draw in range(60):
        K, eta = int(g.integers(2, 7)), float(10.0 ** g.uniform(-1.0, 1.5))
        problem = preferences(matrix(g, K), eta=eta, reference=g.dirichlet(np.ones(K)) * 0.9 + 0.1 / K)
        data = problem.dataset(int(10 ** g.integers(2, 5)), 0, draw)
        pi = nash_plug_in(data)
        wins = data.wins[0]
        estimate = (wins + 0.5) / (wins + wins.T + 1.0)
        error = (problem.preference[0] - estimate) @ pi[0]
        ratios.append(problem.suboptimality(pi) / (eta * (error.max() - error.min()) ** 2 / 8.0))
    assert max(ratios) <= 1.0 + 1e-6
    assert max(ratios) > 0.9  # control


@pytest.mark.slow
@pytest.mark.parametrize("eta", [2.0, 10.0])
def test_it_falls_like_one_over_n(eta):
    """rps(5, .3, 1), n = 2^9 .. 2^16, 200 datasets: exponent -1 within .1, more than four s.e.; not at .9 eta."""
    problem = instances.rps(5, 0.3, 1, eta=eta)
    rules = {"right": nash_plug_in, "wrong": lambda data: nash_plug_in(data._replace(eta=0.9 * eta))}
    found = bl.run_offline(problem, rules, samples=[2**k for k in range(9, 17)], replications=200).rates()
    margin = found["exponent_high"] - found["exponent_low"]  # four standard errors
    off = abs(found["exponent"] + 1.0)
    assert margin[0] < 0.1 and off[0] < 0.1
    assert off[1] - margin[1] > 0.1  # control


def test_bad_input():
    data = instances.rps(eta=2.0).dataset(10, 0, 0)
    with pytest.raises(ValueError, match="smoothing: 0 is not in"):
        nash_plug_in(data, smoothing=0.0)
    with pytest.raises(ValueError, match="eta: inf is not allowed"):
        nash_plug_in(data._replace(eta=math.inf))
    with pytest.raises(ValueError, match="preference: nash_plug_in needs general preferences"):
        nash_plug_in(data._replace(bradley_terry=True))
