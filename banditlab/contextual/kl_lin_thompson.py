"""Linear Thompson sampling with the Gibbs policy on the draw (Agrawal and Goyal 2013, arXiv:1209.3352)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.contextual.linear_model import LinearDraw, learn_draw, linear_draw, sampled
from banditlab.contextual.problem import Contextual
from banditlab.regularizer import gibbs


class KLLinThompson(NamedTuple):
    """State of KL-regularized linear Thompson sampling; build it with `kl_lin_thompson`."""

    eta: float  # inverse temperature
    reference: np.ndarray  # (S, K) pi_ref
    model: LinearDraw
    score: np.ndarray  # (K,) workspace

    def policy(self, t, x, pi, rng):
        sampled(self.model, t, x, rng, self.score)
        gibbs(self.reference[x], self.score, self.eta, pi)

    def update(self, t, x, a, r):
        learn_draw(self.model, x, a, r)


def kl_lin_thompson(problem: Contextual, rounds: int, *, scale: float = 1.0, lam: float = 1.0) -> KLLinThompson:
    """KL-regularized linear Thompson sampling: the Gibbs policy on rewards drawn from the posterior.

    A round draws one parameter from N(theta, (scale sigma)^2 Lambda^{-1}), with ridge estimate theta and
    Lambda = lam I + sum phi phi', and plays the Gibbs policy of its rewards in whatever context comes. What is scored
    is the policy committed to after the draw.

    Parameters
    ----------
    problem : Contextual
        Linear, with the regularizer KL. Read are features, reference, eta and the noise's sigma.
    rounds : int
        Unused: the rule is anytime.
    scale : float
        Standard deviation >= 0 of the draw in multiples of sigma: 1 is the posterior of Gaussian rewards under the
        prior N(0, sigma^2 / lam), 0 is `kl_lin_greedy`.
    lam : float
        Ridge regularization > 0.

    Returns
    -------
    KLLinThompson
        Fresh learner; a round costs O(d^2), and O(K d) for each context asked.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, a problem without features, or another regularizer than KL.

    Notes
    -----
    For Gaussian rewards the regret grows, to first order, (1 + scale^2) times as fast with log T as that of
    `kl_lin_greedy`. The Gibbs
    policy on the draw is reconstructed; the paper treats eta = inf, where its guarantee wants a scale of order
    sqrt(d log T).

    References
    ----------
    Agrawal and Goyal 2013, ICML, arXiv:1209.3352, Algorithm 1 (eta = inf).
    """
    problem.require_features("kl_lin_thompson")
    problem.require_regularizer("kl_lin_thompson", "kl")
    scale = checks.finite("scale", scale, 0.0)
    return KLLinThompson(
        eta=problem.eta,
        reference=problem.reference.copy(),
        model=linear_draw(problem, scale * problem.sigma, lam),
        score=np.zeros(problem.mean.shape[1]),
    )
