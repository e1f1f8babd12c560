"""Jobs of a multirun in other processes: how many at once, with how many threads, and what became of each.

Hydra's launchers (the extra ``launchers``) know nothing of threads. Here each job is given its share of the processors,
so that processes x threads never exceed them; `simulate.processors` tells a job its share. A job that fails leaves a
file in its folder, wherever it ran, and the others go on.
"""

from __future__ import annotations

import functools
import json
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banditlab import simulate
from banditlab.store import write_atomically
from banditlab.trajectory import MANIFEST

if TYPE_CHECKING:
    from omegaconf import DictConfig

NAMES = ("joblib", "submitit_local", "submitit_slurm")

_CLASSES = dict(zip(("JoblibLauncher", "LocalLauncher", "SlurmLauncher", "BasicLauncher"), (*NAMES, "basic")))

FAILURE = "failure.json"
"""File in the folder of a job that failed."""

_PATIENCE = 10.0  # seconds that a network file system may take to show what other machines wrote


@dataclass(frozen=True)
class Failure:
    """What a job that failed leaves in its folder."""

    job: int
    overrides: list[str]
    error: str  # in one line
    notes: list[str]
    code: int  # of the command's exit
    traceback: str

    @classmethod
    def of(cls, job: int, overrides: Sequence[str], error: Exception, line: str, code: int) -> Failure:
        """From what was raised, its one line and its exit code."""
        notes = list(getattr(error, "__notes__", []))
        return cls(job, list(overrides), line, notes, code, "".join(traceback.format_exception(error)))

    def write(self, folder: Path) -> None:
        """Leave it in the job's folder."""
        write_atomically(folder / FAILURE, (json.dumps(asdict(self), indent=2) + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> Failure:
        """From its file."""
        return cls(**json.loads(path.read_text()))

    def tell(self, common: Collection[str] = ()) -> str:
        """One line that names the job, by its overrides but for those that all jobs have."""
        return f"job {self.job} ({' '.join(word for word in self.overrides if word not in common)}): {self.error}"


@dataclass
class Multirun:
    """The jobs of a multirun, seen from the process that launches them.

    Attributes
    ----------
    launcher : str
        ``basic``, one of `NAMES`, or one that is not known here.
    folder : Path
        It has a folder a job.
    jobs : int
        Their number; 0 where a sweeper decides on them later.
    processes, processors : int
        Jobs at once, and the processors of each; 0 where that is not decided here.
    stores : list of str
        Where their finished shards are.
    common : set of str
        Overrides of every job.
    died : list of str
        A line for each job that ended without a word.
    """

    launcher: str
    folder: Path
    jobs: int
    processes: int
    processors: int
    stores: list[str]
    common: set[str] = field(default_factory=set)
    died: list[str] = field(default_factory=list)
    _submitted: list[Any] = field(default_factory=list)
    _undo: Callable[[], None] = lambda: None

    def follow(self) -> None:
        """Know the jobs that submitit submits, so that one that dies does not end the wait for the others."""
        if not self.launcher.startswith("submitit_"):
            return
        from submitit import AutoExecutor

        original = AutoExecutor.map_array

        def map_array(executor: Any, *arguments: Any) -> list[_Awaited]:
            jobs = original(executor, *arguments)
            self._submitted += jobs
            return [_Awaited(job, self.died) for job in jobs]

        setattr(AutoExecutor, "map_array", map_array)  # noqa: B010
        self._undo = functools.partial(setattr, AutoExecutor, "map_array", original)

    def end(self, *, cancel: bool) -> None:
        """Stop following; with ``cancel=True`` also the jobs that submitit still runs."""
        self._undo()
        for job in self._submitted if cancel else ():
            if not job.done():
                job.cancel(check=False)

    def left(self) -> tuple[list[Failure], int]:
        """Failures of jobs, and the number of results."""
        until = time.monotonic() + (_PATIENCE if self.launcher == "submitit_slurm" and not self.died else 0.0)
        while True:
            failures = sorted((Failure.read(p) for p in self.folder.rglob(FAILURE)), key=lambda failure: failure.job)
            results = sum(1 for _ in self.folder.rglob(MANIFEST))
            if len(failures) + results >= self.jobs or time.monotonic() > until:
                return failures, results
            time.sleep(0.5)

    def __str__(self) -> str:
        if self.processes:
            how = f"{self.processes} at once, each on {self.processors} processor{'s' * (self.processors > 1)}"
        else:
            how = f"printing to {self.folder / '.submitit'}"
        return f"{self.jobs or 'jobs'} by {self.launcher}, {how}"


@dataclass(frozen=True)
class _Awaited:
    """A job of submitit, as Hydra's launcher waits for it."""

    job: Any
    died: list[str]

    def results(self) -> list[Any]:
        from hydra.core.utils import JobReturn, JobStatus
        from submitit.core.utils import UncompletedJobError

        try:
            return self.job.results()
        except UncompletedJobError as error:
            where = f"job {self.job.job_id} ended without a result ({self.job.state}), its log is in"
            trace = str(error).partition("failed during processing with trace:")[2].split("\n---")
            self.died.append(f"{where} {self.job.paths.folder}{_end(trace[1]) if len(trace) > 1 else ''}")
            return [JobReturn(status=JobStatus.COMPLETED)]


def _end(trace: str) -> str:
    return f": {trace.strip(chr(10) + '-').rpartition(chr(10))[2]}"


# ---------------------------------------------------------------------------------------------------------------
# Processes x threads <= processors
# ---------------------------------------------------------------------------------------------------------------


def arrange(config: DictConfig, jobs: Sequence[DictConfig]) -> Multirun:
    """Settle processes and threads of a multirun in its config, before Hydra makes the launcher.

    joblib runs ``n_jobs`` jobs at once; submitit_local would start all of them, and is given batches. At once are at
    most as many as the processors hold at ``threads`` (or ``cpus_per_task``) each, and each gets an equal share. A job
    of submitit_slurm has its own allocation, which is asked for as large as ``threads`` where that is given.

    Parameters
    ----------
    config : DictConfig
        Of the multirun; changed in place.
    jobs : sequence of DictConfig
        The config of each job, checked; empty where a sweeper decides on them later.

    Raises
    ------
    ValueError
        In one line, for settings that contradict each other.
    """
    from omegaconf import flag_override

    target = str(config.hydra.launcher._target_)  # users may give its settings a name of their own
    name = _CLASSES.get(target.rpartition(".")[2], target)
    folder = Path(config.hydra.sweep.dir).absolute()
    stores = list(dict.fromkeys(str(Path(job.store).absolute()) for job in jobs if job.store is not None))
    multirun = Multirun(name, folder, len(jobs), 0, 0, stores)
    if name not in NAMES:
        return multirun
    threads = max((int(job.threads) for job in jobs if job.threads is not None), default=None)
    launcher, sweeper = config.hydra.launcher, config.hydra.sweeper
    limits = [n for n in (len(jobs), sweeper.get("max_batch_size")) if n]
    # a job composes its config again, where it runs: these overrides reach it there
    overrides = [f"hydra.sweep.dir={_quoted(str(folder))}"]
    with flag_override(config, ["struct", "readonly"], [False, False]):
        if name == "joblib":
            multirun.processes, multirun.processors = _spread([_n_jobs(launcher.n_jobs), *limits], threads or 1)
            launcher.n_jobs = multirun.processes
        else:
            _check_submitit(launcher, threads)
            launcher.cpus_per_task = cpus = launcher.cpus_per_task or threads
            if name == "submitit_local":
                multirun.processes, share = _spread(limits, cpus or 1)
                multirun.processors = min(share, cpus or share)
                sweeper.max_batch_size = multirun.processes
            elif cpus is not None:  # since version 22.05 srun does not inherit it from sbatch
                launcher.setup = [*(launcher.setup or ()), f"export SRUN_CPUS_PER_TASK={cpus}"]
        if multirun.processors:
            overrides.append(f"++hydra.job.env_set.{simulate.PROCESSORS}='{multirun.processors}'")
        config.hydra.sweep.dir = str(folder)
        config.hydra.overrides.hydra.extend(overrides)
    return multirun


def _n_jobs(n: int | None) -> int:
    """As joblib counts: -1 means all processors, -2 all but one."""
    return n or 1 if n is None or n >= 0 else max(simulate.processors() + 1 + n, 1)


def _spread(limits: Sequence[int], threads: int) -> tuple[int, int]:
    """Processes at once, of that many threads each at least, and the processors of each."""
    available = simulate.processors()
    processes = max(min([available // threads, *limits]), 1)
    return processes, available // processes


def _check_submitit(launcher: DictConfig, threads: int | None) -> None:
    for name in ("nodes", "tasks_per_node"):
        if launcher[name] != 1:
            raise ValueError(f"hydra.launcher.{name}: {launcher[name]} is not allowed, a job is one process")
    if launcher.cpus_per_task is not None and (threads or 0) > launcher.cpus_per_task:
        raise ValueError(f"threads: {threads} is more than hydra.launcher.cpus_per_task = {launcher.cpus_per_task}")


def _quoted(text: str) -> str:
    """A string in Hydra's grammar of overrides."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def missing(name: str) -> str | None:
    """What to install for a launcher that Hydra does not find; None for one that no extra provides."""
    if name not in NAMES:
        return None
    return f"hydra/launcher: {name} needs the extra launchers; pip install 'kl-banditlab[launchers]'"
