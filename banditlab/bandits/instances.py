"""Named instances of the bandit family: by noise model, textbook, random, and lower-bound constructions.

The reference policy is uniform unless an argument says otherwise. Random instances draw from
``np.random.default_rng(seed)``, so an instance is a function of its arguments.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.bandits.bounds import smooth_width
from banditlab.bandits.problem import Bandit, bandit


def bernoulli(mean: ArrayLike, eta: float, reference: ArrayLike | None = None) -> Bandit:
    """K arms with Bernoulli rewards.

    Parameters
    ----------
    mean : (K,) array_like
        Means in [0, 1], K >= 1.
    eta : float
        Inverse temperature in (0, inf].
    reference : (K,) array_like, optional
        Positive probabilities; uniform by default.

    Returns
    -------
    Bandit

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    return bandit(mean, eta=eta, reference=reference)


def gaussian(
    mean: ArrayLike,
    eta: float,
    sigma: float = 1.0,
    reference: ArrayLike | None = None,
    ceiling: float | None = None,
) -> Bandit:
    """K arms with Gaussian rewards of one standard deviation.

    Parameters
    ----------
    mean : (K,) array_like
        Finite means, K >= 1.
    eta : float
        Inverse temperature in (0, inf].
    sigma : float
        Standard deviation > 0.
    reference : (K,) array_like, optional
        Positive probabilities; uniform by default.
    ceiling : float, optional
        Known upper bound of the means, at which optimistic indices are clipped; ``max(1, max mean)`` by
        default.

    Returns
    -------
    Bandit

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    sigma = checks.finite("sigma", sigma, 0.0, closed=False)
    return bandit(mean, eta=eta, reference=reference, noise="gaussian", spread=sigma, ceiling=ceiling)


def beta(mean: ArrayLike, eta: float, concentration: float = 2.0, reference: ArrayLike | None = None) -> Bandit:
    """K arms with Beta rewards.

    An arm of mean r draws from Beta(c r, c (1 - r)), of variance r (1 - r) / (1 + c).

    Parameters
    ----------
    mean : (K,) array_like
        Means inside (0, 1), K >= 1.
    eta : float
        Inverse temperature in (0, inf].
    concentration : float
        c > 0; 2 makes the rewards of an arm of mean 1/2 uniform on [0, 1], and c -> 0 gives Bernoulli
        rewards.
    reference : (K,) array_like, optional
        Positive probabilities; uniform by default.

    Returns
    -------
    Bandit

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    concentration = checks.finite("concentration", concentration, 0.0, closed=False)
    return bandit(mean, eta=eta, reference=reference, noise="beta", spread=concentration)


def textbook(eta: float = 5.0) -> Bandit:
    """Five Bernoulli arms r = (.3, .45, .5, .55, .7): the instance on which the laws were measured.

    Parameters
    ----------
    eta : float
        Inverse temperature in (0, inf].

    Returns
    -------
    Bandit

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    return bernoulli([0.3, 0.45, 0.5, 0.55, 0.7], eta)


def classic(eta: float = math.inf) -> Bandit:
    """Five Bernoulli arms r = (.5, .4, .4, .3, .2), unregularized: a race of the classical index policies.

    Its Lai-Robbins constant is 13.92.

    Parameters
    ----------
    eta : float
        Inverse temperature in (0, inf].

    Returns
    -------
    Bandit

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    return bernoulli([0.5, 0.4, 0.4, 0.3, 0.2], eta)


def linear_means(K: int, eta: float, low: float = 0.1, high: float = 0.9) -> Bandit:
    """K Bernoulli arms with means evenly spread from low to high: the instance of the timings.

    Parameters
    ----------
    K : int
        Arms, at least 1 (then the mean is `low`).
    eta : float
        Inverse temperature in (0, inf].
    low, high : float
        In [0, 1].

    Returns
    -------
    Bandit

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    K = checks.integer("K", K, 1)
    low = checks.finite("low", low, 0.0, 1.0)
    high = checks.finite("high", high, low, 1.0)
    return bernoulli(np.linspace(low, high, K), eta)


def random(
    K: int, eta: float, seed: int, low: float = 0.0, high: float = 1.0, dirichlet: float | None = None
) -> Bandit:
    """K Bernoulli arms with independent uniform means.

    Parameters
    ----------
    K : int
        Arms, at least 1.
    eta : float
        Inverse temperature in (0, inf].
    seed : int
        Nonnegative.
    low, high : float
        Range of the means within [0, 1]; [.375, .625] keeps the variances within 1/16 of 1/4.
    dirichlet : float, optional
        Parameter > 0 of a symmetric Dirichlet law from which the reference is drawn, each entry then raised
        to at least 1e-9 and the whole normalised; by default the reference is uniform.

    Returns
    -------
    Bandit

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    K = checks.integer("K", K, 1)
    low = checks.finite("low", low, 0.0, 1.0)
    high = checks.finite("high", high, low, 1.0)
    rng = np.random.default_rng(checks.integer("seed", seed, 0))
    mean = rng.uniform(low, high, K)
    if dirichlet is None:
        return bernoulli(mean, eta)
    weight = np.maximum(rng.dirichlet(np.full(K, checks.finite("dirichlet", dirichlet, 0.0, closed=False))), 1e-9)
    return bernoulli(mean, eta, weight / weight.sum())


def hard_minimax(K: int, rounds: int, kappa: float = 1.0, *, eta: float) -> Bandit:
    """The minimax construction: all means 1/2 except the last arm's, 1/2 + min(kappa sqrt(K / T), 1/2).

    The gap shrinks with T, as it must for sqrt(K T) regret to show at large eta; take the largest regret over
    kappa in {1, 2, 4}. The good arm is the last, so that ties broken by the lowest index gain nothing.

    Parameters
    ----------
    K : int
        Arms, at least 1.
    rounds : int
        T >= 1.
    kappa : float
        Gap >= 0 in units of sqrt(K / T).
    eta : float
        Inverse temperature in (0, inf].

    Returns
    -------
    Bandit

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.

    References
    ----------
    Auer, Cesa-Bianchi, Freund and Schapire, SIAM J. Comput. 32 (2002), Theorem 5.1.
    """
    K = checks.integer("K", K, 1)
    rounds = checks.integer("rounds", rounds, 1)
    kappa = checks.finite("kappa", kappa, 0.0)
    mean = np.full(K, 0.5)
    mean[-1] += min(kappa * math.sqrt(K / rounds), 0.5)
    return bernoulli(mean, eta)


def hard_multiscale(K: int, rounds: int, eta: float, seed: int) -> Bandit:
    """A random scale and random signs: a stress test for learners tuned to one scale.

    r_a = 1/2 + w 2^{-J} eps_a with w = min(1/4, 1 / (2 eta)), eps_a = +-1 fair and independent, J uniform on
    {0, ..., floor(log2 sqrt(T / (K eta^2)))}, {0} where that is negative. Only one scale is critical at each
    round, so this prior is not a log T lower bound: see `hard_smooth`.

    Parameters
    ----------
    K : int
        Arms, at least 1.
    rounds : int
        T >= 1.
    eta : float
        Inverse temperature > 0, finite.
    seed : int
        Nonnegative.

    Returns
    -------
    Bandit

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    K = checks.integer("K", K, 1)
    rounds = checks.integer("rounds", rounds, 1)
    eta = checks.finite("eta", eta, 0.0, closed=False)
    rng = np.random.default_rng(checks.integer("seed", seed, 0))
    finest = max(math.floor(0.5 * math.log2(rounds / K) - math.log2(eta)), 0)
    scale = smooth_width(eta) * 0.5 ** rng.integers(finest + 1)
    return bernoulli(0.5 + scale * rng.choice([-1.0, 1.0], K), eta)


def hard_smooth(K: int, eta: float, seed: int, width: float | None = None) -> Bandit:
    """A draw from a smooth prior under which every algorithm has average regret Omega(eta K log T).

    r_a = 1/2 + theta_a with independent theta_a of density cos^2(pi theta / 2w) / w on [-w, w], drawn by
    inverting the distribution function 1/2 + theta / 2w + sin(pi theta / w) / 2 pi. `bounds.lower_bayes` is
    the theorem.

    Parameters
    ----------
    K : int
        Arms, at least 1.
    eta : float
        Inverse temperature > 0, finite.
    seed : int
        Nonnegative.
    width : float, optional
        w in (0, 1/2]; min(1/4, 1 / (2 eta)) by default.

    Returns
    -------
    Bandit

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    K = checks.integer("K", K, 1)
    eta = checks.finite("eta", eta, 0.0, closed=False)
    w = smooth_width(eta) if width is None else checks.finite("width", width, 0.0, 0.5, closed=False)
    u = np.random.default_rng(checks.integer("seed", seed, 0)).random(K)
    return bernoulli(0.5 + w * raised_cosine(u), eta)


def raised_cosine(u: np.ndarray) -> np.ndarray:
    """Inverse distribution function of the density cos^2(pi x / 2) on [-1, 1].

    Parameters
    ----------
    u : (n,) ndarray
        In [0, 1].

    Returns
    -------
    (n,) ndarray
        The solutions x of (1 + x) / 2 + sin(pi x) / 2 pi = u, by bisection to the last bit.
    """
    low, high = np.full(u.shape, -1.0), np.full(u.shape, 1.0)
    for _ in range(60):
        x = 0.5 * (low + high)
        below = 0.5 * (1.0 + x) + np.sin(np.pi * x) / (2.0 * np.pi) < u
        low, high = np.where(below, x, low), np.where(below, high, x)
    return 0.5 * (low + high)
