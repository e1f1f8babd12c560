"""The calculus of the six regularizers, against hand calculation, exact arithmetic, brute force and its theorems."""

from __future__ import annotations

import decimal
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize
from scipy.special import lambertw, logsumexp

from banditlab import regularizer as rl

REGULARIZERS = [
    ("kl", None),
    ("forward_kl", None),
    ("chi2", None),
    ("alpha", -1.0),
    ("alpha", 0.5),
    ("alpha", 1.5),
    ("alpha", 3.0),
    ("js", None),
    ("kl_chi2", None),
]
every_regularizer = pytest.mark.parametrize("name, alpha", REGULARIZERS, ids=lambda x: "" if x is None else str(x))

ETAS = [1e-3, 1e-2, 0.3, 1.0, 5.0, 30.0, 1e3, 1e4]


# -----------------------------------------------------------------------------------------------------------
# An independent table: f, f', x(s), f*(s) as in the literature (f'(1) need not be zero), in floats
# -----------------------------------------------------------------------------------------------------------


def xlogx(x):
    return np.where(x > 0, x * np.log(np.where(x > 0, x, 1.0)), 0.0)


def omega(s):
    """The Wright function by asymptotics or the Lambert function."""
    return lambertw(np.exp(s)).real if s < 500 else brentq(lambda x: x + math.log(x) - s, 1.0, s)


def table(name: str, alpha: float | None) -> tuple[Callable, Callable, Callable, Callable]:
    if name == "kl":
        return xlogx, lambda x: np.log(x) + 1, lambda s: math.exp(s - 1), lambda s: math.exp(s - 1)
    if name == "forward_kl":
        return lambda x: -np.log(x), lambda x: -1 / x, lambda s: -1 / s, lambda s: -1 - math.log(-s)
    if name == "chi2":
        return (
            lambda x: (x - 1) ** 2 / 2,
            lambda x: x - 1,
            lambda s: max(1 + s, 0.0),
            lambda s: s + s * s / 2 if s >= -1 else -0.5,
        )
    if name == "js":
        return (
            lambda x: xlogx(x) - (1 + x) * np.log((1 + x) / 2),
            lambda x: np.log(2 * x / (1 + x)),
            lambda s: math.exp(s) / (2 - math.exp(s)),
            lambda s: -math.log(2 - math.exp(s)),
        )
    if name == "kl_chi2":
        return (
            lambda x: xlogx(x) + (x - 1) ** 2 / 2,
            lambda x: np.log(x) + x,
            omega,
            lambda s: omega(s) + omega(s) ** 2 / 2 - 0.5,
        )
    a = alpha

    def base(s):
        return max(1 + (a - 1) * s, 0.0)

    return (
        lambda x: (x**a - a * x + a - 1) / (a * (a - 1)),
        lambda x: (x ** (a - 1) - 1) / (a - 1),
        lambda s: base(s) ** (1 / (a - 1)),
        lambda s: (base(s) ** (a / (a - 1)) - 1) / a,
    )


def second_derivative(name: str, alpha: float | None, x):
    orders = {"kl": 1.0, "forward_kl": 0.0, "chi2": 2.0, "alpha": alpha}
    if name == "js":
        return 1 / (x * (1 + x))
    if name == "kl_chi2":
        return 1 / x + 1
    return x ** ((1.0 if name == "kl" else orders[name]) - 2.0)


def objective(name: str, alpha: float | None, policy, reward, reference, eta):
    """J(pi) term by term."""
    f = table(name, alpha)[0]
    return (policy * reward).sum(-1) - (reference * f(policy / reference)).sum(-1) / eta


def instances(seed: int, n: int = 200, small: float = 0.0) -> Iterator[tuple]:
    """Batches (rng, reward, reference, eta) with K from 2 to 6 arms; references at least `small` before scaling."""
    rng = np.random.default_rng(seed)
    for eta in ETAS:
        for K in (2, 3, 6):
            reference = rng.dirichlet(np.ones(K), n) + small
            yield rng, rng.random((n, K)), reference / reference.sum(-1, keepdims=True), eta


# -----------------------------------------------------------------------------------------------------------
# Exact arithmetic: the same table in Decimal, the root in nu by bisection
# -----------------------------------------------------------------------------------------------------------

decimal.getcontext().prec = 45


def exact_table(name: str, alpha: float | None) -> tuple[Callable, Callable, Callable]:
    """f, f' and x(s) in Decimal, with f'(1) = 0; x(s) is None beyond the edge of its domain."""

    def xlog(x):
        return x * x.ln() if x else Decimal(0)

    def wright(s):
        z = s if s < -1 else ((s - s.ln()).ln() if s > 2 else (s - 1) / 2)
        for _ in range(200):
            step = (z + z.exp() - s) / (1 + z.exp())
            z -= step
            if abs(step) < Decimal("1e-40") * max(1, abs(z)):
                break
        return z.exp()

    if name == "kl":
        return lambda x: xlog(x) - x + 1, lambda x: x.ln(), lambda s: s.exp()
    if name == "forward_kl":
        return lambda x: x - 1 - x.ln(), lambda x: 1 - 1 / x, lambda s: 1 / (1 - s) if s < 1 else None
    if name == "chi2":
        return lambda x: (x - 1) ** 2 / 2, lambda x: x - 1, lambda s: max(1 + s, Decimal(0))
    if name == "js":
        return (
            lambda x: xlog(x) - (1 + x) * ((1 + x) / 2).ln(),
            lambda x: (2 * x / (1 + x)).ln(),
            lambda s: 1 / (2 * (-s).exp() - 1) if s < Decimal(2).ln() else None,
        )
    if name == "kl_chi2":
        return lambda x: xlog(x) - x + 1 + (x - 1) ** 2 / 2, lambda x: x.ln() + x - 1, lambda s: wright(s + 1)
    a = Decimal(alpha)

    def ratio(s):
        base = 1 + (a - 1) * s
        if base > 0:
            return base ** (1 / (a - 1))
        return Decimal(0) if a > 1 else None

    return (
        lambda x: (x**a - a * x + a - 1) / (a * (a - 1)) if x or a > 0 else Decimal("Infinity"),
        lambda x: (x ** (a - 1) - 1) / (a - 1),
        ratio,
    )


def exact_policy(name, alpha, reward, reference, eta) -> list[Decimal]:
    """pi* to about 30 digits: bisection of nu in the bracket of the best arm's ratio in [1, 1 / pi_ref(best)]."""
    _, slope, ratio = exact_table(name, alpha)
    top = max(reward)
    best = sum(w for w, r in zip(reference, reward) if r == top)
    excess = [eta * (top - r) for r in reward]
    low, high = Decimal(0), slope(1 / best)
    for _ in range(130):
        s = (low + high) / 2
        if sum(w * ratio(s - d) for w, d in zip(reference, excess)) > 1:
            high = s
        else:
            low = s
    policy = [w * ratio(low - d) for w, d in zip(reference, excess)]
    return [p / sum(policy) for p in policy]  # what is left of the error of s is of second order in J


def exact_gap(name, alpha, policy, optimal, reward, reference, eta) -> Decimal:
    f = exact_table(name, alpha)[0]

    def value(p):
        gain = sum(a * b for a, b in zip(p, reward))
        return gain - sum(w * f(a / w) for a, w in zip(p, reference)) / eta

    return value(optimal) - value(policy)


def decimals(x) -> list[Decimal]:
    return [Decimal(float(v)) for v in x]


def normalised(x) -> list[Decimal]:
    x = decimals(x)
    return [v / sum(x) for v in x]


def hard_cases(seed: int, n: int) -> Iterator[tuple]:
    """Instances with eta from 1e-3 to 1e4 (and 1e6), references down to 1e-12, ties, and close estimates."""
    rng = np.random.default_rng(seed)
    for i in range(n):
        K = int(rng.integers(2, 5))
        eta = 1e6 if i == 0 else 10 ** rng.uniform(-3, 4)
        reference = 10 ** rng.uniform(-12, 0, K) if i % 2 else rng.dirichlet(np.ones(K))
        reward = rng.random(K)
        if i % 3 == 0:
            reward[1] = reward[0]
        estimate = reward + 10 ** rng.uniform(-9, 0) * rng.standard_normal(K)
        yield K, eta, reference / reference.sum(), reward, estimate, rng.dirichlet(np.ones(K))


# -----------------------------------------------------------------------------------------------------------
# By hand
# -----------------------------------------------------------------------------------------------------------


def test_two_arms_by_hand():
    half = [0.5, 0.5]
    assert rl.policy("chi2", [1.0, 0.0], half, 1.0) == pytest.approx([0.75, 0.25], abs=1e-16)
    assert rl.value("chi2", [1.0, 0.0], half, 1.0) == pytest.approx(0.75 - 0.125, rel=1e-15, abs=0.0)
    odds = math.exp(2.0)
    assert rl.policy("kl", [1.0, 0.0], half, 2.0) == pytest.approx(
        [odds / (1 + odds), 1 / (1 + odds)], rel=1e-15, abs=0.0
    )
    assert rl.value("kl", [1.0, 0.0], half, 2.0) == pytest.approx(math.log((1 + odds) / 2) / 2, rel=1e-15, abs=0.0)
    # forward KL: pi = ref / (eta (lambda - r)) with eta = 1 sums to one at lambda = 1 + 1/sqrt(2)
    root = 1 / math.sqrt(2)
    assert rl.policy("forward_kl", [1.0, 0.0], half, 1.0) == pytest.approx([root, 1 - root], rel=1e-15, abs=0.0)
    # gap of the reference under KL: log Z / eta - <ref, r>
    expected = math.log((1 + odds) / 2) / 2 - 0.5
    assert rl.gap("kl", half, [1.0, 0.0], half, 2.0) == pytest.approx(expected, rel=1e-14, abs=0.0)
    assert rl.divergence("kl", [1.0, 0.0], half) == pytest.approx(math.log(2), rel=1e-15, abs=0.0)
    assert rl.divergence("forward_kl", [0.75, 0.25], half) == pytest.approx(
        math.log(2 / math.sqrt(3)), rel=1e-14, abs=0.0
    )
    js = math.log(4 / 3) + 0.5 * math.log(2 / 3) + 0.5 * math.log(2)
    assert rl.divergence("js", [1.0, 0.0], half) == pytest.approx(js, rel=1e-14, abs=0.0)
    assert rl.divergence("chi2", [0.75, 0.25], half) == pytest.approx(0.125, rel=1e-15, abs=0.0)
    assert rl.divergence("kl_chi2", [1.0, 0.0], half) == pytest.approx(math.log(2) + 0.5, rel=1e-15, abs=0.0)


@every_regularizer
def test_one_arm_and_equal_rewards_give_the_reference(name, alpha):
    assert rl.policy(name, [0.3], [1.0], 2.0, alpha=alpha) == pytest.approx([1.0], abs=0)
    assert rl.value(name, [0.3], [1.0], 2.0, alpha=alpha) == pytest.approx(0.3, abs=1e-16)
    assert rl.gap(name, [1.0], [0.3], [1.0], 2.0, alpha=alpha) == 0.0
    assert rl.plug_in_gap(name, [0.9], [0.3], [1.0], 2.0, alpha=alpha) == 0.0
    reference = [0.5, 0.3, 0.2]
    for eta in ETAS:
        assert rl.policy(name, [0.4] * 3, reference, eta, alpha=alpha) == pytest.approx(reference, rel=1e-15, abs=0.0)
        assert rl.value(name, [0.4] * 3, reference, eta, alpha=alpha) == pytest.approx(0.4, rel=1e-15, abs=0.0)
        assert rl.gap(name, reference, [0.4] * 3, reference, eta, alpha=alpha) < 1e-30 / eta


@every_regularizer
def test_tied_best_arms_share_in_proportion_to_the_reference(name, alpha):
    for eta in ETAS:
        pi = rl.policy(name, [0.9, 0.9, 0.1], [0.5, 0.2, 0.3], eta, alpha=alpha)
        assert pi[0] / pi[1] == pytest.approx(2.5, rel=1e-14, abs=0.0)


@every_regularizer
def test_infinite_eta_is_the_unregularized_problem(name, alpha):
    reward, reference = [0.2, 0.7, 0.7], [0.5, 0.25, 0.25]
    assert rl.policy(name, reward, reference, math.inf, alpha=alpha).tolist() == [0.0, 1.0, 0.0]
    assert rl.log_policy(name, reward, reference, math.inf, alpha=alpha).tolist() == [-math.inf, 0.0, -math.inf]
    assert rl.value(name, reward, reference, math.inf, alpha=alpha) == 0.7
    gap = rl.gap(name, [0.5, 0.5, 0.0], reward, reference, math.inf, alpha=alpha)
    assert gap == pytest.approx(0.25, rel=1e-15, abs=0.0)
    assert rl.plug_in_gap(name, [0.9, 0.1, 0.1], reward, reference, math.inf, alpha=alpha) == 0.7 - 0.2


# -----------------------------------------------------------------------------------------------------------
# Exact arithmetic
# -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@every_regularizer
def test_policy_value_gap_and_plug_in_gap_agree_with_exact_arithmetic(name, alpha):
    """Over eta from 1e-3 to 1e6 and references down to 1e-12.

    The plug-in gap is compared relatively although estimates are as close as 1e-9. Policies of chi2 and alpha
    in (1, 2) inherit the rounding of eta r (absolute, a few 1e-12 at eta = 1e4) next to the clipping point.
    """
    exact = exact_table(name, alpha)[0]
    for _, eta, reference, reward, estimate, pi in hard_cases(1, 8):
        ref, r, e = normalised(reference), decimals(reward), Decimal(eta)
        optimal = exact_policy(name, alpha, r, ref, e)
        played = exact_policy(name, alpha, decimals(estimate), ref, e)
        measured = rl.policy(name, reward, reference, eta, alpha=alpha)
        assert abs(measured.sum() - 1.0) <= 2e-16 * measured.size
        assert max(abs(a - b) for a, b in zip(decimals(measured), optimal)) < Decimal("1e-12")
        J = sum(a * b for a, b in zip(optimal, r)) - sum(w * exact(p / w) for p, w in zip(optimal, ref)) / e
        assert rl.value(name, reward, reference, eta, alpha=alpha) == pytest.approx(float(J), rel=1e-14, abs=0.0)
        policy = normalised(pi)
        gap = exact_gap(name, alpha, policy, optimal, r, ref, e)
        assert rl.gap(name, pi, reward, reference, eta, alpha=alpha) == pytest.approx(float(gap), rel=1e-11, abs=0.0)
        gap = exact_gap(name, alpha, played, optimal, r, ref, e)
        measured = rl.plug_in_gap(name, estimate, reward, reference, eta, alpha=alpha)
        assert measured == pytest.approx(float(gap), rel=1e-11, abs=1e-40)
        d = sum(w * exact(p / w) for p, w in zip(policy, ref))
        assert rl.divergence(name, pi, reference, alpha=alpha) == pytest.approx(float(d), rel=1e-13, abs=0.0)


def test_plug_in_gap_has_full_accuracy_where_a_difference_of_values_has_none():
    """At eta = 1e-3 and errors of 1e-6 the gap is about 1e-16: values differ by less than their last digit."""
    rng, small = np.random.default_rng(0), 1e-3
    reference = rng.dirichlet(np.ones(4))
    reward = rng.random(4)
    estimate = reward + 1e-6 * rng.standard_normal(4)
    for name, alpha in REGULARIZERS:
        ref, r, eta = normalised(reference), decimals(reward), Decimal(small)
        optimal = exact_policy(name, alpha, r, ref, eta)
        played = exact_policy(name, alpha, decimals(estimate), ref, eta)
        exact = float(exact_gap(name, alpha, played, optimal, r, ref, eta))
        assert rl.plug_in_gap(name, estimate, reward, reference, small, alpha=alpha) == pytest.approx(
            exact, rel=1e-12, abs=0.0
        )
        pi = rl.policy(name, estimate, reference, small, alpha=alpha)
        naive = rl.value(name, reward, reference, small, alpha=alpha)
        naive -= objective(name, alpha, pi, reward, reference, small)
        assert abs(naive - exact) > 0.1 * exact


def test_plug_in_gap_of_a_tiny_error_is_exact_at_large_eta_and_small_references():
    """Where the rounding of nu alone would cost up to 1e-5 relative."""
    rng = np.random.default_rng(3)
    for _ in range(40):
        eta, reference = 10 ** rng.uniform(1, 3), 10 ** rng.uniform(-9, 0, 5)
        reference /= reference.sum()
        reward = rng.random(5)
        estimate = reward + 1e-8 * rng.standard_normal(5)
        for name, alpha in (("chi2", None), ("forward_kl", None)):
            ref, r, e = normalised(reference), decimals(reward), Decimal(eta)
            optimal = exact_policy(name, alpha, r, ref, e)
            played = exact_policy(name, alpha, decimals(estimate), ref, e)
            exact = float(exact_gap(name, alpha, played, optimal, r, ref, e))
            measured = rl.plug_in_gap(name, estimate, reward, reference, eta, alpha=alpha)
            assert measured == pytest.approx(exact, rel=1e-11, abs=1e-35)


@pytest.mark.parametrize("eta", [1e-3, 1e-1, 10.0, 1e3, 1e4])
def test_kl_gaps_agree_with_exact_arithmetic(eta):
    rng = np.random.default_rng(2)
    for scale in (1e-8, 1e-4, 1e-1, 1.0):
        reference = rng.dirichlet(np.ones(5))
        reward = rng.random(5)
        log_pi = rl.log_policy("kl", reward + scale * rng.standard_normal(5), reference, eta)
        log_optimal = rl.log_policy("kl", reward, reference, eta)
        p, q = decimals(log_pi), decimals(log_optimal)
        exact = sum(b.exp() - a.exp() - a.exp() * (b - a) for a, b in zip(p, q))
        assert rl.kl_gap_from_logs(log_pi, log_optimal) == pytest.approx(float(exact), rel=2e-15, abs=0.0)
        pi = np.exp(log_pi)
        pi[0] = 0.0
        exact = sum(b.exp() - a + (a * (a.ln() - b) if a else 0) for a, b in zip(decimals(pi), q))
        assert rl.kl_gap_from_policy(pi, log_optimal) == pytest.approx(float(exact), rel=1e-14, abs=0.0)


def test_kl_gap_is_finite_where_the_probabilities_underflow():
    """Control: with pi* itself instead of its logarithm the divergence would be infinite."""
    reward, reference, pi = np.array([1.0, 0.0]), np.array([0.5, 0.5]), np.array([0.4, 0.6])
    log_optimal = rl.log_policy("kl", reward, reference, 1e4)
    assert np.exp(log_optimal)[1] == 0.0
    expected = 0.6 * 1e4 + 0.4 * math.log(0.4) + 0.6 * math.log(0.6)
    assert rl.kl_gap_from_policy(pi, log_optimal) == pytest.approx(expected, rel=1e-14, abs=0.0)
    assert rl.gap("kl", pi, reward, reference, 1e4) == pytest.approx(expected / 1e4, rel=1e-14, abs=0.0)
    assert rl.kl(pi, np.exp(log_optimal)) == math.inf


def test_kl_takes_zero_log_zero_as_zero():
    p, q = np.array([0.0, 0.25, 0.75]), np.array([0.5, 0.25, 0.25])
    assert rl.kl(p, q) == pytest.approx(0.75 * math.log(3.0), rel=1e-15, abs=0.0)
    assert rl.kl(q, p) == math.inf
    assert rl.kl(p, p) == 0.0
    close = np.array([0.25 + 1e-9, 0.25 - 1e-9, 0.5])
    exact = sum(a * (a.ln() - b.ln()) - a + b for a, b in zip(decimals(close), decimals([0.25, 0.25, 0.5])))
    assert rl.kl(close, np.array([0.25, 0.25, 0.5])) == pytest.approx(float(exact), rel=1e-13, abs=0.0)


def test_exponential_remainder_is_accurate_for_every_argument():
    for v in [*np.linspace(-3, 3, 301), 1e-12, -1e-6, 0.49999, 0.5, 50.0, -700.0, 700.0]:
        exact = float(Decimal(float(v)).exp() - 1 - Decimal(float(v)))
        assert rl.remainder(float(v)) == pytest.approx(exact, rel=2e-15, abs=1e-50)
    assert rl.remainder(1e4) == math.inf


# -----------------------------------------------------------------------------------------------------------
# Brute force
# -----------------------------------------------------------------------------------------------------------


@every_regularizer
@pytest.mark.parametrize("K", [2, 3])
def test_no_policy_on_a_fine_grid_of_the_simplex_beats_the_value(name, alpha, K):
    n = 2000 if K == 2 else 120
    if K == 2:
        p = np.arange(n + 1) / n
        grid = np.stack([p, 1 - p], axis=1)
    else:
        i, j = np.meshgrid(np.arange(n + 1), np.arange(n + 1))
        keep = i + j <= n
        grid = np.stack([i[keep], j[keep], n - i[keep] - j[keep]], axis=1) / n
    rng = np.random.default_rng(K)
    for eta in (0.1, 1.0, 5.0, 20.0):
        reward, reference = rng.random(K), rng.dirichlet(np.full(K, 3.0))
        with np.errstate(divide="ignore"):  # some f(0) are infinite
            J = objective(name, alpha, grid, reward, reference, eta)
        V = rl.value(name, reward, reference, eta, alpha=alpha)
        assert V >= J.max() - 1e-13
        assert V <= J.max() + 4e-3
        gap = rl.gap(name, grid, reward, reference, eta, alpha=alpha)
        np.testing.assert_allclose(V - gap, J, rtol=1e-11, atol=1e-12)


@every_regularizer
def test_policy_agrees_with_brent_on_the_multiplier(name, alpha):
    """The same problem in the nu form: sum ref x(eta r - nu) = 1 on the bracket of the best arm."""
    _, slope, ratio, conjugate = table(name, alpha)
    rng = np.random.default_rng(11)
    for _ in range(60):
        K, eta = int(rng.integers(2, 7)), 10 ** rng.uniform(-1, 2)
        reward, reference = rng.random(K), rng.dirichlet(np.full(K, 2.0)) * 0.9 + 0.1 / K
        best = reward.argmax()
        low = max(eta * reward.min() - slope(1.0), eta * reward[best] - slope(1 / reference[best]))
        high = eta * reward[best] - slope(1.0)

        def excess_mass(nu, reward=reward, reference=reference, eta=eta):
            return sum(w * ratio(eta * r - nu) for w, r in zip(reference, reward)) - 1.0

        if excess_mass(low) <= 1e-15:
            nu = low
        else:
            nu = brentq(excess_mass, low, high, xtol=1e-15, rtol=1e-15)
        expected = [w * ratio(eta * r - nu) for w, r in zip(reference, reward)]
        # pi* moves by at most max(x') times the error of nu, which is a few roundings of eta
        tolerance = 1e-12 * (1 + eta) if alpha != 3.0 else 3e-8 * (1 + eta)
        pi = rl.policy(name, reward, reference, eta, alpha=alpha)
        np.testing.assert_allclose(pi, expected, rtol=0, atol=tolerance)
        dual = (nu + sum(w * conjugate(eta * r - nu) for w, r in zip(reference, reward))) / eta
        assert rl.value(name, reward, reference, eta, alpha=alpha) == pytest.approx(dual, abs=1e-13 * (1 + 1 / eta))


@every_regularizer
def test_policy_agrees_with_a_general_convex_solver(name, alpha):
    rng = np.random.default_rng(5)
    for _ in range(4):
        eta = 10 ** rng.uniform(-0.5, 1.0)
        reward, reference = rng.random(4), rng.dirichlet(np.full(4, 5.0))

        def loss(p, reward=reward, reference=reference, eta=eta):
            return -eta * objective(name, alpha, p, reward, reference, eta)

        found = minimize(
            loss,
            reference,
            bounds=[(1e-9, 1.0)] * 4,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1.0},
            method="SLSQP",
            options={"ftol": 1e-13, "maxiter": 500},
        )
        V = rl.value(name, reward, reference, eta, alpha=alpha)
        assert V == pytest.approx(-found.fun / eta, abs=1e-7)
        pi = rl.policy(name, reward, reference, eta, alpha=alpha)
        np.testing.assert_allclose(pi, found.x, atol=2e-3)


def test_gibbs_and_log_partition_agree_with_logsumexp():
    for _, reward, reference, eta in instances(3, 50):
        score = np.log(reference) + eta * reward
        expected = score - logsumexp(score, axis=1, keepdims=True)
        rounding = 1e-15 * np.abs(score).max()  # of the reference computation, a difference of numbers this large
        log_pi = rl.log_policy("kl", reward, reference, eta)
        np.testing.assert_allclose(log_pi, expected, rtol=0, atol=rounding)
        pi = rl.policy("kl", reward, reference, eta)
        np.testing.assert_allclose(pi, np.exp(log_pi), rtol=4 * rounding, atol=1e-300)
        V = logsumexp(score, axis=1) / eta
        np.testing.assert_allclose(rl.value("kl", reward, reference, eta), V, rtol=0, atol=1e-15 * (1 + 1 / eta))
        out = np.empty(reward.shape[1])
        rl.log_gibbs(reference[0], reward[0], eta, out)
        np.testing.assert_allclose(out, expected[0], rtol=0, atol=rounding)
        assert rl.log_partition(reference[0], reward[0], eta) == pytest.approx(V[0], abs=1e-15 * (1 + 1 / eta))


# -----------------------------------------------------------------------------------------------------------
# Identities
# -----------------------------------------------------------------------------------------------------------


@every_regularizer
def test_gap_is_the_difference_of_objectives(name, alpha):
    """(I1) on 4800 instances, to the rounding of the terms that are subtracted."""
    for rng, reward, reference, eta in instances(7, small=0.02):
        pi = rng.dirichlet(np.ones(reward.shape[1]), len(reward)) * 0.9 + 0.1 / reward.shape[1]
        V = rl.value(name, reward, reference, eta, alpha=alpha)
        gap = rl.gap(name, pi, reward, reference, eta, alpha=alpha)
        assert (gap >= 0).all()
        D = rl.divergence(name, pi, reference, alpha=alpha)
        J = objective(name, alpha, pi, reward, reference, eta)
        np.testing.assert_array_less(np.abs(V - J - gap), 1e-13 * (1 + (1 + 100 * D) / eta))
        np.testing.assert_array_less(np.abs(J - (pi * reward).sum(-1) + D / eta), 1e-13 * (1 + (1 + 100 * D) / eta))
        optimal = rl.policy(name, reward, reference, eta, alpha=alpha)
        assert (rl.gap(name, optimal, reward, reference, eta, alpha=alpha) < 1e-17 * (1 + 1 / eta)).all()
        if name == "kl":
            kl = (pi * (np.log(pi) - rl.log_policy("kl", reward, reference, eta))).sum(-1)
            np.testing.assert_allclose(gap, kl / eta, rtol=1e-12, atol=1e-15 / eta)


@every_regularizer
def test_plug_in_gap_is_the_bregman_divergence_of_the_value(name, alpha):
    """(I2) V(r) - J_r(pi_q) = V(r) - V(q) - <pi_q, r - q>, and the plug-in gap is the gap of the policy pi_q."""
    for rng, reward, reference, eta in instances(8):
        estimate = reward + 0.3 * rng.standard_normal(reward.shape)
        played = rl.policy(name, estimate, reference, eta, alpha=alpha)
        V, W = (rl.value(name, x, reference, eta, alpha=alpha) for x in (reward, estimate))
        gap = rl.plug_in_gap(name, estimate, reward, reference, eta, alpha=alpha)
        bregman = V - W - (played * (reward - estimate)).sum(-1)
        np.testing.assert_allclose(gap, bregman, rtol=0, atol=2e-15)
        direct = rl.gap(name, played, reward, reference, eta, alpha=alpha)
        # pi_q known to a rounding: its gap is known to the rounding times the gradient of J
        np.testing.assert_allclose(gap, direct, rtol=1e-6, atol=1e-13 * (1 + 1 / eta))


@every_regularizer
def test_gradient_and_hessian_of_the_value(name, alpha):
    """(I4) grad V = pi*, Hess V = eta (diag q - q q' / sum q), q = pi_ref / f''(pi* / pi_ref), 0 where clipped."""
    reward, reference, eta = np.array([0.2, 0.5, 0.45, 0.9]), np.array([0.4, 0.3, 0.2, 0.1]), 2.0
    pi = rl.policy(name, reward, reference, eta, alpha=alpha)
    q = np.where(pi > 0, reference / second_derivative(name, alpha, np.maximum(pi, 1e-300) / reference), 0.0)
    hessian = eta * (np.diag(q) - np.outer(q, q) / q.sum())
    h = 1e-4
    for a in range(4):
        step = h * np.eye(4)[a]
        values = [rl.value(name, reward + s * step, reference, eta, alpha=alpha) for s in (-1, 1)]
        assert (values[1] - values[0]) / (2 * h) == pytest.approx(pi[a], abs=1e-7)
        ahead, behind = (rl.policy(name, reward + s * step, reference, eta, alpha=alpha) for s in (1, -1))
        np.testing.assert_allclose((ahead - behind) / (2 * h), hessian[a], atol=1e-5)


@every_regularizer
def test_mean_plug_in_gap_of_small_errors_obeys_its_law(name, alpha):
    """(I5) E gap = (eta/2) sum q (1 - q / sum q) v, at 40000 draws: four standard errors plus 1 % for o(v).

    Control: the law without the projection on sum pi = 1 is refuted by the same draws.
    """
    rng = np.random.default_rng(42)
    reward, reference, eta = np.array([0.2, 0.5, 0.45, 0.6]), np.array([0.15, 0.3, 0.35, 0.2]), 2.0
    spread = 1e-4 * np.array([1.0, 2.0, 0.5, 1.5])
    gap = rl.plug_in_gap(name, reward + spread * rng.standard_normal((40_000, 4)), reward, reference, eta, alpha=alpha)

    pi = rl.policy(name, reward, reference, eta, alpha=alpha)
    q = reference / second_derivative(name, alpha, pi / reference)
    margin = 4 * gap.std() / math.sqrt(gap.size) + 0.01 * gap.mean()
    assert abs(gap.mean() - eta / 2 * (q * (1 - q / q.sum()) * spread**2).sum()) < margin
    assert abs(gap.mean() - eta / 2 * (q * spread**2).sum()) > margin


def test_plug_in_gap_of_kl_is_a_cumulant():
    """(I3) kl: gap = (1 / eta) log E_p exp(-eta (u - E_p u)), by SciPy on 4800 instances."""
    for rng, reward, reference, eta in instances(9):
        estimate = reward + rng.standard_normal(reward.shape)
        log_p = rl.log_policy("kl", estimate, reference, eta)
        u = estimate - reward
        d = -eta * (u - (np.exp(log_p) * u).sum(-1, keepdims=True))
        expected = logsumexp(log_p + d, axis=1) / eta
        gap = rl.plug_in_gap("kl", estimate, reward, reference, eta)
        np.testing.assert_allclose(gap, expected, rtol=1e-12, atol=1e-15 * (1 + 1 / eta))


# -----------------------------------------------------------------------------------------------------------
# Inequalities that hold on every instance
# -----------------------------------------------------------------------------------------------------------


@every_regularizer
def test_gaps_of_estimates_obey_their_bounds(name, alpha):
    """Section 1.4 on 4800 instances a regularizer, errors of both signs, optimistic and pessimistic ones."""
    slack = 1e-12
    for rng, reward, reference, eta in instances(10):
        pi = rl.policy(name, reward, reference, eta, alpha=alpha)
        size = 10 ** rng.uniform(-3, 0, (len(reward), 1))
        for u in (rng.standard_normal(reward.shape), rng.random(reward.shape), -rng.random(reward.shape)):
            u = size * u
            gap = rl.plug_in_gap(name, reward + u, reward, reference, eta, alpha=alpha)
            played = rl.policy(name, reward + u, reference, eta, alpha=alpha)
            span = np.ptp(u, axis=1)
            assert (gap >= 0).all()
            assert (gap <= span + slack).all()
            assert (gap <= ((played - pi) * u).sum(-1) + slack).all()
            if (u >= 0).all():
                assert (gap <= (played * u).sum(-1) + slack).all()
            if (u <= 0).all():
                assert (gap <= (pi * -u).sum(-1) + slack).all()
            if name in ("chi2", "kl_chi2"):  # f'' >= 1
                assert (gap <= eta / 2 * (reference * u * u).sum(-1) + slack).all()
            if name == "kl":
                assert (gap <= eta / 8 * span**2 + slack).all()
                if (u >= 0).all():
                    assert (gap <= (played * np.minimum(u, eta * u * u / 2)).sum(-1) + slack).all()
                if (u <= 0).all():
                    assert (gap <= eta / 2 * (pi * u * u).sum(-1) + slack).all()


def test_forward_kl_violates_the_bound_of_strong_convexity():
    """Control of the previous test: where f is not strongly convex the bound without coverage fails."""
    reference = np.array([1e-3, 1 - 1e-3])
    reward, estimate, eta = np.array([1.0, 0.0]), np.array([0.0, 0.0]), 20.0
    bound = eta / 2 * (reference * (estimate - reward) ** 2).sum()
    assert rl.plug_in_gap("forward_kl", estimate, reward, reference, eta) > 2 * bound
    assert rl.plug_in_gap("chi2", estimate, reward, reference, eta) <= bound


# -----------------------------------------------------------------------------------------------------------
# Limits
# -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("eta", [1e-4, 1e-8])
@every_regularizer
def test_small_eta_is_the_reference_and_its_variance(name, alpha, eta):
    """V = E_ref r + eta Var_ref r / (2 f''(1)) + o(eta): to 1 % of the second term."""
    rng = np.random.default_rng(4)
    reward, reference = rng.random((50, 5)), rng.dirichlet(np.ones(5), 50)
    mean = (reference * reward).sum(-1)
    variance = (reference * (reward - mean[:, None]) ** 2).sum(-1)
    V = rl.value(name, reward, reference, eta, alpha=alpha)
    expected = eta * variance / (2 * second_derivative(name, alpha, 1.0))
    np.testing.assert_allclose(V - mean, expected, rtol=1e-2)
    gap = rl.gap(name, reference, reward, reference, eta, alpha=alpha)
    np.testing.assert_allclose(gap, expected, rtol=1e-3)
    np.testing.assert_allclose(rl.policy(name, reward, reference, eta, alpha=alpha), reference, rtol=1e-3)


def test_large_eta_leaves_the_mass_the_theory_says():
    reward, reference, eta = np.array([0.9, 0.6, 0.2]), np.array([0.2, 0.5, 0.3]), 1e5
    gaps = 0.9 - reward
    for name, alpha in REGULARIZERS:
        V = rl.value(name, reward, reference, eta, alpha=alpha)
        assert 0.9 - 2e-2 <= V <= 0.9
    assert 0.9 + math.log(0.2) / eta <= rl.value("kl", reward, reference, eta) <= 0.9
    log_pi = rl.log_policy("kl", reward, reference, eta)
    np.testing.assert_allclose(log_pi[1:], np.log(reference / 0.2)[1:] - eta * gaps[1:], rtol=1e-12)
    forward = rl.policy("forward_kl", reward, reference, eta)
    np.testing.assert_allclose(forward[1:], (reference / (eta * gaps.clip(1e-9)))[1:], rtol=1e-4)
    assert (rl.policy("chi2", reward, reference, eta)[1:] == 0.0).all()


def test_ratio_to_the_reference_is_bounded_for_rewards_in_the_unit_interval():
    for _, reward, reference, eta in instances(12):
        if eta < 600:
            assert (rl.policy("kl", reward, reference, eta) / reference <= math.exp(eta) * (1 + 1e-12)).all()
        assert (rl.policy("chi2", reward, reference, eta) / reference <= (1 + eta) * (1 + 1e-12)).all()


def test_chi2_collapses_exactly_at_the_reciprocal_of_the_best_mass():
    rng = np.random.default_rng(6)
    for p in [0.5, 0.25, *rng.integers(1, 1023, 200) / 1024]:  # dyadic: p + (1 - p) is exactly one
        reference = [p, 1 - p]
        assert rl.policy("chi2", [1.0, 0.0], reference, 1 / p).tolist() == [1.0, 0.0]
        just_below = rl.policy("chi2", [1.0, 0.0], reference, (1 / p) * (1 - 1e-12))
        assert just_below[1] > 0.0
    three = rl.policy("chi2", [1.0, 0.5, 0.0], [0.25, 0.25, 0.5], 8.0)  # eta Delta = 4 = 1 / 0.25
    assert three.tolist() == [1.0, 0.0, 0.0]


def test_order_of_alpha_joins_the_named_regularizers():
    for rng, reward, reference, eta in instances(13, 40):
        pi = rng.dirichlet(np.ones(reward.shape[1]), len(reward))
        estimate = reward + 0.1 * rng.standard_normal(reward.shape)
        for order, name, tolerance in ((2.0, "chi2", 1e-11), (1 + 1e-10, "kl", 1e-5), (1e-10, "forward_kl", 1e-5)):
            for f in (rl.policy, rl.value):
                a, b = f("alpha", reward, reference, eta, alpha=order), f(name, reward, reference, eta)
                np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)
            a = rl.divergence("alpha", pi, reference, alpha=order)
            np.testing.assert_allclose(a, rl.divergence(name, pi, reference), rtol=1e-7)
            if eta <= 30.0:
                a = rl.gap("alpha", pi, reward, reference, eta, alpha=order)
                np.testing.assert_allclose(a, rl.gap(name, pi, reward, reference, eta), rtol=1e-6)
                a = rl.plug_in_gap("alpha", estimate, reward, reference, eta, alpha=order)
                np.testing.assert_allclose(a, rl.plug_in_gap(name, estimate, reward, reference, eta), rtol=1e-6)
        hellinger = 2 * (reference * (np.sqrt(pi / reference) - 1) ** 2).sum(-1)
        np.testing.assert_allclose(rl.divergence("alpha", pi, reference, alpha=0.5), hellinger, rtol=1e-12)
        both = rl.divergence("kl", pi, reference) + rl.divergence("chi2", pi, reference)
        np.testing.assert_allclose(rl.divergence("kl_chi2", pi, reference), both, rtol=1e-12)


# -----------------------------------------------------------------------------------------------------------
# Properties
# -----------------------------------------------------------------------------------------------------------


@st.composite
def problems(draw):
    K = draw(st.integers(1, 8))
    reward = draw(st.lists(st.floats(-2, 2), min_size=K, max_size=K))
    weights = draw(st.lists(st.floats(-27.6, 0.0), min_size=K, max_size=K))  # down to 1e-12
    reference = np.exp(weights)
    eta = 10.0 ** draw(st.floats(-3, 6))
    return np.array(reward), reference / reference.sum(), eta, draw(st.sampled_from(REGULARIZERS))


@settings(max_examples=400, deadline=None)
@given(problems())
def test_optimal_policy_is_a_distribution_that_improves_on_the_reference(problem):
    reward, reference, eta, (name, alpha) = problem
    pi = rl.policy(name, reward, reference, eta, alpha=alpha)
    log_pi = rl.log_policy(name, reward, reference, eta, alpha=alpha)
    V = rl.value(name, reward, reference, eta, alpha=alpha)
    assert (pi >= 0).all() and abs(pi.sum() - 1.0) < 1e-15 * pi.size + 1e-15
    assert (log_pi <= 0).all() and not np.isnan(log_pi).any()
    np.testing.assert_allclose(np.exp(log_pi), pi, rtol=1e-9, atol=1e-12)
    assert (reference * reward).sum() - 1e-14 <= V <= reward.max() + 1e-15
    order = np.argsort(reward, kind="stable")
    ratio = (pi / reference)[order]
    assert (np.diff(ratio) >= -1e-9 * ratio[1:]).all()  # higher rewards have higher ratios
    gap = rl.gap(name, reference, reward, reference, eta, alpha=alpha)
    assert gap == pytest.approx(V - (reference * reward).sum(), rel=1e-9, abs=1e-13)


@settings(max_examples=200, deadline=None)
@given(problems(), st.floats(-10, 10))
def test_adding_a_constant_to_all_rewards_moves_only_the_value(problem, constant):
    reward, reference, eta, (name, alpha) = problem
    reward, constant = np.round(reward * 2**20) / 2**20, round(constant * 2**20) / 2**20  # the sum is exact
    one = rl.policy(name, reward, reference, eta, alpha=alpha)
    assert (rl.policy(name, reward + constant, reference, eta, alpha=alpha) == one).all()
    V = rl.value(name, reward, reference, eta, alpha=alpha)
    assert rl.value(name, reward + constant, reference, eta, alpha=alpha) == pytest.approx(V + constant, abs=1e-14)
    assert rl.plug_in_gap(name, reward + constant, reward, reference, eta, alpha=alpha) < 1e-28 * (1 + eta)


@settings(max_examples=200, deadline=None)
@given(problems(), st.floats(-6, 0))
def test_gaps_are_finite_and_nonnegative_for_any_estimate(problem, scale):
    reward, reference, eta, (name, alpha) = problem
    noise = np.random.default_rng(reward.size).standard_normal(reward.size)
    estimate = reward + 10.0**scale * noise
    plug_in = rl.plug_in_gap(name, estimate, reward, reference, eta, alpha=alpha)
    assert 0.0 <= plug_in <= np.ptp(estimate - reward) + 1e-13
    pi = rl.policy(name, estimate, reference, eta, alpha=alpha)
    direct = rl.gap(name, pi, reward, reference, eta, alpha=alpha)
    if name != "forward_kl" and (alpha is None or alpha > 0):  # else an underflown probability has an infinite gap
        assert math.isfinite(direct) and direct >= 0.0


# -----------------------------------------------------------------------------------------------------------
# The interface
# -----------------------------------------------------------------------------------------------------------


@every_regularizer
def test_functions_broadcast_over_leading_axes(name, alpha):
    rng = np.random.default_rng(0)
    reward, reference = rng.random((4, 1, 3)), rng.dirichlet(np.ones(3), 5)
    estimate, pi = rng.random((4, 5, 3)), rng.dirichlet(np.ones(3), 5)
    results = {
        "policy": rl.policy(name, reward, reference, 2.0, alpha=alpha),
        "log_policy": rl.log_policy(name, reward, reference, 2.0, alpha=alpha),
        "value": rl.value(name, reward, reference, 2.0, alpha=alpha),
        "gap": rl.gap(name, pi, reward, reference, 2.0, alpha=alpha),
        "plug_in_gap": rl.plug_in_gap(name, estimate, reward, reference, 2.0, alpha=alpha),
        "divergence": rl.divergence(name, pi, reference, alpha=alpha),
    }
    assert results["policy"].shape == (4, 5, 3) == results["log_policy"].shape
    assert results["value"].shape == (4, 5) == results["gap"].shape == results["plug_in_gap"].shape
    assert results["divergence"].shape == (5,)
    r, ref = reward[2, 0], reference[3]
    assert (results["policy"][2, 3] == rl.policy(name, r, ref, 2.0, alpha=alpha)).all()
    assert results["value"][2, 3] == rl.value(name, r, ref, 2.0, alpha=alpha)
    assert results["gap"][2, 3] == rl.gap(name, pi[3], r, ref, 2.0, alpha=alpha)
    assert results["plug_in_gap"][2, 3] == rl.plug_in_gap(name, estimate[2, 3], r, ref, 2.0, alpha=alpha)
    assert isinstance(rl.value(name, r, ref, 2.0, alpha=alpha), float)


def test_arguments_are_left_unchanged():
    reward, reference = np.array([0.5, 0.1]), np.array([0.3, 0.7])
    rl.policy("chi2", reward, reference, 2.0)
    rl.plug_in_gap("js", reward, reward, reference, 2.0)
    assert reward.tolist() == [0.5, 0.1] and reference.tolist() == [0.3, 0.7]


REWARD, REFERENCE = [0.1, 0.9], [0.4, 0.6]


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: rl.policy("chi", REWARD, REFERENCE, 1.0), ValueError, ["'chi'", "chi2"]),
        (lambda: rl.policy("forwardkl", REWARD, REFERENCE, 1.0), ValueError, ["forward_kl"]),
        (lambda: rl.policy(2, REWARD, REFERENCE, 1.0), TypeError, ["regularizer", "2"]),
        (lambda: rl.policy("kl", REWARD, REFERENCE, 0.0), ValueError, ["eta", "0"]),
        (lambda: rl.value("kl", REWARD, REFERENCE, -1.0), ValueError, ["eta", "-1"]),
        (lambda: rl.value("kl", REWARD, REFERENCE, math.nan), ValueError, ["eta", "nan"]),
        (lambda: rl.value("kl", REWARD, REFERENCE, "hot"), TypeError, ["eta", "hot"]),
        (lambda: rl.policy("kl", REWARD, [0.4, 0.7], 1.0), ValueError, ["reference", "1.1"]),
        (lambda: rl.policy("kl", REWARD, [0.4, 0.6 + 1e-8], 1.0), ValueError, ["reference", "sum"]),
        (lambda: rl.policy("kl", REWARD, [0.0, 1.0], 1.0), ValueError, ["reference", "0", "positive"]),
        (lambda: rl.policy("kl", REWARD, [-0.5, 1.5], 1.0), ValueError, ["reference", "-0.5"]),
        (lambda: rl.policy("kl", [0.1, math.nan], REFERENCE, 1.0), ValueError, ["reward", "nan"]),
        (lambda: rl.policy("kl", [0.1, math.inf], REFERENCE, 1.0), ValueError, ["reward", "inf"]),
        (lambda: rl.policy("kl", ["a", "b"], REFERENCE, 1.0), TypeError, ["reward"]),
        (lambda: rl.policy("kl", 0.5, REFERENCE, 1.0), ValueError, ["reward", "()"]),
        (lambda: rl.policy("kl", [], [], 1.0), ValueError, ["reward", "(0,)"]),
        (lambda: rl.policy("kl", [0.1], REFERENCE, 1.0), ValueError, ["reward (1,)", "reference (2,)"]),
        (lambda: rl.policy("kl", np.zeros((3, 2)), np.full((2, 2), 0.5), 1.0), ValueError, ["(3, 2)", "(2, 2)"]),
        (lambda: rl.policy("alpha", REWARD, REFERENCE, 1.0), ValueError, ["alpha", "missing"]),
        (lambda: rl.policy("alpha", REWARD, REFERENCE, 1.0, alpha=1.0), ValueError, ["alpha", "1", "'kl'"]),
        (lambda: rl.policy("alpha", REWARD, REFERENCE, 1.0, alpha=0), ValueError, ["alpha", "0", "'forward_kl'"]),
        (lambda: rl.policy("alpha", REWARD, REFERENCE, 1.0, alpha=math.nan), ValueError, ["alpha", "nan"]),
        (lambda: rl.policy("kl", REWARD, REFERENCE, 1.0, alpha=0.5), ValueError, ["alpha", "'kl'"]),
        (lambda: rl.gap("kl", [0.5, 0.6], REWARD, REFERENCE, 1.0), ValueError, ["policy", "1.1"]),
        (lambda: rl.gap("kl", [1.5, -0.5], REWARD, REFERENCE, 1.0), ValueError, ["policy", "-0.5"]),
        (lambda: rl.plug_in_gap("kl", [math.nan, 0], REWARD, REFERENCE, 1.0), ValueError, ["estimate", "nan"]),
        (lambda: rl.divergence("kl", [0.5, 0.5, 0.0], REFERENCE), ValueError, ["policy (3,)"]),
    ],
)
def test_bad_input_is_refused_in_one_line(call, error, words):
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


SCRIPT = """
import sys
import numpy as np
from banditlab import regularizer as rl
heavy = ("scipy.optimize", "scipy.special", "scipy.linalg", "scipy.stats", "pandas", "matplotlib")
assert not any(m in sys.modules for m in heavy), "imported at module level"
rng = np.random.default_rng(0)
for name, alpha in [("kl", None), ("forward_kl", None), ("chi2", None), ("alpha", 0.5), ("alpha", 1.5),
                    ("alpha", 3.0), ("js", None), ("kl_chi2", None)]:
    for eta in (1e-2, 3.0, 500.0):
        r, ref, q = rng.random((5, 4)), rng.dirichlet(np.ones(4), 5), rng.random((5, 4))
        pi = rl.policy(name, q, ref, eta, alpha=alpha)
        parts = [pi, rl.log_policy(name, r, ref, eta, alpha=alpha), rl.value(name, r, ref, eta, alpha=alpha),
                 rl.gap(name, ref, r, ref, eta, alpha=alpha), rl.plug_in_gap(name, q, r, ref, eta, alpha=alpha),
                 rl.divergence(name, ref[::-1], ref, alpha=alpha)]
        print(name, alpha, eta, " ".join(np.asarray(p).tobytes().hex() for p in parts))
"""


@pytest.mark.slow
def test_compiled_and_interpreted_code_give_the_same_bits_without_scipy():
    folder = Path(rl.__file__).parents[1]

    def run(disabled: str) -> str:
        environment = os.environ | {"NUMBA_DISABLE_JIT": disabled, "PYTHONPATH": str(folder)}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr, done.stderr
        return done.stdout

    assert run("0") == run("1")
