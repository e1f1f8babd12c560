"""Results: exact regret of one study (`Trajectory`) or of a sweep (`Grid`); tables, saving and loading."""

from __future__ import annotations

import functools
import importlib
import io
import json
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


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "sources": sources_digest()}
    for name in ("kl-banditlab", "numpy", "scipy", "numba", "pandas", "matplotlib"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _name(algorithm: Callable[..., Any]) -> dict[str, Any]:
    """An algorithm's qualified name and bound parameters, for the manifest."""
    bound: dict[str, Any] = {}
    while isinstance(algorithm, functools.partial):
        bound = {**algorithm.keywords, **bound}
        algorithm = algorithm.func
    name = f"{getattr(algorithm, '__module__', '?')}.{getattr(algorithm, '__qualname__', repr(algorithm))}"
    return {
        "algorithm": name,
        "parameters": {k: v if isinstance(v, int | float | str) else repr(v) for k, v in bound.items()},
    }


def _bound(algorithm: Callable[..., Any], problem: Any, rounds: int, checkpoints: np.ndarray) -> np.ndarray | None:
    """The theorem's curve that a constructor carries, found through ``functools.partial``."""
    keywords: dict[str, Any] = {}
    while isinstance(algorithm, functools.partial):
        keywords = {**algorithm.keywords, **keywords}
        algorithm = algorithm.func
    bound = getattr(algorithm, "bound", None)
    if bound is None:
        return None
    curve = np.asarray(bound(problem, rounds, checkpoints, **keywords), dtype=float)
    return None if np.isnan(curve).all() else curve


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
        curves = {name: _bound(a, problem, rounds, checkpoints) for name, a in algorithms.items()}
        manifest = {
            "kind": "trajectory",
            "problem": problem.summary,
            "algorithms": {name: _name(a) for name, a in algorithms.items()},
            "rounds": rounds,
            "replications": [replications.start, replications.stop],
            "seed": seed,
            "wall_seconds": seconds,
            "rounds_per_second": len(algorithms) * len(replications) * rounds / max(seconds, 1e-9),
            "versions": _versions(),
        }
        bounds = {name: curve for name, curve in curves.items() if curve is not None}
        return cls(problem, rounds, seed, replications, checkpoints, channels, bounds, manifest)

    @property
    def regret(self) -> dict[str, np.ndarray]:
        """For each algorithm its exact cumulative regret, (replications, C)."""
        return {name: channels["regret"] for name, channels in self.channels.items()}

    def frame(self) -> pd.DataFrame:
        """Tidy table: a row per algorithm, replication and checkpoint, a column per channel."""
        import pandas as pd

        parts = []
        for name, channels in self.channels.items():
            n, c = channels["regret"].shape
            columns: dict[str, Any] = {
                "algorithm": [name] * (n * c),
                "replication": np.repeat(np.arange(self.replications.start, self.replications.stop), c),
                "round": np.tile(self.checkpoints, n),
            }
            parts.append(pd.DataFrame({**columns, **{k: v.ravel() for k, v in channels.items()}}))
        return pd.concat(parts, ignore_index=True)

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
        folder = Path(folder)
        arrays = {name: np.asarray(value) for name, value in self.problem._asdict().items()}
        data = io.BytesIO()
        np.savez(data, **arrays)  # type: ignore[arg-type]
        write_atomically(folder / PROBLEM, data.getvalue())
        cls = type(self.problem)
        manifest = {
            **self.manifest,
            "bounds": {name: curve.tolist() for name, curve in self.bounds.items()},
            "problem_type": f"{cls.__module__}:{cls.__qualname__}",
        }
        _save(folder, self.frame(), manifest)
        return folder

    def _repr_png_(self) -> bytes:
        from banditlab import figures

        return figures.png(self.plot(bounds=False))

    def __repr__(self) -> str:
        final = ", ".join(f"{name} {x[:, -1].mean():.4g}" for name, x in self.regret.items())
        n = len(self.replications)
        return f"Trajectory({self.problem.summary}; {self.rounds} rounds, {n} replications; mean regret: {final})"


@dataclass(frozen=True)
class Grid:
    """Final exact regrets of a sweep.

    Attributes
    ----------
    axes : dict of list
        The axes' values, in the order given.
    table : DataFrame
        A row per cell, algorithm and replication: the axes, ``rounds`` and the channels' final values.
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
            point = {"rounds": cell.rounds, **points[i // len(labels)]}
            index = range(len(cell.replications))
            constants = {
                **{k: [v] * len(index) for k, v in point.items()},
                "algorithm": [cell.label] * len(index),
            }
            numbers = {"replication": np.arange(cell.replications.start, cell.replications.stop)}
            parts.append(pd.DataFrame({**constants, **numbers, **{k: v[:, -1] for k, v in found.items()}}, index=index))
        crossovers: dict[str, dict[int, float]] = {}  # where they depend on the horizon alone
        for cell in cells:
            for name, eta in cell.problem.crossovers(cell.rounds).items():
                if crossovers.setdefault(name, {}).setdefault(cell.rounds, eta) != eta:
                    crossovers[name][cell.rounds] = np.nan
        work = sum(cell.rounds * len(cell.replications) for cell in cells)
        manifest = {
            "kind": "grid",
            "problem": _shared([cell.problem.summary for cell in cells]),
            "axes": {
                name: [v.item() if isinstance(v, np.generic) else v for v in values] for name, values in axes.items()
            },
            "algorithms": {cell.label: _name(cell.algorithm) for cell in cells},
            "crossovers": {
                name: sorted(at.items()) for name, at in crossovers.items() if not np.isnan([*at.values()]).any()
            },
            "seed": cells[0].seed,
            "wall_seconds": seconds,
            "rounds_per_second": work / max(seconds, 1e-9),
            "versions": _versions(),
        }
        return cls(axes, pd.concat(parts, ignore_index=True), manifest)

    def frame(self) -> pd.DataFrame:
        """The table."""
        return self.table.copy()

    def plot(self, x: str | None = None) -> Figure:
        """Final regret along an axis: log-log with fitted exponents, or a phase diagram for axes eta and rounds.

        Parameters
        ----------
        x : str, optional
            The axis to draw against; by default the first, or the phase diagram where both axes are there.
        """
        from banditlab import figures

        if x is None and {"eta", "rounds"} <= set(self.axes):
            return figures.phase_diagram(self)
        return figures.scaling(self, x=x or next(iter(self.axes)))

    def save(self, folder: str | Path) -> Path:
        """Write table and manifest into a folder (created); returns it."""
        _save(Path(folder), self.table, self.manifest)
        return Path(folder)


def _shared(summaries: Sequence[str]) -> str:
    """What the problems of a sweep have in common, part by part of their summaries."""
    first, *rest = [summary.split(", ") for summary in summaries]
    return ", ".join(part for part in first if all(part in other for other in rest))


def _save(folder: Path, table: pd.DataFrame, manifest: dict[str, Any]) -> None:
    data = io.BytesIO()
    table.to_parquet(data, index=False)
    write_atomically(folder / TABLE, data.getvalue())
    write_atomically(folder / MANIFEST, (json.dumps(manifest, indent=2, default=str) + "\n").encode())


def load(folder: str | Path) -> Trajectory | Grid:
    """Read a saved result.

    Raises
    ------
    FileNotFoundError, ValueError
        In one line, where the folder holds none, or one of another kind.
    """
    import pandas as pd

    folder = Path(folder)
    if not (folder / MANIFEST).is_file() or not (folder / TABLE).is_file():
        raise FileNotFoundError(f"folder: {folder} holds no saved result ({MANIFEST} and {TABLE})")
    manifest = json.loads((folder / MANIFEST).read_text())
    table = pd.read_parquet(folder / TABLE)
    if manifest.get("kind") == "grid":
        return Grid(manifest["axes"], table, manifest)
    if manifest.get("kind") != "trajectory":
        raise ValueError(f"folder: {folder} holds a result of unknown kind {manifest.get('kind')!r}")
    module, _, name = manifest.pop("problem_type").partition(":")
    cls = getattr(importlib.import_module(module), name)
    with np.load(folder / PROBLEM) as arrays:
        problem = cls(**{k: v.item() if v.ndim == 0 else v for k, v in arrays.items()})
    checkpoints = np.sort(table["round"].unique()).astype(np.int64)
    replications = range(*manifest["replications"])
    channels = {
        label: {
            column: part[column].to_numpy().reshape(len(replications), -1)
            for column in part.columns
            if column not in ("algorithm", "replication", "round")
        }
        for label, part in table.groupby("algorithm", sort=False)
    }
    bounds = {label: np.array(curve) for label, curve in manifest.pop("bounds").items()}
    return Trajectory(
        problem, manifest["rounds"], manifest["seed"], replications, checkpoints, channels, bounds, manifest
    )
