"""Any bandit algorithm under delayed feedback (Yang, Zhong, Wu, Liu, Wang and Du 2023, arXiv:2302.01477)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from banditlab import checks
from banditlab.bandits.as_policy import build, probabilities
from banditlab.bandits.kl_ucb import kl_ucb
from banditlab.bandits.problem import Bandit
from banditlab.rng import uniform

LAWS = ("constant", "geometric")
"""Laws of the delay."""
RECEIVED, DELAY, BATCH, ROUND = 0, 1, 2, 3
"""Entries of `Delayed.state`."""
_TAIL = 53.0 * math.log(2.0)  # a uniform variable has 53 bits: no draw has a smaller probability
_NONE = -1


class Delayed(NamedTuple):
    """A learner and the feedback on its way to it; build it with `delayed`."""

    inner: Any  # the learner, a general policy
    decay: float  # log P(delay >= 1) of a geometric delay; 0: constant
    longest: int  # the constant delay, or the longest
    ratio: float  # of successive batch ends; 0: no batches
    schedule: np.ndarray  # (2,) ratio^k, and its ceiling: the feedback count that ends the batch, plus one
    state: np.ndarray  # (4,) feedbacks received by the learner; delay of this round; batch; rounds played
    first: np.ndarray  # (longest + 1,) round of arrival, in the ring -> first of its feedbacks, or -1
    final: np.ndarray  # (longest + 1,) the last of them
    after: np.ndarray  # (longest + 1,) feedback, by its round in the ring -> the next one of the same arrival, or -1
    arm: np.ndarray  # (longest + 1,) feedback -> its arm
    batch: np.ndarray  # (longest + 1,) feedback -> the batch in which it was caused
    reward: np.ndarray  # (longest + 1,) feedback -> its reward
    weight: np.ndarray  # (longest + 1,) feedback -> the probability of its arm
    played: np.ndarray  # (K,) where a learner that weighs rewards looks up that probability

    def policy(self, t, pi, rng):
        if self.decay < 0.0:
            self.state[DELAY] = min(int(math.log(1.0 - uniform(rng)) / self.decay), self.longest)
        coming = self.state[RECEIVED] + 1
        if self.ratio > 0.0:
            if coming < self.schedule[1]:
                return  # the policy of the batch stays
            while self.schedule[1] <= coming:
                self.schedule[0] *= self.ratio
                self.schedule[1] = math.ceil(self.schedule[0])
            self.state[BATCH] += 1
        self.inner.policy(coming, pi, rng)

    def update(self, t, a, r):
        size = self.first.size
        self.state[ROUND] += 1  # counted here: a ring that meets the same round twice would have no end
        node = self.state[ROUND] % size
        self.arm[node] = a
        self.reward[node] = r
        self.weight[node] = self.played[a]
        self.batch[node] = self.state[BATCH]
        self.after[node] = _NONE
        arrival = (self.state[ROUND] + self.state[DELAY]) % size
        if self.first[arrival] == _NONE:
            self.first[arrival] = node
        else:
            self.after[self.final[arrival]] = node
        self.final[arrival] = node

        due = self.state[ROUND] % size
        node = self.first[due]
        self.first[due] = _NONE
        while node != _NONE:
            coming = self.state[RECEIVED] + 1
            if self.ratio == 0.0 or (self.batch[node] == self.state[BATCH] and coming < self.schedule[1]):
                b = self.arm[node]
                now = self.played[b]
                self.played[b] = self.weight[node]
                self.inner.update(coming, b, self.reward[node])
                self.played[b] = now
                self.state[RECEIVED] = coming
            node = self.after[node]


def delayed(
    problem: Bandit,
    rounds: int,
    *,
    algorithm: Callable[..., Any] = kl_ucb,
    delay: float = 100.0,
    law: str = "constant",
    batches: float | None = None,
) -> Delayed:
    """Delayed feedback for any algorithm: the reward of round s is seen before round s + 1 + delay.

    By default the algorithm goes on with whatever has arrived (the queue). With `batches` it is run through the
    multi-batch reduction: the policy of a batch is frozen until the required number of feedbacks caused by the batch
    itself has arrived; those that arrive after their batch ended are discarded.

    Parameters
    ----------
    problem : Bandit
        Instance with K arms; read by `algorithm`.
    rounds : int
        T >= 1; delays beyond T are cut to T, when the run is over.
    algorithm : callable
        Constructor ``(problem, rounds) -> learner`` of this family, an index rule or a general policy; parameters
        are bound by ``functools.partial``.
    delay : float
        The delay in rounds, >= 0: an integer if constant, the mean if geometric; 0 is the algorithm itself.
    law : {"constant", "geometric"}
        Law of the delay. Geometric delays are independent, P(delay = k) = p (1 - p)^k with p = 1 / (1 + mean), drawn
        from the learner's own stream by inversion of a uniform variable of 53 bits, which cuts the tail at a
        probability of 2^-53.
    batches : float, optional
        Ratio rho > 1 of successive batch ends: batch m ends with the feedback number ceil(rho^m) - 1 that is kept.

    Returns
    -------
    Delayed
        Fresh learner. Memory is of the order of the longest delay, time per feedback constant.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, or an `algorithm` that is no constructor of a learner.

    Notes
    -----
    Feedbacks that arrive together are reported in the order in which they were caused. The algorithm's own clock
    counts the feedbacks it has received, so that its levels, batches and exploration run on data that it has seen.
    `exp3` and `kl_mirror_descent` divide a reward by the probability that its arm had in the round it comes from.

    With a constant delay d the policy of round t rests on t - 1 - d feedbacks, so that the regret grows by
    d gap_1 + o(d), gap_1 being the gap of the policy without data; the slope in log T stays. The multi-batch form
    multiplies the slope by (rho - 1) / log rho, as `kl_batched` does, which is the case of `kl_greedy` without delay.
    The reduction is reconstructed from the paper's abstract; its constants are not the paper's.

    References
    ----------
    Yang, Zhong, Wu, Liu, Wang and Du, NeurIPS 2023, arXiv:2302.01477 (multi-batched algorithms, reconstructed).
    """
    rounds = checks.integer("rounds", rounds, 1)
    checks.known("law", law, LAWS)
    if law == "constant":
        longest = min(checks.integer("delay", delay, 0), rounds)
        decay = 0.0
    else:
        delay = checks.finite("delay", delay, 0.0)
        decay = math.log(delay / (1.0 + delay)) if delay > 0.0 else 0.0
        longest = int(min(_TAIL / -decay, rounds)) if decay < 0.0 else 0
    ratio = 0.0 if batches is None else checks.finite("batches", batches, 1.0, closed=False)
    size = longest + 1
    inner = build(problem, rounds, algorithm)
    return Delayed(
        inner=inner,
        decay=decay,
        longest=longest,
        ratio=ratio,
        schedule=np.ones(2),
        state=np.array([0, longest, 0, 0], np.int64),
        first=np.full(size, _NONE, np.int64),
        final=np.full(size, _NONE, np.int64),
        after=np.full(size, _NONE, np.int64),
        arm=np.zeros(size, np.int64),
        batch=np.zeros(size, np.int64),
        reward=np.zeros(size),
        weight=np.zeros(size),
        played=probabilities(inner, problem.mean.size),
    )
