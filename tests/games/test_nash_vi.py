"""Nash-VI: coarse correlated equilibria with their certificate, the bracket of values, the root of K."""

import math

import numpy as np
import pytest

from banditlab.equilibrium import simplex
from banditlab.games import instances
from banditlab.games.nash_vi import correlate, nash_vi


def violations(above, below, z):
    """What the best deviation of each player gains."""
    z = z.reshape(above.shape)
    row = (above @ z.sum(axis=0)).max() - (z * above).sum()
    column = (z * below).sum() - (z.sum(axis=1) @ below).min()
    return max(row, column)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 3), (3, 4), (5, 5)])
def test_no_deviation_gains_in_a_coarse_correlated_equilibrium(shape):
    g = np.random.default_rng(0)
    A, B = shape
    worst = least = -math.inf
    for i in range(200):
        below = g.random(shape) if i % 2 else np.round(g.random(shape))
        above = below + (g.random(shape) if i % 3 else 0.0)
        z, effort = np.empty(A * B), np.zeros(3)
        correlate(above, below, np.zeros((A + B, A * B)), simplex(A + B, A * B), effort, z)
        assert z.min() >= 0.0 and z.sum() == pytest.approx(1.0, abs=1e-12)
        worst = max(worst, violations(above, below, z))
        assert violations(above, below, z) <= effort[2] + 1e-12
        least = max(least, violations(above, below, np.full(A * B, 1.0 / (A * B))))
    assert worst <= 1e-9
    if A * B > 1:
        assert least > 0.1  # control: the uniform joint policy


def test_chicken_is_correlated_by_hand():
    # Both would rather the other yields; a fair coin between the two pure equilibria lets no deviation gain.
    above, below = np.array([[0.0, 1.0], [0.2, 0.8]]), -np.array([[0.0, 0.2], [1.0, 0.8]])
    z = np.array([0.0, 0.5, 0.5, 0.0])
    assert violations(above, below, z) <= 0.0
    found = np.empty(4)
    correlate(above, below, np.zeros((4, 4)), simplex(4, 4), np.zeros(3), found)
    assert violations(above, below, found) <= violations(above, below, z) + 1e-12


@pytest.mark.slow
def test_the_gap_is_within_the_bracket_where_the_bonus_covers_the_errors(planned):
    held = failed = 0
    for seed in range(8):
        problem = instances.mixed_core(seed=seed, eta=math.inf)
        for scale, rounds in ((1.0, 100), (1.0, 3000), (0.3, 3000), (0.03, 3000)):
            learner = nash_vi(problem, 3000, scale=scale)
            problem.play(learner, np.array([rounds]), seed, 0, np.zeros(2, np.int64))
            row, column = planned(problem, learner)
            n = np.maximum(learner.model.visits, 1.0)
            seen = learner.model.visits > 0.0
            bonus = learner.bonus[:, None, None, None] / np.sqrt(n)
            P, r = learner.model.moves / n[..., None], learner.model.rewards / n
            event = True
            for v in (learner.upper, learner.lower):
                error = np.stack(
                    [r[h] - problem.reward[h] + (P[h] - problem.transition[h]) @ v[h + 1] for h in range(3)]
                )
                event = event and (np.abs(error) <= bonus)[seen].all()
            gap = problem.suboptimality((row[0], column[0]))
            bracket = problem.start @ (learner.upper[0] - learner.lower[0])
            if event:
                assert gap <= bracket + 1e-12
                held += 1
            failed += gap > bracket
    assert held >= 12 and failed >= 1  # control: a bonus of a hundredth


@pytest.mark.slow
def test_regret_grows_like_the_root_of_the_rounds(curves):
    K = 100_000
    at = np.unique(np.geomspace(1, K, 60).astype(np.int64))
    late = at >= K / 10
    problem = instances.mixed_core(eta=math.inf)
    finals = {}
    for scale in (0.3, 1.0, 0.1):
        found = curves(problem, nash_vi, at, 8, scale=scale)
        mean = found["regret"].mean(axis=0)
        finals[scale] = np.polyfit(np.log(at[late]), np.log(mean[late]), 1)[0]
        assert found["plans"].max() < 430.0 and (found["certificate"] <= 1e-9).all()
    assert 0.42 < finals[0.3] < 0.6 and 0.42 < finals[1.0] < 0.6
    assert finals[0.1] > 0.65  # control: a bonus too small


def test_the_joint_policy_that_is_played_has_the_measured_marginals(play, planned):
    problem = instances.random_tabular(2, 2, 3, 2, seed=1, eta=math.inf)
    learner = nash_vi(problem, 500)
    play(problem, learner, [500])
    row, column = planned(problem, learner)
    z = learner.joint.reshape(2, 2, 2, 3)
    np.testing.assert_allclose(row[0], z.sum(axis=3), atol=1e-15)
    np.testing.assert_allclose(column[0], z.sum(axis=2), atol=1e-15)


@pytest.mark.slow
def test_at_the_practical_width_the_gap_is_within_the_bracket_at_every_plan_looked_at(planned):
    outside = {0.3: 0, 0.5: 0, 1.0: 0, 0.1: 0}
    for seed in range(4):
        problem = instances.mixed_core(seed=seed, eta=math.inf)
        for scale in outside:
            for rounds in (2**k for k in range(1, 15)):
                learner = nash_vi(problem, 2**14, scale=scale)
                problem.play(learner, np.array([rounds]), seed, 0, np.zeros(2, np.int64))
                row, column = planned(problem, learner)
                bracket = problem.start @ (learner.upper[0] - learner.lower[0])
                outside[scale] += problem.suboptimality((row[0], column[0])) > bracket + 1e-12
    assert outside[0.3] == outside[0.5] == outside[1.0] == 0
    assert outside[0.1] > 0  # control: a bonus too small
