"""Offline comparisons as win counts, and what is known of the problem; the argument of offline algorithms."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import preference, rng
from banditlab.contextual import dataset
from banditlab.contextual.dataset import Fitted
from banditlab.jit import jit


class Comparisons(NamedTuple):
    """Win counts of pairs drawn by a behaviour policy; made by `Dueling.dataset`."""

    wins: np.ndarray  # (X, K, K) comparisons of a with b in context x that a won, in [x, a, b]
    reference: np.ndarray  # (X, K) pi_ref, positive
    eta: float  # inverse temperature
    regularizer: int  # code of `regularizer.CODES`
    alpha: float  # order of the regularizer "alpha"
    bradley_terry: bool  # whether preferences come from rewards
    span: float  # known bound R of max r - min r
    features: np.ndarray  # (X, K, d); d = 0 where rewards have no linear structure
    radius: float  # known bound of the norm of theta*

    @property
    def samples(self) -> int:
        """Number of comparisons of different arms."""
        return int(self.wins.sum())

    def estimated(self, lam: float) -> preference.Logistic:
        """The regularized maximum-likelihood fit, with rewards projected into their known range."""
        bound = self.radius if self.features.shape[2] else self.span
        return preference.fitted(self.features, self.wins, lam, bound=bound)

    def rewards(self, fit: preference.Logistic) -> np.ndarray:
        """(X, K) projected estimates of the rewards, up to a constant in each context."""
        return fit.projected.copy() if fit.tabular else self.features @ fit.projected[0]

    def optimal(self, estimate: np.ndarray) -> Fitted:
        """The policy (X, K) that is optimal for an estimate of the rewards, which it remembers."""
        return dataset.optimal(self, estimate)

    def require_rewards(self, algorithm: str) -> None:
        """Refuse comparisons by general preferences, in one line."""
        if not self.bradley_terry:
            raise ValueError(f"preference: {algorithm} needs Bradley-Terry preferences, these come from no rewards")


def require_game(bradley_terry: bool, eta: float, algorithm: str) -> None:
    """Refuse what is no KL-regularized game of general preferences, in one line."""
    if bradley_terry:
        raise ValueError(f"preference: {algorithm} needs general preferences, these are Bradley-Terry's")
    if math.isinf(eta):
        raise ValueError(f"eta: inf is not allowed, {algorithm} solves the KL-regularized game")


@jit
def draw_comparisons(samples, law, behaviour, preferences, state, wins):
    """Win counts of n comparisons, both arms independent draws of the behaviour policy; pairs of one arm tell nothing.

    Multinomials as sequences of binomials of what is left, so that the cost does not depend on n.
    """
    X, K = behaviour.shape
    left = samples
    mass = 1.0
    for x in range(X):
        n = rng.binomial(state, left, min(law[x] / mass, 1.0)) if x < X - 1 else left
        left -= n
        mass -= law[x]
        rest = 1.0
        for a in range(K):
            for b in range(a):
                chance = 2.0 * behaviour[x, a] * behaviour[x, b]
                hits = 0
                if n > 0 and chance > 0.0:
                    hits = rng.binomial(state, n, min(chance / rest, 1.0))
                rest -= chance
                n -= hits
                won = rng.binomial(state, hits, preferences[x, a, b])
                wins[x, a, b] = won
                wins[x, b, a] = hits - won
