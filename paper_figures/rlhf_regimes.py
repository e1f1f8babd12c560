"""Figure: the two rates of offline RLHF, 1/n and n^{-1/2}, over eta and n (arXiv:2411.04625 for 1/n).

Simulated in `results/store`, so that a second run only draws. Writes rlhf_regimes.{pdf,svg,png} beside this file.
"""

from pathlib import Path

import banditlab as bl
from banditlab import figures

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Simulate, draw, and say where the figure is."""
    grid = bl.sweep(
        lambda eta, samples: bl.dueling.minimax_bt(samples, eta=eta),
        {"maximum likelihood": bl.dueling.bt_greedy},
        over={"eta": [2.0**k for k in range(11)], "samples": [4**k for k in range(4, 10)]},
        replications=4000,
        seed=0,
        store=ROOT / "results" / "store",
    )
    grid.manifest["problem"] = r"Bradley-Terry duels, K = 4, one arm better by $2\sqrt{3/n}$"
    for path in figures.save(figures.phase_diagram(grid), Path(__file__).with_suffix("")):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
