"""Greedy Gibbs policy on linear rewards (Wu, Shi, Yang and Shen 2025, arXiv:2510.24700, for linear rewards)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab.contextual.linear_model import pick, project
from banditlab.contextual.problem import Contextual
from banditlab.regression import Ridge, observe, ridge
from banditlab.regularizer import gibbs


class KLLinGreedy(NamedTuple):
    """State of the linear greedy policy; build it with `kl_lin_greedy`."""

    eta: float  # inverse temperature
    reference: np.ndarray  # (S, K) pi_ref
    columns: np.ndarray  # (S, d, K) phi, arms last
    ridge: Ridge
    pair: np.ndarray  # (d,) workspace: phi of the pair observed
    score: np.ndarray  # (K,) workspace

    def policy(self, t, x, pi, rng):
        project(self.columns[x], self.ridge.estimate, self.score)
        gibbs(self.reference[x], self.score, self.eta, pi)

    def update(self, t, x, a, r):
        pick(self.columns[x], a, self.pair)
        observe(self.ridge, self.pair, r)


def kl_lin_greedy(problem: Contextual, rounds: int, *, lam: float = 1.0) -> KLLinGreedy:
    """Greedy Gibbs policy on ridge predictions, without bonus.

    Parameters
    ----------
    problem : Contextual
        Linear, with the regularizer KL. Read are features, reference and eta.
    rounds : int
        Unused: the rule is anytime.
    lam : float
        Ridge regularization > 0.

    Returns
    -------
    KLLinGreedy
        Fresh learner; a round costs O(d^2), and O(K d) for each context asked.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, a problem without features, or another regularizer than KL.

    Notes
    -----
    For Gaussian rewards of standard deviation sigma the regret grows, to first order, by (eta / 2) sigma^2 tr(H M^{-1})
    for each unit of log T (`bounds.law_kl_lin_greedy` holds for unequal variances too), M the average of
    phi phi' and H that of its covariances within contexts, both under pi*. At eta = inf it is the argmax of the
    estimates, which may settle on a wrong arm for ever.

    References
    ----------
    Wu, Shi, Yang and Shen, NeurIPS 2025, arXiv:2510.24700, for greedy sampling; linear rewards are reconstructed.
    """
    problem.require_features("kl_lin_greedy")
    problem.require_regularizer("kl_lin_greedy", "kl")
    return KLLinGreedy(
        eta=problem.eta,
        reference=problem.reference.copy(),
        columns=np.ascontiguousarray(problem.features.transpose(0, 2, 1)),
        ridge=ridge(problem.parameter.size, lam),
        pair=np.zeros(problem.parameter.size),
        score=np.zeros(problem.mean.shape[1]),
    )
