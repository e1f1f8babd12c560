"""Results: exact regret (`Trajectory`), suboptimality (`Offline`), a sweep of either (`Grid`); saving and loading."""

from __future__ import annotations

import functools
import importlib
import io
import json
import math
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from banditlab.jit import sources_digest
from banditlab.store import write_atomically

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

TABLE, MANIFEST, PROBLEM = "table.parquet", "manifest.json", "problem.npz"
"""Files of a saved result."""

FORMAT = 1
"""Of saved results; those without a number, from before there was one, are read too."""


def versions() -> dict[str, str]:
    """Versions of what results depend on, and the digest of the numerical sources."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "sources": sources_digest()}
    for name in ("kl-banditlab", "numpy", "scipy", "numba", "pandas", "matplotlib"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def name_of(algorithm: Callable[..., Any]) -> dict[str, Any]:
    """An algorithm's qualified name and bound parameters, for manifests and the store."""
    bound: dict[str, Any] = {}
    while isinstance(algorithm, functools.partial):
        bound = {**algorithm.keywords, **bound}
        algorithm = algorithm.func
    name = f"{getattr(algorithm, '__module__', '?')}.{getattr(algorithm, '__qualname__', repr(algorithm))}"
    return {
        "algorithm": name,
        "parameters": {k: v if isinstance(v, int | float | str) else repr(v) for k, v in bound.items()},
    }


def _curves(algorithms: Mapping[str, Callable[..., Any]], name: str, *arguments: Any) -> dict[str, np.ndarray]:
    """The theorem's curves that algorithms carry as attribute `name`, found through ``functools.partial``."""
    curves = {}
    for label, algorithm in algorithms.items():
        keywords: dict[str, Any] = {}
        while isinstance(algorithm, functools.partial):
            keywords = {**algorithm.keywords, **keywords}
            algorithm = algorithm.func
        theorem = getattr(algorithm, name, None)
        if theorem is not None:
            curve = np.asarray(theorem(*arguments, **keywords), dtype=float)
            if not np.isnan(curve).all():
                curves[label] = curve
    return curves


def _laws(algorithms: Mapping[str, Callable[..., Any]], problem: Any, samples: np.ndarray) -> dict[str, np.ndarray]:
    """The laws of the mean suboptimality, NaN where there are too few samples for them."""
    found = _curves(algorithms, "law", problem, samples)
    shown = {label: np.where(problem.lawful(samples), curve, np.nan) for label, curve in found.items()}
    return {label: curve for label, curve in shown.items() if not np.isnan(curve).all()}


@dataclass(frozen=True)
class Trajectory:
    """Exact cumulative regret of algorithms on one problem.

    Attributes
    ----------
    problem : NamedTuple
        The instance.
    rounds, seed : int
    replications : range
        Their numbers.
    checkpoints : (C,) int64 array
        Rounds at which was recorded.
    channels : dict of dict of (replications, C) arrays
        For each algorithm its channels: ``regret``, the exact cumulative regret, ``pseudo_regret``, the sum of plain
        gaps.
    bounds : dict of (C,) arrays
        The theorem's bound where the algorithm carries one.
    manifest : dict
        Versions, sources' digest, algorithms and parameters, wall time, rounds per second.
    """

    problem: Any
    rounds: int
    seed: int
    replications: range
    checkpoints: np.ndarray
    channels: dict[str, dict[str, np.ndarray]]
    bounds: dict[str, np.ndarray] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        problem: Any,
        algorithms: dict[str, Callable[..., Any]],
        rounds: int,
        replications: range,
        seed: int,
        checkpoints: np.ndarray,
        channels: dict[str, dict[str, np.ndarray]],
        seconds: float,
    ) -> Trajectory:
        """Assemble a result, with the algorithms' bounds and a manifest."""
        manifest = {
            "kind": "trajectory",
            "problem": problem.summary,
            "algorithms": {name: name_of(a) for name, a in algorithms.items()},
            "rounds": rounds,
            "replications": [replications.start, replications.stop],
            "seed": seed,
            "call": f"bl.run(problem, algorithms, rounds={rounds}, replications={replications}, seed={seed}, "
            f"checkpoints={checkpoints.tolist()})",
            "wall_seconds": seconds,
            "rounds_per_second": len(algorithms) * len(replications) * rounds / max(seconds, 1e-9),
            "versions": versions(),
        }
        bounds = _curves(algorithms, "bound", problem, rounds, checkpoints)
        return cls(problem, rounds, seed, replications, checkpoints, channels, bounds, manifest)

    @property
    def regret(self) -> dict[str, np.ndarray]:
        """For each algorithm its exact cumulative regret, (replications, C)."""
        return {name: channels["regret"] for name, channels in self.channels.items()}

    def frame(self) -> pd.DataFrame:
        """Tidy table: a row per algorithm, replication and checkpoint, a column per channel."""
        return _tidy(self.channels, self.replications, "round", self.checkpoints)

    def plot(self, *, bounds: bool = False, channel: str = "regret", time: str = "log") -> Figure:
        """Regret curves with bands; with ``bounds=True`` beside the theorems' bounds.

        Parameters
        ----------
        bounds : bool
            Draw the bound of each algorithm that carries one.
        channel : str
            The channel to draw; a figure never mixes two measures.
        time : {"log", "linear", "loglog"}
            Scale of the rounds (log-log adds guide slopes 1/2 and 1).
        """
        from banditlab import figures

        return figures.regret(self, bounds=bounds, channel=channel, time=time)

    def rates(self, *, seed: int = 0) -> pd.DataFrame:
        """Which law each algorithm's regret follows: law, coefficient and last local slope with intervals."""
        import pandas as pd

        from banditlab import rates

        rows = []
        for name, regret in self.regret.items():
            found = rates.classify(self.checkpoints, regret, first=self.problem.burn_in, seed=seed)
            row = {k: v for k, v in found._asdict().items() if k not in ("aicc", "exponent")}
            rows.append({"algorithm": name, **row})
        return pd.DataFrame(rows)

    def save(self, folder: str | Path) -> Path:
        """Write table, manifest and problem into a folder (created); returns it."""
        return _save_result(self, Path(folder), bounds=self.bounds)

    def _repr_png_(self) -> bytes:
        from banditlab import figures

        return figures.png(self.plot(bounds=False))

    def __repr__(self) -> str:
        final = ", ".join(f"{name} {x[:, -1].mean():.4g}" for name, x in self.regret.items())
        n = len(self.replications)
        return f"Trajectory({self.problem.summary}; {self.rounds} rounds, {n} replications; mean regret: {final})"


@dataclass(frozen=True)
class Offline:
    """Exact suboptimality of offline algorithms on one problem, against the sample size.

    Attributes
    ----------
    problem : NamedTuple
        The instance.
    samples : (C,) int64 array
        Sample sizes n.
    seed : int
    replications : range
        Their numbers.
    channels : dict of dict of (replications, C) arrays
        For each algorithm its one channel, ``gap``.
    bounds : dict of (C,) arrays
        The certificate where the algorithm carries one.
    laws : dict of (C,) arrays
        The first-order law of the mean suboptimality where the algorithm carries one.
    lower : (C,) array or None
        A lower bound for every algorithm, where the instance belongs to a family that has one.
    manifest : dict
        As in `Trajectory`.
    """

    problem: Any
    samples: np.ndarray
    seed: int
    replications: range
    channels: dict[str, dict[str, np.ndarray]]
    bounds: dict[str, np.ndarray] = field(default_factory=dict)
    laws: dict[str, np.ndarray] = field(default_factory=dict)
    lower: np.ndarray | None = None
    manifest: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        problem: Any,
        algorithms: dict[str, Callable[..., Any]],
        samples: np.ndarray,
        replications: range,
        seed: int,
        channels: dict[str, dict[str, np.ndarray]],
        seconds: float,
    ) -> Offline:
        """Assemble a result, with the algorithms' certificates and laws and a manifest."""
        work = problem.work * samples.size * len(replications) * len(algorithms)
        manifest = {
            "kind": "offline",
            "problem": problem.summary,
            "algorithms": {name: name_of(a) for name, a in algorithms.items()},
            "samples": samples.tolist(),
            "replications": [replications.start, replications.stop],
            "seed": seed,
            "call": f"bl.run_offline(problem, algorithms, samples={samples.tolist()}, replications={replications}, "
            f"seed={seed})",
            "wall_seconds": seconds,
            "rounds_per_second": work / max(seconds, 1e-9),
            "versions": versions(),
        }
        bounds, laws = _curves(algorithms, "bound", problem, samples), _laws(algorithms, problem, samples)
        lower = problem.lower_bound(samples)
        return cls(problem, samples, seed, replications, channels, bounds, laws, lower, manifest)

    @property
    def gap(self) -> dict[str, np.ndarray]:
        """For each algorithm its exact suboptimality, (replications, C)."""
        return {name: channels["gap"] for name, channels in self.channels.items()}

    def frame(self) -> pd.DataFrame:
        """Tidy table: a row per algorithm, replication and sample size."""
        return _tidy(self.channels, self.replications, "samples", self.samples)

    def plot(self, *, bounds: bool = False) -> Figure:
        """Suboptimality against n, log-log; with ``bounds=True`` beside law, certificate and lower bound."""
        from banditlab import figures

        return figures.suboptimality(self, bounds=bounds)

    def rates(self, *, seed: int = 0) -> pd.DataFrame:
        """For each algorithm: exponent of the mean suboptimality in n, over all sizes and the last two, and n times it.

        Intervals are 95 % bootstrap intervals over replications.
        """
        import pandas as pd

        from banditlab import rates

        rows = []
        for name, gap in self.gap.items():
            row: dict[str, Any] = {"algorithm": name}
            for which, first in (("exponent", 0), ("last_exponent", -2)):
                if self.samples.size > 1:
                    found = rates.exponent(self.samples[first:], list(gap.T[first:]), paired=True, seed=seed)
                    row.update({which: found[0], f"{which}_low": found[1], f"{which}_high": found[2]})
            final = rates.summary(gap[:, -1])
            rows.append({**row, "n_gap": self.samples[-1] * final.mean, "n_gap_se": self.samples[-1] * final.se})
        return pd.DataFrame(rows)

    def save(self, folder: str | Path) -> Path:
        """Write table, manifest and problem into a folder (created); returns it."""
        lower = {} if self.lower is None else {"": self.lower}
        return _save_result(self, Path(folder), bounds=self.bounds, laws=self.laws, lower=lower)

    def _repr_png_(self) -> bytes:
        from banditlab import figures

        return figures.png(self.plot(bounds=False))

    def __repr__(self) -> str:
        final = ", ".join(f"{name} {x[:, -1].mean():.4g}" for name, x in self.gap.items())
        n = len(self.replications)
        return f"Offline({self.problem.summary}; n to {self.samples[-1]}, {n} replications; mean gap: {final})"


@dataclass(frozen=True)
class Grid:
    """Final exact regrets of a sweep, or suboptimalities of an offline one.

    Attributes
    ----------
    axes : dict of list
        The axes' values, in the order given.
    table : DataFrame
        A row per cell, algorithm and replication: the axes, ``rounds`` or ``samples``, and the channels' final values;
        offline also ``law``, the first-order law of the mean, where the algorithm carries one.
    manifest : dict
        As in `Trajectory`.
    """

    axes: dict[str, list[Any]]
    table: pd.DataFrame
    manifest: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        axes: dict[str, list[Any]],
        points: Sequence[Mapping[str, Any]],
        labels: Sequence[str],
        cells: Sequence[Any],
        channels: Sequence[Mapping[str, np.ndarray]],
        seconds: float,
    ) -> Grid:
        """Assemble a sweep's table from its cells, which run through points, then labels."""
        import pandas as pd

        parts = []
        for i, (cell, found) in enumerate(zip(cells, channels, strict=True)):
            point = {**dict([cell.size]), **points[i // len(labels)]}
            index = range(len(cell.replications))
            constants = {
                **{k: [v] * len(index) for k, v in point.items()},
                "algorithm": [cell.label] * len(index),
            }
            numbers = {"replication": np.arange(cell.replications.start, cell.replications.stop)}
            final = {k: v[:, -1] for k, v in found.items()}
            if "samples" in point:  # the law of the mean, where the algorithm carries one
                laws = _laws({"law": cell.algorithm}, cell.problem, cell.samples)
                constants |= {name: [curve[-1]] * len(index) for name, curve in laws.items()}
            parts.append(pd.DataFrame({**constants, **numbers, **final}, index=index))
        crossovers: dict[str, dict[int, float]] = {}  # where they depend on the horizon alone
        for cell in cells:
            size = cell.size[1]
            for name, eta in cell.problem.crossovers(size).items():
                if crossovers.setdefault(name, {}).setdefault(size, eta) != eta:
                    crossovers[name][size] = np.nan
        work = sum(cell.work * len(cell.replications) for cell in cells)
        manifest = {
            "kind": "grid",
            "problem": shared([cell.problem.summary for cell in cells]),
            "gap": getattr(cells[0].problem, "gap_label", "suboptimality").partition("\n")[0],
            "axes": {
                name: [v.item() if isinstance(v, np.generic) else v for v in values] for name, values in axes.items()
            },
            "algorithms": {cell.label: name_of(cell.algorithm) for cell in cells},
            "crossovers": {
                name: sorted(at.items()) for name, at in crossovers.items() if not np.isnan([*at.values()]).any()
            },
            "seed": cells[0].seed,
            "call": f"bl.sweep(factory, algorithms, over=axes, replications={cells[0].replications}, "
            f"seed={cells[0].seed}) with the one {cells[0].size[0]} of the table, unless it is an axis",
            "wall_seconds": seconds,
            "rounds_per_second": work / max(seconds, 1e-9),
            "versions": versions(),
        }
        return cls(axes, pd.concat(parts, ignore_index=True), manifest)

    def frame(self) -> pd.DataFrame:
        """The table."""
        return self.table.copy()

    def plot(self, x: str | None = None) -> Figure:
        """Final regret along an axis: log-log with fitted exponents, or what the axes are made for.

        Parameters
        ----------
        x : str, optional
            The axis to draw against. By default a phase diagram for the axes eta and rounds (or samples), the coverage
            figure for an axis ``coverage``, else the first axis.
        """
        from banditlab import figures

        if x is None and "eta" in self.axes and ("rounds" in self.axes or "samples" in self.axes):
            return figures.phase_diagram(self)
        if x is None and "coverage" in self.axes and "samples" in self.table:
            return figures.coverage(self)
        return figures.scaling(self, x=x or next(iter(self.axes)))

    def save(self, folder: str | Path) -> Path:
        """Write table and manifest into a folder (created); returns it."""
        _save(Path(folder), self.table, self.manifest)
        return Path(folder)


def _tidy(
    channels: Mapping[str, Mapping[str, np.ndarray]], replications: range, axis: str, at: np.ndarray
) -> pd.DataFrame:
    """A row per algorithm, replication and place on the axis, a column per channel."""
    import pandas as pd

    parts = []
    for name, found in channels.items():
        columns: dict[str, Any] = {
            "algorithm": [name] * (len(replications) * at.size),
            "replication": np.repeat(np.arange(replications.start, replications.stop), at.size),
            axis: np.tile(at, len(replications)),
        }
        parts.append(pd.DataFrame({**columns, **{k: v.ravel() for k, v in found.items()}}))
    return pd.concat(parts, ignore_index=True)


def shared(summaries: Sequence[str]) -> str:
    """What the problems of a sweep have in common, part by part of their summaries."""
    first, *rest = [summary.split(", ") for summary in summaries]
    return ", ".join(part for part in first if all(part in other for other in rest))


def _save_result(result: Trajectory | Offline, folder: Path, **curves: Mapping[str, np.ndarray]) -> Path:
    """Write table, manifest with curves, and problem; returns the folder."""
    arrays = {name: np.asarray(value) for name, value in result.problem._asdict().items()}
    data = io.BytesIO()
    np.savez(data, **arrays)  # type: ignore[arg-type]
    write_atomically(folder / PROBLEM, data.getvalue())
    cls = type(result.problem)
    plain = {kind: {name: _plain(curve) for name, curve in found.items()} for kind, found in curves.items()}
    manifest = {**result.manifest, **plain, "problem_type": f"{cls.__module__}:{cls.__qualname__}"}
    _save(folder, result.frame(), manifest)
    return folder


def _plain(curve: np.ndarray) -> list[float | str | None]:
    """Numbers as JSON has them: null for NaN, a string for infinity."""
    return [None if math.isnan(x) else str(x) if math.isinf(x) else x for x in curve.tolist()]


def _save(folder: Path, table: pd.DataFrame, manifest: dict[str, Any]) -> None:
    data = io.BytesIO()
    table.to_parquet(data, index=False)
    write_atomically(folder / TABLE, data.getvalue())
    manifest = {"format": FORMAT, **manifest}
    write_atomically(folder / MANIFEST, (json.dumps(manifest, indent=2, default=str) + "\n").encode())


def load(folder: str | Path) -> Trajectory | Offline | Grid:
    """Read a saved result.

    Raises
    ------
    FileNotFoundError, ValueError
        In one line, where the folder holds none, one of another kind, or one that this version cannot read.
    """
    import pandas as pd

    folder = Path(folder)
    if not (folder / MANIFEST).is_file() or not (folder / TABLE).is_file():
        raise FileNotFoundError(f"folder: {folder} holds no saved result ({MANIFEST} and {TABLE})")
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        form = manifest.pop("format", FORMAT)
    except (ValueError, AttributeError) as error:
        raise ValueError(f"folder: {folder / MANIFEST} is damaged ({error})") from None
    by = f"banditlab {manifest.get('versions', {}).get('kl-banditlab', 'of unknown version')}"
    if form != FORMAT:
        raise ValueError(f"folder: {folder} was saved by {by} in format {form}, this version reads format {FORMAT}")
    table = pd.read_parquet(folder / TABLE)
    if manifest.get("kind") == "grid":
        return Grid(manifest["axes"], table, manifest)
    if manifest.get("kind") not in ("trajectory", "offline"):
        raise ValueError(f"folder: {folder} holds a result of unknown kind {manifest.get('kind')!r}")
    module, _, name = manifest.pop("problem_type").partition(":")
    try:
        cls = getattr(importlib.import_module(module), name)
        with np.load(folder / PROBLEM) as arrays:
            problem = cls(**{k: v.item() if v.ndim == 0 else v for k, v in arrays.items()})
    except (ImportError, AttributeError, TypeError) as error:  # the class moved, or has other fields
        raise ValueError(
            f"folder: {folder} was saved by {by}, whose problem {module}.{name} this version does not have ({error}); "
            f"its table and manifest can be read by themselves"
        ) from None
    axis = "round" if manifest["kind"] == "trajectory" else "samples"
    at = np.sort(table[axis].unique()).astype(np.int64)
    replications = range(*manifest["replications"])
    channels = {
        label: {
            column: part[column].to_numpy().reshape(len(replications), -1)
            for column in part.columns
            if column not in ("algorithm", "replication", axis)
        }
        for label, part in table.groupby("algorithm", sort=False)
    }
    curves = {
        kind: {label: np.array(curve, dtype=float) for label, curve in manifest.pop(kind).items()}
        for kind in ("bounds", "laws", "lower")
        if kind in manifest
    }
    seed = manifest["seed"]
    if axis == "samples":
        lower = curves["lower"].get("")
        return Offline(problem, at, seed, replications, channels, curves["bounds"], curves["laws"], lower, manifest)
    return Trajectory(problem, manifest["rounds"], seed, replications, at, channels, curves["bounds"], manifest)
