"""Matrix games with KL, against hand calculation, brute force, enumeration and the theorems of their solvers."""

from __future__ import annotations

import hashlib
import itertools
import math
import time

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from banditlab import equilibrium as eq
from banditlab.jit import jit

ITERATIVE = [
    eq.best_response_iteration,
    eq.multiplicative_weights,
    eq.nash_md,
    eq.magnetic_mirror_descent,
    eq.extragradient,
]


def rps(gap, dominated=0):
    """Rock, paper, scissors: each beats the next one by `gap`, and all of them beat the dominated arms by it."""
    P = np.full((3 + dominated, 3 + dominated), 0.5)
    P[:3, :3] += gap * np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]])
    P[:3, 3:] += gap
    P[3:, :3] -= gap
    return P


def random_preference(rng, K):
    A = rng.uniform(-0.5, 0.5, (K, K))
    return 0.5 + 0.5 * (A - A.T)


def kl(log_p, log_q):
    return float(np.sum(np.exp(log_p) * (log_p - log_q)))


def divergences(solution, path):
    """KL(pi* || pi_t) of every iterate."""
    return np.array([kl(solution.log_policy, row) for row in path.log_policies])


REFERENCE = np.array([0.6, 0.3, 0.1])


# -----------------------------------------------------------------------------------------------------------
# By hand
# -----------------------------------------------------------------------------------------------------------


def test_two_arms_by_hand():
    """p = P[0, 1] = 3/4 and eta = 4: A pi = (pi_1, -pi_0) / 4, so log(pi_0 / pi_1) = log(ref_0 / ref_1) + 1."""
    P = np.array([[0.5, 0.75], [0.25, 0.5]])
    solution = eq.newton(P, [0.2, 0.8], 4.0)
    expected = 0.25 * math.e / (0.25 * math.e + 1.0)
    assert math.exp(solution.log_policy[0]) == pytest.approx(expected, rel=1e-12)
    response = eq.best_response(P, [1.0, 0.0], [0.2, 0.8], 4.0)  # odds 1/4 e^(4 (1/2 - 1/4))
    np.testing.assert_allclose(np.exp(response), [expected, 1.0 - expected], rtol=1e-12)


def test_the_cycle_with_uniform_reference_has_the_uniform_equilibrium():
    for eta in (0.1, 10.0, 1000.0):
        np.testing.assert_allclose(eq.newton(rps(0.4), [1 / 3] * 3, eta).log_policy, math.log(1 / 3), rtol=1e-12)


def test_without_kl_the_gap_is_the_best_arms_win_rate_beyond_one_half():
    P = rps(0.4, 1)
    pi = np.array([0.5, 0.25, 0.0, 0.25])  # A pi = .4 (.25 + .25, .25 - .5, .25, -.75)
    assert eq.exploitability(P, pi) == pytest.approx(0.2, rel=1e-12)
    with np.errstate(divide="ignore"):
        assert eq.one_sided_gap(P, np.log(pi), np.full(4, 0.25), math.inf) == pytest.approx(0.2, rel=1e-12)


# -----------------------------------------------------------------------------------------------------------
# Gaps against brute force
# -----------------------------------------------------------------------------------------------------------


def softmin(objective, size):
    """The least value over the simplex, by a quasi-Newton method in logits."""

    def value(u):
        q = np.exp(u - u.max())
        return objective(q / q.sum())

    return minimize(value, np.zeros(size), method="BFGS", options={"gtol": 1e-9}).fun


@pytest.mark.parametrize("eta", [0.3, 2.0, 10.0])
def test_the_one_sided_gap_is_what_the_best_opponent_wins(eta):
    rng = np.random.default_rng(3)
    for K in (2, 3, 5):
        P, ref, pi = random_preference(rng, K), rng.dirichlet(np.full(K, 2.0)), rng.dirichlet(np.full(K, 2.0))

        def value(q, P=P, ref=ref, pi=pi):
            return pi @ P @ q - pi @ np.log(pi / ref) / eta + q @ np.log(np.maximum(q, 1e-300) / ref) / eta

        assert eq.one_sided_gap(P, np.log(pi), ref, eta) == pytest.approx(0.5 - softmin(value, K), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("row_eta, column_eta", [(1.0, 3.0), (10.0, 2.0)])
def test_the_duality_gap_is_the_two_best_responses_difference(row_eta, column_eta):
    rng = np.random.default_rng(4)
    for m, n in ((2, 4), (4, 3)):
        A = rng.uniform(-1, 1, (m, n))
        x0, y0, x, y = (rng.dirichlet(np.full(k, 2.0)) for k in (m, n, m, n))

        def value(p, q, A=A, x0=x0, y0=y0):
            p, q = np.maximum(p, 1e-300), np.maximum(q, 1e-300)
            return p @ A @ q - p @ np.log(p / x0) / row_eta + q @ np.log(q / y0) / column_eta

        brute = -softmin(lambda p, y=y, v=value: -v(p, y), m) - softmin(lambda q, x=x, v=value: v(x, q), n)
        gap = eq.duality_gap(A, np.log(x), np.log(y), x0, y0, row_eta, column_eta)
        assert gap == pytest.approx(brute, rel=1e-6, abs=1e-9)


def test_the_duality_gap_of_a_symmetric_pair_is_twice_the_one_sided_gap():
    rng = np.random.default_rng(5)
    P, ref, pi = random_preference(rng, 4), rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4))
    for eta in (0.5, 20.0, math.inf):
        one = eq.one_sided_gap(P, np.log(pi), ref, eta)
        assert eq.duality_gap(P - 0.5, np.log(pi), np.log(pi), ref, ref, eta) == pytest.approx(2 * one, rel=1e-12)


def test_small_gaps_keep_their_relative_accuracy():
    """Near the equilibrium the gap is Var_pi(log BR - log pi) / (2 eta), the square of a move."""
    rng = np.random.default_rng(6)
    P, ref = random_preference(rng, 4), rng.dirichlet(np.full(4, 3.0))
    log_nash, move = eq.newton(P, ref, 5.0).log_policy, rng.normal(size=4)
    for size in (1e-4, 1e-6):
        log_pi = log_nash + size * move
        log_pi -= np.log(np.exp(log_pi).sum())
        d = -(np.eye(4) - 5.0 * (P - 0.5) * np.exp(log_nash)) @ (move - np.exp(log_nash) @ move)
        d -= np.exp(log_nash) @ d
        expected = size * size * np.exp(log_nash) @ (d * d) / 10.0
        assert eq.one_sided_gap(P, log_pi, ref, 5.0) == pytest.approx(expected, rel=20.0 * size + 1e-5, abs=0.0)


# -----------------------------------------------------------------------------------------------------------
# Newton
# -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("eta", [0.01, 1.0, 10.0, 100.0, 1000.0])
def test_newton_solves_the_fixed_point(eta):
    rng = np.random.default_rng(7)
    for K in (1, 2, 5, 12, 30):
        P, ref = random_preference(rng, K), rng.dirichlet(np.full(K, 0.5)) + 1e-9
        ref /= ref.sum()
        solution = eq.newton(P, ref, eta)
        u = np.log(ref) + eta * (P - 0.5) @ np.exp(solution.log_policy)
        fixed = u - u.max() - np.log(np.exp(u - u.max()).sum())
        assert np.abs(fixed - solution.log_policy).max() < 1e-10
        assert 0.0 <= solution.gap < 1e-18 and solution.residual < 1e-10


@pytest.mark.parametrize("eta", [100.0, 1000.0, 10_000.0])
def test_newton_settles_arms_too_unlikely_for_the_gap_to_see(eta):
    rng = np.random.default_rng(15)
    rarest = 0.0
    for _ in range(60):
        K = int(rng.integers(2, 12))
        r, ref = 3 * rng.normal(size=K), rng.dirichlet(np.full(K, 0.5)) + 1e-12
        P = 1 / (1 + np.exp(np.subtract.outer(-r, -r)))
        solution = eq.newton(0.5 + 0.5 * (P - P.T), ref / ref.sum(), eta)
        response = eq.best_response(P, np.exp(solution.log_policy), ref / ref.sum(), eta)
        np.testing.assert_allclose(response, solution.log_policy, atol=1e-9)
        rarest = min(rarest, solution.log_policy.min())
    assert rarest < -30.0


@pytest.mark.parametrize("eta", [1.0, 10.0, 100.0, 1000.0, 10000.0])
def test_newton_game_certifies_two_player_equilibria(eta):
    rng = np.random.default_rng(8)
    for m, n in ((1, 3), (2, 2), (3, 7), (7, 3), (10, 10)):
        A = rng.uniform(0, 1, (m, n))
        x0, y0 = rng.dirichlet(np.ones(m)), rng.dirichlet(np.ones(n))
        solution = eq.newton_game(A, x0, y0, eta, 0.5 * eta)
        x, y = np.exp(solution.log_row), np.exp(solution.log_column)
        assert solution.gap < 1e-14
        assert eq.duality_gap(A, solution.log_row, solution.log_column, x0, y0, eta, 0.5 * eta) < 1e-14
        np.testing.assert_allclose(eq.best_response(A, y, x0, eta), solution.log_row, atol=1e-9)
        np.testing.assert_allclose(eq.best_response(-A.T, x, y0, 0.5 * eta), solution.log_column, atol=1e-9)


def test_a_start_near_the_solution_saves_steps_and_a_poor_one_does_no_harm():
    rng = np.random.default_rng(9)
    P, Q = (random_preference(rng, 6) for _ in range(2))
    ref = rng.dirichlet(np.ones(6))
    cold = eq.newton(P, ref, 50.0)
    near = eq.newton(0.999 * P + 0.001 * Q, ref, 50.0, start=np.exp(cold.log_policy))
    assert near.steps <= 4 < cold.steps
    poor = eq.newton(P, ref, 50.0, start=np.array([1 - 5e-9, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9]))
    np.testing.assert_allclose(poor.log_policy, cold.log_policy, atol=1e-9)
    game = eq.newton_game(
        P - 0.5, ref, ref, 50.0, row_start=np.exp(cold.log_policy), column_start=np.exp(cold.log_policy)
    )
    assert game.steps <= 1
    np.testing.assert_allclose(game.log_column, cold.log_policy, atol=1e-9)


def test_the_one_sided_gap_of_a_plug_in_nash_policy_is_below_its_bound():
    """With D = (P - Phat) pihat: gap = log E_pihat e^(eta D) / eta <= eta (max D - min D)^2 / 8, and <= the range."""
    rng = np.random.default_rng(10)
    for eta in (1.0, 10.0, 50.0):
        for _ in range(20):
            P, other = random_preference(rng, 5), random_preference(rng, 5)
            ref = rng.dirichlet(np.ones(5))
            estimate = 0.7 * P + 0.3 * other
            log_pi = eq.newton(estimate, ref, eta).log_policy
            pi = np.exp(log_pi)
            D = (P - estimate) @ pi
            gap = eq.one_sided_gap(P, log_pi, ref, eta)
            assert pi @ D == pytest.approx(0.0, abs=1e-12)
            assert gap == pytest.approx(math.log(pi @ np.exp(eta * D)) / eta, rel=1e-6)
            assert gap <= min(eta * np.ptp(D) ** 2 / 8.0, np.ptp(D)) * (1 + 1e-9)


# -----------------------------------------------------------------------------------------------------------
# Iterations: agreement, theorems, measured numbers
# -----------------------------------------------------------------------------------------------------------


def test_all_solvers_agree():
    rng = np.random.default_rng(11)
    for _ in range(5):
        P, ref = random_preference(rng, 4), rng.dirichlet(np.full(4, 2.0))
        solution = eq.newton(P, ref, 1.0)
        for solve in (eq.best_response_iteration, eq.magnetic_mirror_descent, eq.extragradient):
            path = solve(P, ref, 1.0, steps=400)
            np.testing.assert_allclose(path.log_policies[-1], solution.log_policy, atol=1e-12)
            assert path.gaps[-1] < 1e-24
        path = eq.nash_md(P, ref, 1.0, steps=400)
        np.testing.assert_allclose(path.log_policies[-1], solution.log_policy, atol=1e-2)
        path = eq.nash_md(P, ref, 1.0, steps=400, step_size=0.1)  # its fixed point is off by O(step)
        np.testing.assert_allclose(path.log_policies[-1], solution.log_policy, atol=0.1)


def test_the_first_step_of_every_solver_by_its_formula():
    P, eta, a = rps(0.4), 2.0, 0.5
    start = np.array([0.2, 0.5, 0.3])

    def power(base, gains):
        w = base * np.exp(gains)
        return w / w.sum()

    mid = power(start ** (1 - a / eta) * REFERENCE ** (a / eta), a * (P @ start))
    mu = power(start ** (1 - a / eta) * REFERENCE ** (a / eta), np.zeros(3))
    w = 1 / (1 + a / eta)
    expected = {
        eq.best_response_iteration: power(start ** (1 - a) * REFERENCE**a, a * eta * (P @ start)),
        eq.multiplicative_weights: power(start, a * (P @ start)),
        eq.nash_md: power(mu, a * (P @ mu)),
        eq.magnetic_mirror_descent: power(start**w * REFERENCE ** (w * a / eta), w * a * (P @ start)),
        eq.extragradient: power(start ** (1 - a / eta) * REFERENCE ** (a / eta), a * (P @ mid)),
    }
    for solve, policy in expected.items():
        path = solve(P, REFERENCE, eta, steps=1, step_size=a, start=start)
        np.testing.assert_allclose(np.exp(path.log_policies), [start, policy], rtol=1e-12)
        np.testing.assert_allclose(path.averages, [start, 0.5 * (start + policy)], rtol=1e-12)
        np.testing.assert_allclose(path.gaps, eq.one_sided_gap(P, path.log_policies, REFERENCE, eta), rtol=1e-12)
        assert path.average_gaps[1] == pytest.approx(
            eq.one_sided_gap(P, np.log(path.averages[1]), REFERENCE, eta), rel=1e-9
        )


def test_the_guarantees_hold_on_random_games():
    rng = np.random.default_rng(12)
    for trial in range(12):
        K = int(rng.integers(2, 7))
        P, ref = random_preference(rng, K), rng.dirichlet(np.ones(K))
        eta = float([0.5, 3.0, 20.0][trial % 3])
        L = np.abs(P - 0.5).max()
        solution, t = eq.newton(P, ref, eta), np.arange(201)
        rounding = 1e-13
        mmd = divergences(solution, eq.magnetic_mirror_descent(P, ref, eta, steps=200))
        assert (mmd <= mmd[0] * (1 + 1 / (eta * L) ** 2) ** (-t) + rounding).all()
        extra = divergences(solution, eq.extragradient(P, ref, eta, steps=200))
        assert (extra <= extra[0] * (1 - 1 / (2 + 4 * eta * L)) ** t + rounding).all()
        fastest = 1 / (1 / eta + L)
        extra = divergences(solution, eq.extragradient(P, ref, eta, steps=200, step_size=fastest))
        assert (extra <= extra[0] * (1 - fastest / eta) ** t + rounding).all()
        md = divergences(solution, eq.nash_md(P, ref, eta, steps=200))
        assert (md[1:] <= eta * eta / (2 * (t[1:] + 1.0))).all()
        hedge = eq.multiplicative_weights(P, ref, math.inf, steps=200)
        assert hedge.average_gaps[-1] <= math.sqrt(-math.log(ref.min()) / (2 * 201))


def test_the_last_iterate_of_multiplicative_weights_and_a_long_mirror_step_miss_the_guarantees():
    hedge = eq.multiplicative_weights(rps(0.4), REFERENCE, math.inf, steps=10_000)
    bound = math.sqrt(-math.log(0.1) / (2 * 10_001))
    assert hedge.average_gaps[-1] <= bound < hedge.gaps[-1]
    long = eq.magnetic_mirror_descent(rps(0.4), REFERENCE, 100.0, steps=2000, step_size=2.0)
    assert long.gaps[-1] > 0.3


@pytest.mark.parametrize(
    "solve, eta, iterations",
    [
        (eq.magnetic_mirror_descent, 2.0, 12),
        (eq.magnetic_mirror_descent, 10.0, 207),
        (eq.extragradient, 2.0, 45),
        (eq.extragradient, 10.0, 166),
        (eq.extragradient, 100.0, 671),
    ],
)
def test_iterations_to_a_divergence_of_1e_10_on_rock_paper_scissors(solve, eta, iterations):
    path = solve(rps(0.4), REFERENCE, eta, steps=iterations)
    reached = divergences(eq.newton(rps(0.4), REFERENCE, eta), path) < 1e-10
    assert reached[-1] and not reached[:-1].any()


@pytest.mark.parametrize("eta, measured", [(2.0, 8.2e-9), (10.0, 2.31e-7), (100.0, 1.96e-2)])
def test_nash_md_after_2000_iterations_on_rock_paper_scissors(eta, measured):
    path = eq.nash_md(rps(0.4), REFERENCE, eta, steps=2000)
    assert kl(eq.newton(rps(0.4), REFERENCE, eta).log_policy, path.log_policies[-1]) == pytest.approx(
        measured, rel=0.01
    )


def test_the_averages_gaps_of_multiplicative_weights_at_the_step_of_a_uniform_start():
    """sqrt(8 log K / T) from (.6, .2, .1, .1), the average over the T policies from the start on."""
    for T, measured in ((100, 0.0083), (1000, 0.0114), (10_000, 0.0008)):
        path = eq.multiplicative_weights(
            rps(0.4, 1), [0.6, 0.2, 0.1, 0.1], math.inf, steps=T - 1, step_size=math.sqrt(8 * math.log(4) / T)
        )
        assert path.average_gaps[-1] == pytest.approx(measured, abs=6e-5)
        assert path.gaps[-1] > 0.1


@pytest.mark.parametrize("gap", [0.2, 0.4])
def test_best_response_iteration_converges_below_sqrt_3_over_the_gap_only(gap):
    threshold = math.sqrt(3.0) / gap
    A = rps(gap) - 0.5
    jacobian = threshold * A @ (np.eye(3) / 3 - np.ones((3, 3)) / 9)
    assert np.abs(np.linalg.eigvals(jacobian)).max() == pytest.approx(1.0, rel=1e-9)
    start = [0.34, 0.33, 0.33]
    below = eq.best_response_iteration(rps(gap), [1 / 3] * 3, 0.97 * threshold, steps=2000, start=start)
    above = eq.best_response_iteration(rps(gap), [1 / 3] * 3, 1.03 * threshold, steps=2000, start=start)
    assert below.gaps[-1] < 1e-20 < 1e-3 < above.gaps[-1]


def test_a_damped_best_response_iteration_is_magnetic_mirror_descent():
    damped = eq.best_response_iteration(rps(0.4), REFERENCE, 10.0, steps=20, step_size=0.2)
    mirror = eq.magnetic_mirror_descent(rps(0.4), REFERENCE, 10.0, steps=20, step_size=2.5)
    np.testing.assert_allclose(damped.log_policies, mirror.log_policies, rtol=1e-12)


def test_a_game_of_ties_is_at_its_equilibrium_from_the_start():
    for solve in ITERATIVE:
        path = solve(np.full((3, 3), 0.5), REFERENCE, 2.0, steps=5)
        np.testing.assert_allclose(np.exp(path.log_policies), np.tile(REFERENCE, (6, 1)), rtol=1e-12)
        assert path.gaps.max() < 1e-30
    one = eq.multiplicative_weights([[0.5]], [1.0], 1.0, steps=3)
    np.testing.assert_array_equal(one.log_policies, np.zeros((4, 1)))


# -----------------------------------------------------------------------------------------------------------
# The von Neumann winner
# -----------------------------------------------------------------------------------------------------------


def test_the_von_neumann_winner_of_three_arms_is_found_by_enumeration():
    """Of three arms either one beats both others, or the winner is (A_12, -A_02, A_01), up to scale."""
    rng = np.random.default_rng(13)
    kinds = set()
    for _ in range(40):
        P = random_preference(rng, 3)
        A = P - 0.5
        best = [np.eye(3)[a] for a in range(3) if A[a].min() >= 0]
        expected = best[0] if best else np.array([A[1, 2], -A[0, 2], A[0, 1]]) / (A[1, 2] - A[0, 2] + A[0, 1])
        kinds.add(bool(best))
        np.testing.assert_allclose(eq.von_neumann_winner(P), expected, atol=1e-9)
    assert kinds == {False, True}


def test_no_arm_beats_the_von_neumann_winner():
    rng = np.random.default_rng(14)
    for K in (1, 2, 6, 15):
        P = random_preference(rng, K)
        assert eq.exploitability(P, eq.von_neumann_winner(P)) == pytest.approx(0.0, abs=1e-9)
    for a, b in itertools.combinations(range(3), 2):  # control: no mixture of two arms of a cycle
        assert eq.exploitability(rps(0.4), (np.eye(3)[a] + np.eye(3)[b]) / 2) > 0.1


# -----------------------------------------------------------------------------------------------------------
# Nash equilibria without KL
# -----------------------------------------------------------------------------------------------------------


def random_game(kind, shape, rng):
    """Games that a simplex method finds hard: ties, low rank, extreme scales, nearly equal rows and columns."""
    m, n = shape
    U = rng.uniform(size=shape)
    if kind == "zero or one":
        return np.round(U)
    if kind == "tenths":
        return np.round(U, 1)
    if kind == "rank two":
        return rng.normal(size=(m, 2)) @ rng.normal(size=(2, n))
    if kind == "scale 1e8":
        return 1e8 * (U - 0.3)
    if kind == "range 1e-9":
        return 1.0 + 1e-9 * U
    if kind == "clipped":
        return np.clip(3.0 * U - 1.0, 0.0, 1.0)
    if kind == "log-normal":
        return np.exp(6.0 * rng.normal(size=shape))
    if kind == "nearly tied":
        return np.round(U) + 1e-7 * rng.uniform(size=shape)
    if kind == "nearly equal":
        twins = U[rng.integers(0, max(m // 2, 1), m)][:, rng.integers(0, max(n // 2, 1), n)]
        return twins + 10.0 ** -rng.integers(5, 16) * rng.uniform(size=shape)
    return U


KINDS = [
    "uniform",
    "zero or one",
    "tenths",
    "rank two",
    "scale 1e8",
    "range 1e-9",
    "clipped",
    "log-normal",
    "nearly tied",
    "nearly equal",
]
SHAPES = [(1, 1), (1, 4), (4, 1), (2, 2), (3, 8), (8, 3), (5, 5), (10, 10), (17, 20)]


def relative_gap(A, x, y):
    """The duality gap over the range, on the exactly shifted payoffs."""
    B = A - A.min()
    return ((B @ y).max() - (x @ B).min()) / (np.ptp(A) or 1.0)


def highs(A):
    """Value and row policy by linear programming: max v subject to p' A >= v."""
    m, n = A.shape
    found = linprog(
        np.append(np.zeros(m), -1.0),
        A_ub=np.column_stack([-A.T, np.ones(n)]),
        b_ub=np.zeros(n),
        A_eq=np.append(np.ones(m), 0.0)[None, :],
        b_eq=[1.0],
        bounds=[(0.0, None)] * m + [(None, None)],
        method="highs",
    )
    return -found.fun, found.x[:m], -found.ineqlin.marginals


def test_nash_of_small_games_by_hand():
    found = eq.nash([[3.0, 0.0], [1.0, 2.0]])  # indifference: 3 p + (1 - p) = 2 (1 - p), 3 q = q + 2 (1 - q)
    np.testing.assert_allclose(found.row, [0.25, 0.75], rtol=1e-14)
    np.testing.assert_allclose(found.column, [0.5, 0.5], rtol=1e-14)
    assert found.value == pytest.approx(1.5, rel=1e-14) and found.gap < 1e-15
    found = eq.nash([[1.0, -2.0, 7.0], [2.0, 4.0, 3.0]])  # a saddle point: row 1 dominates, column 0 answers it
    np.testing.assert_array_equal(found.row, [0.0, 1.0])
    np.testing.assert_array_equal(found.column, [1.0, 0.0, 0.0])
    assert found.value == pytest.approx(2.0, rel=1e-14) and found.gap == 0.0
    cycle = eq.nash(rps(0.4, 2) - 0.5)
    np.testing.assert_allclose(cycle.row, [1 / 3, 1 / 3, 1 / 3, 0.0, 0.0], rtol=1e-14)
    assert cycle.value == pytest.approx(0.0, abs=1e-15)


def test_games_of_one_row_one_column_or_one_payoff():
    row, column = eq.nash([[3.0, 1.0, 2.0]]), eq.nash([[3.0], [1.0], [4.0]])
    assert (row.value, row.gap, list(row.row), list(row.column)) == (1.0, 0.0, [1.0], [0.0, 1.0, 0.0])
    assert (column.value, column.gap, list(column.row), list(column.column)) == (4.0, 0.0, [0.0, 0.0, 1.0], [1.0])
    constant = eq.nash(np.full((2, 4), -7.0))
    assert (constant.value, constant.gap) == (-7.0, 0.0)
    np.testing.assert_array_equal(constant.row, [0.5] * 2)
    np.testing.assert_array_equal(constant.column, [0.25] * 4)
    assert eq.nash([[5.0]])[2:] == (5.0, 0.0)


def test_the_security_levels_by_hand():
    A = np.array([[3.0, 0.0], [1.0, 2.0]])
    half = np.array([0.5, 0.5])  # p' A = (2, 1), A q = (1.5, 1.5)
    assert eq.security(A, 0.0, half, half) == (1.0, 1.5)
    assert eq.security(A, 1.0, half, half) == (0.0, 0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_nash_closes_the_gap_to_1e_9_of_the_range_and_agrees_with_highs(kind):
    rng = np.random.default_rng(21)
    for trial in range(300):
        A = random_game(kind, SHAPES[trial % len(SHAPES)], rng)
        found = eq.nash(A)
        extent = np.ptp(A)
        assert min(found.row.min(), found.column.min()) >= 0.0
        assert max(abs(found.row.sum() - 1.0), abs(found.column.sum() - 1.0)) < 1e-14
        assert relative_gap(A, found.row, found.column) <= 1e-9
        assert found.gap == pytest.approx(relative_gap(A, found.row, found.column) * extent, abs=1e-14 * extent)
        if trial < 40 and extent > 0.0:
            value, _, _ = highs((A - A.min()) / extent)
            assert (found.value - A.min()) / extent == pytest.approx(value, abs=2e-7 + 1e-15 / extent)


def test_a_linear_program_on_payoffs_as_they_are_misses_games_of_range_1e_9():
    """The control: absolute tolerances, which rescaling removes, leave a gap of the order of the range."""
    rng = np.random.default_rng(22)
    worst = 0.0
    for _ in range(20):
        A = random_game("range 1e-9", (5, 5), rng)
        _, x, y = highs(A)
        worst = max(worst, relative_gap(A, np.maximum(x, 0) / np.maximum(x, 0).sum(), y / y.sum()))
        assert relative_gap(A, *eq.nash(A)[:2]) < 1e-12
    assert worst > 0.01


def test_the_value_moves_with_shifts_scales_and_the_exchange_of_players():
    rng = np.random.default_rng(23)
    for _ in range(20):
        A = rng.uniform(-1, 1, (4, 6))
        value = eq.nash(A).value
        assert eq.nash(A + 3.0).value == pytest.approx(value + 3.0, rel=1e-13)
        assert eq.nash(7.0 * A).value == pytest.approx(7.0 * value, rel=1e-12, abs=1e-14)
        assert eq.nash(-A.T).value == pytest.approx(-value, rel=1e-12, abs=1e-14)
        assert A.min(axis=1).max() - 1e-15 <= value <= A.max(axis=0).min() + 1e-15
        other = A + rng.uniform(-0.1, 0.1, A.shape)
        assert abs(eq.nash(other).value - value) <= np.abs(other - A).max()


def test_payoffs_that_are_not_finite_are_refused_inside_kernels_too():
    work = eq.simplex(2, 2)
    for bad in (math.nan, math.inf, -math.inf):
        assert not eq.minimax(np.array([[0.0, bad], [1.0, 2.0]]), work)
        assert work.status[1] == math.inf and math.isnan(work.status[0])
        np.testing.assert_array_equal(work.row, [0.5, 0.5])
    assert not eq.minimax(np.array([[0.0, 1e308], [-1e308, 0.0]]), work)
    assert eq.minimax(np.array([[3.0, 0.0], [1.0, 2.0]]), work)  # and leave nothing behind
    assert work.status[0] == pytest.approx(1.5, rel=1e-14)


@jit
def solve_all(games, work, gaps):
    for k in range(games.shape[0]):
        eq.minimax(games[k], work)
        gaps[k] = work.status[1]


def test_a_game_of_five_arms_takes_at_most_10_microseconds_inside_a_kernel():
    games, work, gaps = np.random.default_rng(24).uniform(size=(500, 5, 5)), eq.simplex(5, 5), np.empty(500)
    solve_all(games, work, gaps)
    spent = []
    for _ in range(5):
        start = time.process_time()
        solve_all(games, work, gaps)
        spent.append(time.process_time() - start)
    assert min(spent) / len(games) < 10e-6


def test_games_of_twins_that_differ_by_1e_10_have_no_failures():
    """Bases of condition 1e10: in single precision, or with looser ties, some gaps are of the order of the range."""
    rng = np.random.default_rng(30)
    U = rng.uniform(size=(20_000, 3, 3))
    twins = U[:, [0, 0, 1, 1, 2]][:, :, [0, 0, 1, 1, 2]] + 1e-10 * rng.uniform(size=(20_000, 5, 5))
    gaps = np.empty(len(twins))
    solve_all(twins, eq.simplex(5, 5), gaps)
    assert (gaps <= 1e-9 * np.ptp(twins, axis=(1, 2))).all()


def fingerprint():
    """Digest of solutions with KL and without, in single and in twice the precision."""
    rng, digest = np.random.default_rng(25), hashlib.sha256()
    for kind in KINDS:
        for shape in ((2, 3), (6, 5), (8, 8)):
            for part in eq.nash(random_game(kind, shape, rng)):
                digest.update(np.asarray(part).tobytes())
    for part in eq.newton_game(rng.uniform(size=(3, 4)), *([1 / k] * k for k in (3, 4)), 20.0):
        digest.update(np.asarray(part).tobytes())
    return digest.hexdigest()


def test_same_bits_without_the_compiler(python):
    uncompiled, _ = python(
        "import json, test_equilibrium as t; print(json.dumps(t.fingerprint()))", NUMBA_DISABLE_JIT=1
    )
    assert fingerprint() == uncompiled


# -----------------------------------------------------------------------------------------------------------
# The KL equilibrium of two players
# -----------------------------------------------------------------------------------------------------------


def regularized_value(A, log_x, log_y, x0, y0, e, f):
    x, y = np.exp(log_x), np.exp(log_y)
    return x @ A @ y - x @ (log_x - np.log(x0)) / e + y @ (log_y - np.log(y0)) / f


def best_values(A, log_x, log_y, x0, y0, e, f):
    """max_p V(p, y) and min_q V(x, q) by their closed forms."""
    x, y = np.exp(log_x), np.exp(log_y)
    up, down = np.log(x0) + e * A @ y, np.log(y0) - f * A.T @ x
    return (
        np.logaddexp.reduce(up) / e + y @ (log_y - np.log(y0)) / f,
        -np.logaddexp.reduce(down) / f - x @ (log_x - np.log(x0)) / e,
    )


@pytest.mark.parametrize("e, f", [(1.0, 3.0), (20.0, 20.0), (100.0, 5.0)])
def test_identities_of_the_regularized_game(e, f):
    rng = np.random.default_rng(26)
    for _ in range(10):
        m, n = rng.integers(1, 6, size=2)
        A, x0, y0 = rng.uniform(-1, 1, (m, n)), rng.dirichlet(np.full(m, 2.0)), rng.dirichlet(np.full(n, 2.0))
        log_x, log_y = np.log(rng.dirichlet(np.full(m, 2.0))), np.log(rng.dirichlet(np.full(n, 2.0)))
        nash = eq.newton_game(A, x0, y0, e, f)
        value = regularized_value(A, nash.log_row, nash.log_column, x0, y0, e, f)
        upper, lower = best_values(A, log_x, log_y, x0, y0, e, f)
        gap = eq.duality_gap(A, log_x, log_y, x0, y0, e, f)
        responses = eq.best_response(A, np.exp(log_y), x0, e), eq.best_response(-A.T, np.exp(log_x), y0, f)
        assert gap == pytest.approx(upper - lower, rel=1e-11, abs=1e-13)
        assert gap >= kl(log_x, nash.log_row) / e + kl(log_y, nash.log_column) / f
        assert upper - value == pytest.approx(
            kl(log_y, nash.log_column) / f + kl(nash.log_row, responses[0]) / e, rel=1e-9, abs=1e-12
        )
        assert value - lower == pytest.approx(
            kl(log_x, nash.log_row) / e + kl(nash.log_column, responses[1]) / f, rel=1e-9, abs=1e-12
        )
        assert A.min() - 1e-12 <= value <= A.max() + 1e-12


def test_the_regularized_value_is_near_the_value_without_kl_and_moves_with_shift_scale_and_payoff():
    rng = np.random.default_rng(27)
    for eta in (1.0, 10.0, 1000.0):
        for _ in range(10):
            A, x0, y0 = rng.uniform(-1, 1, (3, 5)), rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(5))

            def value(A, eta, x0=x0, y0=y0):
                found = eq.newton_game(A, x0, y0, eta)
                return regularized_value(A, found.log_row, found.log_column, x0, y0, eta, eta)

            V = value(A, eta)
            assert abs(V - eq.nash(A).value) <= max(-math.log(x0.min()), -math.log(y0.min())) / eta
            assert value(A + 2.0, eta) == pytest.approx(V + 2.0, rel=1e-12)
            assert value(4.0 * A, eta / 4.0) == pytest.approx(4.0 * V, rel=1e-10, abs=1e-12)
            other = A + rng.uniform(-0.1, 0.1, A.shape)
            assert abs(value(other, eta) - V) <= np.abs(other - A).max()


def test_a_preference_game_is_worth_one_half_and_both_players_agree():
    rng = np.random.default_rng(28)
    for eta in (1.0, 30.0):
        P, ref = random_preference(rng, 5), rng.dirichlet(np.ones(5))
        found = eq.newton_game(P, ref, ref, eta)
        np.testing.assert_allclose(found.log_row, found.log_column, atol=1e-10)
        np.testing.assert_allclose(found.log_row, eq.newton(P, ref, eta).log_policy, atol=1e-10)
        assert regularized_value(P, found.log_row, found.log_column, ref, ref, eta, eta) == pytest.approx(
            0.5, rel=1e-12
        )
        assert eq.nash(P).value == pytest.approx(0.5, rel=1e-14)


@pytest.mark.parametrize(
    "two, one",
    [
        (eq.magnetic_mirror_descent_game, eq.magnetic_mirror_descent),
        (eq.extragradient_game, eq.extragradient),
    ],
)
def test_both_players_of_a_preference_game_take_the_path_of_the_symmetric_iteration(two, one):
    for arguments in ({"steps": 50}, {"steps": 50, "step_size": 0.3}):
        path, symmetric = (
            two(rps(0.4), REFERENCE, REFERENCE, 5.0, **arguments),
            one(rps(0.4), REFERENCE, 5.0, **arguments),
        )
        np.testing.assert_allclose(path.log_rows, symmetric.log_policies, rtol=1e-11)
        np.testing.assert_allclose(path.log_columns, symmetric.log_policies, rtol=1e-11)
        np.testing.assert_allclose(path.gaps, 2.0 * symmetric.gaps, rtol=1e-9, atol=1e-25)


def test_the_first_step_of_two_players_by_its_formula():
    A, x0, y0 = np.array([[1.0, 0.0, 3.0], [0.0, 2.0, 1.0]]), np.array([0.3, 0.7]), np.array([0.2, 0.3, 0.5])

    def step(gain, ref, size):
        w = ref * np.exp(size * gain)
        return w / w.sum()

    mirror = eq.magnetic_mirror_descent_game(A, x0, y0, 2.0, steps=1, step_size=0.5)
    np.testing.assert_allclose(np.exp(mirror.log_rows), [x0, step(A @ y0, x0, 0.4)], rtol=1e-12)  # alpha / (1 + 1/4)
    np.testing.assert_allclose(np.exp(mirror.log_columns), [y0, step(-A.T @ x0, y0, 0.4)], rtol=1e-12)
    x, y = step(A @ y0, x0, 0.5), step(-A.T @ x0, y0, 0.5)
    extra = eq.extragradient_game(A, x0, y0, 2.0, steps=1, step_size=0.5)
    np.testing.assert_allclose(np.exp(extra.log_rows), [x0, step(A @ y, x0, 0.5)], rtol=1e-12)
    np.testing.assert_allclose(np.exp(extra.log_columns), [y0, step(-A.T @ x, y0, 0.5)], rtol=1e-12)


def test_the_guarantees_of_two_players_hold_on_random_games_of_different_action_counts():
    rng = np.random.default_rng(31)
    for trial in range(12):
        m, n = rng.integers(1, 6, size=2)
        A, x0, y0 = rng.uniform(2, 3, (m, n)), rng.dirichlet(np.ones(m)), rng.dirichlet(np.ones(n))
        eta, L, t = [0.5, 4.0, 20.0][trial % 3], max(np.ptp(A) / 2, 1e-3), np.arange(201)
        nash = eq.newton_game(A, x0, y0, eta)

        def distance(path, nash=nash):
            pairs = zip(path.log_rows, path.log_columns)
            return np.array([kl(nash.log_row, x) + kl(nash.log_column, y) for x, y in pairs])

        mirror = distance(eq.magnetic_mirror_descent_game(A, x0, y0, eta, steps=200, step_size=1 / (eta * L * L)))
        assert (mirror <= mirror[0] * (1 + 1 / (eta * L) ** 2) ** (-t) + 1e-13).all()
        for alpha in (1 / (2 / eta + 4 * L), 1 / (1 / eta + L)):
            path = eq.extragradient_game(A, x0, y0, eta, steps=200, step_size=alpha)
            assert (distance(path) <= distance(path)[0] * (1 - alpha / eta) ** t + 1e-13).all()
            assert path.gaps[-1] == pytest.approx(
                eq.duality_gap(A, path.log_rows[-1], path.log_columns[-1], x0, y0, eta), rel=1e-6, abs=1e-20
            )


def test_a_mirror_step_beyond_the_guarantee_does_not_converge():
    A, half = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([0.5, 0.5])
    start = np.array([0.3, 0.7])
    nash = eq.newton_game(A, start, half, 20.0)
    for size, converges in ((1 / 20.0, True), (2.0, False)):
        path = eq.magnetic_mirror_descent_game(A, start, half, 20.0, steps=20_000, step_size=size)
        assert (path.gaps[-1] < 1e-12) == converges
    assert nash.gap < 1e-14


def test_iterations_grow_with_eta_squared_for_mirror_descent_and_with_eta_for_extragradient():
    A, uniform = np.random.default_rng(32).uniform(size=(5, 5)), np.full(5, 0.2)
    for solve, most, slope in ((eq.magnetic_mirror_descent_game, 30_000, 2.0), (eq.extragradient_game, 2000, 1.0)):
        reached = [np.argmax(solve(A, uniform, uniform, eta, steps=most).gaps <= 1e-10) for eta in (10.0, 40.0)]
        assert reached[0] > 0 and math.log(reached[1] / reached[0], 4.0) == pytest.approx(slope, abs=0.3)


@pytest.mark.parametrize("eta", [1.0, 10.0, 100.0, 1e3, 1e4])
def test_newton_certifies_2000_games_with_adversarial_references(eta):
    """Gaps at most 1e-12, also by the difference of the two best values, up to its rounding."""
    rng = np.random.default_rng(29)
    worst = 0.0
    for trial in range(2000):
        m, n = rng.integers(2, 9, size=2)
        kind = ("uniform", "zero or one", "rank two", "antisymmetric", "constant")[trial % 5]
        if kind == "antisymmetric":
            A = random_preference(rng, m) - 0.5
        else:
            A = np.full((m, n), 0.3) if kind == "constant" else random_game(kind, (m, n), rng)
        x0, y0 = (rng.dirichlet(np.full(k, 0.5)) + 1e-12 for k in A.shape)
        x0, y0 = x0 / x0.sum(), y0 / y0.sum()
        found = eq.newton_game(A, x0, y0, eta)
        worst = max(worst, found.gap)
        upper, lower = best_values(A, found.log_row, found.log_column, x0, y0, eta, eta)
        assert abs(upper - lower) < 1e-12 * max(1.0, np.ptp(A))
    assert worst <= 1e-12


# -----------------------------------------------------------------------------------------------------------
# Errors
# -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([[0.5, 0.7], [0.4, 0.5]], [0.5, 0.5], 1.0), r"preference\[0, 1\]: 0.7 is not allowed, must be 1 - "),
        (([[0.6]], [1.0], 1.0), r"preference\[0, 0\]: 0.6 is not allowed"),
        ((np.full((2, 3), 0.5), [0.5, 0.5], 1.0), r"preference: shape \(2, 3\) is not allowed, must be square"),
        (([0.5, 0.5], [0.5, 0.5], 1.0), r"preference: shape \(2,\) is not allowed"),
        (([[0.5, np.nan], [0.5, 0.5]], [0.5, 0.5], 1.0), r"preference\[0, 1\]: nan is not allowed"),
        ((rps(0.4), [0.5, 0.5], 1.0), r"reference: expected 3 entries"),
        ((rps(0.4), [0.5, 0.5, 0.0], 1.0), r"reference\[2\]: 0 is not allowed"),
        ((rps(0.4), REFERENCE, 0.0), r"eta: 0 is not in \(0, inf\]"),
        ((rps(0.4), REFERENCE, -1.0), r"eta: -1 is not in"),
    ],
)
def test_errors_are_one_line_and_name_the_field(arguments, message):
    for solve in (eq.newton, *(lambda *a, f=f: f(*a, steps=3) for f in ITERATIVE)):
        with pytest.raises(ValueError, match=message) as error:
            solve(*arguments)
        assert "\n" not in str(error.value)


def test_errors_of_the_other_arguments():
    for solve in (eq.newton, *(lambda *a, f=f: f(*a, steps=3) for f in ITERATIVE if f != eq.multiplicative_weights)):
        with pytest.raises(ValueError, match="eta: must be finite"):
            solve(rps(0.4), REFERENCE, math.inf)
    with pytest.raises(ValueError, match="step_size: 3 is not in"):
        eq.extragradient(rps(0.4), REFERENCE, 2.0, steps=3, step_size=3.0)
    with pytest.raises(ValueError, match="steps: -1 is not allowed"):
        eq.nash_md(rps(0.4), REFERENCE, 2.0, steps=-1)
    with pytest.raises(ValueError, match=r"log_policy: 0\.2 is not allowed, logarithms are at most 0"):
        eq.one_sided_gap(rps(0.4), [0.2, 0.3, 0.5], REFERENCE, 2.0)
    with pytest.raises(ValueError, match="log_policy: probabilities sum to 3"):
        eq.one_sided_gap(rps(0.4), np.zeros(3), REFERENCE, 2.0)
    with pytest.raises(ValueError, match=r"log_column: shape \(3,\) is not allowed, must be \(..., 2\)"):
        eq.duality_gap(np.zeros((3, 2)), np.log(REFERENCE), np.log(REFERENCE), REFERENCE, [0.5, 0.5], 1.0)
    with pytest.raises(ValueError, match="row_start: a start of one player"):
        eq.newton_game(np.zeros((2, 2)), [0.5, 0.5], [0.5, 0.5], 1.0, row_start=[0.5, 0.5])
    with pytest.raises(ValueError, match=r"payoff\[1, 0\]: nan is not allowed, must be finite"):
        eq.nash([[0.0, 1.0], [math.nan, 2.0]])
    with pytest.raises(ValueError, match=r"payoff: shape \(2,\) is not allowed"):
        eq.nash([0.0, 1.0])
    with pytest.raises(ValueError, match=r"payoff: a range of inf is not allowed, must be finite"):
        eq.nash([[1e308, -1e308]])
    for solve in (eq.magnetic_mirror_descent_game, eq.extragradient_game):
        with pytest.raises(ValueError, match=r"column_reference: expected 2 entries"):
            solve([[0.0, 1.0]], [1.0], [1.0], 2.0, steps=3)
        with pytest.raises(ValueError, match="eta: must be finite"):
            solve([[0.0, 1.0]], [1.0], [0.5, 0.5], math.inf, steps=3)
        with pytest.raises(ValueError, match="steps: -1 is not allowed"):
            solve([[0.0, 1.0]], [1.0], [0.5, 0.5], 2.0, steps=-1)
    with pytest.raises(ValueError, match="rows: 0 is not allowed"):
        eq.simplex(0, 2)
