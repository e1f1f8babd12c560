"""Named dueling instances: their matrices and winners, validation, and the yaml file of each."""

import inspect
import math
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from banditlab import dueling
from banditlab.dueling import loop
from banditlab.dueling.instances import (
    borda_trap,
    bt_ladder,
    bt_linear,
    bt_tabular,
    condorcet_cycle,
    gap_linear,
    minimax_bt,
    rare_bad,
    rare_good,
    rps,
)

CONF = Path(__file__).parents[2] / "experiments" / "conf" / "problem" / "dueling"


def borda(problem):
    P = problem.preference[0]
    return (P.sum(axis=1) - 0.5) / (len(P) - 1)


def test_bt_ladder_by_hand():
    problem = bt_ladder()
    np.testing.assert_allclose(problem.reward[0], 1.5 - np.arange(10) / 6.0, atol=1e-15)
    assert problem.preference[0, 0, 9] == pytest.approx(1.0 / (1.0 + math.exp(-1.5)), rel=1e-15)
    assert (problem.winner.tolist(), problem.measure, problem.eta) == ([0], loop.AVERAGE, math.inf)
    assert bt_ladder(4, eta=2.0).measure == loop.KL
    assert bt_ladder(4, top=3.0, measure="weak").measure == loop.WEAK


def test_condorcet_cycle_has_one_winner_above_a_cycle():
    problem = condorcet_cycle()
    P = problem.preference[0]
    assert problem.winner.tolist() == [0] and problem.measure == loop.AVERAGE
    np.testing.assert_allclose(problem.condorcet_gap[0], [0.0] + [0.1] * 9, rtol=1e-14)
    np.testing.assert_allclose(borda(problem), [0.6] + [4.4 / 9.0] * 9, rtol=1e-14)
    assert (P > 0.5).sum(axis=1).tolist() == [9] + [4] * 9
    for a in range(9):
        assert [b for b in range(9) if P[1 + a, 1 + b] > 0.5] == sorted((a + s) % 9 for s in (1, 2, 3, 4))


def test_borda_trap_separates_the_winners():
    problem = borda_trap()
    assert problem.winner.tolist() == [0] and borda(problem).argmax() == 1
    np.testing.assert_allclose(borda(problem)[:2], [0.51, (0.49 + 8 * 0.95) / 9.0], rtol=1e-14)
    wanted = [[0.5, 0.51, 0.51], [0.49, 0.5, 0.95], [0.49, 0.05, 0.5]]
    np.testing.assert_allclose(borda_trap(3).preference[0], wanted, rtol=1e-14)


@pytest.mark.parametrize(("cycle", "extra"), [(3, 0), (5, 1), (7, 3)])
def test_rps_is_a_cycle_without_a_winner(cycle, extra):
    problem = rps(cycle, 0.3, extra, eta=math.inf, measure="borda")
    P = problem.preference[0]
    assert problem.winner.tolist() == [-1]
    uniform = np.append(np.full(cycle, 1.0 / cycle), np.zeros(extra))
    np.testing.assert_allclose(problem.optimal[0], uniform, atol=1e-9)
    np.testing.assert_allclose((P @ uniform)[:cycle], 0.5, rtol=1e-14)
    np.testing.assert_allclose(P[cycle:, :cycle], 0.2, rtol=1e-14)
    assert (P > 0.5).sum(axis=1).tolist() == [(cycle - 1) // 2 + extra] * cycle + [0] * extra
    regularized = rps(cycle, 0.3, extra)
    assert regularized.measure == loop.KL
    np.testing.assert_allclose(regularized.optimal[0, :cycle], regularized.optimal[0, 0], rtol=1e-9)
    np.testing.assert_allclose(regularized.reference[0], 1.0 / (cycle + extra), rtol=1e-14)
    rare = np.append(np.full(cycle + extra - 1, 0.99 / (cycle + extra - 1)), 0.01)
    np.testing.assert_allclose(rps(cycle, 0.3, extra, reference=rare).reference[0], rare, rtol=1e-14)


def test_rare_arms_are_rare():
    good, bad = rare_good(), rare_bad()
    for problem in (good, bad):
        assert problem.reference[0, 0] == pytest.approx(0.004, rel=1e-12)
        np.testing.assert_allclose(problem.reference[0, 1:], 0.996 / 7.0, rtol=1e-12)
        assert (problem.eta, problem.span, problem.measure) == (8.0, 1.0, loop.KL)
    assert (good.reward[0].argmax(), bad.reward[0].argmin()) == (0, 0)
    assert bad.reward[0].max() == 0.5


def test_bt_linear_has_unit_features_and_a_parameter_of_the_norm():
    problem = bt_linear(50, 40, 3, 0.7, seed=5)
    np.testing.assert_allclose((problem.features**2).sum(axis=-1), 1.0, rtol=1e-14)
    assert math.sqrt(problem.parameter @ problem.parameter) == pytest.approx(0.7, rel=1e-14)
    assert problem.radius == pytest.approx(0.7, rel=1e-14)
    np.testing.assert_allclose(problem.reward, problem.features @ problem.parameter, rtol=1e-14)
    second = np.einsum("xai,xaj->ij", problem.features, problem.features) / 2000
    # entries have variance at most 1/15 (off the diagonal) and 4/45 (on it): 4 standard errors
    assert abs(second - np.eye(3) / 3).max() < 4.0 * math.sqrt(4 / 45 / 2000)
    # a probability of a Dirichlet(2) of size K has mean 1/K and variance (K - 1) / (K^2 (2 K + 1))
    assert problem.reference.var() == pytest.approx(39 / (1600 * 81), rel=0.2)
    assert problem.law.min() > 0.0 and problem.law.var() > 0.0
    assert bt_linear().reward.shape == (5, 8) and bt_linear().parameter.size == 4


@pytest.mark.parametrize("make", [bt_linear, bt_tabular])
def test_random_instances_are_functions_of_their_arguments(make):
    one, again, other = make(seed=3), make(seed=3), make(seed=4)
    for field in ("reward", "reference", "law"):
        assert getattr(one, field).tolist() == getattr(again, field).tolist()
        assert getattr(one, field).tolist() != getattr(other, field).tolist()
    assert make(eta=0.5).eta == 0.5 and one.measure == loop.KL
    assert "regularizer alpha 1.5" in make(regularizer="alpha", alpha=1.5).summary


def test_bt_tabular_has_uniform_rewards_of_known_range_one():
    problem = bt_tabular(100, 50, seed=1)
    r = problem.reward
    assert r.min() >= 0.0 and r.max() <= 1.0 and problem.span == 1.0 and problem.parameter.size == 0
    assert abs(r.mean() - 0.5) < 4.0 * math.sqrt(1 / 12 / 5000)
    assert abs(r.var() - 1 / 12) < 4.0 * math.sqrt(1 / 180 / 5000)


def test_minimax_bt_has_a_sixth_of_the_comparisons_for_each_pair():
    """samples 1600: n = 1200 of different arms, 200 a pair in expectation; the gap is 3 / sqrt(1200)."""
    problem = minimax_bt(1600)
    np.testing.assert_allclose(problem.reward[0], [3.0 / math.sqrt(1200.0), 0.0, 0.0, 0.0], rtol=1e-14)
    assert problem.span == 1.0 and minimax_bt(4).reward.max() == 1.0
    wins = np.mean([problem.dataset(1600, 0, r).wins[0] for r in range(100)], axis=0)
    pairs = (wins + wins.T)[np.triu_indices(4, 1)]
    assert abs(pairs - 200.0).max() < 4.0 * math.sqrt(200.0 / 100.0)


def test_rare_arms_under_another_regularizer():
    problem = rare_good(regularizer="chi2")
    assert "regularizer chi2" in problem.summary
    assert rare_bad(regularizer="chi2").reference.tolist() == problem.reference.tolist()


@pytest.mark.parametrize(("gap", "radius"), [(0.4, 1.0), (1.0, 1.0), (0.8, 2.0)])
def test_gap_linear_attains_its_gap(gap, radius):
    """Unit features, theta* = B e_1, a best reward of B / 2 in each context, and the least gap in the first."""
    problem = gap_linear(gap, 30, 5, 4, radius=radius, seed=2)
    assert (problem.features.shape, problem.measure, problem.eta) == ((30, 5, 4), loop.REWARD, math.inf)
    assert (problem.parameter.tolist(), problem.radius) == ([radius, 0.0, 0.0, 0.0], radius)
    np.testing.assert_allclose(np.linalg.norm(problem.features, axis=-1), 1.0, rtol=1e-14)
    np.testing.assert_allclose(problem.reward.max(axis=1), 0.5 * radius, rtol=1e-15)
    gaps = np.sort(problem.reward.max(axis=1, keepdims=True) - problem.reward, axis=1)[:, 1:]
    assert gaps.min() == gaps[0, 0] == pytest.approx(gap, rel=1e-14)
    assert gaps[1:].min() > gap and gaps.max() < gap + 0.5 * radius
    assert len(set(problem.reward.argmax(axis=1))) == 5
    np.testing.assert_array_equal(problem.features, gap_linear(gap, 30, 5, 4, radius=radius, seed=2).features)
    assert (problem.features != gap_linear(gap, 30, 5, 4, radius=radius, seed=3).features).any()


def test_the_other_coordinates_of_gap_linear_are_a_uniform_direction():
    """3000 arms: mean and second moments of the direction within four standard errors of those of the sphere."""
    phi = gap_linear(0.4, 500, 6, 4, seed=1).features.reshape(-1, 4)
    u = phi[:, 1:] / np.linalg.norm(phi[:, 1:], axis=1, keepdims=True)
    for found, wanted in ((u, np.zeros(3)), (u * u, np.full(3, 1.0 / 3.0)), (u * np.roll(u, 1, axis=1), np.zeros(3))):
        assert (np.abs(found.mean(axis=0) - wanted) < 4.0 * found.std(axis=0) / math.sqrt(3000.0)).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bt_ladder(1), "arms: 1 is not allowed, must be at least 2"),
        (lambda: bt_ladder(top=0.0), "top: 0 is not in"),
        (lambda: bt_ladder(eta=0.0), "eta: 0 is not in"),
        (lambda: borda_trap(2), "arms: 2 is not allowed, must be at least 3"),
        (lambda: rps(4), "cycle: 4 is not allowed, must be odd"),
        (lambda: rps(1), "cycle: 1 is not allowed, must be at least 3"),
        (lambda: rps(gap=0.6), r"gap: 0.6 is not in \(0, 0.5\]"),
        (lambda: rps(extra=-1), "extra: -1 is not allowed"),
        (lambda: rps(eta=math.inf), "measure: 'average' is not allowed, the preferences have no Condorcet winner"),
        (lambda: rare_bad(eta=-1.0), "eta: -1 is not in"),
        (lambda: rare_good(regularizer="k"), "regularizer: 'k'"),
        (lambda: bt_linear(0), "contexts: 0 is not allowed, must be at least 1"),
        (lambda: bt_linear(dim=0), "dim: 0 is not allowed, must be at least 1"),
        (lambda: bt_linear(norm=-1.0), "norm: -1 is not in"),
        (lambda: bt_linear(eta=math.inf), "measure: 'kl' is not allowed at eta = inf"),
        (lambda: bt_tabular(arms=0), "arms: 0 is not allowed, must be at least 1"),
        (lambda: bt_tabular(seed=-1), "seed: -1 is not allowed"),
        (lambda: minimax_bt(0), "samples: 0 is not allowed, must be at least 1"),
        (lambda: minimax_bt(eta=0.0), "eta: 0 is not in"),
        (lambda: gap_linear(1.5), r"gap: 1.5 is not in \(0, 1\]"),
        (lambda: gap_linear(dim=1), "dim: 1 is not allowed, must be at least 2"),
        (lambda: gap_linear(arms=1), "arms: 1 is not allowed, must be at least 2"),
        (lambda: gap_linear(radius=0.0), "radius: 0 is not in"),
    ],
)
def test_bad_input_is_refused_in_one_line(make, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", dueling.INSTANCES)
def test_the_yaml_of_an_instance_has_its_defaults(name):
    hydra = pytest.importorskip("hydra.utils")
    config = OmegaConf.load(CONF / f"{name}.yaml")
    make = dueling.INSTANCES[name]
    assert (CONF / f"{name}.yaml").read_text().startswith("# @package problem\n")
    assert config._target_ == f"banditlab.dueling.{name}"
    for key, value in config.items():
        default = inspect.signature(make).parameters[key].default if key != "_target_" else value
        assert name in ("bradley_terry", "preferences") or value == default, key
    assert type(hydra.instantiate(config)) is dueling.Dueling
