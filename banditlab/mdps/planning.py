"""Exact planning in an episodic MDP: backward induction, policy evaluation, occupancies, and what a policy loses.

Stages are h = 0, ..., H - 1, values are of stage h on, V_H = 0. With KL regularization

    V_h(s) = max_pi <pi, Q_h(s, .)> - KL(pi || pi_ref) / eta = (1 / eta) log E_{a ~ pi_ref} exp(eta Q_h(s, a)),

Q_h = r_h + P_h V_{h+1}, attained by pi ~ pi_ref exp(eta Q_h); ``eta = inf`` is without it, where the least of several
best actions is taken. What a policy loses is a sum of nonnegative terms under its own occupancies d_h,

    J(pi*) - J(pi) = sum_h E_{s ~ d_h} KL(pi_h || pi*_h)(s) / eta     (eta = inf: of max Q* - <pi, Q*>),

so nothing cancels however small it is. Everything here is in NumPy: no instance compiles anything to be made.

References
----------
Puterman 1994, Markov Decision Processes, chapter 4; Neu, Jonsson and Gomez 2017, arXiv:1705.07798 (regularization);
Kakade and Langford 2002, ICML (performance difference).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

TIE = 1e-12
"""Values this near to the best, relative to their size where that is above 1, are ties; the lowest action is taken."""


class Plan(NamedTuple):
    """Optimal values and policy."""

    value: np.ndarray  # (H + 1, S) V_h, the last row zero
    q: np.ndarray  # (H, S, A) Q_h
    log_policy: np.ndarray  # (H, S, A) log pi_h, -inf for actions not taken


def backward_induction(transition: np.ndarray, reward: np.ndarray, reference: np.ndarray, eta: float) -> Plan:
    """The optimal plan.

    Parameters
    ----------
    transition : (H, S, A, S) array
        P_h(s' | s, a).
    reward : (H, S, A) array
        Mean rewards.
    reference : (H, S, A) array
        pi_ref; actions of probability zero are never taken.
    eta : float
        Inverse temperature in (0, inf].
    """
    H, S, A = reward.shape
    value, q, log_policy = np.zeros((H + 1, S)), np.empty((H, S, A)), np.empty((H, S, A))
    for h in range(H - 1, -1, -1):
        q[h] = reward[h] + transition[h] @ value[h + 1]
        value[h], log_policy[h] = backup_rows(q[h], reference[h], eta)
    return Plan(value, q, log_policy)


def backup_rows(q: np.ndarray, reference: np.ndarray, eta: float) -> tuple[np.ndarray, np.ndarray]:
    """Values (S,) of a stage and its optimal policy's logarithm (S, A), from its action values (S, A).

    Parameters
    ----------
    q, reference : (S, A) arrays
        Actions of reference probability zero are never taken.
    eta : float
        Inverse temperature in (0, inf].
    """
    allowed = np.where(reference > 0.0, q, -math.inf)
    best = allowed.max(axis=1)
    if eta == math.inf:
        first = (allowed >= (best - TIE * np.maximum(1.0, np.abs(best)))[:, None]).argmax(axis=1)
        return best, np.where(np.arange(q.shape[1]) == first[:, None], 0.0, -math.inf)
    x = eta * (allowed - best[:, None])
    with np.errstate(divide="ignore"):
        score = np.log(reference) + x
    peak = score.max(axis=1)
    excess = (reference * np.expm1(x)).sum(axis=1)  # Z - 1: without it V loses the digits that 1 / eta gives back
    log_z = np.where(
        excess > -0.5,
        np.log1p(np.maximum(excess, -0.5)),
        peak + np.log(np.exp(score - peak[:, None]).sum(axis=1)),
    )
    return best + log_z / eta, score - log_z[:, None]


def evaluate(
    transition: np.ndarray, reward: np.ndarray, reference: np.ndarray, eta: float, policy: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Values (H + 1, S) and action values (H, S, A) of a policy (H, S, A), less its divergence from the reference.

    Parameters
    ----------
    transition, reward, reference, eta
        As in `backward_induction`.
    policy : (H, S, A) array
        Probabilities; -inf is the value from where the policy may take what the reference never does, at any eta.
    """
    H, S, A = reward.shape
    value, q = np.zeros((H + 1, S)), np.empty((H, S, A))
    for h in range(H - 1, -1, -1):
        lost = value[h + 1] == -math.inf
        q[h] = reward[h] + transition[h] @ np.where(lost, 0.0, value[h + 1])
        q[h][(transition[h][..., lost] > 0.0).any(axis=-1)] = -math.inf
        taken = policy[h] > 0.0
        value[h] = (policy[h] * np.where(taken, q[h], 0.0)).sum(axis=1)
        if eta < math.inf:
            value[h] -= _kl(policy[h], reference[h]) / eta
        value[h][(taken & (reference[h] == 0.0)).any(axis=1)] = -math.inf
    return value, q


def _kl(policy: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(S,) KL of rows, 0 log 0 = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = policy * (np.log(policy) - np.log(reference))
    return np.where(policy > 0.0, terms, 0.0).sum(axis=1)


def occupancies(transition: np.ndarray, start: np.ndarray, policy: np.ndarray) -> np.ndarray:
    """(H, S, A) probabilities that a policy is in state s at stage h and takes action a.

    Parameters
    ----------
    transition : (H, S, A, S) array
    start : (S,) array
        Law of the first state.
    policy : (H, S, A) array
    """
    out = np.empty(policy.shape)
    state = start
    for h in range(policy.shape[0]):
        out[h] = state[:, None] * policy[h]
        state = np.einsum("sa,sat->t", out[h], transition[h])
    return out
