"""Named instances: values, the optimum they were built for, validation, and the yaml file of each."""

import inspect
import math
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from banditlab import simulate
from banditlab.contextual import coverage, instances
from banditlab.contextual.plug_in import plug_in
from banditlab.contextual.problem import Contextual

CONF = Path(__file__).parents[2] / "experiments" / "conf" / "problem" / "contextual"
NAMES = (
    "hard_offline hard_offline_minimax rare_junk coverage_sweep forward_kl_example random_tabular random_linear"
).split()


def test_hard_offline_worked_by_hand():
    problem = instances.hard_offline(3, 5.0, eta=4.0, gap=0.125, seed=2)  # h = log(4) / 4 = .34657
    np.testing.assert_allclose(problem.reference, [[0.8, 0.2]] * 3, rtol=1e-15)
    np.testing.assert_allclose(problem.behaviour, problem.reference, rtol=0)
    np.testing.assert_allclose(problem.law, 1 / 3, rtol=1e-15)
    np.testing.assert_allclose(problem.mean[:, 0], 0.326713204860, rtol=1e-11)
    np.testing.assert_allclose(np.abs(problem.mean[:, 1] - 0.673286795140), 0.125, rtol=1e-11)


@pytest.mark.parametrize("eta, C", [(5.0, 4.0), (10.0, 16.0), (100.0, 2.0), (1e4, 50.0)])
def test_without_a_gap_the_optimum_is_balanced_and_half_covered(eta, C):
    problem = instances.hard_offline(4, C, eta=eta)
    np.testing.assert_allclose(problem.optimal, 0.5, rtol=1e-10)
    assert coverage.single_policy(problem) == pytest.approx(C / 2, rel=1e-10)
    tilted = instances.hard_offline(4, C, eta=eta, gap=1e-3)
    assert abs(tilted.optimal - 0.5).min() > 1e-4  # control: with a gap it is not


def test_signs_are_fair_independent_and_functions_of_the_seed():
    one = instances.hard_offline(5000, 4.0, gap=0.1, seed=3)
    sign = np.sign(one.mean[:, 1] - one.mean[:, 1].mean())
    assert abs(sign.mean()) < 4.0 / math.sqrt(5000)  # 4 standard errors
    assert abs((sign[1:] * sign[:-1]).mean()) < 4.0 / math.sqrt(4999)
    assert instances.hard_offline(5000, 4.0, gap=0.1, seed=3).mean.tolist() == one.mean.tolist()
    assert instances.hard_offline(5000, 4.0, gap=0.1, seed=4).mean.tolist() != one.mean.tolist()


def test_the_minimax_gap_shrinks_with_the_sample_size_and_is_capped():
    problem = instances.hard_offline_minimax(3200, 8, 4.0, eta=1e4, kappa=2.0, seed=1)  # 2 sqrt(32 / 3200) = .2
    same = instances.hard_offline(8, 4.0, eta=1e4, gap=0.2, seed=1)
    np.testing.assert_allclose(problem.mean, same.mean, rtol=1e-15)
    capped = instances.hard_offline_minimax(1, 8, 4.0, eta=5.0)
    assert capped.mean.max() == pytest.approx(1.0, rel=1e-15) and capped.mean.max() <= 1.0
    assert instances.hard_offline_minimax(100, 8, 4.0, eta=math.inf, kappa=0.25).mean.max() == pytest.approx(
        0.6414, abs=1e-4
    )


def test_sweeps_name_the_parameters_of_the_minimax_instance():
    axes = {"eta": [50.0, 500.0], "samples": [256, 1024]}
    grid = simulate.sweep(instances.hard_offline_minimax, {"plug-in": plug_in}, over=axes, replications=2)
    assert len(grid.frame()) == 8
    plain = simulate.run_offline(
        instances.hard_offline_minimax(1024, eta=500.0), {"p": plug_in}, samples=[1024], replications=2
    )
    cell = grid.frame().query("eta == 500 and samples == 1024")
    assert cell["gap"].tolist() == plain.gap["p"][:, 0].tolist()


def test_rare_junk_has_a_quarter_of_the_samples_as_bad_arms():
    problem = instances.rare_junk(1026)
    assert problem.mean.shape == (1, 257)
    assert problem.mean[0, 0] == 0.8 and set(problem.mean[0, 1:].tolist()) == {0.2}
    np.testing.assert_allclose(problem.reference[0, [0, 1, -1]], [0.5, 0.5 / 256, 0.5 / 256], rtol=1e-14)
    assert 1026 * problem.behaviour[0, 1] == pytest.approx(2.004, abs=1e-3)


def test_the_coverage_sweep_keeps_the_optimum_balanced_until_the_gap_is_one_half():
    for C in (4.0, 16.0):
        np.testing.assert_allclose(instances.coverage_sweep(C).optimal, 0.5, rtol=1e-12)
    for C in (64.0, 256.0):
        problem = instances.coverage_sweep(C)
        np.testing.assert_allclose(problem.mean, [[0.3, 0.8]], rtol=1e-15)
        assert problem.optimal[0, 1] < 0.3


def test_the_forward_kl_example():
    problem = instances.forward_kl_example()
    assert problem.mean.tolist() == [[0.3, 0.5, 0.7]] and problem.regularizer_name == "forward_kl"
    np.testing.assert_allclose(problem.reference, [[0.5, 0.3, 0.2]], rtol=1e-15)


def test_random_tables_are_functions_of_their_arguments():
    one, again = (instances.random_tabular(3, 6, seed=11, dirichlet=0.5) for _ in range(2))
    assert one.mean.tolist() == again.mean.tolist() and one.reference.tolist() == again.reference.tolist()
    assert instances.random_tabular(3, 6, seed=12).mean.tolist() != one.mean.tolist()
    assert len({tuple(row) for row in one.reference.tolist()}) == 3
    sparse = instances.random_tabular(50, 50, seed=3, dirichlet=0.01).reference
    assert sparse.min() > 0.0 and abs(sparse.sum(axis=1) - 1.0).max() < 1e-12


def test_random_tables_know_their_regularizer():
    problem = instances.random_tabular(2, 3, regularizer="alpha", alpha=1.5)
    assert (problem.regularizer_name, problem.alpha) == ("alpha", 1.5)


def test_random_features_are_unit_vectors_without_a_preferred_direction():
    problem = instances.random_linear(50, 40, 3, norm=0.7, seed=5)
    np.testing.assert_allclose((problem.features**2).sum(axis=-1), 1.0, rtol=1e-14)
    assert math.sqrt(problem.parameter @ problem.parameter) == pytest.approx(0.7, rel=1e-14)
    assert problem.radius == pytest.approx(0.7, rel=1e-14)
    assert (problem.variance == 0.3 * 0.3).all()
    second = np.einsum("sai,saj->ij", problem.features, problem.features) / 2000
    # entries have variance at most 1/15 (off the diagonal) and 4/45 (on it): 4 standard errors
    assert abs(second - np.eye(3) / 3).max() < 4.0 * math.sqrt(4 / 45 / 2000)


def test_measure_of_random_features():
    kinds = [instances.random_linear(2, 3, 2, measure=name).measure for name in ("average", "realised")]
    assert kinds[0] != kinds[1]


@pytest.mark.parametrize(
    "make, field",
    [
        (lambda: instances.hard_offline(0), "contexts"),
        (lambda: instances.hard_offline(4, 1.5), "coverage"),
        (lambda: instances.hard_offline(4, 16.0, eta=1.0), "eta"),
        (lambda: instances.hard_offline(4, 4.0, eta=-1.0), "eta"),
        (lambda: instances.hard_offline(4, 4.0, eta=5.0, gap=0.4), "gap"),
        (lambda: instances.hard_offline(4, 4.0, gap=-0.1), "gap"),
        (lambda: instances.hard_offline(4, 4.0, seed=-1), "seed"),
        (lambda: instances.hard_offline_minimax(0, eta=5.0), "samples"),
        (lambda: instances.hard_offline_minimax(10, eta=5.0, kappa=-1.0), "kappa"),
        (lambda: instances.hard_offline_minimax(10, eta=0.5), "eta"),
        (lambda: instances.rare_junk(3), "samples"),
        (lambda: instances.rare_junk(10, eta=0.0), "eta"),
        (lambda: instances.coverage_sweep(1.0), "coverage"),
        (lambda: instances.coverage_sweep(eta=0.0), "eta"),
        (lambda: instances.coverage_sweep(regularizer="k"), "regularizer"),
        (lambda: instances.forward_kl_example(eta=math.nan), "eta"),
        (lambda: instances.random_tabular(0), "contexts"),
        (lambda: instances.random_tabular(2, 2.5), "arms"),
        (lambda: instances.random_tabular(dirichlet=0.0), "dirichlet"),
        (lambda: instances.random_linear(dim=0), "dim"),
        (lambda: instances.random_linear(norm=-1.0), "norm"),
        (lambda: instances.random_linear(spread=0.0), "spread"),
        (lambda: instances.random_linear(measure="mean"), "measure"),
    ],
)
def test_bad_input_is_one_line_that_names_the_field(make, field):
    with pytest.raises((ValueError, TypeError)) as error:
        make()
    assert str(error.value).startswith(field) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", NAMES)
def test_each_instance_has_a_yaml_with_its_parameters(name):
    path = CONF / f"{name}.yaml"
    assert path.read_text().splitlines()[0] == "# @package problem"
    config = OmegaConf.load(path)
    assert config.pop("_target_") == f"banditlab.contextual.{name}"
    constructor = getattr(instances, name)
    assert list(config) == list(inspect.signature(constructor).parameters)
    assert isinstance(constructor(**config), Contextual)
