"""Claims of the MDP family: rates of optimism and posterior sampling, and of pessimism on offline data.

In every rule "lies in [a, b]" is `inside`: supported with a margin of two standard errors, refuted from four standard
errors outside.
"""

from __future__ import annotations

import dataclasses
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
    grid,
    increments,
    inside,
    joined,
    loglog,
    number,
    pooled,
)
from banditlab.mdps import instances
from banditlab.mdps.conditional_posterior_sampling import conditional_posterior_sampling
from banditlab.mdps.gec_posterior_sampling import gec_posterior_sampling
from banditlab.mdps.greedy import greedy
from banditlab.mdps.kl_lsvi_ucb import kl_lsvi_ucb
from banditlab.mdps.kl_pevi import kl_pevi
from banditlab.mdps.linpevi_adv import linpevi_adv
from banditlab.mdps.linpevi_adv_plus import linpevi_adv_plus
from banditlab.mdps.lsvi_ucb import lsvi_ucb
from banditlab.mdps.pevi import pevi
from banditlab.mdps.plug_in import plug_in
from banditlab.mdps.psrl import psrl
from banditlab.mdps.rlsvi import rlsvi
from banditlab.mdps.ucbvi import ucbvi
from banditlab.trajectory import Offline


@claim
def kl_lsvi_ucb_is_logarithmic() -> Claim:
    """KL-LSVI-UCB gains as much regret in an octave as in the one before, and in proportion to eta.

    Six random linear MDPs, S = 8, A = 4, H = 4, d = 4, scale .3, ridge 1, K = 2^13: at eta = .5, 1 and 2 the regret of
    the last three octaves over that of the three before lies in [0.7, 1.5], and the final regret at eta = 1 over that
    at eta = .5 in [1.7, 2.4].

    The control is not regularized.
    """

    def study(budget: Budget, regularized: bool = True) -> Study:
        rule = functools.partial(kl_lsvi_ucb, scale=0.3, lam=1.0) if regularized else kl_lsvi_ucb
        return budget.run(
            lambda eta, seed: instances.random_linear(seed=seed, eta=eta if regularized else math.inf),
            {"learner": rule},
            over={"eta": [0.5, 1.0, 2.0], "seed": range(budget.choose(6, 24))},
            rounds=2**13,
            replications=budget.choose(8, 32),
        )

    def measure(result: Study) -> Numbers:
        found: dict[str, Estimate | str] = {}
        for eta in (0.5, 1.0, 2.0):
            found[f"last / earlier octaves, eta = {eta:g}"] = estimate(increments, joined(result, "learner", eta=eta))
        found["regret at eta = 1 over .5"] = estimate(
            lambda one, half: float(one[-1] / half[-1]),
            joined(result, "learner", eta=1.0),
            joined(result, "learner", eta=0.5),
        )
        return found

    def verdict(found: Numbers) -> str:
        return every(
            *(inside(number(found, name), *((1.7, 2.4) if name.startswith("regret") else (0.7, 1.5))) for name in found)
        )

    def figure(result: Study) -> Any:
        curves = {f"$\\eta = {eta:g}$": joined(result, "learner", eta=eta) for eta in (0.5, 1.0, 2.0)}
        about = "random linear MDPs, d = 4, H = 4, S = 8, A = 4"
        return figures.regret_over_log(pooled(result[1.0, 0], about, curves))

    return Claim(
        statement="Optimistic exploration of a KL-regularized linear MDP has logarithmic regret, linear in eta.",
        latex=r"\mathrm{Reg}(K) = O(\eta\,\beta^2 H^2\,d H\log K)",
        source="Zhao, Ye, Xiong, Gu and Zhang 2025, ICML, arXiv:2502.07460; this form reconstructed",
        predicted="octaves: 1; eta: 2",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, regularized=False),
        wrong="no regularization",
        figure=figure,
    )


@claim
def sqrt_on_the_hypercube() -> Claim:
    """On hypercubes whose gap is the hardest for K, optimism and posterior sampling have regret of order sqrt(K).

    H = 4, three coordinates, K = 512, 2048, 8192 and 32768, an instance and a run for each seed: the exponent of the
    mean regret of LSVI-UCB and of RLSVI lies in [0.42, 0.58].

    The control has the gap of K = 512 throughout.
    """
    horizons = [2**k for k in (9, 11, 13, 15)]

    def study(budget: Budget, scaled: bool = True) -> Study:
        return budget.run(
            lambda seed, rounds: instances.minimax_hypercube(rounds if scaled else horizons[0], seed=seed),
            {"LSVI-UCB": lsvi_ucb, "RLSVI": rlsvi},
            over={"seed": range(budget.choose(16, 100)), "rounds": horizons},
            replications=1,
        )

    def finals(result: Study, label: str) -> list[np.ndarray]:
        return [
            np.array([run.regret[label][:, -1] for (_, K), run in result.items() if K == rounds]) for rounds in horizons
        ]

    def measure(result: Study) -> Numbers:
        return {
            f"exponent of {label}": estimate(
                lambda *means: loglog(horizons, [float(m[0]) for m in means]), *finals(result, label)
            )
            for label in ("LSVI-UCB", "RLSVI")
        }

    return Claim(
        statement="Without regularization the worst-case regret of linear MDPs grows like sqrt(K).",
        latex=r"\mathrm{Reg}(K) = \Theta(\sqrt{K})\ \text{at}\ \Delta \propto K^{-1/2}",
        source="Jin et al. 2020, arXiv:1907.05388; Zhou, Gu and Szepesvari 2021, arXiv:2012.08507 (lower bound)",
        predicted="exponents: 1/2",
        study=study,
        measure=measure,
        verdict=lambda found: every(*(inside(number(found, name), 0.42, 0.58) for name in found)),
        control=lambda budget: study(budget, scaled=False),
        wrong="a gap that does not shrink",
        figure=lambda result: figures.scaling(
            grid(_over_seeds(result, horizons), ["rounds"], "hypercubes, H = 4, d = 5, unregularized, hardest gap"),
            "rounds",
        ),
    )


def _over_seeds(study: Study, horizons: list[int]) -> Study:
    """The points (seed, K) of a study joined to points (K,)."""
    out: Study = {}
    for rounds in horizons:
        runs = [run for (_, K), run in study.items() if rounds == K]
        channels = {label: {"regret": np.concatenate([run.regret[label] for run in runs])} for label in runs[0].regret}
        out[(rounds,)] = dataclasses.replace(runs[0], channels=channels, replications=range(len(runs)))
    return out


@claim
def episodes_linear_in_eta_then_flat() -> Claim:
    """At a fixed number of episodes regret grows in proportion to eta, and stops where regularization is forgotten.

    The hypercube, H = 4, three coordinates, gap .015, scale 1, K = 2^13, eight seeds: the exponent of the mean regret
    in eta over .5, 2, 8 and 32 lies in [0.75, 1.05], and the regret at eta = inf over that at eta = 128 in (-inf, 1.6].

    The control takes the exponent over 128, 256, 512 and 1024.
    """

    def study(budget: Budget, etas: tuple[float, ...] = (0.5, 2.0, 8.0, 32.0)) -> Study:
        return budget.run(
            lambda eta, seed: instances.hypercube(gap=0.015, seed=seed, eta=eta),
            {"KL-LSVI-UCB": functools.partial(kl_lsvi_ucb, scale=1.0)},
            over={"eta": dict.fromkeys([*etas, 128.0, math.inf]), "seed": range(budget.choose(8, 40))},
            rounds=2**13,
            replications=1,
        )

    def measure(result: Study) -> Numbers:
        etas = list(dict.fromkeys(eta for eta, _ in result))
        finals = {eta: joined(result, "KL-LSVI-UCB", eta=eta)[:, -1:] for eta in etas}
        slope = estimate(
            lambda *means: loglog(etas[:4], [float(m[0]) for m in means]), *(finals[eta] for eta in etas[:4])
        )
        flat = estimate(lambda a, b: float(a[0] / b[0]), finals[math.inf], finals[128.0])
        return {"exponent of eta": slope, "regret at inf over 128": flat}

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "exponent of eta"), 0.75, 1.05),
            inside(number(found, "regret at inf over 128"), -math.inf, 1.6),
        )

    def figure(result: Study) -> Any:
        shown: Study = {}
        for eta in dict.fromkeys(eta for eta, _ in result if eta < math.inf):
            first = result[eta, 0]
            regret = joined(result, "KL-LSVI-UCB", eta=eta)
            shown[(eta,)] = dataclasses.replace(
                first, channels={"KL-LSVI-UCB": {"regret": regret}}, replications=range(len(regret))
            )
        return figures.scaling(grid(shown, ["eta"], "hypercube, H = 4, d = 5, gap .015"), "eta", fit=(0.5, 32.0))

    return Claim(
        statement="Regret of a linear MDP is linear in eta up to about sqrt(K), and flat beyond.",
        latex=r"\mathrm{Reg}(K) = \min\{O(\eta\log K),\ O(\sqrt{K})\}",
        source="Zhao, Ye, Xiong, Gu and Zhang 2025, ICML, arXiv:2502.07460; this form reconstructed",
        predicted="exponent: 1; then flat",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, (128.0, 256.0, 512.0, 1024.0)),
        wrong="the exponent beyond the crossover",
        figure=figure,
    )


@claim
def psrl_is_logarithmic_under_kl() -> Claim:
    """KL-regularized posterior sampling gains as much regret in an octave as in the one before.

    Six random tabular MDPs, S = 4, A = 3, H = 3, eta = 1, K = 2^14: the regret of the last three octaves over that of
    the three before lies in [0.7, 1.3].

    The control has a prior over transitions that no data move.
    """

    def study(budget: Budget, algorithm: Any = psrl) -> Study:
        return budget.run(
            lambda seed: instances.random_tabular(seed=seed, eta=1.0),
            {"PSRL": algorithm},
            over={"seed": range(budget.choose(6, 24))},
            rounds=2**14,
            replications=budget.choose(2, 8),
        )

    return Claim(
        statement="Posterior sampling has logarithmic regret under KL regularization.",
        latex=r"\mathrm{Reg}(K) = O(\log K)",
        source="Osband, Russo and Van Roy 2013, arXiv:1306.0940, for PSRL; the rate is measured, not proven",
        predicted="octaves: 1",
        study=study,
        measure=lambda result: {"last / earlier octaves": estimate(increments, joined(result, "PSRL"))},
        verdict=lambda found: inside(number(found, "last / earlier octaves"), 0.7, 1.3),
        control=lambda budget: study(budget, functools.partial(psrl, prior=1e9)),
        wrong="a prior that no data move",
        figure=lambda result: figures.regret_over_log(result[(0,)]),
    )


@claim
def exploration_finds_the_far_end() -> Claim:
    """Certainty equivalence never finds the far end of RiverSwim; optimism and posterior sampling do.

    S = 6, H = 20, K = 2^12, four labellings: the mean regret of UCBVI (both bonuses), PSRL and conditional posterior
    sampling over that of greedy value iteration lies in (-inf, 0.2], and the regret of the last octave over that of the
    one before of greedy in [1.9, 2.1].

    The control puts greedy value iteration in their place.
    """
    explorers: dict[str, Any] = {
        "UCBVI, Bernstein": functools.partial(ucbvi, scale=0.1),
        "UCBVI, Hoeffding": functools.partial(ucbvi, bonus="hoeffding", scale=0.03),
        "PSRL": psrl,
        "conditional posterior sampling": functools.partial(conditional_posterior_sampling, candidates=4),
    }

    def study(budget: Budget, lazy: bool = False) -> Study:
        rules: dict[str, Any] = dict.fromkeys(explorers, greedy) if lazy else explorers
        return budget.run(
            lambda seed: instances.river_swim(seed=seed),
            {**rules, "greedy": greedy},
            over={"seed": range(budget.choose(4, 12))},
            rounds=2**12,
            replications=budget.choose(1, 4),
        )

    def measure(result: Study) -> Numbers:
        lost = joined(result, "greedy")
        found: dict[str, Estimate | str] = {
            f"{name} over greedy": estimate(lambda a, b: float(a[-1] / b[-1]), joined(result, name), lost)
            for name in explorers
        }
        found["last octave over the one before, greedy"] = estimate(
            lambda mean: float((mean[-1] - mean[-2]) / (mean[-2] - mean[-3])), lost
        )
        return found

    def verdict(found: Numbers) -> str:
        return every(
            *(
                inside(number(found, name), *((-math.inf, 0.2) if name.endswith("over greedy") else (1.9, 2.1)))
                for name in found
            )
        )

    return Claim(
        statement="Where reward is far upstream, only exploration finds it: greedy regret is linear.",
        latex=r"\mathrm{Reg}_{\mathrm{greedy}}(K) = \Omega(K)",
        source="Osband, Russo and Van Roy 2013, arXiv:1306.0940; Azar, Osband and Munos 2017, arXiv:1703.05449",
        predicted="ratios below .2; greedy doubles",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, lazy=True),
        wrong="greedy value iteration in their place",
        figure=lambda result: figures.regret(result[(0,)], time="loglog"),
    )


@claim
def doubling_plans_rarely() -> Claim:
    """Planning only when a determinant has doubled needs order log K plans, at little regret.

    Three random linear MDPs, S = 8, A = 4, H = 4, d = 4, eta = 2, K = 2^14: the largest number of plans over
    1 + H d log2(1 + K / (lam d)) lies in [0, 1], and the mean regret over that of planning every episode in
    (-inf, 1.5].

    The control plans every episode.
    """

    def study(budget: Budget, growth: float = 2.0) -> Study:
        rules: dict[str, Any] = {
            "doubling": functools.partial(kl_lsvi_ucb, growth=growth),
            "every episode": kl_lsvi_ucb,
        }
        return budget.run(
            lambda seed: instances.random_linear(seed=seed, eta=2.0),
            rules,
            over={"seed": range(budget.choose(3, 12))},
            rounds=2**14,
            replications=budget.choose(4, 16),
        )

    def measure(result: Study) -> Numbers:
        plans = np.concatenate([run.channels["doubling"]["plans"][:, -1] for run in result.values()])
        most = 1.0 + 16.0 * math.log2(1.0 + 2**14 / (0.1 * 4.0))
        both = (joined(result, "doubling"), joined(result, "every episode"))
        return {
            "largest number of plans over its bound": fact(plans.max() / most),
            "regret over planning every episode": estimate(lambda a, b: float(a[-1] / b[-1]), *both),
        }

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "largest number of plans over its bound"), 0.0, 1.0),
            inside(number(found, "regret over planning every episode"), -math.inf, 1.5),
        )

    return Claim(
        statement="Planning when a determinant doubles takes O(d H log K) plans and costs little regret.",
        latex=r"\#\text{plans} \le 1 + dH\log_2(1 + K/(\lambda d))",
        source="Abbasi-Yadkori, Pal and Szepesvari 2011; Wang, Zhou and Gu 2021, arXiv:2101.02195",
        predicted="at most 1; near 1",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, 1.0),
        wrong="a plan every episode",
        figure=lambda result: figures.regret(result[(0,)], channel="plans", time="loglog"),
    )


def _gaps(study: dict[Any, Offline], label: str, i: int = 0) -> np.ndarray:
    """(R, 1) suboptimalities of a policy, at the i-th sample size, over all points."""
    return np.concatenate([run.gap[label][:, i : i + 1] for run in study.values()])


@claim
def offline_episodes_have_two_rates() -> Claim:
    """Pessimistic value iteration learns at 1 / n under KL regularization and at n^{-1/2} without.

    Hypercubes with the hardest gap for n, H = 4, three coordinates, uniform behaviour, n = 2^10, 2^13, ..., 2^19, an
    instance for each seed: the exponent of the mean suboptimality of KL-PEVI at eta = 2 lies in [-1.1, -0.9], and of
    PEVI at eta = inf in [-0.57, -0.43].

    The control is regularized in both, at eta = 2.
    """
    sizes = [2**k for k in (10, 13, 16, 19)]

    def study(budget: Budget, weak: float = math.inf) -> dict[Any, Offline]:
        out: dict[Any, Offline] = {}
        for n in sizes:
            runs = budget.run_offline(
                lambda eta, seed, n=n: instances.offline_hypercube(n, seed=seed, eta=min(eta, weak)),
                {"KL-PEVI": kl_pevi},
                over={"eta": [2.0, math.inf], "seed": range(budget.choose(20, 60))},
                samples=[n],
                replications=budget.choose(5, 40),
            )
            out.update({(eta, n, seed): run for (eta, seed), run in runs.items()})
        return out

    def gaps(result: dict[Any, Offline], eta: float) -> list[np.ndarray]:
        return [_gaps({p: r for p, r in result.items() if p[:2] == (eta, n)}, "KL-PEVI") for n in sizes]

    def measure(result: dict[Any, Offline]) -> Numbers:
        return {
            f"exponent at eta = {eta:g}": estimate(
                lambda *means: loglog(sizes, [float(m[0]) for m in means]), *gaps(result, eta)
            )
            for eta in (2.0, math.inf)
        }

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "exponent at eta = 2"), -1.1, -0.9),
            inside(number(found, "exponent at eta = inf"), -0.57, -0.43),
        )

    def figure(result: dict[Any, Offline]) -> Any:
        first = next(iter(result.values()))
        shown = {
            name: np.concatenate(gaps(result, eta), axis=1)
            for name, eta in (("KL-PEVI, $\\eta = 2$", 2.0), ("PEVI, $\\eta = \\infty$", math.inf))
        }
        about = "hypercubes, H = 4, d = 5, the hardest gap for each n, uniform behaviour"
        first = dataclasses.replace(first, samples=np.array(sizes))
        return figures.suboptimality(pooled(first, about, shown, "gap"))

    return Claim(
        statement="KL regularization turns the rate of offline reinforcement learning from n^{-1/2} to 1/n.",
        latex=r"\mathrm{SubOpt} = \min\{O(\eta/n),\ O(n^{-1/2})\}",
        source="Jin, Yang and Wang 2021, ICML, arXiv:2012.15085; under KL derived for this package",
        predicted="exponents: -1 and -1/2",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, 2.0),
        wrong="regularized in both",
        figure=figure,
    )


@claim
def kl_pevi_is_linear_in_eta() -> Claim:
    """KL-PEVI's suboptimality falls like 1 / n and grows in proportion to eta.

    Four random linear MDPs, S = 8, A = 4, H = 4, d = 4, uniform behaviour, n = 2^9, 2^11, 2^13 and 2^15: the exponent
    in n at eta = .5, 1 and 5 lies in [-1.1, -0.9], and the suboptimality at eta = 1 over that at eta = .5, as the
    geometric mean over n, in [1.8, 2.2].

    The control multiplies every eta by 100.
    """
    sizes = [2**k for k in (9, 11, 13, 15)]

    def study(budget: Budget, factor: float = 1.0) -> dict[Any, Offline]:
        return budget.run_offline(
            lambda eta, seed: instances.random_linear(seed=seed, eta=factor * eta),
            {"KL-PEVI": kl_pevi},
            over={"eta": [0.5, 1.0, 5.0], "seed": range(budget.choose(4, 16))},
            samples=sizes,
            replications=budget.choose(48, 200),
        )

    def of(result: dict[Any, Offline], eta: float) -> np.ndarray:
        return np.concatenate([run.gap["KL-PEVI"] for (e, _), run in result.items() if e == eta])

    def measure(result: dict[Any, Offline]) -> Numbers:
        found: dict[str, Estimate | str] = {
            f"exponent of n, eta = {eta:g}": estimate(lambda mean: loglog(sizes, mean), of(result, eta))
            for eta in (0.5, 1.0, 5.0)
        }
        ratio = estimate(lambda one, half: math.exp(np.log(one / half).mean()), of(result, 1.0), of(result, 0.5))
        return {**found, "eta = 1 over .5": ratio}

    def verdict(found: Numbers) -> str:
        return every(
            *(inside(number(found, name), *((-1.1, -0.9) if name.startswith("exp") else (1.8, 2.2))) for name in found)
        )

    def figure(result: dict[Any, Offline]) -> Any:
        shown = {f"$\\eta = {eta:g}$": of(result, eta) for eta in (0.5, 1.0, 5.0)}
        about = "random linear MDPs, H = 4, S = 8, A = 4, d = 4, uniform behaviour"
        return figures.suboptimality(pooled(result[0.5, 0], about, shown, "gap"))

    return Claim(
        statement="Offline regularized value iteration loses order eta / n.",
        latex=r"\mathrm{SubOpt} \le \tfrac{\eta}{2}\sum_h \mathbb{E}\,(Q^{\hat\pi}_h - \hat Q_h)^2 = O(\eta/n)",
        source="derived for this package; for bandits: Zhao et al., ICLR 2026, arXiv:2502.06051",
        predicted="exponents: -1; ratio: 2",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, 100.0),
        wrong="eta a hundred times as large",
        figure=figure,
    )


@claim
def narrower_widths_pay_over_long_horizons() -> Claim:
    """Over a long horizon the widths of reference-advantage estimates beat uniform ones, and those of ADV+ beat both.

    The two-state instance with a hundred actions and ten features, H = 40, n = 50, 100, ..., 800, three seeds, widths
    .1 sqrt(d) (H - h) of PEVI, .1 (H - h) of ADV and .1 sqrt(d) of ADV+: the sum of the suboptimalities of ADV over
    that of PEVI lies in (-inf, 0.5], and that of ADV+ over that of ADV in (-inf, 0.9].

    The control has H = 10. The instance is deterministic: what pays is the widths, .1 sqrt(d) without the horizon, and
    not the weights of ADV+, which estimate no more than noise here.
    """
    fits: dict[str, Any] = {
        "PEVI": functools.partial(pevi, scale=0.1 * math.sqrt(10.0), lam=1.0),
        "ADV": linpevi_adv,
        "ADV+": linpevi_adv_plus,
    }

    def study(budget: Budget, horizon: int = 40, times: int = 1) -> dict[Any, Offline]:
        return budget.run_offline(
            lambda seed: instances.two_state(horizon, seed=seed),
            fits,
            over={"seed": range(budget.choose(3, 12))},
            samples=[50, 100, 200, 400, 800],
            replications=times * budget.choose(4, 40),
        )

    def measure(result: dict[Any, Offline]) -> Numbers:
        areas = np.stack(
            [np.concatenate([run.gap[name] for run in result.values()]).sum(axis=1) for name in fits], axis=1
        )
        return {
            "ADV over PEVI": estimate(lambda mean: float(mean[1] / mean[0]), areas),
            "ADV+ over ADV": estimate(lambda mean: float(mean[2] / mean[1]), areas),
        }

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "ADV over PEVI"), -math.inf, 0.5),
            inside(number(found, "ADV+ over ADV"), -math.inf, 0.9),
        )

    return Claim(
        statement="Over long horizons narrower widths pay: without sqrt(d), and without the factor of the horizon.",
        latex=r"\mathrm{SubOpt} = \tilde O\big(\sqrt{d}\,\textstyle\sum_h \mathbb{E}_{\pi^*}|\phi|_{\Sigma^{-1}}\big)",
        source="Xiong et al. 2023, ICLR, arXiv:2205.15512",
        predicted="ratios below 1",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, 10, times=8),
        wrong="H = 10",
        figure=lambda result: figures.suboptimality(result[(0,)]),
    )


@claim
def pessimism_pays_for_poor_coverage() -> Claim:
    """Pessimism wins where few data barely cover the optimum, and costs where they cover it well.

    Six random linear MDPs, S = 8, A = 4, H = 4, d = 4, eta = 2, offline data of the optimum with probability p and else
    of the worst policy: the mean suboptimality of KL-PEVI over that of the plug-in policy lies in (-inf, 0.75] at
    p = .02, n = 30, and in [1.1, inf) at p = .5, n = 3000.

    The control exchanges the two values of p.
    """
    cases = {"p = .02, n = 30": (0.02, 30), "p = .5, n = 3000": (0.5, 3000)}

    def study(budget: Budget, shares: tuple[float, float] = (0.02, 0.5)) -> dict[str, dict[Any, Offline]]:
        return {
            name: budget.run_offline(
                lambda seed, p=p: instances.covered(instances.random_linear(seed=seed, eta=2.0), p),
                {"KL-PEVI": kl_pevi, "plug-in": plug_in},
                over={"seed": range(budget.choose(6, 24))},
                samples=[30, 300, 3000],
                replications=budget.choose(20, 120),
            )
            for (name, _), p in zip(cases.items(), shares, strict=True)
        }

    def measure(result: dict[str, dict[Any, Offline]]) -> Numbers:
        found: dict[str, Estimate | str] = {}
        for (name, (_, n)), runs in zip(cases.items(), result.values(), strict=True):
            both = np.concatenate(
                [_gaps(runs, label, (30, 300, 3000).index(n)) for label in ("KL-PEVI", "plug-in")], axis=1
            )
            found[f"KL-PEVI over plug-in, {name}"] = estimate(lambda mean: float(mean[0] / mean[1]), both)
        return found

    def verdict(found: Numbers) -> str:
        return every(
            *(
                inside(number(found, name), *((1.1, math.inf) if "3000" in name else (-math.inf, 0.75)))
                for name in found
            )
        )

    return Claim(
        statement="Pessimism wins with few data that barely cover the optimum, and costs a constant elsewhere.",
        latex=r"\mathrm{SubOpt} \lesssim \textstyle\sum_h \mathbb{E}_{\pi^*}|\phi|_{\Lambda^{-1}}",
        source="Jin, Yang and Wang 2021, ICML, arXiv:2012.15085",
        predicted="below 1, and above 1",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, (0.5, 0.02)),
        wrong="the two shares exchanged",
        figure=lambda result: figures.suboptimality(result["p = .02, n = 30"][(0,)]),
    )


@claim
def a_finite_class_is_solved_at_once() -> Claim:
    """Over a finite class that episodes tell apart, posterior sampling has constant regret, with optimism or without.

    All 81 combination locks of four stages and three actions, five secrets, K = 2^9: the mean regret lies in
    (-inf, 8], and that gained after the first 64 episodes in (-inf, 0.1], for optimism 0 and 1.

    The control gives likelihoods no weight.
    """

    def study(budget: Budget, rate: float = 0.5) -> Study:
        rules: dict[str, Any] = {
            f"optimism {x:g}": functools.partial(gec_posterior_sampling, optimism=x, rate=rate) for x in (0.0, 1.0)
        }
        return budget.run(
            lambda seed: instances.lock_class(seed=seed),
            rules,
            over={"seed": range(budget.choose(5, 20))},
            rounds=2**9,
            replications=budget.choose(8, 20),
        )

    def measure(result: Study) -> Numbers:
        found: dict[str, Estimate | str] = {}
        for name in ("optimism 0", "optimism 1"):
            regret = joined(result, name)
            found[f"regret, {name}"] = estimate(lambda mean: float(mean[-1]), regret)
            found[f"regret after 64 episodes, {name}"] = estimate(lambda mean: float(mean[-1] - mean[6]), regret)
        return found

    def verdict(found: Numbers) -> str:
        return every(*(inside(number(found, name), -math.inf, 0.1 if "after" in name else 8.0) for name in found))

    return Claim(
        statement="A finite class of models that a few episodes tell apart costs constant regret.",
        latex=r"\mathrm{Reg}(K) = O(1)",
        source="Zhong et al. 2022, arXiv:2211.01962, for the algorithm; the rate is that of this instance",
        predicted="constant",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, 1e-9),
        wrong="likelihoods without weight",
        figure=lambda result: figures.regret(result[(0,)]),
    )


@claim
def deep_sea_is_solved() -> Claim:
    """DeepSea is solved by optimism and posterior sampling, and never by certainty equivalence.

    N = 6, six labellings, K = 2^10: the regret of the last octave over the K / 2 times .99 that are lost by never
    getting there lies in (-inf, 0.1] for UCBVI with both bonuses, and in [0.95, inf) for greedy value iteration; for
    PSRL in (-inf, 0.5].

    The control puts greedy value iteration in their place.
    """
    limits = {"UCBVI, Bernstein": 0.1, "UCBVI, Hoeffding": 0.1, "PSRL": 0.5}

    def study(budget: Budget, lazy: bool = False) -> Study:
        rules: dict[str, Any] = {
            "UCBVI, Bernstein": functools.partial(ucbvi, scale=0.1),
            "UCBVI, Hoeffding": functools.partial(ucbvi, bonus="hoeffding", scale=0.05),
            "PSRL": psrl,
        }
        if lazy:
            rules = dict.fromkeys(rules, greedy)
        return budget.run(
            lambda seed: instances.deep_sea(6, seed=seed),
            {**rules, "greedy": greedy},
            over={"seed": range(budget.choose(6, 24))},
            rounds=2**10,
            replications=budget.choose(2, 8),
        )

    def measure(result: Study) -> Numbers:
        return {
            f"share lost, {name}": estimate(
                lambda mean: float((mean[-1] - mean[-2]) / (2**9 * 0.99)), joined(result, name)
            )
            for name in (*limits, "greedy")
        }

    def verdict(found: Numbers) -> str:
        return every(
            *(inside(number(found, f"share lost, {name}"), -math.inf, top) for name, top in limits.items()),
            inside(number(found, "share lost, greedy"), 0.95, math.inf),
        )

    return Claim(
        statement="DeepSea takes exploration that is deep: optimism and posterior sampling find the one good path.",
        latex=r"\mathrm{Reg}_{\mathrm{greedy}}(K) = 0.99\,K",
        source="Osband, Van Roy, Russo and Wen 2019, JMLR, arXiv:1703.07608",
        predicted="0; greedy 1",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, lazy=True),
        wrong="greedy value iteration in their place",
        figure=lambda result: figures.regret(result[(0,)], time="loglog"),
    )
