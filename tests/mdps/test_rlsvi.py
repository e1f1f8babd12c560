"""RLSVI: regret grows like sqrt(K) on gap-scaled instances. By hand and against NumPy in `test_sampled_lsvi`."""

import numpy as np
import pytest

from banditlab.mdps import instances
from banditlab.mdps.rlsvi import rlsvi


@pytest.mark.slow
def test_regret_grows_like_the_root_on_gap_scaled_instances(gap_scaled, slope):
    """K = 500 to 32000, 20 instances each: slope 1/2 within .08 and below half of uniform play, to 4 standard errors.

    Control: with next to no noise (sigma = .01), and with too much (10), regret is more than half of that of uniform
    play, to 4 standard errors.
    """
    sizes = [500, 2000, 8000, 32_000]
    finals, blind = gap_scaled(rlsvi, sizes, 20)
    found, error = slope(sizes, finals)
    assert abs(found - 0.5) + 4.0 * error < 0.08
    share = finals / blind
    assert (share.mean(axis=1) + 4.0 * share.std(axis=1, ddof=1) / np.sqrt(20) < 0.5).all()
    for sigma, runs in ((0.01, 24), (10.0, 4)):
        finals, blind = gap_scaled(rlsvi, sizes[:3], runs, sigma=sigma)
        share = finals / blind
        assert share.mean() - 4.0 * share.std(ddof=1) / np.sqrt(share.size) > 0.5


@pytest.mark.slow
def test_on_a_fixed_gap_regret_bends(regret, slope):
    """Gap .08, K = 500 to 8000, 8 instances each: slope below .42, to 4 standard errors; gap-scaled it is 1/2."""
    sizes = [500, 2000, 8000]
    finals = np.empty((3, 8))
    for c, K in enumerate(sizes):
        for i in range(8):
            problem = instances.hypercube(4, 3, 0.08, seed=i)
            finals[c, i] = regret(problem, rlsvi(problem, K), [K], 8 * c + i)[-1]
    found, error = slope(sizes, finals)
    assert found + 4.0 * error < 0.42


@pytest.mark.parametrize("name", ["sigma", "lam"])
def test_bad_parameters_are_refused_in_one_line(name):
    for value in (-1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match=rf"^{name}: [^\n]*$"):
            rlsvi(instances.random_tabular(eta=1.0), 10, **{name: value})
