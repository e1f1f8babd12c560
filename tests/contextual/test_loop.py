"""The contextual loop: by hand, each round against NumPy, the worlds of two learners, the same bits uncompiled."""

import functools
import importlib
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from banditlab import protocol, regularizer
from banditlab import rng as draws
from banditlab.contextual import loop
from banditlab.contextual.problem import linear, tabular

HERE = Path(__file__).parent
NAMES = (
    "kl_lin_ucb",
    "kl_lin_greedy",
    "kl_lin_thompson",
    "lin_ucb",
    "lin_thompson",
    "kl_eluder_ucb",
    "feel_good_thompson",
)


class Smoothed(NamedTuple):
    """A user's learner: probabilities from a draw and from running sums, and a log of what it was told."""

    total: np.ndarray  # (S, K) summed rewards
    noise: np.ndarray  # (1,) the draw of the round
    last: np.ndarray  # (1,)
    log: np.ndarray  # (T + 1, 3) context, arm, reward

    def policy(self, t, x, pi, rng):
        if self.last[0] != t:
            self.last[0] = t
            self.noise[0] = draws.uniform(rng)
        z = 0.0
        for a in range(pi.size):
            pi[a] = 1.0 + self.noise[0] * a + abs(self.total[x, a])
            z += pi[a]
        for a in range(pi.size):
            pi[a] /= z

    def update(self, t, x, a, r):
        self.total[x, a] += r
        self.log[t, 0] = x
        self.log[t, 1] = a
        self.log[t, 2] = r


class Fixed(NamedTuple):
    """A policy for each context, and a log."""

    table: np.ndarray  # (S, K)
    log: np.ndarray  # (T + 1, 3)

    def policy(self, t, x, pi, rng):
        for a in range(pi.size):
            pi[a] = self.table[x, a]

    def update(self, t, x, a, r):
        self.log[t, 0] = x
        self.log[t, 1] = a
        self.log[t, 2] = r


def smoothed(problem, rounds):
    S, K = problem.mean.shape
    return Smoothed(np.zeros((S, K)), np.zeros(1), np.zeros(1), np.zeros((rounds + 1, 3)))


def fixed(table, rounds):
    return Fixed(np.array(table, dtype=np.float64), np.zeros((rounds + 1, 3)))


def algorithm(name):
    return getattr(importlib.import_module(f"banditlab.contextual.{name}"), name)


@functools.cache
def instance(measure="average", name="kl", noise="gaussian", eta=3.0):
    g = np.random.default_rng(5)
    features = g.standard_normal((3, 4, 2))
    features /= np.linalg.norm(features, axis=-1, keepdims=True)
    options = {"law": [0.5, 0.3, 0.2], "reference": g.dirichlet(np.ones(4), size=3), "regularizer": name}
    if noise == "bernoulli":
        return tabular(g.random((3, 4)), eta=eta, measure=measure, **options)
    return linear(features, [0.6, -0.5], eta=eta, spread=0.4, measure=measure, **options)


def play(problem, learner, checkpoints, seed=0, replication=0, control=None):
    control = np.zeros(2, np.int64) if control is None else control
    return problem.play(learner, np.asarray(checkpoints, np.int64), seed, replication, control)


# By hand


def test_two_rounds_by_hand():
    # r = (1, 0) and (0, 1), eta = log 2, uniform reference: pi* = (2/3, 1/3) and (1/3, 2/3). The uniform policy costs
    # log(9/8) / (2 eta), plainly 1/2; the point mass at arm 0 log(3/2) / eta and 0, or log(3) / eta and 1.
    eta, table = math.log(2.0), [[0.5, 0.5], [1.0, 0.0]]
    cost = np.array([0.5 * math.log(9.0 / 8.0), math.log(3.0)]) / eta
    plain = np.array([0.5, 1.0])
    law = np.array([0.25, 0.75])
    for measure in ("average", "realised"):
        problem = tabular([[1.0, 0.0], [0.0, 1.0]], eta=eta, law=law, measure=measure)
        learner = fixed(table, 2)
        status, t, out = play(problem, learner, [1, 2])
        assert (status, t) == (protocol.DONE, 2)
        np.testing.assert_allclose(out["gap"], law @ cost, rtol=1e-12)
        x = learner.log[1:, 0].astype(int)
        each, each_plain = (cost[x], plain[x]) if measure == "realised" else ([law @ cost] * 2, [law @ plain] * 2)
        np.testing.assert_allclose(out["regret"], np.cumsum(each), rtol=1e-12)
        np.testing.assert_allclose(out["pseudo_regret"], np.cumsum(each_plain), rtol=1e-13)


def test_find_is_searchsorted():
    g = np.random.default_rng(0)
    for size in (1, 2, 3, 7, 512):
        cumulative = np.cumsum(g.dirichlet(np.ones(size)))
        cumulative[-1] = 1.0
        for u in [0.0, *g.random(200), *cumulative[:-1], 1.0 - 2.0**-53]:
            assert loop.find(cumulative, u) == np.searchsorted(cumulative, u, side="right")


# Against plain NumPy, round by round


def value(problem, s, pi):
    """J_s(pi) from its definition."""
    reference = problem.reference[s]
    ratio = pi / reference
    f = ratio * np.log(np.maximum(ratio, 1e-300)) if problem.regularizer_name == "kl" else 0.5 * (ratio - 1.0) ** 2
    penalty = 0.0 if problem.eta == math.inf else float(reference @ f) / problem.eta
    return float(pi @ problem.mean[s]) - penalty


def replay(problem, learner, rounds, seed):
    """Cumulative regret, pseudo-regret and the gap of every round, the verbs called from Python."""
    world, own = draws.stream(seed, draws.ENVIRONMENT, 0), draws.stream(seed, draws.LEARNER, 0)
    S, K = problem.mean.shape
    best = [
        float(np.squeeze(regularizer.value(problem.regularizer_name, m, p, problem.eta)))
        for m, p in zip(problem.mean, problem.reference, strict=True)
    ]
    gaps, plain, pis = np.zeros((rounds, S)), np.zeros((rounds, S)), np.zeros((S, K))
    contexts = np.zeros(rounds, int)
    for t in range(1, rounds + 1):
        x = contexts[t - 1] = int(np.searchsorted(np.cumsum(problem.law), draws.uniform(world), side="right"))
        for s in range(S):
            learner.policy(t, s, pis[s], own)
            gaps[t - 1, s] = best[s] - value(problem, s, pis[s])
            plain[t - 1, s] = problem.mean[s].max() - pis[s] @ problem.mean[s]
        a = draws.categorical(world, pis[x])
        if problem.noise == protocol.GAUSSIAN:
            u, v = draws.uniform(world), draws.uniform(world)
            r = problem.mean[x, a] + problem.spread * math.sqrt(-2.0 * math.log(1.0 - u)) * math.cos(2 * math.pi * v)
        else:
            r = float(draws.uniform(world) < problem.mean[x, a])
        learner.update(t, x, a, r)
    average = gaps @ problem.law
    if problem.measure == loop.AVERAGED:
        return np.cumsum(average), np.cumsum(plain @ problem.law), average
    each = np.arange(rounds), contexts
    return np.cumsum(gaps[each]), np.cumsum(plain[each]), average


@pytest.mark.parametrize("measure", ["average", "realised"])
@pytest.mark.parametrize(
    ("name", "noise", "eta"),
    [("kl", "gaussian", 3.0), ("kl", "bernoulli", math.inf), ("chi2", "bernoulli", 3.0), ("chi2", "gaussian", 0.3)],
)
def test_a_run_agrees_with_plain_numpy_under_any_regularizer(name, noise, eta, measure):
    problem, cut = instance(measure, name, noise, eta), [1, 2, 7, 40, 120]
    status, _, out = play(problem, smoothed(problem, 120), cut, seed=3)
    assert status == protocol.DONE
    found = out["regret"], out["pseudo_regret"], out["gap"]
    for mine, theirs in zip(found, replay(problem, smoothed(problem, 120), 120, 3), strict=True):
        np.testing.assert_allclose(mine, theirs[np.array(cut) - 1], rtol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_every_algorithm_agrees_with_plain_numpy(name):
    rounds = 60
    for measure in ("average", "realised"):
        problem = instance(measure)
        _, _, out = play(problem, algorithm(name)(problem, rounds), np.arange(1, rounds + 1), seed=3)
        found = out["regret"], out["pseudo_regret"], out["gap"]
        for mine, theirs in zip(found, replay(problem, algorithm(name)(problem, rounds), rounds, 3), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-9)


# Worlds


@pytest.mark.parametrize("noise", ["gaussian", "bernoulli"])
def test_two_learners_meet_the_same_contexts(noise):
    problem, n = instance("realised", noise=noise), 2000
    one, two = fixed(np.tile([0.7, 0.1, 0.1, 0.1], (3, 1)), n), fixed(np.tile([0.1, 0.1, 0.1, 0.7], (3, 1)), n)
    play(problem, one, [n])
    play(problem, two, [n])
    np.testing.assert_array_equal(one.log[:, 0], two.log[:, 0])
    same_arm = one.log[:, 1] == two.log[:, 1]
    assert 0.1 < same_arm.mean() < 0.9
    shift = one.log - two.log if noise == "bernoulli" else one.log[:, 2] - two.log[:, 2]
    assert (shift[same_arm] == 0.0).all()  # and, where they play alike, the same rewards
    other = fixed(one.table, n)
    play(problem, other, [n], replication=1)
    assert (one.log[:, 0] != other.log[:, 0]).any()


def test_contexts_arms_and_rewards_have_their_laws():
    """40,000 rounds; chi^2 p-values above 1e-4 (four standard errors), and below it for a law slightly off."""
    problem, n = instance("realised", noise="bernoulli"), 40_000
    learner = fixed(problem.reference, n)
    play(problem, learner, [n])
    x, a, r = learner.log[1:].T.astype(int)
    counts = np.zeros((3, 4))
    np.add.at(counts, (x, a), 1.0)
    assert stats.chisquare(counts.sum(axis=1), n * problem.law).pvalue > 1e-4
    assert stats.chisquare(counts.sum(axis=1), n * np.array([0.48, 0.31, 0.21])).pvalue < 1e-4
    assert stats.chisquare(counts.ravel(), n * (problem.law[:, None] * problem.reference).ravel()).pvalue > 1e-4
    wins = np.zeros((3, 4))
    np.add.at(wins, (x, a), r)
    z = (wins - counts * problem.mean) / np.sqrt(counts * problem.mean * (1.0 - problem.mean))
    assert np.abs(z).max() < 4.0
    assert np.abs((wins - counts * (problem.mean + 0.1)) / np.sqrt(0.25 * counts)).max() > 4.0


def test_the_realised_gap_has_the_mean_of_the_averaged_one():
    """One fixed policy: the mean over 20,000 rounds within four standard errors of the exact average."""
    problem, other, n = instance("realised"), instance("average"), 20_000
    gap = play(problem, fixed(np.full((3, 4), 0.25), n), [n])[2]["regret"][0] / n
    exact = play(other, fixed(np.full((3, 4), 0.25), 1), [1])[2]["regret"][0]
    each = [problem.gap_of(s, np.full(4, 0.25), np.zeros(4)) for s in range(3)]
    se = math.sqrt(float(problem.law @ (np.array(each) - exact) ** 2) / n)
    assert abs(gap - exact) < 4.0 * se
    assert abs(gap - np.mean(each)) > 4.0 * se  # control: contexts weighted alike


def test_checkpoints_only_look():
    for measure in ("average", "realised"):
        problem = instance(measure)
        every, few = (play(problem, smoothed(problem, 50), cut)[2] for cut in (np.arange(1, 51), [10, 50]))
        for key in every:
            np.testing.assert_array_equal(every[key][[9, 49]], few[key])


# Stops and faults


def test_what_is_no_distribution_ends_the_run():
    problem = instance()
    for row, status in (
        ([0.5, 0.6, 0.0, 0.0], protocol.NOT_A_DISTRIBUTION),
        ([1.5, -0.5, 0.0, 0.0], protocol.NOT_A_DISTRIBUTION),
        ([math.nan, 0.5, 0.5, 0.0], protocol.NON_FINITE),
    ):
        assert play(problem, fixed(np.tile(row, (3, 1)), 10), [10])[:2] == (status, 1)


def test_a_stop_is_seen():
    problem, control = instance("realised"), np.array([1, 0])
    rounds = 4 * protocol.POLL_ROUNDS
    status, t, _ = play(problem, fixed(problem.reference, rounds), [rounds], control=control)
    assert (status, t, control[1]) == (protocol.STOPPED, protocol.POLL_ROUNDS, protocol.POLL_ROUNDS)


def fingerprint():
    """Bits of a run of every algorithm under both measures, and of a user's under another regularizer."""
    out = []
    for measure in ("average", "realised"):
        problem, chi2 = instance(measure), instance(measure, "chi2", "bernoulli")
        runs = [(problem, algorithm(name)(problem, 60)) for name in NAMES]
        for p, learner in [*runs, (chi2, smoothed(chi2, 60))]:
            channels = play(p, learner, np.arange(1, 61), seed=1)[2]
            out += [float(x).hex() for key in sorted(channels) for x in channels[key]]
    return out


@pytest.mark.slow
def test_same_bits_without_the_compiler(python):
    code = "import json, test_loop; print(json.dumps(test_loop.fingerprint()))"
    uncompiled, _ = python(code, path=[HERE], NUMBA_DISABLE_JIT=1)
    assert uncompiled == fingerprint()
