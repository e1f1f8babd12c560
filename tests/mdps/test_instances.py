"""Named MDPs: closed-form values, realizability, labels that depend on the seed, validation, yaml files."""

import inspect
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from banditlab import mdps
from banditlab.mdps.instances import (
    combination_lock,
    covered,
    deep_sea,
    hypercube,
    jao,
    lock_class,
    minimax_hypercube,
    offline_hypercube,
    random_linear,
    random_tabular,
    river_swim,
    two_state,
)
from banditlab.mdps.planning import evaluate

CONF = Path(__file__).parents[2] / "experiments" / "conf" / "problem" / "mdps"
SEEDED = {
    "random_linear": lambda seed: random_linear(seed=seed, eta=math.inf),
    "random_tabular": lambda seed: random_tabular(seed=seed, eta=math.inf),
    "combination_lock": lambda seed: combination_lock(seed=seed),
    "lock_class": lambda seed: lock_class(3, 2, seed=seed),
    "deep_sea": lambda seed: deep_sea(5, seed=seed),
    "river_swim": lambda seed: river_swim(seed=seed),
    "hypercube": lambda seed: hypercube(seed=seed),
    "minimax_hypercube": lambda seed: minimax_hypercube(100, seed=seed),
    "offline_hypercube": lambda seed: offline_hypercube(100, seed=seed),
    "jao": lambda seed: jao(seed=seed),
    "two_state": lambda seed: two_state(3, seed=seed),
}


def worth(problem, policy, eta=None):
    eta = problem.eta if eta is None else eta
    return float(problem.start @ evaluate(problem.transition, problem.reward, problem.reference, eta, policy)[0][0])


# Values in closed form


@pytest.mark.parametrize("size", [2, 4, 10])
def test_deep_sea_is_worth_99_hundredths(size):
    problem = deep_sea(size, seed=size)
    assert problem.value == pytest.approx(0.99, rel=1e-14)
    assert not problem.random_rewards and problem.reward.min() == -0.01 / size
    uniform = np.full(problem.reward.shape, 0.5)
    assert worth(problem, uniform) < 2.0**-size
    paths = sum(problem.optimal[h, h].max() == 1.0 for h in range(size))  # right on the whole diagonal
    assert paths == size and worth(problem, problem.optimal) == pytest.approx(0.99, rel=1e-14)


def test_river_swim_is_worth_what_the_literature_says():
    assert river_swim().value == pytest.approx(3.397, abs=5e-4)
    problem = river_swim(2, 1)
    assert problem.value == 0.005 and river_swim(2, 1)._replace(start=np.array([0.0, 1.0])).optimal_value[0, 1] == 1.0
    left = np.zeros((20, 6, 2))
    problem = river_swim(seed=3)
    going_left = problem.transition[0, 0, :, 0].argmax()
    left[:, :, :] = np.eye(2)[problem.transition[0, np.arange(6), :, 0].argmax(axis=1)]
    left[:, 2:] = 0.5
    left[:, 0] = np.eye(2)[going_left]
    assert worth(problem, left) == pytest.approx(20 * 0.005, rel=1e-13)


@pytest.mark.parametrize(("H", "A", "slip"), [(1, 2, 0.3), (4, 3, 0.0), (6, 2, 0.2)])
def test_a_lock_opens_with_the_probability_of_not_slipping(H, A, slip):
    problem = combination_lock(H, A, slip, seed=1)
    assert problem.value == pytest.approx((1.0 - slip) ** (H - 1), rel=1e-14)
    uniform = np.full((H, 2, A), 1.0 / A)
    assert worth(problem, uniform) == pytest.approx((1.0 - slip) ** (H - 1) * A**-H, rel=1e-12)


@pytest.mark.parametrize(("H", "m", "gap"), [(2, 1, 0.5), (4, 3, 0.05), (8, 2, 0.01)])
def test_the_hypercube_has_its_closed_form(H, m, gap):
    problem, p = hypercube(H, m, gap, seed=2), 1.0 / H + m * gap
    assert problem.value == pytest.approx(sum((1 - p) ** (h - 1) * p * (H - h) for h in range(1, H + 1)), rel=1e-13)
    assert problem.features.shape == (H, 2, 2**m, m + 2)
    assert problem.transition[:, 0, :, 1].min() == pytest.approx(1.0 / H - m * gap, abs=1e-15)
    one = np.sort(problem.transition[0, 0, :, 1])
    np.testing.assert_allclose(np.unique(np.round(np.diff(np.unique(np.round(one, 12))), 12)), 2.0 * gap, rtol=1e-9)


def test_scaled_hypercubes_have_their_gaps():
    for problem, gap in (
        (minimax_hypercube(32_000), 2.7 / math.sqrt(4 * 32_000)),
        (minimax_hypercube(10), 1.0 / 12.0),
        (offline_hypercube(30_000), 0.5 / math.sqrt(30_000)),
        (offline_hypercube(10), 1.0 / 12.0),
        (minimax_hypercube(1e6, horizon=3, dim=2), 2.7 / math.sqrt(3e6)),
    ):
        H, m = problem.horizon, problem.features.shape[3] - 2
        assert problem.transition[0, 0, :, 1].max() == pytest.approx(1.0 / H + m * gap, rel=1e-13)


def test_jao_by_hand():
    problem, p, q = jao(3, 5, 0.1, base=0.25, seed=4), 0.35, 0.25
    poor, total = 1.0, 0.0
    for _ in range(5):  # always the special action
        total += 1.0 - poor
        poor = poor * (1.0 - p) + (1.0 - poor) * q
    assert problem.value == pytest.approx(total, rel=1e-13)
    assert ((problem.transition[:, 0, :, 1] == p).sum(axis=1) == 1).all()
    assert (problem.transition[:, 0, :, 1] == q).sum() == 10


@pytest.mark.parametrize(("payoff", "stay"), [(0.9, 1.0), (0.8, 0.7)])
def test_two_state_by_hand(payoff, stay):
    problem = two_state(6, payoff=payoff, stay=stay, share=0.6, seed=1)
    assert problem.value == pytest.approx(6 * payoff, rel=1e-13)  # either state has actions that pay
    H, S, A, d = problem.features.shape
    assert (H, S, A, d) == (6, 2, 100, 10)
    np.testing.assert_allclose(np.linalg.norm(problem.features, axis=-1), 1.0, rtol=1e-14)
    assert len(np.unique(problem.features[0, 0, :, :8], axis=0)) == A
    special = int(problem.behaviour[0, 0].argmax())
    assert problem.behaviour[0, 0, special] == 0.6 and problem.behaviour[0, 0, special - 1] == pytest.approx(0.4 / 99)
    good = problem.reward[0] == payoff
    assert good[0].sum() == 1 and good[0, special] and good[1].sum() == 99 and not good[1, special]
    towards = problem.transition.argmax(axis=-1)
    assert set(np.unique(problem.transition).round(12)) == {round(1.0 - stay, 12), stay}
    for h in range(H):
        assert len(set(towards[h][good])) == 1 and set(towards[h][good]) != set(towards[h][~good])


# Structure


@pytest.mark.parametrize("name", SEEDED)
def test_features_realise_the_tables_and_have_norm_at_most_one(name):
    for seed in range(3):
        problem = SEEDED[name](seed)
        np.testing.assert_allclose(problem.transition.sum(axis=-1), 1.0, rtol=1e-14)
        assert problem.transition.min() >= 0.0
        H, S, A, d = problem.features.shape
        if d == 0:
            continue
        assert np.linalg.norm(problem.features, axis=-1).max() <= 1.0 + 1e-12
        for h in range(H):
            rows = problem.features[h].reshape(S * A, d)
            wanted = np.column_stack([problem.transition[h].reshape(S * A, S), problem.reward[h].ravel()])
            fit = rows @ np.linalg.pinv(rows) @ wanted
            assert np.abs(fit - wanted).max() < 1e-9


def test_random_linear_mdps_are_mixtures_of_measures():
    problem = random_linear(seed=4, eta=2.0)
    assert problem.features.shape == (4, 8, 4, 4) and (problem.features[0] == problem.features[3]).all()
    np.testing.assert_allclose(problem.features.sum(axis=-1), 1.0, rtol=1e-14)
    for h in range(4):
        rows = problem.features[h].reshape(32, 4)
        mu = np.linalg.lstsq(rows, problem.transition[h].reshape(32, 8), rcond=None)[0]
        np.testing.assert_allclose(mu.sum(axis=1), 1.0, rtol=1e-10)
        assert mu.min() > -1e-10 and not np.allclose(mu, mu[:1])


@pytest.mark.parametrize("name", SEEDED)
def test_an_instance_is_a_function_of_its_seed_and_its_best_actions_are_not_always_the_same(name):
    same, again = SEEDED[name](3), SEEDED[name](3)
    for x, y in zip(same, again, strict=True):
        np.testing.assert_array_equal(x, y)
    made = [SEEDED[name](seed) for seed in range(12)]
    for h in range(made[0].horizon):
        at = h if name == "deep_sea" else 0  # where the optimum is at that stage
        best = {int(problem.advantage[h, at].argmin()) for problem in made}
        flat = all((problem.advantage[h, at] == 0.0).all() for problem in made)  # nothing is to be chosen
        assert len(best) > 1 or flat
        assert not flat or (name.endswith(("cube", "jao")) and h == made[0].horizon - 1)


def test_the_class_of_locks_holds_every_lock_once_in_an_order_of_the_seed():
    places = set()
    for seed in range(6):
        problem = lock_class(3, 2, seed=seed)
        assert problem.models.shape == (8, 3, 2, 2, 2)
        codes = {tuple(P[:, 0, :, 0].argmax(axis=1)) for P in problem.models}
        assert codes == set(itertools.product(range(2), repeat=3))
        true = [m for m in range(8) if (problem.models[m] == problem.transition).all()]
        true = [m for m in true if (problem.model_rewards[m] == problem.reward).all()]
        assert len(true) == 1
        places.add(true[0])
    assert len(places) > 2


def test_covered_data_mix_the_best_and_the_worst_policy():
    base = random_tabular(2, 3, 2, seed=1, eta=math.inf)
    best, worst = covered(base, 1.0), covered(base, 0.0)
    np.testing.assert_array_equal(best.behaviour, base.optimal)
    every = [np.eye(3)[np.array(acts)].reshape(2, 2, 3) for acts in itertools.product(range(3), repeat=4)]
    assert worth(base, worst.behaviour) == pytest.approx(min(worth(base, policy) for policy in every), rel=1e-13)
    half = covered(base, 0.25)
    np.testing.assert_allclose(half.behaviour, 0.25 * best.behaviour + 0.75 * worst.behaviour, rtol=1e-15)
    assert (half.optimal == base.optimal).all() and half.behaviour.flags.c_contiguous


# Refusals and configurations


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: random_linear(0, eta=1.0), "states: 0 is not allowed"),
        (lambda: random_linear(horizon=0, eta=1.0), "horizon: 0 is not allowed, must be at least 1"),
        (lambda: random_linear(eta=0.0), r"eta: 0 is not in \(0, inf\]"),
        (lambda: random_linear(seed=-1, eta=1.0), "seed: -1 is not allowed"),
        (lambda: random_tabular(horizon=0, eta=1.0), "horizon: 0 is not allowed"),
        (lambda: combination_lock(0), "horizon: 0 is not allowed"),
        (lambda: combination_lock(3, 1), "actions: 1 is not allowed, must be at least 2"),
        (lambda: combination_lock(slip=1.5), r"slip: 1.5 is not in \[0, 1\]"),
        (lambda: lock_class(0), "horizon: 0 is not allowed"),
        (lambda: deep_sea(1), "size: 1 is not allowed, must be at least 2"),
        (lambda: river_swim(1), "states: 1 is not allowed"),
        (lambda: river_swim(horizon=0), "horizon: 0 is not allowed"),
        (lambda: hypercube(1), "horizon: 1 is not allowed, must be at least 2"),
        (lambda: hypercube(gap=0.0), r"gap: 0 is not in \(0, 0.0833333\]"),
        (lambda: hypercube(gap=0.09), r"gap: 0.09 is not in \(0, 0.0833333\]"),
        (lambda: minimax_hypercube(0), "rounds: 0 is not allowed"),
        (lambda: minimax_hypercube(10, horizon=0), "horizon: 0 is not allowed"),
        (lambda: offline_hypercube(0), "samples: 0 is not allowed"),
        (lambda: offline_hypercube(10, dim=0), "dim: 0 is not allowed"),
        (lambda: jao(1), "actions: 1 is not allowed"),
        (lambda: jao(gap=0.9), r"gap: 0.9 is not in \(0, 0.8\]"),
        (lambda: jao(base=0.0), r"base: 0 is not in \(0, 1\]"),
        (lambda: two_state(payoff=0.5), r"payoff: 0.5 is not in \(0.5, 1\]"),
        (lambda: two_state(0), "horizon: 0 is not allowed"),
        (lambda: two_state(share=0.0), r"share: 0 is not in \(0, 1\]"),
        (lambda: covered(jao(), 1.1), r"share: 1.1 is not in \[0, 1\]"),
    ],
)
def test_bad_input_is_refused_in_one_line(make, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_integers_may_come_as_floats():
    assert lock_class(2.0, 3.0).models.shape[0] == 9
    assert combination_lock(3.0, 2.0).reward.shape == (3, 2, 2)


@pytest.mark.parametrize("name", mdps.INSTANCES)
def test_the_yaml_of_an_instance_has_its_defaults(name):
    hydra = pytest.importorskip("hydra.utils")
    config = OmegaConf.load(CONF / f"{name}.yaml")
    parameters = inspect.signature(mdps.INSTANCES[name]).parameters
    assert (CONF / f"{name}.yaml").read_text().startswith("# @package problem\n")
    assert config._target_ == f"banditlab.mdps.{name}"
    for key, value in config.items():
        if (
            key != "_target_"
            and parameters[key].default is not inspect.Parameter.empty
            and name not in ("tabular", "linear")
        ):
            default = parameters[key].default
            assert float(value) == default, key
    assert type(hydra.instantiate(config)) is mdps.MDP
