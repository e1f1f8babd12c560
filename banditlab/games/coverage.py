"""How well offline data cover an equilibrium of a Markov game and the unilateral deviations from it, exactly."""

from __future__ import annotations

import math

import numpy as np

from banditlab import checks
from banditlab.games.planning import GamePlan
from banditlab.games.problem import Game
from banditlab.mdps.planning import backward_induction, occupancies


def unilateral_concentrability(problem: Game, plan: GamePlan | None = None) -> float:
    """C_uni: the largest of d^{x', y*}_h / d^b_h and d^{x*, y'}_h / d^b_h over stages, (s, a, b), and all x' and y'.

    Parameters
    ----------
    problem : Game
    plan : GamePlan, optional
        The equilibrium (x*, y*); by default that of `Game.equilibrium`. Without KL it need not be the only one, and the
        coefficient is that of this one.

    Returns
    -------
    float
        inf where some deviation goes where the behaviour never does.

    References
    ----------
    Cui and Du 2022, NeurIPS, arXiv:2201.03522.
    """
    plan = _checked(problem, plan)
    data = behaviour_occupancy(problem)
    reach_row, reach_column = _reach(problem, plan)
    most = np.maximum(
        np.einsum("hs,hsb->hsb", reach_row, plan.column)[:, :, None, :] * np.ones_like(data),
        np.einsum("hs,hsa->hsa", reach_column, plan.row)[:, :, :, None] * np.ones_like(data),
    )
    visited = most > 0.0
    with np.errstate(divide="ignore"):
        return float((most[visited] / data[visited]).max())


def relative_uncertainty(problem: Game, samples: int, *, lam: float = 1.0, plan: GamePlan | None = None) -> float:
    """The largest of max_x' sum_h E_{x', y*} |phi| and max_y' sum_h E_{x*, y'} |phi|, in the norm of Lambda_h^{-1}.

    Lambda_h = lam I + n E_b phi phi', the expectation of n episodes of the behaviour; without features every (s, a, b)
    is a dimension. Where bonuses are beta |phi|, with the realised Lambda, and cover the errors, each player loses at
    most 2 beta, and the duality gap of pessimism is at most 4 beta, times this.

    Parameters
    ----------
    problem : Game
    samples : int
        n >= 0 episodes.
    lam : float
        Ridge > 0.
    plan : GamePlan, optional
        As in `unilateral_concentrability`.

    References
    ----------
    Zhong, Xiong, Tan, Wang, Zhang, Wang and Yang 2022, ICML, arXiv:2202.07511; there the least over equilibria.
    """
    n = checks.integer("samples", samples, 0)
    lam = checks.finite("lam", lam, 0.0, closed=False)
    plan = _checked(problem, plan)
    data = behaviour_occupancy(problem)
    H, S, A, B, d = problem.features.shape
    norm = np.empty((H, S, A, B))
    for h in range(H):
        if d == 0:
            norm[h] = 1.0 / np.sqrt(lam + n * data[h])
            continue
        phi = problem.features[h].reshape(-1, d)
        precision = lam * np.eye(d) + n * (phi * data[h].reshape(-1, 1)).T @ phi
        norm[h] = np.sqrt((phi * np.linalg.solve(precision, phi.T).T).sum(axis=1)).reshape(S, A, B)
    row, _ = _against_column(problem, plan, norm)
    column, _ = _against_row(problem, plan, norm)
    return max(row, column)


def _checked(problem: Game, plan: GamePlan | None) -> GamePlan:
    """The plan, or the problem's equilibrium."""
    if plan is None:
        return problem.equilibrium()
    if plan.q.shape != problem.reward.shape:
        raise ValueError(f"plan: is of a game of shape {plan.q.shape}, must be of shape {problem.reward.shape}")
    return plan


def behaviour_occupancy(problem: Game) -> np.ndarray:
    """(H, S, A, B) probabilities d^b_h(s, a, b) of the behaviour policy."""
    joint = problem.joint_actions()
    return occupancies(joint.transition, problem.start, joint.behaviour).reshape(problem.reward.shape)


def _against_column(problem: Game, plan: GamePlan, reward: np.ndarray) -> tuple[float, np.ndarray]:
    """The most that a row player earns of `reward` (H, S, A, B) against y*."""
    P = np.einsum("hsabt,hsb->hsat", problem.transition, plan.column)
    return _most(problem, P, np.einsum("hsab,hsb->hsa", reward, plan.column))


def _against_row(problem: Game, plan: GamePlan, reward: np.ndarray) -> tuple[float, np.ndarray]:
    """The most that a column player earns of `reward` (H, S, A, B) against x*."""
    P = np.einsum("hsabt,hsa->hsbt", problem.transition, plan.row)
    return _most(problem, P, np.einsum("hsab,hsa->hsb", reward, plan.row))


def _most(problem: Game, P: np.ndarray, reward: np.ndarray) -> tuple[float, np.ndarray]:
    value = backward_induction(P, reward, np.ones(reward.shape), math.inf).value
    return float(problem.start @ value[0]), value


def _reach(problem: Game, plan: GamePlan) -> tuple[np.ndarray, np.ndarray]:
    """(H, S) largest probability of state s at stage h, over the row player's policies against y*, and vice versa."""
    H, S, A, B = problem.reward.shape
    row, column = np.zeros((H, S)), np.zeros((H, S))
    row[0] = column[0] = problem.start
    for h in range(1, H):
        for s in range(S):
            arrive = np.zeros((H, S, A, B))
            arrive[h - 1] = problem.transition[h - 1, :, :, :, s]
            row[h, s], _ = _against_column(problem, plan, arrive)
            column[h, s], _ = _against_row(problem, plan, arrive)
    return row, column
