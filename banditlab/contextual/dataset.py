"""Offline data as sufficient statistics: counts and sums of rewards, simulated or read from a log."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from banditlab import checks, regularizer

COLUMNS = ("context", "action", "reward")
"""Columns of a log."""


class Fitted(np.ndarray):
    """A policy (S, K), read-only, that is optimal for an estimate of the rewards; made by `Dataset.optimal`.

    It is an ordinary array of probabilities; what is computed from it is one too. The estimate lets its suboptimality
    be measured where probabilities have lost the digits that tell it from the optimum.

    Attributes
    ----------
    estimate : (S, K) array
        The rewards for which it is optimal.
    """

    estimate: np.ndarray
    dataset: Any  # what it was fitted to, or None

    def __array_finalize__(self, source: Any) -> None:
        self.dataset = None

    def serves(self, problem: Any) -> bool:
        """Whether it was made under the reference, eta and regularizer of this problem."""
        of = self.dataset
        if of is None or (of.eta, of.regularizer, of.alpha) != (problem.eta, problem.regularizer, problem.alpha):
            return False
        return of.reference is problem.reference or np.array_equal(of.reference, problem.reference)


class Dataset(NamedTuple):
    """What a behaviour policy collected, and what is known of the problem; the argument of offline algorithms."""

    counts: np.ndarray  # (S, K) samples of each context and arm
    total: np.ndarray  # (S, K) sums of their rewards
    reference: np.ndarray  # (S, K) pi_ref, positive
    eta: float  # inverse temperature, inf: unregularized
    regularizer: int  # code of `regularizer.CODES`
    alpha: float  # order of the regularizer "alpha"
    sigma: float  # rewards are sigma-subgaussian: 1/2 in [0, 1]
    floor: float  # known lower bound of the mean rewards
    ceiling: float  # known upper bound
    features: np.ndarray  # (S, K, d); d = 0 where rewards have no linear structure
    radius: float  # known bound of the norm of theta*

    @property
    def samples(self) -> int:
        """Number n of samples."""
        return int(self.counts.sum())

    @property
    def regularizer_name(self) -> str:
        """Name of the regularizer, as `banditlab.regularizer` takes it."""
        return next(name for name, code in regularizer.CODES.items() if code == self.regularizer)

    def means(self, unseen: float) -> np.ndarray:
        """(S, K) empirical means; `unseen` where there is no sample."""
        return np.where(self.counts > 0.0, self.total / np.maximum(self.counts, 1.0), unseen)

    def width(self, scale: float, delta: float) -> np.ndarray:
        """(S, K) confidence widths scale sigma sqrt(2 log(2 S K / delta) / N); inf where there is no sample.

        With scale 1 all means of seen pairs are within their widths with probability at least 1 - delta.
        """
        scale = checks.finite("scale", scale, 0.0)
        delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
        level = math.log(2.0 * self.counts.size / delta)
        width = scale * self.sigma * np.sqrt(2.0 * level / np.maximum(self.counts, 1.0))
        return np.where(self.counts > 0.0, width, math.inf)

    def lower(self, scale: float, delta: float) -> np.ndarray:
        """(S, K) lower confidence bounds of the rewards, never below the floor."""
        return np.maximum(self.means(self.floor) - self.width(scale, delta), self.floor)

    def require_regularizer(self, algorithm: str, name: str) -> None:
        """Refuse data of a problem with another regularizer than `name`, in one line."""
        if self.regularizer_name != name:
            raise ValueError(f"regularizer: {algorithm} needs {name!r}, the data have {self.regularizer_name!r}")

    def optimal(self, estimate: np.ndarray) -> Fitted:
        """The policy that is optimal for an estimate (S, K) of the rewards, under regularizer, reference and eta."""
        return optimal(self, estimate)


def optimal(dataset: Any, estimate: np.ndarray) -> Fitted:
    """The policy that is optimal for an estimate (S, K), under a dataset's regularizer, reference and eta."""
    estimate = np.ascontiguousarray(estimate, dtype=np.float64)
    if dataset.regularizer == regularizer.KL and dataset.eta < math.inf:  # in NumPy: compiles nothing
        pi = dataset.reference * np.exp(dataset.eta * (estimate - estimate.max(axis=1, keepdims=True)))
        pi /= pi.sum(axis=1, keepdims=True)
    else:
        pi = np.empty(estimate.shape)
        regularizer.each_policy(dataset.regularizer, dataset.alpha, estimate, dataset.reference, dataset.eta, pi)
    policy = pi.view(Fitted)
    policy.estimate, policy.dataset = estimate, dataset
    policy.flags.writeable = False
    return policy
