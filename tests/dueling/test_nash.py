"""Online Nash learning: estimates and the enhancer by hand and by brute force, the certificate at fits, the table."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from banditlab import equilibrium
from banditlab.dueling.instances import bt_ladder, rps
from banditlab.dueling.nash import SHARPEST, enhance, estimate
from banditlab.dueling.nash_enhancer import nash_enhancer
from banditlab.dueling.nash_greedy import nash_greedy
from banditlab.dueling.nash_mixed import nash_mixed
from banditlab.dueling.problem import preferences
from banditlab.preference import next_fit

SISTERS = [nash_greedy, nash_mixed, nash_enhancer]
RARE = [0.01, *[0.198] * 5]


def instance(seed, contexts=2, arms=4, eta=3.0):
    """Random preferences, law and references."""
    g = np.random.default_rng(seed)
    A = g.uniform(-0.5, 0.5, (contexts, arms, arms))
    law, reference = g.dirichlet(np.full(contexts, 2.0)), g.dirichlet(np.full(arms, 2.0), contexts)
    return preferences(0.5 + 0.5 * (A - A.transpose(0, 2, 1)), eta=eta, law=law, reference=reference)


def told(problem, learner, g, rounds):
    """Tell the learner of random pairs; yields the context after every round."""
    for t in range(rounds):
        x = int(g.integers(problem.law.size))
        a, b = (int(i) for i in g.choice(problem.reference.shape[1], size=2, replace=False))
        learner.update(t + 1, x, a, b, float(g.random() < problem.preference[x, a, b]))
        yield x


def enhanced(pi, uncertainty, eta):
    out = np.empty(pi.size)
    enhance(np.log(pi), uncertainty, eta, out)
    return np.exp(out)


def divergence(q, pi):
    return float(np.sum(q[q > 0.0] * np.log(q[q > 0.0] / pi[q > 0.0])))


def test_the_estimate_and_its_width_by_hand():
    """Three of four: 3.5 / 5 - 1/2 = .2, width 1 / 2 + 1 / 10, at most .7; what was not compared has 0 and 1/2."""
    wins, payoff, width = np.zeros((3, 3)), np.zeros((3, 3)), np.zeros((3, 3))
    wins[0, 1], wins[1, 0] = 3.0, 1.0
    estimate(wins, 1.0, payoff, width)
    np.testing.assert_allclose(payoff, [[0, 0.2, 0], [-0.2, 0, 0], [0, 0, 0]], rtol=1e-14)
    np.testing.assert_allclose(width, [[0, 0.6, 0.5], [0.6, 0, 0.5], [0.5, 0.5, 0]], rtol=1e-14)
    estimate(wins, 10.0, payoff, width)
    assert width[0, 1] == pytest.approx(0.7, rel=1e-14)


def test_the_first_fit_by_hand():
    """One win: A_hat = 1.5 / 2 - 1/2 = 1/4, so that at eta = 4 the odds of the reference (.2, .8) are tilted by e."""
    problem = preferences([[0.5, 0.9], [0.1, 0.5]], eta=4.0, reference=[0.2, 0.8])
    for make in SISTERS:
        learner, pi = make(problem, 10), np.zeros(2)
        learner.policy(0, pi)
        np.testing.assert_array_equal(pi, problem.reference[0])
        assert not learner.refresh(1)
        learner.update(1, 0, 0, 1, 1.0)
        assert learner.refresh(2) and not learner.refresh(3)
        learner.policy(0, pi)
        assert pi[0] == pytest.approx(0.25 * math.e / (0.25 * math.e + 1.0), rel=1e-12)


def test_the_enhancer_of_two_arms_is_where_the_constraint_binds():
    """q = (1 - v, v) with u = (0, w): the largest v at which KL = eta w v, unless the point mass is allowed."""
    for pi, w, eta in ((0.1, 0.2, 2.0), (0.01, 0.5, 3.0), (0.4, 0.1, 0.5)):
        policy, u = np.array([1.0 - pi, pi]), np.array([0.0, w])

        def excess(v, policy=policy, w=w, eta=eta):
            return divergence(np.array([1.0 - v, v]), policy) - eta * w * v

        assert excess(pi) < 0.0 < excess(1.0)
        assert enhanced(policy, u, eta)[1] == pytest.approx(brentq(excess, pi, 1.0, xtol=1e-15), rel=1e-9)
    np.testing.assert_allclose(enhanced(np.array([0.5, 0.5]), np.array([0.1, 0.5]), 2.0), [0.0, 1.0], atol=1e-300)
    np.testing.assert_allclose(enhanced(np.array([0.3, 0.7]), np.array([0.2, 0.2]), 2.0), [0.3, 0.7], rtol=1e-9)


def test_no_allowed_policy_is_more_uncertain_than_the_enhancer():
    g, better = np.random.default_rng(1), 0
    for _ in range(40):
        K, eta = int(g.integers(2, 6)), float(10.0 ** g.uniform(-1.0, 1.5))
        pi, u = g.dirichlet(np.ones(K)) * 0.99 + 0.01 / K, g.random(K) * 10.0 ** g.uniform(-3.0, 0.0)
        q = enhanced(pi, u, eta)
        assert divergence(q, pi) <= eta * q @ u * (1.0 + 1e-9) + 1e-15
        s = math.log(q[1] / q[0] * pi[0] / pi[1]) / (u[1] - u[0]) if q.min() > 1e-300 else math.inf
        assert s >= eta * (1.0 - 1e-6)
        tilts = pi * np.exp(g.standard_normal((2000, K)) * 10.0 ** g.uniform(-2.0, 1.0, (2000, 1)))
        tilts /= tilts.sum(axis=1, keepdims=True)
        allowed = np.array([divergence(r, pi) <= eta * r @ u for r in tilts])
        assert allowed.any() and (tilts[allowed] @ u).max() <= q @ u + 1e-12
        better += (tilts @ u > q @ u).any()
    assert better > 10  # control: without the constraint there are such policies
    assert SHARPEST * 0.01 * 0.1 > 700.0  # the cap is a point mass at any width and eta in use


@pytest.mark.parametrize("make", SISTERS)
def test_the_gap_is_below_the_plug_in_certificate_at_every_fit(make):
    """(0.10) of the family, context by context, and the policy is the solution found from scratch."""
    ratios, fits = [], 0
    for seed in range(10):
        problem = instance(seed, 1 + seed % 3, 2 + seed % 4, (0.3, 3.0, 30.0)[seed % 3])
        learner, pi = make(problem, 150), np.zeros(problem.reference.shape[1])
        for x in told(problem, learner, np.random.default_rng(seed), 150):
            if not learner.refresh(0):
                continue
            fits += 1
            P, ref, wins = problem.preference[x], problem.reference[x], learner.wins[x]
            learner.policy(x, pi)
            error = (P - (wins + 0.5) / (wins + wins.T + 1.0)) @ pi
            bound = problem.eta * (error.max() - error.min()) ** 2 / 8.0
            ratios.append(equilibrium.one_sided_gap(P, np.log(pi), ref, problem.eta) / bound)
        for x in range(problem.law.size):
            wins = learner.wins[x]
            found = equilibrium.newton((wins + 0.5) / (wins + wins.T + 1.0), problem.reference[x], problem.eta)
            np.testing.assert_allclose(learner.main[x], np.exp(found.log_policy), rtol=1e-9)
    assert fits == 1500
    assert max(ratios) <= 1.0 + 1e-6
    assert max(ratios) > 0.9  # the constant 8 cannot be 9


def test_fits_become_rare():
    """Each comparison of a context brings one up to two hundred; then they are on the schedule of `next_fit`."""
    problem = instance(3)
    learner = nash_greedy(problem, 6000)
    due, seen, fits = [1, 1], [0, 0], 0
    for x in told(problem, learner, np.random.default_rng(0), 6000):
        seen[x] += 1
        wanted = seen[x] == due[x]
        assert learner.refresh(0) == wanted
        if wanted:
            due[x] = next_fit(due[x])
            fits += 1
    assert fits < 2 * (200 + math.log(3500 / 200) / math.log(1.05) + 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reference", "eta", "measured"),
    [
        (None, 2.0, {m: [0.61, 1.6, 2.7, 3.4] for m in SISTERS}),
        (None, 10.0, {nash_greedy: [3.4, 10.3, 15.5, 19.2], nash_mixed: [3.3, 8.2, 12.1, 15.2]}),
        (RARE, 2.0, {nash_greedy: [3.22], nash_mixed: [3.65], nash_enhancer: [4.19]}),
    ],
)
def test_cumulative_gaps_on_the_cycle_are_the_measured_ones(reference, eta, measured):
    """rps(5, .3, 1) at 1e2, 1e3, 1e4, 5e4: 48 seeds against 6, within four s.e. of both; the reference is not."""
    problem = rps(5, 0.3, 1, eta=eta, reference=reference)
    for make, wanted in measured.items():
        checkpoints = np.array([100, 1000, 10_000, 50_000])[-len(wanted) :]
        runs = [problem.play(make(problem, 50_000), checkpoints, 3, i, np.zeros(2, np.int64))[2] for i in range(48)]
        found = np.array([run["regret"] for run in runs])
        error = found.std(axis=0, ddof=1) * math.sqrt(1.0 / 48.0 + 1.0 / 6.0)
        assert (abs(found.mean(axis=0) - wanted) < 4.0 * error).all(), (make, found.mean(axis=0))
        idle = problem.suboptimality(problem.reference) * checkpoints[-1]
        assert abs(found[:, -1].mean() - idle) > 4.0 * error[-1]


@pytest.mark.parametrize("make", SISTERS)
def test_what_is_no_kl_game_is_refused_in_one_line(make):
    name = make.__name__
    with pytest.raises(ValueError, match=f"^preference: {name} needs general preferences, these are Bradley-Terry's$"):
        make(bt_ladder(4, eta=2.0), 10)
    with pytest.raises(ValueError, match=f"^eta: inf is not allowed, {name} solves the KL-regularized game$"):
        make(rps(eta=math.inf, measure="borda"), 10)
