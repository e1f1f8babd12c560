"""Pass@k inference: the draws, the regret, and how the three rules fare where the majority is wrong."""

import math

import numpy as np
import pytest

import banditlab as bl
from banditlab.contextual.answers import Draws, answers, majority_trap
from banditlab.contextual.best_of_majority import best_of_majority
from banditlab.contextual.best_of_n import best_of_n
from banditlab.contextual.majority_vote import majority_vote

RULES = {"vote": majority_vote, "best": best_of_n, "frequent": best_of_majority}


def test_regret_by_hand():
    p = answers([0.2, 0.9, 0.4], [0.0, 0.0, 0.0], [0.5, 0.2, 0.3], submissions=2)
    assert p.suboptimality([0]) == pytest.approx(0.7, rel=1e-15)
    assert p.suboptimality([0, 2]) == pytest.approx(0.5, rel=1e-15)
    assert p.suboptimality([2, 1]) == 0.0
    assert p.suboptimality([]) == pytest.approx(0.7, rel=1e-15)  # as with the worst answer
    assert p.coverage == 5.0
    assert p.summary == "pass@k inference, k = 2, K = 3 answers"


def test_the_best_of_the_eligible_with_ties_by_frequency_then_number():
    draws = Draws(np.array([1.0, 3.0, 1.0, 3.0, 2.0]), np.array([0.5, 0.5, 0.9, 0.5, 0.1]), 3)
    assert draws.samples == 10
    np.testing.assert_array_equal(draws.best(draws.counts > 0.0), [2, 1, 3])
    np.testing.assert_array_equal(draws.best(np.array([True, False, False, False, True])), [0, 4])
    assert draws.best(np.zeros(5, bool)).size == 0


def test_draws_have_the_law_of_the_reference():
    p, n = majority_trap(), 10**6
    draws = p.dataset(n, 0, 0)
    assert draws.samples == n
    square = ((draws.counts - n * p.reference) ** 2 / (n * p.reference)).sum()  # chi-square of K - 1 degrees
    degrees = p.reward.size - 1
    assert abs(square - degrees) < 4.0 * math.sqrt(2.0 * degrees)
    np.testing.assert_array_equal(draws.counts, p.dataset(n, 0, 0).counts)
    assert (draws.counts != p.dataset(n, 0, 1).counts).any()


def test_few_draws_have_the_law_of_the_reference():
    p = answers([0.0, 1.0], [0.0, 1.0], [0.7, 0.3])
    found = np.array([p.dataset(2, 0, i).counts[1] for i in range(4000)])
    for hits, chance in enumerate([0.49, 0.42, 0.09]):
        assert abs((found == hits).mean() - chance) < 4.0 * math.sqrt(chance * (1.0 - chance) / 4000)


@pytest.mark.parametrize("rule", list(RULES.values()))
def test_no_draws_give_no_answers(rule):
    p = majority_trap(submissions=3)
    submitted = rule(p.dataset(0, 0, 0))
    assert submitted.size == 0
    p.check_fit(submitted)
    assert p.suboptimality(submitted) == 1.0


@pytest.mark.parametrize("rule", list(RULES.values()))
@pytest.mark.parametrize("k", [1, 4])
def test_rules_submit_at_most_k_distinct_drawn_answers(rule, k):
    p = majority_trap(submissions=k)
    for i in range(50):
        draws = p.dataset(20, 1, i)
        counts = draws.counts.copy()
        submitted = rule(draws)
        assert submitted.dtype == np.int64
        assert submitted.size <= k
        assert np.unique(submitted).size == submitted.size
        assert (draws.counts[submitted] > 0.0).all()
        np.testing.assert_array_equal(draws.counts, counts)


MEASURED = {  # regrets from 400 repetitions, at N = 16, 64, 1024
    (1, "vote"): (0.77, 0.91, 1.0),
    (1, "best"): (0.38, 0.76, 1.0),
    (1, "frequent"): (0.37, 0.00, 0.0),
    (3, "vote"): (0.29, 0.48, 0.99),
    (3, "best"): (0.07, 0.19, 1.0),
    (3, "frequent"): (0.09, 0.01, 0.0),
    (5, "vote"): (0.07, 0.00, 0.0),
    (5, "best"): (0.08, 0.03, 1.0),
    (5, "frequent"): (0.05, 0.00, 0.0),
}


@pytest.fixture(scope="module")
def regrets():
    """Regrets of 1000 repetitions by k and rule, (1000, 3)."""
    found = {}
    for k in (1, 3, 5):
        p = majority_trap(submissions=k)
        result = bl.run_offline(p, RULES, samples=[16, 64, 1024], replications=1000, seed=5)
        found.update({(k, name): gap for name, gap in result.gap.items()})
    return found


@pytest.mark.parametrize("case", list(MEASURED))
def test_regrets_agree_with_an_earlier_measurement(case, regrets):
    known, found = np.array(MEASURED[case]), regrets[case].mean(axis=0)
    pooled = (400.0 * known + 1000.0 * found) / 1400.0
    error = np.sqrt(np.maximum(pooled * (1.0 - pooled), 1e-4) * (1.0 / 400.0 + 1.0 / 1000.0))
    assert (np.abs(found - known) < 4.0 * error + 0.005).all()  # 0.005: two decimals are given


@pytest.mark.parametrize("k", [1, 3, 5])
def test_best_of_majority_improves_with_draws_and_best_of_n_collapses(k, regrets):
    frequent = regrets[k, "frequent"]
    assert (np.diff(frequent.mean(axis=0)) <= 0.0).all()
    assert frequent[:, 2].max() == 0.0
    best = regrets[k, "best"]
    assert best[:, 2].mean() >= 0.95
    assert best[:, 2].mean() > best[:, 0].mean() + 4.0 * best[:, 0].std(ddof=1) / math.sqrt(1000.0)


def test_majority_voting_with_one_answer_tends_to_a_regret_of_one(regrets):
    vote = regrets[1, "vote"]
    step = np.diff(vote, axis=1)  # sizes are independent
    error = np.hypot(vote.std(axis=0, ddof=1)[1:], vote.std(axis=0, ddof=1)[:-1]) / math.sqrt(1000.0)
    assert (step.mean(axis=0) > 4.0 * error).all()
    assert vote[:, 2].mean() == 1.0
    assert regrets[5, "vote"][:, 2].mean() == 0.0  # control: five answers hold all four modes


def test_the_exact_law_runs_through_the_measured_regret_of_best_of_n():
    result = bl.run_offline(majority_trap(), RULES, samples=[1, 4, 16, 64], replications=1000)
    gap = result.gap["best"]
    assert (np.abs(gap.mean(axis=0) - result.laws["best"]) < 4.0 * gap.std(axis=0, ddof=1) / math.sqrt(1000.0)).all()
    assert set(result.laws) == {"best"}


@pytest.mark.parametrize(
    ("submitted", "error", "message"),
    [
        ([0, 1, 2], ValueError, "submitted: 3 answers are not allowed, must be at most 2"),
        ([1, 1], ValueError, r"submitted: \[1, 1\] is not allowed, must be distinct answers"),
        ([3], ValueError, "submitted: answer 3 is not allowed, must be from 0 to 2"),
        ([-1], ValueError, "submitted: answer -1 is not allowed, must be from 0 to 2"),
        ([0.5], TypeError, r"submitted: expected a vector of numbers of answers, got \[0.5\]"),
        (np.eye(2), TypeError, r"submitted: expected a vector of numbers of answers, got shape \(2, 2\) of float64"),
    ],
)
def test_what_is_no_set_of_answers_is_refused_in_one_line(submitted, error, message):
    p = answers([0.2, 0.9, 0.4], [0.0, 0.0, 0.0], [0.5, 0.2, 0.3], submissions=2)
    for check in (p.check_fit, p.suboptimality):
        with pytest.raises(error, match=f"^{message}$"):
            check(submitted)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reward": [1.0, math.nan]}, r"reward\[1\]: "),
        ({"score": [1.0]}, "score: "),
        ({"reference": [0.5, 0.6]}, "reference: "),
        ({"reference": [1.0, 0.0]}, r"reference\[1\]: "),
        ({"submissions": 0}, "submissions: "),
    ],
)
def test_bad_parameters_are_refused_in_one_line(change, message):
    with pytest.raises(ValueError, match=f"^{message}.*$"):
        answers(**{"reward": [1.0, 0.0], "score": [0.5, 0.5], "reference": [0.5, 0.5], **change})


def test_the_trap_is_as_described():
    p = majority_trap(submissions=2, seed=3)
    assert p.reference.sum() == pytest.approx(1.0, rel=1e-12)
    assert p.coverage == pytest.approx(1.0 / 0.15, rel=1e-12)
    assert (p.reward[0], p.reward[1:].max(), p.score[0], p.submissions) == (1.0, 0.0, 0.9, 2)
    junk = p.score[4:]
    assert abs(junk.mean() - 0.5) < 4.0 * 0.3 / math.sqrt(2000.0)
    assert abs(junk.std() - 0.3) < 4.0 * 0.3 / math.sqrt(4000.0)
    assert (p.score != majority_trap(seed=4).score).any()
