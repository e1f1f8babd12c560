"""Figures ready for a paper: a result goes in, a matplotlib figure at column width comes out.

The only module that imports matplotlib, and without pyplot: a figure belongs to who asked for it, not to a global list.
Curves carry their names at their ends, moved apart where they would overlap; the lines under the axes say what the
bands, the dashed lines and the instance are. `banditlab.mplstyle` holds fonts, sizes and colours.
"""

from __future__ import annotations

import io
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib.style
import numpy as np
from matplotlib import colormaps, rcParams
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as _Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation, Text
from matplotlib.ticker import EngFormatter, FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike, NDArray

from banditlab import checks, rates
from banditlab.store import write_atomically

if TYPE_CHECKING:
    import pandas as pd

    from banditlab.trajectory import Grid, Offline, Trajectory

Floats = NDArray[np.float64]

STYLE = Path(__file__).with_name("banditlab.mplstyle")
COLUMN, PAGE = 3.3, 6.9
"""Widths in inches: one column, and a whole page (``wide=True``)."""

TIMES = ("log", "linear", "loglog")
MEASURES = {
    "regret": "cumulative regret\n" r"$\Sigma_{s\leq t}\,J^{*}-J(\pi_s)$",
    "pseudo_regret": "cumulative pseudo-regret\n" r"$\Sigma_{s\leq t}\,r^{*}-r(\pi_s)$",
    "gap": "suboptimality of the round\n" r"$J^{*}-J(\pi_t)$",
}
"""Axis labels of channels; a channel without one is called by its name."""

AXES = {
    "eta": r"inverse temperature $\eta$",
    "rounds": "horizon $T$ (rounds)",
    "K": "number of arms $K$",
    "arms": "number of arms $K$",
    "contexts": "number of contexts $S$",
    "coverage": "coverage $C$",
    "delay": "delay $d$ (rounds)",
    "dim": "dimension $d$",
    "N": "number of draws $N$",
    "samples": "sample size $n$",
}
"""Axis labels of a sweep's axes; an axis without one is called by its symbol."""

_SCALED = r"$n\,\times$ mean suboptimality"
_GAP = "suboptimality\n" r"$J^{*}-J(\hat\pi)$"  # of a policy from data, where the problem does not say otherwise
_SYMBOLS = {"rounds": "T", "samples": "n", "coverage": "C", "contexts": "S", "arms": "K", "dim": "d", "delay": "d"}
_GREEK = ("alpha", "beta", "delta", "epsilon", "eta", "gamma", "kappa", "lambda", "rho", "sigma", "theta")
_SMALL = 7.0  # points: names of curves, and the caption
_PAD = 0.04  # inches around everything
_REACH = 8.0  # points from the axes to the names of the curves
_TALL, _LOW = 1.75, 0.55  # inches: axes, and axes of bounds
_FAR = 2.0  # bounds have axes of their own where they exceed the curves by this factor
_ROOM = 1000.0  # theory beside suboptimality stretches the axis by at most this factor above and below
_SPREAD = 10.0  # regret over log t has a logarithmic axis where its ends differ by this factor
_RISING = ((0.5, "slope 1/2"), (1.0, "slope 1"))  # guides of log-log axes
_FALLING = ((-0.5, "slope $-1/2$"), (-1.0, "slope $-1$"))
_GREY = "0.45"
_UNDER = "0.9"  # cells of a phase diagram where regret falls with the horizon
_NBSP = "\N{NO-BREAK SPACE}"
_Styles = Mapping[str, Mapping[str, Any]]  # colour and line style of each curve
_Guides = Sequence[tuple[float, str]]  # slope and name of each


class Figure(_Figure):
    """A matplotlib figure that is saved in the house style, by whatever way, and shows itself in a notebook."""

    def savefig(self, fname: Any, **kwargs: Any) -> None:
        """As in matplotlib, with fonts embedded as in `save`."""
        with _style():
            super().savefig(fname, **kwargs)

    def _repr_png_(self) -> bytes:
        return png(self)


class Band(NamedTuple):
    """What a curve and its band show."""

    centre: Floats  # (C,) mean, or median
    low: Floats  # (C,) mean - 2 standard errors, or 5 % quantile; the centre for a single replication
    high: Floats  # (C,) mean + 2 standard errors, or 95 % quantile
    tail_dominated: bool  # the largest final value exceeds five medians


class Label(NamedTuple):
    """The name of a curve, to be written beside its end."""

    text: str
    x: float  # end of the curve, in data coordinates
    y: float
    colour: Any


class Panel(NamedTuple):
    """Axes, their least height in inches, and the names at their right."""

    axes: Axes
    height: float
    labels: list[Label]


def band(values: ArrayLike, quantiles: bool) -> Band:
    """Centre and band of replications: mean and two standard errors, or median and quantiles.

    Parameters
    ----------
    values : (R, C) array_like
        One row a replication; the last column decides whether the tail dominates (see `rates.summary`).
    quantiles : bool
        Median with 5 % and 95 % quantiles, in place of mean +- 2 standard errors.

    Returns
    -------
    Band
    """
    x = np.asarray(values, dtype=np.float64)
    tail_dominated = rates.summary(x[:, -1]).tail_dominated
    if quantiles:
        low, centre, high = np.quantile(x, (0.05, 0.5, 0.95), axis=0)
        return Band(centre, low, high, tail_dominated)
    mean = x.mean(axis=0)
    half = 2.0 * x.std(axis=0, ddof=1) / math.sqrt(x.shape[0]) if x.shape[0] > 1 else np.zeros(mean.size)
    return Band(mean, mean - half, mean + half, tail_dominated)


def bands(curves: Mapping[str, ArrayLike]) -> dict[str, Band]:
    """Bands of the curves of one figure, all of one kind so that they compare: quantiles where any tail dominates.

    Parameters
    ----------
    curves : mapping of str to (R, C) array_like
        Replications of each algorithm.

    Returns
    -------
    dict of str to Band
    """
    quantiles = any(rates.summary(np.asarray(values)[:, -1]).tail_dominated for values in curves.values())
    return {name: band(values, quantiles) for name, values in curves.items()}


# ---------------------------------------------------------------------------------------------------------------
# Figures of a trajectory
# ---------------------------------------------------------------------------------------------------------------


def regret(
    trajectory: Trajectory,
    *,
    bounds: bool = False,
    channel: str = "regret",
    time: str = "log",
    wide: bool = False,
) -> Figure:
    """Cumulative regret against time, with bands, and the theorems' bounds dashed in their curves' colours.

    Parameters
    ----------
    trajectory : Trajectory
    bounds : bool
        Draw the bound of each algorithm that carries one. Bounds that exceed the curves by more than a factor of two
        stand in axes of their own above, with a scale of their own, so that the shape of both is seen; in log-log
        they share the axes.
    channel : str
        What to draw; bounds belong to ``regret`` only.
    time : {"log", "linear", "loglog"}
        Scale of the rounds; ``loglog`` has both axes logarithmic, and guides of slope 1/2 and 1 (of slope -1/2 and
        -1 for the channel ``gap``, which is no sum).
    wide : bool
        Width of a page, 6.9 in, instead of a column, 3.3 in.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        In one line, for an unknown channel or time, or for bounds beside another channel than ``regret``.
    """
    checks.known("time", time, TIMES)
    if bounds and channel != "regret":
        raise ValueError(f"bounds: they bound the channel 'regret', not {channel!r}")
    curves = bands(_channel(trajectory, channel))
    above = trajectory.bounds if bounds else {}
    measure = MEASURES.get(channel, channel.replace("_", " "))
    if channel == "regret":
        measure = getattr(trajectory.problem, "regret_label", measure)
    with _style():
        guides = () if time != "loglog" else _FALLING if channel == "gap" else _RISING
        t = trajectory.checkpoints
        return _over_time(trajectory, t, curves, above, {}, time, time == "loglog", guides, measure, wide)


def regret_over_log(
    trajectory: Trajectory,
    *,
    bounds: bool = False,
    guides: Mapping[str, float] | None = None,
    wide: bool = False,
) -> Figure:
    """Regret divided by log t against t: flat where regret is logarithmic, rising where it grows faster.

    The y axis is logarithmic where the curves end more than a factor of ten apart; flat stays flat.

    Parameters
    ----------
    trajectory : Trajectory
    bounds : bool
        Draw the bounds, also divided by log t, as in `regret`.
    guides : mapping of str to float, optional
        Dotted horizontal lines, such as the asymptotic law of d Reg / d log t. One that is named like an algorithm
        has its colour.
    wide : bool
        Width of a page instead of a column.

    Returns
    -------
    Figure
        From the problem's ``burn_in`` on, or the last two octaves of a shorter trajectory.

    Raises
    ------
    ValueError
        In one line, where no checkpoint exceeds 1, or a guide is not finite.
    """
    levels = {name: checks.finite(f"guides[{name!r}]", value, -math.inf) for name, value in (guides or {}).items()}
    t = trajectory.checkpoints
    if t[-1] < 2:
        raise ValueError(f"checkpoints: log t needs one above 1, got {t.tolist()}")
    kept = t >= max(2, min(trajectory.problem.burn_in, int(t[-1]) // 4))
    scale = 1.0 / np.log(t[kept])
    curves = bands({name: values[:, kept] * scale for name, values in trajectory.regret.items()})
    above = {name: bound[kept] * scale for name, bound in trajectory.bounds.items()} if bounds else {}
    ends = [shown.centre[-1] for shown in curves.values()]
    measure = f"cumulative regret / log ${_time_label(trajectory).split('$')[1]}$"
    with _style():
        logarithmic = max(ends) > _SPREAD * min(ends)
        return _over_time(trajectory, t[kept], curves, above, levels, "log", logarithmic, (), measure, wide)


def regret_panels(
    runs: Mapping[str, Trajectory],
    *,
    about: str,
    time: str = "log",
    laws: Sequence[str] = (),
    wide: bool = False,
) -> Figure:
    """Cumulative regret of several results below one another, each with a scale of its own.

    Parameters
    ----------
    runs : mapping of str to Trajectory
        Titles of the panels and what they show; an algorithm has the same colour in all.
    about : str
        The instances in a few words, for the caption.
    time : {"log", "linear", "loglog"}
        As in `regret`.
    laws : sequence of str
        Algorithms beside whose curves c log t is drawn, dotted, through the last point.
    wide : bool
        Width of a page instead of a column.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        In one line, for an unknown time, or a law of an algorithm that is not there or has one round only.
    """
    checks.known("time", time, TIMES)
    algorithms = dict.fromkeys(name for run in runs.values() for name in run.regret)
    for name in laws:
        checks.known("laws", name, algorithms)
        if any(name in run.regret and run.checkpoints[-1] < 2 for run in runs.values()):
            raise ValueError(f"checkpoints: log t needs one above 1 for the law of {name!r}")
    with _style():
        style = dict(zip(algorithms, _lines()))
        figure, stack = _canvas(wide, len(runs))
        panels, described, dotted = [], [], False
        for axes, (title, run) in zip(stack, runs.items(), strict=True):
            t, curves = run.checkpoints, bands(run.regret)
            if time == "loglog":
                axes.set_yscale("log")
                _log_limits(axes, [v for shown in curves.values() for v in (shown.centre, shown.high)])
                _draw_slopes(axes, t, [v for shown in curves.values() for v in (shown.centre, shown.low)], _RISING)
                _log_ticks(axes.yaxis)
            else:
                axes.set_ylim(0.0, _roof(curves, {}))
                axes.locator_params(axis="y", nbins=5)
            labels = _draw_curves(axes, t, curves, style)
            for name in laws:
                if name in curves:
                    law = curves[name].centre[-1] * np.log(t) / math.log(t[-1])
                    _draw_law(axes, t, _positive(law) if time == "loglog" else law, style[name]["color"])
                    dotted = True
            _time_axis(axes, t, time)
            axes.set_title(title, fontsize=_SMALL + 1.0)
            axes.set_ylabel(getattr(run.problem, "regret_label", MEASURES["regret"]).splitlines()[0])
            panels.append(Panel(axes, 1.25 if len(runs) > 1 else _height(wide), labels))
            described += _describe(curves, len(run.replications), axes.get_ylim()[1])
        stack[-1].set_xlabel(_time_label(run))
        k = _time_label(run).split("$")[1]
        law = rf"Dotted: $c\,\log{{{k}}}$ through the last point." if dotted else ""  # no space: lines break there
        return _finish(figure, panels, [_instance(about), *dict.fromkeys(described), law])


def tails(trajectory: Trajectory, *, channel: str = "regret", wide: bool = False) -> Figure:
    """Tail of the final regret over replications, with the median and the 95 % quantile marked.

    The survival function with its axes exchanged: a curve passes through (p, x) where a fraction p of the replications
    ended with at least x. Both axes are logarithmic; the tail is at the right, where each curve ends at its maximum.

    Parameters
    ----------
    trajectory : Trajectory
    channel : str
        Whose final value is shown.
    wide : bool
        Width of a page instead of a column.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        In one line, for an unknown channel, or where no final value is positive.
    """
    finals = {name: np.sort(values[:, -1]) for name, values in _channel(trajectory, channel).items()}
    if not any(final[-1] > 0.0 for final in finals.values()):
        raise ValueError(f"channel: no final value of {channel!r} is positive, a logarithmic axis shows none")
    replications = len(trajectory.replications)
    with _style():
        figure, (axes,) = _canvas(wide, 1)
        labels = []
        share = np.arange(replications, 0, -1) / replications
        for (name, final), line in zip(finals.items(), _lines()):
            axes.step(share, _positive(final), where="post", **line)
            for p, marker in ((0.5, "o"), (0.05, "D")):
                axes.plot(p, np.quantile(final, 1.0 - p), marker, color=line["color"], mec="white", mew=0.5, zorder=3)
            labels.append(Label(name, share[-1], final[-1], line["color"]))
        last = min(0.05, 1.0 / replications)
        axes.set(xscale="log", yscale="log", xlim=(1.0, last / 1.1))
        _log_limits(axes, list(finals.values()))
        _log_ticks(axes.yaxis)
        axes.set_xlabel("fraction of replications with at least this regret")
        axes.set_ylabel(f"{channel.replace('_', ' ')} after ${_number(trajectory.rounds)}$ rounds")
        ticks = [p for p in (1.0, 0.5, 0.2, 0.05, 0.01, 1e-3, 1e-4, 1e-5) if p >= last]
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda p, _: f"{p:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        for p, name in ((0.5, "median"), (0.05, "95 %")):
            axes.axvline(p, color=_GREY, lw=0.5, ls=":", zorder=0)
            axes.text(p, 1.02, name, transform=axes.get_xaxis_transform(), size=_SMALL, ha="center", color=_GREY)
        caption = [_instance(trajectory.problem.summary), f"{replications} replications."]
        return _finish(figure, [Panel(axes, _height(wide), labels)], caption)


# ---------------------------------------------------------------------------------------------------------------
# Figures of an offline study
# ---------------------------------------------------------------------------------------------------------------


def suboptimality(offline: Offline, *, bounds: bool = False, scaled: bool = False, wide: bool = False) -> Figure:
    """Mean suboptimality against the sample size, log-log, with bands, beside laws, certificates and the lower bound.

    Parameters
    ----------
    offline : Offline
    bounds : bool
        Draw, where they are finite, each algorithm's first-order law dotted and its certificate dashed in its curve's
        colour, and the lower bound for every algorithm in grey. They stretch the axis by at most a factor of a
        thousand on either side.
    scaled : bool
        n times the suboptimality, which is flat at the rate 1/n, without guides; else guides have slope -1/2 and -1.
    wide : bool
        Width of a page instead of a column.

    Returns
    -------
    Figure
        Of means, whatever the tails: the suboptimality is bounded, and laws and bounds are about its mean.
    """
    n = offline.samples
    factor = n.astype(float) if scaled else np.ones(n.size)
    curves = {name: _above_zero(band(gap * factor, False)) for name, gap in offline.gap.items()}
    laws, certificates, lower = (
        {name: curve * factor for name, curve in _finite(found if bounds else {}).items()}
        for found in (offline.laws, offline.bounds, {} if offline.lower is None else {"lower bound": offline.lower})
    )
    with _style():
        figure, (axes,) = _canvas(wide, 1)
        axes.set_yscale("log")
        measured = [v for shown in curves.values() for v in (shown.centre, shown.high)]
        _stretch(axes, measured, [*laws.values(), *certificates.values(), *lower.values()])
        if not scaled:
            lowest = [*(shown.low for shown in curves.values()), *lower.values()]
            _draw_slopes(axes, n, [*measured, *lowest], _FALLING)
        _log_ticks(axes.yaxis)
        style = dict(zip(curves, _lines()))
        labels = _draw_curves(axes, n, curves, style)
        for name, law in laws.items():
            _draw_law(axes, n, law, style[name]["color"])
        labels += _draw_bounds(axes, n, certificates, style, "\n(certificate)")
        for name, bound in lower.items():
            axes.plot(n, _positive(bound), color=_GREY)
            labels.append(Label(name, *_end(n, bound), _GREY))
        _time_axis(axes, n, "loglog")
        axes.set_xlabel(getattr(offline.problem, "sample_label", AXES["samples"]))
        label = f"mean {getattr(offline.problem, 'gap_label', _GAP)}"
        axes.set_ylabel(rf"$n\,\times$ {label.splitlines()[0]}" if scaled else label, linespacing=1.3)
        ends = {name: _end(n, certificate)[1] for name, certificate in certificates.items()}
        caption = [
            _instance(offline.problem.summary),
            _repeated(len(offline.replications)),
            "A curve ends where the mean is zero." if any(np.isnan(s.centre).any() for s in curves.values()) else "",
            "Flat: rate $1/n$." if scaled else "",
            "Dotted: first-order laws." if laws else "",
            "Dashed: certificates." if certificates else "",
            *(
                f"That of {name} ends at ${_number(float(f'{end:.2g}'))}$, above the axes."
                for name, end in ends.items()
                if end > axes.get_ylim()[1]
            ),
            "Grey: lower bound for every algorithm, averaged over the signs of its family." if lower else "",
        ]
        height = _height(wide) + (_LOW if certificates else 0.0)
        return _finish(figure, [Panel(axes, height, labels)], caption)


def pass_at_k(offline: Offline, *, wide: bool = False) -> Figure:
    """Mean regret of the k answers submitted against the number N of answers drawn, with bands.

    Parameters
    ----------
    offline : Offline
        Its sample sizes are the numbers of draws. Laws, which are exact here, are dotted where they are finite.
    wide : bool
        Width of a page instead of a column.

    Returns
    -------
    Figure
    """
    draws = offline.samples
    curves = {name: band(gap, False) for name, gap in offline.gap.items()}
    laws = _finite(offline.laws)
    with _style():
        figure, (axes,) = _canvas(wide, 1)
        style = dict(zip(curves, _lines()))
        labels = _draw_curves(axes, draws, curves, style)
        for name, law in laws.items():
            _draw_law(axes, draws, law, style[name]["color"])
        tops = [*(shown.high.max() for shown in curves.values()), *(np.nanmax(law) for law in laws.values())]
        axes.set_ylim(0.0, 1.05 * max(tops) or 1.0)
        axes.locator_params(axis="y", nbins=6)  # a fixed number: the automatic one may change with the margins
        _time_axis(axes, draws, "log")
        axes.set_xlabel(AXES["N"])
        axes.set_ylabel("mean regret\nof the submitted answers", linespacing=1.1)
        caption = [
            _instance(offline.problem.summary),
            _repeated(len(offline.replications)),
            "Dotted: exact." if laws else "",
        ]
        return _finish(figure, [Panel(axes, _height(wide), labels)], caption)


# ---------------------------------------------------------------------------------------------------------------
# Figures of a sweep
# ---------------------------------------------------------------------------------------------------------------


def scaling(
    grid: Grid,
    x: str,
    *,
    y: str | None = None,
    fit: tuple[float, float] | None = None,
    wide: bool = False,
) -> Figure:
    """Mean final regret against an axis of a sweep, log-log, with fitted exponents and their intervals.

    Parameters
    ----------
    grid : Grid
    x : str
        The axis: K, eta, rounds, samples, ... One curve an algorithm and value of the other axes.
    y : str, optional
        The channel: by default ``regret``, or ``gap`` of an offline sweep.
    fit : (float, float), optional
        Range of `x`, ends included, over which the exponent is fitted and its line drawn; everything by default.
    wide : bool
        Width of a page instead of a column.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        In one line, for an unknown axis or channel, an axis that is not of positive finite numbers, a range of fewer
        than two values, or where no mean is positive.
    """
    values = _axis(grid, x)
    y = _check_channel(grid, y)
    low, high = (values[0], values[-1]) if fit is None else fit
    if not ((values >= low) & (values <= high)).sum() >= 2:
        raise ValueError(f"fit: ({low:g}, {high:g}) holds fewer than two values of {x}: {values.tolist()}")
    with _style():
        figure, (axes,) = _canvas(wide, 1)
        labels, shown, tailed = [], [], False
        for (name, rows), line in zip(_series(grid, x), _lines()):
            rows = rows.sort_values(_repeated_by(grid))  # the cells of a sweep share random numbers, by replication
            samples = {float(value): part[y].to_numpy(float) for value, part in rows.groupby(x)}
            at, found = np.array(list(samples)), [rates.summary(final) for final in samples.values()]
            mean = np.array([s.mean for s in found])
            half = 2.0 * np.nan_to_num([s.se for s in found])
            hollow = np.array([s.tail_dominated for s in found])
            tailed |= bool(hollow.any())
            axes.errorbar(at, _positive(mean), half, elinewidth=0.8, **line)
            for part, face in ((hollow, "white"), (~hollow, line["color"])):
                axes.plot(at[part], _positive(mean)[part], "o", color=line["color"], mfc=face, mew=0.8, zorder=3)
            fitted = (at >= low) & (at <= high) & (mean > 0.0)
            slope = _draw_fit(axes, at[fitted], [samples[v] for v in at[fitted]], line["color"])
            labels.append(Label("\n".join(filter(None, (name, slope))), at[-1], mean[-1], line["color"]))
            shown += [mean, mean + half]
        if not any((mean > 0.0).any() for mean in shown):
            raise ValueError(f"y: no mean of {y!r} is positive, a logarithmic axis shows none")
        pad = (values[-1] / values[0]) ** 0.03
        axes.set(xscale="log", yscale="log", xlim=(values[0] / pad, values[-1] * pad))
        axes.set_xlabel(AXES.get(x, f"${_symbol(x)}$"))
        _log_limits(axes, shown)
        _log_ticks(axes.xaxis)
        _log_ticks(axes.yaxis)
        size = _size(grid)
        sizes = set(grid.table[size])
        amount = f"${_number(sizes.pop()) if len(sizes) == 1 else _symbol(size)}$ {size}"
        gap = grid.manifest.get("gap", "suboptimality")
        what = f"{gap} from {amount}" if y == "gap" else f"{y.replace('_', ' ')} after {amount}"
        axes.set_ylabel(f"mean {what}")
        caption = [
            *_about(grid),
            "Bars: \N{PLUS-MINUS SIGN}2 standard errors." if _replications(grid) > 1 else "",
            f"Pale lines and numbers: fitted exponent of ${_symbol(x)}$ with 95{_NBSP}% interval.",
            "Hollow: tail-dominated (maximum above five medians)." if tailed else "",
        ]
        return _finish(figure, [Panel(axes, _height(wide), labels)], caption)


def phase_diagram(
    grid: Grid,
    *,
    y: str | None = None,
    curves: Mapping[str, Callable[[Floats], ArrayLike]] | None = None,
    wide: bool = False,
) -> Figure:
    """Which law rules where: the local slope d log R / d log T over eta and the horizon T.

    The colours run from slope 0 (log T, dark) through 1/2 (sqrt T) to 1 (linear, bright) and brighten steadily, so the
    map also reads in grey. Where the slope is below 0, as it may be where the gap shrinks with T, cells are hatched.
    Of an offline sweep it is the rate - d log SubOpt / d log n over eta and the sample size n: 1/2 (n^{-1/2}) above the
    crossover, 1 (1/n, bright) below.

    Parameters
    ----------
    grid : Grid
        With axes ``eta`` and ``rounds``, or ``eta`` and ``samples``. Over any further axis, such as kappa, the largest
        mean is taken. One map an algorithm.
    y : str, optional
        The channel: by default ``regret``, or ``gap`` of an offline sweep.
    curves : mapping of str to callable, optional
        Lines to overlay, such as crossovers: horizons (m,) -> eta (m,). By default those the sweep's problems named,
        from ``grid.manifest["crossovers"]``: for each name a list of pairs (horizon, eta).
    wide : bool
        Width of a page instead of a column.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        In one line, where the axes or the channel are not there, or there are fewer than two horizons.
    """
    size = _size(grid)
    offline = size == "samples"
    eta, horizons = _axis(grid, "eta"), _axis(grid, size)
    if horizons.size < 2:
        many = "sample sizes" if offline else "horizons"
        raise ValueError(f"{size}: local slopes need at least two {many}, got {horizons.tolist()}")
    y = _check_channel(grid, y)
    if curves is None:
        named = grid.manifest.get("crossovers", {})
        lines = {name: np.array(points, dtype=np.float64).T for name, points in named.items() if len(points) > 1}
    else:
        lines = {name: np.array([horizons, curve(horizons)], dtype=np.float64) for name, curve in curves.items()}
    further = [name for name in grid.axes if name not in ("eta", size)]
    means = grid.table.groupby(["algorithm", "eta", size, *further], sort=False)[y].mean()
    worst = means.groupby(["algorithm", "eta", size], sort=False).max()
    algorithms = list(dict.fromkeys(grid.table["algorithm"]))
    with _style():
        figure, panels = _canvas(wide, len(algorithms))
        hatched = False
        for axes, name in zip(panels, algorithms, strict=True):
            table = worst[name].unstack(size).loc[eta, horizons]
            slopes = rates.phase_slopes(horizons, table.to_numpy()) * (-1.0 if offline else 1.0)
            hatched |= bool((slopes < 0.0).any())
            mesh = _draw_map(axes, horizons, eta, slopes)
            axes.set_ylabel(AXES["eta"])
            if len(algorithms) > 1:
                axes.text(0.0, 1.03, name, transform=axes.transAxes)
        panels[-1].set_xlabel(AXES[size])
        _draw_colours(figure, panels[0], mesh, 1.16 if len(algorithms) > 1 else 1.05, offline)
        over = " and ".join(_values(grid, name) for name in further)
        measure = "minus the local slope of the mean suboptimality" if offline else "local slope of the mean regret"
        grey = "suboptimality grows with $n$." if offline else "regret falls with $T$, as it may where the gap does."
        caption = [
            *_about(grid),
            f"Colour: {measure}{f', largest over {over}' if over else ''}.",
            f"Hatched grey: {grey}" if hatched else "",
        ]
        labels = [[_draw_line(axes, name, *line) for name, line in lines.items()] for axes in panels]
        return _finish(figure, [Panel(a, _height(wide), own) for a, own in zip(panels, labels, strict=True)], caption)


def coverage(grid: Grid, *, x: str = "coverage", wide: bool = False) -> Figure:
    """The price of coverage: n times the mean suboptimality against C, log-log, with bands.

    Where the suboptimality falls like 1/n its factor is shown: it rises along the axis for an algorithm that pays for
    coverage and stays flat for one that does not.

    Parameters
    ----------
    grid : Grid
        Of an offline sweep: its table has the columns ``samples``, which may vary along the axis, and ``gap``. A column
        ``law``, the first-order law of the mean suboptimality in each row, is drawn dotted where it is finite.
    x : str
        The axis of C. One curve an algorithm and value of the other axes, such as ``regularizer``.
    wide : bool
        Width of a page instead of a column.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        In one line, for an online sweep, an unknown axis, or one that is not of positive finite numbers.
    """
    if _size(grid) != "samples":
        raise ValueError("grid: coverage needs an offline sweep, this one has rounds, not samples")
    values = _axis(grid, x)
    _check_channel(grid, "gap")
    replications = _replications(grid)
    sizes = np.unique(grid.table["samples"])
    with _style():
        figure, (axes,) = _canvas(wide, 1)
        labels, shown, dotted = [], [], False
        for (name, rows), line in zip(_series(grid, x), _lines()):
            scaled = rows.assign(gap=rows["gap"] * rows["samples"]).groupby(x)["gap"]
            at, mean, half = np.array(list(scaled.groups)), scaled.mean().to_numpy(), 2.0 * scaled.sem().to_numpy()
            mark = "o" if values.size <= 12 else None
            axes.plot(at, _positive(mean), marker=mark, ms=2.5, **line)
            axes.fill_between(at, mean - half, mean + half, color=line["color"], alpha=0.2, lw=0.0)
            labels.append(Label(name, at[-1], mean[-1], line["color"]))
            shown += [mean, mean + half]
            if "law" in rows and rows["law"].notna().any():
                law = rows.assign(law=rows["law"] * rows["samples"]).groupby(x)["law"].first().to_numpy()
                _draw_law(axes, at, law, line["color"])
                shown.append(law)
                dotted = True
        pad = (values[-1] / values[0]) ** 0.03 if values.size > 1 else 2.0
        axes.set(xscale="log", yscale="log", xlim=(values[0] / pad, values[-1] * pad))
        axes.set_xlabel(AXES.get(x, f"${_symbol(x)}$"))
        axes.set_ylabel(_SCALED)
        _log_limits(axes, shown)
        _log_ticks(axes.xaxis)
        _log_ticks(axes.yaxis)
        n = (
            f"$n={_number(sizes[0])}$."
            if sizes.size == 1
            else f"$n$ from ${_number(sizes[0])}$ to ${_number(sizes[-1])}$."
        )
        caption = [
            _instance(grid.manifest.get("problem", "")),
            n,
            _repeated(replications),
            "Dotted: first-order laws." if dotted else "",
        ]
        return _finish(figure, [Panel(axes, _height(wide), labels)], caption)


def regimes(
    fixed: Trajectory,
    over_eta: Grid,
    over_rounds: Grid,
    *,
    bounds: Mapping[str, Callable[[Floats], ArrayLike]],
    marks: Mapping[str, float],
    caption: Sequence[str],
) -> Figure:
    """The regimes of one algorithm above one another: a fixed instance over time, over eta, over the horizon.

    All axes are logarithmic. Over any further axis of a sweep, such as kappa, the largest mean regret is shown.

    Parameters
    ----------
    fixed : Trajectory
        One algorithm; its band is +-2 standard errors and its bound dashed.
    over_eta, over_rounds : Grid
        Sweeps of one algorithm with the axis ``eta``, and with the axis ``rounds``.
    bounds : mapping of str to callable
        Proven bounds: ``"eta"`` maps (m,) values of eta, ``"rounds"`` (m,) horizons, to regrets.
    marks : mapping of str to float
        Named values of eta, such as crossovers, marked by vertical lines.
    caption : sequence of str
        What the instances are; bands, bars and dashes are explained after it.

    Returns
    -------
    Figure
        One column wide.
    """
    with _style():
        figure, (first, second, third) = _canvas(False, 3)
        line = next(_lines())
        (shown,) = (band(values, False) for values in fixed.regret.values())
        (bound,) = fixed.bounds.values()
        t = fixed.checkpoints
        first.fill_between(t, shown.low, shown.high, color=line["color"], alpha=0.2, lw=0.0)
        panels = [_draw_beside_bound(first, t.astype(float), shown.centre, shown.high, bound, line)]
        first.set(xlabel="round $t$", ylabel="regret", title="(a) fixed instance: polylogarithmic")
        _draw_slopes(first, t, [shown.low], _RISING)
        titles = (
            (second, over_eta, "eta", "(b) growing $\\eta$: linear, then flat"),
            (
                third,
                over_rounds,
                "rounds",
                "(c) gap $\\propto\\sqrt{K/T}$, large $\\eta$: square root",
            ),
        )
        for axes, grid, x, title in titles:
            at = _axis(grid, x)
            cells = grid.table.groupby([x, *(name for name in grid.axes if name != x)])["regret"].agg(["mean", "sem"])
            worst = cells.loc[cells.groupby(x)["mean"].idxmax()]
            mean, half = worst["mean"].to_numpy(), 2.0 * worst["sem"].to_numpy()
            axes.errorbar(at, mean, half, ls="", marker="o", ms=2.5, elinewidth=0.8, color=line["color"])
            curve = np.asarray(bounds[x](at), dtype=np.float64)
            panels.append(_draw_beside_bound(axes, at, mean, mean + half, curve, line))
            axes.set(xlabel=AXES[x], ylabel="final regret", title=title)
        for name, eta in marks.items():
            second.axvline(eta, color=_GREY, lw=0.7, ls=":", zorder=0)
            second.annotate(
                name,
                (eta, 0.04),
                (2, 0),
                xycoords=second.get_xaxis_transform(),
                textcoords="offset points",
                size=_SMALL,
            )
        _draw_slopes(third, at, [mean], _RISING)
        for panel in panels:
            panel.axes.title.set_fontsize(_SMALL + 1.0)
        n = len(fixed.replications)
        explained = f"Mean of {n} replications; bands and bars: $\\pm2$ standard errors. Dashed: the proven bound."
        return _finish(figure, panels, [*caption, explained])


# ---------------------------------------------------------------------------------------------------------------
# Figures of solvers
# ---------------------------------------------------------------------------------------------------------------


def convergence(
    gaps: Mapping[str, ArrayLike],
    *,
    about: str,
    measure: str = "one-sided gap",
    bounds: Mapping[str, ArrayLike] | None = None,
    time: str = "log",
    wide: bool = False,
) -> Figure:
    """How near iterations come to a solution: gaps on a logarithmic axis against the number of iterations.

    Parameters
    ----------
    gaps : mapping of str to (T + 1,) array_like
        Gap of every iterate, the start included.
    about : str
        The instance in a few words, for the caption.
    measure : str
        What the gap is, for the axis.
    bounds : mapping of str to (T + 1,) array_like, optional
        Theorems, dashed in the colour of the curve of that name; entries that are not finite are left out.
    time : {"log", "linear"}
        Scale of the iterations; ``log`` begins with the first.
    wide : bool
        Width of a page instead of a column.

    Returns
    -------
    Figure
        Gaps up to 1e-16 of the largest are rounding and not drawn.

    Raises
    ------
    ValueError
        In one line, for an unknown scale, or where no gap is positive.
    """
    checks.known("time", time, ("log", "linear"))
    first = 1 if time == "log" else 0
    curves = {name: np.asarray(gap, dtype=np.float64)[first:] for name, gap in gaps.items()}
    top = max((gap.max(initial=0.0) for gap in curves.values()), default=0.0)
    if not top > 0.0:
        raise ValueError("gaps: none is positive, a logarithmic axis shows none")
    theory = {name: np.asarray(curve, dtype=np.float64)[first:] for name, curve in (bounds or {}).items()}
    with _style():
        figure, (axes,) = _canvas(wide, 1)
        axes.set_yscale("log")
        shown = {name: np.where(gap > 1e-16 * top, gap, np.nan) for name, gap in curves.items()}
        _stretch(axes, [_positive(gap) for gap in shown.values()], [_positive(curve) for curve in theory.values()])
        _log_ticks(axes.yaxis)
        style = dict(zip(shown, _lines()))
        labels = []
        for name, gap in shown.items():
            t = np.arange(first, first + gap.size)
            axes.plot(t, gap, **style[name])
            if not np.isnan(gap).all():
                labels.append(Label(name, *_end(t, gap), style[name]["color"]))
        for name, curve in theory.items():
            colour = style[name]["color"] if name in style else _GREY
            axes.plot(np.arange(first, first + curve.size), _positive(curve), "--", color=colour)
        longest = np.arange(first, first + max(gap.size for gap in curves.values()))
        _time_axis(axes, longest, time)
        axes.set(xlabel="iteration", ylabel=measure)
        caption = [_instance(about), "Dashed: the proven bounds." if theory else ""]
        return _finish(figure, [Panel(axes, _height(wide), labels)], caption)


def certificate(pairs: Mapping[str, ArrayLike], *, about: str, wide: bool = False) -> Figure:
    """Measured losses against the certificates that a theorem gives them, log-log: none is above the diagonal.

    Parameters
    ----------
    pairs : mapping of str to (N, 2) array_like
        Certificate and loss of each run, both positive where they are drawn.
    about : str
        The instances in a few words, for the caption.
    wide : bool
        Width of a page instead of a column.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        In one line, where no pair is positive.
    """
    points = {name: np.asarray(found, dtype=np.float64) for name, found in pairs.items()}
    points = {name: found[(found > 0.0).all(axis=1)] for name, found in points.items()}
    points = {name: found for name, found in points.items() if found.size}
    if not points:
        raise ValueError("pairs: none is positive, logarithmic axes show none")
    everything = np.concatenate(list(points.values()))
    with _style():
        figure, (axes,) = _canvas(wide, 1)
        axes.set(xscale="log", yscale="log")
        labels = []
        for (name, found), line in zip(points.items(), _lines()):
            axes.plot(found[:, 0], found[:, 1], ".", ms=3.0, color=line["color"], mew=0.0, alpha=0.7)
            best = found[found[:, 0].argmax()]
            labels.append(Label(name, best[0], best[1], line["color"]))
        low, high = everything[:, 0].min() / 1.5, everything[:, 0].max() * 1.5
        axes.plot([low, high], [low, high], color=_GREY, lw=0.8)
        axes.set_xlim(low, high)
        _log_limits(axes, [everything[:, 1], np.array([low, high])])
        _log_ticks(axes.xaxis)
        _log_ticks(axes.yaxis)
        axes.set(xlabel="certificate", ylabel="measured loss")
        caption = [_instance(about), f"{len(everything)} runs with a positive loss.", "Grey: equality."]
        return _finish(figure, [Panel(axes, _height(wide), labels)], caption)


def simplex(
    paths: Mapping[str, ArrayLike],
    *,
    about: str,
    marks: Mapping[str, ArrayLike] | None = None,
    arms: Sequence[str] = ("arm 1", "arm 2", "arm 3"),
    wide: bool = False,
) -> Figure:
    """Trajectories of policies over three arms, in the simplex; of more arms the first three, renormalised.

    Parameters
    ----------
    paths : mapping of str to (T, K) array_like
        Policies of each iteration, K >= 3; a path begins at its hollow and ends at its full circle.
    about : str
        The instance in a few words, for the caption.
    marks : mapping of str to (K,) array_like, optional
        Single policies, such as the equilibrium and the reference, as crosses with their names.
    arms : sequence of three str
        Names of the corners.
    wide : bool
        Width of a page instead of a column.

    Returns
    -------
    Figure
    """

    def place(policies: ArrayLike) -> tuple[Floats, Floats]:
        pi = np.atleast_2d(np.asarray(policies, dtype=np.float64))[:, :3]
        pi = pi / pi.sum(axis=1, keepdims=True)
        return pi[:, 1] + 0.5 * pi[:, 2], math.sqrt(0.75) * pi[:, 2]

    with _style():
        figure, (axes,) = _canvas(wide, 1)
        axes.set_axis_off()
        axes.set_aspect("equal", adjustable="datalim")
        x, y = place(np.eye(3)[[0, 1, 2, 0]])
        axes.plot(x, y, color=_GREY, lw=0.6)
        for corner, away in enumerate((-0.03, -0.03, 0.03)):
            side = "bottom" if away > 0.0 else "top"
            axes.text(x[corner], y[corner] + away, arms[corner], size=_SMALL, color=_GREY, ha="center", va=side)
        labels = []
        for (name, path), line in zip(paths.items(), _lines()):
            x, y = place(path)
            axes.plot(x, y, **{**line, "lw": 0.8})
            axes.plot(x[0], y[0], "o", ms=3.5, color=line["color"], mfc="white", mew=0.8, zorder=3)
            axes.plot(x[-1], y[-1], "o", ms=3.5, color=line["color"], mew=0.8, zorder=3)
            labels.append(Label(name, x[-1], y[-1], line["color"]))
        for name, policy in (marks or {}).items():
            x, y = place(policy)
            axes.plot(x, y, "+", ms=6.0, color="black", mew=0.8, zorder=4)
            labels.append(Label(name, x[0], y[0], "black"))
        axes.margins(0.1)
        more = any(np.shape(path)[-1] > 3 for path in paths.values())
        caption = [
            _instance(about),
            "Hollow: start; full: end of a path.",
            "The first three arms, renormalised." if more else "",
        ]
        return _finish(figure, [Panel(axes, 2.6 if wide else 2.2, labels)], caption)


def _draw_beside_bound(
    axes: Axes, x: Floats, centre: Floats, high: Floats, bound: Floats, line: Mapping[str, Any]
) -> Panel:
    """A curve and its dashed bound on log-log axes."""
    axes.plot(x, centre, **line)
    axes.plot(x, bound, "--", color=line["color"])
    axes.set(xscale="log", yscale="log", xlim=(x[0], x[-1]))
    _log_limits(axes, [centre, high, bound])
    ends = [Label("regret", x[-1], centre[-1], line["color"]), Label("bound", x[-1], bound[-1], line["color"])]
    return Panel(axes, 1.25, ends)


# ---------------------------------------------------------------------------------------------------------------
# Files
# ---------------------------------------------------------------------------------------------------------------


def save(figure: _Figure, stem: str | Path) -> list[Path]:
    """Write a figure as PDF (fonts embedded), SVG and PNG (200 dpi): the same bytes whenever it is the same figure.

    Parameters
    ----------
    figure : matplotlib Figure
    stem : str or Path
        Path without the ending; its folder is created.

    Returns
    -------
    list of Path
        ``stem.pdf``, ``stem.svg``, ``stem.png``, each whole or as before.
    """
    paths = []
    for kind in _METADATA:
        paths.append(Path(f"{stem}.{kind}"))
        write_atomically(paths[-1], _bytes(figure, kind))
    return paths


def png(figure: _Figure) -> bytes:
    """A figure as PNG, 200 dpi."""
    return _bytes(figure, "png")


def svg(figure: _Figure) -> bytes:
    """A figure as SVG, letters as outlines."""
    return _bytes(figure, "svg")


_METADATA: dict[str, dict[str, None]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}


def _bytes(figure: _Figure, kind: str) -> bytes:
    data = io.BytesIO()
    with _style():
        figure.savefig(data, format=kind, dpi=rcParams["savefig.dpi"], metadata=_METADATA[kind])
    return data.getvalue()


def _style() -> AbstractContextManager[None]:
    """The house style, whatever the user's own settings are."""
    return matplotlib.style.context(["default", STYLE])


# ---------------------------------------------------------------------------------------------------------------
# Curves, maps, guides
# ---------------------------------------------------------------------------------------------------------------


def _over_time(
    trajectory: Trajectory,
    t: NDArray[np.int64],
    curves: Mapping[str, Band],
    bounds: Mapping[str, Floats],
    levels: Mapping[str, float],
    time: str,
    logarithmic: bool,
    guides: _Guides,
    measure: str,
    wide: bool,
) -> Figure:
    """Curves with bands, bounds dashed, levels dotted, on a linear or logarithmic y axis; see `regret`."""
    bounds = _finite(bounds)
    roof = _roof(curves, levels)
    apart = not logarithmic and any(np.nanmax(bound) > _FAR * roof for bound in bounds.values())
    figure, panels = _canvas(wide, 2 if apart else 1)
    upper, main = panels[0], panels[-1]
    if logarithmic:
        main.set_yscale("log")
        inside = [v for s in curves.values() for v in (s.centre, s.high)]
        _log_limits(main, [*inside, *bounds.values(), np.array(list(levels.values()))])
        _draw_slopes(main, t, [v for s in curves.values() for v in (s.centre, s.low)], guides)
        _log_ticks(main.yaxis)
    else:
        tops = [] if apart else [1.05 * np.nanmax(bound) for bound in bounds.values()]
        main.set_ylim(min(0.0, *(s.low.min() for s in curves.values())), max([roof, *tops]))
        main.locator_params(axis="y", nbins=8)  # a fixed number: the automatic one may change with the margins
    if apart:
        upper.set(ylabel="bound", ylim=(0.0, 1.05 * max(np.nanmax(bound) for bound in bounds.values())))
        upper.tick_params(labelbottom=False)
        upper.locator_params(axis="y", nbins=2)
    style = dict(zip(curves, _lines()))
    own = _draw_curves(main, t, curves, style) + _draw_levels(main, t, levels, style)
    theirs = _draw_bounds(upper, t, bounds, style, "" if apart else "\n(bound)")
    main.set_xlabel(_time_label(trajectory))
    main.set_ylabel(measure, linespacing=1.1)
    for axes in panels:
        _time_axis(axes, t, time)
    caption = [
        _instance(trajectory.problem.summary),
        *_describe(curves, len(trajectory.replications), main.get_ylim()[1]),
        f"Dashed: the proven bounds{', above, on their own scale' if apart else ''}." if bounds else "",
        "Dotted: asymptotic laws." if set(levels) & set(curves) else "",
    ]
    if apart:
        return _finish(figure, [Panel(upper, _LOW, theirs), Panel(main, _height(wide), own)], caption)
    return _finish(figure, [Panel(main, _height(wide), own + theirs)], caption)


def _time_label(trajectory: Trajectory) -> str:
    return getattr(trajectory.problem, "time_label", "round $t$")


def _draw_curves(axes: Axes, t: NDArray[np.int64], curves: Mapping[str, Band], style: _Styles) -> list[Label]:
    """Solid lines with pale bands."""
    for name, shown in curves.items():
        axes.plot(t, shown.centre, marker="o" if t.size == 1 else None, **style[name])
        axes.fill_between(t, shown.low, shown.high, color=style[name]["color"], alpha=0.2, lw=0.0)
    return [Label(name, *_end(t, shown.centre), style[name]["color"]) for name, shown in curves.items()]


def _above_zero(shown: Band) -> Band:
    """A band without the points at which its centre is zero, which a logarithmic axis cannot show."""
    seen = shown.centre > 0.0
    centre, low, high = (np.where(seen, x, np.nan) for x in shown[:3])
    return shown._replace(centre=centre, low=low, high=high)


def _draw_bounds(
    axes: Axes, t: NDArray[np.int64], bounds: Mapping[str, Floats], style: _Styles, suffix: str
) -> list[Label]:
    """Dashed lines in the colours of the curves that they bound."""
    labels = []
    for name, bound in bounds.items():
        colour = style[name]["color"]
        axes.plot(t, bound, "--", color=colour)
        labels.append(Label(name + suffix, *_end(t, bound), colour))
    return labels


def _end(x: NDArray[Any], curve: Floats) -> tuple[float, float]:
    """The last point at which a curve is there; one that is nowhere ends below everything."""
    there = np.flatnonzero(~np.isnan(curve))
    return (float(x[there[-1]]), float(curve[there[-1]])) if there.size else (float(x[-1]), 0.0)


def _draw_levels(axes: Axes, t: NDArray[np.int64], levels: Mapping[str, float], style: _Styles) -> list[Label]:
    """Dotted horizontal lines, in the colour of the curve of that name."""
    labels = []
    for name, level in levels.items():
        colour = style[name]["color"] if name in style else _GREY
        axes.axhline(level, ls=":", lw=1.0, color=colour)
        labels.append(Label(f"{name}: law" if name in style else name, t[-1], level, colour))
    return labels


def _draw_law(axes: Axes, x: NDArray[Any], law: Floats, colour: Any) -> None:
    """A dotted line in a curve's colour, darkened so that it is seen on the curve where the two agree."""
    axes.plot(x, law, ":", lw=1.3, color=_dark(colour, 0.5), zorder=2.5)


def _stretch(axes: Axes, curves: Sequence[Floats], theory: Sequence[Floats]) -> None:
    """Logarithmic limits around curves, and around theory as far as the curves stay readable."""
    _log_limits(axes, curves)
    low, high = axes.get_ylim()
    _log_limits(axes, [*curves, *theory])
    least, most = axes.get_ylim()
    axes.set_ylim(max(least, low / _ROOM), min(most, high * _ROOM))


def _roof(curves: Mapping[str, Band], levels: Mapping[str, float]) -> float:
    """Top of a linear axis: it holds all curves and bands, but quantile bands only up to twice the rest."""
    rest = [*levels.values(), *(s.centre.max() if s.tail_dominated else s.high.max() for s in curves.values())]
    high = max(s.high.max() for s in curves.values())
    return 1.05 * min(max(high, *rest), _FAR * max(rest)) or 1.0


def _time_axis(axes: Axes, t: NDArray[np.int64], time: str) -> None:
    if time == "linear":
        axes.set_xlim(0, t[-1])
        axes.locator_params(axis="x", nbins=4)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    else:
        axes.set(xscale="log", xlim=(t[0], t[-1]) if t.size > 1 else (t[0] / 2, t[0] * 2))
        _log_ticks(axes.xaxis)


def _draw_slopes(axes: Axes, t: NDArray[Any], curves: Sequence[Floats], guides: _Guides) -> None:
    """Guides of given slopes under the lowest curve of log-log axes: at the right where they rise, else at the left."""
    span = t[-1] / t[0]
    lowest = np.min([np.where(curve > 0.0, curve, np.inf) for curve in curves], axis=0)
    if span < 10 or np.isinf(lowest[-1]) or not guides:
        return
    top = max(power for power, _ in guides)
    ends = t[0] * span ** np.array((0.45, 0.7) if top > 0.0 else (0.05, 0.25))
    last = t[-1] if top > 0.0 else t[0] * span**0.6  # where the names end, about
    x = np.unique(np.append(ends, [last, *t[(t > ends[0]) & (t < last)]]))
    there = np.isfinite(lowest)
    under = np.interp(np.log(x), np.log(t[there]), np.log(lowest[there]))
    start = 0.6 * math.exp(np.min(under - top * np.log(np.minimum(x, ends[1]) / ends[0])))
    places = ["center"] * len(guides)
    if top < 0.0:  # their ends may be near to one another: a name above, a name below
        places = ["bottom", "top"]
        start *= (axes.get_ylim()[1] / start) ** -0.05
    for (power, name), place in zip(guides, places, strict=True):
        y = start * (ends / ends[0]) ** power
        axes.plot(ends, y, color=_GREY, lw=0.7)
        axes.annotate(name, (ends[1], y[1]), (3, 0), textcoords="offset points", size=_SMALL, color=_GREY, va=place)
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, min(y) / max(1.5, (high / min(y)) ** 0.08)))


def _draw_fit(axes: Axes, x: Floats, samples: Sequence[Floats], colour: Any) -> str:
    """A pale straight line through the means over the range of the fit; returns its exponent with interval."""
    if x.size < 2:
        return ""
    found = rates.exponent(x, samples, paired=True)
    level = np.mean([math.log(sample.mean()) for sample in samples]) - found.value * np.log(x).mean()
    axes.plot(x, np.exp(level + found.value * np.log(x)), color=colour, lw=4.0, alpha=0.25, solid_capstyle="butt")
    return f"{found.value:.2f}" + (f" [{found.low:.2f}, {found.high:.2f}]" if math.isfinite(found.low) else "")


def _draw_map(axes: Axes, horizons: Floats, eta: Floats, slopes: Floats) -> Any:
    """Cells of colour, each centred at its value on logarithmic axes; grey and hatched below 0, blank without slope."""
    x, y = _edges(horizons), _edges(eta)
    colours = colormaps[rcParams["image.cmap"]].with_extremes(under=_UNDER)
    shown = np.ma.masked_invalid(slopes)
    mesh = axes.pcolormesh(x, y, shown, cmap=colours, vmin=0.0, vmax=1.0, edgecolor="face", lw=0.1)
    for i, j in np.argwhere(slopes < 0.0):
        corner, width, height = (x[j], y[i]), x[j + 1] - x[j], y[i + 1] - y[i]
        axes.add_patch(Rectangle(corner, width, height, facecolor=_UNDER, edgecolor=_GREY, hatch="/////", lw=0.0))
    axes.set(xscale="log", yscale="log", facecolor="white")
    _log_ticks(axes.xaxis)
    _log_ticks(axes.yaxis)
    axes.grid(False)
    return mesh


def _draw_colours(figure: Figure, axes: Axes, mesh: Any, height: float, offline: bool) -> None:
    """Colour bar above the axes, its ticks named by the laws."""
    bar = figure.colorbar(mesh, cax=axes.inset_axes((0.0, height, 1.0, 0.05)), orientation="horizontal", extend="both")
    laws = (
        ["0 (constant)", "1/2 ($n^{-1/2}$)", "1 ($1/n$)"]
        if offline
        else [r"0 ($\log T$)", r"1/2 ($\sqrt{T}$)", "1 ($T$)"]
    )
    bar.set_ticks([0.0, 0.5, 1.0], labels=laws)
    bar.set_ticks([0.25, 0.75], minor=True)
    bar.ax.xaxis.set_ticks_position("top")
    slope = r"rate $-\,d\,\log\,\mathrm{SubOpt}\,/\,d\,\log n$" if offline else r"local slope $d\,\log R\,/\,d\,\log T$"
    bar.set_label(slope)
    bar.ax.xaxis.set_label_position("top")
    bar.outline.set_linewidth(0.4)


def _draw_line(axes: Axes, name: str, x: Floats, y: Floats) -> Label:
    """A line over a map, white on black so that it is seen on any colour, prolonged to the edges of the map."""
    ends, u, v = np.log(axes.get_xlim()), np.log(x), np.log(y)
    slope = np.gradient(v, u)
    v = np.array([v[0] + slope[0] * (ends[0] - u[0]), *v, v[-1] + slope[-1] * (ends[1] - u[-1])])
    u = np.array([ends[0], *u, ends[1]])
    axes.plot(np.exp(u), np.exp(v), color="white", lw=1.0, path_effects=[withStroke(linewidth=2.0, foreground="black")])
    return Label(name, float(np.exp(u[-1])), float(np.exp(v[-1])), "black")


def _lines() -> Iterator[dict[str, Any]]:
    """Colour and line style of each curve in turn: the style file's cycle, begun again when used up."""
    return itertools.cycle(rcParams["axes.prop_cycle"])


def _log_limits(axes: Axes, values: Sequence[Floats]) -> None:
    """Logarithmic y axis around the positive ones among the values."""
    shown = np.concatenate([np.ravel(v) for v in values])
    shown = shown[np.isfinite(shown) & (shown > 0.0)]
    low, high = (shown.min(), shown.max()) if shown.size else (0.1, 1.0)
    axes.set_ylim(low / 1.4, high * 1.4)


def _log_ticks(axis: Axis) -> None:
    """Ticks of a logarithmic axis whose limits are set: decades, at most six named; 1, 2, 5 on a short axis."""
    low, high = sorted(axis.get_view_interval())
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    axis.set_minor_formatter(NullFormatter())
    if last - first < 1:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axis.set_minor_locator(NullLocator())
        return
    every = -(-(last - first + 1) // 6)
    axis.set_major_locator(FixedLocator([10.0**k for k in range(first, last + 1) if k % every == 0]))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"$10^{{{round(math.log10(x))}}}$"))
    between = range(2, 10) if last - first < 4 else (1,)
    axis.set_minor_locator(FixedLocator([m * 10.0**k for k in range(first - 1, last + 1) for m in between]))


def _edges(values: Floats) -> Floats:
    """(m + 1,) geometric midpoints of (m,) increasing values, prolonged at both ends."""
    x = np.log(values)
    if x.size == 1:
        return np.asarray(values * np.array([0.5, 2.0]))
    middle = 0.5 * (x[1:] + x[:-1])
    edges: Floats = np.exp(np.concatenate([[2.0 * x[0] - middle[0]], middle, [2.0 * x[-1] - middle[-1]]]))
    return edges


def _dark(colour: Any, share: float) -> tuple[float, ...]:
    """A colour of which this share of the light is kept."""
    return tuple(share * c for c in to_rgb(colour))


def _finite(curves: Mapping[str, Floats]) -> dict[str, Floats]:
    """Curves that are finite somewhere, nan elsewhere."""
    found = {name: np.where(np.isfinite(curve), curve, np.nan) for name, curve in curves.items()}
    return {name: curve for name, curve in found.items() if not np.isnan(curve).all()}


def _positive(values: Floats) -> Floats:
    """Values, nan where a logarithmic axis shows none."""
    return np.where(values > 0.0, values, np.nan)


# ---------------------------------------------------------------------------------------------------------------
# What is in a result
# ---------------------------------------------------------------------------------------------------------------


def _channel(trajectory: Trajectory, channel: str) -> dict[str, Floats]:
    """The channel of each algorithm that has it, (R, C)."""
    checks.known("channel", channel, {name for found in trajectory.channels.values() for name in found})
    return {name: found[channel] for name, found in trajectory.channels.items() if channel in found}


def _size(grid: Grid) -> str:
    """What the cells of a sweep grow in: rounds, or samples where it is offline."""
    return "samples" if "samples" in grid.table else "rounds"


_NO_CHANNEL = ("rounds", "samples", "algorithm", "seed", "replication", "law")


def _check_channel(grid: Grid, y: str | None) -> str:
    """The channel asked for, which must be there, or that of the exact measure."""
    y = y or ("gap" if _size(grid) == "samples" else "regret")
    checks.known("y", y, set(grid.table.columns) - {*grid.axes, *_NO_CHANNEL})
    return y


def _axis(grid: Grid, name: str) -> Floats:
    """Increasing values of a sweep's axis, which must be finite and positive."""
    checks.known("axis", name, grid.axes)
    values = grid.table[name].unique()
    try:
        found = np.sort(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        raise ValueError(f"{name}: a logarithmic axis needs numbers, got {values.tolist()}") from None
    if not (np.isfinite(found).all() and found[0] > 0.0):
        raise ValueError(f"{name}: a logarithmic axis needs positive finite values, got {found.tolist()}")
    return found


def _series(grid: Grid, x: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and rows of each curve of a sweep: an algorithm at one value of every axis but `x`."""
    others = [name for name in grid.axes if name != x and grid.table[name].nunique() > 1]
    several = grid.table["algorithm"].nunique() > 1
    for (algorithm, *values), rows in grid.table.groupby(["algorithm", *others], sort=False):
        at = [
            value if isinstance(value, str) else f"${_symbol(name)}={_number(value)}$"
            for name, value in zip(others, values, strict=True)
        ]
        yield ", ".join([algorithm, *at] if several or not at else at), rows


# ---------------------------------------------------------------------------------------------------------------
# Words
# ---------------------------------------------------------------------------------------------------------------


def _instance(summary: str) -> str:
    """A problem's summary as a sentence, its "name = value" set as mathematics."""
    if not summary:
        return ""
    text = re.sub(r"\b(\w+) = ([^\s,;]+)", lambda m: f"${_symbol(m[1])}={_number(m[2])}$", summary)
    return f"{text[0].upper()}{text[1:]}."


def _repeated_by(grid: Grid) -> list[str]:
    """Columns that number the repetitions of a cell: of several seeds where results were collected."""
    return [name for name in ("seed", "replication") if name in grid.table and name not in grid.axes]


def _replications(grid: Grid) -> int:
    return len(grid.table[_repeated_by(grid)].drop_duplicates())


def _about(grid: Grid) -> list[str]:
    """Instance and replications of a sweep."""
    n = _replications(grid)
    return [_instance(grid.manifest.get("problem", "")), f"{n} replications." if n > 1 else "One replication."]


def _values(grid: Grid, name: str) -> str:
    """An axis and its values, or their number where they are many."""
    values = grid.table[name].unique()
    if values.size > 6:
        return f"{values.size} values of ${_symbol(name)}$"
    return f"${_symbol(name)}$ in {{{', '.join(f'${_number(value)}$' for value in values)}}}"


def _describe(curves: Mapping[str, Band], replications: int, top: float) -> list[str]:
    """What the curves and their bands are, and which bands leave the axes at the top."""
    if replications == 1:
        return [_repeated(1)]
    tailed = [name for name, shown in curves.items() if shown.tail_dominated]
    cut = {name: shown.high[-1] for name, shown in curves.items() if shown.high[-1] > top}
    kind = "mean \N{PLUS-MINUS SIGN}2 standard errors"
    if tailed:
        which = "" if len(curves) == 1 else f": {', '.join(tailed)}"
        kind = f"median, 5{_NBSP}to{_NBSP}95{_NBSP}% quantiles (tail-dominated{which})"
    reach = [f"The band of {name} reaches ${_number(float(f'{high:.2g}'))}$." for name, high in cut.items()]
    return [_repeated(replications, kind), *reach]


def _repeated(replications: int, bands: str = "mean \N{PLUS-MINUS SIGN}2 standard errors") -> str:
    """Replications, and what bands over them are."""
    return f"Bands: {bands}; {replications} replications." if replications > 1 else "One replication, no bands."


def _symbol(name: str) -> str:
    """A parameter's name in mathematics."""
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    return f"\\{name}" if name in _GREEK else name if len(name) == 1 else f"\\mathrm{{{name.replace('_', ' ')}}}"


def _number(value: Any) -> str:
    """A number in mathematics: large powers of two and ten as such."""
    try:
        x = float(value)
    except ValueError:
        word = str(value).replace("_", r"\_")
        return f"\\mathrm{{{word}}}"
    if math.isinf(x):
        return "\\infty"
    for base, least in ((2, 1024), (10, 10_000)):
        power = round(math.log(x, base)) if x >= least else 0
        if power and x == base**power:
            return f"{base}^{{{power}}}"
    return re.sub(r"e([+-])0*(\d+)", lambda m: f"\\times10^{{{m[1].strip('+')}{m[2]}}}", f"{x:g}")


# ---------------------------------------------------------------------------------------------------------------
# The page: margins, names, caption
# ---------------------------------------------------------------------------------------------------------------


def _height(wide: bool) -> float:
    return 2.6 if wide else _TALL


def _canvas(wide: bool, rows: int) -> tuple[Figure, list[Axes]]:
    """A figure with axes one above another, whose places `_finish` settles."""
    figure = Figure(figsize=(PAGE if wide else COLUMN, 1.0))
    return figure, [figure.add_axes((0.0, 0.0, 1.0, 1.0), label=f"{row}") for row in range(rows)]


def _finish(figure: Figure, panels: list[Panel], caption: Sequence[str]) -> Figure:
    """Give everything its place: margins from what stands in them, names dodged, the caption below.

    All lengths in inches.
    """
    dpi, width = figure.dpi, figure.get_figwidth()
    canvas = FigureCanvasAgg(figure)

    def size(text: Text) -> tuple[float, float]:
        box = Text.get_window_extent(text, canvas.get_renderer())
        return box.width / dpi, box.height / dpi

    names = [[_name(panel.axes, label) for label in panel.labels] for panel in panels]
    sizes = [[size(name) for name in own] for own in names]
    heights = [max(panel.height, sum(h for _, h in own)) for panel, own in zip(panels, sizes, strict=True)]
    reach = max([_REACH / 72.0 + w for own in sizes for w, _ in own], default=0.0)
    foot = figure.text(_PAD / width, 0.0, "", size=_SMALL, va="bottom", linespacing=1.15)
    _wrap(foot, " ".join(filter(None, caption)), width - 2.0 * _PAD, size)

    figure.set_size_inches(width, sum(heights))
    _stack(figure, panels, heights, np.tile((0.5, 0.0, reach, 0.0), (len(panels), 1)), sum(heights))
    over = np.array([_overhang(panel.axes, canvas.get_renderer()) for panel in panels]) / dpi
    over[:, 0], over[:, 2] = over[:, 0].max() + _PAD, max(reach, over[:, 2].max()) + _PAD
    over[:, 3] += _PAD
    bottom = 2.0 * _PAD + size(foot)[1]
    total = sum(heights) + over[:, 1].sum() + over[:, 3].sum() + bottom
    figure.set_size_inches(width, total)
    _stack(figure, panels, heights, over, total)
    foot.set_y(_PAD / total)
    for panel, own, space, height in zip(panels, names, sizes, heights, strict=True):
        _dodge(panel.axes, own, [h / height for _, h in space])
    return figure


def _stack(figure: Figure, panels: Sequence[Panel], heights: Sequence[float], over: Floats, top: float) -> None:
    """Place panels below one another from `top` on, each with its margins (left, below, right, above)."""
    width, total = figure.get_size_inches()
    for panel, height, (left, below, right, above) in zip(panels, heights, over, strict=True):
        top -= above + height
        panel.axes.set_position((left / width, top / total, (width - left - right) / width, height / total))
        top -= below


def _overhang(axes: Axes, renderer: Any) -> tuple[float, float, float, float]:
    """How far ticks and texts, but not the names of curves, stand out: left, below, right, above, in pixels."""
    others = [artist for artist in axes.get_default_bbox_extra_artists() if not isinstance(artist, Annotation)]
    inner, outer = axes.get_window_extent(renderer), axes.get_tightbbox(renderer, bbox_extra_artists=others)
    assert outer is not None, "visible axes have an extent"
    return inner.x0 - outer.x0, inner.y0 - outer.y0, outer.x1 - inner.x1, outer.y1 - inner.y1


def _name(axes: Axes, label: Label) -> Annotation:
    """A curve's name right of the axes, darker than the curve for legibility, tied to its end by a thin line."""
    beside = axes.transAxes + ScaledTranslation(_REACH / 72.0, 0.0, axes.figure.dpi_scale_trans)
    dark = _dark(label.colour, 0.75)
    tie = {"arrowstyle": "-", "color": label.colour, "lw": 0.5, "shrinkA": 0.5, "shrinkB": 1.0, "relpos": (0.0, 0.5)}
    low, high = axes.get_ylim()
    return axes.annotate(
        label.text,
        (label.x, min(max(label.y, low), high)),
        (1.0, 0.5),
        textcoords=beside,
        arrowprops=tie,
        size=_SMALL,
        color=dark,
        va="center",
        linespacing=1.0,
        annotation_clip=False,
    )


def _dodge(axes: Axes, names: Sequence[Annotation], heights: Sequence[float]) -> None:
    """Set names beside their curves' ends."""
    ends = [axes.transAxes.inverted().transform(axes.transData.transform(name.xy))[1] for name in names]
    for name, y in zip(names, dodge(ends, heights), strict=True):
        name.set_y(y)


def dodge(wanted: ArrayLike, heights: ArrayLike) -> Floats:
    """Places for labels in [0, 1], as near as can be (least squares) to those wanted, without overlap.

    Parameters
    ----------
    wanted : (n,) array_like
        Wanted centres.
    heights : (n,) array_like
        Heights; their sum is at most 1.

    Returns
    -------
    (n,) float64
        Centres, in the order of `wanted`.

    Notes
    -----
    With the sum of the heights below a label taken off its centre, "no overlap" reads "increasing": isotonic
    regression by pooling adjacent violators, then clipped to the range, is the least-squares solution.
    """
    y, h = np.asarray(wanted, dtype=np.float64), np.asarray(heights, dtype=np.float64)
    order = np.argsort(y, kind="stable")
    offset = np.cumsum(h[order]) - 0.5 * h[order]
    pools: list[tuple[float, int]] = []  # (mean, size)
    for target in y[order] - offset:
        mean, size = target, 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, size = (mean * size + before * count) / (size + count), size + count
        pools.append((mean, size))
    placed = np.empty(y.size)
    placed[order] = (
        np.clip(np.repeat([m for m, _ in pools], [n for _, n in pools]), 0.0, max(0.0, 1.0 - h.sum())) + offset
    )
    return placed


def _wrap(text: Text, words: str, width: float, size: Callable[[Text], tuple[float, float]]) -> None:
    """Break words into lines of at most a width in inches."""

    def length(word: str) -> float:
        text.set_text(word)
        return size(text)[0]

    space = length("a a") - length("aa")
    lines: list[str] = []
    used = math.inf
    for word in words.split(" "):
        more = length(word)
        if used + space + more <= width:
            lines[-1] += f" {word}"
            used += space + more
        else:
            lines.append(word)
            used = more
    text.set_text("\n".join(lines))
