"""Linear rewards on the features of a contextual problem: predictions with widths, and draws from the posterior."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab.contextual.problem import AVERAGED, Contextual
from banditlab.jit import jit, jit_apart
from banditlab.regression import Posterior, Ridge, absorb, draw, observe, posterior, ridge


class LinearModel(NamedTuple):
    """A regression and its predictions; build it with `linear_model`."""

    columns: np.ndarray  # (S, d, K) phi, arms last, over which the loops run
    ridge: Ridge
    tabled: bool  # predictions of all pairs are kept up to date; otherwise those of a context are computed on demand
    mean: np.ndarray  # (S, K), or (1, K) where not tabled: phi' theta
    square: np.ndarray  # (S, K) or (1, K): phi' Lambda^{-1} phi
    along: np.ndarray  # (K,) workspace
    pair: np.ndarray  # (d,) workspace: phi of the pair observed


def linear_model(problem: Contextual, lam: float) -> LinearModel:
    """A model without observations.

    A table of all predictions costs S K d an update, those of one context K d^2 / 2 a round: the table is kept where
    contexts are at most half as many as dimensions, and where a round asks for all contexts.
    """
    S, K, d = problem.features.shape
    tabled = bool(problem.measure == AVERAGED or 2 * S <= d)
    rows = S if tabled else 1
    return LinearModel(
        columns=np.ascontiguousarray(problem.features.transpose(0, 2, 1)),
        ridge=ridge(d, lam),
        tabled=tabled,
        mean=np.zeros((rows, K)),
        square=(problem.features[:rows] ** 2).sum(axis=-1) / lam,
        along=np.zeros(K),
        pair=np.zeros(d),
    )


@jit
def predict(model, x):
    """Make the predictions for context x current; returns their row in `mean` and `square`."""
    if model.tabled:
        return x
    _compute(model, x, 0)
    return 0


@jit
def optimistic(model, x, width, out):
    """Write the upper confidence bounds phi' theta + width sqrt(phi' Lambda^{-1} phi) of the arms in context x."""
    row = predict(model, x)
    for a in range(out.size):
        out[a] = model.mean[row, a] + width * math.sqrt(max(model.square[row, a], 0.0))


@jit
def project(columns, direction, out):
    """Write phi' v for each arm, from the (d, K) features of a context."""
    for a in range(out.size):
        out[a] = 0.0
    for i in range(direction.size):
        v = direction[i]
        for a in range(out.size):
            out[a] += v * columns[i, a]


@jit
def pick(columns, a, out):
    """Write phi of arm a, from the (d, K) features of a context."""
    for i in range(out.size):
        out[i] = columns[i, a]


@jit
def _compute(model, x, row):
    """Predictions of context x; the quadratic forms take each pair of coordinates once, as Lambda is symmetric.

    The loops run over arms, which lie side by side: at d = K = 20 as fast as a BLAS product of the features with the
    whole inverse, and with the same bits everywhere.
    """
    columns = model.columns[x]
    inverse = model.ridge.inverse
    mean = model.mean[row]
    square = model.square[row]
    along = model.along
    project(columns, model.ridge.estimate, mean)
    for a in range(square.size):
        square[a] = 0.0
    for i in range(inverse.shape[0]):
        for a in range(along.size):
            along[a] = 0.0
        paired = i - i % 2
        for j in range(0, paired, 2):  # two rows at once: half the traffic through `along`
            u = 2.0 * inverse[i, j]
            v = 2.0 * inverse[i, j + 1]
            for a in range(along.size):
                along[a] += u * columns[j, a] + v * columns[j + 1, a]
        if paired < i:
            v = 2.0 * inverse[i, paired]
            for a in range(along.size):
                along[a] += v * columns[paired, a]
        v = inverse[i, i]
        for a in range(along.size):
            square[a] += (along[a] + v * columns[i, a]) * columns[i, a]


@jit_apart
def _compute_afresh(model, s):
    """As `_compute`, for the rows of a table, which rarely need it."""
    _compute(model, s, s)


@jit
def learn(model, x, a, r):
    """Take in reward r of arm a in context x."""
    pick(model.columns[x], a, model.pair)
    c, e = observe(model.ridge, model.pair, r)
    if not model.tabled:
        return
    afresh = model.ridge.since[0] == 0.0
    for s in range(model.mean.shape[0]):
        if afresh:
            _compute_afresh(model, s)
            continue
        project(model.columns[s], model.ridge.direction, model.along)
        for b in range(model.along.size):
            along = model.along[b]
            model.square[s, b] -= along * along / c
            model.mean[s, b] += along * e / c


class LinearDraw(NamedTuple):
    """A posterior and its draw of the round; build it with `linear_draw`."""

    columns: np.ndarray  # (S, d, K) phi, arms last
    posterior: Posterior
    pair: np.ndarray  # (d,) workspace: phi of the pair observed
    spread: float  # the draw is from N(theta, spread^2 Lambda^{-1})
    last: np.ndarray  # (1,) the round drawn last


def linear_draw(problem: Contextual, spread: float, lam: float) -> LinearDraw:
    """A posterior without observations, its prior N(0, spread^2 / lam) in each coordinate."""
    return LinearDraw(
        columns=np.ascontiguousarray(problem.features.transpose(0, 2, 1)),
        posterior=posterior(problem.parameter.size, lam),
        pair=np.zeros(problem.parameter.size),
        spread=float(spread),
        last=np.zeros(1),
    )


@jit
def sampled(model, t, x, stream, out):
    """Write the rewards of the arms in context x under the draw of round t: one draw a round, for all contexts."""
    if model.last[0] != t:
        model.last[0] = t
        draw(model.posterior, model.spread, stream)
    project(model.columns[x], model.posterior.drawn, out)


@jit
def learn_draw(model, x, a, r):
    """Take in reward r of arm a in context x."""
    pick(model.columns[x], a, model.pair)
    absorb(model.posterior, model.pair, r)


@jit
def point_mass(score, out):
    """Write the point mass at the lowest argmax."""
    best = 0
    for a in range(out.size):
        out[a] = 0.0
        if score[a] > score[best]:
            best = a
    out[best] = 1.0
