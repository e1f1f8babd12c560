"""KL-PCB over a finite class of reward tables: the version space and its minimum."""

import math

import numpy as np
import pytest

import banditlab as bl
from banditlab.contextual.kl_finite_pcb import kl_finite_pcb, plausible
from banditlab.contextual.problem import tabular

MEAN = np.array([[0.2, 0.5, 0.9], [0.7, 0.1, 0.4]])
NEAR = np.stack([MEAN, MEAN + 0.05, MEAN - 0.05, 1.0 - MEAN, np.full((2, 3), 0.5)])


def problem(**options):
    return tabular(MEAN, **{"eta": 3.0, **options})


def test_two_tables_by_hand():
    p = tabular([0.6, 0.5], eta=math.log(2.0))
    data = p.described(np.array([[10.0, 0.0]]), np.array([[6.0, 0.0]]))
    tables = np.array([[[0.6, 0.9]], [[0.4, 0.2]], [[0.0, 0.0]]])
    # losses 0, 10 (0.2)^2 = 0.4 and 3.6; allowed 2 (1/4) log(3 / delta) = 2 with delta = 3 e^{-4}
    delta = 3.0 * math.exp(-4.0)
    np.testing.assert_array_equal(plausible(data, tables, 1.0, delta), tables[:2])
    fitted = kl_finite_pcb(data, models=tables, delta=delta)
    np.testing.assert_array_equal(fitted.estimate, [[0.4, 0.2]])
    np.testing.assert_allclose(fitted, [[2.0**0.2 / (1.0 + 2.0**0.2), 1.0 / (1.0 + 2.0**0.2)]], rtol=1e-14)
    np.testing.assert_array_equal(kl_finite_pcb(data, models=tables, delta=delta, scale=0.1).estimate, [[0.6, 0.9]])


def test_agrees_with_squared_losses_of_the_rows():
    p, rng = problem(), np.random.default_rng(0)
    tables = np.clip(MEAN + 0.2 * rng.normal(size=(60, 2, 3)), 0.0, 1.0)
    for i in range(20):
        n = 10 * (i + 1)
        s, a = rng.integers(0, 2, n), rng.integers(0, 3, n)
        x = (rng.random(n) < MEAN[s, a]).astype(float)
        counts, total = np.zeros((2, 3)), np.zeros((2, 3))
        np.add.at(counts, (s, a), 1.0)
        np.add.at(total, (s, a), x)
        loss = ((tables[:, s, a] - x) ** 2).sum(axis=1)
        kept = tables[loss <= loss.min() + 0.5 * math.log(60.0 / 0.1) * 0.3]
        fitted = kl_finite_pcb(p.described(counts, total), models=tables, scale=0.3, delta=0.1)
        np.testing.assert_array_equal(fitted.estimate, kept.min(axis=0))


def test_the_truth_stays_plausible_except_with_probability_delta():
    p, datasets, delta = problem(), 3000, 0.3
    rng = np.random.default_rng(1)
    tables = np.concatenate([MEAN[None], MEAN + 0.15 * rng.choice([-1.0, 1.0], size=(40, 2, 3))])

    def dropped(scale):
        out = [
            not (plausible(p.dataset(120, 2, i), tables, scale, delta) == MEAN).all(axis=(1, 2)).any()
            for i in range(datasets)
        ]
        return np.mean(out)

    margin = 4.0 * math.sqrt(delta * (1.0 - delta) / datasets)
    assert dropped(1.0) <= delta + margin
    assert dropped(0.0) > delta + margin  # control: without allowance the best table need not be the truth


def test_the_estimate_is_below_the_truth_wherever_the_truth_is_plausible():
    p = problem()
    for i in range(100):
        data = p.dataset(40, 0, i)
        if (plausible(data, NEAR, 1.0, 0.05) == MEAN).all(axis=(1, 2)).any():
            fitted = kl_finite_pcb(data, models=NEAR)
            assert (fitted.estimate <= MEAN).all()
            square = 0.5 * p.eta * (p.law[:, None] * p.optimal * (fitted.estimate - MEAN) ** 2).sum()
            assert p.suboptimality(fitted) <= square + 1e-15


def test_a_class_with_the_truth_ends_the_suboptimality():
    fits = {
        "inside": lambda data: kl_finite_pcb(data, models=NEAR),
        "outside": lambda data: kl_finite_pcb(data, models=NEAR[1:]),
        "default": kl_finite_pcb,
    }
    result = bl.run_offline(problem(), fits, samples=[50, 10**7], replications=50)
    assert result.gap["inside"][:, 0].mean() > 0.0
    assert (result.gap["inside"][:, 1] < 1e-25).all()
    assert (result.gap["default"][:, 1] > 1e-4).all()
    assert (result.gap["outside"][:, 1] < 1e-25).all()  # the tables nearest to the truth differ from it by a constant


def test_nothing_is_lost_at_a_billion_samples():
    data = problem().dataset(10**12, 0, 0)
    close = np.stack([MEAN, MEAN + 1e-4])
    np.testing.assert_array_equal(kl_finite_pcb(data, models=close).estimate, MEAN)


def test_the_empty_dataset_keeps_every_table():
    fitted = kl_finite_pcb(problem().dataset(0, 0, 0), models=NEAR)
    np.testing.assert_array_equal(fitted.estimate, np.maximum(NEAR.min(axis=0), 0.0))


def test_the_default_class_is_the_same_each_time_and_between_floor_and_ceiling():
    p = tabular(MEAN, eta=3.0, floor=-1.0, ceiling=2.0)
    data = p.dataset(0, 0, 0)
    low = kl_finite_pcb(data).estimate
    np.testing.assert_array_equal(low, kl_finite_pcb(p.dataset(0, 1, 1)).estimate)
    assert (low >= -1.0).all()
    assert (low < -0.9).all()  # the least of 256 uniform draws


def test_fits_leave_the_dataset_and_the_class_alone():
    data, tables = problem().dataset(50, 0, 0), NEAR.copy()
    tables.flags.writeable = False
    counts, total = data.counts.copy(), data.total.copy()
    kl_finite_pcb(data, models=tables)
    np.testing.assert_array_equal(data.counts, counts)
    np.testing.assert_array_equal(data.total, total)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"models": [[0.1, 0.2, 0.3]]}, ValueError, r"models: expected shape \(M, 2, 3\)"),
        ({"models": np.zeros((0, 2, 3))}, ValueError, r"models: expected shape \(M, 2, 3\)"),
        ({"models": "all"}, TypeError, r"models: expected an \(M, 2, 3\) array"),
        ({"models": np.full((1, 2, 3), np.nan)}, ValueError, "models: every mean"),
        ({"scale": -1.0}, ValueError, "scale: "),
        ({"delta": 0.0}, ValueError, "delta: "),
    ],
)
def test_bad_parameters_are_refused_in_one_line(parameters, error, message):
    with pytest.raises(error, match=f"^{message}.*$"):
        kl_finite_pcb(problem().dataset(0, 0, 0), **parameters)


def test_another_regularizer_is_refused():
    with pytest.raises(ValueError, match=r"^regularizer: kl_finite_pcb needs 'kl', the data have 'chi2'$"):
        kl_finite_pcb(problem(regularizer="chi2").dataset(0, 0, 0))
