"""Hybrid learning: which policies are compared when.

The fit, the plug-in bound at every refit, regrets, bits and errors are tested in test_rlhf.py.
"""

import numpy as np
import pytest

from banditlab import rng
from banditlab.dueling.instances import rare_good
from banditlab.dueling.problem import bradley_terry
from banditlab.dueling.rlhf_hybrid import rlhf_hybrid


@pytest.mark.parametrize(("share", "stage"), [(0.5, 4), (0.25, 2), (1e-9, 1), (1.0, 7)])
def test_offline_comparisons_by_the_behaviour_policy_then_pi_against_the_reference(share, stage):
    """Of seven rounds the first ceil(7 share) are offline."""
    behaviour = np.array([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]])
    problem = bradley_terry([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]], eta=2.0, reference=[0.2, 0.3, 0.5], behaviour=behaviour)
    learner, own = rlhf_hybrid(problem, 7, share=share), rng.stream(0, rng.LEARNER, 0)
    first, second, pi = np.zeros(3), np.zeros(3), np.zeros(3)
    for t in range(1, 8):
        x = t % 2
        assert learner.duel(t, x, first, second, own)
        learner.policy(x, pi)
        np.testing.assert_array_equal(first, behaviour[x] if t <= stage else pi)
        np.testing.assert_array_equal(second, behaviour[x] if t <= stage else problem.reference[x])
        learner.update(t, x, 0, 1, 1.0)
        assert learner.refresh(t + 1)  # the main policy learns from both
    assert abs(pi - problem.reference[1]).max() > 0.05
    np.testing.assert_array_equal(own, rng.stream(0, rng.LEARNER, 0))  # draws nothing


def test_bad_input():
    for share in (0.0, 1.5):
        with pytest.raises(ValueError, match=rf"^share: {share:g} is not in \(0, 1\]"):
            rlhf_hybrid(rare_good(), 10, share=share)
