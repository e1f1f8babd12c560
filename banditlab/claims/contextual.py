"""Claims of the contextual family: rates and coverage of offline learning, linear rewards, and answers from many draws.

In every rule "lies in [a, b]" is `inside`: supported with a margin of two standard errors, refuted from four standard
errors outside.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from banditlab import figures
from banditlab.claims import (
    INCONCLUSIVE,
    REFUTED,
    SUPPORTED,
    Budget,
    Claim,
    Estimate,
    Numbers,
    Point,
    claim,
    estimate,
    every,
    fact,
    inside,
    loglog,
    number,
)
from banditlab.contextual import bounds, instances
from banditlab.contextual.answers import majority_trap
from banditlab.contextual.best_of_majority import best_of_majority
from banditlab.contextual.best_of_n import best_of_n
from banditlab.contextual.f_pcb import f_pcb
from banditlab.contextual.forward_kl_pcb import forward_kl_pcb
from banditlab.contextual.kl_lin_ucb import kl_lin_ucb
from banditlab.contextual.kl_pcb import kl_pcb
from banditlab.contextual.plug_in import plug_in
from banditlab.contextual.problem import tabular
from banditlab.trajectory import Grid, Offline

PESSIMISM = "Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026, arXiv:2502.06051"
SHARP = "Ji, Di, Zhao, Zhao and Gu 2026, arXiv:2605.02141"
FORWARD = "Zhao, Ji, Zhao and Gu 2026, arXiv:2605.09214"
REGULARIZED = "Zhao, Ye, Xiong, Gu and Zhang 2025, arXiv:2502.07460"
ANSWERS = "Di, Ji, Li, Zhao and Gu, ICLR 2026, arXiv:2510.03199"

OfflineStudy = dict[Point, Offline]


def exponent(sizes: Any, gaps: list[np.ndarray]) -> Estimate:
    """Log-log slope of the mean gaps (R_i,) against what was varied."""
    return estimate(lambda *means: loglog(sizes, means), *gaps)


def at_size(
    budget: Budget, factory: Callable[..., Any], fits: Mapping[str, Any], samples: list[int], replications: int
) -> OfflineStudy:
    """Results on instances that depend on the sample size, by (n,)."""
    runs: OfflineStudy = {}
    for size in samples:
        over = {"samples": [size]}
        runs |= budget.run_offline(factory, fits, over=over, samples=[size], replications=replications)
    return runs


def table(study: OfflineStudy, axes: list[str], about: str) -> Grid:
    """The results of a study as a sweep, for `figures`."""
    import pandas as pd

    rows = [
        {"samples": int(n), **dict(zip(axes, point, strict=True)), "algorithm": label, "replication": i, "gap": x}
        for point, run in study.items()
        for label, gap in run.gap.items()
        for column, n in enumerate(run.samples)
        for i, x in enumerate(gap[:, column])
    ]
    values: dict[str, list[Any]] = {a: list(dict.fromkeys(point[i] for point in study)) for i, a in enumerate(axes)}
    return Grid(values, pd.DataFrame(rows), {"kind": "grid", "problem": about})


def joined(study: OfflineStudy) -> Offline:
    """Results at one sample size each, as one curve; the instances may differ."""
    runs = list(study.values())
    channels = {label: {"gap": np.concatenate([run.gap[label] for run in runs], axis=1)} for label in runs[0].gap}
    samples = np.concatenate([run.samples for run in runs])
    known = [run.lower for run in runs if run.lower is not None]
    lower = np.concatenate(known) if len(known) == len(runs) else None
    return Offline(runs[-1].problem, samples, runs[0].seed, runs[0].replications, channels, lower=lower)


@claim
def offline_one_over_n() -> Claim:
    """At a fixed eta the suboptimality falls like 1 / n, for the plug-in policy with the constant of its law.

    The balanced two-arm instance, S = 4, C = 4, eta = 5, n = 2^10, 2^11, ..., 2^16: the exponents of the plug-in
    policy and of KL-PCB lie in [-1.1, -0.9], and n times the plug-in's suboptimality at n = 2^16, divided by its law,
    in [0.85, 1.15]. Supported where all three hold.

    The control keeps n and the coverage and makes the gap of order sqrt(S C / n) at eta = 10^4.
    """
    samples = [2**k for k in range(10, 17)]
    fits = {"plug-in": plug_in, "KL-PCB": kl_pcb}

    def study(budget: Budget, weak: bool = False) -> OfflineStudy:
        def factory(samples: int) -> Any:
            if weak:
                return instances.hard_offline_minimax(samples, 4, 4.0, eta=1e4)
            return instances.hard_offline(4, 4.0, eta=5.0)

        return at_size(budget, factory, fits, samples, budget.choose(400, 4000))

    def measure(result: OfflineStudy) -> Numbers:
        found: dict[str, Estimate | str] = {
            f"exponent, {label}": exponent(samples, [run.gap[label][:, 0] for run in result.values()]) for label in fits
        }
        last = result[samples[-1],]
        law = float(bounds.law_plug_in(last.problem, last.samples)[0])
        found["plug-in over its law"] = estimate(lambda mean: float(mean[0]) / law, last.gap["plug-in"])
        return found

    def verdict(found: Numbers) -> str:
        slopes = [inside(number(found, f"exponent, {label}"), -1.1, -0.9) for label in fits]
        return every(*slopes, inside(number(found, "plug-in over its law"), 0.85, 1.15))

    return Claim(
        statement="At a fixed inverse temperature the suboptimality of offline learning falls like 1 / n.",
        latex=r"\mathrm{SubOpt}(n) = \tilde O\Big(\frac{\eta\, S A\, C^{\pi^*}}{n}\Big),\qquad "
        r"n\,\mathrm{SubOpt}_{\text{plug-in}} \to \frac{\eta}{2}\sum_{s,a}\frac{\pi^*(1-\pi^*)\sigma^2}{\mu}",
        source=f"{PESSIMISM}; {SHARP}",
        predicted="exponents: -1; over the law: 1",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, weak=True),
        wrong="eta = 10^4 and a gap of order sqrt(S C / n)",
        figure=lambda result: figures.suboptimality(joined(result)),
    )


@claim
def offline_sqrt_when_weakly_regularized() -> Claim:
    """At a large eta the worst-case suboptimality of KL-PCB falls like n^{-1/2}.

    Largest mean over the two-arm instances with gap kappa sqrt(S C / n), kappa = 1/2, 1, 2, S = 8, C = 4, eta = 1000,
    n = 2^9, 2^10, ..., 2^15: the exponent in n lies in [-0.6, -0.4].
    """
    samples = [2**k for k in range(9, 16)]
    kappas = (0.5, 1.0, 2.0)

    def study(budget: Budget, eta: float = 1000.0) -> dict[float, OfflineStudy]:
        runs = {}
        for kappa in kappas:
            factory = functools.partial(instances.hard_offline_minimax, contexts=8, coverage=4.0, eta=eta, kappa=kappa)
            runs[kappa] = at_size(budget, factory, {"KL-PCB": kl_pcb}, samples, budget.choose(250, 2000))
        return runs

    def measure(result: dict[float, OfflineStudy]) -> Numbers:
        worst = [np.stack([result[kappa][n,].gap["KL-PCB"][:, 0] for kappa in kappas], axis=1) for n in samples]
        return {"exponent": estimate(lambda *means: loglog(samples, [mean.max() for mean in means]), *worst)}

    return Claim(
        statement="When regularization is weak the worst-case suboptimality of KL-PCB falls like n^{-1/2}.",
        latex=r"\eta \gtrsim 1/\epsilon:\qquad n = \tilde\Theta\Big(\frac{S A\, C^{\pi^*}}{\epsilon^2}\Big)",
        source=SHARP,
        predicted="exponent: -1/2",
        study=study,
        measure=measure,
        verdict=lambda found: inside(number(found, "exponent"), -0.6, -0.4),
        control=lambda budget: study(budget, eta=5.0),
        wrong="eta = 5: strong regularization",
        figure=lambda result: figures.scaling(
            table(result[1.0], ["samples"], "Two-arm instances of gap sqrt(S C / n), S = 8, C = 4, eta = 1000"),
            "samples",
        ),
    )


@claim
def offline_linear_in_coverage() -> Claim:
    """Under KL, n times the suboptimality grows linearly with the coverage coefficient.

    The balanced two-arm instance, S = 4, eta = 40, C = 16, 64, 256, n = 65536 C: the exponents of n SubOpt in C of
    KL-PCB and of the plug-in policy lie in [0.85, 1.2].

    The control draws both arms evenly, so that the coverage does not grow with C. A first form had C = 4, 16, 64 and
    eta = 8, where the spread of the widths between the two arms, which pessimism pays for, is not yet of order C.
    """
    coverages = [16.0, 64.0, 256.0]

    def study(budget: Budget, even: bool = False) -> OfflineStudy:
        def factory(coverage: float) -> Any:
            problem = instances.hard_offline(4, coverage, eta=40.0)
            return problem._replace(behaviour=np.full(problem.mean.shape, 0.5)) if even else problem

        fits: dict[str, Any] = {"KL-PCB": kl_pcb, "plug-in": plug_in}
        replications = budget.choose(400, 4000)
        runs: OfflineStudy = {}
        for C in coverages:
            over, samples = {"coverage": [C]}, [int(65536 * C)]
            runs |= budget.run_offline(factory, fits, over=over, samples=samples, replications=replications)
        return runs

    def measure(result: OfflineStudy) -> Numbers:
        return {
            f"exponent in C, {label}": exponent(
                coverages, [run.samples[0] * run.gap[label][:, 0] for run in result.values()]
            )
            for label in ("KL-PCB", "plug-in")
        }

    return Claim(
        statement="With KL regularization the sample size grows linearly with the coverage coefficient C.",
        latex=r"n\,\mathrm{SubOpt} = \tilde\Theta(\eta\, S A\, C^{\pi^*})",
        source=f"{PESSIMISM}; {SHARP}",
        predicted="exponent in C: 1",
        study=study,
        measure=measure,
        verdict=lambda found: every(*(inside(number(found, name), 0.85, 1.2) for name in found)),
        control=lambda budget: study(budget, even=True),
        wrong="data from the uniform policy, whose coverage does not change",
        figure=lambda result: figures.coverage(
            table(result, ["coverage"], "Balanced two-arm instance, S = 4, eta = 40")
        ),
    )


@claim
def strongly_convex_needs_no_coverage() -> Claim:
    """Under a strongly convex f, n times the suboptimality of the plug-in policy does not grow with the coverage.

    Two arms, eta = 6, the rare one of reference mass 1 / C, C = 4, 16, 64, 256, n = 512 C: the exponents of n SubOpt
    in C for chi2 and for kl_chi2 lie in [-0.2, 0.1].

    The control has KL as its regularizer.
    """
    coverages = [4.0, 16.0, 64.0, 256.0]

    def study(budget: Budget, names: tuple[str, ...] = ("chi2", "kl_chi2")) -> OfflineStudy:
        runs: OfflineStudy = {}
        for C in coverages:
            runs |= budget.run_offline(
                lambda coverage, regularizer: instances.coverage_sweep(coverage, regularizer=regularizer),
                {"f-PCB": f_pcb},
                over={"coverage": [C], "regularizer": names},
                samples=[int(512 * C)],
                replications=budget.choose(400, 4000),
            )
        return runs

    def measure(result: OfflineStudy) -> Numbers:
        names = dict.fromkeys(name for _, name in result)
        return {
            f"exponent in C, {name}": exponent(
                coverages, [result[C, name].samples[0] * result[C, name].gap["f-PCB"][:, 0] for C in coverages]
            )
            for name in names
        }

    def verdict(found: Numbers) -> str:
        return every(*(inside(number(found, name), -0.2, 0.1) for name in found))

    return Claim(
        statement="With a strongly convex f-divergence offline learning needs no coverage, and no pessimism.",
        latex=r"f'' \ge m:\qquad \mathrm{SubOpt} \le \frac{\eta}{2m}\,\mathbb{E}_{\rho,\pi_{\mathrm{ref}}}"
        r"\big[(\bar r - r)^2\big] = O\Big(\frac{\eta\, S A}{m\, n}\Big)",
        source=PESSIMISM,
        predicted="exponents in C: 0",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, ("kl",)),
        wrong="KL, which is not strongly convex",
        figure=lambda result: figures.coverage(table(result, ["coverage", "regularizer"], "Two arms, eta = 6")),
    )


@claim
def pessimism_is_needed() -> Claim:
    """On rare junk the plug-in policy does not improve with n, and the pessimistic one is near-optimal.

    One good arm and n / 4 junk arms that share half of the reference's mass, eta = 10, n = 256, 1024, 4096. The
    plug-in's mean suboptimality at n = 4096 exceeds 0.15 and is 0.9 to 1.2 times that at n = 256; that of KL-PCB is
    at most 0.01 at each n. Supported where all hold.

    The control has one junk arm, of the same mass.
    """
    samples = [256, 1024, 4096]
    fits = {"plug-in": plug_in, "KL-PCB": kl_pcb}

    def study(budget: Budget, junk: bool = True) -> OfflineStudy:
        def factory(samples: int) -> Any:
            return instances.rare_junk(samples, eta=10.0) if junk else tabular([[0.8, 0.2]], eta=10.0)

        return at_size(budget, factory, fits, samples, budget.choose(100, 1000))

    def measure(result: OfflineStudy) -> Numbers:
        gaps = {label: [run.gap[label][:, 0] for run in result.values()] for label in fits}
        return {
            "plug-in at n = 4096": estimate(lambda mean: float(mean[0]), gaps["plug-in"][-1][:, None]),
            "over n = 256": estimate(lambda a, b: float(b / a), gaps["plug-in"][0], gaps["plug-in"][-1]),
            "KL-PCB, largest": estimate(lambda *means: float(max(means)), *gaps["KL-PCB"]),
        }

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "plug-in at n = 4096"), 0.15, math.inf),
            inside(number(found, "over n = 256"), 0.9, 1.2),
            inside(number(found, "KL-PCB, largest"), 0.0, 0.01),
        )

    return Claim(
        statement="Without pessimism offline learning under KL can fail for ever: junk that is rarely seen looks good.",
        latex=r"\mathrm{SubOpt}_{\text{plug-in}} \not\to 0,\qquad \mathrm{SubOpt}_{\text{KL-PCB}} \to 0",
        source=PESSIMISM,
        predicted="plug-in: constant; KL-PCB: near 0",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, junk=False),
        wrong="one junk arm instead of n / 4",
        figure=lambda result: figures.scaling(
            table(result, ["samples"], "Rare junk, one good arm and n / 4 bad ones, eta = 10"), "samples"
        ),
    )


@claim
def forward_kl_one_over_n() -> Claim:
    """With forward KL the pessimistic policy's suboptimality falls like 1 / n.

    Three arms, reference (.5, .3, .2), r = (.3, .5, .7), eta = 5, scale 0.3, n = 2^10, 2^11, ..., 2^16: the exponent
    lies in [-1.2, -0.85].

    The control has a gap of n^{-1/2} and eta = 10^4.
    """
    samples = [2**k for k in range(10, 17)]

    def study(budget: Budget, weak: bool = False) -> OfflineStudy:
        def factory(samples: int) -> Any:
            if weak:
                return tabular([[0.5, 0.5 + samples**-0.5]], eta=1e4, regularizer="forward_kl")
            return instances.forward_kl_example(eta=5.0)

        fits = {"forward-KL PCB": functools.partial(forward_kl_pcb, scale=0.3)}
        return at_size(budget, factory, fits, samples, budget.choose(400, 4000))

    def measure(result: OfflineStudy) -> Numbers:
        return {"exponent": exponent(samples, [run.gap["forward-KL PCB"][:, 0] for run in result.values()])}

    return Claim(
        statement="With forward-KL regularization pessimistic offline learning has suboptimality of order 1 / n.",
        latex=r"\mathrm{SubOpt}(n) = \tilde O(1/n)\quad\text{for }\mathrm{KL}(\pi_{\mathrm{ref}}\,\|\,\pi)",
        source=FORWARD,
        predicted="exponent: -1",
        study=study,
        measure=measure,
        verdict=lambda found: inside(number(found, "exponent"), -1.2, -0.85),
        control=lambda budget: study(budget, weak=True),
        wrong="eta = 10^4 and a gap of n^{-1/2}",
        figure=lambda result: figures.suboptimality(joined(result)),
    )


@claim
def certificate_holds() -> Claim:
    """No dataset shows KL-PCB above its certificate, in as many as it takes to see a failure.

    Random instances (S from 1 to 8, K from 2 to 12, eta from 0.1 to 100 log-uniform), 4^2 to 4^6 samples,
    scale 1, delta = 0.05. The theorem allows a dataset to fail with probability delta. Supported where none of
    n >= 60 fails (3 / n <= delta); refuted where the failures exceed delta n by more than four standard deviations.

    The control shrinks the width in the certificate, not in the algorithm, to a tenth. Half the width would not be
    told apart: the certificate is about twice the largest suboptimality found. The figure shows the a-priori
    certificate, `bounds.kl_pcb`, on one instance.
    """
    delta = 0.05

    def study(budget: Budget, scale: float = 1.0) -> tuple[np.ndarray, Offline]:
        ratios = []
        for draw in range(budget.choose(400, 4000)):
            rng = np.random.default_rng((budget.seed, draw))
            S, K, eta = int(rng.integers(1, 9)), int(rng.integers(2, 13)), float(10.0 ** rng.uniform(-1.0, 2.0))
            problem = instances.random_tabular(S, K, eta=eta, seed=draw)
            data = problem.dataset(4 ** int(rng.integers(2, 7)), budget.seed, draw)
            bound = bounds.certificate(problem, data, scale=scale, delta=delta)
            ratios.append(problem.suboptimality(kl_pcb(data, scale=1.0, delta=delta)) / bound)
        (shown,) = budget.run_offline(
            lambda draw: instances.random_tabular(4, 5, eta=5.0, seed=draw),
            {"KL-PCB": functools.partial(kl_pcb, scale=1.0, delta=delta)},
            over={"draw": [0]},
            samples=[2**k for k in range(8, 19)],
            replications=50,
        ).values()
        return np.array(ratios), shown

    def measure(result: tuple[np.ndarray, Offline]) -> Numbers:
        ratios = result[0]
        return {
            "largest suboptimality / certificate": fact(ratios.max()),
            "datasets": fact(ratios.size),
            "datasets above it": fact((ratios > 1.0).sum()),
        }

    def verdict(found: Numbers) -> str:
        n, failures = number(found, "datasets").value, number(found, "datasets above it").value
        if failures > delta * n + 4.0 * math.sqrt(delta * (1.0 - delta) * n):
            return REFUTED
        return SUPPORTED if failures == 0 and n * delta >= 3.0 else INCONCLUSIVE

    return Claim(
        statement="The data-dependent certificate of KL-PCB at scale 1 is never violated.",
        latex=r"\mathrm{SubOpt} \le \min\Big\{\frac{\eta}{2}\,\mathbb{E}_{\rho,\pi^*}[w^2],\ \mathbb{E}_{\rho,\pi^*}[w]"
        r"\Big\},\quad w = \min(1, 2b)",
        source=f"{PESSIMISM}; {SHARP}; constants: bounds.certificate",
        predicted="ratio: at most 1 in every dataset",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, scale=0.1),
        wrong="a certificate with a tenth of the width",
        figure=lambda result: figures.suboptimality(result[1], bounds=True),
    )


@claim
def le_cam_lower_bound() -> Claim:
    """Averaged over random signs, the algorithms at hand are above Le Cam's bound.

    Two-arm instances with gap sqrt(S C / n) / 4 of random sign, S = 8, C = 4, eta = 5, 100, 10^4, n = 512, 8192;
    plug-in policy, KL-PCB, and KL-PCB at scale 1. The smallest ratio of the mean suboptimality to the bound lies in
    [1, inf).

    The control knows the signs. The figure averages over the signs at eta = 100.
    """
    samples, etas = [512, 8192], [5.0, 100.0, 1e4]
    honest = {"plug-in": plug_in, "KL-PCB": kl_pcb, "KL-PCB, scale 1": functools.partial(kl_pcb, scale=1.0)}

    def study(budget: Budget, knows: bool = False) -> dict[tuple[float, int], list[Offline]]:
        runs: dict[tuple[float, int], list[Offline]] = {}
        signs, replications = budget.choose((16, 16), (100, 50))
        for eta in etas:
            for n in samples:
                for seed in range(signs):
                    problem = instances.hard_offline_minimax(n, 8, 4.0, eta=eta, kappa=0.25, seed=seed)
                    fits: dict[str, Any] = {"oracle": functools.partial(_told, problem.optimal)} if knows else honest
                    (run,) = budget.run_offline(
                        lambda sign, problem=problem: problem,
                        fits,
                        over={"sign": [seed]},
                        samples=[n],
                        replications=replications,
                    ).values()
                    runs.setdefault((eta, n), []).append(run)
        return runs

    def measure(result: dict[tuple[float, int], list[Offline]]) -> Numbers:
        found: dict[str, Estimate | str] = {}
        for (eta, n), runs in result.items():
            assert runs[0].lower is not None
            bound = float(runs[0].lower[0])
            means = np.array([[run.gap[label].mean() for label in run.gap] for run in runs])
            found[f"mean / bound, eta = {eta:g}, n = {n}"] = estimate(
                lambda mean, bound=bound: float(mean.min()) / bound, means
            )
        return found

    return Claim(
        statement="No offline algorithm beats Le Cam's bound, which has both rates.",
        latex=r"\mathbb{E}\,\mathrm{SubOpt} \ge (1 - \mathrm{TV})\,\eta^{-1}\log\cosh(\eta d / 2),\quad "
        r"\mathrm{TV} \le \sqrt{\tfrac{n}{2SC}\,\mathrm{kl}(p + d, p - d)}",
        source=f"{SHARP}; constants: bounds.le_cam",
        predicted="ratios: at least 1",
        study=study,
        measure=measure,
        verdict=lambda found: every(*(inside(number(found, name), 1.0, math.inf) for name in found)),
        control=lambda budget: study(budget, knows=True),
        wrong="an oracle that knows the signs",
        figure=lambda result: figures.suboptimality(
            joined({(n,): over_signs(result[100.0, n]) for n in samples}), bounds=True
        ),
    )


def over_signs(runs: list[Offline]) -> Offline:
    """The results on several instances as those on one, with the lower bound that they share."""
    channels = {label: {"gap": np.concatenate([run.gap[label] for run in runs])} for label in runs[0].gap}
    first = runs[0]
    numbers = range(sum(len(run.replications) for run in runs))
    return Offline(first.problem, first.samples, first.seed, numbers, channels, lower=first.lower)


def _told(policy: np.ndarray, dataset: Any) -> np.ndarray:
    """An oracle's policy, whatever the data."""
    return policy


@claim
def linear_law() -> Claim:
    """With linear rewards the regret of KL-UCB without bonus grows like log T, with the constant of the trace law.

    Random unit features, S = 6 contexts, K = 10 arms, eta = 4, Gaussian rewards of standard deviation 0.3, in d = 2, 4,
    8 dimensions: the regret gained over the last three octaves, divided by (law) log 8 and averaged over instances,
    lies in [0.75, 1.25] for each d. At the default scale the bonus still adds a third to a half at these horizons,
    because its level does not fall.

    The control adds the theorem's bonus, whose variance the law does not hold.
    """
    dims = (2, 4, 8)

    def study(budget: Budget, scale: float = 0.0) -> Any:
        draws, rounds, replications = budget.choose((4, 2**11, 48), (8, 2**15, 100))
        return budget.run(
            lambda dim, draw: instances.random_linear(6, 10, dim, eta=4.0, seed=draw),
            {"KL-UCB": functools.partial(kl_lin_ucb, scale=scale)},
            over={"dim": dims, "draw": range(draws)},
            rounds=rounds,
            replications=replications,
        )

    def measure(result: Any) -> Numbers:
        found: dict[str, Estimate | str] = {}
        for dim in dims:
            runs = [run for (d, _), run in result.items() if d == dim]
            slopes = [
                (run.regret["KL-UCB"][:, -1] - run.regret["KL-UCB"][:, -4])
                / (math.log(8.0) * bounds.law_kl_lin_greedy(run.problem))
                for run in runs
            ]
            found[f"slope over the law, d = {dim}"] = estimate(lambda *means: float(np.mean(means)), *slopes)
        return found

    return Claim(
        statement="With linear rewards the regret of KL-UCB without bonus is logarithmic, with a constant linear in d.",
        latex=r"\frac{d\,\mathrm{Reg}}{d\log t} \to \frac{\eta\sigma^2}{2}\,\mathrm{tr}(H M^{-1})"
        r" \le \frac{\eta\sigma^2 d}{2}",
        source=f"{REGULARIZED}; constant: bounds.law_kl_lin_greedy",
        predicted="slopes over the law: 1",
        study=study,
        measure=measure,
        verdict=lambda found: every(*(inside(number(found, name), 0.75, 1.25) for name in found)),
        control=lambda budget: study(budget, scale=1.0),
        wrong="the bonus of the theorem, at scale 1",
        figure=lambda result: figures.regret(result[4, 0]),
    )


@claim
def best_of_majority_is_monotone() -> Claim:
    """More draws never hurt best-of-majority, and ruin best-of-N.

    The trap of majorities and junk, k = 1, 3, 5 submitted answers, N = 16, 64, 256, 1024 draws. The largest increase of
    best-of-majority's mean regret from one N to the next lies in (-inf, 0.03] for each k, its fall from N = 16 to 1024
    at k = 1 in [0.2, inf), and best-of-N's mean regret at N = 1024 in [0.95, 1]. Supported where all hold.

    The control submits best-of-N's answers under the name of best-of-majority.
    """
    draws = [16, 64, 256, 1024]

    def study(budget: Budget, rule: Any = best_of_majority) -> OfflineStudy:
        return budget.run_offline(
            lambda submissions: majority_trap(submissions=submissions),
            {"best-of-majority": rule, "best-of-N": best_of_n},
            over={"submissions": [1, 3, 5]},
            samples=draws,
            replications=budget.choose(400, 4000),
        )

    def measure(result: OfflineStudy) -> Numbers:
        found: dict[str, Estimate | str] = {}
        for (k,), run in result.items():
            found[f"largest increase, k = {k}"] = estimate(
                lambda mean: float(np.diff(mean).max()), run.gap["best-of-majority"]
            )
            found[f"best-of-N, k = {k}"] = estimate(lambda mean: float(mean[-1]), run.gap["best-of-N"])
        found["fall, k = 1"] = estimate(lambda mean: float(mean[0] - mean[-1]), result[1,].gap["best-of-majority"])
        return found

    ranges = {"largest increase": (-math.inf, 0.03), "best-of-N": (0.95, math.inf), "fall": (0.2, math.inf)}

    def verdict(found: Numbers) -> str:
        return every(*(inside(number(found, name), *ranges[name.partition(",")[0]]) for name in found))

    return Claim(
        statement="Best-of-majority improves with the number of draws, where best-of-N collapses.",
        latex=r"N = \tilde\Omega(C^*):\quad \mathrm{Regret}_{\mathrm{BoM}} \le \epsilon_{\mathrm{opt}} + "
        r"O\big(\sqrt{C^* \epsilon_{\mathrm{RM}}^2 / k}\big)",
        source=ANSWERS,
        predicted="increase: at most 0; best-of-N: 1",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, best_of_n),
        wrong="best-of-N under the name of best-of-majority",
        figure=lambda result: figures.pass_at_k(result[3,]),
    )
