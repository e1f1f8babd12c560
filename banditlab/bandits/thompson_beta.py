"""Thompson sampling with Beta posteriors (Thompson 1933; Agrawal and Goyal 2012, arXiv:1111.1797)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab.bandits.loop import point_mass
from banditlab.bandits.problem import Bandit
from banditlab.jit import jit
from banditlab.protocol import GAUSSIAN
from banditlab.rng import normal, uniform

_HIT, _HIT_ROOT, _MISS, _MISS_ROOT = 0, 1, 2, 3
"""Columns of the posterior: shape - 1/3 of each of the two gamma variables and 1 / sqrt(9 (shape - 1/3))."""


@jit
def _gamma(state, d, c):
    """The draw of `rng.gamma` at shape d + 1/3 >= 1, c = 1 / sqrt(9 d), after the same test with a closer squeeze.

    A proposal d (1 + w)^3, w = c x, is accepted with probability e^{d g(w)}, g(w) = -int_0^w 3 s^3 / (1 + s) ds:
    at least 1 - 3 d w^4 / 2 where w >= -1/2, so that the logarithms are hardly ever needed once d is large.
    """
    while True:
        x = normal(state)
        w = c * x
        v = 1.0 + w
        if v <= 0.0:
            continue
        w2 = w * w
        u = 1.0 - uniform(state)
        near = w >= -0.5 and u < 1.0 - 1.5 * d * w2 * w2
        v = v * v * v
        if near or math.log(u) < 0.5 * x * x + d * (1.0 - v + math.log(v)):
            return d * v


class ThompsonBeta(NamedTuple):
    """State of Thompson sampling; build it with `thompson_beta`."""

    posterior: np.ndarray  # (K, 4) columns above of Beta(1 + summed rewards, 1 + pulls - summed rewards)
    last: np.ndarray  # (1,) the arm played last

    def policy(self, t, pi, rng):
        best = 0
        x_best = 0.0
        y_best = 1.0
        for a in range(pi.size):
            x = _gamma(rng, self.posterior[a, _HIT], self.posterior[a, _HIT_ROOT])
            y = _gamma(rng, self.posterior[a, _MISS], self.posterior[a, _MISS_ROOT])
            if x * y_best > x_best * y:  # x / (x + y) is largest where x / y is
                x_best = x
                y_best = y
                best = a
        point_mass(pi, self.last, t, best)

    def update(self, t, a, r):
        self.posterior[a, _HIT] += r
        self.posterior[a, _MISS] += 1.0 - r
        self.posterior[a, _HIT_ROOT] = 1.0 / math.sqrt(9.0 * self.posterior[a, _HIT])
        self.posterior[a, _MISS_ROOT] = 1.0 / math.sqrt(9.0 * self.posterior[a, _MISS])


def thompson_beta(problem: Bandit, rounds: int) -> ThompsonBeta:
    """Thompson sampling: the best arm of a draw from independent Beta posteriors with uniform priors.

    An unregularized rule: it plays point masses, also where the problem has finite eta. Scored is the point
    mass at the arm drawn, whose expectation over the posterior is the gap of posterior sampling.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms and rewards in [0, 1].
    rounds : int
        Unused: the rule is anytime.

    Returns
    -------
    ThompsonBeta
        Fresh learner.

    Raises
    ------
    ValueError
        In one line, for Gaussian rewards.

    Notes
    -----
    At eta = inf and for Bernoulli rewards, regret / log T tends to the Lai-Robbins constant (Kaufmann et al.
    2012). Rewards inside (0, 1) are added to the posterior as fractional successes, where Agrawal and Goyal
    round them at random to 0 or 1 (Algorithm 2): the posterior mean is the same and its spread no smaller
    than the data's.

    References
    ----------
    Thompson 1933, Biometrika 25.
    Agrawal and Goyal 2012, arXiv:1111.1797, Algorithm 1.
    Kaufmann, Korda and Munos 2012, ALT, arXiv:1205.4217.
    """
    if problem.noise == GAUSSIAN:
        raise ValueError("noise: gaussian is not allowed, thompson_beta needs rewards in [0, 1]")
    K = problem.mean.size
    d = 1.0 - 1.0 / 3.0  # uniform priors
    prior = np.tile([d, 1.0 / math.sqrt(9.0 * d), d, 1.0 / math.sqrt(9.0 * d)], (K, 1))
    return ThompsonBeta(prior, np.zeros(1, np.int64))
