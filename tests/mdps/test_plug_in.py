"""The plug-in policy: the optimum of the estimated model, and its law on the hypercube. By hand in `test_pevi`."""

import math

import numpy as np
import pytest

from banditlab.mdps import instances
from banditlab.mdps.kl_pevi import kl_pevi
from banditlab.mdps.planning import backward_induction
from banditlab.mdps.plug_in import plug_in


@pytest.mark.parametrize("eta", [0.7, 20.0, math.inf])
def test_of_a_table_it_is_the_optimum_of_the_empirical_model(eta):
    """To the ridge: at lam = 1e-9 the model's frequencies, where every pair was seen."""
    problem = instances.random_tabular(3, 3, 3, seed=1, eta=eta)
    data = problem.dataset(3000, 0, 0)
    moves, total = data.moves.sum(axis=0), data.total.sum(axis=0)
    counts = moves.sum(axis=3)
    assert counts.min() > 0.0 or (counts[0, 1:] == 0.0).all()
    seen = np.maximum(counts, 1.0)
    plan = backward_induction(moves / seen[..., None], total / seen, problem.reference, eta)
    np.testing.assert_allclose(plug_in(data, lam=1e-9), np.exp(plan.log_policy), rtol=1e-6)
    np.testing.assert_array_equal(plug_in(data, lam=0.3), kl_pevi(data, scale=0.0, lam=0.3))
    assert np.abs(plug_in(data) - kl_pevi(data, scale=10.0)).max() > 0.05  # control


@pytest.mark.slow
def test_its_law_on_the_hypercube():
    """Delta sqrt(n) = .5: J* - J sqrt(n) tends to a constant, by the normal law of the estimates; 400 datasets, 4 s.e.

    At stage h a coordinate is wrong with probability Phi(-Delta sqrt(n d_h) / sqrt(p (1 - p))), p = 1 / H, d_h the
    probability of waiting, and then costs 2 Delta d_h (V_{h+1}(good) - V_{h+1}(waiting)).
    """
    n, H, m = 10**6, 4, 3
    problem = instances.offline_hypercube(n, horizon=H, dim=m, seed=1)
    p, delta, wanted = 1.0 / H, 0.5 / math.sqrt(n), 0.0
    waiting = [0.0]  # values of the waiting state from the last stage on
    for left in range(1, H):
        waiting.append(p * left + (1.0 - p) * waiting[-1])
    for h in range(H - 1):
        visited = (1.0 - p) ** h
        wrong = 0.5 * math.erfc(0.5 * math.sqrt(visited / (p * (1.0 - p))) / math.sqrt(2.0))
        wanted += m * wrong * 2.0 * delta * visited * ((H - 1 - h) - waiting[H - 2 - h])
    gap = np.array([problem.suboptimality(plug_in(problem.dataset(n, 3, i))) for i in range(400)])
    error = gap.std(ddof=1) / 20.0
    assert abs(gap.mean() - wanted) < 4.0 * error
    assert error < 0.05 * wanted  # control: it would tell a constant a quarter off


def test_bad_parameters_are_refused_in_one_line():
    data = instances.random_tabular(eta=1.0).dataset(0, 0, 0)
    for lam in (0.0, -1.0, math.inf):
        with pytest.raises(ValueError, match=r"^lam: [^\n]*$"):
            plug_in(data, lam=lam)
