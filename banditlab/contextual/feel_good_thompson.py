"""Feel-good Thompson sampling over a finite class of reward tables (Zhang 2022, arXiv:2110.00871)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.contextual.finite_class import finite_class
from banditlab.contextual.problem import Contextual
from banditlab.regularizer import gibbs, log_partition
from banditlab.rng import categorical_from_logs


class ContextualFeelGoodThompson(NamedTuple):
    """State of feel-good Thompson sampling; build it with `feel_good_thompson`."""

    eta: float  # inverse temperature
    precision: float  # 1 / (2 s2)
    reference: np.ndarray  # (S, K) pi_ref
    models: np.ndarray  # (M, S, K) reward tables r_i
    feel_good: np.ndarray  # (M, S) lam_fg times the optimal value of each model in each context
    log_weight: np.ndarray  # (M,) log posterior, up to a constant
    weight: np.ndarray  # (M,) workspace
    chosen: np.ndarray  # (1,) the model drawn last
    last: np.ndarray  # (1,) the round in which it was drawn

    def policy(self, t, x, pi, rng):
        if self.last[0] != t:
            self.last[0] = t
            self.chosen[0] = categorical_from_logs(rng, self.log_weight, self.weight)
        gibbs(self.reference[x], self.models[self.chosen[0], x], self.eta, pi)

    def update(self, t, x, a, r):
        for i in range(self.log_weight.size):
            error = r - self.models[i, x, a]
            self.log_weight[i] += self.feel_good[i, x] - self.precision * error * error


def feel_good_thompson(
    problem: Contextual,
    rounds: int,
    *,
    models: ArrayLike | None = None,
    s2: float = 0.25,
    lam_fg: float = 0.1,
) -> ContextualFeelGoodThompson:
    """Feel-good Thompson sampling: the Gibbs policy of a reward table drawn from an optimistic posterior.

    Table r_i has weight exp(-sum_s (y_s - r_i(x_s, a_s))^2 / (2 s2) + lam_fg sum_s V_i(x_s)) after contexts x_s, arms
    a_s and rewards y_s, where V_i(x) is its optimal (regularized) value at x: a posterior under a uniform prior,
    tilted towards models in which much can be gained. A round draws one table for all contexts.

    Parameters
    ----------
    problem : Contextual
        With the regularizer KL. Read are reference, eta and, for the default class, floor and ceiling.
    rounds : int
        Unused: the rule is anytime.
    models : (M, S, K) array_like, optional
        Tables of mean rewards, M >= 1. By default 256, drawn once and for all uniformly between floor and ceiling.
    s2 : float
        Variance > 0 of one observation in the likelihood.
    lam_fg : float
        Weight >= 0 of the feel-good term; 0 is Thompson sampling.

    Returns
    -------
    ContextualFeelGoodThompson
        Fresh learner; a round costs O(M), and O(K) for each context asked.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, models of the wrong shape, or another regularizer than KL.

    Notes
    -----
    The guarantee assumes that the class contains the instance. The default class is built without knowing it, so
    that the regret ends up linear in T, at the gap of the model that the posterior settles on. A fixed lam_fg is
    harmless at moderate eta; `banditlab.bandits.feel_good_thompson` says why it is not at eta = inf.

    References
    ----------
    Zhang 2022, "Feel-good Thompson sampling", SIAM J. Math. Data Science 4, arXiv:2110.00871.
    """
    problem.require_regularizer("feel_good_thompson", "kl")
    s2 = checks.finite("s2", s2, 0.0, closed=False)
    lam_fg = checks.finite("lam_fg", lam_fg, 0.0)
    tables = finite_class(problem, models).copy()
    M, S, _ = tables.shape
    feel_good = np.zeros((M, S))
    for i in range(M):
        for s in range(S):
            feel_good[i, s] = lam_fg * log_partition(problem.reference[s], tables[i, s], problem.eta)
    return ContextualFeelGoodThompson(
        eta=problem.eta,
        precision=0.5 / s2,
        reference=problem.reference.copy(),
        models=tables,
        feel_good=feel_good,
        log_weight=np.zeros(M),
        weight=np.zeros(M),
        chosen=np.zeros(1, np.int64),
        last=np.zeros(1),
    )
