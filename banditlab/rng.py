"""One random stream per (seed, stream, replication): xoshiro256++ in a ``uint64[4]``, seeded by splitmix64.

Environment and learner draw from different streams, so two learners meet the same world where the setting allows.
The state is advanced in place. Every function runs compiled and uncompiled with the same bits.

References
----------
Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47 (2021), xoshiro256++ and splitmix64.
Marsaglia and Tsang, "The ziggurat method", J. Stat. Softw. 5 (2000); Doornik (2005) for its form in doubles.
Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000).
Hormann, "The generation of binomial random variates", J. Stat. Comput. Simul. 46 (1993), algorithm BTRS.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from banditlab.jit import DISABLED, jit

ENVIRONMENT = 0
"""Stream of the environment's draws: actions and rewards."""
LEARNER = 1
"""Stream of a learner's own draws (posterior sampling)."""
DATA = 2
"""Stream of an offline dataset; its size is the fourth number of the stream."""

if DISABLED:  # wrap-around is what these generators are made of
    warnings.filterwarnings("ignore", message="overflow encountered", category=RuntimeWarning)

_MASK = 0xFFFFFFFFFFFFFFFF
_GOLDEN = 0x9E3779B97F4A7C15
_U11, _U17, _U19, _U23, _U41, _U45 = (np.uint64(k) for k in (11, 17, 19, 23, 41, 45))
_LAYER = np.uint64(255)
_TO_UNIT = 1.0 / 9007199254740992.0  # 2^-53


def _mix(z: int) -> int:
    """Finalizer of splitmix64."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def stream(seed: int, kind: int, replication: int, *more: int) -> np.ndarray:
    """A fresh generator state, (4,) uint64.

    Each of the integers passes through the splitmix64 finalizer before the next is added, so neighbouring
    seeds, kinds and replications give unrelated states.

    Parameters
    ----------
    seed, replication, *more : int
        Nonnegative.
    kind : int
        `ENVIRONMENT`, `LEARNER` or `DATA`.
    """
    z = _mix((seed + _GOLDEN) & _MASK)
    z = _mix(((z ^ kind) + _GOLDEN) & _MASK)
    for number in (replication, *more):
        z = _mix(((z ^ number) + _GOLDEN) & _MASK)
    return np.array([_mix((z + i * _GOLDEN) & _MASK) for i in range(1, 5)], dtype=np.uint64)


@jit
def bits(state):
    """64 random bits; advances `state`."""
    s0 = state[0]
    s1 = state[1]
    s2 = state[2]
    s3 = state[3]
    x = s0 + s3
    result = ((x << _U23) | (x >> _U41)) + s0
    t = s1 << _U17
    s2 = s2 ^ s0
    s3 = s3 ^ s1
    state[1] = s1 ^ s2
    state[0] = s0 ^ s3
    state[2] = s2 ^ t
    state[3] = (s3 << _U45) | (s3 >> _U19)
    return result


@jit
def uniform(state):
    """Uniform on {0, 1, ..., 2^53 - 1} / 2^53."""
    return np.float64(bits(state) >> _U11) * _TO_UNIT


def _ziggurat_tables(layers: int, r: float, area: float) -> tuple[np.ndarray, np.ndarray]:
    """Right edges x_i of the layers and the ratios x_{i+1}/x_i."""
    x = np.zeros(layers + 1)
    x[0] = area / math.exp(-0.5 * r * r)
    x[1] = r
    for i in range(2, layers):
        x[i] = math.sqrt(-2.0 * math.log(area / x[i - 1] + math.exp(-0.5 * x[i - 1] * x[i - 1])))
    return x, x[1:] / x[:-1]


_TAIL = 3.6541528853610088
_EDGE, _RATIO = _ziggurat_tables(256, _TAIL, 0.00492867323399)


@jit
def normal(state):
    """Standard normal, by the ziggurat with 256 layers."""
    while True:
        z = bits(state)
        i = np.int64(z & _LAYER)
        u = 2.0 * (np.float64(z >> _U11) * _TO_UNIT) - 1.0
        if abs(u) < _RATIO[i]:
            return u * _EDGE[i]
        if i == 0:  # the tail beyond _TAIL
            while True:
                x = -math.log(1.0 - uniform(state)) / _TAIL
                y = -math.log(1.0 - uniform(state))
                if 2.0 * y >= x * x:
                    return _TAIL + x if u > 0.0 else -_TAIL - x
        x = u * _EDGE[i]
        f0 = math.exp(-0.5 * (_EDGE[i] * _EDGE[i] - x * x))
        f1 = math.exp(-0.5 * (_EDGE[i + 1] * _EDGE[i + 1] - x * x))
        if f1 + uniform(state) * (f0 - f1) < 1.0:
            return x


@jit
def normal_from_two(state):
    """Standard normal from exactly two uniforms (Box and Muller), for environments: the stream stays aligned."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(state)))
    return radius * math.cos(6.283185307179586 * uniform(state))


@jit
def exponential(state):
    """Exponential of mean 1."""
    return -math.log(1.0 - uniform(state))


@jit
def gamma(state, shape):
    """Gamma of the given shape > 0 and scale 1."""
    boost = 1.0
    if shape < 1.0:
        boost = math.exp(math.log(1.0 - uniform(state)) / shape)
        shape = shape + 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(state)
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        u = 1.0 - uniform(state)
        x2 = x * x
        if u < 1.0 - 0.0331 * x2 * x2 or math.log(u) < 0.5 * x2 + d * (1.0 - v + math.log(v)):
            return boost * d * v


@jit
def beta(state, a, b):
    """Beta of shapes a, b > 0."""
    x = gamma(state, a)
    y = gamma(state, b)
    if x + y > 0.0:
        return x / (x + y)
    return 1.0 if uniform(state) * (a + b) < a else 0.0  # both underflowed: shapes near 0, where the law is two-point


@jit
def categorical(state, pi):
    """Index drawn from the distribution `pi` (K,), by one uniform; never an index of probability zero."""
    u = uniform(state)
    last = 0
    for a in range(pi.size):
        if pi[a] > 0.0:
            last = a
            u -= pi[a]
            if u < 0.0:
                return a
    return last


@jit
def categorical_from_logs(state, log_weight, weight):
    """Index drawn with probability proportional to exp(log_weight), by one uniform; -inf is never drawn.

    The largest of `log_weight` (M,) is subtracted from all in place, which keeps running sums in range; `weight` (M,)
    is a workspace.
    """
    top = -math.inf
    for i in range(log_weight.size):
        top = max(top, log_weight[i])
    total = 0.0
    for i in range(log_weight.size):
        log_weight[i] -= top
        weight[i] = math.exp(log_weight[i])
        total += weight[i]
    u = uniform(state) * total
    chosen = 0
    for i in range(log_weight.size):
        if weight[i] > 0.0:
            chosen = i
            u -= weight[i]
            if u < 0.0:
                break
    return chosen


_STIRLING = np.array(
    [
        0.08106146679532726,
        0.04134069595540929,
        0.02767792568499834,
        0.02079067210376509,
        0.01664469118982119,
        0.01387612882307075,
        0.01189670994589177,
        0.01041126526197209,
        0.009255462182712733,
        0.008330563433362871,
    ]
)


@jit
def _stirling_tail(k):
    """log k! minus Stirling's main terms."""
    if k <= 9.0:
        return _STIRLING[np.int64(k)]
    k1 = k + 1.0
    return (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / (k1 * k1)) / (k1 * k1)) / k1


@jit
def binomial(state, n, p):
    """Binomial(n, p) for 0 <= n <= 10^14 and p in [0, 1]; the cost does not grow with n.

    Beyond, the logarithms of the acceptance ratio, of order n, lose the digits that tell neighbours apart.
    """
    if n <= 0 or p <= 0.0:
        return 0
    if p >= 1.0:
        return n
    if p > 0.5:
        return n - _binomial_half(state, n, 1.0 - p)
    return _binomial_half(state, n, p)


@jit
def _binomial_half(state, n, p):
    """Binomial for 0 < p <= 1/2: waiting times for a small mean, else transformed rejection (BTRS)."""
    q = 1.0 - p
    if n * p < 10.0:  # sum of geometric waiting times
        scale = math.log1p(-p)
        total = 0.0
        hits = 0
        while True:
            wait = math.log(1.0 - uniform(state)) / scale
            if wait >= n - total:  # where p is tiny, beyond every integer
                return hits
            total += math.floor(wait) + 1.0
            hits += 1
    sd = math.sqrt(n * p * q)
    b = 1.15 + 2.53 * sd
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    squeeze = 0.92 - 4.2 / b
    odds = p / q
    alpha = (2.83 + 5.1 / b) * sd
    mode = math.floor((n + 1) * p)
    while True:
        u = uniform(state) - 0.5
        v = 1.0 - uniform(state)
        us = 0.5 - abs(u)
        if us <= 0.0:
            continue
        k = math.floor((2.0 * a / us + b) * u + c)
        if k < 0 or k > n:
            continue
        if us >= 0.07 and v <= squeeze:
            return np.int64(k)
        log_v = math.log(v * alpha / (a / (us * us) + b))
        bound = (
            (mode + 0.5) * math.log((mode + 1.0) / (odds * (n - mode + 1.0)))
            + (n + 1.0) * math.log((n - mode + 1.0) / (n - k + 1.0))
            + (k + 0.5) * math.log(odds * (n - k + 1.0) / (k + 1.0))
            + _stirling_tail(mode * 1.0)
            + _stirling_tail((n - mode) * 1.0)
            - _stirling_tail(k * 1.0)
            - _stirling_tail((n - k) * 1.0)
        )
        if log_v <= bound:
            return np.int64(k)


@jit
def multinomial(state, n, p, out):
    """Write Multinomial(n, p) counts; p (K,) sums to one. A sequence of binomials of what is left.

    The last entry of positive probability takes what is left, so that none of probability zero has a count.
    """
    last = p.size - 1
    while last > 0 and p[last] <= 0.0:
        last -= 1
    left = n
    rest = 1.0
    for i in range(p.size):
        hits = 0
        if i == last:
            hits = left
        elif i < last and left > 0 and p[i] > 0.0:
            hits = binomial(state, left, min(p[i] / rest, 1.0))
        rest -= p[i]
        left -= hits
        out[i] = hits
