"""LinPEVI-ADV+: by hand, against weighted regressions on transitions, and the order of the three at long horizons."""

import math
from functools import partial

import numpy as np
import pytest

from banditlab.mdps import instances
from banditlab.mdps.linpevi_adv import linpevi_adv
from banditlab.mdps.linpevi_adv_plus import linpevi_adv_plus
from banditlab.mdps.pevi import pevi
from banditlab.mdps.problem import tabular


def test_one_stage_by_hand():
    """Weights are 1, the first half does not count; means .6 and .75 less scale times 1 / 10 and 1 / 2."""
    problem = tabular([[[1.0], [1.0]]], [[0.5, 0.5]], horizon=1, eta=4.0)
    moves, total = np.array([[50.0, 70.0], [99.0, 3.0]]), np.array([[3.0, 69.0], [60.0, 3.0]])
    data = problem.described(moves.reshape(2, 1, 1, 2, 1), total.reshape(2, 1, 1, 2))
    weight = np.exp(4.0 * np.array([0.55, 0.5]))
    np.testing.assert_allclose(linpevi_adv_plus(data, scale=0.5)[0, 0], weight / weight.sum(), rtol=1e-14)
    weight = np.exp(4.0 * np.array([0.6 - 0.1 * math.sqrt(2.0) / 10.0, 0.75 - 0.1 * math.sqrt(2.0) / 2.0]))
    np.testing.assert_allclose(linpevi_adv_plus(data)[0, 0], weight / weight.sum(), rtol=1e-14)


def replay(problem, moves, eta):
    """The policy and the variances, by loops over every transition of the two halves."""
    H, S, A = problem.reward.shape
    phi = problem.features
    d = phi.shape[3]

    def regress(rows, h, lam, weight, target):
        gram, moment = lam * np.eye(d), np.zeros(d)
        for s, a, r, s2 in rows[h]:
            gram += weight[s, a] * np.outer(phi[h, s, a], phi[h, s, a])
            moment += weight[s, a] * phi[h, s, a] * target(r, s2)
        inverse = np.linalg.inv(gram)
        return phi[h] @ inverse @ moment, np.sqrt(np.einsum("sai,ij,saj->sa", phi[h], inverse, phi[h]))

    def iterate(rows, lam, weight, bonus):
        values, policy = np.zeros((H + 1, S)), np.empty((H, S, A))
        for h in reversed(range(H)):
            following = values[h + 1]
            mean, width = regress(rows, h, lam, weight[h], lambda r, s2: r + following[s2])  # noqa: B023
            z = problem.reference[h] * np.exp(eta * np.clip(mean - bonus(h) * width, 0.0, H - h))
            values[h] = np.log(z.sum(axis=1)) / eta
            policy[h] = z / z.sum(axis=1, keepdims=True)
        return values, policy

    one = np.ones((H, S, A))
    reference, _ = iterate(moves[0], 1.0, one, lambda h: 0.1 * math.sqrt(d) * (H - h))
    variance = np.empty((H, S, A))
    for h in range(H):
        following = reference[h + 1]
        mean, _ = regress(moves[0], h, 1.0, one[h], lambda _, s2: following[s2])  # noqa: B023
        square, _ = regress(moves[0], h, 1.0, one[h], lambda _, s2: following[s2] ** 2)  # noqa: B023
        variance[h] = np.maximum(np.clip(square, 0.0, H * H) - np.clip(mean, 0.0, H) ** 2, 1.0)
    return iterate(moves[1], 1.0 / H**2, 1.0 / variance, lambda _: 0.1 * math.sqrt(d))[1], variance


def test_agrees_with_weighted_regressions_on_the_transitions_themselves():
    """On a hypercube of ten stages, where the next value has a variance above 1."""
    eta, H = 3.0, 10
    problem = instances.hypercube(H, 2, 0.04, seed=1, eta=eta)
    g = np.random.default_rng(0)
    S, A = problem.reward.shape[1:]
    counts, total = np.zeros((2, H, S, A, S)), np.zeros((2, H, S, A))
    rows = [[[] for _ in range(H)] for _ in range(2)]
    for i in range(200):
        s = 0
        for h in range(H):
            a = g.integers(A)
            s2 = g.choice(S, p=problem.transition[h, s, a])
            r = float(g.random() < problem.reward[h, s, a])
            rows[i % 2][h].append((s, a, r, s2))
            counts[i % 2, h, s, a, s2] += 1.0
            total[i % 2, h, s, a] += r
            s = s2
    data = problem.described(counts, total)
    wanted, variance = replay(problem, rows, eta)
    assert (variance > 1.5).sum() >= 5
    np.testing.assert_allclose(linpevi_adv_plus(data), wanted, rtol=1e-8)
    swapped = data._replace(moves=counts[::-1], total=total[::-1])
    assert np.abs(linpevi_adv_plus(swapped) - wanted).max() > 0.01  # control: the halves are not alike
    emptied = data._replace(moves=counts * np.array([0.0, 1.0]).reshape(2, 1, 1, 1, 1))
    assert np.abs(linpevi_adv_plus(emptied) - wanted).max() > 1e-4  # control: the weights matter


def test_without_data_it_is_the_reference():
    problem = instances.random_linear(seed=3, eta=2.0)
    np.testing.assert_allclose(linpevi_adv_plus(problem.dataset(0, 0, 0)), problem.reference, rtol=1e-13)


@pytest.mark.slow
def test_the_order_at_long_horizons():
    """Two states, ten features, a hundred actions: the sum of losses over n = 50 to 800, 3 instances x 6 datasets.

    With the practical widths, .1 sqrt(10) (H - h), .1 (H - h) and .1 sqrt(10), at H = 40 each is ahead of the next by
    4 s.e., and by 4 s.e. more than at H = 10, where the last is not ahead of the first.
    """
    fits = [partial(pevi, scale=0.1 * math.sqrt(10.0), lam=1.0), linpevi_adv, linpevi_adv_plus]

    def losses(horizon):
        total = np.zeros((3, 18))
        for seed in range(3):
            problem = instances.two_state(horizon, seed=seed)
            for i in range(6):
                for n in (50, 100, 200, 400, 800):
                    data = problem.dataset(n, seed, i)
                    total[:, 6 * seed + i] += [problem.suboptimality(fit(data)) for fit in fits]
        return total

    def lead(total, worse, better):
        ahead = total[worse] - total[better]
        return ahead.mean(), ahead.std(ddof=1) / math.sqrt(ahead.size)

    short, long = losses(10), losses(40)
    for worse, better in ((0, 1), (1, 2)):
        (at_10, error_10), (at_40, error_40) = lead(short, worse, better), lead(long, worse, better)
        assert at_40 > 4.0 * error_40
        assert at_40 - at_10 > 4.0 * math.hypot(error_10, error_40)
    ahead, error = lead(short, 0, 2)
    assert ahead < 4.0 * error  # control


@pytest.mark.parametrize(
    ("parameters", "message"), [({"scale": -1.0}, "scale: "), ({"lam": 0.0}, "lam: "), ({"lam": math.nan}, "lam: ")]
)
def test_bad_parameters_are_refused_in_one_line(parameters, message):
    with pytest.raises(ValueError, match=rf"^{message}[^\n]*$"):
        linpevi_adv_plus(instances.random_tabular(eta=1.0).dataset(0, 0, 0), **parameters)
