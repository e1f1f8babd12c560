"""The Gibbs policy over one index per arm: weights kept under single-index changes, exact gap, sampling.

The policy is pi_a = pi_ref(a) exp(eta index_a) / Z, the optimum pi*_a = pi_ref(a) exp(eta r_a) / Z*. With
x_a = eta (index_a - r_a) - m, for any centre m,

    W = sum_a pi*_a e^{x_a},   S = sum_a pi*_a expm1(x_a) = W - 1,   G = sum_a pi*_a (x_a e^{x_a} - expm1(x_a)),
    eta (J* - J(pi)) = KL(pi || pi*) = G / W - h(S),   h(S) = log(1 + S) - S / (1 + S) = S^2 / 2 + O(S^3).

Each term of G is nonnegative, and m = log sum_a pi*_a e^{eta (index_a - r_a)} makes S = 0: this *near* form has no
cancellation however small the gap (design: exact to 1e-9 relative at eta = 1e-3). A stale m costs accuracy only.
While the policy is far from the optimum W may run over many powers of ten before the weights are re-centred; then
the *far* form KL = X / W - log W with X = sum_a pi*_a x_a e^{x_a} is used. Both evaluate pi*_a e^{x_a} as
exp(log pi*_a + x_a), so that large eta does not underflow.

A round changes one index. Four sums are kept: (W, S or 0, G or X, D) with D = sum_a pi*_a e^{x_a} Delta_a for the
plain gap D / W. Above `SCALAR_ARMS` arms they are the root of a binary sum tree, in which every node is a fresh sum of
its two children and nothing drifts: O(log K) a round. Up to `SCALAR_ARMS` arms they are running sums, O(1) a round,
computed anew before rounding residue can matter.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from banditlab.jit import jit

SCALAR_ARMS = 32
"""Up to this many arms running sums and a linear scan are faster than the tree."""

_W, _S, _G, _D = 0, 1, 2, 3  # channels of a node
_NEAR = 1e-2  # KL below which the near form is chosen when re-centring
_STALE = 1e-3  # re-centre when h(S) has cancelled all but this fraction of G / W
_FRESH = 1024.0  # updates after which running sums are computed anew,
_FALL = 1e-2  # also when one has fallen below this fraction of its largest value


# Columns of Gibbs.arms
INDEX, _MEAN, _GAP, _LOG_OPTIMAL, _OPTIMAL = 0, 1, 2, 3, 4
# Entries of Gibbs.state
_ETA, _TREE, _FIRST, _CENTRE, _FAR, _AGE, _TOP_W, _TOP_G = 0, 1, 2, 3, 4, 5, 6, 7


class Gibbs(NamedTuple):
    """Weights of a Gibbs policy over indices, and what its exact gap needs: the arguments of the functions below."""

    arms: np.ndarray  # (K, 5) the index in force, true mean r, plain gap Delta, log pi*, pi*
    nodes: np.ndarray  # (first + leaves, 4) sums by channel: node 1 is the total, node first + a is arm a
    state: np.ndarray  # (8,) eta; sum tree or not; first; centre m; far form or not; updates since the last
    #   re-centring; largest W and |G| since then


def gibbs_state(problem: Any, tree: bool | None = None) -> Gibbs:
    """Workspace for a problem with K arms and finite eta, all indices 0.

    Parameters
    ----------
    problem : NamedTuple
        With fields ``eta`` and ``mean``, ``gap``, ``log_optimal``, ``optimal`` of shape (K,).
    tree : bool, optional
        Force the sum tree (True) or the running sums (False); by default chosen by K.
    """
    K = problem.mean.size
    tree = K > SCALAR_ARMS if tree is None else tree
    leaves = 1 << (K - 1).bit_length()
    first, size = (max(leaves, 2), 2 * max(leaves, 2)) if tree else (2, 2 + K)
    state = np.zeros(8)
    state[_ETA], state[_TREE], state[_FIRST] = problem.eta, tree, first
    arms = np.column_stack([np.zeros(K), problem.mean, problem.gap, problem.log_optimal, problem.optimal])
    return Gibbs(np.ascontiguousarray(arms), np.zeros((size, 4)), state)


@jit
def _leaf(arms, state, a):
    """The four channels of arm a at its present index and centre."""
    x = state[_ETA] * (arms[a, INDEX] - arms[a, _MEAN]) - state[_CENTRE]
    log_w = arms[a, _LOG_OPTIMAL] + x
    if log_w > 600.0:  # finite, also summed over all arms, and far enough above 1 to be re-centred at once
        log_w = 600.0
    if state[_FAR] > 0.0:
        w = math.exp(log_w)
        return w, 0.0, x * w, w * arms[a, _GAP]
    p = arms[a, _OPTIMAL]
    if abs(x) > 0.1:
        w = math.exp(log_w)
        return w, w - p, x * w - (w - p), w * arms[a, _GAP]
    # psi = x e^x - expm1(x) = sum_k (k - 1) x^k / k!, and expm1(x) = (x - psi) / (1 - x)
    tail = 1.0 / 144.0 + x * (1.0 / 840.0 + x * (1.0 / 5760.0 + x * (1.0 / 45360.0 + x / 403200.0)))
    psi = x * x * (0.5 + x * (1.0 / 3.0 + x * (0.125 + x * (1.0 / 30.0 + x * tail))))
    s = p * ((x - psi) / (1.0 - x))
    return p + s, s, p * psi, (p + s) * arms[a, _GAP]


@jit
def set_index(arms, nodes, state, a, value):
    """Change one index: O(1) up to `SCALAR_ARMS` arms, else O(log K)."""
    if value == arms[a, INDEX]:
        return
    arms[a, INDEX] = value
    w, s, v, d = _leaf(arms, state, a)
    i = np.int64(state[_FIRST]) + a
    if state[_TREE] > 0.0:
        nodes[i, _W] = w
        nodes[i, _S] = s
        nodes[i, _G] = v
        nodes[i, _D] = d
        i >>= 1
        while i > 0:
            for c in range(4):
                nodes[i, c] = nodes[2 * i, c] + nodes[2 * i + 1, c]
            i >>= 1
    else:
        nodes[1, _W] += w - nodes[i, _W]
        nodes[1, _S] += s - nodes[i, _S]
        nodes[1, _G] += v - nodes[i, _G]
        nodes[1, _D] += d - nodes[i, _D]
        nodes[i, _W] = w
        nodes[i, _S] = s
        nodes[i, _G] = v
        nodes[i, _D] = d
    state[_AGE] += 1.0


@jit
def _recentre(arms, nodes, state):
    """Choose m so that S = 0, the form by the size of KL, and compute every leaf anew: O(K)."""
    K = arms.shape[0]
    top = -math.inf
    for a in range(K):
        top = max(top, arms[a, _LOG_OPTIMAL] + state[_ETA] * (arms[a, INDEX] - arms[a, _MEAN]))
    total = 0.0
    mean = 0.0
    for a in range(K):
        x = state[_ETA] * (arms[a, INDEX] - arms[a, _MEAN])
        w = math.exp(arms[a, _LOG_OPTIMAL] + x - top)
        total += w
        mean += w * (x - top)
    state[_CENTRE] = top + math.log(total)
    state[_FAR] = 0.0 if mean / total - math.log(total) < _NEAR else 1.0
    first = np.int64(state[_FIRST])
    for a in range(K):
        w, s, v, d = _leaf(arms, state, a)
        nodes[first + a, _W] = w
        nodes[first + a, _S] = s
        nodes[first + a, _G] = v
        nodes[first + a, _D] = d
    for c in range(4):
        if state[_TREE] > 0.0:
            for i in range(first - 1, 0, -1):
                nodes[i, c] = nodes[2 * i, c] + nodes[2 * i + 1, c]
        else:
            nodes[1, c] = 0.0
            for i in range(first, first + K):
                nodes[1, c] += nodes[i, c]
    state[_AGE] = 0.0
    state[_TOP_W] = nodes[1, _W]
    state[_TOP_G] = abs(nodes[1, _G])


@jit
def divergence(arms, nodes, state, changed):
    """KL(pi || pi*) and the plain gap of the policy in force, with sums and centre brought up to date where needed.

    `changed` says that entries of the index column were written directly. O(1) up to `SCALAR_ARMS` arms and for the
    tree, but for re-centrings, O(K): forced ones at rare rounds, and to gain accuracy at most one in K updates. Residue
    of running sums is left by cancellation: with eta = 300 a dominant weight may fall by e^{-100} in one round.
    """
    K = arms.shape[0]
    residue = False
    if not state[_TREE] > 0.0:  # running sums
        w = nodes[1, _W]
        v = abs(nodes[1, _G])
        state[_TOP_W] = max(state[_TOP_W], w)
        state[_TOP_G] = max(state[_TOP_G], v)
        residue = w < _FALL * state[_TOP_W] or v < _FALL * state[_TOP_G] or state[_AGE] >= _FRESH
    kl = 0.0
    inverse = 0.0
    for attempt in range(2):
        w = nodes[1, _W]
        inverse = 1.0 / w if w > 0.0 else 0.0  # 0: a jump left no weight above rounding
        part = nodes[1, _G] * inverse
        if state[_FAR] > 0.0:
            kl = part - math.log(w) if w > 0.0 else math.inf
            stale = not 1e-30 < w < 1e30
            inexact = kl < _NEAR
        else:
            s = nodes[1, _S]
            if w > 0.0 and abs(s) > 0.02:
                kl = part - (math.log(w) - s * inverse)
            else:  # h(S) = sum_{k >= 2} (-1)^k (k - 1) S^k / k
                h = 0.75 - s * (0.8 - s * (5.0 / 6.0 - s * (6.0 / 7.0 - s * (7.0 / 8.0 - s * (8.0 / 9.0)))))
                kl = part - s * s * (0.5 - s * (2.0 / 3.0 - s * h))
            stale = not 0.25 < w < 4.0
            inexact = kl < _STALE * part
        if attempt > 0 or not (stale or changed or residue or (inexact and state[_AGE] >= K)):
            break
        _recentre(arms, nodes, state)
    return kl, nodes[1, _D] * inverse


@jit
def draw(arms, nodes, state, u):
    """The arm that a uniform u in [0, 1) selects, after `divergence`; never one of weight zero."""
    K = arms.shape[0]
    first = np.int64(state[_FIRST])
    u = u * nodes[1, _W]
    a = 0
    if state[_TREE] > 0.0:
        i = 1
        while i < first:
            i *= 2
            if u >= nodes[i, _W]:
                u -= nodes[i, _W]
                i += 1
        a = min(i - first, K - 1)
    else:
        while a < K - 1:
            u -= nodes[2 + a, _W]
            if u < 0.0:
                break
            a += 1
    while a > 0 and not nodes[first + a, _W] > 0.0:  # rounding ended past the last weight
        a -= 1
    return a
