"""The enhancer: its rival by hand and in NumPy, and its stream.

The fit, the plug-in bound at every refit, regrets, bits and errors are tested in test_rlhf.py.
"""

import math

import numpy as np
import pytest

from banditlab import rng
from banditlab.dueling.instances import rare_good
from banditlab.dueling.problem import bradley_terry
from banditlab.dueling.rlhf import rival
from banditlab.dueling.rlhf_enhancer import rlhf_enhancer


def instance(X=3, K=5, d=0, *, eta=4.0, seed=0):
    g = np.random.default_rng(seed)
    reference = g.dirichlet(np.ones(K), X)
    if d == 0:
        return bradley_terry(4.0 * g.random((X, K)), eta=eta, reference=reference)
    phi = g.standard_normal((X, K, d))
    phi /= np.linalg.norm(phi, axis=-1, keepdims=True)
    return bradley_terry(features=phi, parameter=g.standard_normal(d), eta=eta, reference=reference)


def trained(problem, n, seed=0, arms=None, widths=2.0):
    """A learner told of n comparisons of random arms, all or those below `arms`."""
    learner, g = rlhf_enhancer(problem, n, widths=widths), np.random.default_rng(seed)
    for t in range(n):
        x = int(g.integers(problem.law.size))
        a, b = (int(i) for i in g.choice(arms or problem.reference.shape[1], size=2, replace=False))
        learner.update(t + 1, x, a, b, float(g.random() < problem.preference[x, a, b]))
    return learner


def rival_in_numpy(problem, learner, x, a, widths=2.0):
    """The rule of the specification, on the state's Hessian of its counts; and the arms that it allows."""
    state, K = learner.logistic, problem.reference.shape[1]
    phi = problem.features if problem.parameter.size else np.tile(np.eye(K), (problem.law.size, 1, 1))
    theta = state.estimate[x if state.tabular else 0]
    H = state.lam * np.eye(theta.size)
    for s in [x] if state.tabular else range(problem.law.size):
        for b in range(K):
            for c in range(b):
                z = phi[s, b] - phi[s, c]
                slope = 0.25 / np.cosh(0.5 * z @ theta) ** 2
                H += (state.wins[s, b, c] + state.wins[s, c, b]) * slope * np.outer(z, z)
    if state.tabular:
        reward = np.maximum(theta - theta.max(), -problem.span)
    else:
        reward = phi[x] @ (theta * min(1.0, problem.radius / np.linalg.norm(theta)))
    z = phi[x] - phi[x, a]
    w = np.sqrt(np.einsum("bi,ij,bj->b", z, np.linalg.inv(H), z))
    score = reward + np.log(problem.reference[x]) / problem.eta
    allowed = (score + widths * w >= score[a] - 1.0 / problem.eta) & (np.arange(K) != a)
    return (np.where(allowed, w, -1.0).argmax() if allowed.any() else a), allowed


# The rival


def test_the_rival_by_hand():
    """Without comparisons every width is sqrt(2 / lam); lam = 8 makes it 1/2, which may make up for a reward of 1."""
    for ref, expected in (
        (math.exp(-1.99), 1),  # log ref(b) / eta + 2 w >= log ref(a) / eta - 1 / eta: -1.99 + 1 >= -1
        (math.exp(-2.01), 0),
    ):
        reference = np.array([1.0, ref]) / (1.0 + ref)
        learner = rlhf_enhancer(bradley_terry([0.0, 1.0], eta=1.0, reference=reference), 10, lam=8.0)
        score = np.zeros(2)
        assert rival(learner.logistic, learner.log_reference, 1.0, 2.0, 0, 0, score) == expected
        assert rival(learner.logistic, learner.log_reference, 1.0, 2.0, 0, 1, score) == 0  # the likelier always may


@pytest.mark.parametrize("d", [0, 3])
def test_the_rival_agrees_with_numpy(d):
    seen, barred = set(), 0
    for n in (20, 100, 199):
        for eta, widths in ((1.0, 2.0), (10.0, 2.0), (10.0, 0.5)):
            problem = instance(d=d, eta=eta, seed=n)
            learner, pi = trained(problem, n, arms=4, widths=widths), np.zeros(5)
            for x in range(3):
                learner.policy(x, pi)  # leaves the rewards in `score`
                for a in range(5):
                    b = rival(learner.logistic, learner.log_reference, eta, learner.scale, x, a, learner.score)
                    expected, allowed = rival_in_numpy(problem, learner, x, a, widths)
                    assert b == expected
                    seen.add((a, b))
                    barred += 4 - allowed.sum()
    assert len(seen) > 8 and barred > 20  # control: the rule does choose, and does leave out


def test_a_round_is_lost_where_no_arm_may_be_as_good():
    problem = bradley_terry([1.0, 0.0], span=1.0, eta=20.0)
    learner, own = rlhf_enhancer(problem, 10), rng.stream(0, rng.LEARNER, 0)
    learner.logistic.wins[0] = [[0.0, 7500.0], [2500.0, 0.0]]
    learner.update(1, 0, 0, 1, 1.0)
    first, second = np.zeros(2), np.zeros(2)
    assert learner.duel(2, 0, first, second, own)
    np.testing.assert_array_equal(first, [1.0, 0.0])
    np.testing.assert_array_equal(second, [1.0, 0.0])


# The first arm


def test_the_first_arm_is_a_draw_of_the_main_policy_and_both_are_point_masses():
    """10 000 draws: within four standard errors in every arm; a reference that is not the policy is not."""
    problem = instance(X=1, K=5, eta=3.0)
    learner, own = trained(problem, 50), rng.stream(1, rng.LEARNER, 0)
    pi, first, second, counts = np.zeros(5), np.zeros(5), np.zeros(5), np.zeros((5, 5))
    learner.policy(0, pi)
    for _ in range(10_000):
        assert learner.duel(51, 0, first, second, own)
        counts += np.outer(first, second)
    assert counts.sum() == 10_000.0 and (counts == counts.round()).all()

    def far(p):
        return np.abs(counts.sum(axis=1) / 1e4 - p) / np.sqrt(p * (1.0 - p) / 1e4)

    assert far(pi).max() < 4.0
    assert far(problem.reference[0]).max() > 10.0  # control
    for a in range(5):  # the second is a function of the first
        assert set(np.flatnonzero(counts[a])) <= {rival_in_numpy(problem, learner, 0, a)[0]}


def test_main_policy_by_hand():
    u = math.log(3.0)
    learner = rlhf_enhancer(bradley_terry([1.0, 0.0], span=2.0, eta=2.0, reference=[0.25, 0.75]), 10, lam=0.5 / u)
    pi = np.zeros(2)
    learner.update(1, 0, 0, 1, 1.0)
    assert learner.refresh(2) and not learner.refresh(3)
    learner.policy(0, pi)
    np.testing.assert_allclose(pi, [0.75, 0.25], rtol=1e-9)


def test_bad_input():
    with pytest.raises(ValueError, match=r"^widths: 0 is not in"):
        rlhf_enhancer(rare_good(), 10, widths=0.0)
    with pytest.raises(TypeError, match=r"^widths: expected a number"):
        rlhf_enhancer(rare_good(), 10, widths="two")
