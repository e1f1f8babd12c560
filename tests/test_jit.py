"""The compiled core: cache on disk, processes at once, edits of the package and of users' code, digests."""

import functools
import importlib
import os
import pkgutil
import re
import shutil
import sys
import textwrap
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numba import typeof

import banditlab
from banditlab import regression
from banditlab.bandits.kl_ucb import KLUCB, kl_ucb
from banditlab.bandits.problem import bandit
from banditlab.jit import digest, jit, localize

jit_module = importlib.import_module("banditlab.jit")

PLAY = """
import json
import numpy as np
from banditlab.bandits.kl_ucb import kl_ucb
from banditlab.bandits.problem import bandit
from banditlab.jit import statistics
def play(learner, eta=float("inf"), rounds=200):
    problem = bandit([0.9, 0.5, 0.1], eta=eta)
    status, t, channels = problem.play(
        learner(problem, rounds), np.array([1, rounds]), 0, 0, np.zeros(2, np.int64)
    )
    assert (status, t) == (0, rounds)
    return [x.hex() for x in channels["regret"].tolist()]
"""
RUN = PLAY + "print(json.dumps({'regret': play(kl_ucb), **statistics()}))"
TINY = """
import json
from banditlab import rng
from banditlab.jit import statistics
state = rng.stream(0, 0, 0)
draws = [float(rng.uniform(state)).hex(), float(rng.exponential(state)).hex()]
print(json.dumps({'draws': draws, **statistics()}))
"""


def kernels(cache):
    return sorted(p.relative_to(cache).as_posix() for p in Path(cache).rglob("*") if p.is_file())


def in_process(eta):
    problem = bandit([0.9, 0.5, 0.1], eta=eta)
    out = problem.play(kl_ucb(problem, 200), np.array([1, 200]), 0, 0, np.zeros(2, np.int64))
    return [x.hex() for x in out[2]["regret"].tolist()]


# The cache on disk


@pytest.fixture(scope="module")
def warm(start, finish_all, session_cache):
    """A cache filled by two processes at once, and what they gave."""
    return session_cache, finish_all([start(RUN, cache=session_cache), start(RUN, cache=session_cache)])


def test_two_processes_at_once_on_an_empty_cache_agree(warm):
    cache, ((first, err1), (second, err2)) = warm
    assert first["regret"] == second["regret"] == in_process(np.inf)
    assert first["compiled"] + first["loaded"] > 5 and first["compiled"] + second["compiled"] > 5
    assert "Warning" not in err1 + err2
    assert all(name.endswith(".kernel") for name in kernels(cache))  # no temporary file left


def test_a_second_process_compiles_nothing(warm, python):
    cache, ((first, _), _) = warm
    before = kernels(cache)
    again, _ = python(RUN, cache=cache)
    assert again["compiled"] == 0 and again["loaded"] >= 1
    assert again["regret"] == first["regret"]
    assert kernels(cache) == before


def test_damaged_cache_files_are_compiled_anew(warm, python, tmp_path):
    cache, ((first, _), _) = warm
    cache = Path(shutil.copytree(cache, tmp_path / "cache"))

    damage = {
        "play_greedy": lambda data: data[: len(data) // 2],
        "draw_reward": lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        "uniform": lambda data: b"",
    }
    damaged = 0
    for kernel, change in damage.items():
        for path in cache.rglob(f"{kernel}-*.kernel"):
            path.write_bytes(change(path.read_bytes()))
            damaged += 1
    again, err = python(RUN, cache=cache)
    assert again["regret"] == first["regret"] and not err
    assert again["compiled"] == damaged >= 3 and again["loaded"] >= 1
    repaired, _ = python(RUN, cache=cache)
    assert repaired["compiled"] == 0 and repaired["regret"] == first["regret"]


def test_a_cache_that_cannot_be_written_costs_one_warning(warm, python, tmp_path):
    (tmp_path / "file").write_text("")
    cache = tmp_path / "file" / "cache"
    good, _ = python(TINY, cache=warm[0])
    poor, err = python(TINY, cache=cache)
    assert poor["draws"] == good["draws"]
    assert poor["compiled"] == 4 and poor["loaded"] == 0  # two that are called from here, and what each calls
    assert err.count("Warning") == 1 and str(cache) in err and "BANDITLAB_CACHE" in err


def test_every_compiled_function_has_its_own_name():
    # Files of the cache are named by it.
    kernels = {}
    for info in pkgutil.walk_packages(banditlab.__path__, "banditlab."):
        for value in vars(importlib.import_module(info.name)).values():
            if hasattr(value, "py_func"):
                function = value.py_func
                kernels.setdefault(f"{function.__module__}.{function.__qualname__}", set()).add(value)
    assert len(kernels) > 30
    assert not [name for name, values in kernels.items() if len(values) > 1 or "<locals>" in name]


@pytest.fixture
def cache_root(monkeypatch, tmp_path):
    monkeypatch.setenv("BANDITLAB_CACHE", str(tmp_path / "root"))
    return tmp_path / "root"


def test_only_the_newest_cache_folders_are_kept(cache_root):
    other = cache_root / "of-another-program"
    other.mkdir(parents=True)
    old = []
    for age in range(6):
        folder = cache_root / f"{age:016x}-py311-numba0.61.0"
        folder.mkdir()
        (folder / "uniform-0.kernel").write_text("")
        os.utime(folder, (1e9 - age, 1e9 - age))
        old.append(folder)
    current = jit_module.cache_folder.__wrapped__()
    assert current.parent == cache_root and current.is_dir()
    assert set(cache_root.iterdir()) == {current, other, *old[: jit_module.KEPT_FOLDERS - 1]}
    assert jit_module.cache_folder.__wrapped__() == current
    assert set(cache_root.iterdir()) == {current, other, *old[: jit_module.KEPT_FOLDERS - 1]}


def no_home(monkeypatch):
    """As for a user without an entry in the password file, in a container."""
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


def test_the_cache_needs_no_home_folder_where_its_place_is_given(cache_root, monkeypatch):
    no_home(monkeypatch)
    assert jit_module.cache_folder.__wrapped__().parent == cache_root


def test_without_any_home_folder_the_cache_is_done_without(monkeypatch):
    no_home(monkeypatch)
    monkeypatch.delenv("BANDITLAB_CACHE", raising=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert jit_module.cache_folder.__wrapped__() is None
    assert len(caught) == 1 and "BANDITLAB_CACHE" in str(caught[0].message)


def test_an_edit_while_a_process_runs_leaves_no_stale_kernel_behind(package_root, python, tmp_path):
    copy = tmp_path / "banditlab"
    shutil.copytree(package_root / "banditlab", copy, ignore=shutil.ignore_patterns("__pycache__"))
    start, run = TINY.split("state =")
    run = "state =" + run.replace(", **statistics()", "")
    edit = textwrap.dedent(f"""
        from pathlib import Path
        path = Path({str(copy / "rng.py")!r})
        text = path.read_text()
        changed = text.replace("return -math.log(1.0", "return 1.0 - math.log(1.0", 1)
        assert changed != text
        path.write_text(changed)
    """)
    old, _ = python(f"{start}\n{edit}\n{run}", cache=tmp_path / "cache", path=[tmp_path])  # edited after the import
    new, _ = python(f"{start}\n{run}", cache=tmp_path / "cache", path=[tmp_path])
    right, _ = python(f"{start}\n{run}", cache=tmp_path / "fresh", path=[tmp_path])
    assert new == right != old


def test_an_edit_of_the_package_changes_the_next_runs_number(package_root, python, session_cache, tmp_path):
    copy = tmp_path / "banditlab"
    shutil.copytree(package_root / "banditlab", copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "bandits" / "probe.py").write_text(
        textwrap.dedent("""
        from typing import NamedTuple
        import numpy as np
        from banditlab.probe_bonus import bonus

        class Probe(NamedTuple):
            pulls: np.ndarray

            def index(self, a, t):
                return bonus(a)

            def update(self, t, a, r):
                self.pulls[a] += 1.0

        def probe(problem, rounds):
            return Probe(np.zeros(problem.mean.size))
        """)
    )
    # The bonus is in another file than the verb, and the verb in another than the loop.
    bonus = "from banditlab.jit import jit\n\n\n@jit\ndef bonus(a):\n    return 1.0 if a == {} else 0.0\n"
    run = PLAY + "from banditlab.bandits.probe import probe\n"
    run += "print(json.dumps({'regret': play(probe), **statistics()}))"

    def regret():
        result, _ = python(run, cache=session_cache, path=[tmp_path])
        return float.fromhex(result["regret"][0]), result["compiled"]

    (copy / "probe_bonus.py").write_text(bonus.format(2))
    cost, compiled = regret()
    assert cost == pytest.approx(0.8) and compiled > 0
    (copy / "probe_bonus.py").write_text(bonus.format(1))
    cost, compiled = regret()
    assert cost == pytest.approx(0.4) and compiled > 0
    (copy / "rates.py").write_text((copy / "rates.py").read_text() + "\n# presentation\n")
    assert regret() == (cost, 0)


# Functions apart, and NamedTuples as pointers

REFRESHED = """
import json
import numpy as np
from banditlab.jit import statistics
from banditlab.regression import REFRESH, observe, ridge
state = ridge(2, 1.0)
for t in range(REFRESH + 5):  # the matrices are factorised once, by a function apart
    observe(state, np.array([1.0, 0.1 * (t % 7)]), 0.3)
assert state.since[0] == 5.0
print(json.dumps({'bits': [x.hex() for x in [*state.inverse.flat, *state.estimate]], **statistics()}))
"""


@pytest.fixture(scope="module")
def refreshed(start, finish_all, tmp_path_factory):
    """A cache filled by two processes at once with a kernel that calls a function apart, and what they gave."""
    cache = tmp_path_factory.mktemp("apart")
    return cache, finish_all([start(REFRESHED, cache=cache), start(REFRESHED, cache=cache)])


def test_a_cached_kernel_finds_the_function_apart_in_a_new_process(refreshed, python):
    cache, ((first, _), (second, _)) = refreshed
    again, err = python(REFRESHED, cache=cache)
    assert again["compiled"] == 0 and again["loaded"] == 2 and not err  # the kernel and the function
    uncompiled, _ = python(REFRESHED, cache=cache, NUMBA_DISABLE_JIT=1)
    assert first["bits"] == second["bits"] == again["bits"] == uncompiled["bits"]


@pytest.mark.parametrize("change", ["pruned", "damaged"])
def test_a_cached_kernel_does_without_the_file_of_the_function_apart(change, refreshed, python, tmp_path):
    cache, ((first, _), _) = refreshed
    cache = Path(shutil.copytree(cache, tmp_path / "cache"))
    (file,) = cache.rglob("_factorise-*.kernel")
    file.unlink() if change == "pruned" else file.write_bytes(file.read_bytes()[:-1])
    again, err = python(REFRESHED, cache=cache)
    assert again["bits"] == first["bits"] and not err
    assert file.exists() and again["compiled"] == 1
    repaired, _ = python(REFRESHED, cache=cache)
    assert repaired["compiled"] == 0 and repaired["bits"] == first["bits"]


PLANNED = """
import json
import numpy as np
from banditlab import mdps
from banditlab.jit import statistics
problem = mdps.random_tabular(3, 2, 3, seed=1, eta=5.0)
status, k, channels = problem.play(mdps.ucbvi(problem, 20), np.array([1, 20]), 0, 0, np.zeros(2, np.int64))
print(json.dumps({'bits': [x.hex() for x in channels["regret"].tolist()], **statistics()}))
"""


def test_a_cached_loop_finds_the_plan_that_it_calls_by_address(session_cache, python):
    first, _ = python(PLANNED, cache=session_cache)
    again, _ = python(PLANNED, cache=session_cache)
    assert first["compiled"] > 0 and again["compiled"] == 0
    for file in session_cache.rglob("plan-*.kernel"):
        file.unlink()
    repaired, _ = python(PLANNED, cache=session_cache)
    assert repaired["compiled"] == 1
    assert first["bits"] == again["bits"] == repaired["bits"]


def test_a_function_apart_needs_no_cache(refreshed, python, tmp_path):
    (tmp_path / "file").write_text("")
    alone, err = python(REFRESHED, cache=tmp_path / "file" / "cache")
    assert alone["bits"] == refreshed[1][0][0]["bits"] and alone["loaded"] == 0 and err.count("Warning") == 1


class OwnRidge(NamedTuple):
    """As `regression.Ridge`, but a user's."""

    precision: np.ndarray
    moment: np.ndarray
    inverse: np.ndarray
    estimate: np.ndarray
    direction: np.ndarray
    factor: np.ndarray
    since: np.ndarray


def calling(function):
    """A compiled function that calls another, and the text of its code for a type of argument."""

    def caller(state):
        function(state)

    compiled = jit(caller)

    def code(state):
        compiled(state)
        (signature,) = (s for s in compiled.signatures if s == (typeof(state),))
        return compiled.inspect_llvm(signature)

    return code


def some_ridge():
    state = regression.ridge(3, 1.0)
    state.precision[0] += np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.3], [0.1, 0.3, 4.0]])
    state.moment[0] = 1.0, -0.5, 0.25
    return state


def test_a_function_apart_is_called_by_its_symbol():
    code = calling(regression._factorise)(some_ridge())
    assert re.search(r"declare .*@apart\.banditlab\.regression\._factorise\.", code)
    assert "sqrt" not in code  # its body is elsewhere
    control = calling(jit(regression._factorise.py_func))(some_ridge())
    assert "@apart." not in control and "sqrt" in control


def test_a_function_apart_takes_users_classes_too():
    one, other = some_ridge(), OwnRidge(*some_ridge())
    call = calling(regression._factorise)
    symbols = [set(re.findall(r"@(apart\.[\w.]+)", call(state))) for state in (one, other)]
    assert len(symbols[0]) == len(symbols[1]) == 1 and symbols[0] != symbols[1]  # two overloads, two symbols
    np.testing.assert_array_equal(one.inverse, other.inverse)
    np.testing.assert_allclose(one.inverse @ one.precision[0], np.eye(3), rtol=0.0, atol=1e-14)


def test_threads_may_meet_a_function_apart_at_once():
    Own = NamedTuple("Own", OwnRidge.__annotations__.items())  # a type that nothing has met

    def inverse(_):
        state = Own(*some_ridge())
        calling(regression._factorise)(state)
        return state.inverse

    with ThreadPoolExecutor(4) as pool:
        first, *rest = pool.map(inverse, range(4))
    for other in rest:
        np.testing.assert_array_equal(first, other)


class Inner(NamedTuple):
    """Fields whose sizes differ, at either end."""

    on: bool
    x: np.ndarray
    off: bool


class Switches(NamedTuple):
    """A block of single bytes."""

    left: bool
    right: bool


class Outer(NamedTuple):
    """What `jit_loop` takes: every kind of field, and nested ones where bytes need padding."""

    first: bool
    inner: Inner
    switches: Switches
    scale: float
    count: int
    table: np.ndarray
    last: bool


def test_a_packed_tuple_is_read_as_it_was_written():
    def read(packed, out):
        t = jit_module._unpack(packed)
        out[0] = t.first
        out[1] = t.inner.on
        out[2] = t.inner.off
        out[3] = t.switches.left
        out[4] = t.switches.right
        out[5] = t.scale
        out[6] = t.count
        out[7] = t.last
        out[8] = t.table[1, 2]
        out[9] = t.table.shape[0] * 10 + t.table.shape[1]
        for i in range(t.inner.x.size):
            out[10 + i] = t.inner.x[i]
            t.inner.x[i] = -1.0

    compiled = jit(read)
    table = np.arange(8.0).reshape(2, 4)
    for bits in range(64):
        a, b, c, d, e, f = (bits >> i & 1 == 1 for i in range(6))
        x = np.array([0.5, 0.25])
        value = Outer(a, Inner(b, x, c), Switches(d, e), 0.1, -7, table, f)
        packed = jit_module._pack(value)
        assert jit_module.DISABLED or packed is not value
        out = np.zeros(12)
        compiled(packed, out)
        assert out.tolist() == [a, b, c, d, e, 0.1, -7.0, f, 6.0, 24.0, 0.5, 0.25]
        assert x.tolist() == [-1.0, -1.0]  # the array itself, not a copy


def test_a_tuple_of_unusual_fields_is_not_packed():
    class Odd(NamedTuple):
        x: object

    for field in (np.int32(1), "text", None, 1j, {}):
        value = Odd(field)
        assert jit_module._pack(value) is value


# Users' classes

RULE = """
from typing import NamedTuple
import numpy as np
from banditlab.jit import jit

class Rule(NamedTuple):
    pulls: np.ndarray

    def index(self, a, t):
        return 1.0 if a == {favourite} else 0.0

    def update(self, t, a, r):
        self.pulls[a] += 1.0
"""


def notebook(name="__main__"):
    """A namespace in which cells are executed."""
    return {"__name__": name, "np": np, "jit": jit, "NamedTuple": NamedTuple}


def pulled(namespace):
    """The arm that the namespace's deterministic `Rule` prefers, as the compiled loop plays it."""
    problem = bandit([0.9, 0.5, 0.1], eta=np.inf)
    learner = namespace["Rule"](np.zeros(3))
    status, t, channels = problem.play(learner, np.array([20]), 0, 0, np.zeros(2, np.int64))
    assert (status, t) == (0, 20)
    (arm,) = np.flatnonzero(learner.pulls)
    assert learner.pulls[arm] == 20.0 and channels["regret"][0] == pytest.approx(20 * problem.gap[arm])
    return arm


def test_a_redefined_cell_runs_its_new_code():
    cells = notebook()
    for favourite in (1, 2, 1):
        exec(RULE.format(favourite=favourite), cells)
        assert pulled(cells) == favourite


def test_one_class_name_in_two_modules_is_two_rules():
    first, second = notebook("first_module"), notebook("second_module")
    exec(RULE.format(favourite=1), first)
    exec(RULE.format(favourite=2), second)
    assert [pulled(first), pulled(second), pulled(first)] == [1, 2, 1]


def test_threads_may_meet_a_new_class_at_once():
    cells = notebook()
    exec(RULE.format(favourite=2), cells)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: pulled(cells), range(8))) == [2] * 8


HELPED = """
@jit
def bonus(a):
    return 1.0 if a == {favourite} else 0.0
"""


def test_a_redefined_helper_is_used_by_a_class_that_was_not():
    cells = notebook()
    exec(HELPED.format(favourite=1), cells)
    exec(RULE.replace("1.0 if a == {favourite} else 0.0", "bonus(a)"), cells)
    assert pulled(cells) == 1
    exec(HELPED.format(favourite=2), cells)
    assert pulled(cells) == 2


def test_a_changed_global_is_seen_by_a_verb():
    cells = notebook()
    exec("FAVOURITE = 1\nTABLE = np.array([0.0, 0.5, 0.6])", cells)
    exec(RULE.replace("1.0 if a == {favourite} else 0.0", "TABLE[a] + (a == FAVOURITE)"), cells)
    assert pulled(cells) == 1
    exec("FAVOURITE = 7", cells)
    assert pulled(cells) == 2
    exec("TABLE = np.array([0.8, 0.5, 0.6])", cells)
    assert pulled(cells) == 0


def test_a_changed_global_is_seen_by_a_helper_of_a_verb():
    cells = notebook()
    exec("FAVOURITE = 1", cells)
    exec(HELPED.format(favourite="FAVOURITE"), cells)
    exec(RULE.replace("1.0 if a == {favourite} else 0.0", "bonus(a)"), cells)
    assert pulled(cells) == 1
    exec("FAVOURITE = 2", cells)
    assert pulled(cells) == 2


def test_edited_and_deleted_user_files_break_nothing(warm, python, tmp_path):
    cache, _ = warm
    file = tmp_path / "rule.py"
    run = PLAY + "package = play(kl_ucb)\nbefore = statistics()\n"
    user = run + "from rule import Rule\narm = play(lambda problem, rounds: Rule(np.zeros(3)))\n"
    user += "print(json.dumps({'package': package, 'arm': arm, 'before': before, 'after': statistics()}))"
    package = run + "print(json.dumps({'package': package, 'before': before}))"
    file.write_text(RULE.format(favourite=1))
    first, _ = python(user, cache=cache, path=[tmp_path])
    on_disk = kernels(cache)
    assert float.fromhex(first["arm"][0]) == pytest.approx(0.4)
    file.write_text(RULE.format(favourite=2))
    second, _ = python(user, cache=cache, path=[tmp_path])
    assert float.fromhex(second["arm"][0]) == pytest.approx(0.8)
    assert second["before"]["compiled"] == 0 and second["after"]["compiled"] == 1  # the user's loop alone
    assert kernels(cache) == on_disk  # and it is not kept
    file.unlink()
    third, err = python(package, cache=cache)
    assert third["before"]["compiled"] == 0 and third["before"]["loaded"] >= 1 and not err
    assert first["package"] == second["package"] == third["package"] == in_process(np.inf)


def test_localize_renames_users_classes_only():
    cells = notebook("a_users_module")
    exec(RULE.format(favourite=1), cells)
    problem = bandit([0.5, 0.6], eta=1.0)
    learner = kl_ucb(problem, 10)
    assert type(localize(learner)) is KLUCB
    rule = cells["Rule"](np.zeros(3))
    local = localize(rule)
    assert type(local) is not type(rule) and isinstance(local, cells["Rule"])
    assert type(local).__name__.startswith("Rule_a_users_module_") and local.pulls is rule.pulls
    assert type(localize(rule)) is type(local)

    class Outer(NamedTuple):
        inner: NamedTuple
        scale: float

    nested = localize(Outer(rule, 1.0))
    assert type(nested.inner) is type(local) and nested.inner.pulls is rule.pulls


# Digests


def made(source, name="f", **namespace):
    namespace |= {"__name__": "a_users_module", "np": np, "jit": jit, "functools": functools}
    exec(textwrap.dedent(source), namespace)
    return namespace[name]


SAME = "def f(x, y=1.0, *, z=2.0):\n    return x + 3.0 * y + z\n"
DIFFERENT = {
    "bytecode": "def f(x, y=1.0, *, z=2.0):\n    return x - 3.0 * y + z\n",
    "a constant": "def f(x, y=1.0, *, z=2.0):\n    return x + 3.5 * y + z\n",
    "a default": "def f(x, y=1.5, *, z=2.0):\n    return x + 3.0 * y + z\n",
    "a keyword's default": "def f(x, y=1.0, *, z=2.5):\n    return x + 3.0 * y + z\n",
    "a sign of zero": "def f(x, y=1.0, *, z=-0.0):\n    return x + 3.0 * y + z\n",
    "its type": "def f(x, y=1, *, z=2.0):\n    return x + 3.0 * y + z\n",
}


@pytest.mark.parametrize("change", DIFFERENT)
def test_digest_of_a_function_is_sensitive_to(change):
    assert digest(made(SAME)) == digest(made("\n\n\n" + SAME))  # not to its place in the file
    assert digest(made(DIFFERENT[change])) != digest(made(SAME))


REACHED = {
    "a closure's value": "def g(c):\n    def f(x):\n        return c * x\n    return f\nf = g({})",
    "a closure's array": "def g(c):\n    def f(x):\n        return c[0] * x\n    return f\nf = g(np.array([{}, 2.0]))",
    "a global constant": "C = {}\ndef f(x):\n    return C * x",
    "a global array": "C = np.array([1.0, {}])\ndef f(x):\n    return C[0] * x",
    "a helper": "def g(x):\n    return {} * x\ndef f(x):\n    return g(x)",
    "a compiled helper": "@jit\ndef g(x):\n    return {} * x\ndef f(x):\n    return g(x)",
    "a helper's helper": "def h(x):\n    return {} * x\ndef g(x):\n    return h(x)\ndef f(x):\n    return g(x)",
    "a helper's default": "def g(x, y={}):\n    return x * y\ndef f(x):\n    return g(x)",
    "a global of a helper": "C = {}\ndef g(x):\n    return C * x\ndef f(x):\n    return g(x)",
    "a lambda inside": "def f(x):\n    return (lambda y: {} * y)(x)",
    "a partial's keyword": "def g(x, y):\n    return x * y\nf = functools.partial(g, y={})",
    "a partial's argument": "def g(x, y):\n    return x * y\nf = functools.partial(g, {})",
    "a partial's array": "def g(x, y):\n    return x * y\nf = functools.partial(g, y=np.array([{}]))",
    "a partial used": "def h(x, y):\n    return x * y\ng = functools.partial(h, {})\ndef f(x):\n    return g(x)",
    "a verb": "class f:\n    def index(self, a, t):\n        return {}",
    "a base's verb": "class g:\n    def index(self, a, t):\n        return {}\nclass f(g):\n    pass",
    "an object's state": "class g:\n    def __call__(self, x):\n        return x\nf = g()\nf.y = {}",
    "a method's object": (
        "class g:\n    def __init__(self, y):\n        self.y = y\n"
        "    def make(self, x):\n        return x * self.y\nf = g({}).make"
    ),
}


@pytest.mark.parametrize("what", REACHED)
def test_digest_reaches(what):
    source = REACHED[what]
    assert digest(made(source.format(1.0))) == digest(made(source.format(1.0)))
    assert digest(made(source.format(1.0))) != digest(made(source.format(1.5)))


def test_digest_tells_which_of_two_helpers_is_called_again():
    source = "def g(x):\n    return x\ndef h(x):\n    return -x\nk = {}\ndef f(x):\n    return g(x) + h(x) + k(x)"
    assert digest(made(source.format("g"))) != digest(made(source.format("h")))


def test_digest_does_not_depend_on_what_was_digested_before():
    functions = [made(source.format(1.0)) for source in REACHED.values()] + [made(SAME)]
    first = [digest(f) for f in functions]
    kept = []
    for _ in range(20):
        kept.append([object() for _ in range(7)])
        assert [digest(f) for f in functions] == first


def test_digest_is_for_values_too():
    problem = bandit([0.2, 0.4], eta=2.0)
    assert digest(problem) == digest(bandit([0.2, 0.4], eta=2.0))
    assert digest(problem) != digest(bandit([0.2, 0.4], eta=2.5))
    assert digest(problem) != digest(bandit([0.2, 0.4 + 1e-16], eta=2.0))
    assert digest(functools.partial(kl_ucb, scale=0.1)) != digest(functools.partial(kl_ucb, scale=0.2))
    assert digest(np.zeros(4)) != digest(np.zeros((2, 2)))
    assert digest(np.zeros(2)) != digest(np.zeros(2, dtype=np.int64))
    assert digest([1.0, [2.0]]) != digest([[1.0], 2.0])
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1, "b": 2}) != digest({"a": 2, "b": 1})
    assert digest(True) != digest(1) and digest(1) != digest(1.0)


IMPORTS = ["import helpers\ndef f(x):\n    return helpers.bonus(x)", "from helpers import bonus as f"]
IMPORTS += ["import toolbox.helpers\ndef f(x):\n    return toolbox.helpers.bonus(x)"]


@pytest.mark.parametrize("source", IMPORTS)
def test_digest_reaches_functions_of_a_users_module(source, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "toolbox").mkdir()
    (tmp_path / "toolbox" / "__init__.py").write_text("")

    def digest_with(constant):
        for name in ("helpers", "toolbox", "toolbox.helpers"):
            sys.modules.pop(name, None)
        for file in (tmp_path / "helpers.py", tmp_path / "toolbox" / "helpers.py"):
            file.write_text(f"def bonus(x):\n    return {constant} * x\n# {'.' * int(10 * constant)}\n")
        importlib.invalidate_caches()
        return digest(made(source))

    assert digest_with(1.0) == digest_with(1.0)
    assert digest_with(1.0) != digest_with(1.5)


def digests():
    """Digests of values whose hashes or ids differ between processes."""
    sources = [*(source.format(1.0) for source in REACHED.values()), *DIFFERENT.values()]
    texts = {"kl", "ucb", "moss", "imed"}
    problem = bandit([0.2, 0.4], eta=2.0)
    values = [texts, dict.fromkeys(texts, 1), frozenset(texts), problem, kl_ucb, functools.partial(kl_ucb, scale=0.1)]
    member = "def f(x):\n    return x in {'kl', 'ucb', 'moss', 'imed'}"
    return [digest(v) for v in values] + [digest(made(source)) for source in (*sources, member)]


def test_digests_are_those_of_another_process(python):
    code = "import json, test_jit; print(json.dumps(test_jit.digests()))"
    assert python(code, PYTHONHASHSEED=1)[0] == python(code, PYTHONHASHSEED=2)[0] == digests()
