"""Claims of KL-regularized matrix games, symmetric or of two players: rates of their solvers, with known payoffs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from banditlab import equilibrium, figures
from banditlab.claims import (
    Budget,
    Claim,
    Numbers,
    claim,
    estimate,
    every,
    fact,
    inside,
    loglog,
    number,
)
from banditlab.dueling import instances

TINY = 1e-12  # divergences below it are rounding


def _games(budget: Budget, count: int) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Random preference matrices, references and eta."""
    g = np.random.default_rng(budget.seed)
    games = []
    for i in range(count):
        K = 3 + i % 5
        upper = np.triu(g.random((K, K)), 1)
        P = upper + np.tril(1.0 - upper.T, -1) + 0.5 * np.eye(K)
        games.append((P, g.dirichlet(np.full(K, 2.0)), float((0.5, 2.0, 10.0)[i % 3])))
    return games


def _divergence(log_target: np.ndarray, log_policies: np.ndarray) -> np.ndarray:
    """(T + 1,) KL(pi* || pi_t)."""
    return (np.exp(log_target) * (log_target - log_policies)).sum(axis=1)


@claim
def magnetic_mirror_descent_is_linear() -> Claim:
    """Magnetic mirror descent approaches the KL-Nash policy at least as fast as (1 + alpha / eta)^{-T}.

    Thirty random games of three to seven arms (200 at the full budget), eta = .5, 2 and 10, alpha = 1 / (eta L^2), 300
    steps from the reference: the largest of KL(pi* || pi_T) (1 + alpha / eta)^T / KL(pi* || pi_0) over all steps and
    games at which the divergence exceeds 1e-12 lies in [0, 1 + 1e-9].

    The control leaves out the magnet: multiplicative weights with the same step size, which cycle.
    """

    def study(budget: Budget, solve: Any = equilibrium.magnetic_mirror_descent) -> list[dict[str, Any]]:
        out = []
        for P, reference, eta in _games(budget, budget.choose(30, 200)):
            step = 1.0 / (eta * np.abs(P - 0.5).max() ** 2)
            target = equilibrium.newton(P, reference, eta).log_policy
            path = solve(P, reference, eta, steps=300, step_size=step)
            divergence = _divergence(target, path.log_policies)
            out.append({"eta": eta, "K": len(P), "step": step, "divergence": divergence})
        return out

    def measure(result: list[dict[str, Any]]) -> Numbers:
        logs = [-math.inf]
        for run in result:
            seen = np.flatnonzero(run["divergence"][1:] > TINY) + 1
            log_bound = np.log(run["divergence"][0]) - seen * math.log1p(run["step"] / run["eta"])
            logs += list(np.log(run["divergence"][seen]) - log_bound)
        return {"largest divergence over its bound": fact(math.exp(min(max(logs), 700.0)))}

    def figure(result: list[dict[str, Any]]) -> Any:
        chosen = {f"$\\eta = {run['eta']:g}$, $K = {run['K']}$": run for run in result[:3]}
        return figures.convergence(
            {name: run["divergence"] for name, run in chosen.items()},
            about="random preference matrices",
            measure=r"divergence $\mathrm{KL}(\pi^*\|\pi_t)$",
            bounds={
                name: run["divergence"][0] * (1.0 + run["step"] / run["eta"]) ** -np.arange(301.0)
                for name, run in chosen.items()
            },
            time="linear",
        )

    return Claim(
        statement="The last iterate of magnetic mirror descent converges linearly to the KL-Nash policy.",
        latex=r"\mathrm{KL}(\pi^*\|\pi_T) \le (1 + \alpha/\eta)^{-T}\,\mathrm{KL}(\pi^*\|\pi_0)",
        source="Sokota et al. 2023, arXiv:2206.05825",
        predicted="at most 1",
        study=study,
        measure=measure,
        verdict=lambda found: inside(number(found, "largest divergence over its bound"), 0.0, 1.0 + 1e-9),
        control=lambda budget: study(budget, equilibrium.multiplicative_weights),
        wrong="no magnet: multiplicative weights",
        figure=figure,
    )


@claim
def multiplicative_weights_average_but_cycle() -> Claim:
    """The average of multiplicative weights nears the von Neumann winner at sqrt(D / (2 T)); its last iterate cycles.

    Rock-paper-scissors with gap .4 and an arm below it, from (.6, .2, .1, .1), alpha = sqrt(8 D / (T + 1)), T = 100,
    1000 and 10000: the largest exploitability of the average over sqrt(D / (2 T)), D = log 10 the largest -log of a
    starting probability, lies in [0, 1], and the least exploitability of the last iterate in [0.1, inf).

    The control solves the game with KL at eta = 10 by magnetic mirror descent, whose last iterate converges.
    """
    horizons = (100, 1000, 10_000)
    start = np.array([0.6, 0.2, 0.1, 0.1])
    worst = math.log(10.0)

    def study(budget: Budget, magnet: bool = False) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        P = instances.rps(3, 0.4, 1).preference[0]
        out = {}
        for T in horizons:
            if magnet:
                path = equilibrium.magnetic_mirror_descent(P, np.full(4, 0.25), 10.0, steps=T, start=start)
            else:
                path = equilibrium.multiplicative_weights(P, start, math.inf, steps=T, start=start)
            last = np.exp(path.log_policies)
            exploit = np.array([(P @ pi).max() - 0.5 for pi in last])
            average = np.array([(P @ pi).max() - 0.5 for pi in path.averages])
            out[T] = exploit, average
        return out

    def measure(result: dict[int, tuple[np.ndarray, np.ndarray]]) -> Numbers:
        ratio = max(average[-1] / math.sqrt(worst / (2.0 * T)) for T, (_, average) in result.items())
        return {
            "largest exploitability of the average over its bound": fact(ratio),
            "least exploitability of a last iterate": fact(min(last[-1] for last, _ in result.values())),
        }

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "largest exploitability of the average over its bound"), 0.0, 1.0),
            inside(number(found, "least exploitability of a last iterate"), 0.1, math.inf),
        )

    def figure(result: dict[int, tuple[np.ndarray, np.ndarray]]) -> Any:
        last, average = result[1000]
        return figures.convergence(
            {"last iterate": last, "average": average},
            about="rock-paper-scissors, gap .4, and an arm below it, unregularized, alpha for T = 1000",
            measure="exploitability",
        )

    return Claim(
        statement="Multiplicative weights (exact SPPO) converge on average to the von Neumann winner, and cycle.",
        latex=r"\max_a (P\bar\pi_T)_a - \tfrac12 \le \sqrt{D_0 / (2T)}",
        source="Wu et al. 2024, arXiv:2405.00675",
        predicted="average: at most 1; last iterate: stays away",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, magnet=True),
        wrong="KL with a magnet at eta = 10, whose last iterate converges",
        figure=figure,
    )


@claim
def best_response_iteration_has_a_threshold() -> Claim:
    """Iterated best responses converge on the uniform rock-paper-scissors of gap g just where eta < sqrt(3) / g.

    For g = .2, .3 and .4, 4000 iterations from (.5, .3, .2): the largest one-sided gap at eta = .9 sqrt(3) / g lies in
    [0, 1e-9], the least at 1.1 sqrt(3) / g in [1e-3, inf).

    The control iterates magnetic mirror descent, which converges at every eta.
    """
    strengths = (0.2, 0.3, 0.4)

    def study(
        budget: Budget, solve: Any = equilibrium.best_response_iteration
    ) -> dict[tuple[float, float], np.ndarray]:
        out = {}
        for g in strengths:
            P = instances.rps(3, g).preference[0]
            for share in (0.9, 1.1):
                eta = share * math.sqrt(3.0) / g
                out[g, share] = solve(P, np.full(3, 1.0 / 3.0), eta, steps=4000, start=[0.5, 0.3, 0.2]).gaps
        return out

    def measure(result: dict[tuple[float, float], np.ndarray]) -> Numbers:
        below = max(gaps[-1] for (_, share), gaps in result.items() if share < 1.0)
        above = min(gaps[-1] for (_, share), gaps in result.items() if share > 1.0)
        return {"largest gap below the threshold": fact(below), "least gap above it": fact(above)}

    def verdict(found: Numbers) -> str:
        return every(
            inside(number(found, "largest gap below the threshold"), 0.0, 1e-9),
            inside(number(found, "least gap above it"), 1e-3, math.inf),
        )

    def figure(result: dict[tuple[float, float], np.ndarray]) -> Any:
        return figures.convergence(
            {f"$\\eta = {share:g}\\,\\sqrt{{3}}/g$": result[0.4, share] for share in (0.9, 1.1)},
            about="uniform rock-paper-scissors, g = .4",
            measure="one-sided gap",
        )

    return Claim(
        statement="Iterated best responses solve rock-paper-scissors only below eta = sqrt(3) / g.",
        latex=r"\rho\big(\eta A(\mathrm{diag}\,\pi^* - \pi^*\pi^{*\top})\big) = \eta g / \sqrt{3} < 1",
        source="Munos et al. 2024, arXiv:2312.00886, for the game; the threshold is derived for this package",
        predicted="zero below, positive above",
        study=study,
        measure=measure,
        verdict=verdict,
        control=lambda budget: study(budget, equilibrium.magnetic_mirror_descent),
        wrong="magnetic mirror descent",
        figure=figure,
    )


@claim
def two_players_converge_linearly() -> Claim:
    """Two-player magnetic mirror descent and extragradient converge at least as fast as their theorems say.

    Twenty-four random games of two to six actions a player (200 at the full budget), eta = .5, 2, 10 and 50, random
    references, L half the range of the payoffs, 300 steps of the largest size that is proven: alpha = 1 / (eta L^2) and
    alpha = 1 / (1 / eta + L). With D_t the sum of both players' KL(pi* || pi_t), the largest of D_t over
    (1 + alpha / eta)^{-t} D_0, and over (1 - alpha / eta)^t D_0, over all steps and games at which D_t exceeds 1e-12,
    lies in [0, 1 + 1e-9].

    The control takes steps sixteen times as long, of at most .99 eta in extragradient.
    """
    solvers: dict[str, Any] = {
        "magnetic MD": equilibrium.magnetic_mirror_descent_game,
        "extragradient": equilibrium.extragradient_game,
    }

    def study(budget: Budget, longer: float = 1.0) -> list[dict[str, Any]]:
        g = np.random.default_rng(budget.seed)
        out = []
        for i in range(budget.choose(24, 200)):
            m, n = g.integers(2, 7, size=2)
            A, x, y = g.random((m, n)), g.dirichlet(np.full(m, 2.0)), g.dirichlet(np.full(n, 2.0))
            eta, L = (0.5, 2.0, 10.0, 50.0)[i % 4], 0.5 * np.ptp(A)
            target = equilibrium.newton_game(A, x, y, eta)
            steps = {
                "magnetic MD": longer / (eta * L**2),
                "extragradient": min(longer / (1.0 / eta + L), 0.99 * eta),
            }
            for name, solve in solvers.items():
                path = solve(A, x, y, eta, steps=300, step_size=steps[name])
                apart = _divergence(target.log_row, path.log_rows) + _divergence(target.log_column, path.log_columns)
                share = steps[name] / eta
                rate = -math.log1p(share) if name == "magnetic MD" else math.log1p(-share)
                out.append({"name": name, "eta": eta, "shape": (m, n), "divergence": apart, "rate": rate})
        return out

    def measure(result: list[dict[str, Any]]) -> Numbers:
        worst = dict.fromkeys(solvers, -math.inf)
        for run in result:
            seen = np.flatnonzero(run["divergence"][1:] > TINY) + 1
            over = np.log(run["divergence"][seen] / run["divergence"][0]) - seen * run["rate"]
            worst[run["name"]] = max([worst[run["name"]], *over])
        return {
            f"largest divergence over its bound, {name}": fact(math.exp(min(x, 700.0))) for name, x in worst.items()
        }

    def figure(result: list[dict[str, Any]]) -> Any:
        chosen = {run["name"]: {**run, "seen": int((run["divergence"] > TINY).sum())} for run in result[4:6]}
        m, n = result[4]["shape"]
        return figures.convergence(
            {name: run["divergence"][: run["seen"]] for name, run in chosen.items()},
            about=f"a random game of {m} x {n} actions, eta = {result[4]['eta']:g}",
            measure=r"$D_t = \mathrm{KL}(x^*\|x_t) + \mathrm{KL}(y^*\|y_t)$",
            bounds={
                name: run["divergence"][0] * np.exp(run["rate"] * np.arange(301.0)) for name, run in chosen.items()
            },
            time="linear",
        )

    return Claim(
        statement="The last iterates of two-player magnetic mirror descent and extragradient converge linearly.",
        latex=r"D_t \le (1 + \alpha/\eta)^{-t} D_0, \quad D_t \le (1 - \alpha/\eta)^t D_0",
        source="Sokota et al. 2023, arXiv:2206.05825; Cen, Wei and Chi 2021, arXiv:2105.15186",
        predicted="at most 1",
        study=study,
        measure=measure,
        verdict=lambda found: every(*(inside(number(found, name), 0.0, 1.0 + 1e-9) for name in found)),
        control=lambda budget: study(budget, 16.0),
        wrong="steps sixteen times as long",
        figure=figure,
    )


@claim
def extragradient_needs_fewer_steps() -> Claim:
    """To a duality gap of 1e-10 magnetic mirror descent takes steps in proportion to eta^2, extragradient to eta.

    Eight random 5 x 5 games (32 at the full budget), uniform references, default step sizes, eta = 16, 32 and 64: the
    exponent of eta of the geometric mean of the steps lies in [1.85, 2.15] and in [0.8, 1.15].

    The control leaves out the midpoint: mirror descent in the place of extragradient.
    """
    etas = (16, 32, 64)

    def study(budget: Budget, midpoint: bool = True) -> dict[str, np.ndarray]:
        g = np.random.default_rng(budget.seed)
        uniform = np.full(5, 0.2)
        slow: Any = equilibrium.magnetic_mirror_descent_game
        solvers = {"magnetic MD": slow, "extragradient": equilibrium.extragradient_game if midpoint else slow}
        steps: dict[str, list[list[float]]] = {name: [] for name in solvers}
        for _ in range(budget.choose(8, 32)):
            A = g.random((5, 5))
            for name, solve in solvers.items():
                most = [8 * eta**2 if solve is slow else 64 * eta for eta in etas]
                paths = [solve(A, uniform, uniform, float(e), steps=n).gaps for e, n in zip(etas, most, strict=True)]
                steps[name].append([int(np.argmax(gaps <= 1e-10)) or math.inf for gaps in paths])
        return {name: np.log(found) for name, found in steps.items()}

    def figure(result: dict[str, np.ndarray]) -> Any:
        import pandas as pd

        from banditlab.trajectory import Grid

        rows = [
            {"eta": eta, "algorithm": name, "replication": i, "rounds": 0, "steps": math.exp(x)}
            for name, logs in result.items()
            for i, row in enumerate(logs)
            for eta, x in zip(etas, row, strict=True)
        ]
        about = {"problem": "random games of 5 x 5 actions, uniform references"}
        shown = figures.scaling(Grid({"eta": list(etas)}, pd.DataFrame(rows), about), "eta", y="steps")
        shown.axes[0].set_ylabel(r"mean steps to a gap of $10^{-10}$")
        return shown

    return Claim(
        statement="Extragradient solves games at large eta in order eta steps, where mirror descent needs eta^2.",
        latex=r"t_{\mathrm{MMD}} = O(\eta^2 L^2\log(1/\epsilon)), \quad t_{\mathrm{EG}} = O(\eta L\log(1/\epsilon))",
        source="Sokota et al. 2023, arXiv:2206.05825; Cen, Wei and Chi 2021, arXiv:2105.15186",
        predicted="exponents: 2 and 1",
        study=study,
        measure=lambda result: {
            f"exponent of eta, {name}": estimate(lambda mean: loglog(etas, np.exp(mean)), logs)
            for name, logs in result.items()
        },
        verdict=lambda found: every(
            inside(number(found, "exponent of eta, magnetic MD"), 1.85, 2.15),
            inside(number(found, "exponent of eta, extragradient"), 0.8, 1.15),
        ),
        control=lambda budget: study(budget, midpoint=False),
        wrong="no midpoint",
        figure=figure,
    )
