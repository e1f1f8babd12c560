"""Figure: offline Nash learning, with and without pessimism (arXiv:2510.24700, arXiv:2402.07314).

Simulated in `results/store`, so that a second run only draws. Writes nash_learning.{pdf,svg,png} beside this file.
"""

from pathlib import Path

import banditlab as bl
from banditlab import figures

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Simulate, draw, and say where the figure is."""
    offline = bl.run_offline(
        bl.dueling.rps(5, 0.3, 1, eta=10.0, reference=[0.005, 0.199, 0.199, 0.199, 0.199, 0.199]),
        {"plug-in": bl.dueling.nash_plug_in, "pessimistic": bl.dueling.nash_pessimistic},
        samples=[1 << k for k in range(8, 18)],
        replications=400,
        seed=0,
        store=ROOT / "results" / "store",
    )
    for path in figures.save(figures.suboptimality(offline), Path(__file__).with_suffix("")):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
