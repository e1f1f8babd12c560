"""Nash equilibria of matrix games: `equilibrium.minimax` beside `quantecon.optimize.minmax`, inside a kernel.

Both solve the same random games, the library on payoffs rescaled to [1, 2], for the sake of its absolute tolerances.
Prints microseconds a game, the number of games whose duality gap exceeds 1e-9 of the range, and import times. Needs
quantecon, which is no dependency: pip install quantecon.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import time

import numpy as np
from numba import njit
from quantecon.optimize import minmax

from banditlab import equilibrium
from banditlab.jit import jit


@jit
def ours(games, work, gaps):
    """Solve every game; leave the duality gaps."""
    for i in range(games.shape[0]):
        equilibrium.minimax(games[i], work)
        gaps[i] = work.status[1]


@njit
def theirs(games, gaps):
    """As `ours`."""
    for i in range(games.shape[0]):
        A = games[i]
        low, high = A.min(), A.max()
        _, x, y = minmax(1.0 + (A - low) / (high - low), 10**6)
        gaps[i] = (A @ y).max() - (x @ A).min()


def draw(kind: str, count: int, size: int) -> np.ndarray:
    """(count, size, size) games."""
    g = np.random.default_rng(size)
    if kind == "uniform":
        return g.random((count, size, size))
    if kind == "0/1":
        games = g.integers(0, 2, (count, size, size)).astype(float)
        games[:, 0, 0], games[:, -1, -1] = 0.0, 1.0
        return games
    if kind == "rank two":
        return g.standard_normal((count, size, 2)) @ g.standard_normal((count, 2, size))
    return np.exp(10.0 * g.standard_normal((count, size, size)))  # log-normal: many orders of magnitude


def main() -> None:
    """Measure and print."""
    print(f"{'games':12}{'size':>5}{'banditlab':>12}{'quantecon':>12}   us a game;{'failed':>8}{'':>9} of")
    for kind in ("uniform", "0/1", "rank two", "log-normal"):
        for size, count in ((2, 4000), (5, 4000), (10, 1000), (50, 20)):
            games = draw(kind, count, size)
            extent = np.ptp(games, axis=(1, 2))
            found = []
            work = equilibrium.simplex(size, size)
            for solve in (functools.partial(ours, games, work), functools.partial(theirs, games)):
                gaps, spent = np.empty(count), []
                solve(gaps)
                for _ in range(3):
                    start = time.process_time()
                    solve(gaps)
                    spent.append(time.process_time() - start)
                found.append((1e6 * min(spent) / count, int((~(gaps <= 1e-9 * extent)).sum())))
            (a, bad), (b, worse) = found
            print(f"{kind:12}{size:5}{a:12.2f}{b:12.2f}{'':13}{bad:8}{worse:9} {count}")
    for module in ("banditlab.equilibrium", "quantecon.optimize"):
        code = f"import numba, time; t = time.process_time(); import {module}; print(time.process_time() - t)"
        spent = [
            float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout) for _ in "12"
        ]
        print(f"import of {module} after numba's: {min(spent):.2f} CPU s")


if __name__ == "__main__":
    main()
