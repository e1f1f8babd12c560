"""The harness: the same bits however a study is cut, stopped or resumed; errors before work; nothing lost."""

import functools
import os
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

PROBLEM = bl.bandits.bandit([0.3, 0.45, 0.5, 0.55, 0.7], eta=5.0)
KL_UCB = {"KL-UCB": bl.bandits.kl_ucb}


def same(a: bl.Trajectory, b: bl.Trajectory) -> bool:
    return all(
        x.tobytes() == b.channels[name][channel].tobytes()
        for name, channels in a.channels.items()
        for channel, x in channels.items()
    )


# --- cutting ------------------------------------------------------------------------------------------------------


def test_blocks_are_aligned_cover_the_range_and_nest():
    for rounds in (1, 1000, 1 << 18, 1 << 24):
        for n in (1, 5, 16, 21, 37):
            cut = list(simulate.blocks(rounds, range(n)))
            assert [a for a, _ in cut] == [0, *(b for _, b in cut[:-1])] and cut[-1][1] == n
            assert all((b - a) & (b - a - 1) == 0 and a % (b - a) == 0 for a, b in cut)
            assert all((b - a) * rounds <= max(1 << 20, rounds) for a, b in cut)
    assert list(simulate.blocks(1000, range(21))) == [(0, 16), (16, 20), (20, 21)]
    assert list(simulate.blocks(1000, range(17, 18))) == [(17, 18)]


def test_checkpoints_are_dyadic_and_end_with_rounds():
    assert bl.run(PROBLEM, KL_UCB, rounds=100, replications=1).checkpoints.tolist() == [
        1,
        2,
        4,
        8,
        16,
        32,
        64,
        100,
    ]
    assert bl.run(PROBLEM, KL_UCB, rounds=64, replications=1).checkpoints.tolist() == [1, 2, 4, 8, 16, 32, 64]
    assert bl.run(PROBLEM, KL_UCB, rounds=1, replications=1).checkpoints.tolist() == [1]


# --- the same bits ------------------------------------------------------------------------------------------------


def test_one_thread_and_two_give_the_same_bits():
    runs = [bl.run(PROBLEM, KL_UCB, rounds=3000, replications=37, seed=4, threads=n) for n in (1, 2)]
    assert same(*runs)


def test_grouping_does_not_matter(monkeypatch):
    whole = bl.run(PROBLEM, KL_UCB, rounds=3000, replications=21)
    monkeypatch.setattr(simulate, "_SHARD_REPLICATIONS", 2)
    assert same(whole, bl.run(PROBLEM, KL_UCB, rounds=3000, replications=21))
    alone = bl.run(PROBLEM, KL_UCB, rounds=3000, replications=range(17, 18))
    assert (alone.regret["KL-UCB"][0] == whole.regret["KL-UCB"][17]).all()


def test_another_seed_gives_another_result():
    a, b = (bl.run(PROBLEM, KL_UCB, rounds=100, replications=2, seed=s) for s in (0, 1))
    assert not same(a, b)


def test_recorded_values_do_not_depend_on_the_checkpoints():
    a = bl.run(PROBLEM, KL_UCB, rounds=1000, replications=3, checkpoints=[10, 500, 1000])
    b = bl.run(PROBLEM, KL_UCB, rounds=1000, replications=3, checkpoints=[500])
    assert (a.regret["KL-UCB"][:, 1] == b.regret["KL-UCB"][:, 0]).all()


# --- the store ----------------------------------------------------------------------------------------------------


def test_more_replications_reuse_the_first_ones(tmp_path, monkeypatch):
    played = []
    original = simulate.play_shard
    monkeypatch.setattr(simulate, "play_shard", lambda s, *a: played.append((s.start, s.stop)) or original(s, *a))
    first = bl.run(PROBLEM, KL_UCB, rounds=3000, replications=21, store=tmp_path)
    assert sorted(played) == [(0, 16), (16, 20), (20, 21)]
    played.clear()
    more = bl.run(PROBLEM, KL_UCB, rounds=3000, replications=42, store=tmp_path)
    assert min(start for start, _ in played) == 21 and sum(b - a for a, b in played) == 21
    assert (more.regret["KL-UCB"][:21] == first.regret["KL-UCB"]).all()
    assert same(more, bl.run(PROBLEM, KL_UCB, rounds=3000, replications=42))
    played.clear()
    assert same(first, bl.run(PROBLEM, KL_UCB, rounds=3000, replications=21, store=tmp_path)) and not played


def test_the_store_tells_parameters_apart(tmp_path):
    def run(**parameters):
        algorithm = functools.partial(bl.bandits.kl_ucb, **parameters)
        return bl.run(PROBLEM, {"a": algorithm}, rounds=200, replications=2, store=tmp_path)

    a, b, again = run(scale=0.5), run(scale=1.0), run(scale=0.5)
    assert same(a, again) and not same(a, b)
    assert same(b, bl.run(PROBLEM, {"a": functools.partial(bl.bandits.kl_ucb, scale=1.0)}, rounds=200, replications=2))


def test_a_truncated_shard_is_recomputed(tmp_path):
    whole = bl.run(PROBLEM, KL_UCB, rounds=500, replications=5, store=tmp_path)
    victim = next(tmp_path.rglob("*.shard"))
    victim.write_bytes(victim.read_bytes()[:-40])
    with pytest.warns(UserWarning, match="set aside"):
        again = bl.run(PROBLEM, KL_UCB, rounds=500, replications=5, store=tmp_path)
    assert same(whole, again) and list(tmp_path.rglob("*.damaged"))


STUDY = """
    import sys
    import banditlab as bl
    problem = bl.bandits.bandit([0.3, 0.45, 0.5, 0.55, 0.7], eta=5.0)
    print("ready", flush=True)
    result = bl.run(problem, {"KL-UCB": bl.bandits.kl_ucb}, rounds=60_000, replications=400, store=sys.argv[1])
    result.save(sys.argv[2])
"""


def start_study(*arguments):
    code = textwrap.dedent(STUDY)
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_kill_minus_nine_five_times_then_resume_gives_the_same_bytes(tmp_path):
    assert start_study(tmp_path / "whole", tmp_path / "reference").wait(60) == 0
    table = (tmp_path / "reference" / "table.parquet").read_bytes()
    shards = {str(p.relative_to(tmp_path / "whole")): p.read_bytes() for p in (tmp_path / "whole").rglob("*.shard")}
    moments = random.Random(0)
    killed, kept = 0, 0
    for _ in range(5):
        process = start_study(tmp_path / "store", tmp_path / "result")
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        before, patience = len(list((tmp_path / "store").rglob("*.shard"))), time.monotonic() + 30.0
        while len(list((tmp_path / "store").rglob("*.shard"))) == before and time.monotonic() < patience:
            time.sleep(0.01)  # until it has finished a shard, however slow the machine
        time.sleep(moments.uniform(0.0, 0.2))
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        kept = max(kept, len(list((tmp_path / "store").rglob("*.shard"))))
    assert killed == 5 and 0 < kept < len(shards)  # really interrupted, in the middle
    assert start_study(tmp_path / "store", tmp_path / "result").wait(60) == 0
    assert (tmp_path / "result" / "table.parquet").read_bytes() == table
    assert {
        str(p.relative_to(tmp_path / "store")): p.read_bytes() for p in (tmp_path / "store").rglob("*.shard")
    } == shards


@pytest.mark.slow
def test_ctrl_c_returns_within_a_second_and_keeps_finished_shards(tmp_path):
    code = """
    import sys, time
    import banditlab as bl
    problem, algorithms = bl.bandits.bandit([0.3, 0.7], eta=5.0), {"a": bl.bandits.kl_ucb}
    bl.run(problem, algorithms, rounds=1000, replications=3, store=sys.argv[1])
    print("ready", flush=True)
    try:
        bl.run(problem, algorithms, rounds=10**9, replications=4, checkpoints=[10**9], store=sys.argv[1])
    except KeyboardInterrupt:
        print("stopped", flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    time.sleep(1.0)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "stopped\n"
    assert time.monotonic() - start < 1.0
    assert process.wait(10) == 0
    assert list(tmp_path.rglob("*.shard"))


def test_an_interruption_while_threads_are_started_stops_those_that_run(monkeypatch):
    """The second of two threads is not started; without the stop the first would run for twenty seconds."""
    original = threading.Thread.start
    started, running = [], set()

    def work(task, control):
        running.add(task)
        until = time.monotonic() + 20.0
        while not control[0] and time.monotonic() < until:
            time.sleep(0.01)
        running.remove(task)

    def begin(thread):
        started.append(thread)
        if len(started) == 2:
            raise KeyboardInterrupt
        original(thread)

    monkeypatch.setattr(threading.Thread, "start", begin)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        simulate.on_threads(work, [1] * 4, 2)
    assert time.monotonic() - start < 10.0 and not running


def test_ctrl_c_at_any_moment_of_a_study_of_many_tasks_ends_it_and_its_workers():
    """With a future for each task, whose locks the waiting thread takes, one of these would hang for ever.

    With threads that are joined, the workers would still run: an interrupted join takes them for ended.
    """
    code = """
    import random, signal, time
    from banditlab import simulate
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    moments = random.Random(1)
    for trial in range(40):
        running = set()
        def work(task, control):
            running.add(task)
            until = time.monotonic() + (0.01 if task % 50 else 0.2)  # some look rarely whether they are stopped
            while time.monotonic() < until:
                time.sleep(0.01)
            running.remove(task)
        try:
            signal.setitimer(signal.ITIMER_REAL, moments.uniform(0.001, 0.2))
            simulate.on_threads(work, [1] * 8000, 2)
        except KeyboardInterrupt:
            print(trial, len(running), flush=True)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True, timeout=90, check=True
    )
    assert ended.stdout.splitlines() == [f"{trial} 0" for trial in range(40)]


# --- offline studies ----------------------------------------------------------------------------------------------

TABLE = bl.contextual.tabular([[0.3, 0.5, 0.7], [0.6, 0.4, 0.2]], eta=5.0, law=[0.7, 0.3])
FITS = {
    "plug-in": bl.contextual.plug_in,
    "KL-PCB": bl.contextual.kl_pcb,
    "theory": functools.partial(bl.contextual.kl_pcb, scale=1.0),
}


def offline(**changes):
    wanted = {"samples": [10, 100, 1000], "replications": 37, "seed": 4} | changes
    return bl.run_offline(TABLE, FITS, **wanted)


def test_offline_gaps_are_those_of_the_datasets_fitted_one_by_one():
    result = offline(replications=3)
    for replication in range(3):
        for i, n in enumerate((10, 100, 1000)):
            data = TABLE.dataset(n, 4, replication)
            assert data.samples == n
            for name, fit in FITS.items():
                assert result.gap[name][replication, i] == TABLE.suboptimality(fit(data))


def test_offline_bits_do_not_depend_on_threads_grouping_company_or_the_other_sizes(monkeypatch):
    whole = offline()
    assert same(whole, offline(threads=1))
    monkeypatch.setattr(simulate, "_SHARD_REPLICATIONS", 2)
    assert same(whole, offline())
    alone = bl.run_offline(TABLE, {"KL-PCB": FITS["KL-PCB"]}, samples=[100], replications=range(17, 18), seed=4)
    assert alone.gap["KL-PCB"][0, 0] == whole.gap["KL-PCB"][17, 1]
    assert not same(whole, offline(seed=5))  # control


def test_an_offline_study_is_stored_and_extended(tmp_path, monkeypatch):
    played = []
    original = simulate.play_shard
    monkeypatch.setattr(simulate, "play_shard", lambda s, *a: played.append((s.start, s.stop)) or original(s, *a))
    first = offline(replications=20, store=tmp_path)
    played.clear()
    more = offline(replications=37, store=tmp_path)
    assert min(start for start, _ in played) == 20
    assert same(more, offline()) and same(first, offline(replications=20, store=tmp_path))
    played.clear()
    assert same(more, offline(store=tmp_path)) and not played


def test_algorithms_meet_the_same_datasets_once(monkeypatch):
    drawn = []
    cls = bl.contextual.Contextual
    original = cls.dataset
    monkeypatch.setattr(cls, "dataset", lambda self, n, *a: drawn.append(n) or original(self, n, *a))
    offline(replications=5)
    assert sorted(n for n in drawn if n) == [10] * 5 + [100] * 5 + [1000] * 5  # and three empty ones, for the checks


def test_a_bandit_is_one_context_whose_data_come_from_the_reference():
    found = bl.run_offline(PROBLEM, {"KL-PCB": bl.contextual.kl_pcb}, samples=[512, 2048, 8192], replications=10)
    same_problem = bl.contextual.tabular([0.3, 0.45, 0.5, 0.55, 0.7], eta=5.0)
    again = bl.run_offline(same_problem, {"KL-PCB": bl.contextual.kl_pcb}, samples=[512, 2048, 8192], replications=10)
    assert found.gap["KL-PCB"].shape == (10, 3) and same(found, again)


def test_a_sweep_over_sample_sizes_keeps_each_gap():
    def factory(eta):
        return bl.contextual.tabular([[0.3, 0.6]], eta=eta)

    grid = bl.sweep(factory, FITS, over={"eta": [1.0, 8.0], "samples": [16, 64]}, replications=4, seed=2)
    table = grid.frame()
    assert len(table) == 2 * 2 * 3 * 4 and {"eta", "samples", "gap"} <= set(table)
    cell = table.query("eta == 8.0 and samples == 64 and algorithm == 'plug-in' and replication == 3")
    problem = factory(8.0)
    assert cell["gap"].item() == problem.suboptimality(bl.contextual.plug_in(problem.dataset(64, 2, 3)))


def negative(dataset):
    return dataset.reference - 1.0


def undefined(dataset):
    policy = dataset.reference.copy()
    if dataset.samples > 50:
        policy[0, 0] = np.nan
    return policy


def infinite(dataset):
    policy = dataset.reference.copy()
    if dataset.samples > 50:
        policy[0] = [1.0, 0.0, 0.0]
    return policy


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"samples": []}, TypeError, "samples: expected a sequence of integers, got []"),
        ({"samples": [0, 10]}, ValueError, "samples: 0 is not in [1, 100000000000000]"),
        ({"samples": [10, 10**15]}, ValueError, "samples: 1000000000000000 is not in [1, 100000000000000]"),
        ({"samples": [10, 10]}, ValueError, "samples: must increase strictly, got [10, 10]"),
        ({"samples": [1.5]}, TypeError, "samples: expected a sequence of integers, got [1.5]"),
        ({"algorithms": {}}, TypeError, "algorithms: expected a non-empty mapping of labels to constructors, got {}"),
        (
            {"algorithms": {"a": functools.partial(bl.contextual.kl_pcb, scale=-1.0)}},
            ValueError,
            "scale: -1 is not in [0, inf]",
        ),
        ({"algorithms": {"a": negative}}, ValueError, "policy[0, 0]: "),
        ({"problem": 3}, TypeError, "problem: expected an instance such as bl.contextual.hard_offline(...), got 3"),
    ],
)
def test_bad_input_to_an_offline_study_is_told_in_one_line_and_nothing_is_written(tmp_path, changes, error, message):
    wanted = {"problem": TABLE, "algorithms": FITS, "samples": [10], "store": tmp_path / "store"} | changes
    with pytest.raises(error) as raised:
        bl.run_offline(**wanted)
    assert str(raised.value).startswith(message) and "\n" not in str(raised.value)
    assert not (tmp_path / "store").exists()


def test_a_policy_of_infinite_divergence_is_an_error_that_reproduces():
    problem = bl.contextual.tabular([[0.3, 0.5, 0.7]], eta=5.0, regularizer="forward_kl")
    with pytest.raises(bl.SimulationError, match="suboptimality is inf at n = 100") as raised:
        bl.run_offline(problem, {"mine": infinite}, samples=[10, 100], replications=range(3, 4))
    assert raised.value.replication == 3 and "replications=range(3, 4), seed=0" in str(raised.value)
    with pytest.raises(ValueError, match=r"policy\[0, 0\]: nan is not allowed"):
        bl.run_offline(problem, {"mine": undefined}, samples=[10, 100], replications=1)


# --- a user's own algorithm, and its failures -----------------------------------------------------------------------


class Mine(NamedTuple):
    broken_at: float
    pulls: np.ndarray
    total: np.ndarray

    def index(self, a, t):
        if t == self.broken_at:
            return np.nan
        return self.total[a] / max(self.pulls[a], 1.0)

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r


def mine(problem, rounds, *, broken_at=-1.0):
    K = problem.mean.size
    return Mine(float(broken_at), np.zeros(K), np.zeros(K))


def test_a_users_algorithm_runs_beside_the_package_s():
    result = bl.run(PROBLEM, {**KL_UCB, "mine": mine}, rounds=2000, replications=4)
    assert set(result.frame()["algorithm"]) == {"KL-UCB", "mine"}
    assert np.isfinite(result.regret["mine"]).all() and (np.diff(result.regret["mine"]) >= 0.0).all()


def test_nan_in_round_ten_thousand_names_everything_and_keeps_finished_shards(tmp_path):
    class Late(NamedTuple):
        count: np.ndarray

        def policy(self, t, pi, rng):
            for a in range(pi.size):
                pi[a] = 1.0 / pi.size
            if t == 10_000 and self.count[0] == 33.0:
                pi[0] = np.nan

        def update(self, t, a, r):
            pass

    made = iter(range(10**6))
    with pytest.raises(simulate.SimulationError) as error:
        bl.run(
            PROBLEM,
            {"late": lambda problem, rounds: Late(np.array([float(next(made))]))},
            rounds=20_000,
            replications=48,
            seed=3,
            threads=1,
            store=tmp_path,
        )
    message = str(error.value)  # learner 0 is made by the check, so learner 33 plays replication 32
    assert "late" in message and "round 10000" in message and "replication 32" in message and "seed 3" in message
    assert "\n" not in message and "replications=range(32, 33)" in message
    assert len(list(tmp_path.rglob("*.shard"))) == 2


class NoUpdate(NamedTuple):
    pulls: np.ndarray

    def index(self, a, t):
        return 0.0


class Misnamed(NamedTuple):
    pulls: np.ndarray

    def index(self, arm, t):
        return 0.0

    def update(self, t, a, r):
        pass


BAD = [
    (dict(rounds=0), "rounds: 0 .*at least 1"),
    (dict(rounds=2.5), "rounds: expected an integer"),
    (dict(replications=0), "replications: 0 .*at least 1"),
    (dict(replications=range(3, 3)), "replications"),
    (dict(seed=-1), "seed: -1"),
    (dict(threads=0), "threads: 0"),
    (dict(checkpoints=[5, 3]), r"checkpoints: must increase strictly, got \[5, 3\]"),
    (dict(checkpoints=[5, 11]), r"checkpoints: 11 is not in \[1, rounds = 10\]"),
    (dict(checkpoints=[0, 5]), r"checkpoints: 0 is not in"),
    (dict(checkpoints=[1, float("inf")]), "checkpoints: expected a sequence of integers"),
    (dict(checkpoints=[[1], [2, 3]]), "checkpoints: expected a sequence of integers"),
    (dict(rounds=2**64), "rounds: 18446744073709551616 .*at most"),
    (dict(seed=2**64), "seed: 18446744073709551616 .*at most"),
    (dict(algorithms={}), "algorithms: expected a non-empty mapping"),
    (dict(algorithms={"a": 3}), r"algorithms\['a'\]: expected a callable"),
    (dict(algorithms={"a": lambda p, n: NoUpdate(np.zeros(5))}), r"NoUpdate has no verb `update\(t, a, r\)`"),
    (
        dict(algorithms={"a": lambda p, n: Misnamed(np.zeros(5))}),
        r"`index\(arm, t\)` must be `index\(a, t\)`",
    ),
    (dict(algorithms={"a": lambda p, n: 3}), "expected a typing.NamedTuple"),
    (dict(problem=3), "problem: expected an instance"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input_is_one_line_and_writes_nothing(tmp_path, change, message):
    arguments = {"problem": PROBLEM, "algorithms": KL_UCB, "rounds": 10, "replications": 2, **change}
    with pytest.raises((ValueError, TypeError), match=message) as error:
        bl.run(arguments.pop("problem"), arguments.pop("algorithms"), **arguments, store=tmp_path / "store")
    assert "\n" not in str(error.value) and not (tmp_path / "store").exists()


def test_an_unwritable_store_is_refused_before_simulating(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"store: .* cannot be written"):
        bl.run(PROBLEM, KL_UCB, rounds=10, store=tmp_path / "file" / "store")


# --- sweeps -------------------------------------------------------------------------------------------------------


def two_arms(eta, gap=0.2):
    return bl.bandits.bandit([0.5, 0.5 + gap], eta=eta)


def test_a_sweep_is_its_runs():
    grid = bl.sweep(two_arms, KL_UCB, over={"eta": [1.0, 8.0], "rounds": [64, 128]}, replications=3, seed=5)
    assert list(grid.frame().columns) == [
        "rounds",
        "eta",
        "algorithm",
        "replication",
        "regret",
        "pseudo_regret",
    ]
    for eta in (1.0, 8.0):
        for rounds in (64, 128):
            cell = grid.table.query("eta == @eta and rounds == @rounds")
            alone = bl.run(two_arms(eta), KL_UCB, rounds=rounds, replications=3, seed=5)
            assert cell["regret"].tolist() == alone.regret["KL-UCB"][:, -1].tolist()


@pytest.mark.parametrize(
    ("over", "rounds", "message"),
    [
        ({}, 10, "over: needs at least one axis"),
        ({"eta": 3}, 10, r"over.eta: expected a list of values"),
        ({"eta": "13"}, 10, r"over.eta: expected a list of values"),
        ({"eta": []}, 10, r"over.eta: expected a list of values"),
        ({"eta": [1.0]}, None, "rounds: give it either"),
        ({"eta": [1.0], "rounds": [5]}, 10, "rounds: give it either"),
        ({"beta": [1.0]}, 10, "axis: 'beta' is unknown"),
        ({"eta": [1.0, -1.0]}, 10, "eta: -1 is not in"),
    ],
)
def test_bad_sweeps_are_one_line(over, rounds, message):
    with pytest.raises((ValueError, TypeError), match=message):
        bl.sweep(two_arms, KL_UCB, over=over, rounds=rounds, replications=1)


def test_a_bar_with_rate_and_time_left_appears_on_a_terminal_only(monkeypatch, capsys):
    monkeypatch.setattr(simulate, "_PATIENCE", 0.0)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    bl.run(PROBLEM, KL_UCB, rounds=200, replications=2)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    bl.run(PROBLEM, KL_UCB, rounds=1 << 20, replications=8)
    shown = capsys.readouterr()
    assert shown.out == "" and "rounds/s" in shown.err and "%" in shown.err


def test_processors_is_what_this_process_may_use():
    assert 1 <= simulate.processors() <= (os.cpu_count() or 1)


@pytest.mark.parametrize("eta", [5.0, float("inf")])
@pytest.mark.parametrize("name", sorted(bl.bandits.ALGORITHMS))
def test_one_arm_has_no_regret(name, eta):
    problem = bl.bandits.bernoulli([0.4], eta=eta)
    result = bl.run(problem, {name: bl.bandits.ALGORITHMS[name]}, rounds=300, replications=2)
    np.testing.assert_array_equal(result.regret[name], 0.0)
    np.testing.assert_array_equal(result.channels[name]["pseudo_regret"], 0.0)
