"""Equilibria and best responses of a stage's matrix games, for compiled planners, exact planning and offline fits."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab.equilibrium import Simplex, Solver, minimax, saddle, simplex, solver
from banditlab.jit import jit, jit_apart
from banditlab.regularizer import gibbs, kl, log_partition

CERTIFIED = 1e-12
"""Duality gap up to which a regularized equilibrium counts as solved, whatever the residuals of unlikely actions."""

SOLVES, RESTARTS, CERTIFICATE = 0, 1, 2
"""Entries of `Arena.effort`: matrix games solved, warm starts that failed, and the largest duality gap left."""


class Arena(NamedTuple):
    """What the matrix games of all states have in common, and their last equilibria; build it with `arena`."""

    eta: float  # inverse temperature of both players, inf: unregularized
    row_reference: np.ndarray  # (H, S, A) positive
    column_reference: np.ndarray  # (H, S, B) positive
    row_log_reference: np.ndarray  # (H, S, A)
    column_log_reference: np.ndarray  # (H, S, B)
    log_row: np.ndarray  # (H, S, A) the last equilibrium of each state, from which the next solve starts
    log_column: np.ndarray  # (H, S, B)
    known: np.ndarray  # (H, S) 1 where there is one
    row_score: np.ndarray  # (A,) workspace
    column_score: np.ndarray  # (B,) workspace
    solver: Solver
    simplex: Simplex
    effort: np.ndarray  # (3,) `SOLVES`, `RESTARTS` and `CERTIFICATE`


def arena(row_reference: np.ndarray, column_reference: np.ndarray, eta: float) -> Arena:
    """Workspaces for the games of all states, none of them solved.

    Parameters
    ----------
    row_reference, column_reference : (H, S, A), (H, S, B) arrays
        Positive.
    eta : float
        Inverse temperature in (0, inf].
    """
    A, B = row_reference.shape[2], column_reference.shape[2]
    return Arena(
        eta=float(eta),
        row_reference=row_reference.copy(),
        column_reference=column_reference.copy(),
        row_log_reference=np.log(row_reference),
        column_log_reference=np.log(column_reference),
        log_row=np.log(row_reference),
        log_column=np.log(column_reference),
        known=np.zeros(row_reference.shape[:2]),
        row_score=np.zeros(A),
        column_score=np.zeros(B),
        solver=solver(A, B),
        simplex=simplex(A, B),
        effort=np.zeros(3),
    )


@jit_apart
def equilibrium(arena, h, s, payoff, row, column):
    """Write the equilibrium of a payoff matrix (A, B) in state s at stage h, and return its value.

    Regularized games start from the state's last equilibrium. Where a game could not be solved the value is NaN, and so
    is the first probability of either player, which stops a run.
    """
    work = arena.solver
    arena.effort[SOLVES] += 1.0
    if arena.eta == math.inf:
        solved = minimax(payoff, arena.simplex)
        for a in range(row.size):
            row[a] = arena.simplex.row[a]
        for b in range(column.size):
            column[b] = arena.simplex.column[b]
        arena.effort[CERTIFICATE] = max(arena.effort[CERTIFICATE], arena.simplex.status[1])
        if not solved:
            row[0] = column[0] = math.nan
        return arena.simplex.status[0]  # NaN where payoffs are not finite
    for a in range(row.size):
        work.log_policy[0, a] = arena.log_row[h, s, a]
    for b in range(column.size):
        work.log_policy[1, b] = arena.log_column[h, s, b]
    warm = arena.known[h, s] > 0.0
    solved = saddle(
        payoff, arena.row_log_reference[h, s], arena.column_log_reference[h, s], arena.eta, arena.eta, work, warm
    )
    if warm and work.status[3] > 0.0:
        arena.effort[RESTARTS] += 1.0
    arena.effort[CERTIFICATE] = max(arena.effort[CERTIFICATE], work.status[0])
    arena.known[h, s] = 1.0 if solved else 0.0
    for a in range(row.size):
        arena.log_row[h, s, a] = work.log_policy[0, a] if solved else arena.row_log_reference[h, s, a]
        row[a] = math.exp(work.log_policy[0, a])
    for b in range(column.size):
        arena.log_column[h, s, b] = work.log_policy[1, b] if solved else arena.column_log_reference[h, s, b]
        column[b] = math.exp(work.log_policy[1, b])
    if not (solved or work.status[0] <= CERTIFIED):
        row[0] = column[0] = math.nan
        return math.nan
    return row_guarantee(arena, h, s, payoff, column)


@jit
def row_guarantee(arena, h, s, payoff, column):
    """max_p p' A q - KL(p) / eta + KL(q) / eta, what the row player's best response to q is worth.

    Leaves A q in `arena.row_score`.
    """
    for a in range(payoff.shape[0]):
        arena.row_score[a] = 0.0
        for b in range(payoff.shape[1]):
            arena.row_score[a] += payoff[a, b] * column[b]
    divergence = kl(column, arena.column_reference[h, s]) / arena.eta
    return log_partition(arena.row_reference[h, s], arena.row_score, arena.eta) + divergence


@jit
def column_guarantee(arena, h, s, payoff, row):
    """min_q p' A q - KL(p) / eta + KL(q) / eta, what the column player's best response to p is worth.

    Leaves -A' p in `arena.column_score`.
    """
    for b in range(payoff.shape[1]):
        arena.column_score[b] = 0.0
        for a in range(payoff.shape[0]):
            arena.column_score[b] -= payoff[a, b] * row[a]
    divergence = kl(row, arena.row_reference[h, s]) / arena.eta
    return -log_partition(arena.column_reference[h, s], arena.column_score, arena.eta) - divergence


@jit_apart
def row_response(arena, h, s, payoff, column, row):
    """Write the row player's best response to q (the lowest best action at eta = inf), and return its value."""
    value = row_guarantee(arena, h, s, payoff, column)
    gibbs(arena.row_reference[h, s], arena.row_score, arena.eta, row)
    return value


@jit_apart
def column_response(arena, h, s, payoff, row, column):
    """Write the column player's best response to p (the lowest best action at eta = inf), and return its value."""
    value = column_guarantee(arena, h, s, payoff, row)
    gibbs(arena.column_reference[h, s], arena.column_score, arena.eta, column)
    return value


@jit
def stage_equilibria(arena, h, q, row, column, value):
    """Write the equilibria (S, A), (S, B) of all states of a stage with action values (S, A, B), and their values."""
    for s in range(value.size):
        value[s] = equilibrium(arena, h, s, q[s], row[s], column[s])


def solve_stage(games: Arena, h: int, q: np.ndarray, row: np.ndarray, column: np.ndarray, value: np.ndarray) -> None:
    """As `stage_equilibria`.

    Raises
    ------
    RuntimeError
        In one line, where a game could not be solved.
    """
    stage_equilibria(games, h, q, row, column, value)
    unsolved = np.flatnonzero(np.isnan(row[:, 0]) | np.isnan(value))
    if unsolved.size:
        raise RuntimeError(f"equilibrium: none found in state {unsolved[0]} at stage {h}, eta = {games.eta:g}")
