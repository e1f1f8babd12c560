"""KL-LSVI-UCB: regret is logarithmic in K and linear in eta, until it saturates. By hand in `test_lsvi`."""

import math

import numpy as np
import pytest

from banditlab.mdps import instances
from banditlab.mdps.kl_lsvi_ucb import kl_lsvi_ucb


@pytest.mark.slow
def test_every_decade_of_episodes_costs_the_same_and_regret_is_linear_in_eta(regret, ratio_of_increments):
    """3 instances x 15 seeds, K = 200, 2000, 20000, a new plan where det Lambda grew by 1.02: decades and eta.

    Second decade over first: in [.7, 1.5], to 4 standard errors for eta = .5, 1, 2, and as found for eta = 5.
    R(1) / R(.5): in [1.8, 2.4] as found, in [1.5, 2.7] to 4 standard errors. Control: at eta = 100 the same bonus does
    not cover the bias of lam = 1.
    """
    final = {}
    for eta in (0.5, 1.0, 2.0, 5.0, 100.0):
        curves = []
        for i in range(3):
            problem = instances.random_linear(8, 4, 4, 4, seed=i, eta=eta)
            for r in range(15 if eta < 100.0 else 2):
                learner = kl_lsvi_ucb(problem, 20_000, scale=0.3, lam=1.0, growth=1.02)
                curves.append(regret(problem, learner, [200, 2000, 20_000], i, r))
        found, error = ratio_of_increments(np.array(curves))
        final[eta] = np.array(curves)[:, -1].reshape(3, -1)
        if eta == 100.0:
            assert found > 3.0
        else:
            margin = 4.0 * error if eta < 5.0 else 0.0
            assert 0.7 < found - margin
            assert found + margin < 1.5
    ratio = final[1.0].mean() / final[0.5].mean()
    errors = [np.sqrt((x.var(axis=1, ddof=1) / 15).sum()) / 3 / x.mean() for x in (final[0.5], final[1.0])]
    assert 1.8 < ratio < 2.4
    assert abs(ratio - 2.1) + 4.0 * ratio * math.hypot(*errors) < 0.6


@pytest.mark.slow
def test_regret_is_linear_in_eta_until_it_saturates(regret):
    """Hypercube, gap .015, K = 8000, 12 instances: slope over [.5, 32] in [.75, 1.05], R(inf) / R(128) below 1.5."""
    etas = [0.5, 2.0, 8.0, 32.0, 128.0, math.inf]
    finals = np.empty((len(etas), 12))
    for c, eta in enumerate(etas):
        for i in range(12):
            problem = instances.hypercube(4, 3, 0.015, seed=i, eta=eta)
            finals[c, i] = regret(problem, kl_lsvi_ucb(problem, 8000, scale=1.0, lam=0.1), [8000], i)[-1]
    mean = finals.mean(axis=1)
    error = finals.std(axis=1, ddof=1) / math.sqrt(12) / mean
    slope = math.log(mean[3] / mean[0]) / math.log(64.0)
    assert abs(slope - 0.9) + 4.0 * math.hypot(error[0], error[3]) / math.log(64.0) < 0.15
    assert mean[5] / mean[4] * (1.0 + 4.0 * math.hypot(error[4], error[5])) < 1.5
    assert mean[3] / mean[2] > 3.0  # control: there it does not saturate
