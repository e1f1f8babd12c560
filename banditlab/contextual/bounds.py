r"""Bounds and laws of contextual bandits, online and offline, as functions of the instance.

An upper bound carries the keyword parameters and defaults of its algorithm, so that it can be drawn beside that run;
where the theorem says nothing about the run it is NaN. A law, named ``law_`` and the algorithm, is what the mean
suboptimality follows to first order in 1/n, or online a number, the limit of d Reg / d log t.

Throughout, r are the mean rewards, s2 their variances, p = pi* the regularized optimum, rho the law of contexts, mu the
behaviour, and D^2 = E_{rho, pi*}[1 / (rho mu)] = sum_{s,a} pi*(a|s) / mu(a|s) <= S K C^{pi*}.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks, confidence, protocol, regularizer
from banditlab.contextual.dataset import Dataset
from banditlab.contextual.instances import hard_size
from banditlab.contextual.problem import Contextual

# ---------------------------------------------------------------------------------------------------------------
# Offline: what a policy from these data, or from n samples, loses at most
# ---------------------------------------------------------------------------------------------------------------


def good_event(problem: Contextual, dataset: Dataset, *, scale: float = 1.0, delta: float = 0.05) -> bool:
    """Whether tables' lower bounds hold, of kl_pcb, forward_kl_pcb and pessimistic f_pcb: means within their widths.

    The empirical mean of every pair with samples is within `Dataset.width` of the truth; at scale 1 this has
    probability at least 1 - delta, whatever the counts. It says nothing about algorithms with other widths, such as
    `kl_lin_pcb` and `kl_finite_pcb`.

    Parameters
    ----------
    problem : Contextual
    dataset : Dataset
        From this problem.
    scale : float
        Factor >= 0 of the widths.
    delta : float
        Failure probability in (0, 1].
    """
    error = np.abs(dataset.means(0.0) - problem.mean)
    return bool((error <= dataset.width(scale, delta))[dataset.counts > 0.0].all())


def certificate(problem: Contextual, dataset: Dataset, *, scale: float = 1.0, delta: float = 0.05) -> float:
    r"""Suboptimality at most, given data and `good_event`, of kl_pcb, forward_kl_pcb and f_pcb with scale > 0.

    Given the event no failure is possible. It is a theorem for policies that are optimal for max(floor, mean - b), b =
    `Dataset.width`, and the floor where there is no sample: not for `kl_lin_pcb` or `kl_finite_pcb`, whose widths are
    others. With w = min(ceiling - floor, 2 b), and ceiling - floor where there is no sample,

        SubOpt <= sum_s rho_s min{ E_{pi*} w, (eta / 2) E_{pi*} w^2 },

    the second term under the regularizer KL only.

    Parameters
    ----------
    problem : Contextual
        Under any regularizer.
    dataset : Dataset
        From this problem.
    scale, delta
        As given to the algorithm; any scale >= 0 is covered, as the event is part of the assumption.

    Returns
    -------
    float

    Notes
    -----
    On the event u = lower - r lies in [-w, 0], as floor <= r <= ceiling. For any divergence the gap is at most
    <pi* - pi, r - lower> <= E_{pi*}|u|. Under KL it is eta times the integral over t in [0, 1] of t Var_{pi_t}(u) with
    pi_t prop. to pi* exp(-t eta |u|); that tilt falls and u^2 grows in |u|, so Var_{pi_t}(u) <= E_{pi*} u^2.

    References
    ----------
    Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026, arXiv:2502.06051; the constants are this package's.
    """
    span = problem.ceiling - problem.floor
    w = np.minimum(2.0 * dataset.width(scale, delta), span)
    bound = (problem.optimal * w).sum(axis=1)
    if problem.regularizer == regularizer.KL and problem.eta < math.inf:
        bound = np.minimum(bound, 0.5 * problem.eta * (problem.optimal * w * w).sum(axis=1))
    return float(problem.law @ bound)


def kl_pcb(problem: Contextual, samples: ArrayLike, *, scale: float = 0.5, delta: float = 0.05) -> np.ndarray:
    r"""High-probability suboptimality of KL-PCB: O(eta D^2 / n) and, free of eta, O(sqrt(D^2 / n)).

    With probability at least 1 - 2 delta, for each n where it is finite,

        SubOpt <= min{ eta V^2 / 2, V },      V = 2 (1 + scale) sigma sqrt(L D^2 / n),      L = log(2 S K / delta);

    at scale 1 and sigma = 1/2: min{2 eta L D^2 / n, 2 sqrt(L D^2 / n)}.

    Parameters
    ----------
    problem : Contextual
        Under KL, with any behaviour policy.
    samples : (C,) array_like
        Sample sizes n >= 1.
    scale, delta
        As given to `banditlab.contextual.kl_pcb`.

    Returns
    -------
    (C,) ndarray
        inf where the coverage is infinite. NaN for another regularizer, for scale < 1, whose lower bounds are too
        seldom lower bounds, and for n at which the counts are not known to be large enough.

    Notes
    -----
    *Event.* Given the counts N, |mean - r| <= b = sigma sqrt(2 L / N) fails for a pair with probability at most
    2 e^{-L} = delta / (S K), hence for some pair at most delta. N of a pair is Binomial(n, rho mu); the probability
    that N < n rho mu / 2, which is at most exp(-n rho mu / 8), summed exactly over the pairs with pi* > 0 must be at
    most delta, else the value is NaN. *Bound.* The lower bounds are off by at most (1 + scale) b, and b^2 <= 4 sigma^2
    L / (n rho mu) where N >= n rho mu / 2. As in `certificate`, SubOpt <= (eta / 2) E[(1 + scale)^2 b^2], expectations
    over rho and pi*, and SubOpt <= (1 + scale) E[b] <= (1 + scale) sqrt(E[b^2]): both terms have E[1 / (rho mu)] =
    D^2, which is never above S K C^{pi*}. They cross at eta = sqrt(n / (L D^2)) at scale 1 and sigma = 1/2.

    References
    ----------
    Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026, arXiv:2502.06051, and Ji, Di, Zhao, Zhao and Gu 2026, arXiv:2605.02141, for
    the rates; the constants are this package's.
    """
    scale, delta = _scale_and_delta(scale, delta)
    n = np.asarray(samples, dtype=np.float64)
    if problem.regularizer != regularizer.KL or scale < 1.0:
        return np.full(n.shape, math.nan)
    chance = (problem.law[:, None] * problem.behaviour)[problem.optimal > 0.0]
    squared = _sampled(problem.optimal, np.ones(problem.mean.shape), problem.behaviour)
    if math.isnan(squared):
        return np.full(n.shape, math.inf)
    level = math.log(2.0 * problem.mean.size / delta)
    width = 2.0 * (1.0 + scale) * problem.sigma * np.sqrt(level * squared / n)
    bound = np.minimum(0.5 * problem.eta * width * width, width)
    return np.where(_few_samples(n, chance) <= delta, bound, math.nan)


def forward_kl_pcb(problem: Contextual, samples: ArrayLike, *, scale: float = 0.5, delta: float = 0.05) -> np.ndarray:
    r"""High-probability suboptimality of forward-KL-PCB: of the first order, O(n^{-1/2}).

    With probability at least 1 - 2 delta, for each n where it is finite,

        SubOpt <= sum_{s,a} rho pi* min{ r - floor, 2 (1 + scale) sigma sqrt(L / (n rho mu)) },  L = log(2 S K / delta).

    Parameters
    ----------
    problem : Contextual
        With any behaviour policy: a pair that is never sampled costs r - floor. It holds under every regularizer, for
        the policy that is optimal for the lower bounds.
    samples : (C,) array_like
        Sample sizes n >= 1.
    scale, delta
        As given to `banditlab.contextual.forward_kl_pcb`.

    Returns
    -------
    (C,) ndarray
        NaN for scale < 1, whose lower bounds are too seldom lower bounds, and for n at which the counts are not known
        to be large enough.

    Notes
    -----
    With lower bounds below the truth a gap is at most E_{pi*}[r - lower], under every regularizer. The event is that of
    `kl_pcb`; a pair that is never sampled has no part in it. A bound of order 1/n is not known for this policy, though
    its mean suboptimality is of that order (`law_pessimistic`).

    References
    ----------
    Zhao, Ji, Zhao and Gu 2026, arXiv:2605.09214, for the policy; the constants are this package's.
    """
    scale, delta = _scale_and_delta(scale, delta)
    n = np.asarray(samples, dtype=np.float64)
    if scale < 1.0:
        return np.full(n.shape, math.nan)
    chance = problem.law[:, None] * problem.behaviour
    level = math.log(2.0 * chance.size / delta)
    with np.errstate(divide="ignore"):
        width = 2.0 * (1.0 + scale) * problem.sigma * np.sqrt(level / (n[:, None, None] * chance))
    loss = np.minimum(problem.mean - problem.floor, width)
    bound = np.einsum("s,sa,csa->c", problem.law, problem.optimal, loss)
    return np.where(_few_samples(n, chance[(problem.optimal > 0.0) & (chance > 0.0)]) <= delta, bound, math.nan)


def _few_samples(n: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """(C,) sum over pairs of the probability that Binomial(n, chance) < n chance / 2."""
    from scipy import special

    at_least = np.ceil(0.5 * n[:, None] * chance)
    return special.betaincc(at_least, n[:, None] - at_least + 1.0, chance).sum(axis=1)


def f_pcb(
    problem: Contextual, samples: ArrayLike, *, scale: float = 0.0, delta: float = 0.05, unseen: float = 0.5
) -> np.ndarray:
    r"""Mean suboptimality of the plug-in policy at most, under a strongly convex divergence: no coverage enters.

        E SubOpt <= (eta / 2) E_{rho, pi_ref}[ s2 E[1{N >= 1} / N] + (1 - rho mu)^n (unseen - r)^2 ],

    N Binomial(n, rho mu). For mu = pi_ref it is (eta / 2n) sum_{s,a} s2 + o(1/n), whatever the reference.

    Parameters
    ----------
    problem : Contextual
        Under ``chi2`` or ``kl_chi2`` (or ``alpha`` of order 2, the same as ``chi2``), with f'' >= 1; eta finite.
    samples : (C,) array_like
        Sample sizes n >= 1.
    scale, delta, unseen
        As given to `banditlab.contextual.f_pcb`.

    Returns
    -------
    (C,) ndarray
        NaN under another regularizer, for scale > 0 and at eta = inf.

    Notes
    -----
    The gap of the policy that is optimal for an estimate q is the Bregman divergence of the value, whose Hessian is at
    most eta diag(pi_ref) where f'' >= 1, so that gap <= (eta / 2) E_{pi_ref}[(q - r)^2]. The mean of 1/N is exact where
    n rho mu <= 16 and rho mu <= .999; it is at most .3 % too large where n rho mu > 16, else 5 %, because 1/N is at
    most sum_{j < 4} j! / ((N+1) ... (N+j+1)) + 6 4! / ((N+1) ... (N+5)) for N >= 1, and E[1 / ((N+1) ... (N+m))] at
    most 1 / ((n+1) ... (n+m) (rho mu)^m).

    References
    ----------
    Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026, arXiv:2502.06051, for the rate; the constants are this package's.
    """
    scale, _ = _scale_and_delta(scale, delta)
    unseen = checks.finite("unseen", unseen, -math.inf)
    n = np.asarray(samples, dtype=np.float64)
    square = problem.regularizer == regularizer.ALPHA and problem.alpha == 2.0
    strongly_convex = square or problem.regularizer in (regularizer.CHI2, regularizer.KL_CHI2)
    if not strongly_convex or scale > 0.0 or problem.eta == math.inf:
        return np.full(n.shape, math.nan)
    rho = problem.law[:, None]
    inverse, none = _inverse_counts(n[:, None, None], rho * problem.behaviour)
    error = problem.variance * inverse + none * (unseen - problem.mean) ** 2
    return 0.5 * problem.eta * (rho * problem.reference * error).sum(axis=(1, 2))


def _inverse_counts(n: np.ndarray, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E[1{N >= 1} / N], or a little more, and P(N = 0), for N Binomial(n, chance)."""
    n, chance = np.broadcast_arrays(n, chance)
    with np.errstate(divide="ignore", over="ignore"):
        none = np.exp(n * np.log1p(-chance))
        inverse, term = np.zeros(n.shape), 1.0 / ((n + 1.0) * chance)
        for j in range(4):
            inverse += term
            term = term * (j + 1.0) / ((n + j + 2.0) * chance)
        inverse = np.minimum(inverse + 6.0 * term, 1.0)
    few = (n * chance <= 16.0) & (chance <= 0.999)
    m, p = n[few], chance[few]
    mass, exact = none[few], np.zeros(m.shape)
    for k in range(1, 100):  # mass of N = k; what is beyond is below 1e-40
        mass = mass * np.maximum(m - k + 1.0, 0.0) / k * (p / (1.0 - p))
        exact += mass / k
    inverse[few] = exact
    return inverse, none


# ---------------------------------------------------------------------------------------------------------------
# Offline: first-order laws
# ---------------------------------------------------------------------------------------------------------------


def law_plug_in(problem: Contextual, samples: ArrayLike, *, unseen: float = 0.5) -> np.ndarray:
    r"""Mean suboptimality of the plug-in policy from n samples, to first order in 1/n.

        (eta / 2n) sum_{s,a} q (1 - q / sum_b q_b) s2 / mu,      q = pi_ref / f''(pi* / pi_ref), 0 where pi* = 0.

    Under KL q = pi*, under forward KL pi*^2 / pi_ref, under chi-square pi_ref on the support of pi*.

    Parameters
    ----------
    problem : Contextual
        Under any regularizer, with any behaviour policy.
    samples : (C,) array_like
        Sample sizes n >= 1.
    unseen : float
        As given to `banditlab.contextual.plug_in`; the limit does not depend on it.

    Returns
    -------
    (C,) ndarray
        NaN at eta = inf, and where an arm is never sampled: its estimate is `unseen` for every n.

    Notes
    -----
    Derived: the value has the Hessian eta (diag q - q q' / sum q), and the errors of the means are independent with
    variances s2 / (n rho mu); the rho of the weight cancels. The law fails where an arm is just at the edge of the
    support of pi* (chi-square, alpha >= 2), where the value has no second derivative. It needs many samples of every
    arm that enters.
    """
    checks.finite("unseen", unseen, -math.inf)
    n = np.asarray(samples, dtype=np.float64)
    if problem.eta == math.inf or (problem.behaviour == 0.0).any():
        return np.full(n.shape, math.nan)
    return _plug_in_coefficient(problem, _curvature(problem)) / n


def _curvature(problem: Contextual) -> np.ndarray:
    """(S, K) q = pi_ref / f''(pi* / pi_ref), 0 where pi* = 0: the value has Hessian eta (diag q - q q' / sum q)."""
    if problem.regularizer == regularizer.KL:
        return problem.optimal
    kind = problem.regularizer, problem.alpha
    log_ratio = problem.log_optimal - np.log(problem.reference)
    inverse = [regularizer.inverse_curvature(*kind, v) for v in log_ratio.ravel().tolist()]
    return np.where(problem.optimal > 0.0, problem.reference * np.reshape(inverse, log_ratio.shape), 0.0)


def _plug_in_coefficient(problem: Contextual, q: np.ndarray) -> float:
    weight = q * (1.0 - q / q.sum(axis=1, keepdims=True))
    return 0.5 * problem.eta * _sampled(weight, problem.variance, problem.behaviour)


def _sampled(weight: np.ndarray, values: np.ndarray, behaviour: np.ndarray) -> float:
    """Sum of weight values / behaviour over the pairs of positive weight; NaN where one of them is not sampled."""
    kept = weight > 0.0
    if (behaviour[kept] == 0.0).any():
        return math.nan
    return math.fsum(weight[kept] * values[kept] / behaviour[kept])


def law_pessimistic(problem: Contextual, samples: ArrayLike, *, scale: float = 0.5, delta: float = 0.05) -> np.ndarray:
    r"""Mean suboptimality of a pessimistic policy from n samples, to first order in 1/n: the plug-in's and a bias.

        law_plug_in + (eta / n) scale^2 sigma^2 L sum_{s,a} q (c - sum_b q_b c_b / sum_b q_b)^2,      c = mu^{-1/2},

    q as in `law_plug_in` and L = log(2 S K / delta). Under KL the sum is that of Var_{pi*(.|s)}(c) over contexts.

    Parameters
    ----------
    problem : Contextual
        Under any regularizer, with any behaviour policy.
    samples : (C,) array_like
        Sample sizes n >= 1.
    scale, delta
        As given to `banditlab.contextual.kl_pcb`, `forward_kl_pcb` or `f_pcb`.

    Returns
    -------
    (C,) ndarray
        NaN at eta = inf, where an arm with q > 0 is never sampled, and where the mean of one is at the floor, which
        clips its estimate for every n, unless scale is 0 and its reward does not vary.

    Notes
    -----
    Derived: the estimate is off by noise of mean 0 and by -scale sigma sqrt(2 L / (n rho mu)); the suboptimality is to
    second order half the quadratic form of the Hessian at that sum, in which the two do not interact. It fails where
    `law_plug_in` does.
    """
    scale, delta = _scale_and_delta(scale, delta)
    n = np.asarray(samples, dtype=np.float64)
    if problem.eta == math.inf:
        return np.full(n.shape, math.nan)
    q = _curvature(problem)
    clipped = (problem.mean <= problem.floor) & ((problem.variance > 0.0) | (scale > 0.0))
    if (clipped | (problem.behaviour == 0.0))[q > 0.0].any():
        return np.full(n.shape, math.nan)
    c = 1.0 / np.sqrt(np.where(q > 0.0, problem.behaviour, 1.0))
    centred = c - (q * c).sum(axis=1, keepdims=True) / q.sum(axis=1, keepdims=True)
    level = math.log(2.0 * q.size / delta)
    bias = problem.eta * (scale * problem.sigma) ** 2 * level * math.fsum((q * centred * centred).ravel())
    return (_plug_in_coefficient(problem, q) + bias) / n


def law_kl_pcb(problem: Contextual, samples: ArrayLike, *, scale: float = 0.5, delta: float = 0.05) -> np.ndarray:
    """`law_pessimistic` for KL-PCB; NaN under another regularizer than KL."""
    law = law_pessimistic(problem, samples, scale=scale, delta=delta)
    return law if problem.regularizer == regularizer.KL else np.full(law.shape, math.nan)


def law_f_pcb(
    problem: Contextual, samples: ArrayLike, *, scale: float = 0.0, delta: float = 0.05, unseen: float = 0.5
) -> np.ndarray:
    """`law_plug_in` where scale is 0, else `law_pessimistic`: to first order what `f_pcb` loses in the mean."""
    if _scale_and_delta(scale, delta)[0] > 0.0:
        checks.finite("unseen", unseen, -math.inf)
        return law_pessimistic(problem, samples, scale=scale, delta=delta)
    return law_plug_in(problem, samples, unseen=unseen)


def law_kl_lin_pcb(
    problem: Contextual, samples: ArrayLike, *, scale: float = 0.2, delta: float = 0.05, lam: float = 1.0
) -> np.ndarray:
    r"""Mean suboptimality of KL-LinPCB from n samples, to first order in 1/n: that of least squares and a bias.

        (eta / 2) { tr(H V) + E_rho Var_{pi*}(b) },      H = E_rho Cov_{pi*}(phi),      V = Sigma^{-1} M Sigma^{-1} / n.

    Sigma = E_{rho, mu}[phi phi'], M = E_{rho, mu}[s2 phi phi'], and b = scale beta sqrt(phi' Sigma^{-1} phi / n). With
    Gaussian noise V = sigma^2 Sigma^{-1} / n.

    Parameters
    ----------
    problem : Contextual
        Linear, under KL.
    samples : (C,) array_like
        Sample sizes n >= 1.
    scale, delta, lam
        As given to `banditlab.contextual.kl_lin_pcb`; lam enters through beta alone.

    Returns
    -------
    (C,) ndarray
        NaN at eta = inf, under another regularizer, where rewards are not linear or Sigma is singular, and where a mean
        reward is at the floor, which clips its lower bounds for every n.
    """
    scale, delta = _scale_and_delta(scale, delta)
    lam = checks.finite("lam", lam, 0.0, closed=False)
    n, d = np.asarray(samples, dtype=np.float64), problem.parameter.size
    phi, weight = problem.features, problem.law[:, None] * problem.behaviour
    sigma = np.einsum("sa,sai,saj->ij", weight, phi, phi)
    applies = problem.regularizer == regularizer.KL and problem.eta < math.inf and d > 0
    if not applies or np.linalg.matrix_rank(sigma, hermitian=True) < d or (problem.mean <= problem.floor).any():
        return np.full(n.shape, math.nan)
    inverse = np.linalg.inv(sigma)
    noisy = np.einsum("sa,sai,saj->ij", weight * problem.variance, phi, phi)
    norm = np.sqrt(np.einsum("sai,ij,saj->sa", phi, inverse, phi))
    beta = np.array([confidence.ellipsoid(d, int(m), lam, delta, problem.sigma, problem.radius) for m in n.tolist()])
    noise = np.trace(_spread(problem, phi) @ inverse @ noisy @ inverse)
    bias = (scale * beta) ** 2 * float(_spread(problem, norm[:, :, None])[0, 0])
    return 0.5 * problem.eta * (noise + bias) / n


def _spread(problem: Contextual, values: np.ndarray) -> np.ndarray:
    """(m, m) matrix E_rho Cov_{pi*}(values), values (S, K, m)."""
    centred = values - np.einsum("sa,sai->si", problem.optimal, values)[:, None]
    return np.einsum("sa,sai,saj->ij", problem.law[:, None] * problem.optimal, centred, centred)


# ---------------------------------------------------------------------------------------------------------------
# Offline: no algorithm loses less
# ---------------------------------------------------------------------------------------------------------------


def le_cam(contexts: int, coverage: float, eta: float, samples: ArrayLike, *, gap: float | None = None) -> np.ndarray:
    r"""Mean suboptimality of every offline algorithm on `instances.hard_offline` at least, averaged over its signs.

    With p = 1/2 + log(C - 1) / (2 eta), for each gap d in [0, 1 - p],

        E SubOpt >= (1 - TV) log cosh(eta d / 2) / eta,      TV = min(1, sqrt(n kl(p + d, p - d) / (2 S C))).

    Parameters
    ----------
    contexts, coverage, eta
        S, C and eta, as of `instances.hard_offline`.
    samples : (C,) array_like
        Sample sizes n >= 1.
    gap : float, optional
        d; by default the largest value over d is given, a bound for the worst d.

    Returns
    -------
    (C,) ndarray

    Raises
    ------
    ValueError, TypeError
        In one line, where there is no such instance.

    Notes
    -----
    Le Cam's two points in each context. For any policy the gaps under the two signs add up to at least
    2 log cosh(eta d / 2) / eta, because the average of the two objectives is the objective of d = 0; and the laws of
    the data differ in the rewards of the rare arm of that context alone, of which there are n / (S C) in the mean, so
    that Pinsker's inequality bounds their total variation. For eta d << 1 it is eta d^2 / 8, the rate eta S C / n; for
    eta d >> 1 it is d / 2, the rate sqrt(S C / n). At eta = inf it is (1 - TV) d / 2.

    References
    ----------
    Ji, Di, Zhao, Zhao and Gu 2026, arXiv:2605.02141, for the rates.
    """
    S, C, eta, h = hard_size(contexts, coverage, eta)
    n = np.atleast_1d(np.asarray(samples, dtype=np.float64))
    p, largest = 0.5 + 0.5 * h, 0.5 - 0.5 * h
    if gap is not None:
        gap = checks.finite("gap", gap, 0.0, largest)
        return _two_points(p, S * C, eta, n, np.full(n.shape, gap))
    return _worst_gap(p, S * C, eta, n, largest)


def _worst_gap(p: float, inverse: float, eta: float, n: np.ndarray, largest: float) -> np.ndarray:
    """The largest of `_two_points` over gaps up to `largest`, by search on ever finer grids: any gap gives a bound."""
    best = np.zeros(n.shape)
    if largest <= 0.0:
        return best
    low, high = np.full(n.shape, math.log(1e-9 * largest)), np.full(n.shape, math.log(largest))
    for _ in range(4):
        grid = np.linspace(low, high, 201)
        values = _two_points(p, inverse, eta, n, np.minimum(np.exp(grid), largest))
        best = np.maximum(best, values.max(axis=0))
        at, step = np.take_along_axis(grid, values.argmax(axis=0)[None], axis=0)[0], (high - low) / 200.0
        low, high = at - step, np.minimum(at + step, math.log(largest))
    return best


def _two_points(p: float, inverse: float, eta: float, n: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Le Cam's bound for gap d, 1 / `inverse` the probability of the pair that tells the signs apart."""
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = (p + d) * np.log1p(2.0 * d / (p - d))
        miss = np.where(d < 1.0 - p, (1.0 - p - d) * np.log1p(-2.0 * d / (1.0 - p + d)), 0.0)
        distance = np.minimum(np.sqrt(np.maximum(n * (hit + miss), 0.0) / (2.0 * inverse)), 1.0)
    if eta == math.inf:
        return (1.0 - distance) * 0.5 * d
    y = 0.5 * eta * d
    log_cosh = np.where(
        y < 1.0, np.log1p(2.0 * np.sinh(0.5 * np.minimum(y, 1.0)) ** 2), y + np.log1p(np.exp(-2.0 * y)) - math.log(2.0)
    )
    return (1.0 - distance) * log_cosh / eta


def le_cam_of(problem: Contextual, samples: ArrayLike) -> np.ndarray | None:
    """`le_cam` for a member of `instances.hard_offline`, None for any other problem.

    Parameters
    ----------
    problem : Contextual
    samples : (C,) array_like
        Sample sizes n >= 1.

    Returns
    -------
    (C,) ndarray or None
        That of the member's own gap d; of a member of gap 0 the largest over d <= 1 / eta, as far as other members
        resemble it. Both are about the average over signs: one instance by itself has no bound, as it may be guessed.
    """
    mean, reference, eta = problem.mean, problem.reference, problem.eta
    known = problem.regularizer == regularizer.KL and problem.noise == protocol.BERNOULLI
    if not known or mean.shape[1] != 2 or problem.parameter.size:
        return None
    C, S = 1.0 / float(reference[0, 1]), mean.shape[0]
    h = math.log(max(C - 1.0, 1.0)) / eta
    away = np.abs(mean[:, 1] - 0.5 - 0.5 * h)
    expected = [
        (reference[:, 1], 1.0 / C),
        (problem.behaviour[:, 1], 1.0 / C),
        (problem.law, 1.0 / S),
        (mean[:, 0], 0.5 - 0.5 * h),
        (away, away[0]),
    ]
    if (
        C < 2.0 - 1e-9
        or h > 1.0
        or not all(np.allclose(found, value, rtol=0.0, atol=1e-12) for found, value in expected)
    ):
        return None
    C, gap, largest = max(C, 2.0), float(away[0]), 0.5 - 0.5 * h
    if gap > 1e-12:
        return le_cam(S, C, eta, samples, gap=min(gap, largest))
    n = np.atleast_1d(np.asarray(samples, dtype=np.float64))
    return _worst_gap(0.5 + 0.5 * h, S * C, eta, n, min(largest, 1.0 / eta))


# ---------------------------------------------------------------------------------------------------------------
# Online
# ---------------------------------------------------------------------------------------------------------------


def kl_lin_ucb(
    problem: Contextual,
    rounds: int,
    checkpoints: ArrayLike,
    *,
    scale: float = 0.2,
    delta: float = 0.01,
    lam: float = 1.0,
) -> np.ndarray:
    r"""High-probability regret of KL-LinUCB: O(eta d^2 log^2 T) and, free of eta, O(d sqrt(T) log T).

    With probability at least 1 - 2 delta it holds at all rounds t <= T at once:

        Reg(t) <= min{ t M, kappa [ M log(1/delta) + min{ (eta / 2) B^2 P(t), B sqrt(t P(t)) } ] },
        P(t) = min{ t / lam, c d log(1 + t / (lam d)) },   M = min(B / sqrt(lam), eta B^2 / (2 lam)).

    Here B = (1 + scale) beta with beta = `confidence.ellipsoid`, kappa = e / (e - 1) and c = (1 / lam) / log(1 + 1 /
    lam), at most 1 / log 2 for lam >= 1.

    Parameters
    ----------
    problem : Contextual
        Linear, under KL, with any reference, any law of contexts, and either measure.
    rounds : int
        T >= 1, as given to the constructor.
    checkpoints : (C,) array_like of int
        Rounds t in [1, T].
    scale, delta, lam
        As given to `banditlab.contextual.kl_lin_ucb`.

    Returns
    -------
    (C,) ndarray
        NaN for scale < 1, whose indices are not known to be optimistic, for lam < 1, and for a problem that is not
        linear or under another regularizer.

    Notes
    -----
    *1. Optimism.* With probability at least 1 - delta, |theta - theta*|_Lambda <= beta before every round up to T. Then
    u = index - r lies in [0, B w], w^2 = phi' Lambda^{-1} phi <= 1 / lam, for scale >= 1. *2. One round.* The policy
    is the Gibbs policy of the index, so its gap is log E[e^{-eta u}] / eta + E[u] <= E[psi(B w)], expectations under
    that policy and psi(v) = min(v, eta v^2 / 2), because e^{-x} - 1 + x <= min(x, x^2 / 2) for x >= 0. *3. From
    expectations to pairs drawn.* Z = psi(B w) / M of the pair drawn is in [0, 1]; as in `bandits.bounds.kl_ucb`, with
    probability at least 1 - delta, at all t, the sum of conditional means is at most kappa (sum Z + log(1/delta)). The
    condition is the past, with the context too where regret is that at the context drawn. *4. Potential.* w^2 <= c
    log(1 + w^2) as w^2 <= 1 / lam, and the sum of log(1 + w^2) is log det Lambda / det(lam I) <= d log(1 + t / (lam
    d)). Hence sum w^2 <= P, and sum w <= sqrt(t P).

    References
    ----------
    Zhao, Ye, Xiong, Gu and Zhang, ICML 2025, arXiv:2502.07460, for the rate; reconstructed for linear rewards, and the
    constants are this package's. Abbasi-Yadkori, Pal and Szepesvari, NeurIPS 2011, Theorem 2 and Lemma 11.
    """
    scale, delta = _scale_and_delta(scale, delta)
    lam = checks.finite("lam", lam, 0.0, closed=False)
    t = np.asarray(checkpoints, dtype=np.float64)
    d, eta = problem.parameter.size, problem.eta
    if d == 0 or problem.regularizer != regularizer.KL or scale < 1.0 or lam < 1.0:
        return np.full(t.shape, math.nan)
    width = (1.0 + scale) * confidence.ellipsoid(d, rounds, lam, delta, problem.sigma, problem.radius)
    most = min(width / math.sqrt(lam), 0.5 * eta * width * width / lam)
    growth = 1.0 / (lam * math.log1p(1.0 / lam))
    potential = np.minimum(t / lam, growth * d * np.log1p(t / (lam * d)))
    drawn = np.minimum(0.5 * eta * width * width * potential, width * np.sqrt(t * potential))
    kappa = math.e / (math.e - 1.0)
    return np.minimum(t * most, kappa * (drawn - most * math.log(delta)))


def law_kl_lin_greedy(problem: Contextual) -> float:
    r"""Limit of d Reg / d log t for greedy KL-regularized play with linear rewards: (eta / 2) tr(H M^+ G M^+).

    M = E[phi phi'], G = E[s2 phi phi'] and H = E_rho Cov_{pi*}(phi), expectations under rho and pi*. With one variance
    sigma^2 it is (eta / 2) sigma^2 tr(H M^+), at most (eta / 2) sigma^2 d.

    Parameters
    ----------
    problem : Contextual
        Linear, under KL, eta finite.

    Returns
    -------
    float
        NaN where it is not, and where rewards are not linear.

    Notes
    -----
    Derived: in the limit data come from pi*, least squares has the covariance M^+ G M^+ / t, and the gap is to second
    order (eta / 2) E_rho Var_{pi*}(phi' error). Optimism adds a bias of the order of its bonus.
    """
    if problem.parameter.size == 0 or problem.regularizer != regularizer.KL or problem.eta == math.inf:
        return math.nan
    phi, weight = problem.features, problem.law[:, None] * problem.optimal
    second = np.einsum("sa,sai,saj->ij", weight, phi, phi)
    noisy = np.einsum("sa,sai,saj->ij", weight * problem.variance, phi, phi)
    inverse = np.linalg.pinv(second, rcond=1e-12, hermitian=True)
    return 0.5 * problem.eta * float(np.trace(_spread(problem, phi) @ inverse @ noisy @ inverse))


def law_tabular(problem: Contextual) -> float:
    """Limit of d Reg / d log t for greedy KL-regularized play with a mean for each pair: (eta / 2) sum s2 (1 - pi*).

    The law of contexts cancels: a rare context has few rounds and little weight.

    Parameters
    ----------
    problem : Contextual
        Under KL, eta finite.

    Returns
    -------
    float
        NaN where it is not.

    Notes
    -----
    `law_kl_lin_greedy` with one-hot features of the pairs.
    """
    if problem.regularizer != regularizer.KL or problem.eta == math.inf:
        return math.nan
    return 0.5 * problem.eta * math.fsum((problem.variance * (1.0 - problem.optimal)).ravel())


def _scale_and_delta(scale: float, delta: float) -> tuple[float, float]:
    return checks.finite("scale", scale, 0.0), checks.finite("delta", delta, 0.0, 1.0, closed=False)
