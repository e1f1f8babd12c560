"""Claims of the dueling family: classical dueling, RLHF with Bradley-Terry feedback, learning from preferences.

In every rule "lies in [a, b]" is `inside`: supported with a margin of two standard errors, refuted from four standard
errors outside.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from types import SimpleNamespace
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
    inside,
    loglog,
    number,
)
from banditlab.dueling import instances
from banditlab.dueling.appo import appo
from banditlab.dueling.bt_greedy import bt_greedy
from banditlab.dueling.double_thompson import double_thompson
from banditlab.dueling.gshf import gshf
from banditlab.dueling.gshf_online import gshf_online
from banditlab.dueling.gshf_set import gshf_set
from banditlab.dueling.maxinp import maxinp
from banditlab.dueling.nash_enhancer import nash_enhancer
from banditlab.dueling.nash_greedy import nash_greedy
from banditlab.dueling.nash_mixed import nash_mixed
from banditlab.dueling.nash_pessimistic import nash_pessimistic
from banditlab.dueling.nash_plug_in import nash_plug_in
from banditlab.dueling.problem import bradley_terry, preferences
from banditlab.dueling.rlhf_enhancer import rlhf_enhancer
from banditlab.dueling.rlhf_greedy import rlhf_greedy
from banditlab.dueling.rlhf_hybrid import rlhf_hybrid
from banditlab.dueling.rlhf_mixed import rlhf_mixed
from banditlab.dueling.rlhf_two_stage import rlhf_two_stage
from banditlab.dueling.rucb import rucb
from banditlab.dueling.sparring_exp3 import sparring_exp3
from banditlab.dueling.sparring_ucb import sparring_ucb
from banditlab.dueling.symmetric_pair import symmetric_pair
from banditlab.trajectory import Offline, Trajectory

CLASSICAL = {"ladder": instances.bt_ladder, "cycle": instances.condorcet_cycle}


@claim
def double_thompson_is_logarithmic() -> Claim:
    """Double Thompson sampling has a small slope, and less regret than RUCB, with and without transitivity.

    The Bradley-Terry ladder and the cycle below a Condorcet winner, K = 10, T = 2^17: the log-log slope of its average
    regret over the last three octaves lies in (-inf, 0.25], and its regret over that of RUCB, and of sparring UCB, in
    (-inf, 0.7], on both.

    The control is sparring Exp3, whose regret grows like a square root.
    """

    def study(budget: Budget, algorithm: Any = double_thompson) -> dict[str, Study]:
        algorithms = {"double Thompson": algorithm, "RUCB": rucb, "sparring UCB": sparring_ucb}
        replications = budget.choose(8, 200)
        return {
            name: budget.run(factory, algorithms, over={}, rounds=2**17, replications=replications)
            for name, factory in CLASSICAL.items()
        }

    def measure(result: dict[str, Study]) -> Numbers:
        found: dict[str, Estimate | str] = {}
        for name, runs in result.items():
            regret = runs[()].regret
            found[f"slope, {name}"] = estimate(
                lambda mean: math.log(mean[-1] / mean[-4]) / math.log(8.0), regret["double Thompson"]
            )
            for rival in ("RUCB", "sparring UCB"):
                both = np.stack([regret["double Thompson"][:, -1], regret[rival][:, -1]], axis=1)
                found[f"over {rival}, {name}"] = estimate(lambda mean: float(mean[0] / mean[1]), both)
        return found

    def verdict(found: Numbers) -> str:
        return every(
            *(inside(number(found, name), -math.inf, 0.25 if name.startswith("slope") else 0.7) for name in found)
        )

    return Claim(
        statement="With a Condorcet winner the regret of double Thompson sampling is logarithmic, and below RUCB's.",
        latex=r"\mathrm{Reg}(T) = O(K \log T + K^2 \log\log T)",
        source="Wu and Liu 2016, arXiv:1604.07101",
        predicted="slopes near 0; below RUCB",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, sparring_exp3),
        wrong="sparring Exp3",
        figure=lambda result: figures.regret(result["ladder"][()], time="loglog"),
    )


@claim
def offline_nash_one_over_n() -> Claim:
    """The plug-in Nash policy's duality gap falls like 1 / n, and below that of a pessimistic one.

    A cycle of five arms with gap .3 and an arm below it, eta = 2, n = 2^9, 2^10, ..., 2^16: the exponent of the mean
    one-sided gap lies in [-1.1, -0.9], and its gap over that of `nash_pessimistic` at the largest n in (-inf, 1].

    The control gives back the reference policy, whose gap does not fall.
    """

    def study(budget: Budget, fit: Any = nash_plug_in) -> Offline:
        (run,) = budget.run_offline(
            lambda: instances.rps(5, 0.3, 1, eta=2.0),
            {"plug-in Nash": fit, "pessimistic Nash": nash_pessimistic},
            over={},
            samples=[2**k for k in range(9, 17)],
            replications=budget.choose(150, 2000),
        ).values()
        return run

    def measure(result: Offline) -> Numbers:
        gaps = result.gap["plug-in Nash"]
        both = np.stack([gaps[:, -1], result.gap["pessimistic Nash"][:, -1]], axis=1)
        return {
            "exponent": estimate(lambda mean: loglog(result.samples, mean), gaps),
            "plug-in over pessimistic": estimate(lambda mean: float(mean[0] / mean[1]), both),
        }

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "exponent"), -1.1, -0.9),
            inside(number(found, "plug-in over pessimistic"), -math.inf, 1.0),
        )

    return Claim(
        statement="Nash policies of estimated preferences have a duality gap of order 1 / n, without pessimism.",
        latex=r"\mathrm{gap}(\hat\pi) \le \frac{\eta}{8}\,\mathrm{range}\big((P - \hat P)\hat\pi\big)^2 = O(1/n)",
        source="Wu, Shi, Yang and Shen, NeurIPS 2025, arXiv:2510.24700",
        predicted="exponent: -1; below pessimism",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, _reference),
        wrong="the reference policy, which learns nothing",
        figure=figures.suboptimality,
    )


def _reference(dataset: Any) -> np.ndarray:
    """The reference policy, whatever the data."""
    return dataset.reference


@claim
def pessimism_is_a_trade() -> Claim:
    """Pessimism in offline RLHF pays where the worst arm is rare in the data, and costs where the best one is.

    Eight arms, eta = 8, n = 1000 comparisons of draws from the reference, which gives one arm mass .004; pessimism at
    scale 2. The mean suboptimality over that of the greedy policy lies in (-inf, 0.5] where the rare arm is the worst,
    and in [1.2, inf) where it is the best; that of pessimism over a set (`gshf_set`) in (-inf, 0.9] and in [1.1, inf).

    The control draws the data evenly from all arms.
    """
    rare = {"worst": instances.rare_bad, "best": instances.rare_good}

    def study(budget: Budget, even: bool = False) -> dict[str, Offline]:
        fits: dict[str, Any] = {
            "greedy": bt_greedy,
            "pessimistic": functools.partial(gshf, scale=2.0),
            "over a set": functools.partial(gshf_set, scale=2.0),
        }
        runs = {}
        for name, instance in rare.items():
            problem = instance(eta=8.0)
            if even:
                problem = problem._replace(behaviour=np.full((1, 8), 0.125))
            (runs[name],) = budget.run_offline(
                lambda problem=problem: problem,
                fits,
                over={},
                samples=[250, 1000, 4000],
                replications=budget.choose(160, 4000),
            ).values()
        return runs

    def measure(result: dict[str, Offline]) -> Numbers:
        return {
            f"{label} / greedy, {name} arm rare": estimate(
                lambda mean: float(mean[1] / mean[0]), np.stack([run.gap["greedy"][:, 1], run.gap[label][:, 1]], axis=1)
            )
            for name, run in result.items()
            for label in ("pessimistic", "over a set")
        }

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "pessimistic / greedy, worst arm rare"), -math.inf, 0.5),
            inside(number(found, "pessimistic / greedy, best arm rare"), 1.2, math.inf),
            inside(number(found, "over a set / greedy, worst arm rare"), -math.inf, 0.9),
            inside(number(found, "over a set / greedy, best arm rare"), 1.1, math.inf),
        )

    return Claim(
        statement="Pessimism in offline RLHF is a trade: it pays where bad arms are rare, and costs where good are.",
        latex=r"J(\pi^*) - J(\hat\pi) \le 2\eta\beta^2\,\mathbb{E}_{x,\pi^*}|\phi - \nu|^2_{\Sigma^{-1}}",
        source="Xiong et al. 2024, arXiv:2312.11456; Zhao et al., ICLR 2026, arXiv:2502.06051, for the bound",
        predicted="below 1/2 and above 1.2",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, even=True),
        wrong="data drawn evenly from all arms",
        figure=lambda result: figures.suboptimality(result["worst"]),
    )


@claim
def unprojected_greedy_locks_in() -> Claim:
    """Greedy sampling learns only if the known range of the rewards is imposed on their estimate.

    rare_good, eta = 8, T = 2^15: the log-log slope of the regret gained from octave to octave, less one, which is that
    of the gap of the main policy, over the last four octaves lies in [-0.1, inf) without the projection, and in
    (-inf, -0.4] with it.

    The control projects in both.
    """

    def study(budget: Budget, projected: bool = False) -> Trajectory:
        return budget.run(
            instances.rare_good,
            {"unprojected": functools.partial(rlhf_greedy, projected=projected), "projected": rlhf_greedy},
            over={},
            rounds=2**15,
            replications=budget.choose(96, 1000),
        )[()]

    def measure(result: Trajectory) -> Numbers:
        octaves = result.checkpoints[-4:]
        return {
            f"slope, {name}": estimate(lambda mean: loglog(octaves, np.diff(mean)[-4:]) - 1.0, regret)
            for name, regret in result.regret.items()
        }

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "slope, unprojected"), -0.1, math.inf),
            inside(number(found, "slope, projected"), -math.inf, -0.4),
        )

    return Claim(
        statement="Without the known range of rewards greedy sampling compares an arm with itself for ever.",
        latex=r"\pi_t \to \delta_a \;\Rightarrow\; a_t = b_t,\ \text{and nothing is learned}",
        source="Wu, Shi, Yang and Shen, NeurIPS 2025, arXiv:2510.24700, for greedy sampling",
        predicted="0 without the projection; below -0.4 with it",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, projected=True),
        wrong="projected in both",
        figure=lambda result: figures.regret(result, time="loglog"),
    )


SCHEMES: dict[str, Any] = {
    "enhancer": rlhf_enhancer,
    "theory's enhancer": gshf_online,
    "pi x ref": rlhf_mixed,
    "hybrid": rlhf_hybrid,
    "two-stage": rlhf_two_stage,
    "offline": functools.partial(rlhf_hybrid, share=1.0),
    "greedy": rlhf_greedy,
}


@claim
def exploration_pays() -> Claim:
    """Whom a policy is compared with decides its regret, where an arm is rare under the reference.

    eta = 8, T = 2^15. On rare_good the regret of the enhancer, and of that of the theory, over that of pi x ref lies in
    (-inf, 0.9], of pi x ref over hybrid learning in (-inf, 0.8], of hybrid learning and of two-stage sampling over
    offline sampling, ref x ref, in (-inf, 0.9], and of offline over greedy sampling in (-inf, 0.5]; on rare_bad that of
    pi x ref over offline sampling lies in (-inf, 0.8], and of offline over greedy sampling in (-inf, 0.5].

    The control has a uniform reference and eta = 2, where every scheme meets every arm.
    """
    most = {
        "good": {
            ("enhancer", "pi x ref"): 0.9,
            ("theory's enhancer", "pi x ref"): 0.9,
            ("pi x ref", "hybrid"): 0.8,
            ("hybrid", "offline"): 0.9,
            ("two-stage", "offline"): 0.9,
        },
        "bad": {("pi x ref", "offline"): 0.8},
    }
    for bounds in most.values():
        bounds["offline", "greedy"] = 0.5
    limits = {f"{a} / {b}, rare {name}": top for name, bounds in most.items() for (a, b), top in bounds.items()}

    def study(budget: Budget, even: bool = False) -> dict[str, Trajectory]:
        out = {}
        for name, instance in (("good", instances.rare_good), ("bad", instances.rare_bad)):
            problem = bradley_terry(instance().reward, eta=2.0, span=1.0) if even else instance()
            used = [scheme for pair in most[name] for scheme in pair]
            schemes = {scheme: SCHEMES[scheme] for scheme in SCHEMES if scheme in used}
            replications = budget.choose(16 if even else 64, 1000)
            runs = budget.run(lambda p=problem: p, schemes, over={}, rounds=2**15, replications=replications)
            out[name] = runs[()]
        return out

    def measure(result: dict[str, Trajectory]) -> Numbers:
        found: dict[str, Estimate | str] = {}
        for name, bounds in most.items():
            regret = result[name].regret
            for a, b in bounds:
                last = np.stack([regret[a][:, -1], regret[b][:, -1]], axis=1)
                found[f"{a} / {b}, rare {name}"] = estimate(lambda mean: float(mean[0] / mean[1]), last)
        return found

    return Claim(
        statement="Comparing with an exploring rival beats comparing with the reference, and with oneself.",
        latex=r"\mathrm{Reg}_{\text{enhancer}} < \mathrm{Reg}_{\pi\times\mathrm{ref}} < \mathrm{Reg}_{\text{hybrid}} < "
        r"\mathrm{Reg}_{\mathrm{ref}\times\mathrm{ref}} < \mathrm{Reg}_{\pi\times\pi}",
        source="Xiong et al. 2024, ICML, arXiv:2312.11456, for the schemes",
        predicted="ratios below 1",
        study=study,
        measure=measure,
        verdict=lambda found: every(*(inside(number(found, name), -math.inf, top) for name, top in limits.items())),
        control=lambda budget: study(budget, even=True),
        wrong="a uniform reference, eta = 2",
        figure=lambda result: figures.regret(result["good"], time="loglog"),
    )


@claim
def plug_in_certificate_holds() -> Claim:
    """The gap of a plug-in policy is at most eta / 8 times the squared range of its error, in every run.

    Sixty random Bradley-Terry tables and sixty random preference matrices of three to seven arms (600 at the full
    budget), eta = .5, 3 and 20, n = 30, 300 and 3000: the largest gap over its certificate,
    (eta / 8) (max u - min u)^2 with u = r - r_hat, or u = (P - P_hat) pi_hat in the game, lies in [0.5, 1] for both.

    The control takes a quarter of the constant.
    """

    def study(budget: Budget, constant: float = 0.125) -> dict[str, np.ndarray]:
        g = np.random.default_rng(budget.seed)
        found: dict[str, list[tuple[float, float]]] = {"rewards": [], "game": []}
        for i in range(budget.choose(60, 600)):
            K, eta, n = 3 + i % 5, (0.5, 3.0, 20.0)[i % 3], (30, 300, 3000)[i // 3 % 3]
            reference = g.dirichlet(np.full(K, 2.0))
            rewarded = bradley_terry(g.random(K), eta=eta, reference=reference, span=1.0)
            fit = bt_greedy(rewarded.dataset(n, budget.seed, i))
            error = np.ptp(rewarded.reward - fit.estimate)
            found["rewards"].append((constant * eta * error * error, rewarded.suboptimality(fit)))
            upper = np.triu(g.random((K, K)), 1)
            P = upper + np.tril(1.0 - upper.T, -1) + 0.5 * np.eye(K)
            game = preferences(P, eta=eta, reference=reference)
            data = game.dataset(n, budget.seed, i)
            policy = nash_plug_in(data)
            wins = data.wins[0]
            error = np.ptp((P - (wins + 0.5) / (wins + wins.T + 1.0)) @ policy[0])
            found["game"].append((constant * eta * error * error, game.suboptimality(policy)))
        return {name: np.array(pairs) for name, pairs in found.items()}

    def measure(result: dict[str, np.ndarray]) -> Numbers:
        return {
            f"largest gap over its certificate, {name}": fact((pairs[:, 1] / pairs[:, 0]).max())
            for name, pairs in result.items()
        }

    return Claim(
        statement="A plug-in policy loses at most eta / 8 times the squared range of its error, whatever the data.",
        latex=r"J(\pi^*) - J(\hat\pi) \le \tfrac{\eta}{8}\,\mathbb{E}_x\,\mathrm{range}(r - \hat r)^2",
        source="Hoeffding's lemma; for RLHF: Wu, Shi, Yang and Shen, NeurIPS 2025, arXiv:2510.24700",
        predicted="at most 1, and not far below",
        study=study,
        measure=measure,
        verdict=lambda found: every(*(inside(number(found, name), 0.5, 1.0) for name in found)),
        control=lambda budget: study(budget, 0.125 / 4.0),
        wrong="a quarter of the constant",
        figure=lambda result: figures.certificate(result, about="random instances, eta = .5, 3 and 20"),
    )


@claim
def queries_grow_like_the_inverse_square_of_the_gap() -> Claim:
    """The symmetric optimistic pair asks in proportion to gap^-2, and its regret grows like 1 / gap.

    gap_linear with its least gap .2, .4 and .8, three instances of each, scale 1, gate gap / (2 beta), T = 2^16: the
    exponent in the gap of the mean number of queries lies in [-2.46, -1.58], 3 to 5.5 times as many for half the gap,
    and that of the mean regret in [-1.38, -0.68], 1.6 to 2.6 times as much.

    The control is APPO without a gate, whose queries do not depend on the gap.
    """
    sizes, rounds = (0.2, 0.4, 0.8), 2**16

    def gated(problem: Any, rounds: int) -> Any:
        least = np.sort(problem.reward_gap, axis=1)[:, 1].min()
        return symmetric_pair(problem, rounds, gate=least / (4.0 * math.sqrt(2.0 * math.log(rounds))))

    def study(budget: Budget, algorithm: Any = gated, times: int = 4) -> Study:
        return budget.run(
            lambda gap, seed: instances.gap_linear(gap, seed=seed),
            {"pair": algorithm},
            over={"gap": sizes, "seed": range(budget.choose(3, 12))},
            rounds=rounds,
            replications=times * budget.choose(1, 4),
        )

    def measure(result: Study) -> Numbers:
        found: dict[str, Estimate | str] = {}
        for name, channel in (("queries", "queries"), ("regret", "regret")):
            samples = [
                np.concatenate([run.channels["pair"][channel][:, -1] for (g, _), run in result.items() if g == gap])
                for gap in sizes
            ]
            found[f"exponent of {name}"] = estimate(lambda *means: loglog(sizes, means), *samples)
        return found

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "exponent of queries"), -2.46, -1.58),
            inside(number(found, "exponent of regret"), -1.38, -0.68),
        )

    def figure(result: Study) -> Any:
        joined: Study = {}
        for gap in sizes:
            runs = [run for (g, _), run in result.items() if g == gap]
            asked = np.concatenate([run.channels["pair"]["queries"] for run in runs])
            joined[(gap,)] = dataclasses.replace(
                runs[0], channels={"pair": {"regret": asked}}, replications=range(len(asked))
            )
        table = grid(joined, ["gap"], "linear duels with a least gap, X = 20, K = 6, d = 5", y="queries")
        return figures.scaling(table, "gap", y="queries")

    return Claim(
        statement="With a least gap the optimistic pair asks a number of questions of order gap^-2.",
        latex=r"Q \le \frac{2d}{\Gamma^2}\log\Big(1 + \frac{4Q}{\lambda d}\Big),\quad "
        r"\mathrm{Reg} = O\big(d\beta^2/\Delta\big)",
        source="Ji, He and Gu 2024, arXiv:2402.09401; Di et al. 2024, arXiv:2310.00968, for the rule",
        predicted="exponents: -2 and -1",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, lambda problem, rounds: appo(problem, rounds, gate=0.0), times=1),
        wrong="APPO that always asks",
        figure=figure,
    )


@claim
def appo_asks_little() -> Claim:
    """APPO has the regret of asking always at a tenth of the questions.

    gap_linear with least gap .4, T = 2^16, gate .04: its queries over those without a gate lie in (-inf, 0.1], and its
    regret of the first arm over that without in [0.9, 1.1].

    The control has no gate in either.
    """

    def study(budget: Budget, gate: float = 0.04) -> Trajectory:
        rules = {"gated": functools.partial(appo, gate=gate), "always asking": functools.partial(appo, gate=0.0)}
        return budget.run(
            lambda: instances.gap_linear(measure="first"),
            rules,
            over={},
            rounds=2**16,
            replications=budget.choose(8, 200),
        )[()]

    def measure(result: Trajectory) -> Numbers:
        return {
            f"{channel}, gated / always": estimate(
                lambda mean: float(mean[0] / mean[1]),
                np.stack([channels[channel][:, -1] for channels in result.channels.values()], axis=1),
            )
            for channel in ("queries", "regret")
        }

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "queries, gated / always"), -math.inf, 0.1),
            inside(number(found, "regret, gated / always"), 0.9, 1.1),
        )

    return Claim(
        statement="Asking only where a comparison is uncertain costs no regret and saves nine questions of ten.",
        latex=r"\text{ask} \iff |\phi_a - \phi_b|_{V^{-1}} > \Gamma",
        source="Ji, He and Gu 2024, arXiv:2402.09401",
        predicted="queries below .1, regret 1",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, 0.0),
        wrong="no gate",
        figure=lambda result: figures.regret(result, channel="queries", time="loglog"),
    )


@claim
def offline_rlhf_rate_turns_with_eta() -> Claim:
    """Offline RLHF learns at 1 / n while eta is below about sqrt(n) / 3, and at n^{-1/2} above.

    minimax_bt, whose gap is 2 sqrt(3 / n), n = 2^10, 2^12, ..., 2^18: the exponent of the mean suboptimality of the
    maximum-likelihood policy lies in [-1.07, -0.93] at eta = 1 and in [-0.57, -0.43] at eta = 1000.

    The control has the gap of n = 2^10 throughout.
    """
    sizes = [2**k for k in range(10, 19, 2)]

    def study(budget: Budget, shrinking: bool = True) -> dict[tuple[float, int], Offline]:
        found = {}
        for n in sizes:
            runs = budget.run_offline(
                lambda eta, n=n: instances.minimax_bt(n if shrinking else sizes[0], eta=eta),
                {"greedy": bt_greedy},
                over={"eta": [1.0, 1000.0]},
                samples=[n],
                replications=budget.choose(400, 4000),
            )
            found.update({(eta, n): run for (eta,), run in runs.items()})
        return found

    def measure(result: dict[tuple[float, int], Offline]) -> Numbers:
        return {
            f"exponent at eta = {eta:g}": estimate(
                lambda *means: loglog(sizes, means), *(result[eta, n].gap["greedy"][:, 0] for n in sizes)
            )
            for eta in (1.0, 1000.0)
        }

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "exponent at eta = 1"), -1.07, -0.93),
            inside(number(found, "exponent at eta = 1000"), -0.57, -0.43),
        )

    def figure(result: dict[tuple[float, int], Offline]) -> Any:
        gaps = {
            f"$\\eta = {eta:g}$": {"gap": np.concatenate([result[eta, n].gap["greedy"] for n in sizes], axis=1)}
            for eta in (1.0, 1000.0)
        }
        about = SimpleNamespace(summary="Bradley-Terry duels, K = 4, one arm better by $2\\sqrt{3/n}$")
        first = result[1.0, sizes[0]]
        return figures.suboptimality(dataclasses.replace(first, problem=about, samples=np.array(sizes), channels=gaps))

    return Claim(
        statement="The rate of offline RLHF is 1/n under strong regularization and n^{-1/2} under weak.",
        latex=r"\min\{\eta\,n^{-1},\ n^{-1/2}\}",
        source="Zhao, Ye, Gu and Zhang 2025, NeurIPS, arXiv:2411.04625, for 1/n; the instance is this package's",
        predicted="exponents: -1 and -1/2",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, shrinking=False),
        wrong="a gap that does not shrink",
        figure=figure,
    )


def _untold(problem: Any, rounds: int) -> Any:
    """Self-play that never fits its comparisons."""
    learner = nash_greedy(problem, rounds)
    learner.due[:] = 2**62
    return learner


@claim
def self_play_does_not_lock_in() -> Claim:
    """On a cycle online Nash learning has logarithmic regret, whomever the main policy meets.

    Five arms in a cycle of gap .3 and an arm below it, eta = 2, T = 2^15: the gap accumulated over the last three
    octaves over that over the three before lies in [0.5, 1.5], against itself, the reference and the enhancer.

    The control never fits what it is told.
    """

    def study(budget: Budget, algorithm: Any = None) -> Trajectory:
        rules: dict[str, Any] = {"self-play": nash_greedy, "pi x ref": nash_mixed, "enhancer": nash_enhancer}
        if algorithm is not None:
            rules = dict.fromkeys(rules, algorithm)
        return budget.run(
            lambda: instances.rps(5, 0.3, 1, eta=2.0),
            rules,
            over={},
            rounds=2**15,
            replications=budget.choose(64, 400),
        )[()]

    def measure(result: Trajectory) -> Numbers:
        return {
            f"last / earlier octaves, {name}": estimate(
                lambda mean: float((mean[-1] - mean[-4]) / (mean[-4] - mean[-7])), regret
            )
            for name, regret in result.regret.items()
        }

    return Claim(
        statement="Where preferences cycle self-play keeps mixing, and learns at the rate 1/t.",
        latex=r"\textstyle\sum_t \mathrm{gap}(\pi_t) = O(\eta \log T)",
        source="Wu, Shi, Yang and Shen, NeurIPS 2025, arXiv:2510.24700; Ye et al. 2024, arXiv:2402.07314",
        predicted="octaves: 1",
        study=study,
        measure=measure,
        verdict=lambda found: every(*(inside(number(found, name), 0.5, 1.5) for name in found)),
        control=lambda budget: study(budget, _untold),
        wrong="comparisons that are not fitted",
        figure=figures.regret_over_log,
    )


@claim
def linear_duels_stop_losing() -> Claim:
    """With a least gap the symmetric pair and MaxInP stop losing once they know the best arms.

    gap_linear with least gap .4, scale 1, T = 2^16: the regret of both arms gained after T / 4 over that before lies in
    (-inf, 0.1].

    The control is APPO, whose second arm is always a draw of the reference.
    """

    def study(budget: Budget, algorithm: Any = None) -> Trajectory:
        rules: dict[str, Any] = {"symmetric pair": symmetric_pair, "MaxInP": functools.partial(maxinp, scale=1.0)}
        if algorithm is not None:
            rules = dict.fromkeys(rules, algorithm)
        replications = budget.choose(12, 100)
        return budget.run(instances.gap_linear, rules, over={}, rounds=2**16, replications=replications)[()]

    def measure(result: Trajectory) -> Numbers:
        return {
            f"late over early regret, {name}": estimate(lambda mean: float(mean[-1] / mean[-3] - 1.0), regret)
            for name, regret in result.regret.items()
        }

    return Claim(
        statement="In linear duels with a least gap regret is bounded up to a logarithm.",
        latex=r"\mathrm{Reg}(T) = O\big(d\beta^2/\Delta\big)",
        source="Saha 2021, NeurIPS, arXiv:2002.08136 (MaxInP); Di et al. 2024, arXiv:2310.00968 (symmetric rule)",
        predicted="near 0",
        study=study,
        measure=measure,
        verdict=lambda found: every(*(inside(number(found, name), -math.inf, 0.1) for name in found)),
        control=lambda budget: study(budget, appo),
        wrong="APPO, which compares with the reference for ever",
        figure=lambda result: figures.regret(result, time="loglog"),
    )
