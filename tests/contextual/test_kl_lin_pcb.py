"""KL-PCB with linear rewards: ridge regression on counts, its lower bounds and its law."""

import math

import numpy as np
import pytest

import banditlab as bl
from banditlab.contextual.kl_lin_pcb import kl_lin_pcb
from banditlab.contextual.problem import linear, tabular


def random_problem(seed, *, S=4, K=5, d=3, **options):
    rng = np.random.default_rng(seed)
    phi = rng.normal(size=(S, K, d))
    phi /= np.linalg.norm(phi, axis=-1, keepdims=True)
    theta = rng.normal(size=d)
    given = {"eta": 4.0, "reference": rng.dirichlet(np.ones(K), size=S), "spread": 0.3, "radius": 3.0, **options}
    return linear(phi, theta / np.linalg.norm(theta), **given)


def test_one_dimension_by_hand():
    p = linear([[[0.5], [1.0]]], [0.8], eta=2.0, radius=1.0, spread=0.5)
    data = p.described(np.array([[4.0, 2.0]]), np.array([[1.0, 2.0]]))
    gram, theta = 1.0 + 4.0 * 0.25 + 2.0, (0.5 * 1.0 + 2.0) / 4.0
    beta = 0.5 * math.sqrt(math.log(1.0 + 6.0) + 2.0 * math.log(20.0)) + 1.0
    low = np.array([0.5, 1.0]) * (theta - 0.2 * beta / math.sqrt(gram))
    weight = np.exp(2.0 * np.maximum(low, 0.0))
    np.testing.assert_allclose(kl_lin_pcb(data), [weight / weight.sum()], rtol=1e-13)


@pytest.mark.parametrize("scale", [0.0, 0.2, 1.0])
def test_agrees_with_ridge_regression_on_the_rows(scale):
    p = random_problem(0, floor=-2.0)
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 6, size=p.mean.shape).astype(float)
    rows, responses, total = [], [], np.zeros(p.mean.shape)
    for s, a in np.ndindex(p.mean.shape):
        for _ in range(int(counts[s, a])):
            x = p.mean[s, a] + 0.3 * rng.normal()
            rows.append(p.features[s, a])
            responses.append(x)
            total[s, a] += x
    fitted = kl_lin_pcb(p.described(counts, total), scale=scale, delta=0.1, lam=0.7)
    X, n, d = np.array(rows), len(rows), 3
    gram = X.T @ X + 0.7 * np.eye(d)
    theta = np.linalg.solve(gram, X.T @ np.array(responses))
    beta = 0.3 * math.sqrt(d * math.log(1.0 + n / (0.7 * d)) + 2.0 * math.log(10.0)) + math.sqrt(0.7) * 3.0
    width = np.sqrt(np.einsum("sai,ij,saj->sa", p.features, np.linalg.inv(gram), p.features))
    low = np.maximum(p.features @ theta - scale * beta * width, -2.0)
    np.testing.assert_allclose(fitted.estimate, low, rtol=1e-11, atol=1e-13)
    weight = p.reference * np.exp(4.0 * low)
    np.testing.assert_allclose(fitted, weight / weight.sum(axis=1, keepdims=True), rtol=1e-10)


def test_bounds_fall_with_the_scale_and_stop_at_the_floor():
    p = random_problem(3, floor=-1.2)
    for i in range(20):
        data = p.dataset(50, 0, i)
        estimates = [kl_lin_pcb(data, scale=scale).estimate for scale in (0.0, 0.1, 0.5, 1.0, 100.0)]
        assert (np.diff(estimates, axis=0) <= 0.0).all()
        assert (estimates[-1] == -1.2).all()


def test_all_lower_bounds_are_below_the_truth_except_with_probability_delta():
    p, datasets, delta = random_problem(4, floor=-5.0), 400, 0.1

    def misses(scale):
        low = [kl_lin_pcb(p.dataset(200, 1, i), scale=scale, delta=delta).estimate for i in range(datasets)]
        return np.mean([(x > p.mean + 1e-12).any() for x in low])

    assert misses(1.0) <= delta + 4.0 * math.sqrt(delta * (1.0 - delta) / datasets)
    assert misses(0.02) > delta + 4.0 * math.sqrt(delta * (1.0 - delta) / datasets)  # control


@pytest.mark.parametrize("noise", ["gaussian", "bernoulli"])
@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_the_mean_follows_its_law(noise, scale):
    if noise == "gaussian":
        p = random_problem(5, floor=-3.0)
    else:
        phi = np.abs(random_problem(5).features)
        p = linear(phi, [0.3, 0.5, 0.2], eta=4.0, noise="bernoulli")
    n = np.array([10**8])
    fit = {"fit": lambda data: kl_lin_pcb(data, scale=scale)}
    gap = bl.run_offline(p, fit, samples=n, replications=600, seed=3).gap["fit"][:, 0]
    law, error = kl_lin_pcb.law(p, n, scale=scale)[0], gap.std(ddof=1) / math.sqrt(gap.size)
    assert abs(gap.mean() - law) < 4.0 * error + 0.003 * law  # the next order is n^{-1/2} = 0.0001 of it
    assert not abs(gap.mean() - 1.5 * law) < 4.0 * error + 0.003 * law


def test_a_linear_fit_needs_fewer_samples_than_a_table():
    p = random_problem(6, S=20, K=10, d=3)
    result = bl.run_offline(p, {"linear": kl_lin_pcb, "table": bl.contextual.kl_pcb}, samples=[2000], replications=100)
    linear_gap, table_gap = (result.gap[name][:, 0] for name in ("linear", "table"))
    difference = table_gap - linear_gap
    assert difference.mean() > 4.0 * difference.std(ddof=1) / 10.0


def test_the_empty_dataset_is_fitted_from_the_prior_alone():
    p = random_problem(0)
    fitted = kl_lin_pcb(p.dataset(0, 0, 0), lam=2.0, delta=0.05)
    low = -0.2 * (0.3 * math.sqrt(2.0 * math.log(20.0)) + math.sqrt(2.0) * 3.0) / math.sqrt(2.0)
    np.testing.assert_allclose(fitted.estimate, np.full(p.mean.shape, max(low, p.floor)), rtol=1e-12)
    np.testing.assert_allclose(fitted, p.reference, rtol=1e-12)


def test_fits_leave_the_dataset_alone():
    data = random_problem(0).dataset(50, 0, 0)
    counts, total = data.counts.copy(), data.total.copy()
    kl_lin_pcb(data)
    np.testing.assert_array_equal(data.counts, counts)
    np.testing.assert_array_equal(data.total, total)


def test_no_law_where_features_are_not_covered():
    p = linear([[[1.0, 0.0], [0.0, 1.0]]], [0.5, 0.5], eta=2.0, behaviour=[1.0, 0.0])
    assert np.isnan(kl_lin_pcb.law(p, np.array([100]))).all()
    assert p.suboptimality(kl_lin_pcb(p.dataset(100, 0, 0))) < math.inf
    assert np.isnan(kl_lin_pcb.law(tabular([0.1, 0.2], eta=1.0), np.array([100]))).all()


@pytest.mark.parametrize(("name", "value"), [("scale", -1.0), ("delta", 0.0), ("lam", 0.0)])
def test_the_law_refuses_what_the_fit_refuses(name, value):
    with pytest.raises(ValueError, match=f"^{name}: [^\n]*$"):
        kl_lin_pcb.law(random_problem(0), np.array([100]), **{name: value})


@pytest.mark.parametrize(
    ("problem", "parameters", "message"),
    [
        (tabular([0.5, 0.5], eta=1.0), {}, "features: kl_lin_pcb needs"),
        (random_problem(0, regularizer="chi2"), {}, "regularizer: kl_lin_pcb needs 'kl'"),
        (random_problem(0), {"scale": -1.0}, "scale: "),
        (random_problem(0), {"delta": 0.0}, "delta: "),
        (random_problem(0), {"lam": 0.0}, "lam: "),
    ],
)
def test_bad_parameters_are_refused_in_one_line(problem, parameters, message):
    with pytest.raises(ValueError, match=f"^{message}.*$"):
        kl_lin_pcb(problem.dataset(0, 0, 0), **parameters)
