"""MDPs: what is stored, one compiled type, regret in two forms, and every refusal in one line."""

import decimal
import math

import numpy as np
import pytest
from numba import typeof

from banditlab import mdps
from banditlab.episodic import policy_table
from banditlab.mdps import instances
from banditlab.mdps.planning import backward_induction, evaluate
from banditlab.mdps.problem import linear, tabular, with_models

P2 = np.full((2, 2, 2), 0.5)  # (S, A, S)
R2 = np.array([[0.2, 0.8], [0.5, 0.5]])
PHI = np.eye(4).reshape(2, 2, 4)


def small(**options):
    return tabular(P2, R2, **{"eta": 1.0, "horizon": 3, **options})


def altered(x, index, value):
    x = np.array(x, dtype=np.float64)
    x[index] = value
    return x


# What is stored


def test_a_table_without_stages_serves_all_of_them():
    problem = small(start=1, reference=[0.25, 0.75])
    assert problem.transition.shape == (3, 2, 2, 2) and problem.reward.shape == (3, 2, 2) and problem.horizon == 3
    np.testing.assert_array_equal(problem.start, [0.0, 1.0])
    np.testing.assert_array_equal(problem.behaviour, np.broadcast_to([0.25, 0.75], (3, 2, 2)))
    assert problem.value == pytest.approx(problem.optimal_value[0, 1], rel=1e-15)
    np.testing.assert_allclose(problem.optimal, np.exp(problem.log_optimal), rtol=1e-15)
    assert problem.summary == "tabular MDP, H = 3, S = 2, A = 2, eta = 1"
    staged = tabular(np.repeat(P2[None], 3, axis=0), R2, eta=1.0)
    assert staged.horizon == 3 and tabular(P2, np.repeat(R2[None], 5, axis=0), eta=1.0).horizon == 5


def test_arrays_are_fresh_and_contiguous():
    P, r = np.asfortranarray(P2), R2.copy()
    problem = tabular(P, r, eta=1, horizon=np.int64(2))
    r[:] = P[:] = 0.0
    assert problem.reward.min() == 0.2 and problem.transition.min() == 0.5
    arrays = [x for x in problem if isinstance(x, np.ndarray)]
    assert all(x.flags.c_contiguous and x.flags.writeable and x.dtype == np.float64 for x in arrays)
    assert not any(np.shares_memory(x, y) for i, x in enumerate(arrays) for y in arrays[:i] if x.size and y.size)


def test_partial_sums_never_reach_a_state_of_probability_zero():
    g = np.random.default_rng(0)
    P = g.dirichlet(np.ones(6), size=(3, 4))[:, :, :3] * (g.random((3, 4, 3)) < 0.5)
    P[P.sum(axis=-1) == 0.0, 1] = 1.0
    P /= P.sum(axis=-1, keepdims=True)
    problem = tabular(P, g.random((3, 4)), eta=1.0, horizon=1, start=[0.0, 1.0, 0.0])
    for row, sums in zip(problem.transition.reshape(-1, 3), problem.cumulative.reshape(-1, 3), strict=True):
        for u in (0.0, 0.3, 0.7, 1.0 - 2.0**-53):
            assert row[np.searchsorted(sums, u, side="right")] > 0.0
        assert sums[-1] == 1.0
        np.testing.assert_allclose(np.diff(sums, prepend=0.0), row, atol=1e-15)
    np.testing.assert_array_equal(problem.start_cumulative, [0.0, 1.0, 1.0])


def test_all_instances_have_one_compiled_type():
    made = [
        mdps.random_linear(eta=1.0),
        mdps.random_tabular(eta=2),
        mdps.combination_lock(),
        mdps.lock_class(2, 2),
        mdps.deep_sea(4),
        mdps.river_swim(),
        mdps.hypercube(),
        mdps.minimax_hypercube(100),
        mdps.offline_hypercube(100),
        mdps.jao(),
        mdps.two_state(2),
        small(),
        linear(PHI, P2, R2, eta=math.inf, horizon=2),
    ]
    assert len(made) == len(mdps.INSTANCES)
    made += [mdps.covered(made[0], 0.3), with_models(small(), [small().transition], [small().reward])]
    assert len({typeof(problem) for problem in made}) == 1


# Regret in two forms


@pytest.mark.parametrize("eta", [1e-3, 0.1, 1.0, 30.0, 1e3, 1e4, math.inf])
def test_the_sum_of_divergences_is_the_difference_of_values(random_mdp, eta):
    for seed in range(8):
        problem, g = random_mdp(seed, eta, zeros=seed % 2 == 1), np.random.default_rng(seed)
        policy = g.dirichlet(np.ones(3), size=(3, 3)) * (problem.reference > 0.0)
        policy /= policy.sum(axis=-1, keepdims=True)
        sharp = np.exp(backward_induction(problem.transition, g.random((3, 3, 3)), problem.reference, eta).log_policy)
        for pi in (policy, sharp, problem.reference):
            value = evaluate(problem.transition, problem.reward, problem.reference, eta, pi)[0]
            lost = problem.value - float(problem.start @ value[0])
            assert problem.suboptimality(pi) == pytest.approx(lost, rel=1e-9, abs=1e-9)
        assert problem.suboptimality(problem.optimal) <= 1e-12


def test_small_gaps_are_right_where_values_cannot_tell():
    """Against 60 digits: S = 1, H = 2, policies 1e-4 to 1e-9 from the optimum, gaps down to 1e-18."""
    decimal.getcontext().prec = 60
    D, eta = decimal.Decimal, 2.0
    r = np.array([[[0.25, 0.75]], [[0.5, 0.125]]])
    problem = tabular(np.ones((2, 1, 2, 1)), r, eta=eta)
    for away in (1e-4, 1e-6, 1e-9):
        policy = problem.optimal + away * np.array([1.0, -1.0])
        policy /= policy.sum(axis=-1, keepdims=True)
        exact = D(0)
        for h in range(2):
            weights = [(D(eta) * D(float(x))).exp() for x in r[h, 0]]
            row = [D(float(p)) for p in policy[h, 0]]
            for w, p in zip(weights, row, strict=True):
                p /= sum(row)  # exactly a distribution
                exact += p * (p.ln() - (w / sum(weights)).ln()) / D(eta)
        assert problem.suboptimality(policy) == pytest.approx(float(exact), rel=1e-15 / away + 1e-12, abs=0.0)
    value = evaluate(problem.transition, r, problem.reference, eta, policy)[0][0, 0]
    assert abs((problem.value - value) / float(exact) - 1.0) > 0.01  # control: the difference of values


@pytest.mark.parametrize("eta", [1.0, math.inf])
def test_what_the_reference_never_does_costs_everything(eta):
    problem = small(eta=eta, reference=[0.0, 1.0])
    assert problem.suboptimality([0.0, 1.0]) == 0.0
    assert problem.suboptimality([0.5, 0.5]) == math.inf
    never = np.full((3, 2, 2), [0.0, 1.0])
    never[0, 1] = 1.0, 0.0
    assert problem.suboptimality(never) == 0.0  # state 1 is not where it starts
    value = evaluate(problem.transition, problem.reward, problem.reference, eta, never)[0]
    assert value[0, 1] == -math.inf and value[0, 0] == pytest.approx(problem.value, rel=1e-14)


def test_a_policy_is_a_row_a_table_or_one_a_stage():
    problem = small()
    row = np.array([0.3, 0.7])
    each = [problem.suboptimality(np.broadcast_to(row, shape)) for shape in ((2,), (2, 2), (3, 2, 2))]
    assert len(set(each)) == 1 and each[0] > 0.0
    table = policy_table("policy", [[0.5, 0.5 + 5e-10], [1.0, 0.0]], (3, 2, 2))
    np.testing.assert_allclose(table.sum(axis=-1), 1.0, rtol=1e-15)


# Refusals


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tabular(altered(P2, (1, 0, 1), 0.4), R2, eta=1.0, horizon=2), r"transition\[0, 1, 0\]: sums to 0.9, "),
        (lambda: tabular(P2 * (1.0 + 3e-9), R2, eta=1.0, horizon=2), r"transition\[0, 0, 0\]: sums to 1.000000003, "),
        (
            lambda: tabular(altered(altered(P2, (1, 0, 1), 1.1), (1, 0, 0), -0.1), R2, eta=1.0, horizon=2),
            r"transition\[0, 1, 0, 0\]: -0.1 is not allowed, must be at least 0",
        ),
        (
            lambda: tabular(altered(P2, (0, 1, 0), math.nan), R2, eta=1.0, horizon=2),
            r"transition\[0, 1, 0\]: nan is not",
        ),
        (lambda: tabular(P2, altered(R2, (1, 1), math.inf), eta=1.0, horizon=2), r"reward\[1, 1\]: inf is not allowed"),
        (lambda: small(eta=0.0), r"eta: 0 is not in \(0, inf\]"),
        (lambda: small(eta=-1.0), r"eta: -1 is not in \(0, inf\]"),
        (lambda: small(eta=math.nan), "eta: nan is not in"),
        (lambda: small(eta="two"), "eta: expected a number, got 'two'"),
        (lambda: small(horizon=0), "horizon: 0 is not allowed, must be at least 1"),
        (lambda: small(horizon=1.5), "horizon: expected an integer"),
        (lambda: tabular(np.zeros((0, 2, 2, 2)), np.zeros((0, 2, 2)), eta=1.0), "horizon: H = 0 is not allowed"),
        (lambda: tabular(P2, np.zeros((0, 2, 2)), eta=1.0), "horizon: H = 0 is not allowed"),
        (lambda: tabular(P2, R2, eta=1.0), "transition: has no stage axis, give the horizon"),
        (lambda: tabular(P2[None], R2[None], eta=1.0, horizon=2), "transition: has 1 stages, must have 2"),
        (lambda: tabular(P2[None], np.zeros((2, 2, 2)), eta=1.0), "reward: has 2 stages, must have 1"),
        (lambda: tabular(P2[..., :1], R2, eta=1.0, horizon=2), r"transition: expected \(H, S, A, S\)"),
        (lambda: tabular(P2, R2[:, :1], eta=1.0, horizon=2), r"transition: expected \(H, S, A, S\)"),
        (lambda: tabular(P2[0], R2, eta=1.0, horizon=2), "transition: expected 3 axes, or 4 with a stage"),
        (lambda: tabular(np.zeros((2, 0, 2)), np.zeros((2, 0)), eta=1.0, horizon=2), "transition: expected 3 axes"),
        (lambda: tabular([[[1.0], [1.0, 2.0]]], R2, eta=1.0, horizon=2), "transition: expected an array of numbers"),
        (lambda: tabular("P", R2, eta=1.0, horizon=2), "transition: expected an array of numbers, got str"),
        (lambda: tabular(P2, altered(R2, (0, 1), 1.5), eta=1.0, horizon=2), r"reward\[0, 0, 1\]: 1.5 is not allowed"),
        (lambda: tabular(P2, altered(R2, (0, 1), -0.1), eta=1.0, horizon=2), r"reward\[0, 0, 1\]: -0.1 is not allowed"),
        (lambda: small(noise="gaussian"), "noise: 'gaussian' is unknown"),
        (lambda: small(start=2), "start: 2 is not allowed, must be at most 1"),
        (lambda: small(start=[0.5, 0.6]), r"start\[0\]: sums to 1.1"),
        (lambda: small(start=[0.5, 0.25, 0.25]), r"start: expected shape \(1, 2\)"),
        (lambda: small(reference=[0.5, 0.6]), r"reference\[0\]: sums to 1.1"),
        (lambda: small(reference=[1.5, -0.5]), r"reference\[0, 1\]: -0.5 is not allowed"),
        (lambda: small(behaviour=[0.5, 0.25, 0.25]), r"behaviour: expected shape \(3, 2, 2\), \(2, 2\) or \(2,\), got"),
        (lambda: small(reference="uniform"), "reference: expected an .* array of numbers, got str"),
        (lambda: linear(PHI[..., 0], P2, R2, eta=1.0, horizon=2), "features: expected 3 axes, or 4 with a stage"),
        (lambda: linear(PHI[:, :1], P2, R2, eta=1.0, horizon=2), r"features: expected shape \(2, 2, 2\) and d >= 1"),
        (lambda: linear(2.0 * PHI, P2, R2, eta=1.0, horizon=2), "features: a norm of 2 is not allowed"),
        (lambda: linear(altered(PHI, (0, 0, 1), math.nan), P2, R2, eta=1.0, horizon=2), r"features\[0, 0, 1\]: nan"),
        (lambda: linear(PHI, P2, R2, eta=0.0, horizon=2), r"eta: 0 is not in"),
        (lambda: small().suboptimality([0.5, 0.6]), r"policy\[0\]: sums to 1.1"),
        (lambda: small().check_fit([1.0, 0.0, 0.0]), "policy: expected shape"),
    ],
)
def test_bad_input_is_refused_in_one_line(make, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_features_that_do_not_realise_the_tables_are_refused_with_the_residual():
    """Pairs of one state share a feature: the nearest fit is the mean of their rows."""
    phi = np.array([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]])
    with pytest.raises(ValueError, match=r"^features\[0\]: a residual of 0.3 is not allowed") as caught:
        linear(phi, P2, R2, eta=1.0, horizon=2)  # rewards .2 and .8 have the same features
    assert "\n" not in str(caught.value)
    r = altered(R2, (0, slice(None)), 0.4)
    assert linear(phi, P2, r, eta=1.0, horizon=2).features.shape == (2, 2, 2, 2)
    P = altered(P2, (1, 1), [0.5 + 4e-9, 0.5 - 4e-9])
    with pytest.raises(ValueError, match=r"a residual of 2e-09 is not allowed"):
        linear(phi, P, r, eta=1.0, horizon=2)
    staged = np.repeat(phi[None], 2, axis=0)
    staged[1] = 0.0
    with pytest.raises(ValueError, match=r"^features\[1\]: a residual of 0.5 "):
        linear(staged, P2, r, eta=1.0, horizon=2)


def test_models_are_checked():
    problem = small()
    P, r = problem.transition, problem.reward
    other = altered(P, (1, 0, 0), [0.25, 0.75])
    both = with_models(problem, [other, P], [r, r])
    assert both.models.shape == (2, 3, 2, 2, 2) and both.model_rewards.shape == (2, 3, 2, 2)
    for P_, r_, message in (
        ([other], [r], r"transitions: the nearest model is 0.25 away"),
        ([P, other * 1.1], [r, r], r"transitions\[1, 0, 0, 0\]: sums to 1.1"),
        ([P, altered(P, (0, 0, 0), math.nan)], [r, r], r"transitions\[1, 0, 0, 0, 0\]: nan is not allowed"),
        ([P], [r, r], r"transitions: expected shape \(M, H, S, A, S\) = \(M, 3, 2, 2, 2\)"),
        (P, r, r"transitions: expected shape \(M, H"),
        (np.zeros((0, *P.shape)), np.zeros((0, *r.shape)), r"transitions: expected shape"),
        ([P, P], [r, 2.0 * r], r"rewards\[1, 0, 0, 1\]: 1.6 is not allowed"),
        ([P, P[0]], [r, r], "transitions: expected an array of numbers"),
    ):
        with pytest.raises((ValueError, TypeError), match=message) as caught:
            with_models(problem, P_, r_)
        assert "\n" not in str(caught.value)


def test_verbs_are_checked_before_playing():
    with pytest.raises(TypeError, match=r"learner: expected a typing\.NamedTuple") as caught:
        small().check({})
    assert "\n" not in str(caught.value)


def test_an_instance_of_many_stages_is_still_exact():
    problem = instances.river_swim(6, 200)
    best = backward_induction(problem.transition, problem.reward, problem.reference, math.inf)
    assert problem.value == best.value[0, 0]
    assert problem.suboptimality(problem.optimal) == 0.0
