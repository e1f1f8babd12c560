"""How well offline data cover the optimal policy of an MDP."""

from __future__ import annotations

import math

import numpy as np

from banditlab import checks
from banditlab.mdps.planning import occupancies
from banditlab.mdps.problem import MDP


def concentrability(problem: MDP) -> float:
    """C* = max d*_h(s, a) / d^b_h(s, a) over what the optimum visits; inf where the behaviour never goes there.

    References
    ----------
    Rashidinejad, Zhu, Ma, Jiao and Russell 2021, arXiv:2103.12021.
    """
    optimal, behaviour = _occupancies(problem)
    visited = optimal > 0.0
    with np.errstate(divide="ignore"):
        return float((optimal[visited] / behaviour[visited]).max())


def relative_condition_number(problem: MDP) -> float:
    """The largest of v' Sigma*_h v / v' Sigma^b_h v over stages and directions v, Sigma = E phi phi'.

    Without features it is `concentrability`. Directions in which the optimum has no features do not count; inf where it
    has some in which the behaviour has none.

    References
    ----------
    Zanette, Wainwright and Brunskill 2021, NeurIPS, arXiv:2108.08812; Agarwal, Kakade, Lee and Mahajan 2021 (name).
    """
    if problem.features.shape[3] == 0:
        return concentrability(problem)
    worst = 0.0
    for phi, star, data in zip(problem.features, *_occupancies(problem), strict=True):
        target, source = (np.einsum("sa,sai,saj->ij", d, phi, phi) for d in (star, data))
        values, vectors = np.linalg.eigh(source)
        seen = values > 1e-12 * max(values.max(), 1e-300)
        outside = vectors[:, ~seen]
        if np.einsum("ij,ik,kj->j", outside, target, outside).max(initial=0.0) > 1e-12 * np.trace(target):
            return math.inf
        inside = vectors[:, seen] / np.sqrt(values[seen])
        worst = max(worst, float(np.linalg.eigvalsh(inside.T @ target @ inside).max()))
    return worst


def elliptical(problem: MDP, samples: int, lam: float = 1.0) -> float:
    """sum_h E_{pi*} |phi| in the norm of Lambda_h^{-1} = (lam I + n E_b phi phi')^{-1}: what pessimism pays.

    Parameters
    ----------
    problem : MDP
    samples : int
        n >= 0 episodes, by their expectation.
    lam : float
        Ridge > 0.
    """
    n = checks.integer("samples", samples, 0)
    lam = checks.finite("lam", lam, 0.0, closed=False)
    H, S, A, d = problem.features.shape
    phi = problem.features if d else np.broadcast_to(np.eye(S * A).reshape(S, A, S * A), (H, S, A, S * A))
    total = 0.0
    for h, (star, data) in enumerate(zip(*_occupancies(problem), strict=True)):
        precision = lam * np.eye(phi.shape[-1]) + n * np.einsum("sa,sai,saj->ij", data, phi[h], phi[h])
        width = np.einsum("sai,ij,saj->sa", phi[h], np.linalg.inv(precision), phi[h])
        total += float((star * np.sqrt(np.maximum(width, 0.0))).sum())
    return total


def _occupancies(problem: MDP) -> tuple[np.ndarray, np.ndarray]:
    """Those of the optimum and of the behaviour, (H, S, A) each."""
    star = occupancies(problem.transition, problem.start, problem.optimal)
    return star, occupancies(problem.transition, problem.start, problem.behaviour)
