"""Sparring with Exp3: by hand, against NumPy, unbiased estimates, cycles, the acceptance figures."""

import math

import numpy as np
import pytest

from banditlab.dueling.instances import bt_ladder, condorcet_cycle, rps
from banditlab.dueling.problem import bradley_terry
from banditlab.dueling.sparring_exp3 import sparring_exp3

PROBLEM = bradley_terry([0.8, 0.5, 0.3, 0.0], eta=math.inf)


def policies(learner, t):
    first, second = np.zeros(4), np.zeros(4)
    assert learner.duel(t, 0, first, second, None) is True
    return first, second


def test_first_rounds_by_hand():
    learner = sparring_exp3(bradley_terry([1.0, 0.0], eta=math.inf), 10)
    first, second = np.zeros(2), np.zeros(2)
    learner.duel(1, 0, first, second, None)
    assert first.tolist() == second.tolist() == [0.5, 0.5]
    learner.update(1, 0, 0, 1, 1.0)  # arm 0 of the first won, arm 1 of the second lost: 1 / (1/2) = 2
    np.testing.assert_allclose(learner.loss, [[0.25, 0.25], [0.25, 2.25]], rtol=1e-15)
    learner.duel(2, 0, first, second, None)
    assert first == pytest.approx([0.5, 0.5], rel=1e-15)
    odds = math.exp(-2.0 * math.sqrt(math.log(2.0) / 4.0))
    assert second == pytest.approx([1.0 / (1.0 + odds), odds / (1.0 + odds)], rel=1e-14)


def test_agrees_with_numpy_round_by_round():
    learner, g, loss = sparring_exp3(PROBLEM, 2000), np.random.default_rng(0), np.zeros((2, 4))
    for t in range(1, 2001):
        w = np.exp(-math.sqrt(math.log(4.0) / (4.0 * t)) * (loss - loss.min(axis=1, keepdims=True)))
        p, q = w / w.sum(axis=1, keepdims=True)
        first, second = policies(learner, t)
        np.testing.assert_allclose(first, p, rtol=1e-10)
        np.testing.assert_allclose(second, q, rtol=1e-10)
        a, b = g.choice(4, p=p), g.choice(4, p=q)
        loss += 0.5 * np.stack([q, p])
        if a != b:
            y = float(g.random() < PROBLEM.preference[0, a, b])
            learner.update(t, 0, a, b, y)
            loss[0, a] += (1.0 - y) / p[a]
            loss[1, b] += y / q[b]
    assert p[0] > 2.0 * p[3]


def test_estimates_are_unbiased():
    """Enumerating pairs and outcomes: the mean estimate is each arm's probability of losing to the other copy."""
    start = sparring_exp3(PROBLEM, 10)
    start.loss[:] = np.random.default_rng(1).random((2, 4)) * 4.0
    P, before, mean = PROBLEM.preference[0], start.loss.copy(), np.zeros((2, 4))
    for a in range(4):
        for b in range(4):
            for y in (0.0, 1.0):
                start.loss[:] = before
                p, q = policies(start, 3)
                if a != b:
                    start.update(3, 0, a, b, y)
                mean += p[a] * q[b] * (P[a, b] if y else 1.0 - P[a, b]) * (start.loss - before)
    np.testing.assert_allclose(mean[0], (1.0 - P) @ q, rtol=1e-12)
    np.testing.assert_allclose(mean[1], (1.0 - P) @ p, rtol=1e-12)


@pytest.mark.slow
def test_average_play_of_a_cycle_is_nearly_the_von_neumann_winner():
    """50,000 rounds of rock-paper-scissors with a dominated arm: exploitability is below the mean of both regrets."""
    problem, T = rps(3, 0.4, 1, eta=math.inf, measure="borda"), 50_000
    P, learner, g = problem.preference[0], sparring_exp3(problem, 50_000), np.random.default_rng(3)
    mean = np.zeros(4)
    for t in range(1, T + 1):
        first, second = policies(learner, t)
        mean += first + second
        a, b = (min(int((np.cumsum(p) <= g.random()).sum()), 3) for p in (first, second))
        if a != b:
            learner.update(t, 0, a, b, float(g.random() < P[a, b]))
    mean /= 2.0 * T
    bound = 2.0 * math.sqrt(4.0 * math.log(4.0) / T)  # both regrets, halved, at twice the rate's sqrt(K log K / T)
    assert (P @ mean).max() - 0.5 < bound
    assert (P @ np.full(4, 0.25)).max() - 0.5 > 2.0 * bound  # control: uniform play


MEASURED = {bt_ladder: (104.0, 422.0, 923.0), condorcet_cycle: (82.0, 492.0, 1067.0)}


@pytest.mark.slow
@pytest.mark.parametrize("make", MEASURED)
def test_average_regret_is_the_measured_one(make):
    """Means at 1e3, 1e4, 1e5 of 8 seeds within four standard errors of a difference of two such means."""
    problem, cut = make(), np.array([1000, 10_000, 100_000])
    runs = [problem.play(sparring_exp3(problem, 100_000), cut, 0, i, np.zeros(2, np.int64))[2] for i in range(8)]
    regret = np.array([run["regret"] for run in runs])
    error, mean = regret.std(axis=0, ddof=1) * math.sqrt(2.0 / 8.0), regret.mean(axis=0)
    assert (np.abs(mean - MEASURED[make]) < 4.0 * error).all()
    assert 0.25 < math.log10(mean[2] / mean[1]) < 0.5
    blind = np.mean(problem.condorcet_gap) * cut  # control: uniform play
    assert (np.abs(blind - MEASURED[make])[1:] > 4.0 * error[1:]).all()


def test_bad_input():
    with pytest.raises(ValueError, match="contexts: sparring_exp3 is for one context, the problem has 2"):
        sparring_exp3(bradley_terry(np.eye(2), eta=math.inf), 10)
