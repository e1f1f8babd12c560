"""Nanoseconds a round of the compiled rules beside a plain NumPy loop and plain C++ loops, all in one run.

The setting is the same for every implementation: Bernoulli arms with K means evenly spread on [0.1, 0.9], uniform
reference, the exact gap of the policy played added in every round; `kl_ucb`, with index
min(mean + sqrt(log T / (2 n)), 1), and `kl_thompson` at eta = 5, the others unregularized. `kl_lin_ucb` plays a pool
of contexts with linear rewards, and the gap added is that at the context drawn. Implementations take turns, each on
one thread, and are timed in CPU time; a ratio is that of their least times. README.md says how to read the tables.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np

import banditlab as bl

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ETA = 5.0
SEED = 2025

CONSTRUCTORS = {
    "kl_ucb": bl.bandits.kl_ucb,
    "kl_thompson": bl.bandits.kl_thompson,
    "ucb1": bl.bandits.ucb1,
    "thompson_beta": bl.bandits.thompson_beta,
    "kl_index_ucb": bl.bandits.kl_index_ucb,
}
LINEAR = {
    "kl_lin_ucb": bl.contextual.kl_lin_ucb,
    "kl_lin_greedy": bl.contextual.kl_lin_greedy,
    "kl_lin_thompson": bl.contextual.kl_lin_thompson,
}
POOL, LINEAR_ARMS, DIM = 512, 20, 20
DUELS = {"rucb": bl.dueling.rucb, "double_thompson": bl.dueling.double_thompson}
DUEL_ARMS = 10
REGULARIZED = {"kl_ucb", "kl_thompson"}
YARDSTICKS = {
    "kl_ucb": "klreg",
    "kl_ucb_incremental": "klreg_inc",
    "ucb1": "ucb1",
    "thompson_beta": "ts",
    "kl_index_ucb": "klucb",
    "kl_lin_ucb": "kl_shared",
    "rucb": "rucb",
    "double_thompson": "dts",
}
"""What the loops of ../shared/bench/loops.cpp are called there."""

TARGETS = [
    ("kl_ucb", 10, "kl_ucb", 0.7),
    ("kl_ucb", 10, "kl_ucb_incremental", 1.4),
    ("kl_ucb", 1000, "kl_ucb", 1 / 15),
    ("kl_ucb", 10_000, "kl_ucb", 1 / 100),
    ("ucb1", 10, "ucb1", 1.5),
    ("thompson_beta", 10, "thompson_beta", 1.3),
    ("kl_index_ucb", 10, "kl_index_ucb", 1 / 3),
    ("kl_lin_ucb", LINEAR_ARMS, "kl_lin_ucb", 0.7),
    ("rucb", DUEL_ARMS, "rucb", 1.3),
    ("double_thompson", DUEL_ARMS, "double_thompson", 1.0),
]
"""Rule, K, the C++ loop, and the largest ratio to it that is aimed at."""

MARGIN = 4.0  # standard errors within which two mean regrets agree
STEADY = 1.2  # how much a late round may cost over an early one
STEADY_EPISODES = 1.15  # the same for episodes
FLAT = 2.0  # MB by which peak memory may move with T


class Scale(NamedTuple):
    """Sizes of a run."""

    arms: tuple[int, ...]
    rounds: dict[int, int]  # by K
    turns: dict[int, int]  # by K
    growth_arms: tuple[int, ...]
    growth_rounds: int
    linear_rounds: int
    linear_turns: int
    late: tuple[int, int, int]  # early rounds end at the first; late ones lie between the others
    episodes: tuple[int, int]  # of a timed run, and before late ones
    agreement_rounds: int
    replications: int  # of the comparison of regrets
    memory_rounds: tuple[int, ...]


FULL = Scale(
    arms=(10, 100, 1000, 10_000),
    rounds={10: 100_000, 100: 50_000, 1000: 20_000, 10_000: 20_000},
    turns={10: 15, 100: 7, 1000: 3, 10_000: 1},
    growth_arms=(64, 256, 1024, 4096, 16_384),
    growth_rounds=100_000,
    linear_rounds=20_000,
    linear_turns=15,
    late=(1 << 12, 1 << 19, 1 << 20),
    episodes=(20_000, 100_000),
    agreement_rounds=2000,
    replications=400,
    memory_rounds=(10**5, 10**6, 10**7),
)
QUICK = Scale(
    arms=(10, 100),
    rounds={10: 2000, 100: 1000},
    turns={10: 2, 100: 2},
    growth_arms=(64, 256),
    growth_rounds=2000,
    linear_rounds=500,
    linear_turns=2,
    late=(1 << 8, 1 << 9, 1 << 10),
    episodes=(200, 400),
    agreement_rounds=500,
    replications=60,
    memory_rounds=(10**4, 10**5),
)


# ---------------------------------------------------------------------------------------------------------------
# The implementations: each returns CPU nanoseconds a round and the final exact regret, of one replication
# ---------------------------------------------------------------------------------------------------------------


@functools.cache
def instance(rule: str, arms: int) -> bl.bandits.Bandit:
    """The problem of the comparison for a rule."""
    eta = ETA if rule in REGULARIZED else math.inf
    return bl.bandits.bandit(np.linspace(0.1, 0.9, arms), eta=eta)


def compiled(rule: str, arms: int, rounds: int, replication: int) -> tuple[float, float]:
    """This package."""
    if rule in LINEAR:
        return played(rule, pool(arms), LINEAR[rule], linear_parameters(rule, rounds, arms), rounds, replication)
    if rule in DUELS:  # the yardstick's ladder: rewards evenly spread on [0, 4], average regret
        return played(rule, bl.dueling.bt_ladder(arms, top=4.0), DUELS[rule], {}, rounds, replication)
    parameters = {"scale": 1.0, "level": math.log(rounds)} if rule == "kl_ucb" else {}
    return played(rule, instance(rule, arms), CONSTRUCTORS[rule], parameters, rounds, replication)


def played(
    rule: str, problem: Any, constructor: Any, parameters: dict[str, float], rounds: int, replication: int
) -> tuple[float, float]:
    """CPU nanoseconds a round and the final regret of a fresh learner."""
    checkpoints = np.array([rounds])
    learner = constructor(problem, rounds, **parameters)
    start = time.thread_time()
    status, _, channels = problem.play(learner, checkpoints, SEED, replication, np.zeros(2, np.int64))
    spent = time.thread_time() - start
    if status != 0:
        raise RuntimeError(f"{rule}: {problem.failure(status)}")
    return spent / rounds * 1e9, float(channels["regret"][0])


@functools.cache
def pool(arms: int) -> bl.contextual.Contextual:
    """The contexts of the yardstick's `kl_shared`, number by number: unit features and parameter of d = `DIM`.

    The generator is seeded by the splitmix64 sequence of 1234, and normals are Marsaglia's polar pairs.
    """
    mask, seed, state = (1 << 64) - 1, 1234, []
    for _ in range(4):
        seed = (seed + 0x9E3779B97F4A7C15) & mask
        z = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        state.append(z ^ (z >> 31))
    stream = np.array(state, dtype=np.uint64)
    count = (POOL * arms + 1) * DIM
    normals: list[float] = []
    while len(normals) < count:
        a = 2.0 * bl.rng.uniform(stream) - 1.0
        b = 2.0 * bl.rng.uniform(stream) - 1.0
        q = a * a + b * b
        if 0.0 < q < 1.0:
            f = math.sqrt(-2.0 * math.log(q) / q)
            normals += [a * f, b * f]
    rows = np.array(normals[:count]).reshape(-1, DIM)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    features = rows[:-1].reshape(POOL, arms, DIM)
    return bl.contextual.linear(features, rows[-1], eta=ETA, spread=0.1, measure="realised")


def linear_parameters(rule: str, rounds: int, arms: int) -> dict[str, float]:
    """The bonus of the yardstick, half the norm of the features under the inverse of I + sum phi phi'."""
    if rule != "kl_lin_ucb":
        return {}
    problem = pool(arms)
    return {"scale": 0.5 / bl.confidence.ellipsoid(DIM, rounds, 1.0, 0.01, problem.sigma, problem.radius)}


def numpy_kl_ucb(mean: np.ndarray, rounds: int, rng: np.random.Generator) -> float:
    """KL-UCB with one array operation a step; the pulled arm's index is a scalar."""
    K = mean.size
    reference = np.full(K, 1.0 / K)
    value = math.log(reference @ np.exp(ETA * mean)) / ETA
    pulls, total, index = np.zeros(K), np.zeros(K), np.ones(K)
    half_level = 0.5 * math.log(rounds)
    regret = 0.0
    for u, v in rng.random((rounds, 2)).tolist():
        weight = reference * np.exp(ETA * index)
        cumulative = weight.cumsum()
        Z = cumulative[-1]
        regret += weight @ (index - mean) / Z - math.log(Z) / ETA + value
        a = min(cumulative.searchsorted(u * Z, side="right"), K - 1)
        pulls[a] += 1.0
        total[a] += v < mean[a]
        index[a] = min(total[a] / pulls[a] + math.sqrt(half_level / pulls[a]), 1.0)
    return float(regret)


def numpy_kl_thompson(mean: np.ndarray, rounds: int, rng: np.random.Generator) -> float:
    """Gibbs policy of a Gaussian draw."""
    K = mean.size
    reference = np.full(K, 1.0 / K)
    value = math.log(reference @ np.exp(ETA * mean)) / ETA
    pulls, total, average, width = np.zeros(K), np.zeros(K), np.ones(K), np.zeros(K)
    regret = 0.0
    for u, v in rng.random((rounds, 2)).tolist():
        index = average + width * rng.standard_normal(K)
        weight = reference * np.exp(ETA * index)
        cumulative = weight.cumsum()
        Z = cumulative[-1]
        regret += weight @ (index - mean) / Z - math.log(Z) / ETA + value
        a = min(cumulative.searchsorted(u * Z, side="right"), K - 1)
        pulls[a] += 1.0
        total[a] += v < mean[a]
        average[a] = total[a] / pulls[a]
        width[a] = 0.5 / math.sqrt(pulls[a])
    return float(regret)


def numpy_ucb1(mean: np.ndarray, rounds: int, rng: np.random.Generator) -> float:
    """UCB1."""
    K = mean.size
    gap = mean.max() - mean
    pulls, total, average, width = np.zeros(K), np.zeros(K), np.zeros(K), np.full(K, np.inf)
    regret = 0.0
    for t, v in enumerate(rng.random(rounds).tolist(), start=1):
        a = (average + math.sqrt(2.0 * math.log(max(t, 2))) * width).argmax()
        regret += gap[a]
        pulls[a] += 1.0
        total[a] += v < mean[a]
        average[a] = total[a] / pulls[a]
        width[a] = 1.0 / math.sqrt(pulls[a])
    return float(regret)


NUMPY = {"kl_ucb": numpy_kl_ucb, "kl_thompson": numpy_kl_thompson, "ucb1": numpy_ucb1}


def plain_numpy(rule: str, arms: int, rounds: int, replication: int) -> tuple[float, float]:
    """A NumPy loop, whose cost a round does not depend on the round."""
    mean = np.linspace(0.1, 0.9, arms)
    rng = np.random.default_rng([SEED, replication])
    start = time.thread_time()
    regret = NUMPY[rule](mean, rounds, rng)
    return (time.thread_time() - start) / rounds * 1e9, regret


def cpp(binary: Path, rule: str, arms: int, rounds: int, replications: int, seed: int) -> dict[str, Any]:
    """The project's own C++ loops: lists ``ns`` and ``regret``, an entry a replication."""
    command = [binary, rule, arms, rounds, replications, seed]
    return json.loads(subprocess.check_output(list(map(str, command)), text=True))


def yardstick(binary: Path, rule: str, arms: int, rounds: int, replications: int) -> dict[str, Any]:
    """The loops of ../shared/bench: ``ns_min``, mean ``regret`` and its standard error ``se``."""
    task: list[Any] = ["mab", YARDSTICKS[rule], "bern"]
    if rule in LINEAR:
        task = ["lin", YARDSTICKS[rule], DIM]
    elif rule in DUELS:
        task = ["duel", YARDSTICKS[rule]]
    command = [binary, *task, arms, rounds, replications]
    return json.loads(subprocess.check_output(list(map(str, command)), text=True))


def compiler() -> str | None:
    """The first C++ compiler on the path."""
    return next((found for name in ("c++", "g++", "clang++") if (found := shutil.which(name))), None)


def build(source: Path, binary: Path) -> Path | None:
    """Compile a source file with optimisation for this processor; None, and a message, where that fails."""
    command = compiler()
    if command is None or not source.exists():
        return None
    binary.parent.mkdir(parents=True, exist_ok=True)
    fresh = binary.with_name(f"{binary.name}-{os.getpid()}")  # the old one may be running
    arguments = [command, "-O3", "-march=native", "-std=c++17", "-o", str(fresh), str(source)]
    print("$", " ".join([*arguments[:5], str(binary), str(source)]))
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr.strip(), file=sys.stderr)
        return None
    os.replace(fresh, binary)
    return binary


# ---------------------------------------------------------------------------------------------------------------
# Times
# ---------------------------------------------------------------------------------------------------------------


class Cell(NamedTuple):
    """Times of one implementation of a rule at K arms."""

    rule: str
    arms: int
    rounds: int
    implementation: str
    ns: list[float]

    @property
    def least(self) -> float:
        return min(self.ns)

    @property
    def median(self) -> float:
        return float(np.median(self.ns))


def implementations(
    rule: str, arms: int, rounds: int, own: Path | None, shared: Path | None
) -> dict[str, tuple[int, Callable[[int], float]]]:
    """What is timed for a rule: for each implementation its rounds and a function from the turn to nanoseconds."""
    jobs: dict[str, tuple[int, Callable[[int], float]]] = {
        "banditlab": (rounds, lambda turn: compiled(rule, arms, rounds, turn)[0])
    }
    if rule in NUMPY:
        short = max(rounds // 50, 200)
        jobs["NumPy"] = (short, lambda turn: plain_numpy(rule, arms, short, turn)[0])
    for loop in [rule, "kl_ucb_incremental"] if rule == "kl_ucb" else [rule]:
        if own:
            jobs[f"C++ {loop}"] = (
                rounds,
                lambda turn, loop=loop: cpp(own, loop, arms, rounds, 1, turn)["ns"][0],
            )
        if shared and any((rule, arms, loop) == target[:3] for target in TARGETS):
            jobs[f"yardstick {loop}"] = (
                rounds,
                lambda turn, loop=loop: yardstick(shared, loop, arms, rounds, 1)["ns_min"],
            )
    return jobs


def measure(scale: Scale, own: Path | None, shared: Path | None) -> list[Cell]:
    """Time every implementation in turn."""
    cells = []
    for rule in CONSTRUCTORS:
        for arms in scale.arms if rule in NUMPY else scale.arms[:1]:
            jobs = implementations(rule, arms, scale.rounds[arms], own, shared)
            times: dict[str, list[float]] = {name: [] for name in jobs}
            turns = scale.turns[arms]
            if rule == "kl_index_ucb":  # bisection in C++ is slow, and the target wide
                turns = max(turns // 3, 1)
            for turn in range(turns):
                for name, (_, job) in jobs.items():
                    times[name].append(job(turn))
            cells += [Cell(rule, arms, jobs[name][0], name, ns) for name, ns in times.items()]
    return cells


def measure_beside(rule: str, arms: int, scale: Scale, shared: Path) -> list[Cell]:
    """Time a rule and the yardstick in turn."""
    rounds = scale.linear_rounds
    ours = Cell(rule, arms, rounds, "banditlab", [])
    theirs = Cell(rule, arms, rounds, f"yardstick {rule}", [])
    for turn in range(scale.linear_turns):
        ours.ns.append(compiled(rule, arms, rounds, turn)[0])
        theirs.ns.append(yardstick(shared, rule, arms, rounds, 1)["ns_min"])
    return [ours, theirs]


def steady(scale: Scale) -> list[dict[str, Any]]:
    """What a late round of each linear rule costs over an early one, in turn."""
    early, half, full = scale.late
    rows = []
    for rule in LINEAR:
        first, late = math.inf, math.inf
        for turn in range(3):
            first = min(first, *(compiled(rule, LINEAR_ARMS, early, 16 * turn + i)[0] for i in range(16)))
            spent = (
                compiled(rule, LINEAR_ARMS, full, turn)[0] * full - compiled(rule, LINEAR_ARMS, half, turn)[0] * half
            )
            late = min(late, spent / (full - half))
        print(f"{rule}: {first:.0f} ns a round up to {early}, {late:.0f} from {half} to {full}")
        rows.append(row(f"{rule}, a late round over an early one", late / first, STEADY))
    return rows


def episodes(scale: Scale) -> list[dict[str, Any]]:
    """CPU seconds of 2e4 episodes of `kl_lsvi_ucb`, S = 8, A = H = d = 4, and late episodes over early ones."""
    problem, (number, before) = bl.mdps.random_linear(seed=1, eta=2.0), scale.episodes
    seconds = functools.partial(spent_on, problem)
    rows = []
    for name, factor, target in (("planning every time", 1.0, 0.25), ("doubling", 2.0, 0.06)):
        make = functools.partial(bl.mdps.kl_lsvi_ucb, problem, number, growth=factor)
        seconds(make(), 2)
        spent = [seconds(make(), number, turn) for turn in range(5)]
        what = f"kl_lsvi_ucb, {number} episodes, {name}, s"
        rows.append(row(what, min(spent), target, median=float(np.median(spent))))
    old = bl.mdps.kl_lsvi_ucb(problem, before)
    seconds(old, before)
    early, late = math.inf, math.inf
    for turn in range(20):
        early = min(early, seconds(bl.mdps.kl_lsvi_ucb(problem, before), 1000, turn))
        late = min(late, seconds(old, 1000, turn))
    rows.append(row(f"kl_lsvi_ucb, an episode after {before} over the first", late / early, STEADY_EPISODES))
    return rows


def games(scale: Scale) -> list[dict[str, Any]]:
    """CPU seconds of 1e5 rounds, of two episodes each, of `somg` on the mixed core with S = H = 3, A = B = 2."""
    rows = []
    for eta, name in ((1.0, "eta = 1"), (math.inf, "unregularized")):
        problem, rounds = bl.games.mixed_core(eta=eta), scale.episodes[1]
        spent_on(problem, bl.games.somg(problem, rounds), 2)
        spent = [spent_on(problem, bl.games.somg(problem, rounds), rounds, turn) for turn in range(5)]
        what = f"somg, {rounds} rounds, {name}, s"
        rows.append(row(what, min(spent), 2.0, median=float(np.median(spent))))
    return rows


def spent_on(problem: Any, learner: Any, count: int, turn: int = 0) -> float:
    """CPU seconds of so many rounds, or episodes, of a learner."""
    start = time.thread_time()
    problem.play(learner, np.array([count]), SEED, turn, np.zeros(2, np.int64))
    return time.thread_time() - start


def growth(scale: Scale) -> list[Cell]:
    """The cost of `kl_ucb` with the number of arms, in turn."""
    cells = [Cell("kl_ucb", arms, scale.growth_rounds, "banditlab", []) for arms in scale.growth_arms]
    for turn in range(scale.turns[scale.arms[0]] // 2):
        for cell in cells:
            cell.ns.append(compiled(cell.rule, cell.arms, cell.rounds, turn)[0])
    return cells


def print_times(cells: list[Cell]) -> None:
    """The table of nanoseconds a round."""
    print("\nCPU nanoseconds a round, exact regret included: least (median); banditlab's least over the other's")
    print(f"{'rule':14}{'K':>7}{'T':>8}   {'banditlab':>17}   {'beside':24}{'':>19}{'ratio':>9}")
    for cell in cells:
        if cell.implementation == "banditlab":
            ours = cell
            left = f"{cell.rule:14}{cell.arms:7}{cell.rounds:8}   {show(cell):>17}"
            continue
        print(f"{left}   {cell.implementation:24}{show(cell):>19}{ours.least / cell.least:9.3f}")
        left = " " * len(left)


def show(cell: Cell) -> str:
    """Least (median)."""
    return f"{cell.least:.0f} ({cell.median:.0f})"


# ---------------------------------------------------------------------------------------------------------------
# Targets, memory, and the same regret
# ---------------------------------------------------------------------------------------------------------------


def targets(cells: list[Cell], shared: bool) -> list[dict[str, Any]]:
    """Each ratio aimed at, beside the one measured."""
    table = {(c.rule, c.arms, c.implementation): c for c in cells}
    rows = []
    for rule, arms, loop, target in TARGETS:
        ours = table.get((rule, arms, "banditlab"))
        other = table.get((rule, arms, f"{'yardstick' if shared else 'C++'} {loop}"))
        if ours is None or other is None:
            continue
        name = YARDSTICKS[loop] if shared else loop
        ratio = ours.least / other.least
        rows.append(row(f"{rule}, K = {arms}, over {name}", ratio, target, median=ours.median / other.median))
    return rows


def growth_targets(cells: list[Cell]) -> list[dict[str, Any]]:
    """Cost over that at the first K, beside the ratio of the logarithms of K."""
    first = cells[0]
    return [
        row(
            f"kl_ucb, cost at K = {cell.arms} over K = {first.arms}",
            cell.least / first.least,
            math.log(cell.arms) / math.log(first.arms),
            median=cell.median / first.median,
        )
        for cell in cells[1:]
    ]


def row(what: str, measured: float, target: float, *, median: float | None = None) -> dict[str, Any]:
    """One line of the table of targets."""
    return {"what": what, "measured": measured, "median": median, "target": target, "met": measured <= target}


def print_targets(rows: list[dict[str, Any]]) -> None:
    """The table of targets."""
    print(f"\n{'target':54}{'least':>9}{'median':>9}{'at most':>10}")
    for r in rows:
        verdict = "met" if r["met"] else f"missed by {100.0 * (r['measured'] / r['target'] - 1.0):.0f} %"
        median = "" if r["median"] is None else f"{r['median']:.4f}"
        print(f"{r['what']:54}{r['measured']:9.4f}{median:>9}{r['target']:10.4f}  {verdict}")


MEMORY_PROGRAM = """
import json, resource, sys
import banditlab as bl

def peak():
    try:
        status = open("/proc/self/status").read()
    except OSError:  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1e-6 if sys.platform == "darwin" else 1e-3)
    return int(status.split("VmHWM:")[1].split()[0]) * 1e-3

def fresh():
    try:
        open("/proc/self/clear_refs", "w").write("5")  # forget the peak so far
    except OSError:
        pass

problem = bl.bandits.bandit([0.1 + 0.8 * a / 9 for a in range(10)], eta=5.0)
bl.run(problem, {"KL-UCB": bl.bandits.kl_ucb}, rounds=100, replications=1, seed=0, threads=1)
peaks = []
for rounds in map(int, sys.argv[1:]):
    fresh()
    bl.run(problem, {"KL-UCB": bl.bandits.kl_ucb}, rounds=rounds, replications=1, seed=0, threads=1)
    peaks.append(peak())
print(json.dumps(peaks))
"""


def memory(rounds: tuple[int, ...]) -> list[float]:
    """Peak resident memory, in MB, of a run of each length in a process of its own."""
    command = [sys.executable, "-c", MEMORY_PROGRAM, *map(str, rounds)]
    return json.loads(subprocess.check_output(command, text=True).splitlines()[-1])


def summary(regrets: list[float]) -> tuple[float, float]:
    """Mean and its standard error."""
    x = np.asarray(regrets)
    return float(x.mean()), float(x.std(ddof=1) / math.sqrt(x.size))


def deviation(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Difference of two independent means in its standard errors."""
    return (one[0] - other[0]) / math.hypot(one[1], other[1])


def regrets(
    rule: str, arms: int, rounds: int, replications: int, own: Path | None, shared: Path | None
) -> dict[str, tuple[float, float]]:
    """Mean final regret and its standard error, by implementation.

    The two C++ forms of `kl_ucb` play the same policies from the same seed, so one stands for both.
    """
    found = {"banditlab": summary([compiled(rule, arms, rounds, i)[1] for i in range(replications)])}
    if rule in NUMPY:
        found["NumPy"] = summary([plain_numpy(rule, arms, rounds, i)[1] for i in range(max(replications // 8, 20))])
    if own and rule in CONSTRUCTORS:
        found["C++"] = summary(cpp(own, rule, arms, rounds, replications, SEED)["regret"])
    if shared and rule in YARDSTICKS:
        line = yardstick(shared, rule, arms, rounds, replications)
        found["yardstick"] = (line["regret"], line["se"])
    return found


def agreement(scale: Scale, own: Path | None, shared: Path | None) -> list[dict[str, Any]]:
    """The largest deviation between any two implementations of each rule."""
    rows = []
    for rule in [*CONSTRUCTORS, "kl_lin_ucb"] if shared else CONSTRUCTORS:
        arms = LINEAR_ARMS if rule in LINEAR else 10
        found = regrets(rule, arms, scale.agreement_rounds, scale.replications, own, shared)
        means = list(found.values())
        worst = max((abs(deviation(x, y)) for i, x in enumerate(means) for y in means[:i]), default=0.0)
        rows.append({"rule": rule, "regret": found, "deviation": worst, "agree": worst <= MARGIN})
    return rows


def print_agreement(rows: list[dict[str, Any]], rounds: int) -> None:
    """The table of regrets."""
    print(
        f"\nFinal exact regret, K = 10 (kl_lin_ucb: d = K = 20), T = {rounds}: mean ± standard error; "
        f"agree: all within {MARGIN:g} of them"
    )
    for r in rows:
        means = "  ".join(f"{name} {mean:.2f} ± {se:.2f}" for name, (mean, se) in r["regret"].items())
        verdict = "agree" if r["agree"] else "DISAGREE"
        print(f"{r['rule']:14} {verdict} ({r['deviation']:.1f})  {means}")


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, save; 1 where two implementations disagree on the regret."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="seconds: does it run, not how fast")
    parser.add_argument("--long", action="store_true", help="memory up to T = 10^8")
    parser.add_argument(
        "--against",
        type=Path,
        default=ROOT.parent / "shared" / "bench",
        metavar="FOLDER",
        help="folder of the yardstick's loops.cpp (default: ../shared/bench beside the checkout)",
    )
    parser.add_argument("--save", type=Path, default=ROOT / "results" / "benchmark.json", metavar="FILE")
    options = parser.parse_args(arguments)
    scale = QUICK if options.quick else FULL
    if options.long:
        scale = scale._replace(memory_rounds=(*scale.memory_rounds, 10**8))

    own = build(HERE / "loops.cpp", HERE / "build" / "loops")
    shared = build(options.against / "loops.cpp", HERE / "build" / "yardstick")
    if compiler() is None:
        print(
            "No C++ compiler (c++, g++ or clang++) on the path: missing are the C++ columns, the targets read against "
            "them, and the comparison of regrets with them."
        )
    elif not (options.against / "loops.cpp").exists():
        print(f"No {options.against / 'loops.cpp'}: the targets are read against benchmarks/loops.cpp instead.")
    for rule in CONSTRUCTORS:  # compile, or load from the cache, before anything is timed
        compiled(rule, 10, 10, 0)
    for rule in LINEAR:
        compiled(rule, LINEAR_ARMS, 10, 0)
    for rule in DUELS:
        compiled(rule, DUEL_ARMS, 10, 0)

    same = agreement(scale, own, shared)
    print_agreement(same, scale.agreement_rounds)
    cells = measure(scale, own, shared)
    if shared:
        for rule, arms in (("kl_lin_ucb", LINEAR_ARMS), *((rule, DUEL_ARMS) for rule in DUELS)):
            cells += measure_beside(rule, arms, scale, shared)
    print_times(cells)
    print()
    late = steady(scale)
    by_arms = growth(scale)
    peaks = memory(scale.memory_rounds)
    rows = targets(cells, shared is not None) + growth_targets(by_arms) + late + episodes(scale) + games(scale)
    change = max(peaks) - peaks[0]
    rows.append(row(f"memory, MB from T = {scale.memory_rounds[0]:.0e} to {scale.memory_rounds[-1]:.0e}", change, FLAT))
    print_targets(rows)
    if options.quick:
        print("A quick run is too short for the targets: constant costs enter.")
    print(
        "Peak memory of a run: " + ", ".join(f"{p:.1f} MB at T = {n:.0e}" for n, p in zip(scale.memory_rounds, peaks))
    )

    options.save.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "numba": numba.__version__},
        "compiler": compiler(),
        "times": [c._asdict() for c in cells + by_arms],
        "targets": rows,
        "memory": dict(zip(map(str, scale.memory_rounds), peaks)),
        "agreement": same,
    }
    options.save.write_text(json.dumps(record, indent=1) + "\n")
    print(f"\nSaved {options.save}")
    return 0 if all(r["agree"] for r in same) else 1


if __name__ == "__main__":
    sys.exit(main())
