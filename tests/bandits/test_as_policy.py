"""Index rules in the general form, and every wrapper around every algorithm."""

import functools
import json
import math
from typing import NamedTuple

import numpy as np
import pytest

from banditlab import bandits
from banditlab.bandits import instances
from banditlab.bandits.as_policy import as_policy, build, probabilities
from banditlab.bandits.corrupted import corrupted
from banditlab.bandits.delayed import delayed
from banditlab.bandits.exp3 import exp3
from banditlab.bandits.kl_thompson import kl_thompson
from banditlab.bandits.kl_ucb import kl_ucb
from banditlab.regularizer import gibbs

WRAPPERS = {
    "delayed": [{"delay": 7}, {"delay": 20, "law": "geometric"}, {"delay": 7, "batches": 2.0}],
    "conservative": [{"alpha": 0.5}],
    "corrupted": [{"budget": 10.0}],
}
INDEX_RULES = {
    "kl_ucb": kl_ucb,
    "anytime": functools.partial(kl_ucb, anytime=True),
    "kl_greedy": bandits.kl_greedy,
    "kl_robust_ucb": bandits.kl_robust_ucb,
    "kl_batched": bandits.kl_batched,
    "kl_explore_then_commit": functools.partial(bandits.kl_explore_then_commit, exploration=50),
}


class Recorder(NamedTuple):
    """An index rule that writes down how it is called; its indices change with every update and at rounds 4, 9."""

    index_calls: list
    refresh_calls: list
    value: np.ndarray  # (K,)

    def index(self, a, t):
        self.index_calls.append((a, t))
        return self.value[a]

    def update(self, t, a, r):
        self.value[a] += r

    def refresh(self, t):
        self.refresh_calls.append(t)
        if t not in (4, 9):
            return False
        np.add(self.value, 0.1 * np.arange(self.value.size), out=self.value)
        return True


def regret(problem, learner, rounds, replication=0):
    control = np.zeros(2, np.int64)
    status, t, channels = problem.play(learner, np.arange(1, rounds + 1), 1, replication, control)
    assert (status, t) == (0, rounds)
    return channels["regret"]


def test_only_what_changed_is_computed_and_every_round_is_offered_to_refresh_once():
    problem = instances.bernoulli([0.2, 0.5, 0.7], 2.0, [0.5, 0.3, 0.2])
    rule = Recorder([], [], np.zeros(3))
    learner = as_policy(problem, rule)
    pi, expected = np.zeros(3), np.zeros(3)
    history = [  # updates before the policy of a round, that round, the arms whose index is then computed
        ([], 1, [0, 1, 2]),
        ([(1, 1.0)], 2, [1]),
        ([], 2, []),
        ([(2, 0.5), (0, 1.0), (2, 0.5)], 3, [0, 2]),
        ([], 7, [0, 1, 2]),  # round 4 refreshes
        ([(0, 0.5)], 8, [0]),
        ([(1, 0.5)], 9, [0, 1, 2]),
    ]
    for updates, t, computed in history:
        for a, r in updates:
            learner.update(t, a, r)
        rule.index_calls.clear()
        learner.policy(t, pi, None)
        assert rule.index_calls == [(a, t) for a in computed]
        gibbs(problem.reference, rule.value, 2.0, expected)
        np.testing.assert_array_equal(pi, expected)
    assert rule.refresh_calls == list(range(1, 10))


def test_a_general_policy_is_returned_as_it_is():
    problem = instances.textbook()
    learner = kl_thompson(problem, 10)
    assert as_policy(problem, learner) is learner


def differences(rounds=150):
    """Largest relative difference between each index rule in its own loop and in the general form."""
    found = {}
    for eta in (5.0, math.inf):
        problem = instances.textbook(eta)
        for name, constructor in INDEX_RULES.items():
            own = regret(problem, constructor(problem, rounds), rounds)
            general = regret(problem, as_policy(problem, constructor(problem, rounds)), rounds)
            found[f"{name}, eta = {eta}"] = float(np.abs(general - own).max() / own[-1])
    return found


def test_the_general_form_plays_as_the_index_rule(python):
    found, _ = python("import json, test_as_policy as t; print(json.dumps(t.differences()))", NUMBA_DISABLE_JIT=1)
    assert len(found) == 12 and max(found.values()) < 1e-12, found


def test_the_compiled_general_form_plays_as_the_index_rule():
    problem = instances.textbook(5.0)
    own = regret(problem, kl_ucb(problem, 3000), 3000)
    np.testing.assert_allclose(regret(problem, as_policy(problem, kl_ucb(problem, 3000)), 3000), own, rtol=1e-12)
    assert abs(regret(problem, as_policy(problem, kl_ucb(problem, 3000, scale=0.3)), 3000)[-1] / own[-1] - 1) > 0.01


def compositions(rounds=60):
    """The final regret of every wrapper around every algorithm, wrappers included."""
    found = {}
    for eta in (5.0, math.inf):
        problem = instances.textbook(eta)
        for wrapper, settings in WRAPPERS.items():
            for parameters in settings:
                for name, algorithm in bandits.ALGORITHMS.items():
                    learner = bandits.ALGORITHMS[wrapper](problem, rounds, algorithm=algorithm, **parameters)
                    curve = regret(problem, learner, rounds)
                    assert np.isfinite(curve).all() and (np.diff(curve) >= 0.0).all(), (wrapper, name)
                    found[f"{wrapper} {parameters} {name} {eta}"] = float(curve[-1])
    return found


def test_every_wrapper_holds_every_algorithm(python):
    code = "import json, test_as_policy as t; print(json.dumps(t.compositions()))"
    found, warnings = python(code, NUMBA_DISABLE_JIT=1)
    assert len(found) == 2 * 5 * len(bandits.ALGORITHMS) and all(0.0 < x < 60.0 for x in found.values())
    assert "Warning" not in warnings


REPRESENTATIVES = [bandits.kl_ucb, bandits.ucb1, bandits.kl_thompson, bandits.kl_batched, bandits.exp3]


def fingerprint(rounds=60):
    """Bits of runs of the wrappers around a few algorithms, as text."""
    runs = []
    for eta in (5.0, math.inf):
        problem = instances.textbook(eta)
        for i, algorithm in enumerate(REPRESENTATIVES):
            wrapper = ["delayed", "conservative", "delayed", "delayed", "corrupted"][i]
            for parameters in WRAPPERS[wrapper]:
                learner = bandits.ALGORITHMS[wrapper](problem, rounds, algorithm=algorithm, **parameters)
                runs.append([float(x).hex() for x in regret(problem, learner, rounds)])
    return json.dumps(runs)


def test_wrappers_give_the_same_bits_without_the_compiler(python):
    uncompiled, _ = python("import test_as_policy as t; print(t.fingerprint())", NUMBA_DISABLE_JIT=1)
    assert json.loads(fingerprint()) == uncompiled


def test_the_probability_that_weighs_a_reward_is_found_through_wrappers():
    problem = instances.textbook()
    inner = exp3(problem, 10)
    outer = corrupted(problem, 10, algorithm=lambda problem, rounds: inner)
    assert probabilities(outer, 5) is inner.played
    chain = delayed(problem, 10, algorithm=lambda problem, rounds: outer, delay=3)
    assert chain.played is inner.played
    assert probabilities(kl_thompson(problem, 10), 5).tolist() == [0.0] * 5


@pytest.mark.parametrize("bad", [3, None, "kl_ucb", kl_ucb(instances.textbook(), 10)])
def test_an_algorithm_that_is_no_constructor_is_refused_in_one_line(bad):
    with pytest.raises(TypeError, match=r"^algorithm: .* is not allowed, must be a constructor") as error:
        build(instances.textbook(), 10, bad)
    assert "\n" not in str(error.value)


def test_a_constructor_of_no_learner_is_refused():
    with pytest.raises(TypeError, match=r"^learner"):
        build(instances.textbook(), 10, lambda problem, rounds: [])
