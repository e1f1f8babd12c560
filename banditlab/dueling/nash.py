"""Nash learning from general preferences online: what its schemes share.

The main policy of a context is the KL-Nash policy of the preferences estimated there, refitted on the schedule of
`preference.next_fit`; the schemes differ in the rival that the second arm is drawn from.

References
----------
Ye, Xiong, Zhang, Jiang and Zhang 2024, arXiv:2402.07314 (main agent and enhancer, widths of preferences); Wu, Shi, Yang
and Shen 2025, arXiv:2510.24700 (greedy sampling). Reconstructed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab.dueling.comparisons import require_game
from banditlab.dueling.problem import Dueling
from banditlab.equilibrium import Solver, mix, saddle, solver
from banditlab.jit import jit_apart
from banditlab.preference import next_fit

GREEDY, MIXED, ENHANCER = 0, 1, 2
"""Whom the main policy is compared with: itself, the reference, or the enhancer."""

SHARPEST = 1e6
"""The enhancer's tilt is at most this multiple of eta."""


@jit_apart
def estimate(wins, scale, payoff, width):
    """Write A_hat and b, both (K, K), from the win counts (K, K) of a context.

    With N comparisons of a and b of which a won W, A_hat = (W + 1/2) / (N + 1) - 1/2, which is antisymmetric, and
    b = scale / sqrt(N) + 1 / (2 (N + 1)), at most 1/2 + |A_hat| and zero for a = b. The second term is what smoothing
    may cost, and no entry of A = P - 1/2 is above 1/2 in size.
    """
    for a in range(wins.shape[0]):
        payoff[a, a] = 0.0
        width[a, a] = 0.0
        for b in range(a):
            n = wins[a, b] + wins[b, a]
            payoff[a, b] = (wins[a, b] + 0.5) / (n + 1.0) - 0.5
            payoff[b, a] = -payoff[a, b]
            width[a, b] = 0.5 + abs(payoff[a, b])
            if n > 0.0:
                width[a, b] = min(width[a, b], scale / math.sqrt(n) + 0.5 / (n + 1.0))
            width[b, a] = width[a, b]


@jit_apart
def enhance(log_policy, uncertainty, eta, log_rival):
    """Write the log of the q of largest q'u among KL(q || pi) <= eta q'u; u (K,) is not negative.

    It is pi exp(s u) / Z at the largest such s: KL(q || pi) - eta q'u falls in s up to eta and rises from there. Found
    by bisection in log s, up to s = `SHARPEST` eta.
    """
    low = 0.0
    high = math.log(SHARPEST)
    trial = high
    for i in range(51):
        mix(log_policy, 0.0, log_policy, eta * math.exp(trial), uncertainty, log_rival)
        excess = 0.0
        for a in range(log_rival.size):
            if log_rival[a] > -math.inf:
                excess += math.exp(log_rival[a]) * (log_rival[a] - log_policy[a] - eta * uncertainty[a])
        if excess <= 0.0:
            low = trial
        else:
            high = trial
        trial = 0.5 * (low + high) if i < 49 else low


class NashLearner(NamedTuple):
    """State of online Nash learning; build it with `nash_greedy`, `nash_mixed` or `nash_enhancer`."""

    scheme: int  # `GREEDY`, `MIXED` or `ENHANCER`
    eta: float  # inverse temperature
    scale: float  # factor of the width 1 / sqrt(N)
    reference: np.ndarray  # (X, K) pi_ref
    log_reference: np.ndarray  # (X, K) its logarithm
    wins: np.ndarray  # (X, K, K) comparisons of a with b in context x that a won, in [x, a, b]
    seen: np.ndarray  # (X,) int64 comparisons
    due: np.ndarray  # (X,) int64 comparisons at which the next fit is due
    changed: np.ndarray  # (1,) 1 where a main policy changed since `refresh` last looked
    main: np.ndarray  # (X, K) main policy
    log_main: np.ndarray  # (X, K) its logarithm
    rival: np.ndarray  # (X, K) the enhancer's policy
    payoff: np.ndarray  # (K, K) workspace: A_hat
    width: np.ndarray  # (K, K) workspace: b
    uncertainty: np.ndarray  # (K,) workspace: b' pi
    log_rival: np.ndarray  # (K,) workspace
    work: Solver

    def policy(self, x, pi):
        for a in range(pi.size):
            pi[a] = self.main[x, a]

    def refresh(self, t):
        changed = self.changed[0] > 0.0
        self.changed[0] = 0.0
        return changed

    def duel(self, t, x, first, second, rng):
        for a in range(first.size):
            first[a] = self.main[x, a]
            if self.scheme == GREEDY:
                second[a] = self.main[x, a]
            elif self.scheme == MIXED:
                second[a] = self.reference[x, a]
            else:
                second[a] = self.rival[x, a]
        return True

    def update(self, t, x, a, b, y):
        self.wins[x, a, b] += y
        self.wins[x, b, a] += 1.0 - y
        self.seen[x] += 1
        if self.seen[x] < self.due[x]:
            return
        self.due[x] = next_fit(self.seen[x])
        self.changed[0] = 1.0
        main = self.main[x]
        log_main = self.log_main[x]
        log_reference = self.log_reference[x]
        log_policy = self.work.log_policy
        estimate(self.wins[x], self.scale, self.payoff, self.width)
        for i in range(main.size):
            log_policy[0, i] = log_main[i]
            log_policy[1, i] = log_main[i]
        warm = self.seen[x] > 1
        solved = saddle(self.payoff, log_reference, log_reference, self.eta, self.eta, self.work, warm)
        for i in range(main.size):
            log_main[i] = log_policy[0, i] if solved else math.nan
            main[i] = math.exp(log_main[i])
        if self.scheme == ENHANCER:
            for j in range(main.size):
                self.uncertainty[j] = 0.0
                for i in range(main.size):
                    self.uncertainty[j] += main[i] * self.width[i, j]
            enhance(log_main, self.uncertainty, self.eta, self.log_rival)
            for i in range(main.size):
                self.rival[x, i] = math.exp(self.log_rival[i])


def nash_learner(problem: Dueling, algorithm: str, scheme: int, scale: float = 1.0) -> NashLearner:
    """A learner without comparisons, whose policies are the reference.

    Parameters
    ----------
    problem : Dueling
        General preferences at finite eta; read are reference and eta.
    algorithm : str
        Who asks, for messages.
    scheme : int
        `GREEDY`, `MIXED` or `ENHANCER`.
    scale : float
        Factor of the width 1 / sqrt(N).

    Raises
    ------
    ValueError
        In one line, for Bradley-Terry preferences or eta = inf.
    """
    X, K = problem.reference.shape
    require_game(problem.bradley_terry, problem.eta, algorithm)
    reference = problem.reference.copy()
    return NashLearner(
        scheme=scheme,
        eta=problem.eta,
        scale=scale,
        reference=reference,
        log_reference=np.log(reference),
        wins=np.zeros((X, K, K)),
        seen=np.zeros(X, dtype=np.int64),
        due=np.ones(X, dtype=np.int64),
        changed=np.zeros(1),
        main=reference.copy(),
        log_main=np.log(reference),
        rival=reference.copy(),
        payoff=np.zeros((K, K)),
        width=np.zeros((K, K)),
        uncertainty=np.zeros(K),
        log_rival=np.zeros(K),
        work=solver(K, K),
    )
