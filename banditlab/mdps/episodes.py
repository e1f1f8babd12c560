"""Offline episodes as counts, and what is known of the problem; the argument of offline algorithms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab.mdps.planning import backup_rows


class Fit(NamedTuple):
    """Least-squares value iteration on a dataset."""

    policy: np.ndarray  # (H, S, A)
    value: np.ndarray  # (H + 1, S) estimated values, clipped
    q: np.ndarray  # (H, S, A) estimated action values, clipped
    width: np.ndarray  # (H, S, A) what was taken off them


class Episodes(NamedTuple):
    """Transitions that a behaviour policy collected, in two independent halves; made by `MDP.dataset`."""

    moves: np.ndarray  # (2, H, S, A, S) transitions of each half, in [half, h, s, a, s']
    total: np.ndarray  # (2, H, S, A) sums of their rewards
    features: np.ndarray  # (H, S, A, d); d = 0 where there is no linear structure
    reference: np.ndarray  # (H, S, A) pi_ref, zeros allowed
    eta: float  # inverse temperature, inf: unregularized
    start: np.ndarray  # (S,) law of the first state

    @property
    def samples(self) -> int:
        """Number n of episodes."""
        return int(self.moves[:, 0].sum())

    def basis(self) -> np.ndarray:
        """(H, S A, d) features, a row a pair; unit vectors where there is no linear structure."""
        H, S, A, d = self.features.shape
        if d == 0:
            return np.broadcast_to(np.eye(S * A), (H, S * A, S * A))
        return self.features.reshape(H, S * A, d)

    def half(self, which: int) -> Episodes:
        """One of the two halves, 0 or 1, as a dataset; its other half is empty."""
        keep = np.array([1.0, 0.0])
        return self._replace(
            moves=self.moves[which] * keep[:, None, None, None, None],
            total=self.total[which] * keep[:, None, None, None],
        )

    def precision(self, lam: float, weight: np.ndarray | None = None) -> np.ndarray:
        """(H, d, d) lam I + sum w phi phi' over all transitions; w (H, S, A) is 1 by default."""
        counts = self.moves.sum(axis=(0, 4))
        if weight is not None:
            counts = counts * weight
        phi = self.basis()
        H, _, d = phi.shape
        return lam * np.eye(d) + np.einsum("hx,hxi,hxj->hij", counts.reshape(H, -1), phi, phi, optimize=True)

    def regress(
        self, h: int, precision: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None
    ) -> np.ndarray:
        """(S, A) predictions phi' Lambda^{-1} sum w phi y of a regression at stage h.

        Parameters
        ----------
        h : int
            Stage.
        precision : (d, d) array
            Lambda of the stage.
        target : (S, A) array
            Sum of the targets y over the transitions from each pair.
        weight : (S, A) array, optional
            w; 1 by default.
        """
        S, A = target.shape
        phi = self.basis()[h]
        y = target if weight is None else weight * target
        return (phi @ np.linalg.solve(precision, phi.T @ y.reshape(S * A))).reshape(S, A)

    def iterate(self, eta: float, precision: np.ndarray, bonus: np.ndarray, weight: np.ndarray | None = None) -> Fit:
        """Pessimistic least-squares value iteration: Q_h = phi' w_h - beta_h |phi|_{Lambda_h^{-1}}, in [0, H - h].

        w_h is the regression of r + V_{h+1}(s') at stage h, and Q_h is clipped before the backup.

        Parameters
        ----------
        eta : float
            Of the backup, V = log E_ref exp(eta Q) / eta; inf: the lowest of the best actions.
        precision : (H, d, d) array
            Lambda, of `precision` with the same weights.
        bonus : (H,) array
            beta_h >= 0.
        weight : (H, S, A) array, optional
            Weights of the transitions from each pair; 1 by default.
        """
        moves, total = self.moves.sum(axis=0), self.total.sum(axis=0)
        H, S, A = total.shape
        phi = self.basis()
        value, q = np.zeros((H + 1, S)), np.empty((H, S, A))
        policy, width = np.empty((H, S, A)), np.empty((H, S, A))
        for h in range(H - 1, -1, -1):
            target = total[h] + moves[h] @ value[h + 1]
            mean = self.regress(h, precision[h], target, None if weight is None else weight[h])
            squared = (phi[h] * np.linalg.solve(precision[h], phi[h].T).T).sum(axis=1)
            width[h] = bonus[h] * np.sqrt(np.maximum(squared, 0.0)).reshape(S, A)
            q[h] = np.clip(mean - width[h], 0.0, H - h)
            value[h], log_policy = backup_rows(q[h], self.reference[h], eta)
            policy[h] = np.exp(log_policy)
        return Fit(policy, value, q, width)
