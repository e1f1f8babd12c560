"""What learners know of a game: counts and regressions against replayed data, posterior draws, when plans are due."""

import numpy as np
import pytest

from banditlab import rng
from banditlab.games import instances
from banditlab.games.models import Counts, Regressions, draw_counts, model, predict_pairs
from banditlab.games.problem import linear, tabular
from banditlab.jit import jit
from banditlab.mdps.least_squares import perturb, regress


@jit
def learn(state, data, rewards):
    for i in range(len(rewards)):
        h, s, a, b, s2 = data[i]
        state.update(h, s, a, b, rewards[i], s2)


@jit
def predicted(state, h, value, unseen, q, width):
    state.predict(h, value, unseen, q)
    state.uncertainty(h, width)


@jit
def is_due(state):
    return state.due()


@jit
def settled(state):
    state.settle()


def transitions(problem, n, seed):
    """Random transitions (h, s, a, b, s') and rewards; every cell may be met."""
    g = np.random.default_rng(seed)
    H, S, A, B = problem.reward.shape
    data = np.stack([g.integers(m, size=n) for m in (H, S, A, B, S)], axis=1)
    return data, g.random(n)


def replayed(problem, data, rewards, h, value):
    """The targets r + V(s') of a stage by (s, a, b)."""
    cells = {}
    for (stage, s, a, b, s2), r in zip(data, rewards, strict=True):
        if stage == h:
            cells.setdefault((s, a, b), []).append(r + value[s2])
    return cells


def test_counts_predict_the_mean_of_the_data_and_what_they_are_told_elsewhere(random_game):
    problem = random_game(0, 1.0)
    state = model(problem, 1.0, 1.0)
    assert isinstance(state, Counts)
    data, rewards = transitions(problem, 60, 0)
    learn(state, data, rewards)
    q, width, value = np.empty((3, 2, 3)), np.empty((3, 2, 3)), np.array([0.3, 1.0, 0.7])
    missing = 0
    for h in range(3):
        predicted(state, h, value, -7.0, q, width)
        cells = replayed(problem, data, rewards, h, value)
        for s, a, b in np.ndindex(3, 2, 3):
            seen = cells.get((s, a, b), [])
            missing += not seen
            assert q[s, a, b] == pytest.approx(np.mean(seen) if seen else -7.0, rel=1e-12)
            assert width[s, a, b] == pytest.approx(len(seen) ** -0.5 if seen else 0.0, rel=1e-15)
    assert 0 < missing < 54


def test_regressions_predict_what_least_squares_on_the_data_does():
    problem = instances.random_linear(3, 2, 3, 2, 3, eta=1.0)
    state = model(problem, 1.0, 0.5)
    assert isinstance(state, Regressions)
    data, rewards = transitions(problem, 80, 1)
    learn(state, data, rewards)
    q, width, value = np.empty((3, 2, 3)), np.empty((3, 2, 3)), np.array([0.3, 1.0, 0.7])
    for h in range(2):
        predicted(state, h, value, -7.0, q, width)
        at = data[:, 0] == h
        phi = problem.features[h][data[at, 1], data[at, 2], data[at, 3]]
        precision = 0.5 * np.eye(3) + phi.T @ phi
        w = np.linalg.solve(precision, phi.T @ (rewards[at] + value[data[at, 4]]))
        np.testing.assert_allclose(q, problem.features[h] @ w, rtol=1e-10)
        norm = np.einsum("sabi,ij,sabj->sab", problem.features[h], np.linalg.inv(precision), problem.features[h])
        np.testing.assert_allclose(width, np.sqrt(norm), rtol=1e-10)


def test_features_of_every_cell_are_the_counts_up_to_the_ridge():
    plain = tabular(np.full((2, 2, 3, 2), 0.5), np.full((2, 2, 3), 0.5), eta=1.0, horizon=2)
    cells = np.eye(12).reshape(2, 2, 3, 12)
    known = model(plain, 1.0, 1.0), model(linear(cells, plain.transition, plain.reward, eta=1.0), 1.0, 1e-6)
    data, rewards = transitions(plain, 300, 2)
    found = []
    for state in known:
        learn(state, data, rewards)
        q, width = np.empty((2, 2, 3)), np.empty((2, 2, 3))
        predicted(state, 1, np.array([0.3, 1.0]), 0.0, q, width)
        found.append((q, width))
    for counted, regressed in zip(*found, strict=True):
        np.testing.assert_allclose(regressed, counted, rtol=1e-5)  # the ridge is 1e-6 of a visit
        assert np.ptp(counted) > 0.01


def test_a_plan_is_due_when_some_visits_have_grown_by_the_factor(random_game):
    state = model(random_game(0, 1.0), 1.5, 1.0)
    one = np.zeros((1, 5), np.int64), np.zeros(1)
    assert not is_due(state)  # the first plan needs no reason
    due = []
    for _ in range(12):
        learn(state, *one)
        due.append(bool(is_due(state)))
        if due[-1]:
            settled(state)
    # planned at n = 1, 2, 3, 5, 8, 12: each the first at 1.5 times the last
    assert [n + 1 for n, x in enumerate(due) if x] == [1, 2, 3, 5, 8, 12]


def test_regressions_are_due_when_a_determinant_has_grown():
    state = model(instances.random_linear(3, 2, 3, 2, 3, eta=1.0), 2.0, 1.0)
    assert not is_due(state)
    one = np.zeros((1, 5), np.int64), np.zeros(1)
    phi = state.regression.features[0, 0, 0]
    n = 0
    while not is_due(state):
        learn(state, *one)
        n += 1
    assert n == int(np.ceil(1.0 / (phi @ phi)))  # 1 + n |phi|^2 >= 2
    settled(state)
    assert not is_due(state)


def test_draws_of_counts_have_the_posteriors_mean_and_spread(random_game):
    problem = random_game(0, 1.0, states=2, rows=1, columns=1, horizon=2)
    state = model(problem, 1.0, 1.0)
    state.visits[0, 0, 0, 0], state.rewards[0, 0, 0, 0] = 9.0, 4.0
    state.moves[0, 0, 0, 0] = 6.0, 3.0
    value, q, stream = np.array([1.0, 0.0]), np.empty((2, 1, 1)), rng.stream(0, rng.LEARNER, 0)
    draws = []
    for _ in range(20_000):
        draw_counts(state, 0, value, 0.5, stream, q)
        draws.append(q[:, 0, 0].copy())
    draws = np.array(draws)
    # Normal(4.5 / 10, .5^2 / 40) + Beta((6.5, 3.5) / .25); without data Normal(1/2, .5^2 / 4) + Beta(2, 2)
    beta = [(26.0, 14.0), (2.0, 2.0)]
    mean = np.array([0.45 + 26.0 / 40.0, 1.0])
    variance = np.array([0.25 / 40.0, 0.25 / 4.0])
    variance += [a * b / ((a + b) ** 2 * (a + b + 1.0)) for a, b in beta]
    assert (np.abs(draws.mean(axis=0) - mean) <= 4.0 * np.sqrt(variance / 20_000)).all()
    np.testing.assert_allclose(draws.var(axis=0), variance, rtol=4.0 * np.sqrt(2.0 / 20_000))
    draw_counts(state, 1, value, 0.5, stream, q)
    assert abs(q[0, 0, 0] - 0.5) < 2.0  # at the last stage rewards alone, whatever the value


def test_draws_of_regressions_have_the_posteriors_mean_and_covariance():
    problem = instances.random_linear(3, 2, 3, 2, 3, eta=1.0)
    state = model(problem, 1.0, 0.5)
    data, rewards = transitions(problem, 80, 1)
    learn(state, data, rewards)
    value, q, stream = np.array([0.3, 1.0, 0.7]), np.empty((3, 2, 3)), rng.stream(0, rng.LEARNER, 0)
    draws = []
    for _ in range(10_000):
        regress(state.regression, 0, value)
        perturb(state.regression, 0, 0.5 * 1.0 * 2.0, stream)
        predict_pairs(state.regression, 0, q)
        draws.append(q.copy())
    drawn = np.empty((3, 2, 3))
    sample(state, 0, value, 1.0, rng.stream(0, rng.LEARNER, 0), drawn)
    np.testing.assert_array_equal(drawn, draws[0])  # the verb is these three steps, with spread (H - h) / 2
    width = np.empty((3, 2, 3))
    predicted(state, 0, value, 0.0, q, width)
    spread = np.std(draws, axis=0)
    np.testing.assert_allclose(spread, width, rtol=4.0 * np.sqrt(0.5 / 10_000))
    assert (np.abs(np.mean(draws, axis=0) - q) <= 4.0 * width / 100.0).all()


@jit
def sample(state, h, value, spread, stream, q):
    state.draw(h, value, spread, stream, q)
