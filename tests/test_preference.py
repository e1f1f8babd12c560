"""Bradley-Terry regression: by hand, against SciPy and NumPy, projections, confidence sets and their coverage."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit

from banditlab import confidence, preference
from banditlab.jit import jit
from banditlab.preference import fit, fitted, maximum_likelihood, next_fit, online_newton

HERE = Path(__file__).parent


def instance(S=3, K=5, d=3, norm=1.5, seed=0):
    """Unit features and theta* of the given norm; d = 0: rewards in [0, 1]. Returns features and rewards."""
    g = np.random.default_rng(seed)
    if d == 0:
        return np.zeros((S, K, 0)), g.random((S, K))
    phi = g.standard_normal((S, K, d))
    phi /= np.linalg.norm(phi, axis=-1, keepdims=True)
    theta = g.standard_normal(d)
    return phi, phi @ (norm * theta / np.linalg.norm(theta))


def draw_wins(reward, n, seed=0):
    """(S, K, K) wins of n uniformly drawn pairs of two arms."""
    g = np.random.default_rng(seed)
    S, K = reward.shape
    above = np.triu(np.ones((K, K)), 1)
    n = g.multinomial(n, np.tile(above, (S, 1, 1)).ravel() / (S * above.sum())).reshape(S, K, K)
    won = g.binomial(n, expit(reward[:, :, None] - reward[:, None, :]))
    return (won + np.swapaxes(n - won, 1, 2)).astype(float)


def rows_of(state, block):
    """Dense rows z, wins and losses of a block."""
    S, K = state.wins.shape[:2]
    out = []
    for x in [block] if state.tabular else range(S):
        for a in range(K):
            for b in range(a + 1, K):
                z = np.eye(K)[a] - np.eye(K)[b] if state.tabular else state.features[x, a] - state.features[x, b]
                out.append((z, state.wins[x, a, b], state.wins[x, b, a]))
    z, w, m = zip(*out, strict=True)
    return np.array(z), np.array(w), np.array(m)


def objective(theta, state, block, lam):
    z, w, m = rows_of(state, block)
    u = z @ theta
    return w @ np.logaddexp(0.0, -u) + m @ np.logaddexp(0.0, u) + 0.5 * lam * theta @ theta


def gradient(theta, state, block, lam):
    z, w, m = rows_of(state, block)
    return z.T @ ((w + m) * expit(z @ theta) - w) + lam * theta


def comparisons(reward, n, seed):
    """n random comparisons x, a, b, y, some of an arm with itself."""
    g = np.random.default_rng(seed)
    S, K = reward.shape
    for _ in range(n):
        x, a, b = int(g.integers(S)), int(g.integers(K)), int(g.integers(K))
        yield x, a, b, float(g.random() < expit(reward[x, a] - reward[x, b]))


# By hand


def test_one_pair_is_the_logit_of_the_smoothed_win_rate():
    """Four comparisons, sigma(log 3) = 3/4: stationary where w = 3 + lam theta; theta = (u/2, -u/2) where tabular."""
    u = math.log(3.0)
    for phi, excess, expected in (
        (np.array([[[1.0], [0.0]]]), u, [u]),
        (np.zeros((1, 2, 0)), 0.5 * u, [0.5 * u, -0.5 * u]),
    ):
        w = 3.0 + 0.4 * excess
        state = fitted(phi, [[[0.0, w], [4.0 - w, 0.0]]], 0.4)
        np.testing.assert_allclose(state.estimate[0], expected, rtol=1e-12)
        assert state.hessian[0, 0, 0] == pytest.approx(0.4 + 4.0 * 3.0 / 16.0, rel=1e-12)
        assert (state.seen[0], state.gram[0, 0, 0]) == (4, pytest.approx(4.4, rel=1e-15))


def test_schedule_by_hand():
    assert [int(next_fit(t)) for t in (0, 1, 198, 199, 200, 210, 221)] == [1, 2, 199, 200, 210, 221, 233]
    for t in range(200, 3000):
        assert next_fit(t) == -(-105 * t // 100)


def test_projection_by_hand():
    out = np.zeros(3)
    preference.project(np.array([5.0, 4.5, 1.0]), 1.0, True, out)
    assert out.tolist() == [0.0, -0.5, -1.0]
    preference.project(np.array([3.0, 0.0, 4.0]), 1.0, False, out)
    np.testing.assert_allclose(out, [0.6, 0.0, 0.8], rtol=1e-15)
    preference.project(np.array([3.0, 0.0, 4.0]), math.inf, False, out)
    assert out.tolist() == [3.0, 0.0, 4.0]


# Against SciPy and NumPy


@pytest.mark.parametrize("d", [0, 1, 3, 7])
@pytest.mark.parametrize("n", [3, 40, 5000])
def test_the_fit_is_the_minimum_of_the_regularized_loss(d, n):
    phi, reward = instance(d=d)
    state = fitted(phi, draw_wins(3.0 * reward, n) * 1.25, 0.3)
    for block in range(len(state.seen)):
        found = state.estimate[block]
        best = optimize.minimize(objective, 0.0 * found, (state, block, 0.3), "BFGS", gradient, options={"gtol": 1e-9})
        np.testing.assert_allclose(found, best.x, rtol=1e-6, atol=1e-8)
        assert objective(found, state, block, 0.3) <= best.fun * (1.0 + 1e-14)
        assert np.abs(gradient(found, state, block, 0.3)).max() <= 1e-10 * n
        assert preference.loss(state, block, found) == pytest.approx(objective(found, state, block, 0.0), rel=1e-12)


@pytest.mark.parametrize("d", [0, 3])
def test_matrices_are_those_of_the_counts(d):
    phi, reward = instance(d=d)
    state = fitted(phi, draw_wins(reward, 300), 0.5, initial=2.0)
    for block in range(len(state.seen)):
        z, w, m = rows_of(state, block)
        p = expit(z @ state.estimate[block])
        eye = np.eye(z.shape[1])
        hessian, gram = 0.5 * eye + (z.T * ((w + m) * p * (1.0 - p))) @ z, 2.0 * eye + (z.T * (w + m)) @ z
        factor = np.tril(state.factor[block])
        for found, truth in (
            (state.hessian[block], hessian),
            (factor @ factor.T, hessian),
            (state.covariance[block], np.linalg.inv(hessian)),
            (state.gram[block], gram),
            (state.inverse[block], np.linalg.inv(gram)),
        ):
            np.testing.assert_allclose(found, truth, rtol=1e-12, atol=1e-12 * np.abs(truth).max())
        assert state.gain[block] == pytest.approx(np.linalg.slogdet(gram / 2.0)[1], rel=1e-12)
        assert state.seen[block] == (w + m).sum()


@pytest.mark.parametrize("d", [0, 3])
def test_rewards_and_widths_are_those_of_the_projected_estimate_and_the_inverse(d):
    phi, reward = instance(d=d)
    state = fitted(phi, draw_wins(4.0 * reward, 200), 0.5, bound=0.7)
    out, all_pairs = np.zeros(5), np.zeros((5, 5))
    for x in range(3):
        block = int(preference.block_of(state, x))
        features = np.eye(5) if d == 0 else phi[x]
        preference.rewards(state, x, out)
        np.testing.assert_allclose(out, features @ state.projected[block], rtol=1e-14, atol=1e-15)
        theta = state.projected[block]
        size = theta.max() - theta.min() if d == 0 else np.linalg.norm(theta)
        assert size <= 0.7 * (1.0 + 1e-15)
        assert size < (np.ptp(state.estimate[block]) if d == 0 else np.linalg.norm(state.estimate[block]))
        for inverses in (state.inverse, state.covariance):
            z = features[:, None] - features[None]
            expected = np.sqrt(np.einsum("abi,ij,abj->ab", z, inverses[block], z))
            preference.widths(state, inverses, x, all_pairs)
            np.testing.assert_allclose(all_pairs, expected, rtol=1e-12, atol=1e-15)
            assert preference.width(state, inverses, x, 1, 3) == pytest.approx(expected[1, 3], rel=1e-12)
            v = np.linspace(-1.0, 2.0, theta.size)
            assert preference.norm(inverses[block], v) == pytest.approx(math.sqrt(v @ inverses[block] @ v), rel=1e-12)


# Identities


@pytest.mark.parametrize("lam", [1e-6, 0.1])
def test_the_gauge_is_fixed_at_every_size(lam):
    """At 10^13 comparisons rounding of H exceeds 10^{-6}, its eigenvalue along the gauge."""
    phi, reward = instance(d=0)
    for n in (10, 10**4, 10**9, 10**13):
        state = fitted(phi, draw_wins(reward, n), lam)
        assert np.abs(state.estimate.sum(axis=1)).max() < 1e-12
    np.testing.assert_allclose(state.estimate, reward - reward.mean(axis=1, keepdims=True), atol=1e-5)
    assert np.isfinite(state.covariance).all()


@pytest.mark.parametrize("d", [0, 3])
def test_every_start_leads_to_the_same_fit(d):
    phi, reward = instance(d=d)
    state = fitted(phi, draw_wins(reward, 400), 0.2)
    cold, g = state.estimate.copy(), np.random.default_rng(1)
    for scale in (1e-3, 1.0, 100.0):
        state.estimate[:] = scale * g.standard_normal(cold.shape)
        for block in range(len(cold)):
            fit(state, block)
        np.testing.assert_allclose(state.estimate, cold, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("lam", [1e-6, 0.1])
def test_one_sided_wins_are_fitted(lam):
    """Where an arm always won only the ridge keeps the estimate finite; Newton's full step from 0 would overshoot."""
    for n in (1.0, 1e3, 1e9):
        state = fitted(np.array([[[1.0], [0.0]]]), [[[0.0, n], [0.0, 0.0]]], lam)
        u = state.estimate[0, 0]
        assert lam * u == pytest.approx(n * expit(-u), rel=1e-8)


@pytest.mark.parametrize("d", [0, 3])
def test_comparisons_one_at_a_time_are_their_counts(d):
    phi, reward = instance(d=d)
    state, wins, changed = maximum_likelihood(phi, 0.5, bound=1.0), np.zeros((3, 5, 5)), 0
    for x, a, b, y in comparisons(reward, 700, 3):
        changed += preference.learn(state, x, a, b, y)
        if a != b:
            wins[x, a, b] += y
            wins[x, b, a] += 1.0 - y
    np.testing.assert_array_equal(state.wins, wins)
    whole = fitted(phi, wins, 0.5, bound=1.0)
    for found, truth in ((state.gram, whole.gram), (state.inverse, whole.inverse), (state.gain, whole.gain)):
        np.testing.assert_allclose(found, truth, rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(state.seen, whole.seen)
    if d == 0:
        assert changed == sum(min(n, 200) + len([t for t in (210, 221) if t <= n]) for n in state.seen)
    for block in range(len(state.seen)):
        fit(state, block)
    np.testing.assert_allclose(state.estimate, whole.estimate, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(state.projected, whole.projected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("build", [maximum_likelihood, online_newton])
def test_an_arm_against_itself_changes_nothing(build):
    state = build(instance()[0], 0.5)
    before = [np.copy(x) for x in state]
    assert not state.update(1, 2, 2, 1.0)
    for x, y in zip(before, state, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("tabular", [False, True])
def test_projection_is_idempotent_and_keeps_what_is_inside(tabular):
    g = np.random.default_rng(5)
    for _ in range(100):
        theta, bound, once, twice = 3.0 * g.standard_normal(4), g.uniform(0.1, 9.0), np.zeros(4), np.zeros(4)
        preference.project(theta, bound, tabular, once)
        preference.project(once, bound, tabular, twice)
        np.testing.assert_allclose(twice, once, rtol=1e-15)
        if (np.ptp(theta) if tabular else np.linalg.norm(theta)) <= bound:
            np.testing.assert_allclose(np.diff(once), np.diff(theta), rtol=1e-12, atol=1e-15)


# The cost of a round


def test_rows_do_not_grow_and_fits_are_logarithmic_in_the_rounds():
    phi, reward = instance()
    g, n = np.random.default_rng(0), 20_000
    a = g.integers(5, size=n)
    plays = np.stack([g.integers(3, size=n), a, (a + g.integers(1, 5, size=n)) % 5], axis=1)
    won = (g.random(n) < expit(reward[plays[:, 0], a] - reward[plays[:, 0], plays[:, 2]])).astype(float)
    state = maximum_likelihood(phi, 0.5)
    sizes = [np.size(x) for x in state]
    changes = [state.update(*play, y) for play, y in zip(plays, won, strict=True)]
    changed = [sum(changes[: n // 2]), sum(changes[n // 2 :])]
    assert [np.size(x) for x in state] == sizes
    assert state.rows.shape[0] == 3 * 10
    assert state.seen[0] == n
    assert 200 + math.log(n / 400) / math.log(1.06) < sum(changed) <= 200 + math.log(n / 200) / math.log(1.05) + 1
    assert changed[1] <= math.log(2.0) / math.log(1.05) + 1


@jit
def feed(state, plays, won):
    for i in range(won.size):
        state.update(plays[i, 0], plays[i, 1], plays[i, 2], won[i])


@pytest.mark.slow
@pytest.mark.parametrize("build", [maximum_likelihood, online_newton])
def test_inverses_do_not_drift(build):
    """100,000 comparisons, nearly always of one pair: along it the inverses are 10^5 times smaller than across."""
    phi, _ = instance(S=1, K=4, d=4)
    g, n = np.random.default_rng(0), 100_000
    plays = np.zeros((n, 3), dtype=np.int64)
    plays[:, 2] = np.where(g.random(n) < 1e-3, g.integers(1, 4, size=n), 1)
    state = build(phi, 0.5)
    feed(state, plays, (g.random(n) < 0.6).astype(float))
    z = phi[0, 0] - phi[0, 1]
    pairs = [(state.gram[0], state.inverse[0])] + (
        [(state.hessian[0], state.covariance[0])] if build is online_newton else []
    )
    for matrix, inverse in pairs:
        assert z @ inverse @ z == pytest.approx(z @ np.linalg.solve(matrix, z), rel=1e-8)
        assert z @ inverse @ z < 1e-3 * np.linalg.norm(inverse, 2)
    zs, w, m = rows_of(state, 0)
    np.testing.assert_allclose(state.gram[0], 0.5 * np.eye(4) + (zs.T * (w + m)) @ zs, rtol=1e-12, atol=1e-9)


# Online Newton step


@pytest.mark.parametrize("curvature", [None, 0.1])
@pytest.mark.parametrize("d", [0, 3])
def test_online_newton_steps_are_the_formula(d, curvature):
    phi, reward = instance(d=d)
    bound = 0.6
    state = online_newton(phi, 0.5, bound=bound, curvature=curvature)
    plain = maximum_likelihood(phi, 0.5)
    dim, blocks, inside = (5, 3, 0) if d == 0 else (d, 1, 0)
    theta, hessian = np.zeros((blocks, dim)), np.tile(0.5 * np.eye(dim), (blocks, 1, 1))
    radius = bound * math.sqrt(5) / 2 if d == 0 else bound
    for x, a, b, y in comparisons(3.0 * reward, 400, 2):
        assert state.update(x, a, b, y) == (a != b)
        if a == b:
            continue
        preference.record(plain, x, a, b, y)
        s = x if d == 0 else 0
        z = np.eye(5)[a] - np.eye(5)[b] if d == 0 else phi[x, a] - phi[x, b]
        p = expit(z @ theta[s])
        hessian[s] += (p * (1.0 - p) if curvature is None else curvature) * np.outer(z, z)
        theta[s] -= np.linalg.solve(hessian[s], (p - y) * z)
        inside += np.linalg.norm(theta[s]) <= radius
        theta[s] = nearest(hessian[s], radius, theta[s])
        np.testing.assert_allclose(state.estimate, theta, rtol=1e-8, atol=1e-9)
    assert 50 < inside < 390  # both kinds of step were seen
    np.testing.assert_allclose(state.hessian, hessian, rtol=1e-9)
    np.testing.assert_allclose(state.covariance, np.linalg.inv(hessian), rtol=1e-7, atol=1e-10)
    for name in ("wins", "gram", "inverse", "gain"):
        np.testing.assert_array_equal(getattr(state, name), getattr(plain, name))


def nearest(matrix, radius, theta):
    """The spec's bisection for mu in (A + mu I)^{-1} A theta."""
    if np.linalg.norm(theta) <= radius:
        return theta

    def at(mu):
        return np.linalg.solve(matrix + mu * np.eye(theta.size), matrix @ theta)

    high = np.linalg.norm(matrix, 2) * (np.linalg.norm(theta) / radius)
    return at(optimize.brentq(lambda mu: np.linalg.norm(at(mu)) - radius, 0.0, high, xtol=1e-15, rtol=1e-15))


def test_projection_onto_the_ball_is_the_nearest_point_in_the_norm():
    """Optimal among 500 points of the ball, on its boundary, the residual A (theta - p) along p; not mere rescaling."""
    g = np.random.default_rng(0)
    for _ in range(30):
        d = int(g.integers(1, 6))
        root = g.standard_normal((d, d)) * np.geomspace(1.0, 10.0 ** g.uniform(0.0, 4.0), d)
        matrix, theta, radius = root @ root.T + 0.01 * np.eye(d), 5.0 * g.standard_normal(d), g.uniform(0.1, 2.0)
        p = theta.copy()
        preference.project_ball(matrix, radius, p, np.zeros((d, d)), np.zeros(d))
        if np.linalg.norm(theta) <= radius:
            np.testing.assert_array_equal(p, theta)
            continue
        assert np.linalg.norm(p) == pytest.approx(radius, rel=1e-11)
        np.testing.assert_allclose(p, nearest(matrix, radius, theta), rtol=1e-7, atol=1e-9)
        others = g.standard_normal((500, d))
        others = np.vstack([others * (radius * g.random((500, 1)) / np.linalg.norm(others, axis=1, keepdims=True))])
        rescaled = radius * theta / np.linalg.norm(theta)

        def distance(q, matrix=matrix, theta=theta):
            return (theta - q) @ matrix @ (theta - q)

        assert distance(p) <= min(map(distance, others)) * (1.0 + 1e-10)
        assert distance(p) <= distance(rescaled) * (1.0 + 1e-10)
        if d > 2:
            assert distance(p) < distance(rescaled)


# Confidence sets


def test_likelihood_excess_is_that_of_the_constrained_minimum():
    phi, reward = instance(norm=2.0)
    state, g = fitted(phi, draw_wins(reward, 150), 0.5), np.random.default_rng(0)
    for radius in (0.5, 1.0, 50.0):
        best = optimize.minimize(
            objective,
            0.1 * np.ones(3),
            (state, 0, 0.0),
            "SLSQP",
            gradient,
            constraints={"type": "ineq", "fun": lambda t, radius=radius: radius**2 - t @ t},
            options={"ftol": 1e-14},
        )
        theta = g.standard_normal(3)
        expected = objective(theta, state, 0, 0.0) - best.fun
        assert preference.likelihood_excess(state, 0, theta, radius) == pytest.approx(expected, abs=1e-6)


def test_likelihood_excess_exists_where_the_fit_does_not():
    """One arm won all comparisons: the infimum 0 of the loss is not attained; in a ball it is, at the edge."""
    state = fitted(np.zeros((1, 2, 0)), [[[0.0, 10.0], [0.0, 0.0]]], 0.1)
    for radius in (1.0, 3.0):
        expected = 10.0 * (math.log(2.0) - math.log1p(math.exp(-math.sqrt(2.0) * radius)))
        assert preference.likelihood_excess(state, 0, np.zeros(2), radius) == pytest.approx(expected, rel=1e-9)


def misses(draws, shrink):
    """Shares of draws in which theta* is outside the ellipsoid and the likelihood-ratio set, radii divided by `shrink`.

    d = 3, n = 200, B = 1, delta = 0.1. A set of log-likelihood level l has a radius of the order of sqrt(l).
    """
    phi, reward = instance(S=5, K=6, norm=1.0)
    theta, B, delta = np.linalg.lstsq(phi.reshape(-1, 3), reward.ravel(), rcond=None)[0], 1.0, 0.1
    kappa = confidence.logistic_slope(2.0 * B)
    lengths = np.linalg.norm(phi[:, :, None] - phi[:, None], axis=-1)
    out = np.zeros(2)
    for seed in range(draws):
        state = fitted(phi, draw_wins(reward, 200, seed), 0.5, initial=0.5 / kappa)
        error = theta - state.estimate[0]
        radius = preference.ellipsoid_radius(state, 0, delta, B, 2.0)
        out[0] += math.sqrt(error @ state.gram[0] @ error) > radius / shrink
        level = confidence.likelihood_ratio(3, B, float((lengths * state.wins).sum()), delta)
        inside = preference.likelihood_excess(state, 0, theta, B) <= level / shrink**2
        out[1] += not inside
        if shrink == 1.0:
            assert preference.in_likelihood_set(state, 0, theta, B, delta) == inside
    return out / draws


def test_confidence_sets_cover_and_tenfold_smaller_ones_do_not():
    """200 draws: at most delta = 0.1 plus four standard errors, 0.085, are missed; with a tenth of the radius more."""
    limit = 0.1 + 4.0 * math.sqrt(0.1 * 0.9 / 200)
    assert misses(200, 1.0).max() <= limit
    assert misses(200, 10.0).min() > limit


def test_the_ellipsoid_widens_where_the_fit_leaves_the_ball_and_asks_for_a_small_start():
    phi = np.array([[[1.0], [0.0]]])
    state = fitted(phi, [[[0.0, 9.0], [0.0, 0.0]]], 0.5)
    inner, size = 0.5 * math.sqrt(math.log(19.0) - 2.0 * math.log(0.1)) + math.sqrt(0.5), abs(state.estimate[0, 0])
    assert size > 1.0
    found = preference.ellipsoid_radius(state, 0, 0.1, 1.0, 1.0)
    assert found == pytest.approx(inner / (expit(size) * expit(-size)), rel=1e-12)
    with pytest.raises(ValueError, match=r"^initial: 90 is not allowed, must be at most lam / slope = "):
        preference.ellipsoid_radius(fitted(phi, np.zeros((1, 2, 2)), 0.5, initial=90.0), 0, 0.1, 1.0, 1.0)


# What is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"features": np.zeros((2, 3))}, "features: shape (2, 3) is not allowed"),
        ({"features": np.full((1, 2, 1), math.nan)}, "features: a value that is not finite"),
        ({"lam": 0.0}, "lam: 0 is not in (0, inf]"),
        ({"bound": 0.0}, "bound: 0 is not in (0, inf]"),
        ({"initial": -1.0}, "initial: -1 is not in (0, inf]"),
        ({"wins": np.zeros((1, 3, 3))}, "wins: shape (1, 3, 3) is not allowed, must be (1, 2, 2)"),
        ({"wins": [[[0.0, -1.0], [0.0, 0.0]]]}, "wins[0, 0, 1]: -1 is not allowed, must be finite and at least 0"),
        ({"wins": [[[0.0, 1.0], [0.0, 2.0]]]}, "wins[0, 1, 1]: 2 is not allowed, must be 0"),
        ({"curvature": 0.3}, "curvature: 0.3 is not in (0, 0.25]"),
    ],
)
def test_what_is_out_of_range_is_refused_in_one_line(arguments, message):
    given = {"features": np.zeros((1, 2, 0)), "lam": 0.1, **arguments}
    build = fitted if "wins" in given else online_newton if "curvature" in given else maximum_likelihood
    with pytest.raises(ValueError) as error:
        build(**given)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


# Without the compiler


def fingerprint():
    """Bits of fitted, updated and online states and of their widths."""
    states, out = [], []
    for d in (0, 3):
        phi, reward = instance(d=d)
        states.append(fitted(phi, draw_wins(3.0 * reward, 500), 0.1, bound=0.8))
        for build in (maximum_likelihood, online_newton):
            state = build(phi, 0.5, bound=0.8)
            for comparison in comparisons(3.0 * reward, 50, 1):
                state.update(*comparison)
            states.append(state)
    for state in states:
        for array in (state.estimate, state.projected, state.hessian, state.covariance, state.inverse, state.gain):
            out += [float(x).hex() for x in array.ravel()]
        pairs, reward = np.zeros((5, 5)), np.zeros(5)
        preference.widths(state, state.inverse, 1, pairs)
        preference.rewards(state, 1, reward)
        some = (preference.loss(state, 0, state.estimate[0]), preference.width(state, state.covariance, 1, 0, 2))
        out += [float(x).hex() for x in (*pairs.ravel(), *reward, *some)]
    return out


@pytest.mark.slow
def test_same_bits_without_the_compiler(python):
    code = "import json, test_preference; print(json.dumps(test_preference.fingerprint()))"
    uncompiled, _ = python(code, path=[HERE], NUMBA_DISABLE_JIT=1)
    assert uncompiled == json.loads(json.dumps(fingerprint()))
