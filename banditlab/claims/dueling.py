"""Claims of the dueling family: rates of classical dueling, and of offline learning from preferences.

In every rule "lies in [a, b]" is `inside`: supported with a margin of two standard errors, refuted from four standard
errors outside.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from banditlab import figures
from banditlab.claims import Budget, Claim, Estimate, Numbers, Study, claim, estimate, every, inside, loglog, number
from banditlab.dueling import instances
from banditlab.dueling.bt_greedy import bt_greedy
from banditlab.dueling.double_thompson import double_thompson
from banditlab.dueling.gshf import gshf
from banditlab.dueling.nash_plug_in import nash_plug_in
from banditlab.dueling.rucb import rucb
from banditlab.dueling.sparring_exp3 import sparring_exp3
from banditlab.trajectory import Offline

CLASSICAL = {"ladder": instances.bt_ladder, "cycle": instances.condorcet_cycle}


@claim
def double_thompson_is_logarithmic() -> Claim:
    """Double Thompson sampling has a small slope, and less regret than RUCB, with and without transitivity.

    The Bradley-Terry ladder and the cycle below a Condorcet winner, K = 10, T = 2^17: the log-log slope of its average
    regret over the last three octaves lies in (-inf, 0.25], and its regret over that of RUCB in (0, 0.7], on both.

    The control is sparring Exp3, whose regret grows like a square root.
    """

    def study(budget: Budget, algorithm: Any = double_thompson) -> dict[str, Study]:
        algorithms = {"double Thompson": algorithm, "RUCB": rucb}
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
            both = np.stack([regret["double Thompson"][:, -1], regret["RUCB"][:, -1]], axis=1)
            found[f"over RUCB, {name}"] = estimate(lambda mean: float(mean[0] / mean[1]), both)
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
    """The plug-in Nash policy's duality gap falls like 1 / n, without pessimism.

    A cycle of five arms with gap .3 and an arm below it, eta = 2, n = 2^9, 2^10, ..., 2^16: the exponent of the mean
    one-sided gap lies in [-1.1, -0.9].

    The control gives back the reference policy, whose gap does not fall.
    """

    def study(budget: Budget, fit: Any = nash_plug_in) -> Offline:
        (run,) = budget.run_offline(
            lambda: instances.rps(5, 0.3, 1, eta=2.0),
            {"plug-in Nash": fit},
            over={},
            samples=[2**k for k in range(9, 17)],
            replications=budget.choose(150, 2000),
        ).values()
        return run

    def measure(result: Offline) -> Numbers:
        gaps = result.gap["plug-in Nash"]
        return {"exponent": estimate(lambda mean: loglog(result.samples, mean), gaps)}

    return Claim(
        statement="Nash policies of estimated preferences have a duality gap of order 1 / n, without pessimism.",
        latex=r"\mathrm{gap}(\hat\pi) \le \frac{\eta}{8}\,\mathrm{range}\big((P - \hat P)\hat\pi\big)^2 = O(1/n)",
        source="Wu, Shi, Yang and Shen, NeurIPS 2025, arXiv:2510.24700",
        predicted="exponent: -1",
        study=study,
        measure=measure,
        verdict=lambda found: inside(number(found, "exponent"), -1.1, -0.9),
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
    scale 2. The mean suboptimality over that of the greedy policy lies in (0, 0.5] where the rare arm is the worst, and
    in [1.2, inf) where it is the best.

    The control draws the data evenly from all arms.
    """
    rare = {"worst": instances.rare_bad, "best": instances.rare_good}

    def study(budget: Budget, even: bool = False) -> dict[str, Offline]:
        fits: dict[str, Any] = {"greedy": bt_greedy, "pessimistic": functools.partial(gshf, scale=2.0)}
        runs = {}
        for name, instance in rare.items():
            problem = instance(eta=8.0)
            if even:
                problem = problem._replace(behaviour=np.full((1, 8), 0.125))
            (runs[name],) = budget.run_offline(
                lambda problem=problem: problem,
                fits,
                over={},
                samples=[1000],
                replications=budget.choose(400, 4000),
            ).values()
        return runs

    def measure(result: dict[str, Offline]) -> Numbers:
        return {
            f"pessimistic / greedy, {name} arm rare": estimate(
                lambda mean: float(mean[1] / mean[0]), np.concatenate([*run.gap.values()], axis=1)
            )
            for name, run in result.items()
        }

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "pessimistic / greedy, worst arm rare"), 0.0, 0.5),
            inside(number(found, "pessimistic / greedy, best arm rare"), 1.2, math.inf),
        )

    def figure(result: dict[str, Offline]) -> Any:
        problem = instances.rare_bad(eta=8.0)
        fits: dict[str, Any] = {"greedy": bt_greedy, "pessimistic": functools.partial(gshf, scale=2.0)}
        (run,) = (
            Budget()
            .run_offline(lambda: problem, fits, over={}, samples=[250, 1000, 4000, 16000], replications=100)
            .values()
        )
        return figures.suboptimality(run)

    return Claim(
        statement="Pessimism in offline RLHF is a trade: it pays where bad arms are rare, and costs where good are.",
        latex=r"J(\pi^*) - J(\hat\pi) \le 2\eta\beta^2\,\mathbb{E}_{x,\pi^*}|\phi - \nu|^2_{\Sigma^{-1}}",
        source="Xiong et al. 2024, arXiv:2312.11456",
        predicted="below 1/2 and above 1.2",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, even=True),
        wrong="data drawn evenly from all arms",
        figure=figure,
    )
