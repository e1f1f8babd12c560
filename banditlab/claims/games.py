"""Claims of Markov games: optimism and posterior sampling online, and what offline data must cover.

What is measured is the exact duality gap. In every rule "lies in [a, b]" is `inside`: supported with a margin of two
standard errors, refuted from four standard errors outside; the octave ratio is the regret of the last three octaves
over that of the three before.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from banditlab import figures
from banditlab.claims import (
    Budget,
    Claim,
    Estimate,
    Numbers,
    Study,
    claim,
    estimate,
    every,
    fact,
    increments,
    inside,
    joined,
    loglog,
    number,
    pooled,
)
from banditlab.games import instances
from banditlab.games.kl_pmvi import brackets, kl_pmvi
from banditlab.games.nash_vi import nash_vi
from banditlab.games.omg import omg
from banditlab.games.plug_in import plug_in
from banditlab.games.pmvi import pmvi
from banditlab.games.self_play_posterior_sampling import self_play_posterior_sampling
from banditlab.games.somg import somg
from banditlab.trajectory import Offline

CORES = "mixed cores, H = 3, S = 3, 2 x 2 actions"


def _growth(mean: np.ndarray, octaves: int) -> float:
    """Exponent of the rounds over the last octaves of dyadic checkpoints."""
    return loglog(2.0 ** np.arange(octaves + 1.0), mean[-octaves - 1 :])


def _named(eta: float) -> str:
    return r"$\eta = \infty$" if eta == math.inf else f"$\\eta = {eta:g}$"


@claim
def omg_is_logarithmic_and_linear_in_eta() -> Claim:
    """OMG gains as much regret in an octave as in the one before, and in proportion to eta.

    The 3 x 3 matrix game whose equilibrium mixes all actions, Gaussian payoffs of spread 1/2, T = 2^14, 40 runs: at
    eta = .5, 2 and 8 the octave ratio lies in [0.5, 2], and the exponent of eta of the final regret in [0.8, 1.2].

    The control is not regularized.
    """
    etas = (0.5, 2.0, 8.0)

    def study(budget: Budget, regularized: bool = True) -> Study:
        return budget.run(
            lambda eta: instances.mixed_matrix(noise="gaussian", eta=eta if regularized else math.inf),
            {"OMG": omg},
            over={"eta": etas},
            rounds=2**14,
            replications=budget.choose(40, 200),
        )

    def measure(result: Study) -> Numbers:
        found: dict[str, Estimate | str] = {
            f"last / earlier octaves, eta = {eta:g}": estimate(increments, joined(result, "OMG", eta=eta))
            for eta in etas
        }
        finals = [joined(result, "OMG", eta=eta)[:, -1:] for eta in etas]
        found["exponent of eta"] = estimate(lambda *means: loglog(etas, [float(m[0]) for m in means]), *finals)
        return found

    def verdict(found: Numbers) -> str:
        return every(
            *(inside(number(found, name), *((0.8, 1.2) if name == "exponent of eta" else (0.5, 2.0))) for name in found)
        )

    def figure(result: Study) -> Any:
        about = "matrix game of 3 x 3 actions with a mixed equilibrium, OMG, Gaussian payoffs of spread .5"
        curves = {_named(eta): joined(result, "OMG", eta=eta) for eta in etas}
        return figures.regret_over_log(pooled(result[(0.5,)], about, curves))

    return Claim(
        statement="Best-response sampling of a KL-regularized matrix game has logarithmic regret, linear in eta.",
        latex=r"\mathrm{Reg}(T) = O(\eta\,d^2\log^2 T)",
        source="Nayak, Yang, Yagan, Joshi and Chi 2025, arXiv:2510.13060; reconstructed",
        predicted="octaves: 1; exponent: 1",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, regularized=False),
        wrong="no regularization",
        figure=figure,
    )


@claim
def games_grow_like_sqrt_without_kl() -> Claim:
    """Without regularization the regret of OMG, SOMG and Nash-VI grows like sqrt(K), where equilibria are mixed.

    OMG on the 3 x 3 matrix game with a mixed equilibrium, Gaussian payoffs of spread 1/2; SOMG and Nash-VI on eight
    mixed cores, S = 3, H = 3; scale .5, K = 2^16, sixteen runs each: the exponent of K of the mean regret over
    the last six octaves lies in [0.42, 0.58].

    The control has bonuses a fifth as large, with which optimism fails on some seeds and regret becomes linear.
    """
    rules: dict[str, Any] = {"OMG": omg, "SOMG": somg, "Nash-VI": nash_vi}

    def study(budget: Budget, factor: float = 1.0) -> dict[str, Study]:
        seeds = range(budget.choose(8, 32))
        of = {name: functools.partial(rule, scale=0.5 * factor) for name, rule in rules.items()}
        return {
            "matrix": budget.run(
                lambda: instances.mixed_matrix(noise="gaussian", eta=math.inf),
                {"OMG": of.pop("OMG")},
                over={},
                rounds=2**16,
                replications=budget.choose(2, 6) * len(seeds),
            ),
            "cores": budget.run(
                lambda seed: instances.mixed_core(seed=seed, eta=math.inf),
                of,
                over={"seed": seeds},
                rounds=2**16,
                replications=budget.choose(2, 6),
            ),
        }

    def curves(result: dict[str, Study]) -> dict[str, np.ndarray]:
        return {name: joined(result["matrix" if name == "OMG" else "cores"], name) for name in rules}

    return Claim(
        statement="Without regularization optimistic self-play has regret of order sqrt(K).",
        latex=r"\mathrm{Reg}(K) = \tilde O(\sqrt{K})",
        source="Liu, Yu, Bai and Jin 2021, ICML, arXiv:2010.01604; Nayak et al. 2025, arXiv:2510.13060",
        predicted="exponents: 1/2",
        study=study,
        measure=lambda result: {
            f"exponent of {name}": estimate(lambda mean: _growth(mean, 6), regret)
            for name, regret in curves(result).items()
        },
        verdict=lambda found: every(*(inside(number(found, name), 0.42, 0.58) for name in found)),
        control=lambda budget: study(budget, 0.2),
        wrong="bonuses a fifth as large",
        figure=lambda result: figures.regret(
            pooled(
                result["cores"][(0,)],
                f"SOMG and Nash-VI on {CORES}, OMG on a matrix game of 3 x 3, eta = inf",
                curves(result),
            ),
            time="loglog",
        ),
    )


@claim
def somg_is_logarithmic() -> Claim:
    """SOMG gains as much regret in an octave as in the one before, and in proportion to eta.

    Eight mixed cores, S = 3, H = 3, K = 2^15, sixteen runs: at eta = 1 and 10 the octave ratio lies in [0.6, 1.5], and
    the exponent of eta of the final regret in [0.8, 1.2].

    The control is not regularized.
    """
    etas = (1.0, 10.0)

    def study(budget: Budget, regularized: bool = True) -> Study:
        return budget.run(
            lambda eta, seed: instances.mixed_core(seed=seed, eta=eta if regularized else math.inf),
            {"SOMG": somg},
            over={"eta": etas, "seed": range(budget.choose(8, 32))},
            rounds=2**15,
            replications=budget.choose(2, 6),
        )

    def measure(result: Study) -> Numbers:
        found: dict[str, Estimate | str] = {
            f"last / earlier octaves, eta = {eta:g}": estimate(increments, joined(result, "SOMG", eta=eta))
            for eta in etas
        }
        finals = [joined(result, "SOMG", eta=eta)[:, -1:] for eta in etas]
        found["exponent of eta"] = estimate(lambda *means: loglog(etas, [float(m[0]) for m in means]), *finals)
        return found

    def verdict(found: Numbers) -> str:
        return every(
            *(inside(number(found, name), *((0.8, 1.2) if name == "exponent of eta" else (0.6, 1.5))) for name in found)
        )

    return Claim(
        statement="Superoptimistic sampling of a KL-regularized Markov game has logarithmic regret, linear in eta.",
        latex=r"\mathrm{Reg}(K) = O(\eta\,d^3 H^7\log^2 K)",
        source="Nayak, Yang, Yagan, Joshi and Chi 2025, arXiv:2510.13060; reconstructed",
        predicted="octaves: 1; exponent: 1",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, regularized=False),
        wrong="no regularization",
        figure=lambda result: figures.regret_over_log(
            pooled(
                result[1.0, 0],
                f"{CORES}, SOMG",
                {_named(eta): joined(result, "SOMG", eta=eta) for eta in etas},
            )
        ),
    )


@claim
def games_are_planned_rarely() -> Claim:
    """Planning when some visits have grown by a tenth takes a few hundred plans, at the regret of planning always.

    Eight mixed cores, S = 3, H = 3, eta = 1: the largest number of plans of SOMG in 2^17 rounds lies in [0, 400], and
    its mean regret over that of planning every round, for K = 2^10, in [0.85, 1.15].

    The control plans every round, 2^10 in number.
    """

    def study(budget: Budget, growth: float = 1.1, rounds: int = 2**17) -> dict[str, Study]:
        rules: dict[str, Any] = {
            "visits up by a tenth": functools.partial(somg, growth=growth),
            "every round": functools.partial(somg, growth=1.0),
        }
        return {
            name: budget.run(
                lambda seed: instances.mixed_core(seed=seed, eta=1.0),
                {label: rule for label, rule in rules.items() if name == "short" or label != "every round"},
                over={"seed": range(budget.choose(8, 32))},
                rounds=2**10 if name == "short" else rounds,
                replications=budget.choose(1, 4),
            )
            for name in ("short", "long")
        }

    def measure(result: dict[str, Study]) -> Numbers:
        rarely, always = (joined(result["short"], name)[:, -1] for name in ("visits up by a tenth", "every round"))
        plans = [run.channels["visits up by a tenth"]["plans"][:, -1].max() for run in result["long"].values()]
        return {
            "largest number of plans": fact(max(plans)),
            "regret over planning every round": estimate(
                lambda mean: float(mean[0] / mean[1]), np.stack([rarely, always], axis=1)
            ),
        }

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "largest number of plans"), 0.0, 400.0),
            inside(number(found, "regret over planning every round"), 0.85, 1.15),
        )

    def figure(result: dict[str, Study]) -> Any:
        runs = list(result["long"].values())
        curves = {"visits up by a tenth": np.concatenate([r.channels["visits up by a tenth"]["plans"] for r in runs])}
        curves["every round"] = np.tile(runs[0].checkpoints.astype(float), (len(curves["visits up by a tenth"]), 1))
        return figures.regret(
            pooled(runs[0], f"{CORES}, SOMG, eta = 1", curves, "plans"), channel="plans", time="loglog"
        )

    return Claim(
        statement="A game need be solved anew only when some visits have grown by a tenth: order log K times.",
        latex=r"\#\text{plans} \le 1 + HSAB\,\log_{1.1} K",
        source="Nayak et al. 2025, arXiv:2510.13060, for SOMG; rare planning is this package's",
        predicted="a few hundred; 1",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, 1.0, 2**10),
        wrong="a plan every round",
        figure=figure,
    )


@claim
def self_play_sampling_has_both_laws() -> Claim:
    """Self-play posterior sampling has logarithmic regret under KL regularization, and of order sqrt(K) without.

    Eight mixed cores, S = 2, H = 2: at eta = 1, K = 2^11, the octave ratio lies in [0.6, 1.6]; at eta = inf, K = 2^13,
    the exponent of K of the mean regret over the last four octaves in [0.42, 0.58].

    The control exchanges the two values of eta, at K = 2^11.
    """

    def study(budget: Budget, etas: tuple[float, float] = (1.0, math.inf), last: int = 2**13) -> dict[str, Study]:
        return {
            name: budget.run(
                lambda seed, eta=eta: instances.mixed_core(2, 2, seed=seed, eta=eta),
                {"posterior sampling": self_play_posterior_sampling},
                over={"seed": range(budget.choose(8, 32))},
                rounds=rounds,
                replications=budget.choose(1, 4),
            )
            for name, eta, rounds in (("KL", etas[0], 2**11), ("plain", etas[1], last))
        }

    def measure(result: dict[str, Study]) -> Numbers:
        kl, plain = (joined(result[name], "posterior sampling") for name in ("KL", "plain"))
        return {
            "last / earlier octaves, eta = 1": estimate(increments, kl),
            "exponent of K, eta = inf": estimate(lambda mean: _growth(mean, 4), plain),
        }

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "last / earlier octaves, eta = 1"), 0.6, 1.6),
            inside(number(found, "exponent of K, eta = inf"), 0.42, 0.58),
        )

    def figure(result: dict[str, Study]) -> Any:
        kl, plain = (joined(result[name], "posterior sampling") for name in ("KL", "plain"))
        curves = {_named(1.0): kl, _named(math.inf): plain[:, : kl.shape[1]]}
        about = "mixed cores, H = 2, S = 2, 2 x 2 actions, self-play posterior sampling"
        return figures.regret(pooled(result["KL"][(0,)], about, curves), time="loglog")

    return Claim(
        statement="Self-play posterior sampling has regret of order sqrt(K), and logarithmic under KL regularization.",
        latex=r"\mathrm{Reg}(K) = \tilde O(\sqrt{K}),\quad O(\log K)\ \text{at}\ \eta < \infty",
        source="Xiong et al. 2022, ICML, arXiv:2210.01907, for sqrt(K); the logarithm is measured, not proven",
        predicted="octaves: 1; exponent: 1/2",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, (math.inf, 1.0), 2**11),
        wrong="regularized where it must not be, and the reverse",
        figure=figure,
    )


@claim
def deviations_must_be_covered() -> Claim:
    """Data of the equilibrium's cells alone leave a gap of 1/2 on one game of a pair, however many they are.

    The pair that agrees on the diagonal, where both equilibria lie, n = 10^3, 10^4 and 10^5: the gaps of one pair of
    policies in both games add to a number in [1 - 1e-12, 1 + 1e-12], for every fit; and the mean over the two games of
    the gap on data of the diagonal lies in [0.45, 0.55], for PMVI and the plug-in and every n.

    The control covers the unilateral deviations from each equilibrium too: three cells of four.
    """
    sizes = [10**k for k in (3, 4, 5)]
    fits: dict[str, Any] = {"PMVI": pmvi, "plug-in": plug_in}

    def study(budget: Budget, cover: str = "nash") -> tuple[dict[Any, Offline], list[float]]:
        pair = [instances.hard_pair(which, cover=cover) for which in (0, 1)]
        sums = []
        for n in sizes:
            for i in range(8):
                data = pair[i % 2].dataset(n, budget.seed, i)
                sums += [sum(game.suboptimality(fit(data)) for game in pair) for fit in fits.values()]
        runs = budget.run_offline(
            lambda which: instances.hard_pair(which, cover=cover),
            fits,
            over={"which": (0, 1)},
            samples=sizes,
            replications=budget.choose(32, 400),
        )
        return runs, sums

    def measure(result: tuple[dict[Any, Offline], list[float]]) -> Numbers:
        runs, sums = result
        found: dict[str, Estimate | str] = {
            "least sum of the two gaps": fact(min(sums)),
            "largest sum of the two gaps": fact(max(sums)),
        }
        for name in fits:
            for i, n in enumerate(sizes):
                found[f"mean gap, {name}, n = {n}"] = estimate(
                    lambda a, b, i=i: 0.5 * float(a[i] + b[i]), *(run.gap[name] for run in runs.values())
                )
        return found

    def verdict(found: Numbers) -> str:
        return every(
            *(
                inside(number(found, name), *((1.0 - 1e-12, 1.0 + 1e-12) if "sum" in name else (0.45, 0.55)))
                for name in found
            )
        )

    def figure(result: tuple[dict[Any, Offline], list[float]]) -> Any:
        runs, _ = result
        curves = {name: 0.5 * (runs[(0,)].gap[name] + runs[(1,)].gap[name]) for name in fits}
        about = "two games of 2 x 2 actions, data of the cells of their equilibria, mean gap over the pair, eta = inf"
        return figures.suboptimality(pooled(runs[(0,)], about, curves, "gap"))

    return Claim(
        statement="No offline algorithm can do without data of the deviations from an equilibrium.",
        latex=r"\mathrm{gap}_{G_0}(x, y) + \mathrm{gap}_{G_1}(x, y) = 1",
        source="Cui and Du 2022, NeurIPS, arXiv:2201.03522; the pair is derived for this package",
        predicted="sum: 1; means: 1/2",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, "unilateral"),
        wrong="data of the deviations",
        figure=figure,
    )


@claim
def unilateral_data_suffice() -> Claim:
    """On data of unilateral deviations the gap of PMVI falls like n^{-1/2}; on the equilibrium's cells alone it stays.

    Matching pennies with a third action that is never worth it, n = 200, 1600, 12800 and 102400: the exponent of n on
    all cells but (3, 3) lies in [-0.57, -0.43] for scale = .25, .5 and 1; on the four cells of the equilibrium the
    largest mean gap over the least lies in (-inf, 1.2], and the least in [0.3, inf).

    The control has data of the equilibrium's cells in both.
    """
    sizes = [200 * 8**k for k in range(4)]
    scales = (0.25, 0.5, 1.0)

    def study(budget: Budget, cover: str = "unilateral") -> tuple[Offline, Offline]:
        rules: dict[str, Any] = {f"scale = {c:g}": functools.partial(pmvi, scale=c) for c in scales}

        def gaps(cells: str, algorithms: dict[str, Any]) -> Offline:
            replications = budget.choose(64, 400)
            return budget.run_offline(
                lambda: instances.trap(cover=cells), algorithms, over={}, samples=sizes, replications=replications
            )[()]

        return gaps(cover, rules), gaps("nash", {"scale = 0.5": pmvi})

    def measure(result: tuple[Offline, Offline]) -> Numbers:
        good, poor = result
        found: dict[str, Estimate | str] = {
            f"exponent of n, {name}": estimate(lambda mean: loglog(sizes, mean), gap) for name, gap in good.gap.items()
        }
        gap = poor.gap["scale = 0.5"]
        found["equilibrium's cells, largest gap over least"] = estimate(
            lambda mean: float(mean.max() / mean.min()), gap
        )
        found["equilibrium's cells, least gap"] = estimate(lambda mean: float(mean.min()), gap)
        return found

    def verdict(found: Numbers) -> str:
        return every(
            *(inside(number(found, f"exponent of n, scale = {c:g}"), -0.57, -0.43) for c in scales),
            inside(number(found, "equilibrium's cells, largest gap over least"), -math.inf, 1.2),
            inside(number(found, "equilibrium's cells, least gap"), 0.3, math.inf),
        )

    def figure(result: tuple[Offline, Offline]) -> Any:
        good, poor = result
        curves = {name.replace("0.", "."): gap for name, gap in good.gap.items()}
        curves["equilibrium's\ncells alone"] = poor.gap["scale = 0.5"]
        about = "pennies with a trap, eta = inf, PMVI on data of unilateral deviations, or of four cells"
        return figures.suboptimality(pooled(good, about, curves, "gap"))

    return Claim(
        statement="Pessimism learns an equilibrium from data of one player's deviations from it, and from no less.",
        latex=r"\mathrm{gap} = \tilde O\big(\sqrt{C_{\mathrm{uni}}\,SAB/n}\big)",
        source="Zhong et al. 2022, ICML, arXiv:2202.07511; Cui and Du 2022, NeurIPS, arXiv:2201.03522",
        predicted="exponents: -1/2; constant",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, "nash"),
        wrong="the equilibrium's cells alone",
        figure=figure,
    )


@claim
def offline_games_have_two_rates() -> Claim:
    """The plug-in equilibrium has a gap of order eta / n, and n^{-1/2} where regularization is nearly forgotten.

    Pennies with a trap, data of all cells, n = 800, 6400, 51200 and 409600: the exponent of n at eta = 1, 5 and 30 lies
    in [-1.1, -0.9], at eta = 1000 in [-0.75, -0.45]; the exponent of eta over 1, 5 and 30 of the mean gap, as the mean
    over n, in [0.85, 1.2].

    The control is not regularized.
    """
    sizes = [800 * 8**k for k in range(4)]
    etas = (1.0, 5.0, 30.0, 1000.0)

    def study(budget: Budget, regularized: bool = True) -> dict[Any, Offline]:
        return budget.run_offline(
            lambda eta: instances.trap(cover="all", eta=eta if regularized else math.inf),
            {"plug-in": plug_in},
            over={"eta": etas},
            samples=sizes,
            replications=budget.choose(64, 400),
        )

    def measure(result: dict[Any, Offline]) -> Numbers:
        found: dict[str, Estimate | str] = {
            f"exponent of n, eta = {eta:g}": estimate(lambda mean: loglog(sizes, mean), run.gap["plug-in"])
            for (eta,), run in result.items()
        }
        found["exponent of eta"] = estimate(
            lambda *means: float(np.mean([loglog(etas[:3], [m[i] for m in means]) for i in range(len(sizes))])),
            *(result[(eta,)].gap["plug-in"] for eta in etas[:3]),
        )
        return found

    def verdict(found: Numbers) -> str:
        return every(
            *(inside(number(found, f"exponent of n, eta = {eta:g}"), -1.1, -0.9) for eta in etas[:3]),
            inside(number(found, "exponent of n, eta = 1000"), -0.75, -0.45),
            inside(number(found, "exponent of eta"), 0.85, 1.2),
        )

    def figure(result: dict[Any, Offline]) -> Any:
        curves = {_named(eta): run.gap["plug-in"] for (eta,), run in result.items()}
        about = "pennies with a trap, plug-in on data of all cells"
        return figures.suboptimality(pooled(result[(1.0,)], about, curves, "gap"))

    return Claim(
        statement="KL regularization turns the rate of offline games from n^{-1/2} to eta / n, without pessimism.",
        latex=r"\mathrm{gap} = \min\{O(\eta/n),\ O(n^{-1/2})\}",
        source="Beyond Pessimism: Offline Learning in KL-regularized Games 2026, arXiv:2604.06738, for 1/n; eta and "
        "the minimum are measured",
        predicted="exponents: -1, at eta = 1000 towards -1/2; of eta 1",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, regularized=False),
        wrong="no regularization",
        figure=figure,
    )


@claim
def pessimism_helps_unseen_deviations() -> Claim:
    """Under KL pessimism keeps the rate of the plug-in where all is seen, and loses less where deviations are not.

    Pennies with a trap, eta = 5 and 30, n = 800, 6400, 51200 and 409600: on data of all cells the exponent of n of
    KL-PMVI less that of the plug-in lies in [-0.1, 0.1]; on the four cells of the equilibrium without KL the largest
    mean gap over the least lies in (-inf, 1.2] for both, and the gap of KL-PMVI over that of the plug-in at the largest
    n in (-inf, 0.6].

    The control has data of all cells throughout.
    """
    sizes = [800 * 8**k for k in range(4)]
    etas = (5.0, 30.0)
    fits: dict[str, Any] = {"KL-PMVI": kl_pmvi, "plug-in": plug_in}

    def study(budget: Budget, poor: str = "nash") -> dict[str, dict[Any, Offline]]:
        return {
            name: budget.run_offline(
                lambda eta, cover=cover: instances.trap(cover=cover, eta=eta),
                fits,
                over={"eta": etas},
                samples=sizes,
                replications=budget.choose(32, 400),
            )
            for name, cover in (("all", "all"), ("some", poor))
        }

    def measure(result: dict[str, dict[Any, Offline]]) -> Numbers:
        found: dict[str, Estimate | str] = {}
        for eta in etas:
            seen, unseen = (
                np.stack([result[name][(eta,)].gap[fit] for fit in fits], axis=1) for name in ("all", "some")
            )
            found[f"exponent less the plug-in's, eta = {eta:g}"] = estimate(
                lambda mean: loglog(sizes, mean[0]) - loglog(sizes, mean[1]), seen
            )
            for i, name in enumerate(fits):
                found[f"some cells, largest gap over least, {name}, eta = {eta:g}"] = estimate(
                    lambda mean, i=i: float(mean[i].max() / mean[i].min()), unseen
                )
            found[f"some cells, KL-PMVI over plug-in, eta = {eta:g}"] = estimate(
                lambda mean: float(mean[0, -1] / mean[1, -1]), unseen
            )
        return found

    def verdict(found: Numbers) -> str:
        ranges = {"exponent": (-0.1, 0.1), "largest": (-math.inf, 1.2), "over plug-in": (-math.inf, 0.6)}
        return every(
            *(
                inside(number(found, name), *next(range_ for key, range_ in ranges.items() if key in name))
                for name in found
            )
        )

    def figure(result: dict[str, dict[Any, Offline]]) -> Any:
        curves = {
            f"{fit}, {told}": result[name][(5.0,)].gap[fit]
            for name, told in (("all", "all cells"), ("some", "4 cells"))
            for fit in fits
        }
        about = "pennies with a trap, eta = 5, data of all nine cells, or of the four of the equilibrium without KL"
        return figures.suboptimality(pooled(result["all"][(5.0,)], about, curves, "gap"))

    return Claim(
        statement="Pessimism costs no rate under KL, and loses less where deviations were not seen.",
        latex=r"\mathrm{gap}_{\mathrm{pess}}(n) \asymp \mathrm{gap}_{\mathrm{plug}}(n) \asymp n^{-1};\ "
        r"\mathrm{gap}_{\mathrm{pess}} < \mathrm{gap}_{\mathrm{plug}}\ \text{where deviations were not seen}",
        source="Zhong et al. 2022, ICML, arXiv:2202.07511, for the widths; under KL derived for this package",
        predicted="difference: 0; constant; below 1",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, "all"),
        wrong="data of all cells throughout",
        figure=figure,
    )


@claim
def brackets_certify_policies() -> Claim:
    """PMVI's values for both players bracket the true value; theirs and Nash-VI's bound the gap of their policies.

    Four mixed cores, S = 3, H = 3, delta = .1. PMVI at scale 1 on n = 10^2, 10^3, 10^4 and 10^5: the share of datasets
    with V* outside [V_lo, V_up] in some state and stage lies in (-inf, 0.1], and the share whose gap exceeds
    V_up - V_lo at the first state in (-inf, 0.1]. Nash-VI at scale .5, its plan after K = 2^4, 2^5, ..., 2^14 episodes:
    the share of plans whose gap exceeds V+ - V- lies in (-inf, 0.1]. A share of 0 has no standard error: it says that
    none of so many did.

    The control has widths a twentieth as large.
    """
    sizes = [10**k for k in (2, 3, 4, 5)]
    rounds = [2**k for k in range(4, 15)]

    def study(budget: Budget, factor: float = 1.0) -> tuple[Offline, dict[str, np.ndarray]]:
        runs = budget.run_offline(
            lambda seed: instances.mixed_core(seed=seed, eta=math.inf),
            {"PMVI": functools.partial(pmvi, scale=factor)},
            over={"seed": range(4)},
            samples=sizes,
            replications=budget.choose(12, 200),
        )
        found: dict[str, list[list[float]]] = {"outside": [], "offline": [], "plans": []}
        for run in runs.values():
            game, star = run.problem, run.problem.equilibrium().value
            for i in run.replications:
                pairs = [brackets(game.dataset(n, budget.seed, i), factor, 0.1, 1.0) for n in sizes]
                found["outside"].append([bool((p.value > star).any() or (star > q.value).any()) for p, q in pairs])
                found["offline"].append([game.start @ (q.value[0] - p.value[0]) for p, q in pairs])
            for i in run.replications[:: budget.choose(2, 10)]:
                found["plans"].append([beyond_bracket(game, k, budget.seed, i, 0.5 * factor) for k in rounds])
        arrays = {name: np.array(rows, float) for name, rows in found.items()}
        return runs[(0,)], arrays | {"gap": np.concatenate([run.gap["PMVI"] for run in runs.values()])}

    def beyond_bracket(game: Any, episodes: int, seed: int, replication: int, scale: float) -> bool:
        learner = nash_vi(game, rounds[-1], scale=scale)
        game.play(learner, np.array([episodes]), seed, replication, np.zeros(2, np.int64))
        joint = learner.joint.reshape(game.reward.shape)
        gap = game.suboptimality((joint.sum(axis=3), joint.sum(axis=2)))
        return bool(gap > game.start @ (learner.upper[0] - learner.lower[0]))

    def measure(result: tuple[Offline, dict[str, np.ndarray]]) -> Numbers:
        _, found = result
        shares = {
            "datasets, V* outside [V_lo, V_up]": found["outside"],
            "datasets, gap above V_up - V_lo": (found["gap"] > found["offline"]).astype(float),
            "plans, gap above V+ - V-": found["plans"],
        }
        return {f"share of {name}": estimate(lambda mean: float(mean.mean()), rows) for name, rows in shares.items()}

    def figure(result: tuple[Offline, dict[str, np.ndarray]]) -> Any:
        first, found = result
        curves = {"duality gap": found["gap"], r"$V_{\mathrm{up}} - V_{\mathrm{lo}}$": found["offline"]}
        about = f"four {CORES}, PMVI at scale 1, its gap and what bounds it, eta = inf"
        return figures.suboptimality(pooled(first, about, curves, "gap"))

    return Claim(
        statement="Values that are pessimistic for either player bracket the value of a game and certify policies.",
        latex=r"V_{\mathrm{lo}} \le V^* \le V_{\mathrm{up}},\ \mathrm{gap} \le V_{\mathrm{up}} - V_{\mathrm{lo}}",
        source="Zhong et al. 2022, ICML, arXiv:2202.07511; Liu, Yu, Bai and Jin 2021, ICML, arXiv:2010.01604",
        predicted="V*: at most delta = .1; gaps: 0 where the widths cover the errors at V_lo and V_up",
        study=study,
        measure=measure,
        verdict=lambda found: every(*(inside(number(found, name), -math.inf, 0.1) for name in found)),
        control=lambda budget: study(budget, 0.05),
        wrong="widths a twentieth as large",
        figure=figure,
    )


@claim
def one_unseen_cell_leaves_a_gap() -> Claim:
    """Under KL data that suffice for the equilibrium without KL do not: a cell left out leaves a gap for ever.

    Pennies with a trap, eta = 1, KL-PMVI, n = 800, 6400, 51200 and 409600: on data of all cells the exponent of n lies
    in [-1.1, -0.9]; on all but (3, 3), which suffice without KL, the gap at the largest n over that at an eighth of it
    lies in [0.8, 1.2], and the gap there in [0.001, 0.01].

    The control has data of all cells in both.
    """
    sizes = [800 * 8**k for k in range(4)]

    def study(budget: Budget, cover: str = "unilateral") -> tuple[Offline, Offline]:
        def gaps(cells: str) -> Offline:
            replications = budget.choose(64, 400)
            return budget.run_offline(
                lambda: instances.trap(cover=cells, eta=1.0),
                {"KL-PMVI": kl_pmvi},
                over={},
                samples=sizes,
                replications=replications,
            )[()]

        return gaps("all"), gaps(cover)

    def measure(result: tuple[Offline, Offline]) -> Numbers:
        whole, left = (run.gap["KL-PMVI"] for run in result)
        return {
            "exponent of n, all cells": estimate(lambda mean: loglog(sizes, mean), whole),
            "last gap over the one before, a cell left out": estimate(lambda mean: float(mean[-1] / mean[-2]), left),
            "last gap, a cell left out": estimate(lambda mean: float(mean[-1]), left),
        }

    def figure(result: tuple[Offline, Offline]) -> Any:
        whole, left = (run.gap["KL-PMVI"] for run in result)
        about = "pennies with a trap, KL-PMVI on data of all nine cells, or of all but (3, 3), eta = 1"
        return figures.suboptimality(pooled(result[0], about, {"all cells": whole, "(3, 3) left out": left}, "gap"))

    return Claim(
        statement="Under KL an equilibrium has full support: a cell without data leaves a gap for ever.",
        latex=r"\lim_{n \to \infty} \mathrm{gap}(n) > 0\ \text{where a cell is left out}",
        source="derived for this package from Cui and Du 2022, NeurIPS, arXiv:2201.03522",
        predicted="exponent: -1; ratio: 1; gap: about .003",
        study=study,
        measure=measure,
        verdict=lambda found: every(
            *(
                inside(number(found, name), *range_)
                for name, range_ in zip(found, ((-1.1, -0.9), (0.8, 1.2), (0.001, 0.01)), strict=True)
            )
        ),
        control=lambda budget: study(budget, "all"),
        wrong="data of all cells in both",
        figure=figure,
    )


@claim
def weak_regularization_crosses_over() -> Claim:
    """At eta = 100 the regret of OMG grows with the exponent of that without KL at first, and a smaller one in the end.

    The 3 x 3 matrix game whose equilibrium mixes all actions, Gaussian payoffs of spread 1/2, T = 2^16: the exponent of
    T over the last three octaves less that without regularization lies in (-inf, -0.1]; over rounds 2^5 to 2^9 the
    difference lies in [-0.1, 0.1].

    The control is not regularized in either.
    """
    etas = (100.0, math.inf)

    def study(budget: Budget, eta: float = 100.0) -> Study:
        return budget.run(
            lambda which: instances.mixed_matrix(noise="gaussian", eta=(eta, math.inf)[which]),
            {"OMG": omg},
            over={"which": (0, 1)},
            rounds=2**16,
            replications=budget.choose(64, 400),
        )

    def curves(result: Study) -> list[np.ndarray]:
        return [joined(result, "OMG", which=i) for i in (0, 1)]

    def measure(result: Study) -> Numbers:
        def less(*means: np.ndarray) -> float:
            return _growth(means[0], len(means[0]) - 1) - _growth(means[1], len(means[1]) - 1)

        return {
            "difference of exponents, early": estimate(less, *(curve[:, 5:10] for curve in curves(result))),
            "difference of exponents, late": estimate(less, *(curve[:, -4:] for curve in curves(result))),
        }

    return Claim(
        statement="Weak regularization hardly changes how regret grows in short runs, and bends that of long ones.",
        latex=r"\mathrm{Reg}(T) = \tilde O(\min\{\eta \log^2 T, \sqrt{T}\})",
        source="Nayak, Yang, Yagan, Joshi and Chi 2025, arXiv:2510.13060; reconstructed",
        predicted="early: 0; late: below 0",
        study=study,
        measure=measure,
        verdict=lambda found: every(
            inside(number(found, "difference of exponents, early"), -0.1, 0.1),
            inside(number(found, "difference of exponents, late"), -math.inf, -0.1),
        ),
        control=lambda budget: study(budget, math.inf),
        wrong="no regularization",
        figure=lambda result: figures.regret(
            pooled(
                result[(0,)],
                "matrix game of 3 x 3 actions with a mixed equilibrium, OMG, Gaussian payoffs of spread .5",
                dict(zip((_named(eta) for eta in etas), curves(result), strict=True)),
            ),
            time="loglog",
        ),
    )
