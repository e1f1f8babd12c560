"""Forward-KL-PCB: the forward-KL optimum of pessimistic rewards (Zhao et al. 2026, arXiv:2605.09214)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks, regularizer
from banditlab.contextual import bounds
from banditlab.contextual.dataset import Dataset, Fitted
from banditlab.contextual.problem import Contextual


def forward_kl_pcb(dataset: Dataset, *, scale: float = 0.5, delta: float = 0.05) -> Fitted:
    """Forward-KL-regularized pessimistic contextual bandit: the optimal policy of lower confidence bounds.

    The lower bounds are those of `kl_pcb`; the policy is pi_ref / (eta (nu - lower)), nu such that it sums to one.

    Parameters
    ----------
    dataset : Dataset
        Under the regularizer forward_kl.
    scale : float
        Factor >= 0 of the width: 1 is the theorem, 0.3 to 0.5 practical.
    delta : float
        Failure probability in (0, 1].

    Returns
    -------
    (S, K) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range or another regularizer than forward_kl.

    Notes
    -----
    Reconstructed for tables.

    References
    ----------
    Zhao, Ji, Zhao and Gu 2026, arXiv:2605.09214.
    """
    dataset.require_regularizer("forward_kl_pcb", "forward_kl")
    return dataset.optimal(dataset.lower(scale, delta))


def bound(problem: Contextual, samples: ArrayLike, *, scale: float = 0.5, delta: float = 0.05) -> np.ndarray:
    r"""High-probability suboptimality: sum_{s,a} rho pi* min{r - floor, (1 + scale) 2 sigma sqrt(L / (n rho mu))}.

    It holds with probability at least 1 - 2 delta, for each n where it is finite; L = log(2 S K / delta).

    Parameters
    ----------
    problem : Contextual
        With any behaviour policy: a pair that is never sampled costs r - floor.
    samples : (C,) array_like
        Sample sizes n >= 1.
    scale, delta : float
        As in `forward_kl_pcb`.

    Returns
    -------
    (C,) array
        NaN for scale < 1, whose lower bounds are too seldom lower bounds, and for n at which the counts are not known
        to be large enough.

    Notes
    -----
    With lower bounds below the truth a gap is at most E_{pi*}[r - lower], under every regularizer. A mean leaves its
    width b = sigma sqrt(2 L / N) with probability at most delta; a count N falls below n rho mu / 2 with probability
    at most exp(-n rho mu / 8), summed over the pairs at most delta, else the value is NaN. The certificate falls like
    n^{-1/2}: one of order 1/n is not known for this policy, though its mean suboptimality is (`law`).
    """
    scale = checks.finite("scale", scale, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    n = np.asarray(samples, dtype=np.float64)
    if scale < 1.0:
        return np.full(n.shape, math.nan)
    weight = problem.law[:, None] * problem.behaviour
    level = math.log(2.0 * weight.size / delta)
    with np.errstate(divide="ignore"):
        width = 2.0 * problem.sigma * np.sqrt(level / (n[:, None, None] * weight))
    loss = np.minimum(problem.mean - problem.floor, (1.0 + scale) * width)
    few = np.exp(-0.125 * n[:, None] * weight[weight > 0.0]).sum(axis=1)
    return np.where(few <= delta, np.einsum("s,sa,csa->c", problem.law, problem.optimal, loss), math.nan)


def law(problem: Contextual, samples: ArrayLike, *, scale: float = 0.5, delta: float = 0.05) -> np.ndarray:
    r"""Mean suboptimality to first order in 1/n: that of the plug-in policy and a bias.

        law_plug_in + (eta / n) scale^2 sigma^2 L sum_{s,a} q (c - sum_b q c / sum_b q)^2,

    q = pi*^2 / pi_ref, c = mu^{-1/2}, L = log(2 S K / delta).

    Parameters
    ----------
    problem : Contextual
    samples : (C,) array_like
        Sample sizes n >= 1.
    scale, delta : float
        As in `forward_kl_pcb`.

    Returns
    -------
    (C,) array
        NaN under another regularizer, at eta = inf, where an arm is never sampled, and where a mean reward is at the
        floor, which clips its lower bounds for every n.

    Notes
    -----
    Derived as `bounds.law_kl_pcb`, with the Hessian eta (diag q - q q' / sum q) of forward KL.
    """
    scale = checks.finite("scale", scale, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    n = np.asarray(samples, dtype=np.float64)
    applies = problem.regularizer == regularizer.FORWARD_KL and problem.eta < math.inf
    if not applies or not (problem.behaviour > 0.0).all() or (problem.mean <= problem.floor).any():
        return np.full(n.shape, math.nan)
    q, c = problem.optimal**2 / problem.reference, 1.0 / np.sqrt(problem.behaviour)
    centred = c - (q * c).sum(axis=1, keepdims=True) / q.sum(axis=1, keepdims=True)
    level = math.log(2.0 * q.size / delta)
    bias = problem.eta * (scale * problem.sigma) ** 2 * level * math.fsum((q * centred * centred).ravel())
    return bounds.law_plug_in(problem, n) + bias / n


forward_kl_pcb.bound = bound  # type: ignore[attr-defined]
forward_kl_pcb.law = law  # type: ignore[attr-defined]
