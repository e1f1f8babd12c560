"""Best-of-majority: the threshold, the ties and the bound of the regret."""

import math

import numpy as np
import pytest

import banditlab as bl
from banditlab.contextual.answers import Draws, answers
from banditlab.contextual.best_of_majority import best_of_majority, bound
from banditlab.contextual.best_of_n import best_of_n


def test_the_best_scores_of_the_frequent_answers_by_hand():
    draws = Draws(np.array([5.0, 1.0, 3.0, 11.0]), np.array([0.5, 0.9, 0.5, 0.1]), 2)
    np.testing.assert_array_equal(best_of_majority(draws), [1, 0])  # 1 / 20 = 0.05 is enough
    np.testing.assert_array_equal(best_of_majority(draws, threshold=0.1), [0, 2])  # a tie of scores
    np.testing.assert_array_equal(best_of_majority(draws, threshold=0.3), [3])  # fewer than k are not filled up
    assert best_of_majority(draws, threshold=0.6).size == 0


@pytest.mark.parametrize("threshold", [0.05, 0.07, 0.15, 0.2, 0.3])
def test_a_frequency_equal_to_the_threshold_is_enough(threshold):
    for n in (20, 60, 100, 700):
        counts = np.array([round(threshold * n), n - round(threshold * n)], float)
        if round(threshold * n) == pytest.approx(threshold * n, rel=1e-12):
            assert 0 in best_of_majority(Draws(counts, np.array([1.0, 0.0]), 1), threshold=threshold)


def test_with_a_threshold_that_every_draw_passes_it_is_best_of_n():
    p = answers(np.arange(6.0), np.arange(6.0)[::-1], np.full(6, 1.0 / 6.0), submissions=2)
    for i in range(50):
        draws = p.dataset(19, 0, i)
        np.testing.assert_array_equal(best_of_majority(draws, threshold=0.05), best_of_n(draws))


def test_the_bound_by_hand():
    # errors 0.1 at the optimum, 0.2 at the other answer: the mean square is 0.4 0.01 + 0.6 0.04
    p = answers([1.0, 0.0], [0.9, 0.2], [0.4, 0.6], submissions=4)
    expected = 0.1 + math.sqrt(2.0 * 0.028 / (0.3 * 4.0))
    assert bound(p, np.array([100_000]), threshold=0.3)[0] == pytest.approx(expected, rel=1e-12)
    coverage = 2.5
    at_default = 0.1 + math.sqrt(8.0 * coverage * 0.028 / (3.0 * 4.0))
    assert bound(p, np.array([100_000]), threshold=0.75 / coverage)[0] == pytest.approx(at_default, rel=1e-12)
    # one draw: a*, which has to be drawn, fails to be with probability 0.6
    assert bound(p._replace(score=p.reward), np.array([1]), threshold=0.3)[0] == pytest.approx(0.6, rel=1e-12)


def test_the_bound_counts_rare_answers_that_may_pass():
    p = answers([1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 0.4, 0.1])
    # four draws, threshold 1/4: a* is missing with 1/16, the third answer is there with 1 - 0.9^4
    assert bound(p, np.array([4]), threshold=0.25)[0] == pytest.approx(1.0 / 16.0 + 1.0 - 0.9**4, rel=1e-12)


def test_the_mean_regret_is_below_the_bound_on_random_questions():
    rng = np.random.default_rng(0)
    informative = 0
    for i in range(40):
        K = int(rng.integers(5, 60))
        reward = rng.random(K)
        reference = 0.5 * rng.dirichlet(np.full(K, 0.3)) + 0.5 / K
        best = int(reward.argmax())
        reference[best] += 0.3
        reference /= reference.sum()
        score = reward + 10.0 ** rng.uniform(-2.0, -0.5) * rng.normal(size=K)
        p = answers(reward, score, reference, submissions=int(rng.integers(1, 6)))
        threshold = 0.75 * p.reference[best]
        n = np.array([20, 200])
        fit = {"rule": lambda draws, threshold=threshold: best_of_majority(draws, threshold=threshold)}
        gap = bl.run_offline(p, fit, samples=n, replications=100, seed=i).gap["rule"]
        error = gap.std(axis=0, ddof=1) / 10.0
        above = bound(p, n, threshold=threshold)
        assert (gap.mean(axis=0) <= above + 4.0 * error).all()
        informative += above[1] < 0.5
    assert informative >= 10


def test_the_bound_does_not_hold_for_best_of_n():
    reward = np.zeros(1001)
    reward[0] = 1.0
    score = reward.copy()
    score[-1] = 1.5  # a rare answer that is scored far too well
    reference = np.concatenate([[0.3], np.full(1000, 0.7e-3)])
    p = answers(reward, score, reference)
    n = np.array([10_000])
    above = bound(p, n, threshold=0.2)[0]
    result = bl.run_offline(p, {"n": best_of_n, "majority": best_of_majority}, samples=n, replications=20)
    assert above < 0.2
    assert result.gap["n"].mean() > above
    assert result.gap["majority"].max() == 0.0


def test_the_bound_is_attached_and_never_above_the_range_of_rewards():
    p = answers([0.2, 0.7], [5.0, -5.0], [0.5, 0.5])
    assert best_of_majority.bound is bound
    np.testing.assert_allclose(bound(p, np.array([1, 10])), [0.5, 0.5], rtol=1e-15)


@pytest.mark.parametrize("threshold", [0.0, -0.1, 1.5, math.nan])
def test_bad_thresholds_are_refused_in_one_line(threshold):
    with pytest.raises(ValueError, match=r"^threshold: .*$"):
        best_of_majority(Draws(np.array([1.0]), np.array([0.0]), 1), threshold=threshold)
