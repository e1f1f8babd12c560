"""The jitted interaction protocol of multi-armed bandits: one loop for index rules, one for general policies.

A round of the loop records the exact gap of the policy about to be played, samples an arm and a reward from the
environment's stream, and reports them to the learner. Rounds count from 1.
"""

from __future__ import annotations

import math

from banditlab import gibbs, rng
from banditlab.jit import jit, needs_refresh
from banditlab.protocol import BETA, DONE, NON_FINITE, NOT_A_DISTRIBUTION, POLL_ARMS, POLL_ROUNDS, STOPPED, reward
from banditlab.regularizer import kl_gap_from_policy

REGRET, PSEUDO_REGRET = 0, 1
"""Rows of a recorded trajectory."""


@jit
def draw_reward(noise, r, spread, state, spare):
    """One reward of mean r, from a fixed number of the stream's draws; `spare` is a generator that they may seed."""
    if noise != BETA:
        return reward(noise, r, spread, state)
    for i in range(4):
        spare[i] = rng.bits(state)
    return rng.beta(spare, r * spread, (1.0 - r) * spread)


@jit
def point_mass(pi, last, t, a):
    """Write the point mass at arm a; after round 1 only the entry `last[0]`, played before, is cleared."""
    if t == 1:
        for b in range(pi.size):
            pi[b] = 0.0
    pi[last[0]] = 0.0
    pi[a] = 1.0
    last[0] = a


@jit
def play_index(problem, learner, arms, nodes, state, checkpoints, world, spare, out, control):
    """Play an index rule under the Gibbs policy of its indices (finite eta).

    Returns (status, round) and fills `out` (2, C): cumulative regret and pseudo-regret at the checkpoints. `control`
    is an int64 array: entry 0, the stop flag, is read; entry 1, the rounds done, is written.
    """
    K = problem.mean.size
    regret = 0.0
    pseudo = 0.0
    poll = max(min(POLL_ROUNDS, POLL_ARMS // K), 1)
    left = poll
    t = 0
    for c in range(checkpoints.size):
        while t < checkpoints[c]:
            t += 1
            all_changed = needs_refresh(learner, t) or t == 1
            if all_changed:
                for a in range(K):
                    arms[a, gibbs.INDEX] = learner.index(a, t)
            kl, plain = gibbs.divergence(arms, nodes, state, all_changed)
            if not abs(kl) < math.inf:
                return NON_FINITE, t
            regret += max(kl, 0.0)
            pseudo += plain
            a = gibbs.draw(arms, nodes, state, rng.uniform(world))
            learner.update(t, a, draw_reward(problem.noise, problem.mean[a], problem.spread, world, spare))
            gibbs.set_index(arms, nodes, state, a, learner.index(a, t + 1))
            left -= 1
            if left == 0:
                left = poll
                control[1] = t
                if control[0] != 0:
                    return STOPPED, t
        out[REGRET, c] = regret / problem.eta
        out[PSEUDO_REGRET, c] = pseudo
    return DONE, t


@jit
def play_greedy(problem, learner, index, checkpoints, world, spare, out, control):
    """Play an index rule at eta = inf: the arm of largest index, the lowest on ties; plain gaps.

    An index may be infinite here.
    """
    K = problem.mean.size
    for a in range(K):
        index[a] = learner.index(a, 1)
    regret = 0.0
    poll = max(min(POLL_ROUNDS, POLL_ARMS // K), 1)
    left = poll
    t = 0
    for c in range(checkpoints.size):
        while t < checkpoints[c]:
            t += 1
            if needs_refresh(learner, t):
                for a in range(K):
                    index[a] = learner.index(a, t)
            best = 0
            for a in range(K):
                if math.isnan(index[a]):
                    return NON_FINITE, t
                if index[a] > index[best]:
                    best = a
            regret += problem.gap[best]
            rng.uniform(world)  # the draw of the arm, so that worlds stay aligned with sampled policies
            learner.update(t, best, draw_reward(problem.noise, problem.mean[best], problem.spread, world, spare))
            index[best] = learner.index(best, t + 1)
            left -= 1
            if left == 0:
                left = poll
                control[1] = t
                if control[0] != 0:
                    return STOPPED, t
        out[REGRET, c] = regret
        out[PSEUDO_REGRET, c] = regret
    return DONE, t


@jit
def play_policy(problem, learner, pi, checkpoints, world, spare, own, out, control):
    """Play a learner that writes its whole distribution each round; arguments as in `play_index`."""
    K = problem.mean.size
    regularized = problem.eta < math.inf
    regret = 0.0
    pseudo = 0.0
    poll = max(min(POLL_ROUNDS, POLL_ARMS // K), 1)
    left = poll
    t = 0
    for c in range(checkpoints.size):
        while t < checkpoints[c]:
            t += 1
            learner.policy(t, pi, own)
            total = 0.0
            plain = 0.0
            for a in range(K):
                if not pi[a] >= 0.0:
                    return (NOT_A_DISTRIBUTION if pi[a] < 0.0 else NON_FINITE), t
                total += pi[a]
                plain += pi[a] * problem.gap[a]
            if not abs(total - 1.0) < 1e-9:
                return (NOT_A_DISTRIBUTION if total < math.inf else NON_FINITE), t
            pseudo += plain
            regret += kl_gap_from_policy(pi, problem.log_optimal) if regularized else plain
            a = rng.categorical(world, pi)
            learner.update(t, a, draw_reward(problem.noise, problem.mean[a], problem.spread, world, spare))
            left -= 1
            if left == 0:
                left = poll
                control[1] = t
                if control[0] != 0:
                    return STOPPED, t
        out[REGRET, c] = regret / problem.eta if regularized else regret
        out[PSEUDO_REGRET, c] = pseudo
    return DONE, t
