"""Sparring with UCB1: by hand, against NumPy, rounds of equal arms, the acceptance figures."""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.dueling.instances import bt_ladder, condorcet_cycle
from banditlab.dueling.problem import bradley_terry
from banditlab.dueling.sparring_ucb import sparring_ucb

PROBLEM = bradley_terry([0.8, 0.5, 0.3, 0.0], eta=math.inf)


def pair(learner, t, own, K=4):
    first, second = np.zeros(K), np.zeros(K)
    assert learner.duel(t, 0, first, second, own) is True
    assert sorted(first) == sorted(second) == [0.0] * (K - 1) + [1.0]
    return int(first.argmax()), int(second.argmax())


def test_a_round_by_hand():
    learner, own = sparring_ucb(bradley_terry([1.0, 0.0], eta=math.inf), 10), rng.stream(0, rng.LEARNER, 0)
    learner.update(1, 0, 0, 1, 1.0)
    learner.update(2, 0, 1, 0, 1.0)
    learner.update(3, 0, 0, 1, 0.0)
    assert learner.wins.tolist() == [[1.0, 1.0], [0.0, 1.0]]
    assert learner.plays.tolist() == [[2.0, 1.0], [1.0, 2.0]]
    # Indices at t = 4: first copy .5 + sqrt(.25 log 4) = 1.09 and 1 + sqrt(.5 log 4) = 1.83; second .83 and 1.09.
    assert pair(learner, 4, own, 2) == (1, 1)
    assert learner.plays.tolist() == [[2.0, 2.0], [1.0, 3.0]]  # a round of equal arms is counted at once
    assert learner.wins[0, 1] + learner.wins[1, 1] == 1.0 + 1.0 + 1.0  # a coin, won by one of the copies


def test_agrees_with_numpy_round_by_round():
    learner, own, g = sparring_ucb(PROBLEM, 3000), rng.stream(1, rng.LEARNER, 0), np.random.default_rng(0)
    wins, plays, coins = np.zeros((2, 4)), np.zeros((2, 4)), []
    for t in range(1, 3001):
        with np.errstate(invalid="ignore", divide="ignore"):
            index = np.where(plays > 0, wins / plays + np.sqrt(0.5 * math.log(t) / plays), np.inf)
        a, b = pair(learner, t, own)
        np.testing.assert_allclose([index[0, a], index[1, b]], index.max(axis=1), rtol=1e-12)
        y = float(g.random() < PROBLEM.preference[0, a, b])
        if a == b:
            y = learner.wins[0, a] - wins[0, a]
            coins.append(y)
        else:
            learner.update(t, 0, a, b, y)
        plays[0, a] += 1.0
        plays[1, b] += 1.0
        wins[0, a] += y
        wins[1, b] += 1.0 - y
        np.testing.assert_array_equal(learner.wins, wins)
        np.testing.assert_array_equal(learner.plays, plays)
    assert set(coins) == {0.0, 1.0} and len(coins) > 300
    assert abs(np.mean(coins) - 0.5) < 4.0 * 0.5 / math.sqrt(len(coins))  # four standard errors


def test_every_arm_is_played_first():
    learner, own = sparring_ucb(PROBLEM, 10), rng.stream(3, rng.LEARNER, 0)
    played = []
    for t in range(1, 5):
        played.append(pair(learner, t, own))
        if played[-1][0] != played[-1][1]:
            learner.update(t, 0, *played[-1], 1.0)
    assert [sorted(copy) for copy in zip(*played, strict=True)] == [[0, 1, 2, 3]] * 2


MEASURED = {bt_ladder: (77.0, 254.0, 469.0), condorcet_cycle: (72.0, 301.0, 590.0)}


@pytest.mark.slow
@pytest.mark.parametrize("make", MEASURED)
def test_average_regret_is_the_measured_one(make):
    """Means at 1e3, 1e4, 1e5 of 8 seeds within four standard errors of a difference of two such means."""
    problem, cut = make(), np.array([1000, 10_000, 100_000])
    runs = [problem.play(sparring_ucb(problem, 100_000), cut, 0, i, np.zeros(2, np.int64))[2] for i in range(8)]
    regret = np.array([run["regret"] for run in runs])
    error, mean = regret.std(axis=0, ddof=1) * math.sqrt(2.0 / 8.0), regret.mean(axis=0)
    assert (np.abs(mean - MEASURED[make]) < 4.0 * error).all()
    blind = np.mean(problem.condorcet_gap) * cut  # control: uniform play
    assert (np.abs(blind - MEASURED[make])[1:] > 4.0 * error[1:]).all()


def test_bad_input():
    with pytest.raises(ValueError, match="contexts: sparring_ucb is for one context, the problem has 2"):
        sparring_ucb(bradley_terry(np.eye(2), eta=math.inf), 10)
