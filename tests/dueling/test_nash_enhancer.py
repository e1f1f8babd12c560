"""The Nash enhancer's rival in NumPy. What it shares with its sisters is tested in test_nash.py."""

import numpy as np
import pytest

from banditlab import rng
from banditlab.dueling.instances import rps
from banditlab.dueling.nash_enhancer import nash_enhancer


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0])
def test_the_rival_is_the_exponential_tilt_on_the_edge_of_the_constraint(scale):
    problem = rps(3, 0.3, 1, eta=2.0, reference=[0.05, 0.3, 0.35, 0.3])
    learner, own = nash_enhancer(problem, 400, scale=scale), rng.stream(0, rng.LEARNER, 0)
    pi, q = np.zeros((2, 4))
    assert learner.duel(1, 0, pi, q, own)
    np.testing.assert_array_equal(q, problem.reference[0])
    g, edge = np.random.default_rng(0), 0
    for t in range(200):
        a, b = (int(i) for i in g.choice(4, size=2, replace=False))
        learner.update(t + 1, 0, a, b, float(g.random() < problem.preference[0, a, b]))
        assert learner.duel(t + 2, 0, pi, q, own)
        np.testing.assert_array_equal(pi, learner.main[0])
        wins = learner.wins[0]
        n = wins + wins.T
        with np.errstate(divide="ignore", invalid="ignore"):
            b = np.where(n > 0.0, scale / np.sqrt(n) + 0.5 / (n + 1.0), np.inf)
        b = np.minimum(b, abs((wins + 0.5) / (n + 1.0) - 0.5) + 0.5) * (1.0 - np.eye(4))
        u = pi @ b
        if q.min() > 1e-100:  # else the point mass is allowed
            tilt = np.log(q / pi)
            s = np.ptp(tilt) / np.ptp(u)
            np.testing.assert_allclose(tilt - tilt[0], s * (u - u[0]), rtol=1e-8, atol=1e-8)
            assert q @ tilt == pytest.approx(problem.eta * q @ u, rel=1e-8, abs=0.0)
            assert s >= problem.eta
            edge += 1
        else:
            assert q.argmax() == u.argmax() and -np.log(pi[u.argmax()]) <= problem.eta * u.max() + 1e-6
    assert edge > 100
    np.testing.assert_array_equal(own, rng.stream(0, rng.LEARNER, 0))  # draws nothing


def test_a_negative_scale_is_refused():
    with pytest.raises(ValueError, match="scale: -1 is not in"):
        nash_enhancer(rps(), 10, scale=-1.0)
