"""Explore, then commit to the Gibbs policy on the means found (Garivier et al. 2016, arXiv:1605.08988)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.bandits.problem import Bandit


class KLExploreThenCommit(NamedTuple):
    """State of explore-then-commit; build it with `kl_explore_then_commit`."""

    exploration: int  # rounds of exploration
    in_turn: bool  # explore by pulling the arms in turn (eta = inf)
    estimate: np.ndarray  # (K,) the indices in force: 0, then the means found
    pulls: np.ndarray  # (K,)
    total: np.ndarray  # (K,) summed rewards

    def index(self, a, t):
        return -self.pulls[a] if self.in_turn and t <= self.exploration else self.estimate[a]

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r

    def refresh(self, t):
        if t != self.exploration + 1:
            return False
        for a in range(self.pulls.size):
            if self.pulls[a] > 0.0:
                self.estimate[a] = self.total[a] / self.pulls[a]
        return True


def kl_explore_then_commit(problem: Bandit, rounds: int, *, exploration: int | None = None) -> KLExploreThenCommit:
    """Explore-then-commit: the reference policy, then for ever the Gibbs policy on the means found.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms; its inverse temperature and noise model are read.
    rounds : int
        Horizon T >= 1, which tunes `exploration`.
    exploration : int, optional
        Rounds n >= 0 of exploration. By default n = sqrt((K - 1) T max(1, eta / 8)), at most K^{1/3} T^{2/3}
        and T, with T replaced by 4 sigma^2 T for Gaussian rewards.

    Returns
    -------
    KLExploreThenCommit
        Fresh learner.

    Raises
    ------
    ValueError, TypeError
        In one line, for `exploration` out of range.

    Notes
    -----
    With a uniform reference n rounds of exploration and the commitment cost about

        n gap(pi_ref) + (T - n) K eta V / (2 n),    V = sum_a sigma_a^2 pi*_a (1 - pi*_a),

    and the best n, sqrt(T K eta V / (2 gap(pi_ref))), costs sqrt(2 K gap(pi_ref) T eta V): of the order
    sqrt(T) however small eta is. The default does not know the instance and puts the worst cases V <= (1 -
    1/K) / 4 and gap(pi_ref) <= min(eta / 8, 1) in this n; the cap is the classical T^{2/3}, where eta is so
    large that the second-order law does not hold at that n. Exploration draws from the reference policy
    instead of pulling arms in turn, except at eta = inf, where policies are point masses. An arm not seen in
    exploration keeps index 0.

    References
    ----------
    Garivier, Kaufmann and Lattimore 2016, "On explore-then-commit strategies", arXiv:1605.08988 (eta = inf).
    """
    K = problem.mean.size
    if exploration is None:
        scaled = 4.0 * problem.sigma * problem.sigma * rounds
        classical = (K * scaled * scaled) ** (1.0 / 3.0)
        tuned = math.sqrt((K - 1) * scaled * max(1.0, min(problem.eta / 8.0, scaled)))
        exploration = min(math.ceil(min(tuned, classical)), rounds)
    n = checks.integer("exploration", exploration, 0)
    return KLExploreThenCommit(n, bool(problem.eta == math.inf), np.zeros(K), np.zeros(K), np.zeros(K))
