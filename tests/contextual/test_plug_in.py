"""The plug-in policy: by hand, optimal for its estimate, its rates against the law, and where it fails."""

import math

import numpy as np
import pytest
from scipy import stats

from banditlab import regularizer, simulate
from banditlab.contextual import bounds, instances
from banditlab.contextual.plug_in import plug_in
from banditlab.contextual.problem import tabular


def gaps(problem, samples, replications, fit=plug_in, seed=0):
    """(replications, C): exact suboptimalities."""
    return simulate.run_offline(problem, {"fit": fit}, samples=samples, replications=replications, seed=seed).gap["fit"]


def standard_error(x):
    return x.std(axis=0, ddof=1) / math.sqrt(x.shape[0])


def slope_of(n, gap):
    """Least-squares slope of log mean gap, of (R, C) gaps, in log n, and its standard error."""
    x = np.log(n) - np.log(n).mean()
    mean = gap.mean(axis=0)
    return (x @ np.log(mean)) / (x @ x), math.sqrt((x * x) @ (standard_error(gap) / mean) ** 2) / (x @ x)


def test_worked_by_hand():
    problem = tabular([[0.2, 0.7, 0.5]], eta=2.0, reference=[0.5, 0.3, 0.2])
    data = problem.described(np.array([[4.0, 2.0, 0.0]]), np.array([[1.0, 2.0, 0.0]]))  # means .25, 1, unseen .5
    weight = np.array([0.5 * math.exp(0.5), 0.3 * math.exp(2.0), 0.2 * math.exp(1.0)])
    np.testing.assert_allclose(plug_in(data), weight[None] / weight.sum(), rtol=1e-14)
    weight[2] = 0.2
    np.testing.assert_allclose(plug_in(data, unseen=0.0), weight[None] / weight.sum(), rtol=1e-14)


@pytest.mark.parametrize(
    "name, alpha", [("kl", None), ("forward_kl", None), ("chi2", None), ("alpha", 1.5), ("js", None), ("kl_chi2", None)]
)
def test_it_is_optimal_for_the_empirical_means_under_the_problems_regularizer(name, alpha):
    problem = instances.random_tabular(3, 4, eta=7.0, seed=2, regularizer=name, alpha=alpha, dirichlet=1.0)
    data = problem.dataset(60, 1, 0)
    best = regularizer.policy(name, data.means(0.5), problem.reference, 7.0, alpha=alpha)
    np.testing.assert_allclose(plug_in(data), best, rtol=1e-10, atol=1e-14)


def test_without_data_it_is_the_reference():
    problem = instances.random_tabular(3, 4, seed=2, dirichlet=1.0)
    np.testing.assert_allclose(plug_in(problem.dataset(0, 0, 0)), problem.reference, rtol=1e-14)


def test_at_infinite_eta_it_is_greedy():
    problem = instances.random_tabular(3, 4, eta=math.inf, seed=2)
    data = problem.dataset(500, 0, 0)
    np.testing.assert_array_equal(plug_in(data).argmax(axis=1), data.means(0.5).argmax(axis=1))
    assert (np.sort(plug_in(data), axis=1)[:, -1] == 1.0).all()


def test_the_dataset_stays_as_it_was():
    data = instances.random_tabular(3, 4, seed=2).dataset(500, 0, 0)
    before = [np.copy(x) for x in (data.counts, data.total)]
    plug_in(data)
    assert all(np.array_equal(a, b) for a, b in zip(before, (data.counts, data.total), strict=True))


@pytest.mark.parametrize("unseen", [math.nan, math.inf, "half"])
def test_unseen_must_be_a_finite_number(unseen):
    data = instances.random_tabular(2, 2).dataset(0, 0, 0)
    with pytest.raises((ValueError, TypeError), match=r"^unseen: [^\n]*$"):
        plug_in(data, unseen=unseen)


@pytest.mark.slow
def test_suboptimality_in_the_fast_regime_is_the_law_and_falls_like_one_over_n():
    problem = instances.hard_offline(4, 4.0, eta=5.0)
    n = 2 ** np.arange(9, 17)
    gap = gaps(problem, n, 2000)
    mean, error, law = gap.mean(axis=0), standard_error(gap), bounds.law_plug_in(problem, n)
    assert law[-1] * 2**16 == pytest.approx(3.17, abs=0.005)
    assert abs(mean[-1] / law[-1] - 1.0) + 4.0 * error[-1] / law[-1] < 0.15  # 4 standard errors
    slope, slope_error = slope_of(n, gap)
    assert abs(slope + 1.0) + 4.0 * slope_error < 0.05


def test_the_slope_is_far_from_one_over_n_where_eta_is_large_and_the_gap_follows_n():
    n = 2 ** np.arange(9, 17)
    gap = np.stack([gaps(instances.hard_offline_minimax(m, 4, 4.0, eta=1e4), [m], 2000)[:, 0] for m in n.tolist()], 1)
    slope, error = slope_of(n, gap)
    assert abs(slope + 0.5) + 4.0 * error < 0.1


@pytest.mark.parametrize(
    "name, alpha",
    [("kl", None), ("forward_kl", None), ("chi2", None), ("alpha", 0.5), ("js", None), ("kl_chi2", None)],
)
def test_the_law_holds_for_every_regularizer_and_behaviour(name, alpha):
    rng = np.random.default_rng(4)
    behaviour = rng.dirichlet(np.full(3, 4.0), 2)
    mean = [[0.1, 0.5, 0.6], [0.9, 0.55, 0.4]]
    kind = {"regularizer": name, "alpha": alpha}
    known = {"eta": 1.5, "law": [0.3, 0.7], "reference": [0.3, 0.3, 0.4], "behaviour": behaviour, **kind}
    problem = tabular(mean, **known)
    n = 2**24
    gap = gaps(problem, [n], 3000)[:, 0]
    law = bounds.law_plug_in(problem, [n])[0]
    assert abs(gap.mean() - law) < 4.0 * standard_error(gap) and standard_error(gap) < 0.03 * law
    homoscedastic = bounds.law_plug_in(tabular(mean, noise="gaussian", spread=0.5, **known), [n])[0]
    assert abs(gap.mean() - homoscedastic) > 4.0 * standard_error(gap)  # control: variances of 1/4 for every arm


@pytest.mark.slow
def test_coverage_costs_in_proportion_under_kl_and_nothing_under_strongly_convex_divergences():
    for name, low, high in [("kl", 5.0, math.inf), ("chi2", 0.0, 1.2), ("kl_chi2", 0.0, 1.2)]:
        scaled = []
        for C in (4.0, 256.0):
            n = int(4096 * C)
            gap = n * gaps(instances.coverage_sweep(C, regularizer=name), [n], 4000)[:, 0]
            scaled.append((gap.mean(), 4.0 * standard_error(gap)))
        (few, few_error), (many, many_error) = scaled
        assert (many - many_error) / (few + few_error) > low
        assert (many + many_error) / (few - few_error) < high


@pytest.mark.slow
def test_forward_kl_falls_like_one_over_n():
    problem = instances.forward_kl_example()
    n = 2 ** np.arange(12, 19)
    gap = gaps(problem, n, 2000)
    scaled, error = n * gap.mean(axis=0), n * standard_error(gap)
    assert bounds.law_plug_in(problem, [1])[0] == pytest.approx(0.977, abs=5e-4)
    assert (abs(scaled[2:] / 0.97681517 - 1.0) + 4.0 * error[2:] < 0.15).all()


@pytest.mark.parametrize("samples", [256, 1024, 4096])
def test_rare_junk_defeats_it_at_every_sample_size(samples):
    gap = gaps(instances.rare_junk(samples), [samples], 1000)[:, 0]
    assert gap.mean() - 4.0 * standard_error(gap) > 0.15
    # where n is large a bad arm has Poisson(2) samples: its estimates, with their probabilities
    counts = np.arange(1, 60)
    ones = np.arange(60)[:, None]
    chance = np.append((stats.poisson.pmf(counts, 2.0) * stats.binom.pmf(ones, counts, 0.2)).ravel(), math.exp(-2.0))
    score = 10.0 * np.append((ones / counts).ravel(), 0.5)
    weight = 0.5 * chance * np.exp(score)
    good = 0.5 * math.exp(8.0)
    total = good + weight.sum()
    reward = (0.8 * good + 0.2 * weight.sum()) / total
    kl = (8.0 * good + (weight * score).sum()) / total - math.log(total)
    limit = math.log(good + 0.5 * math.exp(2.0)) / 10.0 - (reward - kl / 10.0)
    assert abs(gap.mean() - limit) < 4.0 * standard_error(gap) + 2.0 / samples  # a term of order 1/n
    assert 4.0 * standard_error(gap) + 2.0 / samples < 0.1 * limit
