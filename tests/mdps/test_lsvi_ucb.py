"""LSVI-UCB: regret grows like sqrt(K) on gap-scaled instances. By hand and against replays in `test_lsvi`."""

import numpy as np
import pytest

from banditlab.mdps import instances
from banditlab.mdps.lsvi_ucb import lsvi_ucb


@pytest.mark.slow
def test_regret_grows_like_the_root_on_gap_scaled_instances(gap_scaled, slope):
    """K = 500 to 32000, 18 instances each: the slope found is 1/2 within .08, and 4 standard errors are below .12.

    Regret is below half of that of uniform play, whose slope is .53, to 4 standard errors. Control: with lam = .01 and
    scale .3 the bonus covers neither noise nor bias, and the slope found is above .62.
    """
    sizes = [500, 2000, 8000, 32_000]
    finals, blind = gap_scaled(lsvi_ucb, sizes, 18)
    found, error = slope(sizes, finals)
    assert abs(found - 0.5) < 0.08
    assert 4.0 * error < 0.12
    share = finals / blind
    assert (share.mean(axis=1) + 4.0 * share.std(axis=1, ddof=1) / np.sqrt(18) < 0.5).all()
    assert slope(sizes, gap_scaled(lsvi_ucb, sizes, 18, scale=0.3, lam=0.01)[0])[0] > 0.62  # control


@pytest.mark.slow
def test_on_a_fixed_gap_regret_bends(regret):
    """Gap .08: the last fourfold of episodes costs less than half of what sqrt(K) would, 12 instances."""
    out = []
    for i in range(12):
        problem = instances.hypercube(4, 3, 0.08, seed=i)
        out.append(regret(problem, lsvi_ucb(problem, 32_000), [8000, 32_000], i))
    mean, increment = np.mean(out, axis=0), np.diff(out, axis=1)
    error = increment.std(ddof=1) / np.sqrt(12)
    assert increment.mean() + 4.0 * error < mean[0]  # of sqrt(K): equal


@pytest.mark.slow
def test_optimism_fails_where_the_bonus_does_not_cover_the_bias():
    """lam = 1: the share of optimistic episodes is at least .99 at the default scale, below .9 at scale .3."""
    shares = {None: [], 0.3: []}
    for scale, out in shares.items():
        for i in range(6):
            problem = instances.random_linear(8, 4, 4, 4, seed=i, eta=np.inf)
            learner = lsvi_ucb(problem, 2000, scale=scale, lam=1.0)
            out.append(problem.play(learner, np.array([2000]), i, 0, np.zeros(2, np.int64))[2]["optimism"][-1])
    assert min(shares[None]) > 0.99
    assert np.mean(shares[0.3]) < 0.9  # control
