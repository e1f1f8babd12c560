r"""Which law does a regret curve follow: log T, log² T, sqrt T or T, with what constant, and how sure is it.

Cumulative regret at successive checkpoints shares almost all of its noise and carries an additive constant
from the first rounds; a least-squares line through ``log R`` against ``log T`` reads both as rate. The dyadic
increments

.. math:: D_k = R(2^{k+1}) - R(2^k)

have neither fault: they cover disjoint windows, so they are nearly uncorrelated, and each law has its own
shape in them (constant for log T, affine in k for log² T, times sqrt 2 an octave for sqrt T, times 2 for T).
The laws are compared on the increments by weighted least squares and the corrected information criterion of
Hurvich and Tsai (1989) [1]_, and every interval resamples whole replications (Efron's percentile bootstrap
[2]_).

References
----------
.. [1] C. M. Hurvich and C.-L. Tsai, "Regression and time series model selection in small samples",
   Biometrika 76 (1989) 297-307.
.. [2] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

DRAWS = 500  # bootstrap draws behind every interval of a `Rate`
LEVEL = 0.95  # their confidence level
FLOOR = 1e-3  # smallest standard error used as a weight, in units of the mean absolute value fitted
PREFERENCE = 4.0  # AICc must fall by more than this before a law replaces a simpler one that it contains
TAIL = 5.0  # "tail-dominated": the largest final regret exceeds this many medians
POWERS = (0.05, 2.0)  # range of the exponent of the optional law T^p

SIMPLE = ("log", "sqrt", "linear")
GROWTH: dict[str, tuple[Callable[[Floats], Floats], ...]] = {
    "log": (np.log,),
    "log2": (np.log, lambda t: np.log(t) ** 2),
    "sqrt": (np.sqrt,),
    "linear": (np.positive,),
}


class Increments(NamedTuple):
    """Dyadic increments of cumulative regret."""

    start: NDArray[np.int64]  # (m,) 2^k, the first end of each octave
    values: Floats  # (R, m) R(2^{k+1}) - R(2^k), one row a replication


class Slopes(NamedTuple):
    """Local log-log slopes of the mean regret, one an octave."""

    rounds: Floats  # (m,) geometric centre sqrt(2) 2^k of the octave
    slope: Floats  # (m,)
    low: Floats  # (m,) ends of the bootstrap interval; nan for a single replication
    high: Floats  # (m,)


class Rate(NamedTuple):
    """The law a regret curve follows."""

    law: str  # "log", "log2", "sqrt", "linear" or "power"
    aicc: dict[str, float]  # corrected information criterion of every law tried, lower is better
    coefficient: float  # leading constant c: c log T, c log² T, c sqrt T, c T or c T^p
    coefficient_low: float  # ends of its bootstrap interval; nan for a single replication
    coefficient_high: float
    slope: float  # `classify`: log-log slope over the last octave; `classify_horizons`: over all horizons
    slope_low: float
    slope_high: float
    tail_dominated: bool  # the largest final regret exceeds five medians
    statistic: str  # "mean", or "median" when tail-dominated: what was classified
    exponent: float  # fitted p of T^p; nan where that law was not tried


class Exponent(NamedTuple):
    """Fitted exponent of a power law, with its bootstrap interval."""

    value: float
    low: float
    high: float


class Summary(NamedTuple):
    """Final regret over replications."""

    mean: float
    se: float  # standard error of the mean; nan for a single replication
    median: float
    q95: float  # 95 % quantile
    tail_dominated: bool  # the largest exceeds five medians


def increments(checkpoints: ArrayLike, regret: ArrayLike) -> Increments:
    """Dyadic increments ``R(2^{k+1}) - R(2^k)`` of cumulative regret.

    Parameters
    ----------
    checkpoints : (C,) int64, increasing, >= 1
        Rounds at which regret was recorded. Those that are powers of two and have their double present are
        used.
    regret : (R, C) float64, finite
        Cumulative regret, one row a replication.

    Returns
    -------
    Increments
        ``start`` (m,) and ``values`` (R, m).

    Raises
    ------
    ValueError
        If the shapes do not match, the checkpoints do not increase, regret is not finite, or m < 3.
    """
    checkpoints, regret = _curves(checkpoints, regret)
    first, second = _octaves(checkpoints, 3)
    return Increments(checkpoints[first], regret[:, second] - regret[:, first])


def classify(
    checkpoints: ArrayLike,
    regret: ArrayLike,
    *,
    first: int | None = None,
    power: bool = False,
    seed: int = 0,
) -> Rate:
    """Law followed by cumulative regret, from its dyadic increments.

    The mean increments are fitted by least squares with weights ``1/se²``, se the standard error over
    replications but at least 1e-3 of the mean absolute increment, to the increments of each law: ``log`` {1},
    ``log2`` {1, k}, ``sqrt`` {2^{k/2}}, ``linear`` {2^k} and, if asked, ``power`` {2^{pk}} with p profiled
    over [0.05, 2]. With p parameters and m increments ``AICc = RSS + 2p + 2p(p+1)/(m-p-1)`` (infinite for m
    <= p + 1). The lowest wins, where ``log2`` competes only if it improves on ``log`` by more than 4 **and**
    the bootstrap interval of its leading coefficient lies above 0, and ``power`` only if it improves on each
    of ``log``, ``sqrt``, ``linear`` by more than 4.

    Parameters
    ----------
    checkpoints : (C,) int64, increasing, >= 1
        Rounds at which regret was recorded; only powers of two are used.
    regret : (R, C) float64, finite
        Cumulative regret, one row a replication.
    first : int, optional
        Smallest checkpoint used (default: all). At least 4K for K arms: before that every algorithm is still
        meeting the arms.
    power : bool
        Try ``T^p`` as well.
    seed : int
        Of the bootstrap: 500 draws of whole replications, 95 % percentile intervals.

    Returns
    -------
    Rate

    Raises
    ------
    ValueError
        As `increments`; or if `first` leaves fewer than 3 increments.

    Notes
    -----
    If the largest regret at the last checkpoint exceeds five medians the mean is that of a few replications:
    the flag ``tail_dominated`` is set and the increments of the **median** curve are classified, with
    bootstrap standard errors.

    With one replication there is no standard error: all weights are the floor's, i.e. the curve is taken to
    be exact to 1e-3 of its mean increment; intervals are nan and ``log2`` is judged by AICc alone.

    A run whose confidence level is fixed in advance (L = log(2KT/delta)) has regret logarithmic in t, and yet
    is called ``log2`` while still in transition. To ask how regret grows with the horizon use
    `classify_horizons`.

    The constant and the interval behind the preference use smoothed weights: log se replaced by its line in
    log t. Where replications are skewed, a column whose mean happens to be small has a small standard error
    too, and weights taken column by column favour it: they bias the constant downwards.

    The intervals are percentile intervals and a little short for few or very skewed replications.

    An increment that falls with k (regret that saturates) is reported as ``log``, the slowest law here.
    """
    checkpoints, regret = _curves(checkpoints, regret)
    if first is not None:
        keep = checkpoints >= first
        checkpoints, regret = checkpoints[keep], regret[:, keep]
    left, right = _octaves(checkpoints, 3)
    tail = _tail(regret[:, -1])
    statistic = "median" if tail else "mean"
    curve = _average(regret, statistic)
    value = curve[right] - curve[left]
    draws, se = None, np.zeros(value.size)
    if regret.shape[0] > 1:
        draws = _resample(regret, statistic, DRAWS, np.random.default_rng(seed))
        changes = regret[:, right] - regret[:, left]
        se = (
            np.std(draws[:, right] - draws[:, left], axis=0, ddof=1)
            if tail
            else np.std(changes, axis=0, ddof=1) / np.sqrt(regret.shape[0])
        )
    last = slice(left.size - 1, None)
    slope = float(_octave_slopes(curve[None], left[last], right[last])[0, 0])
    slope_low, slope_high = _interval(None if draws is None else _octave_slopes(draws, left[last], right[last])[:, 0])
    if draws is not None:
        draws = draws[:, right] - draws[:, left]
    start = checkpoints[left].astype(np.float64)
    law, aicc, coefficient, exponent_ = _select(start, value, se, draws, True, power)
    return Rate(law, aicc, *coefficient, slope, slope_low, slope_high, tail, statistic, exponent_)


def classify_horizons(
    horizons: ArrayLike,
    finals: Sequence[ArrayLike],
    *,
    power: bool = False,
    seed: int = 0,
) -> Rate:
    """Law followed by the final regret of separate studies, one for each horizon.

    For algorithms that are told the horizon, R(T) at different T come from independent runs, so R(T) itself
    is fitted, with an intercept: ``log`` {1, log T}, ``log2`` {1, log T, log² T}, ``sqrt`` {1, sqrt T},
    ``linear`` {1, T}, and if asked ``power`` {1, T^p}. Weights, AICc and the preference between nested laws
    are those of `classify`.

    Parameters
    ----------
    horizons : (m,) increasing, >= 1
        The horizons T, usually dyadic; m >= 4 (``log2`` and ``power`` take part from m = 5).
    finals : m arrays (R_i,) float64, finite
        Final regret of each replication of each study.
    power : bool
        Try ``T^p`` as well.
    seed : int
        Of the bootstrap: replications are resampled within each study, 500 draws, 95 % percentile intervals.

    Returns
    -------
    Rate
        ``slope`` is the overall log-log slope, as in `exponent`.

    Raises
    ------
    ValueError
        If the lengths differ, m < 4, the horizons do not increase, or a study is empty or not finite.

    Notes
    -----
    The tail flag looks at the longest horizon; when it is set the medians are classified. If any study has a
    single replication all weights are the floor's and the intervals are nan.
    """
    horizons, finals = _studies(horizons, finals, "horizons", "finals", 4)
    tail = _tail(finals[-1])
    statistic = "median" if tail else "mean"
    value = np.array([_average(sample, statistic) for sample in finals])
    draws, se = None, np.zeros(value.size)
    if min(sample.size for sample in finals) > 1:
        draws = _resample_studies(finals, statistic, DRAWS, seed)
        se = (
            np.std(draws, axis=0, ddof=1)
            if tail
            else np.array([np.std(sample, ddof=1) / np.sqrt(sample.size) for sample in finals])
        )
    law, aicc, coefficient, exponent_ = _select(horizons, value, se, draws, False, power)
    slope = float(_overall_slopes(horizons, value[None])[0])
    slope_low, slope_high = _interval(None if draws is None else _overall_slopes(horizons, draws))
    return Rate(law, aicc, *coefficient, slope, slope_low, slope_high, tail, statistic, exponent_)


def local_slopes(
    checkpoints: ArrayLike, regret: ArrayLike, *, draws: int = DRAWS, level: float = LEVEL, seed: int = 0
) -> Slopes:
    """Local slopes ``[log R(2^{k+1}) - log R(2^k)] / log 2`` of the mean regret, with bootstrap intervals.

    At the centre t of an octave: 1/2 for sqrt T, 1 for T, about ``1/log t`` for log T (0.08 at 2^17, not 0)
    and ``2/log t`` for log² T.

    Parameters
    ----------
    checkpoints : (C,) int64, increasing, >= 1
        Rounds at which regret was recorded; powers of two that have their double present are used.
    regret : (R, C) float64, finite
        Cumulative regret, one row a replication.
    draws : int, >= 1
        Bootstrap draws of whole replications.
    level : float in (0, 1)
        Of the percentile intervals.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Slopes
        Arrays (m,). A slope is nan where the mean regret is not positive; intervals are nan for one
        replication.

    Raises
    ------
    ValueError
        If the shapes do not match, the checkpoints do not increase or contain no octave, regret is not
        finite, draws < 1 or level is outside (0, 1).
    """
    checkpoints, regret = _curves(checkpoints, regret)
    left, right = _octaves(checkpoints, 1)
    _bootstrap_settings(draws, level)
    slope = _octave_slopes(regret.mean(axis=0)[None], left, right)[0]
    low, high = np.full(slope.size, np.nan), np.full(slope.size, np.nan)
    if regret.shape[0] > 1:
        means = _resample(regret, "mean", draws, np.random.default_rng(seed))
        low, high = _ends(_octave_slopes(means, left, right), level)
    return Slopes(np.sqrt(2.0) * checkpoints[left], slope, low, high)


def exponent(
    x: ArrayLike,
    samples: Sequence[ArrayLike],
    *,
    paired: bool = False,
    draws: int = DRAWS,
    seed: int = 0,
) -> Exponent:
    """Exponent of a power law: least-squares slope of log mean against log x, with its 95 % interval.

    For scaling in the number of arms, in eta, in the horizon.

    Parameters
    ----------
    x : (m,) increasing, > 0
        The quantity that was varied; m >= 2.
    samples : m arrays (R_i,) float64, finite, each with positive mean
        What was measured in each replication at each x.
    paired : bool
        Entry i of every sample belongs to the same replication i, as in a sweep, whose cells share their random
        numbers: whole replications are resampled, whatever their dependence across x. Otherwise samples at
        different x are taken to be independent.
    draws : int, >= 1
        Bootstrap draws; replications are resampled within each x, or jointly if `paired`.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Exponent
        The interval is nan if any x has a single replication, or if a resampled mean is not positive.

    Raises
    ------
    ValueError
        If the lengths differ, m < 2, x does not increase, a sample is empty, not finite or has mean <= 0,
        paired samples differ in size, or draws < 1.
    """
    x, samples = _studies(x, samples, "x", "samples", 2)
    _bootstrap_settings(draws, LEVEL)
    sizes = [sample.size for sample in samples]
    if paired and min(sizes) < max(sizes):
        raise ValueError(f"samples have sizes {sizes}; paired samples must all have the same")
    means = np.array([sample.mean() for sample in samples])
    if not (means > 0.0).all():
        bad = int(np.argmin(means))
        raise ValueError(f"samples[{bad}] has mean {means[bad]:g}; a power law needs positive means")
    value = float(_overall_slopes(x, means[None])[0])
    if min(sizes) < 2:
        return Exponent(value, np.nan, np.nan)
    if paired:
        resampled = _resample(np.stack(samples, axis=1), "mean", draws, np.random.default_rng(seed))
    else:
        resampled = _resample_studies(samples, "mean", draws, seed)
    return Exponent(value, *_interval(_overall_slopes(x, resampled)))


def phase_slopes(horizons: ArrayLike, mean: ArrayLike) -> Floats:
    """Local slopes ``d log R / d log T`` over a grid, the colour of a phase diagram.

    Parameters
    ----------
    horizons : (m,) increasing, > 0
        The horizons T; m >= 2.
    mean : (E, m) float64
        Mean final regret, one row a value of eta.

    Returns
    -------
    (E, m) float64
        Centred differences inside, one-sided at both ends; nan where a mean that is used is not positive.

    Raises
    ------
    ValueError
        If the shapes do not match, m < 2 or the horizons do not increase.
    """
    horizons = _increasing(horizons, "horizons", 2)
    mean = np.asarray(mean, dtype=np.float64)
    if mean.ndim != 2 or mean.shape[1] != horizons.size:
        raise ValueError(f"mean has shape {mean.shape}; it must be (E, {horizons.size}), a column for each horizon")
    x, y = np.log(horizons), _log(mean)
    before = np.maximum(np.arange(x.size) - 1, 0)
    after = np.minimum(np.arange(x.size) + 1, x.size - 1)
    slopes: Floats = (y[:, after] - y[:, before]) / (x[after] - x[before])
    return slopes


def summary(regret_final: ArrayLike) -> Summary:
    """Mean with standard error, median, 95 % quantile and tail flag of the final regret.

    Parameters
    ----------
    regret_final : (R,) float64, finite, R >= 1
        Final regret of each replication.

    Returns
    -------
    Summary

    Raises
    ------
    ValueError
        If `regret_final` is not one-dimensional, is empty or is not finite.
    """
    final = _sample(regret_final, "regret_final")
    se = float(np.std(final, ddof=1) / np.sqrt(final.size)) if final.size > 1 else np.nan
    return Summary(float(final.mean()), se, float(np.median(final)), float(np.quantile(final, 0.95)), _tail(final))


# Fits


def _select(
    t: Floats, value: Floats, se: Floats, draws: Floats | None, octave: bool, power: bool
) -> tuple[str, dict[str, float], tuple[float, float, float], float]:
    """Winning law, AICc of all, its leading coefficient with interval, and the exponent of the power law.

    t (m,) horizons or starts of octaves, value (m,) to be fitted, se (m,), draws (B, m) bootstrap copies of
    value.
    """
    floor = FLOOR * float(np.abs(value).mean())
    se = np.maximum(se, floor) if floor > 0.0 else np.ones(value.size)
    weight = 1.0 / (se * se)
    even = _even_weight(t, se)
    data = value[None] if draws is None else np.concatenate((value[None], draws))
    leading: dict[str, Floats] = {}  # (1 + B,) leading coefficient in the data, then in each draw
    aicc: dict[str, float] = {}
    for law, functions in GROWTH.items():
        design = _design(functions, t, octave)
        residual = value - design @ (_least_squares(design, weight) @ value)
        aicc[law] = _aicc(float(weight @ (residual * residual)), design.shape[1], value.size)
        leading[law] = data @ _least_squares(design, even)[-1]
    exponent_ = np.nan
    if power:
        rss = float(_power(t, value[None], weight, octave)[2][0])
        aicc["power"] = _aicc(rss, 2 if octave else 3, value.size)
        exponent_ = float(_power(t, value[None], even, octave)[0][0])

    rivals = list(SIMPLE)
    if aicc["log"] - aicc["log2"] > PREFERENCE and (draws is None or _interval(leading["log2"][1:])[0] > 0.0):
        rivals.append("log2")
    if power and min(aicc[law] for law in SIMPLE) - aicc["power"] > PREFERENCE:
        rivals.append("power")
    law = min(rivals, key=lambda name: aicc[name])
    if law == "power":
        leading[law] = _power(t, data, even, octave)[1]
    low, high = _interval(None if draws is None else leading[law][1:])
    return law, aicc, (float(leading[law][0]), low, high), exponent_


def _design(functions: Sequence[Callable[[Floats], Floats]], t: Floats, octave: bool) -> Floats:
    """Regressors (m, p), the leading one last: f(2t) - f(t) over octaves, else an intercept and f(t)."""
    if octave:
        return np.stack([f(2.0 * t) - f(t) for f in functions], axis=1)
    return np.stack([np.ones(t.size), *(f(t) for f in functions)], axis=1)


def _least_squares(design: Floats, weight: Floats) -> Floats:
    """The operator (p, m) that takes data to weighted least-squares coefficients."""
    scale = np.abs(design).max(axis=0)  # columns such as {1, T} differ by 10^6
    root = np.sqrt(weight / weight.max())
    operator: Floats = np.linalg.pinv(design / scale * root[:, None]) * root / scale[:, None]
    return operator


def _power(t: Floats, values: Floats, weight: Floats, octave: bool) -> tuple[Floats, Floats, Floats]:
    """Exponent, coefficient and weighted RSS (B,) of c T^p for rows of values (B, m), by ternary search."""
    weight_sum = weight.sum()
    y = values if octave else values - (values @ weight / weight_sum)[:, None]

    def fit(p: Floats) -> tuple[Floats, Floats]:
        x = t ** p[:, None]
        x = (2.0 ** p[:, None] - 1.0) * x if octave else x - (x @ weight / weight_sum)[:, None]
        c = (x * y) @ weight / ((x * x) @ weight)
        return c, (y - c[:, None] * x) ** 2 @ weight

    low, high = (np.full(values.shape[0], end) for end in POWERS)
    for _ in range(60):
        third = (high - low) / 3.0
        left, right = low + third, high - third
        better = fit(left)[1] < fit(right)[1]
        low, high = np.where(better, low, left), np.where(better, right, high)
    p = 0.5 * (low + high)
    return p, *fit(p)


def _even_weight(t: Floats, se: Floats) -> Floats:
    """Weights 1/se² of coefficients and their intervals: log se is replaced by its line in log t."""
    x = np.log(t) - np.log(t).mean()
    log_se = np.log(se)
    smooth = log_se.mean() + (x @ log_se) / (x @ x) * x
    weight: Floats = np.exp(-2.0 * (smooth - smooth.min()))
    return weight


def _aicc(rss: float, parameters: int, m: int) -> float:
    """Corrected information criterion for known variances; infinite where the correction is undefined."""
    if m <= parameters + 1:
        return np.inf
    return rss + 2.0 * parameters + 2.0 * parameters * (parameters + 1) / (m - parameters - 1)


# Bootstrap and slopes


def _resample(rows: Floats, statistic: str, draws: int, rng: np.random.Generator) -> Floats:
    """Statistic of `draws` resamples of the rows of an (R, m) array: (draws, m). Blocks bound the memory."""
    count = rows.shape[0]
    out = np.empty((draws, rows.shape[1]))
    block = max(1, 2_000_000 // count)
    for begin in range(0, draws, block):
        index = rng.integers(count, size=(min(block, draws - begin), count))
        target = out[begin : begin + block]
        offset = count * np.arange(index.shape[0])[:, None]
        times = np.bincount((index + offset).ravel(), minlength=index.size).reshape(index.shape)
        if statistic == "mean":
            target[:] = times.astype(np.float64) @ rows / count
            continue
        for j in range(rows.shape[1]):
            order = np.argsort(rows[:, j])
            seen = np.cumsum(times[:, order], axis=1)  # resampled values up to each order statistic
            lower = np.argmax(seen > (count - 1) // 2, axis=1)
            upper = np.argmax(seen > count // 2, axis=1)
            target[:, j] = 0.5 * (rows[order[lower], j] + rows[order[upper], j])
    return out


def _resample_studies(samples: list[Floats], statistic: str, draws: int, seed: int) -> Floats:
    """Statistic of resamples of each of m independent samples: (draws, m)."""
    rng = np.random.default_rng(seed)
    return np.concatenate([_resample(sample[:, None], statistic, draws, rng) for sample in samples], axis=1)


def _ends(draws: Floats, level: float) -> Floats:
    """Percentile intervals (2, ...) over the first axis."""
    return np.asarray(np.quantile(draws, (0.5 - 0.5 * level, 0.5 + 0.5 * level), axis=0), dtype=np.float64)


def _interval(draws: Floats | None) -> tuple[float, float]:
    """Percentile interval at `LEVEL` of draws (B,); nan without draws."""
    if draws is None:
        return np.nan, np.nan
    low, high = _ends(draws, LEVEL).tolist()
    return low, high


def _average(samples: Floats, statistic: str) -> Floats:
    """Mean or median over replications."""
    return np.median(samples, axis=0) if statistic == "median" else np.mean(samples, axis=0)


def _log(x: Floats) -> Floats:
    """Logarithm, nan where x <= 0."""
    return np.log(np.where(x > 0.0, x, np.nan))


def _octave_slopes(curves: Floats, left: NDArray[np.intp], right: NDArray[np.intp]) -> Floats:
    """Log-log slopes (B, m) of curves (B, C) over octaves between columns left and right."""
    slopes: Floats = (_log(curves[:, right]) - _log(curves[:, left])) / np.log(2.0)
    return slopes


def _overall_slopes(x: Floats, means: Floats) -> Floats:
    """Least-squares slopes (B,) of log means (B, m) against log x."""
    centred = np.log(x) - np.log(x).mean()
    slopes: Floats = _log(means) @ centred / (centred @ centred)
    return slopes


def _tail(final: Floats) -> bool:
    """Whether the largest final regret exceeds five medians."""
    return bool(final.max() > TAIL * np.median(final))


# Checks


def _curves(checkpoints: ArrayLike, regret: ArrayLike) -> tuple[NDArray[np.int64], Floats]:
    """Checkpoints (C,) int64 and regret (R, C) float64, checked."""
    times = _increasing(checkpoints, "checkpoints", 2)
    if times[0] < 1 or (times != np.floor(times)).any():
        raise ValueError(f"checkpoints start {times[:2].tolist()}; they must be integers >= 1")
    curves = np.asarray(regret, dtype=np.float64)
    if curves.ndim != 2 or curves.shape[0] < 1 or curves.shape[1] != times.size:
        raise ValueError(
            f"regret has shape {curves.shape}; it must be (R, {times.size}), a column a checkpoint, R >= 1"
        )
    if not np.isfinite(curves).all():
        row, column = np.argwhere(~np.isfinite(curves))[0]
        raise ValueError(f"regret[{row}, {column}] is {curves[row, column]}; regret must be finite")
    return np.asarray(checkpoints).astype(np.int64), curves


def _octaves(checkpoints: NDArray[np.int64], least: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Columns (m,) of the powers of two whose double is present, and of those doubles."""
    dyadic = (checkpoints & (checkpoints - 1)) == 0
    left = np.flatnonzero(dyadic & np.isin(2 * checkpoints, checkpoints))
    if left.size < least:
        raise ValueError(
            f"checkpoints contain {left.size} pairs (2^k, 2^(k+1)); at least {least} needed, at powers of two"
        )
    return left, np.searchsorted(checkpoints, 2 * checkpoints[left])


def _studies(
    x: ArrayLike, samples: Sequence[ArrayLike], x_name: str, samples_name: str, least: int
) -> tuple[Floats, list[Floats]]:
    """Abscissae (m,) and m samples, checked."""
    points = _increasing(x, x_name, least)
    if len(samples) != points.size:
        raise ValueError(
            f"{samples_name} has {len(samples)} entries; it must have {points.size}, one for each of {x_name}"
        )
    return points, [_sample(sample, f"{samples_name}[{i}]") for i, sample in enumerate(samples)]


def _sample(values: ArrayLike, name: str) -> Floats:
    """One-dimensional, non-empty, finite."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size < 1:
        raise ValueError(f"{name} has shape {sample.shape}; it must be (R,) with R >= 1")
    if not np.isfinite(sample).all():
        raise ValueError(f"{name} contains {sample[~np.isfinite(sample)][0]}; values must be finite")
    return sample


def _increasing(values: ArrayLike, name: str, least: int) -> Floats:
    """One-dimensional, positive, finite, strictly increasing, at least `least` long."""
    points = np.asarray(values, dtype=np.float64)
    if points.ndim != 1 or points.size < least:
        raise ValueError(f"{name} has shape {points.shape}; it must be (m,) with m >= {least}")
    if not (np.isfinite(points).all() and points[0] > 0.0 and (np.diff(points) > 0.0).all()):
        raise ValueError(f"{name} must be positive, finite and strictly increasing; got {points[:4].tolist()}...")
    return points


def _bootstrap_settings(draws: int, level: float) -> None:
    """Check the number of draws and the level."""
    if draws < 1:
        raise ValueError(f"draws is {draws}; it must be >= 1")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level is {level}; it must lie in (0, 1)")
