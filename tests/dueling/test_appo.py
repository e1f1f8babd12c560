"""APPO: a mirror step by hand, its draws, and what the gate saves; its replay in NumPy is in test_symmetric_pair.py."""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.dueling.appo import appo, improve
from banditlab.dueling.instances import gap_linear
from banditlab.dueling.problem import bradley_terry


def test_a_step_by_hand():
    """theta = 0, V = I: an arm gains alpha min(2, beta |z|), the baseline nothing; then the top is zero."""
    problem = bradley_terry(features=[[[0.5], [0.4], [-0.5]]], parameter=[1.0], eta=math.inf)
    learner = appo(problem, 2, scale=3.0)
    beta = 6.0 * math.sqrt(2.0 * math.log(2.0))  # 7.06
    assert learner.beta == pytest.approx(beta, rel=1e-15)
    improve(learner.logistic, 0, 0, 0.2, beta, learner.score, learner.logits[0])
    np.testing.assert_allclose(learner.logits[0], [-0.4, 0.2 * 0.1 * beta - 0.4, 0.0], rtol=1e-13)
    theta = learner.logistic.projected[0]
    theta[0] = 1.0
    learner.logits[0] = 0.0
    improve(learner.logistic, 0, 2, 0.2, 0.1, learner.score, learner.logits[0])  # advantages 1.1, .99 and 0
    np.testing.assert_allclose(learner.logits[0], [0.0, -0.022, -0.22], rtol=1e-12)


def test_the_first_arm_is_a_draw_of_the_softmax_and_the_second_of_the_reference():
    """10 000 draws, within four standard errors in every entry of the joint law; exchanged they are not."""
    reference = np.array([0.5, 0.3, 0.2])
    problem = bradley_terry([0.5, 0.3, 0.0], eta=math.inf, reference=reference)
    learner, own = appo(problem, 100), rng.stream(0, rng.LEARNER, 0)
    logits = np.log([0.1, 0.3, 0.6])
    first, second, counts = np.zeros(3), np.zeros(3), np.zeros((3, 3))
    for _ in range(10_000):
        learner.last[0] = -1
        learner.logits[0] = logits
        asked = learner.duel(1, 0, first, second, own)
        assert asked == (first.argmax() != second.argmax())  # widths are sqrt(2) or 0
        counts += np.outer(first, second)

    def far(law):
        return np.abs(counts / 1e4 - law) / np.sqrt(law * (1.0 - law) / 1e4)

    law = np.outer([0.1, 0.3, 0.6], reference)
    assert counts.sum() == 10_000.0 and far(law).max() < 4.0
    assert far(law.T).max() > 10.0  # control


def test_a_gate_above_all_widths_asks_nothing():
    """Widths are at most 2 / sqrt(lam); the policy then is that of the optimism alone."""
    problem = gap_linear(measure="first")
    for gate, some in ((1.01, False), (0.5, True)):
        learner = appo(problem, 500, gate=gate, lam=4.0)
        assert problem.play(learner, np.array([500]), 0, 0, np.zeros(2, np.int64))[2]["queries"][0].astype(bool) == some


ROUNDS = 100_000
MEASURED = {0.5: ((230.0, 3866.0), (226.0, 83_372.0)), 0.25: ((211.0, 973.0), (207.0, 83_371.0))}


def ends(scale, gate, seeds):
    """Regret and queries, (seeds, 3 and 3), at 1e3, 1e4, 1e5; seeds are those of instance and play."""
    out = []
    for i in range(seeds):
        problem = gap_linear(measure="first", seed=i)
        learner = appo(problem, ROUNDS, scale=scale, gate=gate)
        status, _, channels = problem.play(learner, np.array([1000, 10_000, ROUNDS]), 0, i, np.zeros(2, np.int64))
        assert status == 0
        out.append((channels["regret"], channels["queries"]))
    return np.array(out).transpose(1, 0, 2)


@pytest.mark.slow
@pytest.mark.parametrize("scale", MEASURED)
def test_the_gate_saves_nine_queries_in_ten_at_the_regret_without_it(scale):
    """Eight seeds at gap .4 with gate .4 / (2 beta): the specification's table within four standard errors of a
    difference to four seeds, and against the same seeds without gate.
    """
    gate = 0.4 / (4.0 * scale * math.sqrt(2.0 * math.log(ROUNDS)))
    assert scale != 0.5 or gate == pytest.approx(0.04, rel=0.05)  # the default
    with_gate, without = ends(scale, gate, 8), ends(scale, 0.0, 8)
    for (regret, queries), (r, q) in zip((with_gate, without), MEASURED[scale], strict=True):
        for found, measured in ((regret[:, -1], r), (queries[:, -1], q)):
            assert abs(found.mean() - measured) < 4.0 * found.std(ddof=1) * math.sqrt(1.0 / 8.0 + 1.0 / 4.0)
    assert (with_gate[1][:, -1] < 0.1 * without[1][:, -1]).all()
    assert with_gate[1][:, -1].mean() < 1.1 * with_gate[1][:, 1].mean()  # a tenth at most in the last decade
    assert without[1][:, -1].mean() > 9.0 * without[1][:, 1].mean()  # control
    difference = with_gate[0][:, -1] - without[0][:, -1]
    assert abs(difference.mean()) < 0.1 * without[0][:, -1].mean()
