"""Named instances of the contextual family: hard families of offline learning, sweeps of coverage, random ones.

A learner's data come from the reference policy unless a function says otherwise. Random instances draw from
``np.random.default_rng(seed)``, so an instance is a function of its arguments.
"""

from __future__ import annotations

import math

import numpy as np

from banditlab import checks
from banditlab.contextual.problem import Contextual, linear, tabular


def hard_offline(
    contexts: int = 4, coverage: float = 4.0, *, eta: float = 5.0, gap: float = 0.0, seed: int = 0
) -> Contextual:
    """Two arms a context, balanced by the optimum, the better one rare in the data: the offline lower bound.

    S equally likely contexts; pi_ref = mu = (1 - 1/C, 1/C); Bernoulli rewards of means 1/2 - h/2 and 1/2 + h/2 + e_s d
    with h = log(C - 1) / eta, d = `gap` and a fair sign e_s = +-1 a context. At d = 0 the optimum is (1/2, 1/2) and
    its concentrability C / 2: errors of the rare arm cost most, and learning the signs costs eta S C / n.

    Parameters
    ----------
    contexts : int
        S >= 1.
    coverage : float
        C >= 2; the rare arm has mass 1/C.
    eta : float
        Inverse temperature in (0, inf], at least log(C - 1) as h <= 1.
    gap : float
        d in [0, 1/2 - h/2].
    seed : int
        Nonnegative; determines the signs.

    Returns
    -------
    Contextual

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.

    Notes
    -----
    Reconstructed. It is hard for the bound `bounds.le_cam`; the slow rate n^{-1/2} at large eta needs a gap that falls
    with n (`hard_offline_minimax`).

    References
    ----------
    Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026, arXiv:2502.06051, and Ji, Di, Zhao, Zhao and Gu 2026, arXiv:2605.02141,
    for the rates that it shows.
    """
    S, C, eta, h = hard_size(contexts, coverage, eta)
    gap = checks.finite("gap", gap, 0.0)
    if gap > 0.5 - 0.5 * h:
        raise ValueError(f"gap: {gap:g} is not allowed, must be at most 1/2 - log(C - 1) / (2 eta) = {0.5 - 0.5 * h:g}")
    sign = np.random.default_rng(checks.integer("seed", seed, 0)).choice([-1.0, 1.0], S)
    mean = np.column_stack([np.full(S, 0.5 - 0.5 * h), 0.5 + 0.5 * h + gap * sign])
    return tabular(mean, eta=eta, reference=[1.0 - 1.0 / C, 1.0 / C])


def hard_offline_minimax(
    samples: int, contexts: int = 8, coverage: float = 4.0, *, eta: float, kappa: float = 1.0, seed: int = 0
) -> Contextual:
    """The member of `hard_offline` whose gap is kappa sqrt(S C / n): the slow regime of offline learning.

    The gap shrinks with n, as it must for n^{-1/2} to show at large eta; take the largest suboptimality over kappa in
    {1/4, 1/2, 1, 2}. Where the means would leave [0, 1] the gap is the largest allowed.

    Parameters
    ----------
    samples : int
        n >= 1, the sample size for which it is hard.
    contexts, coverage, eta, seed
        As in `hard_offline`.
    kappa : float
        Gap >= 0 in units of sqrt(S C / n).

    Returns
    -------
    Contextual

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.

    Notes
    -----
    Reconstructed. It is hard for the bound `bounds.le_cam` in both regimes.

    References
    ----------
    Ji, Di, Zhao, Zhao and Gu 2026, arXiv:2605.02141.
    """
    n = checks.integer("samples", samples, 1)
    kappa = checks.finite("kappa", kappa, 0.0)
    S, C, eta, h = hard_size(contexts, coverage, eta)
    gap = min(kappa * math.sqrt(S * C / n), 0.5 - 0.5 * h)
    return hard_offline(S, C, eta=eta, gap=gap, seed=seed)


def hard_size(contexts: int, coverage: float, eta: float) -> tuple[int, float, float, float]:
    """S, C and eta of `hard_offline` after checking them, and h = log(C - 1) / eta."""
    S = checks.integer("contexts", contexts, 1)
    C = checks.finite("coverage", coverage, 2.0)
    eta = checks.number("eta", eta, 0.0, closed=False)
    h = math.log(C - 1.0) / eta
    if h > 1.0:
        raise ValueError(f"eta: {eta:g} is not allowed, must be at least log(coverage - 1) = {math.log(C - 1.0):g}")
    return S, C, eta, h


def rare_junk(samples: int = 1024, *, eta: float = 10.0) -> Contextual:
    """One good arm and n/4 bad ones that are each seen about twice: why pessimism is needed.

    One context; the good arm has reference mass 1/2 and mean .8, the floor(n/4) others share the other half and have
    mean .2. After n samples some bad arms look perfect, so the plug-in policy does not improve with n, while pessimism
    knows what it has not seen. Hard for the plug-in policy under KL; no bound here covers that policy.

    Parameters
    ----------
    samples : int
        n >= 4, the sample size for which it is hard.
    eta : float
        Inverse temperature in (0, inf].

    Returns
    -------
    Contextual

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.

    Notes
    -----
    Reconstructed.

    References
    ----------
    Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026, arXiv:2502.06051.
    """
    junk = checks.integer("samples", samples, 4) // 4
    return tabular([0.8] + [0.2] * junk, eta=eta, reference=[0.5] + [0.5 / junk] * junk)


def coverage_sweep(
    coverage: float = 16.0, *, eta: float = 6.0, regularizer: str = "kl", alpha: float | None = None
) -> Contextual:
    """One context, a rare good arm of mass 1/C: what coverage costs under KL and not under a strongly convex f.

    pi_ref = mu = (1 - 1/C, 1/C) and means .3 and .3 + min(1/2, log(C - 1) / eta), so that under KL the optimum gives
    the rare arm mass 1/2 as long as the gap allows. There n times the suboptimality of the plug-in policy grows with C
    under KL, as the bound of `kl_pcb` does, and stays below eta / 4 under ``chi2`` and ``kl_chi2`` (`bounds.f_pcb`).

    Parameters
    ----------
    coverage : float
        C >= 2.
    eta : float
        Inverse temperature in (0, inf].
    regularizer, alpha
        As in `tabular`.

    Returns
    -------
    Contextual

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.

    Notes
    -----
    Reconstructed.

    References
    ----------
    Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026, arXiv:2502.06051.
    """
    C = checks.finite("coverage", coverage, 2.0)
    eta = checks.number("eta", eta, 0.0, closed=False)
    rare = 0.3 + min(0.5, math.log(C - 1.0) / eta)
    return tabular([0.3, rare], eta=eta, reference=[1.0 - 1.0 / C, 1.0 / C], regularizer=regularizer, alpha=alpha)


def forward_kl_example(*, eta: float = 5.0) -> Contextual:
    """Three arms under forward KL, r = (.3, .5, .7) and pi_ref = (.5, .3, .2): offline rates 1/n.

    At eta = 5 the law `bounds.law_plug_in` is .977 / n. The rate of forward KL is slow only as eta grows; no bound of
    the second order is known here for its pessimistic form, only that of the first (`bounds.certificate`).

    Parameters
    ----------
    eta : float
        Inverse temperature in (0, inf].

    Returns
    -------
    Contextual

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.

    References
    ----------
    Zhao, Ji, Zhao and Gu 2026, arXiv:2605.09214, for the rate.
    """
    return tabular([0.3, 0.5, 0.7], eta=eta, reference=[0.5, 0.3, 0.2], regularizer="forward_kl")


def random_tabular(
    contexts: int = 4,
    arms: int = 5,
    *,
    eta: float = 5.0,
    seed: int = 0,
    regularizer: str = "kl",
    alpha: float | None = None,
    dirichlet: float | None = None,
) -> Contextual:
    """Bernoulli rewards with independent uniform means; hard for no bound: what a typical table looks like.

    Parameters
    ----------
    contexts, arms : int
        S, K >= 1; contexts are equally likely.
    eta : float
        Inverse temperature in (0, inf].
    seed : int
        Nonnegative.
    regularizer, alpha
        As in `tabular`.
    dirichlet : float, optional
        Parameter > 0 of a symmetric Dirichlet law from which the reference of each context is drawn, each entry then
        raised to at least 1e-9 and the whole normalised; by default the reference is uniform. Small values leave arms
        nearly uncovered.

    Returns
    -------
    Contextual

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    S, K = checks.integer("contexts", contexts, 1), checks.integer("arms", arms, 1)
    rng = np.random.default_rng(checks.integer("seed", seed, 0))
    mean = rng.random((S, K))
    reference = None
    if dirichlet is not None:
        concentration = checks.finite("dirichlet", dirichlet, 0.0, closed=False)
        weight = np.maximum(rng.dirichlet(np.full(K, concentration), S), 1e-9)
        reference = weight / weight.sum(axis=1, keepdims=True)
    return tabular(mean, eta=eta, reference=reference, regularizer=regularizer, alpha=alpha)


def random_linear(
    contexts: int = 6,
    arms: int = 10,
    dim: int = 4,
    *,
    eta: float = 4.0,
    norm: float = 2.0,
    spread: float = 0.3,
    seed: int = 0,
    measure: str = "average",
) -> Contextual:
    """Gaussian rewards linear in random unit features: the instance of the laws of `kl_lin_ucb` and `kl_lin_greedy`.

    Features and the direction of theta* are independent and uniform on the sphere. Hard for no bound; the law
    `bounds.law_kl_lin_greedy` grows with the dimension.

    Parameters
    ----------
    contexts, arms, dim : int
        S, K, d >= 1; contexts are equally likely.
    eta : float
        Inverse temperature in (0, inf].
    norm : float
        Norm >= 0 of theta*.
    spread : float
        Standard deviation > 0 of a reward.
    seed : int
        Nonnegative.
    measure : {"average", "realised"}
        As in `linear`.

    Returns
    -------
    Contextual

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    S, K, d = (checks.integer(*size, 1) for size in (("contexts", contexts), ("arms", arms), ("dim", dim)))
    norm = checks.finite("norm", norm, 0.0)
    rng = np.random.default_rng(checks.integer("seed", seed, 0))
    phi = rng.standard_normal((S, K, d))
    phi /= np.sqrt((phi * phi).sum(axis=-1, keepdims=True))
    theta = rng.standard_normal(d)
    theta *= norm / math.sqrt(theta @ theta)
    spread = checks.finite("spread", spread, 0.0, closed=False)
    return linear(phi, theta, eta=eta, spread=spread, measure=measure)
