"""Best-of-majority: the best scores among the frequent answers (Di et al. 2026, arXiv:2510.03199)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.contextual.answers import Answers, Draws


def best_of_majority(draws: Draws, *, threshold: float = 0.05) -> np.ndarray:
    """Best-of-majority: the k answers of largest score among those of frequency at least the threshold.

    Parameters
    ----------
    draws : Draws
        Counts and scores of the answers.
    threshold : float
        alpha_0 in (0, 1], below pi_ref(a*) = 1 / C* with slack: 3 / (4 C*) in the theory, a third of 1 / C* in
        practice.

    Returns
    -------
    (j,) int64 array
        Distinct answers, best first, j <= k, and all the frequent ones where they are fewer than k; ties of scores go
        to the more frequent answer, then to the lower number.

    Raises
    ------
    ValueError, TypeError
        In one line, for a threshold out of range.

    Notes
    -----
    The threshold 3 / (4 C*) is reconstructed; the paper's constant was not available.

    References
    ----------
    Di, Ji, Li, Zhao and Gu, ICLR 2026, arXiv:2510.03199.
    """
    threshold = checks.finite("threshold", threshold, 0.0, 1.0, closed=False)
    return draws.best((draws.counts > 0.0) & (draws.counts / max(draws.samples, 1) >= threshold))


def bound(problem: Answers, samples: ArrayLike, *, threshold: float = 0.05) -> np.ndarray:
    r"""Bound (C,) of the expected regret: min(range, eps_opt + sqrt(2 eps_RM^2 / (alpha_0 k)) + range P(bad)).

    Parameters
    ----------
    problem : Answers
        eps_opt is the error of the score at the optimal answer a*, eps_RM^2 the mean of its square under pi_ref.
    samples : (C,) array_like
        N.
    threshold : float
        alpha_0, as in `best_of_majority`; with 3 / (4 C*) the root is sqrt(8 C* eps_RM^2 / (3 k)).

    Returns
    -------
    (C,) array

    Notes
    -----
    Unless a* is infrequent or an answer with pi_ref < alpha_0 / 2 is frequent (the bad event; its probability is
    bounded by the sum of binomial tails, and vanishes for N >> C* log C* where alpha_0 < pi_ref(a*)), a* is submitted,
    at no regret, or k answers outscore it. Each of those errs by at least regret - eps_opt and has
    pi_ref >= alpha_0 / 2, so that k (alpha_0 / 2) (regret - eps_opt)^2 <= eps_RM^2. Reconstructed
    after the paper's theorem, whose constants were not available.

    References
    ----------
    Di, Ji, Li, Zhao and Gu, ICLR 2026, arXiv:2510.03199.
    """
    from scipy import stats  # its import takes longer than that of this package

    threshold = checks.finite("threshold", threshold, 0.0, 1.0, closed=False)
    reward, p = problem.reward, problem.reference
    best = int(np.where(reward == reward.max(), p, 0.0).argmax())
    error = problem.score - reward
    risk = math.fsum(p * error * error)
    good = abs(error[best]) + math.sqrt(2.0 * risk / (threshold * problem.submissions))
    span = reward.max() - reward.min()
    rare = p[p < 0.5 * threshold]
    out = np.empty(np.shape(samples))
    for i, n in enumerate(np.asarray(samples).tolist()):
        least = _least(n, threshold)
        bad = stats.binom.cdf(least - 1, n, p[best]) + stats.binom.sf(least - 1, n, rare).sum()
        out[i] = min(span, good + span * bad)
    return out


def _least(samples: int, threshold: float) -> int:
    """The least count that passes the threshold, as `best_of_majority` rounds."""
    least = max(math.ceil(threshold * samples) - 1, 1)
    return least if least / samples >= threshold else least + 1


best_of_majority.bound = bound  # type: ignore[attr-defined]
