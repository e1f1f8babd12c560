"""Rewards from preferences: Bradley-Terry maximum likelihood, and its online Newton step.

Arm a beats arm b in context x with probability sigma(r(x, a) - r(x, b)). With features phi, r = phi' theta and a
comparison is a row z = phi(x, a) - phi(x, b) of a logistic regression; without, every context has a parameter an arm
and rows e_a - e_b, a regression of its own. Contexts being finite, win counts are sufficient: at most K (K - 1) / 2
weighted rows a context enter a fit, whatever the horizon. A *block* is a regression: one in all with features, one a
context without.

References
----------
Xiong et al. 2024, arXiv:2312.11456 (preferences, regularized maximum likelihood); Filippi, Cappe, Garivier and
Szepesvari 2010 (generalised linear bandits); Bach 2010, arXiv:0910.4627 (Newton's method for logistic loss). The
constants are reconstructed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks, confidence
from banditlab.confidence import logistic_slope
from banditlab.jit import jit, jit_apart
from banditlab.regression import dot, factorise, invert, solve_lower, solve_upper

TOLERANCE = 1e-10
"""Squared Newton decrement g' H^{-1} g at which the last step is taken; what remains is of the order of its square."""

EAGER = 200
"""Comparisons of a block up to which each brings a fit; afterwards their number grows by a twentieth in between."""

REFRESH = 1024
"""Comparisons of a block between two computations of the inverses from their matrices; rank-one updates in between."""

_STEPS = 200
_SLACK = 1e-12


class Logistic(NamedTuple):
    """A logistic regression on preferences; build it with `maximum_likelihood` or `fitted`.

    Whoever observes calls `update(x, a, b, y)`, which says whether the estimate changed. S contexts, K arms; B = 1
    block of d parameters with features, B = S blocks of d = K parameters without.
    """

    features: np.ndarray  # (S, K, d) phi; (S, K, 0) without features
    tabular: bool  # no features: a parameter each arm and context
    lam: float  # ridge of the loss
    initial: float  # V starts as initial I
    bound: float  # known: with features |theta*| <= bound, without max r - min r <= bound in each context; or inf
    ball: float  # radius in which online estimates stay
    curvature: float  # kappa of the online Newton step; 0: sigma' at the estimate
    wins: np.ndarray  # (S, K, K) comparisons of a with b in context x that a won, in [x, a, b]
    seen: np.ndarray  # (B,) int64 comparisons
    due: np.ndarray  # (B,) int64 comparisons at which the next fit is due
    estimate: np.ndarray  # (B, d) theta, not projected
    projected: np.ndarray  # (B, d) theta in the known range, from which rewards are predicted
    hessian: np.ndarray  # (B, d, d) H = lam I + sum sigma'(z' theta) z z'; online: each term as of its round
    factor: np.ndarray  # (B, d, d) lower triangle L of H = L L', as of the last fit
    covariance: np.ndarray  # (B, d, d) H^{-1}
    gram: np.ndarray  # (B, d, d) V = initial I + sum z z', up to date at each comparison
    inverse: np.ndarray  # (B, d, d) V^{-1}
    gain: np.ndarray  # (B,) log det V - d log initial
    rows: np.ndarray  # (S K (K - 1) / 2, 3) int64 workspace: the pairs compared, as x, a < b
    row: np.ndarray  # (d,) workspace: z
    step: np.ndarray  # (d,) workspace: gradient, then Newton step
    square: np.ndarray  # (d, d) workspace
    along: np.ndarray  # (K, d) workspace

    def update(self, x, a, b, y):
        """Take in a comparison: see `learn`."""
        return learn(self, x, a, b, y)


class OnlineLogistic(Logistic):
    """As `Logistic`, estimated by online Newton steps; build it with `online_newton`."""

    __slots__ = ()

    def update(self, x, a, b, y):
        """Take in a comparison: see `learn_online`."""
        return learn_online(self, x, a, b, y)


def _logistic(features: ArrayLike, lam: float, bound: float, initial: float | None, curvature: float = 0.0) -> Logistic:
    phi = np.array(features, dtype=np.float64, order="C")
    if phi.ndim != 3 or min(phi.shape[:2]) < 1:
        raise ValueError(f"features: shape {phi.shape} is not allowed, must be (S, K, d) with S, K >= 1, d >= 0")
    if not np.isfinite(phi).all():
        raise ValueError("features: a value that is not finite is not allowed, must be finite")
    lam = checks.finite("lam", lam, 0.0, closed=False)
    bound = checks.number("bound", bound, 0.0, closed=False)
    initial = lam if initial is None else checks.finite("initial", initial, 0.0, closed=False)
    S, K, d = phi.shape
    tabular = d == 0
    B, d = (S, K) if tabular else (1, d)
    eye = np.tile(np.eye(d), (B, 1, 1))
    return Logistic(
        features=phi,
        tabular=tabular,
        lam=lam,
        initial=initial,
        bound=bound,
        ball=0.5 * math.sqrt(K) * bound if tabular else bound,
        curvature=curvature,
        wins=np.zeros((S, K, K)),
        seen=np.zeros(B, dtype=np.int64),
        due=np.ones(B, dtype=np.int64),
        estimate=np.zeros((B, d)),
        projected=np.zeros((B, d)),
        hessian=lam * eye,
        factor=math.sqrt(lam) * eye,
        covariance=eye / lam,
        gram=initial * eye,
        inverse=eye / initial,
        gain=np.zeros(B),
        rows=np.zeros((S * K * (K - 1) // 2, 3), dtype=np.int64),
        row=np.zeros(d),
        step=np.zeros(d),
        square=np.zeros((d, d)),
        along=np.zeros((K, d)),
    )


def maximum_likelihood(
    features: ArrayLike, lam: float, *, bound: float = math.inf, initial: float | None = None
) -> Logistic:
    """A Bradley-Terry regression without comparisons, to be fitted by regularized maximum likelihood.

    The loss is sum softplus(u) - y u + (lam / 2) |theta|^2, u = z' theta, y = 1 where the first arm won.

    Parameters
    ----------
    features : (S, K, d) array
        phi, finite; d = 0 for tabular rewards, where the ridge fixes the gauge: parameters of a context sum to zero.
    lam : float
        Ridge > 0.
    bound : float
        Known bound > 0 into which predictions are projected: of |theta*| with features, of the range of the rewards
        of a context without; inf: no projection.
    initial : float, optional
        V starts as initial I, > 0; lam unless given, lam / kappa for the ellipsoid of `confidence.logistic_ellipsoid`.

    Raises
    ------
    TypeError, ValueError
        Where a parameter is outside its range.
    """
    return _logistic(features, lam, bound, initial)


def online_newton(
    features: ArrayLike,
    lam: float,
    *,
    bound: float = math.inf,
    curvature: float | None = None,
    initial: float | None = None,
) -> OnlineLogistic:
    """A Bradley-Terry regression without comparisons, estimated by online Newton steps: O(d^2) a comparison.

    H <- H + kappa z z', theta <- theta - H^{-1} (sigma(z' theta) - y) z, then the nearest point of the ball in the
    norm of H. Without features the ball is that of centred rewards in the range, |theta| <= sqrt(K) bound / 2.

    Parameters
    ----------
    features, lam, bound, initial
        As of `maximum_likelihood`; H starts as lam I.
    curvature : float, optional
        kappa in (0, 1/4], the least slope of sigma on the known range (`confidence.logistic_slope`); the slope at
        the estimate unless given, which is the practical choice.

    Raises
    ------
    TypeError, ValueError
        Where a parameter is outside its range.
    """
    kappa = 0.0 if curvature is None else checks.finite("curvature", curvature, 0.0, 0.25, closed=False)
    return OnlineLogistic(*_logistic(features, lam, bound, initial, kappa))


def fitted(
    features: ArrayLike, wins: ArrayLike, lam: float, *, bound: float = math.inf, initial: float | None = None
) -> Logistic:
    """The Bradley-Terry regression of win counts, fitted.

    Parameters
    ----------
    features, lam, bound, initial
        As of `maximum_likelihood`.
    wins : (S, K, K) array
        Comparisons of a with b in context x that a won in [x, a, b], >= 0, zero for a = b; fractions are allowed.

    Raises
    ------
    TypeError, ValueError
        Where a parameter is outside its range.
    """
    state = maximum_likelihood(features, lam, bound=bound, initial=initial)
    table = np.asarray(wins, dtype=np.float64)
    if table.shape != state.wins.shape:
        raise ValueError(f"wins: shape {table.shape} is not allowed, must be {state.wins.shape}")
    allowed = np.isfinite(table) & (table >= 0.0) & ((table == 0.0) | ~np.eye(table.shape[1], dtype=bool))
    if not allowed.all():
        x, a, b = np.argwhere(~allowed)[0]
        need = "finite and at least 0" if a != b else "0"
        raise ValueError(f"wins[{x}, {a}, {b}]: {table[x, a, b]:g} is not allowed, must be {need}")
    state.wins[:] = table
    refit(state)
    return state


# Comparisons


@jit
def block_of(state, x):
    """The block of context x."""
    return x if state.tabular else 0


@jit
def difference(features, x, a, b, out):
    """Write z = phi(x, a) - phi(x, b), or e_a - e_b without features."""
    for i in range(out.size):
        if features.shape[2] > 0:
            out[i] = features[x, a, i] - features[x, b, i]
        else:
            out[i] = (1.0 if i == a else 0.0) - (1.0 if i == b else 0.0)


@jit
def next_fit(t):
    """The number of comparisons at which the fit after that at t is due: t + 1 up to 200, then ceil(1.05 t)."""
    if t < EAGER:
        return t + 1
    return (21 * t + 19) // 20


@jit
def record(state, x, a, b, y):
    """Take in the comparison of arm a with another arm b in context x, y = 1 where a won: counts and V, no fit."""
    block = x if state.tabular else 0
    z = state.row
    difference(state.features, x, a, b, z)
    state.wins[x, a, b] += y
    state.wins[x, b, a] += 1.0 - y
    state.seen[block] += 1
    if state.seen[block] % REFRESH == 0:
        _gather(state, block)
    else:
        q = _rank_one(state.gram[block], state.inverse[block], z, 1.0, state.step)
        state.gain[block] += math.log1p(q)


@jit
def learn(state, x, a, b, y):
    """Take in the comparison of arms a and b in context x, y = 1 where a won; returns whether the estimate changed.

    A comparison of an arm with itself says nothing and is left out. The fit is on the schedule of `next_fit`.
    """
    if a == b:
        return False
    record(state, x, a, b, y)
    block = x if state.tabular else 0
    if state.seen[block] < state.due[block]:
        return False
    fit(state, block)
    state.due[block] = next_fit(state.seen[block])
    return True


@jit_apart
def _gather(state, block):
    """V, V^{-1} and the gain from the win counts of a block; returns the comparisons in them."""
    gram = state.gram[block]
    pairs = _compared(state.wins, block if state.tabular else -1, state.rows)
    z = state.row
    for i in range(z.size):
        for j in range(z.size):
            gram[i, j] = state.initial if i == j else 0.0
    total = 0.0
    for k in range(pairs):
        x, a, b = state.rows[k, 0], state.rows[k, 1], state.rows[k, 2]
        n = state.wins[x, a, b] + state.wins[x, b, a]
        total += n
        difference(state.features, x, a, b, z)
        for i in range(z.size):
            for j in range(z.size):
                gram[i, j] += n * z[i] * z[j]
    factorise(gram, 0.0, state.initial, state.square)
    invert(state.square, state.inverse[block], state.step)
    gain = 0.0
    for i in range(z.size):
        gain += 2.0 * math.log(state.square[i, i])
    state.gain[block] = gain - z.size * math.log(state.initial)
    return total


# Maximum likelihood


@jit_apart
def fit(state, block):
    """Fit a block to its win counts, from the present estimate; then H, L, H^{-1} and the projection.

    Newton's method. Where a step s would move a margin by m = max |z' s| > 1 it is shortened to log(1 + m) / m: since
    |sigma''| <= sigma', curvature changes by at most e^m on the way, and every step lowers the loss by at least a
    quarter of its length times g' H^{-1} g (Armijo's condition, without evaluating the loss).
    """
    theta = state.estimate[block]
    hessian = state.hessian[block]
    factor = state.factor[block]
    step = state.step
    rows = state.rows
    pairs = _compared(state.wins, block if state.tabular else -1, rows)
    last = False
    for _ in range(_STEPS):
        _differentiate(state.features, state.wins, rows, pairs, state.lam, theta, step, hessian, state.row)
        factorise(hessian, 0.0, state.lam, factor)
        if last:
            break
        solve_lower(factor, step)
        last = dot(step, step) <= TOLERANCE
        solve_upper(factor, step)
        m = 0.0
        for k in range(pairs):
            m = max(m, abs(_margin(state.features, rows[k], step)))
        length = 1.0 if m <= 1.0 else math.log1p(m) / m
        for i in range(theta.size):
            theta[i] -= length * step[i]
        if state.tabular:  # along the gauge only the ridge has curvature: rounding there would be divided by lam
            mean = 0.0
            for i in range(theta.size):
                mean += theta[i] / theta.size
            for i in range(theta.size):
                theta[i] -= mean
    invert(factor, state.covariance[block], step)
    project(theta, state.bound, state.tabular, state.projected[block])


@jit
def refit(state):
    """Recompute all from `wins`: counts, V, V^{-1} and the fit of every block; for counts written by hand."""
    for block in range(state.seen.size):
        state.seen[block] = int(_gather(state, block))
        state.due[block] = next_fit(state.seen[block])
        fit(state, block)


@jit
def loss(state, block, theta):
    """sum softplus(u) - y u over the comparisons of a block at parameters theta (d,): no ridge."""
    total = 0.0
    for k in range(_compared(state.wins, block if state.tabular else -1, state.rows)):
        x, a, b = state.rows[k, 0], state.rows[k, 1], state.rows[k, 2]
        u = _margin(state.features, state.rows[k], theta)
        behind = state.wins[x, b, a] if u >= 0.0 else state.wins[x, a, b]
        total += (state.wins[x, a, b] + state.wins[x, b, a]) * math.log1p(math.exp(-abs(u))) + behind * abs(u)
    return total


@jit
def _compared(wins, context, rows):
    """List as (x, a, b), a < b, the pairs compared in a context, in all where it is -1; returns how many."""
    m = 0
    for x in range(wins.shape[0]) if context < 0 else range(context, context + 1):
        for a in range(wins.shape[1]):
            for b in range(a + 1, wins.shape[1]):
                if wins[x, a, b] + wins[x, b, a] > 0.0:
                    rows[m, 0] = x
                    rows[m, 1] = a
                    rows[m, 2] = b
                    m += 1
    return m


@jit
def _margin(features, pair, theta):
    """z' theta for a pair (x, a, b)."""
    x, a, b = pair[0], pair[1], pair[2]
    if features.shape[2] == 0:
        return theta[a] - theta[b]
    u = 0.0
    for i in range(theta.size):
        u += (features[x, a, i] - features[x, b, i]) * theta[i]
    return u


@jit
def _differentiate(features, wins, rows, pairs, lam, theta, g, hessian, z):
    """Write gradient (d,) and Hessian (d, d) of the regularized loss at theta; z (d,) is workspace."""
    d = theta.size
    tabular = features.shape[2] == 0
    for i in range(d):
        g[i] = 0.0
        for j in range(d):
            hessian[i, j] = lam if i == j else 0.0
    for k in range(pairs):
        x, a, b = rows[k, 0], rows[k, 1], rows[k, 2]
        u = _margin(features, rows[k], theta)
        e = math.exp(-abs(u))
        behind = (wins[x, a, b] + wins[x, b, a]) * e / (1.0 + e)  # expected wins of the arm that is behind
        v = wins[x, b, a] - behind if u >= 0.0 else behind - wins[x, a, b]  # no cancellation at large margins
        c = behind / (1.0 + e)
        if tabular:
            g[a] += v
            g[b] -= v
            hessian[a, a] += c
            hessian[b, b] += c
            hessian[b, a] -= c
            continue
        difference(features, x, a, b, z)
        for i in range(d):
            g[i] += v * z[i]
            w = c * z[i]
            for j in range(i + 1):
                hessian[i, j] += w * z[j]
    for i in range(d):
        g[i] += lam * theta[i]
        for j in range(i):
            hessian[j, i] = hessian[i, j]


# Online Newton step


@jit
def learn_online(state, x, a, b, y):
    """As `learn`, by one online Newton step: the estimate changes at every comparison of two arms."""
    if a == b:
        return False
    record(state, x, a, b, y)
    block = x if state.tabular else 0
    theta = state.estimate[block]
    hessian = state.hessian[block]
    covariance = state.covariance[block]
    difference(state.features, x, a, b, state.row)
    newton_step(theta, hessian, covariance, state.curvature, state.ball, state.row, y, state.square)
    if state.seen[block] % REFRESH == 0:
        factorise(hessian, 0.0, state.lam, state.factor[block])
        invert(state.factor[block], covariance, state.step)
    project(theta, state.bound, state.tabular, state.projected[block])
    return True


@jit
def newton_step(theta, hessian, covariance, curvature, radius, z, y, square):
    """One online Newton step in place on a comparison z with outcome y; z may be overwritten.

    Parameters
    ----------
    theta : (d,) array
        Estimate.
    hessian, covariance : (d, d) arrays
        H, to which curvature z z' is added, and its inverse.
    curvature : float
        Weight of z z'; 0: sigma'(z' theta).
    radius : float
        Of the ball in which theta stays.
    z : (d,) array
        phi(x, a) - phi(x, b).
    y : float
        1 where a won, else 0.
    square : (d, d) array
        Workspace; its first rows hold vectors.
    """
    u = dot(z, theta)
    c = curvature if curvature > 0.0 else logistic_slope(u)
    q = _rank_one(hessian, covariance, z, c, square[0])  # leaves H^{-1} z of before, (1 + q) times that of after
    residual = (confidence.logistic(u) - y) / (1.0 + q)
    for i in range(z.size):
        theta[i] -= residual * square[0, i]
    project_ball(hessian, radius, theta, square, z)


@jit
def project_ball(matrix, radius, theta, factor, moment):
    """Move theta to the nearest point of the ball |theta| <= radius in the norm of a positive definite matrix.

    The point is (A + mu I)^{-1} A theta with the mu >= 0 at which its norm is the radius. 1 / norm is concave and
    increasing in mu, so Newton's method on it from 0 increases to the root. Workspaces: factor (d, d), moment (d,).
    """
    d = theta.size
    length = math.sqrt(dot(theta, theta))
    if length <= radius:
        return
    for i in range(d):
        moment[i] = dot(matrix[i], theta)
    mu = 0.0
    factorise(matrix, mu, mu, factor)
    for _ in range(_STEPS):
        solve_lower(factor, theta)
        mu += length * length / dot(theta, theta) * (length / radius - 1.0)
        factorise(matrix, mu, mu, factor)
        for i in range(d):
            theta[i] = moment[i]
        solve_lower(factor, theta)
        solve_upper(factor, theta)
        length = math.sqrt(dot(theta, theta))
        if length <= radius * (1.0 + _SLACK):
            break
    for i in range(d):
        theta[i] *= min(1.0, radius / length)


# Linear algebra


@jit
def _rank_one(matrix, inverse, z, weight, along):
    """Add weight z z' to a matrix, and to its inverse by Sherman and Morrison; returns weight z' A^{-1} z of before.

    A^{-1} z of before is left in `along`.
    """
    d = z.size
    for j in range(d):
        along[j] = 0.0
    for i in range(d):
        for j in range(d):
            along[j] += z[i] * inverse[i, j]
    q = weight * dot(z, along)
    for i in range(d):
        u = weight * z[i]
        for j in range(d):
            matrix[i, j] += u * z[j]
    for i in range(d):
        v = weight * along[i] / (1.0 + q)
        for j in range(d):
            inverse[i, j] -= v * along[j]
    return q


# What is known: projection, predictions, widths


@jit
def project(theta, bound, tabular, out):
    """Write theta with the known range imposed; `out` may be theta itself.

    Tabular: theta - max theta, not below -bound. Otherwise theta rescaled to a norm of at most bound.
    """
    if tabular:
        top = theta[0]
        for i in range(theta.size):
            top = max(top, theta[i])
        for i in range(theta.size):
            out[i] = max(theta[i] - top, -bound)
        return
    length = math.sqrt(dot(theta, theta))
    factor = bound / length if length > bound else 1.0
    for i in range(theta.size):
        out[i] = factor * theta[i]


@jit
def rewards(state, x, out):
    """Write the projected estimates of the rewards of context x, up to a constant: (K,)."""
    for a in range(out.size):
        out[a] = state.projected[x, a] if state.tabular else dot(state.features[x, a], state.projected[0])


@jit
def norm(inverse, v):
    """sqrt(v' M v) for a direction v (d,); M is a block of `state.inverse` or `state.covariance`."""
    total = 0.0
    for i in range(v.size):
        total += v[i] * dot(inverse[i], v)
    return math.sqrt(max(total, 0.0))


@jit
def width(state, inverses, x, a, b):
    """sqrt(z' M z) for the pair a, b in context x; `inverses` is `state.inverse` (V) or `state.covariance` (H)."""
    if state.tabular:
        return math.sqrt(max(inverses[x, a, a] + inverses[x, b, b] - 2.0 * inverses[x, a, b], 0.0))
    difference(state.features, x, a, b, state.row)
    return norm(inverses[0], state.row)


@jit
def widths(state, inverses, x, out):
    """Write `width` of all pairs of context x, (K, K), in O(K d^2 + K^2 d)."""
    phi = state.features[x]
    along = state.along
    d = phi.shape[1]
    for a in range(phi.shape[0]):
        for i in range(d):
            along[a, i] = 0.0
        for j in range(d):
            for i in range(d):
                along[a, i] += phi[a, j] * inverses[0, j, i]
    for a in range(phi.shape[0]):
        out[a, a] = 0.0
        for b in range(a):
            total = 0.0
            if state.tabular:
                total = inverses[x, a, a] + inverses[x, b, b] - 2.0 * inverses[x, a, b]
            for i in range(d):
                total += (phi[a, i] - phi[b, i]) * (along[a, i] - along[b, i])
            out[a, b] = math.sqrt(max(total, 0.0))
            out[b, a] = out[a, b]


# Confidence sets


def ellipsoid_radius(state: Logistic, block: int, delta: float, radius: float, reach: float) -> float:
    """Radius of the ellipsoid |theta - theta*|_V around the fit of a block, now.

    `confidence.logistic_ellipsoid` with the least slope of sigma on the segment between the fit and any theta* in the
    ball, so that it needs no projection: margins there are at most reach max(radius, |theta|).

    Parameters
    ----------
    state : Logistic
        A fitted regression.
    block : int
        Its block.
    delta : float
        Failure probability in (0, 1), of this block, for all rounds together.
    radius : float
        Bound B of |theta*|, > 0.
    reach : float
        Bound of |z|: 2 for features of norm at most 1, sqrt(2) without features.

    Raises
    ------
    ValueError
        Where V starts so high that the ridge does not cover it: initial slope > lam at the known range.
    """
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    radius = checks.finite("radius", radius, 0.0, closed=False)
    reach = checks.finite("reach", reach, 0.0, closed=False)
    slope = logistic_slope(reach * max(radius, float(np.linalg.norm(state.estimate[block]))))
    if slope * state.initial > state.lam * (1.0 + _SLACK):
        raise ValueError(
            f"initial: {state.initial:g} is not allowed, must be at most lam / slope = {state.lam / slope:g}"
        )
    gain = float(state.gain[block])
    return confidence.logistic_ellipsoid(gain, state.initial, slope, state.lam, delta, radius)


def likelihood_excess(state: Logistic, block: int, theta: ArrayLike, radius: float) -> float:
    """Loss of parameters over the least loss in the ball |theta| <= radius, both without ridge.

    The minimum in the ball is the fit with the ridge mu >= 0 at which its norm is the radius, found by bisection; a
    fit at mu = 1e-8 stands for mu = 0, where there may be none.

    Parameters
    ----------
    state : Logistic
        Its win counts are used.
    block : int
        Its block.
    theta : (d,) array
        Parameters.
    radius : float
        Radius > 0 of the ball.
    """
    radius = checks.finite("radius", radius, 0.0, closed=False)
    chosen = slice(block, block + 1) if state.tabular else slice(None)
    other = maximum_likelihood(state.features[chosen], 1.0)
    other.wins[:] = state.wins[chosen]

    def at(log_mu: float) -> np.ndarray:
        fit(other._replace(lam=math.exp(log_mu)), 0)
        return other.estimate[0]

    low, high = math.log(1e-8), math.log(1e-8)
    if np.linalg.norm(at(low)) > radius:
        while np.linalg.norm(at(high)) > radius:
            low, high = high, high + 4.0
        while high - low > 1e-10:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if np.linalg.norm(at(middle)) > radius else (low, middle)
    least = loss(other, 0, at(high))
    return loss(other, 0, checks.vector("theta", theta, size=state.row.size)) - least


def in_likelihood_set(state: Logistic, block: int, theta: ArrayLike, radius: float, delta: float) -> bool:
    """Whether theta is in the likelihood-ratio set of a block, which holds theta* at all rounds but for delta.

    |theta| <= radius and `likelihood_excess` at most `confidence.likelihood_ratio` at the summed lengths of rows.

    Parameters
    ----------
    state, block, theta, radius
        As of `likelihood_excess`.
    delta : float
        Failure probability in (0, 1).
    """
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    theta = checks.vector("theta", theta, size=state.row.size)
    if np.linalg.norm(theta) > radius:
        return False
    if state.tabular:
        length = math.sqrt(2.0) * float(state.wins[block].sum())
    else:
        rows = np.linalg.norm(state.features[:, :, None] - state.features[:, None], axis=-1)
        length = float((rows * state.wins).sum())
    level = confidence.likelihood_ratio(theta.size, radius, length, delta)
    return likelihood_excess(state, block, theta, radius) <= level
