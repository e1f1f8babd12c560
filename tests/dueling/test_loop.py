"""The dueling loop: by hand, regrets against enumeration, KL gaps against formulas, counts, worlds, the same bits."""

import json
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from banditlab import protocol
from banditlab import rng as draws
from banditlab.dueling import ALGORITHMS, loop
from banditlab.dueling.instances import bt_ladder
from banditlab.dueling.problem import bradley_terry, preferences

HERE = Path(__file__).parent
MEASURES = ("average", "strong", "weak", "borda", "copeland", "reward", "first")


class Fixed(NamedTuple):
    """A user's rule: two distributions for each context, and a log."""

    first: np.ndarray  # (X, K)
    second: np.ndarray  # (X, K)
    every: int  # a comparison is asked in rounds divisible by it
    log: np.ndarray  # (T + 1, 5) context, whether told, and a, b, y if so

    def duel(self, t, x, first, second, rng):
        self.log[t, 0] = x
        for a in range(first.size):
            first[a] = self.first[x, a]
            second[a] = self.second[x, a]
        return t % self.every == 0

    def update(self, t, x, a, b, y):
        self.log[t, 1] = 1.0
        self.log[t, 2] = a
        self.log[t, 3] = b
        self.log[t, 4] = y


class Main(NamedTuple):
    """A user's learner whose main policy moves with the wins, and a log of it at each round."""

    wins: np.ndarray  # (X, K)
    log: np.ndarray  # (T + 2, X, K) the policy before each round

    def policy(self, x, pi):
        total = 0.0
        for a in range(pi.size):
            total += 1.0 + a + self.wins[x, a]
        for a in range(pi.size):
            pi[a] = (1.0 + a + self.wins[x, a]) / total

    def duel(self, t, x, first, second, rng):
        for s in range(self.wins.shape[0]):
            self.policy(s, self.log[t, s])
        self.policy(x, first)
        for a in range(second.size):
            second[a] = 1.0 / second.size
        return True

    def update(self, t, x, a, b, y):
        self.wins[x, a] += y
        self.wins[x, b] += 1.0 - y


class Rare(NamedTuple):
    """As a main policy that stays the same but for rounds divisible by `every`, and says so."""

    every: int
    table: np.ndarray  # (X, K)
    calls: np.ndarray  # (1,) how often the policy was asked for

    def refresh(self, t):
        if t % self.every != 0:
            return False
        self.table[0, 0] *= 2.0
        return True

    def policy(self, x, pi):
        self.calls[0] += 1.0
        total = 0.0
        for a in range(pi.size):
            total += self.table[x, a]
        for a in range(pi.size):
            pi[a] = self.table[x, a] / total

    def duel(self, t, x, first, second, rng):
        loop.write_pair(first, second, 0, 0)
        return False

    def update(self, t, x, a, b, y):
        pass


def fixed(first, second, rounds, every=1):
    first, second = (np.array(p, dtype=np.float64, ndmin=2) for p in (first, second))
    return Fixed(first, second, every, np.zeros((rounds + 1, 5)))


def play(problem, learner, checkpoints, seed=0, replication=0, control=None):
    control = np.zeros(2, np.int64) if control is None else control
    return problem.play(learner, np.asarray(checkpoints, np.int64), seed, replication, control)


def mixed(seed, X=3, K=4):
    """Two random distributions for each context, with some zeros."""
    g = np.random.default_rng(seed)
    p = g.dirichlet(np.full(K, 0.5), size=(2, X))
    p[0, 0, 1] = p[1, 0, 2] = 0.0
    return p / p.sum(axis=-1, keepdims=True)


def instance(measure, eta=3.0):
    """Bradley-Terry with three contexts; its reference is not uniform."""
    g = np.random.default_rng(5)
    options = {"law": [0.5, 0.3, 0.2], "reference": g.dirichlet(np.ones(4), size=3), "measure": measure}
    return bradley_terry(2.0 * g.random((3, 4)), eta=eta, **options)


def general(measure, eta=3.0, winner=False):
    g = np.random.default_rng(6)
    upper = np.triu(g.random((3, 4, 4)), 1)
    if winner:
        upper[:, 0, 1:] = 0.5 + 0.5 * upper[:, 0, 1:]
    P = upper + np.tril(1.0 - upper.transpose(0, 2, 1), -1) + 0.5 * np.eye(4)
    options = {"law": [0.5, 0.3, 0.2], "reference": g.dirichlet(np.ones(4), size=3), "measure": measure}
    return preferences(P, eta=eta, **options)


# By hand


def test_two_rounds_by_hand():
    # P(0 beats 1) = 3/4. The pair of mixed arms (1/2, 1/2) and (1, 0): average 1/16, strong 1/8, weak 0, reward
    # log(3) / 2; under KL with eta = 1 the optimum is (3/4, 1/4).
    first, second = [0.5, 0.5], [1.0, 0.0]
    wanted = {"average": 0.0625, "strong": 0.125, "weak": 0.0, "borda": 0.125, "copeland": 0.25}
    for measure, each in (wanted | {"reward": math.log(3.0) / 2.0}).items():
        problem = bradley_terry([math.log(3.0), 0.0], eta=1.0, measure=measure)
        status, t, out = play(problem, fixed(first, second, 2), [1, 2])
        assert (status, t) == (protocol.DONE, 2)
        np.testing.assert_allclose(out["regret"], [each, 2.0 * each], rtol=1e-14)
        np.testing.assert_allclose(out["average_regret"], [0.0625, 0.125], rtol=1e-14)
        np.testing.assert_allclose(out["borda_regret"], [0.125, 0.25], rtol=1e-14)
        np.testing.assert_allclose(out["reward_regret"], np.array([0.5, 1.0]) * math.log(3.0), rtol=1e-14)
    problem = bradley_terry([math.log(3.0), 0.0], eta=1.0)
    out = play(problem, Rare(5, np.ones((1, 2)), np.zeros(1)), [1, 2])[2]
    np.testing.assert_allclose(out["regret"], np.array([0.5, 1.0]) * math.log(4.0 / 3.0), rtol=1e-14)
    assert out["queries"].tolist() == [0.0, 0.0] and out["same"].tolist() == [1.0, 2.0]


def test_channels_are_those_that_are_defined():
    learner = fixed(np.full((3, 4), 0.25), np.full((3, 4), 0.25), 5)
    always = {"regret", "queries", "same", "locked", "borda_regret"}
    assert set(play(instance("borda"), learner, [5])[2]) == always | {"average_regret", "reward_regret"}
    assert set(play(general("average", winner=True), learner, [5])[2]) == always | {"average_regret"}
    assert set(play(general("borda"), learner, [5])[2]) == always


def test_ties_are_broken_evenly():
    """30,000 draws; chi^2 p-value above 1e-4, and below it for a law slightly off."""
    state, x = draws.stream(1, draws.LEARNER, 0), np.array([1.0, 3.0, -math.inf, 3.0, 3.0])
    counts = np.bincount([loop.largest(x, state) for _ in range(30_000)], minlength=5)
    assert counts[[0, 2]].tolist() == [0, 0]
    assert stats.chisquare(counts[[1, 3, 4]]).pvalue > 1e-4
    assert stats.chisquare(counts[[1, 3, 4]], 30_000 * np.array([0.35, 0.325, 0.325])).pvalue < 1e-4
    assert loop.largest(np.full(3, math.inf), state) in (0, 1, 2)


# Regrets against enumeration


def loss(problem, measure, x, a, b):
    """What the pair (a, b) loses in context x, from the definitions in words."""
    P, K = problem.preference[x], problem.preference.shape[1]
    others = [[c for c in range(K) if c != i] for i in range(K)]
    if measure == "reward":
        return 2.0 * max(problem.reward[x]) - problem.reward[x, a] - problem.reward[x, b]
    if measure == "first":
        return max(problem.reward[x]) - problem.reward[x, a]
    if measure in ("borda", "copeland"):
        score = [np.mean([P[i, c] if measure == "borda" else P[i, c] > 0.5 for c in others[i]]) for i in range(K)]
        return max(score) - 0.5 * (score[a] + score[b])
    (winner,) = [i for i in range(K) if all(P[i, c] > 0.5 for c in others[i])]
    pair = [P[winner, a] - 0.5, P[winner, b] - 0.5]
    return {"average": sum(pair) / 2.0, "strong": max(pair), "weak": min(pair)}[measure]


def enumerated(problem, measure, learner, rounds):
    """Cumulative regret of a `Fixed` rule by enumeration of all pairs, at the contexts that it met."""
    X, K = problem.reward.shape
    each = np.zeros(X)
    for x in range(X):
        for a in range(K):
            for b in range(K):
                each[x] += learner.first[x, a] * learner.second[x, b] * loss(problem, measure, x, a, b)
    return np.cumsum(each[learner.log[1:, 0].astype(int)])[np.array(rounds) - 1]


@pytest.mark.parametrize("measure", MEASURES)
def test_regret_is_the_enumerated_expectation(measure):
    cut = [1, 2, 7, 40]
    for seed in range(4):
        for problem in (
            instance(measure),
            general(measure, winner=True) if measure not in ("reward", "first") else None,
        ):
            if problem is None:
                continue
            learner = fixed(*mixed(seed), 40)
            out = play(problem, learner, cut, seed=seed)[2]
            np.testing.assert_allclose(out["regret"], enumerated(problem, measure, learner, cut), rtol=1e-12)
            for channel in ("average", "borda", "reward"):
                if f"{channel}_regret" in out:
                    wanted = enumerated(problem, channel, learner, cut)
                    np.testing.assert_allclose(out[f"{channel}_regret"], wanted, rtol=1e-12)


def test_measures_differ():
    # control of the enumeration: the strong regret of mixed arms is above the average, the weak below
    learner = fixed(*mixed(0), 40)
    average, strong, weak = (play(instance(m), learner, [40])[2]["regret"][0] for m in MEASURES[:3])
    assert weak < 0.95 * average < average < 0.95 * strong
    assert weak + strong == pytest.approx(2.0 * average, rel=1e-12)


def test_borda_and_copeland_regrets_need_no_condorcet_winner():
    for measure in ("borda", "copeland"):
        problem, learner = general(measure), fixed(*mixed(1), 40)
        assert (problem.winner < 0).any()
        out = play(problem, learner, [40])[2]
        np.testing.assert_allclose(out["regret"], enumerated(problem, measure, learner, [40]), rtol=1e-12)


# The gap of a main policy


def value(r, reference, pi, eta):
    return float(pi @ r) - float(pi @ np.log(pi / reference)) / eta


def gap_by_rewards(problem, x, pi):
    """J* - J(pi), with J* = log E_ref exp(eta r) / eta."""
    reference, r, eta = problem.reference[x], problem.reward[x], problem.eta
    return math.log(reference @ np.exp(eta * r)) / eta - value(r, reference, pi, eta)


def gap_by_game(problem, x, pi):
    """1/2 - min_q V(pi, q), where the minimum over q is -log E_ref exp(-eta P' pi) / eta."""
    reference, eta = problem.reference[x], problem.eta
    lowest = -math.log(reference @ np.exp(-eta * (problem.preference[x].T @ pi))) / eta
    return 0.5 - lowest + float(pi @ np.log(pi / reference)) / eta


@pytest.mark.parametrize("eta", [0.5, 3.0, 20.0])
@pytest.mark.parametrize(("make", "formula"), [(instance, gap_by_rewards), (general, gap_by_game)])
def test_kl_regret_is_the_gap_of_the_main_policy(make, formula, eta):
    problem, rounds = make("kl", eta), 60
    learner = Main(np.zeros((3, 4)), np.zeros((rounds + 1, 3, 4)))
    out = play(problem, learner, np.arange(1, rounds + 1))[2]
    each = [problem.law @ [formula(problem, x, learner.log[t, x]) for x in range(3)] for t in range(1, rounds + 1)]
    np.testing.assert_allclose(out["regret"], np.cumsum(each), rtol=1e-9)
    assert np.ptp(each) > 1e-3 * np.mean(each)  # the policy moved
    assert out["queries"][-1] + out["same"][-1] == rounds


@pytest.mark.parametrize(("make", "formula"), [(instance, gap_by_rewards), (general, gap_by_game)])
def test_a_policy_that_says_when_it_changes_is_measured_only_then(make, formula):
    problem, learner = make("kl"), Rare(4, np.ones((3, 4)), np.zeros(1))
    out = play(problem, learner, np.arange(1, 11))[2]
    assert learner.calls[0] == 3 * 3  # three contexts, before rounds 1, 4 and 8
    each = []
    for weight in (1.0, 2.0, 4.0):
        pi = np.full((3, 4), 0.25)
        pi[0] = np.array([weight, 1.0, 1.0, 1.0]) / (weight + 3.0)
        each.append(problem.law @ [formula(problem, x, pi[x]) for x in range(3)])
    np.testing.assert_allclose(np.diff(out["regret"], prepend=0.0), np.repeat(each, [3, 4, 3]), rtol=1e-9)


def test_the_optimum_has_no_gap_and_a_point_mass_a_finite_one():
    for problem in (instance("kl"), general("kl")):
        for x in range(3):
            assert abs(problem.gap_of(x, problem.optimal[x], np.zeros((4, 4)))) < 1e-10
            assert 0.01 < problem.gap_of(x, np.eye(4)[2], np.zeros((4, 4))) < math.inf


# Counts, worlds and laws


def test_queries_and_same_arms_are_counted():
    problem, rounds = instance("average"), 500
    free = fixed(*mixed(2), rounds)
    out = play(problem, free, np.arange(1, rounds + 1))[2]
    told = free.log[1:, 1]
    np.testing.assert_array_equal(out["queries"], np.cumsum(told))
    np.testing.assert_array_equal(out["same"], np.cumsum(1.0 - told))  # every comparison is asked
    assert (free.log[1:, 2] != free.log[1:, 3])[told == 1.0].all() and 0.05 < told.mean() < 0.95
    gated = fixed(*mixed(2), rounds, every=3)
    asked = play(problem, gated, np.arange(1, rounds + 1))[2]
    np.testing.assert_array_equal(asked["same"], out["same"])  # whether asked or not
    third = np.arange(1, rounds + 1) % 3 == 0
    np.testing.assert_array_equal(gated.log[1:, 1], told * third)
    np.testing.assert_array_equal(asked["queries"], np.cumsum(told * third))


def test_two_learners_meet_the_same_world():
    problem, n = instance("average"), 2000
    one, two = fixed(*mixed(3), n), fixed(*mixed(4), n)
    play(problem, one, [n])
    play(problem, two, [n])
    np.testing.assert_array_equal(one.log[:, 0], two.log[:, 0])
    alike = (one.log[:, 1:4] == two.log[:, 1:4]).all(axis=1) & (one.log[:, 1] == 1.0)
    assert alike.sum() > 50
    np.testing.assert_array_equal(one.log[alike], two.log[alike])  # the same pair has the same outcome
    gated = fixed(*mixed(3), n, every=2)
    play(problem, gated, [n])
    np.testing.assert_array_equal(gated.log[::2], one.log[::2])  # nor does asking less change the world
    other = fixed(*mixed(3), n)
    play(problem, other, [n], replication=1)
    assert (one.log != other.log).any()


def test_contexts_pairs_and_wins_have_their_laws():
    """60,000 rounds; chi^2 p-values above 1e-4 (four standard errors), and below it for a law slightly off."""
    problem, n = general("borda"), 60_000
    learner = fixed(*mixed(5), n)
    play(problem, learner, [n])
    x, told, a, b, y = learner.log[1:].T.astype(int)
    assert stats.chisquare(np.bincount(x), n * problem.law).pvalue > 1e-4
    assert stats.chisquare(np.bincount(x), n * np.array([0.49, 0.3, 0.21])).pvalue < 1e-4
    counts, wins, k = np.zeros((3, 4, 4)), np.zeros((3, 4, 4)), told == 1
    np.add.at(counts, (x[k], a[k], b[k]), 1.0)
    np.add.at(wins, (x[k], a[k], b[k]), y[k])
    law = problem.law[:, None, None] * learner.first[:, :, None] * learner.second[:, None, :]
    law[:, np.arange(4), np.arange(4)] = 0.0
    kept = n * law > 5.0
    z = (counts - n * law)[kept] / np.sqrt(n * law * (1.0 - law))[kept]
    assert np.abs(z).max() < 4.0 and (counts[law == 0.0] == 0.0).all()
    swapped = n * law.transpose(0, 2, 1)  # control: first and second exchanged
    assert np.abs((counts - swapped)[kept] / np.sqrt(n * law)[kept]).max() > 4.0
    P = problem.preference
    z = (wins - counts * P)[kept] / np.sqrt(counts * P * (1.0 - P))[kept]
    assert np.abs(z).max() < 4.0
    assert np.abs((wins - counts * (1.0 - P))[kept] / np.sqrt(counts * P * (1.0 - P))[kept]).max() > 4.0  # control


def test_checkpoints_only_look():
    for problem, make in (
        (instance("weak"), lambda: fixed(*mixed(1), 50)),
        (general("kl"), lambda: Main(np.zeros((3, 4)), np.zeros((51, 3, 4)))),
    ):
        every, few = (play(problem, make(), cut)[2] for cut in (np.arange(1, 51), [10, 50]))
        for key in every:
            np.testing.assert_array_equal(every[key][[9, 49]], few[key])


# Stops and faults


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ([0.5, 0.6, 0.0, 0.0], protocol.NOT_A_DISTRIBUTION),
        ([1.5, -0.5, 0.0, 0.0], protocol.NOT_A_DISTRIBUTION),
        ([math.nan, 0.5, 0.5, 0.0], protocol.NON_FINITE),
    ],
)
def test_what_is_no_distribution_ends_the_run(row, status):
    good, bad = np.full((3, 4), 0.25), np.tile(row, (3, 1))
    for pair in ((good, bad), (bad, good)):
        assert play(instance("average"), fixed(*pair, 10), [10])[:2] == (status, 1)
    learner = Rare(4, np.ones((3, 4)), np.zeros(1))
    learner.table[1] = [math.nan if math.isnan(row[0]) else -3.0 + 1e-3, 1.0, 1.0, 1.0]
    assert play(instance("kl"), learner, [10])[:2] == (status, 1)


def test_a_stop_is_seen():
    problem, control = instance("average"), np.array([1, 0])
    rounds = 4 * protocol.POLL_ROUNDS
    status, t, _ = play(problem, fixed(*mixed(0), rounds), [rounds], control=control)
    assert (status, t, control[1]) == (protocol.STOPPED, protocol.POLL_ROUNDS, protocol.POLL_ROUNDS)


def fingerprint():
    """Bits of a run of the rules on a ladder, and of users' learners under every measure."""
    ladder, rules = bt_ladder(5), ("rucb", "double_thompson", "sparring_exp3", "sparring_ucb")
    runs = [(ladder, ALGORITHMS[name](ladder, 200)) for name in rules]
    runs += [(instance(measure), fixed(*mixed(1), 200)) for measure in MEASURES]
    runs += [(make("kl"), Main(np.zeros((3, 4)), np.zeros((201, 3, 4)))) for make in (instance, general)]
    out = []
    for problem, learner in runs:
        channels = play(problem, learner, np.arange(1, 201), seed=1)[2]
        out += [float(x).hex() for key in sorted(channels) for x in channels[key]]
    return out


@pytest.mark.slow
def test_same_bits_without_the_compiler(python):
    code = "import json, test_loop; print(json.dumps(test_loop.fingerprint()))"
    uncompiled, _ = python(code, path=[HERE], NUMBA_DISABLE_JIT=1)
    assert uncompiled == json.loads(json.dumps(fingerprint()))
