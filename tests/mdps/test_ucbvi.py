"""UCBVI: both bonuses by hand, against NumPy on the transitions, optimism, DeepSea and RiverSwim."""

import math
from functools import partial

import numpy as np
import pytest

from banditlab import rng
from banditlab.mdps import instances
from banditlab.mdps.planning import backward_induction
from banditlab.mdps.problem import tabular
from banditlab.mdps.ucbvi import ucbvi

STREAM = rng.stream(0, rng.LEARNER, 0)


def test_both_bonuses_by_hand():
    """Two stages, two states, one action. Stage 1: state 0 seen four times with rewards 1, 0, 0, 0; state 1 never.

    Stage 0, state 0: four visits with rewards 1, 1, 0, 0, three of them to state 1.
    """
    problem = tabular(np.full((2, 1, 2), 0.5), np.full((2, 1), 0.5), horizon=2, eta=math.inf)
    for bonus, scale in (("hoeffding", 0.05), ("bernstein", 0.02)):
        learner, pi = ucbvi(problem, 9, bonus=bonus, scale=scale, delta=0.1), np.zeros((2, 2, 1))
        for r, r1, s2 in ((1.0, 1.0, 0), (1.0, 0.0, 1), (0.0, 0.0, 1), (0.0, 0.0, 1)):
            learner.update(0, 0, 0, r, s2)
            learner.update(1, 0, 0, r1, 0)
        assert learner.plan(9, pi, STREAM)
        level = math.log(2 * 2 * 1 * 2 * 100 / 0.1)
        if bonus == "hoeffding":
            late = 0.25 + 0.05 * 1.0 * math.sqrt(level / 4)
            first = 0.5 + (late + 3.0) / 4 + 0.05 * 2.0 * math.sqrt(level / 4)
        else:
            short = level / 6
            late = 0.25 + 0.02 * (math.sqrt(2 * 0.25 * 0.75 * short / 4) + 3 * 1.0 * short / 4)
            mean = (late + 3.0) / 4
            variance = (late - mean) ** 2 / 4 + 3 * (1.0 - mean) ** 2 / 4
            spread = math.sqrt(2 * variance * short / 4) + math.sqrt(2 * 0.25 * short / 4)
            first = 0.5 + mean + 0.02 * (spread + 3 * 2.0 * short / 4)
        assert learner.value[1] == pytest.approx(
            [late, 1.0], rel=1e-14
        )  # what was never seen is worth all that is left
        assert learner.value[0] == pytest.approx([first, 2.0], rel=1e-14)
        assert learner.estimate(0) == learner.value[0, 0]


def replay(problem, rows, k, bernstein, scale, delta):
    """Policy and values, by means over the transitions themselves."""
    H, S, A = problem.reward.shape
    level = math.log(2 * S * A * H * (k + 1) ** 2 / delta)
    policy, value = np.zeros((H, S, A)), np.zeros((H + 1, S))
    for h in reversed(range(H)):
        q = np.full((S, A), float(H - h))
        for s, a in np.ndindex(S, A):
            seen = [(r, s2) for stage, x, b, r, s2 in rows if (stage, x, b) == (h, s, a)]
            if not seen:
                continue
            n, following = len(seen), np.array([value[h + 1, s2] for _, s2 in seen])
            r = np.mean([r for r, _ in seen]) if problem.random_rewards else problem.reward[h, s, a]
            bonus = (H - h) * math.sqrt(level / n)
            if bernstein:
                noise = r * (1.0 - r) if problem.random_rewards else 0.0
                bonus = sum(math.sqrt(2.0 * v * level / 6.0 / n) for v in (following.var(), noise))
                bonus += 3.0 * (H - h) * level / 6.0 / n
            q[s, a] = np.clip(r + following.mean() + scale * bonus, 0.0, H - h)
        plan = backward_induction(np.zeros((1, S, A, S)), q[None], problem.reference[h : h + 1], problem.eta)
        policy[h], value[h] = np.exp(plan.log_policy[0]), plan.value[0]
    return policy, value


@pytest.mark.parametrize("noise", ["bernoulli", "none"])
@pytest.mark.parametrize("eta", [0.7, 9.0, math.inf])
def test_agrees_with_means_over_the_transitions(eta, noise):
    g = np.random.default_rng(3)
    reference = g.dirichlet(np.ones(3), size=(3, 4))
    reference[0, 0] = [0.0, 0.4, 0.6]
    table = instances.random_tabular(4, 3, 3, seed=2, eta=eta)
    problem = tabular(table.transition, table.reward, eta=eta, reference=reference, noise=noise)
    for bonus, default in (("hoeffding", 0.2), ("bernstein", 0.3)):
        for scale in (None, 0.02):
            learner, rows, pi = ucbvi(problem, 20, bonus=bonus, scale=scale, delta=0.2), [], np.zeros((3, 4, 3))
            for k in range(1, 21):
                learner.plan(k, pi, STREAM)
                wanted, value = replay(problem, rows, k, bonus == "bernstein", scale or default, 0.2)
                np.testing.assert_allclose(pi, wanted, rtol=0.0, atol=1e-9)
                np.testing.assert_allclose(learner.value, value, rtol=0.0, atol=1e-9)
                for _ in range(5):
                    h, s, a, s2 = (int(g.integers(n)) for n in (3, 4, 3, 4))
                    r = float(g.random() < 0.4) if noise == "bernoulli" else problem.reward[h, s, a]
                    learner.update(h, s, a, r, s2)
                    rows.append((h, s, a, r, s2))


@pytest.mark.parametrize("eta", [2.0, math.inf])
def test_values_are_optimistic_in_every_episode(eta):
    """Hoeffding's bonus at scale 1 on 20 instances; at a hundredth it is not (control)."""
    for scale, optimistic in ((1.0, True), (0.01, False)):
        shares = []
        for seed in range(20):
            problem = instances.random_tabular(4, 3, 3, seed=seed, eta=eta)
            learner = ucbvi(problem, 1000, bonus="hoeffding", scale=scale)
            shares.append(problem.play(learner, np.array([1000]), seed, 0, np.zeros(2, np.int64))[2]["optimism"][0])
        assert (min(shares) == 1.0) == optimistic


@pytest.mark.parametrize("bonus", ["bernstein", "hoeffding"])
def test_it_solves_deep_sea_within_four_times_the_square_of_its_size(bonus):
    """For six labellings each of N = 4, 6, 8, 10, and more often in the 4 N^2 episodes after."""
    for size in (4, 6, 8, 10):
        for seed in range(6):
            n = 4 * size * size
            problem = instances.deep_sea(size, seed=seed)
            learner = ucbvi(problem, 2 * n, bonus=bonus)
            cuts = np.arange(1, 2 * n + 1)
            regret = problem.play(learner, cuts, seed, 0, np.zeros(2, np.int64))[2]["regret"]
            solved = np.diff(regret, prepend=0.0) < 0.5
            assert solved[:n].any()
            assert solved[n:].sum() > solved[:n].sum()
            assert not solved[0]  # control: not by chance


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bonus", "scale", "eta"), [("bernstein", None, 1), ("hoeffding", None, 1), ("hoeffding", 0, 100)]
)
def test_a_decade_of_episodes_costs_the_same_at_small_eta(bonus, scale, eta, regret, ratio_of_increments):
    """eta = 1, 3 instances x 6 seeds: the second decade over the first is in [.5, 1.5], to 4 standard errors.

    Control: without a bonus at eta = 100 it is above 3.16, that of sqrt(K), to 4 standard errors.
    """
    curves = []
    for i in range(3):
        problem = instances.random_tabular(4, 3, 3, seed=i, eta=eta)
        for r in range(6):
            learner = ucbvi(problem, 20_000, bonus=bonus, scale=scale)
            curves.append(regret(problem, learner, [200, 2000, 20_000], i, r))
    found, error = ratio_of_increments(np.array(curves))
    if eta == 1:
        assert 0.5 < found - 4.0 * error
        assert found + 4.0 * error < 1.5
    else:
        assert found - 4.0 * error > 3.16


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"bonus": "bernstien"}, "bonus: "),
        ({"scale": -1.0}, "scale: "),
        ({"delta": 0.0}, "delta: "),
        ({"delta": 1.1}, "delta: "),
    ],
)
def test_bad_parameters_are_refused_in_one_line(parameters, message):
    with pytest.raises(ValueError, match=rf"^{message}[^\n]*$"):
        partial(ucbvi, **parameters)(instances.random_tabular(eta=1.0), 10)
