"""Greedy least-squares value iteration: certainty equivalence, without exploration."""

from __future__ import annotations

from banditlab.mdps.lsvi import LSVI, optimistic
from banditlab.mdps.problem import MDP


def greedy(problem: MDP, rounds: int, *, lam: float = 0.1) -> LSVI:
    """The optimal policy of estimated action values, without a bonus: a baseline that may never find out.

    Parameters
    ----------
    problem : MDP
        Linear, or tabular: then every pair (s, a) is a feature. At finite eta the policy is the regularized one.
    rounds : int
        Unused: the rule is anytime.
    lam : float
        Ridge >= 1e-6.

    Returns
    -------
    LSVI
        Fresh learner; an episode costs O(H (S A d + d S + d^2)).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    References
    ----------
    Jin, Yang, Wang and Jordan 2020, COLT, arXiv:1907.05388, without the bonus.
    """
    return optimistic(problem, problem.eta, 0.0, lam, 1.0)
