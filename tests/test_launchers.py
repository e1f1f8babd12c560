"""Jobs in other processes: the same bytes as one after another, failures that name themselves, threads that fit."""

import importlib.util
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from banditlab import cli, launchers, simulate

JOBLIB, SUBMITIT = (importlib.util.find_spec(f"hydra_plugins.hydra_{name}_launcher") for name in ("joblib", "submitit"))
NEEDS = "the extra launchers is not installed: pip install -e '.[launchers]'"
joblib = pytest.mark.skipif(JOBLIB is None, reason=NEEDS)
submitit = pytest.mark.skipif(SUBMITIT is None, reason=NEEDS)

QUICK = ["algorithm=[bandits/kl_ucb]", "~algorithms.greedy", "rounds=64", "replications=2", "figures=null"]
BROKEN = """
import os, threading, traceback

from banditlab.bandits import kl_ucb
from banditlab.simulate import SimulationError


def simulating():
    return any(frame.name == "play_shard" for frame in traceback.extract_stack())


def no_number(problem, rounds, **parameters):
    if simulating():
        raise SimulationError("kl_ucb: no number", 1)
    return kl_ucb(problem, rounds, **parameters)


def no_pickle(problem, rounds, **parameters):
    if simulating():
        error = RuntimeError("not to be pickled")
        error.lock = threading.Lock()
        raise error
    return kl_ucb(problem, rounds, **parameters)


def deadly(problem, rounds, **parameters):
    if simulating():
        os._exit(3)
    return kl_ucb(problem, rounds, **parameters)
"""
"""Learners that pass every check, and fail when they are simulated."""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty working folder, where a module of broken learners can be imported."""
    (tmp_path / "broken_learners.py").write_text(BROKEN)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *os.environ.get("PYTHONPATH", "").split()]))
    for name in ("BANDITLAB_STORE", "HYDRA_FULL_ERROR", "SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "broken_learners", raising=False)
    return tmp_path / "work"


def tables(folder):
    """Name and bytes of every table and shard below a folder."""
    found = [p for p in folder.rglob("*") if p.name == "table.parquet" or p.suffix == ".shard"]
    return {"/".join(p.parts[-2:]): p.read_bytes() for p in found}


@pytest.fixture(scope="module")
def basic(tmp_path_factory):
    """What the basic launcher leaves of 2 x 2 cells."""
    folder = tmp_path_factory.mktemp("basic")
    assert cli.main([*CELLS, f"results={folder}", "-m"]) == 0
    return tables(folder)


CELLS = [*QUICK, "problem.eta=1,10", "seed=0,1"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "seeds"),
    [pytest.param("joblib", 2, marks=joblib), pytest.param("submitit_local", 1, marks=submitit)],
)
def test_every_launcher_leaves_the_same_bytes(launcher, seeds, basic, here, capfd):
    jobs = 2 * seeds
    words = [word if seeds == 2 else word.replace("seed=0,1", "seed=1") for word in CELLS]
    assert cli.main([*words, f"hydra/launcher={launcher}", "-m"]) == 0
    found = tables(here)
    assert len(set(found.values())) == 2 * jobs and set(found.values()) <= set(basic.values())
    (sweep,) = (here / "results" / "multirun").iterdir()
    printed = capfd.readouterr().out
    assert f"jobs      {jobs} by {launcher}, {min(simulate.processors(), jobs)} at once" in printed
    assert f"jobs      {jobs} of {jobs} left results in {sweep}" in printed and f"banditlab collect {sweep}" in printed
    manifest = json.loads((sweep / "1" / "manifest.json").read_text())
    assert manifest["config"]["seed"] == 1 and manifest["config"]["threads"] is None


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", pytest.param("joblib", marks=joblib)])
def test_a_job_that_fails_names_itself_and_the_others_are_kept(launcher, here, capfd):
    targets = "broken_learners.no_number,banditlab.bandits.kl_ucb,broken_learners.no_pickle"
    words = [f"algorithms.kl_ucb._target_={targets}", f"hydra/launcher={launcher}"]
    assert cli.main([*QUICK, *words, "-m"]) == 1
    out, error = capfd.readouterr()
    first, again, second = error.splitlines()
    assert first == ("banditlab: job 0 (algorithms.kl_ucb._target_=broken_learners.no_number): kl_ucb: no number")
    assert again.startswith("reproduce: banditlab ") and again.endswith("only=1")
    assert second == (
        "banditlab: job 2 (algorithms.kl_ucb._target_=broken_learners.no_pickle): RuntimeError: not to be pickled"
    )
    (sweep,) = (here / "results" / "multirun").iterdir()
    assert f"1 of 3 left results in {sweep}" in out
    assert {path.parent.name for path in sweep.rglob("manifest.json")} == {"1"}
    assert launchers.Failure.read(sweep / "2" / "failure.json").traceback.count("not to be pickled")
    assert cli.main(["collect", str(sweep)]) == 0
    assert "without   job 0" in capfd.readouterr().out


@submitit
@pytest.mark.slow
def test_a_job_that_dies_does_not_end_the_others(here, capfd):
    targets = "broken_learners.deadly,banditlab.bandits.kl_ucb"
    words = [f"algorithms.kl_ucb._target_={targets}", "hydra/launcher=submitit_local"]
    assert cli.main([*QUICK, *words, "-m"]) == 1
    out, error = capfd.readouterr()
    (died,) = error.splitlines()
    assert died.startswith("banditlab: hydra/launcher=submitit_local: job ")
    assert "ended without a result (FINISHED), its log is in" in died
    assert "1 of 2 left results" in out


@joblib
@pytest.mark.slow
def test_ctrl_c_stops_the_jobs_and_keeps_their_finished_shards(here, package_root):
    words = ["rounds=2_000_000", "replications=4000", "figures=null", "seed=0,1", "hydra/launcher=joblib", "-m"]
    env = {**os.environ, "PYTHONPATH": str(package_root)}
    process = subprocess.Popen(
        [sys.executable, "-m", "banditlab", *words], stderr=subprocess.PIPE, text=True, env=env, start_new_session=True
    )
    until = time.monotonic() + 120.0
    while not list(here.rglob("*.shard")):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, error = process.communicate(timeout=20)
    assert process.returncode == 130
    assert error.splitlines()[-1].startswith("banditlab: interrupted; finished shards are in ")
    assert "Traceback" not in error, error
    assert list(here.rglob("*.shard")) and not list(here.rglob("manifest.json"))
    with pytest.raises(ProcessLookupError):  # nothing of it is left
        for _ in range(50):
            os.killpg(process.pid, 0)
            time.sleep(0.1)


# ---------------------------------------------------------------------------------------------------------------
# Processes x threads <= processors
# ---------------------------------------------------------------------------------------------------------------


def arranged(launcher, available, jobs, monkeypatch, *, threads=None, **settings):
    """The plan for so many jobs on so many processors, and the config."""
    from omegaconf import OmegaConf

    monkeypatch.setattr(simulate, "processors", lambda: available)
    names = {"joblib": "JoblibLauncher", "submitit_local": "LocalLauncher", "submitit_slurm": "SlurmLauncher"}
    submitted = {"nodes": 1, "tasks_per_node": 1, "cpus_per_task": None, "setup": None}
    defaults = {"joblib": {"n_jobs": -1}}.get(launcher, submitted)
    config = OmegaConf.create(
        {
            "hydra": {
                "launcher": {"_target_": f"plugins.{names[launcher]}", **defaults, **settings},
                "sweeper": {"max_batch_size": None},
                "sweep": {"dir": "swept"},
                "overrides": {"hydra": []},
            }
        }
    )
    plan = launchers.arrange(config, [SimpleNamespace(threads=threads, store="s") for _ in range(jobs)])
    return plan, config.hydra


@pytest.mark.parametrize(
    ("available", "jobs", "n_jobs", "threads", "processes", "share"),
    [
        (8, 100, -1, None, 8, 1),
        (8, 3, -1, None, 3, 2),
        (8, 100, -2, None, 7, 1),
        (8, 100, 2, None, 2, 4),
        (2, 100, 16, None, 2, 1),
        (8, 100, -1, 3, 2, 4),
        (8, 100, 4, 4, 2, 4),
        (2, 100, -1, 16, 1, 2),
        (1, 4, -1, None, 1, 1),
        (8, 100, None, None, 1, 8),
    ],
)
def test_joblib_never_has_more_threads_than_processors(
    available, jobs, n_jobs, threads, processes, share, monkeypatch, here
):
    plan, hydra = arranged("joblib", available, jobs, monkeypatch, threads=threads, n_jobs=n_jobs)
    assert (plan.processes, plan.processors) == (hydra.launcher.n_jobs, share) == (processes, share)
    assert plan.processes * (threads or plan.processors) <= max(available, threads or 0)
    assert hydra.sweep.dir == str(here / "swept")
    assert f"++hydra.job.env_set.BANDITLAB_PROCESSORS='{share}'" in hydra.overrides.hydra


@pytest.mark.parametrize(
    ("available", "jobs", "cpus", "threads", "processes", "share"),
    [(8, 100, None, None, 8, 1), (8, 3, None, None, 3, 2), (8, 100, 3, None, 2, 3), (8, 100, None, 4, 2, 4)],
)
def test_submitit_local_runs_batches_that_fit(available, jobs, cpus, threads, processes, share, monkeypatch):
    plan, hydra = arranged("submitit_local", available, jobs, monkeypatch, threads=threads, cpus_per_task=cpus)
    assert (plan.processes, plan.processors) == (hydra.sweeper.max_batch_size, share) == (processes, share)


def test_slurm_is_asked_for_the_threads_that_are_wanted(monkeypatch):
    plan, hydra = arranged("submitit_slurm", 2, 10, monkeypatch, threads=16)
    assert hydra.launcher.cpus_per_task == 16 and plan.processes == 0
    assert hydra.launcher.setup == ["export SRUN_CPUS_PER_TASK=16"]
    assert not [word for word in hydra.overrides.hydra if simulate.PROCESSORS in word]
    with pytest.raises(ValueError, match=r"threads: 16 is more than hydra.launcher.cpus_per_task = 4"):
        arranged("submitit_slurm", 2, 10, monkeypatch, threads=16, cpus_per_task=4)
    with pytest.raises(ValueError, match=r"hydra.launcher.tasks_per_node: 2 is not allowed"):
        arranged("submitit_slurm", 2, 10, monkeypatch, tasks_per_node=2)


def test_processors_are_those_of_affinity_slurm_and_launcher(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.delenv(simulate.PROCESSORS, raising=False)
    assert simulate.processors() == 8
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", "6")
    assert simulate.processors() == 6
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "4")
    assert simulate.processors() == 4
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "64")
    assert simulate.processors() == 6
    monkeypatch.setenv(simulate.PROCESSORS, "3")
    assert simulate.processors() == 3
    monkeypatch.setenv(simulate.PROCESSORS, "many")
    with pytest.raises(ValueError, match="BANDITLAB_PROCESSORS: expected a number of processors, got 'many'"):
        simulate.processors()


# ---------------------------------------------------------------------------------------------------------------
# Small things
# ---------------------------------------------------------------------------------------------------------------


def test_a_launcher_that_is_not_installed_names_the_extra(here, monkeypatch, capsys):
    from hydra.core.config_store import ConfigStore
    from hydra.core.plugins import Plugins

    Plugins.instance()  # registers those that are
    for name in launchers.NAMES:
        monkeypatch.delitem(ConfigStore.instance().repo["hydra"]["launcher"], f"{name}.yaml", raising=False)
    for name in launchers.NAMES:
        assert cli.main(["problem.eta=1,2", f"hydra/launcher={name}", "-m"]) == 2
        error = capsys.readouterr().err
        assert (
            error
            == f"banditlab: hydra/launcher: {name} needs the extra launchers; pip install 'kl-banditlab[launchers]'\n"
        )
    assert cli.main(["problem.eta=1,2", "hydra/launcher=joblb", "-m"]) == 2
    assert capsys.readouterr().err == "banditlab: hydra/launcher: 'joblb' is unknown; did you mean joblib?\n"
    assert not any(here.iterdir())


@submitit
def test_without_slurm_there_is_one_line(here, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(here))
    assert cli.main([*QUICK, "seed=0,1", "hydra/launcher=submitit_slurm", "-m"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("banditlab: hydra/launcher=submitit_slurm: ") and error.count("\n") == 1, error


def test_an_experiment_that_is_a_sweep_needs_no_m_and_checks_every_cell(here, capsys):
    assert cli.main(["experiment=cluster_sweep", "problem.eta=1,0"]) == 2
    assert capsys.readouterr().err == "banditlab: eta: 0 is not in (0, inf]\n"
    assert not any(here.iterdir())


def test_errors_of_simulations_can_be_pickled():
    error = pickle.loads(pickle.dumps(simulate.SimulationError("kl_ucb: no number", 17)))
    assert (str(error), error.replication) == ("kl_ucb: no number", 17)


def test_paths_survive_hydra_s_grammar():
    from hydra.core.override_parser.overrides_parser import OverridesParser

    for path in ("/a/b", "/it's here", "/a b,c=d", "/[x]{y}"):
        (parsed,) = OverridesParser.create().parse_overrides([f"hydra.sweep.dir={launchers._quoted(path)}"])
        assert parsed.value() == path
