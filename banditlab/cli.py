"""The command: compose a config, simulate, save, draw; collect; list; claims; report; store.

usage: banditlab [experiment=NAME] [KEY=VALUE ...]       run an experiment (quickstart by default)
       banditlab experiment=NAME KEY=VALUE,VALUE ... -m  run it for every combination of the values
       banditlab collect FOLDER [results=FOLDER]         join the results below a folder into one table and figures
       banditlab list [--markdown]                       problems, algorithms, experiments and claims
       banditlab claims [NAME ...] [--full]              theorems as programs
       banditlab store [list|verify|prune] [store=FOLDER] [--other-versions] [--dry-run]   finished shards
       banditlab report FOLDER [page=FILE]               one HTML page about the results in a folder, report.html there

An experiment leaves table.parquet, manifest.json and its figures in a dated folder below results/, and its finished
shards in results/store (BANDITLAB_STORE or store= moves them), where the same command finds them again.
KEY is any entry of the config, which `banditlab experiment=NAME --cfg job` prints: rounds=1e5, seed=1, problem.eta=10,
algorithms.kl_ucb.scale=0.1, problem=bandits/classic, only=17 (replication 17 alone), results=FOLDER, store=null,
executor=dask (a local cluster of processes) or executor=tcp://HOST:PORT (a dask scheduler).
hydra/launcher=joblib (or submitit_local, submitit_slurm) runs the jobs of -m in other processes, or on a cluster.
HYDRA_FULL_ERROR=1 shows the traceback of an error.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import json
import math
import multiprocessing
import os
import re
import shlex
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from banditlab import catalog, checks, launchers, simulate

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from hydra.experimental.callback import Callback
    from omegaconf import DictConfig

    from banditlab.trajectory import Grid, Offline, Trajectory

    Result = Trajectory | Offline | Grid

INTERRUPTED = 130
"""Exit code after Ctrl-C; 2 stands for unusable input, 1 for a simulation that failed."""


_HYDRA_OPTIONS = (
    *("-m", "--multirun", "-r", "--run", "-c", "--cfg", "--resolve", "-p", "--package", "-i", "--info"),
    *("-cd", "--config-dir", "-cn", "--config-name", "-cp", "--config-path", "-sc", "--shell-completion"),
    *("--hydra-help", "--experimental-rerun"),
)


_TOLD = (simulate.SimulationError, ValueError, TypeError, OSError, ImportError)
"""Errors that tell users what is wrong; others are of their own code, or ours."""


class Through(BaseException):
    """An error on its way through Hydra, which would print an `Exception` of a job and swallow one of a callback."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Experiment(NamedTuple):
    """A resolved config, as objects."""

    problem: Any  # an instance, or a function of the axes where there are any
    algorithms: dict[str, simulate.Algorithm]
    over: dict[str, list[Any]]  # the axes of a sweep; empty: one problem
    rounds: int | None
    samples: Any  # sizes of offline datasets; None: an online study
    replications: int | range
    seed: int
    checkpoints: list[int] | None
    threads: int | None
    store: str | None
    executor: str
    figures: dict[str, dict[str, Any]]  # names of functions of `figures`, and their arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the command's name; by default the process's.

    Returns
    -------
    int
        0; 1 where a simulation failed or a claim does not hold; 2 for unusable input, with one line on stderr; 130
        after Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    word = arguments[0] if arguments else ""
    try:
        if word in ("-h", "--help"):
            print((__doc__ or "").partition("\n\n")[2].rstrip())
            return 0
        if word == "--version":
            from banditlab import __version__

            print(f"banditlab {__version__}")
            return 0
        if word == "claims":
            from banditlab import claims

            return claims.main(arguments[1:])
        if word == "report":
            from banditlab import report

            return report.main(arguments[1:])
        if word == "collect":
            from banditlab import collect

            return collect.main(arguments[1:])
        if word == "list":
            return _list(arguments[1:])
        if word == "store":
            return _store(arguments[1:])
        if word and "=" not in word and word[0] not in "-~+":
            names = ["collect", "list", "claims", "report", "store"]
            names += [f"experiment={name}" for name in catalog.experiments()]
            raise ValueError(_unknown("command", word, names))
        for option in arguments:
            if option.startswith("-"):
                checks.known("option", option.partition("=")[0], _HYDRA_OPTIONS)
        return _run(arguments)
    except KeyboardInterrupt as stop:
        print("".join(["banditlab: interrupted", *_notes(stop)]), file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Through, *_TOLD) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            traceback.print_exception(error)
        return _tell_error(error.error if isinstance(error, Through) else error)


def _tell_error(error: Exception) -> int:
    print("\n".join([f"banditlab: {_line(error)}", *_notes(error)]), file=sys.stderr)
    return _code(error)


def _line(error: Exception) -> str:
    """One line; what is not meant for users also tells its type."""
    return _in_one_line(error) if isinstance(error, _TOLD) else f"{type(error).__name__}: {_in_one_line(error)}"


def _code(error: Exception) -> int:
    return 2 if isinstance(error, ValueError | TypeError | OSError) else 1


def _notes(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


def _list(options: Sequence[str]) -> int:
    for option in options:
        checks.known("option", option, ["--markdown"])
    if options:
        print(catalog.markdown())
        return 0
    sections = catalog.sections()
    if not sys.stdout.isatty():
        for heading, lines in sections.items():
            print(heading, *(f"  {name:<32} {line}" for name, line in lines.items()), sep="\n")
        return 0
    from rich.console import Console
    from rich.table import Table

    for heading, lines in sections.items():
        table = Table("name", "what it is", title=heading, title_justify="left", expand=True)
        table.columns[0].no_wrap = True
        for name, line in lines.items():
            table.add_row(name, line)
        Console().print(table)
    return 0


def _store(words: Sequence[str]) -> int:
    """List, verify or prune a store; 1 where `verify` finds a damaged file."""
    from banditlab.jit import sources_digest
    from banditlab.store import Store

    folder, task, options = os.environ.get("BANDITLAB_STORE", "results/store"), "list", set()
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            checks.known("option", key, ["store"])
            folder = value
        elif word.startswith("-"):
            options.add(checks.known("option", word, ["--other-versions", "--dry-run"]))
        else:
            task = checks.known("store", word, ["list", "verify", "prune"])
    if options and task != "prune":
        raise ValueError(f"option: {' '.join(sorted(options))} belongs to `banditlab store prune`")
    store = Store(folder)
    if not store.folder.is_dir():
        raise ValueError(f"store: there is no folder {folder}")
    if task == "prune":
        pretend = "--dry-run" in options
        gone = store.prune(sources_digest() if "--other-versions" in options else None, pretend=pretend)
        for file in gone:
            print(f"{file.path}  {file.fault or 'computed by other sources'}")
        print(f"{'would remove' if pretend else 'removed'} {_count(len(gone), 'file')}, {_size_of(gone)}; {folder}")
        return 0
    files = list(store.files())
    sound = [file for file in files if not file.fault]
    faulty = [file for file in files if file.fault]
    if task == "list":
        cells: dict[Path, list[Any]] = {}
        for file in sound:
            cells.setdefault(file.path.parent, []).append(file)
        for cell, shards in cells.items():
            first = shards[0].header
            known = first["description"]
            played = sum(b - a for a, b in (file.header["description"]["replications"] for file in shards))
            size = f"{known['rounds']} rounds" if "rounds" in known else f"up to {known['samples'][-1]} samples"
            parameters = ", ".join(f"{k}={v}" for k, v in first["about"].get("parameters", {}).items())
            algorithm = f"{first['about'].get('algorithm', 'an algorithm')}({parameters})"
            ours = "" if known["sources"] == sources_digest() else "; other sources"
            print(f"{cell.parent.name}/{cell.name[:10]}  {algorithm} on {first['about'].get('problem', 'a problem')}")
            print(
                f"{'':13}  {size}, seed {known['seed']}: {played} replications in {_count(len(shards), 'shard')}{ours}"
            )
    for file in faulty:
        print(f"{file.path}  damaged: {file.fault}")
    total = f"{_count(len(sound), 'sound shard')}, {_size_of(sound)}"
    print(f"{total}; {len(faulty)} damaged, {len(store.temporaries())} unfinished; {folder}")
    return 1 if faulty and task == "verify" else 0


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _size_of(files: Sequence[Any]) -> str:
    return f"{sum(file.size for file in files) / 1e6:.3g} MB"


# ---------------------------------------------------------------------------------------------------------------
# Experiments: Hydra composes and makes the folders, but only after everything has been checked
# ---------------------------------------------------------------------------------------------------------------


_multirun: launchers.Multirun | None = None  # the one that this process launches


def _run(arguments: list[str]) -> int:
    global _multirun
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    app = hydra.main(config_path=str(catalog.conf()), config_name="config", version_base="1.3")(experiment)
    drawn_here = not any(word.startswith("hydra/launcher=") for word in arguments)
    _multirun, interrupted = None, True
    try:
        # Hydra reads the process's arguments, and HYDRA_FULL_ERROR lets errors through instead of printing them
        with _as_process(["banditlab", *arguments], HYDRA_FULL_ERROR="1"), _artist(wanted=drawn_here):
            app()
        interrupted = False
    except (HydraException, OmegaConfBaseException) as error:
        raise ValueError(_in_one_line(error, arguments)) from error
    except KeyboardInterrupt as stop:
        if _multirun is not None and not _notes(stop):
            stop.add_note(_kept(_multirun.stores))
        raise
    except Exception as error:  # of a launcher: those of jobs stay in their folders
        if _multirun is None or _multirun.launcher == "basic" or _multirun.died:
            raise
        _multirun.died.append(_line(error).partition(". ")[0])
        interrupted = False
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            traceback.print_exception(error)
    finally:
        if _multirun is not None:
            _multirun.end(cancel=interrupted)
    return 0 if _multirun is None else _tell_multirun(_multirun)


def _tell_multirun(multirun: launchers.Multirun) -> int:
    """Print what became of the jobs; returns the exit code."""
    failures, results = multirun.left()
    for failure in failures:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            print(failure.traceback, end="", file=sys.stderr)
        print("\n".join([f"banditlab: {failure.tell(multirun.common)}", *failure.notes]), file=sys.stderr)
    for words in multirun.died:
        print(f"banditlab: hydra/launcher={multirun.launcher}: {words}", file=sys.stderr)
    print(f"jobs      {results} of {multirun.jobs or results} left results in {multirun.folder}")
    if results > 1:
        print(f"together  {shlex.join(['banditlab', 'collect', str(multirun.folder)])}")
    return failures[0].code if failures else int(bool(multirun.died) or results < multirun.jobs)


def _kept(stores: Sequence[str]) -> str:
    """What an interrupted command leaves."""
    if not stores:
        return "; store=null: nothing was kept"
    return f"; finished shards are in {', '.join(stores)}, and the same command resumes from them"


@contextlib.contextmanager
def _as_process(argv: list[str], **environment: str) -> Iterator[None]:
    """Other arguments and environment variables of this process, for a while."""
    before = sys.argv, {name: os.environ.get(name) for name in environment}
    sys.argv = argv
    os.environ.update(environment)
    try:
        yield
    finally:
        sys.argv = before[0]
        for name, value in before[1].items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def check_first() -> Callback:
    """Hydra's callback that checks every job of a command before the first one runs or a folder is made."""
    from hydra import compose
    from hydra.errors import HydraException
    from hydra.experimental.callback import Callback

    class Check(Callback):
        home, launching = os.getcwd(), os.getpid()

        def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
            _check(config, config.hydra.run.dir)

        def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
            jobs, given = [], _jobs(config)
            for overrides in given:
                try:
                    jobs.append(compose(config.hydra.job.config_name, overrides))
                except HydraException as error:
                    raise Through(ValueError(_in_one_line(error, overrides))) from error
                _check(jobs[-1], config.hydra.sweep.dir)
            _begin_multirun(config, jobs, given)

        def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:
            if os.getpid() != self.launching:  # relative paths mean those of the command, and its jobs share a terminal
                os.chdir(self.home)
                simulate.be_silent()

    return Check()


def _begin_multirun(config: DictConfig, jobs: Sequence[DictConfig], overrides: Sequence[Sequence[str]]) -> None:
    global _multirun
    try:
        _multirun = launchers.arrange(config, jobs)
    except ValueError as error:
        raise Through(error) from error
    if len(overrides) > 1:
        _multirun.common = set.intersection(*map(set, overrides))
    _multirun.follow()
    if _multirun.launcher != "basic":
        print(f"jobs      {_multirun}", flush=True)


def _jobs(config: DictConfig) -> list[list[str]]:
    """Overrides of each job of a multirun, as far as they are known before it starts."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser

    if not str(config.hydra.sweeper._target_).endswith(".BasicSweeper"):
        return []
    given = [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]
    parsed = OverridesParser.create().parse_overrides([*given, *config.hydra.overrides.task])
    return BasicSweeper.split_arguments(parsed, None)[0]


def _check(config: DictConfig, folder: str) -> None:
    """Refuse what `experiment` would fail on, without writing anything.

    Raises
    ------
    Through
        With an error of one line: the field, its value and what is allowed.
    """
    from hydra.errors import InstantiationException
    from omegaconf import OmegaConf

    try:
        wanted = _build(OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"]))
        _check_study(wanted)
        _check_figures(wanted)
        _check_writable("results", folder)
        if wanted.store is not None:
            _check_writable("store", wanted.store)
    except InstantiationException as error:
        raise Through(ValueError(_in_one_line(error.__cause__ or error))) from error
    except Exception as error:  # of any type: a callback's would be a warning, and the jobs would run
        raise Through(error) from error


def experiment(config: DictConfig) -> None:
    """Simulate what a config describes, and save table, manifest and figures into Hydra's folder for this run."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    job = HydraConfig.get()
    folder = Path(job.runtime.output_dir)
    overrides = list(job.overrides.task)
    wanted = _build(config)
    try:
        result, drawn = _simulate_and_save(wanted, config, folder, overrides)
    except KeyboardInterrupt as stop:
        stop.add_note(_kept([] if wanted.store is None else [str(Path(wanted.store).absolute())]))
        raise
    except Exception as error:
        if isinstance(error, simulate.SimulationError):
            again = [word for word in overrides if not word.startswith("only=")]
            error.add_note(f"reproduce: {shlex.join(['banditlab', *again, f'only={error.replication}'])}")
        if job.mode == RunMode.RUN:
            if isinstance(error, _TOLD):
                raise Through(error) from error
            raise
        launchers.Failure.of(job.job.num, overrides, error, _line(error), _code(error)).write(folder)
        return  # the others go on, and the process that launched them tells of it
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()
    chosen = [word for word in overrides if not word.startswith("experiment=")]
    _tell(" ".join([job.runtime.choices["experiment"], *chosen]), result, folder, drawn, wanted.store)


def _simulate_and_save(
    wanted: Experiment, config: DictConfig, folder: Path, overrides: list[str]
) -> tuple[Result, list[Path]]:
    """The result, and the files of its figures."""
    from omegaconf import OmegaConf

    result = _simulate(wanted)
    if wanted.over:
        result.manifest["problem"] = _family(config)
    result.manifest["command"] = shlex.join(["banditlab", *overrides])
    plain = json.dumps(OmegaConf.to_container(config, resolve=True))
    result.manifest["config"] = json.loads(plain, parse_constant=str)  # JSON knows no infinity
    finish = _begin_drawing(result, wanted.figures, folder)
    result.save(folder)
    return result, finish()


def _family(config: DictConfig) -> str:
    """The problem of a sweep in a few words: its name, and what stays fixed."""
    target, *parameters = config.problem.items()
    fixed = [f"{k} = {v:g}" for k, v in parameters if isinstance(v, int | float) and k not in (config.over or {})]
    return ", ".join([str(target[1]).rpartition(".")[2].replace("_", " "), *fixed])


def _build(config: DictConfig) -> Experiment:
    """The objects that a config describes."""
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    fields: Any = OmegaConf.to_container(config, resolve=True)
    over, figures, only = fields["over"] or {}, fields["figures"] or {}, fields["only"]
    for name, value in {"problem": fields.get("problem"), "algorithms": fields.get("algorithms"), "over": over}.items():
        if not isinstance(value, Mapping):
            raise TypeError(f"{name}: expected a mapping, got {value!r}")
    if not isinstance(figures, Mapping | list):
        raise TypeError(f"figures: expected names, or a mapping from names to arguments, got {figures!r}")
    problem = {key: value for key, value in fields["problem"].items() if key not in over}
    if over:
        problem["_partial_"] = True
    names = figures if isinstance(figures, Mapping) else {name: {} for name in figures}
    replications = fields["replications"]
    if only is not None:
        only = checks.integer("only", only, 0)
        replications = range(only, only + 1)
    return Experiment(
        problem=instantiate(problem, _convert_="all"),
        algorithms={name: instantiate(node, _convert_="all") for name, node in fields["algorithms"].items()},
        over=over,
        rounds=fields["rounds"],
        samples=fields["samples"],
        replications=replications,
        seed=fields["seed"],
        checkpoints=fields["checkpoints"],
        threads=fields["threads"],
        store=fields["store"],
        executor=fields["executor"],
        figures={name: instantiate(node or {}, _convert_="all") for name, node in names.items()},
    )


def _simulate(wanted: Experiment) -> Result:
    common: dict[str, Any] = {
        name: getattr(wanted, name) for name in ("algorithms", "replications", "seed", "threads", "store", "executor")
    }
    if wanted.over:
        return simulate.sweep(wanted.problem, over=wanted.over, **_size(wanted), **common)
    if wanted.samples is not None:
        return simulate.run_offline(wanted.problem, **_size(wanted), **common)
    return simulate.run(wanted.problem, **_size(wanted), checkpoints=wanted.checkpoints, **common)


def _size(wanted: Experiment) -> dict[str, Any]:
    """The horizon, or what stands in its place in an offline study."""
    if wanted.samples is not None:
        return {"samples": wanted.samples}
    return {} if "samples" in wanted.over else {"rounds": wanted.rounds}


def _check_study(wanted: Experiment) -> None:
    """Construct every problem and learner, as `simulate.run` and `simulate.sweep` will."""
    study: tuple[Any, Any] = wanted.problem, wanted.algorithms
    common: dict[str, Any] = {"replications": wanted.replications, "seed": wanted.seed, **_size(wanted)}
    cells: Sequence[Any]
    if wanted.checkpoints is not None and "rounds" not in common and "rounds" not in wanted.over:
        raise ValueError(f"checkpoints: an offline study has none, got {wanted.checkpoints}")
    if wanted.over:
        _, cells = simulate.plan_sweep(*study, over=wanted.over, **common)
    elif wanted.samples is not None:
        cells = simulate.plan_offline(*study, **common)
    else:
        cells = simulate.plan_run(*study, checkpoints=wanted.checkpoints, **common)
    simulate.check(cells, wanted.threads, wanted.executor)


def _check_figures(wanted: Experiment) -> None:
    """Refuse figures that are not there or do not fit the result, and arguments that they do not take.

    The source is read, because importing it would import matplotlib, which the artist does meanwhile.
    """
    kind = "grid" if wanted.over else "trajectory" if wanted.samples is None else "offline"
    takes: dict[str, list[str]] = {}
    for node in ast.parse(Path(__file__).with_name("figures.py").read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.args.args and node.args.args[0].arg == kind:
            takes[node.name] = [a.arg for a in (*node.args.args[1:], *node.args.kwonlyargs)]
    for name, arguments in wanted.figures.items():
        checks.known("figure", name, [public for public in takes if not public.startswith("_")])
        for argument in arguments:
            checks.known(f"figures.{name}", argument, takes[name])


def _check_writable(field: str, folder: str) -> None:
    """Make a folder where `folder` will be made, and take it away."""
    path = Path(folder).absolute()
    while not path.exists():
        path = path.parent
    try:
        os.rmdir(tempfile.mkdtemp(dir=path))
    except OSError as error:
        raise OSError(f"{field}: {folder} cannot be written ({error.strerror})") from None


def _in_one_line(error: BaseException, arguments: Sequence[str] = ()) -> str:
    """What is wrong, and the nearest right thing, from an exception that may tell it at length.

    Parameters
    ----------
    error : BaseException
        From Hydra, from a constructor, or one of ours, which has one line already.
    arguments : sequence of str
        The command line, whose choices say which keys there are.
    """
    from hydra.errors import MissingConfigException

    text = str(error)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, name = error.missing_cfg_file.partition("/")
        if group in _GROUPS:
            return _unknown(group, name, list(_GROUPS[group]()))
        if error.missing_cfg_file.startswith("hydra/launcher/"):
            name = name.removeprefix("launcher/")
            return launchers.missing(name) or _unknown("hydra/launcher", name, ["basic", *launchers.NAMES])
    if found := re.match(r"Could not override '([^']*)'", text):
        return _unknown("key", found.group(1), _keys(arguments))
    if found := re.match(r"Ambiguous value for argument '([^']*)'", text):
        return f"{found.group(1)}: several values are a sweep, which needs -m, or a list, which needs brackets"
    if text.startswith("Error merging override"):
        text = f"{text}: {str(error.__cause__).partition(chr(10))[0]}"
    return " ".join(text.partition("\nSee https:")[0].split())


_GROUPS = {"experiment": catalog.experiments, "problem": catalog.problems, "algorithm": catalog.algorithms}


def _unknown(kind: str, name: str, names: Sequence[str]) -> str:
    """As `checks.known` tells it; a name with the same last part is near."""
    near = [full for full in names if re.split("[./=]", full)[-1] == re.split("[./=]", name)[-1]]
    if near:
        return f"{kind}: {name!r} is unknown; did you mean {' or '.join(near)}?"
    try:
        return checks.known(kind, name, names)
    except ValueError as error:
        return str(error)


def _keys(arguments: Sequence[str]) -> list[str]:
    """Every key of the config that the command line's choices compose."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import OmegaConf

    choices = [word for word in arguments if word.partition("=")[0] in _GROUPS]
    running = GlobalHydra.instance().is_initialized()
    folder = str(catalog.conf())
    with contextlib.nullcontext() if running else initialize_config_dir(folder, version_base="1.3"):
        config = compose("config", choices)
    return list(_flat(OmegaConf.to_container(config, resolve=False)))


def _flat(node: Any, prefix: str = "") -> Iterator[str]:
    for key, value in node.items() if isinstance(node, dict) else ():
        yield f"{prefix}{key}"
        yield from _flat(value, f"{prefix}{key}.")


# ---------------------------------------------------------------------------------------------------------------
# What is left and told
# ---------------------------------------------------------------------------------------------------------------


_easel: Connection | None = None  # to the process that draws, where there is one


@contextlib.contextmanager
def _artist(*, wanted: bool) -> Iterator[None]:
    """A second process that imports what draws while this one composes and simulates, and then draws.

    Without a second processor, and where forking a process is not safe, this process draws; a job that a launcher runs
    in another process draws there.
    """
    global _easel
    if not wanted or sys.platform != "linux" or simulate.processors() < 2:
        yield
        return
    context = multiprocessing.get_context("fork")
    _easel, other = context.Pipe()
    process = context.Process(target=_paint, args=(other,), daemon=True)
    process.start()
    other.close()
    try:
        yield
    finally:
        process.kill()
        _easel = None


def _paint(orders: Connection) -> None:
    """The artist's life: draw what is ordered, answer with the paths or with what went wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that ordered
    from banditlab import figures

    blank = figures.Figure()
    blank.text(0.0, 0.0, "$t$")
    for kind in ("pdf", "svg", "png"):  # imports what each of them needs
        blank.savefig(io.BytesIO(), format=kind)
    with contextlib.suppress(EOFError):
        while True:
            try:
                orders.send(_draw(*orders.recv()))
            except (ValueError, TypeError, OSError) as error:
                orders.send(error)


def _begin_drawing(result: Result, wanted: Mapping[str, dict[str, Any]], folder: Path) -> Callable[[], list[Path]]:
    """Order figures; what is returned waits for them and gives their paths."""
    work = result, dict(wanted), folder
    if _easel is None:
        return functools.partial(_draw, *work)
    easel = _easel
    easel.send(work)

    def finish() -> list[Path]:
        answer = easel.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    return finish


def _draw(result: Result, wanted: Mapping[str, dict[str, Any]], folder: Path) -> list[Path]:
    from banditlab import figures

    return [
        path
        for name, arguments in wanted.items()
        for path in figures.save(getattr(figures, name)(result, **arguments), folder / name)
    ]


def _tell(name: str, result: Result, folder: Path, drawn: Sequence[Path], store: str | None) -> None:
    """Print what was measured, and where everything is, at once: jobs of a launcher share the output."""
    from banditlab.trajectory import MANIFEST, TABLE, Grid, Trajectory

    seconds = result.manifest["wall_seconds"]
    lines = []
    if not isinstance(result, Grid):
        if isinstance(result, Trajectory):
            what, measured, size = "regret", result.regret, f"{result.rounds} rounds"
        else:
            what, measured, size = "suboptimality", result.gap, f"up to {result.samples[-1]} samples"
        n = len(result.replications)
        lines.append(f"{name}: {result.problem.summary}; {n} replications of {size} in {seconds:.1f} s")
        width = max(map(len, [what, *measured]))
        lines.append(f"{what:<{width + 2}}{'mean':>10}{'2 s.e.':>10}{'median':>10}{'95 %':>10}{'bound':>10}")
        for label, values in measured.items():
            final = values[:, -1]
            error = 2.0 * final.std(ddof=1) / math.sqrt(final.size) if final.size > 1 else math.nan
            numbers = [final.mean(), error, *np.quantile(final, [0.5, 0.95])]
            bound = f"{result.bounds[label][-1]:>10.4g}" if label in result.bounds else ""
            lines.append(f"{label:<{width + 2}}" + "".join(f"{x:>10.4g}" for x in numbers) + bound)
    else:
        axes = ", ".join(f"{axis} ({len(values)})" for axis, values in result.axes.items())
        lines.append(f"{name}: sweep over {axes}; {len(result.table)} runs in {seconds:.1f} s")
    lines.append(f"table     {folder / TABLE}")
    lines.append(f"manifest  {folder / MANIFEST}")
    for path in drawn:
        lines.append(f"figure    {path}")
    if store is not None:
        lines.append(f"shards    {Path(store).absolute()}")
    print("\n".join(lines), flush=True)
