"""Two-stage sampling: which policies are compared when.

The fit, the plug-in bound at every refit, regrets, bits and errors are tested in test_rlhf.py.
"""

import numpy as np
import pytest

from banditlab import rng
from banditlab.dueling.instances import rare_good
from banditlab.dueling.problem import bradley_terry
from banditlab.dueling.rlhf_two_stage import rlhf_two_stage


def test_the_reference_against_itself_then_the_policy_of_its_fit_which_stays():
    """Of seven rounds ceil(7 share) = 3 are of the first stage."""
    reference = np.array([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]])
    problem = bradley_terry([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]], eta=2.0, reference=reference, behaviour=[0.1, 0.8, 0.1])
    learner, own = rlhf_two_stage(problem, 7, share=0.4), rng.stream(0, rng.LEARNER, 0)
    first, second, pi, frozen = np.zeros(3), np.zeros(3), np.zeros((2, 3)), np.zeros((2, 3))
    for t in range(1, 8):
        for x in range(2):
            learner.policy(x, pi[x])
        if t == 4:
            frozen[:] = pi
        x = t % 2
        assert learner.duel(t, x, first, second, own)
        np.testing.assert_array_equal(first, (reference if t <= 3 else frozen)[x])
        np.testing.assert_array_equal(second, first)
        learner.update(t, x, 0, 1, 1.0 if t <= 3 else 0.0)
        assert learner.refresh(t + 1)  # the main policy learns from both
    assert (abs(frozen - reference).max(axis=1) > 0.05).all()
    assert (abs(frozen - pi).max(axis=1) > 0.05).all()
    np.testing.assert_array_equal(own, rng.stream(0, rng.LEARNER, 0))  # draws nothing


def test_bad_input():
    with pytest.raises(ValueError, match=r"^share: 0 is not in \(0, 1\]"):
        rlhf_two_stage(rare_good(), 10, share=0.0)
    with pytest.raises(ValueError, match=r"^share: 1 is not allowed, must be in \(0, 1\)$"):
        rlhf_two_stage(rare_good(), 10, share=1.0)
