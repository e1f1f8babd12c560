"""The Gibbs state: by hand, against exact arithmetic, tree against running and naive sums, and its draws."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from banditlab import gibbs, rng
from banditlab.bandits import loop
from banditlab.bandits.kl_ucb import kl_ucb
from banditlab.bandits.problem import bandit
from banditlab.gibbs import INDEX, divergence, draw, gibbs_state, set_index
from banditlab.jit import jit

ETAS = (1e-3, 0.1, 5.0, 300.0, 1e4)
RESIDUE = 2e-13  # of a plain gap held as a running sum: up to 1024 additions of terms below one, rounded


def exact(problem, index):
    """KL(pi || pi*) and the plain gap from the floats as they are, absolute error below 1e-200."""
    with localcontext(prec=220):
        eta = Decimal(problem.eta)
        reference = [Decimal(float(x)) for x in problem.reference]
        mean = [Decimal(float(x)) for x in problem.mean]
        play = [eta * Decimal(float(x)) for x in index]
        best = [eta * x for x in mean]
        log_z = sum(p * (x - max(play)).exp() for p, x in zip(reference, play, strict=True)).ln() + max(play)
        log_z_best = sum(p * (x - max(best)).exp() for p, x in zip(reference, best, strict=True)).ln() + max(best)
        pi = [p * (x - log_z).exp() for p, x in zip(reference, play, strict=True)]
        kl = sum(p * (x - log_z - y + log_z_best) for p, x, y in zip(pi, play, best, strict=True))
        plain = sum(p * (max(mean) - r) for p, r in zip(pi, mean, strict=True))
        return float(kl), float(plain)


def instance(K, eta, seed=0):
    generator = np.random.default_rng(seed)
    reference = generator.dirichlet(np.full(K, 2.0))
    return bandit(generator.uniform(0.1, 0.9, K), eta=eta, reference=reference / reference.sum())


def started(problem, tree=None):
    """State, policy in force: that of the indices 0."""
    state = gibbs_state(problem, tree)
    divergence(*state, True)
    return state


def weights(state):
    first = int(state.state[gibbs._FIRST])
    return state.nodes[first : first + state.arms.shape[0], 0]


# By hand


@pytest.mark.parametrize("tree", [False, True])
def test_two_arms_by_hand(tree):
    # eta = log 2, r = (1, 0), uniform reference: pi* = (2/3, 1/3), and indices 0 play (1/2, 1/2).
    problem = bandit([1.0, 0.0], eta=math.log(2.0))
    state = gibbs_state(problem, tree)
    kl, plain = divergence(*state, True)
    assert kl == pytest.approx(0.5 * math.log(9.0 / 8.0), rel=1e-14)
    assert plain == pytest.approx(0.5, rel=1e-14)
    set_index(*state, 0, 2.0)  # weights 4 : 1
    kl, plain = divergence(*state, False)
    assert kl == pytest.approx(0.8 * math.log(1.2) + 0.2 * math.log(0.6), rel=1e-14)
    assert plain == pytest.approx(0.2, rel=1e-14)
    set_index(*state, 1, 1.0)  # both one too large: the optimum
    kl, plain = divergence(*state, False)
    assert abs(kl) < 1e-16
    assert plain == pytest.approx(1.0 / 3.0, rel=1e-14)


# Against exact arithmetic


@pytest.mark.parametrize(("K", "tree"), [(2, False), (5, False), (5, True), (40, False), (40, True)])
@pytest.mark.parametrize("eta", ETAS)
def test_divergence_is_exact_after_thousands_of_updates(eta, K, tree):
    problem = instance(K, eta)
    state = started(problem, tree)
    generator = np.random.default_rng(1)
    for width in (1.0, 1.0, 0.3, 1e-2, 1e-4, 1e-7, 1e-2, 1.0):  # towards the optimum, and away from it
        for _ in range(600):
            a = int(generator.integers(K))
            set_index(*state, a, problem.mean[a] + width * generator.uniform(-1.0, 1.0))
            kl, plain = divergence(*state, False)
        want = exact(problem, state.arms[:, INDEX])
        assert kl == pytest.approx(want[0], rel=1e-9, abs=1e-300), width
        assert plain == pytest.approx(want[1], rel=1e-9, abs=1e-300 if tree else RESIDUE), width


@pytest.mark.parametrize("tree", [False, True])
@pytest.mark.parametrize("eta", ETAS)
def test_divergence_is_exact_along_a_run_towards_the_optimum(eta, tree):
    # Each arm in turn, its index at distance 1/n: the pace of a learner. Compared at random times.
    K = 7
    problem = instance(K, eta, seed=3)
    state = started(problem, tree)
    generator = np.random.default_rng(2)
    compared = 0
    for t in range(12_000):
        a = t % K
        set_index(*state, a, problem.mean[a] + generator.uniform(-1.0, 1.0) / (1 + t // K))
        kl, _ = divergence(*state, False)
        if generator.uniform() < 0.006:
            assert kl == pytest.approx(exact(problem, state.arms[:, INDEX])[0], rel=1e-9), t
            compared += 1
    assert compared > 50


@pytest.mark.parametrize("tree", [False, True])
@pytest.mark.parametrize("eta", ETAS)
def test_divergence_after_all_indices_changed_is_exact(eta, tree):
    problem = instance(12, eta, seed=5)
    state = started(problem, tree)
    generator = np.random.default_rng(4)
    for width in (1.0, 1e-1, 1e-3, 1e-6, 1.0):
        state.arms[:, INDEX] = problem.mean + width * generator.uniform(-1.0, 1.0, 12)
        kl, plain = divergence(*state, True)
        want = exact(problem, state.arms[:, INDEX])
        assert kl == pytest.approx(want[0], rel=1e-10)
        assert plain == pytest.approx(want[1], rel=1e-10)


@pytest.mark.parametrize("tree", [False, True])
def test_an_arm_that_falls_from_all_to_nothing_leaves_no_residue(tree):
    # One arm holds the whole weight, then loses it by factors e^-3, e^-30, e^-3000.
    for step in (0.01, 0.1, 10.0):
        problem = bandit([0.2, 0.5, 0.8], eta=300.0)
        state = started(problem, tree)
        for k in range(40):
            set_index(*state, 0, 1.0 - k * step)
            kl, plain = divergence(*state, False)
            want = exact(problem, state.arms[:, INDEX])
            assert kl == pytest.approx(want[0], rel=1e-9)
            assert plain == pytest.approx(want[1], rel=1e-9, abs=1e-300 if tree else RESIDUE)


def test_naive_differences_would_fail_where_this_does_not():
    # Control: J* - J(pi) by differences of values loses its digits at eta = 1e-3.
    problem = instance(5, 1e-3)
    index = problem.mean + 1e-4 * np.random.default_rng(0).uniform(-1.0, 1.0, 5)
    pi = problem.reference * np.exp(problem.eta * index)
    pi /= pi.sum()
    value = pi @ problem.mean - pi @ np.log(pi / problem.reference) / problem.eta
    want = exact(problem, index)[0]
    assert abs(problem.eta * (problem.value - value) - want) > 1e-6 * want


# Whole runs


@jit
def naive(problem, learner, index, checkpoints, world, regret, pseudo):
    """The protocol of an index rule, with everything recomputed every round."""
    K = problem.mean.size
    total_kl = 0.0
    total_plain = 0.0
    t = 0
    for a in range(K):
        index[a] = learner.index(a, 1)
    for c in range(checkpoints.size):
        while t < checkpoints[c]:
            t += 1
            top = -math.inf
            for a in range(K):
                top = max(top, math.log(problem.reference[a]) + problem.eta * index[a])
            z = 0.0
            for a in range(K):
                z += math.exp(math.log(problem.reference[a]) + problem.eta * index[a] - top)
            log_z = top + math.log(z)
            kl = 0.0
            plain = 0.0
            for a in range(K):
                log_pi = math.log(problem.reference[a]) + problem.eta * index[a] - log_z
                d = problem.log_optimal[a] - log_pi
                p = math.exp(log_pi)
                kl += p * (math.expm1(d) - d) if d < 30.0 else math.exp(problem.log_optimal[a]) - p - p * d
                plain += p * problem.gap[a]
            total_kl += kl
            total_plain += plain
            u = rng.uniform(world)
            drawn = K - 1
            for a in range(K):
                u -= math.exp(math.log(problem.reference[a]) + problem.eta * index[a] - log_z)
                if u < 0.0:
                    drawn = a
                    break
            learner.update(t, drawn, 1.0 if rng.uniform(world) < problem.mean[drawn] else 0.0)
            index[drawn] = learner.index(drawn, t + 1)
        regret[c] = total_kl / problem.eta
        pseudo[c] = total_plain


def play(problem, tree, checkpoints, scale=0.5, seed=0):
    """(2, C): regret and pseudo-regret of `kl_ucb` with the sums held as `tree` says."""
    out = np.zeros((2, checkpoints.size))
    learner = kl_ucb(problem, int(checkpoints[-1]), scale=scale)
    world = rng.stream(seed, rng.ENVIRONMENT, 0)
    status, t = loop.play_index(
        problem, learner, *gibbs_state(problem, tree), checkpoints, world, world.copy(), out, np.zeros(2, np.int64)
    )
    assert (status, t) == (loop.DONE, checkpoints[-1])
    return out


@pytest.mark.parametrize("kappa", [1.0, 4.0])
@pytest.mark.parametrize("eta", [4096.0, 65536.0])
def test_all_forms_agree_where_one_round_can_take_all_weight_from_an_arm(eta, kappa):
    checkpoints = np.array([10, 100, 1000, 4096])
    problem = bandit([0.5] * 7 + [0.5 + kappa * math.sqrt(8 / 4096)], eta=eta)
    for seed in range(4):
        tree = play(problem, True, checkpoints, scale=1.0, seed=seed)
        sums = play(problem, False, checkpoints, scale=1.0, seed=seed)
        np.testing.assert_allclose(sums, tree, rtol=1e-9, atol=1e-12)
        learner, world = kl_ucb(problem, 4096, scale=1.0), rng.stream(seed, rng.ENVIRONMENT, 0)
        regret, pseudo = np.zeros(4), np.zeros(4)
        naive(problem, learner, np.array([learner.index(a, 1) for a in range(8)]), checkpoints, world, regret, pseudo)
        np.testing.assert_allclose(tree, [regret, pseudo], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("K", [10, 40])
@pytest.mark.parametrize("eta", [0.1, 5.0, 300.0])
def test_tree_running_sums_and_naive_sums_give_the_same_regret(eta, K):
    checkpoints = np.array([10, 1000, 10_000, 250_000])
    problem = bandit(np.linspace(0.1, 0.9, K), eta=eta)
    tree = play(problem, True, checkpoints)
    sums = play(problem, False, checkpoints)
    np.testing.assert_allclose(sums, tree, rtol=1e-9)
    short = checkpoints if K == 10 else checkpoints[:3]
    regret, pseudo = np.zeros(short.size), np.zeros(short.size)
    learner = kl_ucb(problem, 250_000, scale=0.5)
    naive(problem, learner, np.zeros(K), short, rng.stream(0, rng.ENVIRONMENT, 0), regret, pseudo)
    np.testing.assert_allclose([regret, pseudo], tree[:, : short.size], rtol=1e-9)
    other = play(problem, True, checkpoints, seed=1)  # control: another world is not within the tolerance
    assert np.abs(other[0, -1] / tree[0, -1] - 1.0) > 1e-6


@pytest.mark.parametrize("K", [2, 33, 1000, 100_000])
@pytest.mark.parametrize("eta", [1e-3, 1.0, 100.0, 1e4])
def test_numbers_stay_finite_and_regret_never_decreases(eta, K):
    checkpoints = np.unique(np.geomspace(1, 20_000, 300).astype(np.int64))
    problem = bandit(np.linspace(0.1, 0.9, K), eta=eta)
    for scale in (0.0, 0.5):  # 0: empirical means, which jump by up to one
        regret, pseudo = play(problem, None, checkpoints, scale=scale)
        assert np.isfinite(regret).all() and np.isfinite(pseudo).all()
        assert (np.diff(regret) >= 0.0).all() and (np.diff(pseudo) >= 0.0).all()
        assert regret[0] > 0.0


def test_one_arm_has_no_regret():
    problem = bandit([0.3], eta=5.0)
    for tree in (False, True):
        regret, pseudo = play(problem, tree, np.array([1, 5000]))
        assert (abs(regret) < 1e-12).all() and (pseudo == 0.0).all()


@pytest.mark.parametrize("eta", [5.0, 1e4])
def test_one_arm_keeps_its_weight_when_its_index_falls(eta):
    problem = bandit([0.3], eta=eta)
    for tree in (False, True):
        state = started(problem, tree)
        for value in (1.0, 0.9, 0.0, -3.0, 0.31):
            set_index(*state, 0, value)
            kl, plain = divergence(*state, False)
            assert abs(kl) < 1e-12 and plain == 0.0
            assert draw(*state, 0.5) == 0


# Draws


@pytest.mark.parametrize(("K", "tree"), [(1, False), (2, False), (3, True), (3, False), (33, True), (100, True)])
def test_draws_have_the_frequencies_of_the_policy(K, tree):
    problem = instance(K, 3.0)
    state = started(problem, tree)
    generator = np.random.default_rng(0)
    for a in range(K):
        set_index(*state, a, generator.uniform())
    divergence(*state, False)
    n = 100_000  # equally spaced u: a count is within two of n pi, where a random one is within 300
    counts = np.bincount([draw(*state, (i + 0.5) / n) for i in range(n)], minlength=K)
    pi = problem.reference * np.exp(problem.eta * state.arms[:, INDEX])
    assert np.abs(counts - n * pi / pi.sum()).max() < 2.0
    if K > 1:  # control: the reference is another distribution
        assert np.abs(counts - n * problem.reference).max() > 100.0


@pytest.mark.parametrize(("K", "tree"), [(3, True), (3, False), (5, True), (33, True), (64, True), (40, False)])
def test_an_arm_of_weight_zero_is_never_drawn(K, tree):
    edges = np.concatenate(([0.0, 5e-324, 1e-300], 1.0 - np.array([2.0**-53, 2.0**-52, 1e-15]), [0.3, 0.5, 0.999]))
    generator = np.random.default_rng(0)
    for alive in ([0], [K - 1], [1], [0, K - 1], [1, K - 2]):
        problem = bandit(generator.uniform(size=K), eta=1e4)
        state = gibbs_state(problem, tree)
        state.arms[:, INDEX] = -1.0
        state.arms[alive, INDEX] = problem.mean[alive]
        divergence(*state, True)
        alive = np.flatnonzero(weights(state) > 0.0)
        for u in np.concatenate((edges, generator.uniform(size=200))):
            assert draw(*state, u) in alive


@pytest.mark.parametrize("tree", [True, False])
def test_a_draw_whose_rounding_runs_past_the_last_weight_steps_back(tree):
    # The total is made larger than the weights, so that u W exceeds all of them.
    problem = bandit([0.5, 0.5, 0.5], eta=1.0)
    state = started(problem, tree)
    for dead, last in (((2,), 1), ((1, 2), 0), ((), 2), ((0, 2), 1)):
        state.arms[:, INDEX] = 0.5
        divergence(*state, True)
        weights(state)[list(dead)] = 0.0
        for i in range(3, 0, -1) if tree else ():
            state.nodes[i] = state.nodes[2 * i] + state.nodes[2 * i + 1]
        if not tree:
            state.nodes[1] = state.nodes[2:].sum(axis=0)
        state.nodes[1, 0] *= 1.0 + 1e-12
        assert draw(*state, 1.0 - 2.0**-53) == last
