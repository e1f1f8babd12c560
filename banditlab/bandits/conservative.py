"""Conservative exploration: never far below a baseline (Yang et al. 2022, arXiv:2106.11692)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from banditlab import checks
from banditlab.bandits.as_policy import build, probabilities
from banditlab.bandits.kl_ucb import kl_ucb
from banditlab.bandits.problem import Bandit
from banditlab.confidence import subgaussian
from banditlab.protocol import GAUSSIAN
from banditlab.regularizer import kl


class Conservative(NamedTuple):
    """A learner under a budget; build it with `conservative`."""

    inner: Any  # the learner, a general policy
    eta: float  # inverse temperature
    alpha: float  # share of the baseline's value that may be lost
    known: bool  # whether the value of the baseline is given
    baseline: float  # that value
    sigma: float  # subgaussian parameter of a reward
    level: float  # L of the confidence intervals
    floor: float  # least value of a mean reward, -inf if unknown
    ceiling: float  # largest
    reference: np.ndarray  # (K,) pi_ref, the baseline
    pulls: np.ndarray  # (K,)
    total: np.ndarray  # (K,) summed rewards
    proposal: np.ndarray  # (K,) the learner's policy
    played: np.ndarray  # (K,) the policy in force, where a learner that weighs rewards looks it up
    rounds: np.ndarray  # (1,) rounds played
    baseline_rounds: np.ndarray  # (1,) rounds in which the baseline was played
    certified: np.ndarray  # (1,) lower bound of the summed values of the proposals played

    def policy(self, t, pi, rng):
        self.inner.policy(t, self.proposal, rng)
        low = 0.0  # of the proposal's value
        base_low = 0.0  # of the baseline's
        base_high = 0.0
        for a in range(pi.size):
            lower = self.floor
            upper = self.ceiling
            n = self.pulls[a]
            if n > 0.0:
                mean = self.total[a] / n
                width = subgaussian(n, self.level, self.sigma)
                lower = max(mean - width, lower)
                upper = min(mean + width, upper)
            if self.proposal[a] > 0.0:
                low += self.proposal[a] * lower
            base_low += self.reference[a] * lower
            base_high += self.reference[a] * upper
        if self.eta < math.inf:
            low -= kl(self.proposal, self.reference) / self.eta
        if self.known:
            base_low = self.baseline
            base_high = self.baseline
        self.rounds[0] += 1
        owed = (1.0 - self.alpha) * self.rounds[0] - self.baseline_rounds[0]  # in units of the baseline's value
        safe = self.certified[0] + low >= owed * (base_high if owed > 0.0 else base_low)
        if safe:
            self.certified[0] += low
        else:
            self.baseline_rounds[0] += 1
        for a in range(pi.size):
            pi[a] = self.proposal[a] if safe else self.reference[a]
            self.played[a] = pi[a]

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r
        self.inner.update(t, a, r)


def conservative(
    problem: Bandit,
    rounds: int,
    *,
    algorithm: Callable[..., Any] = kl_ucb,
    alpha: float = 0.1,
    baseline: float | None = None,
    delta: float = 0.01,
) -> Conservative:
    """Conservative exploration for any algorithm: its policy is played only where enough value is certified.

    The baseline is the reference policy, of value b_0 = J(pi_ref) = <pi_ref, r>. Required is sum_{s <= t} J(pi_s) >=
    (1 - alpha) t b_0 in every round t; where the algorithm's proposal is not certified to keep it, the baseline is
    played, and its data update the algorithm as well.

    Parameters
    ----------
    problem : Bandit
        Read are the number of arms, the reference, eta, the noise model with its spread, and the ceiling.
    rounds : int
        T >= 1; enters the level of the confidence intervals.
    algorithm : callable
        Constructor ``(problem, rounds) -> learner`` of this family, an index rule or a general policy; parameters
        are bound by ``functools.partial``.
    alpha : float
        Share in [0, 1] of the baseline's value that may be lost; 1 certifies a nonnegative sum of values only.
    baseline : float, optional
        The value b_0 >= 0 if it is known; by default it is bounded from the data.
    delta : float
        Probability in (0, 1] with which the constraint may fail.

    Returns
    -------
    Conservative
        Fresh learner; its field `baseline_rounds` counts the rounds in which the baseline was played.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, or an `algorithm` that is no constructor of a learner.

    Notes
    -----
    Let L = log(2 K T / delta), b = sigma sqrt(2 L / n) and lcb = max(floor, mean - b), ucb = min(ceiling, mean + b),
    where the floor is 0 for rewards in [0, 1] and absent for Gaussian ones. With probability 1 - delta these intervals
    hold for every arm in every round. Then low_t = <pi_t, lcb> - KL(pi_t || pi_ref) / eta (no KL at eta = inf) is at
    most J(pi_t). With n_0 baseline rounds so far and P the sum of low_s over the proposals played, the values summed
    are at least P + n_0 b_0, so pi_t is safe where

        P + low_t >= ((1 - alpha) t - n_0) b_0 .

    For an unknown b_0 the right side is replaced by its upper bound: with <pi_ref, ucb> while the bracket is positive
    (rounds not yet earned by the baseline), with <pi_ref, lcb> otherwise. A baseline round never breaks the
    constraint, as b_0 >= 0. The unregularized problem has regret of order sqrt(K T) + K / (alpha b_0); here each
    baseline round costs the gap of pi_ref.

    Each call of `policy` counts as a round in which what it writes is played: `delayed` inside keeps the certificate,
    and outside where it has no batches. In baseline rounds `exp3` and `kl_mirror_descent` divide a reward by the
    baseline's probability of its arm. The KL form, its constants and the bounds for an unknown baseline are this
    package's.

    References
    ----------
    Yang, Wu, Zhong, Garcelon, Pirotta, Lazaric, Wang and Du, ICLR 2022, arXiv:2106.11692 (reconstructed).
    Wu, Shariff, Lattimore and Szepesvari, ICML 2016, arXiv:1602.04282 (conservative bandits).
    """
    rounds = checks.integer("rounds", rounds, 1)
    alpha = checks.finite("alpha", alpha, 0.0, 1.0)
    known = baseline is not None
    value = 0.0 if baseline is None else checks.finite("baseline", baseline, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    K = problem.mean.size
    inner = build(problem, rounds, algorithm)
    return Conservative(
        inner=inner,
        eta=float(problem.eta),
        alpha=alpha,
        known=known,
        baseline=value,
        sigma=float(problem.sigma),
        level=math.log(2.0 * K * rounds / delta),
        floor=-math.inf if problem.noise == GAUSSIAN else 0.0,
        ceiling=float(problem.ceiling),
        reference=problem.reference.copy(),
        pulls=np.zeros(K),
        total=np.zeros(K),
        proposal=np.zeros(K),
        played=probabilities(inner, K),
        rounds=np.zeros(1, np.int64),
        baseline_rounds=np.zeros(1, np.int64),
        certified=np.zeros(1),
    )
