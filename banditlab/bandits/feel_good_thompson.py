"""Feel-good Thompson sampling over a finite class of reward models (Zhang 2022, arXiv:2110.00871)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.bandits.problem import Bandit
from banditlab.regularizer import gibbs, log_partition
from banditlab.rng import categorical_from_logs

_MODELS = 256  # size of the default class


class FeelGoodThompson(NamedTuple):
    """State of feel-good Thompson sampling; build it with `feel_good_thompson`."""

    precision: float  # 1 / (2 s2)
    models: np.ndarray  # (M, K) mean vectors r_i
    policies: np.ndarray  # (M, K) their Gibbs policies
    feel_good: np.ndarray  # (M,) lam_fg times the optimal value of each model
    log_weight: np.ndarray  # (M,) log posterior, up to a constant
    weight: np.ndarray  # (M,) workspace

    def policy(self, t, pi, rng):
        chosen = categorical_from_logs(rng, self.log_weight, self.weight)
        for a in range(pi.size):
            pi[a] = self.policies[chosen, a]

    def update(self, t, a, r):
        for i in range(self.log_weight.size):
            error = r - self.models[i, a]
            self.log_weight[i] += self.feel_good[i] - self.precision * error * error


def feel_good_thompson(
    problem: Bandit,
    rounds: int,
    *,
    models: ArrayLike | None = None,
    s2: float = 0.25,
    lam_fg: float = 0.1,
) -> FeelGoodThompson:
    """Feel-good Thompson sampling: the Gibbs policy of a reward model drawn from an optimistic posterior.

    Model r_i has weight exp(-sum_s (x_s - r_i(a_s))^2 / (2 s2) + lam_fg t V_i) after t rounds, V_i its
    optimal (regularized) value: a posterior under a uniform prior, tilted towards models in which much can be
    gained.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms; its reference, inverse temperature and ceiling are read.
    rounds : int
        Unused: the rule is anytime.
    models : (M, K) array_like, optional
        Mean vectors of the class, M >= 1. By default 256 vectors, drawn once and for all uniformly from the
        unit cube below the ceiling.
    s2 : float
        Variance > 0 of one observation in the likelihood.
    lam_fg : float
        Weight >= 0 of the feel-good term; 0 is Thompson sampling.

    Returns
    -------
    FeelGoodThompson
        Fresh learner; a round costs O(M + K).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range or of the wrong shape.

    Notes
    -----
    The guarantee assumes that the class contains the instance. The default class is built without knowing it,
    so that the regret ends up linear in T, at the gap of the model that the posterior settles on. The paper
    lets lam_fg fall like 1 / sqrt(T); a fixed one is harmless where every policy tries every arm (moderate
    eta), but at eta = inf it keeps models of high value alive that nothing played refutes, at a cost linear
    in T and of order lam_fg.

    References
    ----------
    Zhang 2022, "Feel-good Thompson sampling", SIAM J. Math. Data Science 4, arXiv:2110.00871.
    """
    K = problem.mean.size
    s2 = checks.finite("s2", s2, 0.0, closed=False)
    lam_fg = checks.finite("lam_fg", lam_fg, 0.0)
    if models is None:
        models = problem.ceiling - np.random.default_rng(0).random((_MODELS, K))
    try:
        table = np.array(models, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise TypeError(f"models: expected an (M, {K}) array of numbers, got {models!r}") from None
    if table.ndim != 2 or table.shape[0] < 1 or table.shape[1] != K:
        raise ValueError(f"models: expected shape (M, {K}) with M >= 1, got {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError("models: every mean must be finite")
    M = table.shape[0]
    policies = np.zeros((M, K))
    feel_good = np.zeros(M)
    for i in range(M):
        gibbs(problem.reference, table[i], problem.eta, policies[i])
        feel_good[i] = lam_fg * log_partition(problem.reference, table[i], problem.eta)
    return FeelGoodThompson(0.5 / s2, table, policies, feel_good, np.zeros(M), np.zeros(M))
