"""Majority voting: the rule and its law with one answer."""

import itertools
import math

import numpy as np
import pytest

from banditlab.contextual.answers import Draws, answers
from banditlab.contextual.majority_vote import majority_vote, pmf


def test_the_most_frequent_with_ties_to_the_lower_number():
    draws = Draws(np.array([1.0, 3.0, 0.0, 3.0, 4.0]), np.zeros(5), 3)
    np.testing.assert_array_equal(majority_vote(draws), [4, 1, 3])
    np.testing.assert_array_equal(majority_vote(draws._replace(submissions=5)), [4, 1, 3, 0])  # the third was not drawn


def test_two_answers_by_hand():
    # of two draws a tie goes to answer 0: it loses only if both draws are 1
    np.testing.assert_allclose(pmf([0.3, 0.7], 2), [0.51, 0.49], rtol=1e-13)
    np.testing.assert_allclose(pmf([0.3, 0.7], 3), [3.0 * 0.09 * 0.7 + 0.027, 3.0 * 0.49 * 0.3 + 0.343], rtol=1e-13)


@pytest.mark.parametrize(("K", "n"), [(1, 4), (2, 7), (4, 6), (5, 5)])
def test_the_law_agrees_with_enumeration(K, n):
    reference = np.random.default_rng(K).dirichlet(np.ones(K))
    expected = np.zeros(K)
    for draws in itertools.product(range(K), repeat=n):
        counts = np.bincount(draws, minlength=K).astype(float)
        expected[majority_vote(Draws(counts, np.zeros(K), 1))[0]] += math.prod(reference[a] for a in draws)
    np.testing.assert_allclose(pmf(reference, n), expected, rtol=1e-12)


def test_the_law_sums_to_one_and_settles_on_the_mode():
    reference = np.array([0.2, 0.3, 0.25, 0.15, 0.1])
    for n in (20, 150):
        assert pmf(reference, n).sum() == pytest.approx(1.0, rel=1e-11)
    assert pmf(reference, 150)[1] > pmf(reference, 20)[1] > reference[1]


def test_the_law_agrees_with_draws():
    p = answers([0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.3, 0.3, 0.4])
    chosen = [int(majority_vote(p.dataset(30, 0, i))[0]) for i in range(3000)]
    for a, chance in enumerate(pmf(p.reference, 30)):
        assert abs(np.mean([c == a for c in chosen]) - chance) < 4.0 * math.sqrt(chance * (1.0 - chance) / 3000.0)


def test_bad_arguments_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"^samples: .*$"):
        pmf([0.5, 0.5], 0)
    with pytest.raises(ValueError, match=r"^reference: .*$"):
        pmf([0.5, 0.6], 3)
