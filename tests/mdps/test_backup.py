"""The compiled backup of a stage: by hand, and against the one in NumPy."""

import math

import numpy as np
import pytest

from banditlab.mdps import planning
from banditlab.mdps.backup import soft_backup


def compiled(q, reference, eta):
    pi, value = np.full(q.shape, math.nan), np.full(len(q), math.nan)
    soft_backup(q, reference, eta, pi, value)
    return value, pi


def test_one_state_by_hand():
    value, pi = compiled(np.array([[0.0, 1.0, 9.0]]), np.array([[0.5, 0.5, 0.0]]), math.log(3.0))
    assert value[0] == pytest.approx(math.log(2.0) / math.log(3.0), rel=1e-15)
    np.testing.assert_allclose(pi, [[0.25, 0.75, 0.0]], rtol=1e-15)
    value, pi = compiled(np.array([[0.5, 0.5 + 1e-13, 9.0]]), np.array([[0.5, 0.5, 0.0]]), math.inf)
    assert value[0] == 0.5 + 1e-13
    np.testing.assert_array_equal(pi, [[1.0, 0.0, 0.0]])


@pytest.mark.parametrize("eta", [1e-3, 0.1, 3.0, 1e3, 1e6, 1e300, math.inf])
def test_agrees_with_planning(eta):
    g = np.random.default_rng(1)
    for _ in range(20):
        reference = g.dirichlet(np.ones(5), size=4)
        reference[g.random((4, 5)) < 0.3] = 0.0
        reference[:, 2] += 0.1
        reference /= reference.sum(axis=1, keepdims=True)
        q = np.round(g.normal(size=(4, 5)), 1) * 10.0 ** g.integers(-2, 4)
        value, pi = compiled(q, reference, eta)
        wanted, log_policy = planning.backup_rows(q, reference, eta)
        np.testing.assert_allclose(value, wanted, rtol=1e-13, atol=1e-15 / min(eta, 1.0))
        np.testing.assert_allclose(pi, np.exp(log_policy), rtol=1e-10, atol=1e-300)
        assert (pi[reference == 0.0] == 0.0).all()
        np.testing.assert_allclose(pi.sum(axis=1), 1.0, rtol=1e-14)
