"""Rates: exact curves, hand-worked criteria, and how often noisy curves and intervals come out right."""

import math
from itertools import product

import numpy as np
import pytest

from banditlab import rates

DYADIC = 2 ** np.arange(6, 19)  # 2^6 .. 2^18: twelve octaves
CURVES = {
    "log": (3.0, np.log),
    "log2": (0.4, lambda t: np.log(t) ** 2),
    "sqrt": (0.5, np.sqrt),
    "linear": (0.01, lambda t: t),
}


def curve(law, t):
    """Regret with an additive constant, as after a burn-in."""
    constant, growth = CURVES[law]
    return 5.0 + constant * growth(np.asarray(t, dtype=np.float64))


def noisy(mean, replications, rng, noise=0.02):
    """Replications of a mean curve: an own level, fresh noise each octave, both `noise` times the regret."""
    fresh = np.diff(mean) + noise * mean[1:] * rng.standard_normal((replications, mean.size - 1))
    path = mean[0] + np.concatenate((np.zeros((replications, 1)), np.cumsum(fresh, axis=1)), axis=1)
    return (1.0 + noise * rng.standard_normal((replications, 1))) * path


# By hand


def test_increments_by_hand_skip_what_is_not_dyadic():
    result = rates.increments([1, 2, 3, 4, 8, 32, 64, 100], [[1, 2, 9, 4, 7, 10, 12, 13], [0, 1, 1, 1, 1, 2, 5, 6]])
    np.testing.assert_array_equal(result.start, [1, 2, 4, 32])
    np.testing.assert_array_equal(result.values, [[1, 2, 3, 2], [1, 0, 0, 3]])


def test_criteria_of_a_case_worked_by_hand():
    # Mean increments 2, 2, 2, 2 over [1,2], .., [8,16]; the two rows differ by 2 in each, so every standard
    # error is 1.
    regret = np.cumsum([[5, 1, 1, 1, 3], [5, 3, 3, 3, 1]], axis=1)
    rate = rates.classify([1, 2, 4, 8, 16], regret)
    # Four points: 2p + 2p(p+1)/(3-p) is 4 for one parameter, 16 for two. Residual sums: 16 - (x.y)²/(x.x).
    x_sqrt = 16.0 - (6.0 + 6.0 * math.sqrt(2.0)) ** 2 / 15.0
    x_linear = 16.0 - 30.0**2 / 85.0
    expected = {"log": 4.0, "log2": 16.0, "sqrt": 4.0 + x_sqrt, "linear": 4.0 + x_linear}
    assert rate.aicc == pytest.approx(expected, rel=1e-12)
    assert rate.law == "log"
    assert rate.statistic == "mean" and not rate.tail_dominated
    assert rate.coefficient == pytest.approx(2.0 / math.log(2.0), rel=1e-12)
    assert rate.slope == pytest.approx(math.log2(13.0 / 11.0), rel=1e-12)
    assert math.isnan(rate.exponent)


def test_interval_of_two_replications_by_hand():
    # A resampled mean of (a, b) is a, (a+b)/2, b with probabilities 1/4, 1/2, 1/4; over [1,2] the slopes are
    # log2 of 3, 2, 5/3.
    regret = [[1.0, 3.0], [3.0, 5.0]]
    wide = rates.local_slopes([1, 2], regret, draws=2000, level=0.9)
    narrow = rates.local_slopes([1, 2], regret, draws=2000, level=0.4)
    assert wide.rounds == pytest.approx([math.sqrt(2.0)])
    assert wide.slope == pytest.approx([1.0])
    assert (wide.low[0], wide.high[0]) == pytest.approx((math.log2(5 / 3), math.log2(3)), rel=1e-12)
    assert (narrow.low[0], narrow.high[0]) == pytest.approx((1.0, 1.0), rel=1e-12)


def test_summary_by_hand():
    result = rates.summary([1.0, 2.0, 3.0, 4.0, 40.0])
    assert result == pytest.approx((10.0, math.sqrt(1130.0 / 4.0 / 5.0), 3.0, 32.8, True))
    assert not rates.summary([1.0, 2.0, 3.0, 4.0, 15.0]).tail_dominated  # five medians exactly: not beyond
    single = rates.summary([2.0])
    assert math.isnan(single.se) and single.median == single.q95 == single.mean == 2.0


def test_phase_slopes_by_hand():
    horizons = np.array([2.0, 4.0, 8.0, 16.0])
    mean = [[1.0, 2.0, 8.0, 8.0], [3.0, 3.0, 0.0, 3.0]]
    slopes = rates.phase_slopes(horizons, mean)
    np.testing.assert_allclose(slopes[0], [1.0, 1.5, 1.0, 0.0], rtol=0, atol=1e-14)
    assert slopes[1, 0] == 0.0 and np.isnan(slopes[1, 1:]).tolist() == [
        True,
        False,
        True,
    ]  # centre skips its own cell
    powers = np.array([[0.0], [0.5], [1.0]])
    uneven = np.array([3.0, 10.0, 11.0, 500.0])
    np.testing.assert_allclose(rates.phase_slopes(uneven, uneven**powers), powers * np.ones(4), rtol=1e-12, atol=1e-12)


# Exact curves


@pytest.mark.parametrize("law", CURVES)
def test_exact_curve_gives_its_law_and_constant(law):
    for replications in (1, 3):
        rate = rates.classify(DYADIC, np.tile(curve(law, DYADIC), (replications, 1)))
        assert rate.law == law
        assert rate.coefficient == pytest.approx(CURVES[law][0], rel=1e-10)
        assert np.isnan(rate.coefficient_low) == np.isnan(rate.slope_high) == (replications == 1)


@pytest.mark.parametrize("law", CURVES)
def test_exact_horizons_give_their_law_and_constant(law):
    rate = rates.classify_horizons(DYADIC, [np.full(3, final) for final in curve(law, DYADIC)])
    assert rate.law == law
    assert rate.coefficient == pytest.approx(CURVES[law][0], rel=1e-9)
    x, y = np.log(DYADIC), np.log(curve(law, DYADIC))
    assert rate.slope == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-10)
    assert rate.slope_low == pytest.approx(rate.slope_high, rel=1e-10)


@pytest.mark.parametrize("power", [0.3, 0.7, 1.4])
def test_exact_power_is_found_when_asked_for(power):
    regret = 5.0 + 2.0 * DYADIC.astype(np.float64) ** power
    along = rates.classify(DYADIC, np.tile(regret, (3, 1)), power=True)
    across = rates.classify_horizons(DYADIC, [np.full(3, final) for final in regret], power=True)
    for rate in (along, across):
        assert rate.law == "power"
        assert (rate.exponent, rate.coefficient) == pytest.approx((power, 2.0), rel=1e-5)
        assert rate.coefficient_low == pytest.approx(2.0, rel=1e-5)
    assert "power" not in rates.classify(DYADIC, np.tile(regret, (3, 1))).aicc


def test_leading_constant_of_log_squared_ignores_a_log_term():
    t = np.log(DYADIC)
    rate = rates.classify(DYADIC, np.tile(7.0 + 2.0 * t + 0.4 * t * t, (2, 1)))
    assert (rate.law, rate.coefficient) == ("log2", pytest.approx(0.4, rel=1e-10))


def test_criteria_agree_with_a_generic_least_squares_solver():
    rng = np.random.default_rng(3)
    for law in CURVES:
        regret = noisy(curve(law, DYADIC), 9, rng, 0.1)
        k = np.arange(DYADIC.size - 1.0)
        steps = np.diff(regret, axis=1)
        finals = [regret[: 5 + i % 4, i] for i in range(DYADIC.size)]
        x = DYADIC.astype(np.float64)
        cases = [
            (
                rates.classify(DYADIC, regret).aicc,
                steps.mean(axis=0),
                steps.std(axis=0, ddof=1) / 3.0,
                {"log": [k**0], "log2": [k**0, k], "sqrt": [2 ** (k / 2)], "linear": [2**k]},
            ),
            (
                rates.classify_horizons(DYADIC, finals).aicc,
                np.array([f.mean() for f in finals]),
                np.array([f.std(ddof=1) / math.sqrt(f.size) for f in finals]),
                {
                    "log": [x**0, np.log(x)],
                    "log2": [x**0, np.log(x), np.log(x) ** 2],
                    "sqrt": [x**0, np.sqrt(x)],
                    "linear": [x**0, x],
                },
            ),
        ]
        for aicc, value, se, columns in cases:
            se = np.maximum(se, 1e-3 * np.abs(value).mean())
            for name, design in columns.items():
                scaled = np.stack([c / np.abs(c).max() for c in design], axis=1) / se[:, None]
                solution = np.linalg.lstsq(scaled, value / se, rcond=None)[0]
                rss = ((value / se - scaled @ solution) ** 2).sum()
                p, m = len(design), value.size
                assert aicc[name] == pytest.approx(rss + 2 * p + 2 * p * (p + 1) / (m - p - 1), rel=1e-9)


def test_too_few_increments_leave_out_the_two_parameter_laws():
    regret = np.tile(curve("log2", DYADIC[:4]), (3, 1))
    rate = rates.classify(DYADIC[:4], regret, power=True)
    assert rate.aicc["log2"] == rate.aicc["power"] == math.inf and math.isfinite(rate.aicc["log"])


def test_first_drops_the_burn_in():
    regret = np.minimum(DYADIC, 2**10) + 30.0 * np.log(np.maximum(DYADIC / 2**10, 1.0))  # linear, then logarithmic
    curves = np.tile(regret, (4, 1)) * [[0.98], [0.99], [1.01], [1.02]]
    late = rates.classify(DYADIC, curves, first=2**10)
    assert (late.law, late.coefficient) == ("log", pytest.approx(30.0, rel=1e-10))
    assert late.aicc["log"] + 100.0 < rates.classify(DYADIC, curves).aicc["log"]


def test_zero_regret_is_classified_without_a_warning():
    rate = rates.classify(DYADIC, np.zeros((3, DYADIC.size)))
    assert (rate.law, rate.coefficient, rate.tail_dominated) == ("log", 0.0, False)
    assert math.isnan(rate.slope)
    assert np.isnan(rates.local_slopes(DYADIC, np.zeros((1, DYADIC.size))).slope).all()


def test_saturating_regret_is_not_called_log_squared():
    regret = np.tile(50.0 - 1.5 * (18.0 - np.log2(DYADIC)) ** 2 / 10.0, (4, 1))  # increments fall with k
    rate = rates.classify(DYADIC, regret)
    assert rate.aicc["log2"] + 4.0 < rate.aicc["log"]
    assert rate.law == "log"
    rising = np.tile(50.0 + 1.5 * np.log2(DYADIC) ** 2 / 10.0, (4, 1))
    assert rates.classify(DYADIC, rising).law == "log2"


# Preference between nested laws, tail flag


@pytest.mark.parametrize(("improvement", "law"), [(3.9, "log"), (4.1, "log2")])
def test_log_squared_needs_an_improvement_of_more_than_four(improvement, law):
    # Increments 10 + b (k - mean k) with standard error 1 exactly; RSS of `log` is b² times 143, the sum of
    # squares of k.
    k = np.arange(12) - 5.5
    penalty = (4.0 + 12.0 / 9.0) - (2.0 + 4.0 / 10.0)
    mean = 10.0 + math.sqrt((improvement + penalty) / 143.0) * k
    signs = np.array(list(product((-1.0, 1.0), repeat=4)))  # 16 rows, columns orthogonal
    noise = np.tile(signs, (8, 3)) * math.sqrt(127.0)  # sample variance 128 over 128 rows: standard error 1
    noise *= np.repeat(np.random.default_rng(0).permuted(np.repeat([-1.0, 1.0], 4)), 16)[:, None]
    regret = np.concatenate((np.full((128, 1), 300.0), 300.0 + np.cumsum(mean + noise, axis=1)), axis=1)
    rate = rates.classify(DYADIC, regret)
    assert rate.aicc["log"] - rate.aicc["log2"] == pytest.approx(improvement, abs=1e-9)
    assert rate.law == law


@pytest.mark.parametrize(("z", "law"), [(1.2, "log"), (5.0, "log2")])
def test_log_squared_needs_an_interval_beyond_zero(z, law):
    # Each replication has its own trend, so the increments are not independent: AICc alone is fooled at z =
    # 1.2.
    k = np.arange(12) - 5.5
    trend = np.tile([-1.0, 1.0], 50)
    trend += z / 10.0 * np.std(trend, ddof=1)
    steps = 20.0 + trend[:, None] * k
    regret = np.concatenate((np.zeros((100, 1)), np.cumsum(steps, axis=1)), axis=1) + 50.0
    rate = rates.classify(DYADIC, regret)
    assert rate.aicc["log"] - rate.aicc["log2"] > 4.0
    assert rate.law == law


def test_tail_dominated_regret_is_classified_by_its_median():
    rng = np.random.default_rng(4)
    regret = noisy(curve("log", DYADIC), 101, rng, 0.01)
    regret[0] = 0.01 * DYADIC  # one replication stuck on the wrong arm: 2621 against a median of 42
    rate = rates.classify(DYADIC, regret)
    assert (rate.tail_dominated, rate.statistic, rate.law) == (True, "median", "log")
    assert rate.coefficient_low < 3.0 < rate.coefficient_high < 3.5
    median = np.median(regret, axis=0)
    assert rate.slope == pytest.approx(math.log2(median[-1] / median[-2]), rel=1e-12)
    across = rates.classify_horizons(DYADIC, list(regret.T))
    assert (across.tail_dominated, across.statistic, across.law) == (True, "median", "log")
    # Control: the mean of the same data is not logarithmic; it is classified while the outlier is within five
    # medians.
    assert rates.classify(DYADIC, regret.mean(axis=0)[None]).law != "log"
    regret[0] = 4.9 * np.median(regret[:, -1]) * DYADIC / DYADIC[-1]
    mild = rates.classify(DYADIC, regret)
    assert (mild.tail_dominated, mild.statistic) == (False, "mean")
    assert mild.slope == pytest.approx(math.log2(regret.mean(axis=0)[-1] / regret.mean(axis=0)[-2]), rel=1e-12)


def test_median_bootstrap_agrees_with_an_explicit_loop():
    rng = np.random.default_rng(5)
    for replications in (7, 8):
        regret = rng.exponential(size=(replications, 3))
        for statistic, function in (("median", np.median), ("mean", np.mean)):
            draws = rates._resample(regret, statistic, 50, np.random.default_rng(6))
            index = np.random.default_rng(6).integers(replications, size=(50, replications))
            expected = [[function(regret[row, j]) for j in range(3)] for row in index]
            np.testing.assert_allclose(draws, expected, rtol=1e-12)


def test_same_seed_same_numbers():
    regret = noisy(curve("log2", DYADIC), 16, np.random.default_rng(7))
    assert repr(rates.classify(DYADIC, regret, seed=1)) == repr(rates.classify(DYADIC, regret, seed=1))
    one, other = (rates.classify(DYADIC, regret, seed=s) for s in (1, 2))
    assert one.coefficient == other.coefficient and one.coefficient_low != other.coefficient_low


# Frequencies over noise seeds


@pytest.mark.parametrize("law", CURVES)
def test_noisy_curves_are_classified_right(law):
    # 300 noise seeds (100 where no miss is allowed), 32 replications. `log2`, `sqrt`, `linear` are tens of
    # AICc units ahead: no miss allowed. Under `log`, `log2` wins if t² > 6.93 (4, plus the penalties'
    # difference 2.93) with a positive slope: P(t_31 > 2.63) = 0.0066, 2.0 of 300 expected, s.d. 1.4; 7
    # allowed, within four s.d. above.
    rng = np.random.default_rng(11)
    seeds = range(300 if law == "log" else 100)
    results = [rates.classify(DYADIC, noisy(curve(law, DYADIC), 32, rng), seed=s) for s in seeds]
    misses = sum(rate.law != law for rate in results)
    assert misses <= (7 if law == "log" else 0)
    if law == "log":
        # Control: lowest AICc without the preference is wrong if t² > 2.93, P = 0.097: 29 expected, s.d. 5.1.
        assert sum(rate.aicc["log2"] < rate.aicc["log"] for rate in results) > 7


@pytest.mark.parametrize("law", CURVES)
def test_noisy_horizons_are_classified_right(law):
    # 60 noise seeds, 60 replications with 5 % noise at each of ten horizons. The penalties are 4 + 12/7 and
    # 6 + 24/6, so under `log` the law `log2` needs t² > 8.29: P(t_59 > 2.88) = 0.0028, 0.2 of 60, s.d. 0.4;
    # 1 allowed.
    rng = np.random.default_rng(12)
    horizons = 2 ** np.arange(8, 18)
    mean = curve(law, horizons)
    misses = 0
    for s in range(60):
        finals = [m * (1.0 + 0.05 * rng.standard_normal(60)) for m in mean]
        misses += rates.classify_horizons(horizons, finals, seed=s).law != law
    assert misses <= (1 if law == "log" else 0)


def test_local_slope_interval_covers_at_its_level():
    # 80 % intervals, 300 data sets: binomial s.e. 0.023, margin four of them. Control: the same numbers with
    # each checkpoint's replications shuffled have equal means but no common level, which the bootstrap must
    # not then ignore: they overcover.
    rng = np.random.default_rng(13)
    mean = curve("sqrt", DYADIC)
    truth = math.log2(mean[-1] / mean[-2])
    hits, shuffled = 0, 0
    for s in range(300):
        regret = noisy(mean, 50, rng)[:, -2:]
        slopes = rates.local_slopes(DYADIC[-2:], regret, draws=300, level=0.8, seed=s)
        hits += slopes.low[0] <= truth <= slopes.high[0]
        slopes = rates.local_slopes(DYADIC[-2:], rng.permuted(regret, axis=0), draws=300, level=0.8, seed=s)
        shuffled += slopes.low[0] <= truth <= slopes.high[0]
    margin = 4.0 * math.sqrt(0.8 * 0.2 / 300)
    assert abs(hits / 300 - 0.8) < margin
    assert shuffled / 300 > 0.8 + margin


@pytest.mark.parametrize("law", CURVES)
def test_coefficient_interval_covers_at_its_level(law):
    # 95 % intervals, 150 data sets of 100 replications: binomial s.e. 0.018, margin four below.
    rng = np.random.default_rng(14)
    hits = 0
    for s in range(150):
        rate = rates.classify(DYADIC, noisy(curve(law, DYADIC), 100, rng), seed=s)
        hits += rate.law != law or rate.coefficient_low <= CURVES[law][0] <= rate.coefficient_high
    assert hits / 150 > 0.95 - 4.0 * math.sqrt(0.95 * 0.05 / 150)


def test_interval_from_a_wrong_law_misses():
    # T^0.6 without the free exponent is forced into a law of the wrong shape: its constant never covers. With
    # it, 95 %.
    rng = np.random.default_rng(15)
    mean = 3.0 * DYADIC.astype(np.float64) ** 0.6
    wrong = right = 0
    for s in range(12):
        regret = noisy(mean, 60, rng, 0.005)
        rate = rates.classify(DYADIC, regret, seed=s)
        wrong += rate.coefficient_low <= 3.0 <= rate.coefficient_high
        rate = rates.classify(DYADIC, regret, power=True, seed=s)
        right += rate.law == "power" and rate.coefficient_low <= 3.0 <= rate.coefficient_high
    assert wrong == 0
    assert right >= 9  # of 12; fewer has probability 0.002 at 95 %


def test_constant_of_skewed_regret_is_unbiased():
    # Exponential increments, 24 replications: columns that happen to be small also have a small standard
    # error. Weights 1/se² column by column favour them and lose 8 %; the smoothed ones do not. 150 data sets,
    # margin four s.e.
    rng = np.random.default_rng(16)
    smooth, raw = [], []
    for s in range(150):
        steps = 3.0 * math.log(2.0) * rng.exponential(size=(24, 12))
        regret = 5.0 + np.concatenate((np.zeros((24, 1)), np.cumsum(steps, axis=1)), axis=1)
        rate = rates.classify(DYADIC, regret, seed=s)
        if rate.law == "log":
            smooth.append(rate.coefficient)
            raw.append(np.average(steps.mean(axis=0), weights=1.0 / steps.var(axis=0)) / math.log(2.0))
    error = np.std(smooth, ddof=1) / math.sqrt(len(smooth))
    assert len(smooth) > 140
    assert abs(np.mean(smooth) - 3.0) < 4.0 * error
    assert np.mean(raw) - 3.0 < -4.0 * error


def test_exponent_interval_covers_at_its_level():
    # Regret linear in K - 1 with 30 % noise, 60 replications at six K; 95 % intervals, 300 data sets, margin
    # four s.e.
    arms = np.array([2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
    assert rates.exponent(arms, [[3.0 * a] for a in arms])[0] == pytest.approx(1.0, rel=1e-12)
    rng = np.random.default_rng(17)
    hits = half = 0
    for s in range(300):
        result = rates.exponent(arms, [a * (1.0 + 0.3 * rng.standard_normal(60)) for a in arms], draws=200, seed=s)
        hits += result.low <= 1.0 <= result.high
        half += result.low <= 0.5 <= result.high
    assert hits / 300 > 0.95 - 4.0 * math.sqrt(0.95 * 0.05 / 300)
    assert half == 0


def test_paired_exponent_by_hand():
    # One factor a replication: every resample of whole replications has slope 1 exactly; independent ones do not.
    arms, factor = [2.0, 4.0, 8.0], np.array([1.0, 2.0, 4.0, 9.0])
    samples = [a * factor for a in arms]
    np.testing.assert_allclose(rates.exponent(arms, samples, paired=True), [1.0] * 3, rtol=1e-12)
    apart = rates.exponent(arms, samples)
    assert apart.value == pytest.approx(1.0, rel=1e-12) and apart.low < 0.9 < 1.1 < apart.high


def test_paired_exponent_interval_covers_common_random_numbers_at_its_level():
    # A common factor with 30 % noise and 10 % of its own at each of six arms; 95 % intervals, 300 data sets: binomial
    # s.e. 0.0126, margin four of them. A percentile interval of 60 replications covers about 0.94. Control:
    # independent resampling sees the common factor as noise: sqrt(0.1) / 0.1 = 3.2 times too wide, and never misses.
    arms = np.array([2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
    rng = np.random.default_rng(19)
    hits, apart, ratio = 0, 0, []
    for s in range(300):
        common = 1.0 + 0.3 * rng.standard_normal(60)
        samples = [a * (common + 0.1 * rng.standard_normal(60)) for a in arms]
        found = rates.exponent(arms, samples, paired=True, draws=200, seed=s)
        loose = rates.exponent(arms, samples, draws=200, seed=s)
        hits += found.low <= 1.0 <= found.high
        apart += loose.low <= 1.0 <= loose.high
        ratio.append((loose.high - loose.low) / (found.high - found.low))
    margin = 4.0 * math.sqrt(0.95 * 0.05 / 300)
    assert abs(hits / 300 - 0.95) < margin
    assert apart == 300
    assert 2.8 < np.mean(ratio) < 3.6


# Bad input

GOOD = np.ones((2, 4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates.increments([1, 2, 4], np.ones((2, 3))), "2 pairs"),
        (lambda: rates.increments([1, 3, 9, 27], GOOD), "0 pairs"),
        (lambda: rates.increments([1, 2, 4, 4], GOOD), "checkpoints must be .*increasing"),
        (lambda: rates.increments([0, 2, 4, 8], GOOD), "checkpoints must be positive"),
        (lambda: rates.increments([0.5, 1, 2, 4], GOOD), "integers"),
        (lambda: rates.increments([1, 2, 4, 8], np.ones(4)), r"regret has shape \(4,\)"),
        (lambda: rates.increments([1, 2, 4, 8], np.ones((0, 4))), r"regret has shape \(0, 4\)"),
        (lambda: rates.increments([1, 2, 4, 8], np.full((2, 4), np.nan)), r"regret\[0, 0\] is nan"),
        (lambda: rates.classify([1, 2, 4, 8], GOOD, first=2), "2 pairs"),
        (lambda: rates.classify([1, 2, 4, 8], GOOD, first=9), "checkpoints has shape|0 pairs"),
        (lambda: rates.local_slopes([1, 2, 4, 8], GOOD, draws=0), "draws is 0"),
        (lambda: rates.local_slopes([1, 2, 4, 8], GOOD, level=1.0), "level is 1.0"),
        (lambda: rates.classify_horizons([1, 2, 4, 8], [[1.0]] * 3), "finals has 3 entries"),
        (lambda: rates.classify_horizons([1, 2, 4], [[1.0]] * 3), "horizons has shape"),
        (lambda: rates.classify_horizons([1, 2, 4, 8], [[1.0], [], [1.0], [1.0]]), r"finals\[1\]"),
        (lambda: rates.exponent([1, 2], [[1.0], [0.0]]), r"samples\[1\] has mean 0"),
        (lambda: rates.exponent([2, 1], [[1.0], [1.0]]), "x must be"),
        (lambda: rates.exponent([1, 2], [[1.0], [1.0, 2.0]], paired=True), r"samples have sizes \[1, 2\]"),
        (lambda: rates.phase_slopes([1, 2], np.ones((3, 3))), "mean has shape"),
        (lambda: rates.summary([1.0, np.inf]), "regret_final contains inf"),
        (lambda: rates.summary([]), "regret_final has shape"),
    ],
)
def test_bad_input_is_named_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
