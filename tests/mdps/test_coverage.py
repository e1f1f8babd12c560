"""Coverage of offline data: by hand, and the suprema that the coefficients stand for."""

import math

import numpy as np
import pytest

from banditlab.mdps import coverage
from banditlab.mdps.instances import covered, random_linear, two_state
from banditlab.mdps.planning import occupancies
from banditlab.mdps.problem import linear, tabular


def moments(problem, policy):
    """(H, d, d) E phi phi' by loops."""
    law = occupancies(problem.transition, problem.start, policy)
    H, S, A, d = problem.features.shape
    out = np.zeros((H, d, d))
    for h, s, a in np.ndindex(H, S, A):
        out[h] += law[h, s, a] * np.outer(problem.features[h, s, a], problem.features[h, s, a])
    return out


def test_one_state_by_hand():
    # pi* prop. to exp(eta r): odds 3, (1/4, 3/4); behaviour (9/10, 1/10)
    problem = tabular(np.ones((1, 2, 1)), [[0.0, 1.0]], eta=math.log(3.0), horizon=2, behaviour=[0.9, 0.1])
    assert coverage.concentrability(problem) == pytest.approx(7.5, rel=1e-13)
    assert coverage.relative_condition_number(problem) == pytest.approx(7.5, rel=1e-13)
    wanted = 2.0 * (0.25 / math.sqrt(0.5 + 9.0) + 0.75 / math.sqrt(0.5 + 1.0))
    assert coverage.elliptical(problem, 10, 0.5) == pytest.approx(wanted, rel=1e-13)
    assert coverage.elliptical(problem, 0, 4.0) == pytest.approx(1.0, rel=1e-14)


def test_concentrability_is_the_largest_ratio_of_occupancies(random_mdp):
    for seed in range(5):
        problem, most = random_mdp(seed, 2.0), 0.0
        star, data = (occupancies(problem.transition, problem.start, p) for p in (problem.optimal, problem.behaviour))
        for pair in np.ndindex(*star.shape):
            most = max(most, star[pair] / data[pair])
        assert coverage.concentrability(problem) == pytest.approx(most, rel=1e-13)
        assert coverage.relative_condition_number(problem) == coverage.concentrability(problem)
        assert coverage.concentrability(problem._replace(behaviour=problem.optimal)) == pytest.approx(1.0, rel=1e-12)


def test_relative_condition_number_is_the_supremum_over_directions():
    g = np.random.default_rng(0)
    for seed in range(4):
        problem = covered(random_linear(5, 3, 3, 3, seed=seed, eta=5.0), 0.2)
        star, data = moments(problem, problem.optimal), moments(problem, problem.behaviour)
        v = g.normal(size=(20_000, 3))
        ratio = np.einsum("ni,hij,nj->hn", v, star, v) / np.einsum("ni,hij,nj->hn", v, data, v)
        found = coverage.relative_condition_number(problem)
        assert ratio.max() <= found * (1.0 + 1e-9) and ratio.max() > 0.98 * found
        assert found <= coverage.concentrability(problem) * (1.0 + 1e-9)


def test_what_the_data_never_show_has_no_coverage():
    problem = tabular(np.ones((1, 2, 1)), [[0.0, 1.0]], eta=1.0, horizon=1, behaviour=[1.0, 0.0])
    assert coverage.concentrability(problem) == coverage.relative_condition_number(problem) == math.inf
    greedy = tabular(np.ones((1, 2, 1)), [[1.0, 0.0]], eta=math.inf, horizon=1, behaviour=[1.0, 0.0])
    assert coverage.concentrability(greedy) == 1.0  # what the optimum does not visit does not count
    phi = np.array([[[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]])
    options = {"eta": 1.0, "horizon": 1}
    unseen = linear(phi, np.ones((1, 3, 1)), [[1.0, 0.5, 0.75]], behaviour=[1.0, 0.0, 0.0], noise="none", **options)
    assert coverage.relative_condition_number(unseen) == math.inf
    spanned = linear(phi, np.ones((1, 3, 1)), [[1.0, 0.5, 0.75]], behaviour=[0.5, 0.0, 0.5], noise="none", **options)
    assert coverage.relative_condition_number(spanned) < coverage.concentrability(spanned) == math.inf


def test_elliptical_potential_is_that_of_the_expected_data(random_mdp):
    for problem in (covered(random_linear(5, 3, 3, 3, seed=1, eta=5.0), 0.2), two_state(3), random_mdp(1, 2.0)):
        H, S, A, d = problem.features.shape
        if d == 0:
            problem = problem._replace(features=np.tile(np.eye(S * A).reshape(S, A, S * A), (H, 1, 1, 1)))
            bare = problem._replace(features=np.zeros((H, S, A, 0)))
            assert coverage.elliptical(bare, 50) == pytest.approx(coverage.elliptical(problem, 50), rel=1e-12)
        total, star = 0.0, occupancies(problem.transition, problem.start, problem.optimal)
        for h, data in enumerate(moments(problem, problem.behaviour)):
            precision = 0.1 * np.eye(len(data)) + 50 * data
            for s, a in np.ndindex(S, A):
                phi = problem.features[h, s, a]
                total += star[h, s, a] * math.sqrt(phi @ np.linalg.solve(precision, phi))
        assert coverage.elliptical(problem, 50, 0.1) == pytest.approx(total, rel=1e-11)


def test_bad_input_is_refused(random_mdp):
    for options, message in (((-1,), "samples: -1 is not allowed"), ((1, 0.0), r"lam: 0 is not in \(0, inf\]")):
        with pytest.raises(ValueError, match=message):
            coverage.elliptical(random_mdp(0, 1.0), *options)
