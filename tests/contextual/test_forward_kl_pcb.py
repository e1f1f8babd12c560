"""Forward-KL-PCB: the root, its certificate and its law."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

import banditlab as bl
from banditlab.contextual import bounds
from banditlab.contextual.f_pcb import f_pcb
from banditlab.contextual.forward_kl_pcb import forward_kl_pcb
from banditlab.contextual.problem import tabular


def example(**options):
    """The instance of the measurements: three arms, eta = 5."""
    given = {"reference": [0.5, 0.3, 0.2], "eta": 5.0, "regularizer": "forward_kl", **options}
    return tabular([0.3, 0.5, 0.7], **given)


def test_two_arms_by_hand():
    p = tabular([0.5, 0.5], eta=2.0, regularizer="forward_kl")
    data = p.described(np.array([[8.0, 0.0]]), np.array([[8.0, 0.0]]))
    low = 1.0 - 0.1 * math.sqrt(math.log(4.0 / 0.05) / 16.0)
    # 1/(4 (nu - low)) + 1/(4 nu) = 1, a quadratic in nu
    b = low + 0.5
    nu = 0.5 * (b + math.sqrt(b * b - low))
    assert forward_kl_pcb(data, scale=0.1)[0] == pytest.approx([0.25 / (nu - low), 0.25 / nu], rel=1e-13)


def test_agrees_with_a_bracketed_root():
    rng = np.random.default_rng(0)
    for i in range(20):
        mean, reference = rng.random((3, 4)), rng.dirichlet(np.ones(4), size=3)
        p = tabular(mean, reference=reference, eta=rng.uniform(0.1, 30.0), regularizer="forward_kl")
        data = p.dataset(100, 0, i)
        fitted = forward_kl_pcb(data, scale=0.3, delta=0.1)
        width = 0.3 * np.sqrt(math.log(24.0 / 0.1) / (2.0 * np.maximum(data.counts, 1.0)))
        low = np.where(data.counts > 0.0, np.maximum(data.total / np.maximum(data.counts, 1.0) - width, 0.0), 0.0)
        for s in range(3):
            top = low[s].max()
            best = p.reference[s, low[s].argmax()]
            ends = top + 0.5 * best / p.eta, top + 1.5 / p.eta

            def excess(nu, reference=p.reference[s], low=low[s], eta=p.eta):
                return (reference / (eta * (nu - low))).sum() - 1.0

            nu = optimize.brentq(excess, *ends, xtol=1e-15, rtol=1e-14)
            np.testing.assert_allclose(fitted[s], p.reference[s] / (p.eta * (nu - low[s])), rtol=1e-10)


def test_is_f_pcb_with_pessimism():
    data = example().dataset(200, 0, 0)
    np.testing.assert_array_equal(forward_kl_pcb(data, scale=0.4), f_pcb(data, scale=0.4))


def test_the_first_order_certificate_holds_on_every_dataset_with_its_event():
    rng = np.random.default_rng(2)
    events = 0
    for i in range(300):
        S, K = rng.integers(1, 4), rng.integers(2, 6)
        p = tabular(
            rng.random((S, K)),
            reference=rng.dirichlet(np.ones(K), size=S),
            behaviour=rng.dirichlet(np.ones(K), size=S),
            eta=10.0 ** rng.uniform(-1.0, 3.0),
            regularizer="forward_kl",
        )
        n = int(10.0 ** rng.uniform(2.5, 6.0))
        data = p.dataset(n, 0, i)
        inside = bounds.good_event(p, data)
        enough = (data.counts >= 0.5 * n * p.law[:, None] * p.behaviour).all()
        bound = forward_kl_pcb.bound(p, [n], scale=1.0)[0]
        if inside and enough and not math.isnan(bound):
            events += 1
            assert p.suboptimality(forward_kl_pcb(data, scale=1.0)) <= bound + 1e-15
    assert events > 100


def test_a_twentieth_of_the_certificate_does_not_hold():
    p, n = example(behaviour=[0.98, 0.01, 0.01], eta=1e3), 3000
    bound = forward_kl_pcb.bound(p, [n], scale=1.0)[0]
    gaps = [p.suboptimality(forward_kl_pcb(p.dataset(n, 0, i), scale=1.0)) for i in range(50)]
    assert 0.05 * bound < max(gaps) <= bound


def test_there_is_no_certificate_for_small_widths_or_few_samples():
    assert np.isfinite(forward_kl_pcb.bound(example(), [1000], scale=1.0)).all()
    assert np.isnan(forward_kl_pcb.bound(example(), [1000], scale=0.9)).all()
    n = np.arange(10, 300)
    risk = sum(stats.binom.cdf(np.ceil(0.5 * n * q) - 1, n, q) for q in (0.5, 0.3, 0.2))
    np.testing.assert_array_equal(np.isnan(forward_kl_pcb.bound(example(), n, scale=1.0)), risk > 0.05)
    assert 0 < (risk > 0.05).sum() < n.size


def test_the_bound_worked_by_hand():
    p, n = example(behaviour=[0.98, 0.02, 0.0]), 10**5
    level = math.log(6 / 0.05)
    width = [2.0 * math.sqrt(level / (n * q)) for q in (0.98, 0.02)]  # (1 + 1) 2 sigma sqrt(L / (n mu)), sigma = 1/2
    expected = p.optimal[0] @ [width[0], min(width[1], 0.5), 0.7]
    assert forward_kl_pcb.bound(p, [n], scale=1.0)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("scale", [0.0, 0.3, 1.0])
def test_the_mean_follows_its_law(scale):
    p, n = example(), np.array([10**7])
    fit = {"fit": lambda data: forward_kl_pcb(data, scale=scale)}
    gap = bl.run_offline(p, fit, samples=n, replications=1000, seed=2).gap["fit"][:, 0]
    law = forward_kl_pcb.law(p, n, scale=scale)[0]
    error = gap.std(ddof=1) / math.sqrt(gap.size)
    assert abs(gap.mean() - law) < 4.0 * error + 0.003 * law  # terms of the next order are n^{-1/2} = 0.0003 of it
    if scale == 1.0:  # control: the law without the price of pessimism is another number
        assert abs(gap.mean() - forward_kl_pcb.law(p, n, scale=0.0)[0]) > 4.0 * error + 0.003 * law


def test_the_suboptimality_falls_like_one_over_n():
    result = bl.run_offline(
        example(), {"fit": lambda data: forward_kl_pcb(data, scale=0.3)}, samples=[2**12, 2**16], replications=1200
    )
    first, last = result.gap["fit"].T
    slope = math.log(last.mean() / first.mean()) / math.log(16.0)
    error = math.hypot(*(x.std(ddof=1) / x.mean() / math.sqrt(x.size) for x in (first, last))) / math.log(16.0)
    assert 4.0 * error < 0.1
    assert abs(slope + 1.0) < 4.0 * error + 0.05  # 0.05: the next order at n = 2^12


def test_the_empty_dataset_gives_the_reference_and_data_are_left_alone():
    np.testing.assert_allclose(forward_kl_pcb(example().dataset(0, 0, 0)), example().reference, rtol=1e-12)
    data = example().dataset(50, 0, 0)
    counts, total = data.counts.copy(), data.total.copy()
    forward_kl_pcb(data)
    np.testing.assert_array_equal(data.counts, counts)
    np.testing.assert_array_equal(data.total, total)


def test_an_arm_that_is_never_sampled_has_a_finite_certificate_and_no_law():
    p, n = example(behaviour=[0.5, 0.5, 0.0]), np.array([1000])
    assert forward_kl_pcb.bound(p, n, scale=1.0)[0] >= p.optimal[0, 2] * 0.7  # the range of the unseen arm
    assert np.isfinite(forward_kl_pcb.bound(p, n, scale=1.0)).all()
    assert np.isnan(forward_kl_pcb.law(p, n)).all()


def test_another_regularizer_and_bad_parameters_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"^regularizer: forward_kl_pcb needs 'forward_kl', the data have 'kl'$"):
        forward_kl_pcb(tabular([0.5, 0.5], eta=1.0).dataset(0, 0, 0))
    with pytest.raises(ValueError, match=r"^scale: .*$"):
        forward_kl_pcb(example().dataset(0, 0, 0), scale=-1.0)
    with pytest.raises(ValueError, match=r"^delta: .*$"):
        forward_kl_pcb(example().dataset(0, 0, 0), delta=2.0)
