"""Theorems of the contextual family: values by hand, the steps of the proofs, and what is measured against them."""

import inspect
import math
from functools import partial

import numpy as np
import pytest
from scipy import special, stats

from banditlab import confidence, regularizer, simulate
from banditlab.contextual import bounds, instances
from banditlab.contextual.kl_lin_ucb import kl_lin_ucb
from banditlab.contextual.kl_pcb import kl_pcb
from banditlab.contextual.plug_in import plug_in
from banditlab.contextual.problem import linear, tabular

KAPPA = math.e / (math.e - 1.0)
KINDS = [("kl", None), ("forward_kl", None), ("chi2", None), ("alpha", 1.5), ("js", None), ("kl_chi2", None)]


def standard_error(x):
    return x.std(axis=0, ddof=1) / math.sqrt(x.shape[0])


def random_problem(seed, regularizer="kl", alpha=None, **options):
    """Any law, reference and behaviour."""
    rng = np.random.default_rng(seed)
    S, K = rng.integers(1, 4), rng.integers(2, 6)
    reference, behaviour = rng.dirichlet(np.full(K, 3.0), (2, S))
    known = {"law": rng.dirichlet(np.full(S, 3.0)), "reference": reference, "behaviour": behaviour, **options}
    return tabular(rng.uniform(0.05, 0.95, (S, K)), eta=3.0, regularizer=regularizer, alpha=alpha, **known)


# ---------------------------------------------------------------------------------------------------------
# KL-PCB
# ---------------------------------------------------------------------------------------------------------


def test_kl_pcb_bound_worked_by_hand():
    problem = instances.hard_offline(4, 4.0, eta=5.0)  # D^2 = 4 (1/2 / .75 + 1/2 / .25) = 32/3
    level = math.log(2 * 8 / 0.05)
    n = np.array([2.0**13, 2.0**20])
    expected = np.minimum(2 * 5 * level * 32 / 3 / n, 2 * np.sqrt(level * 32 / 3 / n))
    np.testing.assert_allclose(bounds.kl_pcb(problem, n, scale=1.0), expected, rtol=1e-12)
    assert expected[0] < 2 * math.sqrt(level * 32 / 3 / n[0])  # the fast term
    flat = instances.hard_offline(4, 4.0, eta=1e4)
    np.testing.assert_allclose(bounds.kl_pcb(flat, n, scale=1.0), 2 * np.sqrt(level * 32 / 3 / n), rtol=1e-12)


def test_kl_pcb_bound_is_the_certificate_where_every_count_is_half_its_mean():
    for seed in range(20):
        problem = random_problem(seed, noise="gaussian", spread=0.3, floor=-1e9, ceiling=1e9)
        n = 1e4
        counts = 0.5 * n * problem.law[:, None] * problem.behaviour
        data = problem.described(counts, np.zeros(counts.shape))
        certificate = bounds.certificate(problem._replace(eta=1e-6), data)  # eta so small that the second order rules
        bound = bounds.kl_pcb(problem._replace(eta=1e-6), [n], scale=1.0)[0]
        assert bound == pytest.approx(certificate, rel=1e-12, abs=0.0)


def test_kl_pcb_bound_grows_with_the_width():
    problem = instances.hard_offline(4, 4.0, eta=5.0)
    one, three = (bounds.kl_pcb(problem, [1e9], scale=scale)[0] for scale in (1.0, 3.0))
    assert three == pytest.approx(4.0 * one, rel=1e-12)


def test_kl_pcb_bound_says_nothing_where_its_event_is_not_likely():
    problem = instances.hard_offline(4, 4.0, eta=5.0)
    assert np.isnan(bounds.kl_pcb(problem, [10**6], scale=0.99)).all()
    assert np.isnan(bounds.kl_pcb(instances.forward_kl_example(), [10**6], scale=1.0)).all()
    chance = (problem.law[:, None] * problem.behaviour).ravel()
    n = np.arange(16, 600)
    risk = sum(stats.binom.cdf(np.ceil(0.5 * n * q) - 1, n, q) for q in chance)
    np.testing.assert_array_equal(np.isnan(bounds.kl_pcb(problem, n, scale=1.0)), risk > 0.05)
    assert 0 < (risk > 0.05).sum() < n.size
    np.testing.assert_array_less(risk, np.exp(-n[:, None] * chance / 8).sum(axis=1))  # Chernoff


# ---------------------------------------------------------------------------------------------------------
# Strongly convex divergences
# ---------------------------------------------------------------------------------------------------------


def test_f_pcb_bound_worked_by_hand():
    # n = 1, two arms: N is 0 or 1 with probability 1/2; variances .16 and .25, (1/2 - r)^2 = .09 and 0
    problem = tabular([[0.2, 0.5]], eta=3.0, regularizer="chi2")
    expected = 1.5 * (0.5 * (0.5 * 0.16 + 0.5 * 0.09) + 0.5 * (0.5 * 0.25))
    np.testing.assert_allclose(bounds.f_pcb(problem, [1]), expected, rtol=1e-14)
    other = 1.5 * (0.5 * (0.5 * 0.16 + 0.5 * 0.04) + 0.5 * (0.5 * 0.25 + 0.5 * 0.25))
    np.testing.assert_allclose(bounds.f_pcb(problem, [1], unseen=0.0), other, rtol=1e-14)


def test_mean_inverse_counts_agree_with_enumeration():
    n = np.array([3, 10, 50, 200, 1000, 3000, 40, 7, 4, 17, 16, 2, 3])
    p = np.array([0.4, 0.05, 0.3, 0.079, 0.0161, 0.5, 0.9, 1.0, 0.51, 0.9, 0.999, 1.0, 0.9995])
    inverse, none = bounds._inverse_counts(n.astype(float), p)
    for i in range(n.size):
        k = np.arange(1, n[i] + 1)
        exact = (stats.binom.pmf(k, n[i], p[i]) / k).sum()
        excess = 3e-3 if n[i] * p[i] > 16 else 0.05 if p[i] > 0.999 else 1e-12
        assert exact * (1 - 1e-12) <= inverse[i] <= exact * (1 + excess)
        assert none[i] == pytest.approx(stats.binom.pmf(0, n[i], p[i]), rel=1e-10, abs=1e-300)
    huge, _ = bounds._inverse_counts(np.array([1e14]), np.array([1e-13]))  # Poisson of mean 10
    k = np.arange(1, 100)
    assert huge[0] == pytest.approx((stats.poisson.pmf(k, 10.0) / k).sum(), rel=1e-10)


@pytest.mark.parametrize("name", ["chi2", "kl_chi2"])
def test_f_pcb_bound_is_above_the_mean_suboptimality_without_coverage(name):
    for C in (4.0, 256.0):
        problem = instances.coverage_sweep(C, regularizer=name)
        n = np.array([8, 64, 1024])
        gap = simulate.run_offline(problem, {"fit": plug_in}, samples=n, replications=500).gap["fit"]
        bound = bounds.f_pcb(problem, n)
        assert (gap.mean(axis=0) + 4.0 * standard_error(gap) < bound).all()
        assert (bound <= 1.30 * 6.0 * 2 / (8 * n)).all()
    kl = instances.coverage_sweep(256.0)
    gap = simulate.run_offline(kl, {"fit": plug_in}, samples=[4096], replications=500).gap["fit"][:, 0]
    wrong = bounds.f_pcb(instances.coverage_sweep(256.0, regularizer=name), [4096])[0]
    assert gap.mean() - 4.0 * standard_error(gap) > wrong  # control: KL is not strongly convex


def test_f_pcb_bound_is_at_most_1_30_of_its_limit_and_that_is_sharp():
    largest = 0.0
    for arms in (2, 400):
        problem = tabular(np.full((1, arms), 0.5), eta=2.0, regularizer="chi2")
        n = np.unique(np.geomspace(1, 1e5, 200).astype(int))
        ratio = bounds.f_pcb(problem, n) / (2.0 * arms / (8 * n))
        largest = max(largest, ratio.max())
        assert ratio[-1] == pytest.approx(1.0, abs=0.01)
    assert 1.29 < largest <= 1.30


def test_gap_is_at_most_the_squared_error_under_the_reference_only_for_strongly_convex_divergences():
    violated = {}
    for name, alpha in KINDS:
        rng = np.random.default_rng(0)
        worst = 0.0
        for _ in range(300):
            K = rng.integers(2, 6)
            r, q = rng.random((2, K))
            reference, eta = rng.dirichlet(np.full(K, 0.5)) * 0.99 + 0.01 / K, 10.0 ** rng.uniform(-1, 1.5)
            gap = regularizer.plug_in_gap(name, q, r, reference, eta, alpha=alpha)
            worst = max(worst, gap / (0.5 * eta * reference @ (q - r) ** 2))
        violated[name] = worst > 1.0 + 1e-9
    assert violated == {"kl": True, "forward_kl": True, "chi2": False, "alpha": True, "js": True, "kl_chi2": False}


def test_f_pcb_bound_says_nothing_about_other_divergences_pessimism_or_greed():
    assert np.isnan(bounds.f_pcb(random_problem(0), [10])).all()
    chi2 = random_problem(0, "chi2")
    assert np.isnan(bounds.f_pcb(chi2, [10], scale=0.3)).all()
    assert np.isnan(bounds.f_pcb(tabular([[0.2, 0.5]], eta=math.inf, regularizer="chi2"), [10])).all()
    square = random_problem(0, "alpha", 2.0)
    np.testing.assert_allclose(bounds.f_pcb(square, [10]), bounds.f_pcb(chi2, [10]), rtol=1e-14)


# ---------------------------------------------------------------------------------------------------------
# First-order laws
# ---------------------------------------------------------------------------------------------------------


def test_law_plug_in_worked_by_hand():
    problem = instances.hard_offline(4, 4.0, eta=5.0)
    h = math.log(3) / 5
    expected = 2.5 * 4 * 0.25 * (0.25 - h * h / 4) * (4 / 3 + 4)
    np.testing.assert_allclose(bounds.law_plug_in(problem, [1, 10]), [expected, expected / 10], rtol=1e-12)


@pytest.mark.parametrize(
    "eta, C, plug, pessimistic", [(5.0, 4.0, 3.17, 8.3), (10.0, 16.0, 19.8, 147.0), (10.0, 4.0, 6.59, 16.9)]
)
def test_laws_have_the_values_of_the_hard_family(eta, C, plug, pessimistic):
    problem = instances.hard_offline(4, C, eta=eta)
    assert bounds.law_plug_in(problem, [1])[0] == pytest.approx(plug, rel=2e-3)
    assert bounds.law_kl_pcb(problem, [1], scale=1.0)[0] == pytest.approx(pessimistic, rel=3e-3)


def test_the_coverage_sweep_grows_under_kl_and_is_flat_under_strongly_convex_divergences():
    laws = {
        "chi2": [0.719, 0.565, 0.482, 0.481],
        "kl_chi2": [0.396, 0.393, 0.355, 0.357],
        "kl": [0.959, 2.41, 5.75, 8.36],
    }
    for name, expected in laws.items():
        found = [
            bounds.law_plug_in(instances.coverage_sweep(C, regularizer=name), [1])[0] for C in (4.0, 16.0, 64.0, 256.0)
        ]
        np.testing.assert_allclose(found, expected, rtol=1.5e-3)


@pytest.mark.parametrize("name, alpha", KINDS)
def test_law_plug_in_is_half_the_trace_of_hessian_times_covariance(name, alpha):
    for seed in range(5):
        problem = random_problem(seed, name, alpha)
        step, total = 1e-3, 0.0
        for s, a in np.ndindex(*problem.mean.shape):
            rows = np.repeat(problem.mean[s][None], 5, axis=0)
            rows[:, a] += step * np.arange(-2, 3)
            v = regularizer.value(name, rows, problem.reference[s], problem.eta, alpha=alpha)
            second = (-v[0] + 16 * v[1] - 30 * v[2] + 16 * v[3] - v[4]) / (12 * step * step)
            chance = problem.law[s] * problem.behaviour[s, a]
            total += problem.law[s] * 0.5 * second * problem.variance[s, a] / chance
        np.testing.assert_allclose(bounds.law_plug_in(problem, [1.0]), total, rtol=1e-6)


def test_law_kl_pcb_adds_the_variance_of_the_widths():
    problem = random_problem(3)
    n, scale, delta = 1e6, 0.7, 0.2
    level = math.log(2 * problem.mean.size / delta)
    bias = 0.0
    for s in range(problem.law.size):
        p = problem.optimal[s]
        width = scale * np.sqrt(level / (2 * n * problem.law[s] * problem.behaviour[s]))
        bias += 0.5 * problem.eta * problem.law[s] * (p @ width**2 - (p @ width) ** 2)
    law = bounds.law_kl_pcb(problem, [n], scale=scale, delta=delta)
    np.testing.assert_allclose(law, bounds.law_plug_in(problem, [n]) + bias, rtol=1e-10)
    np.testing.assert_allclose(bounds.law_kl_pcb(problem, [n], scale=0.0), bounds.law_plug_in(problem, [n]), rtol=1e-15)


def test_laws_are_not_a_number_where_they_do_not_apply():
    uncovered = tabular([[0.2, 0.7]], eta=2.0, behaviour=[1.0, 0.0])
    greedy = tabular([[0.2, 0.7]], eta=math.inf)
    at_floor = tabular([[0.0, 0.7]], eta=2.0)
    for law in (bounds.law_plug_in, bounds.law_kl_pcb):
        assert np.isnan(law(uncovered, [10])).all() and np.isnan(law(greedy, [10])).all()
    assert np.isnan(bounds.law_kl_pcb(at_floor, [10])).all()
    assert np.isfinite(bounds.law_plug_in(at_floor, [10])).all()
    assert np.isnan(bounds.law_kl_pcb(random_problem(0, "chi2"), [10])).all()


@pytest.mark.parametrize("name, alpha", KINDS)
def test_law_pessimistic_adds_half_the_second_derivative_along_the_widths(name, alpha):
    n, scale, delta, step = 1e6, 0.7, 0.2, 0.02
    for seed in range(5):
        problem = random_problem(seed, name, alpha)
        level = math.log(2 * problem.mean.size / delta)
        bias = 0.0
        for s in range(problem.law.size):
            width = scale * np.sqrt(level / (2 * n * problem.law[s] * problem.behaviour[s]))
            rows = problem.mean[s] - step * np.arange(-2, 3)[:, None] * width
            v = regularizer.value(name, rows, problem.reference[s], problem.eta, alpha=alpha)
            bias += problem.law[s] * 0.5 * (-v[0] + 16 * v[1] - 30 * v[2] + 16 * v[3] - v[4]) / (12 * step * step)
        found = bounds.law_pessimistic(problem, [n], scale=scale, delta=delta) - bounds.law_plug_in(problem, [n])
        np.testing.assert_allclose(found, bias, rtol=1e-3)
        plain = bounds.law_pessimistic(problem, [n], scale=0.0)
        np.testing.assert_allclose(plain, bounds.law_plug_in(problem, [n]), rtol=1e-15)


@pytest.mark.parametrize("name, alpha", KINDS)
def test_laws_of_pessimistic_policies_are_one_law(name, alpha):
    n = [100, 10**6]
    at_floor = tabular([[0.0, 0.7]], eta=2.0, regularizer=name, alpha=alpha)
    for problem in (random_problem(1, name, alpha), at_floor):
        law = bounds.law_pessimistic(problem, n, scale=0.3, delta=0.1)
        np.testing.assert_array_equal(bounds.law_f_pcb(problem, n, scale=0.3, delta=0.1), law)
        assert np.isnan(law).all() == (problem is at_floor)
        if name == "kl":
            np.testing.assert_array_equal(bounds.law_kl_pcb(problem, n, scale=0.3, delta=0.1), law)
    plain = bounds.law_plug_in(at_floor, n)  # a reward that is 0 for sure
    np.testing.assert_allclose(bounds.law_pessimistic(at_floor, n, scale=0.0), plain, rtol=1e-15)
    np.testing.assert_array_equal(bounds.law_f_pcb(at_floor, n), plain)


def test_at_the_floor_noise_is_clipped_even_at_scale_zero():
    problem = tabular([[0.0, 0.7]], eta=2.0, noise="gaussian", spread=0.5)
    n = [10**8]
    assert np.isnan(bounds.law_pessimistic(problem, n, scale=0.0)).all()
    fits = {"clipped": partial(kl_pcb, scale=0.0), "plain": plug_in}
    gap = simulate.run_offline(problem, fits, samples=n, replications=2000).gap
    law = bounds.law_plug_in(problem, n)[0]
    assert abs(gap["plain"].mean() - law) < 4.0 * standard_error(gap["plain"][:, 0])
    assert law - gap["clipped"].mean() > 4.0 * standard_error(gap["clipped"][:, 0])


def test_an_arm_outside_the_support_that_is_never_sampled_leaves_the_plug_in_policy_without_a_law():
    problem = tabular([[0.9, 0.1]], eta=4.0, regularizer="chi2", behaviour=[1.0, 0.0])
    assert problem.optimal.tolist() == [[1.0, 0.0]]
    data = problem.dataset(10**8, 0, 0)
    assert problem.suboptimality(plug_in(data)) > 0.01  # the estimate .5 makes the optimum play it
    assert np.isnan(bounds.law_plug_in(problem, [10**8])).all()
    assert problem.suboptimality(data.optimal(data.lower(1.0, 0.05))) == 0.0  # the floor does not
    assert bounds.law_pessimistic(problem, [10**8]).tolist() == [0.0]


# ---------------------------------------------------------------------------------------------------------
# Le Cam
# ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "eta, expected", [(5.0, [0.00138, 0.00009]), (100.0, [0.0123, 0.00156]), (1e4, [0.0156, 0.00387])]
)
def test_le_cam_has_the_values_of_its_sources(eta, expected):
    np.testing.assert_allclose(bounds.le_cam(8, 4.0, eta, [512, 8192]), expected, rtol=0.05 if eta == 5.0 else 0.004)


def test_le_cam_is_the_largest_over_gaps_of_the_formula():
    for eta, n in [(2.0, 10), (5.0, 512), (1e4, 8192), (300.0, 10**9)]:
        h = math.log(3) / eta
        p, largest = 0.5 + h / 2, 0.5 - h / 2
        best = 0.0
        for d in np.geomspace(1e-7, largest * (1 - 1e-9), 800):
            kl = special.rel_entr(p + d, p - d) + special.rel_entr(1 - p - d, 1 - p + d)
            value = (
                (1 - min(1.0, math.sqrt(n / (2 * 8 * 4) * kl)))
                * (np.logaddexp(eta * d / 2, -eta * d / 2) - math.log(2))
                / eta
            )
            np.testing.assert_allclose(bounds.le_cam(8, 4.0, eta, [n], gap=d), value, rtol=1e-6, atol=1e-14)
            best = max(best, value)
        assert bounds.le_cam(8, 4.0, eta, [n])[0] == pytest.approx(best, rel=1e-3)


def test_le_cam_has_both_rates():
    n = np.array([1e8, 1e10])
    fast, slow = bounds.le_cam(8, 4.0, 5.0, n), bounds.le_cam(8, 4.0, math.inf, n)
    assert fast[0] / fast[1] == pytest.approx(100.0, rel=0.01) and slow[0] / slow[1] == pytest.approx(10.0, rel=0.01)
    np.testing.assert_allclose(bounds.le_cam(8, 4.0, 1e9, n), slow, rtol=1e-3)


def test_gaps_under_the_two_signs_add_up_to_at_least_log_cosh():
    for eta, d in [(5.0, 0.1), (50.0, 0.2), (5.0, 0.01)]:
        plus, minus = (tabular([[0.5, 0.5 + s * d]], eta=eta) for s in (1, -1))
        x = np.linspace(0.001, 0.999, 999)
        total = np.array([plus.suboptimality([[1 - y, y]]) + minus.suboptimality([[1 - y, y]]) for y in x])
        least = 2.0 / eta * math.log(math.cosh(eta * d / 2))
        assert total.min() == pytest.approx(least, rel=1e-10) and x[total.argmin()] == pytest.approx(0.5)


@pytest.mark.parametrize("eta", [5.0, 100.0, 1e4])
@pytest.mark.parametrize("n", [512, 8192])
def test_le_cam_is_below_every_algorithm_averaged_over_signs(eta, n):
    S, C, replications = 8, 4.0, 240
    h = math.log(C - 1) / eta
    fits = {"plug-in": plug_in, "kl_pcb": partial(kl_pcb, scale=0.5)}
    worst, without_noise = dict.fromkeys(fits, 0.0), 0
    for kappa in (0.25, 0.5, 1.0, 2.0):
        d = min(kappa * math.sqrt(S * C / n), 0.5 - 0.5 * h)
        gap = {name: np.zeros(replications) for name in fits}
        for i in range(replications):
            problem = instances.hard_offline(S, C, eta=eta, gap=d, seed=i)
            data = problem.dataset(n, 7, i)
            for name, fit in fits.items():
                gap[name][i] = problem.suboptimality(fit(data))
        bound, blind = bounds.le_cam(S, C, eta, [n, 0], gap=d)
        for name in fits:
            mean, error = gap[name].mean(), standard_error(gap[name])
            assert bound == 0.0 or bound < mean - 2.0 * error
            worst[name] = max(worst[name], mean - 2.0 * error)
            without_noise += blind > mean + 4.0 * error
    assert all(bounds.le_cam(S, C, eta, [n])[0] < value for value in worst.values())
    assert without_noise > 0  # control: without the total variation the bound would be wrong


def test_members_of_the_hard_family_are_recognised():
    n = np.array([100, 10_000])
    for d in (0.1, 0.003):
        for eta, C in [(5.0, 4.0), (100.0, 3.0), (1e4, 17.0)]:
            problem = instances.hard_offline(5, C, eta=eta, gap=d, seed=4)
            np.testing.assert_allclose(bounds.le_cam_of(problem, n), bounds.le_cam(5, C, eta, n, gap=d), rtol=1e-9)
    assert instances.hard_offline(5, gap=0.1).lower_bound(n).shape == (2,)
    minimax = instances.hard_offline_minimax(1000, eta=100.0)
    d = math.sqrt(32 / 1000)
    np.testing.assert_allclose(
        bounds.le_cam_of(minimax, [1000]), bounds.le_cam(8, 4.0, 100.0, [1000], gap=d), rtol=1e-9
    )


def test_without_a_gap_the_worst_gap_up_to_1_over_eta_is_taken():
    n = np.array([1000, 10**5])
    problem = instances.hard_offline(4, 4.0, eta=5.0)
    np.testing.assert_allclose(bounds.le_cam_of(problem, n), bounds.le_cam(4, 4.0, 5.0, n), rtol=1e-6)
    large = instances.hard_offline(
        4, 4.0, eta=1e4
    )  # where the worst gap is no neighbour: all gaps are below log(2)/eta
    found = bounds.le_cam_of(large, n)
    assert (found < bounds.le_cam(4, 4.0, 1e4, n) / 10).all()
    np.testing.assert_allclose(found, bounds.le_cam(4, 4.0, 1e4, n, gap=1e-4), rtol=1e-9)
    for member in (problem, large):
        gap = simulate.run_offline(member, {"fit": plug_in}, samples=n, replications=200).gap["fit"]
        assert (bounds.le_cam_of(member, n) < gap.mean(axis=0) - 4.0 * standard_error(gap)).all()


def test_other_problems_are_not_members():
    member = instances.hard_offline(4, 4.0, eta=5.0, gap=0.1)
    known = {"eta": 5.0, "reference": [0.75, 0.25]}
    mean = member.mean
    assert bounds.le_cam_of(tabular(mean, **known), [10]) is not None  # control
    tilted = mean.copy()
    tilted[0, 1] += 0.01
    for other in (
        tabular(tilted, **known),
        tabular(mean, eta=5.5, reference=[0.75, 0.25]),
        tabular(mean, eta=5.0, reference=[0.8, 0.2]),
        tabular(mean, **known, behaviour=[0.5, 0.5]),
        tabular(mean, **known, law=[0.1, 0.2, 0.3, 0.4]),
        tabular(mean, **known, noise="gaussian"),
        tabular(mean, **known, regularizer="chi2"),
        tabular([[0.2, 0.5, 0.4]], eta=5.0),
        tabular([[0.2]], eta=5.0),
        instances.rare_junk(16),
        instances.random_linear(2, 2, 2),
    ):
        assert bounds.le_cam_of(other, [10]) is None


# ---------------------------------------------------------------------------------------------------------
# Online
# ---------------------------------------------------------------------------------------------------------


def test_kl_lin_ucb_bound_worked_by_hand():
    problem = linear(np.array([[[1.0, 0.0], [0.0, 1.0]]]), [0.6, 0.8], eta=0.5, spread=0.5)  # radius 1
    beta = 0.5 * math.sqrt(2 * math.log(1 + 1000 / 2) + 2 * math.log(10)) + 1.0
    width = 2 * beta  # 5.5
    potential = 2 * math.log(1 + 500) / math.log(2)
    most = min(width, 0.25 * width**2)
    expected = KAPPA * (min(0.25 * width**2 * potential, width * math.sqrt(1000 * potential)) + most * math.log(10))
    curve = bounds.kl_lin_ucb(problem, 1000, [1, 1000], scale=1.0, delta=0.1)
    np.testing.assert_allclose(curve, [most, expected], rtol=1e-12)
    flat = problem._replace(eta=math.inf)
    expected = KAPPA * (width * math.sqrt(1000 * potential) + width * math.log(10))
    np.testing.assert_allclose(bounds.kl_lin_ucb(flat, 1000, [1000], scale=1.0, delta=0.1), expected, rtol=1e-12)


def test_kl_lin_ucb_bound_says_nothing_about_other_runs():
    problem = instances.random_linear(3, 4, 2)
    assert np.isfinite(bounds.kl_lin_ucb(problem, 100, [100], scale=1.0)).all()
    assert np.isnan(bounds.kl_lin_ucb(problem, 100, [100], scale=0.99)).all()
    assert np.isnan(bounds.kl_lin_ucb(problem, 100, [100], scale=1.0, lam=0.5)).all()
    assert np.isnan(bounds.kl_lin_ucb(random_problem(0), 100, [100], scale=1.0)).all()
    defaults = [
        {k: p.default for k, p in inspect.signature(f).parameters.items() if p.kind is p.KEYWORD_ONLY}
        for f in (bounds.kl_lin_ucb, kl_lin_ucb)
    ]
    assert defaults[0] == defaults[1]


def test_optimism_bounds_a_round_by_the_smaller_of_two_orders_of_the_bonus():
    rng = np.random.default_rng(0)
    violated = 0
    for _ in range(500):
        K, eta = rng.integers(2, 8), 10.0 ** rng.uniform(-1, 2)
        reward, reference = rng.random(K), rng.dirichlet(np.ones(K)) * 0.99 + 0.01 / K
        for bonus in (rng.exponential(10.0 ** rng.uniform(-2, 0), K), -rng.exponential(0.3, K)):
            played = regularizer.policy("kl", reward + bonus, reference, eta)
            gap = regularizer.plug_in_gap("kl", reward + bonus, reward, reference, eta)
            bound = played @ np.minimum(abs(bonus), 0.5 * eta * bonus**2)
            if bonus[0] > 0:
                assert gap <= bound * (1 + 1e-9) + 1e-13
            else:
                violated += gap > 1.01 * bound
    assert violated > 0  # control: without optimism


def test_squared_widths_add_up_to_at_most_the_potential():
    rng = np.random.default_rng(1)
    tight = 0.0
    for d, lam, kind in [(3, 1.0, "cyclic"), (3, 1.0, "random"), (5, 2.5, "random"), (1, 1.0, "random")]:
        matrix, total, logs = lam * np.eye(d), 0.0, 0.0
        for t in range(1, 301):
            phi = np.eye(d)[t % d] if kind == "cyclic" else rng.standard_normal(d)
            phi = phi / np.linalg.norm(phi)
            square = phi @ np.linalg.solve(matrix, phi)
            matrix += np.outer(phi, phi)
            total += square
            logs += math.log1p(square)
            volume = d * math.log1p(t / (lam * d))
            assert total <= min(t / lam, volume / (lam * math.log1p(1 / lam))) * (1 + 1e-12)
            if kind == "cyclic" and t % d == 0:
                assert logs == pytest.approx(volume, rel=1e-12)
        tight = max(tight, total / volume)
    assert tight > 1.0  # control: the sum of squares exceeds the sum of logarithms


@pytest.mark.parametrize("measure", ["average", "realised"])
def test_regret_of_kl_lin_ucb_is_below_its_bound_which_falls_below_that_of_the_reference(measure):
    checkpoints = np.array([1, 16, 256, 1024])
    for seed in range(5):
        problem = instances.random_linear(3, 5, 3, eta=[0.5, 4.0, 50.0, 4.0, 1e4][seed], seed=seed, measure=measure)
        fit = {"kl_lin_ucb": partial(kl_lin_ucb, scale=1.0)}
        run = simulate.run(problem, fit, rounds=1024, replications=3, checkpoints=checkpoints, seed=seed)
        bound = bounds.kl_lin_ucb(problem, 1024, checkpoints, scale=1.0)
        assert (run.regret["kl_lin_ucb"] <= bound).all()
        frozen = problem.suboptimality(problem.reference)
        late = bounds.kl_lin_ucb(problem, 10**12, [10**12], scale=1.0)[0]
        assert frozen * 10**12 > late  # control: the bound excludes a learner that does not learn


def test_law_of_linear_play_with_one_hot_features_is_that_of_tables():
    for seed in range(10):
        table = random_problem(seed)
        S, K = table.mean.shape
        known = {"eta": table.eta, "law": table.law, "reference": table.reference, "noise": "bernoulli"}
        one_hot = linear(np.eye(S * K).reshape(S, K, S * K), table.mean.ravel(), **known)
        expected = 0.5 * table.eta * (table.mean * (1 - table.mean) * (1 - table.optimal)).sum()
        assert bounds.law_tabular(table) == pytest.approx(expected, rel=1e-12)
        assert bounds.law_kl_lin_greedy(one_hot) == pytest.approx(expected, rel=1e-10)


def test_law_of_linear_play_is_the_mean_gap_of_least_squares_from_the_optimum():
    problem = instances.random_linear(3, 4, 3, eta=2.0, seed=6)
    rng = np.random.default_rng(2)
    n = 10**6
    second = np.einsum("sa,sai,saj->ij", problem.law[:, None] * problem.optimal, problem.features, problem.features)
    root = np.linalg.cholesky(np.linalg.inv(second))
    gap = np.zeros(4000)
    for i in range(gap.size):
        theta = problem.parameter + 0.3 / math.sqrt(n) * root @ rng.standard_normal(3)
        estimate = problem.features @ theta
        rows = [
            regularizer.plug_in_gap("kl", estimate[s], problem.mean[s], problem.reference[s], problem.eta)
            for s in range(3)
        ]
        gap[i] = problem.law @ rows
    law = bounds.law_kl_lin_greedy(problem)
    assert abs(n * gap.mean() - law) < 4.0 * n * standard_error(gap) and n * standard_error(gap) < 0.03 * law


def test_law_of_linear_play_worked_by_hand_and_its_rank():
    problem = linear(np.array([[[1.0], [-1.0]]]), [0.0], eta=4.0, spread=0.5)  # M = H = 1
    assert bounds.law_kl_lin_greedy(problem) == pytest.approx(2.0 * 0.25, rel=1e-12)
    wide = linear(np.array([[[1.0, 0.0], [-1.0, 0.0]]]), [0.0, 0.3], eta=4.0, spread=0.5)  # a dimension without data
    assert bounds.law_kl_lin_greedy(wide) == pytest.approx(0.5, rel=1e-12)
    for d in (2, 4, 8):
        centred = instances.random_linear(6, 10, d, eta=4.0, norm=0.0)
        assert 0.5 * d < bounds.law_kl_lin_greedy(centred) / (0.5 * 4.0 * 0.09) <= d
    assert math.isnan(bounds.law_kl_lin_greedy(random_problem(0)))
    assert math.isnan(bounds.law_tabular(random_problem(0, "chi2")))


def test_the_ellipsoid_enters_with_the_horizon():
    problem = instances.random_linear(2, 3, 2)
    beta = [confidence.ellipsoid(2, T, 1.0, 0.01, 0.3, problem.radius) for T in (100, 10**6)]
    first = [bounds.kl_lin_ucb(problem._replace(eta=1e-3), T, [1], scale=1.0)[0] for T in (100, 10**6)]
    assert first[1] / first[0] == pytest.approx((beta[1] / beta[0]) ** 2, rel=1e-12)
