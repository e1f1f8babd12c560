"""Figure: what coverage costs under KL, and under strongly convex f-divergences (arXiv:2502.06051).

Simulated in `results/store`, so that a second run only draws. Writes coverage.{pdf,svg,png} beside this file.
"""

from pathlib import Path

if __name__ == "coverage":  # numba looks for the package of that name, and finds this script beside the one that runs
    raise ImportError("not the package coverage")

import banditlab as bl
from banditlab import figures

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Simulate, draw, and say where the figure is."""
    grid = bl.sweep(
        bl.contextual.coverage_sweep,
        {"plug-in": bl.contextual.f_pcb},
        over={"coverage": [2.0**k for k in range(2, 9)], "regularizer": ["kl", "chi2", "kl_chi2"]},
        samples=1 << 17,
        replications=2000,
        seed=0,
        store=ROOT / "results" / "store",
    )
    for path in figures.save(figures.coverage(grid), Path(__file__).with_suffix("")):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
