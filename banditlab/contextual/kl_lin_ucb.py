"""KL-UCB with linear rewards: the Gibbs policy on optimistic predictions (Zhao et al. 2025, arXiv:2502.07460)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab import checks, confidence
from banditlab.contextual import bounds
from banditlab.contextual.linear_model import LinearModel, learn, linear_model, optimistic
from banditlab.contextual.problem import Contextual
from banditlab.regularizer import gibbs


class KLLinUCB(NamedTuple):
    """State of KL-regularized LinUCB; build it with `kl_lin_ucb`."""

    eta: float  # inverse temperature
    width: float  # scale times beta
    reference: np.ndarray  # (S, K) pi_ref
    model: LinearModel
    score: np.ndarray  # (K,) workspace

    def policy(self, t, x, pi, rng):
        optimistic(self.model, x, self.width, self.score)
        gibbs(self.reference[x], self.score, self.eta, pi)

    def update(self, t, x, a, r):
        learn(self.model, x, a, r)


def kl_lin_ucb(
    problem: Contextual, rounds: int, *, scale: float = 0.2, delta: float = 0.01, lam: float = 1.0
) -> KLLinUCB:
    """KL-regularized LinUCB: the Gibbs policy on upper confidence bounds of linear rewards.

    The index of arm a in context s is phi' theta + scale beta sqrt(phi' Lambda^{-1} phi) with ridge estimate theta,
    Lambda = lam I + sum phi phi', and beta of `confidence.ellipsoid`; at eta = inf the policy is the argmax.

    Parameters
    ----------
    problem : Contextual
        Linear, with the regularizer KL. Read are features, reference, eta, the noise's sigma and the radius.
    rounds : int
        T >= 1; enters beta.
    scale : float
        Factor >= 0 of the bonus: 1 is the theorem, 0.2 the practical default.
    delta : float
        Failure probability in (0, 1].
    lam : float
        Ridge regularization > 0; the theorem wants at least 1.

    Returns
    -------
    KLLinUCB

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, a problem without features, or another regularizer than KL.

    Notes
    -----
    Reconstructed for linear rewards; the paper treats general function classes and states no constants. At scale 1 the
    regret satisfies `bounds.kl_lin_ucb`. A round costs O(S K d) where contexts are few, else O(K d^2), whatever its
    number.

    References
    ----------
    Zhao, Ye, Xiong, Gu and Zhang, ICML 2025, arXiv:2502.07460. Abbasi-Yadkori, Pal and Szepesvari 2011, NeurIPS, for
    the confidence ellipsoid.
    """
    problem.require_features("kl_lin_ucb")
    problem.require_regularizer("kl_lin_ucb", "kl")
    rounds = checks.integer("rounds", rounds, 1)
    scale = checks.finite("scale", scale, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    lam = checks.finite("lam", lam, 0.0, closed=False)
    beta = confidence.ellipsoid(problem.parameter.size, rounds, lam, delta, problem.sigma, problem.radius)
    return KLLinUCB(
        eta=problem.eta,
        width=float(scale * beta),
        reference=problem.reference.copy(),
        model=linear_model(problem, lam),
        score=np.zeros(problem.mean.shape[1]),
    )


kl_lin_ucb.bound = bounds.kl_lin_ucb  # type: ignore[attr-defined]
