"""PSRL: on the same draws as NumPy, its posteriors' moments, and logarithmic regret with regularization."""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.mdps import instances
from banditlab.mdps.planning import backward_induction
from banditlab.mdps.problem import tabular
from banditlab.mdps.psrl import psrl


def own():
    return rng.stream(3, rng.LEARNER, 0)


def test_one_stage_by_hand():
    """An arm that won two of three, another never pulled: Q is a draw of Beta(3, 2), then one of Beta(1, 1)."""
    problem = tabular([[[1.0], [1.0]]], [[0.5, 0.5]], horizon=1, eta=2.0, reference=[0.25, 0.75])
    learner, pi, stream = psrl(problem, 5), np.zeros((1, 1, 2)), own()
    for r in (1.0, 0.0, 1.0):
        learner.update(0, 0, 0, r, 0)
    assert learner.plan(1, pi, own())
    q = [rng.beta(stream, 3.0, 2.0), rng.beta(stream, 1.0, 1.0)]
    z = 0.25 * math.exp(2.0 * q[0]) + 0.75 * math.exp(2.0 * q[1])
    assert pi[0, 0, 0] == pytest.approx(0.25 * math.exp(2.0 * q[0]) / z, rel=1e-14)
    assert learner.estimate(0) == pytest.approx(math.log(z) / 2.0, rel=1e-13)


@pytest.mark.parametrize("noise", ["bernoulli", "none"])
@pytest.mark.parametrize("eta", [0.7, math.inf])
def test_agrees_with_numpy_on_the_same_draws(eta, noise):
    g, table = np.random.default_rng(3), instances.random_tabular(4, 3, 3, seed=2, eta=eta)
    reference = g.dirichlet(np.ones(3), size=(3, 4))
    reference[0, 0] = [0.0, 0.4, 0.6]
    problem = tabular(table.transition, table.reward, eta=eta, reference=reference, noise=noise)
    learner, pi, mine, other = psrl(problem, 20, prior=0.4), np.zeros((3, 4, 3)), own(), own()
    moves, won = np.zeros((3, 4, 3, 4)), np.zeros((3, 4, 3))
    for k in range(1, 21):
        learner.plan(k, pi, mine)
        P, r = np.zeros((3, 4, 3, 4)), problem.reward.copy()
        for h in (2, 1, 0):
            for s, a in np.ndindex(4, 3):
                if noise == "bernoulli":
                    r[h, s, a] = rng.beta(other, 1.0 + won[h, s, a], 1.0 + moves[h, s, a].sum() - won[h, s, a])
                if h < 2:
                    P[h, s, a] = [rng.gamma(other, 0.4 + n) for n in moves[h, s, a]]
                    P[h, s, a] /= P[h, s, a].sum()
        wanted = backward_induction(P, r, reference, eta)
        np.testing.assert_allclose(pi, np.exp(wanted.log_policy), rtol=0.0, atol=1e-9)
        np.testing.assert_allclose(learner.value, wanted.value, rtol=0.0, atol=1e-9)
        for _ in range(6):
            h, s, a, s2 = (int(g.integers(n)) for n in (3, 4, 3, 4))
            x = float(g.random() < 0.4) if noise == "bernoulli" else problem.reward[h, s, a]
            learner.update(h, s, a, x, s2)
            moves[h, s, a, s2] += 1.0
            won[h, s, a] += x


def moments(x):
    """Mean and variance of draws (n, ...), each with its standard error."""
    n, away = len(x), (x - x.mean(axis=0)) ** 2
    return x.mean(axis=0), x.std(axis=0) / math.sqrt(n), away.mean(axis=0), away.std(axis=0) / math.sqrt(n)


def check(x, mean, variance):
    """Whether means and variances agree to 4.5 standard errors."""
    m, em, v, ev = moments(x)
    return bool((abs(m - mean) < 4.5 * em).all() and (abs(v - variance) < 4.5 * ev).all())


def test_next_states_have_dirichlet_posteriors_and_rewards_beta_posteriors():
    """Known rewards e_i of stage 1 read off P_0(i): moments of 4000 draws, and of sums; another prior fails."""
    counts = np.array([2.0, 0.0, 5.0])
    for prior, right in ((0.5, True), (1.0, False)):
        drawn = np.zeros((4000, 4))
        for i, reward in enumerate(([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 1.0])):
            table = np.stack([np.zeros(3), reward])[..., None]
            problem = tabular(np.full((2, 3, 1, 3), 1 / 3), table, eta=math.inf, noise="none")
            learner, pi, stream = psrl(problem, 9, prior=prior), np.zeros((2, 3, 1)), own()
            for s2, n in enumerate(counts):
                for _ in range(int(n)):
                    learner.update(0, 0, 0, 0.0, s2)
            for j in range(4000):
                learner.plan(1, pi, stream)
                drawn[j, i] = learner.estimate(0)
        alpha = counts + 0.5
        share = np.append(alpha, alpha[0] + alpha[2]) / alpha.sum()
        assert check(drawn, share, share * (1.0 - share) / (alpha.sum() + 1.0)) == right
    problem = tabular(np.ones((1, 2, 1)), [[0.5, 0.5]], horizon=1, eta=math.inf)
    learner, pi, stream, drawn = psrl(problem, 9), np.zeros((1, 1, 2)), own(), np.zeros((4000, 2))
    for r in (1.0, 1.0, 0.0, 1.0):
        learner.update(0, 0, 0, r, 0)
    for j in range(4000):
        learner.plan(1, pi, stream)
        drawn[j] = learner.q[0]
    assert check(drawn, [4 / 6, 1 / 2], [4 * 2 / 36 / 7, 1 / 12])
    assert not check(drawn, [3 / 4, 1 / 2], [4 * 2 / 36 / 7, 1 / 12])  # control: the frequency


def test_a_prior_near_zero_draws_corners():
    """Without data at prior 1e-5 the next state is all but certain, and any is as likely: 2000 draws, 4.5 s.e."""
    table = np.stack([np.zeros(3), [0.1, 0.2, 0.7]])[..., None]
    problem = tabular(np.full((2, 3, 1, 3), 1 / 3), table, eta=math.inf, noise="none")
    learner, pi, stream = psrl(problem, 9, prior=1e-5), np.zeros((2, 3, 1)), own()
    drawn = np.zeros(2000)
    for j in range(2000):
        learner.plan(1, pi, stream)
        drawn[j] = learner.estimate(0)
    hits = np.array([(abs(drawn - v) < 1e-9).sum() for v in (0.1, 0.2, 0.7)])
    assert hits.sum() > 1990
    assert (abs(hits - 2000 / 3) < 4.5 * math.sqrt(2000 * 2 / 9)).all()


@pytest.mark.slow
def test_every_decade_of_episodes_costs_the_same_with_regularization():
    """eta = 1, 3 instances x 8 seeds, K = 100, 1000, 10000: ratio of decades in [.7, 1.5], 4 standard errors inside.

    Without regularization, on a gap that shrinks with K, it is not (control).
    """

    def ratio(problems, cuts, runs):
        curves = []
        for i, problem in enumerate(problems):
            for r in range(runs):
                learner = psrl(problem, cuts[-1])
                curves.append(problem.play(learner, np.array(cuts), i, r, np.zeros(2, np.int64))[2]["regret"])
        first, second = np.diff(curves, axis=1).T
        found = second.mean() / first.mean()
        return found, (second - found * first).std(ddof=1) / math.sqrt(len(curves)) / first.mean()

    found, error = ratio([instances.random_tabular(4, 3, 3, seed=i, eta=1.0) for i in range(3)], [100, 1000, 10_000], 8)
    assert 0.7 < found - 4.0 * error
    assert found + 4.0 * error < 1.5
    gap = 1.5 * math.sqrt(4 / 10_000)
    found, error = ratio([instances.jao(4, 6, gap, seed=i) for i in range(3)], [100, 1000, 10_000], 2)
    assert found - 4.0 * error > 1.5


def test_bad_parameters_are_refused_in_one_line():
    for prior in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match=r"^prior: [^\n]*$"):
            psrl(instances.random_tabular(eta=1.0), 10, prior=prior)
