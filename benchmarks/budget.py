"""Time budgets, measured in fresh processes: import, compilation, first figure, and studies against their budgets.

`python benchmarks/budget.py` prints each beside its budget; `--study` adds 4 algorithms x 1000 replications x 1e5
rounds. Budgets hold on an idle machine; the load is printed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IMPORT = """
import json, time
t = time.perf_counter(); import numba; a = time.perf_counter() - t
t = time.perf_counter(); import banditlab; b = time.perf_counter() - t
print(json.dumps([a, b]))
"""
COMPILE = """
import json, time
import banditlab as bl
from banditlab.jit import statistics
times = []
for name in ["kl_ucb", "kl_greedy", "kl_batched", "kl_thompson", "kl_eps_greedy"]:
    problem, algorithm = bl.bandits.textbook(), bl.bandits.ALGORITHMS[name]
    t = time.process_time()
    bl.run(problem, {name: algorithm}, rounds=64, replications=1, threads=1)
    times.append(time.process_time() - t)
print(json.dumps([times, statistics()["compiled"]]))
"""
CONTEXTUAL = """
import json, time
import banditlab as bl
from banditlab.jit import statistics
times = []
for name in ["kl_lin_ucb", "kl_lin_greedy", "kl_lin_thompson", "lin_ucb"]:
    problem, algorithm = bl.contextual.random_linear(6, 10, 4, eta=4.0), bl.contextual.ALGORITHMS[name]
    t = time.process_time()
    bl.run(problem, {name: algorithm}, rounds=64, replications=1, threads=1)
    times.append(time.process_time() - t)
print(json.dumps([times, statistics()["compiled"]]))
"""
OFFLINE = """
import functools, json, time
import numpy as np
import banditlab as bl
draws = np.random.default_rng(0)
reference = draws.dirichlet(np.ones(50), size=50)
problem = bl.contextual.tabular(draws.random((50, 50)), eta=5.0, reference=reference)
kl_pcb, plug_in = bl.contextual.kl_pcb, bl.contextual.plug_in
fits = {"plug-in": plug_in} | {f"{c}": functools.partial(kl_pcb, scale=c) for c in (0.3, 0.5, 1.0)}
t = time.process_time()
bl.run_offline(problem, fits, samples=[1000], replications=1)
first = time.process_time() - t
data = problem.dataset(10**9, 0, 0)
once = []
for _ in range(200):
    t = time.perf_counter()
    kl_pcb(data)
    once.append(time.perf_counter() - t)
samples = np.unique(np.logspace(3, 9, 30).astype(int))
t = time.perf_counter()
bl.run_offline(problem, fits, samples=samples, replications=200)
print(json.dumps([first, sorted(once)[100], time.perf_counter() - t]))
"""
STUDY = """
import json, time
import numpy as np
import banditlab as bl
from banditlab.simulate import processors
problem = bl.bandits.linear_means(10, 5.0)
names = ["kl_ucb", "kl_greedy", "kl_batched", "kl_explore_then_commit"]
algorithms = {name: bl.bandits.ALGORITHMS[name] for name in names}
bl.run(problem, algorithms, rounds=10, replications=1)
at, single = np.array([100_000]), []
for algorithm in algorithms.values():
    t = time.process_time()
    for i in range(5):
        problem.play(algorithm(problem, 100_000), at, 0, i, np.zeros(3, np.int64))
    single.append((time.process_time() - t) / 5)
t = time.perf_counter()
bl.run(problem, algorithms, rounds=100_000, replications=1000)
print(json.dumps([1000 * sum(single) / processors(), time.perf_counter() - t, [1e4 * s for s in single]]))
"""


def python(code: str, cache: str) -> list:
    """The JSON that a program prints, run in a fresh process with this kernel cache."""
    env = {**os.environ, "BANDITLAB_CACHE": cache}
    return json.loads(subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True).stdout)


def figure(cache: str) -> float:
    """Wall seconds of the quickstart, from the shell's prompt to the figure, with an empty store."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        env = {**os.environ, "BANDITLAB_CACHE": cache}
        command = [sys.executable, "-m", "banditlab"]
        subprocess.run(command, env=env, cwd=folder, check=True, capture_output=True)
        seconds = time.perf_counter() - start
        assert list(Path(folder).rglob("*.pdf"))
        return seconds


def main() -> None:
    """Measure and print."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as empty:
        extra = sorted(python(IMPORT, empty)[1] for _ in range(5))
        print(f"import beside numba's own: {extra[2]:.3f} s (median of 5)                     budget 0.15")
    with tempfile.TemporaryDirectory() as cache:
        times, compiled = python(COMPILE, cache)
        print(f"compilation, first algorithm: {times[0]:.2f} CPU s, {compiled} kernels in all     budget 5")
        for name, seconds in zip(("index", "index", "first general", "general"), times[1:], strict=True):
            print(f"  a further one ({name}): {seconds:.2f} CPU s     budget 1.2")
        times, compiled = python(COMPILE, cache)
        print(f"second process: {compiled} kernels compiled     budget 0")
        print(f"  first trajectory after {times[0]:.2f} CPU s     budget 0.5")
    with tempfile.TemporaryDirectory() as cache:
        times, compiled = python(CONTEXTUAL, cache)
        print(f"compilation, first contextual algorithm: {times[0]:.2f} CPU s, {compiled} kernels in all     budget 6")
        print(f"  further ones: {', '.join(f'{seconds:.2f}' for seconds in times[1:])} CPU s     budget 2")
        times, compiled = python(CONTEXTUAL, cache)
        print(f"second process: {compiled} kernels compiled     budget 0")
        first, once, study = python(OFFLINE, cache)
        print(f"compilation, first offline study: {first:.2f} CPU s")
        print(f"kl_pcb on n = 1e9, S = A = 50: {1e3 * once:.2f} ms     budget 5")
        print(f"30 sample sizes x 200 replications x 4 algorithms there: {study:.1f} s     budget 10")
    with tempfile.TemporaryDirectory() as cache:
        print(f"first figure from an empty cache: {figure(cache):.2f} s     budget 5")
        print(f"first figure after: {min(figure(cache) for _ in range(3)):.2f} s (least of 3)     budget 2.5")
    if "--study" in sys.argv:
        with tempfile.TemporaryDirectory() as cache:
            predicted, wall, single = python(STUDY, cache)
            each = ", ".join(f"{ns:.0f}" for ns in single)
            print(f"4 x 1000 x 1e5 rounds at K = 10: {wall:.1f} s, predicted {predicted:.1f} s (ns a round: {each})")


if __name__ == "__main__":
    main()
