"""Replications, shards, threads, checkpoints: runs any problem that can `check` and `play` a learner.

A study is a list of cells (problem, algorithm, rounds, seed). Each cell is cut into shards of replications at
boundaries that depend on the number of rounds alone. A shard is a pure function of its description, so results are the
same bits for any number of threads, any grouping and any point of resumption.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.jit import digest, sources_digest
from banditlab.store import Store
from banditlab.trajectory import Grid, Trajectory

Algorithm = Callable[..., Any]
"""``(problem, rounds) -> learner``; keyword parameters are bound by ``functools.partial``."""

_SHARD_ROUNDS = 1 << 20  # a shard holds about this many rounds,
_SHARD_REPLICATIONS = 16  # and at most this many replications
_PATIENCE = 2.0  # seconds before a progress bar appears
_TICK = 0.1  # seconds between looks at the workers


class SimulationError(RuntimeError):
    """A replication met a number that is not finite, or a policy that is no distribution.

    Attributes
    ----------
    replication : int
        Its number.
    """

    def __init__(self, message: str, replication: int) -> None:
        super().__init__(message)
        self.replication = replication


class Cell(NamedTuple):
    """One problem played by one algorithm."""

    problem: Any
    label: str
    algorithm: Algorithm
    rounds: int
    checkpoints: np.ndarray  # (C,) int64
    seed: int
    replications: range

    def description(self) -> dict[str, Any]:
        """What the numbers depend on, but for the replication; JSON-able."""
        return {
            "sources": sources_digest(),
            "problem": digest(self.problem),
            "algorithm": digest(self.algorithm),
            "rounds": self.rounds,
            "checkpoints": [int(c) for c in self.checkpoints],
            "seed": self.seed,
        }


class Shard(NamedTuple):
    """Replications start, ..., stop - 1 of a cell: the unit of work, storage and resumption."""

    cell: Cell
    start: int
    stop: int


def play_shard(shard: Shard, control: np.ndarray) -> dict[str, np.ndarray] | None:
    """Simulate a shard: channels of shape (stop - start, C), or None when told to stop.

    Parameters
    ----------
    shard : Shard
    control : (3,) int64 array
        Entry 0 stops the loop when set; entry 1 holds the rounds done in the present replication, entry 2 those of
        finished replications.

    Raises
    ------
    SimulationError
        Names algorithm, replication, round and seed, and the call that reproduces it.
    """
    cell = shard.cell
    rows = []
    for replication in range(shard.start, shard.stop):
        learner = cell.algorithm(cell.problem, cell.rounds)
        status, t, channels = cell.problem.play(learner, cell.checkpoints, cell.seed, replication, control)
        if control[0]:
            return None
        if status:
            raise SimulationError(
                f"{cell.label}: {cell.problem.failure(status)} in round {t} of replication {replication}, seed "
                f"{cell.seed}; reproduce: bl.run(problem, {{{cell.label!r}: algorithm}}, rounds={cell.rounds}, "
                f"replications=range({replication}, {replication + 1}), seed={cell.seed})",
                replication,
            )
        control[1] = 0
        control[2] += cell.rounds
        rows.append(channels)
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


# ---------------------------------------------------------------------------------------------------------------
# Studies
# ---------------------------------------------------------------------------------------------------------------


def study(
    cells: Sequence[Cell], *, threads: int | None = None, store: str | Path | None = None
) -> list[dict[str, np.ndarray]]:
    """Simulate cells; shards found in the store are not simulated again, and new ones are written as they finish.

    Parameters
    ----------
    cells : sequence of Cell
    threads : int, optional
        Worker threads; all processors by default.
    store : str or Path, optional
        Folder of finished shards; by default nothing is kept.

    Returns
    -------
    list of dict
        For each cell its channels, (replications, C).

    Raises
    ------
    SimulationError
        From a replication that failed; the shards finished before are in the store.
    """
    check(cells, threads)
    kept = None if store is None else Store(store)
    if kept is not None:
        kept.check_writable()
    done: list[dict[int, dict[str, np.ndarray]]] = [{} for _ in cells]
    todo: list[tuple[int, Shard]] = []
    descriptions = [cell.description() if kept is not None else {} for cell in cells]
    stored = [kept.blocks(d) if kept is not None else set() for d in descriptions]

    def missing(i: int, start: int, stop: int) -> list[tuple[int, int]]:
        """Blocks of [start, stop) that the store lacks; what it has goes into `done`."""
        if kept is not None and (start, stop) in stored[i]:
            found = kept.read(descriptions[i], start, stop)
            if found is not None:
                done[i][start] = found
                return []
        if not stored[i] or stop - start == 1:
            return [(start, stop)]
        half = (start + stop) // 2
        blocks = missing(i, start, half) + missing(i, half, stop)
        return [(start, stop)] if blocks == [(start, half), (half, stop)] else blocks

    for i, cell in enumerate(cells):
        for start, stop in blocks(cell.rounds, cell.replications):
            todo += [(i, Shard(cell, a, b)) for a, b in missing(i, start, stop)]

    def work(task: int, control: np.ndarray) -> bool:
        i, shard = todo[task]
        channels = play_shard(shard, control)
        if channels is None:
            return False
        if kept is not None:
            kept.write(descriptions[i], shard.start, shard.stop, channels)
        done[i][shard.start] = channels
        return True

    on_threads(work, [shard.cell.rounds * (shard.stop - shard.start) for _, shard in todo], threads or processors())
    return [
        {name: np.concatenate([part[a][name] for a in sorted(part)]) for name in _in_order(part[min(part)])}
        for part in done
    ]


def _in_order(channels: Mapping[str, np.ndarray]) -> list[str]:
    """Names of channels, regret first: the same order whether a shard was simulated or read."""
    return sorted(channels, key=lambda name: (name != "regret", name))


def blocks(rounds: int, replications: range) -> Iterator[tuple[int, int]]:
    """Cut replications into blocks of 2^j, aligned at multiples of 2^j: a longer study's contain a shorter one's."""
    largest = min(max(_SHARD_ROUNDS // rounds, 1), _SHARD_REPLICATIONS)
    start = replications.start
    while start < replications.stop:
        size = 1 << (largest.bit_length() - 1)
        while start % size or start + size > replications.stop:
            size //= 2
        yield start, start + size
        start += size


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_threads(work: Callable[[int, np.ndarray], bool], sizes: Sequence[int], threads: int) -> None:
    """The executor: run `work(task, control)` for each task, on threads that release the GIL.

    An exception of a task, or Ctrl-C, stops the running kernels through their `control` and is raised once they have
    returned, within a second; tasks that had finished stay finished.

    Parameters
    ----------
    work : callable
        Simulates one task, polling its ``control`` (see `play_shard`).
    sizes : sequence of int
        Rounds of each task, for the progress bar.
    threads : int
        Number of workers.
    """
    controls = np.zeros((len(sizes), 3), np.int64)
    with ThreadPoolExecutor(threads) as pool, _progress(sum(sizes)) as show:
        pending = {pool.submit(work, task, controls[task]) for task in range(len(sizes))}
        try:
            while pending:
                finished, pending = wait(pending, timeout=_TICK, return_when=FIRST_EXCEPTION)
                for future in finished:
                    future.result()
                show(int(controls[:, 1].sum() + controls[:, 2].sum()))
        except BaseException:
            controls[:, 0] = 1
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A function that shows the rounds done; it stays silent for `_PATIENCE` seconds and off a terminal."""
    if not sys.stderr.isatty() and "ipykernel" not in sys.modules:
        yield lambda rounds: None
        return
    bar: Any = None
    start = time.monotonic()

    def show(rounds: int) -> None:
        nonlocal bar
        if bar is None:
            if time.monotonic() - start < _PATIENCE:
                return
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                BarColumn(),
                TextColumn("{task.percentage:3.0f} %  {task.fields[rate]}  left"),
                TimeRemainingColumn(),
            )
            bar = Progress(*columns, console=Console(stderr=True), transient=True)
            bar.add_task("rounds", total=total, rate="")
            bar.start()
        rate = f"{rounds / (time.monotonic() - start) / 1e6:.1f} M rounds/s"
        bar.update(bar.task_ids[0], completed=rounds, rate=rate)

    try:
        yield show
    finally:
        if bar is not None:
            bar.stop()


# ---------------------------------------------------------------------------------------------------------------
# What users call
# ---------------------------------------------------------------------------------------------------------------


def run(
    problem: Any,
    algorithms: Mapping[str, Algorithm],
    *,
    rounds: int,
    replications: int | range = 100,
    seed: int = 0,
    checkpoints: ArrayLike | None = None,
    threads: int | None = None,
    store: str | Path | None = None,
) -> Trajectory:
    """Race algorithms on one problem and measure their exact regret.

    Parameters
    ----------
    problem : NamedTuple
        An instance, such as ``bl.bandits.textbook(eta=5.0)``.
    algorithms : mapping of str to callable
        Labels and constructors ``(problem, rounds) -> learner``; bind parameters by ``functools.partial``.
    rounds : int
        Horizon T >= 1.
    replications : int or range
        Independent replications 0, ..., n - 1, or a range of their numbers (``range(17, 18)`` repeats number 17).
    seed : int
        Nonnegative; with a replication's number it determines that replication.
    checkpoints : (C,) array_like of int, optional
        Increasing rounds in [1, rounds]; by default the powers of two, and `rounds`.
    threads : int, optional
        Worker threads; all processors by default. The result does not depend on it.
    store : str or Path, optional
        Folder of finished shards, for reuse and resumption; by default nothing is written.

    Returns
    -------
    Trajectory
        Exact cumulative regret at the checkpoints, and further channels.

    Raises
    ------
    ValueError, TypeError
        In one line, before anything is compiled or written, for unusable arguments.
    SimulationError
        Where a learner produced a number that is not finite.
    """
    start = time.perf_counter()
    cells = plan_run(problem, algorithms, rounds=rounds, replications=replications, seed=seed, checkpoints=checkpoints)
    channels = dict(zip(algorithms, study(cells, threads=threads, store=store), strict=True))
    seconds = time.perf_counter() - start
    first = cells[0]
    return Trajectory.of(
        problem, dict(algorithms), first.rounds, first.replications, first.seed, first.checkpoints, channels, seconds
    )


def sweep(
    factory: Callable[..., Any],
    algorithms: Mapping[str, Algorithm],
    *,
    over: Mapping[str, Iterable[Any]],
    rounds: int | None = None,
    replications: int | range = 100,
    seed: int = 0,
    threads: int | None = None,
    store: str | Path | None = None,
) -> Grid:
    """Run algorithms on a problem for every combination of the axes, and keep the final regrets.

    Parameters
    ----------
    factory : callable
        Called with the axes it names, returns a problem; the axis ``rounds`` is also the horizon of its cells.
    algorithms : mapping of str to callable
        As in `run`.
    over : mapping of str to iterable
        The axes and their values.
    rounds : int, optional
        Horizon of all cells, where it is no axis.
    replications, seed, threads, store
        As in `run`.

    Returns
    -------
    Grid
        A row per cell, algorithm and replication.

    Raises
    ------
    ValueError, TypeError, SimulationError
        As in `run`.
    """
    start = time.perf_counter()
    axes: dict[str, Any] = {
        name: list(v) if np.iterable(v) and not isinstance(v, str) else v for name, v in over.items()
    }
    points, cells = plan_sweep(factory, algorithms, over=axes, rounds=rounds, replications=replications, seed=seed)
    channels = study(cells, threads=threads, store=store)
    return Grid.of(axes, points, list(algorithms), cells, channels, time.perf_counter() - start)


def plan_run(
    problem: Any,
    algorithms: Mapping[str, Algorithm],
    *,
    rounds: int,
    replications: int | range = 100,
    seed: int = 0,
    checkpoints: ArrayLike | None = None,
) -> list[Cell]:
    """The cells of `run`, one an algorithm, after checking its arguments."""
    rounds = checks.integer("rounds", rounds, 1)
    at = _checkpoints(checkpoints, rounds)
    numbers = _replications(replications)
    seed = checks.integer("seed", seed, 0)
    _check_algorithms(algorithms)
    _check_problem(problem)
    return [Cell(problem, label, algorithm, rounds, at, seed, numbers) for label, algorithm in algorithms.items()]


def plan_sweep(
    factory: Callable[..., Any],
    algorithms: Mapping[str, Algorithm],
    *,
    over: Mapping[str, Sequence[Any]],
    rounds: int | None = None,
    replications: int | range = 100,
    seed: int = 0,
) -> tuple[list[dict[str, Any]], list[Cell]]:
    """The points of `sweep` and its cells, which run through points, then algorithms, after checking its arguments."""
    if not over:
        raise ValueError("over: needs at least one axis")
    for name, values in over.items():
        if not isinstance(values, list | tuple) or not values:
            raise ValueError(f"over.{name}: expected a list of values such as [1, 10], got {values!r}")
    if ("rounds" in over) == (rounds is not None):
        raise ValueError("rounds: give it either as an axis of `over` or by itself")
    seed = checks.integer("seed", seed, 0)
    numbers = _replications(replications)
    _check_algorithms(algorithms)
    parameters = inspect.signature(factory).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in over:
        if name != "rounds" and not takes_all:
            checks.known("axis", name, parameters)
    points: list[dict[str, Any]] = [
        dict(zip(over, values, strict=True)) for values in itertools.product(*over.values())
    ]
    cells = []
    for point in points:
        horizon = checks.integer("rounds", point.get("rounds", rounds), 1)
        problem = factory(**{name: value for name, value in point.items() if name in parameters or takes_all})
        _check_problem(problem)
        at = np.array([horizon], np.int64)
        cells += [
            Cell(problem, label, algorithm, horizon, at, seed, numbers) for label, algorithm in algorithms.items()
        ]
    return points, cells


def check(cells: Sequence[Cell], threads: int | None = None) -> None:
    """Construct each cell's learner once and check its verbs; nothing is compiled.

    Raises
    ------
    ValueError, TypeError
        In one line, for an unusable parameter, learner or number of threads.
    """
    if threads is not None:
        checks.integer("threads", threads, 1)
    for cell in cells:
        cell.problem.check(cell.algorithm(cell.problem, cell.rounds))


def _checkpoints(checkpoints: ArrayLike | None, rounds: int) -> np.ndarray:
    if checkpoints is None:
        powers = [1 << k for k in range(rounds.bit_length()) if 1 << k < rounds]
        return np.array([*powers, rounds], np.int64)
    try:
        values = np.atleast_1d(np.asarray(checkpoints))
    except ValueError:
        values = np.empty((0, 0))
    kind = values.dtype.kind in "iuf" and np.isfinite(values).all() and (values == np.floor(values)).all()
    if values.ndim != 1 or values.size < 1 or not kind:
        raise TypeError(f"checkpoints: expected a sequence of integers, got {checkpoints!r}")
    at = np.ascontiguousarray(values, np.int64)
    if at[0] < 1 or at[-1] > rounds:
        raise ValueError(f"checkpoints: {at[0] if at[0] < 1 else at[-1]} is not in [1, rounds = {rounds}]")
    if not (np.diff(at) > 0).all():
        raise ValueError(f"checkpoints: must increase strictly, got {at.tolist()}")
    return at


def _replications(replications: int | range) -> range:
    if isinstance(replications, range):
        if replications.step != 1 or replications.start < 0 or len(replications) < 1:
            raise ValueError(f"replications: {replications} must have step 1, start at 0 or more and not be empty")
        return replications
    return range(checks.integer("replications", replications, 1))


def _check_algorithms(algorithms: Mapping[str, Algorithm]) -> None:
    if not isinstance(algorithms, Mapping) or not algorithms:
        raise TypeError(f"algorithms: expected a non-empty mapping of labels to constructors, got {algorithms!r}")
    for label, algorithm in algorithms.items():
        if not callable(algorithm):
            raise TypeError(
                f"algorithms[{label!r}]: expected a callable (problem, rounds) -> learner, got {algorithm!r}"
            )


def _check_problem(problem: Any) -> None:
    if not (hasattr(problem, "play") and hasattr(problem, "check")):
        raise TypeError(f"problem: expected an instance such as bl.bandits.textbook(), got {problem!r}")
