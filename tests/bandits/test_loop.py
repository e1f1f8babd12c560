"""The loops: runs by hand, each round against plain NumPy, the same bits uncompiled, aligned worlds, stops."""

import math
import threading
import time
import tracemalloc
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from banditlab import protocol
from banditlab import rng as draws
from banditlab.bandits import loop
from banditlab.bandits.kl_ucb import kl_ucb
from banditlab.bandits.problem import bandit


class Script(NamedTuple):
    """An index rule that reads its indices from a table, and logs what it was told."""

    table: np.ndarray  # (T + 2, K) index of each arm at each round
    whole: np.ndarray  # (T + 2,) positive: at this round all indices are read anew
    log: np.ndarray  # (T + 1, 2) arm and reward of each round

    def index(self, a, t):
        return self.table[t, a]

    def update(self, t, a, r):
        self.log[t, 0] = a
        self.log[t, 1] = r

    def refresh(self, t):
        return self.whole[t] > 0.0


class Mixed(NamedTuple):
    """A general policy that reads its distributions from a table, and logs what it was told."""

    table: np.ndarray  # (T + 1, K)
    log: np.ndarray  # (T + 1, 2)

    def policy(self, t, pi, rng):
        for a in range(pi.size):
            pi[a] = self.table[t, a]

    def update(self, t, a, r):
        self.log[t, 0] = a
        self.log[t, 1] = r


class Posterior(NamedTuple):
    """A general policy that draws from every law."""

    pulls: np.ndarray  # (K,)
    total: np.ndarray  # (K,)

    def policy(self, t, pi, rng):
        z = 0.0
        for a in range(pi.size):
            n = self.pulls[a] + 2.0
            x = (self.total[a] + 1.0) / n + draws.normal(rng) / math.sqrt(n) + draws.beta(rng, 0.5, 1.5)
            pi[a] = math.exp(x - draws.gamma(rng, 0.3) * draws.exponential(rng) * draws.uniform(rng))
            z += pi[a]
        for a in range(pi.size):
            pi[a] /= z

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r


def script(table, whole=()):
    """The rows of `table` are rounds 1, 2, ...; the last one holds from then on."""
    table = np.array([table[0], *table, table[-1]], dtype=np.float64)
    flags = np.zeros(len(table))
    flags[list(whole)] = 1.0
    return Script(table, flags, np.zeros((len(table), 2)))


def mixed(table):
    return Mixed(np.array([table[0], *table], dtype=np.float64), np.zeros((len(table) + 1, 2)))


def play(problem, learner, checkpoints, seed=0, replication=0, control=None):
    control = np.zeros(2, np.int64) if control is None else control
    status, t, channels = problem.play(learner, np.asarray(checkpoints, np.int64), seed, replication, control)
    return status, t, channels["regret"], channels["pseudo_regret"]


def world(seed, n):
    state = draws.stream(seed, draws.ENVIRONMENT, 0)
    return np.array([draws.uniform(state) for _ in range(n)])


def seed_of(condition, n):
    return next(seed for seed in range(10_000) if condition(world(seed, n)))


# By hand


def test_three_rounds_of_greedy_by_hand():
    # r = (1, 0), eta = log 2, uniform reference: pi* = (2/3, 1/3). Unseen arms have index 1, so the policy is
    # uniform until arm 1 is pulled, and optimal afterwards. A uniform policy costs log(9/8) / (2 eta), plainly 1/2.
    eta = math.log(2.0)
    problem = bandit([1.0, 0.0], eta=eta)
    cost = 0.5 * math.log(9.0 / 8.0) / eta
    second = seed_of(lambda u: u[0] < 0.5 <= u[2], 6)  # arm 0, then arm 1
    status, t, regret, pseudo = play(problem, kl_ucb(problem, 3, scale=0.0), [1, 2, 3], second)
    assert (status, t) == (loop.DONE, 3)
    np.testing.assert_allclose(regret, [cost, 2.0 * cost, 2.0 * cost], rtol=1e-13)
    np.testing.assert_allclose(pseudo, [0.5, 1.0, 1.0 + 1.0 / 3.0], rtol=1e-13)
    first = seed_of(lambda u: u[0] >= 0.5, 6)  # arm 1 at once
    _, _, regret, _ = play(problem, kl_ucb(problem, 3, scale=0.0), [1, 2, 3], first)
    np.testing.assert_allclose(regret, [cost, cost, cost], rtol=1e-13)


def test_three_rounds_of_a_general_policy_by_hand():
    table = [[0.5, 0.5], [2.0 / 3.0, 1.0 / 3.0], [0.0, 1.0]]
    problem = bandit([1.0, 0.0], eta=math.log(2.0))
    learner = mixed(table)
    seed = seed_of(lambda u: u[0] < 0.5 and u[2] < 0.6, 6)
    status, _, regret, pseudo = play(problem, learner, [1, 2, 3], seed)
    kl = np.array([0.5 * math.log(9.0 / 8.0), 0.0, math.log(3.0)])
    assert status == loop.DONE
    np.testing.assert_allclose(regret, np.cumsum(kl) / math.log(2.0), rtol=1e-12)
    np.testing.assert_allclose(pseudo, np.cumsum([0.5, 1.0 / 3.0, 1.0]), rtol=1e-13)
    np.testing.assert_array_equal(learner.log[1:], [[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    plain = bandit([1.0, 0.0], eta=math.inf)
    _, _, regret, pseudo = play(plain, mixed(table), [1, 2, 3], seed)
    np.testing.assert_allclose(regret, np.cumsum([0.5, 1.0 / 3.0, 1.0]), rtol=1e-13)
    np.testing.assert_array_equal(regret, pseudo)


def test_unregularized_index_rule_pulls_the_largest_and_the_lowest_of_equals():
    problem = bandit([0.1, 0.5, 0.7], eta=math.inf)
    table = [[0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [9.0, 9.0, 2.0], [9.0, 9.0, 2.0], [9.0, 9.0, 3.0]]
    learner = script(table, whole=(2, 4, 5))
    # Round 3 refreshes nothing: only arm 1, pulled in round 2, has its new index 9, and arm 2 keeps 1.
    status, _, regret, _ = play(problem, learner, [1, 2, 3, 4, 5])
    assert status == loop.DONE
    assert learner.log[1:6, 0].tolist() == [0, 1, 1, 0, 0]
    np.testing.assert_allclose(regret, np.cumsum([0.6, 0.2, 0.2, 0.6, 0.6]), rtol=1e-12)


def test_only_the_pulled_arm_is_read_anew_unless_refresh_says_so():
    eta = 1.0
    problem = bandit([0.5, 0.5], eta=eta)
    table = [[0.0, 0.0], [1.0, 2.0], [1.0, 2.0]]
    seed = seed_of(lambda u: u[0] < 0.5, 2)  # arm 0 in round 1
    for whole, indices in (((), [1.0, 0.0]), ((2,), [1.0, 2.0])):
        _, _, regret, _ = play(problem, script(table, whole), [1, 2], seed)
        pi = np.exp(indices) / np.exp(indices).sum()
        np.testing.assert_allclose(np.diff(regret)[0], (pi * np.log(2.0 * pi)).sum() / eta, rtol=1e-12)


# Each round against plain NumPy


def reward(problem, a, state):
    r, s = problem.mean[a], problem.spread
    if problem.noise == protocol.BERNOULLI:
        return float(draws.uniform(state) < r)
    if problem.noise == protocol.GAUSSIAN:
        u, v = draws.uniform(state), draws.uniform(state)
        return r + s * math.sqrt(-2.0 * math.log(1.0 - u)) * math.cos(2.0 * math.pi * v)
    seeded = np.array([draws.bits(state) for _ in range(4)], dtype=np.uint64)
    return draws.beta(seeded, s * r, s * (1.0 - r))


def replay(problem, learner, T, seed):
    """The protocol of an index rule in plain NumPy: regret and pseudo-regret after each round."""
    state = draws.stream(seed, draws.ENVIRONMENT, 0)
    K = problem.mean.size
    gaps, plain = np.zeros(T), np.zeros(T)
    index = np.zeros(K)
    for t in range(1, T + 1):
        if learner.refresh(t) or t == 1:
            index[:] = [learner.index(a, t) for a in range(K)]
        u = draws.uniform(state)
        if problem.eta < math.inf:
            score = np.log(problem.reference) + problem.eta * index
            log_pi = score - score.max() - math.log(math.fsum(np.exp(score - score.max())))
            pi = np.exp(log_pi)
            d = problem.log_optimal - log_pi
            gaps[t - 1] = math.fsum(pi * (np.expm1(d) - d)) / problem.eta
            a = int(np.searchsorted(np.cumsum(pi), u, side="right"))
        else:
            a = int(index.argmax())
            pi = np.eye(K)[a]
            gaps[t - 1] = problem.gap[a]
        plain[t - 1] = math.fsum(pi * problem.gap)
        learner.update(t, a, reward(problem, a, state))
        index[a] = learner.index(a, t + 1)
    return np.cumsum(gaps), np.cumsum(plain)


def instances(K):
    generator = np.random.default_rng(K)
    mean, reference = generator.uniform(0.1, 0.9, K), generator.dirichlet(np.full(K, 3.0))
    return [
        bandit(mean, eta=eta, reference=reference, noise=noise, spread=spread)
        for eta in (0.2, 5.0, math.inf)
        for noise, spread in (("bernoulli", 1.0), ("gaussian", 0.5), ("beta", 2.0))
    ]


@pytest.mark.parametrize("K", [3, 40])
@pytest.mark.parametrize("anytime", [False, True])
def test_every_round_agrees_with_plain_numpy(K, anytime):
    T = 300
    for problem in instances(K):
        status, t, regret, pseudo = play(problem, kl_ucb(problem, T, anytime=anytime), range(1, T + 1), seed=5)
        assert (status, t) == (loop.DONE, T)
        want = replay(problem, kl_ucb(problem, T, anytime=anytime), T, 5)
        np.testing.assert_allclose([regret, pseudo], want, rtol=1e-10)
        other = replay(problem, kl_ucb(problem, T, scale=0.4), T, 5)  # control: another bonus
        assert np.abs(regret / other[0] - 1.0).max() > 1e-3


def test_checkpoints_do_not_change_the_run():
    problem = bandit([0.3, 0.5, 0.6], eta=3.0)
    every = play(problem, kl_ucb(problem, 500), range(1, 501))[2]
    some = play(problem, kl_ucb(problem, 500), [7, 100, 500])[2]
    np.testing.assert_array_equal(some, every[[6, 99, 499]])


def fingerprint():
    """Regrets of short runs of every loop and noise model, as text."""
    out = []
    for K, T in ((3, 150), (40, 50)):
        checkpoints = [1, 2, 10, T]
        for problem in instances(K):
            out.append(play(problem, kl_ucb(problem, T), checkpoints, seed=1))
            out.append(play(problem, kl_ucb(problem, T, anytime=True), checkpoints, seed=1))
            out.append(play(problem, Posterior(np.zeros(K), np.zeros(K)), checkpoints, seed=1))
    for K in (1, 2, 3, 33):  # at eta = 1e4 a change of one index takes e^{1e4} from or to its weight
        problem = bandit(np.linspace(0.3, 0.6, K), eta=1e4)
        table = np.random.default_rng(0).uniform(-1.0, 1.0, (60, K))
        out.append(play(problem, script(table), [1, 20, 59]))
        out.append(play(problem, kl_ucb(problem, 60, scale=0.0), [1, 20, 59]))
    return [[int(status), int(t), *(float(x).hex() for x in (*a, *b))] for status, t, a, b in out]


def test_same_bits_without_the_compiler(python):
    uncompiled, _ = python("import json, test_loop; print(json.dumps(test_loop.fingerprint()))", NUMBA_DISABLE_JIT=1)
    compiled = fingerprint()
    assert uncompiled == compiled
    assert all(row[0] == loop.DONE for row in compiled)
    assert len({str(row[2:]) for row in compiled}) > 50  # control: the runs differ from each other


# Worlds


@pytest.mark.parametrize("noise", ["bernoulli", "gaussian"])
def test_two_learners_meet_the_same_world(noise):
    # Where both pull the same arm in the same round they get the same reward, whatever they did before; rewards
    # of different arms come from the same draws.
    T = 400
    problem = bandit([0.3, 0.5, 0.7], eta=2.0, noise=noise)
    table = np.random.default_rng(0).uniform(size=(T, 3))
    learners = [script(table), script(table[::-1]), mixed(table / table.sum(axis=1, keepdims=True))]
    for learner in learners:
        assert play(problem, learner, [T], seed=3)[0] == loop.DONE
    unregularized = script(table)
    assert play(problem._replace(eta=math.inf), unregularized, [T], seed=3)[0] == loop.DONE
    logs = [learner.log[1 : T + 1] for learner in (*learners, unregularized)]
    for i in range(4):
        for j in range(i):
            same = logs[i][:, 0] == logs[j][:, 0]
            assert 20 < same.sum() < T
            np.testing.assert_array_equal(logs[i][same], logs[j][same])
            if noise == "gaussian":  # the noise is that of the round, not of the arm
                difference = logs[i][~same] - logs[j][~same]
                np.testing.assert_allclose(difference[:, 1], 0.2 * difference[:, 0], atol=1e-12)
    elsewhere = script(table)
    play(problem, elsewhere, [T], seed=4)  # control
    assert (elsewhere.log[1 : T + 1] != logs[0]).any()


def test_beta_rewards_take_a_fixed_number_of_draws():
    for mean in (0.02, 0.3, 0.5):  # rejection makes the number of draws of the seeded generator vary
        problem = bandit([mean], eta=1.0, noise="beta", spread=2.0)
        state, spare = draws.stream(3, draws.ENVIRONMENT, 0), np.zeros(4, np.uint64)
        for _ in range(50):
            loop.draw_reward(problem.noise, mean, problem.spread, state, spare)
        plain = draws.stream(3, draws.ENVIRONMENT, 0)
        for _ in range(200):
            draws.bits(plain)
        np.testing.assert_array_equal(state, plain)


def test_a_learners_own_draws_do_not_move_the_world():
    problem = bandit([0.3, 0.5], eta=5.0)
    pulls = []
    for learner in (Posterior(np.zeros(2), np.zeros(2)), Posterior(np.array([1e9, 1e9]), np.zeros(2))):
        play(problem, learner, [200], seed=9)
        pulls.append(learner)
    assert pulls[0].total.sum() <= 200.0
    u = world(9, 400)
    fixed = mixed([[1.0, 0.0]] * 200)
    play(problem, fixed, [200], seed=9)
    np.testing.assert_array_equal(fixed.log[1:, 1], u[1::2] < 0.3)


# How a replication ends


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("eta", [5.0, math.inf])
@pytest.mark.parametrize("K", [3, 40])
def test_an_index_that_is_not_finite_stops_the_round_it_would_decide(K, eta, bad):
    table = np.full((30, K), 0.5)
    table[17] = bad  # row 17 is round 18
    problem = bandit(np.linspace(0.2, 0.8, K), eta=eta)
    for whole in ((), (18,)):  # of one arm, or of all
        status, t, regret, _ = play(problem, script(table, whole), [10, 25])
        if math.isinf(eta) and math.isinf(bad):  # an argmax may have infinite indices
            assert (status, t) == (loop.DONE, 25)
            continue
        assert (status, t) == (loop.NON_FINITE, 18)
        assert regret[0] > 0.0 and regret[1] == 0.0


BAD_POLICIES = [
    ([math.nan, 0.5], loop.NON_FINITE),
    ([math.inf, 0.5], loop.NON_FINITE),
    ([0.5, math.nan], loop.NON_FINITE),
    ([-0.1, 1.1], loop.NOT_A_DISTRIBUTION),
    ([-1e-300, 1.0], loop.NOT_A_DISTRIBUTION),
    ([0.5, 0.6], loop.NOT_A_DISTRIBUTION),
    ([0.5, 0.5 - 2e-9], loop.NOT_A_DISTRIBUTION),
    ([0.0, 0.0], loop.NOT_A_DISTRIBUTION),
]


@pytest.mark.parametrize(("bad", "expected"), BAD_POLICIES)
@pytest.mark.parametrize("eta", [5.0, math.inf])
def test_a_policy_that_is_none_stops_its_round(bad, expected, eta):
    table = np.full((30, 2), 0.5)
    table[11] = bad  # row 11 is round 12
    problem = bandit([0.2, 0.8], eta=eta)
    status, t, regret, _ = play(problem, mixed(table), [10, 25])
    assert (status, t) == (expected, 12)
    assert regret[0] > 0.0 and regret[1] == 0.0


def test_a_policy_within_rounding_of_a_distribution_is_played():
    table = np.array([[0.5, 0.5 - 5e-10]] * 10)
    assert play(bandit([0.2, 0.8], eta=5.0), mixed(table), [10])[:2] == (loop.DONE, 10)


def kinds(K, eta):
    """A problem, and how a fresh learner is made for each loop that plays it."""
    problem = bandit(np.linspace(0.2, 0.8, K), eta=eta)
    return problem, [lambda: kl_ucb(problem, 100), lambda: Posterior(np.zeros(K), np.zeros(K))]


@pytest.mark.parametrize("K", [3, 40])
@pytest.mark.parametrize("eta", [5.0, math.inf])
def test_a_set_stop_flag_is_honoured_within_2_to_the_14_rounds(K, eta):
    problem, makers = kinds(K, eta)
    for make in makers:
        control = np.array([1, 0], dtype=np.int64)
        status, t, _, _ = play(problem, make(), [10**9], control=control)
        assert status == loop.STOPPED and 0 < t <= 2**14
        assert control[1] == t


def test_a_run_of_hours_stops_when_another_thread_says_so():
    problem, makers = kinds(3, 5.0)
    for make in makers:
        play(problem, make(), [1])
        control = np.zeros(2, np.int64)
        timer = threading.Timer(0.1, control.__setitem__, (0, 1))
        timer.start()
        begin = time.perf_counter()
        status, t, _, _ = play(problem, make(), [10**12], control=control)
        assert time.perf_counter() - begin < 1.0
        timer.join()
        assert status == loop.STOPPED and t == control[1] >= 2**14


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("eta", [5.0, math.inf])
def test_memory_does_not_grow_with_rounds(eta):
    problem, makers = kinds(3, eta)
    for make in makers:
        play(problem, make(), [1000])
        peaks = []
        for rounds in (1000, 500_000):
            tracemalloc.start()
            play(problem, make(), [10, rounds])
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < peaks[0] + 10_000
        if Path("/proc/self/statm").exists():
            before = resident()
            play(problem, make(), [500_000])
            assert resident() - before < 2**21  # five bytes a round would show


class Allocating(NamedTuple):
    """A user's index rule that allocates in its verbs."""

    total: np.ndarray  # (K,)

    def index(self, a, t):
        scratch = np.zeros(self.total.size + 1)
        scratch[a] = self.total[a] / t
        return scratch.sum()

    def update(self, t, a, r):
        self.total[a] += r


def test_a_users_class_may_allocate_and_leaks_nothing():
    problem = bandit([0.2, 0.8], eta=5.0)
    assert play(problem, Allocating(np.zeros(2)), [1000])[0] == loop.DONE
    if Path("/proc/self/statm").exists():
        before = resident()
        play(problem, Allocating(np.zeros(2)), [200_000])
        assert resident() - before < 2**21


def test_one_arm_has_no_regret():
    for eta in (5.0, math.inf):
        problem, makers = kinds(1, eta)
        for make in makers:
            _, _, regret, pseudo = play(problem, make(), [1, 1000])
            assert np.abs(regret).max() < 1e-12 and (pseudo == 0.0).all()
