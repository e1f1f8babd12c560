"""The executor on dask: the same bytes as threads, refusals in one line, and what happens when processes die."""

import contextlib
import functools
import os
import pickle
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import NamedTuple

import numpy as np
import pytest

import banditlab as bl
from banditlab import simulate

distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
cluster = pytest.importorskip("banditlab.cluster")

PROBLEM = bl.bandits.bandit([0.3, 0.45, 0.5, 0.55, 0.7], eta=5.0)
RULES = {"KL-UCB": bl.bandits.kl_ucb, "slow": functools.partial(bl.bandits.kl_thompson)}


@pytest.fixture(scope="module")
def workers():
    """A client of two worker processes, which are started again when they die."""
    import logging

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=logging.CRITICAL
        ) as local,
        distributed.Client(local, set_as_default=False) as client,
    ):
        yield client


def contents(folder):
    """Bytes of every shard below a folder, by name."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.shard"))}


def test_two_worker_processes_give_the_bytes_of_threads(workers, tmp_path):
    common = {"rounds": 3000, "replications": 37, "seed": 4}
    one = bl.run(PROBLEM, RULES, **common, store=tmp_path / "threads")
    two = bl.run(PROBLEM, RULES, **common, store=tmp_path / "dask", executor=workers)
    for name in RULES:
        assert one.regret[name].tobytes() == two.regret[name].tobytes()
    assert contents(tmp_path / "dask") == contents(tmp_path / "threads")
    again = bl.run(PROBLEM, RULES, **common, store=tmp_path / "dask", executor="tcp://127.0.0.1:1")
    assert again.regret["slow"].tobytes() == two.regret["slow"].tobytes()  # nothing is left to play: nobody is asked


def test_offline_studies_and_sweeps_run_there_too(workers):
    game, fits = bl.games.trap(eta=5.0), {"plug-in": bl.games.plug_in, "PMVI": bl.games.kl_pmvi}
    common = {"samples": [50, 400], "replications": 5}
    one = bl.run_offline(game, fits, **common)
    two = bl.run_offline(game, fits, **common, executor=workers)
    assert all(one.gap[name].tobytes() == two.gap[name].tobytes() for name in fits)
    grids = [
        bl.sweep(bl.bandits.textbook, {"a": bl.bandits.kl_ucb}, over={"eta": [1.0, 4.0]}, rounds=200, replications=3,
                 executor=executor)
        for executor in ("threads", workers)
    ]  # fmt: skip
    assert grids[0].table.equals(grids[1].table)


def test_messages_hold_as_many_shards_as_the_measured_rate_allows(workers, monkeypatch):
    sizes, original = [], cluster._submit
    monkeypatch.setattr(
        cluster, "_submit", lambda client, batch, stop: sizes.append(len(batch)) or original(client, batch, stop)
    )
    study = {"rounds": 200, "replications": 600}
    monkeypatch.setattr(simulate, "_SHARD_REPLICATIONS", 1)
    bl.run(PROBLEM, {"KL-UCB": bl.bandits.kl_ucb}, **study, executor=workers)
    assert sum(sizes) == 600 and sizes[0] == 1 and max(sizes) > 20  # the first to measure, then many
    sizes.clear()
    monkeypatch.setattr(cluster, "SECONDS", 0.0)
    bl.run(PROBLEM, {"KL-UCB": bl.bandits.kl_ucb}, rounds=200, replications=40, executor=workers)
    assert set(sizes) == {1}  # control


class Spoilt(NamedTuple):
    """Its index is not finite from round 50 on."""

    pulls: np.ndarray

    def index(self, a, t):
        return np.nan if t > 50 else 1.0

    def update(self, t, a, r):
        self.pulls[a] += 1.0


def test_an_error_of_a_simulation_comes_back_as_it_is():
    error = simulate.SimulationError("a: it failed in round 3 of replication 7, seed 0", 7)
    back = pickle.loads(pickle.dumps(error))
    assert str(back) == str(error) and back.replication == 7 and type(back) is simulate.SimulationError


USER = """
    import functools, os, sys, time
    from typing import NamedTuple
    import numpy as np
    import banditlab as bl

    class Own(NamedTuple):
        scale: float
        pulls: np.ndarray
        total: np.ndarray

        def index(self, a, t):
            return self.total[a] / max(self.pulls[a], 1.0) + self.scale * wide(self.pulls[a])

        def update(self, t, a, r):
            self.pulls[a] += 1.0
            self.total[a] += r

    @bl.jit
    def wide(n):
        return 1.0 / (1.0 + n)

    def own(problem, rounds, *, scale=1.0):
        K = problem.mean.size
        return Own(scale, np.zeros(K), np.zeros(K))

    def spoilt(problem, rounds):
        return own(problem, rounds)._replace(scale=float("nan"))

    PROBLEM = bl.bandits.bandit([0.3, 0.45, 0.7], eta=5.0)
"""


def script(body, *arguments, guard=True, **options):
    """Start a Python script; `body` is its main part."""
    main = textwrap.dedent(body)
    if guard:
        main = "if __name__ == '__main__':\n" + textwrap.indent(main, "    ")
    path = options.pop("folder") / "script.py"
    path.write_text(textwrap.dedent(USER) + "\n" + main)
    return subprocess.Popen(
        [sys.executable, str(path), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, **options,
    )  # fmt: skip


@pytest.mark.slow
def test_a_users_own_algorithm_and_its_failure_come_through_a_local_cluster(tmp_path):
    process = script(
        """
        result = [bl.run(PROBLEM, {"own": own}, rounds=500, replications=6, store=sys.argv[1], **options)
                  for options in ({"executor": "dask", "threads": 2}, {})]
        print((result[0].regret["own"] == result[1].regret["own"]).all(), flush=True)
        try:
            bl.run(PROBLEM, {"bad": spoilt}, rounds=500, replications=3, executor="dask", threads=1)
        except bl.SimulationError as error:
            print(error, error.replication)
        """,
        tmp_path / "store",
        folder=tmp_path,
    )
    out, err = process.communicate(timeout=180)
    first, second = out.strip().splitlines()
    assert first == "True", err
    assert second.startswith("bad: an index, a probability or a gap is not finite in round 1 of replication 0, seed 0")


@pytest.mark.slow
def test_a_script_without_its_guard_is_told_what_is_missing(tmp_path):
    process = script(
        "bl.run(PROBLEM, {'own': own}, rounds=50, replications=2, executor='dask', threads=1)",
        folder=tmp_path,
        guard=False,
    )
    try:
        _, err = process.communicate(timeout=40)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        _, err = process.communicate()
    assert "put its calls under `if __name__ == '__main__':`" in err


# --- refusals -----------------------------------------------------------------------------------------------------


def test_another_version_on_a_worker_is_refused(workers):
    def pretend(name, version):
        from banditlab import cluster

        true = dict(cluster.versions())
        cluster.versions = lambda: {**true, name: version}

    def restore():
        import importlib

        from banditlab import cluster

        importlib.reload(cluster)

    for name, version in (("numba", "0.1"), ("banditlab's sources", "0123456789abcdef")):
        workers.run(pretend, name, version)
        try:
            with pytest.raises(ValueError) as error:
                bl.run(PROBLEM, RULES, rounds=10, replications=1, executor=workers)
        finally:
            workers.run(restore)
        assert f"has {name} {version}, the client" in str(error.value) and "\n" not in str(error.value)


def test_a_worker_that_would_compute_something_else_refuses():
    cell = simulate.plan_run(PROBLEM, {"a": bl.bandits.kl_ucb}, rounds=20, replications=2)[0]
    task = [simulate.Shard(cell, 0, 2)]
    other = cell._replace(algorithm=functools.partial(bl.bandits.kl_ucb, scale=0.1))
    right = pickle.dumps(([task], cluster._descriptions([task]), cluster.versions()))
    wrong = pickle.dumps(([[simulate.Shard(other, 0, 2)]], cluster._descriptions([task]), cluster.versions()))
    answer = cluster.play_payload(right, "stop")
    direct = simulate.play_shard(task[0], np.zeros(3, np.int64))
    assert answer.channels[0][0]["regret"].tobytes() == direct["regret"].tobytes()
    with pytest.raises(ValueError, match=r"would compute something else, its algorithm differs"):
        cluster.play_payload(wrong, "stop")


@pytest.mark.parametrize(
    "executor, kind, message",
    [
        ("dusk", ValueError, "executor: 'dusk' is unknown; did you mean dask?"),
        (7, TypeError, "executor: expected 'threads', 'dask', a scheduler's address or a client, got 7"),
    ],
)
def test_an_unusable_executor_is_told_before_anything_runs(executor, kind, message, tmp_path):
    with pytest.raises(kind) as error:
        bl.run(PROBLEM, RULES, rounds=10, replications=1, executor=executor, store=tmp_path / "store")
    assert str(error.value) == message and not (tmp_path / "store").exists()


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT", 1.0)
    with pytest.raises(ConnectionError) as error:
        bl.run(PROBLEM, RULES, rounds=10, replications=1, executor="tcp://127.0.0.1:1")
    assert str(error.value).startswith("executor: no scheduler answers at tcp://127.0.0.1:1 (")


def test_without_dask_the_extra_is_named(monkeypatch):
    original = simulate.importlib.util.find_spec
    monkeypatch.setattr(simulate.importlib.util, "find_spec", lambda n: None if n == "distributed" else original(n))
    with pytest.raises(ImportError, match=r"executor: dask is not installed; pip install 'kl-banditlab\[dask\]'"):
        bl.run(PROBLEM, RULES, rounds=10, replications=1, executor="dask")


# --- deaths -------------------------------------------------------------------------------------------------------


class Dying:
    """Stands for a client whose workers die on everything."""

    status = "running"

    def __init__(self):
        self.asked = 0

    def nthreads(self):
        return {"a": 1}

    def as_current(self):
        return contextlib.nullcontext()

    def cancel(self, futures, force):
        self.cancelled = True


class Flag:
    """Stands for an event of the cluster."""

    name = "stop"

    def __init__(self, *args, **options): ...

    def set(self): ...


def test_a_task_whose_workers_die_again_and_again_is_given_up(monkeypatch):
    client = Dying()

    class Lost:
        def done(self):
            return True

        def result(self, timeout):
            raise distributed.KilledWorker("task", None, 3)

    def submit(client, batch, stop):
        client.asked += 1
        return Lost()

    monkeypatch.setattr(cluster, "_submit", submit)
    monkeypatch.setattr(distributed, "Event", Flag)
    monkeypatch.setattr(distributed, "wait", lambda *args, **options: None)
    cell = simulate.plan_run(PROBLEM, {"a": bl.bandits.kl_ucb}, rounds=20, replications=2)[0]
    with pytest.raises(ConnectionError, match=r"5 workers died on replications 0 to 1 of a; their logs may tell why"):
        cluster._play(client, [[simulate.Shard(cell, 0, 2)]], lambda *kept: None)
    assert client.asked == cluster.DEATHS and client.cancelled


@pytest.mark.parametrize("returning", [False, True])
def test_a_cluster_without_workers_is_told_of(returning, monkeypatch):
    cell = simulate.plan_run(PROBLEM, {"a": bl.bandits.kl_ucb}, rounds=20, replications=2)[0]
    shard, kept = simulate.Shard(cell, 0, 2), []
    answer = cluster.Answer([[simulate.play_shard(shard, np.zeros(3, np.int64))]], 0.1)

    class Deserted(Dying):
        def nthreads(self):
            self.asked += 1
            return {"address": 1} if self.asked > 5 else {}  # they are back, and answer

    client = Deserted()

    class Answered:
        def done(self):
            return client.asked > 5

        def result(self, timeout):
            return answer

        def release(self): ...

    monkeypatch.setattr(cluster, "_PATIENCE", 0.0)
    monkeypatch.setattr(cluster, "_submit", lambda *message: Answered())
    monkeypatch.setattr(distributed, "Event", Flag)
    monkeypatch.setattr(distributed, "wait", lambda *args, **options: None)
    if not returning:
        with pytest.raises(ConnectionError, match=r"no worker is left at .*, all died; finished shards are kept"):
            cluster._play(client, [[shard]], lambda *found: kept.append(found), returning=False)
        return
    with pytest.warns(UserWarning, match=r"no worker is left at .*; waiting for one to come") as told:
        cluster._play(client, [[shard]], lambda *found: kept.append(found))
    assert len(told) == 1 and len(kept) == 1


def killer(local, store, over, seed, killed):
    """Kill a random worker process at a random moment, three times, each time after further shards have come back.

    Not while one is being started: dask does not try again where that fails, and the study would wait for workers.
    """
    draw, last = random.Random(seed), 0
    with distributed.Client(local.scheduler_address, set_as_default=False) as other:
        while len(killed) < 3 and not over.wait(0.02):
            count = len(list(store.rglob("*.shard")))
            if count <= last or any(nanny.status.name != "running" for nanny in local.workers.values()):
                continue
            over.wait(draw.uniform(0.0, 0.3))
            with contextlib.suppress(Exception):  # a worker that just died, or is not there yet
                pids = list(other.run(os.getpid, on_error="ignore").values())
                os.kill(draw.choice(pids), signal.SIGKILL)
                killed.append(count)
                last = count


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_killing_workers_at_random_loses_nothing(workers, tmp_path, seed):
    study = {"rounds": 400_000, "replications": 48, "seed": seed}
    whole = bl.run(PROBLEM, {"KL-UCB": bl.bandits.kl_ucb}, **study, store=tmp_path / "whole")
    over, killed, store = threading.Event(), [], tmp_path / "store"
    enemy = threading.Thread(target=killer, args=(workers.cluster, store, over, seed, killed))
    enemy.start()
    try:
        result = bl.run(PROBLEM, {"KL-UCB": bl.bandits.kl_ucb}, **study, store=store, executor=workers)
    finally:
        over.set()
        enemy.join()
    assert killed
    assert result.regret["KL-UCB"].tobytes() == whole.regret["KL-UCB"].tobytes()
    assert contents(store) == contents(tmp_path / "whole")


LONG = """
    algorithms = {"KL-UCB": bl.bandits.kl_ucb}
    print("ready", flush=True)
    try:
        study = dict(rounds=300_000, replications=200, store=sys.argv[1])
        result = bl.run(PROBLEM, algorithms, **study, executor="dask", threads=2)
        result.save(sys.argv[2])
    except KeyboardInterrupt:
        print("stopped", flush=True)
    except ConnectionError as error:
        print(error, flush=True)
"""


def until_some(folder, process):
    """Wait until a store has shards."""
    patience = time.monotonic() + 120.0
    while not list(folder.rglob("*.shard")) and process.poll() is None and time.monotonic() < patience:
        time.sleep(0.02)


def living(group):
    """Processes of a session that still run."""
    found = subprocess.run(["ps", "-o", "pid=,stat=", "-s", str(group)], capture_output=True, text=True).stdout
    return [line for line in found.splitlines() if " Z" not in line]


@pytest.mark.slow
def test_kill_minus_nine_of_the_client_and_ctrl_c_lose_nothing_that_had_come_back(tmp_path):
    store = tmp_path / "store"
    kept = [0]
    for how in (signal.SIGKILL, signal.SIGINT):
        process = script(LONG, store, tmp_path / "result", folder=tmp_path)
        assert process.stdout.readline() == "ready\n"
        time.sleep(2.0 if kept[-1] else 0.0)
        until_some(store, process)
        time.sleep(0.3)
        start = time.monotonic()
        os.kill(process.pid, how)
        out, err = process.communicate(timeout=60)
        if how == signal.SIGINT:
            assert "stopped" in out and time.monotonic() - start < 20.0, err
        patience = time.monotonic() + 30.0
        while living(process.pid) and time.monotonic() < patience:
            time.sleep(0.1)
        assert not living(process.pid)  # no worker outlives its client
        kept.append(len(list(store.rglob("*.shard"))))
    assert 0 < kept[1] <= kept[2]
    final = bl.run(PROBLEM_OF_SCRIPT, {"KL-UCB": bl.bandits.kl_ucb}, rounds=300_000, replications=200, store=store)
    whole = bl.run(PROBLEM_OF_SCRIPT, {"KL-UCB": bl.bandits.kl_ucb}, rounds=300_000, replications=200)
    assert final.regret["KL-UCB"].tobytes() == whole.regret["KL-UCB"].tobytes()


PROBLEM_OF_SCRIPT = bl.bandits.bandit([0.3, 0.45, 0.7], eta=5.0)


@pytest.mark.slow
def test_a_lost_scheduler_is_an_error_that_keeps_what_had_come_back(tmp_path):
    scheduler = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file",
         str(tmp_path / "scheduler.json")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    worker = None
    try:
        patience = time.monotonic() + 60.0
        while not (tmp_path / "scheduler.json").exists() and time.monotonic() < patience:
            time.sleep(0.05)
        time.sleep(0.2)
        import json

        address = json.loads((tmp_path / "scheduler.json").read_text())["address"]
        worker = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard",
             "--death-timeout", "10"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        process = script(
            LONG.replace('"dask"', repr(address)), tmp_path / "store", tmp_path / "result", folder=tmp_path
        )
        until_some(tmp_path / "store", process)
        scheduler.kill()
        out, err = process.communicate(timeout=120)
        assert f"executor: the scheduler {address} was lost; finished shards are kept" in out, (out, err)
        assert list((tmp_path / "store").rglob("*.shard"))
    finally:
        for p in (scheduler, worker):
            if p is not None:
                p.kill()
                p.wait()
