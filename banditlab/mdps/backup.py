"""Policies and values of a stage from action values, for compiled planners."""

from __future__ import annotations

import math

from banditlab.jit import jit
from banditlab.mdps.planning import TIE


@jit
def soft_backup(q, reference, eta, pi, value):
    """Write pi ~ pi_ref exp(eta Q) and V = log E_ref exp(eta Q) / eta for all states of a stage.

    ``eta = inf``: the lowest of the best actions (to `planning.TIE`), and its value. Actions of reference probability
    zero are never taken. `q`, `reference` and `pi` are (S, A), `value` is (S,).
    """
    S, A = q.shape
    for s in range(S):
        best = -math.inf
        for a in range(A):
            if reference[s, a] > 0.0 and q[s, a] > best:
                best = q[s, a]
        value[s] = best
        if eta == math.inf:
            floor = best - TIE * max(1.0, abs(best))
            taken = False
            for a in range(A):
                pi[s, a] = 0.0
                if not taken and reference[s, a] > 0.0 and q[s, a] >= floor:
                    pi[s, a] = 1.0
                    taken = True
            continue
        total = 0.0
        short = 0.0  # total - 1, whose digits are those of V where eta is small
        for a in range(A):
            x = eta * (q[s, a] - best) if reference[s, a] > 0.0 else -math.inf
            pi[s, a] = reference[s, a] * math.exp(x)
            total += pi[s, a]
            short += reference[s, a] * math.expm1(x) if x > -0.5 else pi[s, a] - reference[s, a]
        for a in range(A):
            pi[s, a] /= total
        value[s] += (math.log1p(short) if short > -0.5 else math.log(total)) / eta
