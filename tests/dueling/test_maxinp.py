"""MaxInP: by hand, tabular, and the measured regret; for its replay and bad input see test_symmetric_pair.py."""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.dueling.instances import gap_linear
from banditlab.dueling.maxinp import maxinp
from banditlab.dueling.problem import bradley_terry


def pair(learner, x=0, K=3):
    first, second = np.zeros(K), np.zeros(K)
    asked = learner.duel(1, x, first, second, rng.stream(0, rng.LEARNER, 0))
    return int(first.argmax()), int(second.argmax()), bool(asked)


def test_three_tabular_arms_by_hand():
    """Widths start equal and the first pair is taken; then the pairs less compared; at last no two may be the best."""
    problem = bradley_terry([3.0, 0.0, 0.0], eta=math.inf)
    learner = maxinp(problem, 100)
    assert learner.beta == pytest.approx(math.sqrt(2.0 * math.log(100)), rel=1e-15)
    assert pair(learner) == (0, 1, True)
    np.testing.assert_allclose(learner.width[0, 1:], math.sqrt(2.0), rtol=1e-15)
    learner.update(1, 0, 0, 1, 1.0)
    assert pair(learner) == (0, 2, True)
    # V = I + z z', z = e_0 - e_1: |z|^2 = 2 / 3, and |e_0 - e_2|^2 = 2 - 1 / 3
    np.testing.assert_allclose(learner.width[0, 1:], [math.sqrt(2.0 / 3.0), math.sqrt(5.0 / 3.0)], rtol=1e-14)
    for b in (1, 2):
        for _ in range(200):
            learner.update(1, 0, 0, b, 1.0)
    assert pair(learner) == (0, 0, False)
    assert learner.candidate.tolist() == [1.0, 0.0, 0.0]


def test_only_arms_that_may_be_the_best_are_compared():
    """The widest pair of all is (2, 3), of which neither may be the best."""
    phi = [[[0.6, 0.0], [0.6, 0.1], [-0.6, 0.8], [-0.6, -0.8]]]
    problem = bradley_terry(features=phi, parameter=[1.0, 0.0], eta=math.inf, radius=5.0)
    learner = maxinp(problem, 100)
    assert pair(learner, K=4) == (2, 3, True)
    for _ in range(30):
        for b in (2, 3):
            learner.update(1, 0, 0, b, 1.0)
    assert pair(learner, K=4) == (0, 1, True)
    assert learner.candidate.tolist() == [1.0, 1.0, 0.0, 0.0]
    assert learner.width[0, 1] < learner.width[2, 3]


def test_arms_of_the_same_features_are_not_asked_about():
    problem = bradley_terry(features=[[[0.5], [0.5]]], parameter=[1.0], eta=math.inf)
    assert pair(maxinp(problem, 10), K=2)[2] is False


MEASURED = {0.25: (181.0, 199.0, 199.0), 0.5: (336.0, 415.0, 415.0)}


@pytest.mark.slow
@pytest.mark.parametrize("scale", MEASURED)
def test_regret_is_the_measured_one_and_flat_from_ten_thousand_on(scale):
    """Means at 1e3, 1e4, 1e5 of 12 seeds, of instance and play, within 4 standard errors of a difference to 4 seeds."""
    cut, runs = np.array([1000, 10_000, 100_000]), []
    for i in range(12):
        problem = gap_linear(seed=i)
        learner = maxinp(problem, 100_000, scale=scale)
        status, _, channels = problem.play(learner, cut, 0, i, np.zeros(2, np.int64))
        assert status == 0
        runs.append(channels["regret"])
    mean, error = np.mean(runs, axis=0), np.std(runs, axis=0, ddof=1) * math.sqrt(1.0 / 12.0 + 1.0 / 4.0)
    assert (np.abs(mean - MEASURED[scale]) < 4.0 * error).all()
    assert mean[2] < 1.03 * mean[1]
    assert mean[1] > 1.05 * mean[0]  # control: not from a thousand on
