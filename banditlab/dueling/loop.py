"""The jitted interaction protocol of dueling bandits.

A round draws a context and asks the learner for two distributions, which are point masses for index rules, and whether
it wants the comparison. Arms a and b are drawn from them independently; where they differ and the comparison is wanted,
the learner is told whether a beat b. Regret is the exact expectation under the two distributions, or, under KL
regularization, the gap of the learner's main policy. Rounds count from 1.
"""

from __future__ import annotations

import math

from banditlab import rng
from banditlab.contextual.loop import find
from banditlab.jit import jit, jit_apart, jit_loop, needs_refresh, optional
from banditlab.protocol import DONE, NON_FINITE, NOT_A_DISTRIBUTION, POLL_ARMS, POLL_ROUNDS, STOPPED, standing
from banditlab.regression import dot

KL, AVERAGE, STRONG, WEAK, BORDA, COPELAND, REWARD, FIRST = 0, 1, 2, 3, 4, 5, 6, 7
"""What a round of regret is."""
REGRET, QUERIES, SAME, AVERAGE_REGRET, BORDA_REGRET, REWARD_REGRET = 0, 1, 2, 3, 4, 5
"""Rows of a recorded trajectory, all cumulative."""


@jit
def largest(x, state):
    """Index of the largest entry, at random where there are several."""
    best = 0
    ties = 1.0
    for i in range(1, x.size):
        if x[i] > x[best]:
            best = i
            ties = 1.0
        elif x[i] == x[best]:
            ties += 1.0
            if rng.uniform(state) * ties < 1.0:
                best = i
    return best


@jit
def write_pair(first, second, a, b):
    """Write the point masses at a and b."""
    for i in range(first.size):
        first[i] = 0.0
        second[i] = 0.0
    first[a] = 1.0
    second[b] = 1.0


@jit
def _no_main_policy(pi, work):
    """As `main_gap` for a learner that has none, which `Dueling.check` refuses where it would be measured."""
    return NOT_A_DISTRIBUTION, math.nan


@optional("policy", _no_main_policy)
@jit_apart
def main_gap(problem, learner, pi, work):
    """(status, gap of the main policy averaged over contexts)."""
    total = 0.0
    for x in range(problem.law.size):
        learner.policy(x, pi)
        status = standing(pi)
        if status != DONE:
            return status, total
        total += problem.law[x] * problem.gap_of(x, pi, work)
    return (DONE if abs(total) < math.inf else NON_FINITE), total


@jit
def expected(measure, gap, first, second):
    """Expectation, over two independent arms, of the largest, the least, the first or, else, the average gap."""
    if measure == FIRST:
        return dot(first, gap)
    if measure != STRONG and measure != WEAK:
        return 0.5 * (dot(first, gap) + dot(second, gap))
    total = 0.0
    for a in range(gap.size):
        if first[a] > 0.0:
            for b in range(gap.size):
                if second[b] > 0.0:
                    worse = max(gap[a], gap[b]) if measure == STRONG else min(gap[a], gap[b])
                    total += first[a] * second[b] * worse
    return total


@jit_loop
def play(problem, learner, lazy, first, second, pi, work, wins, checkpoints, world, own, out, control):
    """Play one replication.

    Returns (status, round) and fills `out` (6, C), whose rows are `REGRET` to `REWARD_REGRET`, and `wins` (X, K, K),
    the comparisons told. `lazy` is whether the learner's ``refresh(t)`` tells when its main policy changed, which is
    otherwise measured in every round. `first`, `second`, `pi` (K,) and `work` (4, K) are workspaces. `control` is an
    int64 array: entry 0, the stop flag, is read; entry 1, the rounds done, is written.
    """
    K = first.size
    measure = problem.measure
    regret = 0.0
    queries = 0.0
    same = 0.0
    average = 0.0
    borda = 0.0
    reward = 0.0
    gap = 0.0
    poll = max(min(POLL_ROUNDS, POLL_ARMS // (K * K * (problem.law.size if measure == KL else 1))), 1)
    left = poll
    t = 0
    for c in range(checkpoints.size):
        while t < checkpoints[c]:
            t += 1
            if measure == KL:
                changed = needs_refresh(learner, t)
                if changed or t == 1 or not lazy:
                    status, gap = main_gap(problem, learner, pi, work)
                    if status != DONE:
                        return status, t
            x = find(problem.cumulative, rng.uniform(world))
            wanted = learner.duel(t, x, first, second, own)
            status = standing(first)
            if status == DONE:
                status = standing(second)
            if status != DONE:
                return status, t
            now = gap if measure == KL else expected(measure, problem.gap[x], first, second)
            if not abs(now) < math.inf:
                return NON_FINITE, t
            regret += now
            average += expected(AVERAGE, problem.condorcet_gap[x], first, second)
            borda += expected(AVERAGE, problem.borda_gap[x], first, second)
            reward += 2.0 * expected(AVERAGE, problem.reward_gap[x], first, second)
            a = rng.categorical(world, first)
            b = rng.categorical(world, second)
            won = rng.uniform(world) < problem.preference[x, a, b]
            if a == b:
                same += 1.0
            elif wanted:
                queries += 1.0
                if won:
                    wins[x, a, b] += 1.0
                else:
                    wins[x, b, a] += 1.0
                learner.update(t, x, a, b, 1.0 if won else 0.0)
            left -= 1
            if left == 0:
                left = poll
                control[1] = t
                if control[0] != 0:
                    return STOPPED, t
        out[REGRET, c] = regret
        out[QUERIES, c] = queries
        out[SAME, c] = same
        out[AVERAGE_REGRET, c] = average
        out[BORDA_REGRET, c] = borda
        out[REWARD_REGRET, c] = reward
    return DONE, t
