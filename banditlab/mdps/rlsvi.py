"""RLSVI: randomized least-squares value iteration (Osband, Van Roy and Wen 2016, arXiv:1402.0635)."""

from __future__ import annotations

import numpy as np

from banditlab import checks
from banditlab.mdps.problem import MDP
from banditlab.mdps.sampled_lsvi import RLSVI, sampled


def rlsvi(problem: MDP, rounds: int, *, sigma: float = 0.3, lam: float = 0.01) -> RLSVI:
    """RLSVI: least-squares value iteration with Gaussian noise in place of a bonus.

    At stage h, w_h ~ N(Lambda^{-1}(rho + M V_{h+1}), (sigma (H - h))^2 Lambda^{-1}), backwards, Q = phi' w_h clipped
    to [0, H - h]: as if every target had noise and so had the prior.

    Parameters
    ----------
    problem : MDP
        Linear, or tabular: then every pair (s, a) is a feature. At finite eta the policy is the regularized one.
    rounds : int
        Unused: the rule is anytime.
    sigma : float
        Noise >= 0 of a target, in units of the largest remaining return.
    lam : float
        Ridge >= 1e-6.

    Returns
    -------
    RLSVI
        Fresh learner; an episode costs O(H (S A d + d S + d^3)).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    Reconstructed, with clipping. Regret is of order sqrt(K) up to polynomial factors.

    References
    ----------
    Osband, Van Roy and Wen 2016, ICML, arXiv:1402.0635; Zanette, Brandfonbrener, Brunskill, Pirotta and Lazaric 2020,
    arXiv:1911.00567.
    """
    sigma = checks.finite("sigma", sigma, 0.0)
    return sampled(problem, sigma * np.arange(problem.horizon, 0, -1.0), lam, clipped=True)
