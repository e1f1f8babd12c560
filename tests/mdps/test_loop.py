"""The episodic loop: by hand, against plain NumPy, its laws, the worlds of two learners, memory, the same bits."""

import functools
import math
import tracemalloc
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from banditlab import mdps, protocol
from banditlab.mdps import loop
from banditlab.mdps.planning import evaluate, occupancies
from banditlab.mdps.problem import tabular

HERE = Path(__file__).parent
P_MIN = 6.3e-5  # of four standard errors of a normal


class Fixed(NamedTuple):
    """Two policies, each played for `period` episodes in turn, an estimate, and a log of what it was told."""

    table: np.ndarray  # (2, H, S, A)
    period: np.ndarray  # (1,) int64
    worth: np.ndarray  # (S,) estimate
    log: np.ndarray  # (K H, 5) stage, state, action, reward, next state
    told: np.ndarray  # (1,) int64

    def plan(self, k, pi, rng):
        if (k - 1) % self.period[0] != 0:
            return False
        which = ((k - 1) // self.period[0]) % 2
        for h in range(pi.shape[0]):
            for s in range(pi.shape[1]):
                for a in range(pi.shape[2]):
                    pi[h, s, a] = self.table[which, h, s, a]
        return True

    def update(self, h, s, a, r, s2):
        i = self.told[0] % self.log.shape[0]
        self.log[i, 0] = h
        self.log[i, 1] = s
        self.log[i, 2] = a
        self.log[i, 3] = r
        self.log[i, 4] = s2
        self.told[0] += 1

    def estimate(self, s):
        return self.worth[s]


def fixed(one, two=None, *, episodes=1, period=1, worth=0.0):
    table = np.array([one, one if two is None else two], dtype=np.float64)
    H, S = table.shape[1:3]
    return Fixed(
        table, np.array([period]), np.full(S, float(worth)), np.zeros((episodes * H, 5)), np.zeros(1, np.int64)
    )


def policies(problem):
    g = np.random.default_rng(11)
    H, S, A = problem.reward.shape
    return g.dirichlet(np.ones(A), size=(2, H, S))


# By hand


def test_episodes_by_hand(play):
    # Stage 0 pays by the action, eta = log 2: pi* = (1/3, 2/3), the uniform policy costs KL = log(9 / 8) / 2.
    P, r = np.ones((2, 1, 2, 1)), np.zeros((2, 1, 2))
    r[0, 0, 1] = 1.0
    problem = tabular(P, r, eta=math.log(2.0), noise="none")
    uniform = np.full((2, 1, 2), 0.5)
    learner = fixed(uniform, problem.optimal, episodes=6, period=2, worth=problem.value)
    status, k, out = play(problem, learner, [1, 2, 3, 6])
    cost = 0.5 * math.log(9.0 / 8.0) / math.log(2.0)
    assert (status, k) == (protocol.DONE, 6)
    np.testing.assert_allclose(out["regret"], cost * np.array([1.0, 2.0, 2.0, 4.0]), rtol=1e-13)
    assert out["plans"].tolist() == [1.0, 1.0, 2.0, 3.0] and out["optimism"].tolist() == [1.0] * 4
    log = learner.log
    np.testing.assert_array_equal(log[:, 0], np.tile([0.0, 1.0], 6))
    np.testing.assert_array_equal(log[::2, 3], log[::2, 2])  # stage 0 pays the action
    assert (log[:, [1, 4]] == 0.0).all() and (log[1::2, 3] == 0.0).all()
    below = fixed(uniform, worth=problem.value * (1.0 - 1e-9))
    assert play(problem, below, [4])[2]["optimism"].tolist() == [0.0]


@pytest.mark.parametrize("eta", [0.5, math.inf])
def test_regret_is_the_sum_of_differences_of_values(random_mdp, play, eta):
    problem = random_mdp(3, eta)
    one, two = policies(problem)
    lost = [
        problem.value
        - float(problem.start @ evaluate(problem.transition, problem.reward, problem.reference, eta, policy)[0][0])
        for policy in (one, two)
    ]
    out = play(problem, fixed(one, two, period=3), np.arange(1, 13))[2]
    np.testing.assert_allclose(out["regret"], np.cumsum(np.repeat([*lost, *lost], 3)), rtol=1e-12)
    assert out["plans"].tolist() == np.repeat([1.0, 2.0, 3.0, 4.0], 3).tolist()


@pytest.mark.parametrize("eta", [1.0, math.inf])
def test_checkpoints_only_look(play, eta):
    problem = mdps.random_linear(5, 3, 3, 3, seed=1, eta=eta)
    every, few = (play(problem, mdps.kl_lsvi_ucb(problem, 40), cut)[2] for cut in (np.arange(1, 41), [10, 40]))
    for key in ("regret", "plans", "optimism"):
        np.testing.assert_array_equal(every[key][[9, 39]], few[key])
    assert every["plans"][-1] == 40.0


class Silent(NamedTuple):
    """Always the same policy, and no estimate."""

    table: np.ndarray  # (H, S, A)

    def plan(self, k, pi, rng):
        if k > 1:
            return False
        for h in range(pi.shape[0]):
            for s in range(pi.shape[1]):
                for a in range(pi.shape[2]):
                    pi[h, s, a] = self.table[h, s, a]
        return True

    def update(self, h, s, a, r, s2):
        pass


class Titled(NamedTuple):
    """The same, with a field of the name of the verb."""

    table: np.ndarray  # (H, S, A)
    estimate: np.ndarray  # (S,)

    plan = Silent.plan
    update = Silent.update


@pytest.mark.parametrize("titled", [False, True])
def test_without_the_verb_estimate_there_is_no_optimism(random_mdp, play, titled):
    """A field `estimate` is no verb; nothing else changes."""
    problem = random_mdp(3, 1.0)
    policy, ahead = policies(problem)[0], np.full(3, 10.0)
    status, k, out = play(problem, Titled(policy, ahead) if titled else Silent(policy), [5, 40])
    wanted = play(problem, fixed(policy, episodes=40, period=40, worth=10.0), [5, 40])[2]
    assert (status, k) == (protocol.DONE, 40)
    assert set(wanted) - set(out) == {"optimism"}
    for key in out:
        np.testing.assert_array_equal(out[key], wanted[key])


# Laws


@functools.cache
def made(play, random_mdp):
    """30,000 episodes under one policy, with their log."""
    problem, n = random_mdp(5, 1.0), 30_000
    policy = policies(problem)[0]
    learner = fixed(policy, episodes=n, period=n)
    play(problem, learner, [n])
    return problem, policy, learner.log.reshape(n, 3, 5)


def test_states_actions_rewards_and_next_states_have_their_laws(play, random_mdp):
    problem, policy, log = made(play, random_mdp)
    n, off = len(log), random_mdp(6, 1.0)
    law = occupancies(problem.transition, problem.start, policy)
    for h in range(3):
        s, a, s2 = log[:, h, [1, 2, 4]].astype(int).T
        counts = np.zeros((3, 3, 3))
        np.add.at(counts, (s, a, s2), 1.0)
        p = law[h][..., None] * problem.transition[h]
        assert stats.chisquare(counts.ravel(), n * p.ravel()).pvalue > P_MIN
        wrong = 0.97 * p + 0.03 * law[h][..., None] * off.transition[h]
        assert stats.chisquare(counts.ravel(), n * wrong.ravel()).pvalue < P_MIN
        total, wins = counts.sum(axis=2), np.zeros((3, 3))
        np.add.at(wins, (s, a), log[:, h, 3])
        z = (wins - total * problem.reward[h]) / np.sqrt(total * problem.reward[h] * (1.0 - problem.reward[h]))
        assert np.abs(z).max() < 4.0
        assert np.abs((wins - total * (problem.reward[h] + 0.05)) / np.sqrt(0.25 * total)).max() > 4.0
        if h < 2:
            np.testing.assert_array_equal(s2, log[:, h + 1, 1])


def test_stages_are_independent_given_the_state(play, random_mdp):
    """A reward tells nothing of the next action and reward: correlations within four standard errors."""
    _, _, log = made(play, random_mdp)
    for h in range(2):
        at = (log[:, h + 1, 1] == 0.0) & (log[:, h, 1] == 1.0) & (log[:, h, 2] == 2.0)
        assert at.sum() > 100
        assert abs(np.corrcoef(log[at, h, 3], log[at, h + 1, 3])[0, 1]) < 4.0 / math.sqrt(at.sum())
        assert abs(np.corrcoef(log[at, h, 3], log[at, h + 1, 2])[0, 1]) < 4.0 / math.sqrt(at.sum())


def test_two_learners_meet_the_same_world(random_mdp, play):
    problem, n = random_mdp(5, 1.0), 2000
    logs = []
    for policy, replication in zip([*policies(problem), policies(problem)[0]], (0, 0, 1), strict=True):
        learner = fixed(policy, episodes=n)
        play(problem, learner, [n], replication=replication)
        logs.append(learner.log.reshape(n, 3, 5))
    one, two, other = logs
    np.testing.assert_array_equal(one[:, 0, 1], two[:, 0, 1])
    same = np.ones(n, bool)
    for h in range(3):  # as long as states and actions agree so does all the rest, whatever happened before
        here = (one[:, h, 1:3] == two[:, h, 1:3]).all(axis=1)
        same &= here
        assert 0.05 < here.mean() < 0.95
        np.testing.assert_array_equal(one[here, h, 3:], two[here, h, 3:])
    assert 0 < same.sum() < n
    assert (one[:, 0, 1] != other[:, 0, 1]).any()


# Offline data


def raw_moments(problem, n):
    """Means (m,) and covariances (m, m) of the counts of n independent rollouts, flattened over (h, s, a, s')."""
    H, S, A = problem.reward.shape
    law = occupancies(problem.transition, problem.start, problem.behaviour)
    step = np.einsum("hsa,hsat->hst", problem.behaviour, problem.transition)
    mean = (law[..., None] * problem.transition).reshape(H, -1)
    m = S * A * S
    joint = np.zeros((H, m, H, m))
    for h in range(H):
        joint[h, :, h] = np.diag(mean[h])
        reach = np.tile(np.eye(S), (S * A, 1))  # law of s' given (h, s, a, s')
        for later in range(h + 1, H):
            after = problem.behaviour[later][:, :, None] * problem.transition[later]
            joint[h, :, later] = mean[h][:, None] * (reach[:, :, None, None] * after).reshape(m, m)
            joint[later, :, h] = joint[h, :, later].T
            reach = reach @ step[later]
    mean = mean.ravel()
    return n * mean, n * (joint.reshape(H * m, H * m) - np.outer(mean, mean))


def test_datasets_have_the_means_and_covariances_of_rollouts(random_mdp):
    """4000 datasets of 7 episodes: entries within five standard errors; not so where stages are drawn apart."""
    problem, sets, n = random_mdp(8, 1.0, states=2, actions=2), 4000, 7
    x = np.array([problem.dataset(n, 3, i).moves.sum(axis=0).ravel() for i in range(sets)])
    mean, cov = raw_moments(problem, n)
    assert (np.abs(x.mean(axis=0) - mean) < 5.0 * np.sqrt(np.diag(cov) / sets)).all()

    common = mean > 0.2  # products of rarer counts are far from normal

    def worst(x):
        y = (x - mean)[:, common]
        products = y[:, :, None] * y[:, None, :]
        error = products.std(axis=0) / math.sqrt(sets)
        return (np.abs(products.mean(axis=0) - cov[np.ix_(common, common)]) / error).max()

    assert common.sum() > 12 and worst(x) < 5.0
    apart, size = x.copy(), x.shape[1] // 3
    for h in range(1, 3):
        apart[:, h * size : (h + 1) * size] = np.roll(apart[:, h * size : (h + 1) * size], 100 * h, axis=0)
    assert worst(apart) > 10.0  # control: right at every stage, wrong across


def test_rewards_of_a_dataset_are_binomial_and_its_halves_independent(random_mdp):
    problem, sets, n = random_mdp(8, 1.0, states=2, actions=2), 4000, 9
    data = [problem.dataset(n, 4, i) for i in range(sets)]
    counts, total = (np.array([x for x in column]) for column in zip(*((d.moves.sum(-1), d.total) for d in data)))
    noise = total - counts * problem.reward
    spread = counts * (problem.reward * (1.0 - problem.reward))
    assert (np.abs(noise.sum(axis=0)) < 5.0 * np.sqrt(spread.sum(axis=0))).all()
    squares = noise**2 - spread
    assert (np.abs(squares.sum(axis=0)) < 5.0 * np.sqrt((squares**2).sum(axis=0))).all()
    assert (total <= counts).all() and (total == np.floor(total)).all()
    first, second = counts[:, 0], counts[:, 1]
    assert {int(x) for x in first[:, 0].sum(axis=(1, 2))} == {5} and {
        int(x) for x in second[:, 0].sum(axis=(1, 2))
    } == {4}
    z = (first - first.mean(axis=0)) * (second - second.mean(axis=0))
    assert (np.abs(z.mean(axis=0)) < 5.0 * z.std(axis=0) / math.sqrt(sets)).all()
    quiet = random_mdp(8, 1.0, states=2, actions=2, noise="none")
    exact = quiet.dataset(50, 0, 0)
    np.testing.assert_allclose(exact.total, exact.moves.sum(axis=-1) * quiet.reward, rtol=1e-15)


def test_what_has_probability_zero_is_never_counted(play):
    g = np.random.default_rng(2)
    P = g.dirichlet(np.ones(5), size=(3, 5, 4)) * (g.random((3, 5, 4, 5)) < 0.4)
    P[P.sum(axis=-1) == 0.0, 2] = 1.0
    behaviour = g.dirichlet(np.ones(4), size=(3, 5)) * (g.random((3, 5, 4)) < 0.6)
    behaviour[behaviour.sum(axis=-1) == 0.0, 1] = 1.0
    problem = tabular(
        P / P.sum(axis=-1, keepdims=True),
        g.random((3, 5, 4)),
        eta=1.0,
        start=[0.0, 0.5, 0.0, 0.5, 0.0],
        behaviour=behaviour / behaviour.sum(axis=-1, keepdims=True),
    )
    law = occupancies(problem.transition, problem.start, problem.behaviour)[..., None] * problem.transition
    for n in (1, 10, 10**4, 10**14):
        for i in range(5):
            moves = problem.dataset(n, 0, i).moves.sum(axis=0)
            assert (moves[law == 0.0] == 0.0).all() and (moves.sum(axis=(1, 2, 3)) == n).all()
            for h in range(2):  # whoever arrives leaves
                np.testing.assert_array_equal(moves[h].sum(axis=(0, 1)), moves[h + 1].sum(axis=(1, 2)))
    np.testing.assert_allclose(moves / 1e14, law, atol=1e-6)
    learner = fixed(problem.behaviour, episodes=2000)
    play(problem, learner, [2000])
    h, s, a, s2 = learner.log[:, [0, 1, 2, 4]].astype(int).T
    assert (law[h, s, a, s2] > 0.0).all()


# Stops, faults, memory, bits


def test_what_is_no_policy_ends_the_run(random_mdp, play):
    problem = random_mdp(0, 1.0, zeros=True)
    good = problem.reference
    for row, status in (
        ([0.5, 0.6, 0.0], protocol.NOT_A_DISTRIBUTION),
        ([1.5, -0.5, 0.0], protocol.NOT_A_DISTRIBUTION),
        ([math.nan, 0.5, 0.5], protocol.NON_FINITE),
        ([1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0], protocol.NON_FINITE),  # takes what the reference never does
    ):
        bad = good.copy()
        bad[2, np.flatnonzero((good[2] == 0.0).any(axis=1))[0]] = row
        assert play(problem, fixed(good, bad, period=2), [10])[:2] == (status, 3)


def test_a_stop_is_seen(random_mdp, play):
    problem, control = random_mdp(0, 1.0), np.array([1, 0])
    rounds = loop.POLL_WORK
    status, k, _ = play(problem, fixed(problem.reference, period=rounds), [rounds], control=control)
    assert (status, control[1]) == (protocol.STOPPED, k) and k == math.ceil((loop.POLL_WORK - 27) / 3)


def test_memory_is_that_of_the_state_alone(play):
    problem, peaks = mdps.random_linear(4, 3, 3, 3, eta=1.0), []
    play(problem, mdps.kl_lsvi_ucb(problem, 1), [1])
    for rounds in (100, 20_000):
        learner = mdps.kl_lsvi_ucb(problem, rounds, growth=2.0)
        tracemalloc.start()
        play(problem, learner, [rounds])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 4096 and peaks[1] < 100_000


def test_memory_of_a_dataset_does_not_depend_on_its_size(random_mdp):
    problem, sizes = random_mdp(0, 1.0), []
    problem.dataset(1, 0, 0)
    for n in (10, 10**12):
        tracemalloc.start()
        problem.dataset(n, 0, 0)
        sizes.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert sizes[1] < sizes[0] + 4096


def fingerprint():
    """Bits of runs of four algorithms, regularized and not, and of a dataset."""
    out = []
    for problem in (mdps.random_linear(5, 3, 3, 3, seed=1, eta=2.0), mdps.deep_sea(4), mdps.jao(3, 3)):
        for name in ("lsvi_ucb", "kl_lsvi_ucb", "ucbvi", "psrl", "rlsvi"):
            learner = mdps.ALGORITHMS[name](problem, 12)
            channels = problem.play(learner, np.arange(1, 13), 3, 0, np.zeros(2, np.int64))[2]
            out += [float(x).hex() for key in sorted(channels) for x in channels[key]]
        for n in (40, 10**9):
            data = problem.dataset(n, 1, 2)
            out += [float(x).hex() for x in [*data.moves.ravel(), *data.total.ravel()]]
    return out


@pytest.mark.slow
def test_same_bits_without_the_compiler(python):
    code = "import json, test_loop; print(json.dumps(test_loop.fingerprint()))"
    uncompiled, _ = python(code, path=[HERE], NUMBA_DISABLE_JIT=1)
    assert uncompiled == fingerprint()
