"""Count-form least squares: equality with replay of the raw transitions, drift, and the provable radius of LSVI."""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.mdps.instances import random_linear
from banditlab.mdps.least_squares import (
    REMEASURE,
    least_squares,
    observe,
    perturb,
    predict,
    provable_radius,
    regress,
    remeasure,
)
from banditlab.mdps.lsvi_ucb import optimistic
from banditlab.mdps.planning import evaluate, occupancies


def raw(features, h, data):
    """Weights (n,), features (n, d), rewards and next states of the transitions (h, s, a, r, s2, w) of a stage."""
    rows = [(w, features[h, s, a], r, s2) for stage, s, a, r, s2, w in data if stage == h]
    w, x, r, s2 = zip(*rows, strict=True)
    return np.array(w), np.array(x), np.array(r), np.array(s2)


def random_data(problem, n, weighted, seed=0):
    g = np.random.default_rng(seed)
    H, S, A = problem.reward.shape
    return [
        (
            int(g.integers(H)),
            int(g.integers(S)),
            int(g.integers(A)),
            float(g.random()),
            int(g.integers(S)),
            float(g.uniform(0.1, 3.0)) if weighted else 1.0,
        )
        for _ in range(n)
    ]


def test_one_dimension_by_hand():
    state = least_squares(np.full((1, 1, 1, 1), 0.5), 1.0)
    observe(state, 0, 0, 0, 1.0, 0, 4.0)  # Lambda = 1 + 4 / 4 = 2, rho = 2, M = 2
    assert (state.inverse[0, 0, 0], state.rewards[0, 0], state.moves[0, 0, 0], state.width[0, 0, 0]) == (
        0.5,
        2,
        2,
        0.125,
    )
    assert state.gain[0] == math.log(2.0) and state.seen[0] == 1
    regress(state, 0, np.array([3.0]))  # w = (2 + 2 * 3) / 2
    q = np.zeros((1, 1))
    predict(state, 0, 2.0, 0.0, 10.0, q)
    assert state.weight[0] == 4.0 and q[0, 0] == pytest.approx(2.0 + 2.0 * math.sqrt(0.125), rel=1e-15)
    predict(state, 0, -2.0, 1.5, 10.0, q)
    assert q[0, 0] == 1.5
    predict(state, 0, 0.0, 0.0, 1.0, q)
    assert q[0, 0] == 1.0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("features", ["linear", "none"])
def test_counts_give_the_ridge_regression_of_the_raw_transitions(random_mdp, features, weighted):
    problem = random_linear(5, 3, 2, 3, seed=1, eta=1.0) if features == "linear" else random_mdp(1, 1.0)
    g, lam = np.random.default_rng(2), 0.3
    state, data = least_squares(problem.features, lam), random_data(problem, 400, weighted)
    H, S, A, d = state.features.shape
    assert d == (3 if features == "linear" else S * A)
    for n, row in enumerate(data):
        observe(state, *row)
        if n in (49, 399):
            for h in range(H):
                value, q = g.random(S) * (H - h), np.zeros((S, A))
                w, x, r, s2 = raw(state.features, h, data[: n + 1])
                precision = lam * np.eye(d) + (w[:, None] * x).T @ x
                wanted = np.linalg.solve(precision, x.T @ (w * (r + value[s2])))
                regress(state, h, value)
                np.testing.assert_allclose(state.weight, wanted, rtol=1e-8, atol=1e-10)
                predict(state, h, 0.7, -99.0, 99.0, q)
                u = np.einsum("sai,ij,saj->sa", state.features[h], np.linalg.inv(precision), state.features[h])
                np.testing.assert_allclose(q, state.features[h] @ wanted + 0.7 * np.sqrt(u), rtol=1e-8)
                np.testing.assert_allclose(state.width[h], u, rtol=1e-11)
                gain = np.linalg.slogdet(precision)[1] - d * math.log(lam)
                assert state.gain[h] == pytest.approx(gain, rel=1e-11)


def test_widths_computed_afresh_are_those_kept_up_to_date():
    problem = random_linear(6, 4, 2, 4, seed=3, eta=1.0)
    state = least_squares(problem.features, 0.01)
    for row in random_data(problem, 500, True):
        observe(state, *row)
    before = state.width.copy()
    state.width[0] = -1.0
    remeasure(state, 0)
    np.testing.assert_allclose(state.width, before, rtol=1e-9)


def test_directions_that_no_feature_has_stay_at_the_ridge():
    """Features in a plane of three dimensions, 1e5 observations: across it the inverse is 1 / lam to 1e-9."""
    phi = np.zeros((1, 2, 1, 3))
    phi[0, 0, 0], phi[0, 1, 0] = [0.6, 0.8, 0.0], [0.8, -0.6, 0.0]
    state = least_squares(phi, 1e-4)
    for t in range(100_000):
        observe(state, 0, t % 3 % 2, 0, 1.0, 0, 1.0)
    assert state.inverse[0, 2, 2] == pytest.approx(1e4, rel=1e-12)
    n = np.array([66_667.0, 33_333.0])
    wanted = np.einsum("s,si,sj->ij", 1.0 / (1e-4 + n), phi[0, :, 0], phi[0, :, 0])
    np.testing.assert_allclose(state.inverse[0, :2, :2], wanted[:2, :2], atol=1e-9 * np.abs(wanted).max())


@pytest.mark.slow
@pytest.mark.parametrize("lam", [1e-4, 1.0])
def test_rank_one_updates_do_not_drift(lam):
    """1e5 observations, one pair nine times in ten; before and after widths are computed afresh, and at the end."""
    problem = random_linear(8, 4, 1, 4, seed=5, eta=1.0)
    g, state = np.random.default_rng(0), least_squares(problem.features, lam)
    phi, counts, n = problem.features[0], np.zeros((8, 4)), 100_000
    often = g.random(n) < 0.9
    s, a = np.where(often, 3, g.integers(8, size=n)).tolist(), np.where(often, 1, g.integers(4, size=n)).tolist()
    for t in range(n):
        observe(state, 0, s[t], a[t], 1.0, 0, 1.0)
        counts[s[t], a[t]] += 1.0
        if t + 1 in (REMEASURE - 1, REMEASURE, n):
            precision = lam * np.eye(4) + np.einsum("sa,sai,saj->ij", counts, phi, phi)
            inverse = np.linalg.inv(precision)
            np.testing.assert_allclose(state.inverse[0], inverse, atol=1e-10 * np.abs(inverse).max())
            root = np.linalg.solve(np.linalg.cholesky(precision), phi.reshape(32, 4).T)
            np.testing.assert_allclose(state.width[0].ravel(), (root * root).sum(axis=0), rtol=2e-7)
            gain = np.linalg.slogdet(precision)[1] - 4.0 * math.log(lam)
            assert state.gain[0] == pytest.approx(gain, rel=1e-10)
    assert state.seen[0] == n > REMEASURE


def test_perturbation_has_its_covariance():
    """4000 draws: mean and covariance within five standard errors; not those of the other triangular root."""
    problem = random_linear(4, 3, 1, 3, seed=2, eta=1.0)
    state, stream, n = least_squares(problem.features, 0.5), rng.stream(1, rng.LEARNER, 0), 4000
    for row in random_data(problem, 30, True):
        observe(state, *row)
    draws = np.zeros((n, 3))
    for i in range(n):
        state.weight[:] = 1.0
        perturb(state, 0, 2.0, stream)
        draws[i] = state.weight - 1.0
    cov = 4.0 * state.inverse[0]
    assert (np.abs(draws.mean(axis=0)) < 5.0 * np.sqrt(np.diag(cov) / n)).all()
    error = np.sqrt((cov * cov + np.outer(np.diag(cov), np.diag(cov))) / n)
    found = draws.T @ draws / n
    assert (np.abs(found - cov) < 5.0 * error).all()
    factor = np.linalg.cholesky(state.inverse[0])  # control: L' z in place of L z
    wrong = 4.0 * factor.T @ factor
    assert (np.abs(found - wrong) > 5.0 * error).any()


def test_bad_ridge_is_refused():
    for lam in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="lam: "):
            least_squares(np.zeros((1, 2, 2, 0)), lam)
    for delta in (0.0, 1.5):
        with pytest.raises(ValueError, match="delta: "):
            provable_radius(least_squares(np.zeros((1, 2, 2, 0)), 1.0), delta)


# The provable radius


def test_radius_by_hand():
    state = least_squares(np.zeros((2, 2, 2, 0)), 0.25)  # d = 4, S = 2, sqrt(lam d) = 1
    state.gain[:] = 3.0, 5.0
    inside = [2.0 * math.log(2.0) + g / 2.0 + math.log(2.0 / 0.1) for g in (3.0, 5.0)]
    wanted = [math.sqrt(2.0 * inside[0]) + 2.0, 0.5 * math.sqrt(2.0 * inside[1]) + 1.0]
    np.testing.assert_allclose(provable_radius(state, 0.1), wanted, rtol=1e-14)


def roll_out(problem, policy, learner, g):
    """One episode, reported to the learner."""
    s = int(g.choice(problem.start.size, p=problem.start))
    for h in range(problem.horizon):
        a = int(g.choice(policy.shape[2], p=policy[h, s]))
        r = float(g.random() < problem.reward[h, s, a])
        s2 = int(np.searchsorted(problem.cumulative[h, s, a], g.random(), side="right"))
        learner.update(h, s, a, r, s2)
        s = s2


def violations(problem, learner, policy, g):
    """Whether an episode breaks the event of the radius, optimism (a), the bounds (b) and (c); what these say.

    The latter: the share of optimistic Q that are not clipped, whether (b), and whether (c) is below J(pi*).
    """
    H, S, A = problem.reward.shape
    state, hat = learner.regression, learner.q
    bonus = learner.bonus[:, None, None] * np.sqrt(np.maximum(state.width, 0.0))
    off, error = 0.0, np.zeros((S, A))
    for h in range(H):
        corners = [(H - h - 1.0) * g.integers(2, size=S) for _ in range(4)]
        for value in (learner.value[h + 1], problem.optimal_value[h + 1], (H - h - 1.0) * g.random(S), *corners):
            regress(state, h, np.ascontiguousarray(value, dtype=np.float64))
            error = state.features[h] @ state.weight - problem.reward[h] - problem.transition[h] @ value
            off = max(off, (np.abs(error) - bonus[h]).max())
    best = problem.reward + np.einsum("hsat,ht->hsa", problem.transition, problem.optimal_value[1:])
    value = evaluate(problem.transition, problem.reward, problem.reference, problem.eta, policy)[0]
    regret = float(problem.start @ (problem.optimal_value[0] - value[0]))
    law = occupancies(problem.transition, problem.start, policy)
    U = np.zeros((H + 1, S, A))
    for h in range(H - 1, -1, -1):
        ahead = (policy[h + 1] * U[h + 1]).sum(axis=1) if h + 1 < H else np.zeros(S)
        U[h] = np.minimum(H - h, 2.0 * bonus[h] + problem.transition[h] @ ahead)
    slack = 1e-9
    widths = 2.0 * (law * bonus).sum()
    squares = 0.5 * problem.eta * (law * U[:H] ** 2).sum() if problem.eta < math.inf else math.inf
    broken = off > slack, (hat < best - slack).any(), regret > widths + slack, regret > squares + slack
    free = (hat < np.arange(H, 0, -1.0)[:, None, None]).mean()
    return np.array(broken), np.array([free, widths < problem.value, squares < problem.value])


def feed(state, data):
    """Report a dataset: the transitions from (h, s, a) to s' at once, with the mean of the rewards there."""
    counts = data.moves.sum(axis=0)
    mean = data.total.sum(axis=0) / np.maximum(counts.sum(axis=-1), 1.0)
    for h, s, a, s2 in np.argwhere(counts > 0.0):
        observe(state, h, s, a, mean[h, s, a], s2, counts[h, s, a, s2])


def count_violations(seeds, etas, samples, radius):
    """Violations in ten episodes after `samples` offline, over random instances, and means of what bounds say."""
    total, says = np.zeros(4), []
    for seed, eta in zip(seeds, etas, strict=True):
        problem = random_linear(6, 3, 3, 3, seed=seed, eta=eta)
        learner = optimistic(problem, eta, 0.0, 1.0, 1.0)
        feed(learner.regression, problem.dataset(samples, seed, 0))
        g, policy, stream = np.random.default_rng([7, seed]), np.zeros(problem.reward.shape), rng.stream(seed, 1, 0)
        for k in range(1, 11):
            learner.bonus[:] = radius(learner.regression)
            assert learner.plan(k, policy, stream)
            broken, said = violations(problem, learner, policy, g)
            total += broken
            says.append(said)
            roll_out(problem, policy, learner, g)
    return total, np.mean(says, axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("samples", [2000, 20_000, 2_000_000])
def test_with_the_provable_radius_no_episode_breaks_a_bound(samples):
    """50 instances, eta in {.5, 2, 10}, and 10 with eta = inf: the event, optimism and both regret bounds, delta = .05.

    Of the optimistic Q more than half are not clipped. From 20,000 episodes offline on it is nine in ten, and (b) is
    below J(pi*) in nine of ten episodes; after 2e6 so is (c) at finite eta.
    """
    etas = [(0.5, 2.0, 10.0)[i % 3] for i in range(50)] + [math.inf] * 10
    broken, said = count_violations(range(60), etas, samples, lambda state: provable_radius(state, 0.05))
    assert broken.tolist() == [0.0] * 4
    assert said[0] > 0.5
    if samples >= 20_000:
        assert (said[:2] > 0.9).all()
    if samples == 2_000_000:
        assert said[2] > 0.9 * 5.0 / 6.0


def test_with_a_small_radius_each_bound_breaks():
    """1000 episodes offline, 12 instances: the event, (a) and (c) at 1/200 of the radius, at 1/1000 (b) too."""
    etas = [0.5, 2.0, 10.0, math.inf] * 3
    small, smaller = (
        count_violations(range(12), etas, 1000, lambda state, part=part: part * provable_radius(state, 0.05))[0]
        for part in (0.005, 0.001)
    )
    assert (small[[0, 1, 3]] > 20.0).all()
    assert (smaller > 20.0).all()
