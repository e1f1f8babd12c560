"""Planning: by hand, against enumeration, a linear program and BFGS, and the identities of regularized values."""

import itertools
import math

import numpy as np
import pytest
from scipy import optimize

from banditlab.mdps import planning
from banditlab.mdps.planning import backup_rows, backward_induction, evaluate, occupancies

ETAS = [0.05, 1.0, 7.0, 200.0]


def plan_of(problem, eta=None):
    return backward_induction(
        problem.transition, problem.reward, problem.reference, problem.eta if eta is None else eta
    )


def worth(problem, policy, eta=None):
    """J of a policy, from its values."""
    eta = problem.eta if eta is None else eta
    return float(problem.start @ evaluate(problem.transition, problem.reward, problem.reference, eta, policy)[0][0])


def some_policy(problem, seed):
    H, S, A = problem.reward.shape
    policy = np.random.default_rng([9, seed]).dirichlet(np.ones(A), size=(H, S))
    policy[problem.reference == 0.0] = 0.0
    return policy / policy.sum(axis=-1, keepdims=True)


def kl(p, q):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0.0, p * (np.log(p) - np.log(q)), 0.0).sum(axis=-1)


# By hand


def test_two_stages_by_hand():
    # Stage 1: Q = (0, 1), uniform reference, eta = log 3: V = log(2) / log 3 in state 0, 0 in state 1, where nothing
    # is paid. Stage 0: action 0 leads to state 0, action 1 pays 1/2 and leads to state 1.
    eta, P, r = math.log(3.0), np.zeros((2, 2, 2, 2)), np.zeros((2, 2, 2))
    P[:, :, 0, 0] = P[:, :, 1, 1] = 1.0
    r[1, 0, 1], r[0, :, 1] = 1.0, 0.5
    ref = np.full((2, 2, 2), 0.5)
    plan = backward_induction(P, r, ref, eta)
    second = math.log(2.0) / eta
    np.testing.assert_allclose(plan.value[1], [second, 0.0], atol=1e-15)
    np.testing.assert_allclose(np.exp(plan.log_policy[1]), [[0.25, 0.75], [0.5, 0.5]], rtol=1e-14)
    first = math.log(0.5 * (2.0 + math.sqrt(3.0))) / eta
    np.testing.assert_allclose(plan.value[0], first, rtol=1e-14)
    np.testing.assert_allclose(np.exp(plan.log_policy[0, 0, 0]), 2.0 / (2.0 + math.sqrt(3.0)), rtol=1e-14)
    plain = backward_induction(P, r, ref, math.inf)
    np.testing.assert_array_equal(plain.value, [[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    np.testing.assert_array_equal(np.exp(plain.log_policy), [[[1, 0], [1, 0]], [[0, 1], [1, 0]]])
    law = occupancies(P, np.array([0.5, 0.5]), np.exp(plan.log_policy))
    np.testing.assert_allclose(law.sum(axis=(1, 2)), 1.0, rtol=1e-15)
    np.testing.assert_allclose(law[1].sum(axis=1), np.exp(plan.log_policy[0, 0]), rtol=1e-14)


def test_ties_go_to_the_lowest_action_within_the_tolerance():
    q = np.array([[0.3, 0.3 + 1e-13, 0.1], [0.3, 0.3 + 1e-11, 0.1], [1e9, 1e9 + 1e-4, 0.0], [5.0, 1.0, 1.0 + 1e-14]])
    allowed = np.ones((4, 3))
    allowed[3, 0] = 0.0
    assert backup_rows(q, allowed / allowed.sum(axis=1, keepdims=True), math.inf)[1].argmax(axis=1).tolist() == [
        0,
        1,
        0,
        1,
    ]
    assert planning.TIE == 1e-12


# Against other solvers


@pytest.mark.parametrize("zeros", [False, True])
def test_unregularized_optimum_is_the_best_deterministic_policy(random_mdp, zeros):
    for seed in range(4):
        problem = random_mdp(seed, math.inf, states=2, actions=3, horizon=2, zeros=zeros)
        best = -math.inf
        for actions in itertools.product(range(3), repeat=4):
            policy = np.eye(3)[np.array(actions)].reshape(2, 2, 3)
            if (problem.reference[policy > 0.0] > 0.0).all():
                best = max(best, worth(problem, policy))
            else:
                assert not math.isnan(worth(problem, policy))  # -inf where such an action is met
        assert problem.start @ plan_of(problem).value[0] == pytest.approx(best, rel=1e-13)
        assert worth(problem, np.exp(plan_of(problem).log_policy)) == pytest.approx(best, rel=1e-13)


def test_unregularized_optimum_is_the_linear_program_of_occupancies(random_mdp):
    for seed in range(5):
        problem = random_mdp(seed, math.inf, states=4)
        H, S, A = problem.reward.shape
        flow = np.zeros((H * S, H * S * A))
        for h, s, a in np.ndindex(H, S, A):
            flow[h * S + s, (h * S + s) * A + a] += 1.0
            if h + 1 < H:
                flow[(h + 1) * S : (h + 2) * S, (h * S + s) * A + a] -= problem.transition[h, s, a]
        start = np.concatenate([problem.start, np.zeros((H - 1) * S)])
        lp = optimize.linprog(-problem.reward.ravel(), A_eq=flow, b_eq=start)
        assert problem.start @ plan_of(problem).value[0] == pytest.approx(-lp.fun, rel=1e-9)
        law = occupancies(problem.transition, problem.start, np.exp(plan_of(problem).log_policy))
        np.testing.assert_allclose(law.ravel(), lp.x, atol=1e-9)


@pytest.mark.parametrize("eta", [0.3, 3.0])
def test_regularized_optimum_is_the_maximum_over_soft_max_logits(random_mdp, eta):
    problem = random_mdp(2, eta, states=2, horizon=2)
    shape = problem.reward.shape

    def loss(logits):
        policy = np.exp(logits.reshape(shape))
        return -worth(problem, policy / policy.sum(axis=-1, keepdims=True))

    found = optimize.minimize(loss, np.zeros(np.prod(shape)), method="BFGS", options={"gtol": 1e-7})
    best = float(problem.start @ plan_of(problem).value[0])
    assert -found.fun == pytest.approx(best, abs=1e-8)
    policy = np.exp(found.x.reshape(shape))
    np.testing.assert_allclose(
        policy / policy.sum(axis=-1, keepdims=True), np.exp(plan_of(problem).log_policy), atol=2e-4
    )


def test_occupancies_are_the_sums_over_all_paths(random_mdp):
    problem = random_mdp(1, 1.0)
    policy, wanted = some_policy(problem, 0), np.zeros((3, 3, 3))
    pairs = list(itertools.product(range(3), repeat=2))
    for path in itertools.product(pairs, repeat=3):
        p = problem.start[path[0][0]]
        for h, (s, a) in enumerate(path):
            p *= policy[h, s, a] * (problem.transition[h, s, a, path[h + 1][0]] if h < 2 else 1.0)
        for h, (s, a) in enumerate(path):
            wanted[h, s, a] += p
    np.testing.assert_allclose(occupancies(problem.transition, problem.start, policy), wanted, rtol=1e-12)


# Limits


def test_a_large_eta_gives_the_maximum_and_a_small_one_the_mean(random_mdp):
    for seed in range(10):
        problem = random_mdp(seed, 1.0, zeros=seed % 2 == 1)
        plain = plan_of(problem, math.inf).value
        assert np.abs(plan_of(problem, 1e6).value - plain).max() < 1e-5 * 3
        assert np.isfinite(plan_of(problem, 1e300).value).all()
        average = evaluate(problem.transition, problem.reward, problem.reference, math.inf, problem.reference)[0]
        for eta in (1e-4, 1e-8, 1e-13, 1e-100):  # V - E_ref Q <= eta range^2 / 8 a stage, by Hoeffding's lemma
            above = plan_of(problem, eta).value - average
            assert -1e-14 < above.min() and above.max() < 3 * eta * 9 / 8 + 1e-14


def test_soft_maximum_is_below_the_maximum_by_at_most_its_log_probability(random_mdp):
    for seed, eta in itertools.product(range(5), ETAS):
        problem = random_mdp(seed, eta)
        plan = plan_of(problem)
        top = plan.q.max(axis=-1)
        mass = np.take_along_axis(problem.reference, plan.q.argmax(axis=-1)[..., None], axis=-1)[..., 0]
        assert (top - plan.value[:-1] > -1e-12).all()
        assert (top - plan.value[:-1] < -np.log(mass) / eta + 1e-12).all()
        assert (plan.value >= 0.0).all() and (plan.value[0] <= 3.0).all()


def test_actions_that_the_reference_never_takes(random_mdp):
    for seed, eta in itertools.product(range(4), [0.5, 50.0, math.inf]):
        problem = random_mdp(seed, eta, zeros=True)
        plan = plan_of(problem)
        never = problem.reference == 0.0
        assert never.any() and (plan.log_policy[never] == -math.inf).all()
        np.testing.assert_allclose(np.exp(plan.log_policy).sum(axis=-1), 1.0, rtol=1e-14)
        # the same plan where they are punished beyond reason, under a reference that has them in traces
        other = np.maximum(problem.reference, 1e-300)
        wanted = backward_induction(problem.transition, np.where(never, -1e6, problem.reward), other, eta)
        np.testing.assert_allclose(plan.value, wanted.value, rtol=1e-12)
        value, q = evaluate(
            problem.transition, problem.reward, problem.reference, eta, np.full(problem.reward.shape, 1.0 / 3.0)
        )
        assert not np.isnan(value).any() and not np.isnan(q).any()
        np.testing.assert_array_equal(value[-2] == -math.inf, never[-1].any(axis=-1))


def test_a_state_of_value_minus_infinity_matters_where_it_can_be_reached():
    P, r = np.zeros((2, 2, 2, 2)), np.full((2, 2, 2), 0.5)
    P[:, :, 0, 0] = P[:, :, 1, 1] = 1.0
    reference, policy = np.full((2, 2, 2), 0.5), np.full((2, 2, 2), 0.5)
    reference[1, 1] = 1.0, 0.0
    value, q = evaluate(P, r, reference, 2.0, policy)
    np.testing.assert_array_equal(value, [[-math.inf, -math.inf], [0.5, -math.inf], [0.0, 0.0]])
    np.testing.assert_array_equal(q[0], [[1.0, -math.inf], [1.0, -math.inf]])
    policy[0, 0] = 1.0, 0.0  # never goes there
    assert evaluate(P, r, reference, 2.0, policy)[0][0, 0] == pytest.approx(1.0 - math.log(2.0) / 2.0, rel=1e-14)


# Identities


@pytest.mark.parametrize("eta", ETAS)
def test_performance_difference_is_a_divergence_under_either_occupancy(random_mdp, eta):
    for seed in range(6):
        problem = random_mdp(seed, eta, zeros=seed % 2 == 1)
        plan, policy = plan_of(problem), some_policy(problem, seed)
        best = np.exp(plan.log_policy)
        lost = float(problem.start @ plan.value[0]) - worth(problem, policy)
        own, star = (occupancies(problem.transition, problem.start, p).sum(axis=-1) for p in (policy, best))
        assert (own * kl(policy, best)).sum() / eta == pytest.approx(lost, rel=1e-10, abs=1e-10)
        q = evaluate(problem.transition, problem.reward, problem.reference, eta, policy)[1]
        soft = np.exp(np.stack([backup_rows(q[h], problem.reference[h], eta)[1] for h in range(3)]))
        first, second = (star * kl(policy, soft)).sum() / eta, (star * kl(best, soft)).sum() / eta
        assert first - second == pytest.approx(lost, rel=1e-10, abs=1e-10)
        assert lost <= first + 1e-12 and second > 0.0


@pytest.mark.parametrize("eta", ETAS)
def test_divergence_of_soft_policies_is_a_bregman_divergence_and_quadratic_one_sidedly(eta):
    g = np.random.default_rng(4)
    for _ in range(50):
        reference, star = g.dirichlet(np.ones(4), size=5), g.random((5, 4))
        up = star + g.random((5, 4)) * 10.0 ** g.uniform(-3, 0)
        for hat in (up, 2.0 * star - up, star + g.normal(size=(5, 4))):
            (v, log_p), (w, log_q) = (backup_rows(q, reference, eta) for q in (star, hat))
            p, q = np.exp(log_p), np.exp(log_q)
            divergence = kl(q, p) / eta
            np.testing.assert_allclose(divergence, v - w - (q * (star - hat)).sum(axis=1), atol=1e-10)
            squares = (star - hat) ** 2
            if hat is up:
                assert (divergence <= 0.5 * eta * (q * squares).sum(axis=1) + 1e-13).all()
            elif (hat <= star).all():
                assert (divergence <= 0.5 * eta * (p * squares).sum(axis=1) + 1e-13).all()


@pytest.mark.parametrize("eta", ETAS)
def test_optimistic_action_values_lose_at_most_their_squared_errors(random_mdp, eta):
    broken = 0
    for seed in range(30):
        problem, g = random_mdp(seed, eta), np.random.default_rng(seed)
        plan, over = plan_of(problem), 10.0 ** g.uniform(-3, 0) * g.random(problem.reward.shape)
        for away in (over, -3.0 * (plan.q == plan.q.max(axis=-1, keepdims=True))):
            hat = plan.q + away
            policy = np.exp(np.stack([backup_rows(hat[h], problem.reference[h], eta)[1] for h in range(3)]))
            lost = float(problem.start @ plan.value[0]) - worth(problem, policy)
            bound = 0.5 * eta * (occupancies(problem.transition, problem.start, policy) * away**2).sum()
            if away is over:
                assert lost <= bound + 1e-12
            else:
                broken += lost > bound
    assert broken > 0 or eta < 1.0  # control: pessimism about the best action loses more


@pytest.mark.parametrize("eta", ETAS)
def test_rewards_of_any_trajectory_are_value_plus_log_ratios_plus_martingale(random_mdp, eta):
    problem, g = random_mdp(3, eta), np.random.default_rng(0)
    plan, H = plan_of(problem), 3
    for _ in range(50):
        s, a = g.integers(3, size=H + 1), g.integers(3, size=H)
        h = np.arange(H)
        ratios = (plan.log_policy - np.log(problem.reference))[h, s[:-1], a] / eta
        ahead = (problem.transition[h, s[:-1], a] * plan.value[1:]).sum(axis=-1)
        total = plan.value[0, s[0]] + (ratios + plan.value[h + 1, s[1:]] - ahead).sum()
        assert total == pytest.approx(problem.reward[h, s[:-1], a].sum(), abs=1e-10)
