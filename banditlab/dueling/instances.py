"""Named instances of the dueling family: classical matrices, cycles, and Bradley-Terry problems of RLHF theory.

Random instances draw from ``np.random.default_rng(seed)``, so an instance is a function of its arguments.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.dueling.problem import Dueling, bradley_terry, preferences


def bt_linear(
    contexts: int = 5,
    arms: int = 8,
    dim: int = 4,
    norm: float = 2.0,
    *,
    seed: int = 0,
    eta: float = 5.0,
    regularizer: str = "kl",
    alpha: float | None = None,
) -> Dueling:
    """Bradley-Terry rewards linear in random unit features, under a random reference and law of contexts.

    Features and the direction of theta* are independent and uniform on the sphere, the reference of each context and
    the law are Dirichlet(2).

    Parameters
    ----------
    contexts, arms, dim : int
        X, K, d >= 1.
    norm : float
        Norm >= 0 of theta*, which is known.
    seed : int
        Nonnegative.
    eta, regularizer, alpha
        As in `bradley_terry`, eta finite.

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456, for the setting; the instance is this package's.
    """
    X, K, d = (checks.integer(*size, 1) for size in (("contexts", contexts), ("arms", arms), ("dim", dim)))
    norm = checks.finite("norm", norm, 0.0)
    rng = np.random.default_rng(checks.integer("seed", seed, 0))
    phi = rng.standard_normal((X, K, d))
    phi /= np.sqrt((phi * phi).sum(axis=-1, keepdims=True))
    theta = rng.standard_normal(d)
    theta *= norm / math.sqrt(theta @ theta)
    law, reference = rng.dirichlet(np.full(X, 2.0)), rng.dirichlet(np.full(K, 2.0), size=X)
    return bradley_terry(
        features=phi,
        parameter=theta,
        eta=eta,
        law=law,
        reference=reference,
        regularizer=regularizer,
        alpha=alpha,
        measure="kl",
    )


def bt_tabular(
    contexts: int = 5,
    arms: int = 8,
    *,
    seed: int = 0,
    eta: float = 5.0,
    regularizer: str = "kl",
    alpha: float | None = None,
) -> Dueling:
    """Bradley-Terry rewards without structure, uniform in [0, 1] and of known range 1, under a random reference.

    The reference of each context and the law of contexts are Dirichlet(2).

    Parameters
    ----------
    contexts, arms : int
        X, K >= 1.
    seed : int
        Nonnegative.
    eta, regularizer, alpha
        As in `bradley_terry`, eta finite.

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456, for the setting; the instance is this package's.
    """
    X, K = checks.integer("contexts", contexts, 1), checks.integer("arms", arms, 1)
    rng = np.random.default_rng(checks.integer("seed", seed, 0))
    law, reference = rng.dirichlet(np.full(X, 2.0)), rng.dirichlet(np.full(K, 2.0), size=X)
    return bradley_terry(
        rng.random((X, K)),
        eta=eta,
        span=1.0,
        law=law,
        reference=reference,
        regularizer=regularizer,
        alpha=alpha,
        measure="kl",
    )


def minimax_bt(samples: int = 1024, *, eta: float = 100.0) -> Dueling:
    """Four arms of which one is better by what n comparisons hardly show: 1/n at small eta, n^{-1/2} at large.

    Both arms of a comparison are uniform draws, so that of `samples` m, as many as a dataset is drawn with, n = 3 m / 4
    compare different arms, m / 8 = n / 6 each pair in expectation; the others tell nothing. The better arm has reward
    3 / sqrt(n), at most 1, the others 0. The gap shrinks with n, as it must for n^{-1/2} to show: in a sweep over
    `samples` every cell has an instance of its own. The slow regime begins at eta = sqrt(n) / 3.

    Parameters
    ----------
    samples : int
        m >= 1, the sample size for which it is hard.
    eta : float
        Inverse temperature in (0, inf).

    References
    ----------
    Zhao, Ye, Gu and Zhang 2025, NeurIPS, arXiv:2411.04625, for 1/n; the instance is this package's.
    """
    n = 0.75 * checks.integer("samples", samples, 1)
    return bradley_terry([min(3.0 / math.sqrt(n), 1.0), 0.0, 0.0, 0.0], eta=eta, span=1.0, measure="kl")


def bt_ladder(arms: int = 10, *, top: float = 1.5, eta: float = math.inf, measure: str | None = None) -> Dueling:
    """Bradley-Terry duels of arms with evenly spread rewards, the first the best.

    Parameters
    ----------
    arms : int
        K >= 2.
    top : float
        Reward > 0 of the first arm; the last has 0.
    eta, measure
        As in `bradley_terry`; by default unregularized, with the average regret against the Condorcet winner.

    References
    ----------
    Bradley and Terry 1952, Biometrika 39.
    """
    K = checks.integer("arms", arms, 2)
    top = checks.finite("top", top, 0.0, closed=False)
    default = "average" if math.isinf(checks.number("eta", eta, 0.0, closed=False)) else "kl"
    return bradley_terry(np.linspace(top, 0.0, K), eta=eta, measure=measure or default)


def condorcet_cycle(*, eta: float = math.inf, measure: str | None = None) -> Dueling:
    """Ten arms: the first beats all by .1, the other nine form a cycle, each beating the next four by .4.

    The first arm is the Condorcet, Copeland and Borda winner; below it preferences are intransitive.

    Parameters
    ----------
    eta, measure
        As in `preferences`.

    References
    ----------
    Zoghi, Whiteson, Munos and de Rijke 2014, ICML, arXiv:1312.3393, for Condorcet winners above cycles; the matrix is
    this package's.
    """
    P = np.full((10, 10), 0.5)
    P[0, 1:], P[1:, 0] = 0.6, 0.4
    for a in range(9):
        for step in range(1, 5):
            b = (a + step) % 9
            P[1 + a, 1 + b], P[1 + b, 1 + a] = 0.9, 0.1
    return preferences(P, eta=eta, measure=measure)


def borda_trap(arms: int = 10, *, eta: float = math.inf, measure: str | None = None) -> Dueling:
    """The Condorcet winner beats everyone barely, another arm beats all the rest clearly: Condorcet against Borda.

    P(0 beats a) = .51 for all a, P(1 beats a) = .95 for a >= 2, the rest even.

    Parameters
    ----------
    arms : int
        K >= 3.
    eta, measure
        As in `preferences`.

    References
    ----------
    Jamieson, Katariya, Deshpande and Nowak 2015, AISTATS, arXiv:1502.00133, for the Borda winner; the matrix is this
    package's.
    """
    K = checks.integer("arms", arms, 3)
    P = np.full((K, K), 0.5)
    P[1, 2:], P[2:, 1] = 0.95, 0.05
    P[0, 1:], P[1:, 0] = 0.51, 0.49
    return preferences(P, eta=eta, measure=measure)


def rps(
    cycle: int = 3,
    gap: float = 0.4,
    extra: int = 0,
    *,
    eta: float = 2.0,
    reference: ArrayLike | None = None,
    measure: str | None = None,
) -> Dueling:
    """An odd cycle, rock-paper-scissors for three arms, above arms that lose to all of it: no Condorcet winner.

    In the cycle an arm beats the next (k - 1) / 2 and loses to the others by `gap`; unregularized, the von Neumann
    winner is uniform on the cycle.

    Parameters
    ----------
    cycle : int
        Odd k >= 3.
    gap : float
        In (0, 1/2].
    extra : int
        Arms >= 0 below the cycle, even among themselves.
    eta, reference, measure
        As in `preferences`; without KL regularization the measure is ``borda`` or ``copeland``.

    References
    ----------
    Dudik, Hofmann, Schapire, Slivkins and Zoghi 2015, COLT, arXiv:1502.06362 (von Neumann winner).
    """
    k = checks.integer("cycle", cycle, 3)
    if k % 2 == 0:
        raise ValueError(f"cycle: {k} is not allowed, must be odd")
    gap = checks.finite("gap", gap, 0.0, 0.5, closed=False)
    m = checks.integer("extra", extra, 0)
    P = np.full((k + m, k + m), 0.5)
    for a in range(k):
        for step in range(1, (k + 1) // 2):
            b = (a + step) % k
            P[a, b], P[b, a] = 0.5 + gap, 0.5 - gap
    P[:k, k:], P[k:, :k] = 0.5 + gap, 0.5 - gap
    return preferences(P, eta=eta, reference=reference, measure=measure)


_RARE_GOOD = (1.0, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.0)
_RARE_BAD = (0.0, 0.3, 0.25, 0.2, 0.15, 0.5, 0.05, 0.1)


def _rare(reward: tuple[float, ...], eta: float, span: float, regularizer: str, alpha: float | None) -> Dueling:
    reference = np.full(8, 0.996 / 7.0)
    reference[0] = 0.004
    reference /= reference.sum()
    return bradley_terry(reward, eta=eta, span=span, reference=reference, regularizer=regularizer, alpha=alpha)


def rare_good(*, eta: float = 8.0, span: float = 1.0, regularizer: str = "kl", alpha: float | None = None) -> Dueling:
    """The best of eight arms has reference mass .004: pessimism costs, exploration pays.

    Parameters
    ----------
    eta : float
        Inverse temperature in (0, inf).
    span : float
        Known bound of the range of the rewards, at least that range; a large one leaves estimates unprojected.
    regularizer, alpha
        As in `bradley_terry`.

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456, for the setting; the instance is this package's.
    """
    return _rare(_RARE_GOOD, eta, span, regularizer, alpha)


def rare_bad(*, eta: float = 8.0, span: float = 1.0, regularizer: str = "kl", alpha: float | None = None) -> Dueling:
    """The worst of eight arms has reference mass .004: pessimism pays.

    Parameters
    ----------
    eta : float
        Inverse temperature in (0, inf).
    span : float
        Known bound of the range of the rewards, at least that range; a large one leaves estimates unprojected.
    regularizer, alpha
        As in `bradley_terry`.

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456, for the setting; the instance is this package's.
    """
    return _rare(_RARE_BAD, eta, span, regularizer, alpha)


def gap_linear(
    gap: float = 0.4,
    contexts: int = 20,
    arms: int = 6,
    dim: int = 5,
    *,
    radius: float = 1.0,
    seed: int = 0,
    eta: float = math.inf,
    measure: str | None = None,
) -> Dueling:
    """Linear duels in which the best arm of every context leads by at least a gap, attained in the first.

    theta* = B e_1. The first coordinate of the best arm of a context is 1/2; those of the others are uniform on
    [-gap / B, 1/2 - gap / B], and one of the first context is at the upper end. The other coordinates are a uniform
    direction, so long that features are unit vectors, and the arms of a context are in random order.

    Parameters
    ----------
    gap : float
        Least positive gap of the rewards, in (0, B].
    contexts, arms, dim : int
        X >= 1, K >= 2, d >= 2.
    radius : float
        B > 0, the norm of theta*.
    seed : int
        The instance is a function of it and the other parameters.
    eta, measure
        As in `bradley_terry`; by default unregularized, with the regret of both arms.

    References
    ----------
    Ji, He and Gu 2024, arXiv:2402.09401, for regret and queries in terms of the least gap; the instance is this
    package's.
    """
    X = checks.integer("contexts", contexts, 1)
    K = checks.integer("arms", arms, 2)
    d = checks.integer("dim", dim, 2)
    B = checks.finite("radius", radius, 0.0, closed=False)
    gap = checks.finite("gap", gap, 0.0, B, closed=False)
    g = np.random.default_rng(checks.integer("seed", seed, 0))
    top = 0.5 - gap / B
    first = g.uniform(top - 0.5, top, (X, K))
    first[:, 0], first[0, 1] = 0.5, top
    first = g.permuted(first, axis=1)
    rest = g.standard_normal((X, K, d - 1))
    rest *= np.sqrt((1.0 - first) * (1.0 + first) / (rest * rest).sum(axis=-1))[..., None]
    features = np.concatenate([first[..., None], rest], axis=-1)
    return bradley_terry(features=features, parameter=B * np.eye(d)[0], eta=eta, measure=measure)
