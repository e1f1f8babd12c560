"""Confidence widths and the Bernoulli upper confidence bound."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import entr, expit, logit

from banditlab import confidence


def binary_kl(p, y):
    """kl(p, logistic(y)), finite where logistic(y) rounds to 1."""
    return p * np.logaddexp(0.0, -y) + (1.0 - p) * np.logaddexp(0.0, y) - entr(p) - entr(1.0 - p)


def test_widths_by_hand():
    assert confidence.hoeffding(8.0, 4.0) == pytest.approx(0.5, rel=1e-15)
    assert confidence.subgaussian(8.0, 4.0, 3.0) == pytest.approx(3.0, rel=1e-15)
    assert confidence.subgaussian(7.0, 3.0, 0.5) == pytest.approx(confidence.hoeffding(7.0, 3.0), rel=1e-15)
    assert confidence.moss(4.0, 100.0, 5.0) == pytest.approx(math.sqrt(math.log(5.0) / 4.0), rel=1e-15)
    assert confidence.moss(20.0, 100.0, 5.0) == 0.0
    assert confidence.moss(21.0, 100.0, 5.0) == 0.0


def test_bernoulli_kl_at_the_edges():
    assert confidence.bernoulli_kl(0.0, 0.5) == pytest.approx(math.log(2.0), rel=1e-15)
    assert confidence.bernoulli_kl(1.0, 0.25) == pytest.approx(math.log(4.0), rel=1e-15)
    assert confidence.bernoulli_kl(0.3, 0.0) == confidence.bernoulli_kl(0.3, 1.0) == math.inf
    assert confidence.bernoulli_kl(0.0, 0.0) == confidence.bernoulli_kl(1.0, 1.0) == 0.0


def test_bernoulli_kl_agrees_with_scipy():
    rng = np.random.default_rng(0)
    for p, q in rng.random((500, 2)):
        assert confidence.bernoulli_kl(p, q) == pytest.approx(binary_kl(p, logit(q)), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("d", [1e-3, 1e-6, 1e-9, -1e-6])
def test_bernoulli_kl_has_no_cancellation_near_the_diagonal(d):
    p = 0.375
    d = (p + d) - p  # as rounded
    series = d * d / 2 / (p * (1 - p)) + d**3 / 3 * (1 / (1 - p) ** 2 - 1 / p**2)  # the next term is 2.7 d^2 of it
    assert confidence.bernoulli_kl(p, p + d) == pytest.approx(series, rel=max(1e-12, 3 * d * d), abs=0.0)


def test_the_upper_bound_is_the_root():
    rng = np.random.default_rng(1)
    for _ in range(500):
        p, level = rng.random(), 10.0 ** rng.uniform(-8.0, 1.0)
        y = confidence.kl_upper_logit(p, level, -math.inf)
        root = brentq(lambda x, p=p, level=level: binary_kl(p, x) - level, logit(p), y + 50.0, xtol=1e-14)
        # rounding of the divergences, divided by their slope at the root
        assert abs(y - root) <= 1e-12 * (1.0 + abs(root)) + 1e-15 / (expit(root) - p)
        assert confidence.kl_upper(p, level) == pytest.approx(expit(y), rel=1e-15)


def test_the_upper_bound_at_the_edges():
    assert confidence.kl_upper(1.0, 0.3) == 1.0
    assert confidence.kl_upper(0.4, 0.0) == 0.4
    for level in (1e-6, 0.3, 5.0, 29.9, 30.1):
        assert confidence.kl_upper(0.0, level) == pytest.approx(-math.expm1(-level), rel=1e-12)


def test_newton_reaches_the_same_root_from_any_start():
    rng = np.random.default_rng(2)
    for _ in range(300):
        p, level = rng.random(), 10.0 ** rng.uniform(-6.0, 1.0)
        y = confidence.kl_upper_logit(p, level, -math.inf)
        tolerance = 1e-12 * (1.0 + abs(y)) + 1e-15 / (expit(y) - p)
        for start in (logit(p) + 1e-9, y - 1e-3, y, y + 1e-6, y + 1.0, y + 100.0, math.inf):
            assert abs(confidence.kl_upper_logit(p, level, start) - y) <= tolerance


def test_chernoff_is_within_pinsker():
    rng = np.random.default_rng(3)
    for p, level in rng.random((300, 2)):
        q = confidence.kl_upper(p, level)
        assert p <= q <= min(1.0, p + confidence.hoeffding(1.0, level)) + 1e-15


def test_the_slope_of_the_logistic_function_by_hand():
    assert confidence.logistic_slope(0.0) == 0.25
    assert confidence.logistic_slope(math.log(3.0)) == pytest.approx(3.0 / 16.0, rel=1e-15)
    assert confidence.logistic_slope(2.0) == pytest.approx(0.105, abs=5e-4)
    assert confidence.logistic_slope(4.0) == pytest.approx(0.0177, abs=5e-5)
    assert confidence.logistic_slope(1e3) == 0.0
    for y in (0.3, 2.0, 30.0):
        assert confidence.logistic_slope(y) == confidence.logistic_slope(-y)
        assert confidence.logistic_slope(y) == pytest.approx(1.0 / (2.0 + math.exp(y) + math.exp(-y)), rel=1e-14)


def test_preference_radii_by_hand():
    """Gain log 25 and delta 1/5 make the root sqrt(4 log 5); v = lam / kappa leaves sqrt(lam kappa) B."""
    gain, lam, kappa, B = math.log(25.0), 0.5, 0.125, 3.0
    expected = (math.sqrt(math.log(5.0)) + math.sqrt(lam * kappa) * B) / kappa
    assert confidence.logistic_ellipsoid(gain, lam / kappa, kappa, lam, 0.2, B) == pytest.approx(expected, rel=1e-14)
    assert confidence.likelihood_ratio(2, 0.5, 10.0, 0.1) == pytest.approx(
        math.log(10.0) + 2.0 * math.log(5.0 * math.e)
    )
    assert confidence.likelihood_ratio(2, 0.5, 1.0, 0.1) == pytest.approx(math.log(10.0) + 2.0, rel=1e-15)
    assert confidence.wald(0.5, math.exp(8.0)) == pytest.approx(2.0, rel=1e-15)
