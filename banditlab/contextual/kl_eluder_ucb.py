"""KL-UCB over a finite class of reward tables, by its version space (Zhao et al. 2025, arXiv:2502.07460)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.contextual.finite_class import finite_class
from banditlab.contextual.problem import Contextual
from banditlab.regularizer import gibbs


class KLEluderUCB(NamedTuple):
    """State of KL-UCB over a finite class; build it with `kl_eluder_ucb`."""

    eta: float  # inverse temperature
    slack: float  # excess of loss up to which a model stays in the version space
    reference: np.ndarray  # (S, K) pi_ref
    models: np.ndarray  # (S, K, M) f_i, models last, over which the loops run
    loss: np.ndarray  # (M,) running sums of squared errors
    inside: np.ndarray  # (M,) 1 for a model of the version space, else 0
    upper: np.ndarray  # (S, K) largest reward over the version space
    version: np.ndarray  # (1,) how often the version space has changed
    current: np.ndarray  # (S,) the version for which a row of `upper` was computed

    def policy(self, t, x, pi, rng):
        if self.current[x] != self.version[0]:
            self.current[x] = self.version[0]
            for a in range(pi.size):
                top = -math.inf
                for i in range(self.inside.size):
                    if self.inside[i] > 0.0:
                        top = max(top, self.models[x, a, i])
                self.upper[x, a] = top
        gibbs(self.reference[x], self.upper[x], self.eta, pi)

    def update(self, t, x, a, r):
        least = math.inf
        for i in range(self.loss.size):
            error = r - self.models[x, a, i]
            self.loss[i] += error * error
            least = min(least, self.loss[i])
        changes = 0.0
        for i in range(self.loss.size):
            inside = 1.0 if self.loss[i] - least <= self.slack else 0.0
            changes += abs(inside - self.inside[i])
            self.inside[i] = inside
        if changes > 0.0:
            self.version[0] += 1.0


def kl_eluder_ucb(
    problem: Contextual, rounds: int, *, models: ArrayLike | None = None, scale: float = 1.0, delta: float = 0.01
) -> KLEluderUCB:
    """KL-regularized UCB over a finite class: the Gibbs policy on the largest rewards that the data allow.

    The version space keeps the tables f_i whose sum of squared errors exceeds the least one by at most scale beta^2,
    beta^2 = 2 sigma^2 log(M / delta); the index of an arm in a context is its largest reward over the version space.

    Parameters
    ----------
    problem : Contextual
        With the regularizer KL. Read are reference, eta, the noise's sigma and, for the default class, floor and
        ceiling.
    rounds : int
        Unused: the version space is valid for all rounds at once.
    models : (M, S, K) array_like, optional
        Tables of mean rewards, M >= 1. By default 256, drawn once and for all uniformly between floor and ceiling.
    scale : float
        Factor >= 0 of beta^2: 1 is the theorem.
    delta : float
        Failure probability in (0, 1]: if the class holds the truth, so does the version space of every round, except
        with probability delta.

    Returns
    -------
    KLEluderUCB
        Fresh learner; a round costs O(M), and O(M K) for a context met for the first time since the version space
        changed.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, models of the wrong shape, or another regularizer than KL.

    Notes
    -----
    Reconstructed: the paper's bonus over a general class is replaced by the version space, and its constant by that
    of Ville's inequality. The default class is built without knowing the instance, so that the regret ends up linear
    in T; with the truth in a finite class it ends up constant. Sets need not be nested: a model may come back.

    References
    ----------
    Zhao, Ye, Xiong, Gu and Zhang, ICML 2025, arXiv:2502.07460. Russo and Van Roy 2013, NeurIPS, for version spaces
    and the eluder dimension.
    """
    problem.require_regularizer("kl_eluder_ucb", "kl")
    scale = checks.finite("scale", scale, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    tables = finite_class(problem, models).copy()
    M, S, _ = tables.shape
    return KLEluderUCB(
        eta=problem.eta,
        slack=float(scale * 2.0 * problem.sigma * problem.sigma * math.log(M / delta)),
        reference=problem.reference.copy(),
        models=np.ascontiguousarray(tables.transpose(1, 2, 0)),
        loss=np.zeros(M),
        inside=np.ones(M),
        upper=tables.max(axis=0),
        version=np.zeros(1),
        current=np.zeros(S),
    )
