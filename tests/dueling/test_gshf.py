"""Pessimistic offline RLHF: against dense formulas, and the trade between two instances."""

import functools

import numpy as np
import pytest

import banditlab as bl
from banditlab.dueling import instances
from banditlab.dueling.bt_greedy import bt_greedy
from banditlab.dueling.gshf import gshf
from banditlab.dueling.problem import bradley_terry


def test_scale_zero_is_greedy():
    data = instances.rare_good().dataset(500, 0, 0)
    np.testing.assert_allclose(gshf(data, scale=0.0), bt_greedy(data), rtol=1e-12)


@pytest.mark.parametrize("linear", [False, True])
def test_widths_are_those_of_the_dense_hessian(linear):
    g = np.random.default_rng(0)
    reference = g.dirichlet(np.ones(4), size=2)
    if linear:
        phi = g.standard_normal((2, 4, 3))
        phi /= 1.01 * np.linalg.norm(phi, axis=-1, keepdims=True)
        problem = bradley_terry(features=phi, parameter=[0.5, -0.3, 0.8], eta=2.0, reference=reference)
    else:
        problem = bradley_terry(g.random((2, 4)), eta=2.0, reference=reference)
    data = problem.dataset(3000, 0, 0)
    lam = 0.25
    lowered = gshf(data, scale=1.5, lam=lam).estimate
    plain = bt_greedy(data, lam=lam).estimate
    fit = data.estimated(lam)
    for x in range(2):
        feature = phi[x] if linear else np.eye(4)
        hessian = lam * np.eye(feature.shape[1])
        for y in range(2) if linear else [x]:
            of = phi[y] if linear else np.eye(4)
            theta = fit.estimate[0] if linear else fit.estimate[x]
            for a in range(4):
                for b in range(a):
                    z = of[a] - of[b]
                    p = 1.0 / (1.0 + np.exp(-z @ theta))
                    hessian += (data.wins[y, a, b] + data.wins[y, b, a]) * p * (1.0 - p) * np.outer(z, z)
        away = feature - reference[x] @ feature
        width = np.sqrt(np.einsum("ai,ij,aj->a", away, np.linalg.inv(hessian), away))
        drop = plain[x] - lowered[x]
        np.testing.assert_allclose(drop - drop[0], 1.5 * (width - width[0]), atol=1e-6)


@pytest.mark.slow
def test_pessimism_pays_where_the_worst_arm_is_rare_and_costs_where_the_best_is():
    """n = 1000, 400 datasets: at least 2 times better on rare_bad, 1.2 times worse on rare_good, by four s.e."""
    fits = {"greedy": bt_greedy, "double": functools.partial(gshf, scale=2.0)}
    ratio = {}
    for name, problem in (("bad", instances.rare_bad()), ("good", instances.rare_good())):
        gap = bl.run_offline(problem, fits, samples=[1000], replications=400).gap
        one, two = gap["greedy"][:, 0], gap["double"][:, 0]
        se = np.sqrt((one.std() / one.mean()) ** 2 + (two.std() / two.mean()) ** 2) / np.sqrt(400)
        ratio[name] = np.log(two.mean() / one.mean()), se
    assert ratio["bad"][0] + 4.0 * ratio["bad"][1] < -np.log(2.0)
    assert ratio["good"][0] - 4.0 * ratio["good"][1] > np.log(1.2)


@pytest.mark.slow
def test_the_trade_has_the_published_size_where_the_range_is_unknown():
    """Means of 400 datasets within four standard errors, of both, of those of 40 datasets, without the known range.

    The last value of an instance is scale 2 at n = 30000. With the range known greedy is better on rare_good and the
    trade is sharper: at scale 1 the numbers of rare_good are 8 of these standard errors off.
    """
    published = {
        instances.rare_bad: [0.140, 0.080, 0.044, 0.033, 0.0013, 0.0013],
        instances.rare_good: [0.099, 0.126, 0.157, 0.197, 0.014, 0.065],
    }
    fits = {scale: functools.partial(gshf, scale=scale) for scale in (0.0, 0.5, 1.0, 2.0)}
    off = {}
    for known in (False, True):
        for make, wanted in published.items():
            problem = make(span=1.0 if known else 100.0)
            gap = bl.run_offline(
                problem, {str(c): f for c, f in fits.items()}, samples=[1000, 30000], replications=400
            ).gap
            measured = [gap[str(c)][:, 0] for c in fits] + [gap["0.0"][:, 1], gap["2.0"][:, 1]]
            se = [x.std() * np.sqrt(1 / 400 + 1 / 40) for x in measured]
            found = np.array([(x.mean() - w) / s for x, w, s in zip(measured, wanted, se, strict=True)])
            off[known, make.__name__] = np.abs(found).max()
    assert off[False, "rare_bad"] < 4.0 and off[False, "rare_good"] < 4.0
    assert off[True, "rare_good"] > 4.0  # control


def test_the_theorem_s_width_is_that_of_v_at_its_radius():
    """One context, two arms, by hand: V = v I + N z z', and phi - nu = (1 - q) z or -q z."""
    q, wins, losses, lam, delta = 0.3, 70.0, 30.0, 0.2, 0.05
    problem = bradley_terry([0.4, 0.0], eta=3.0, span=1.0, reference=[q, 1.0 - q])
    table = np.array([[[0.0, wins], [losses, 0.0]]])
    slope = 1.0 / (2.0 + 2.0 * np.cosh(1.0))
    v, gain = lam / slope, np.log1p(2.0 * (wins + losses) / (lam / slope))
    beta = (0.5 * np.sqrt(gain + 2.0 * np.log(1.0 / delta)) + np.sqrt(lam * slope) * np.sqrt(0.5)) / slope
    size = np.sqrt(2.0 / (v + 2.0 * (wins + losses)))
    data = problem.described(table)
    plain = gshf(data, scale=0.0, lam=lam, delta=delta).estimate[0]
    lowered = gshf(data, scale=0.7, lam=lam, delta=delta).estimate[0]
    np.testing.assert_allclose(plain - lowered, 0.7 * beta * size * np.array([1.0 - q, q]), rtol=1e-10)


def test_tables_are_linear_rewards_in_unit_vectors():
    """The theorem's width of tables, one radius for all contexts, is that of features e_(x, a)."""
    g = np.random.default_rng(2)
    reward, reference = g.random((3, 4)), g.dirichlet(np.ones(4), size=3)
    table = bradley_terry(reward, eta=4.0, span=1.0, reference=reference)
    phi = np.eye(12).reshape(3, 4, 12)
    known = {"eta": 4.0, "span": 1.0, "reference": reference, "radius": 0.5 * np.sqrt(12.0)}
    linear = bradley_terry(features=phi, parameter=reward.ravel() - 0.5, **known)
    wins = table.dataset(2000, 0, 0).wins
    one, two = (gshf(problem.described(wins), scale=0.2, delta=0.1) for problem in (table, linear))
    np.testing.assert_allclose(one, two, rtol=1e-8)
    assert np.abs(one - bt_greedy(table.described(wins))).max() > 0.01


def test_bad_input():
    data = instances.rare_good().dataset(10, 0, 0)
    with pytest.raises(ValueError, match="scale: -1 is not in"):
        gshf(data, scale=-1.0)
    with pytest.raises(ValueError, match="lam: 0 is not in"):
        gshf(data, lam=0.0)
    with pytest.raises(ValueError, match="delta: 0 is not in"):
        gshf(data, delta=0.0)
