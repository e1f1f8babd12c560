"""Pessimistic Nash: the max player by brute force, the bound where the widths hold, and the price of pessimism."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from banditlab import equilibrium
from banditlab.dueling.instances import bt_ladder, rps
from banditlab.dueling.nash_pessimistic import nash_pessimistic
from banditlab.dueling.nash_plug_in import nash_plug_in
from banditlab.dueling.problem import preferences


def game(wins, beta):
    """A_hat and b of a context, as the specification writes them."""
    n = wins + wins.T
    A = (wins + 0.5) / (n + 1.0) - 0.5
    with np.errstate(divide="ignore"):
        b = np.where(n > 0.0, beta / np.sqrt(n) + 0.5 / (n + 1.0), np.inf)
    return A * (1.0 - np.eye(len(A))), np.minimum(b, 0.5 + abs(A)) * (1.0 - np.eye(len(A)))


def random_problem(g, contexts=1):
    K = int(g.integers(2, 6))
    A = g.uniform(-0.5, 0.5, (contexts, K, K))
    reference = g.dirichlet(np.ones(K), contexts) * 0.9 + 0.1 / K
    return preferences(
        0.5 + 0.5 * (A - A.transpose(0, 2, 1)), eta=float(10.0 ** g.uniform(-1, 1.3)), reference=reference
    )


def test_without_data_two_arms_by_hand():
    """Both off-diagonal payoffs are -1/2: from a uniform reference, by symmetry, the uniform policy."""
    problem = preferences([[0.5, 0.9], [0.1, 0.5]], eta=4.0)
    np.testing.assert_allclose(nash_pessimistic(problem.dataset(0, 0, 0)), [[0.5, 0.5]], rtol=1e-10)


def test_one_win_of_two_arms_by_hand():
    """A_hat = 1/4, b = 3/4 by the cap: p and q of M = [[0, -1/2], [-1, 0]] answer each other."""
    problem = preferences([[0.5, 0.9], [0.1, 0.5]], eta=1.0)
    data = problem.dataset(0, 0, 0)._replace(wins=np.array([[[0.0, 1.0], [0.0, 0.0]]]))
    p = nash_pessimistic(data)[0]
    q0 = 1.0 / (1.0 + math.exp(0.5 * p[0] - p[1]))  # odds exp((M'p)_1 - (M'p)_0)
    assert p[0] == pytest.approx(1.0 / (1.0 + math.exp(0.5 * (1.0 - q0) - q0)), rel=1e-10)
    assert p[0] > 0.55


def test_it_is_the_max_player_by_brute_force():
    """The answer of the min player is a log-sum-exp; what is left is maximised in logits by a quasi-Newton method."""
    g = np.random.default_rng(0)
    for draw in range(12):
        problem = random_problem(g, 2)
        data = problem.dataset(400, 0, draw)
        pi = nash_pessimistic(data, scale=0.5)
        for x in range(2):
            A, b = game(data.wins[x], 0.5)
            ref, eta = problem.reference[x], problem.eta

            def value(p, M=A - b, ref=ref, eta=eta):
                answer = -np.log(ref @ np.exp(-eta * (M.T @ p))) / eta
                return answer - p @ np.log(np.maximum(p, 1e-300) / ref) / eta

            def loss(u, value=value):
                p = np.exp(u - u.max())
                return -value(p / p.sum())

            best = -minimize(loss, np.log(ref), method="BFGS", options={"gtol": 1e-9}).fun
            assert value(pi[x]) == pytest.approx(best, rel=1e-8, abs=1e-9)
            assert value(pi[x]) > value(ref) or np.allclose(pi[x], ref)


def test_the_theorems_width_counts_contexts_and_pairs():
    problem = random_problem(np.random.default_rng(1), 3)
    data, K = problem.dataset(2000, 0, 0), problem.reference.shape[1]
    beta = math.sqrt(math.log(2.0 * 3 * K * K / 0.1) / 2.0)
    np.testing.assert_array_equal(nash_pessimistic(data, delta=0.1), nash_pessimistic(data, scale=beta))
    assert abs(nash_pessimistic(data, delta=0.1) - nash_pessimistic(data)).max() > 1e-4


def bounded(problem, data, beta):
    """Whether |A_hat - A| <= b in every entry, the gap, and 2 E pi*' b q, q the min player's answer to pi*."""
    holds, bound = True, 0.0
    for x in range(problem.law.size):
        A, b = game(data.wins[x], beta)
        pi = problem.optimal[x]
        q = np.exp(equilibrium.best_response(-(A - b).T, pi, problem.reference[x], problem.eta))
        holds &= bool((abs(A - (problem.preference[x] - 0.5)) <= b + 1e-12).all())
        bound += 2.0 * problem.law[x] * pi @ b @ q
    return holds, problem.suboptimality(nash_pessimistic(data, scale=beta)), bound


def test_its_gap_is_below_the_bound_wherever_the_widths_hold():
    """300 random instances at the theorem's widths for delta = .1; control: a tenth of them seldom hold."""
    g, held, narrow, closest = np.random.default_rng(2), 0, 0, 0.0
    for draw in range(300):
        problem = random_problem(g, 1 + draw % 2)
        data = problem.dataset(int(10.0 ** g.uniform(1.0, 5.0)), 0, draw)
        K = problem.reference.shape[1]
        beta = math.sqrt(math.log(2.0 * problem.law.size * K * K / 0.1) / 2.0)
        holds, gap, bound = bounded(problem, data, beta)
        held += holds
        if holds:
            assert gap <= bound * (1.0 + 1e-9)
            closest = max(closest, gap / bound)
        holds, gap, bound = bounded(problem, data, 0.1 * beta)
        narrow += holds
        assert gap <= bound * (1.0 + 1e-9) or not holds
    assert held >= 270 and closest > 0.01
    assert narrow < 75


def published(data, beta):
    """The policy behind the published figures: widths beta / sqrt(N), at most 1/2."""
    wins, ref = data.wins[0], data.reference[0]
    A, _ = game(wins, beta)
    with np.errstate(divide="ignore"):
        b = np.minimum(beta / np.sqrt(wins + wins.T), 0.5) * (1.0 - np.eye(len(A)))
    return np.exp(equilibrium.newton_game(A - b, ref, ref, data.eta).log_row)[None]


@pytest.mark.parametrize(
    ("reference", "greedy", "half", "one"),
    [([0.005, *[0.199] * 5], 0.0042, 0.0113, 0.0141), (None, 0.0023, None, 0.0026)],
    ids=["rare", "uniform"],
)
def test_pessimism_does_not_help_on_the_cycle(reference, greedy, half, one):
    """rps(5, .3, 1), eta = 10, n = 1e3: 150 datasets against 10, within four s.e. of both; greedy <= pessimistic.

    The figures are those of widths that may be too small for an arm seldom seen; with the width of the bound pessimism
    costs more there.
    """
    problem = rps(5, 0.3, 1, eta=10.0, reference=reference)
    datasets = [problem.dataset(1000, 0, i) for i in range(150)]

    def gaps(fit):
        return np.array([problem.suboptimality(fit(data)) for data in datasets])

    plug_in, cautious = gaps(nash_plug_in), gaps(nash_pessimistic)
    expected = [(plug_in, greedy), (gaps(lambda data: published(data, 1.0)), one)]
    if half is not None:
        expected.append((gaps(lambda data: published(data, 0.5)), half))
    for found, figure in expected:
        assert abs(found.mean() - figure) < 4.0 * found.std(ddof=1) * math.sqrt(1.0 / 150.0 + 1.0 / 10.0)
    difference = cautious - plug_in
    assert difference.mean() > 4.0 * difference.std(ddof=1) / math.sqrt(150)
    if reference is not None:
        assert cautious.mean() > 5.0 * plug_in.mean()


def test_bad_input_is_refused_in_one_line():
    data = rps(eta=2.0).dataset(10, 0, 0)
    for arguments, message in (
        ({"scale": -1.0}, "scale: -1 is not in"),
        ({"delta": 0.0}, "delta: 0 is not in"),
        ({"delta": "x"}, "delta: expected a number"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            nash_pessimistic(data, **arguments)
    with pytest.raises(ValueError, match=r"^eta: inf is not allowed, nash_pessimistic solves"):
        nash_pessimistic(data._replace(eta=math.inf))
    with pytest.raises(ValueError, match=r"^preference: nash_pessimistic needs general preferences"):
        nash_pessimistic(bt_ladder(3, eta=2.0).dataset(10, 0, 0))
