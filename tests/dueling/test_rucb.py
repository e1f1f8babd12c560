"""RUCB: by hand, its law against the published rule, the acceptance figures."""

import math

import numpy as np
import pytest
from scipy import stats

from banditlab import rng
from banditlab.dueling.instances import bt_ladder, condorcet_cycle
from banditlab.dueling.problem import bradley_terry
from banditlab.dueling.rucb import rucb

PROBLEM = bradley_terry([0.8, 0.5, 0.3, 0.0], eta=math.inf)


def law(wins, t, alpha, champion):
    """Exact law (K, K) of the pair by the published rule, and the champion after it; a champion of None is none."""
    K = len(wins)
    U = np.full((K, K), 2.0)
    for i in range(K):
        for j in range(K):
            n = wins[i, j] + wins[j, i]
            if i == j:
                U[i, j] = 0.5
            elif n:
                U[i, j] = wins[i, j] / n + math.sqrt(alpha * math.log(t) / n)
    C = [i for i in range(K) if all(U[i, j] >= 0.5 for j in range(K))]
    B = champion if champion in C else None
    if len(C) == 1:
        B = C[0]
    if not C:
        first = dict.fromkeys(range(K), 1.0 / K)
    elif len(C) == 1:
        first = {C[0]: 1.0}
    elif B is None:
        first = {c: 1.0 / len(C) for c in C}
    else:
        first = {c: 0.5 if c == B else 0.5 / (len(C) - 1) for c in C}
    out = np.zeros((K, K))
    for c, p in first.items():
        top = max(U[:, c])
        best = [j for j in range(K) if U[j, c] == top]
        if len(best) > 1 and c in best:
            best.remove(c)
        for j in best:
            out[c, j] += p / len(best)
    return out, B


def pair(learner, t, own, K=4):
    first, second = np.zeros(K), np.zeros(K)
    assert learner.duel(t, 0, first, second, own) is True
    assert sorted(first) == sorted(second) == [0.0] * (K - 1) + [1.0]
    return int(first.argmax()), int(second.argmax())


def test_first_rounds_by_hand():
    learner, own = rucb(bradley_terry([1.0, 0.0], eta=math.inf), 10), rng.stream(0, rng.LEARNER, 0)
    a, b = pair(learner, 1, own, 2)
    assert a != b  # nothing known: every bound is 2, and the other arm comes first on ties
    for _ in range(200):
        learner.update(2, 0, 0, 1, 1.0)
    assert learner.wins.tolist() == [[0.0, 200.0], [0.0, 0.0]]
    assert pair(learner, 3, own, 2) == (0, 0)  # U(1 beats 0) = sqrt(.51 log 3 / 200) = .053
    assert learner.champion[0] == 0.0
    np.testing.assert_array_equal(learner.share, [[0.5, 1.0], [0.0, 0.5]])
    np.testing.assert_allclose(learner.width[[0, 1], [1, 0]], math.sqrt(1.0 / 200.0), rtol=1e-15)


def test_a_run_replays_the_published_rule():
    """Every pair of 3000 rounds has positive probability under the rule in plain Python, and champions agree."""
    learner, own, g = rucb(PROBLEM, 3000), rng.stream(1, rng.LEARNER, 0), np.random.default_rng(0)
    champion, champions = None, set()
    surprise = 0.0
    for t in range(1, 3001):
        wanted, champion = law(learner.wins, t, 0.51, champion)
        assert wanted.sum() == pytest.approx(1.0, rel=1e-12)
        a, b = pair(learner, t, own)
        assert wanted[a, b] > 0.0
        surprise += 1.0 / wanted[a, b] - (wanted > 0.0).sum()  # a martingale if the pair has this law
        assert learner.champion[0] == (-1.0 if champion is None else champion)
        champions.add(champion)
        if a != b:
            learner.update(t, 0, a, b, float(g.random() < PROBLEM.preference[0, a, b]))
    assert 0 in champions and None in champions
    assert abs(surprise) < 4.0 * math.sqrt(3000 * 16.0 * 24.0)  # variance of a term at most sum 1/p <= 16 * 24


STATES = {
    "nothing known": (np.zeros((4, 4)), 5, None),
    "no champion": (np.array([[0, 9, 9, 9], [5, 0, 5, 5], [5, 5, 0, 9], [1, 1, 1, 0]]), 50, None),
    "champion among others": (np.array([[0, 9, 9, 9], [5, 0, 5, 5], [5, 5, 0, 9], [1, 1, 1, 0]]), 50, 1),
    "champion lost": (np.array([[0, 9, 9, 60], [5, 0, 5, 60], [5, 5, 0, 60], [1, 1, 1, 0]]), 50, 3),
    "no candidate": (np.array([[0, 90, 1, 5], [1, 0, 90, 5], [90, 1, 0, 5], [0, 0, 90, 0]]), 3, None),
    "alone": (np.array([[0, 90, 90, 90], [1, 0, 5, 5], [1, 5, 0, 5], [1, 5, 5, 0]]), 3, None),
}


@pytest.mark.parametrize("name", STATES)
def test_pairs_have_the_law_of_the_published_rule(name):
    """4000 draws from one state; chi^2 p-value above 1e-4."""
    wins, t, champion = STATES[name]
    wanted, after = law(wins, t, 0.51, champion)
    learner, own, counts = rucb(PROBLEM, 10), rng.stream(2, rng.LEARNER, 0), np.zeros((4, 4))
    for a, b in np.argwhere(wins):
        for _ in range(int(wins[a, b])):
            learner.update(1, 0, a, b, 1.0)
    np.testing.assert_array_equal(learner.wins, wins)
    for _ in range(4000):
        learner.champion[0] = -1.0 if champion is None else champion
        counts[pair(learner, t, own)] += 1.0
    assert learner.champion[0] == (-1.0 if after is None else after)
    assert (counts[wanted == 0.0] == 0.0).all()
    kept = wanted > 0.0
    assert kept.sum() == 1 or stats.chisquare(counts[kept], 4000.0 * wanted[kept]).pvalue > 1e-4
    if name == "champion among others":  # control: the law without a champion is another
        without = law(wins, t, 0.51, None)[0]
        assert stats.chisquare(counts[kept], 4000.0 * without[kept]).pvalue < 1e-4


MEASURED = {bt_ladder: (138.0, 435.0, 537.0), condorcet_cycle: (73.0, 254.0, 326.0)}


@pytest.mark.slow
@pytest.mark.parametrize("make", MEASURED)
def test_average_regret_is_the_measured_one(make):
    """Means at 1e3, 1e4, 1e5 of 8 seeds within four standard errors of a difference of two such means."""
    problem, cut = make(), np.array([1000, 10_000, 100_000])
    runs = [problem.play(rucb(problem, 100_000), cut, 0, i, np.zeros(2, np.int64))[2]["regret"] for i in range(8)]
    error = np.std(runs, axis=0, ddof=1) * math.sqrt(2.0 / 8.0)
    mean = np.mean(runs, axis=0)
    assert (np.abs(mean - MEASURED[make]) < 4.0 * error).all()
    assert math.log10(mean[2] / mean[1]) < 0.25
    other = MEASURED[condorcet_cycle if make is bt_ladder else bt_ladder]
    assert (np.abs(mean - other) > 4.0 * error).all()  # control: the other instance's figures


def test_bad_input():
    with pytest.raises(ValueError, match=r"alpha: 0\.5 is not in \(0\.5, inf\]"):
        rucb(PROBLEM, 10, alpha=0.5)
    with pytest.raises(ValueError, match="contexts: rucb is for one context, the problem has 2"):
        rucb(bradley_terry(np.eye(2), eta=math.inf), 10)
