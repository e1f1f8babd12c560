"""KL-regularized linear Thompson sampling."""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.contextual.kl_lin_greedy import kl_lin_greedy
from banditlab.contextual.kl_lin_thompson import kl_lin_thompson
from banditlab.contextual.lin_thompson import lin_thompson
from banditlab.contextual.problem import linear, tabular


def instance(eta=4.0, *, d=4, S=6, K=5, **options):
    g = np.random.default_rng(3)
    features = g.standard_normal((S, K, d))
    features /= np.linalg.norm(features, axis=-1, keepdims=True)
    theta = g.standard_normal(d)
    return linear(features, theta / np.linalg.norm(theta), eta=eta, spread=0.3, **options)


def test_first_round_by_hand():
    problem = linear([[[1.0], [0.5]]], [0.8], eta=2.0, spread=0.3)
    learner, pi = kl_lin_thompson(problem, 10, scale=0.5, lam=4.0), np.zeros(2)
    learner.policy(1, 0, pi, rng.stream(0, rng.LEARNER, 0))
    theta = 0.5 * 0.3 * rng.normal(rng.stream(0, rng.LEARNER, 0)) / 2.0
    assert pi[0] / pi[1] == pytest.approx(math.exp(2.0 * 0.5 * theta), rel=1e-13)


@pytest.mark.parametrize("algorithm", [kl_lin_thompson, lin_thompson])
def test_agrees_with_numpy_on_the_same_normals(algorithm):
    problem, g, lam, scale = instance(), np.random.default_rng(0), 0.5, 1.5
    own, other = rng.stream(0, rng.LEARNER, 0), rng.stream(0, rng.LEARNER, 0)
    learner, pi = algorithm(problem, 150, scale=scale, lam=lam), np.zeros(5)
    gram, moment = lam * np.eye(4), np.zeros(4)
    for t in range(1, 151):
        z = np.array([rng.normal(other) for _ in range(4)])
        theta = np.linalg.solve(gram, moment) + scale * 0.3 * np.linalg.solve(np.linalg.cholesky(gram).T, z)
        for s in range(6):  # one draw for all contexts of the round
            score = problem.features[s] @ theta
            w = np.exp(4.0 * (score - score.max()))
            learner.policy(t, s, pi, own)
            expected = w / w.sum() if algorithm is kl_lin_thompson else np.eye(5)[score.argmax()]
            np.testing.assert_allclose(pi, expected, rtol=1e-11)
        s, a, r = int(g.integers(6)), int(g.integers(5)), float(g.standard_normal())
        learner.update(t, s, a, r)
        x = problem.features[s, a]
        gram, moment = gram + np.outer(x, x), moment + r * x


def test_without_spread_it_is_greedy():
    problem, cut = instance(), np.array([5, 500])
    regret = [
        problem.play(learner, cut, 0, 1, np.zeros(2, np.int64))[2]["regret"]
        for learner in (
            kl_lin_thompson(problem, 500, scale=0.0),
            kl_lin_greedy(problem, 500),
            kl_lin_thompson(problem, 500),
        )
    ]
    np.testing.assert_allclose(regret[0], regret[1], rtol=1e-10)
    assert abs(regret[2][1] / regret[1][1] - 1.0) > 1e-3  # control


@pytest.mark.slow
def test_its_regret_grows_twice_as_fast_as_that_of_greedy():
    """(1 + scale^2) times, at scale 1 and 2: 60 replications, d = 8; four standard errors within 25 %."""
    problem, cuts = instance(d=8, K=10, measure="realised"), np.array([2**9, 2**13])

    def slope(algorithm, **parameters):
        learners = (algorithm(problem, cuts[1], **parameters) for _ in range(60))
        out = [problem.play(x, cuts, 7, i, np.zeros(2, np.int64))[2]["regret"] for i, x in enumerate(learners)]
        x = np.diff(out)[:, 0]
        return x.mean(), x.std(ddof=1) / math.sqrt(60) / x.mean()

    base, se = slope(kl_lin_greedy)
    for scale, expected in ((1.0, 2.0), (2.0, 5.0)):
        mean, other = slope(kl_lin_thompson, scale=scale)
        assert 4.0 * math.hypot(se, other) < 0.25
        assert abs(mean / base / expected - 1.0) < 0.25


def test_bad_input():
    problem = instance()
    with pytest.raises(ValueError, match="scale: -1 is not in"):
        kl_lin_thompson(problem, 10, scale=-1.0)
    with pytest.raises(ValueError, match="lam: 0 is not in"):
        kl_lin_thompson(problem, 10, lam=0.0)
    with pytest.raises(ValueError, match="features: kl_lin_thompson needs a linear problem"):
        kl_lin_thompson(tabular([[0.1, 0.2]], eta=1.0), 10)
    with pytest.raises(ValueError, match="regularizer: kl_lin_thompson needs 'kl'"):
        kl_lin_thompson(instance(regularizer="chi2"), 10)
