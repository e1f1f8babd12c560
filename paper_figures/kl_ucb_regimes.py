"""Figure: KL-UCB in its three regimes, with the proven bound (arXiv:2502.07460, arXiv:2603.02155).

Simulated in `results/store`, so that a second run only draws. Writes kl_ucb_regimes.{pdf,svg,png} beside this file.
"""

import functools
import math
from pathlib import Path

import numpy as np

import banditlab as bl
from banditlab import figures

ROOT = Path(__file__).parents[1]
STORE = ROOT / "results" / "store"
K, T, ETA, DELTA = 8, 1 << 14, 1 << 16, 0.01
KL_UCB = {"KL-UCB": functools.partial(bl.bandits.kl_ucb, scale=1.0, delta=DELTA)}  # the theorem's constants


def bound(problem: bl.bandits.Bandit, rounds: int) -> float:
    """The proven bound on the regret after `rounds` rounds."""
    return float(bl.bandits.bounds.kl_ucb(problem, rounds, np.array([rounds]), scale=1.0, delta=DELTA)[0])


def main() -> None:
    """Simulate, draw, and say where the figure is."""
    instance = bl.bandits.textbook(eta=5.0)
    means = ", ".join(f"{mean:g}" for mean in instance.mean)
    fixed = bl.run(instance, KL_UCB, rounds=1 << 18, replications=100, seed=0, store=STORE)
    over_eta = bl.sweep(
        lambda eta, kappa: bl.bandits.hard_minimax(K, T, kappa, eta=eta),
        KL_UCB,
        over={"eta": [2.0**k for k in range(-3, 15)], "kappa": [1.0, 2.0, 4.0]},
        rounds=T,
        replications=100,
        seed=0,
        store=STORE,
    )
    over_rounds = bl.sweep(
        lambda rounds, kappa: bl.bandits.hard_minimax(K, rounds, kappa, eta=float(ETA)),
        KL_UCB,
        over={"rounds": [1 << k for k in range(10, 18)], "kappa": [1.0, 2.0, 4.0]},
        replications=100,
        seed=0,
        store=STORE,
    )
    figure = figures.regimes(
        fixed,
        over_eta,
        over_rounds,
        bounds={
            "eta": lambda etas: [bound(bl.bandits.hard_minimax(K, T, 1.0, eta=eta), T) for eta in etas],
            "rounds": lambda horizons: [
                bound(bl.bandits.hard_minimax(K, int(n), 1.0, eta=float(ETA)), int(n)) for n in horizons
            ],
        },
        marks={
            r"$\sqrt{T/K}$": math.sqrt(T / K),
            r"$\eta_c(K, T)$": float(bl.bandits.bounds.crossover_bound(K, T, math.log(2 * K * T / DELTA))),
        },
        caption=[
            rf"KL-UCB with scale $1$, $\delta={DELTA}$, Bernoulli arms. (a) means {means}, $\eta=5$;",
            rf"(b), (c) $K={K}$, one arm better by $\kappa\sqrt{{K/T}}$, worst $\kappa\in\{{1,2,4\}}$;",
            rf"(b) $T=2^{{{T.bit_length() - 1}}}$, (c) $\eta=2^{{{ETA.bit_length() - 1}}}$.",
            r"Dotted in (b): where the regimes meet, $\sqrt{T/K}$, and where the bound's terms do, $\eta_c$.",
        ],
    )
    for path in figures.save(figure, Path(__file__).with_suffix("")):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
