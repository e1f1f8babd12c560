"""Figure: offline learning of a matrix game, at 1/n with KL regularization and n^{-1/2} without (arXiv:2604.06738).

Simulated in `results/store`, so that a second run only draws. Writes game_offline.{pdf,svg,png}, the plug-in at several
eta, and game_offline_coverage.{pdf,svg,png}, what data must cover (arXiv:2201.03522), beside this file.
"""

import math
from pathlib import Path

import banditlab as bl
from banditlab import figures
from banditlab.claims import pooled

ROOT = Path(__file__).parents[1]
STORE = ROOT / "results" / "store"
SIZES = [200 * 4**k for k in range(7)]


def main() -> None:
    """Simulate, draw, and say where the figures are."""
    grid = bl.sweep(
        lambda eta, samples: bl.games.trap(cover="all", eta=eta),
        {"plug-in": bl.games.plug_in},
        over={"samples": SIZES, "eta": [1.0, 5.0, 30.0, 1000.0, math.inf]},
        replications=200,
        seed=0,
        store=STORE,
    )
    grid.manifest["problem"] = "pennies with a trap, data of all nine cells, plug-in"
    covers = {"equilibrium's\nfour cells": "nash", "unilateral\ndeviations": "unilateral", "all cells": "all"}
    offline = {
        name: bl.run_offline(
            bl.games.trap(cover=cover), {"PMVI": bl.games.pmvi}, samples=SIZES, replications=200, seed=0, store=STORE
        )
        for name, cover in covers.items()
    }
    curves = {name: found.gap["PMVI"] for name, found in offline.items()}
    about = "pennies with a trap, eta = inf, PMVI on three kinds of data"
    coverage = figures.suboptimality(pooled(offline["all cells"], about, curves, "gap"))
    stem = Path(__file__).with_suffix("")
    for figure, path in (
        (figures.scaling(grid, "samples"), stem),
        (coverage, stem.with_name(f"{stem.name}_coverage")),
    ):
        for written in figures.save(figure, path):
            print(written.relative_to(ROOT))


if __name__ == "__main__":
    main()
