"""Figure: the two rates of offline learning, 1/n and n^{-1/2}, over eta and n (arXiv:2605.02141).

Simulated in `results/store`, so that a second run only draws. Writes offline_regimes.{pdf,svg,png} beside this file.
"""

from pathlib import Path

import banditlab as bl
from banditlab import figures

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Simulate, draw, and say where the figure is."""
    grid = bl.sweep(
        lambda eta, samples, kappa: bl.contextual.hard_offline_minimax(samples, 4, 4.0, eta=eta, kappa=kappa),
        {"KL-PCB": bl.contextual.kl_pcb},
        over={
            "eta": [2.0**k for k in range(2, 13)],
            "samples": [1 << k for k in range(9, 18)],
            "kappa": [0.5, 1.0, 2.0],
        },
        replications=400,
        seed=0,
        store=ROOT / "results" / "store",
    )
    for path in figures.save(figures.phase_diagram(grid), Path(__file__).with_suffix("")):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
