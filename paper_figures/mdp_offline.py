"""Figure: offline regularized value iteration, order eta / n (KL-PEVI), on a random linear MDP.

Simulated in `results/store`, so that a second run only draws. Writes mdp_offline.{pdf,svg,png} beside this file.
"""

from pathlib import Path

import banditlab as bl
from banditlab import figures

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Simulate, draw, and say where the figure is."""
    grid = bl.sweep(
        lambda eta, samples: bl.mdps.random_linear(seed=1, eta=eta),
        {"KL-PEVI": bl.mdps.kl_pevi},
        over={"samples": [4**k for k in range(4, 9)], "eta": [0.5, 1.0, 2.0, 5.0, 20.0]},
        replications=200,
        seed=0,
        store=ROOT / "results" / "store",
    )
    grid.manifest["problem"] = "a random linear MDP, d = 4, H = 4, S = 8, A = 4, uniform behaviour, KL-PEVI"
    for path in figures.save(figures.scaling(grid, "samples"), Path(__file__).with_suffix("")):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
