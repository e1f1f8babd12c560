"""The executor on dask.distributed: the same shards, and the same bytes, on processes and machines.

Tasks go out as pickles of shards and come back as channels; the client alone writes the store, so workers need no
shared disk. How many shards a task holds follows the measured rate, so that it takes about `SECONDS`; the shards
themselves are cut as for threads. A task that lost its worker runs again; one whose workers die again and again is
given up with an error. Each task carries the description of its cells, and a worker that would compute something else
(other sources, versions or user code) refuses it.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import multiprocessing
import pickle
import platform
import threading
import time
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any, NamedTuple

import numba
import numpy as np

from banditlab import checks
from banditlab.jit import sources_digest
from banditlab.simulate import Shard, Shared, play_shard, processors, progress

Task = Sequence[Shard]
"""Shards that run one after another on one worker, and may share datasets."""

SECONDS = 2.0
"""What a message to a worker should take."""

DEATHS = 5
"""Workers that may die on a task before it is given up."""

_TICK = 0.5  # seconds between looks at the workers; an answer is noticed at once
_CONNECT = 10.0  # seconds for a scheduler to answer
_PATIENCE = 30.0  # seconds without a worker, or without an answer of the scheduler, that are told of


class Answer(NamedTuple):
    """What a worker sends back."""

    channels: list[list[dict[str, np.ndarray]]]  # for each task, for each shard
    seconds: float


def versions() -> dict[str, str]:
    """What the numbers depend on beside the study's description, and client and workers must have in common."""
    return {
        "banditlab's sources": sources_digest(),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def on_dask(
    tasks: Sequence[Task],
    keep: Callable[[int, int, dict[str, np.ndarray]], None],
    executor: Any,
    workers: int | None = None,
) -> None:
    """Play tasks on a dask cluster, and hand each finished shard to `keep`.

    Parameters
    ----------
    tasks : sequence of Task
    keep : callable
        Called with a task's number, a shard's place in it, and its channels, once for each shard and as they arrive.
    executor : str or distributed.Client
        ``"dask"``: a local cluster of processes; the address of a scheduler (``"tcp://host:8786"``); a client, such as
        that of a dask-jobqueue cluster, which is left open.
    workers : int, optional
        Processes of a local cluster; all processors by default.

    Raises
    ------
    ImportError
        Where dask is not installed.
    ConnectionError
        Where the scheduler does not answer, or is lost, or the workers of a task died again and again, or all those of
        a local cluster did: shards that had come back are kept. Where another cluster is without workers, a warning.
    ValueError
        Where a worker has other versions or sources.
    SimulationError
        From a replication that failed.
    RuntimeError
        Where a script starts worker processes without a guard.
    """
    with _connected(executor, workers) as client:
        _check_workers(client)
        _play(client, tasks, keep, returning=executor != "dask")


def _play(
    client: Any, tasks: Sequence[Task], keep: Callable[[int, int, dict[str, np.ndarray]], None], returning: bool = True
) -> None:
    """As `on_dask`; `returning`: workers may come where all have gone, as those of a batch system do."""
    from distributed import Event, wait

    work = [sum(shard.cell.work * (shard.stop - shard.start) for shard in task) for task in tasks]
    stop = Event(f"banditlab-stop-{uuid.uuid4()}", client=client)
    queue = deque(range(len(tasks)))
    pending: dict[Any, list[int]] = {}
    deaths = [0] * len(tasks)
    seen, told = time.monotonic(), False  # when there last was a worker, and whether it was told that there is none
    done, spent, played = 0, 0.0, 0  # work done; seconds and work of answers, for the rate
    with progress(sum(work)) as show:
        try:
            while queue or pending:
                slots = sum(client.nthreads().values())  # workers come and go
                if slots:
                    seen = time.monotonic()
                elif time.monotonic() - seen > _PATIENCE and not told:
                    told = _tell_of_absence(client, returning)
                while queue and len(pending) < 2 * max(slots, 1):
                    chosen = [queue.popleft()]
                    room = SECONDS * played / spent - work[chosen[0]] if spent > 0.0 else 0.0
                    while queue and work[queue[0]] <= room and len(queue) > slots and not deaths[chosen[0]]:
                        room -= work[queue[0]]
                        chosen.append(queue.popleft())
                    pending[_submit(client, [tasks[i] for i in chosen], stop.name)] = chosen
                with contextlib.suppress(TimeoutError, CancelledError), client.as_current():
                    wait(list(pending), timeout=_TICK, return_when="FIRST_COMPLETED")
                for future in [f for f in pending if f.done()]:
                    chosen = pending.pop(future)
                    answer = _result(client, future, len(chosen))
                    if answer is None:  # its worker died
                        for i in chosen:
                            deaths[i] += 1
                            if deaths[i] >= DEATHS:
                                raise ConnectionError(_given_up(tasks[i]))
                        queue.extendleft(reversed(chosen))
                        continue
                    for i, channels in zip(chosen, answer.channels, strict=True):
                        for j, found in enumerate(channels):
                            keep(i, j, found)
                        done += work[i]
                        played += work[i]
                    spent += answer.seconds
                    future.release()
                show(done)
                _check_alive(client)
        except BaseException as error:
            _within(1.0, stop.set)
            _within(1.0, client.cancel, list(pending), force=True)
            if isinstance(error, Exception) and type(error) is not ConnectionError:  # dask's, or the store's
                _check_alive(client, ask=isinstance(error, OSError))
            raise


def _within(seconds: float, ask: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    """Ask the scheduler for something, and go on after so many seconds even if it does not answer or is not there."""

    def attempt() -> None:
        with contextlib.suppress(Exception):
            ask(*arguments, **options)

    asking = threading.Thread(target=attempt, daemon=True)
    asking.start()
    asking.join(seconds)


def _tell_of_absence(client: Any, returning: bool) -> bool:
    """Warn, where workers may come back; an error where dask has given up on those that it had started."""
    where = f"executor: no worker is left at {_address(client)}"
    if not returning:
        raise ConnectionError(f"{where}, all died; finished shards are kept, and the same call resumes")
    warnings.warn(f"{where}; waiting for one to come (Ctrl-C ends this, and keeps finished shards)", stacklevel=2)
    return True


def _submit(client: Any, batch: list[Task], stop: str) -> Any:
    import cloudpickle

    # By value and in one piece: dask's own serialization makes arrays read-only, for which other kernels compile.
    payload = cloudpickle.dumps(([list(task) for task in batch], _descriptions(batch), versions()))
    return client.submit(play_payload, payload, stop, pure=False, retries=0)


def _descriptions(batch: Sequence[Task]) -> list[list[dict[str, Any]]]:
    found: dict[int, dict[str, Any]] = {}
    for task in batch:
        for shard in task:
            if id(shard.cell) not in found:
                found[id(shard.cell)] = shard.cell.description()
    return [[found[id(shard.cell)] for shard in task] for task in batch]


def play_payload(payload: bytes, stop: str) -> Answer | None:
    """On a worker: play the tasks of a message; None where the study was stopped."""
    tasks, descriptions, wanted = pickle.loads(payload)
    _compare(versions(), wanted, f"worker {platform.node()}")
    mine = _descriptions(tasks)
    if mine != descriptions:
        pairs = zip(itertools.chain(*mine), itertools.chain(*descriptions), strict=True)
        changed = {name for ours, asked in pairs for name in ours if ours[name] != asked[name]}
        raise ValueError(
            f"executor: worker {platform.node()} would compute something else, its {', '.join(sorted(changed))} "
            "differs from the client's; give all workers the same code"
        )
    control = np.zeros(3, np.int64)
    start = time.perf_counter()
    out = []
    with _watching(stop, control):
        for task in tasks:
            shared: Shared = {}
            found = []
            for shard in task:
                channels = play_shard(shard, control, shared)
                if channels is None:
                    return None
                found.append(channels)
            out.append(found)
    return Answer(out, time.perf_counter() - start)


@contextlib.contextmanager
def _watching(stop: str, control: np.ndarray) -> Iterator[None]:
    """Set control[0] where the client set the event `stop`, or cannot be asked any more."""
    from distributed import Event, get_client, get_worker

    try:
        get_worker()
    except ValueError:  # called by itself
        yield
        return
    client, over = get_client(), threading.Event()

    def watch() -> None:
        while not over.wait(1.0):
            try:
                stopped = Event(stop, client=client).is_set()
            except Exception:
                stopped = True
            if stopped:
                control[0] = 1
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()


def _result(client: Any, future: Any, tasks: int) -> Answer | None:
    """A message's answer; None where its worker was lost."""
    from distributed import KilledWorker

    try:
        answer = future.result(timeout=_PATIENCE)
    except KilledWorker:
        return None
    except CancelledError:  # nobody cancels while the study runs: the connection is, or was, broken
        _check_alive(client, ask=True)
        return None
    return answer if answer is not None and len(answer.channels) == tasks else None


def _check_alive(client: Any, ask: bool = False) -> None:
    """Raise where the scheduler is gone; with `ask` it has to answer."""
    alive = client.status in ("running", "connecting")
    if alive and ask:
        try:
            client.sync(client.scheduler.identity, callback_timeout=_CONNECT)
        except Exception:
            alive = False
    if not alive:
        raise ConnectionError(
            f"executor: the scheduler {_address(client)} was lost; finished shards are kept, and the same call resumes"
        )


def _given_up(task: Task) -> str:
    shard = task[0]
    return (
        f"executor: {DEATHS} workers died on replications {shard.start} to {shard.stop - 1} of {shard.cell.label}; "
        "their logs may tell why (memory?)"
    )


def _check_workers(client: Any) -> None:
    """Refuse workers of other versions, and wait for the first one."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        raise ConnectionError(f"executor: no worker at {_address(client)} within {_PATIENCE:g} s") from None
    mine = versions()
    for worker, theirs in client.run(_versions_or_why).items():
        if isinstance(theirs, str):
            raise ValueError(f"executor: worker {worker} cannot import banditlab ({theirs})")
        _compare(theirs, mine, f"worker {worker}")


def _versions_or_why() -> dict[str, str] | str:
    try:
        return versions()
    except Exception as error:
        return str(error)


def _compare(theirs: dict[str, str], mine: dict[str, str], who: str) -> None:
    for name, version in mine.items():
        if theirs.get(name) != version:
            raise ValueError(
                f"executor: {who} has {name} {theirs.get(name)}, the client {version}; they must be the same for the "
                "same bytes"
            )


def _address(client: Any) -> str:
    return getattr(getattr(client, "scheduler", None), "address", None) or "?"


@contextlib.contextmanager
def _connected(executor: Any, workers: int | None) -> Iterator[Any]:
    """A client of the executor's cluster; what is begun here ends here."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise ImportError("executor: dask is not installed; pip install 'kl-banditlab[dask]'") from None
    if isinstance(executor, Client):
        yield executor
        return
    if executor != "dask":
        try:
            client = Client(executor, timeout=_CONNECT, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            why = " ".join(str(error).split())
            raise ConnectionError(f"executor: no scheduler answers at {executor} ({why})") from None
        with client:
            yield client
        return
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # a child that imports the parent's script
        raise RuntimeError(
            "executor: worker processes import the script that starts them; put its calls under "
            "`if __name__ == '__main__':`"
        )
    import dask

    count = processors() if workers is None else checks.integer("threads", workers, 1)
    settings = {"distributed.scheduler.allowed-failures": DEATHS, "distributed.comm.timeouts.connect": "10s"}
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client
