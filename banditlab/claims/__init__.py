"""Theorems as programs: a claim is a theorem, the experiment that tests it, and a control that it must not survive.

The files of this package hold the claims, one file a family; `find` collects them and `main` runs them. `study`
simulates, `measure` turns the result into named numbers with intervals, and `verdict` judges these by the rule in the
claim's docstring. Rules, instances and horizons were settled on exploratory seeds, and what was given up there is said
in the docstring; they were then fixed before the seed of `Budget`, and ten others, were looked at. Then the
`control`, a study in which the claim does not hold (a removed bonus, a frozen policy, the wrong instance), goes through
the same `measure` and `verdict` and must come out refuted: a claim that its control survives tests nothing.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import itertools
import json
import math
import os
import pkgutil
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from banditlab import checks, simulate
from banditlab.jit import sources_digest
from banditlab.store import write_atomically
from banditlab.trajectory import Grid, Offline, Trajectory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUPPORTED, REFUTED, INCONCLUSIVE = "supported", "refuted", "inconclusive"

DRAWS = 500  # bootstrap draws behind every interval
SUPPORT, REFUTE = 2.0, 4.0  # margins of `inside`, in standard errors
DECISIVE = 10.0  # a law is refuted only by another whose AICc is lower by more than this

Point = tuple[Any, ...]
Study = dict[Point, Trajectory]
Result = TypeVar("Result", Trajectory, Offline)

LABELS = ("time_label", "sample_label", "regret_label", "gap_label", "burn_in")
"""What a figure asks of a problem, beside its summary."""


class Estimate(NamedTuple):
    """A measured number."""

    value: float
    se: float  # bootstrap standard error; 0 where the number is a fact of the runs
    low: float  # ends of the 95 % percentile interval
    high: float

    def __str__(self) -> str:
        if self.se == 0.0:
            return f"{self.value:.3g}"
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


Numbers = Mapping[str, Estimate | str]


class Budget(NamedTuple):
    """How much to simulate, from which seed, and where finished shards are kept."""

    full: bool = False
    seed: int = 7
    threads: int | None = None
    store: str | Path | None = None

    def choose(self, quick: Any, full: Any) -> Any:
        """The first at the quick budget, the second at the full one."""
        return full if self.full else quick

    def run(
        self,
        factory: Callable[..., Any],
        algorithms: Mapping[str, simulate.Algorithm],
        *,
        over: Mapping[str, Iterable[Any]],
        replications: int,
        rounds: int | None = None,
    ) -> Study:
        """Trajectories on every combination of the axes, independent of one another.

        Unlike `banditlab.sweep` this keeps all dyadic checkpoints, and gives every point replications of its own, so
        that no two points share random numbers; the algorithms of one point do.

        Parameters
        ----------
        factory : callable
            Called with the axes, by name, but for ``rounds`` unless it names it; returns a problem.
        algorithms : mapping of str to callable
            Labels and constructors ``(problem, rounds) -> learner``.
        over : mapping of str to iterable
            The axes and their values; ``rounds`` is the horizon.
        replications : int
            Of each point.
        rounds : int, optional
            Horizon of all points, where it is no axis.

        Returns
        -------
        dict
            From the point, a tuple with a value for each axis, to its `Trajectory`.
        """
        wants_rounds = "rounds" in inspect.signature(factory).parameters
        points = list(itertools.product(*over.values()))
        problems, cells = [], []
        for i, point in enumerate(points):
            named = dict(zip(over, point, strict=True))
            horizon = named["rounds"] if rounds is None else rounds
            if not wants_rounds:
                named.pop("rounds", None)
            problems.append(factory(**named))
            at = 1 << np.arange(int(horizon).bit_length(), dtype=np.int64)
            numbers = range(i * replications, (i + 1) * replications)
            for label, algorithm in algorithms.items():
                cells.append(simulate.Cell(problems[-1], label, algorithm, int(horizon), at, self.seed, numbers))
        channels = simulate.study(cells, threads=self.threads, store=self.store)
        study: Study = {}
        for i, point in enumerate(points):
            block = slice(i * len(algorithms), (i + 1) * len(algorithms))
            cell = cells[block][0]
            found = dict(zip(algorithms, channels[block], strict=True))
            study[point] = Trajectory(problems[i], cell.rounds, self.seed, cell.replications, cell.checkpoints, found)
        return study

    def run_offline(
        self,
        factory: Callable[..., Any],
        fits: Mapping[str, simulate.Algorithm],
        *,
        over: Mapping[str, Iterable[Any]],
        samples: Sequence[int],
        replications: int,
    ) -> dict[Point, Offline]:
        """Offline results on every combination of the axes; points and sample sizes are independent of one another.

        Parameters
        ----------
        factory : callable
            Called with the axes, by name; returns a problem.
        fits : mapping of str to callable
            Labels and functions ``(dataset) -> policy``, which meet the same datasets.
        over : mapping of str to iterable
            The axes and their values.
        samples : sequence of int
            Sizes of the datasets of each point.
        replications : int
            Of each point.
        """
        points = list(itertools.product(*over.values()))
        cells: list[simulate.OfflineCell] = []
        for i, point in enumerate(points):
            problem = factory(**dict(zip(over, point, strict=True)))
            numbers = range(i * replications, (i + 1) * replications)
            cells += simulate.plan_offline(problem, fits, samples=samples, replications=numbers, seed=self.seed)
        start = time.perf_counter()
        channels = simulate.study(cells, threads=self.threads, store=self.store)
        seconds = time.perf_counter() - start
        study: dict[Point, Offline] = {}
        for i, point in enumerate(points):
            block = slice(i * len(fits), (i + 1) * len(fits))
            cell, found = cells[block][0], dict(zip(fits, channels[block], strict=True))
            study[point] = Offline.of(
                cell.problem, dict(fits), cell.samples, cell.replications, self.seed, found, seconds
            )
        return study


class Claim(NamedTuple):
    """A theorem with its experiment; write one as a function under `claim`."""

    statement: str  # one sentence
    latex: str  # the same as a formula
    source: str  # authors, arXiv id
    predicted: str  # what the theorem says of the measured numbers
    study: Callable[[Budget], Any]
    measure: Callable[[Any], Numbers]
    verdict: Callable[[Numbers], str]
    control: Callable[[Budget], Any]  # same shape as the result of `study`
    wrong: str  # what the control changes
    figure: Callable[[Any], Figure]
    quick: bool = True  # False: too heavy for the quick budget, exists at the full one only
    id: str = ""
    rule: str = ""  # how the verdict is reached, fixed before the seeds it is judged on


def claim(write: Callable[[], Claim]) -> Claim:
    """The claim that a function writes down: its name is the id, its docstring the rule."""
    return write()._replace(id=write.__name__, rule=inspect.cleandoc(write.__doc__ or ""))


def find() -> dict[str, Claim]:
    """Every claim of every module of this package, by id."""
    claims: dict[str, Claim] = {}
    for module in pkgutil.iter_modules(__path__, __name__ + "."):
        found = [x for x in vars(importlib.import_module(module.name)).values() if isinstance(x, Claim)]
        for new in found:
            if new.id in claims:
                raise ValueError(f"claim: {new.id!r} stands in two modules, the second is {module.name}")
            claims[new.id] = new
    return claims


# ---------------------------------------------------------------------------------------------------------------
# Measures and rules that several claims use
# ---------------------------------------------------------------------------------------------------------------


def estimate(statistic: Callable[..., float], *samples: np.ndarray, seed: int = 0) -> Estimate:
    """A function of means over replications, with its bootstrap standard error and interval.

    Parameters
    ----------
    statistic : callable
        Takes one array (...) for each sample, its mean over replications; returns a number.
    samples : arrays (R_i, ...)
        One row a replication; the samples are resampled independently of one another.
    seed : int
        Of the bootstrap.
    """
    rng = np.random.default_rng(seed)
    resampled = []
    for sample in samples:
        n = sample.shape[0]
        weight = rng.multinomial(n, np.full(n, 1.0 / n), size=DRAWS) / n
        resampled.append(np.tensordot(weight, sample, axes=1))
    draws = np.array([statistic(*means) for means in zip(*resampled, strict=True)])
    low, high = np.quantile(draws, (0.025, 0.975)).tolist()
    value = float(statistic(*(sample.mean(axis=0) for sample in samples)))
    return Estimate(value, float(draws.std(ddof=1)), low, high)


def fact(value: float) -> Estimate:
    """A number without sampling error of its own."""
    return Estimate(float(value), 0.0, float(value), float(value))


def inside(number: Estimate, low: float, high: float) -> str:
    """Whether a number lies in [low, high].

    Supported where it lies there with a margin of two standard errors, refuted where it lies outside with a margin of
    four, otherwise inconclusive.
    """
    if number.value - SUPPORT * number.se >= low and number.value + SUPPORT * number.se <= high:
        return SUPPORTED
    outside = number.value + REFUTE * number.se < low or number.value - REFUTE * number.se > high
    return REFUTED if outside else INCONCLUSIVE


def every(*verdicts: str) -> str:
    """A conjunction: refuted where one part is, supported where all are."""
    if REFUTED in verdicts:
        return REFUTED
    return SUPPORTED if set(verdicts) == {SUPPORTED} else INCONCLUSIVE


def follows(numbers: Numbers, law: str) -> str:
    """Whether a classified curve follows `law`, from the entries of `classified`.

    Supported where `rates` chose it, refuted where it chose another whose AICc is lower by more than 10.
    """
    if numbers["law"] == law:
        return SUPPORTED
    margin = numbers[f"AICc of {law} above the best"]
    return REFUTED if isinstance(margin, Estimate) and margin.value > DECISIVE else INCONCLUSIVE


def classified(rate: Any, law: str) -> dict[str, Estimate | str]:
    """The law that `rates` chose, and how far the AICc of `law` is from the best."""
    return {
        "law": rate.law,
        f"AICc of {law} above the best": fact(rate.aicc[law] - min(rate.aicc.values())),
    }


def number(numbers: Numbers, name: str) -> Estimate:
    """An entry that is an estimate."""
    entry = numbers[name]
    assert isinstance(entry, Estimate)
    return entry


def loglog(x: Any, y: Any) -> float:
    """Least-squares slope of log y against log x."""
    centred = np.log(x) - np.log(x).mean()
    return float(centred @ np.log(y) / (centred @ centred))


def joined(study: Study, label: str, **axes: Any) -> np.ndarray:
    """Regrets (R, C) of a learner on all points whose leading coordinates are those given, by the names of axes."""
    wanted = tuple(axes.values())
    return np.concatenate([run.regret[label] for point, run in study.items() if point[: len(wanted)] == wanted])


def increments(mean: np.ndarray) -> float:
    """Regret gained over the last three octaves over that of the three before: 1 where it is logarithmic."""
    return float((mean[-1] - mean[-4]) / (mean[-4] - mean[-7]))


def pooled(like: Result, about: str, curves: Mapping[str, np.ndarray], channel: str = "regret") -> Result:
    """A result for `figures` whose curves are of several instances, or parameters.

    Parameters
    ----------
    like : Trajectory or Offline
        One of those that are joined: checkpoints, or sample sizes, and labels are its.
    about : str
        The instances in a few words, for the caption.
    curves : mapping of str to (R, C) array
        Replications of each curve, as many of one as of another.
    channel : str
        What the curves are: ``gap`` where they are offline.
    """
    known = {name: getattr(like.problem, name) for name in LABELS if hasattr(like.problem, name)}
    return dataclasses.replace(
        like,
        problem=SimpleNamespace(summary=about, **known),
        replications=range(len(next(iter(curves.values())))),
        channels={name: {channel: values} for name, values in curves.items()},
    )


def grid(study: Study, axes: Sequence[str], about: str, y: str = "regret", octaves: int | None = None) -> Grid:
    """Table of a study for `figures`.

    Parameters
    ----------
    study : dict
        From `Budget.run`.
    axes : sequence of str
        Names of the entries of its points.
    about : str
        The instances in a few words, for the caption.
    y : str
        Name of what is shown.
    octaves : int, optional
        Show the regret gained over this many last octaves, instead of the final regret.
    """
    import pandas as pd

    rows = [
        {"rounds": run.rounds, **dict(zip(axes, point, strict=True)), "algorithm": label, "replication": i, y: x}
        for point, run in study.items()
        for label, regret in run.regret.items()
        for i, x in enumerate(regret[:, -1] - (0.0 if octaves is None else regret[:, -1 - octaves]))
    ]
    values = {axis: list(dict.fromkeys(point[i] for point in study)) for i, axis in enumerate(axes)}
    return Grid(values, pd.DataFrame(rows), {"kind": "grid", "problem": about})


# ---------------------------------------------------------------------------------------------------------------
# Running
# ---------------------------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """A claim that was run."""

    claim: Claim
    numbers: Numbers
    verdict: str
    control_numbers: Numbers
    control: str
    seconds: float
    result: Any  # of the study, for the figure

    @property
    def holds(self) -> bool:
        """Supported, with its control refuted."""
        return self.verdict == SUPPORTED and self.control == REFUTED


def run(claim: Claim, budget: Budget) -> Outcome:
    """Run a claim and its control.

    Parameters
    ----------
    claim : Claim
    budget : Budget

    Returns
    -------
    Outcome
    """
    start = time.perf_counter()
    result = claim.study(budget)
    numbers = claim.measure(result)
    control_numbers = claim.measure(claim.control(budget))
    seconds = time.perf_counter() - start
    return Outcome(
        claim,
        numbers,
        claim.verdict(numbers),
        control_numbers,
        claim.verdict(control_numbers),
        seconds,
        result,
    )


def main(argv: Sequence[str]) -> int:
    """``banditlab claims [NAME...] [--full] [store=FOLDER] [results=FOLDER]``: run claims and report them.

    Prints a table, and writes ``claims.json``, ``CLAIMS.md`` and the figures into the results folder.

    Parameters
    ----------
    argv : sequence of str
        Ids of claims, by default all; ``--full`` for the full budget; ``store=`` (default ``$BANDITLAB_STORE`` or
        ``results/store``) and ``results=`` (default ``results/claims``).

    Returns
    -------
    int
        0 where every claim was supported and its control refuted, 1 where not, 2 for unusable arguments.
    """
    options = {"store": os.environ.get("BANDITLAB_STORE", "results/store"), "results": "results/claims"}
    names, full = [], False
    show = functools.partial(print, file=sys.stderr, flush=True)
    claims = find()
    try:
        for word in argv:
            key, equals, value = word.partition("=")
            if equals:
                options[checks.known("option", key, options)] = value
            elif word.startswith("-"):
                full = checks.known("option", word, ["--full"]) == "--full"
            else:
                names.append(checks.known("claim", word, claims))
        folder = Path(options["results"])
        _check_writable(folder)
        chosen = [claims[name] for name in dict.fromkeys(names or claims)]
        budget = Budget(full=full, store=options["store"])
        outcomes, skipped = [], []
        for i, c in enumerate(chosen, 1):
            if not (full or c.quick):
                skipped.append(c)
                continue
            show(f"[{i}/{len(chosen)}] {c.id}: ", end="")
            done = run(c, budget)
            outcomes.append(done)
            show(f"{done.verdict}, control {done.control} ({done.seconds:.1f} s)")
    except (ValueError, OSError) as error:
        print(f"banditlab claims: {error}", file=sys.stderr)
        return 2
    except simulate.SimulationError as error:
        print(f"\nbanditlab claims: {error}", file=sys.stderr)
        return 1
    _print_table(outcomes, skipped)
    for path in write(folder, outcomes, skipped, full):
        print(path)
    return 0 if all(done.holds for done in outcomes) else 1


def write(folder: Path, outcomes: Sequence[Outcome], skipped: Sequence[Claim], full: bool) -> list[Path]:
    """Write the figures, ``claims.json`` and ``CLAIMS.md`` of claims that were run; returns the two last.

    Parameters
    ----------
    folder : Path
        Created where missing.
    outcomes : sequence of Outcome
    skipped : sequence of Claim
        Those that exist at the full budget only.
    full : bool
        The budget.
    """
    from banditlab import figures

    for done in outcomes:
        figures.save(done.claim.figure(done.result), folder / done.claim.id)
    report = {
        "budget": "full" if full else "quick",
        "sources": sources_digest(),
        "claims": [_record(done) for done in outcomes],
        "full budget only": [c.id for c in skipped],
    }
    data, page = folder / "claims.json", folder / "CLAIMS.md"
    write_atomically(data, (json.dumps(report, indent=2) + "\n").encode())
    write_atomically(page, _page(outcomes, skipped, full).encode())
    return [data, page]


def _record(done: Outcome) -> dict[str, Any]:
    c = done.claim
    return {
        "id": c.id,
        "statement": c.statement,
        "latex": c.latex,
        "source": c.source,
        "predicted": c.predicted,
        "rule": c.rule,
        "measured": _json(done.numbers),
        "verdict": done.verdict,
        "control": {"wrong": c.wrong, "measured": _json(done.control_numbers), "verdict": done.control},
        "seconds": round(done.seconds, 3),
        "figure": f"{c.id}.pdf",
    }


def _json(numbers: Numbers) -> dict[str, Any]:
    def plain(x: float) -> float | None:
        return x if math.isfinite(x) else None

    return {
        name: x if isinstance(x, str) else {k: plain(v) for k, v in x._asdict().items()} for name, x in numbers.items()
    }


def _list(numbers: Numbers, separator: str) -> str:
    return separator.join(f"{name}: {x}" for name, x in numbers.items())


def _print_table(outcomes: Sequence[Outcome], skipped: Sequence[Claim]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console() if sys.stdout.isatty() else Console(width=170)
    colour = {SUPPORTED: "green", REFUTED: "red", INCONCLUSIVE: "yellow"}
    table = Table("claim", "source", "predicted", "measured", "verdict", "control", show_lines=True)
    for done in outcomes:
        c = done.claim
        told = f"[{colour[done.verdict]}]{done.verdict}[/]"
        control = f"[{'green' if done.control == REFUTED else 'red'}]{done.control}[/]: {c.wrong}"
        measured = _list(done.numbers, "\n").replace("[", r"\[")
        table.add_row(c.id, c.source, c.predicted, measured, told, control)
    for c in skipped:
        table.add_row(c.id, c.source, c.predicted, "", "full budget only", "")
    console.print(table)


def _page(outcomes: Sequence[Outcome], skipped: Sequence[Claim], full: bool) -> str:
    lines = [
        "# Claims",
        "",
        f"Theorems as programs, run at the {'full' if full else 'quick'} budget. A verdict follows the rule stated",
        "with the claim; the control is a study in which the claim does not hold, and must come out refuted.",
        "Intervals are 95 % bootstrap intervals over replications.",
        "",
        "| claim | predicted | measured | verdict | control |",
        "| --- | --- | --- | --- | --- |",
    ]
    for done in outcomes:
        c = done.claim
        measured = _list(done.numbers, "; ")
        lines.append(f"| [{c.id}](#{c.id}) | {c.predicted} | {measured} | {done.verdict} | {done.control} |")
    lines += [f"| {c.id} | {c.predicted} | | full budget only | |" for c in skipped]
    for done in outcomes:
        c = done.claim
        lines += [
            "",
            f"## {c.id}",
            "",
            f"{c.statement}",
            "",
            f"$$ {c.latex} $$",
            "",
            f"Source: {c.source}",
            "",
            f"Rule: {c.rule}",
            "",
            f"- predicted: {c.predicted}",
            *(f"- {name}: {x}" for name, x in done.numbers.items()),
            f"- verdict: **{done.verdict}**",
            f"- control ({c.wrong}): **{done.control}**; {_list(done.control_numbers, '; ')}",
            "",
            f"![{c.id}]({c.id}.png)",
        ]
    return "\n".join(lines) + "\n"


def _check_writable(folder: Path) -> None:
    probe = folder / f".probe-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise OSError(f"results: {folder} cannot be written ({error.strerror})") from None
