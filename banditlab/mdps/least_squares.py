"""Least-squares value iteration on counts: one state for LSVI, its posterior sampling, and its offline forms.

Ridge regression of y = r + V(s') on the features phi of the transitions (s, a, r, s') seen at a stage is

    w(V) = Lambda^{-1} sum w phi (r + V(s')) = Lambda^{-1} (rho + M V),
    Lambda = lam I + sum w phi phi',   M[:, s'] = sum w phi over transitions to s',   rho = sum w phi r,

so that the past enters through (Lambda^{-1}, M, rho) alone: another V costs O(d S), not a pass over the data. The
squared widths u(s, a) = phi' Lambda^{-1} phi of all pairs are kept up to date by the formula of Sherman and Morrison,
one observation costing O(S A d + d^2) whatever their number. Without features every pair (s, a) is a dimension.

References
----------
Bradtke and Barto 1996 (least-squares temporal differences); Jin, Yang, Wang and Jordan 2020, COLT, arXiv:1907.05388
(LSVI); Abbasi-Yadkori, Pal and Szepesvari 2011 (rare switching, the self-normalised bound). The count form and the
radius of `provable_radius` are derived for this package.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.jit import jit, jit_apart
from banditlab.regression import dot, factorise
from banditlab.rng import normal

REMEASURE = 1 << 16
"""Observations of a stage between two computations of its u from Lambda^{-1}."""

LEAST_RIDGE = 1e-6
"""Below it rounding of the first rank-one updates shows in the inverse."""


class LeastSquares(NamedTuple):
    """Regressions of the H stages; build it with `least_squares`."""

    features: np.ndarray  # (H, S, A, d) phi
    lam: float  # ridge
    inverse: np.ndarray  # (H, d, d) Lambda^{-1}
    width: np.ndarray  # (H, S, A) u = phi' Lambda^{-1} phi
    moves: np.ndarray  # (H, d, S) M
    rewards: np.ndarray  # (H, d) rho
    gain: np.ndarray  # (H,) log det Lambda - d log lam
    seen: np.ndarray  # (H,) int64 observations
    weight: np.ndarray  # (d,) workspace: w(V)
    along: np.ndarray  # (d,) workspace: Lambda^{-1} phi
    factor: np.ndarray  # (d, d) workspace: Cholesky factor of Lambda^{-1}


def least_squares(features: np.ndarray, lam: float) -> LeastSquares:
    """Regressions without observations.

    Parameters
    ----------
    features : (H, S, A, d) array
        phi; with d = 0 every pair is a dimension of its own, d = S A.
    lam : float
        Ridge of at least `LEAST_RIDGE`.

    Raises
    ------
    TypeError, ValueError
        Where `lam` is out of range.
    """
    lam = checks.finite("lam", lam, LEAST_RIDGE)
    H, S, A, d = features.shape
    if d == 0:
        d = S * A
        phi = np.ascontiguousarray(np.broadcast_to(np.eye(d).reshape(S, A, d), (H, S, A, d)))
    else:
        phi = features.copy()
    eye = np.tile(np.eye(d), (H, 1, 1))
    return LeastSquares(
        features=phi,
        lam=lam,
        inverse=eye / lam,
        width=(phi * phi).sum(axis=-1) / lam,
        moves=np.zeros((H, d, S)),
        rewards=np.zeros((H, d)),
        gain=np.zeros(H),
        seen=np.zeros(H, dtype=np.int64),
        weight=np.zeros(d),
        along=np.zeros(d),
        factor=np.zeros((d, d)),
    )


@jit
def observe(state, h, s, a, r, s2, weight):
    """Take in a transition with reward r and next state s2, of weight w > 0."""
    phi = state.features[h, s, a]
    inverse = state.inverse[h]
    width = state.width[h]
    along = state.along
    q = 0.0
    for i in range(phi.size):
        along[i] = dot(inverse[i], phi)
        q += weight * phi[i] * along[i]
    c = weight / (1.0 + q)
    for i in range(phi.size):
        v = weight * phi[i]
        state.moves[h, i, s2] += v
        state.rewards[h, i] += v * r
        for j in range(phi.size):
            inverse[i, j] -= c * along[i] * along[j]
    state.gain[h] += math.log1p(q)
    state.seen[h] += 1
    for x in range(width.shape[0]):
        for b in range(width.shape[1]):
            projected = dot(state.features[h, x, b], along)
            width[x, b] -= c * projected * projected
    if state.seen[h] % REMEASURE == 0:
        remeasure(state, h)


@jit_apart
def remeasure(state, h):
    """u of a stage from Lambda^{-1}, whose own rounding errors stay small: it only shrinks."""
    width = state.width[h]
    for x in range(width.shape[0]):
        for b in range(width.shape[1]):
            phi = state.features[h, x, b]
            total = 0.0
            for i in range(phi.size):
                total += phi[i] * dot(state.inverse[h, i], phi)
            width[x, b] = total


@jit
def regress(state, h, value):
    """Write w(V) of a stage into `state.weight`, for values (S,) of the next stage."""
    along = state.along
    for i in range(along.size):
        along[i] = state.rewards[h, i] + dot(state.moves[h, i], value)
    for i in range(along.size):
        state.weight[i] = dot(state.inverse[h, i], along)


@jit
def perturb(state, h, spread, rng):
    """Add a draw of N(0, spread^2 Lambda^{-1}) to `state.weight`: spread L z, Lambda^{-1} = L L' and z normal."""
    factor = state.factor
    along = state.along
    factorise(state.inverse[h], 0.0, 0.0, factor)
    for i in range(along.size):
        along[i] = normal(rng)
    for i in range(along.size):
        for j in range(i + 1):
            state.weight[i] += spread * factor[i, j] * along[j]


@jit
def predict(state, h, scale, floor, ceiling, q):
    """Write phi' w + scale sqrt(u), clipped to [floor, ceiling], for all pairs of a stage: (S, A)."""
    for s in range(q.shape[0]):
        for a in range(q.shape[1]):
            x = dot(state.features[h, s, a], state.weight)
            if scale != 0.0:
                x += scale * math.sqrt(max(state.width[h, s, a], 0.0))
            q[s, a] = min(max(x, floor), ceiling)


def provable_radius(state: LeastSquares, delta: float) -> np.ndarray:
    """(H,) radii beta_h with |phi' w(V) - r - P V| <= beta_h sqrt(u) for all V in [0, H - h - 1]^S and all episodes.

    ((H - h) / 2) sqrt(2 (S log 2 + (log det Lambda - d log lam) / 2 + log(H / delta))) + sqrt(lam d) (H - h), with
    probability 1 - delta: the noise of a fixed V is (H - h) / 2-subgaussian and self-normalised; the largest of a
    convex function over the cube is at one of its 2^S corners. Rewards in [0, 1], weights 1, features on the simplex
    with measures mu_h(i, .) of mass 1 (as of `instances.random_linear`), or without features.

    Parameters
    ----------
    state : LeastSquares
    delta : float
        Failure probability in (0, 1].

    Raises
    ------
    TypeError, ValueError
        In one line, for a delta out of range.
    """
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    H, S, _, d = state.features.shape
    left = np.arange(H, 0, -1.0)
    inside = S * math.log(2.0) + 0.5 * state.gain + math.log(H / delta)
    return 0.5 * left * np.sqrt(2.0 * inside) + math.sqrt(state.lam * d) * left
