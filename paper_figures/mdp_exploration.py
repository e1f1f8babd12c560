"""Figure: RiverSwim, where certainty equivalence never finds the far end, and optimism and posterior sampling do.

Simulated in `results/store`, so that a second run only draws. Writes mdp_exploration.{pdf,svg,png} beside this file.
"""

import dataclasses
import functools
from pathlib import Path
from types import SimpleNamespace

import banditlab as bl
from banditlab import figures

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Simulate, draw, and say where the figure is."""
    result = bl.run(
        bl.mdps.river_swim(),
        {
            "greedy": bl.mdps.greedy,
            "UCBVI, Hoeffding": functools.partial(bl.mdps.ucbvi, bonus="hoeffding", scale=0.05),
            "UCBVI, Bernstein": functools.partial(bl.mdps.ucbvi, scale=0.05),
            "PSRL": bl.mdps.psrl,
        },
        rounds=1 << 14,
        replications=12,
        seed=0,
        store=ROOT / "results" / "store",
    )
    labels = {"regret_label": result.problem.regret_label, "time_label": result.problem.time_label}
    about = SimpleNamespace(summary="RiverSwim, S = 6, H = 20, unregularized", **labels)
    figure = figures.regret(dataclasses.replace(result, problem=about), time="loglog")
    for path in figures.save(figure, Path(__file__).with_suffix("")):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
