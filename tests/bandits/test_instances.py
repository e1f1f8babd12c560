"""Named instances: values, priors, validation, and the yaml file of each."""

import inspect
import math
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from scipy import integrate, stats

from banditlab.bandits import instances
from banditlab.bandits.problem import Bandit

CONF = Path(__file__).parents[2] / "experiments" / "conf" / "problem" / "bandits"
NAMES = (
    "bernoulli gaussian beta textbook classic linear_means random hard_minimax hard_multiscale hard_smooth"
).split()


def test_textbook_and_classic_are_the_measured_instances():
    textbook, classic = instances.textbook(), instances.classic()
    assert textbook.mean.tolist() == [0.3, 0.45, 0.5, 0.55, 0.7] and textbook.eta == 5.0
    assert classic.mean.tolist() == [0.5, 0.4, 0.4, 0.3, 0.2] and math.isinf(classic.eta)
    np.testing.assert_allclose(textbook.reference, 0.2, rtol=1e-15)


def test_noise_models_have_their_means_and_variances():
    mean = np.array([0.2, 0.5, 0.9])
    np.testing.assert_allclose(instances.bernoulli(mean, 1.0).variance, mean * (1 - mean), rtol=1e-15)
    np.testing.assert_allclose(instances.gaussian(mean, 1.0, sigma=0.3).variance, 0.09, rtol=1e-15)
    law = stats.beta(3.0 * mean, 3.0 * (1 - mean))
    np.testing.assert_allclose(instances.beta(mean, 1.0, concentration=3.0).variance, law.var(), rtol=1e-12)


def test_gaussian_ceiling_is_known_and_bounds_the_means():
    assert instances.gaussian([0.2, 0.4], 1.0).ceiling == 1.0
    assert instances.gaussian([0.2, 2.5], 1.0).ceiling == 2.5
    assert instances.gaussian([0.2, 2.5], 1.0, ceiling=4.0).ceiling == 4.0


def test_linear_means_are_those_of_the_timings():
    np.testing.assert_allclose(instances.linear_means(9, 5.0).mean, np.arange(1, 10) / 10, rtol=1e-14)
    assert instances.linear_means(1, 5.0).mean.tolist() == [0.1]


def test_random_instances_are_functions_of_their_arguments():
    one, again = (instances.random(6, 2.0, 11, dirichlet=0.5) for _ in range(2))
    assert one.mean.tolist() == again.mean.tolist() and one.reference.tolist() == again.reference.tolist()
    assert instances.random(6, 2.0, 12).mean.tolist() != one.mean.tolist()
    near_half = instances.random(100, 2.0, 0, 0.375, 0.625).mean
    assert 0.375 <= near_half.min() < 0.4 and 0.6 < near_half.max() <= 0.625


def test_sparse_dirichlet_reference_stays_positive():
    reference = instances.random(50, 1.0, 3, dirichlet=0.01).reference
    assert reference.min() > 0.0 and abs(reference.sum() - 1.0) < 1e-12


def test_hard_minimax_has_one_good_arm_whose_gap_shrinks_with_the_horizon():
    problem = instances.hard_minimax(8, 800, 2.0, eta=64.0)
    np.testing.assert_allclose(problem.mean, [0.5] * 7 + [0.7], rtol=1e-15)
    np.testing.assert_allclose(instances.hard_minimax(8, 80_000, 2.0, eta=1.0).mean[-1], 0.52, rtol=1e-15)


def test_hard_minimax_gap_is_capped_where_the_horizon_is_short():
    assert instances.hard_minimax(8, 9, 4.0, eta=1.0).mean[-1] == 1.0


def test_hard_multiscale_draws_every_scale_and_sign():
    K, rounds, eta = 4, 4096, 4.0  # finest scale: log2 sqrt(4096 / 64) = 3
    deviations = np.array([instances.hard_multiscale(K, rounds, eta, seed).mean - 0.5 for seed in range(200)])
    sizes = np.abs(deviations)
    assert (sizes == sizes[:, :1]).all()
    assert set(np.unique(sizes[:, 0]).tolist()) == {0.125, 0.0625, 0.03125, 0.015625}
    assert abs(np.sign(deviations).mean()) < 4.0 / math.sqrt(deviations.size)  # 4 standard errors


def test_hard_multiscale_has_one_scale_where_the_horizon_is_short():
    sizes = {abs(instances.hard_multiscale(8, 64, 16.0, seed).mean[0] - 0.5) for seed in range(30)}
    assert sizes == {0.03125}


def test_raised_cosine_inverts_its_distribution_function():
    u = np.concatenate([[0.0, 0.5, 1.0], np.random.default_rng(0).random(1000)])
    x = instances.raised_cosine(u)
    np.testing.assert_allclose(x[:3], [-1.0, 0.0, 1.0], atol=1e-5)  # the density vanishes at the ends
    for ui, xi in zip(u[3:20], x[3:20]):
        mass, _ = integrate.quad(lambda y: math.cos(0.5 * math.pi * y) ** 2, -1.0, xi, epsabs=1e-13)
        assert abs(mass - ui) < 1e-12


def test_hard_smooth_draws_from_its_prior():
    eta, w = 4.0, 0.125
    theta = np.concatenate([instances.hard_smooth(50, eta, seed).mean - 0.5 for seed in range(40)])

    def cdf(x):
        return 0.5 * (1 + x / w) + np.sin(np.pi * x / w) / (2 * np.pi)

    assert stats.kstest(theta, cdf).pvalue > 1e-4
    assert stats.kstest(theta, stats.uniform(-w, 2 * w).cdf).pvalue < 1e-12  # control: another prior
    assert abs(np.corrcoef(theta[:-1], theta[1:])[0, 1]) < 4.0 / math.sqrt(theta.size)  # independent arms


def test_hard_smooth_width_follows_eta_unless_given():
    assert np.abs(instances.hard_smooth(2000, 0.5, 0).mean - 0.5).max() == pytest.approx(0.25, abs=0.03)
    assert np.abs(instances.hard_smooth(2000, 100.0, 0).mean - 0.5).max() == pytest.approx(0.005, abs=0.0006)
    assert np.abs(instances.hard_smooth(2000, 100.0, 0, width=0.1).mean - 0.5).max() == pytest.approx(0.1, abs=0.012)


@pytest.mark.parametrize(
    "make, field",
    [
        (lambda: instances.bernoulli([0.2, 1.2], 1.0), "mean"),
        (lambda: instances.bernoulli([0.2, 0.4], 0.0), "eta"),
        (lambda: instances.bernoulli([0.2, 0.4], 1.0, [0.5, 0.6]), "reference"),
        (lambda: instances.gaussian([0.2, math.nan], 1.0), "mean"),
        (lambda: instances.gaussian([0.2, 0.4], 1.0, sigma=0.0), "sigma"),
        (lambda: instances.gaussian([0.2, 0.4], 1.0, ceiling=0.3), "ceiling"),
        (lambda: instances.beta([0.0, 0.4], 1.0), "mean"),
        (lambda: instances.beta([0.2, 0.4], 1.0, concentration=-1.0), "concentration"),
        (lambda: instances.textbook(-1.0), "eta"),
        (lambda: instances.linear_means(0, 1.0), "K"),
        (lambda: instances.linear_means(3, 1.0, 0.5, 0.4), "high"),
        (lambda: instances.random(2.5, 1.0, 0), "K"),
        (lambda: instances.random(3, 1.0, -1), "seed"),
        (lambda: instances.random(3, 1.0, 0, dirichlet=0.0), "dirichlet"),
        (lambda: instances.hard_minimax(8, 0, eta=1.0), "rounds"),
        (lambda: instances.hard_minimax(8, 10, -1.0, eta=1.0), "kappa"),
        (lambda: instances.hard_multiscale(8, 10, math.inf, 0), "eta"),
        (lambda: instances.hard_smooth(8, 1.0, 0, width=0.6), "width"),
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
    config = OmegaConf.create({"rounds": 1000, "problem": OmegaConf.load(path)}).problem
    assert config.pop("_target_") == f"banditlab.bandits.{name}"
    constructor = getattr(instances, name)
    assert list(config) == list(inspect.signature(constructor).parameters)
    assert isinstance(constructor(**config), Bandit)
