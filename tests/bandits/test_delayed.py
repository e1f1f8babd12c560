"""Delayed feedback: what arrives when, the multi-batch form, and the law of the excess regret."""

import functools
import math
from typing import NamedTuple

import numpy as np
import pytest

from banditlab import bandits, rng
from banditlab.bandits import instances
from banditlab.bandits.as_policy import as_policy
from banditlab.bandits.delayed import DELAY, delayed
from banditlab.bandits.kl_batched import kl_batched
from banditlab.bandits.kl_greedy import kl_greedy
from banditlab.bandits.kl_mirror_descent import kl_mirror_descent
from banditlab.bandits.kl_ucb import kl_ucb


class Recorder(NamedTuple):
    """A learner that writes down what it is told and asked."""

    told: list  # (t, a, r)
    asked: list  # t

    def policy(self, t, pi, rng):
        self.asked.append(t)
        pi[:] = 1.0 / pi.size

    def update(self, t, a, r):
        self.told.append((t, a, r))


def recorder(problem, rounds):
    return Recorder([], [])


def play(problem, learner, checkpoints, replication=0):
    checkpoints = np.atleast_1d(np.array(checkpoints, np.int64))
    status, t, channels = problem.play(learner, checkpoints, 1, replication, np.zeros(2, np.int64))
    assert (status, t) == (0, checkpoints[-1])
    return channels["regret"]


def feed(learner, rounds, seed=0):
    """Drive a learner by hand on random arms and rewards; returns for each round (arm, reward, delay)."""
    generator, own = np.random.default_rng(seed), rng.stream(seed, rng.LEARNER, 0)
    pi, history = np.zeros(3), []
    for t in range(1, rounds + 1):
        learner.policy(t, pi, own)
        delay = int(learner.state[DELAY])
        a, r = int(generator.integers(3)), float(generator.random())
        learner.update(t, a, r)
        history.append((a, r, delay))
        yield t, history


PROBLEM = instances.bernoulli([0.2, 0.5, 0.7], 2.0)


def test_arrivals_by_hand():
    learner = delayed(PROBLEM, 100, algorithm=recorder, delay=2)
    for t, a in enumerate([0, 1, 2, 1, 0], start=1):
        learner.policy(t, np.zeros(3), None)
        learner.update(t, a, 10.0 * t)
    assert learner.inner.told == [(1, 0, 10.0), (2, 1, 20.0), (3, 2, 30.0)]
    assert learner.inner.asked == [1, 1, 1, 2, 3]


@pytest.mark.parametrize("law", ["constant", "geometric"])
@pytest.mark.parametrize("delay", [0, 1, 6, 40])
def test_the_queue_reports_every_feedback_once_in_order_of_arrival(delay, law):
    learner = delayed(PROBLEM, 500, algorithm=recorder, delay=delay, law=law)
    waiting, expected, late = [], [], 0
    for t, history in feed(learner, 500):
        a, r, d = history[-1]
        waiting.append((t + d, t, a, r))
        now = sorted(x for x in waiting if x[0] == t)  # by round of arrival, then of play
        waiting = [x for x in waiting if x[0] > t]
        expected += [(a, r) for _, _, a, r in now]
        late += any(x[1] < t for x in now)
        assert [x[1:] for x in learner.inner.told] == expected
    assert [x[0] for x in learner.inner.told] == list(range(1, len(expected) + 1))
    assert len(expected) + len(waiting) == 500
    assert {d for _, _, d in history} == {delay} or (law == "geometric" and delay > 0)
    assert (late > 0) == (delay > 0)  # control: the delay delays


@pytest.mark.parametrize(("delay", "law"), [(0, "constant"), (5, "constant"), (5, "geometric"), (30, "geometric")])
@pytest.mark.parametrize("rho", [1.2, 2.0, 3.5])
def test_a_batch_ends_with_its_own_feedbacks_and_discards_the_others(rho, delay, law):
    learner = delayed(PROBLEM, 600, algorithm=recorder, delay=delay, law=law, batches=rho)
    ends = sorted({math.ceil(rho**k) for k in range(1, 60)})
    batch, kept, waiting, expected, asked, discarded, fresh = 0, 0, [], [], [], 0, True
    for t, history in feed(learner, 600):
        if fresh:
            asked.append(kept + 1)
            batch, fresh = batch + 1, False
            end = next(e for e in ends if e > kept + 1) - 1
        a, r, d = history[-1]
        waiting.append((t + d, t, a, r, batch))
        for _, _, arm, reward, of in sorted(x for x in waiting if x[0] == t):
            if of == batch and not fresh:
                kept += 1
                expected.append((kept, arm, reward))
                fresh = kept == end
            else:
                discarded += 1
        waiting = [x for x in waiting if x[0] > t]
        assert learner.inner.told == expected and learner.inner.asked == asked
    assert len(asked) > 4 and (discarded > 0) == (delay > 0)


def without_delay(rounds=60):
    """Largest difference to the algorithm itself at delay 0: to its general form, and relative in its own loop."""
    general, own = {}, {}
    for eta in (5.0, math.inf):
        problem = instances.textbook(eta)
        for name, algorithm in bandits.ALGORITHMS.items():
            checkpoints = np.arange(1, rounds + 1)
            alone = play(problem, algorithm(problem, rounds), checkpoints)
            plain = play(problem, as_policy(problem, algorithm(problem, rounds)), checkpoints)
            for law in ("constant", "geometric"):
                late = play(problem, delayed(problem, rounds, algorithm=algorithm, delay=0, law=law), checkpoints)
                general[f"{name} {eta} {law}"] = float(np.abs(late - plain).max())
                own[f"{name} {eta} {law}"] = float(np.abs(late - alone).max() / alone[-1])
    return general, own


def test_no_delay_is_every_algorithm_itself(python):
    (general, own), _ = python(
        "import json, test_delayed as t; print(json.dumps(t.without_delay()))", NUMBA_DISABLE_JIT=1
    )
    assert len(general) == 4 * len(bandits.ALGORITHMS)
    assert max(general.values()) == 0.0, {k: v for k, v in general.items() if v > 0.0}
    assert max(own.values()) < 1e-12, {k: v for k, v in own.items() if v >= 1e-12}


@pytest.mark.parametrize("algorithm", [bandits.kl_ucb, bandits.ucb1, bandits.kl_thompson])
def test_no_delay_is_the_compiled_algorithm_itself(algorithm):
    problem, cut = instances.textbook(5.0), [10, 100, 3000]
    alone = play(problem, algorithm(problem, 3000), cut)
    np.testing.assert_allclose(
        play(problem, delayed(problem, 3000, algorithm=algorithm, delay=0), cut), alone, rtol=1e-12
    )
    late = play(problem, delayed(problem, 3000, algorithm=algorithm, delay=50), cut)
    assert abs(late / alone - 1.0).max() > 1e-3  # control


def test_a_used_learner_goes_on_where_it_was():
    learner = delayed(PROBLEM, 100, delay=20, law="geometric")
    play(PROBLEM, learner, 50)
    play(PROBLEM, learner, 50)  # rounds count from 1 again
    assert learner.state[3] == 100 and 40 < learner.state[0] <= 100


def test_no_feedback_is_the_policy_without_data():
    problem = instances.textbook(5.0)
    regret = play(problem, delayed(problem, 200, delay=10**15), 200)[0]
    np.testing.assert_allclose(regret, 200 * (problem.value - problem.reference @ problem.mean), rtol=1e-12)


def test_memory_follows_the_delay_not_the_rounds():
    assert delayed(PROBLEM, 10**9, delay=100).reward.size == 101
    assert delayed(PROBLEM, 50, delay=100).reward.size == 51
    assert delayed(PROBLEM, 10**9, delay=10, law="geometric").reward.size < 400


def test_geometric_delays_have_the_geometric_law():
    learner = delayed(PROBLEM, 10**6, algorithm=recorder, delay=4.0, law="geometric")
    own, n = rng.stream(3, rng.LEARNER, 0), 20000
    draws = np.empty(n)
    for i in range(n):
        learner.policy(1, np.zeros(3), own)
        draws[i] = learner.state[DELAY]
    # four standard errors each; the variance is d (1 + d)
    assert abs(draws.mean() - 4.0) < 4 * math.sqrt(20.0 / n)
    for k in range(12):
        p = 0.2 * 0.8**k
        assert abs((draws == k).mean() - p) < 4 * math.sqrt(p * (1 - p) / n), k


@pytest.mark.parametrize(("batches", "law"), [(None, "constant"), (None, "geometric"), (2.0, "geometric")])
def test_a_late_reward_is_weighed_by_the_probability_of_its_own_round(batches, law):
    problem = instances.textbook(20.0)
    learner = delayed(problem, 300, algorithm=kl_mirror_descent, delay=6, law=law, batches=batches)
    own, generator, pi = rng.stream(0, rng.LEARNER, 0), np.random.default_rng(0), np.zeros(5)
    expected, waiting, moved, batch, received = np.zeros(5), [], 0.0, 0, 0
    for t in range(1, 301):
        learner.policy(t, pi, own)
        a = int(generator.choice(5, p=pi))
        waiting.append((t + int(learner.state[DELAY]), t, a, 1.0 / pi[a], int(learner.state[2])))
        learner.update(t, a, 1.0)
        batch = int(learner.state[2])
        now = sorted(x for x in waiting if x[0] == t and x[4] == batch)
        for _, _, arm, weight, _ in now[: int(learner.state[0]) - received]:
            expected[arm] += weight
            moved = max(moved, abs(weight * pi[arm] - 1.0))
        received = int(learner.state[0])
        np.testing.assert_allclose(learner.inner.total, expected, rtol=1e-12)
    assert received > 30 and (batches is not None or moved > 0.1)  # control: the policy had moved in between


@pytest.mark.parametrize("rho", [1.5, 2.0, 4.0])
def test_greedy_in_batches_without_delay_is_batched_greedy(rho):
    problem, cut = instances.textbook(5.0), 2 ** np.arange(1, 13)
    form = delayed(problem, 4096, algorithm=kl_greedy, delay=0, batches=rho)
    batched = play(problem, kl_batched(problem, 4096, rho=rho), cut)
    np.testing.assert_allclose(play(problem, form, cut), batched, rtol=1e-12)
    assert abs(play(problem, kl_batched(problem, 4096, rho=1.01), cut) / batched - 1.0).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("rho", [2.0, 4.0])
def test_batches_multiply_the_slope_by_their_factor(rho):
    # Whole batches, 4^5 to 4^7, paired by seed; 300 seeds: standard error of the ratio below .1, margin four of them.
    problem = instances.textbook(1.0)
    grown = []
    for i in range(300):
        greedy = play(problem, kl_greedy(problem, 4**7), [4**5 - 1, 4**7 - 1], i)
        late = delayed(problem, 4**7, algorithm=kl_greedy, delay=0, batches=rho)
        grown.append([np.diff(greedy)[0], np.diff(play(problem, late, [4**5 - 1, 4**7 - 1], i))[0]])
    greedy, batched = np.array(grown).T
    ratio = batched.mean() / greedy.mean()
    error = np.std(batched - ratio * greedy, ddof=1) / greedy.mean() / math.sqrt(300)
    assert error < 0.1
    assert abs(ratio - (rho - 1.0) / math.log(rho)) < 4.0 * error
    assert abs(ratio - 1.0) > 4.0 * error  # control: not the slope of the unbatched rule


@functools.cache
def final(delay, law="constant"):
    """Regret of 600 replications at T = 2^12, paired by replication."""
    problem = instances.textbook(5.0)
    return np.array([play(problem, delayed(problem, 4096, delay=delay, law=law), 4096, i)[0] for i in range(600)])


@pytest.mark.slow
def test_a_constant_delay_costs_its_length_times_the_gap_of_the_policy_without_data():
    problem = instances.textbook(5.0)
    gap = problem.value - problem.reference @ problem.mean
    plain = np.array([play(problem, kl_ucb(problem, 4096), 4096, i)[0] for i in range(600)])

    def ratio(delay):
        excess = (final(delay) - plain) / (100.0 * gap)
        assert excess.std(ddof=1) / math.sqrt(600) <= 0.05  # the margin of .2 is four standard errors
        return excess.mean()

    assert abs(ratio(100) - 1.0) <= 0.2
    assert abs(ratio(0) - 1.0) > 0.2  # control


@pytest.mark.slow
def test_measured_regret_under_delay():
    # Specification 6.6, 600 seeds there and here; a difference has a standard error of .26, margin four of them.
    assert abs(final(100).mean() - 15.90) < 4 * 0.26
    assert abs(final(100, "geometric").mean() - 15.07) < 4 * 0.26


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"delay": -1}, "delay"),
        ({"delay": 2.5}, "delay"),
        ({"delay": math.nan}, "delay"),
        ({"delay": math.inf, "law": "geometric"}, "delay"),
        ({"delay": -1.0, "law": "geometric"}, "delay"),
        ({"law": "normal"}, "law"),
        ({"batches": 1.0}, "batches"),
        ({"batches": math.inf}, "batches"),
        ({"algorithm": 3}, "algorithm"),
    ],
)
def test_bad_parameters_are_one_line_that_names_the_field(parameters, field):
    with pytest.raises((ValueError, TypeError)) as error:
        delayed(PROBLEM, 100, **parameters)
    assert str(error.value).startswith(field) and "\n" not in str(error.value)
