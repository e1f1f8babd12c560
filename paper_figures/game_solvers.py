"""Figure: solvers of the KL-regularized preference game on rock-paper-scissors, gaps and paths in the simplex.

Writes game_solvers.{pdf,svg,png} and game_solvers_simplex.{pdf,svg,png} beside this file.
"""

from pathlib import Path

import numpy as np

import banditlab as bl
from banditlab import equilibrium, figures

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Solve, draw, and say where the figures are."""
    P = bl.dueling.rps(3, 0.4).preference[0]
    reference, eta, steps = np.array([0.6, 0.3, 0.1]), 10.0, 2000
    solved = {
        "best response": equilibrium.best_response_iteration(P, reference, eta, steps=steps),
        "MWU": equilibrium.multiplicative_weights(P, reference, eta, steps=steps, step_size=0.3),
        "Nash-MD": equilibrium.nash_md(P, reference, eta, steps=steps),
        "magnetic MD": equilibrium.magnetic_mirror_descent(P, reference, eta, steps=steps),
        "extragradient": equilibrium.extragradient(P, reference, eta, steps=steps),
    }
    about = "rock-paper-scissors, gap .4, reference (.6, .3, .1), eta = 10"
    gaps = figures.convergence(
        {name: found.gaps for name, found in solved.items()},
        about=about,
        measure=r"one-sided gap $\frac{1}{2}-\min_q V(\pi_t,q)$",
    )
    paths = figures.simplex(
        {name: np.exp(solved[name].log_policies[:61]) for name in ("MWU", "Nash-MD", "magnetic MD")},
        about=f"{about}, 60 iterations",
        marks={"Nash": np.exp(equilibrium.newton(P, reference, eta).log_policy), "reference": reference},
        arms=("rock", "scissors", "paper"),
    )
    stem = Path(__file__).with_suffix("")
    for figure, name in ((gaps, stem), (paths, stem.with_name(f"{stem.name}_simplex"))):
        for path in figures.save(figure, name):
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
