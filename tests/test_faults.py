"""Faults: full disks, read-only folders, damaged files, two sweeps at once, clocks that go backwards.

After each the finished study has the bytes of an undisturbed one. Deaths of workers, of the client and of the
scheduler are in test_cluster.py, kill -9 and Ctrl-C of threads in test_simulate.py.
"""

import contextlib
import errno
import functools
import os
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import banditlab as bl
from banditlab import cli, store

PROBLEM = bl.bandits.bandit([0.3, 0.45, 0.7], eta=5.0)
RULES = {"KL-UCB": bl.bandits.kl_ucb, "greedy": bl.bandits.kl_greedy}
STUDY = {"rounds": 2000, "replications": 64}


def contents(folder):
    """Bytes of every shard below a folder, by name."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(Path(folder).rglob("*.shard"))}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The undisturbed study: its result, and the bytes of its store and table."""
    folder = tmp_path_factory.mktemp("whole")
    result = bl.run(PROBLEM, RULES, **STUDY, store=folder / "store")
    result.save(folder / "result")
    return result, contents(folder / "store"), (folder / "result" / "table.parquet").read_bytes()


def finish(folder, whole, tmp_path):
    """Run the study over what is left, and compare."""
    result = bl.run(PROBLEM, RULES, **STUDY, store=folder)
    result.save(tmp_path / "result")
    assert contents(folder) == whole[1]
    assert (tmp_path / "result" / "table.parquet").read_bytes() == whole[2]


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of that many bytes at `folder`, or None where mounting is not allowed."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True
    ).returncode
    try:
        yield folder if mounted == 0 else None
    finally:
        if mounted == 0:
            subprocess.run(["umount", str(folder)], check=True)


def failing_writes(monkeypatch, code, after):
    """Every synced write after the first few fails, as on a full or read-only disk."""
    left, original = [after], os.fsync

    def fsync(descriptor):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(code, os.strerror(code))
        original(descriptor)

    monkeypatch.setattr(store.os, "fsync", fsync)


def test_a_full_disk_stops_the_study_and_loses_nothing(whole, tmp_path):
    with small_disk(tmp_path / "disk", "40k") as disk:
        if disk is None:
            pytest.skip("mounting a file system is not allowed here; the next test fails the writes instead")
        with pytest.raises(OSError) as error:
            bl.run(PROBLEM, RULES, **{**STUDY, "replications": 2000}, store=disk / "store")
        assert "cannot be written (No space left on device); finished shards are kept" in str(error.value)
        kept = contents(disk / "store")
        assert kept and all(bytes_ == whole[1].get(name, bytes_) for name, bytes_ in kept.items())
        assert not store.Store(disk / "store").temporaries()
        subprocess.run(["mount", "-o", "remount,size=10m", str(disk)], check=True)
        result = bl.run(PROBLEM, RULES, **{**STUDY, "replications": 2000}, store=disk / "store")
        assert result.regret["KL-UCB"][:64].tobytes() == whole[0].regret["KL-UCB"].tobytes()
        again = contents(disk / "store")
        assert all(again[name] == data for name, data in kept.items()) and len(again) > len(kept)


@pytest.mark.parametrize("after", [1, 4, 9])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_writes_that_begin_to_fail_stop_the_study_and_lose_nothing(whole, tmp_path, monkeypatch, code, after):
    with monkeypatch.context() as broken:
        failing_writes(broken, code, after)
        with pytest.raises(OSError) as error:
            bl.run(PROBLEM, RULES, **STUDY, store=tmp_path / "store")
        assert os.strerror(code) in str(error.value) and "\n" not in str(error.value)
        assert not store.Store(tmp_path / "store").temporaries()
    kept = contents(tmp_path / "store")
    assert all(whole[1][name] == data for name, data in kept.items()) and len(kept) < len(whole[1])
    finish(tmp_path / "store", whole, tmp_path)


def test_a_store_that_becomes_read_only_is_told_and_read(whole, tmp_path):
    with small_disk(tmp_path / "disk", "10m") as disk:
        if disk is None:
            pytest.skip("mounting a file system is not allowed here; the test before fails the writes instead")
        half = {**STUDY, "replications": 32}
        bl.run(PROBLEM, RULES, **half, store=disk / "store")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(OSError, match=r"store: .* cannot be written \(Read-only file system\)"):
            bl.run(PROBLEM, RULES, **STUDY, store=disk / "store")
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        finish(disk / "store", whole, tmp_path)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.filterwarnings("ignore:stored shard is damaged")
def test_files_truncated_flipped_and_exchanged_at_random_are_computed_again(whole, tmp_path, seed):
    bl.run(PROBLEM, RULES, **STUDY, store=tmp_path / "store")
    draw, files = random.Random(seed), sorted((tmp_path / "store").rglob("*.shard"))
    harmed = draw.sample(files, 4)
    for path, how in zip(harmed, ("cut", "flip", "exchange", "empty"), strict=True):
        data = bytearray(path.read_bytes())
        if how == "cut":
            data = data[: draw.randrange(len(data))]
        elif how == "flip":
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        elif how == "exchange":
            data = bytearray(draw.choice([p for p in files if p != path]).read_bytes())
        else:
            data = bytearray()
        path.write_bytes(data)
    assert cli.main(["store", "verify", f"store={tmp_path / 'store'}"]) == 1
    finish(tmp_path / "store", whole, tmp_path)
    assert cli.main(["store", "verify", f"store={tmp_path / 'store'}"]) == 1  # those set aside are still there
    assert cli.main(["store", "prune", f"store={tmp_path / 'store'}"]) == 0
    assert cli.main(["store", "verify", f"store={tmp_path / 'store'}"]) == 0
    assert contents(tmp_path / "store") == whole[1]


SWEEP = """
    import sys
    import banditlab as bl
    problem = bl.bandits.bandit([0.3, 0.45, 0.7], eta=5.0)
    rules = {"KL-UCB": bl.bandits.kl_ucb, "greedy": bl.bandits.kl_greedy}
    print("ready", flush=True)
    sys.stdin.readline()
    bl.run(problem, rules, rounds=2000, replications=64, store=sys.argv[1]).save(sys.argv[2])
"""


def begin(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_sweeps_at_once_on_one_store_harm_nothing(whole, tmp_path):
    for trial in range(3):
        folder = tmp_path / f"store-{trial}"
        pair = [begin(SWEEP, folder, tmp_path / f"result-{trial}-{i}") for i in range(2)]
        for process in pair:
            assert process.stdout.readline() == "ready\n"
        for process in pair:
            process.stdin.write("\n")
            process.stdin.flush()
        assert [process.wait(120) for process in pair] == [0, 0]
        assert contents(folder) == whole[1] and not store.Store(folder).temporaries()
        for i in range(2):
            assert (tmp_path / f"result-{trial}-{i}" / "table.parquet").read_bytes() == whole[2]


def test_a_clock_that_goes_backwards_changes_nothing(whole, tmp_path, monkeypatch):
    now = [2e9]

    def backwards():
        now[0] -= 1000.0
        return now[0]

    monkeypatch.setattr(time, "time", backwards)
    monkeypatch.setattr(time, "monotonic", backwards)
    monkeypatch.setattr(time, "perf_counter", backwards)
    bl.run(PROBLEM, RULES, **{**STUDY, "replications": 32}, store=tmp_path / "store")
    for i, path in enumerate(sorted((tmp_path / "store").rglob("*.shard"))):
        os.utime(path, (4e9 + i, 4e9 - i))  # written in the future
    finish(tmp_path / "store", whole, tmp_path)


def test_what_an_interrupted_writer_left_is_neither_read_nor_spared_for_ever(whole, tmp_path):
    folder = tmp_path / "store"
    bl.run(PROBLEM, RULES, **STUDY, store=folder)
    shard = next(folder.rglob("*.shard"))
    young, old = (shard.with_name(f".{shard.name}.{name}") for name in ("young", "old"))
    for path in (young, old):
        path.write_bytes(shard.read_bytes()[:100])
    os.utime(old, (1e9, 1e9))
    finish(folder, whole, tmp_path)
    store.Store(folder).prune()
    assert young.exists() and not old.exists() and contents(folder) == whole[1]


def test_prune_removes_on_request_what_other_sources_computed(whole, tmp_path, capsys):
    folder = tmp_path / "store"
    bl.run(PROBLEM, RULES, **STUDY, store=folder)
    other = store.Store(folder)
    path = other.write({"sources": "older", "rounds": 8, "seed": 0}, 0, 1, {"regret": whole[0].regret["greedy"][:1]})
    assert cli.main(["store", "prune", f"store={folder}"]) == 0 and path.exists()
    assert cli.main(["store", "prune", "--other-versions", "--dry-run", f"store={folder}"]) == 0 and path.exists()
    assert "would remove 1 file" in capsys.readouterr().out
    assert cli.main(["store", "prune", "--other-versions", f"store={folder}"]) == 0 and not path.exists()
    assert contents(folder) == whole[1]


def test_list_says_what_each_cell_is_and_how_far_it_came(whole, tmp_path, capsys):
    rules = {"a": functools.partial(bl.bandits.kl_ucb, scale=0.7)}
    bl.run(PROBLEM, rules, rounds=500, replications=5, seed=3, store=tmp_path / "store")
    assert cli.main(["store", f"store={tmp_path / 'store'}"]) == 0
    out = capsys.readouterr().out
    assert f"banditlab.bandits.kl_ucb.kl_ucb(scale=0.7) on {PROBLEM.summary}" in out
    assert "500 rounds, seed 3: 5 replications in 2 shards" in out and "2 sound shards" in out


@pytest.mark.parametrize(
    "words, message",
    [
        (["store", "lst"], "store: 'lst' is unknown; did you mean list?"),
        (["store", "--dry-run"], "option: --dry-run belongs to `banditlab store prune`"),
        (["store", "stor=x"], "option: 'stor' is unknown; did you mean store?"),
        (["store", "store=nowhere/at/all"], "store: there is no folder nowhere/at/all"),
    ],
)
def test_bad_words_are_told_in_one_line(words, message, capsys):
    assert cli.main(words) == 2
    assert capsys.readouterr().err == f"banditlab: {message}\n"
