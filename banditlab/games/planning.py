"""Exact planning in a zero-sum Markov game: the minimax plan, regularized or not, values of policies, responses.

The row player x maximises and the column player y minimises the sum over the stages h = 0, ..., H - 1 of

    R_h - KL(x_h || x_ref,h) / eta + KL(y_h || y_ref,h) / eta.

Backwards, Q_h = R_h + P_h V_{h+1} is a matrix game in every state, whose equilibrium and value are those of the stage
(`equilibrium`; ``eta = inf``: without KL, by the simplex method). Against a fixed y the best row policy is that of an
MDP; the row player's exploitability is

    rho'(U_0 - V_0^{x,y}) = sum_h E_{s ~ (x,y)} KL(x_h || BR_h(y))(s) / eta                (eta = inf: of max - mean),

with U the values of the best response BR, and the duality gap is the sum of both players': nonnegative terms, so that
nothing cancels however small it is.

References
----------
Shapley 1953, PNAS 39 (minimax planning); Nayak et al. 2025, arXiv:2510.13060 (the regularized game). The identity of
the exploitability is derived for this package.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab.games.backup import CERTIFICATE, arena, solve_stage
from banditlab.regularizer import kl, log_partition


class GamePlan(NamedTuple):
    """An equilibrium of a Markov game in Markov policies, from every state."""

    row: np.ndarray  # (H, S, A) policy of the maximising player
    column: np.ndarray  # (H, S, B) policy of the minimising player
    value: np.ndarray  # (H + 1, S) V_h, the last row zero
    q: np.ndarray  # (H, S, A, B) Q_h
    certificate: float  # largest duality gap of a matrix game


def equilibrium(
    transition: np.ndarray, reward: np.ndarray, row_reference: np.ndarray, column_reference: np.ndarray, eta: float
) -> GamePlan:
    """The equilibrium plan; without KL it need not be unique: compare values and gaps, not policies.

    Parameters
    ----------
    transition : (H, S, A, B, S) array
        P_h(s' | s, a, b).
    reward : (H, S, A, B) array
        Mean rewards.
    row_reference, column_reference : (H, S, A), (H, S, B) arrays
        Positive.
    eta : float
        Inverse temperature in (0, inf].

    Raises
    ------
    RuntimeError
        Where a matrix game could not be solved.
    """
    H, S, A, B = reward.shape
    games = arena(row_reference, column_reference, eta)
    row, column = np.empty((H, S, A)), np.empty((H, S, B))
    value, q = np.zeros((H + 1, S)), np.empty((H, S, A, B))
    for h in range(H - 1, -1, -1):
        q[h] = reward[h] + transition[h] @ value[h + 1]
        solve_stage(games, h, q[h], row[h], column[h], value[h])
    return GamePlan(row, column, value, q, float(games.effort[CERTIFICATE]))


def best_response_values(
    transition: np.ndarray,
    reward: np.ndarray,
    row_reference: np.ndarray,
    column_reference: np.ndarray,
    eta: float,
    row: np.ndarray,
    column: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Values (H + 1, S) of the best responses: U of the row player's to `column`, L of the column player's to `row`.

    L <= V^{row, column} <= U everywhere, and the duality gap is rho'(U_0 - L_0).

    Parameters
    ----------
    transition, reward, row_reference, column_reference, eta
        As in `equilibrium`.
    row, column : (H, S, A), (H, S, B) arrays
        Policies.
    """
    H, S, _, _ = reward.shape
    upper, lower = np.zeros((H + 1, S)), np.zeros((H + 1, S))
    for h in range(H - 1, -1, -1):
        against = np.einsum("sab,sb->sa", reward[h] + transition[h] @ upper[h + 1], column[h])
        upper[h] = _soft_max(against, row_reference[h], eta) + _divergence(column[h], column_reference[h]) / eta
        against = -np.einsum("sab,sa->sb", reward[h] + transition[h] @ lower[h + 1], row[h])
        lower[h] = -_soft_max(against, column_reference[h], eta) - _divergence(row[h], row_reference[h]) / eta
    return upper, lower


def evaluate(
    transition: np.ndarray,
    reward: np.ndarray,
    row_reference: np.ndarray,
    column_reference: np.ndarray,
    eta: float,
    row: np.ndarray,
    column: np.ndarray,
) -> np.ndarray:
    """Values (H + 1, S) of a pair of policies, with the divergences from the references.

    Parameters
    ----------
    transition, reward, row_reference, column_reference, eta, row, column
        As in `best_response_values`.
    """
    H, S, _, _ = reward.shape
    value = np.zeros((H + 1, S))
    for h in range(H - 1, -1, -1):
        mean = np.einsum("sa,sab,sb->s", row[h], reward[h] + transition[h] @ value[h + 1], column[h])
        apart = _divergence(column[h], column_reference[h]) - _divergence(row[h], row_reference[h])
        value[h] = mean + apart / eta
    return value


def _soft_max(score: np.ndarray, reference: np.ndarray, eta: float) -> np.ndarray:
    """(S,) log E_ref exp(eta score) / eta of rows, max for eta = inf."""
    return np.array([log_partition(*row, eta) for row in zip(reference, score, strict=True)])


def _divergence(policy: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(S,) KL of rows."""
    return np.array([kl(*row) for row in zip(policy, reference, strict=True)])
