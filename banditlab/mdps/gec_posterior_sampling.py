"""Posterior sampling over a finite class of models, with an optimistic prior (arXiv:2211.01962)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.mdps.planning import backward_induction
from banditlab.mdps.problem import MDP, REALISED
from banditlab.rng import categorical_from_logs

FLOOR = 1e-3
"""Least probability that a model gives to anything: a single surprise does not exclude it for ever."""


class GECPosteriorSampling(NamedTuple):
    """State of posterior sampling over models; build it with `gec_posterior_sampling`."""

    log_transition: np.ndarray  # (H, S, A, S, M) log P_f(s' | s, a), floored
    log_reward: np.ndarray  # (2, H, S, A, M) log probability of rewards 0 and 1, floored
    policy: np.ndarray  # (M, H, S, A) each model's optimal policy
    first: np.ndarray  # (M, S) each model's optimal values of first states
    rate: float  # weight of a log-likelihood
    random_rewards: bool  # whether rewards have a likelihood; those without noise are known from the start
    log_weight: np.ndarray  # (M,) log posterior, not normalised
    work: np.ndarray  # (M,) workspace
    chosen: np.ndarray  # (1,) int64 the model of the last plan

    def plan(self, k, pi, rng):
        m = categorical_from_logs(rng, self.log_weight, self.work)
        if m == self.chosen[0]:
            return False
        self.chosen[0] = m
        H, S, A = pi.shape
        for h in range(H):
            for s in range(S):
                for a in range(A):
                    pi[h, s, a] = self.policy[m, h, s, a]
        return True

    def update(self, h, s, a, r, s2):
        won = 1 if r > 0.5 else 0
        for m in range(self.log_weight.size):
            seen = self.log_transition[h, s, a, s2, m]
            if self.random_rewards:
                seen += self.log_reward[won, h, s, a, m]
            self.log_weight[m] += self.rate * seen

    def estimate(self, s):
        return self.first[self.chosen[0], s]


def gec_posterior_sampling(
    problem: MDP, rounds: int, *, optimism: float = 1.0, rate: float = 0.5
) -> GECPosteriorSampling:
    """The optimal policy of a model drawn with weight exp(optimism V_f + rate log-likelihood of f).

    Parameters
    ----------
    problem : MDP
        With a finite class of models (`instances.lock_class`, `with_models`).
    rounds : int
        Unused: the rule is anytime.
    optimism : float
        Weight >= 0 of a model's own optimal value; 0 with rate 1 is posterior sampling.
    rate : float
        Weight > 0 of the log-likelihood.

    Returns
    -------
    GECPosteriorSampling
        Fresh learner; an episode costs O(M H), with M models.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, or a problem without a class of models.

    Notes
    -----
    Reconstructed. Likelihoods are floored at 1e-3; rewards without noise are known, and models with others excluded.
    Expected regret is O(sqrt(d_GEC H K log M)) with the optimism of the theorem; on a class that is told apart by a few
    episodes it is constant.

    References
    ----------
    Zhong, Xiong, Zheng, Wang, Wang, Yang and Zhang 2022, arXiv:2211.01962, Algorithm 1.
    """
    optimism = checks.finite("optimism", optimism, 0.0)
    rate = checks.finite("rate", rate, 0.0, closed=False)
    M = len(problem.models)
    if M == 0:
        raise ValueError("models: gec_posterior_sampling needs a problem with a finite class of models")
    plans = [
        backward_induction(P, r, problem.reference, problem.eta)
        for P, r in zip(problem.models, problem.model_rewards, strict=True)
    ]
    first = np.array([plan.value[0] for plan in plans])
    log_weight = optimism * (first @ problem.start)
    if not problem.random_rewards:
        log_weight[np.abs(problem.model_rewards - problem.reward).max(axis=(1, 2, 3)) > REALISED] = -math.inf
    win = problem.model_rewards
    return GECPosteriorSampling(
        log_transition=np.ascontiguousarray(np.moveaxis(np.log(np.maximum(problem.models, FLOOR)), 0, -1)),
        log_reward=np.ascontiguousarray(np.moveaxis(np.log(np.maximum(np.stack([1.0 - win, win]), FLOOR)), 1, -1)),
        policy=np.exp(np.array([plan.log_policy for plan in plans])),
        first=first,
        rate=rate,
        random_rewards=problem.random_rewards,
        log_weight=log_weight,
        work=np.zeros(M),
        chosen=np.full(1, -1, dtype=np.int64),
    )
