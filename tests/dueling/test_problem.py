"""Dueling problems: by hand, scores and optima against definitions, learners and what is refused in one line."""

import functools
import math
import warnings
from typing import NamedTuple

import numpy as np
import pytest

import banditlab as bl
from banditlab.dueling import loop
from banditlab.dueling.instances import rare_good
from banditlab.dueling.problem import MEASURES, bradley_terry, condorcet_winners, preferences, undecided
from banditlab.dueling.rlhf_greedy import rlhf_greedy
from banditlab.dueling.rucb import rucb

TRAP = np.array([[0.5, 0.51, 0.51], [0.49, 0.5, 0.95], [0.49, 0.05, 0.5]])
CYCLE = np.array([[0.5, 0.9, 0.2], [0.1, 0.5, 0.7], [0.8, 0.3, 0.5]])


def random_preferences(seed, contexts, arms):
    g = np.random.default_rng(seed)
    upper = np.triu(g.random((contexts, arms, arms)), 1)
    return upper + np.tril(1.0 - upper.transpose(0, 2, 1), -1) + 0.5 * np.eye(arms)


def test_bradley_terry_by_hand():
    problem = bradley_terry([math.log(3.0), 0.0], eta=1.0)  # sigma(log 3) = 3/4
    np.testing.assert_allclose(problem.preference, [[[0.5, 0.75], [0.25, 0.5]]], rtol=1e-15)
    np.testing.assert_allclose(problem.optimal, [[0.75, 0.25]], rtol=1e-15)
    np.testing.assert_allclose(problem.condorcet_gap, [[0.0, 0.25]], rtol=1e-15)
    np.testing.assert_allclose(problem.borda_gap, [[0.0, 0.5]], rtol=1e-15)
    np.testing.assert_allclose(problem.reward_gap, [[0.0, math.log(3.0)]], rtol=1e-15)
    assert (problem.measure, problem.winner.tolist(), problem.bradley_terry) == (loop.KL, [0], True)
    assert problem.span == pytest.approx(math.log(3.0), rel=1e-15)
    assert problem.burn_in == 8
    assert bradley_terry([1.0, 0.0], eta=math.inf).measure == loop.REWARD
    assert preferences(TRAP).measure == loop.AVERAGE


def test_scores_by_hand():
    # Copeland: arm 0 beats both others, arm 1 one, arm 2 none. Borda: .51, .72, .27.
    np.testing.assert_allclose(preferences(TRAP, measure="borda").gap, [[0.21, 0.0, 0.45]], rtol=1e-14)
    np.testing.assert_allclose(preferences(TRAP, measure="copeland").gap, [[0.0, 0.5, 1.0]], rtol=1e-15)
    for measure in ("average", "strong", "weak"):
        np.testing.assert_allclose(preferences(TRAP, measure=measure).gap, [[0.0, 0.01, 0.01]], rtol=1e-13)


def test_linear_rewards_by_hand():
    features = [[[1.0, 0.0], [0.0, -1.0]], [[0.6, 0.8], [0.0, 0.0]]]
    problem = bradley_terry(features=features, parameter=[3.0, 4.0], eta=1.0)
    np.testing.assert_allclose(problem.reward, [[3.0, -4.0], [5.0, 0.0]], rtol=1e-15)
    assert (problem.radius, problem.span) == (5.0, 7.0)
    wider = bradley_terry(features=features, parameter=[3.0, 4.0], eta=1.0, radius=6.0, span=9.0)
    assert (wider.span, wider.radius) == (9.0, 6.0)


def test_winners_are_those_of_a_plain_search():
    P = random_preferences(0, 200, 4)
    wanted = [next((a for a in range(4) if all(p[a, b] > 0.5 for b in range(4) if b != a)), -1) for p in P]
    assert condorcet_winners(P).tolist() == wanted
    assert 20 < wanted.count(-1) < 180
    assert condorcet_winners(np.full((1, 3, 3), 0.5)).tolist() == [-1]


def test_extreme_rewards_keep_probabilities_and_logarithms():
    problem = bradley_terry([2000.0, 0.0, -2000.0], eta=10.0)
    assert problem.preference[0, 0].tolist() == [0.5, 1.0, 1.0]
    np.testing.assert_allclose(problem.log_optimal, [[0.0, -20000.0, -40000.0]], rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("eta", [0.2, 3.0, 40.0])
def test_the_optimum_under_kl_is_the_fixed_point_of_the_game(eta):
    P, g = random_preferences(1, 3, 4), np.random.default_rng(2)
    reference = g.dirichlet(np.ones(4), size=3)
    problem = preferences(P, eta=eta, reference=reference)
    best = reference * np.exp(eta * np.einsum("xab,xb->xa", P - 0.5, problem.optimal))
    np.testing.assert_allclose(problem.optimal, best / best.sum(axis=1, keepdims=True), rtol=1e-8)
    rewarded = bradley_terry(g.random((3, 4)), eta=eta, reference=reference)
    gibbs = reference * np.exp(eta * rewarded.reward)
    np.testing.assert_allclose(rewarded.optimal, gibbs / gibbs.sum(axis=1, keepdims=True), rtol=1e-12)


def test_the_unregularized_optimum_is_the_best_arm_or_the_von_neumann_winner():
    assert bradley_terry([[0.0, 1.0], [2.0, 1.0]], eta=math.inf).optimal.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    optimal = preferences(CYCLE, measure="borda").optimal[0]
    assert (optimal @ CYCLE).min() > 0.5 - 1e-9
    np.testing.assert_allclose(optimal, [0.2 / 0.9, 0.3 / 0.9, 0.4 / 0.9], rtol=1e-8)  # weights of the opposite edges


def test_every_instance_is_of_one_compiled_type():
    from numba import typeof

    wanted = typeof(bradley_terry([1.0, 0.0], eta=1.0))
    for problem in (
        preferences(TRAP),
        preferences(np.asfortranarray(CYCLE.T).T, measure="copeland"),
        preferences(random_preferences(1, 3, 4), eta=2),
        bradley_terry(features=np.full((2, 3, 1), 0.5), parameter=[1], eta=math.inf, span=3, radius=2),
    ):
        assert typeof(problem) == wanted


def test_summary_and_failure():
    assert preferences(TRAP).summary == "general preferences, K = 3, average regret"
    problem = bradley_terry(features=np.full((2, 3, 1), 0.5), parameter=[1.0], eta=3.0)
    assert problem.summary == "Bradley-Terry duels, d = 1, X = 2, K = 3, eta = 3"
    assert problem.crossovers(10) == {}
    assert "not a distribution" in problem.failure(3)


class Misnamed(NamedTuple):
    """Another order of arguments."""

    wins: np.ndarray

    def duel(self, x, t, first, second, rng):
        return True

    def update(self, t, x, a, b, y):
        pass


def test_a_learner_is_checked_before_anything_is_compiled():
    problem = bradley_terry([1.0, 0.5, 0.0], eta=3.0)
    rule = rucb(problem, 10)
    with pytest.raises(TypeError, match=r"learner RUCB has no main policy `policy\(x, pi\)`, which the measure 'kl'"):
        problem.play(rule, np.array([10]), 0, 0, np.zeros(2, np.int64))
    bradley_terry([1.0, 0.5, 0.0], eta=3.0, measure="reward").check(rule)
    with pytest.raises(TypeError, match=r"`duel\(x, t, first, second, rng\)` must be `duel\(t, x, first, second, rng"):
        problem.check(Misnamed(np.zeros(1)))
    with pytest.raises(TypeError, match=r"expected a typing\.NamedTuple"):
        problem.check(object())


FEATURES = np.full((2, 3, 2), 0.5)
BAD_REWARDS = [
    ({"reward": None}, "reward: give either reward, or features and parameter"),
    ({"parameter": [1.0]}, "reward: give either reward, or features and parameter"),
    ({"features": FEATURES, "parameter": [1.0, 1.0]}, "reward: give either reward, or features and parameter"),
    ({"reward": None, "features": FEATURES, "parameter": [1.0]}, r"features: expected shape \(S, K, d\) with d = 1"),
    ({"reward": [1.0, math.nan]}, r"reward\[0, 1\]: nan is not allowed"),
    ({"eta": 0.0}, "eta: 0 is not in"),
    ({"span": 0.5}, "span: 0.5 is not in"),
    ({"law": [0.5, 0.5]}, "law: expected 1 entries"),
    ({"reference": [0.5, 0.5, 0.0]}, r"reference\[0, 2\]: 0 is not allowed"),
    ({"behaviour": [0.5, 0.6, 0.0]}, r"behaviour\[0\]: sums to 1.1"),
    ({"measure": "averge"}, "measure: 'averge' is unknown; did you mean average"),
    ({"eta": math.inf, "measure": "kl"}, "measure: 'kl' is not allowed at eta = inf"),
    ({"reward": [1.0, 1.0, 0.0], "measure": "weak"}, "measure: 'weak' is not allowed, the preferences have no Condorc"),
]
BAD_PREFERENCES = [
    ({"preference": CYCLE}, "measure: 'average' is not allowed, the preferences have no Condorcet winner; use 'borda'"),
    (
        {"preference": [TRAP, CYCLE], "measure": "strong"},
        "measure: 'strong' is not allowed, the preferences of context 1 have no Condorcet winner",
    ),
    ({"preference": TRAP, "measure": "reward"}, "measure: 'reward' is not allowed, these preferences come from no"),
    ({"preference": [[0.5, 0.7], [0.4, 0.5]]}, r"preference\[0, 0, 1\]: P \+ P' = 1.1 is not allowed, must be 1"),
    ({"preference": [[0.5, 0.7], [0.2, 0.5]]}, r"preference\[0, 0, 1\]: P \+ P' = 0.9 is not allowed, must be 1"),
    ({"preference": [[0.6, 0.7], [0.3, 0.5]]}, r"preference\[0, 0, 0\]: P \+ P' = 1.2 is not allowed, must be 1"),
    ({"preference": [[0.5, 1.2], [-0.2, 0.5]]}, r"preference\[0, 0, 1\]: 1.2 is not allowed, must be in \[0, 1\]"),
    ({"preference": [[0.5, math.nan], [0.3, 0.5]]}, r"preference\[0, 0, 1\]: nan is not allowed"),
    ({"preference": [[0.5, 0.5]]}, r"preference: expected shape \(X, K, K\), got \(1, 2\)"),
    ({"preference": "cycle"}, r"preference: expected an \(X, K, K\) array, got str"),
    ({"preference": TRAP, "measure": "kl"}, "measure: 'kl' is not allowed at eta = inf"),
]


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [(bradley_terry, {"reward": [1.0, 0.5, 0.0], "eta": 1.0} | change, message) for change, message in BAD_REWARDS]
    + [(preferences, change, message) for change, message in BAD_PREFERENCES],
)
def test_bad_input_is_refused_in_one_line(make, options, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        make(**options)
    assert "\n" not in str(caught.value)


def test_every_measure_is_offered_where_it_is_defined():
    for measure in MEASURES:
        assert bradley_terry([1.0, 0.0], eta=1.0, measure=measure).measure == MEASURES[measure]
    with pytest.raises(ValueError, match="measure: 'first' is not allowed"):
        preferences(CYCLE, eta=1.0, measure="first")
    for measure in ("kl", "borda", "copeland"):
        assert preferences(CYCLE, eta=1.0, measure=measure).measure == MEASURES[measure]


# Locked in


def test_undecided_by_hand():
    """L = log 20: nine of ten wins leave .9 -+ .387, ten of ten 1 -+ .387 for the loser, 0 + .387 < 1/2."""
    wins = np.zeros((1, 3, 3))
    problem = bradley_terry([1.0, 0.0, -1.0], eta=2.0)
    assert undecided(problem, wins).all()
    wins[0, 0, 1], wins[0, 0, 2] = 10.0, 10.0
    assert not undecided(problem, wins).any()
    wins[0, 1, 0] = 3.0  # 3 / 13 + sqrt(log(20) / 26) = .57: the second arm is possible again
    assert undecided(problem, wins).all()
    assert not undecided(bradley_terry([1.0, 1.0, -1.0], eta=2.0), wins).any()  # even arms are no mistake


def test_undecided_with_features_is_a_wald_interval():
    """One feature, 0.5 apart: H = 1 + n / 16 at theta = 0; n wins and n losses leave it open, wins alone do not."""
    problem = bradley_terry(features=[[[0.5], [0.0]]], parameter=[8.0], eta=2.0)
    wins = np.zeros((1, 2, 2))
    wins[0, 0, 1] = wins[0, 1, 0] = 50.0
    assert undecided(problem, wins).all()
    wins[0, 1, 0] = 0.0
    assert not undecided(problem, wins).any()


def test_a_learner_that_locks_in_is_warned_of():
    """Unprojected greedy sampling on rare_good compares an arm with itself; a learner that has decided is fine."""
    with pytest.warns(UserWarning, match="greedy: in 2 of 2 replications over 99 % of the rounds compared an arm"):
        unprojected = functools.partial(rlhf_greedy, projected=False)
        run = bl.run(rare_good(), {"greedy": unprojected}, rounds=5000, replications=2)
    assert (run.channels["greedy"]["locked"][:, -1] == 1.0).all()
    assert (run.channels["greedy"]["locked"][:, :-1] == 0.0).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decided = bl.run(bradley_terry([3.0, 0.0], eta=math.inf), {"RUCB": rucb}, rounds=20_000, replications=2)
    assert (decided.channels["RUCB"]["same"][:, -1] > 0.99 * 20_000).all()


# Other regularizers than KL


@pytest.mark.parametrize(("name", "alpha"), [("chi2", None), ("alpha", 3.0), ("forward_kl", None), ("kl_chi2", None)])
def test_gaps_under_another_regularizer_are_those_of_the_regularizer(name, alpha):
    """Each context's gap from its definition; the optimum has none; a fit is measured by its estimate."""
    g = np.random.default_rng(0)
    r, reference, law = g.random((2, 4)), g.dirichlet(np.ones(4), size=2), np.array([0.3, 0.7])
    problem = bradley_terry(r, eta=2.0, reference=reference, law=law, regularizer=name, alpha=alpha)
    assert f"regularizer {name}" in problem.summary
    pi = g.dirichlet(np.ones(4), size=2)
    wanted = law @ bl.regularizer.gap(name, pi, r, reference, 2.0, alpha=alpha)
    assert problem.suboptimality(pi) == pytest.approx(wanted, rel=1e-12, abs=0.0)
    assert problem.suboptimality(problem.optimal) == pytest.approx(0.0, abs=1e-12)
    estimate = r + 1e-3 * g.standard_normal((2, 4))
    fit = problem.dataset(100, 0, 0).optimal(estimate)
    wanted = law @ bl.regularizer.plug_in_gap(name, estimate, r, reference, 2.0, alpha=alpha)
    assert problem.suboptimality(fit) == pytest.approx(wanted, rel=1e-12, abs=0.0)
    with pytest.raises(ValueError, match="regularizer: RUCB plays online, where it must be 'kl'"):
        bradley_terry([1.0, 0.0], eta=1.0, regularizer=name, alpha=alpha, measure="reward").check(
            rucb(bradley_terry([1.0, 0.0], eta=1.0), 10)
        )
