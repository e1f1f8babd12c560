"""Named instances of the dueling family: classical matrices, cycles, and Bradley-Terry problems of RLHF theory.

Random instances draw from ``np.random.default_rng(seed)``, so an instance is a function of its arguments.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.dueling.problem import Dueling, bradley_terry, preferences


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


def _rare(reward: tuple[float, ...], eta: float) -> Dueling:
    reference = np.full(8, 0.996 / 7.0)
    reference[0] = 0.004
    return bradley_terry(reward, eta=eta, span=1.0, reference=reference / reference.sum())


def rare_good(*, eta: float = 8.0) -> Dueling:
    """The best of eight arms has reference mass .004: pessimism costs, exploration pays.

    Parameters
    ----------
    eta : float
        Inverse temperature in (0, inf).

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456, for the setting; the instance is this package's.
    """
    return _rare(_RARE_GOOD, eta)


def rare_bad(*, eta: float = 8.0) -> Dueling:
    """The worst of eight arms has reference mass .004: pessimism pays.

    Parameters
    ----------
    eta : float
        Inverse temperature in (0, inf).

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456, for the setting; the instance is this package's.
    """
    return _rare(_RARE_BAD, eta)
