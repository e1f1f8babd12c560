"""LinPEVI-ADV: by hand, and why only its width differs. Replay is in `test_pevi`, use in `test_linpevi_adv_plus`."""

import math

import numpy as np

from banditlab.mdps import instances
from banditlab.mdps.kl_pevi import kl_pevi
from banditlab.mdps.linpevi_adv import linpevi_adv
from banditlab.mdps.pevi import pevi
from banditlab.mdps.problem import tabular


def test_one_stage_by_hand():
    """Means .6 and .75 less scale times (99 + 1)^{-1/2} and (3 + 1)^{-1/2}."""
    problem = tabular([[[1.0], [1.0]]], [[0.5, 0.5]], horizon=1, eta=math.inf)
    moves, total = np.array([[90.0, 0.0], [9.0, 3.0]]), np.array([[55.0, 0.0], [5.0, 3.0]])
    data = problem.described(moves.reshape(2, 1, 1, 2, 1), total.reshape(2, 1, 1, 2))
    assert linpevi_adv(data).tolist() == [[[0.0, 1.0]]]  # .59 and .7
    assert linpevi_adv(data, scale=0.4).tolist() == [[[1.0, 0.0]]]  # .56 and .55


def test_the_two_terms_of_the_decomposition_add_up_to_one_regression():
    """sum phi (r + V_ref) and sum phi (V - V_ref), each by ridge regression: their sum does not depend on V_ref."""
    data = instances.random_linear(6, 3, 3, 4, seed=1, eta=2.0).dataset(80, 0, 0)
    moves, total, precision = data.moves.sum(axis=0), data.total.sum(axis=0), data.precision(1.0)
    g = np.random.default_rng(2)
    for h in range(3):
        value, reference = 3.0 * g.random(6), 3.0 * g.random(6)
        first = data.regress(h, precision[h], total[h] + moves[h] @ reference)
        second = data.regress(h, precision[h], moves[h] @ (value - reference))
        whole = data.regress(h, precision[h], total[h] + moves[h] @ value)
        np.testing.assert_allclose(first + second, whole, rtol=1e-12)
        assert np.abs(first - whole).max() > 0.1  # control


def test_it_is_pessimistic_value_iteration_with_its_own_width():
    for eta in (2.0, math.inf):
        data = instances.random_linear(seed=2, eta=eta).dataset(100, 0, 0)
        np.testing.assert_array_equal(linpevi_adv(data), kl_pevi(data, scale=0.1, lam=1.0))
        assert (linpevi_adv(data, scale=2.0) != linpevi_adv(data)).any()  # control
    np.testing.assert_array_equal(linpevi_adv(data, scale=0.3, lam=0.01), pevi(data))
