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


def test_bad_input():
    data = instances.rare_good().dataset(10, 0, 0)
    with pytest.raises(ValueError, match="scale: -1 is not in"):
        gshf(data, scale=-1.0)
    with pytest.raises(ValueError, match="lam: 0 is not in"):
        gshf(data, lam=0.0)
