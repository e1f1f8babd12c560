"""Replications, shards, threads, checkpoints: runs any problem that can play a learner, or give offline datasets.

A study is a list of cells (problem, algorithm, rounds or sample sizes, seed). Each cell is cut into shards of
replications at boundaries that depend on the amount of work alone. A shard is a pure function of its description, so
results are the same bits for any number of threads, any grouping and any point of resumption.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import itertools
import math
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.jit import digest, sources_digest
from banditlab.store import Store
from banditlab.trajectory import Grid, Offline, Trajectory, name_of

Algorithm = Callable[..., Any]
"""``(problem, rounds) -> learner``, offline ``(dataset) -> policy``; keyword parameters by ``functools.partial``."""

_SHARD_ROUNDS = 1 << 20  # a shard holds about this many rounds,
_SHARD_REPLICATIONS = 16  # and at most this many replications
_MOST_SAMPLES = 10**14  # beyond, the sampler of binomials loses digits
_PATIENCE = 2.0  # seconds before a progress bar appears
_TICK = 0.1  # seconds between looks at the workers

PROCESSORS = "BANDITLAB_PROCESSORS"
"""Environment variable: the most processors that a process uses; launchers set it for jobs that share a machine."""


Shared = dict[tuple[int, int], Any]
"""Datasets by replication and size, for the offline shards of one task."""


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

    def __reduce__(self) -> tuple[Any, ...]:  # from another process both arguments come back
        return type(self), (str(self), self.replication)


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

    @property
    def work(self) -> int:
        """Cost of a replication, in rounds of a bandit."""
        return self.rounds

    @property
    def size(self) -> tuple[str, int]:
        """Name and value of the axis along which a sweep measures rates."""
        return "rounds", self.rounds

    def check(self) -> None:
        """Construct the learner and check its verbs; nothing is compiled."""
        self.problem.check(self.algorithm(self.problem, self.rounds))

    def task(self, i: int, start: int, stop: int) -> Any:
        """Shards with equal keys run one after another, in one task; `i` is the cell's place in its study."""
        return i, start, stop

    def play(self, replication: int, control: np.ndarray, shared: Shared) -> dict[str, np.ndarray] | None:
        """Channels (C,) of one replication, or None when told to stop."""
        learner = self.algorithm(self.problem, self.rounds)
        status, t, channels = self.problem.play(learner, self.checkpoints, self.seed, replication, control)
        if control[0]:
            return None
        if status:
            what = f"{self.problem.failure(status)} in round {t}"
            raise _failure(self, what, replication, f"run(problem, {{{self.label!r}: algorithm}}, rounds={self.rounds}")
        return channels


class OfflineCell(NamedTuple):
    """Datasets of one problem, of several sizes, given to one offline algorithm."""

    problem: Any
    label: str
    algorithm: Algorithm
    samples: np.ndarray  # (C,) int64
    seed: int
    replications: range

    def description(self) -> dict[str, Any]:
        """As in `Cell`."""
        return {
            "sources": sources_digest(),
            "problem": digest(self.problem),
            "algorithm": digest(self.algorithm),
            "samples": [int(n) for n in self.samples],
            "seed": self.seed,
        }

    @property
    def work(self) -> int:
        """As in `Cell`."""
        return self.problem.work * self.samples.size

    @property
    def size(self) -> tuple[str, int]:
        """As in `Cell`."""
        return "samples", int(self.samples[-1])

    def check(self) -> None:
        """Fit the algorithm to the empty dataset."""
        self.problem.check_fit(self.algorithm(self.problem.dataset(0, self.seed, 0)))

    def task(self, i: int, start: int, stop: int) -> Any:
        """As in `Cell`: algorithms that meet the same datasets share them."""
        return id(self.problem), self.samples.tobytes(), self.seed, start, stop

    def play(self, replication: int, control: np.ndarray, shared: Shared) -> dict[str, np.ndarray] | None:
        """As in `Cell`; the one channel is ``gap``, the suboptimality at each sample size."""
        gap = np.zeros(self.samples.size)
        for i, n in enumerate(self.samples.tolist()):
            if control[0]:
                return None
            if (replication, n) not in shared:
                shared[replication, n] = self.problem.dataset(n, self.seed, replication)
            gap[i] = self.problem.suboptimality(self.algorithm(shared[replication, n]))
            control[1] += self.problem.work
            if not np.isfinite(gap[i]):
                call = f"run_offline(problem, {{{self.label!r}: algorithm}}, samples={self.samples.tolist()}"
                raise _failure(self, f"the suboptimality is {gap[i]} at n = {n}", replication, call)
        return {"gap": gap}


def _failure(cell: Cell | OfflineCell, what: str, replication: int, call: str) -> SimulationError:
    return SimulationError(
        f"{cell.label}: {what} of replication {replication}, seed {cell.seed}; reproduce: bl.{call}, "
        f"replications=range({replication}, {replication + 1}), seed={cell.seed})",
        replication,
    )


class Shard(NamedTuple):
    """Replications start, ..., stop - 1 of a cell: the unit of work, storage and resumption."""

    cell: Cell | OfflineCell
    start: int
    stop: int


def play_shard(shard: Shard, control: np.ndarray, shared: Shared | None = None) -> dict[str, np.ndarray] | None:
    """Simulate a shard: channels of shape (stop - start, C), or None when told to stop.

    Parameters
    ----------
    shard : Shard
    control : (3,) int64 array
        Entry 0 stops the loop when set; entry 1 holds the rounds done in the present replication, entry 2 those of
        finished replications.
    shared : dict, optional
        Datasets that offline shards of the same problem, sizes and replications have in common; it is filled.

    Raises
    ------
    SimulationError
        Names algorithm, replication, round and seed, and the call that reproduces it.
    """
    cell = shard.cell
    rows = []
    for replication in range(shard.start, shard.stop):
        channels = cell.play(replication, control, {} if shared is None else shared)
        if channels is None:
            return None
        control[1] = 0
        control[2] += cell.work
        rows.append(channels)
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


# ---------------------------------------------------------------------------------------------------------------
# Studies
# ---------------------------------------------------------------------------------------------------------------


def study(
    cells: Sequence[Cell | OfflineCell],
    *,
    threads: int | None = None,
    store: str | Path | None = None,
    executor: Any = "threads",
) -> list[dict[str, np.ndarray]]:
    """Simulate cells; shards found in the store are not simulated again, and new ones are written as they finish.

    Parameters
    ----------
    cells : sequence of Cell or OfflineCell
    threads : int, optional
        Worker threads, or processes of a local cluster; all processors by default.
    store : str or Path, optional
        Folder of finished shards; by default nothing is kept.
    executor : str or distributed.Client
        ``"threads"`` of this process, or what `cluster.on_dask` takes.

    Returns
    -------
    list of dict
        For each cell its channels, (replications, C).

    Raises
    ------
    SimulationError
        From a replication that failed; the shards finished before are in the store.
    """
    check(cells, threads, executor)
    kept = None if store is None else Store(store)
    if kept is not None:
        kept.check_writable()
    done: list[dict[int, dict[str, np.ndarray]]] = [{} for _ in cells]
    todo: dict[Any, list[tuple[int, Shard]]] = {}  # by task
    descriptions = [cell.description() if kept is not None else {} for cell in cells]
    abouts = [{"problem": cell.problem.summary, **name_of(cell.algorithm)} for cell in cells]
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
        for start, stop in blocks(cell.work, cell.replications):
            for a, b in missing(i, start, stop):
                todo.setdefault(cell.task(i, a, b), []).append((i, Shard(cell, a, b)))
    tasks = list(todo.values())

    def keep(task: int, place: int, channels: dict[str, np.ndarray]) -> None:
        i, shard = tasks[task][place]
        if kept is not None:
            kept.write(descriptions[i], shard.start, shard.stop, channels, abouts[i])
        done[i][shard.start] = channels

    def work(task: int, control: np.ndarray) -> None:
        shared: Shared = {}
        for place, (_, shard) in enumerate(tasks[task]):
            channels = play_shard(shard, control, shared)
            if channels is None:
                return
            keep(task, place, channels)

    if isinstance(executor, str) and executor == "threads":
        sizes = [sum(shard.cell.work * (shard.stop - shard.start) for _, shard in shards) for shards in tasks]
        on_threads(work, sizes, threads or processors())
    elif tasks:
        from banditlab.cluster import on_dask

        on_dask([[shard for _, shard in shards] for shards in tasks], keep, executor, threads)
    found = [
        {name: np.concatenate([part[a][name] for a in sorted(part)]) for name in _in_order(part[min(part)])}
        for part in done
    ]
    for cell, channels in zip(cells, found, strict=True):
        caution = getattr(cell.problem, "caution", None)  # of a family that has something to warn of
        message = caution(channels) if caution is not None and isinstance(cell, Cell) else None
        if message:
            warnings.warn(f"{cell.label}: {message}", stacklevel=3)
    return found


def _in_order(channels: Mapping[str, np.ndarray]) -> list[str]:
    """Names of channels, regret first: the same order whether a shard was simulated or read."""
    return sorted(channels, key=lambda name: (name != "regret", name))


def blocks(work: int, replications: range) -> Iterator[tuple[int, int]]:
    """Cut replications of that much work into blocks of 2^j, aligned at multiples of 2^j.

    The blocks of a longer study contain those of a shorter one.
    """
    largest = min(max(_SHARD_ROUNDS // work, 1), _SHARD_REPLICATIONS)
    start = replications.start
    while start < replications.stop:
        size = 1 << (largest.bit_length() - 1)
        while start % size or start + size > replications.stop:
            size //= 2
        yield start, start + size
        start += size


def processors() -> int:
    """Processors that this process may use: of its affinity, its SLURM task and its share among a launcher's jobs."""
    limits = [len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1]
    for name in ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", PROCESSORS):  # SLURM sets the first where it is asked for
        value = os.environ.get(name, "")
        if name == PROCESSORS and value and not (value.isdecimal() and int(value)):
            raise ValueError(f"{PROCESSORS}: expected a number of processors, got {value!r}")
        if value.isdecimal():
            limits.append(int(value))
    return max(min(limits), 1)


def on_threads(work: Callable[[int, np.ndarray], Any], sizes: Sequence[int], threads: int) -> None:
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
    left = iter(range(len(sizes)))
    begun: list[None] = []
    ended: list[None] = []
    failures: list[BaseException] = []
    bell: SimpleQueue[None] = SimpleQueue()  # rung when a worker ends

    def worker() -> None:
        begun.append(None)
        try:
            for task in left:
                if controls[task, 0]:
                    return
                work(task, controls[task])
        except BaseException as failure:
            failures.append(failure)
            controls[:, 0] = 1
        finally:
            ended.append(None)
            bell.put(None)

    # Ctrl-C is raised in this thread, anywhere. A future's lock that it holds then would never be released to a worker,
    # and an interrupted `Thread.join` takes the thread for ended: so workers are counted, and the bell only wakes.
    workers = min(threads, len(sizes))
    with progress(sum(sizes)) as show:
        try:
            for _ in range(workers):
                threading.Thread(target=worker).start()
            while len(ended) < workers:
                with contextlib.suppress(Empty):
                    bell.get(timeout=_TICK)
                show(int(controls[:, 1].sum() + controls[:, 2].sum()))
        finally:
            controls[:, 0] = 1
            while len(ended) < len(begun):  # one that begins only now finds its task stopped
                with contextlib.suppress(Empty):
                    bell.get(timeout=_TICK)
    if failures:
        raise failures[0]


def be_silent() -> None:
    """Show no progress in this process: others use the same terminal."""
    global _PATIENCE
    _PATIENCE = math.inf


@contextlib.contextmanager
def progress(total: int) -> Iterator[Callable[[int], None]]:
    """A function that shows the rounds done; it stays silent for `_PATIENCE` seconds and off a terminal."""
    notebook = "ipykernel" in sys.modules and importlib.util.find_spec("ipywidgets") is not None  # rich asks for it
    if not sys.stderr.isatty() and not notebook:
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
    executor: Any = "threads",
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
        Worker threads, or processes of a local cluster; all processors by default. The result does not depend on it.
    store : str or Path, optional
        Folder of finished shards, for reuse and resumption; by default nothing is written.
    executor : str or distributed.Client
        ``"threads"`` of this process; ``"dask"``, a local cluster of processes; the address of a dask scheduler, such
        as ``"tcp://host:8786"``; or a client. The result does not depend on it.

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
    ImportError, ConnectionError
        In one line, where dask is not installed or its scheduler does not answer or is lost; finished shards are kept.
    """
    start = time.perf_counter()
    cells = plan_run(problem, algorithms, rounds=rounds, replications=replications, seed=seed, checkpoints=checkpoints)
    channels = dict(zip(algorithms, study(cells, threads=threads, store=store, executor=executor), strict=True))
    seconds = time.perf_counter() - start
    first = cells[0]
    return Trajectory.of(
        problem, dict(algorithms), first.rounds, first.replications, first.seed, first.checkpoints, channels, seconds
    )


def run_offline(
    problem: Any,
    algorithms: Mapping[str, Algorithm],
    *,
    samples: ArrayLike,
    replications: int | range = 100,
    seed: int = 0,
    threads: int | None = None,
    store: str | Path | None = None,
    executor: Any = "threads",
) -> Offline:
    """Fit offline algorithms to datasets of growing size, and measure their exact suboptimality.

    Parameters
    ----------
    problem : NamedTuple
        A contextual bandit, such as ``bl.contextual.hard_offline(4, 4.0, eta=5.0)``, or a bandit, which is one context
        whose data come from the reference.
    algorithms : mapping of str to callable
        Labels and functions ``(dataset) -> policy``; bind parameters by ``functools.partial``.
    samples : (C,) array_like of int
        Increasing sample sizes n >= 1; datasets of different size are independent.
    replications, seed, threads, store, executor
        As in `run`; all algorithms meet the same datasets.

    Returns
    -------
    Offline
        Exact suboptimality at each sample size.

    Raises
    ------
    ValueError, TypeError, SimulationError
        As in `run`.
    """
    start = time.perf_counter()
    cells = plan_offline(problem, algorithms, samples=samples, replications=replications, seed=seed)
    channels = dict(zip(algorithms, study(cells, threads=threads, store=store, executor=executor), strict=True))
    first = cells[0]
    seconds = time.perf_counter() - start
    return Offline.of(first.problem, dict(algorithms), first.samples, first.replications, first.seed, channels, seconds)


def sweep(
    factory: Callable[..., Any],
    algorithms: Mapping[str, Algorithm],
    *,
    over: Mapping[str, Iterable[Any]],
    rounds: int | None = None,
    samples: int | None = None,
    replications: int | range = 100,
    seed: int = 0,
    threads: int | None = None,
    store: str | Path | None = None,
    executor: Any = "threads",
) -> Grid:
    """Run algorithms on a problem for every combination of the axes, and keep the final regrets, or suboptimalities.

    Parameters
    ----------
    factory : callable
        Called with the axes it names, returns a problem; the axis ``rounds`` is also the horizon of its cells, and
        ``samples`` the size of their offline datasets.
    algorithms : mapping of str to callable
        As in `run`; as in `run_offline` where there are samples.
    over : mapping of str to iterable
        The axes and their values.
    rounds, samples : int, optional
        Horizon, or sample size, of all cells; exactly one of the two is given, here or as an axis.
    replications, seed, threads, store, executor
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
    sizes: dict[str, Any] = {"rounds": rounds, "samples": samples}
    points, cells = plan_sweep(factory, algorithms, over=axes, **sizes, replications=replications, seed=seed)
    channels = study(cells, threads=threads, store=store, executor=executor)
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


def plan_offline(
    problem: Any,
    algorithms: Mapping[str, Algorithm],
    *,
    samples: ArrayLike,
    replications: int | range = 100,
    seed: int = 0,
) -> list[OfflineCell]:
    """The cells of `run_offline`, one an algorithm, after checking its arguments."""
    sizes = _sizes("samples", samples, _MOST_SAMPLES)
    numbers = _replications(replications)
    seed = checks.integer("seed", seed, 0)
    _check_algorithms(algorithms, "(dataset) -> policy")
    problem = _offline(problem)
    return [OfflineCell(problem, label, fit, sizes, seed, numbers) for label, fit in algorithms.items()]


def plan_sweep(
    factory: Callable[..., Any],
    algorithms: Mapping[str, Algorithm],
    *,
    over: Mapping[str, Sequence[Any]],
    rounds: int | None = None,
    samples: int | None = None,
    replications: int | range = 100,
    seed: int = 0,
) -> tuple[list[dict[str, Any]], list[Cell | OfflineCell]]:
    """The points of `sweep` and its cells, which run through points, then algorithms, after checking its arguments."""
    if not over:
        raise ValueError("over: needs at least one axis")
    for name, values in over.items():
        if not isinstance(values, list | tuple) or not values:
            raise ValueError(f"over.{name}: expected a list of values such as [1, 10], got {values!r}")
    sizes: dict[str, Any] = {name: n for name, n in (("rounds", rounds), ("samples", samples)) if n is not None}
    if len(sizes) + ("rounds" in over) + ("samples" in over) != 1:
        wanted = "samples" if samples is not None or "samples" in over else "rounds"
        raise ValueError(f"{wanted}: give it either as an axis of `over` or by itself, and not both rounds and samples")
    seed = checks.integer("seed", seed, 0)
    numbers = _replications(replications)
    _check_algorithms(algorithms, "(problem, rounds) -> learner, or (dataset) -> policy")
    parameters = inspect.signature(factory).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in over:
        if name not in ("rounds", "samples") and not takes_all:
            checks.known("axis", name, parameters)
    points: list[dict[str, Any]] = [
        dict(zip(over, values, strict=True)) for values in itertools.product(*over.values())
    ]
    cells: list[Cell | OfflineCell] = []
    for point in points:
        problem = factory(**{name: value for name, value in point.items() if name in parameters or takes_all})
        size = {**sizes, **point}
        if "samples" in size:
            n = checks.integer("samples", size["samples"], 1, _MOST_SAMPLES)
            cells += plan_offline(problem, algorithms, samples=[n], replications=numbers, seed=seed)
            continue
        horizon = checks.integer("rounds", size["rounds"], 1)
        _check_problem(problem)
        at = np.array([horizon], np.int64)
        cells += [
            Cell(problem, label, algorithm, horizon, at, seed, numbers) for label, algorithm in algorithms.items()
        ]
    return points, cells


def check(cells: Sequence[Cell | OfflineCell], threads: int | None = None, executor: Any = "threads") -> None:
    """Construct each cell's learner and check its verbs, or fit it once offline.

    Raises
    ------
    ValueError, TypeError
        In one line, for an unusable parameter, learner, number of threads or executor.
    ImportError
        In one line, where the executor's library is not installed.
    """
    if threads is not None:
        checks.integer("threads", threads, 1)
    _check_executor(executor)
    for cell in cells:
        cell.check()


def _check_executor(executor: Any) -> None:
    if isinstance(executor, str):
        if "://" not in executor:
            checks.known("executor", executor, ["threads", "dask"])
        if executor == "threads":
            return
    if importlib.util.find_spec("distributed") is None:
        raise ImportError("executor: dask is not installed; pip install 'kl-banditlab[dask]'")
    if not isinstance(executor, str) and not hasattr(executor, "submit"):
        raise TypeError(f"executor: expected 'threads', 'dask', a scheduler's address or a client, got {executor!r}")


def _checkpoints(checkpoints: ArrayLike | None, rounds: int) -> np.ndarray:
    if checkpoints is None:
        powers = [1 << k for k in range(rounds.bit_length()) if 1 << k < rounds]
        return np.array([*powers, rounds], np.int64)
    return _sizes("checkpoints", checkpoints, rounds, "rounds = ")


def _sizes(name: str, given: ArrayLike, largest: int, what: str = "") -> np.ndarray:
    """An increasing (C,) array of integers in [1, largest]."""
    try:
        values = np.atleast_1d(np.asarray(given))
    except ValueError:
        values = np.empty((0, 0))
    kind = values.dtype.kind in "iuf" and np.isfinite(values).all() and (values == np.floor(values)).all()
    if values.ndim != 1 or values.size < 1 or not kind:
        raise TypeError(f"{name}: expected a sequence of integers, got {given!r}")
    if values[0] < 1 or values[-1] > largest:
        outside = values[0] if values[0] < 1 else values[-1]
        raise ValueError(f"{name}: {outside:.0f} is not in [1, {what}{largest}]")
    at = np.ascontiguousarray(values, np.int64)
    if not (np.diff(at) > 0).all():
        raise ValueError(f"{name}: must increase strictly, got {at.tolist()}")
    return at


def _offline(problem: Any) -> Any:
    """The problem as one that gives datasets."""
    if not hasattr(problem, "offline"):
        raise TypeError(f"problem: expected an instance such as bl.contextual.hard_offline(...), got {problem!r}")
    return problem.offline()


def _replications(replications: int | range) -> range:
    if isinstance(replications, range):
        if replications.step != 1 or replications.start < 0 or len(replications) < 1:
            raise ValueError(f"replications: {replications} must have step 1, start at 0 or more and not be empty")
        return replications
    return range(checks.integer("replications", replications, 1))


def _check_algorithms(algorithms: Mapping[str, Algorithm], form: str = "(problem, rounds) -> learner") -> None:
    if not isinstance(algorithms, Mapping) or not algorithms:
        raise TypeError(f"algorithms: expected a non-empty mapping of labels to constructors, got {algorithms!r}")
    for label, algorithm in algorithms.items():
        if not callable(algorithm):
            raise TypeError(f"algorithms[{label!r}]: expected a callable {form}, got {algorithm!r}")


def _check_problem(problem: Any) -> None:
    if not (hasattr(problem, "play") and hasattr(problem, "check")):
        raise TypeError(f"problem: expected an instance such as bl.bandits.textbook(), got {problem!r}")
