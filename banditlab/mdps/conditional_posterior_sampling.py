"""Conditional posterior sampling in linear MDPs (Dann, Mohri, Zhang and Zimmert 2021, arXiv:2208.10904)."""

from __future__ import annotations

import math

import numpy as np

from banditlab import checks
from banditlab.mdps.problem import MDP
from banditlab.mdps.sampled_lsvi import RLSVI, sampled


def conditional_posterior_sampling(
    problem: MDP,
    rounds: int,
    *,
    precision: float = 5.0,
    prior: float = 3.0,
    optimism: float = 1.0,
    candidates: int = 16,
) -> RLSVI:
    """Posterior sampling with the conditional posterior of every stage given the next, and an optimistic prior.

    The posterior of action values f with prior p is proportional to

        p(f) exp(optimism V_0) prod_h exp(-precision sum L(f_h, f_{h+1})) / E_{g ~ p} exp(-precision sum L(g, f_{h+1})),

    L the squared Bellman residual. With f_h = phi' w_h and a prior N(0, prior^2 I), the conditional of w_h given
    w_{h+1} is N(w_h(V_{h+1}), Lambda^{-1} / (2 precision)) with lam = 1 / (2 precision prior^2). So samples are drawn
    backwards, and one of them is taken with weight exp(optimism V_0).

    Parameters
    ----------
    problem : MDP
        Linear, or tabular: then every pair (s, a) is a feature. At finite eta the policy is the regularized one.
    rounds : int
        Unused: the rule is anytime.
    precision : float
        Weight > 0 of a squared residual.
    prior : float
        Standard deviation > 0 of a parameter.
    optimism : float
        Weight >= 0 of the value of the first state.
    candidates : int
        Samples >= 1 of which one is taken (sampling and resampling: exact as their number grows).

    Returns
    -------
    RLSVI
        Fresh learner; an episode costs O(candidates H (S A d + d S + d^3)).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    Reconstructed; the reduction to backward Gaussian sampling is derived for this package. Action values are not
    clipped.

    References
    ----------
    Dann, Mohri, Zhang and Zimmert 2021, NeurIPS, arXiv:2208.10904.
    """
    precision = checks.finite("precision", precision, 0.0, closed=False)
    prior = checks.finite("prior", prior, 0.0, closed=False)
    optimism = checks.finite("optimism", optimism, 0.0)
    candidates = checks.integer("candidates", candidates, 1)
    spread = np.full(problem.horizon, math.sqrt(0.5 / precision))
    lam = 0.5 / (precision * prior * prior)
    return sampled(problem, spread, lam, clipped=False, candidates=candidates, optimism=optimism)
