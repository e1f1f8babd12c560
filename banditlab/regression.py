"""Ridge regression, one observation at a time, by rank-one updates of O(d^2).

With features x_s and responses r_s, Lambda = lam I + sum_s x_s x_s', b = sum_s r_s x_s and theta = Lambda^{-1} b. The
formula of Sherman and Morrison updates Lambda^{-1} and theta. Its rounding errors add up where one direction x is
observed nearly always: x' Lambda^{-1} x is then of order 1/t, the entries of Lambda^{-1} not. So both are computed
afresh from a Cholesky factorisation every `REFRESH` observations; Lambda and b are compensated sums (Kahan), without
which their own errors would grow as much in the other directions. Posterior sampling keeps the Cholesky factor of
Lambda instead.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks, rng
from banditlab.jit import jit, jit_apart

REFRESH = 1024
"""Observations between two factorisations."""


class Ridge(NamedTuple):
    """State of a ridge regression; build it with `ridge`."""

    precision: np.ndarray  # (2, d, d) Lambda, and what rounding took from it
    moment: np.ndarray  # (2, d) b, and what rounding took from it
    inverse: np.ndarray  # (d, d) Lambda^{-1}
    estimate: np.ndarray  # (d,) theta
    direction: np.ndarray  # (d,) Lambda^{-1} x of the last observation x, Lambda as it was before
    factor: np.ndarray  # (d, d) workspace
    since: np.ndarray  # (1,) observations since the last factorisation


def ridge(dim: int, lam: float) -> Ridge:
    """A regression without observations.

    Parameters
    ----------
    dim : int
        d >= 1.
    lam : float
        Regularization > 0.
    """
    dim = checks.integer("dim", dim, 1)
    lam = checks.finite("lam", lam, 0.0, closed=False)
    precision = np.zeros((2, dim, dim))
    precision[0] = lam * np.eye(dim)
    return Ridge(
        precision=precision,
        moment=np.zeros((2, dim)),
        inverse=np.eye(dim) / lam,
        estimate=np.zeros(dim),
        direction=np.zeros(dim),
        factor=np.zeros((dim, dim)),
        since=np.zeros(1),
    )


@jit
def dot(x, y):
    """x' y."""
    total = 0.0
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@jit
def observe(state, x, r):
    """Take in response r at features x.

    Returns c = 1 + x' Lambda^{-1} x and the residual e = r - x' theta, both of before: Lambda^{-1} falls by y y' / c
    and theta moves by y e / c, where y = Lambda^{-1} x is left in `direction`, unless both were computed afresh: then
    `since` is 0.
    """
    y = state.direction
    d = x.size
    for j in range(d):
        y[j] = 0.0
    for i in range(d):
        for j in range(d):
            y[j] += x[i] * state.inverse[i, j]
    c = 1.0 + dot(x, y)
    e = r - dot(x, state.estimate)
    for i in range(d):
        u = y[i] / c
        state.estimate[i] += u * e
        for j in range(d):
            state.inverse[i, j] -= u * y[j]
        _add(state.precision[0, i], state.precision[1, i], x[i], x)
    _add(state.moment[0], state.moment[1], r, x)
    state.since[0] += 1.0
    if state.since[0] >= REFRESH:
        _factorise(state)
        state.since[0] = 0.0
    return c, e


@jit
def _add(total, lost, c, x):
    """Add c x to a compensated sum."""
    for i in range(x.size):
        term = c * x[i] - lost[i]
        new = total[i] + term
        lost[i] = (new - total[i]) - term
        total[i] = new


@jit_apart
def _factorise(state):
    """Inverse and estimate from the Cholesky factor of the precision."""
    d = state.estimate.size
    factor = state.factor
    column = state.direction
    for i in range(d):
        for j in range(i + 1):
            total = state.precision[0, i, j]
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            factor[i, j] = math.sqrt(total) if i == j else total / factor[j, j]
    for k in range(d):
        for i in range(d):
            column[i] = 1.0 if i == k else 0.0
        solve_lower(factor, column)
        solve_upper(factor, column)
        for i in range(d):
            state.inverse[i, k] = column[i]
    for i in range(d):
        state.estimate[i] = state.moment[0, i]
    solve_lower(factor, state.estimate)
    solve_upper(factor, state.estimate)


class Posterior(NamedTuple):
    """A ridge regression from which parameters are drawn; build it with `posterior`."""

    factor: np.ndarray  # (d, d) lower triangle L of Lambda = L L'
    moment: np.ndarray  # (d,) b
    drawn: np.ndarray  # (d,) the parameter drawn last
    work: np.ndarray  # (d,) workspace


def posterior(dim: int, lam: float) -> Posterior:
    """A posterior without observations.

    Parameters
    ----------
    dim : int
        d >= 1.
    lam : float
        Regularization > 0.
    """
    dim = checks.integer("dim", dim, 1)
    lam = checks.finite("lam", lam, 0.0, closed=False)
    return Posterior(math.sqrt(lam) * np.eye(dim), np.zeros(dim), np.zeros(dim), np.zeros(dim))


@jit
def absorb(state, x, r):
    """Take in response r at features x."""
    for i in range(x.size):
        state.moment[i] += r * x[i]
        state.work[i] = x[i]
    update_factor(state.factor, state.work)


@jit
def draw(state, spread, stream):
    """Draw a parameter from N(theta, spread^2 Lambda^{-1}) into `drawn`: L'^{-1} (L^{-1} b + spread z), z normal."""
    for i in range(state.drawn.size):
        state.drawn[i] = state.moment[i]
    solve_lower(state.factor, state.drawn)
    for i in range(state.drawn.size):
        state.drawn[i] += spread * rng.normal(stream)
    solve_upper(state.factor, state.drawn)


@jit
def update_factor(factor, x):
    """Turn the Cholesky factor of A into that of A + x x'; x is overwritten.

    One Givens rotation a column (Golub and Van Loan, Matrix Computations, section 6.5.4).
    """
    for k in range(x.size):
        diagonal = factor[k, k]
        r = math.sqrt(diagonal * diagonal + x[k] * x[k])
        c = r / diagonal
        s = x[k] / diagonal
        factor[k, k] = r
        for i in range(k + 1, x.size):
            factor[i, k] = (factor[i, k] + s * x[i]) / c
            x[i] = c * x[i] - s * factor[i, k]


@jit
def solve_lower(factor, x):
    """Overwrite x with L^{-1} x, L the lower triangle of `factor`."""
    for i in range(x.size):
        for j in range(i):
            x[i] -= factor[i, j] * x[j]
        x[i] /= factor[i, i]


@jit
def solve_upper(factor, x):
    """Overwrite x with L'^{-1} x."""
    for i in range(x.size - 1, -1, -1):
        x[i] /= factor[i, i]
        for j in range(i):
            x[j] -= factor[i, j] * x[i]


@jit
def factorise(matrix, shift, least, factor):
    """Write the lower Cholesky factor of matrix + shift I; squared pivots are at least `least`, a known bound.

    Every squared pivot of A + lam I with A positive semidefinite is at least lam: where A is so large that rounding
    would lose it, it is put back.
    """
    d = matrix.shape[0]
    for i in range(d):
        for j in range(i + 1):
            v = matrix[i, j]
            for k in range(j):
                v -= factor[i, k] * factor[j, k]
            if i == j:
                factor[i, i] = math.sqrt(max(v + shift, least))
            else:
                factor[i, j] = v / factor[j, j]


@jit
def invert(factor, out, work):
    """Write the inverse of L L' from its lower factor L; work is (d,)."""
    d = work.size
    for j in range(d):
        for i in range(d):
            work[i] = 1.0 if i == j else 0.0
        solve_lower(factor, work)
        solve_upper(factor, work)
        for i in range(j, d):
            out[i, j] = work[i]
            out[j, i] = work[i]
