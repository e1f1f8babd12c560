"""Posterior sampling over models: against a brute-force posterior, the law of its draws, and the lock."""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.mdps import instances
from banditlab.mdps.gec_posterior_sampling import FLOOR, gec_posterior_sampling
from banditlab.mdps.planning import backward_induction
from banditlab.mdps.problem import tabular, with_models


def problem_of(eta, noise="bernoulli", same_rewards=False):
    """One of six random models, two of which never move where the truth may."""
    models = [instances.random_tabular(3, 2, 3, seed=seed, eta=eta) for seed in range(6)]
    P, r = np.array([m.transition for m in models]), np.array([m.reward for m in models])
    P[1, 0, 0], P[3, :, :, 1] = [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]
    if same_rewards:
        r[[0, 2]] = r[4]
    problem = tabular(P[4], r[4], eta=eta, start=[0.5, 0.0, 0.5], reference=[0.3, 0.7], noise=noise)
    return with_models(problem, P, r)


def posterior(problem, rows, optimism, rate):
    """Weights of the models by multiplying probabilities, transition after transition."""
    weight = []
    for P, r in zip(problem.models, problem.model_rewards, strict=True):
        value = backward_induction(P, r, problem.reference, problem.eta).value[0]
        w = math.exp(optimism * problem.start @ value)
        if not problem.random_rewards and not np.array_equal(r, problem.reward):
            w = 0.0
        for h, s, a, x, s2 in rows:
            w *= max(P[h, s, a, s2], FLOOR) ** rate
            if problem.random_rewards:
                w *= max(r[h, s, a] if x == 1.0 else 1.0 - r[h, s, a], FLOOR) ** rate
        weight.append(w)
    return np.array(weight) / sum(weight)


@pytest.mark.parametrize("noise", ["bernoulli", "none"])
@pytest.mark.parametrize(("optimism", "rate"), [(0.0, 1.0), (2.0, 0.5)])
@pytest.mark.parametrize("eta", [1.5, math.inf])
def test_agrees_with_the_product_of_probabilities(eta, optimism, rate, noise):
    problem, g, rows = problem_of(eta, noise, same_rewards=True), np.random.default_rng(0), []
    learner, pi, stream = gec_posterior_sampling(problem, 9, optimism=optimism, rate=rate), np.zeros((3, 3, 2)), own()
    plans = [
        backward_induction(P, r, problem.reference, eta)
        for P, r in zip(problem.models, problem.model_rewards, strict=True)
    ]
    last = -1
    for k in range(1, 31):
        planned = learner.plan(k, pi, stream)
        weight = np.exp(learner.log_weight)
        np.testing.assert_allclose(weight / weight.sum(), posterior(problem, rows, optimism, rate), rtol=1e-9)
        m = int(learner.chosen[0])
        assert planned == (m != last)
        last = m
        np.testing.assert_array_equal(pi, np.exp(plans[m].log_policy))
        assert learner.estimate(2) == plans[m].value[0, 2]
        for _ in range(2):
            h, s, a, s2 = (int(g.integers(n)) for n in (3, 3, 2, 3))
            r = float(g.random() < 0.4) if noise == "bernoulli" else problem.reward[h, s, a]
            learner.update(h, s, a, r, s2)
            rows.append((h, s, a, r, s2))


def own():
    return rng.stream(3, rng.LEARNER, 0)


def test_models_are_drawn_by_their_weight():
    """chi^2 of 4000 draws with 5 degrees of freedom below 25; those of the posterior without optimism above."""
    problem = problem_of(math.inf)
    learner, pi, stream = gec_posterior_sampling(problem, 9, optimism=2.0), np.zeros((3, 3, 2)), own()
    rows = [(0, 0, 1, 1.0, 1), (1, 1, 0, 0.0, 2)]
    for row in rows:
        learner.update(*row)
    hits = np.zeros(6)
    for _ in range(4000):
        learner.plan(1, pi, stream)
        hits[learner.chosen[0]] += 1.0
    for optimism, right in ((2.0, True), (0.0, False)):
        expected = 4000.0 * posterior(problem, rows, optimism, 0.5)
        assert (((hits - expected) ** 2 / expected).sum() < 25.0) == right


def test_on_locks_regret_is_constant_once_the_code_is_known():
    """5 codes x 6 seeds: below 5.5 in 50 episodes, to 4 standard errors, and half of one in the next 350.

    Control: with a likelihood of weight 1e-9 nothing is learnt, and nine in ten episodes are lost all the time.
    """
    for optimism, rate in ((0.0, 1.0), (1.0, 0.5), (10.0, 0.5), (1.0, 1e-9)):
        curves = []
        for code in range(5):
            problem = instances.lock_class(seed=code)
            for seed in range(6):
                learner = gec_posterior_sampling(problem, 400, optimism=optimism, rate=rate)
                cuts = np.array([10, 50, 400])
                curves.append(problem.play(learner, cuts, code, seed, np.zeros(2, np.int64))[2]["regret"])
        mean, error = np.mean(curves, axis=0), np.std(curves, axis=0, ddof=1) / math.sqrt(30)
        if rate == 1e-9:
            assert mean[1] > 45.0
            assert mean[2] - mean[1] > 315.0
            continue
        assert mean[1] + 4.0 * error[1] < 5.5
        assert mean[2] - mean[1] < 0.5
        assert mean[0] > 2.0  # at first it does not know


def test_bad_parameters_are_refused_in_one_line():
    for name, value in (("optimism", -1.0), ("rate", 0.0), ("rate", math.inf)):
        with pytest.raises(ValueError, match=rf"^{name}: [^\n]*$"):
            gec_posterior_sampling(instances.lock_class(2, 2), 10, **{name: value})
    with pytest.raises(ValueError, match=r"^models: gec_posterior_sampling needs [^\n]*$"):
        gec_posterior_sampling(instances.random_tabular(eta=1.0), 10)
