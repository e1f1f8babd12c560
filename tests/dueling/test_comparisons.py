"""Offline comparisons: the law of the counts against enumeration, and exact gaps."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

import banditlab as bl
from banditlab.dueling.comparisons import Comparisons
from banditlab.dueling.problem import bradley_terry, preferences

REWARD = [[0.9, 0.2, 0.5], [0.1, 0.4, 0.3]]


def problem(**changes):
    wanted = {"eta": 3.0, "law": [0.35, 0.65], "reference": [[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]} | changes
    return bradley_terry(REWARD, **wanted)


def test_win_counts_have_the_law_of_single_comparisons():
    """All outcomes of n = 2, chi-square at level 1e-4; a uniform law of contexts must fail."""
    p = problem(behaviour=[[0.5, 0.5, 0.0], [0.2, 0.2, 0.6]])
    one = {}  # outcome of one comparison -> probability
    for x, a, b in itertools.product(range(2), range(3), range(3)):
        chance = p.law[x] * p.behaviour[x, a] * p.behaviour[x, b]
        if a == b:
            one[None] = one.get(None, 0.0) + chance
            continue
        for winner, loser, q in ((a, b, p.preference[x, a, b]), (b, a, p.preference[x, b, a])):
            one[x, winner, loser] = one.get((x, winner, loser), 0.0) + chance * q

    def key(wins):
        return tuple(int(w) for w in wins.ravel())

    expected = {}
    for (u, pu), (v, pv) in itertools.product(one.items(), repeat=2):
        wins = np.zeros((2, 3, 3))
        for cell in (u, v):
            if cell is not None:
                wins[cell] += 1.0
        expected[key(wins)] = expected.get(key(wins), 0.0) + pu * pv
    outcomes = [k for k, q in expected.items() if q > 0.0]

    def chi2(draw, size=20_000):
        seen = dict.fromkeys(outcomes, 0)
        for i in range(size):
            seen[key(draw.dataset(2, 0, i).wins)] += 1
        e = np.array([expected[k] for k in outcomes]) * size
        return float(((np.array([seen[k] for k in outcomes]) - e) ** 2 / e).sum())

    limit = stats.chi2.isf(1e-4, len(outcomes) - 1)
    assert chi2(p) < limit
    assert chi2(p._replace(law=np.array([0.5, 0.5]))) > limit


def test_counts_are_cheap_reproducible_and_read_only():
    p = problem()
    data = p.dataset(10**12, 1, 2)
    same = float((p.law[:, None] * p.behaviour**2).sum())
    assert data.samples == pytest.approx(10**12 * (1.0 - same), rel=1e-4)
    np.testing.assert_array_equal(data.wins, p.dataset(10**12, 1, 2).wins)
    assert (data.wins != p.dataset(10**12, 1, 3).wins).any()
    with pytest.raises(ValueError, match="read-only"):
        data.wins[0, 0, 1] = 1.0
    assert p.dataset(0, 0, 0).samples == 0


def test_gaps_by_hand_and_from_the_estimate():
    p = problem()
    value = np.log((p.reference * np.exp(3.0 * p.reward)).sum(axis=1)) / 3.0
    plain = (p.reference * p.reward).sum(axis=1)  # of the reference: no divergence
    expected = float(p.law @ (value - plain))
    assert p.suboptimality(p.reference) == pytest.approx(expected, rel=1e-12)
    flat = p.dataset(0, 0, 0).optimal(np.zeros((2, 3)))
    assert p.suboptimality(flat) == pytest.approx(expected, rel=1e-12)
    near = p.dataset(0, 0, 0).optimal(p.reward + np.array([1e-9, -1e-9, 0.0]) + 7.0)  # a constant tells nothing
    error = np.array([1e-9, -1e-9, 0.0]) - (p.optimal * [1e-9, -1e-9, 0.0]).sum(axis=1, keepdims=True)
    second_order = 1.5 * float((p.law[:, None] * p.optimal * error**2).sum())
    assert p.suboptimality(near) == pytest.approx(second_order, rel=1e-5, abs=0.0)
    assert isinstance(p.dataset(5, 0, 0), Comparisons)


def test_an_estimate_made_for_another_eta_is_not_trusted():
    p, other = problem(), problem(eta=1.0)
    policy = other.dataset(0, 0, 0).optimal(p.reward)
    assert p.suboptimality(policy) == pytest.approx(p.suboptimality(np.array(policy)), rel=1e-12)
    assert p.suboptimality(policy) > 1e-3


def test_an_offline_study_needs_the_kl_measure():
    with pytest.raises(ValueError, match="measure: an offline study needs 'kl'"):
        bl.run_offline(bradley_terry([[0.1, 0.3]], eta=math.inf), {"a": lambda d: d.reference}, samples=[10])


def test_general_preferences_are_measured_by_the_duality_gap():
    matrix = np.array([[0.5, 0.9, 0.2], [0.1, 0.5, 0.8], [0.8, 0.2, 0.5]])
    p = preferences(matrix, eta=2.0)
    pi = np.array([[0.2, 0.5, 0.3]])
    response = np.exp(2.0 * matrix @ pi[0])
    response /= response.sum()
    assert p.suboptimality(pi) == pytest.approx(float((pi[0] * np.log(pi[0] / response)).sum()) / 2.0, rel=1e-12)
    assert p.suboptimality(p.optimal) < 1e-12
