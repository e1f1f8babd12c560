"""UCBVI: optimistic value iteration on counts (Azar, Osband and Munos 2017, arXiv:1703.05449)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.jit import jit
from banditlab.mdps.backup import soft_backup
from banditlab.mdps.problem import MDP

BONUSES = {"hoeffding": False, "bernstein": True}
"""Bonuses by name: whether the variance of the next value enters."""


class UCBVI(NamedTuple):
    """State of optimistic value iteration on counts; build it with `ucbvi`."""

    reference: np.ndarray  # (H, S, A) pi_ref
    eta: float  # inverse temperature of the backup; inf: the largest action value
    bernstein: bool  # whether the bonus follows the variance of the next value
    scale: float  # c of the bonus
    delta: float  # of the level L = log(2 S A H (k + 1)^2 / delta)
    known: np.ndarray  # (H, S, A) mean rewards where rewards have no noise, else zeros
    random_rewards: bool  # whether rewards are to be estimated
    visits: np.ndarray  # (H, S, A) n
    moves: np.ndarray  # (H, S, A, S) transitions
    rewards: np.ndarray  # (H, S, A) sums of rewards
    q: np.ndarray  # (S, A) workspace: optimistic action values of a stage
    value: np.ndarray  # (H + 1, S) optimistic values of the last plan

    def plan(self, k, pi, rng):
        H, S, A = self.visits.shape
        level = math.log(2.0 * S * A * H * (k + 1.0) * (k + 1.0) / self.delta)
        for h in range(H - 1, -1, -1):
            for s in range(S):
                for a in range(A):
                    self.q[s, a] = optimistic_value(self, h, s, a, level)
            soft_backup(self.q, self.reference[h], self.eta, pi[h], self.value[h])
        return True

    def update(self, h, s, a, r, s2):
        self.visits[h, s, a] += 1.0
        self.moves[h, s, a, s2] += 1.0
        self.rewards[h, s, a] += r

    def estimate(self, s):
        return self.value[0, s]


@jit
def optimistic_value(learner, h, s, a, level):
    """r_hat + P_hat V_{h+1} + bonus, clipped to [0, H - h]; H - h where (s, a) was not visited at stage h."""
    H, S = learner.value.shape[0] - 1, learner.value.shape[1]
    most = float(H - h)
    n = learner.visits[h, s, a]
    if n == 0.0:
        return most
    mean = 0.0
    for s2 in range(S):
        mean += learner.moves[h, s, a, s2] * learner.value[h + 1, s2] / n
    r = learner.rewards[h, s, a] / n if learner.random_rewards else learner.known[h, s, a]
    if not learner.bernstein:
        return max(min(r + mean + learner.scale * most * math.sqrt(level / n), most), 0.0)
    variance = 0.0
    for s2 in range(S):
        away = learner.value[h + 1, s2] - mean
        variance += learner.moves[h, s, a, s2] * away * away / n
    noise = max(r * (1.0 - r), 0.0) if learner.random_rewards else 0.0
    short = level / 6.0
    bonus = math.sqrt(2.0 * variance * short / n) + math.sqrt(2.0 * noise * short / n) + 3.0 * most * short / n
    return max(min(r + mean + learner.scale * bonus, most), 0.0)


def ucbvi(
    problem: MDP, rounds: int, *, bonus: str = "bernstein", scale: float | None = None, delta: float = 0.05
) -> UCBVI:
    """UCBVI: value iteration on empirical transitions with a bonus for every state, action and stage.

    With n visits, L = log(2 S A H (k + 1)^2 / delta) and R = H - h the bonus is scale R sqrt(L / n), or with the
    empirical variance of the next value, at L' = L / 6, scale (sqrt(2 Var L' / n) + sqrt(2 r (1 - r) L' / n) +
    3 R L' / n). Action values are clipped to [0, R]; a pair without visits has R.

    Parameters
    ----------
    problem : MDP
        Of any kind; features are not used. At finite eta the backup is soft (KL-UCBVI).
    rounds : int
        Unused: the rule is anytime.
    bonus : {"bernstein", "hoeffding"}
        Which of the two.
    scale : float, optional
        Practical width >= 0; by default 0.3 for Bernstein's bonus, 0.2 for Hoeffding's.
    delta : float
        In (0, 1].

    Returns
    -------
    UCBVI
        Fresh learner; an episode costs O(H S^2 A).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    Reconstructed, for transitions that differ between stages. A bonus without the growing level gets stuck.

    References
    ----------
    Azar, Osband and Munos 2017, ICML, arXiv:1703.05449, Algorithms 2 to 4.
    """
    checks.known("bonus", bonus, BONUSES)
    scale = (0.3 if BONUSES[bonus] else 0.2) if scale is None else checks.finite("scale", scale, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    H, S, A = problem.reward.shape
    return UCBVI(
        reference=problem.reference.copy(),
        eta=problem.eta,
        bernstein=BONUSES[bonus],
        scale=scale,
        delta=delta,
        known=known_rewards(problem),
        random_rewards=problem.random_rewards,
        visits=np.zeros((H, S, A)),
        moves=np.zeros((H, S, A, S)),
        rewards=np.zeros((H, S, A)),
        q=np.zeros((S, A)),
        value=np.zeros((H + 1, S)),
    )


def known_rewards(problem: MDP) -> np.ndarray:
    """(H, S, A) the mean rewards where a learner may know them, which is where they have no noise; else zeros."""
    return np.zeros(problem.reward.shape) if problem.random_rewards else problem.reward.copy()
