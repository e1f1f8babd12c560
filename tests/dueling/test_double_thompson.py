"""Double Thompson sampling: by hand, its law against the published rule, the acceptance figures."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from scipy import special, stats

from banditlab import rng
from banditlab.dueling.double_thompson import double_thompson
from banditlab.dueling.instances import bt_ladder, condorcet_cycle
from banditlab.dueling.loop import write_pair
from banditlab.dueling.problem import bradley_terry
from banditlab.dueling.rucb import rucb
from banditlab.dueling.sparring_exp3 import sparring_exp3
from banditlab.dueling.sparring_ucb import sparring_ucb
from banditlab.rng import uniform

PROBLEM = bradley_terry([0.8, 0.5, 0.3, 0.0], eta=math.inf)


def published(wins, t, alpha, g):
    """One round of the published rule, in plain Python with NumPy's draws."""
    K = len(wins)
    n = wins + wins.T
    share = np.divide(wins, n, out=np.ones((K, K)), where=n > 0)
    width = np.sqrt(alpha * math.log(t) / np.maximum(n, 1.0))
    upper = np.where(n > 0, share + width, 2.0)
    lower = np.where(n > 0, share - width, 0.0)
    np.fill_diagonal(upper, 0.5)
    np.fill_diagonal(lower, 0.5)
    score = (upper > 0.5).sum(axis=1)
    theta = np.full((K, K), 0.5)
    for i in range(K):
        for j in range(i + 1, K):
            theta[i, j] = g.beta(wins[i, j] + 1.0, wins[j, i] + 1.0)
            theta[j, i] = 1.0 - theta[i, j]
    beaten = np.where(score == score.max(), (theta > 0.5).sum(axis=1), -1)
    c = g.choice(np.flatnonzero(beaten == beaten.max()))
    phi = np.array([0.5 if j == c else g.beta(wins[j, c] + 1.0, wins[c, j] + 1.0) for j in range(K)])
    d = int(np.where(lower[:, c] <= 0.5, phi, -1.0).argmax())
    return int(c), d


def pair(learner, t, own, K=4):
    first, second = np.zeros(K), np.zeros(K)
    assert learner.duel(t, 0, first, second, own) is True
    assert sorted(first) == sorted(second) == [0.0] * (K - 1) + [1.0]
    return int(first.argmax()), int(second.argmax())


def told(wins, **options):
    """A learner that has seen these comparisons, in a mixed order."""
    learner, g = double_thompson(PROBLEM, 10, **options), np.random.default_rng(9)
    outcomes = [(a, b) for a in range(4) for b in range(4) for _ in range(int(wins[a, b]))]
    for a, b in g.permutation(np.array(outcomes).reshape(-1, 2)).tolist():
        if g.random() < 0.5:
            learner.update(1, 0, a, b, 1.0)
        else:
            learner.update(1, 0, b, a, 0.0)
    np.testing.assert_array_equal(learner.wins, wins)
    return learner


def test_first_rounds_by_hand():
    learner, own = double_thompson(bradley_terry([1.0, 0.0], eta=math.inf), 10), rng.stream(0, rng.LEARNER, 0)
    assert learner.chance.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    learner.update(1, 0, 0, 1, 1.0)  # Beta(2, 1) has mass 3/4 above 1/2
    assert learner.chance[0, 1] == pytest.approx(0.75, rel=1e-15) and learner.chance[1, 0] == 0.25
    learner.update(2, 0, 1, 0, 1.0)  # Beta(2, 2)
    assert learner.chance[0, 1] == pytest.approx(0.5, rel=1e-15)
    for _ in range(200):
        learner.update(3, 0, 0, 1, 1.0)
    assert {pair(learner, 4, own, 2) for _ in range(50)} == {(0, 0)}  # arm 1 wins at most 1 in 202


def test_chances_are_those_of_the_beta_law():
    learner, g = double_thompson(PROBLEM, 10), np.random.default_rng(0)
    for t in range(20_000):
        a, b = g.choice(4, size=2, replace=False)
        learner.update(t, 0, a, b, float(g.random() < (0.5, 0.52, 0.6, 0.9)[(a + b) % 4]))
        if t % 1000 == 0:
            wanted = special.betainc(learner.wins.T + 1.0, learner.wins + 1.0, 0.5)
            off = ~np.eye(4, dtype=bool)
            np.testing.assert_allclose(learner.chance[off], wanted[off], atol=1e-11)


STATES = {
    "nothing known": (np.zeros((4, 4)), 5),
    "several candidates": (np.array([[0, 9, 9, 9], [5, 0, 5, 5], [5, 5, 0, 9], [1, 1, 1, 0]]), 50),
    "one candidate": (np.array([[0, 30, 12, 9], [5, 0, 5, 5], [9, 30, 0, 30], [9, 30, 5, 0]]), 3),
    "rivals ruled out": (np.array([[0, 9, 1, 3], [1, 0, 30, 2], [40, 1, 0, 5], [4, 3, 5, 0]]), 5),
    "a pair unseen": (np.array([[0, 0, 6, 3], [0, 0, 4, 2], [7, 4, 0, 0], [4, 3, 0, 0]]), 9),
}


def frequencies(draw, n):
    counts = np.zeros((4, 4))
    for _ in range(n):
        counts[draw()] += 1.0
    return counts


@pytest.mark.parametrize("name", STATES)
def test_pairs_have_the_law_of_the_published_rule(name):
    """2000 draws of each from one state; p-value of the contingency table above 1e-4."""
    wins, t = STATES[name]
    wins = np.array(wins, dtype=np.float64)
    learner, own, g = told(wins), rng.stream(2, rng.LEARNER, 0), np.random.default_rng(1)
    mine = frequencies(lambda: pair(learner, t, own), 2000)
    theirs = frequencies(lambda: published(wins, t, 0.51, g), 2000)
    assert agreement(mine, theirs) > 1e-4
    changed = wins.copy()
    changed[3, :3] += 4.0
    control = frequencies(lambda: published(changed, t, 0.51, g), 2000)
    assert name == "one candidate" or agreement(mine, control) < 1e-4


def agreement(one, two):
    kept = one + two > 10.0
    return stats.chi2_contingency(np.stack([one[kept], two[kept]])).pvalue


def test_a_run_stays_within_the_confidence_bounds():
    learner, own, g = double_thompson(PROBLEM, 2000), rng.stream(1, rng.LEARNER, 0), np.random.default_rng(0)
    for t in range(1, 2001):
        n = learner.wins + learner.wins.T
        with np.errstate(invalid="ignore", divide="ignore"):
            share, width = learner.wins / n, np.sqrt(0.51 * math.log(t) / n)
        score = (np.where(n > 0, share + width, 2.0) > 0.5).sum(axis=1) - 1  # the diagonal counts as unseen
        a, b = pair(learner, t, own)
        assert score[a] == score.max()
        assert a == b or n[b, a] == 0.0 or share[b, a] - width[b, a] <= 0.5
        if a != b:
            learner.update(t, 0, a, b, float(g.random() < PROBLEM.preference[0, a, b]))
    assert learner.wins[0].sum() > 2.0 * learner.wins[3].sum()


MEASURED = {bt_ladder: (60.0, 116.0, 150.0), condorcet_cycle: (49.0, 96.0, 149.0)}


class Uniform(NamedTuple):
    """Control: any pair, whatever was seen."""

    seen: np.ndarray

    def duel(self, t, x, first, second, rng):
        write_pair(first, second, int(uniform(rng) * first.size), int(uniform(rng) * first.size))
        return True

    def update(self, t, x, a, b, y):
        self.seen[0] += 1.0


CUT = np.array([1000, 10_000, 100_000])


def regrets(problem, algorithm):
    return np.array(
        [problem.play(algorithm(problem, CUT[-1]), CUT, 0, i, np.zeros(2, np.int64))[2]["regret"] for i in range(8)]
    )


@pytest.mark.slow
@pytest.mark.parametrize("make", MEASURED)
def test_average_regret_is_the_measured_one_and_the_lowest(make):
    """Means at 1e3, 1e4, 1e5 of 8 seeds within four standard errors of a difference of two such means."""
    problem = make()
    runs = regrets(problem, double_thompson)
    error, mean = np.std(runs, axis=0, ddof=1) * math.sqrt(2.0 / 8.0), runs.mean(axis=0)
    assert (np.abs(mean - MEASURED[make]) < 4.0 * error).all()
    assert math.log10(mean[2] / mean[1]) < 0.25
    for other in (rucb, sparring_exp3, sparring_ucb):
        theirs = regrets(problem, other)
        between = math.sqrt((runs[:, 2].var(ddof=1) + theirs[:, 2].var(ddof=1)) / 8.0)
        assert theirs[:, 2].mean() - mean[2] > 4.0 * between
    blind = regrets(problem, lambda problem, rounds: Uniform(np.zeros(1))).mean(axis=0)  # control
    assert math.log10(blind[2] / blind[1]) > 0.9 and (np.abs(blind - MEASURED[make])[1:] > 4.0 * error[1:]).all()


def test_bad_input():
    with pytest.raises(ValueError, match=r"alpha: 0\.4 is not in \(0\.5, inf\]"):
        double_thompson(PROBLEM, 10, alpha=0.4)
    with pytest.raises(ValueError, match="contexts: double_thompson is for one context, the problem has 2"):
        double_thompson(bradley_terry(np.eye(2), eta=math.inf), 10)
