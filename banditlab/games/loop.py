"""The jitted interaction protocol of zero-sum Markov games, the exact duality gap, and the sampling of offline data.

A round asks the learner for its plan: policies of both players, of which the first pair is measured, and the pairs
that are to be played, its `matches`. Where the plan changed, the duality gap of the measured pair is computed exactly
(see `planning`). Every match is an episode: a first state and, at every stage, an action of each player, a reward and
the next state. Rounds count from 1, stages from 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import protocol, rng
from banditlab.contextual.loop import find
from banditlab.equilibrium import loss
from banditlab.games.backup import CERTIFICATE, RESTARTS, SOLVES
from banditlab.jit import jit, jit_apart, jit_loop
from banditlab.protocol import DONE, NON_FINITE, STOPPED, standing
from banditlab.regularizer import kl, log_partition

REGRET, PLANS, EFFORT = 0, 1, 2
"""Rows of a recorded trajectory: cumulative regret and plans; from `EFFORT` on the entries of `Arena.effort`."""

NO_NOISE = 3
"""Code of rewards that are their means, beside those of `protocol`."""

POLL_WORK = 1 << 18
"""Transitions drawn or summed between looks at the stop flag."""


class Gauge(NamedTuple):
    """Workspaces of `duality_gap`; build it with `gauge`."""

    upper: np.ndarray  # (2, S) U of a stage and of the next
    lower: np.ndarray  # (2, S) L
    lost: np.ndarray  # (H, S) what both players give up in a state
    occupied: np.ndarray  # (2, S) probabilities of a stage's states, and of the next's
    row_log: np.ndarray  # (A,) log x
    row_score: np.ndarray  # (A,)
    row_response: np.ndarray  # (A,)
    column_log: np.ndarray  # (B,)
    column_score: np.ndarray  # (B,)
    column_response: np.ndarray  # (B,)


def gauge(shape: tuple[int, ...]) -> Gauge:
    """Workspaces for a game of shape (H, S, A, B)."""
    H, S, A, B = shape
    pairs = (np.zeros((2, S)) for _ in range(3))
    upper, lower, occupied = pairs
    rows = (np.zeros(A) for _ in range(3))
    columns = (np.zeros(B) for _ in range(3))
    return Gauge(upper, lower, np.zeros((H, S)), occupied, *rows, *columns)


@jit_apart
def duality_gap(problem, row, column, work):
    """(status, rho'(U_0 - L_0)), exact, for policies (H, S, A) and (H, S, B); `work` is a `Gauge`."""
    H, S, A, B = problem.reward.shape
    for s in range(S):
        work.upper[H % 2, s] = 0.0
        work.lower[H % 2, s] = 0.0
    for h in range(H - 1, -1, -1):
        upper = work.upper[(h + 1) % 2]
        lower = work.lower[(h + 1) % 2]
        for s in range(S):
            x = row[h, s]
            y = column[h, s]
            status = standing(x)
            if status == DONE:
                status = standing(y)
            if status != DONE:
                return status, 0.0
            for a in range(A):
                work.row_log[a] = math.log(x[a]) if x[a] > 0.0 else -math.inf
                work.row_score[a] = 0.0
            for b in range(B):
                work.column_log[b] = math.log(y[b]) if y[b] > 0.0 else -math.inf
                work.column_score[b] = 0.0
            for a in range(A):
                for b in range(B):
                    r = problem.reward[h, s, a, b]
                    above = r
                    below = r
                    if h < H - 1:
                        for s2 in range(S):
                            p = problem.transition[h, s, a, b, s2]
                            above += p * upper[s2]
                            below += p * lower[s2]
                    work.row_score[a] += y[b] * above
                    work.column_score[b] -= x[a] * below
            work.lost[h, s] = loss(
                work.row_score, work.row_log, problem.row_log_reference[h, s], problem.eta, work.row_response
            ) + loss(
                work.column_score,
                work.column_log,
                problem.column_log_reference[h, s],
                problem.eta,
                work.column_response,
            )
            best = log_partition(problem.row_reference[h, s], work.row_score, problem.eta)
            work.upper[h % 2, s] = best + kl(y, problem.column_reference[h, s]) / problem.eta
            best = log_partition(problem.column_reference[h, s], work.column_score, problem.eta)
            work.lower[h % 2, s] = -best - kl(x, problem.row_reference[h, s]) / problem.eta
    total = 0.0
    for s in range(S):
        work.occupied[0, s] = problem.start[s]
    for h in range(H):
        here = work.occupied[h % 2]
        following = work.occupied[(h + 1) % 2]
        for s in range(S):
            following[s] = 0.0
        for s in range(S):
            total += here[s] * work.lost[h, s]
            if here[s] == 0.0 or h == H - 1:
                continue
            for a in range(A):
                for b in range(B):
                    weight = here[s] * row[h, s, a] * column[h, s, b]
                    if weight > 0.0:
                        for s2 in range(S):
                            following[s2] += weight * problem.transition[h, s, a, b, s2]
    return (DONE if abs(total) < math.inf else NON_FINITE), total


@jit
def _all_stand(policies):
    """`DONE` if all rows of (M, H, S, A) are distributions, else why not."""
    for m in range(policies.shape[0]):
        for h in range(policies.shape[1]):
            for s in range(policies.shape[2]):
                status = standing(policies[m, h, s])
                if status != DONE:
                    return status
    return DONE


@jit_loop
def play(problem, learner, row, column, joint, matches, effort, work, checkpoints, world, own, out, control):
    """Play one replication.

    Returns (status, round) and fills `out` (5, C), whose rows are `REGRET`, `PLANS` and the entries of `effort`.

    Parameters
    ----------
    problem : Game
    learner : NamedTuple
    row, column : (M, H, S, A), (M, H, S, B) arrays
        Workspaces: the policies that the learner writes.
    joint : (H, S, A B) array
        Joint policy of a correlated learner, which is played in place of the matches; H = 0: there is none.
    matches : (n, 2) int64 array
        Pairs (i, j): row[i] is played against column[j].
    effort : (3,) array
        As of `Arena`.
    work : Gauge
    checkpoints : (C,) int64 array
    world, own : (4,) uint64 arrays
        Random streams.
    control : int64 array
        Entry 0, the stop flag, is read; entry 1, the rounds done, is written.
    """
    H, S, A, B = problem.reward.shape
    correlated = joint.shape[0] > 0
    episodes = 1 if correlated else matches.shape[0]
    regret = 0.0
    plans = 0.0
    gap = 0.0
    left = POLL_WORK
    k = 0
    for c in range(checkpoints.size):
        while k < checkpoints[c]:
            k += 1
            left -= H * episodes
            if learner.plan(k, row, column, own) or k == 1:
                left -= 8 * H * S * A * B
                plans += 1.0
                status, gap = duality_gap(problem, row[0], column[0], work)
                if status == DONE:
                    status = _all_stand(row)
                if status == DONE:
                    status = _all_stand(column)
                for h in range(joint.shape[0]):
                    for s in range(S):
                        if status == DONE:
                            status = standing(joint[h, s])
                if status != DONE:
                    return status, k
            regret += gap
            for m in range(episodes):
                s = find(problem.start_cumulative, rng.uniform(world))
                for h in range(H):
                    if correlated:
                        a = rng.categorical(world, joint[h, s])
                        b = a % B
                        a //= B
                        rng.uniform(world)  # as many as of two independent players
                    else:
                        a = rng.categorical(world, row[matches[m, 0], h, s])
                        b = rng.categorical(world, column[matches[m, 1], h, s])
                    r = problem.reward[h, s, a, b]
                    if problem.noise != NO_NOISE:
                        r = protocol.reward(problem.noise, r, problem.spread, world)
                    s2 = find(problem.cumulative[h, s, a, b], rng.uniform(world))
                    learner.update(h, s, a, b, r, s2)
                    s = s2
            if left <= 0:
                left = POLL_WORK
                control[1] = k
                if control[0] != 0:
                    return STOPPED, k
        out[REGRET, c] = regret
        out[PLANS, c] = plans
        out[EFFORT + SOLVES, c] = effort[SOLVES]
        out[EFFORT + RESTARTS, c] = effort[RESTARTS]
        out[EFFORT + CERTIFICATE, c] = effort[CERTIFICATE]
    return DONE, k


@jit
def add_noise(state, counts, spread, total):
    """Add Gaussian noise to sums (H, S, A, B) of `counts` rewards each."""
    for h in range(total.shape[0]):
        for s in range(total.shape[1]):
            for a in range(total.shape[2]):
                for b in range(total.shape[3]):
                    if counts[h, s, a, b] > 0.0:
                        total[h, s, a, b] += spread * math.sqrt(counts[h, s, a, b]) * rng.normal_from_two(state)
