"""Figure: regret of OMG in a matrix game, linear in eta and then flat (arXiv:2510.13060).

Simulated in `results/store`, so that a second run only draws. Writes game_eta.{pdf,svg,png} beside this file.
"""

from pathlib import Path

import banditlab as bl
from banditlab import figures

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Simulate, draw, and say where the figure is."""
    grid = bl.sweep(
        lambda eta: bl.games.mixed_matrix(noise="gaussian", eta=eta),
        {"OMG": bl.games.omg},
        over={"eta": [2.0**k for k in range(-1, 13)]},
        rounds=1 << 15,
        replications=40,
        seed=0,
        store=ROOT / "results" / "store",
    )
    grid.manifest["problem"] = "matrix game of 3 x 3 actions with a mixed equilibrium, Gaussian payoffs of spread .5"
    for path in figures.save(figures.scaling(grid, "eta", fit=(0.5, 16.0)), Path(__file__).with_suffix("")):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
