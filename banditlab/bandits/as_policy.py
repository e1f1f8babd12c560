"""Any learner of the family in the general form, for the wrappers that hold one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from banditlab.bandits.problem import FORMS, Bandit
from banditlab.jit import check_verbs, needs_refresh
from banditlab.regularizer import gibbs


class AsPolicy(NamedTuple):
    """An index rule that writes its policy; build it with `as_policy`."""

    inner: Any  # the index rule
    eta: float  # inverse temperature
    reference: np.ndarray  # (K,) pi_ref
    score: np.ndarray  # (K,) the indices in force
    changed: np.ndarray  # (K,) 1 where an arm was updated since its index was computed
    clock: np.ndarray  # (1,) the last round for which the rule was asked to refresh

    def policy(self, t, pi, rng):
        every = self.clock[0] == 0
        while self.clock[0] < t:
            self.clock[0] += 1
            if needs_refresh(self.inner, self.clock[0]):
                every = True
        for a in range(pi.size):
            if every or self.changed[a] != 0:
                self.score[a] = self.inner.index(a, t)
                self.changed[a] = 0
        gibbs(self.reference, self.score, self.eta, pi)

    def update(self, t, a, r):
        self.inner.update(t, a, r)
        self.changed[a] = 1


def as_policy(problem: Bandit, learner: Any) -> Any:
    """A learner with the verbs of a general policy, which plays as the given one does.

    Parameters
    ----------
    problem : Bandit
        Its number of arms, reference and inverse temperature are read.
    learner : NamedTuple
        Fresh learner, an index rule or a general policy. It becomes part of the result.

    Returns
    -------
    NamedTuple
        A general policy as it is. An index rule as an `AsPolicy`, which writes the Gibbs policy of the indices
        (at eta = inf the argmax, the lowest arm on ties) and computes only those that an update or a refresh
        changed.

    Raises
    ------
    TypeError
        In one line, where the learner follows neither form.

    Notes
    -----
    Between two calls of `policy` there may be any number of calls of `update`, and rounds may be repeated or
    left out; every round up to the one asked for is offered to `refresh` once, in order.
    """
    if check_verbs(type(learner), FORMS) == "a general policy":
        return learner
    K = problem.mean.size
    return AsPolicy(
        inner=learner,
        eta=float(problem.eta),
        reference=problem.reference.copy(),
        score=np.zeros(K),
        changed=np.zeros(K, np.int64),
        clock=np.zeros(1, np.int64),
    )


def build(problem: Bandit, rounds: int, algorithm: Callable[..., Any]) -> Any:
    """The general form of what a constructor makes, for a wrapper's parameter `algorithm`.

    Raises
    ------
    TypeError
        In one line, where `algorithm` is no constructor of a learner.
    """
    if not callable(algorithm):
        raise TypeError(f"algorithm: {algorithm!r} is not allowed, must be a constructor (problem, rounds) -> learner")
    return as_policy(problem, algorithm(problem, rounds))


def probabilities(learner: Any, K: int) -> np.ndarray:
    """(K,) the array `played` from which a learner, or the one it wraps, takes the probability of a rewarded arm.

    A wrapper that reports feedback of another policy than the last one written puts the true probability there for
    the time of the update. A fresh array, which nobody reads, for rules that do not weigh rewards.
    """
    while hasattr(learner, "inner"):
        learner = learner.inner
    return learner.played if hasattr(learner, "played") else np.zeros(K)
