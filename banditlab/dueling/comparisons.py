"""Offline comparisons as win counts, and what is known of the problem; the argument of offline algorithms."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks, confidence, preference, rng
from banditlab.contextual import dataset
from banditlab.contextual.dataset import Fitted
from banditlab.jit import jit


class Comparisons(NamedTuple):
    """Win counts of pairs drawn by a behaviour policy; made by `Dueling.dataset`."""

    wins: np.ndarray  # (X, K, K) comparisons of a with b in context x that a won, in [x, a, b]
    reference: np.ndarray  # (X, K) pi_ref, positive
    law: np.ndarray  # (X,) rho, positive
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

    def confident(self, lam: float, delta: float | None) -> tuple[np.ndarray, np.ndarray, float]:
        """Estimated rewards, and an ellipsoid of the error of the parameters theta from which they come.

        Without delta the practical one: rewards projected into their known range, the inverse Hessian, radius 1. With
        delta that of a theorem: with probability at least 1 - delta, |theta - theta*|_V is at most the radius, V =
        (lam / kappa) I + sum z z' over all blocks, for the estimate that is not projected. kappa is the least slope of
        the logistic function on the known range of the rewards, and the radius that of `confidence.logistic_ellipsoid`
        with the least slope on the range of the estimates where that is wider.

        Parameters
        ----------
        lam : float
            Ridge > 0 of the fit.
        delta : float, optional
            Failure probability in (0, 1], of all contexts together.

        Returns
        -------
        rewards : (X, K) array
            Up to a constant in each context.
        inverse : (X, d, d) array
            The matrix of widths at each context, H^-1 or V^-1, with d = K in tables.
        radius : float
        """
        lam = checks.finite("lam", lam, 0.0, closed=False)
        X, K = self.reference.shape
        if delta is None:
            fit = self.estimated(lam)
            return self.rewards(fit), np.broadcast_to(fit.covariance, (X, *fit.covariance.shape[1:])), 1.0
        delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
        initial = lam / confidence.logistic_slope(self.span)
        fit = preference.fitted(self.features, self.wins, lam, initial=initial)
        rewards = self.rewards(fit)
        slope = confidence.logistic_slope(max(self.span, float(np.ptp(rewards, axis=1).max())))
        norm = 0.5 * self.span * math.sqrt(X * K) if fit.tabular else self.radius
        radius = confidence.logistic_ellipsoid(float(fit.gain.sum()), initial, slope, lam, delta, norm)
        return rewards, np.broadcast_to(fit.inverse, (X, *fit.inverse.shape[1:])), radius

    def parameter_features(self) -> np.ndarray:
        """(X, K, d) the features phi of rewards phi' theta; in tables a unit vector an arm, d = K."""
        if self.features.shape[2]:
            return self.features
        X, K = self.reference.shape
        return np.broadcast_to(np.eye(K), (X, K, K))

    def relative_features(self) -> np.ndarray:
        """(X, K, d) phi(x, a) - nu(x), nu(x) the mean feature under the reference."""
        phi = self.parameter_features()
        return phi - np.einsum("xa,xai->xi", self.reference, phi)[:, None]

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
