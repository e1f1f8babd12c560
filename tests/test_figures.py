"""Figures: what is drawn equals what was measured, says so, is legible, and is the same bytes each time."""

import io
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.text import Annotation, Text
from scipy.optimize import minimize

import banditlab as bl
from banditlab import figures
from banditlab.trajectory import Grid, Offline, Trajectory

T = 2.0 ** np.arange(13)
PROBLEM = bl.bandits.bandit([0.3, 0.45, 0.5, 0.55, 0.7], eta=5.0)
LAWS = {"greedy": np.log1p(T), "KL-UCB, c = 0.5": np.log1p(T) ** 2 / 4, "explore-then-commit": np.sqrt(T) / 3}


def trajectory(laws=LAWS, *, replications=30, noise=0.1, bounds=None, problem=PROBLEM, t=T, seed=0):
    """A synthetic result whose replications are the laws times factors 1 + noise N(0, 1)."""
    rng = np.random.default_rng(seed)
    channels = {}
    for name, law in laws.items():
        regret = law * (1.0 + noise * rng.standard_normal((replications, 1)))
        channels[name] = {"regret": regret, "pseudo_regret": 2.0 * regret}
    bounds = {name: factor * laws[name] for name, factor in (bounds or {}).items()}
    return Trajectory(problem, int(t[-1]), 0, range(replications), t.astype(np.int64), channels, bounds)


def grid(axes, law, *, algorithms=("KL-UCB",), replications=20, noise=0.05, manifest=None):
    """A synthetic sweep: law(algorithm, **point) times factors 1 + noise N(0, 1)."""
    rng = np.random.default_rng(0)
    rows = []
    for values in np.array(np.meshgrid(*axes.values(), indexing="ij")).reshape(len(axes), -1).T:
        point = {"rounds": 1024, **dict(zip(axes, values, strict=True))}
        for name in algorithms:
            for replication in range(replications):
                regret = law(name, **point) * (1.0 + noise * rng.standard_normal())
                rows.append({**point, "algorithm": name, "replication": replication, "regret": regret})
    return Grid({name: list(values) for name, values in axes.items()}, pd.DataFrame(rows), manifest or {})


N = 2.0 ** np.arange(9, 17)
CONTEXTUAL = bl.contextual.tabular([[0.3, 0.6], [0.7, 0.5]], eta=5.0)
RATES = {"plug-in": 4.0 / N, "KL-PCB, c = 1": 9.0 / N, "slow": 0.2 / np.sqrt(N)}
THEORY = {
    "bounds": {"KL-PCB, c = 1": np.where(N < 1000, np.inf, 500.0 / N), "slow": np.nan * N},
    "laws": {"plug-in": 4.1 / N},
    "lower": 0.3 / N,
}


def offline(rates=RATES, *, n=N, replications=40, noise=0.3, problem=CONTEXTUAL, **theory):
    """A synthetic offline result whose replications are the rates times factors 1 + noise N(0, 1)."""
    rng = np.random.default_rng(0)
    factors = {name: 1.0 + noise * rng.standard_normal((replications, n.size)) for name in rates}
    channels = {name: {"gap": rate * factors[name]} for name, rate in rates.items()}
    return Offline(problem, n.astype(np.int64), 0, range(replications), channels, **theory)


def offline_grid(axes, gap, *, samples=None, replications=20, noise=0.05, manifest=None):
    """A synthetic offline sweep: gap(n, **point) times factors 1 + noise N(0, 1); `samples` maps a point to its n."""
    rng = np.random.default_rng(0)
    rows = []
    for values in np.array(np.meshgrid(*axes.values(), indexing="ij"), dtype=object).reshape(len(axes), -1).T:
        point = dict(zip(axes, values, strict=True))
        n = point["samples"] if samples is None else samples(point)
        for replication in range(replications):
            found = gap(n, **{k: v for k, v in point.items() if k != "samples"})
            found *= 1.0 + noise * rng.standard_normal()
            rows.append({**point, "samples": n, "algorithm": "plug-in", "replication": replication, "gap": found})
    table = pd.DataFrame(rows).infer_objects()
    return Grid({name: list(values) for name, values in axes.items()}, table, manifest or {})


COVERAGE = {"coverage": [4.0, 16.0, 64.0], "regularizer": ["kl", "chi2", "kl_chi2"]}


def price(n, coverage, regularizer):
    """Linear in C under KL, flat else."""
    return {"kl": coverage / 4, "chi2": 0.6, "kl_chi2": 0.4}[regularizer] / n


def coverage_sweep(**options):
    return offline_grid(COVERAGE, price, **{"samples": lambda point: 1024, **options})


def offline_phase(noise=0.0, **options):
    """Suboptimality (1 + kappa) / sqrt(n) above eta = 8, and (1 + kappa) / n below."""
    axes = {"eta": [1.0, 4.0, 16.0, 64.0], "samples": [256, 512, 1024, 2048], "kappa": [0.0, 1.0, 4.0]}
    return offline_grid(axes, lambda n, eta, kappa: (1 + kappa) / (n**0.5 if eta > 8 else n), noise=noise, **options)


DRAWS = 4.0 ** np.arange(1, 6)
PASS = {"majority vote": 1.0 - np.exp(-DRAWS / 60.0), "best-of-majority": np.exp(-DRAWS / 20.0)}
ANSWERS = SimpleNamespace(summary="answers, k = 3, coverage = 6.7")


def phase(**options):
    """Regret (1 + kappa) sqrt(T) above eta = 8, and a constant below."""
    axes = {"eta": [1.0, 4.0, 16.0, 64.0], "rounds": [256, 512, 1024, 2048], "kappa": [0.0, 1.0, 4.0]}
    return grid(axes, lambda _, eta, rounds, kappa: (1 + kappa) * (rounds**0.5 if eta > 8 else 9.0), **options)


CROSSOVERS = {r"$\sqrt{T/K}$": [[256, 5.7], [2048, 16.0]], r"$\eta_c(K, T)$": [[256, 0.9], [2048, 1.7]]}


def writing(figure):
    """The texts that drawing the figure writes, with their boxes in pixels (the Agg renderer)."""
    found, draw = [], Text.draw

    def record(self, renderer):
        if self.get_visible() and self.get_text().strip():
            found.append((self.get_text(), Text.get_window_extent(self, renderer)))
        draw(self, renderer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", record)
        FigureCanvasAgg(figure).draw()
    return found


def collisions(figure):
    """Pairs of texts that overlap by more than a pixel in both directions."""
    texts = writing(figure)
    return [
        (a, b)
        for i, (a, x) in enumerate(texts)
        for b, y in texts[:i]
        if min(x.x1, y.x1) - max(x.x0, y.x0) > 1.0 and min(x.y1, y.y1) - max(x.y0, y.y0) > 1.0
    ]


def caption(figure):
    return figure.texts[0].get_text().replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def names(axes):
    return {a.get_text(): a for a in axes.texts if isinstance(a, Annotation) and a.arrow_patch is not None}


def lines(axes, style="-"):
    return [line for line in axes.lines if line.get_linestyle() == style]


CLOSE = {f"algorithm {i}": law for i, law in enumerate(np.log1p(T) * (1.0 + 0.01 * np.arange(14)[:, None]))}
TWELVE = {f"algorithm {i}": 50.0 for i in range(12)}
CLOSE_OFFLINE = {f"algorithm {i}": (4.0 + 0.01 * i) / N for i in range(12)}
HEAVY = np.exp(np.random.default_rng(1).normal(size=(60, 1)) * 2.5) * np.sqrt(T)
TAILED = trajectory({"KL-UCB": np.log1p(T), "Thompson": 2 * np.log1p(T)}, replications=60)
TAILED.channels["greedy"] = {"regret": HEAVY, "pseudo_regret": HEAVY}


def decaying():
    """A trajectory whose gap of the round falls like 1 / t."""
    result = trajectory()
    for found in result.channels.values():
        found["gap"] = found["regret"] / T
    return result


PANELS = {"$\\eta = 1$": trajectory({"greedy": np.log1p(T)}), "$\\eta = \\infty$": trajectory()}
HALVED = {"fast": 0.5 ** np.arange(80.0), "slow": 1.0 / (1.0 + np.arange(200.0)), "done": np.array([0.5, 0.0, 0.0])}
PATHS = {
    "in": np.linspace([0.6, 0.3, 0.1, 0.0], [0.25, 0.25, 0.25, 0.25], 20),
    "out": np.linspace([0.6, 0.3, 0.1, 0.0], [0.0, 0.0, 1.0, 0.0], 20),
}

DRAWN = {
    "log": lambda: figures.regret(trajectory()),
    "linear": lambda: figures.regret(trajectory(), time="linear"),
    "loglog": lambda: figures.regret(trajectory(), time="loglog"),
    "bounds": lambda: figures.regret(trajectory(bounds={"greedy": 90.0, "KL-UCB, c = 0.5": 99.0}), bounds=True),
    "bounds, loglog": lambda: figures.regret(
        trajectory(bounds={"greedy": 90.0, "KL-UCB, c = 0.5": 50.0}), bounds=True, time="loglog"
    ),
    "bounds near": lambda: figures.regret(trajectory(bounds={"greedy": 1.5}), bounds=True, time="linear"),
    "pseudo-regret": lambda: figures.regret(trajectory(), channel="pseudo_regret", wide=True),
    "fourteen close curves": lambda: figures.regret(trajectory(CLOSE)),
    "twelve bounds": lambda: figures.regret(trajectory(CLOSE, bounds=TWELVE), bounds=True),
    "twelve bounds, loglog": lambda: figures.regret(trajectory(CLOSE, bounds=TWELVE), bounds=True, time="loglog"),
    "panels": lambda: figures.regret_panels(PANELS, about="a game, eta = 1", laws=["greedy"]),
    "panels, loglog": lambda: figures.regret_panels(PANELS, about="a game", time="loglog", laws=["greedy"], wide=True),
    "over log": lambda: figures.regret_over_log(trajectory(), guides={"greedy": 1.0, "Lai-Robbins": 1.02}),
    "over log, bounds": lambda: figures.regret_over_log(trajectory(bounds={"greedy": 90.0}), bounds=True),
    "over log, far apart": lambda: figures.regret_over_log(
        trajectory({"log": np.log1p(T), "linear": T / 4}, bounds={"log": 90.0}), bounds=True, guides={"log": 1.0}
    ),
    "tail": lambda: figures.regret(TAILED),
    "tails": lambda: figures.tails(TAILED),
    "tails, close": lambda: figures.tails(trajectory(CLOSE, replications=10)),
    "short": lambda: figures.regret(trajectory({"greedy": np.ones(1)}, t=np.array([3.0]), replications=1)),
    "no regret": lambda: figures.regret(trajectory({"greedy": 0 * T}), time="loglog"),
    "scaling": lambda: figures.scaling(
        grid(
            {"K": 2.0 ** np.arange(1, 13)}, lambda name, K, rounds: K * (2.0 + len(name)), algorithms=("a", "b", "cd")
        ),
        "K",
    ),
    "scaling, two axes": lambda: figures.scaling(
        grid({"eta": [1.0, 4.0, 16.0], "rounds": [256, 1024, 4096]}, lambda _, eta, rounds: eta + rounds**0.01), "eta"
    ),
    "narrow range": lambda: figures.scaling(grid({"eta": [1.0, 2.0]}, lambda _, eta, rounds: 3.0 + 0.1 * eta), "eta"),
    "suboptimality": lambda: figures.suboptimality(offline()),
    "suboptimality, bounds": lambda: figures.suboptimality(offline(**THEORY), bounds=True),
    "suboptimality, scaled": lambda: figures.suboptimality(offline(**THEORY), bounds=True, scaled=True),
    "suboptimality, wide": lambda: figures.suboptimality(offline(**THEORY), bounds=True, wide=True),
    "suboptimality, one size": lambda: figures.suboptimality(offline({"plug-in": np.ones(1)}, n=np.array([64.0]))),
    "no suboptimality": lambda: figures.suboptimality(offline({"plug-in": 0 * N})),
    "far certificate": lambda: figures.suboptimality(offline(bounds={"plug-in": 1e9 / N}), bounds=True),
    "twelve certificates": lambda: figures.suboptimality(
        offline(CLOSE_OFFLINE, bounds={name: 50 * rate for name, rate in CLOSE_OFFLINE.items()}), bounds=True
    ),
    "gap of the round": lambda: figures.regret(decaying(), channel="gap", time="loglog"),
    "coverage": lambda: figures.coverage(coverage_sweep(manifest={"problem": "contextual bandit, eta = 6"})),
    "coverage of several n": lambda: figures.coverage(
        offline_grid({**COVERAGE, "samples": [64, 1024]}, price), wide=True
    ),
    "pass at k": lambda: figures.pass_at_k(offline(PASS, n=DRAWS, problem=ANSWERS, laws=PASS)),
    "offline phase": lambda: figures.phase_diagram(offline_phase(manifest={"crossovers": CROSSOVERS})),
    "offline scaling": lambda: figures.scaling(offline_phase(0.02), "samples", wide=True),
    "convergence": lambda: figures.convergence(HALVED, about="a game", bounds={"fast": 2.0 * HALVED["fast"]}),
    "convergence, linear": lambda: figures.convergence(HALVED, about="a game", time="linear", wide=True),
    "simplex": lambda: figures.simplex(PATHS, about="a game", marks={"Nash": PATHS["in"][-1], "reference": [1, 1, 2]}),
    "phase": lambda: figures.phase_diagram(phase(manifest={"crossovers": CROSSOVERS})),
    "two phases": lambda: figures.phase_diagram(phase(algorithms=("KL-UCB", "greedy")), wide=True),
}


# Names, captions, the page


def test_dodge_by_hand():
    np.testing.assert_allclose(figures.dodge([0.5, 0.5], [0.2, 0.2]), [0.4, 0.6])
    np.testing.assert_allclose(figures.dodge([1.0, 0.0], [0.2, 0.2]), [0.9, 0.1])
    np.testing.assert_allclose(figures.dodge([0.3, 0.8], [0.2, 0.2]), [0.3, 0.8])
    np.testing.assert_allclose(figures.dodge([0.9, 0.95, 1.0], [0.5, 0.3, 0.2]), [0.25, 0.65, 0.9])


@pytest.mark.parametrize("seed", range(8))
def test_dodge_is_the_least_squares_solution(seed):
    rng = np.random.default_rng(seed)
    wanted, heights = np.sort(rng.random(6)), rng.uniform(0.02, 0.2, 6)
    heights *= min(1.0, 0.9 / heights.sum())
    limits = [
        {"type": "ineq", "fun": lambda y: np.diff(y) - 0.5 * (heights[1:] + heights[:-1])},
        {"type": "ineq", "fun": lambda y: [y[0] - 0.5 * heights[0], 1.0 - 0.5 * heights[-1] - y[-1]]},
    ]
    best = minimize(lambda y: ((y - wanted) ** 2).sum(), np.linspace(0.1, 0.9, 6), constraints=limits, tol=1e-14)
    placed = figures.dodge(wanted, heights)
    assert all((limit["fun"](placed) >= np.full(1, -1e-12)).all() for limit in map(_arrays, limits))
    np.testing.assert_allclose(placed, best.x, atol=1e-6)


def _arrays(limit):
    return {**limit, "fun": lambda y: np.asarray(limit["fun"](y))}


@pytest.mark.parametrize("case", DRAWN)
def test_nothing_written_overlaps_or_leaves_the_page(case):
    figure = DRAWN[case]()
    assert collisions(figure) == []
    width, height = figure.get_size_inches() * figure.dpi
    for text, box in writing(figure):
        assert box.x0 > 0 and box.y0 > 0 and box.x1 < width and box.y1 < height, text


def test_names_that_are_not_moved_apart_are_seen_to_overlap():
    figure = DRAWN["fourteen close curves"]()
    for name in names(figure.axes[0]).values():
        name.set_y(0.5)
    assert collisions(figure)


@pytest.mark.parametrize("wide", [False, True])
def test_figures_have_the_width_of_a_column_or_a_page(wide):
    sizes = [
        figures.regret(trajectory(), wide=wide),
        figures.regret_over_log(trajectory(), wide=wide),
        figures.tails(TAILED, wide=wide),
        figures.scaling(phase(), "eta", wide=wide),
        figures.phase_diagram(phase(), wide=wide),
    ]
    assert {figure.get_figwidth() for figure in sizes} == {6.9 if wide else 3.3}


def test_each_name_stands_by_its_curve_in_its_colour():
    axes = DRAWN["log"]().axes[0]
    for name, line in zip(LAWS, axes.lines, strict=True):
        assert names(axes)[name].xy == pytest.approx((line.get_xdata()[-1], line.get_ydata()[-1]))
        assert matplotlib.colors.to_rgb(names(axes)[name].get_color()) == pytest.approx(
            [0.75 * c for c in matplotlib.colors.to_rgb(line.get_color())]
        )


def test_captions_say_instance_bands_replications_and_dashes():
    text = caption(DRAWN["bounds"]())
    for part in (
        "Bernoulli bandit",
        "$K=5$",
        r"$\eta=5$",
        "Bands: mean ±2 standard errors",
        "30 replications",
        "Dashed",
    ):
        assert part in text
    assert "Dashed" not in caption(DRAWN["log"]())
    assert "One replication, no bands." in caption(DRAWN["short"]())
    assert "Bands: median, 5 to 95 % quantiles (tail-dominated: greedy); 60 replications." in caption(DRAWN["tail"]())
    alone = trajectory({"greedy": T})
    alone.channels["greedy"]["regret"] = HEAVY
    assert "Bands: median, 5 to 95 % quantiles (tail-dominated); 30 replications." in caption(figures.regret(alone))


def test_eta_in_a_summary_is_set_as_mathematics_and_beta_is_left_alone():
    unregularized = bl.bandits.bandit([0.3, 0.7], eta=float("inf"), noise="beta")
    assert caption(figures.regret(trajectory(problem=unregularized))).startswith(r"Beta bandit, $K=2$, $\eta=\infty$.")


# Curves and bands


def test_band_is_mean_and_two_standard_errors():
    x = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 9.0], [1.0, 5.0]])
    found = figures.band(x, False)
    half = 2.0 * np.sqrt((9.0 + 1.0 + 16.0 + 0.0) / 3.0 / 4.0)  # deviations from the mean 5
    np.testing.assert_allclose(found.centre, [1.0, 5.0])
    np.testing.assert_allclose(found.low, [1.0, 5.0 - half])
    np.testing.assert_allclose(found.high, [1.0, 5.0 + half])
    assert not found.tail_dominated


def test_band_by_quantiles_is_median_and_quantiles():
    x = np.append(np.arange(1.0, 20.0), 1000.0)[:, None]
    found = figures.band(x, True)
    assert found.tail_dominated
    np.testing.assert_allclose(np.ravel([found.low, found.centre, found.high]), [1.95, 10.5, 68.05])


@pytest.mark.parametrize("draw", [figures.regret, lambda result: figures.regret_over_log(result)])
def test_all_curves_of_a_figure_show_one_statistic(draw):
    def shown(result):
        scale = 1.0 if draw is figures.regret else 1.0 / np.log(T[-1])
        ends = dict(zip(result.regret, (line.get_ydata()[-1] / scale for line in draw(result).axes[0].lines)))
        return {name: ends[name] for name in ("KL-UCB", "Thompson")}

    calm = Trajectory(PROBLEM, int(T[-1]), 0, range(60), T.astype(np.int64), dict(TAILED.channels))
    del calm.channels["greedy"]
    finals = {name: values[:, -1] for name, values in calm.regret.items()}
    assert all(abs(np.median(x) - x.mean()) > 1e-4 * x.mean() for x in finals.values()), "the two must differ"
    assert shown(calm) == pytest.approx({name: x.mean() for name, x in finals.items()}, rel=1e-12)
    assert shown(TAILED) == pytest.approx({name: np.median(x) for name, x in finals.items()}, rel=1e-12)


def test_what_is_drawn_is_the_band():
    result = trajectory()
    axes = figures.regret(result).axes[0]
    bands = [c for c in axes.collections if isinstance(c, PolyCollection)]
    for regret, line, drawn in zip(result.regret.values(), axes.lines, bands, strict=True):
        mean, se = regret.mean(axis=0), regret.std(axis=0, ddof=1) / np.sqrt(30)
        np.testing.assert_array_equal(line.get_xdata(), result.checkpoints)
        np.testing.assert_allclose(line.get_ydata(), mean)
        (polygon,) = (path.vertices for path in drawn.get_paths())
        for t, low, high in zip(T, mean - 2 * se, mean + 2 * se, strict=True):
            at = polygon[polygon[:, 0] == t, 1]
            np.testing.assert_allclose([at.min(), at.max()], [low, high])


def test_quantile_bands_do_not_flatten_the_other_curves():
    figure = DRAWN["tail"]()
    top, median = figure.axes[0].get_ylim()[1], np.median(HEAVY[:, -1])
    assert np.quantile(HEAVY[:, -1], 0.95) > 3 * median, "the case must be one where the band is cut"
    assert top == pytest.approx(1.05 * 2 * median)
    assert (
        f"The band of greedy reaches ${figures._number(float(f'{np.quantile(HEAVY[:, -1], 0.95):.2g}'))}$."
        in caption(figure)
    )


def test_bounds_far_above_have_axes_of_their_own_and_near_ones_share():
    upper, main = DRAWN["bounds"]().axes
    np.testing.assert_allclose(lines(upper, "--")[0].get_ydata(), 90.0 * LAWS["greedy"])
    assert lines(upper, "--")[0].get_color() == main.lines[0].get_color()
    assert not lines(main, "--") and upper.get_ylim()[1] > 99 * LAWS["KL-UCB, c = 0.5"][-1]
    assert main.get_ylim()[1] < 2 * LAWS["explore-then-commit"][-1]
    for case in ("bounds, loglog", "bounds near"):
        (axes,) = DRAWN[case]().axes
        drawn = lines(axes, "--")
        assert drawn and all(axes.get_ylim()[1] > line.get_ydata().max() for line in drawn)


def test_bounds_that_are_nowhere_finite_are_left_out_and_gaps_are_gaps():
    result = trajectory(bounds={"greedy": np.nan, "KL-UCB, c = 0.5": np.where(T < 9, np.inf, 2.0)})
    (axes,) = figures.regret(result, bounds=True, time="linear").axes
    (drawn,) = lines(axes, "--")
    np.testing.assert_array_equal(np.isnan(drawn.get_ydata()), T < 9)


def test_loglog_guides_have_slopes_one_half_and_one_and_stay_below_the_curves():
    axes = DRAWN["loglog"]().axes[0]
    guides = [line for line in axes.lines if line.get_color() == figures._GREY]
    for guide, slope in zip(guides, (0.5, 1.0), strict=True):
        x, y = np.log(guide.get_data())
        assert np.diff(y) / np.diff(x) == pytest.approx(slope)
        fine = np.linspace(*x)
        for curve in axes.lines[2:]:
            assert (np.interp(fine, np.log(T), np.log(curve.get_ydata())) > np.interp(fine, x, y)).all()
    assert len(lines(DRAWN["log"]().axes[0])) == 3


def test_panels_have_scales_of_their_own_one_colour_an_algorithm_and_c_log_t_through_the_last_point():
    figure = figures.regret_panels(PANELS, about="a game, eta = 1", laws=["greedy"])
    first, second = figure.axes
    assert [axes.get_title() for axes in figure.axes] == list(PANELS)
    assert first.get_ylim()[1] < second.get_ylim()[1]
    assert names(first)["greedy"].get_color() == names(second)["greedy"].get_color()
    (dotted,) = lines(first, ":")
    end = PANELS["$\\eta = 1$"].regret["greedy"][:, -1].mean()
    np.testing.assert_allclose(dotted.get_ydata(), end * np.log(T) / np.log(T[-1]), rtol=1e-12)
    assert "Dotted: $c\\,\\log{t}$" in caption(figure) and "$\\eta=1$" in caption(figure)


def test_regret_over_log_is_flat_for_logarithmic_regret_and_begins_at_the_burn_in():
    result = trajectory({"log": 3.0 * np.log(T), "log²": np.log(T) ** 2}, noise=0.0)
    axes = figures.regret_over_log(result, guides={"log": 3.5}).axes[0]
    kept = T[T >= PROBLEM.burn_in]
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), kept)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), 3.0)
    np.testing.assert_allclose(axes.lines[1].get_ydata(), np.log(kept))
    (law,) = lines(axes, ":")
    assert law.get_ydata() == [3.5, 3.5] and law.get_color() == axes.lines[0].get_color()


def test_regret_over_log_has_a_logarithmic_axis_where_one_curve_would_flatten_the_others():
    laws = {"log": np.log1p(T), "linear": T / 4}
    assert figures.regret_over_log(trajectory(laws)).axes[0].get_yscale() == "log"
    assert figures.regret_over_log(trajectory()).axes[0].get_yscale() == "linear"


def test_tails_are_the_survival_function_with_median_and_quantile():
    result = trajectory({"a": T}, replications=4)
    result.channels["a"]["regret"] = np.outer([4.0, 1.0, 2.0, 8.0], np.ones(T.size))
    axes = figures.tails(result).axes[0]
    np.testing.assert_allclose(axes.lines[0].get_data(), [[1.0, 0.75, 0.5, 0.25], [1.0, 2.0, 4.0, 8.0]])
    marks = {line.get_marker(): line.get_data() for line in axes.lines if line.get_marker() != "None"}
    np.testing.assert_allclose(np.ravel(marks["o"]), [0.5, 3.0])
    np.testing.assert_allclose(np.ravel(marks["D"]), [0.05, np.quantile([1, 2, 4, 8], 0.95)])


# Sweeps


def test_scaling_writes_the_exponent_and_draws_it_over_its_range_only():
    axes = {"eta": 2.0 ** np.arange(-2, 8)}
    sweep = grid(axes, lambda _, eta, rounds: 3.0 * min(eta, 8.0), noise=0.02)
    figure = figures.scaling(sweep, "eta", fit=(0.25, 8.0))
    (drawn,) = figure.axes
    ((name, _),) = names(drawn).items()
    value, low, high = (float(x) for x in name.split("\n")[1].translate(str.maketrans("[],", "   ")).split())
    assert low <= 1.0 <= high and high - low < 0.05 and abs(value - 1.0) < 0.03
    (line,) = (line for line in drawn.lines if line.get_linewidth() == 4.0)
    assert line.get_xdata()[0] == 0.25 and line.get_xdata()[-1] == 8.0
    slope = np.diff(np.log(line.get_ydata())) / np.diff(np.log(line.get_xdata()))
    np.testing.assert_allclose(slope, value, atol=0.006)  # the name has two decimals
    assert "after $2^{10}$ rounds" in drawn.get_ylabel() and "standard errors" in caption(figure)
    whole = float(next(iter(names(figures.scaling(sweep, "eta").axes[0]))).split("\n")[1].split()[0])
    assert whole < 0.9, "over everything the plateau pulls the exponent down"


def test_scaling_resamples_whole_replications_since_the_cells_of_a_sweep_share_random_numbers():
    sweep = grid({"eta": [1.0, 2.0, 4.0]}, lambda _, eta, rounds: eta, noise=0.0)
    sweep.table["regret"] *= 1.0 + 0.3 * np.sin(sweep.table["replication"])  # one factor a replication: slope 1 exactly
    sweep = Grid(sweep.axes, sweep.table.sample(frac=1.0, random_state=0), {})  # paired by number, not by place
    (name,) = names(figures.scaling(sweep, "eta").axes[0])
    assert name.split("\n")[1] == "1.00 [1.00, 1.00]"
    eta, regret = sweep.table["eta"], sweep.table["regret"]
    apart = figures.rates.exponent([1.0, 2.0, 4.0], [regret[eta == value] for value in (1.0, 2.0, 4.0)])
    assert apart.high - apart.low > 0.05, "independent resampling would see noise"


def test_scaling_draws_means_with_two_standard_errors_and_marks_heavy_tails():
    sweep = grid({"K": [2.0, 4.0, 8.0]}, lambda _, K, rounds: K)
    sweep.table.loc[sweep.table["K"] == 8.0, "regret"] = np.append(np.ones(19), 40.0)
    figure = figures.scaling(sweep, "K")
    (axes,) = figure.axes
    filled, hollow = (
        [line for line in axes.lines if line.get_marker() == "o" and (line.get_mfc() == "white") == h] for h in (0, 1)
    )
    np.testing.assert_allclose(hollow[0].get_data(), [[8.0], [59.0 / 20.0]])
    np.testing.assert_array_equal(filled[0].get_xdata(), [2.0, 4.0])
    first = sweep.table.loc[sweep.table["K"] == 2.0, "regret"]
    half = 2.0 * first.std() / np.sqrt(20)
    bar = axes.containers[0].lines[2][0].get_segments()[0]
    np.testing.assert_allclose(bar[:, 1], [first.mean() - half, first.mean() + half])
    assert "tail-dominated" in caption(figure)


def test_scaling_has_a_curve_for_each_algorithm_and_value_of_the_other_axes():
    sweep = grid({"eta": [1.0, 2.0], "rounds": [512, 1024]}, lambda _, eta, rounds: eta, algorithms=("a", "b"))
    found = {name.split("\n")[0] for name in names(figures.scaling(sweep, "eta").axes[0])}
    assert found == {f"{algorithm}, $T={rounds}$" for algorithm in "ab" for rounds in ("512", "2^{10}")}


def test_phase_diagram_colours_are_local_slopes_of_the_largest_mean():
    sweep = phase(noise=0.0)
    swing = (
        sweep.table["regret"] * (sweep.table["rounds"] / 256 - 1) / 9
    )  # leaves the mean, not the largest replication
    sweep.table["regret"] += swing * sweep.table["replication"].map({0: 1.0, 1: -1.0}).fillna(0.0)
    (mesh,) = (c for c in figures.phase_diagram(sweep).axes[0].collections if isinstance(c, QuadMesh))
    np.testing.assert_allclose(mesh.get_array().reshape(4, 4), [[0.0] * 4, [0.0] * 4, [0.5] * 4, [0.5] * 4], atol=1e-12)
    sweep.table.loc[sweep.table["kappa"] == 1.0, "regret"] = 100.0 * sweep.table["rounds"]  # now the largest
    (mesh,) = (c for c in figures.phase_diagram(sweep).axes[0].collections if isinstance(c, QuadMesh))
    np.testing.assert_allclose(mesh.get_array(), 1.0)
    assert mesh.get_clim() == (0.0, 1.0)


def test_phase_diagram_brightens_steadily_so_that_it_reads_in_grey():
    with figures._style():
        colours = matplotlib.colormaps[matplotlib.rcParams["image.cmap"]](np.linspace(0.0, 1.0, 64))[:, :3]
    assert (np.diff(colours @ [0.2126, 0.7152, 0.0722]) > 0.0).all()


def test_phase_diagram_hatches_the_cells_where_regret_falls_with_the_horizon():
    axes = {"eta": [1.0, 4.0, 16.0], "rounds": [256, 512, 1024]}
    powers = {1.0: -0.2, 4.0: 0.0, 16.0: 0.5}
    figure = figures.phase_diagram(grid(axes, lambda _, eta, rounds: rounds ** powers[eta], noise=0.0))
    (drawn,) = figure.axes
    hatched = [patch.get_bbox() for patch in drawn.patches if patch.get_hatch()]
    assert sorted(np.sqrt(box.x0 * box.x1) for box in hatched) == pytest.approx([256.0, 512.0, 1024.0])
    assert [np.sqrt(box.y0 * box.y1) for box in hatched] == pytest.approx([1.0] * 3)
    (mesh,) = (c for c in drawn.collections if isinstance(c, QuadMesh))
    grey = mesh.to_rgba(-0.2)
    assert grey[0] == grey[1] == grey[2] and grey != mesh.to_rgba(0.0)
    assert "Hatched grey: regret falls with $T$" in caption(figure)
    assert not any(patch.get_hatch() for patch in figures.phase_diagram(phase(noise=0.0)).axes[0].patches)
    assert "Hatched" not in caption(figures.phase_diagram(phase(noise=0.0)))


def test_phase_diagram_overlays_the_crossovers_of_the_sweep_or_those_given():
    curves = {"sharp": lambda horizons: np.sqrt(horizons / 8.0)}
    ours = figures.phase_diagram(phase(), curves=curves).axes[0]
    points = [[T, (T / 8.0) ** 0.5] for T in (256, 512, 1024, 2048)]
    theirs = figures.phase_diagram(phase(manifest={"crossovers": {"sharp": points}})).axes[0]
    for axes in (ours, theirs):
        x, y = axes.lines[0].get_data()
        np.testing.assert_allclose(y, np.sqrt(x / 8.0))
        np.testing.assert_allclose(axes.get_xlim(), x[[0, -1]])
        assert "sharp" in names(axes)
    assert not figures.phase_diagram(phase()).axes[0].lines
    assert r"largest over $\kappa$ in {$0$, $1$, $4$}" in caption(figures.phase_diagram(phase()))


# Offline


def test_suboptimality_is_the_mean_with_two_standard_errors_whatever_the_tail():
    result = offline({"plug-in": 4.0 / N})
    result.channels["plug-in"]["gap"][0] *= 100.0
    assert figures.rates.summary(result.gap["plug-in"][:, -1]).tail_dominated, "the case must be one of a heavy tail"
    figure = figures.suboptimality(result)
    (axes,) = figure.axes
    (band,) = (c for c in axes.collections if isinstance(c, PolyCollection))
    gap = result.gap["plug-in"]
    mean, half = gap.mean(axis=0), 2.0 * gap.std(axis=0, ddof=1) / np.sqrt(40)
    np.testing.assert_allclose(axes.lines[-1].get_data(), [N, mean], rtol=1e-12)
    (polygon,) = (path.vertices for path in band.get_paths())
    for n, low, high in zip(N, mean - half, mean + half, strict=True):
        at = polygon[polygon[:, 0] == n, 1]
        np.testing.assert_allclose([at.min(), at.max()], [low, high])
    assert "Bands: mean ±2 standard errors; 40 replications." in caption(figure)
    assert (axes.get_xscale(), axes.get_yscale(), axes.get_xlabel()) == ("log", "log", "sample size $n$")


def test_laws_are_dotted_certificates_dashed_and_the_lower_bound_grey():
    figure = DRAWN["suboptimality, bounds"]()
    (axes,) = figure.axes
    (dashed,), (dotted,) = lines(axes, "--"), lines(axes, ":")
    curves = {
        name: line for name, line in zip(RATES, [line for line in lines(axes) if line.get_color() != figures._GREY])
    }
    np.testing.assert_allclose(dashed.get_ydata(), np.where(N < 1000, np.nan, 500.0 / N))
    assert dashed.get_color() == curves["KL-PCB, c = 1"].get_color()
    np.testing.assert_allclose(dotted.get_ydata(), THEORY["laws"]["plug-in"])
    assert dotted.get_color() == figures._dark(curves["plug-in"].get_color(), 0.5)
    (lower,) = (line for line in lines(axes) if line.get_color() == figures._GREY and line.get_xdata().size == N.size)
    np.testing.assert_allclose(lower.get_ydata(), THEORY["lower"])
    assert set(names(axes)) == {*RATES, "KL-PCB, c = 1\n(certificate)", "lower bound"}
    for part in (
        "Dotted: first-order laws.",
        "Dashed: certificates.",
        "Grey: lower bound for every algorithm, averaged over the signs of its family.",
    ):
        assert part in caption(figure) and part not in caption(figures.suboptimality(offline(**THEORY)))
    assert "above the axes" not in caption(figure)
    assert len(figures.suboptimality(offline(**THEORY)).axes[0].lines) == 3 + 2, "the curves and two guides"


def test_scaled_suboptimality_multiplies_everything_by_n_and_needs_no_guides():
    plain, scaled = (figures.suboptimality(offline(**THEORY), bounds=True, scaled=x).axes[0] for x in (False, True))
    own = [line for line in plain.lines if line.get_xdata().size == N.size]
    assert len(own) == len(scaled.lines) == 6
    for a, b in zip(own, scaled.lines, strict=True):
        np.testing.assert_allclose(b.get_ydata(), N * a.get_ydata(), rtol=1e-12)
    assert "Flat: rate $1/n$." in caption(scaled.figure) and scaled.get_ylabel() == r"$n\,\times$ mean suboptimality"


@pytest.mark.parametrize("case", ["suboptimality", "suboptimality, bounds", "twelve certificates", "gap of the round"])
def test_guides_under_falling_curves_have_slopes_minus_one_half_and_minus_one(case):
    axes = DRAWN[case]().axes[0]
    guides = [line for line in axes.lines if line.get_xdata().size == 2]
    others = [line for line in axes.lines if line.get_xdata().size > 2 and line.get_linestyle() == "-"]
    for guide, slope in zip(guides, (-0.5, -1.0), strict=True):
        x, y = np.log(guide.get_data())
        assert np.diff(y) / np.diff(x) == pytest.approx(slope)
        assert axes.get_ylim()[0] < np.exp(y.min())
        fine = np.linspace(*x)
        for curve in others:
            assert (np.interp(fine, *np.log(curve.get_data())) > np.interp(fine, x, y)).all()


def test_a_certificate_that_is_far_above_does_not_flatten_the_curves():
    figure = DRAWN["far certificate"]()
    high = figure.axes[0].get_ylim()[1]
    top = max((gap.mean(axis=0) + 2 * gap.std(axis=0, ddof=1) / 40**0.5).max() for gap in offline().gap.values())
    assert high == pytest.approx(1000.0 * 1.4 * top)
    assert f"That of plug-in ends at ${figures._number(1.5e4)}$, above the axes." in caption(figure)
    near = figures.suboptimality(offline(bounds={"plug-in": 100.0 / N}), bounds=True).axes[0].get_ylim()[1]
    assert near == pytest.approx(1.4 * max(top, 100.0 / N[0]))


def test_coverage_shows_n_times_the_mean_with_two_standard_errors_where_n_grows_with_the_axis():
    sweep = coverage_sweep(samples=lambda point: int(256 * point["coverage"]))
    sweep.table["law"] = np.where(sweep.table["regularizer"] == "kl", 0.25 * sweep.table["coverage"], np.nan)
    sweep.table["law"] /= sweep.table["samples"]
    figure = figures.coverage(sweep)
    (axes,) = figure.axes
    assert list(names(axes)) == ["kl", "chi2", "kl_chi2"]
    bands = [c for c in axes.collections if isinstance(c, PolyCollection)]
    for name, line, band in zip(COVERAGE["regularizer"], lines(axes), bands, strict=True):
        cells = [rows["gap"] for _, rows in sweep.table[sweep.table["regularizer"] == name].groupby("coverage")]
        scale = 256 * np.array(COVERAGE["coverage"])
        mean = scale * [cell.mean() for cell in cells]
        half = 2.0 * scale * [cell.std() / 20**0.5 for cell in cells]
        np.testing.assert_allclose(line.get_data(), [COVERAGE["coverage"], mean], rtol=1e-12)
        (polygon,) = (path.vertices for path in band.get_paths())
        for C, low, high in zip(COVERAGE["coverage"], mean - half, mean + half, strict=True):
            at = polygon[polygon[:, 0] == C, 1]
            np.testing.assert_allclose([at.min(), at.max()], [low, high])
    (law,) = lines(axes, ":")
    np.testing.assert_allclose(law.get_data(), [[4.0, 16.0, 64.0], [1.0, 4.0, 16.0]])
    assert (axes.get_xlabel(), axes.get_xscale(), axes.get_yscale()) == ("coverage $C$", "log", "log")
    assert r"$n$ from $2^{10}$ to $2^{14}$. Bands: mean ±2" in caption(figure)
    assert "Dotted" in caption(figure) and "Dotted" not in caption(figures.coverage(coverage_sweep()))
    assert "$n=2^{10}$." in caption(figures.coverage(coverage_sweep()))


def test_coverage_has_a_curve_for_each_sample_size_of_a_sweep_over_both():
    found = names(DRAWN["coverage of several n"]().axes[0])
    assert set(found) == {f"{kind}, $n={n}$" for kind in COVERAGE["regularizer"] for n in ("64", "2^{10}")}


def test_offline_phase_diagram_colours_are_minus_the_slopes_of_the_largest_mean():
    figure = figures.phase_diagram(offline_phase(manifest={"crossovers": CROSSOVERS}))
    axes = figure.axes[0]
    (mesh,) = (c for c in axes.collections if isinstance(c, QuadMesh))
    np.testing.assert_allclose(mesh.get_array().reshape(4, 4), [[1.0] * 4, [1.0] * 4, [0.5] * 4, [0.5] * 4], atol=1e-12)
    assert not axes.patches and set(CROSSOVERS) == set(names(axes))
    assert axes.get_xlabel() == "sample size $n$"
    assert "minus the local slope of the mean suboptimality, largest over" in caption(figure)
    written = {text for text, _ in writing(figure)}
    assert {"1 ($1/n$)", "1/2 ($n^{-1/2}$)"} <= written and not any("log T" in text for text in written)
    grows = offline_phase()
    grows.table.loc[(grows.table["kappa"] == 1.0) & (grows.table["eta"] == 1.0), "gap"] = grows.table["samples"]
    figure = figures.phase_diagram(grows)
    assert len(figure.axes[0].patches) == 4 and "Hatched grey: suboptimality grows with $n$." in caption(figure)


def test_scaling_of_an_offline_sweep_fits_the_exponent_of_n():
    sweep = offline_phase()
    axes = figures.scaling(sweep, "samples").axes[0]
    exponents = {float(name.split("\n")[1].split()[0]) for name in names(axes)}
    assert exponents == {-1.0, -0.5} and axes.get_ylabel() == "mean suboptimality from $n$ samples"
    one = figures.scaling(coverage_sweep(), "coverage").axes[0]
    assert one.get_ylabel() == "mean suboptimality from $2^{10}$ samples"


def test_pass_at_k_is_linear_from_zero_with_exact_values_dotted():
    result = offline(
        PASS, n=DRAWS, problem=ANSWERS, laws={"majority vote": PASS["majority vote"], "other": np.nan * DRAWS}
    )
    figure = figures.pass_at_k(result)
    (axes,) = figure.axes
    for gap, line in zip(result.gap.values(), lines(axes), strict=True):
        np.testing.assert_allclose(line.get_data(), [DRAWS, gap.mean(axis=0)])
    (law,) = lines(axes, ":")
    np.testing.assert_allclose(law.get_ydata(), PASS["majority vote"])
    assert (axes.get_xscale(), axes.get_yscale(), axes.get_ylim()[0]) == ("log", "linear", 0.0)
    assert "$k=3$, $C=6.7$." in caption(figure) and "Dotted: exact." in caption(figure)
    assert "Dotted" not in caption(figures.pass_at_k(offline(PASS, n=DRAWS, problem=ANSWERS)))


def test_the_gap_of_the_round_is_called_what_it_is():
    assert figures.regret(decaying(), channel="gap").axes[0].get_ylabel().startswith("suboptimality of the round")


def test_a_word_keeps_its_underscore():
    sweep = offline_grid(
        {"coverage": [4.0], "regularizer": ["kl_chi2"], "eta": [1.0, 2.0]}, lambda n, **_: 1.0 / n, samples=lambda _: 8
    )
    assert figures._values(sweep, "regularizer") == r"$\mathrm{regularizer}$ in {$\mathrm{kl\_chi2}$}"


# Solvers


def test_convergence_draws_positive_gaps_from_the_first_iteration_and_bounds_dashed():
    figure = figures.convergence(HALVED, about="a game, eta = 2", bounds={"fast": 2.0 * HALVED["fast"]})
    axes = figure.axes[0]
    fast, slow, done = lines(axes)
    np.testing.assert_array_equal(fast.get_xdata(), np.arange(1, 80))
    wanted = np.where(HALVED["fast"][1:] > 0.5e-16, HALVED["fast"][1:], np.nan)  # of the largest, 1/2
    np.testing.assert_array_equal(fast.get_ydata(), wanted)
    assert np.isnan(wanted).any() and np.isnan(done.get_ydata()).all()
    np.testing.assert_array_equal(slow.get_ydata(), HALVED["slow"][1:])
    (bound,) = lines(axes, "--")
    assert bound.get_color() == fast.get_color()
    np.testing.assert_array_equal(bound.get_ydata(), 2.0 * HALVED["fast"][1:])
    assert set(names(axes)) == {"fast", "slow"}
    assert caption(figure) == r"A game, $\eta=2$. Dashed: the proven bounds."
    linear = figures.convergence(HALVED, about="a game", time="linear").axes[0]
    np.testing.assert_array_equal(lines(linear)[1].get_xdata(), np.arange(200))


def test_simplex_places_policies_by_their_barycentres():
    """Corners of an equilateral triangle of side 1; the fourth arm is left out and the rest renormalised."""
    axes = figures.simplex(PATHS, about="a game", marks={"even": [2.0, 2.0, 2.0, 4.0]}).axes[0]
    border, path, *_ = lines(axes)
    x, y = border.get_xdata(), border.get_ydata()
    np.testing.assert_allclose(np.hypot(np.diff(x), np.diff(y)), 1.0, rtol=1e-15)
    pi = PATHS["in"][:, :3] / PATHS["in"][:, :3].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(path.get_xdata(), pi @ x[:3], atol=1e-15)
    np.testing.assert_allclose(path.get_ydata(), pi @ y[:3], atol=1e-15)
    even = names(axes)["even"].xy
    np.testing.assert_allclose(even, (x[:3].mean(), y[:3].mean()), rtol=1e-12)


# Arguments


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: figures.regret(trajectory(), time="logarithmic"), "time: 'logarithmic' is unknown; did you mean log"),
        (lambda: figures.regret(trajectory(), channel="pseudo"), "did you mean pseudo_regret"),
        (lambda: figures.regret(trajectory(), channel="pseudo_regret", bounds=True), "bounds: they bound the channel"),
        (lambda: figures.regret_panels(PANELS, about="", time="lgo"), "time: 'lgo' is unknown"),
        (
            lambda: figures.regret_panels(PANELS, about="", laws=["gredy"]),
            "laws: 'gredy' is unknown; did you mean greedy",
        ),
        (
            lambda: figures.regret_panels({"": trajectory({"a": np.ones(1)}, t=np.ones(1))}, about="", laws=["a"]),
            "checkpoints: log t needs one above 1",
        ),
        (lambda: figures.regret_over_log(trajectory(), guides={"law": np.nan}), r"guides\['law'\]: nan"),
        (lambda: figures.regret_over_log(trajectory({"a": np.ones(1)}, t=np.ones(1))), "checkpoints: log t needs one"),
        (lambda: figures.tails(trajectory({"a": 0 * T})), "channel: no final value of 'regret' is positive"),
        (lambda: figures.scaling(phase(), "K"), "axis: 'K' is unknown"),
        (lambda: figures.scaling(phase(), "kappa"), r"kappa: a logarithmic axis needs positive finite values"),
        (lambda: figures.scaling(phase(), "eta", y="regrets"), "did you mean regret"),
        (lambda: figures.scaling(phase(), "eta", fit=(2.0, 5.0)), r"fit: \(2, 5\) holds fewer than two values of eta"),
        (lambda: figures.phase_diagram(grid({"eta": [1.0]}, lambda _, eta, rounds: eta)), "axis: 'rounds' is unknown"),
        (lambda: figures.convergence(HALVED, about="a game", time="loglog"), "time: 'loglog' is unknown"),
        (lambda: figures.convergence({"a": np.zeros(3)}, about="a game"), "gaps: none is positive"),
        (lambda: figures.coverage(phase()), "grid: coverage needs an offline sweep, this one has rounds"),
        (lambda: figures.coverage(coverage_sweep(), x="C"), "axis: 'C' is unknown"),
        (lambda: figures.coverage(coverage_sweep(), x="regularizer"), "regularizer: a logarithmic axis needs numbers"),
        (lambda: figures.scaling(coverage_sweep(), "coverage", y="samples"), "y: 'samples' is unknown"),
        (lambda: figures.phase_diagram(coverage_sweep()), "axis: 'eta' is unknown"),
        (
            lambda: figures.phase_diagram(offline_grid({"eta": [1.0], "samples": [8]}, lambda n, eta: 1.0 / n)),
            "samples: local slopes need at least two sample sizes",
        ),
        (
            lambda: figures.phase_diagram(grid({"eta": [1.0], "rounds": [8]}, lambda _, eta, rounds: eta)),
            "rounds: local slopes need at least two horizons",
        ),
    ],
)
def test_bad_arguments_are_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_regimes_draws_the_worst_of_further_axes_beside_the_bounds():
    laws = {"KL-UCB": np.log1p(T)}
    over_eta = grid({"eta": [1.0, 4.0, 16.0], "kappa": [1.0, 2.0]}, lambda _, eta, kappa, rounds: eta * kappa)
    horizons = {"rounds": [64, 4096, 262144], "kappa": [1.0, 2.0]}
    over_rounds = grid(horizons, lambda _, rounds, kappa: kappa * rounds**0.5)
    figure = figures.regimes(
        trajectory(laws, bounds={"KL-UCB": 9.0}),
        over_eta,
        over_rounds,
        bounds={"eta": lambda eta: 100.0 * eta, "rounds": lambda n: 10.0 * n},
        marks={"here": 4.0},
        caption=["An instance."],
    )
    for axes, x, sweep in zip(figure.axes[1:], ("eta", "rounds"), (over_eta, over_rounds), strict=True):
        means = sweep.table.groupby([x, "kappa"])["regret"].mean().groupby(x).max().to_numpy()
        assert any(line.get_ydata().size == 3 and np.allclose(line.get_ydata(), means) for line in lines(axes))
    dashed = lines(figure.axes[1], "--")[0]
    np.testing.assert_allclose(dashed.get_ydata(), [100.0, 400.0, 1600.0])
    assert not collisions(figure)
    assert "bands and bars" in caption(figure)
    for axes in (figure.axes[0], figure.axes[2]):
        assert {"slope 1/2", "slope 1"} <= {text.get_text() for text in axes.texts}


# Files


def test_save_writes_three_files_and_the_same_bytes_each_time(tmp_path):
    first = figures.save(DRAWN["bounds, loglog"](), tmp_path / "new" / "regret, eta=0.5")
    assert [path.name for path in first] == [f"regret, eta=0.5.{kind}" for kind in ("pdf", "svg", "png")]
    again = figures.save(DRAWN["bounds, loglog"](), tmp_path / "again")
    for a, b in zip(first, again, strict=True):
        assert a.read_bytes() == b.read_bytes()
    other = figures.save(DRAWN["log"](), tmp_path / "other")
    assert all(a.read_bytes() != b.read_bytes() for a, b in zip(first, other, strict=True))
    pdf, svg, png = (path.read_bytes() for path in first)
    assert pdf.startswith(b"%PDF") and b"CreationDate" not in pdf
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf, "fonts are embedded as TrueType"
    assert b"<dc:date>" not in svg and png.startswith(b"\x89PNG")
    assert len(list(tmp_path.rglob("*"))) == 10, "nothing else is left behind"


def test_the_style_holds_whatever_the_users_settings_are():
    plain = figures.png(DRAWN["log"]())
    with matplotlib.rc_context(
        {"font.size": 20, "axes.grid": False, "font.family": "monospace", "savefig.bbox": "tight"}
    ):
        assert figures.png(DRAWN["log"]()) == plain
        assert matplotlib.rcParams["font.size"] == 20


def test_matplotlibs_own_savefig_keeps_the_style():
    data = io.BytesIO()
    DRAWN["log"]().savefig(data, format="pdf")
    assert b"/FontFile2" in data.getvalue() and b"/Type3" not in data.getvalue()


def test_a_figure_shows_itself_in_a_notebook():
    figure = DRAWN["log"]()
    assert figure._repr_png_() == figures.png(figure)
    assert trajectory()._repr_png_() == figures.png(figures.regret(trajectory()))


@pytest.mark.slow
def test_results_of_the_harness_draw_themselves():
    greedy = partial(bl.bandits.kl_ucb, scale=0.0)
    result = bl.run(PROBLEM, {"KL-UCB": bl.bandits.kl_ucb, "greedy": greedy}, rounds=500, replications=8)
    assert set(names(result.plot().axes[0])) == {"KL-UCB", "greedy"}
    sweep = bl.sweep(
        lambda eta: bl.bandits.bandit([0.3, 0.7], eta=eta),
        {"KL-UCB": bl.bandits.kl_ucb},
        over={"eta": [1, 64], "rounds": [64, 128, 256]},
        replications=4,
    )
    assert len(sweep.plot().axes[0].lines) == 2, "both crossovers"
    assert [collisions(f) for f in (result.plot(bounds=True), sweep.plot(), sweep.plot("eta"))] == [[], [], []]


@pytest.mark.slow
def test_offline_results_of_the_harness_draw_themselves():
    algorithms = {"plug-in": bl.contextual.plug_in, "KL-PCB": bl.contextual.kl_pcb}
    result = bl.run_offline(CONTEXTUAL, algorithms, samples=[64, 256, 1024], replications=8)
    sweep = bl.sweep(
        lambda coverage: bl.contextual.tabular([0.3, 0.7], eta=6.0, reference=[1 - 1 / coverage, 1 / coverage]),
        algorithms,
        over={"coverage": [4, 16], "samples": [256, 1024]},
        replications=8,
    )
    drawn = [
        result.plot(),
        result.plot(bounds=True),
        figures.suboptimality(result, scaled=True),
        figures.coverage(sweep),
    ]
    assert set(names(drawn[0].axes[0])) == set(algorithms)
    assert len(names(drawn[3].axes[0])) == 4
    assert [collisions(figure) for figure in drawn] == [[]] * 4


@pytest.mark.slow
def test_neither_the_package_imports_matplotlib_nor_the_figures_pyplot():
    code = (
        "import sys, numpy as np, banditlab as bl\n"
        "from banditlab.trajectory import Trajectory\n"
        "assert not any(name.startswith('matplotlib') for name in sys.modules)\n"
        "problem, t = bl.bandits.bandit([.3, .7], eta=1.), np.array([1, 2, 4])\n"
        "result = Trajectory(problem, 4, 0, range(3), t, {'a': {'regret': np.ones((3, 3))}})\n"
        "assert result.plot()._repr_png_().startswith(b'\\x89PNG')\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_dueling_regret_is_named_by_its_measure():
    for problem, words in (
        (bl.dueling.bt_ladder(3), "average regret"),
        (bl.dueling.bt_ladder(3, measure="strong"), "\\max"),
        (bl.dueling.bt_ladder(3, measure="reward"), "2r^{*}"),
    ):
        result = bl.run(problem, {"a": bl.dueling.rucb}, rounds=64, replications=2)
        assert words in result.plot().axes[0].get_ylabel()


def test_the_gap_of_a_policy_from_comparisons_is_named_by_the_problem():
    for problem, fit, label in (
        (bl.dueling.rps(), bl.dueling.nash_plug_in, "duality gap\n$\\frac{1}{2}-\\min_q V(\\hat\\pi,q)$"),
        (bl.dueling.bt_ladder(3, eta=2.0), bl.dueling.bt_greedy, "suboptimality\n$J^{*}-J(\\hat\\pi)$"),
    ):
        result = bl.run_offline(problem, {"a": fit}, samples=[64, 128], replications=2)
        assert problem.gap_label == label
        assert result.plot().axes[0].get_ylabel() == f"mean {label}"
        scaled = figures.suboptimality(result, scaled=True).axes[0].get_ylabel()
        assert scaled == rf"$n\,\times$ mean {label.splitlines()[0]}"
