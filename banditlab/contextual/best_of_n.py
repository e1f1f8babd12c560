"""Best-of-N: the answers of largest score among N drawn; its law, divergence and win rate in closed form."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.contextual.answers import Answers, Draws


def best_of_n(draws: Draws) -> np.ndarray:
    """Best-of-N: the k answers of largest score among those drawn.

    Parameters
    ----------
    draws : Draws
        Counts and scores of the answers.

    Returns
    -------
    (j,) int64 array
        Distinct answers, best first, j <= k; ties of scores go to the more frequent answer, then to the lower number.

    References
    ----------
    Di, Ji, Li, Zhao and Gu, ICLR 2026, arXiv:2510.03199, for its failure as N grows.
    """
    return draws.best(draws.counts > 0.0)


def pmf(score: ArrayLike, reference: ArrayLike, samples: int) -> np.ndarray:
    """Law (K,) of the one draw of largest score among N, ties broken among the draws at random.

    With F the distribution function of the score of a draw, a class of answers of score v has probability
    F(v)^N - F(v-)^N, shared in proportion to the reference; the relative error is of the order of rounding.

    Parameters
    ----------
    score : (K,) array_like
        Finite.
    reference : (K,) array_like
        Positive probabilities.
    samples : int
        N >= 1.

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    values = checks.vector("score", score)
    p = checks.distribution("reference", reference, values.size)
    n = checks.integer("samples", samples, 1)
    label, mass, below, above = _classes(values, p)
    log_f = np.where(above < 0.5, np.log1p(-np.minimum(above, 0.5)), np.log(below + mass))
    with np.errstate(divide="ignore"):
        drop = np.log1p(-np.minimum(mass / (below + mass), 1.0))  # log F(v-) / F(v)
    chance = -np.exp(n * log_f) * np.expm1(n * drop)
    return chance[label] * (p / mass[label])


def _classes(score: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Classes of equal scores, ascending: the class of each answer; of each class its mass, those below and above."""
    label = np.unique(score, return_inverse=True)[1]
    mass = np.bincount(label, weights=p)
    below = np.concatenate([[0.0], np.cumsum(mass)[:-1]])
    above = np.concatenate([np.cumsum(mass[::-1])[::-1][1:], [0.0]])
    return label, mass, below, above


def divergence(score: ArrayLike, reference: ArrayLike, samples: int) -> float:
    """KL(best-of-N || reference), exact; at most `divergence_bound`, and strictly below it for finitely many answers.

    Parameters are those of `pmf`.
    """
    chosen = pmf(score, reference, samples)
    p = checks.distribution("reference", reference, chosen.size)
    kept = chosen > 0.0
    return math.fsum(chosen[kept] * np.log(chosen[kept] / p[kept]))


def divergence_bound(samples: int) -> float:
    """log N - (N - 1) / N, the KL divergence of best-of-N from the reference where no score has an atom."""
    n = checks.integer("samples", samples, 1)
    return math.log(n) - (n - 1.0) / n


def win_rate(score: ArrayLike, reference: ArrayLike, samples: int) -> float:
    """Probability that best-of-N scores above a fresh draw, ties counting half; N / (N + 1) without atoms.

    Parameters are those of `pmf`.
    """
    chosen = pmf(score, reference, samples)
    values = checks.vector("score", score)
    label, mass, below, _ = _classes(values, checks.distribution("reference", reference, values.size))
    return math.fsum(chosen * (below + 0.5 * mass)[label])


def law(problem: Answers, samples: ArrayLike) -> np.ndarray:
    """Expected regret (C,) of `best_of_n`, exact.

    NaN where more than one answer may be submitted, and where answers of equal score differ in reward, which the
    frequency then decides.
    """
    label = np.unique(problem.score, return_inverse=True)[1]
    low, high = np.full(label.max() + 1, math.inf), np.full(label.max() + 1, -math.inf)
    np.minimum.at(low, label, problem.reward)
    np.maximum.at(high, label, problem.reward)
    if problem.submissions > 1 or (low < high).any():
        return np.full(np.shape(samples), math.nan)
    loss = problem.reward.max() - problem.reward
    return np.array([math.fsum(pmf(problem.score, problem.reference, n) * loss) for n in np.asarray(samples)])


best_of_n.law = law  # type: ignore[attr-defined]
