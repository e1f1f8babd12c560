"""Figure: six schemes of RLHF where the best of eight answers is rare under the reference, and where the worst is.

Simulated in `results/store`, so that a second run only draws. Writes rlhf_schemes_{good,bad}.{pdf,svg,png} beside this
file.
"""

import functools
from pathlib import Path

import banditlab as bl
from banditlab import figures

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Simulate, draw, and say where the figures are."""
    duels = bl.dueling
    schemes = {
        "enhancer": duels.rlhf_enhancer,
        r"$\pi\times$ref": duels.rlhf_mixed,
        "hybrid": duels.rlhf_hybrid,
        "two-stage": duels.rlhf_two_stage,
        r"offline, ref$\times$ref": functools.partial(duels.rlhf_hybrid, share=1.0),
        r"greedy, $\pi\times\pi$": duels.rlhf_greedy,
    }
    for name, problem in (("good", duels.rare_good()), ("bad", duels.rare_bad())):
        result = bl.run(problem, schemes, rounds=1 << 16, replications=200, seed=0, store=ROOT / "results" / "store")
        stem = Path(__file__).with_name(f"rlhf_schemes_{name}")
        for path in figures.save(figures.regret(result, time="loglog"), stem):
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
