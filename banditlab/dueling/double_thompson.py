"""Double Thompson sampling for dueling bandits (Wu and Liu 2016, arXiv:1604.07101)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.dueling.loop import largest, write_pair
from banditlab.dueling.problem import Dueling
from banditlab.rng import beta, uniform


class DoubleThompson(NamedTuple):
    """State of double Thompson sampling; build it with `double_thompson`."""

    alpha: float  # of the confidence level alpha log t
    wins: np.ndarray  # (K, K) wins[a, b]: comparisons that a won against b
    chance: np.ndarray  # (K, K) posterior probability that a beats b with probability above 1/2
    mass: np.ndarray  # (K, K) 2^-(m + n) / B(m, n), the parameters m, n of the posterior Beta(m, n) of P(a beats b)
    score: np.ndarray  # (K,) workspace: arms that an arm may beat, then arms that it beats in the draw
    drawn: np.ndarray  # (K,) workspace

    def duel(self, t, x, first, second, rng):
        K = first.size
        level = self.alpha * math.log(t)
        most = -1.0
        for a in range(K):
            self.score[a] = 0.0
            for b in range(K):
                if a == b:
                    continue
                n = self.wins[a, b] + self.wins[b, a]
                if n == 0.0 or self.wins[a, b] / n + math.sqrt(level / n) > 0.5:
                    self.score[a] += 1.0
            most = max(most, self.score[a])
        for a in range(K):  # only arms that may beat the most others are candidates
            self.drawn[a] = 0.0 if self.score[a] == most else -math.inf
        for a in range(K):
            for b in range(a):
                if uniform(rng) < self.chance[a, b]:
                    self.drawn[a] += 1.0
                else:
                    self.drawn[b] += 1.0
        chosen = largest(self.drawn, rng)
        for b in range(K):
            n = self.wins[b, chosen] + self.wins[chosen, b]
            if b == chosen:
                self.drawn[b] = 0.5
            elif n > 0.0 and self.wins[b, chosen] / n - math.sqrt(level / n) > 0.5:
                self.drawn[b] = -math.inf
            else:
                self.drawn[b] = beta(rng, self.wins[b, chosen] + 1.0, self.wins[chosen, b] + 1.0)
        rival = largest(self.drawn, rng)
        write_pair(first, second, chosen, rival)
        return True

    def update(self, t, x, a, b, y):
        m = self.wins[a, b] + 1.0
        n = self.wins[b, a] + 1.0
        mass = self.mass[a, b]  # P(Beta(m + 1, n) > 1/2) - P(Beta(m, n) > 1/2) = mass / m, with n in place of m less
        self.chance[a, b] += y * mass / m - (1.0 - y) * mass / n
        self.chance[b, a] = 1.0 - self.chance[a, b]
        self.mass[a, b] = 0.5 * mass * (m + n) / (m if y > 0.5 else n)
        self.mass[b, a] = self.mass[a, b]
        self.wins[a, b] += y
        self.wins[b, a] += 1.0 - y


def double_thompson(problem: Dueling, rounds: int, *, alpha: float = 0.51) -> DoubleThompson:
    """Double Thompson sampling: both arms from posterior draws, within what confidence bounds allow.

    Candidates for the first arm are those that may beat the most others (upper bounds W / N + sqrt(alpha log t / N)
    above 1/2); of them the one that beats the most arms in a draw of all P(a beats b) ~ Beta(W + 1, L + 1). The second
    has the largest fresh draw of P(b beats first) among the arms whose lower bound against the first is at most 1/2,
    the first itself counting 1/2.

    Parameters
    ----------
    problem : Dueling
        With one context.
    rounds : int
        Unused: the rule is anytime.
    alpha : float
        Exploration > 1/2.

    Returns
    -------
    DoubleThompson
        Fresh learner; a round costs O(K^2).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range or several contexts.

    Notes
    -----
    Reconstructed. The first draw matters only through which of P(a beats b) exceed 1/2; the posterior probabilities of
    that are kept, one pair of them changing a round, which keeps the law and saves the draws of all pairs.

    References
    ----------
    Wu and Liu 2016, NeurIPS, arXiv:1604.07101, Algorithm 1.
    """
    problem.require_one_context("double_thompson")
    alpha = checks.finite("alpha", alpha, 0.5, closed=False)
    K = problem.reference.shape[1]
    wins, half, quarter = np.zeros((K, K)), np.full((K, K), 0.5), np.full((K, K), 0.25)
    return DoubleThompson(alpha, wins, half, quarter, np.zeros(K), np.zeros(K))
