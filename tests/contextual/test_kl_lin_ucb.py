"""KL-regularized LinUCB: by hand, against NumPy, its two ways to predict, optimism, and its bound."""

import math

import numpy as np
import pytest

from banditlab import confidence, rng
from banditlab.contextual.kl_lin_ucb import kl_lin_ucb
from banditlab.contextual.linear_model import linear_model
from banditlab.contextual.loop import AVERAGED
from banditlab.contextual.problem import linear, tabular


def instance(d, seed=0, *, S=6, K=10, eta=4.0, norm=2.0, **options):
    g = np.random.default_rng(seed)
    features = g.standard_normal((S, K, d))
    features /= np.linalg.norm(features, axis=-1, keepdims=True)
    theta = g.standard_normal(d)
    options = {"reference": g.dirichlet(np.ones(K), size=S)} | options
    return linear(features, norm * theta / np.linalg.norm(theta), eta=eta, spread=0.3, **options)


def test_two_rounds_by_hand():
    problem = linear([[[1.0], [0.5]]], [0.8], eta=2.0, spread=0.1, reference=[0.25, 0.75])
    learner, pi, own = kl_lin_ucb(problem, 100, scale=0.5, delta=0.1, lam=1.0), np.zeros(2), rng.stream(0, 1, 0)
    width = 0.5 * (0.1 * math.sqrt(math.log1p(100.0) + 2.0 * math.log(10.0)) + 0.8)
    learner.policy(1, 0, pi, own)
    assert pi[0] / pi[1] == pytest.approx(math.exp(2.0 * 0.5 * width) / 3.0, rel=1e-13)
    learner.update(1, 0, 0, 1.0)  # Lambda = 2, theta = 1 / 2
    learner.policy(2, 0, pi, own)
    assert pi[0] / pi[1] == pytest.approx(math.exp(2.0 * 0.5 * (0.5 + width / math.sqrt(2.0))) / 3.0, rel=1e-13)


@pytest.mark.parametrize("measure", ["average", "realised"])
@pytest.mark.parametrize("eta", [4.0, math.inf])
def test_agrees_with_numpy_round_by_round(eta, measure):
    problem, g, own = instance(4, eta=eta, measure=measure), np.random.default_rng(0), rng.stream(0, 1, 0)
    learner, pi, lam = kl_lin_ucb(problem, 200, scale=0.7, lam=0.5), np.zeros(10), 0.5
    assert learner.model.tabled == (measure == "average")
    width = 0.7 * confidence.ellipsoid(4, 200, lam, 0.01, 0.3, 2.0)
    gram, moment = lam * np.eye(4), np.zeros(4)
    for t in range(1, 201):
        inverse = np.linalg.inv(gram)
        for s in range(6):
            phi = problem.features[s]
            index = phi @ inverse @ moment + width * np.sqrt(np.einsum("ai,ij,aj->a", phi, inverse, phi))
            w = problem.reference[s] * np.exp(4.0 * (index - index.max()))
            learner.policy(t, s, pi, own)
            np.testing.assert_allclose(pi, w / w.sum() if eta < math.inf else np.eye(10)[index.argmax()], rtol=1e-10)
        s, a, r = int(g.integers(6)), int(g.integers(10)), float(g.standard_normal())
        learner.update(t, s, a, r)
        x = problem.features[s, a]
        gram, moment = gram + np.outer(x, x), moment + r * x


@pytest.mark.parametrize(("S", "K", "d"), [(6, 10, 4), (40, 20, 20)])
def test_the_table_and_the_product_give_the_same_trajectory(S, K, d):
    problem, cut = instance(d, S=S, K=K, measure="realised"), np.array([10, 1000, 6000])
    product = kl_lin_ucb(problem, 6000)
    table = product._replace(model=linear_model(problem._replace(measure=AVERAGED), 1.0))
    assert (product.model.tabled, table.model.tabled) == (False, True)
    one, two = (problem.play(x, cut, 0, 0, np.zeros(2, np.int64))[2]["regret"] for x in (product, table))
    np.testing.assert_allclose(one, two, rtol=1e-9)
    other = problem.play(kl_lin_ucb(problem, 6000, lam=1.001), cut, 0, 0, np.zeros(2, np.int64))[2]["regret"]
    assert np.abs(one / other - 1.0).max() > 1e-6  # control


# Optimism


def margins(problem, scale, rounds, replication):
    """Whether theta* stayed in the ellipsoid of scale 1, and the least index - r over rounds and contexts."""
    learner, pi = kl_lin_ucb(problem, rounds, scale=scale), np.zeros(problem.mean.shape[1])
    beta = confidence.ellipsoid(problem.parameter.size, rounds, 1.0, 0.01, problem.sigma, problem.radius)
    g, own, good, least = np.random.default_rng(replication), rng.stream(0, 1, 0), True, math.inf
    for t in range(1, rounds + 1):
        error = learner.model.ridge.estimate - problem.parameter
        good &= bool(error @ np.linalg.solve(learner.model.ridge.inverse, error) <= beta * beta)
        for s in range(problem.law.size):
            learner.policy(t, s, pi, own)
            least = min(least, float((learner.score - problem.mean[s]).min()))
        s, a = int(g.integers(problem.law.size)), int(g.choice(pi.size, p=pi / pi.sum()))
        learner.update(t, s, a, problem.mean[s, a] + 0.3 * float(g.standard_normal()))
    return good, least


def test_on_the_good_event_the_index_is_above_the_mean():
    runs = [margins(instance(3, i, S=2, K=4), 1.0, 150, i) for i in range(10)]
    assert all(good for good, _ in runs)  # each fails with probability below 0.01
    assert all(least >= 0.0 for _, least in runs)
    assert min(margins(instance(3, i, S=2, K=4), 0.01, 150, i)[1] for i in range(3)) < 0.0  # control


@pytest.mark.parametrize("d", [2, 8])
def test_regret_is_below_the_bound(d):
    cut = np.array([1, 10, 100, 1000, 4000])
    for seed in range(10):
        problem = instance(d, seed)
        learner = kl_lin_ucb(problem, 4000, scale=1.0)
        regret = problem.play(learner, cut, 0, seed, np.zeros(2, np.int64))[2]["regret"]
        bound = kl_lin_ucb.bound(problem, 4000, cut, scale=1.0, delta=0.01, lam=1.0)
        assert (regret <= bound).all()
        assert (regret > 1e-3 * bound).any()  # a bound a thousand times smaller would be exceeded


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scale": -1.0}, "scale: -1 is not in"),
        ({"scale": math.inf}, "scale: must be finite"),
        ({"delta": 0.0}, "delta: 0 is not in"),
        ({"delta": 1.5}, "delta: 1.5 is not in"),
        ({"lam": 0.0}, "lam: 0 is not in"),
    ],
)
def test_bad_input(parameters, message):
    with pytest.raises(ValueError, match=message):
        kl_lin_ucb(instance(2), 10, **parameters)


def test_bad_problem_or_rounds():
    with pytest.raises(ValueError, match="rounds: 0"):
        kl_lin_ucb(instance(2), 0)
    with pytest.raises(ValueError, match="features: kl_lin_ucb needs a linear problem"):
        kl_lin_ucb(tabular([[0.1, 0.2]], eta=1.0), 10)
    with pytest.raises(ValueError, match="regularizer: kl_lin_ucb needs 'kl'"):
        kl_lin_ucb(instance(2, regularizer="chi2"), 10)
