"""Figure: queries of APPO with and without its gate, of the optimistic pair and of MaxInP, in linear duels.

Simulated in `results/store`, so that a second run only draws. Writes dueling_queries.{pdf,svg,png} beside this file.
"""

import functools
from pathlib import Path

import banditlab as bl
from banditlab import figures

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Simulate, draw, and say where the figure is."""
    rules = {
        "APPO, always asking": functools.partial(bl.dueling.appo, gate=0.0),
        "APPO, gated": bl.dueling.appo,
        "optimistic pair": bl.dueling.symmetric_pair,
        "MaxInP": functools.partial(bl.dueling.maxinp, scale=1.0),
    }
    problem = bl.dueling.gap_linear(measure="first")
    result = bl.run(problem, rules, rounds=1 << 17, replications=100, seed=0, store=ROOT / "results" / "store")
    figure = figures.regret(result, channel="queries", time="loglog")
    for path in figures.save(figure, Path(__file__).with_suffix("")):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
