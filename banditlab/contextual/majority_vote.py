"""Majority voting: the most frequent answers among N drawn."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.contextual.answers import Draws


def majority_vote(draws: Draws) -> np.ndarray:
    """Majority voting: the k most frequent answers, whatever their scores.

    Parameters
    ----------
    draws : Draws
        Counts and scores of the answers.

    Returns
    -------
    (j,) int64 array
        Distinct answers that were drawn, most frequent first, j <= k; ties go to the lower number.

    References
    ----------
    Di, Ji, Li, Zhao and Gu, ICLR 2026, arXiv:2510.03199, for its failure where the majority is wrong.
    """
    drawn = np.flatnonzero(draws.counts > 0.0)
    order = np.lexsort((drawn, -draws.counts[drawn]))
    return drawn[order[: draws.submissions]]


def pmf(reference: ArrayLike, samples: int) -> np.ndarray:
    """Law (K,) of the most frequent answer among N draws, ties to the lower number: `majority_vote` with k = 1.

    Answer a wins with m votes where those of lower number have at most m - 1, those of higher number at most m. Counts
    are independent Poisson variables given their sum, so the probability is a coefficient of a product of truncated
    Poisson series. The cost is of the order of K N^3: meant for K N^3 up to about 10^9.

    Parameters
    ----------
    reference : (K,) array_like
        Positive probabilities.
    samples : int
        N >= 1.

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    p = checks.vector("reference", reference)
    p = checks.distribution("reference", p, p.size)
    n = checks.integer("samples", samples, 1)
    votes = np.arange(n + 1)
    log_factorial = np.array([math.lgamma(j + 1.0) for j in votes])
    series = np.exp(votes * np.log(n * p)[:, None] - n * p[:, None] - log_factorial)  # (K, N + 1) Poisson(N p)
    whole = math.exp(log_factorial[n] + n - n * math.log(n))  # 1 / P(Poisson(N) = N)
    chance = np.zeros(p.size)
    for m in range(1, n + 1):
        after = [np.eye(1, n + 1)[0]]  # products of the series of higher numbers
        for row in series[:0:-1]:
            after.append(np.convolve(after[-1], row[: m + 1])[: n + 1])
        before = after[0]
        for a in range(p.size):
            rest = n - m
            ways = before[: rest + 1] @ after[p.size - 1 - a][rest::-1]
            chance[a] += whole * series[a, m] * ways
            before = np.convolve(before, series[a, :m])[: n + 1]
    return chance
