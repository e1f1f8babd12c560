"""RUCB: relative upper confidence bounds (Zoghi, Whiteson, Munos and de Rijke 2014, arXiv:1312.3393)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.dueling.loop import write_pair
from banditlab.dueling.problem import Dueling
from banditlab.rng import uniform


class RUCB(NamedTuple):
    """State of RUCB; build it with `rucb`."""

    alpha: float  # of the confidence level alpha log t
    wins: np.ndarray  # (K, K) wins[a, b]: comparisons that a won against b
    share: np.ndarray  # (K, K) wins[a, b] / N, with N comparisons of a and b; 2 where N = 0, 1/2 on the diagonal
    width: np.ndarray  # (K, K) 1 / sqrt(N); 0 where N = 0 and on the diagonal
    candidate: np.ndarray  # (K,) 1 for an arm that may beat every other
    champion: np.ndarray  # (1,) the hypothesised best arm, or -1

    def duel(self, t, x, first, second, rng):
        K = first.size
        growth = math.sqrt(self.alpha * math.log(t))
        for a in range(K):
            self.candidate[a] = 1.0
            for b in range(K):
                if self.share[a, b] + growth * self.width[a, b] < 0.5:
                    self.candidate[a] = 0.0
                    break
        known = 0.0
        for a in range(K):
            known += self.candidate[a]
            if self.candidate[a] == 0.0 and self.champion[0] == a:
                self.champion[0] = -1.0
        chosen = -1
        if known == 1.0:
            for a in range(K):
                if self.candidate[a] > 0.0:
                    self.champion[0] = a
            chosen = int(self.champion[0])
        elif known > 1.0 and self.champion[0] >= 0.0 and uniform(rng) < 0.5:
            chosen = int(self.champion[0])
        else:  # uniform over the other candidates; over all arms where there is none
            others = known - 1.0 if known > 0.0 and self.champion[0] >= 0.0 else known if known > 0.0 else float(K)
            left = int(uniform(rng) * others)
            for a in range(K):
                if known > 0.0 and (self.candidate[a] == 0.0 or a == self.champion[0]):
                    continue
                if left == 0:
                    chosen = a
                    break
                left -= 1
        rival = chosen
        best = 0.5  # the bound of the chosen arm against itself
        ties = 0.0
        for b in range(K):
            if b == chosen:
                continue
            u = self.share[b, chosen] + growth * self.width[b, chosen]
            if u > best or (u == best and rival == chosen):
                best = u
                rival = b
                ties = 1.0
            elif u == best:
                ties += 1.0
                if uniform(rng) * ties < 1.0:
                    rival = b
        write_pair(first, second, chosen, rival)
        return True

    def update(self, t, x, a, b, y):
        self.wins[a, b] += y
        self.wins[b, a] += 1.0 - y
        n = self.wins[a, b] + self.wins[b, a]
        self.share[a, b] = self.wins[a, b] / n
        self.share[b, a] = self.wins[b, a] / n
        self.width[a, b] = 1.0 / math.sqrt(n)
        self.width[b, a] = self.width[a, b]


def rucb(problem: Dueling, rounds: int, *, alpha: float = 0.51) -> RUCB:
    """RUCB: an arm that may be the best against the arm most likely to beat it.

    With N comparisons of a and b, of which a won W, the upper bound is W / N + sqrt(alpha log t / N), 2 where N = 0.
    Candidates are the arms whose bounds against all others are at least 1/2; the first arm is the champion, a former
    sole candidate, with probability 1/2, and otherwise a random candidate; the second has the largest bound against it,
    and is the same arm where all bounds are below 1/2.

    Parameters
    ----------
    problem : Dueling
        With one context.
    rounds : int
        Unused: the rule is anytime.
    alpha : float
        Exploration > 1/2; the theorem's constant grows near 1/2.

    Returns
    -------
    RUCB
        Fresh learner; a round costs O(K^2).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range or several contexts.

    Notes
    -----
    Reconstructed. Ties are broken at random. With a Condorcet winner the average regret is O(K^2 + K log T / gap^2).

    References
    ----------
    Zoghi, Whiteson, Munos and de Rijke 2014, ICML, arXiv:1312.3393, Algorithm 1.
    """
    problem.require_one_context("rucb")
    alpha = checks.finite("alpha", alpha, 0.5, closed=False)
    K = problem.reference.shape[1]
    share = np.full((K, K), 2.0)
    np.fill_diagonal(share, 0.5)
    return RUCB(alpha, np.zeros((K, K)), share, np.zeros((K, K)), np.zeros(K), np.full(1, -1.0))
