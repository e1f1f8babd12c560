"""KL-UCB: the index, its clip, the renewed level, and the checks of the constructor."""

import math

import numpy as np
import pytest
from omegaconf import OmegaConf

from banditlab.bandits import bounds, instances
from banditlab.bandits.kl_greedy import kl_greedy
from banditlab.bandits.kl_ucb import kl_ucb


def regret(problem, learner, rounds, replication=0):
    status, t, channels = problem.play(learner, np.array([rounds], np.int64), 1, replication, np.zeros(3, np.int64))
    assert (status, t) == (0, rounds)
    return channels["regret"][0]


def test_index_of_a_hand_worked_history():
    learner = kl_ucb(instances.bernoulli([0.2, 0.5, 0.9], 2.0), 100, scale=1.0, level=0.5)
    assert [learner.index(a, 1) for a in range(3)] == [1.0, 1.0, 1.0]  # unseen arms
    for t, (a, r) in enumerate([(0, 1.0), (0, 0.0), (0, 0.0), (0, 0.0), (1, 1.0)], start=1):
        learner.update(t, a, r)
    np.testing.assert_allclose(learner.index(0, 6), 1 / 4 + math.sqrt(0.5 / (2 * 4)), rtol=1e-14)
    assert learner.index(1, 6) == 1.0  # clipped
    assert learner.index(2, 6) == 1.0


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.0])
def test_index_agrees_with_the_formula_at_every_round(scale):
    K, rounds, delta = 4, 300, 0.05
    problem = instances.gaussian([0.1, 0.4, 0.5, 0.8], 3.0, sigma=0.7, ceiling=1.5)
    learner = kl_ucb(problem, rounds, scale=scale, delta=delta)
    rng = np.random.default_rng(0)
    rewards = [[] for _ in range(K)]
    for t in range(1, rounds + 1):
        L = math.log(2 * K * rounds / delta)
        for a, seen in enumerate(rewards):
            bonus = scale * 0.7 * math.sqrt(2 * L / len(seen)) if seen else math.inf
            expected = min(np.mean(seen) + bonus, 1.5) if seen else 1.5
            np.testing.assert_allclose(learner.index(a, t), expected, rtol=1e-12)
        a = int(rng.integers(K))
        r = problem.mean[a] + 0.7 * rng.normal()
        learner.update(t, a, r)
        rewards[a].append(r)


def test_anytime_level_is_renewed_at_powers_of_two():
    K, delta = 2, 0.1
    learner = kl_ucb(instances.bernoulli([0.0, 0.0], 1.0), 1, delta=delta, anytime=True)
    renewed = []
    for t in range(1, 1025):
        if learner.refresh(t):
            renewed.append(t)
        if t == 1:
            for _ in range(400):
                learner.update(1, 0, 0.0)
        L = math.log(2 * K * renewed[-1] ** 2 / delta)
        np.testing.assert_allclose(learner.index(0, t), 0.5 * math.sqrt(L / 800), rtol=1e-13)
    assert renewed == [2**k for k in range(11)]


def test_fixed_level_is_never_renewed():
    learner = kl_ucb(instances.textbook(), 1000)
    assert not any(learner.refresh(t) for t in range(1, 100))


def test_scale_zero_is_greedy():
    problem = instances.textbook(5.0)
    assert regret(problem, kl_ucb(problem, 2000, scale=0.0), 2000) == regret(problem, kl_greedy(problem, 2000), 2000)


def test_default_level_is_the_union_bound():
    problem = instances.textbook(5.0)
    same = [kl_ucb(problem, 500, delta=0.2), kl_ucb(problem, 500, level=math.log(2 * 5 * 500 / 0.2))]
    assert regret(problem, same[0], 500) == regret(problem, same[1], 500)
    assert regret(problem, kl_ucb(problem, 500, delta=0.01), 500) != regret(
        problem, kl_ucb(problem, 500, delta=0.2), 500
    )


def test_unregularized_kl_ucb_pulls_every_arm_before_repeating_a_failure():
    problem = instances.bernoulli([0.0, 0.0, 0.0, 0.0], math.inf)
    learner = kl_ucb(problem, 4, level=0.1)
    regret(problem, learner, 4)
    assert learner.pulls.tolist() == [1.0, 1.0, 1.0, 1.0]


def test_learners_share_no_state():
    problem = instances.textbook(5.0)
    one, two = kl_ucb(problem, 100), kl_ucb(problem, 100)
    regret(problem, one, 100)
    assert one.pulls.sum() == 100.0 and two.pulls.sum() == 0.0


def test_the_constructor_carries_its_theorem():
    assert kl_ucb.bound is bounds.kl_ucb


@pytest.mark.parametrize(
    "parameters, field",
    [
        ({"scale": -0.1}, "scale"),
        ({"scale": math.inf}, "scale"),
        ({"scale": "large"}, "scale"),
        ({"delta": 0.0}, "delta"),
        ({"delta": 1.5}, "delta"),
        ({"level": -1.0}, "level"),
        ({"level": math.nan}, "level"),
        ({"level": 2.0, "anytime": True}, "level"),
    ],
)
def test_bad_parameters_are_one_line_that_names_the_field(parameters, field):
    with pytest.raises((ValueError, TypeError)) as error:
        kl_ucb(instances.textbook(), 100, **parameters)
    assert str(error.value).startswith(field) and "\n" not in str(error.value)


def test_yaml_holds_the_defaults(request):
    path = request.config.rootpath / "experiments" / "conf" / "algorithm" / "bandits" / "kl_ucb.yaml"
    assert path.read_text().splitlines()[0] == "# @package algorithms.kl_ucb"
    config = OmegaConf.to_container(OmegaConf.load(path))
    assert (config.pop("_target_"), config.pop("_partial_")) == ("banditlab.bandits.kl_ucb", True)
    assert config == kl_ucb.__kwdefaults__
