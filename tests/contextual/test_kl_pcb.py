"""KL-PCB: by hand, its certificates on random instances, its law, and the instances that tell it from the plug-in."""

import math
from functools import partial

import numpy as np
import pytest

from banditlab import simulate
from banditlab.contextual import bounds, coverage, instances
from banditlab.contextual.kl_pcb import kl_pcb
from banditlab.contextual.plug_in import plug_in
from banditlab.contextual.problem import tabular

DIVERGENCES = [("forward_kl", None), ("chi2", None), ("alpha", 1.5), ("js", None), ("kl_chi2", None)]
DELTA = 0.3


def random_problem(seed, regularizer="kl", alpha=None):
    """Any law, reference and behaviour, which leaves some arms unplayed."""
    rng = np.random.default_rng(seed)
    S, K = rng.integers(1, 4), rng.integers(2, 7)
    behaviour = rng.dirichlet(np.ones(K), S) * (rng.random((S, K)) < 0.9) + 1e-3 * np.eye(K)[rng.integers(K, size=S)]
    return tabular(
        rng.random((S, K)),
        eta=10.0 ** rng.uniform(-1, 3),
        law=rng.dirichlet(np.full(S, 2.0)),
        reference=rng.dirichlet(np.full(K, 2.0), S),
        behaviour=behaviour / behaviour.sum(axis=1, keepdims=True),
        regularizer=regularizer,
        alpha=alpha,
    )


def standard_error(x):
    return x.std(ddof=1) / math.sqrt(x.size)


def gaps(problem, samples, replications, fit):
    """(replications,): exact suboptimalities."""
    return simulate.run_offline(problem, {"fit": fit}, samples=[samples], replications=replications).gap["fit"][:, 0]


def test_worked_by_hand():
    problem = tabular([[0.2, 0.7, 0.5]], eta=2.0, reference=[0.5, 0.3, 0.2])
    data = problem.described(np.array([[100.0, 16.0, 0.0]]), np.array([[10.0, 12.0, 0.0]]))
    level = math.log(2 * 3 / 0.05)  # 4.787
    low = 0.75 - math.sqrt(level / (2 * 16))  # .363; 0.1 - sqrt(level / 200) < 0 is clipped, the unseen arm has 0
    weight = np.array([0.5, 0.3 * math.exp(2.0 * low), 0.2])
    assert 0.1 - math.sqrt(level / 200) < 0.0
    np.testing.assert_allclose(kl_pcb(data, scale=1.0), weight[None] / weight.sum(), rtol=1e-14)


def test_without_data_it_is_the_reference():
    problem = instances.random_tabular(3, 4, seed=2, dirichlet=1.0)
    np.testing.assert_allclose(kl_pcb(problem.dataset(0, 0, 0)), problem.reference, rtol=1e-14)


def test_at_scale_zero_it_is_the_plug_in_policy_that_takes_the_floor_for_unseen_rewards():
    data = instances.random_tabular(3, 4, seed=2).dataset(20, 0, 0)
    np.testing.assert_allclose(kl_pcb(data, scale=0.0), plug_in(data, unseen=0.0), rtol=1e-14)


def test_the_dataset_stays_as_it_was():
    data = instances.random_tabular(3, 4, seed=2).dataset(500, 0, 0)
    before = [np.copy(x) for x in (data.counts, data.total)]
    kl_pcb(data)
    assert all(np.array_equal(a, b) for a, b in zip(before, (data.counts, data.total), strict=True))


@pytest.mark.parametrize(
    "field, parameters", [("scale", {"scale": -1.0}), ("delta", {"delta": 0.0}), ("delta", {"delta": 2.0})]
)
def test_bad_parameters_are_refused_in_one_line(field, parameters):
    data = instances.random_tabular(2, 2).dataset(10, 0, 0)
    with pytest.raises(ValueError, match=rf"^{field}: [^\n]*$"):
        kl_pcb(data, **parameters)


def test_another_regularizer_is_refused_in_one_line():
    with pytest.raises(ValueError, match=r"^regularizer: [^\n]*$"):
        kl_pcb(instances.forward_kl_example().dataset(10, 0, 0))


def test_certificate_worked_by_hand():
    problem = tabular([[0.5, 0.5]], eta=2.0)
    data = problem.described(np.array([[400.0, 0.0]]), np.array([[200.0, 0.0]]))
    width = 2.0 * math.sqrt(math.log(2 * 2 / 0.05) / 800)  # .148 and 1 for the unseen arm
    first, second = (width + 1.0) / 2, (width * width + 1.0) / 2
    assert bounds.certificate(problem, data) == pytest.approx(min(first, second), rel=1e-13)
    strong = tabular([[0.5, 0.5]], eta=20.0)
    assert bounds.certificate(strong, data) == pytest.approx(first, rel=1e-13)
    assert bounds.good_event(problem, data)
    off = problem.described(np.array([[400.0, 0.0]]), np.array([[232.0, 0.0]]))  # mean .58, width .074
    assert not bounds.good_event(problem, off) and bounds.good_event(problem, off, scale=1.1)


def test_certificates_never_fail_on_their_event_over_300_random_instances():
    failed, datasets, cheated, unchecked = 0, 0, 0, 0
    for seed in range(300):
        problem = random_problem(seed)
        for n in (3, 40, 1000, 10**6):
            data = problem.dataset(n, seed, 0)
            certificate = bounds.certificate(problem, data, delta=DELTA)
            datasets += 1
            good = bounds.good_event(problem, data, delta=DELTA)
            failed += not good
            if good:
                gap = problem.suboptimality(kl_pcb(data, scale=1.0, delta=DELTA))
                assert gap <= certificate * (1 + 1e-12)
            cheated += problem.suboptimality(plug_in(data)) > certificate
            shrunk = problem.suboptimality(kl_pcb(data, scale=0.1, delta=DELTA))
            unchecked += shrunk > bounds.certificate(problem, data, scale=0.1, delta=DELTA)
    margin = 4.0 * math.sqrt(DELTA * (1 - DELTA) / datasets)
    assert failed <= (DELTA + margin) * datasets
    assert cheated > 0  # control: without pessimism
    assert unchecked > 0  # control: shrunken widths, whatever the event


def test_the_event_of_shrunken_widths_fails_too_often():
    # control for the frequency: at a quarter of the width a failure is more likely than delta
    failed = []
    for seed in range(300):
        problem = random_problem(seed)
        failed.append(not bounds.good_event(problem, problem.dataset(1000, seed, 0), scale=0.25, delta=DELTA))
    assert np.mean(failed) > DELTA + 4.0 * math.sqrt(DELTA * (1 - DELTA) / 300)


@pytest.mark.parametrize("regularizer, alpha", DIVERGENCES)
def test_first_order_certificates_hold_for_every_divergence(regularizer, alpha):
    for seed in range(60):
        problem = random_problem(seed, regularizer, alpha)
        for n in (3, 40, 1000, 10**6):
            data = problem.dataset(n, seed, 0)
            if bounds.good_event(problem, data, delta=DELTA):
                gap = problem.suboptimality(data.optimal(data.lower(1.0, DELTA)))
                assert gap <= bounds.certificate(problem, data, delta=DELTA) * (1 + 1e-12)


def test_the_bound_is_above_the_certificate_of_every_dataset_with_enough_samples():
    compared = 0
    for seed in range(300):
        problem = random_problem(seed)
        for n in (1000, 10**6):
            data = problem.dataset(n, seed, 0)
            bound = bounds.kl_pcb(problem, [n], scale=1.0, delta=DELTA)[0]
            if (data.counts >= 0.5 * n * problem.law[:, None] * problem.behaviour).all():
                compared += bound < math.inf
                assert not bounds.certificate(problem, data, delta=DELTA) > bound * (1 + 1e-12)
    assert compared > 100


def test_the_bound_fails_no_more_often_than_stated():
    # one arm is rarely played, so that its pessimism costs what the bound allows but for constants
    ratios, n, delta = [], 30_000, 0.05
    for seed in range(400):
        rng = np.random.default_rng(seed)
        S, rare, eta = rng.integers(1, 4), rng.uniform(0.005, 0.05), 10.0 ** rng.uniform(-1, 1)
        problem = tabular(rng.uniform(0.2, 0.8, (S, 2)), eta=eta, reference=[0.8, 0.2], behaviour=[1.0 - rare, rare])
        bound = bounds.kl_pcb(problem, [n], scale=1.0, delta=delta)[0]
        if bound < math.inf:  # nor NaN
            ratios.append(problem.suboptimality(kl_pcb(problem.dataset(n, seed, 0), scale=1.0, delta=delta)) / bound)
    fails = np.array(ratios)
    assert fails.size >= 300
    allowed = 2 * delta + 4.0 * math.sqrt(2 * delta * (1 - 2 * delta) / fails.size)
    assert (fails > 1.0).mean() <= allowed < 0.25
    assert (fails > 0.05).mean() > allowed  # control: a twentieth of the bound


def test_an_arm_of_the_optimum_that_is_never_played_has_infinite_coverage_and_a_finite_suboptimality():
    problem = tabular([[0.2, 0.7]], eta=2.0, behaviour=[1.0, 0.0])
    data = problem.dataset(10**6, 0, 0)
    assert data.counts.tolist() == [[1e6, 0.0]]
    best = 1.0 / (1.0 + math.exp(-1.0))  # pi* of arm 1
    low = data.total[0, 0] / 1e6 - math.sqrt(math.log(4 / 0.05) / 2e6)
    played = 1.0 / (1.0 + math.exp(2.0 * low))  # arm 1 has the floor
    kl = played * math.log(played / best) + (1.0 - played) * math.log((1.0 - played) / (1.0 - best))
    assert coverage.single_policy(problem) == math.inf
    assert problem.suboptimality(kl_pcb(data, scale=1.0)) == pytest.approx(kl / 2.0, rel=1e-12)
    assert bounds.kl_pcb(problem, [10**6], scale=1.0).tolist() == [math.inf]
    assert math.isnan(bounds.law_kl_pcb(problem, [10**6], scale=1.0)[0])
    assert bounds.certificate(problem, data) >= kl / 2.0


@pytest.mark.slow
@pytest.mark.parametrize("eta, C, law", [(5.0, 4.0, 8.3), (10.0, 16.0, 147.0), (10.0, 4.0, 16.9)])
def test_suboptimality_follows_the_law_with_its_bias(eta, C, law):
    problem = instances.hard_offline(4, C, eta=eta)
    assert 2**16 * bounds.law_kl_pcb(problem, [2**16], scale=1.0)[0] == pytest.approx(law, rel=0.01)
    n = 2**30  # where terms of higher order are below a percent
    gap = gaps(problem, n, 6000, partial(kl_pcb, scale=1.0))
    predicted = bounds.law_kl_pcb(problem, [n], scale=1.0)[0]
    assert abs(gap.mean() / predicted - 1.0) + 4.0 * standard_error(gap) / predicted < 0.05
    assert gap.mean() > 1.5 * bounds.law_plug_in(problem, [n])[0]  # control: without the bias


def test_the_law_scales_with_sigma_and_behaviour():
    problem = tabular(
        [[0.4, 0.5, 0.9]], eta=3.0, law=[1.0], behaviour=[0.6, 0.3, 0.1], noise="gaussian", spread=0.8, floor=-1.0
    )
    n = 2**30
    gap = gaps(problem, n, 6000, partial(kl_pcb, scale=0.7, delta=0.2))
    predicted = bounds.law_kl_pcb(problem, [n], scale=0.7, delta=0.2)[0]
    assert abs(gap.mean() - predicted) < 4.0 * standard_error(gap)
    assert standard_error(gap) < 0.02 * predicted


@pytest.mark.parametrize("samples", [256, 1024, 4096])
def test_pessimism_saves_rare_junk(samples):
    problem = instances.rare_junk(samples)
    gap = gaps(problem, samples, 100, partial(kl_pcb, scale=1.0))
    assert gap.mean() + 4.0 * standard_error(gap) < 1.5e-4
    practical = gaps(problem, samples, 100, partial(kl_pcb, scale=0.3))
    assert practical.mean() + 4.0 * standard_error(practical) < 0.01
    assert gaps(problem, samples, 100, plug_in).mean() > 0.15  # control
