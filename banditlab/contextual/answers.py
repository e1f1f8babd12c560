"""Pass@k inference: N answers are drawn from a reference model, at most k of them are submitted (arXiv:2510.03199)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks, protocol, rng
from banditlab.contextual import loop


class Draws(NamedTuple):
    """What a selection rule sees: how often each answer was drawn, and its score; the argument of the rules."""

    counts: np.ndarray  # (K,) draws of each answer
    score: np.ndarray  # (K,) reward model
    submissions: int  # k, the number of answers that may be submitted

    @property
    def samples(self) -> int:
        """Number N of draws."""
        return int(self.counts.sum())

    def best(self, eligible: np.ndarray) -> np.ndarray:
        """At most k answers with the largest scores among the eligible (K,); ties by frequency, then by number."""
        found = np.flatnonzero(eligible)
        order = np.lexsort((found, -self.counts[found], -self.score[found]))
        return found[order[: self.submissions]]


class Answers(NamedTuple):
    """A question with K possible answers; build it with `answers` or `majority_trap`.

    The regret of a set of answers is the largest reward less the largest reward among them.
    """

    reward: np.ndarray  # (K,) true rewards r*
    score: np.ndarray  # (K,) reward model, an estimate of r*
    reference: np.ndarray  # (K,) the model that draws answers, positive
    submissions: int  # k

    @property
    def summary(self) -> str:
        """The instance in a few words, for captions and manifests."""
        return f"pass@k inference, k = {self.submissions}, K = {self.reward.size} answers"

    @property
    def work(self) -> int:
        """Cost of one dataset and its selection, in rounds of a bandit."""
        return 4 * self.reward.size

    @property
    def coverage(self) -> float:
        """C* = 1 / pi_ref(a*), a* the most frequent of the optimal answers."""
        return 1.0 / float(self.reference[self.reward == self.reward.max()].max())

    def offline(self) -> Answers:
        """The problem as an offline study wants it."""
        return self

    def dataset(self, samples: int, seed: int, replication: int) -> Draws:
        """N answers drawn from the reference, as counts; the cost does not depend on N.

        Parameters
        ----------
        samples : int
            N in [0, 10^14].
        seed, replication : int
            They and N seed the random stream.
        """
        counts = np.zeros((1, self.reward.size))
        if samples > 0:
            mean, total = np.zeros(counts.shape), np.zeros(counts.shape)  # rewards that are always 0
            state = rng.stream(seed, rng.DATA, replication, samples)
            noise = protocol.NOISES["bernoulli"]
            loop.draw_counts(samples, np.ones(1), self.reference[None, :], mean, noise, 1.0, state, counts, total)
            counts.flags.writeable = False  # several rules meet it
        return Draws(counts[0], self.score, self.submissions)

    def check_fit(self, submitted: ArrayLike) -> None:
        """Refuse what is no set of at most k answers, in one line."""
        self._numbers(submitted)

    def suboptimality(self, submitted: ArrayLike) -> float:
        """The regret of the answers submitted; with none it is the range of the rewards, as with the worst answer.

        Parameters
        ----------
        submitted : (j,) array_like of int
            Distinct answers, j <= k.

        Raises
        ------
        TypeError, ValueError
            In one line, where it is no such array.
        """
        chosen = self._numbers(submitted)
        return float(self.reward.max() - (self.reward[chosen].max() if chosen.size else self.reward.min()))

    def lower_bound(self, samples: np.ndarray) -> None:
        """None: no lower bound is known for every instance."""

    def lawful(self, samples: np.ndarray) -> np.ndarray:
        """(C,) all: what rules carry as their law is exact."""
        return np.ones(np.shape(samples), bool)

    def crossovers(self, rounds: int) -> dict[str, float]:
        """None: there is no eta."""
        return {}

    def _numbers(self, submitted: ArrayLike) -> np.ndarray:
        chosen = np.asarray(submitted)
        if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
            raise TypeError(f"submitted: expected a vector of numbers of answers, got {_brief(submitted)}")
        if chosen.size > self.submissions:
            raise ValueError(f"submitted: {chosen.size} answers are not allowed, must be at most {self.submissions}")
        wrong = (chosen < 0) | (chosen >= self.reward.size)
        if wrong.any():
            last = self.reward.size - 1
            raise ValueError(f"submitted: answer {chosen[wrong][0]} is not allowed, must be from 0 to {last}")
        if np.unique(chosen).size < chosen.size:
            raise ValueError(f"submitted: {chosen.tolist()} is not allowed, must be distinct answers")
        return chosen.astype(np.int64)


def _brief(value: Any) -> str:
    return f"shape {value.shape} of {value.dtype}" if isinstance(value, np.ndarray) else repr(value)


def answers(reward: ArrayLike, score: ArrayLike, reference: ArrayLike, *, submissions: int = 1) -> Answers:
    """A question with K possible answers, for Pass@k inference.

    Parameters
    ----------
    reward : (K,) array_like
        True rewards r*, finite.
    score : (K,) array_like
        Scores of a reward model, finite.
    reference : (K,) array_like
        Positive probabilities of the answers.
    submissions : int
        k >= 1, the number of answers that may be submitted.

    Returns
    -------
    Answers

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.

    References
    ----------
    Di, Ji, Li, Zhao and Gu, ICLR 2026, arXiv:2510.03199.
    """
    true = checks.vector("reward", reward)
    return Answers(
        reward=true,
        score=checks.vector("score", score, size=true.size),
        reference=checks.distribution("reference", reference, true.size),
        submissions=checks.integer("submissions", submissions, 1),
    )


def majority_trap(*, submissions: int = 1, seed: int = 0) -> Answers:
    """A question on which majority voting and best-of-N fail as N grows, and best-of-majority does not.

    The only correct answer, of reward 1, has mass 0.15 and score 0.9. Three wrong answers have mass 0.2 and a score
    Normal(0.3, 0.1) each, so the majority is wrong; 2000 more share mass 0.25 and have scores Normal(0.5, 0.3), so
    that some of them outscore the correct answer and are drawn in the end. Answers are numbered in this order.

    Parameters
    ----------
    submissions : int
        k >= 1.
    seed : int
        Of the scores, at least 0.

    Returns
    -------
    Answers

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.

    References
    ----------
    Made for this package after Di, Ji, Li, Zhao and Gu, ICLR 2026, arXiv:2510.03199, whose theorems it illustrates.
    """
    own = np.random.default_rng(checks.integer("seed", seed, 0))
    score = np.concatenate([[0.9], own.normal(0.3, 0.1, 3), own.normal(0.5, 0.3, 2000)])
    reward = np.zeros(score.size)
    reward[0] = 1.0
    reference = np.concatenate([[0.15], np.full(3, 0.2), np.full(2000, 0.25 / 2000.0)])
    return answers(reward, score, reference, submissions=submissions)
