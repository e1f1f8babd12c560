"""Figure: regret of optimistic exploration in a linear MDP, linear in eta up to about sqrt(K) and flat beyond.

Simulated in `results/store`, so that a second run only draws. Writes mdp_eta.{pdf,svg,png} beside this file.
"""

import functools
from pathlib import Path

import banditlab as bl
from banditlab import figures

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Simulate, draw, and say where the figure is."""
    grid = bl.sweep(
        lambda eta: bl.mdps.hypercube(gap=0.015, seed=1, eta=eta),
        {"KL-LSVI-UCB": functools.partial(bl.mdps.kl_lsvi_ucb, scale=1.0)},
        over={"eta": [2.0**k for k in range(-1, 11)]},
        rounds=1 << 13,
        replications=40,
        seed=0,
        store=ROOT / "results" / "store",
    )
    grid.manifest["problem"] = "hypercube, H = 4, d = 5, A = 8, gap .015"
    for path in figures.save(figures.scaling(grid, "eta", fit=(0.5, 32.0)), Path(__file__).with_suffix("")):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
