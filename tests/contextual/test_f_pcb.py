"""f-PCB: optimal policies of offline estimates under any regularizer, and the coverage sweep."""

import functools
import math

import numpy as np
import pytest
from scipy import optimize

import banditlab as bl
from banditlab import regularizer
from banditlab.contextual import bounds, instances
from banditlab.contextual.f_pcb import f_pcb
from banditlab.contextual.kl_pcb import kl_pcb
from banditlab.contextual.plug_in import plug_in
from banditlab.contextual.problem import tabular

MEAN = np.array([[0.2, 0.5, 0.9], [0.7, 0.1, 0.4]])
REFERENCE = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
F = {  # f of the f-divergences
    "kl": lambda x: x * np.log(x),
    "forward_kl": lambda x: -np.log(x),
    "chi2": lambda x: 0.5 * (x - 1.0) ** 2,
    "alpha": lambda x: (x**1.5 - 1.5 * x + 0.5) / 0.75,
    "js": lambda x: x * np.log(x) - (1.0 + x) * np.log(0.5 * (1.0 + x)),
    "kl_chi2": lambda x: x * np.log(x) + 0.5 * (x - 1.0) ** 2,
}


def problem(name, **options):
    alpha = 1.5 if name == "alpha" else None
    return tabular(MEAN, reference=REFERENCE, regularizer=name, alpha=alpha, **{"eta": 1.2, **options})


def test_chi_square_of_two_arms_by_hand():
    p = tabular([0.5, 0.5], eta=1.0, regularizer="chi2")
    data = p.described(np.array([[4.0, 0.0]]), np.array([[3.0, 0.0]]))
    # pi = ref (1 + eta (q - mean of q)), q = (3/4, unseen)
    np.testing.assert_allclose(f_pcb(data), [[0.5 * 1.125, 0.5 * 0.875]], rtol=1e-14)
    np.testing.assert_allclose(f_pcb(data, unseen=0.75), [[0.5, 0.5]], rtol=1e-14)


@pytest.mark.parametrize("name", list(regularizer.CODES))
@pytest.mark.parametrize("scale", [0.0, 0.5])
def test_agrees_with_a_numerical_maximiser(name, scale):
    data = problem(name).dataset(40, 0, 1)
    fitted = f_pcb(data, scale=scale)
    estimate = np.where(data.counts > 0.0, data.total / np.maximum(data.counts, 1.0), 0.5)
    if scale > 0.0:
        width = 0.5 * np.sqrt(math.log(12.0 / 0.05) / (2.0 * np.maximum(data.counts, 1.0)))
        estimate = np.where(data.counts > 0.0, np.maximum(estimate - width, 0.0), 0.0)
    for s in range(2):

        def loss(logits, s=s):
            pi = np.exp(logits - logits.max())
            pi /= pi.sum()
            return (REFERENCE[s] * F[name](pi / REFERENCE[s])).sum() / 1.2 - pi @ estimate[s]

        found = optimize.minimize(loss, np.log(REFERENCE[s]), method="BFGS", options={"gtol": 1e-9})
        pi = np.exp(found.x - found.x.max())
        np.testing.assert_allclose(fitted[s], pi / pi.sum(), atol=2e-6)
        assert loss(np.log(fitted[s])) <= found.fun + 1e-12


def test_without_pessimism_it_is_the_plug_in_policy_and_with_it_kl_pcb():
    data = problem("kl").dataset(30, 0, 0)
    np.testing.assert_array_equal(f_pcb(data, unseen=0.2), plug_in(data, unseen=0.2))
    np.testing.assert_array_equal(f_pcb(data, scale=0.3, delta=0.1), kl_pcb(data, scale=0.3, delta=0.1))


@pytest.mark.parametrize("name", ["chi2", "kl_chi2"])
def test_the_gap_of_a_strongly_convex_regularizer_is_below_the_mean_squared_error_under_the_reference(name):
    m, p = 1.0, problem(name, eta=8.0, behaviour=[0.1, 0.1, 0.8])
    for i in range(200):
        fitted = f_pcb(p.dataset(20, 5, i))
        error = fitted.estimate - MEAN
        centred = error - (REFERENCE * error).sum(axis=1, keepdims=True)
        assert p.suboptimality(fitted) <= 0.5 * p.eta / m * (p.law[:, None] * REFERENCE * centred**2).sum() + 1e-15


def test_that_inequality_fails_for_kl():
    p = tabular([0.3, 0.8], eta=6.0, reference=[63.0 / 64.0, 1.0 / 64.0])
    ratios = []
    for i in range(100):
        fitted = f_pcb(p.dataset(640, 5, i))
        error = fitted.estimate - p.mean
        centred = error - (p.reference * error).sum()
        ratios.append(p.suboptimality(fitted) / (0.5 * p.eta * (p.reference * centred**2).sum()))
    assert max(ratios) > 2.0


COVERAGES = (4, 16, 64, 256)


@pytest.fixture(scope="module")
def sweep():
    """n SubOpt at n = 512 C: by regularizer its mean, standard error and first-order law, (4,) each."""
    found = {}
    for name, replications in (("chi2", 8000), ("kl_chi2", 3000), ("kl", 6000)):
        rows = []
        for C in COVERAGES:
            p, n = instances.coverage_sweep(C, regularizer=name), 512 * C
            scaled = n * bl.run_offline(p, {"f": f_pcb}, samples=[n], replications=replications, seed=11).gap["f"][:, 0]
            law = n * bounds.law_plug_in(p, [n])[0]
            rows.append((scaled.mean(), scaled.std(ddof=1) / math.sqrt(replications), law))
        found[name] = np.array(rows).T
    return found


def test_the_price_of_coverage_grows_with_c_under_kl(sweep):
    kl, error, law = sweep["kl"]
    assert (np.diff(kl) > 4.0 * np.hypot(error[1:], error[:-1])).all()
    assert kl[-1] - 4.0 * error[-1] > 5.0 * (kl[0] + 4.0 * error[0])
    np.testing.assert_allclose(law, [0.959, 2.41, 5.75, 8.36], rtol=2e-3)
    assert (np.abs(kl - law) < 4.0 * error + 0.1 * law).all()  # 10 %: beyond the first order, at 512 samples of the arm


@pytest.mark.parametrize(
    ("name", "known"), [("chi2", [0.719, 0.565, 0.482, 0.481]), ("kl_chi2", [0.396, 0.393, 0.355, 0.357])]
)
def test_the_price_of_coverage_is_flat_in_c_under_a_strongly_convex_regularizer(sweep, name, known):
    scaled, error, law = sweep[name]
    np.testing.assert_allclose(law, known, rtol=2e-3)
    assert (np.abs(scaled - law) < 4.0 * error + 0.05 * law).all()  # 5 %: beyond the first order
    assert (scaled + 4.0 * error).max() < 2.0 * (scaled - 4.0 * error).min()  # over a factor 64 of C
    assert (scaled + 4.0 * error).max() < 1.5  # eta / 4, the bound
    kl, error, _ = sweep["kl"]  # control: neither holds under KL
    assert (kl - 4.0 * error).max() > 2.0 * (kl + 4.0 * error).min()
    assert (kl - 4.0 * error).max() > 1.5


@pytest.mark.parametrize("name", ["chi2", "js"])
def test_the_empty_dataset_gives_the_reference(name):
    data = problem(name).dataset(0, 0, 0)
    np.testing.assert_allclose(f_pcb(data), REFERENCE, rtol=1e-12)
    np.testing.assert_allclose(f_pcb(data, scale=1.0), REFERENCE, rtol=1e-12)


def test_fits_leave_the_dataset_alone():
    data = problem("kl_chi2").dataset(50, 0, 0)
    counts, total = data.counts.copy(), data.total.copy()
    f_pcb(data)
    f_pcb(data, scale=1.0)
    np.testing.assert_array_equal(data.counts, counts)
    np.testing.assert_array_equal(data.total, total)


def test_it_carries_its_bound_and_the_law_of_the_plug_in_policy():
    p, n = problem("chi2"), np.array([100, 1000])
    np.testing.assert_array_equal(f_pcb.law(p, n), bounds.law_plug_in(p, n))
    np.testing.assert_array_equal(f_pcb.bound(p, n), bounds.f_pcb(p, n))
    assert np.isfinite(f_pcb.law(p, n)).all()
    assert np.isfinite(f_pcb.bound(p, n)).all()
    np.testing.assert_array_equal(f_pcb.law(p, n, scale=0.5, delta=0.1), bounds.law_pessimistic(p, n, delta=0.1))


@pytest.mark.parametrize("name", ["chi2", "js", "kl_chi2"])
def test_the_mean_with_pessimism_follows_its_law(name):
    p, n = problem(name, behaviour=[0.6, 0.3, 0.1]), np.array([10**9])
    fit = {"fit": functools.partial(f_pcb, scale=0.6, delta=0.1)}
    gap = bl.run_offline(p, fit, samples=n, replications=1500, seed=4).gap["fit"][:, 0]
    law, error = f_pcb.law(p, n, scale=0.6, delta=0.1)[0], gap.std(ddof=1) / math.sqrt(gap.size)
    assert abs(gap.mean() - law) < 4.0 * error + 1e-3 * law  # the next order is n^{-1/2} = 3e-5 of it
    assert abs(gap.mean() - f_pcb.law(p, n)[0]) > 4.0 * error + 1e-3 * law  # control: without the bias


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scale": -0.1}, "scale: "),
        ({"delta": 0.0}, "delta: "),
        ({"delta": 0.0, "scale": 0.5}, "delta: "),
        ({"unseen": math.nan}, "unseen: "),
    ],
)
def test_bad_parameters_are_refused_in_one_line(parameters, message):
    with pytest.raises(ValueError, match=f"^{message}.*$"):
        functools.partial(f_pcb, **parameters)(problem("chi2").dataset(0, 0, 0))
