"""Results of many runs joined into one table: a row per cell, algorithm and replication, as in a sweep's `Grid`.

The axes are the entries of the configs in which the runs differ. Runs that differ in the seed alone are more
replications of the same cell.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from banditlab import checks
from banditlab.launchers import FAILURE, Failure
from banditlab.trajectory import MANIFEST, TABLE, Grid, shared, versions

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "collected"
"""Where a collection goes by default, in the folder that is collected."""

_ABOUT = ("results", "store", "threads", "figures", "only", "replications", "seed", "checkpoints", "over", "hydra")
"""Entries of a config that make no axis: they say where and how much, or have columns of their own."""


class Saved(NamedTuple):
    """A saved result."""

    name: str  # its folder, below the one that is collected
    kind: str
    manifest: dict[str, Any]
    digest: str  # SHA-256 of its table
    table: pd.DataFrame


def main(argv: Sequence[str]) -> int:
    """``banditlab collect FOLDER [results=FOLDER]``: join the saved results below a folder.

    Writes ``table.parquet``, ``manifest.json`` and a figure for each axis that has two or more positive numbers, and
    prints where they are.

    Parameters
    ----------
    argv : sequence of str
        The folder; ``results=`` (default ``FOLDER/collected``).

    Returns
    -------
    int
        0.

    Raises
    ------
    ValueError, OSError
        In one line, for unusable arguments, and where results do not fit together.
    """
    folder, given = folder_and_option("collect", argv, "results")
    into = Path(given or folder / FOLDER)
    grid = collect(folder)
    try:
        grid.save(into)
    except OSError as error:
        raise OSError(f"results: {into} cannot be written ({error.strerror})") from None
    drawn = _draw(grid, into)

    joined, failed = grid.manifest["collected"], grid.manifest["failed"]
    axes = ", ".join(f"{axis} ({len(values)})" for axis, values in grid.axes.items()) or "none"
    print(f"{folder}: {len(joined)} results, {len(grid.table)} runs; axes: {axes}")
    for line in failed:
        print(f"without   {line}")
    print(f"table     {(into / TABLE).absolute()}")
    print(f"manifest  {(into / MANIFEST).absolute()}")
    for path in drawn:
        print(f"figure    {path.absolute()}")
    if not drawn:
        print("figure    none: no axis has two or more positive numbers")
    if len(sources := {origin["sources"] for origin in joined}) > 1:
        print(f"banditlab: these results come from {len(sources)} versions of the sources", file=sys.stderr)
    return 0


def folder_and_option(command: str, argv: Sequence[str], option: str) -> tuple[Path, str | None]:
    """The folder that a command is about, and the value of its one option, None where it is not given.

    Parameters
    ----------
    command : str
        Its name, for errors.
    argv : sequence of str
        A folder, and perhaps ``option=VALUE``.
    option : str
        The option's name.

    Raises
    ------
    ValueError
        In one line: another option, or not exactly one folder.
    """
    value, folders = None, []
    for word in argv:
        key, equals, text = word.partition("=")
        if equals and not Path(word).exists():
            checks.known("option", key, [option])
            value = text
        elif word.startswith("-"):
            checks.known("option", word, [f"{option}="])
        else:
            folders.append(word)
    if len(folders) != 1:
        example = "results/multirun/2026-01-31_12-00-00"
        raise ValueError(f"{command}: name one folder of results, such as {example}; got {len(folders)}")
    return Path(folders[0]), value


def collect(folder: str | Path) -> Grid:
    """The saved results below a folder as one `Grid`.

    Its table has a row per cell, algorithm and replication (offline: and sample size), with the axes, ``seed`` and the
    channels' final values. Its manifest lists under ``collected`` where each result came from and what it contributed,
    and under ``failed`` the jobs that left none. What an earlier collection left is passed over.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    Grid

    Raises
    ------
    ValueError, OSError
        In one line, where there is nothing, a file cannot be read, kinds or families differ, or two results have
        different numbers for the same cell.
    """
    import pandas as pd

    found = list(_read(Path(folder)))
    if not found:
        raise FileNotFoundError(f"folder: {folder} holds no saved result ({MANIFEST} and {TABLE})")
    _check_alike("kind", {saved.name: saved.kind for saved in found})
    _check_alike("family", {saved.name: _family(saved) for saved in found})
    _check_alike("axes", {saved.name: str([*saved.manifest.get("axes", {})]) for saved in found})
    _check_alike("config", {saved.name: _made(saved.manifest) for saved in found})
    size = "samples" if "samples" in found[0].table else "rounds"
    columns = {column for saved in found for column in saved.table}
    outer = _axes([_settings(saved.manifest) for saved in found], columns)
    inner = [*found[0].manifest.get("axes", {})]
    parts = []
    for i, saved in enumerate(found):
        settings: dict[str, Any] = {name: values[i] for name, values in outer.items() if name not in columns}
        parts.append(saved.table.assign(**settings, seed=saved.manifest["seed"], origin=i))
    table = pd.concat(parts, ignore_index=True)
    names = [*dict.fromkeys([*inner, *outer, *([size] if table[size].nunique() > 1 else [])])]
    key = [*dict.fromkeys([*names, size]), "algorithm", "seed", "replication"]
    table = _once(table, key, [saved.name for saved in found])
    rows = table["origin"].value_counts()
    first = [*key, *(c for c in table.columns if c not in (*key, "origin"))]
    axes = {name: [_plain(v) for v in table[name].unique()] for name in names}
    seconds = sum(saved.manifest["wall_seconds"] for saved in found)
    work = sum(saved.manifest["wall_seconds"] * saved.manifest["rounds_per_second"] for saved in found)
    manifest = {
        "kind": "grid",
        "problem": shared([str(saved.manifest.get("problem", "")) for saved in found]),
        "axes": axes,
        "algorithms": {k: v for saved in found for k, v in saved.manifest["algorithms"].items()},
        "seed": sorted(int(seed) for seed in table["seed"].unique()),
        "wall_seconds": seconds,
        "rounds_per_second": work / max(seconds, 1e-9),
        "collected": [
            {
                "folder": saved.name,
                "command": saved.manifest.get("command"),
                "sources": saved.manifest["versions"]["sources"],
                "sha256": saved.digest,
                "axes": {name: values[i] for name, values in outer.items()},
                "rows": int(rows.get(i, 0)),
            }
            for i, saved in enumerate(found)
        ],
        "failed": _failed(Path(folder), {saved.name for saved in found}),
        "versions": versions(),
    }
    return Grid(axes, table[first], manifest)


# ---------------------------------------------------------------------------------------------------------------
# What is there
# ---------------------------------------------------------------------------------------------------------------


def _read(folder: Path) -> Iterator[Saved]:
    """The results below a folder in the order of their numbers, with the final values of their tables."""
    import pandas as pd

    def natural(path: Path) -> list[Any]:
        return [(int(part), "") if part.isdecimal() else (math.inf, part) for part in path.parts]

    for path in sorted((p.parent.relative_to(folder) for p in folder.rglob(MANIFEST)), key=natural):
        place = folder / path
        try:
            manifest = json.loads((place / MANIFEST).read_text())
            kind, known = manifest["kind"], ("algorithms", "seed", "wall_seconds", "rounds_per_second", "versions")
            if "collected" in manifest:
                continue
            if missing := [name for name in known if name not in manifest]:
                raise ValueError(f"no {missing[0]} in {MANIFEST}")
            data = (place / TABLE).read_bytes()
            table = pd.read_parquet(place / TABLE)
        except (OSError, ValueError, KeyError, TypeError) as error:
            words = str(error).partition("\n")[0]
            raise ValueError(f"folder: {place} holds no result that can be read ({words})") from None
        if kind == "trajectory":
            table = table[table["round"] == table["round"].max()].rename(columns={"round": "rounds"})
        yield Saved(path.as_posix(), kind, manifest, hashlib.sha256(data).hexdigest(), table)


def _failed(folder: Path, there: set[str]) -> list[str]:
    """A line for each job that failed and left no result."""
    lines = []
    for path in sorted(folder.rglob(FAILURE)):
        if path.parent.relative_to(folder).as_posix() not in there:
            lines.append(Failure.read(path).tell())
    return lines


def _family(saved: Saved) -> str:
    """The chapter of the package that the problem is from, as far as the manifest tells."""
    target = saved.manifest.get("problem_type") or _settings(saved.manifest).get("problem._target_") or "."
    return ".".join(str(target).split(".")[:2])


def _made(manifest: Mapping[str, Any]) -> str:
    return "made by the command" if "config" in manifest else "made in Python"


def _check_alike(what: str, found: Mapping[str, str]) -> None:
    (one, first), *rest = found.items()
    for name, value in rest:
        if value != first:
            raise ValueError(f"{what}: results do not fit together: {first} in {one}, {value} in {name}")


# ---------------------------------------------------------------------------------------------------------------
# In what they differ
# ---------------------------------------------------------------------------------------------------------------


def _settings(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a result depends on: its config's entries by their dotted keys, or what a manifest without one tells."""
    if "config" in manifest:
        given = {key: value for key, value in manifest["config"].items() if key not in _ABOUT}
    else:
        parameters = {label: found["parameters"] for label, found in manifest["algorithms"].items()}
        given = {"problem": manifest.get("problem"), "rounds": manifest.get("rounds"), "algorithms": parameters}
    given.pop("samples", None)  # a column of its own
    return dict(_flat(given))


def _flat(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            yield f"{prefix}{key}", json.dumps(value)
        elif value in ("Infinity", "-Infinity", "NaN"):  # JSON has no such numbers
            yield f"{prefix}{key}", float(value)
        else:
            yield f"{prefix}{key}", value


def _axes(settings: Sequence[Mapping[str, Any]], columns: Collection[str]) -> dict[str, list[Any]]:
    """The entries in which results differ, by short names, and the value of each result.

    A parameter of a problem or an algorithm is compared among those that have it; it is no axis where it only says
    which one that is.
    """
    differing: dict[str, list[Any]] = {}
    for key in dict.fromkeys(key for found in settings for key in found):
        owner = _owner(key)
        of_each: dict[Any, set[Any]] = {}
        for found in settings:
            if key in found:
                of_each.setdefault("" if key == owner else found.get(owner), set()).add(found[key])
        values = [found.get(key) for found in settings]
        again = any(end == _last(key) and values == known for end, known in map(_ended, differing.items()))
        if any(len(different) > 1 for different in of_each.values()) and not again:  # again: one refers to the other
            differing[key] = values
    target = differing.pop("problem._target_", None)
    names = {_short(key, differing, columns): values for key, values in differing.items()}
    return names if target is None else {"problem": [str(value).rpartition(".")[2] for value in target], **names}


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _ended(entry: tuple[str, list[Any]]) -> tuple[str, list[Any]]:
    return _last(entry[0]), entry[1]


def _owner(key: str) -> str:
    """The entry that says what a parameter belongs to."""
    head, *rest = key.split(".")
    if head == "problem":
        return "problem._target_" if rest else key
    return f"algorithms.{rest[0]}._target_" if head == "algorithms" else ""


def _short(key: str, keys: Collection[str], columns: Collection[str]) -> str:
    """The shortest end of a dotted key that no other key has, nor a column of the table."""
    parts = key.split(".")
    for n in range(1, len(parts)):
        end = ".".join(parts[-n:])
        alone = not any(other != key and f".{other}".endswith(f".{end}") for other in keys)
        if alone and end not in (*columns, "_target_", "seed", "origin", "problem"):
            return end
    return key


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _once(table: pd.DataFrame, key: list[str], origins: Sequence[str]) -> pd.DataFrame:
    """The table sorted by cell, without rows that are there twice.

    Raises
    ------
    ValueError
        In one line, for a cell that is there twice with different numbers.
    """
    table = table.sort_values(key, kind="stable", ignore_index=True, key=_sortable)
    again = table.duplicated(key).to_numpy()
    numbers = table[[column for column in table.columns if column not in (*key, "origin")]]
    before = numbers.shift()  # equal cells follow one another
    same = ((numbers == before) | (numbers.isna() & before.isna())).all(axis=1).to_numpy()
    for i in np.flatnonzero(again & ~same)[:1]:
        cell = ", ".join(f"{name} = {table.at[i, name]}" for name in key)
        places = " and ".join(sorted(origins[table.at[j, "origin"]] for j in (i - 1, i)))
        raise ValueError(f"results do not fit together: {cell} has different numbers in {places}")
    return table[~again].reset_index(drop=True)


def _sortable(column: pd.Series) -> pd.Series:
    """Numbers as they are, other values in the order in which they appear."""
    import pandas as pd

    return column if column.dtype.kind in "iuf" else pd.Series(pd.factorize(column)[0], index=column.index)


# ---------------------------------------------------------------------------------------------------------------
# Figures
# ---------------------------------------------------------------------------------------------------------------


def _draw(grid: Grid, folder: Path) -> list[Path]:
    """A figure of the scaling in each axis of two or more positive numbers."""
    from banditlab import figures

    drawn = []
    for name, values in grid.axes.items():
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool) and 0 < v < math.inf]
        if len(values) > 1 and len(numbers) == len(values):
            stem = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)
            drawn += figures.save(figures.scaling(grid, x=name), folder / f"scaling_{stem}")
    return drawn
