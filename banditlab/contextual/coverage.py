r"""How well a behaviour policy mu covers the optimum: the coefficients of offline learning.

Each is infinite where mu has no mass on an arm that matters. Bounds of offline algorithms are stated with them:
Zhao et al. 2025, arXiv:2502.06051, and Ji et al. 2026, arXiv:2605.02141.
"""

from __future__ import annotations

import math

import numpy as np

from banditlab.contextual.problem import Contextual

_EPS = float(np.finfo(np.float64).eps)


def _ratio(policy: np.ndarray, behaviour: np.ndarray) -> np.ndarray:
    """policy / behaviour, 0 / 0 = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(policy > 0.0, policy / behaviour, 0.0)


def single_policy(problem: Contextual) -> float:
    r"""C^{pi*} = max_{s,a} pi*(a|s) / mu(a|s), at least 1: single-policy concentrability."""
    return float(_ratio(problem.optimal, problem.behaviour).max())


def all_policy(problem: Contextual) -> float:
    """max_{s,a} 1 / mu(a|s): the largest concentrability of any policy."""
    return float(_ratio(np.ones(problem.mean.shape), problem.behaviour).max())


def second_moment(problem: Contextual) -> float:
    """C_2 = E_{rho, pi*}[pi* / mu], between 1 and C^{pi*}: one plus the chi-square divergence of pi* from mu."""
    weight = problem.law[:, None] * problem.optimal
    return float(_weighted(weight, _ratio(problem.optimal, problem.behaviour)))


def d2(problem: Contextual) -> np.ndarray:
    r"""(S, K) coefficients D^2(s, a) = sup_{g,h in F} (g - h)^2(s, a) / E_{rho, mu}(g - h)^2 of the reward class F.

    For tables 1 / (rho(s) mu(a|s)); for linear rewards phi' Sigma^{-1} phi with Sigma = E_{rho, mu}[phi phi'], and
    infinite for a phi outside the range of Sigma, that is the span of the features in the data, whatever their mass.
    A direction is within it to an angle of 1.5e-8, the root of the rounding unit.
    """
    weight = problem.law[:, None] * problem.behaviour
    if problem.parameter.size == 0:
        return _ratio(np.ones(problem.mean.shape), weight)
    from scipy import linalg

    phi = problem.features
    square = (phi * phi).sum(axis=-1)
    kept = (weight > 0.0) & (square > 0.0)
    if not kept.any():
        return np.where(square > 0.0, math.inf, 0.0)
    rows = phi[kept] / np.sqrt(square[kept])[:, None]
    basis, left, _ = linalg.qr(rows.T, mode="economic", pivoting=True)
    basis = basis[:, np.diag(left) ** 2 > _EPS]  # entry i is what a next row has outside the span of those before
    along = phi @ basis
    outside = ((phi - along @ basis.T) ** 2).sum(axis=-1) > _EPS * square
    rows = np.sqrt(weight[kept])[:, None] * along[kept]
    rows = rows[np.argsort(-(rows * rows).sum(axis=1), kind="stable")]  # so that small masses keep their digits
    _, root = linalg.qr(rows, mode="economic")  # Sigma = root' root within the span
    squared = (np.linalg.solve(root.T, along.reshape(-1, root.shape[0]).T) ** 2).sum(axis=0).reshape(square.shape)
    return np.where(outside, math.inf, squared)


def average_d2(problem: Contextual) -> float:
    r"""D^2_{pi*} = E_{rho, pi*}[D^2(s, a)]; for tables sum_{s,a} pi*(a|s) / mu(a|s) <= S K C^{pi*}."""
    return float(_weighted(problem.law[:, None] * problem.optimal, d2(problem)))


def _weighted(weight: np.ndarray, values: np.ndarray) -> float:
    """Sum of weight times values, 0 inf = 0."""
    return float((weight * np.where(weight > 0.0, values, 0.0)).sum())
