"""KL-PEVI: by hand, its fast bound, the rate 1/n at every eta, and what coverage costs. More of it in `test_pevi`."""

import math

import numpy as np
import pytest

from banditlab.mdps import coverage, instances
from banditlab.mdps.kl_pevi import kl_pevi
from banditlab.mdps.pevi import pevi
from banditlab.mdps.planning import backward_induction, evaluate, occupancies
from banditlab.mdps.plug_in import plug_in
from banditlab.mdps.problem import tabular


def test_one_stage_by_hand():
    """Means .6 and .75, widths .5 (99 + 1)^{-1/2} = .05 and .5 (3 + 1)^{-1/2} = .25."""
    problem = tabular([[[1.0], [1.0]]], [[0.5, 0.5]], horizon=1, eta=4.0, reference=[0.8, 0.2])
    moves, total = np.array([[90.0, 0.0], [9.0, 3.0]]), np.array([[55.0, 0.0], [5.0, 3.0]])
    data = problem.described(moves.reshape(2, 1, 1, 2, 1), total.reshape(2, 1, 1, 2))
    for scale, low in ((0.5, [0.55, 0.5]), (2.0, [0.4, 0.0])):  # .75 - 1 is clipped
        weight = np.array([0.8, 0.2]) * np.exp(4.0 * np.array(low))
        np.testing.assert_allclose(kl_pevi(data, scale=scale, lam=1.0)[0, 0], weight / weight.sum(), rtol=1e-14)


def test_two_stages_by_hand():
    """What stage 1 is worth is its soft value, of which stage 0 averages over the next states."""
    P, eta = [[[0.5, 0.5], [0.5, 0.5]]] * 2, 2.0
    problem = tabular(P, np.full((2, 2), 0.5), horizon=2, eta=eta)
    moves, total = np.zeros((2, 2, 2, 2, 2)), np.zeros((2, 2, 2, 2))
    moves[0, 0, 0] = [[2.0, 1.0], [0.0, 4.0]]
    total[0, 0, 0] = [3.0, 0.0]
    moves[1, 1, :, :, 0] = [[3.0, 3.0], [0.0, 9.0]]
    total[1, 1] = [[1.0, 2.0], [0.0, 9.0]]
    last = np.array([[0.25 - 0.05, 0.5 - 0.05], [0.0, 0.9 - 0.1 / math.sqrt(10.0)]])
    value = np.log(np.exp(eta * last).mean(axis=1)) / eta
    first = [(3.0 + 2.0 * value[0] + value[1]) / 4.0 - 0.1, 4.0 * value[1] / 5.0 - 0.2 / math.sqrt(5.0)]
    weight = np.exp(eta * np.array([*last, first]))
    wanted = weight / weight.sum(axis=1, keepdims=True)
    found = kl_pevi(problem.described(moves, total), scale=0.1, lam=1.0)
    np.testing.assert_allclose([*found[1], found[0, 0]], wanted, rtol=1e-13)


def test_without_data_it_is_the_reference_and_without_regularization_it_is_pevi():
    problem = instances.random_linear(seed=3, eta=2.0)
    np.testing.assert_allclose(kl_pevi(problem.dataset(0, 0, 0)), problem.reference, rtol=1e-13)
    problem = instances.random_linear(seed=3, eta=math.inf)
    data = problem.dataset(50, 0, 0)
    np.testing.assert_array_equal(kl_pevi(data), pevi(data))
    assert (kl_pevi(data._replace(eta=1e9)) >= 0.999)[pevi(data) == 1.0].all()


def fast_bound(problem, policy, q):
    """(eta / 2) sum_h E (Q^pi - Q)^2 under the optimum's states and the soft-greedy policy of Q^pi; and Q^pi."""
    own = evaluate(problem.transition, problem.reward, problem.reference, problem.eta, policy)[1]
    weight = problem.reference * np.exp(problem.eta * (own - own.max(axis=2, keepdims=True)))
    greedy = weight / weight.sum(axis=2, keepdims=True)
    states = occupancies(problem.transition, problem.start, problem.optimal).sum(axis=2, keepdims=True)
    return 0.5 * problem.eta * float((states * greedy * (own - q) ** 2).sum()), own


def test_pessimistic_action_values_have_the_fast_bound_whatever_they_are():
    """Q = Q^pi less anything nonnegative, pi its Gibbs policy: no exception in 200; above Q^pi there are some."""
    exceptions, tight = {1.0: 0, -1.0: 0}, 0.0
    for seed in range(200):
        g = np.random.default_rng(seed)
        problem = instances.random_tabular(3, 3, 3, seed=seed, eta=float(10.0 ** g.uniform(-1.0, 2.0)))
        H, S, A = problem.reward.shape
        size = 10.0 ** g.uniform(-3.0, 0.5)
        error = size * g.random((H, S, A)) * (g.random((H, S, A)) < 0.4)
        for sign in exceptions:
            q, policy, value = np.empty((H, S, A)), np.empty((H, S, A)), np.zeros(S)
            for h in reversed(range(H)):
                own = problem.reward[h] + problem.transition[h] @ value
                q[h] = own - sign * error[h]
                weight = problem.reference[h] * np.exp(problem.eta * (q[h] - q[h].max(axis=1, keepdims=True)))
                policy[h] = weight / weight.sum(axis=1, keepdims=True)
                divergence = (policy[h] * np.log(np.maximum(policy[h], 1e-300) / problem.reference[h])).sum(axis=1)
                value = (policy[h] * own).sum(axis=1) - divergence / problem.eta
            limit, _ = fast_bound(problem, policy, q)
            gap = problem.suboptimality(policy)
            exceptions[sign] += gap > limit * (1.0 + 1e-9)
            if sign > 0.0 and limit > 0.0:
                tight = max(tight, gap / limit)
    assert exceptions[1.0] == 0
    assert exceptions[-1.0] > 0  # control
    assert tight > 0.5


def test_the_fast_bound_holds_on_data_wherever_action_values_are_pessimistic():
    """200 datasets of 20 instances, with widths that make them so and smaller ones that sometimes do."""
    met, broken, tight = 0, 0, 0.0
    for seed in range(20):
        problem = instances.random_linear(6, 3, 3, 3, seed=seed, eta=(1.0, 10.0, 100.0)[seed % 3])
        for i in range(10):
            data = problem.dataset(int(10 ** (2 + i % 4)), seed, i)
            for scale in (1.0, 0.2):
                fitted = data.iterate(problem.eta, data.precision(0.01), scale * np.arange(3, 0, -1.0))
                np.testing.assert_array_equal(kl_pevi(data, scale=scale), fitted.policy)
                limit, own = fast_bound(problem, fitted.policy, fitted.q)
                if (fitted.q <= own).all():
                    met += 1
                    ratio = problem.suboptimality(fitted.policy) / limit
                    broken += ratio > 1.0 + 1e-9
                    tight = max(tight, ratio)
    assert broken == 0 and met >= 150
    assert tight > 0.1  # control: a tenth of the bound has exceptions


@pytest.mark.slow
def test_it_falls_like_one_over_n_and_grows_like_eta():
    """(S, A, H, d) = (8, 4, 4, 4), 6 instances x 12 datasets, n = 300 to 3 10^5: -1 within .1 with 4 s.e. to spare.

    The suboptimality at eta = 1 is within [1.8, 2.2] of that at .5, and at 100 less than ten times that at 5.
    """
    sizes, etas = [300, 3000, 30_000, 300_000], [0.5, 1.0, 2.0, 5.0, 20.0, 100.0]
    gap = np.empty((len(etas), len(sizes), 12, 6))
    for e, c, seed in np.ndindex(len(etas), len(sizes), 6):
        problem = instances.random_linear(seed=seed, eta=etas[e])
        for i in range(12):
            gap[e, c, i, seed] = problem.suboptimality(kl_pevi(problem.dataset(sizes[c], seed, i)))
    mean = gap.mean(axis=3)  # over instances: (etas, sizes, datasets)

    def over_datasets(statistic):
        g = np.random.default_rng(0)
        draws = [statistic(mean[..., g.integers(12, size=12)].mean(axis=2)) for _ in range(200)]
        return statistic(mean.mean(axis=2)), np.std(draws, axis=0)

    slope, error = over_datasets(lambda m: np.polyfit(np.log(sizes), np.log(m[:5].T), 1)[0])
    assert (np.abs(slope + 1.0) + 4.0 * error < 0.1).all()
    assert (np.abs(slope + 0.5) > 0.3).all()  # control
    ratio, error = over_datasets(lambda m: m[1, 1] / m[0, 1])
    assert 1.8 + 4.0 * error < ratio < 2.2 - 4.0 * error
    assert mean[5, 1].mean() < 10.0 * mean[3, 1].mean()  # 20 if it went on linearly


@pytest.mark.slow
def test_coverage_costs_what_the_relative_condition_number_says():
    """Data p pi* + (1 - p) worst at eta = 2, 6 instances x 24 datasets: dearer as p falls, by 4 s.e.

    From p = .5 to .02 the relative condition number grows 23-fold, the concentrability up to 300-fold; at n = 3000 the
    suboptimality grows 23-fold within a half. At p = .02 and n = 30 pessimism wins over the plug-in, by 4 s.e.; at
    n = 3000 it loses by a factor in [1.2, 3].
    """
    shares = (0.5, 0.1, 0.02)
    gap, condition, concentrated = {}, [], []
    for seed in range(6):
        problems = [instances.covered(instances.random_linear(seed=seed, eta=2.0), p) for p in shares]
        numbers = [coverage.relative_condition_number(p) for p in problems]
        condition.append(numbers[2] / numbers[0])
        numbers = [coverage.concentrability(p) for p in problems]
        concentrated.append(numbers[2] / numbers[0])
        for p, problem in zip(shares, problems, strict=True):
            for n in (30, 3000):
                for i in range(24):
                    data = problem.dataset(n, seed, i)
                    for fit in (kl_pevi, plug_in):
                        gap.setdefault((p, n, fit), []).append(problem.suboptimality(fit(data)))
    mean = {key: float(np.mean(x)) for key, x in gap.items()}
    for n in (30, 3000):
        for low, high in ((0.1, 0.5), (0.02, 0.1))[: 1 + (n == 3000)]:
            rise = np.array(gap[low, n, kl_pevi]) - np.array(gap[high, n, kl_pevi])
            assert rise.mean() > 4.0 * rise.std(ddof=1) / math.sqrt(rise.size)
    growth = mean[0.02, 3000, kl_pevi] / mean[0.5, 3000, kl_pevi]
    assert 0.5 < growth / np.mean(condition) < 1.5
    assert growth < 0.5 * np.mean(concentrated)  # control
    saved = np.array(gap[0.02, 30, plug_in]) - np.array(gap[0.02, 30, kl_pevi])
    assert saved.mean() > 4.0 * saved.std(ddof=1) / math.sqrt(saved.size)
    assert 1.2 < mean[0.02, 3000, kl_pevi] / mean[0.02, 3000, plug_in] < 3.0


def test_at_infinite_data_it_is_the_optimum():
    problem = instances.random_tabular(seed=4, eta=5.0)
    moves = np.zeros((2, *problem.transition.shape))
    moves[0] = 1e12 * problem.transition
    data = problem.described(moves, moves.sum(axis=4) * problem.reward)
    wanted = np.exp(backward_induction(problem.transition, problem.reward, problem.reference, 5.0).log_policy)
    np.testing.assert_allclose(kl_pevi(data), wanted, rtol=1e-4)
    np.testing.assert_allclose(plug_in(data), wanted, rtol=1e-9)
