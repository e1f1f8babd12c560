"""The jitted interaction protocol of contextual bandits, and the sampling of offline datasets.

A round draws a context, records the exact gap of the policy that the learner holds, samples an arm and a reward from
the environment's stream, and reports them to the learner. Rounds count from 1. Within a round a learner may be asked
for its policy at several contexts, and one that draws at random must draw once a round.
"""

from __future__ import annotations

import math

from banditlab import rng
from banditlab.jit import jit, jit_loop
from banditlab.protocol import DONE, GAUSSIAN, NON_FINITE, POLL_ARMS, POLL_ROUNDS, STOPPED, reward, standing
from banditlab.regression import dot

AVERAGED, REALISED = 0, 1
"""Which gap a round adds to the regret: the average over the law of contexts, or that at the context drawn."""
REGRET, PSEUDO_REGRET, GAP = 0, 1, 2
"""Rows of a recorded trajectory: cumulative, cumulative, and the gap of the round averaged over contexts."""


@jit
def find(cumulative, u):
    """Least i with cumulative[i] > u, for u in [0, 1) and cumulative[-1] = 1."""
    low = 0
    high = cumulative.size - 1
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] > u:
            high = middle
        else:
            low = middle + 1
    return low


@jit_loop
def play(problem, learner, table, work, checkpoints, world, own, out, control):
    """Play one replication.

    Returns (status, round) and fills `out` (3, C), whose rows are `REGRET`, `PSEUDO_REGRET` and `GAP`. `table` (S, K)
    and `work` (K,) are workspaces. `control` is an int64 array: entry 0, the stop flag, is read; entry 1, the rounds
    done, is written.
    """
    S, K = problem.mean.shape
    averaged = problem.measure == AVERAGED
    regret = 0.0
    pseudo = 0.0
    poll = max(min(POLL_ROUNDS, POLL_ARMS // (S * K if averaged else K)), 1)
    left = poll
    t = 0
    for c in range(checkpoints.size):
        while t < checkpoints[c]:
            t += 1
            x = find(problem.cumulative, rng.uniform(world))
            everywhere = averaged or t == checkpoints[c]
            mean_gap = 0.0
            mean_plain = 0.0
            for s in range(0 if everywhere else x, S if everywhere else x + 1):
                pi = table[s]
                learner.policy(t, s, pi, own)
                status = standing(pi)
                if status != DONE:
                    return status, t
                gap = problem.gap_of(s, pi, work)
                plain = dot(pi, problem.gap[s])
                if not abs(gap) < math.inf:
                    return NON_FINITE, t
                mean_gap += problem.law[s] * gap
                mean_plain += problem.law[s] * plain
                if s == x and not averaged:
                    regret += gap
                    pseudo += plain
            if averaged:
                regret += mean_gap
                pseudo += mean_plain
            if everywhere:
                out[GAP, c] = mean_gap
            a = rng.categorical(world, table[x])
            r = reward(problem.noise, problem.mean[x, a], problem.spread, world)
            learner.update(t, x, a, r)
            left -= 1
            if left == 0:
                left = poll
                control[1] = t
                if control[0] != 0:
                    return STOPPED, t
        out[REGRET, c] = regret
        out[PSEUDO_REGRET, c] = pseudo
    return DONE, t


@jit
def gaps(problem, policy, work, out):
    """Write J(pi*) - J(pi) at each context, from the probabilities (S, K) of pi; `work` (2, K) is a workspace."""
    for s in range(out.size):
        out[s] = problem.gap_of(s, policy[s], work[0])


@jit
def plug_in_gaps(problem, estimate, work, out):
    """Write the gap at each context of the policy that is optimal for an estimate (S, K) of the rewards."""
    for s in range(out.size):
        out[s] = problem.plug_in_gap_of(s, estimate[s], work)


@jit
def draw_counts(samples, law, policy, mean, noise, spread, state, counts, total):
    """Sufficient statistics of n samples: counts Multinomial(n, law policy), sums Binomial or Normal.

    Each multinomial is a sequence of binomials of what is left, so that the cost does not depend on n.
    """
    S, K = mean.shape
    left = samples
    mass = 1.0
    for s in range(S):
        n = rng.binomial(state, left, min(law[s] / mass, 1.0)) if s < S - 1 else left
        left -= n
        mass -= law[s]
        last = K - 1
        while policy[s, last] <= 0.0:
            last -= 1
        rest = 1.0
        for a in range(K):
            hits = 0
            if a == last:
                hits = n
            elif a < last and n > 0 and policy[s, a] > 0.0:
                hits = rng.binomial(state, n, min(policy[s, a] / rest, 1.0))
            rest -= policy[s, a]
            n -= hits
            counts[s, a] = hits
            if noise == GAUSSIAN:
                total[s, a] = hits * mean[s, a] + spread * math.sqrt(hits) * rng.normal(state)
            else:
                total[s, a] = rng.binomial(state, hits, mean[s, a])
