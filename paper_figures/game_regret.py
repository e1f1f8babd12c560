"""Figure: regret in a Markov game, logarithmic with KL regularization and of order sqrt(K) without (arXiv:2510.13060).

Simulated in `results/store`, so that a second run only draws. Writes game_regret.{pdf,svg,png}, regret against log K at
three eta, and game_regret_slopes.{pdf,svg,png}, SOMG at four eta on log-log axes, beside this file.
"""

import dataclasses
import functools
import math
from pathlib import Path

import banditlab as bl
from banditlab import figures
from banditlab.claims import pooled

ROOT = Path(__file__).parents[1]
ABOUT = "mixed core, H = 3, S = 3, 2 x 2 actions"


def main() -> None:
    """Simulate, draw, and say where the figures are."""
    learners = {
        "SOMG": bl.games.somg,
        "posterior\nsampling": bl.games.self_play_posterior_sampling,
        "Nash-VI": functools.partial(bl.games.nash_vi, scale=0.5),  # without KL, whatever the measure
    }
    runs, curves = {}, {}
    for eta in (1.0, 10.0, 100.0, math.inf):
        name = r"$\eta = \infty$" if eta == math.inf else rf"$\eta = {eta:g}$"
        chosen = {label: rule for label, rule in learners.items() if eta == math.inf or label != "Nash-VI"}
        if eta == 100.0:  # in the second figure only
            chosen = {"SOMG": chosen["SOMG"]}
        runs[name] = bl.run(
            bl.games.mixed_core(eta=eta),
            chosen,
            rounds=1 << 15,
            replications=16,
            seed=0,
            store=ROOT / "results" / "store",
        )
        curves[name] = runs[name].regret["SOMG"]
    panels = {title: run for title, run in runs.items() if "100" not in title}
    about = f"{ABOUT}; Nash-VI, which plays without KL, is in the last panel"
    growth = figures.regret_panels(panels, about=about)
    first = next(iter(runs.values()))
    late = first.checkpoints >= first.problem.burn_in
    together = pooled(
        dataclasses.replace(first, checkpoints=first.checkpoints[late]),
        ABOUT,
        {title: regret[:, late] for title, regret in curves.items()},
    )
    slopes = figures.regret_panels({"": together}, about=f"{ABOUT}, SOMG", time="loglog", laws=list(curves)[:2])
    stem = Path(__file__).with_suffix("")
    for figure, path in ((growth, stem), (slopes, stem.with_name(f"{stem.name}_slopes"))):
        for written in figures.save(figure, path):
            print(written.relative_to(ROOT))


if __name__ == "__main__":
    main()
