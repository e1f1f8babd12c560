"""The loop: the exact gap against extended precision, its sum over rounds, who is played, noise, offline counts."""

import functools
import math
from typing import NamedTuple

import numpy as np
import pytest

from banditlab import protocol
from banditlab.games import instances, planning
from banditlab.games.problem import matrix
from banditlab.games.somg import somg


class Fixed(NamedTuple):
    """Plays policies that it is given, and counts what it is told."""

    row: np.ndarray  # (M, H, S, A)
    column: np.ndarray  # (M, H, S, B)
    matches: np.ndarray  # (n, 2)
    seen: np.ndarray  # (H, S, A, B)
    won: np.ndarray  # (H, S, A, B)
    squared: np.ndarray  # (H, S, A, B)

    def plan(self, k, row, column, rng):
        for m in range(row.shape[0]):
            for h in range(row.shape[1]):
                for s in range(row.shape[2]):
                    for a in range(row.shape[3]):
                        row[m, h, s, a] = self.row[m, h, s, a]
                    for b in range(column.shape[3]):
                        column[m, h, s, b] = self.column[m, h, s, b]
        return k == 1

    def update(self, h, s, a, b, r, s2):
        self.seen[h, s, a, b] += 1.0
        self.won[h, s, a, b] += r
        self.squared[h, s, a, b] += r * r


class Joint(NamedTuple):
    """Plays a joint policy that it is given."""

    joint: np.ndarray  # (H, S, A B)
    seen: np.ndarray  # (H, S, A, B)

    def plan(self, k, row, column, rng):
        for h in range(row.shape[1]):
            for s in range(row.shape[2]):
                for a in range(row.shape[3]):
                    row[0, h, s, a] = 1.0 / row.shape[3]
                for b in range(column.shape[3]):
                    column[0, h, s, b] = 1.0 / column.shape[3]
        return False

    def update(self, h, s, a, b, r, s2):
        self.seen[h, s, a, b] += 1.0


def fixed(problem, pairs, matches=((0, 0),)):
    shape = problem.reward.shape
    row, column = (np.ascontiguousarray(x) for x in zip(*pairs, strict=True))
    return Fixed(row, column, np.array(matches), *(np.zeros(shape) for _ in range(3)))


def extended(problem, row, column):
    """The duality gap as a difference of values, in extended precision."""
    L = np.longdouble
    H, S, _, _ = problem.reward.shape
    eta, upper, lower = L(problem.eta), np.zeros(S, L), np.zeros(S, L)

    def kl(p, q):
        return (p * (np.log(p) - np.log(q))).sum(axis=1)

    def soft(x, reference):
        top = x.max(axis=1, keepdims=True)
        return top[:, 0] + np.log((reference * np.exp(eta * (x - top))).sum(axis=1)) / eta

    x, y = row.astype(L), column.astype(L)
    x_ref, y_ref = problem.row_reference.astype(L), problem.column_reference.astype(L)
    P, r = problem.transition.astype(L), problem.reward.astype(L)
    for h in range(H - 1, -1, -1):
        above, below = r[h] + P[h] @ upper, r[h] + P[h] @ lower
        upper = soft((above * y[h][:, None, :]).sum(axis=2), x_ref[h]) + kl(y[h], y_ref[h]) / eta
        lower = -soft(-(below * x[h][:, :, None]).sum(axis=1), y_ref[h]) - kl(x[h], x_ref[h]) / eta
    return float(problem.start.astype(L) @ (upper - lower))


@pytest.mark.parametrize("eta", [1e-3, 1e-1, 1.0, 100.0, 1e4])
def test_the_gap_is_exact_to_1e_9_from_small_eta_to_large(random_game, random_pair, eta):
    for seed in range(3):
        problem = random_game(seed, eta)
        row, column = random_pair(problem, seed)
        assert problem.suboptimality((row, column)) == pytest.approx(extended(problem, row, column), rel=1e-9)
        # and near the equilibrium, where the gap is small
        plan = problem.equilibrium()
        near = [p * np.exp(0.01 * np.random.default_rng(seed).standard_normal(p.shape)) for p in plan[:2]]
        near = [np.maximum(p, 1e-280) / np.maximum(p, 1e-280).sum(axis=-1, keepdims=True) for p in near]
        found = problem.suboptimality(tuple(near))
        # The difference of values itself is good to an ulp of them, log(1 / min pi) / eta, in extended precision.
        slack = 50.0 * float(np.finfo(np.longdouble).eps) * (3.0 + 700.0 / eta)
        assert abs(found - extended(problem, *near)) <= 1e-9 * found + slack


def test_the_gap_without_kl_is_the_difference_of_the_best_responses_values(random_game, random_pair):
    for seed in range(4):
        problem = random_game(seed, math.inf)
        pair = random_pair(problem, seed)
        upper, lower = planning.best_response_values(
            problem.transition, problem.reward, problem.row_reference, problem.column_reference, math.inf, *pair
        )
        assert problem.suboptimality(pair) == pytest.approx(problem.start @ (upper[0] - lower[0]), rel=1e-12)


def test_regret_is_the_gap_of_entry_zero_each_round(random_game, random_pair, play):
    problem = random_game(0, 2.0)
    pairs = [random_pair(problem, 1), random_pair(problem, 2)]
    learner = fixed(problem, pairs, [[1, 0], [0, 1]])
    status, k, channels = play(problem, learner, [1, 10, 1000])
    assert (status, k) == (protocol.DONE, 1000)
    np.testing.assert_allclose(
        channels["regret"], problem.suboptimality(pairs[0]) * np.array([1, 10, 1000]), rtol=1e-12
    )
    np.testing.assert_array_equal(channels["plans"], [1, 1, 1])
    assert set(channels) == {"regret", "plans"}


def test_the_matches_are_played_an_episode_each(random_game, play):
    problem = random_game(0, 2.0, states=1)
    point = [(np.tile(np.eye(2)[a], (3, 1, 1)), np.tile(np.eye(3)[b], (3, 1, 1))) for a, b in ((0, 0), (1, 2))]
    learner = fixed(problem, point, [[0, 1], [1, 1], [1, 1]])
    play(problem, learner, [100])
    wanted = np.zeros((2, 3))
    wanted[0, 2], wanted[1, 2] = 100.0, 200.0
    for h in range(3):
        np.testing.assert_array_equal(learner.seen[h, 0], wanted)


def test_a_joint_policy_is_played_in_place_of_independent_draws(random_game, play):
    problem = random_game(0, 2.0, states=1, rows=2, columns=2, horizon=1)
    diagonal = np.array([0.5, 0.0, 0.0, 0.5]).reshape(1, 1, 4)
    learner = Joint(diagonal, np.zeros((1, 1, 2, 2)))
    status, _, channels = play(problem, learner, [4000])
    assert status == 0 and learner.seen[0, 0, 0, 1] == learner.seen[0, 0, 1, 0] == 0.0
    assert abs(learner.seen[0, 0, 0, 0] - 2000.0) < 4.0 * math.sqrt(1000.0)  # four standard errors
    uniform = (np.full((1, 1, 2), 0.5),) * 2
    assert channels["regret"][0] == pytest.approx(4000.0 * problem.suboptimality(uniform), rel=1e-12)


@pytest.mark.parametrize("noise", ["bernoulli", "gaussian", "none"])
def test_rewards_follow_their_law(play, noise):
    problem = matrix([[0.2, 0.9]], eta=1.0, noise=noise, spread=0.5)
    learner = fixed(problem, [(problem.row_reference, problem.column_reference)])
    play(problem, learner, [20_000])
    n, mean = learner.seen[0, 0, 0], learner.won[0, 0, 0] / learner.seen[0, 0, 0]
    spread = np.sqrt(np.maximum(learner.squared[0, 0, 0] / n - mean**2, 0.0))
    wanted = {"bernoulli": np.array([0.4, 0.3]), "gaussian": np.array([0.5, 0.5]), "none": np.zeros(2)}[noise]
    np.testing.assert_array_less(np.abs(mean - [0.2, 0.9]), 4.0 * wanted / np.sqrt(n) + 1e-12)
    np.testing.assert_allclose(spread, wanted, atol=0.02)


def test_states_follow_the_start_and_the_transitions(random_game, random_pair, play):
    problem = random_game(5, 2.0)
    pair = random_pair(problem, 5)
    learner = fixed(problem, [pair])
    play(problem, learner, [40_000])
    state = problem.start
    for h in range(3):
        law = np.einsum("s,sa,sb->sab", state, pair[0][h], pair[1][h])
        error = np.sqrt(law * (1.0 - law) / 40_000)
        assert (np.abs(learner.seen[h] / 40_000 - law) <= 4.5 * error).all()  # 54 cells
        state = np.einsum("sab,sabt->t", law, problem.transition[h])


class Broken(NamedTuple):
    """Writes what is no distribution from round 5 on."""

    wrong: float
    seen: np.ndarray

    def plan(self, k, row, column, rng):
        for a in range(2):
            row[0, 0, 0, a] = 0.5
            column[0, 0, 0, a] = 0.5
        if k == 5:
            column[0, 0, 0, 1] = self.wrong
        return True

    def update(self, h, s, a, b, r, s2):
        self.seen[0] += 1.0


@pytest.mark.parametrize("wrong, status", [(math.nan, protocol.NON_FINITE), (0.7, protocol.NOT_A_DISTRIBUTION)])
def test_a_plan_that_is_no_distribution_ends_the_run_with_its_round(play, wrong, status):
    problem = matrix([[0.2, 0.9], [0.5, 0.1]], eta=1.0)
    assert play(problem, Broken(wrong, np.zeros(1)), [10])[:2] == (status, 5)


def test_the_stop_flag_ends_a_run(play):
    control = np.array([1, 0], np.int64)
    problem = instances.mixed_core(eta=1.0)
    status, k, _ = play(problem, somg(problem, 10**9), [10**9], control=control)
    assert status == protocol.STOPPED and 0 < k < 10**6 and control[1] == k


def test_offline_counts_are_those_of_episodes_of_the_behaviour(random_game):
    problem = random_game(2, 1.0)
    n = 10**6
    data = problem.dataset(n, 0, 0)
    assert data.samples == n
    np.testing.assert_array_equal(data.moves.sum(axis=(1, 2, 3, 4)), n)
    np.testing.assert_array_equal(data.moves[0].sum(axis=(0, 1, 2)), data.moves[1].sum(axis=(1, 2, 3)))
    state = problem.start
    for h in range(3):
        law = state[:, None, None] * problem.behaviour[h]
        count = data.moves[h].sum(axis=-1)
        assert (np.abs(count - n * law) <= 4.5 * np.sqrt(n * law * (1.0 - law))).all()
        spread = np.sqrt(count * problem.reward[h] * (1.0 - problem.reward[h]))
        assert (np.abs(data.total[h] - count * problem.reward[h]) <= 4.5 * spread + 1e-9).all()
        state = np.einsum("sab,sabt->t", law, problem.transition[h])


def test_sums_of_gaussian_rewards_have_their_variance():
    problem = matrix([[0.2, 0.9]], eta=1.0, noise="gaussian", spread=0.5)
    z = []
    for i in range(400):
        data = problem.dataset(50, 0, i)
        n = data.moves[0, 0, 0, :, 0]
        z.append((data.total[0, 0, 0] - n * problem.reward[0, 0, 0]) / (0.5 * np.sqrt(n)))
    z = np.array(z)
    assert abs(z.mean()) < 4.0 / math.sqrt(z.size) and abs(z.std() - 1.0) < 4.0 / math.sqrt(2.0 * z.size)


@functools.cache
def core(eta):
    return instances.mixed_core(eta=eta)


@pytest.mark.parametrize("eta", [1.0, math.inf])
def test_effort_is_recorded_since_the_first_round(curves, eta):
    found = curves(core(eta), somg, [1, 100, 1000], 2)
    np.testing.assert_array_equal(found["solves"], 9.0 * found["plans"])
    assert (found["certificate"] <= 1e-12).all() and (found["restarts"] <= found["solves"]).all()
    assert found["plans"][0, 0] == 1.0 and (np.diff(found["plans"], axis=1) > 0.0).all()
