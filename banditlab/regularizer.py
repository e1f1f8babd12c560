"""The calculus of regularized rewards: optimal policy, value, gap and divergence of six regularizers.

For a convex f with f(1) = 0, a reference policy and an inverse temperature eta,

    J(pi) = <pi, r> - D_f(pi || pi_ref) / eta,       D_f(pi || q) = sum_a q_a f(pi_a / q_a),
    pi*_a = pi_ref(a) x(eta r_a - nu),               x(s) = (f')^{-1}(s), and nu makes pi* sum to one.

Neither D_f nor pi* nor J changes when c (x - 1) is added to f; here c is such that f'(1) = 0.

==============  ===============================  =====================  =========  ===========================
name            f(x)                             f'(x)                  1/f''(x)   x(s)
==============  ===============================  =====================  =========  ===========================
``kl``          x log x - x + 1                  log x                  x          e^s
``forward_kl``  x - 1 - log x                    1 - 1/x                x^2        1 / (1 - s)
``chi2``        (x - 1)^2 / 2                    x - 1                  1          (1 + s)_+
``alpha``       (x^a - a x + a - 1) / (a (a-1))  (x^(a-1) - 1) / (a-1)  x^(2-a)    [1 + (a-1) s]_+^(1/(a-1))
``js``          x log x - (1+x) log((1+x)/2)     log(2x / (1+x))        x (1+x)    e^s / (2 - e^s)
``kl_chi2``     x log x - x + 1 + (x-1)^2 / 2    log x + x - 1          x / (1+x)  omega(1 + s)
==============  ===============================  =====================  =========  ===========================

In words: KL(pi || ref); KL(ref || pi); half of Pearson's chi-square; Cressie-Read or Tsallis divergence of
order a = `alpha`, not 0 or 1; KL(pi || m) + KL(ref || m) with the midpoint m; the sum of the first and the
third. omega is the Wright function, log omega(s) + omega(s) = s.

How it is computed. The ratio x_a = pi*_a / pi_ref(a) of every arm is reached from the best arm's, x_1, by
lowering the dual variable by the excess D_a = eta (max r - r_a) >= 0,

    x_a = x(f'(x_1) - D_a),

in a form without cancellation next to the edge of the domain of x(s) (see `shift`). The one unknown is
log x_1, and Newton's method in nu moves it by the same map. A gap is a sum of nonnegative Bregman terms,

    J(pi*) - J(pi) = (1 / eta) { sum_a pi_ref(a) B_f(pi_a / pi_ref(a), x_a) + sum_a mu_a pi_a },
    B_f(x, y) = f(x) - f(y) - f'(y) (x - y),    mu_a = (f'(0) + nu - eta r_a)_+ where pi*_a = 0, else 0,

each evaluated from the logarithm of x / y, never as a difference of values. For ``kl`` it is
KL(pi || pi*) / eta.

The functions over NumPy arrays are last in the file. Before them come the compiled ones, for one context:
vectors of shape (K,), the regularizer as a code of `CODES`, its order `alpha` (read for ``alpha`` only), a
positive reference that sums to one. ``eta = inf`` means unregularized everywhere: the greedy policy (lowest
index on ties), plain values and gaps.

References
----------
Zhao et al. 2025, arXiv:2502.07460 and Ji et al. 2026, arXiv:2603.02155 (``kl``); Zhao et al. 2026,
arXiv:2605.09214 (``forward_kl``).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.jit import jit

__all__ = [
    "CODES",
    "divergence",
    "gap",
    "gibbs",
    "kl",
    "kl_gap_from_logs",
    "kl_gap_from_policy",
    "kl_plug_in_gap",
    "log_gibbs",
    "log_partition",
    "log_policy",
    "plug_in_gap",
    "policy",
    "value",
]

Array = np.ndarray[Any, np.dtype[np.float64]]

KL, FORWARD_KL, CHI2, ALPHA, JS, KL_CHI2 = 0, 1, 2, 3, 4, 5

CODES = {"kl": KL, "forward_kl": FORWARD_KL, "chi2": CHI2, "alpha": ALPHA, "js": JS, "kl_chi2": KL_CHI2}
"""The integer code by which compiled functions know a regularizer."""


# ------------------------------------------------------------------------------------------------------------
# Elementary functions
# ------------------------------------------------------------------------------------------------------------


@jit
def exponential(v):
    """e^v, inf where it overflows."""
    return math.exp(v) if v < 709.0 else math.inf


@jit
def growth(v):
    """e^v - 1, inf where it overflows."""
    return math.expm1(v) if v < 709.0 else math.inf


@jit
def remainder(v):
    """e^v - 1 - v >= 0, to a few units of rounding for every v."""
    if abs(v) < 0.5:  # v^2 / 2 sum_k 2 v^k / (k + 2)!
        s = 1.0 / 13.0 * (1.0 + v / 14.0 * (1.0 + v / 15.0))
        s = 1.0 / 9.0 * (1.0 + v / 10.0 * (1.0 + v / 11.0 * (1.0 + v / 12.0 * (1.0 + v * s))))
        s = 1.0 / 5.0 * (1.0 + v / 6.0 * (1.0 + v / 7.0 * (1.0 + v / 8.0 * (1.0 + v * s))))
        return 0.5 * v * v * (1.0 + v / 3.0 * (1.0 + v / 4.0 * (1.0 + v * s)))
    return growth(v) - v


# ------------------------------------------------------------------------------------------------------------
# KL: Gibbs policies
# ------------------------------------------------------------------------------------------------------------


@jit
def _best(score):
    """The lowest index among the largest scores."""
    best = 0
    for a in range(1, score.size):
        if score[a] > score[best]:
            best = a
    return best


@jit
def _log_mean(reference, score, top, eta):
    """The number log sum_a pi_ref(a) exp(-eta (top - score_a)) <= 0, relatively accurate also as eta -> 0."""
    change = 0.0
    for a in range(score.size):
        change += reference[a] * math.expm1(eta * (score[a] - top))
    if change > -0.5:
        return math.log1p(change)
    total = 0.0
    for a in range(score.size):
        total += reference[a] * math.exp(eta * (score[a] - top))
    return math.log(total)


@jit
def gibbs(reference, score, eta, out):
    """Write pi_a = pi_ref(a) exp(eta score_a) / Z; for eta = inf the point mass at the lowest argmax."""
    best = _best(score)
    top = score[best]
    if eta == math.inf:
        for a in range(score.size):
            out[a] = 0.0
        out[best] = 1.0
        return
    total = 0.0
    for a in range(score.size):
        out[a] = reference[a] * math.exp(eta * (score[a] - top))
        total += out[a]
    for a in range(score.size):
        out[a] /= total


@jit
def log_gibbs(reference, score, eta, out):
    """Write log pi_a = log pi_ref(a) + eta score_a - log Z, finite where pi_a itself underflows."""
    best = _best(score)
    top = score[best]
    if eta == math.inf:
        for a in range(score.size):
            out[a] = -math.inf
        out[best] = 0.0
        return
    log_z = _log_mean(reference, score, top, eta)
    for a in range(score.size):
        out[a] = min(math.log(reference[a]) + eta * (score[a] - top) - log_z, 0.0)


@jit
def log_partition(reference, score, eta):
    """(1 / eta) log sum_a pi_ref(a) exp(eta score_a) = max J; max score for eta = inf."""
    top = score[_best(score)]
    return top if eta == math.inf else top + _log_mean(reference, score, top, eta) / eta


@jit
def _kl_term(p, log_p, log_q):
    """One arm's share of KL: p log(p / q) - p + q >= 0."""
    if log_p == -math.inf:
        return math.exp(log_q)
    if log_q == -math.inf:
        return math.inf
    y = log_q - log_p
    return p * remainder(y) if abs(y) < 1.0 else math.exp(log_q) - p - p * y


@jit
def kl(policy, reference):
    """KL(policy || reference) of two distributions, 0 log 0 = 0; inf where only the reference vanishes."""
    total = 0.0
    for a in range(policy.size):
        p = policy[a]
        q = reference[a]
        if p > 0.0 and abs(p - q) < 0.5 * q:
            total += p * remainder(-math.log1p((p - q) / q))
        else:
            log_p = math.log(p) if p > 0.0 else -math.inf
            log_q = math.log(q) if q > 0.0 else -math.inf
            total += _kl_term(p, log_p, log_q)
    return total


@jit
def kl_gap_from_logs(log_pi, log_optimal):
    """KL(pi || pi*) = eta (J(pi*) - J(pi)) from log pi and log pi*.

    As sum_a pi_a (e^y - 1 - y) with y = log pi*_a - log pi_a, whose terms are nonnegative.
    """
    total = 0.0
    for a in range(log_pi.size):
        total += _kl_term(math.exp(log_pi[a]), log_pi[a], log_optimal[a])
    return total


@jit
def kl_gap_from_policy(policy, log_optimal):
    """KL(pi || pi*) = eta (J(pi*) - J(pi)) from the probabilities of pi, zeros allowed, and log pi*."""
    total = 0.0
    for a in range(policy.size):
        p = policy[a]
        total += _kl_term(p, math.log(p) if p > 0.0 else -math.inf, log_optimal[a])
    return total


@jit
def kl_plug_in_gap(estimate, reward, reference, eta, log_pi, pi):
    """Gap under `reward` of the Gibbs policy p of `estimate`; log p and p are left in the workspaces.

    (1 / eta) log E_p e^d = (1 / eta) log1p E_p[e^d - 1 - d] with d = -eta (u - E_p u), u = estimate - reward.
    """
    log_gibbs(reference, estimate, eta, log_pi)
    if eta == math.inf:
        return reward[_best(reward)] - reward[_best(estimate)]
    centre = 0.0
    for a in range(reward.size):
        pi[a] = math.exp(log_pi[a])
        centre += pi[a] * (estimate[a] - reward[a])
    shifted = 0.0  # the centre's own rounding error, when all errors are nearly equal
    for a in range(reward.size):
        shifted += pi[a] * (estimate[a] - reward[a] - centre)
    peak = -math.inf
    total = 0.0
    for a in range(reward.size):
        d = -eta * (estimate[a] - reward[a] - centre - shifted)
        p = pi[a]
        peak = max(peak, log_pi[a] + d)
        total += p * remainder(d) if abs(d) < 1.0 else exponential(log_pi[a] + d) - p - p * d
    if peak < 600.0:
        return math.log1p(total) / eta
    total = 0.0
    for a in range(reward.size):
        total += math.exp(log_pi[a] - eta * (estimate[a] - reward[a] - centre - shifted) - peak)
    return (peak + math.log(total)) / eta


# ------------------------------------------------------------------------------------------------------------
# The table of regularizers, in the logarithm of the ratio x
# ------------------------------------------------------------------------------------------------------------


@jit
def _order(code, alpha):
    """The b of the powers: f'(x) = (x^b - 1) / b for ``forward_kl``, ``chi2`` and ``alpha``."""
    if code == FORWARD_KL:
        return -1.0
    return 1.0 if code == CHI2 else alpha - 1.0


@jit
def slope(code, alpha, log_x):
    """f'(x), zero at x = 1."""
    if code == KL:
        return log_x
    if code == JS:  # log(2x / (1 + x))
        return log_x - math.log1p(0.5 * math.expm1(log_x))
    if code == KL_CHI2:  # log x + x - 1
        return log_x + math.expm1(log_x)
    order = _order(code, alpha)  # (x^b - 1) / b
    return growth(order * log_x) / order


@jit
def inverse_curvature(code, alpha, log_x):
    """1 / f''(x) = x'(f'(x)), zero on clipped arms."""
    if code == KL:
        return math.exp(log_x)
    if code == JS:  # x (1 + x)
        x = math.exp(log_x)
        return x * (1.0 + x)
    if code == KL_CHI2:  # x / (1 + x)
        x = math.exp(log_x)
        return x / (1.0 + x)
    if log_x == -math.inf:
        return 0.0
    return exponential((1.0 - _order(code, alpha)) * log_x)  # x^(1 - b)


@jit
def shift(code, alpha, log_x, drop):
    """log(x' / x) for x' = x(f'(x) - drop): where the ratio goes when the dual variable falls by `drop`.

    -inf where x' is clipped at zero, +inf where a rise leaves the domain of x(s).
    """
    if drop == 0.0:
        return 0.0
    if code == KL:  # x' = x e^-drop
        return -drop
    if code == JS:  # x'/(1 + x') = e^-drop x/(1 + x)
        z = -math.exp(log_x) * growth(-drop)
        return -drop - math.log1p(z) if z > -1.0 else math.inf
    if code == KL_CHI2:
        return _shift_kl_chi2(log_x, drop)
    order = _order(code, alpha)  # x'^b = x^b (1 + z)
    z = -order * drop * exponential(-order * log_x)
    if z > 1e300:
        return (math.log(-order * drop) - order * log_x) / order
    if z > -1.0:
        return math.log1p(z) / order
    return -math.inf if order > 0.0 else math.inf


@jit
def _shift_kl_chi2(log_x, drop):
    """The root w of w + x (e^w - 1) = -drop, by Newton from a first-order or asymptotic guess."""
    x = math.exp(log_x)
    s = log_x + x - drop
    if abs(drop) < 0.5 * (1.0 + x):
        w = -drop / (1.0 + x)
    elif s > 1.0:
        w = math.log(s - math.log(s)) - log_x
    elif s < -2.0:
        w = s - math.exp(s) - log_x
    else:
        w = 0.5 * (s - 1.0) - log_x
    for _ in range(20):
        e = math.expm1(w)
        step = (w + x * e + drop) / (1.0 + x * (1.0 + e))
        w -= step
        if abs(step) <= 1e-8 * min(1.0, abs(w)):
            break
    return w


@jit
def bregman(code, alpha, x, y, w):
    """B_f(x, y) = f(x) - f(y) - f'(y) (x - y) >= 0, with w = log(x / y) given apart, to full accuracy.

    Read w = -inf as x = 0 and w = +inf as y = 0. B_f(x, 1) = f(x).
    """
    if code == FORWARD_KL:  # x/y - 1 - log(x/y)
        return remainder(w) if w > -math.inf else math.inf
    near = abs(w) < 1.0
    difference = y * math.expm1(w) if near else x - y
    if code == CHI2:  # (x - y)^2 / 2
        return 0.5 * difference * difference
    if code == ALPHA:
        return _bregman_alpha(alpha, x, y, w, difference)
    if code == JS:
        return _bregman_js(x, y, w, difference)
    term = y  # x log(x/y) - x + y
    if near:
        term = x * remainder(-w)
    elif w > -math.inf:
        term = x * w - difference
    return term if code == KL else term + 0.5 * difference * difference


@jit
def _bregman_alpha(alpha, x, y, w, difference):
    """B_f(x, y) = {x^a - y^a - a y^(a-1) (x - y)} / (a (a - 1)), stable as a -> 0 and a -> 1."""
    order = alpha - 1.0
    if w == math.inf:  # finite only where f'(0) is: a > 1
        return exponential(alpha * math.log(x)) / (alpha * order) if x > 0.0 else 0.0
    if x == 0.0:
        if alpha < 0.0:
            return math.inf
        return exponential(alpha * math.log(y)) / alpha if y > 0.0 else 0.0
    log_x = math.log(x)
    if alpha < 0.5:
        power = exponential(alpha * (log_x - w))  # y^a
        if abs(w) < 1.0:
            return power * (remainder(alpha * w) - alpha * remainder(w)) / (alpha * order)
        rise = power * growth(alpha * w) if alpha * w < 1.0 else exponential(alpha * log_x) - power
        return (rise / alpha - power * growth(w)) / order
    scale = exponential(order * (log_x - w))  # y^(a - 1)
    if abs(w) < 1.0:
        return scale * x * (remainder(order * w) / order + remainder(-w)) / alpha
    return scale * (x * growth(order * w) / order - difference) / alpha


@jit
def _bregman_js(x, y, w, difference):
    """B_f(x, y) = x log(x/y) - (1+x) log((1+x)/(1+y)) = x log1p(e/(1+x)) - log1p(y e/(1+y)), e = x/y - 1."""
    if w == -math.inf:
        return math.log1p(y)
    if abs(w) < 1.0:  # t - log1p(t) is the remainder at log1p(t)
        e = math.expm1(w)
        near = remainder(math.log1p(difference / (1.0 + y))) - x * remainder(math.log1p(e / (1.0 + x)))
        return near + difference * e / ((1.0 + x) * (1.0 + y))
    rise = math.log1p(x) - math.log1p(y)
    if w > 500.0 or (w < 0.0 and x < 1.0):
        return x * (w - rise) - rise
    return x * math.log1p(math.expm1(w) / (1.0 + x)) - rise


# ------------------------------------------------------------------------------------------------------------
# Optimal policy, value and gaps of every regularizer
# ------------------------------------------------------------------------------------------------------------


@jit
def solve(code, alpha, reward, reference, eta, log_ratio):
    """Write log(pi*_a / pi_ref(a)), -inf on clipped arms; return that of the best arm."""
    best = _best(reward)
    top = reward[best]
    if eta == math.inf:
        for a in range(reward.size):
            log_ratio[a] = -math.inf
        log_ratio[best] = -math.log(reference[best])
        return log_ratio[best]
    for a in range(reward.size):
        log_ratio[a] = eta * (top - reward[a])  # the excess D_a
    if code == CHI2:
        _solve_chi2(reference, log_ratio)
    elif code == ALPHA and alpha > 2.0:
        _solve_steep(alpha, reference, log_ratio)
    else:
        if code == KL:
            log_best = -_log_mean(reference, reward, top, eta)
        else:
            log_best = _log_best_ratio(code, alpha, reference, log_ratio)
        for a in range(reward.size):
            log_ratio[a] = log_best + shift(code, alpha, log_best, log_ratio[a])
    total = 0.0
    for a in range(reward.size):
        total += reference[a] * math.expm1(log_ratio[a])
    total = math.log1p(total)
    for a in range(reward.size):
        log_ratio[a] -= total
    return log_ratio[best]


@jit
def _solve_chi2(reference, log_ratio):
    """Turn the excesses in `log_ratio` into log ratios: x_a = (x_1 - D_a)_+, exactly.

    On a support B the best arm's ratio is x_1 = (1 + sum_B pi_ref D) / pi_ref(B). From 1 / pi_ref(best)
    on each pass drops the arms with D_a >= x_1, until none is dropped: Newton's method, exact because the
    equation is piecewise linear, and without sorting. At eta Delta >= 1 / pi_ref(best) only the best arm is
    left.
    """
    mass = 0.0
    for a in range(reference.size):
        if log_ratio[a] == 0.0:
            mass += reference[a]
    level = 1.0 / mass
    support = level  # arms of lower excess
    above = 0.0  # x_1 - 1
    size = reference.size + 1
    while True:
        inside = 0.0
        outside = 0.0
        moment = 0.0
        n = 0
        for a in range(reference.size):
            if log_ratio[a] < level:
                inside += reference[a]
                moment += reference[a] * log_ratio[a]
                n += 1
            else:
                outside += reference[a]
        if n >= size:
            break
        size = n
        support = level
        above = (outside + moment) / inside
        level = 1.0 + above
    for a in range(reference.size):
        z = above - log_ratio[a]
        log_ratio[a] = math.log1p(z) if log_ratio[a] < support and z > -1.0 else -math.inf


@jit
def _log_best_ratio(code, alpha, reference, excess):
    """The root log x_1 of sum_a pi_ref(a) (x(f'(x_1) - D_a) - 1) = 0 where x(s) is convex.

    Newton's method in the dual variable starts above the root (by Jensen's inequality, or because the best
    arms have mass at most one) and falls monotonically to it; it ends when rounding stops the fall.
    """
    mean = 0.0
    mass = 0.0
    for a in range(reference.size):
        mean += reference[a] * excess[a]
        if excess[a] == 0.0:
            mass += reference[a]
    log_best = max(0.0, min(-math.log(mass), shift(code, alpha, 0.0, -mean)))
    previous = math.inf
    for _ in range(100):
        above = 0.0
        rise = 0.0
        for a in range(reference.size):
            v = log_best + shift(code, alpha, log_best, excess[a])
            above += reference[a] * math.expm1(v)
            rise += reference[a] * _elasticity(code, alpha, log_best, v)
        if not 0.0 < above < previous:
            break
        log_best += _newton(code, alpha, log_best, above / rise)
        previous = above
    return log_best


@jit
def _elasticity(code, alpha, log_best, log_x):
    """d x_a / d log x_1 = x_1 f''(x_1) / f''(x_a), which does not overflow where 1 / f'' does."""
    if log_x == -math.inf:
        return 0.0
    if code == JS:
        x = math.exp(log_x)
        return x * ((1.0 + x) / (1.0 + math.exp(log_best)))
    if code == KL_CHI2:
        x = math.exp(log_x)
        return x / (1.0 + x) * (1.0 + math.exp(log_best))
    order = _order(code, alpha)  # x_1^b - x_a^b is constant
    return math.exp(log_x + order * (log_best - log_x))


@jit
def _newton(code, alpha, log_best, ratio):
    """The change of log x_1 when f'(x_1) falls by ratio x_1 f''(x_1)."""
    if code == JS:
        return shift(code, alpha, log_best, ratio / (1.0 + math.exp(log_best)))
    if code == KL_CHI2:
        return shift(code, alpha, log_best, ratio * (1.0 + math.exp(log_best)))
    order = _order(code, alpha)
    return math.log1p(-order * ratio) / order


@jit
def _solve_steep(alpha, reference, log_ratio):
    """Turn the excesses in `log_ratio` into log ratios for alpha > 2, where x'(s) is infinite at the kink.

    With b = alpha - 1 > 1 the ratios are x_a = (b (c - D_a)_+)^(1/b). The clipping threshold c is bisected
    until the support is known. The unknown is then the smallest ratio y of the support, with excess D:
    every x_a = (y^b + b (D - D_a))^(1/b) is a norm of a vector with entry y, hence convex in y, and
    Newton's method falls monotonically from 1 / pi_ref(support).
    """
    order = alpha - 1.0
    largest = 0.0
    for a in range(reference.size):
        largest = max(largest, log_ratio[a])
    low = 0.0
    high = largest
    middle = largest
    undecided = largest > 0.0
    while undecided:
        total = 0.0
        for a in range(reference.size):
            if log_ratio[a] < middle:
                total += reference[a] * exponential(math.log(order * (middle - log_ratio[a])) / order)
        if total < 1.0:
            low = middle
        else:
            high = middle
        undecided = False
        for a in range(reference.size):
            undecided = undecided or low < log_ratio[a] < high
        middle = 0.5 * (low + high)
    outside = 0.0
    edge = 0.0
    for a in range(reference.size):
        if log_ratio[a] <= low:
            edge = max(edge, log_ratio[a])
        else:
            outside += reference[a]
    log_y = -math.log1p(-outside)
    previous = math.inf
    for _ in range(100):
        above = -outside
        rise = 0.0  # y d/dy of the sum
        for a in range(reference.size):
            if log_ratio[a] <= low:
                v = _log_norm(order, log_y, edge - log_ratio[a])
                above += reference[a] * math.expm1(v)
                rise += reference[a] * math.exp(log_y + (order - 1.0) * (log_y - v))
        if not 0.0 < above < min(previous, rise):
            break
        log_y += math.log1p(-above / rise)
        previous = above
    for a in range(reference.size):
        log_ratio[a] = _log_norm(order, log_y, edge - log_ratio[a]) if log_ratio[a] <= low else -math.inf


@jit
def _log_norm(order, log_y, drop):
    """(1/b) log(y^b + b drop), drop >= 0."""
    if drop == 0.0:
        return log_y
    u = order * log_y
    v = math.log(order * drop)
    return (max(u, v) + math.log1p(math.exp(-abs(u - v)))) / order


@jit
def optimal_policy(code, alpha, reward, reference, eta, out):
    """Write pi*."""
    if code == KL or eta == math.inf:
        gibbs(reference, reward, eta, out)
        return
    solve(code, alpha, reward, reference, eta, out)
    total = 0.0
    for a in range(reward.size):
        out[a] = reference[a] * math.exp(out[a])
        total += out[a]
    for a in range(reward.size):
        out[a] /= total


@jit
def optimal_log_policy(code, alpha, reward, reference, eta, out):
    """Write log pi*, -inf on clipped arms."""
    if code == KL or eta == math.inf:
        log_gibbs(reference, reward, eta, out)
        return
    solve(code, alpha, reward, reference, eta, out)
    for a in range(reward.size):
        out[a] = min(out[a] + math.log(reference[a]), 0.0)


@jit
def optimal_value(code, alpha, reward, reference, eta, log_ratio):
    """J(pi*) = max r - sum_a pi*_a (max r - r_a) - D_f(pi* || pi_ref) / eta; `log_ratio` is a workspace."""
    if code == KL or eta == math.inf:
        return log_partition(reference, reward, eta)
    solve(code, alpha, reward, reference, eta, log_ratio)
    top = reward[_best(reward)]
    loss = 0.0
    penalty = 0.0
    for a in range(reward.size):
        x = math.exp(log_ratio[a])
        loss += reference[a] * x * (top - reward[a])
        penalty += reference[a] * bregman(code, alpha, x, 1.0, log_ratio[a])
    return top - loss - penalty / eta


@jit
def f_divergence(code, alpha, policy, reference):
    """D_f(policy || reference) = sum_a pi_ref(a) f(pi_a / pi_ref(a))."""
    total = 0.0
    for a in range(policy.size):
        x = policy[a] / reference[a]
        total += reference[a] * bregman(code, alpha, x, 1.0, _log_quotient(x, 1.0, 0.0))
    return total


@jit
def _log_quotient(x, y, log_y):
    """log(x / y), accurate where x is near y and where y underflows."""
    if x == 0.0:
        return -math.inf
    if abs(x - y) < 0.5 * y:
        return math.log1p((x - y) / y)
    return math.log(x) - log_y


@jit
def _clipped_excess(code, alpha, log_best):
    """f'(x_1) - f'(0): arms whose excess D_a is larger have pi*_a = 0 and mu_a = D_a minus this; else inf."""
    if code == CHI2 or (code == ALPHA and alpha > 1.0):
        return slope(code, alpha, log_best) - slope(code, alpha, -math.inf)
    return math.inf


@jit
def policy_gap(code, alpha, policy, reward, reference, eta, log_ratio):
    """J(pi*) - J(pi) of any distribution pi, in nonnegative terms; `log_ratio` receives log(pi* / pi_ref)."""
    top = reward[_best(reward)]
    total = 0.0
    if eta == math.inf:
        for a in range(reward.size):
            total += policy[a] * (top - reward[a])
        return total
    threshold = _clipped_excess(code, alpha, solve(code, alpha, reward, reference, eta, log_ratio))
    for a in range(reward.size):
        x = policy[a] / reference[a]
        y = math.exp(log_ratio[a])
        if log_ratio[a] == -math.inf:
            total += reference[a] * bregman(code, alpha, x, 0.0, math.inf)
            total += policy[a] * max(eta * (top - reward[a]) - threshold, 0.0)
        else:
            total += reference[a] * bregman(code, alpha, x, y, _log_quotient(x, y, log_ratio[a]))
    return total / eta


@jit
def _near(log_x, log_y):
    """Whether two ratios, neither of them clipped, are within a factor sqrt(e)."""
    return log_x > -math.inf and log_y > -math.inf and abs(log_x - log_y) < 0.5


@jit
def policy_plug_in_gap(code, alpha, estimate, reward, reference, eta, log_ratio, log_played):
    """Gap under `reward` of the policy that is optimal for `estimate`; two (K,) workspaces.

    The terms are those of `policy_gap`. So that a small error of the estimate costs no accuracy, the move of
    an arm's log ratio is not the difference of two solutions but the shift by c - eta u_a, where
    u = estimate - reward and c = nu(estimate) - nu(reward) solves sum_a pi_ref(a) (x'_a - x_a) = 0. Arms
    that move by more than a factor sqrt(e) keep the difference.
    """
    if code == KL:
        return kl_plug_in_gap(estimate, reward, reference, eta, log_played, log_ratio)
    if eta == math.inf:
        return reward[_best(reward)] - reward[_best(estimate)]
    top = reward[_best(reward)]
    log_best = solve(code, alpha, reward, reference, eta, log_ratio)
    log_best_played = solve(code, alpha, estimate, reference, eta, log_played)
    change = eta * (estimate[_best(estimate)] - top)
    change += slope(code, alpha, log_best) - slope(code, alpha, log_best_played)
    above = 0.0
    fall = 0.0
    for a in range(reward.size):  # one step of Newton, against the rounding of the two slopes
        if _near(log_played[a], log_ratio[a]):
            w = shift(code, alpha, log_ratio[a], change - eta * (estimate[a] - reward[a]))
            above += reference[a] * math.exp(log_ratio[a]) * math.expm1(w)
            fall += reference[a] * inverse_curvature(code, alpha, log_ratio[a] + w)
        else:
            above += reference[a] * (math.exp(log_played[a]) - math.exp(log_ratio[a]))
            fall += reference[a] * inverse_curvature(code, alpha, log_played[a])
    if 0.0 < fall < math.inf:
        change += above / fall
    threshold = _clipped_excess(code, alpha, log_best)
    total = 0.0
    for a in range(reward.size):
        x = math.exp(log_played[a])
        if log_ratio[a] == -math.inf:
            total += reference[a] * bregman(code, alpha, x, 0.0, math.inf)
            total += reference[a] * x * max(eta * (top - reward[a]) - threshold, 0.0)
        else:
            w = log_played[a] - log_ratio[a]
            if _near(log_played[a], log_ratio[a]):
                w = shift(code, alpha, log_ratio[a], change - eta * (estimate[a] - reward[a]))
            total += reference[a] * bregman(code, alpha, x, math.exp(log_ratio[a]), w)
    return total / eta


# ------------------------------------------------------------------------------------------------------------
# Rows of contexts
# ------------------------------------------------------------------------------------------------------------


@jit
def each_policy(code, alpha, reward, reference, eta, out):
    for i in range(reward.shape[0]):
        optimal_policy(code, alpha, reward[i], reference[i], eta, out[i])


@jit
def each_log_policy(code, alpha, reward, reference, eta, out):
    for i in range(reward.shape[0]):
        optimal_log_policy(code, alpha, reward[i], reference[i], eta, out[i])


@jit
def each_value(code, alpha, reward, reference, eta, work, out):
    for i in range(reward.shape[0]):
        out[i] = optimal_value(code, alpha, reward[i], reference[i], eta, work)


@jit
def each_gap(code, alpha, policy, reward, reference, eta, work, out):
    for i in range(reward.shape[0]):
        out[i] = policy_gap(code, alpha, policy[i], reward[i], reference[i], eta, work)


@jit
def each_plug_in_gap(code, alpha, estimate, reward, reference, eta, work, played, out):
    for i in range(reward.shape[0]):
        out[i] = policy_plug_in_gap(code, alpha, estimate[i], reward[i], reference[i], eta, work, played)


@jit
def each_divergence(code, alpha, policy, reference, out):
    for i in range(policy.shape[0]):
        out[i] = f_divergence(code, alpha, policy[i], reference[i])


# ------------------------------------------------------------------------------------------------------------
# Functions over NumPy arrays
# ------------------------------------------------------------------------------------------------------------


def code_of(name: str, alpha: float | None) -> tuple[int, float]:
    """Code and order of a regularizer."""
    if not isinstance(name, str):
        raise TypeError(f"regularizer: expected a name, got {name!r}")
    checks.known("regularizer", name, CODES)
    if name != "alpha":
        if alpha is not None:
            raise ValueError(f"alpha: only the regularizer 'alpha' takes it, not {name!r}")
        return CODES[name], 0.0
    if alpha is None:
        raise ValueError("alpha: missing, the regularizer 'alpha' needs its order (a number other than 0 and 1)")
    order = checks.finite("alpha", alpha, -math.inf)
    if order in (0.0, 1.0):
        raise ValueError(f"alpha: {order:g} is not allowed; use {'kl' if order else 'forward_kl'!r}, its limit")
    return ALPHA, order


def _rows(name: str, value: ArrayLike) -> Array:
    """A (..., K) array of finite floats, K >= 1."""
    try:
        x = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected an array of numbers, got {type(value).__name__}") from None
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"{name}: expected shape (..., K) with K >= 1, got {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"{name}: {x[~np.isfinite(x)][0]:g} is not allowed, must be finite")
    return x


def _distributions(name: str, value: ArrayLike, *, positive: bool) -> Array:
    """A (..., K) array of distributions, normalised to rounding."""
    p = _rows(name, value)
    if positive and not (p > 0.0).all():
        raise ValueError(f"{name}: {p.min():g} is not allowed, every arm needs positive reference mass")
    if not (p >= 0.0).all():
        raise ValueError(f"{name}: {p.min():g} is not allowed, probabilities are at least 0")
    total = p.sum(axis=-1, keepdims=True)
    worst = total.flat[np.abs(total - 1.0).argmax()] if total.size else 1.0
    if abs(worst - 1.0) > 1e-9:
        raise ValueError(f"{name}: sums to {worst:.12g}, must sum to 1")
    return p / total


def _broadcast(**rows: Array) -> tuple[tuple[int, ...], list[Array]]:
    """The common shape (..., K), and each array as (n, K) rows."""
    shapes = ", ".join(f"{name} {x.shape}" for name, x in rows.items())
    if len({x.shape[-1] for x in rows.values()}) > 1:
        raise ValueError(f"shapes: numbers of arms differ ({shapes}), the last axis is arms")
    try:
        shape = np.broadcast_shapes(*(x.shape for x in rows.values()))
    except ValueError:
        raise ValueError(f"shapes: {shapes} do not broadcast") from None
    return shape, [np.array(np.broadcast_to(x, shape), order="C").reshape(-1, shape[-1]) for x in rows.values()]


def _eta(eta: float) -> float:
    return checks.number("eta", eta, 0.0, closed=False)


def policy(name: str, reward: ArrayLike, reference: ArrayLike, eta: float, *, alpha: float | None = None) -> Array:
    """The regularized optimal policy pi* = argmax <pi, r> - D_f(pi || pi_ref) / eta.

    Parameters
    ----------
    name : {"kl", "forward_kl", "chi2", "alpha", "js", "kl_chi2"}
        The regularizer D_f; the table is at the head of this module.
    reward : (..., K) array_like
        Rewards r, finite. Leading axes (contexts) broadcast with those of `reference`.
    reference : (..., K) array_like
        Reference policy, positive, summing to one within 1e-9 (it is then normalised).
    eta : float
        Inverse temperature in (0, inf]; ``inf`` gives the greedy policy, lowest index on ties.
    alpha : float, optional
        Order of the regularizer ``alpha``, other than 0 and 1; required for it and refused for the others.

    Returns
    -------
    (..., K) array
        Distributions over the last axis. ``chi2`` and ``alpha`` > 1 put exactly zero on clipped arms.

    Raises
    ------
    TypeError, ValueError
        In one line, for an unknown regularizer or a value, shape or distribution out of range.

    Examples
    --------
    >>> policy("chi2", [1.0, 0.0], [0.5, 0.5], eta=1.0)
    array([0.75, 0.25])
    """
    code, order = code_of(name, alpha)
    eta = _eta(eta)
    shape, (r, ref) = _broadcast(reward=_rows("reward", reward), reference=_reference(reference))
    out = np.empty_like(r)
    each_policy(code, order, r, ref, eta, out)
    return out.reshape(shape)


def log_policy(name: str, reward: ArrayLike, reference: ArrayLike, eta: float, *, alpha: float | None = None) -> Array:
    """The logarithm of the regularized optimal policy, finite where the policy itself underflows.

    Parameters, Raises
        As for `policy`.

    Returns
    -------
    (..., K) array
        log pi*, at most 0; -inf on clipped arms and, for ``eta = inf``, on all but the greedy one.
    """
    code, order = code_of(name, alpha)
    eta = _eta(eta)
    shape, (r, ref) = _broadcast(reward=_rows("reward", reward), reference=_reference(reference))
    if code == KL and eta < math.inf:  # in NumPy: compiles nothing
        score = np.log(ref) + eta * (r - r.max(axis=1, keepdims=True))
        score -= score.max(axis=1, keepdims=True)
        return (score - np.log(np.exp(score).sum(axis=1, keepdims=True))).reshape(shape)
    out = np.empty_like(r)
    each_log_policy(code, order, r, ref, eta, out)
    return out.reshape(shape)


def value(
    name: str, reward: ArrayLike, reference: ArrayLike, eta: float, *, alpha: float | None = None
) -> float | Array:
    """The regularized optimal value V = max_pi <pi, r> - D_f(pi || pi_ref) / eta.

    Parameters, Raises
        As for `policy`.

    Returns
    -------
    float or (...) array
        Between <pi_ref, r> and max r; max r for ``eta = inf``. A float for one context.
    """
    code, order = code_of(name, alpha)
    eta = _eta(eta)
    shape, (r, ref) = _broadcast(reward=_rows("reward", reward), reference=_reference(reference))
    out = np.empty(len(r))
    each_value(code, order, r, ref, eta, np.empty(shape[-1]), out)
    return _scalar_or_array(out, shape)


def gap(
    name: str,
    policy: ArrayLike,
    reward: ArrayLike,
    reference: ArrayLike,
    eta: float,
    *,
    alpha: float | None = None,
) -> float | Array:
    """The suboptimality J(pi*) - J(pi) of any policy pi, as a sum of nonnegative terms.

    For ``kl`` it is KL(pi || pi*) / eta; for ``eta = inf`` it is max r - <pi, r>.

    Parameters
    ----------
    name : {"kl", "forward_kl", "chi2", "alpha", "js", "kl_chi2"}
        The regularizer D_f.
    policy : (..., K) array_like
        Nonnegative probabilities that sum to one within 1e-9. Zeros are allowed; under ``forward_kl`` and
        ``alpha`` < 0 their gap is infinite.
    reward, reference, eta, alpha
        As for `policy`; leading axes of the three arrays broadcast.

    Returns
    -------
    float or (...) array
        At least 0; a float for one context.

    Raises
    ------
    TypeError, ValueError
        In one line, for an unknown regularizer or a value, shape or distribution out of range.
    """
    code, order = code_of(name, alpha)
    eta = _eta(eta)
    shape, (pi, r, ref) = _broadcast(
        policy=_distributions("policy", policy, positive=False),
        reward=_rows("reward", reward),
        reference=_reference(reference),
    )
    out = np.empty(len(r))
    each_gap(code, order, pi, r, ref, eta, np.empty(shape[-1]), out)
    return _scalar_or_array(out, shape)


def plug_in_gap(
    name: str,
    estimate: ArrayLike,
    reward: ArrayLike,
    reference: ArrayLike,
    eta: float,
    *,
    alpha: float | None = None,
) -> float | Array:
    """The suboptimality, under `reward`, of the policy that is optimal for an estimate of it.

    It equals ``gap(name, policy(name, estimate, ...), reward, ...)``, but keeps its relative accuracy
    however close the estimate is. For independent errors of small variances v_a its mean is
    (eta / 2) sum_a q_a (1 - q_a / sum q) v_a with q = pi_ref / f''(pi* / pi_ref).

    Parameters
    ----------
    name : {"kl", "forward_kl", "chi2", "alpha", "js", "kl_chi2"}
        The regularizer D_f.
    estimate : (..., K) array_like
        Estimated rewards, finite.
    reward, reference, eta, alpha
        As for `policy`; leading axes of the three arrays broadcast.

    Returns
    -------
    float or (...) array
        At least 0; a float for one context.

    Raises
    ------
    TypeError, ValueError
        In one line, for an unknown regularizer or a value, shape or distribution out of range.
    """
    code, order = code_of(name, alpha)
    eta = _eta(eta)
    shape, (q, r, ref) = _broadcast(
        estimate=_rows("estimate", estimate), reward=_rows("reward", reward), reference=_reference(reference)
    )
    out = np.empty(len(r))
    each_plug_in_gap(code, order, q, r, ref, eta, np.empty(shape[-1]), np.empty(shape[-1]), out)
    return _scalar_or_array(out, shape)


def divergence(name: str, policy: ArrayLike, reference: ArrayLike, *, alpha: float | None = None) -> float | Array:
    """The f-divergence D_f(policy || reference) of the regularizer.

    Parameters
    ----------
    name : {"kl", "forward_kl", "chi2", "alpha", "js", "kl_chi2"}
        The regularizer D_f.
    policy : (..., K) array_like
        Nonnegative probabilities that sum to one within 1e-9, zeros allowed.
    reference, alpha
        As for `policy`; leading axes of the two arrays broadcast.

    Returns
    -------
    float or (...) array
        At least 0; inf for a zero under ``forward_kl`` and ``alpha`` < 0. A float for one context.

    Raises
    ------
    TypeError, ValueError
        In one line, for an unknown regularizer or a value, shape or distribution out of range.
    """
    code, order = code_of(name, alpha)
    shape, (pi, ref) = _broadcast(
        policy=_distributions("policy", policy, positive=False), reference=_reference(reference)
    )
    out = np.empty(len(pi))
    each_divergence(code, order, pi, ref, out)
    return _scalar_or_array(out, shape)


def _reference(reference: ArrayLike) -> Array:
    return _distributions("reference", reference, positive=True)


def _scalar_or_array(out: Array, shape: tuple[int, ...]) -> float | Array:
    return float(out[0]) if len(shape) == 1 else out.reshape(shape[:-1])
