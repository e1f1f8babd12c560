"""Confidence widths by their names in the literature, and the Bernoulli KL divergence with its upper bound.

A level L is a log(1 / probability): the interval of one sample of size n fails with probability at most
e^{-L} on each side. Rewards lie in [0, 1] where a Bernoulli divergence or Hoeffding's width is used;
Chernoff's bound with the Bernoulli divergence holds for every law on [0, 1] (Garivier and Cappe 2011,
arXiv:1102.2490). What verbs call is compiled, and its arguments are floats.
"""

from __future__ import annotations

import math

from banditlab.jit import jit
from banditlab.regularizer import remainder

__all__ = [
    "bernoulli_kl",
    "ellipsoid",
    "hoeffding",
    "kl_upper",
    "kl_upper_logit",
    "likelihood_ratio",
    "logistic",
    "logistic_ellipsoid",
    "logistic_slope",
    "moss",
    "subgaussian",
    "wald",
]

_STEP = 1e-9  # Newton's last step: what is left after it is of the order of its square
_STEPS = 100


@jit
def hoeffding(n, level):
    """Half-width sqrt(L / (2 n)) for the mean of n >= 1 rewards in [0, 1] (Hoeffding 1963)."""
    return math.sqrt(0.5 * level / n)


@jit
def subgaussian(n, level, sigma):
    """Half-width sigma sqrt(2 L / n) for n >= 1 sigma-subgaussian rewards; `hoeffding` is sigma = 1/2."""
    return sigma * math.sqrt(2.0 * level / n)


@jit
def moss(n, rounds, arms):
    """Half-width sqrt(max(0, log(T / (K n))) / n), n >= 1, rewards in [0, 1] (Audibert and Bubeck 2009)."""
    return math.sqrt(max(0.0, math.log(rounds / (arms * n))) / n)


@jit
def bernoulli_kl(p, q):
    """kl(p, q) = p log(p / q) + (1 - p) log((1 - p) / (1 - q)) for p, q in [0, 1]; inf where q excludes p.

    Summed as p (e^y - 1 - y) + ..., y = log(q / p): no cancellation where p and q are close.
    """
    if p == q:
        return 0.0
    if q <= 0.0 or q >= 1.0:
        return math.inf
    if p <= 0.0:
        return -math.log1p(-q)
    if p >= 1.0:
        return -math.log(q)
    hit = math.log1p((q - p) / p) if q < 2.0 * p else math.log(q / p)
    miss = math.log1p((p - q) / (1.0 - p)) if q > 2.0 * p - 1.0 else math.log((1.0 - q) / (1.0 - p))
    return p * remainder(hit) + (1.0 - p) * remainder(miss)


@jit
def logistic(y):
    """1 / (1 + e^{-y})."""
    if y >= 0.0:
        return 1.0 / (1.0 + math.exp(-y))
    e = math.exp(y)
    return e / (1.0 + e)


@jit
def logistic_slope(y):
    """sigma'(y) = 1 / (2 + e^y + e^{-y}), in (0, 1/4].

    Even and falling in |y|: it is also kappa(m) = min{sigma'(u) : |u| <= m} at m = y.
    """
    e = math.exp(-abs(y))
    return e / ((1.0 + e) * (1.0 + e))


@jit
def kl_upper_logit(p, level, start):
    """The logit of max{q : kl(p, q) <= L} for L > 0, by Newton from `start`; -inf to inf, inf for p = 1.

    With q = logistic(y), f(y) = kl(p, q) - L = log(1 + e^y) - p y - h(p) - L is convex with slope q - p,
    below 1 - p: from the right of the root Newton decreases to it, from the left one step lands on the right,
    and no step leaves the domain. Every root is at most (h(p) + L) / (1 - p). A `start` near the root (the
    last index of a slowly moving arm) needs two or three steps; one at or below logit(p), such as -inf, is
    replaced.
    """
    if p >= 1.0:
        return math.inf
    if p <= 0.0:  # kl(0, q) = -log(1 - q)
        return math.log(math.expm1(level)) if level < 30.0 else level + math.log1p(-math.exp(-level))
    entropy = -p * math.log(p) - (1.0 - p) * math.log1p(-p)
    top = (entropy + level) / (1.0 - p)
    if not start <= top or logistic(start) <= p:
        pinsker = p + math.sqrt(0.5 * level)
        start = min(top, math.log(pinsker / (1.0 - pinsker))) if pinsker < 1.0 else top
    y = start
    for _ in range(_STEPS):
        if y > 0.0:
            e = math.exp(-y)
            f = (1.0 - p) * y + math.log1p(e)
            q = 1.0 / (1.0 + e)
        else:
            e = math.exp(y)
            f = math.log1p(e) - p * y
            q = e / (1.0 + e)
        if q <= p:  # L below rounding: the root is logit(p)
            return y
        step = (f - entropy - level) / (q - p)
        y = min(y - step, top)
        if abs(step) <= _STEP:
            break
    return y


@jit
def kl_upper(p, level):
    """max{q : kl(p, q) <= L}: the upper confidence bound of Chernoff for rewards in [0, 1], L >= 0.

    For n rewards of mean p, L is log(1 / probability) / n.
    """
    if level <= 0.0:
        return p
    return max(p, logistic(kl_upper_logit(p, level, -math.inf)))


def ellipsoid(dim: int, rounds: int, lam: float, delta: float, sigma: float, radius: float) -> float:
    """Radius beta of the self-normalised ellipsoid |theta - theta*|_Lambda <= beta, valid for all rounds up to T.

    sigma sqrt(d log(1 + T / (lam d)) + 2 log(1 / delta)) + sqrt(lam) B, for sigma-subgaussian noise, features of norm
    at most 1 and |theta*| <= B (Abbasi-Yadkori, Pal and Szepesvari 2011, Theorem 2 with the determinant's bound).
    """
    volume = dim * math.log1p(rounds / (lam * dim))
    return sigma * math.sqrt(volume - 2.0 * math.log(delta)) + math.sqrt(lam) * radius


@jit
def logistic_ellipsoid(gain, initial, slope, lam, delta, radius):
    """Radius b of |theta - theta*|_V <= b around a Bradley-Terry fit with ridge lam, valid for all rounds.

    (1 / kappa) (sqrt(log det V - d log v + 2 log(1 / delta)) / 2 + lam B / sqrt(v)) with V = v I + sum z z', v =
    `initial` <= lam / kappa, `gain` = log det V - d log v, |theta*| <= B and kappa = `slope` the least slope of the
    logistic function on the segment from the fit to theta* (reconstructed: the gradient's difference is at least
    kappa V, its noise 1/2-subgaussian and self-normalised, Abbasi-Yadkori, Pal and Szepesvari 2011, Theorem 1). At
    v = lam / kappa the last term is sqrt(lam kappa) B.
    """
    return (0.5 * math.sqrt(gain - 2.0 * math.log(delta)) + lam * radius / math.sqrt(initial)) / slope


@jit
def likelihood_ratio(dim, radius, length, delta):
    """Level of the likelihood-ratio set {|theta| <= B : L(theta) - min L <= level}, valid for all rounds.

    log(1 / delta) + d log max(e, 2 e B sum |z| / d), L the negative log-likelihood of a Bradley-Terry model without
    ridge, `length` = sum |z| over comparisons (reconstructed: a mixture over a shrunken ball). No kappa.
    """
    return -math.log(delta) + dim * math.log(max(math.e, 2.0 * math.e * radius * length / dim))


@jit
def wald(scale, rounds):
    """The practical multiplier c sqrt(2 log T) of a width |z|_{H^{-1}}, H the Hessian of a Bradley-Terry loss.

    Twice that for a width |z|_{V^{-1}}, V = sum z z': the slope of the logistic function is at most 1/4.
    """
    return scale * math.sqrt(2.0 * math.log(rounds))
