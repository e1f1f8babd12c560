"""The jitted interaction protocol of episodic MDPs, exact losses of policies, and the sampling of offline data.

An episode asks the learner for its plan, a policy for every stage and state; where that changed, what it loses is
computed exactly under its own occupancies (see `planning`). Then the environment draws a first state and, at every
stage, an action of the policy, a reward and the next state, and reports them to the learner. Episodes count from 1,
stages from 0.
"""

from __future__ import annotations

import math

from banditlab import rng
from banditlab.contextual.loop import find
from banditlab.jit import estimated, jit, jit_apart, jit_loop
from banditlab.protocol import DONE, NON_FINITE, STOPPED, standing
from banditlab.regularizer import kl_gap_from_policy

REGRET, PLANS, OPTIMISM = 0, 1, 2
"""Rows of a recorded trajectory: cumulative regret and plans, and the share of episodes with an optimistic estimate."""

POLL_WORK = 1 << 18
"""Transitions drawn or summed between looks at the stop flag."""


@jit_apart
def policy_gap(problem, pi, occupied, following):
    """(status, J(pi*) - J(pi)), exact; `occupied` and `following` (S,) are workspaces."""
    H, S, A = pi.shape
    total = 0.0
    for s in range(S):
        occupied[s] = problem.start[s]
    for h in range(H):
        for s in range(S):
            following[s] = 0.0
        for s in range(S):
            status = standing(pi[h, s])
            if status != DONE:
                return status, total
            if occupied[s] == 0.0:
                continue
            if problem.eta == math.inf:
                lost = 0.0
                for a in range(A):
                    if pi[h, s, a] > 0.0:
                        lost += pi[h, s, a] * problem.advantage[h, s, a]
            else:
                lost = kl_gap_from_policy(pi[h, s], problem.log_optimal[h, s]) / problem.eta
            total += occupied[s] * lost
            if h == H - 1:
                continue
            for a in range(A):
                weight = occupied[s] * pi[h, s, a]
                if weight > 0.0:
                    for s2 in range(S):
                        following[s2] += weight * problem.transition[h, s, a, s2]
        for s in range(S):
            occupied[s] = following[s]
    return (DONE if abs(total) < math.inf else NON_FINITE), total


@jit_loop
def play(problem, learner, pi, occupied, following, checkpoints, world, own, out, control):
    """Play one replication.

    Returns (status, episode) and fills `out` (3, C), whose rows are `REGRET`, `PLANS` and `OPTIMISM`. `pi` (H, S, A),
    `occupied` and `following` (S,) are workspaces. `control` is an int64 array: entry 0, the stop flag, is read; entry
    1, the episodes done, is written.
    """
    H, S, A = pi.shape
    regret = 0.0
    plans = 0.0
    optimistic = 0.0
    gap = 0.0
    estimate = math.nan
    left = POLL_WORK
    k = 0
    for c in range(checkpoints.size):
        while k < checkpoints[c]:
            k += 1
            left -= H
            if learner.plan(k, pi, own) or k == 1:
                left -= H * S * A
                plans += 1.0
                status, gap = policy_gap(problem, pi, occupied, following)
                if status != DONE:
                    return status, k
                estimate = 0.0
                for s in range(S):
                    if problem.start[s] > 0.0:
                        estimate += problem.start[s] * estimated(learner, s)
            regret += gap
            if estimate >= problem.value - 1e-12 * abs(problem.value):
                optimistic += 1.0
            s = find(problem.start_cumulative, rng.uniform(world))
            for h in range(H):
                a = rng.categorical(world, pi[h, s])
                r = problem.reward[h, s, a]
                u = rng.uniform(world)
                if problem.random_rewards:
                    r = 1.0 if u < r else 0.0
                s2 = find(problem.cumulative[h, s, a], rng.uniform(world))
                learner.update(h, s, a, r, s2)
                s = s2
            if left <= 0:
                left = POLL_WORK
                control[1] = k
                if control[0] != 0:
                    return STOPPED, k
        out[REGRET, c] = regret
        out[PLANS, c] = plans
        out[OPTIMISM, c] = optimistic / k
    return DONE, k


@jit
def draw_episodes(samples, problem, state, here, moves, total):
    """Counts of n episodes under the behaviour policy, as if they had been played; the cost does not depend on n.

    The episodes in a state at a stage are exchangeable, so that their actions and next states are multinomial.

    Parameters
    ----------
    samples : int
        n.
    problem : MDP
    state : (4,) uint64 array
        Random stream.
    here : (2, S) array
        Workspace: episodes in each state at a stage and at the next.
    moves : (H, S, A, S) array
        To fill: transitions.
    total : (H, S, A) array
        To fill: sums of rewards.
    """
    H, S, A = total.shape
    rng.multinomial(state, samples, problem.start, here[0])
    for h in range(H):
        now = here[h % 2]
        following = here[(h + 1) % 2]
        for s in range(S):
            following[s] = 0.0
        for s in range(S):
            rng.multinomial(state, int(now[s]), problem.behaviour[h, s], total[h, s])
            for a in range(A):
                n = int(total[h, s, a])
                rng.multinomial(state, n, problem.transition[h, s, a], moves[h, s, a])
                for s2 in range(S):
                    following[s2] += moves[h, s, a, s2]
                r = problem.reward[h, s, a]
                total[h, s, a] = rng.binomial(state, n, r) if problem.random_rewards else n * r
