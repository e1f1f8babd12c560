"""Linear Thompson sampling (Agrawal and Goyal 2013, arXiv:1209.3352)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.contextual.linear_model import LinearDraw, learn_draw, linear_draw, point_mass, sampled
from banditlab.contextual.problem import Contextual


class LinThompson(NamedTuple):
    """State of linear Thompson sampling; build it with `lin_thompson`."""

    model: LinearDraw
    score: np.ndarray  # (K,) workspace

    def policy(self, t, x, pi, rng):
        sampled(self.model, t, x, rng, self.score)
        point_mass(self.score, pi)

    def update(self, t, x, a, r):
        learn_draw(self.model, x, a, r)


def lin_thompson(problem: Contextual, rounds: int, *, scale: float = 1.0, lam: float = 1.0) -> LinThompson:
    """Linear Thompson sampling: the best arm under a parameter drawn from the posterior.

    A round draws one parameter from N(theta, (scale sigma)^2 Lambda^{-1}), with ridge estimate theta and
    Lambda = lam I + sum phi phi'; the lowest index wins ties. An unregularized rule: it plays point masses, also
    where the problem has finite eta, and its regret then is linear.

    Parameters
    ----------
    problem : Contextual
        Linear; at finite eta not under forward KL, nor ``alpha`` < 0, where a point mass has an infinite gap. Read
        are features and the noise's sigma.
    rounds : int
        Unused: the rule is anytime.
    scale : float
        Standard deviation >= 0 of the draw in multiples of sigma: 1 is the posterior of Gaussian rewards under the
        prior N(0, sigma^2 / lam), 0 is greedy.
    lam : float
        Ridge regularization > 0.

    Returns
    -------
    LinThompson
        Fresh learner; a round costs O(d^2), and O(K d) for each context asked.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, or a problem without features.

    Notes
    -----
    The paper's guarantee wants a scale of order sqrt(d log T); the posterior itself does better in practice.

    References
    ----------
    Agrawal and Goyal 2013, ICML, arXiv:1209.3352, Algorithm 1.
    """
    problem.require_features("lin_thompson")
    problem.require_point_masses("lin_thompson")
    scale = checks.finite("scale", scale, 0.0)
    return LinThompson(
        model=linear_draw(problem, scale * problem.sigma, lam),
        score=np.zeros(problem.mean.shape[1]),
    )
