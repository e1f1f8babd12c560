"""LinUCB, or OFUL: the largest optimistic prediction (Abbasi-Yadkori, Pal and Szepesvari 2011)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab import checks, confidence
from banditlab.contextual.linear_model import LinearModel, learn, linear_model, optimistic, point_mass
from banditlab.contextual.problem import Contextual


class LinUCB(NamedTuple):
    """State of LinUCB; build it with `lin_ucb`."""

    width: float  # scale times beta
    model: LinearModel
    score: np.ndarray  # (K,) workspace

    def policy(self, t, x, pi, rng):
        optimistic(self.model, x, self.width, self.score)
        point_mass(self.score, pi)

    def update(self, t, x, a, r):
        learn(self.model, x, a, r)


def lin_ucb(problem: Contextual, rounds: int, *, scale: float = 0.2, delta: float = 0.01, lam: float = 1.0) -> LinUCB:
    """LinUCB: the arm of largest upper confidence bound of linear rewards.

    The index of arm a in context s is that of `kl_lin_ucb`, phi' theta + scale beta sqrt(phi' Lambda^{-1} phi) with
    beta of `confidence.ellipsoid`; the lowest index wins ties. An unregularized rule: it plays point masses, also
    where the problem has finite eta, and its regret then is linear.

    Parameters
    ----------
    problem : Contextual
        Linear; at finite eta not under forward KL, nor ``alpha`` < 0, where a point mass has an infinite gap. Read
        are features, the noise's sigma and the radius.
    rounds : int
        T >= 1; enters beta.
    scale : float
        Factor >= 0 of the bonus: 1 is the theorem, 0.2 the practical default.
    delta : float
        Failure probability in (0, 1].
    lam : float
        Ridge regularization > 0.

    Returns
    -------
    LinUCB
        Fresh learner; a round costs O(S K d) where contexts are few, else O(K d^2).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, or a problem without features.

    References
    ----------
    Abbasi-Yadkori, Pal and Szepesvari 2011, NeurIPS, "Improved algorithms for linear stochastic bandits", Figure 1.
    """
    problem.require_features("lin_ucb")
    problem.require_point_masses("lin_ucb")
    rounds = checks.integer("rounds", rounds, 1)
    scale = checks.finite("scale", scale, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    lam = checks.finite("lam", lam, 0.0, closed=False)
    beta = confidence.ellipsoid(problem.parameter.size, rounds, lam, delta, problem.sigma, problem.radius)
    return LinUCB(
        width=float(scale * beta),
        model=linear_model(problem, lam),
        score=np.zeros(problem.mean.shape[1]),
    )
