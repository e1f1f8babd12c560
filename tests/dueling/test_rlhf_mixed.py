"""The plug-in policy against the reference, by hand.

The fit, the plug-in bound at every refit, regrets, bits and errors are tested in test_rlhf.py.
"""

import math

import numpy as np

from banditlab import rng
from banditlab.dueling.problem import bradley_terry
from banditlab.dueling.rlhf_mixed import rlhf_mixed


def test_one_win_by_hand():
    """sigma(u) - 1 + lam u / 2 = 0 at u = log 3; the policy tilts the reference (1/4, 3/4) by 9, the rival does not."""
    u = math.log(3.0)
    problem = bradley_terry([1.0, 0.0], span=2.0, eta=2.0, reference=[0.25, 0.75])
    learner = rlhf_mixed(problem, 10, lam=0.5 / u)
    pi, first, second, own = np.zeros(2), np.zeros(2), np.zeros(2), rng.stream(0, rng.LEARNER, 0)
    learner.update(1, 0, 0, 1, 1.0)
    assert learner.refresh(2) and not learner.refresh(3)
    learner.policy(0, pi)
    np.testing.assert_allclose(pi, [0.75, 0.25], rtol=1e-9)
    assert learner.duel(2, 0, first, second, own)
    np.testing.assert_array_equal(first, pi)
    np.testing.assert_array_equal(second, [0.25, 0.75])
    np.testing.assert_array_equal(own, rng.stream(0, rng.LEARNER, 0))  # draws nothing


def test_the_rival_is_the_reference_of_the_context():
    g = np.random.default_rng(0)
    reference = g.dirichlet(np.ones(3), 2)
    problem = bradley_terry(g.random((2, 3)), eta=3.0, reference=reference)
    learner, own = rlhf_mixed(problem, 10), rng.stream(0, rng.LEARNER, 0)
    first, second = np.zeros(3), np.zeros(3)
    learner.update(1, 1, 0, 2, 1.0)
    for x in range(2):
        learner.duel(2, x, first, second, own)
        np.testing.assert_array_equal(second, problem.reference[x])
        assert (abs(first - second).max() > 0.01) == (x == 1)
