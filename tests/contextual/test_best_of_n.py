"""Best-of-N: its law against enumeration, its divergence, win rate and expected regret."""

import itertools
import math

import numpy as np
import pytest
from scipy import optimize

from banditlab.contextual.answers import Draws, answers
from banditlab.contextual.best_of_n import best_of_n, divergence, divergence_bound, law, pmf, win_rate


def enumerated(score, reference, n, chosen):
    """Law of the answer that `chosen(draws)` picks, over all K^n sequences of draws."""
    out = np.zeros(len(score))
    for draws in itertools.product(range(len(score)), repeat=n):
        chance = math.prod(reference[a] for a in draws)
        for a, weight in chosen(draws):
            out[a] += chance * weight
    return out


def test_two_answers_by_hand():
    np.testing.assert_allclose(pmf([0.0, 1.0], [0.75, 0.25], 2), [9.0 / 16.0, 7.0 / 16.0], rtol=1e-15)
    assert divergence([0.0, 1.0], [0.75, 0.25], 2) == pytest.approx(
        9.0 / 16.0 * math.log(0.75) + 7.0 / 16.0 * math.log(7.0 / 4.0), rel=1e-14
    )
    assert win_rate([0.0, 1.0], [0.75, 0.25], 2) == pytest.approx(9.0 / 16.0 * 3.0 / 8.0 + 7.0 / 16.0 * 7.0 / 8.0)
    draws = Draws(np.array([2.0, 0.0, 1.0]), np.array([0.1, 0.9, 0.4]), 2)
    np.testing.assert_array_equal(best_of_n(draws), [2, 0])


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("tied", [False, True])
def test_the_law_agrees_with_enumeration(n, tied):
    rng = np.random.default_rng(n)
    reference = rng.dirichlet(np.ones(5))
    score = rng.integers(0, 3, 5).astype(float) if tied else rng.normal(size=5)

    def chosen(draws):
        top = max(score[a] for a in draws)
        winners = [a for a in draws if score[a] == top]  # a tie is broken among the draws at random
        return [(a, 1.0 / len(winners)) for a in winners]

    np.testing.assert_allclose(pmf(score, reference, n), enumerated(score, reference, n, chosen), rtol=1e-12)


def test_without_ties_the_rule_has_that_law():
    rng = np.random.default_rng(3)
    score, reference = rng.normal(size=4), rng.dirichlet(np.ones(4))

    def chosen(draws):
        return [(int(best_of_n(Draws(np.bincount(draws, minlength=4).astype(float), score, 1))[0]), 1.0)]

    np.testing.assert_allclose(pmf(score, reference, 4), enumerated(score, reference, 4, chosen), rtol=1e-12)


def test_the_law_keeps_its_relative_accuracy_for_many_draws():
    reference = np.array([0.5 - 1e-12, 0.5, 1e-12])
    chance = pmf([0.0, 1.0, 2.0], reference, 1000)
    assert chance[2] == pytest.approx(-math.expm1(1000.0 * math.log1p(-1e-12)), rel=1e-13, abs=0.0)
    assert chance[0] == pytest.approx((0.5 - 1e-12) ** 1000, rel=1e-11, abs=0.0)
    assert chance.sum() == pytest.approx(1.0, rel=1e-13)
    most = pmf([0.0, 1.0, 2.0], reference, 10**12)[1]  # 1 - F(1) is 1e-12, to all digits
    assert most == pytest.approx(math.exp(1e12 * math.log1p(-1e-12)), rel=1e-11)


def test_one_draw_is_the_reference():
    reference = np.random.default_rng(0).dirichlet(np.ones(6))
    score = np.arange(6.0)
    np.testing.assert_allclose(pmf(score, reference, 1), reference, rtol=1e-13)
    assert abs(divergence(score, reference, 1)) < 1e-15
    assert divergence_bound(1) == 0.0
    assert win_rate(score, reference, 1) == pytest.approx(0.5, rel=1e-14)


def test_the_divergence_is_below_its_bound():
    rng = np.random.default_rng(1)
    for _ in range(200):
        K, n = rng.integers(1, 30), int(rng.integers(1, 200))
        score = rng.integers(0, 10, K).astype(float) if rng.random() < 0.5 else rng.normal(size=K)
        assert divergence(score, rng.dirichlet(np.ones(K)), n) <= divergence_bound(n) + 1e-12


@pytest.mark.parametrize("n", [2, 5, 50])
def test_divergence_and_win_rate_without_atoms(n):
    score, reference = np.arange(20000.0), np.full(20000, 1.0 / 20000.0)
    assert abs(divergence(score, reference, n) - divergence_bound(n)) < 2e-3 * n
    assert divergence(score, reference, n) < divergence_bound(n)
    assert win_rate(score, reference, n) == pytest.approx(n / (n + 1.0), abs=1e-6)
    assert divergence(score[:4], np.full(4, 0.25), n) < divergence_bound(n) - 1e-2  # control: four atoms are not none


def test_the_gibbs_policy_of_the_same_divergence_has_the_larger_expected_score():
    rng = np.random.default_rng(2)
    for _ in range(50):
        K, n = rng.integers(2, 10), int(rng.integers(2, 50))
        score, reference = rng.random(K), rng.dirichlet(np.ones(K))
        chosen = pmf(score, reference, n)
        level = divergence(score, reference, n)

        def gibbs(eta, score=score, reference=reference):
            p = reference * np.exp(eta * (score - score.max()))
            return p / p.sum()

        def excess(eta, reference=reference, gibbs=gibbs, level=level):
            p = gibbs(eta)
            kept = p > 0.0
            return (p[kept] * np.log(p[kept] / reference[kept])).sum() - level

        eta = optimize.brentq(excess, 0.0, 1e4, xtol=1e-12)
        assert gibbs(eta) @ score >= chosen @ score - 1e-9


def test_the_expected_regret_agrees_with_enumeration():
    reward, score, reference = [0.1, 0.8, 0.3, 1.0], [0.5, 0.2, 0.9, 0.1], [0.4, 0.3, 0.2, 0.1]
    p = answers(reward, score, reference)

    def regret(draws):
        return p.suboptimality(best_of_n(Draws(np.bincount(draws, minlength=4).astype(float), p.score, 1)))

    found = law(p, np.array([1, 3, 5]))
    for value, n in zip(found, (1, 3, 5)):
        sequences = itertools.product(range(4), repeat=n)
        expected = sum(math.prod(p.reference[a] for a in draws) * regret(draws) for draws in sequences)
        assert value == pytest.approx(expected, rel=1e-12)
    assert best_of_n.law is law


def test_no_law_for_several_answers_nor_for_ties_that_matter():
    n = np.array([4])
    assert np.isnan(law(answers([0.0, 1.0], [0.1, 0.2], [0.5, 0.5], submissions=2), n)).all()
    assert np.isnan(law(answers([0.0, 1.0], [0.2, 0.2], [0.5, 0.5]), n)).all()
    assert law(answers([0.0, 0.0, 1.0], [0.2, 0.2, 0.1], [0.25, 0.25, 0.5]), n)[0] == pytest.approx(15.0 / 16.0)


def test_bad_arguments_are_refused_in_one_line():
    for function in (pmf, divergence, win_rate):
        with pytest.raises(ValueError, match=r"^samples: .*$"):
            function([0.1, 0.2], [0.5, 0.5], 0)
        with pytest.raises(ValueError, match=r"^reference: .*$"):
            function([0.1, 0.2], [0.5, 0.6], 2)
        with pytest.raises(ValueError, match=r"^score\[0\]: .*$"):
            function([math.nan, 0.2], [0.5, 0.5], 2)
    with pytest.raises(ValueError, match=r"^samples: .*$"):
        divergence_bound(0)
