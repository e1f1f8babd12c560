"""Optimistic least-squares value iteration: by hand, against regressions on raw transitions, and rare switching."""

import math
from functools import partial

import numpy as np
import pytest

from banditlab import rng
from banditlab.mdps import instances
from banditlab.mdps.greedy import greedy
from banditlab.mdps.kl_lsvi_ucb import kl_lsvi_ucb
from banditlab.mdps.lsvi_ucb import lsvi_ucb
from banditlab.mdps.planning import backward_induction
from banditlab.mdps.problem import tabular


def episodes(problem, learner, count, seed):
    """Play; yield (k, whether it planned, its policy, the transitions (h, s, a, r, s') of the episodes before)."""
    g, own = np.random.default_rng(seed), rng.stream(seed, rng.LEARNER, 0)
    pi, rows = np.zeros(problem.reward.shape), []
    for k in range(1, count + 1):
        planned = learner.plan(k, pi, own)
        yield k, planned, pi, rows
        s = g.choice(problem.start.size, p=problem.start)
        for h in range(problem.horizon):
            a = g.choice(pi.shape[2], p=pi[h, s])
            r = float(g.random() < problem.reward[h, s, a])
            s2 = g.choice(problem.start.size, p=problem.transition[h, s, a])
            learner.update(h, s, a, r, s2)
            rows.append((h, s, a, r, s2))
            s = s2


def backup(q, reference, eta):
    """Policy (S, A) and values (S,) of a stage's action values."""
    plan = backward_induction(np.zeros((1, *q.shape, len(q))), q[None], reference[None], eta)
    return np.exp(plan.log_policy[0]), plan.value[0]


def replay(problem, rows, eta, scale, lam):
    """Policy, values and precisions of optimistic value iteration, by regressions on the transitions themselves."""
    H, S, A = problem.reward.shape
    phi = problem.features if problem.features.size else np.tile(np.eye(S * A).reshape(S, A, -1), (H, 1, 1, 1))
    d = phi.shape[3]
    policy, value, gram = np.zeros((H, S, A)), np.zeros((H + 1, S)), np.tile(lam * np.eye(d), (H, 1, 1))
    for h in reversed(range(H)):
        moment = np.zeros(d)
        for stage, s, a, r, s2 in rows:
            if stage == h:
                gram[h] += np.outer(phi[h, s, a], phi[h, s, a])
                moment += phi[h, s, a] * (r + value[h + 1, s2])
        inverse = np.linalg.inv(gram[h])
        q = phi[h] @ inverse @ moment + (H - h) * scale * np.sqrt(np.einsum("sai,ij,saj->sa", phi[h], inverse, phi[h]))
        policy[h], value[h] = backup(np.clip(q, 0.0, H - h), problem.reference[h], eta)
    return policy, value, gram


def random_problems():
    reference = np.random.default_rng(5).dirichlet(np.ones(3), size=(3, 4))
    reference[0, 0], reference[1, 2] = [0.0, 0.4, 0.6], [1.0, 0.0, 0.0]
    for eta in (0.5, 8.0, math.inf):
        yield instances.random_linear(5, 3, 3, 4, seed=1, eta=eta)
        table = instances.random_tabular(4, 3, 3, seed=2, eta=eta)
        yield tabular(table.transition, table.reward, eta=eta, start=[0.3, 0.3, 0.4, 0.0], reference=reference)


def test_two_arms_by_hand():
    """lam = 1: after rewards 1, 0 of arm 0 and 1 of arm 1 means are 1/3 and 1/2, widths 3^-1/2 and 2^-1/2."""
    problem = tabular([[[1.0], [1.0]]], [[0.5, 0.5]], horizon=1, eta=2.0, reference=[0.25, 0.75])
    for build, eta in ((kl_lsvi_ucb, 2.0), (lsvi_ucb, math.inf), (partial(greedy, lam=1.0), 2.0)):
        scale = 0.0 if isinstance(build, partial) else 0.3
        learner = build(problem, 3) if scale == 0.0 else build(problem, 3, scale=scale, lam=1.0)
        pi = np.zeros((1, 1, 2))
        for a, r in ((0, 1.0), (0, 0.0), (1, 1.0)):
            learner.update(0, 0, a, r, 0)
        assert learner.plan(1, pi, rng.stream(0, 1, 0))
        q = [1 / 3 + scale / math.sqrt(3.0), 1 / 2 + scale / math.sqrt(2.0)]
        if eta == math.inf:
            assert pi.tolist() == [[[0.0, 1.0]]]
            assert learner.estimate(0) == pytest.approx(q[1], rel=1e-14)
        else:
            z = 0.25 * math.exp(2.0 * q[0]) + 0.75 * math.exp(2.0 * q[1])
            assert pi[0, 0, 0] == pytest.approx(0.25 * math.exp(2.0 * q[0]) / z, rel=1e-14)
            assert learner.estimate(0) == pytest.approx(math.log(z) / 2.0, rel=1e-13)


def test_unseen_pairs_are_worth_all_that_is_left_and_ties_go_to_the_lowest_allowed_action():
    problem = tabular(np.full((2, 3, 2), 0.5), np.full((2, 3), 0.5), horizon=3, eta=math.inf, reference=[0.0, 0.5, 0.5])
    learner, pi = lsvi_ucb(problem, 1), np.zeros((3, 2, 3))
    assert learner.plan(1, pi, rng.stream(0, 1, 0))
    np.testing.assert_array_equal(learner.q, np.broadcast_to([[[3.0]], [[2.0]], [[1.0]]], (3, 2, 3)))
    assert (pi[..., 1] == 1.0).all()


@pytest.mark.parametrize(
    ("build", "soft", "scale", "lam"),
    [
        (lsvi_ucb, False, None, 0.1),
        (partial(lsvi_ucb, scale=0.2, lam=2.0), False, 0.2, 2.0),
        (kl_lsvi_ucb, True, None, 0.1),
        (partial(kl_lsvi_ucb, scale=0.1, lam=0.01), True, 0.1, 0.01),
        (greedy, True, 0.0, 0.1),
    ],
)
def test_agrees_with_regressions_on_the_transitions_themselves(build, soft, scale, lam):
    for i, problem in enumerate(random_problems()):
        S, A = problem.reward.shape[1:]
        width = 0.3 + math.sqrt(lam * (problem.features.shape[3] or S * A)) if scale is None else scale
        learner = build(problem, 12)
        for _, planned, pi, rows in episodes(problem, learner, 12, i):
            wanted, value, _ = replay(problem, rows, problem.eta if soft else math.inf, width, lam)
            assert planned
            np.testing.assert_allclose(pi, wanted, rtol=0.0, atol=1e-9)
            np.testing.assert_allclose([learner.estimate(s) for s in range(S)], value[0], rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("eta", [4.0, math.inf])
def test_a_plan_is_made_exactly_when_a_determinant_has_doubled_and_from_the_data_of_then(eta):
    problem, lam, growth = instances.random_linear(5, 3, 3, 4, seed=3, eta=eta), 0.5, 2.0
    learner = kl_lsvi_ucb(problem, 80, lam=lam, growth=growth)
    last, wanted, plans = np.full(3, lam**4), None, 0
    for k, planned, pi, rows in episodes(problem, learner, 80, 0):
        policy, _, gram = replay(problem, rows, eta, 0.3 + math.sqrt(lam * 4), lam)
        determinant = np.linalg.det(gram)
        assert planned == (k == 1 or (determinant >= growth * last * (1.0 - 1e-12)).any())
        if planned:
            last, wanted, plans = determinant, policy, plans + 1
        np.testing.assert_allclose(pi, wanted, rtol=0.0, atol=1e-9)
    assert 5 < plans < 60


@pytest.mark.parametrize("build", [lsvi_ucb, kl_lsvi_ucb])
def test_doubling_plans_at_most_as_often_as_determinants_can_double(build):
    """Plans <= 1 + H d log2(1 + K / (lam d)) for every K, and every episode at growth 1."""
    cuts = 2 ** np.arange(13)
    for seed in range(4):
        problem = instances.random_linear(8, 4, 4, 4, seed=seed, eta=2.0)
        for lam, growth in ((0.1, 2.0), (1.0, 1.5), (0.1, 1.0)):
            learner = build(problem, cuts[-1], lam=lam, growth=growth)
            plans = problem.play(learner, cuts, seed, 0, np.zeros(2, np.int64))[2]["plans"]
            if growth == 1.0:
                assert (plans == cuts).all()
            else:
                assert (plans <= 1.0 + 16.0 * np.log(1.0 + cuts / (4.0 * lam)) / math.log(growth)).all()
                assert plans[-1] > 20.0
                assert plans[-1] - plans[-2] < 20.0  # control: of 2048 episodes


def test_at_infinite_eta_the_two_are_one_and_without_a_bonus_it_is_greedy():
    problem, cut = instances.random_linear(seed=2, eta=math.inf), np.array([3, 300])

    def regret(learner):
        return problem.play(learner, cut, 5, 0, np.zeros(2, np.int64))[2]["regret"].tolist()

    assert regret(kl_lsvi_ucb(problem, 300)) == regret(lsvi_ucb(problem, 300))
    assert regret(lsvi_ucb(problem, 300, scale=0.0)) == regret(greedy(problem, 300))
    assert regret(lsvi_ucb(problem, 300)) != regret(greedy(problem, 300))  # control


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scale": -1.0}, "scale: "),
        ({"scale": math.nan}, "scale: "),
        ({"lam": 0.0}, "lam: "),
        ({"lam": math.inf}, "lam: "),
        ({"growth": 0.9}, "growth: "),
        ({"growth": math.inf}, "growth: "),
    ],
)
@pytest.mark.parametrize("build", [lsvi_ucb, kl_lsvi_ucb])
def test_bad_parameters_are_refused_in_one_line(build, parameters, message):
    with pytest.raises(ValueError, match=rf"^{message}[^\n]*$"):
        build(instances.random_tabular(eta=1.0), 10, **parameters)
    with pytest.raises(ValueError, match=r"^lam: [^\n]*$"):
        greedy(instances.random_tabular(eta=1.0), 10, lam=-1.0)
