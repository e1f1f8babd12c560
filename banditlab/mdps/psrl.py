"""PSRL: posterior sampling of whole models (Osband, Russo and Van Roy 2013, arXiv:1306.0940)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditlab import checks
from banditlab.mdps.backup import soft_backup
from banditlab.mdps.problem import MDP
from banditlab.mdps.ucbvi import known_rewards
from banditlab.rng import beta, gamma, uniform


class PSRL(NamedTuple):
    """State of posterior sampling; build it with `psrl`."""

    reference: np.ndarray  # (H, S, A) pi_ref
    eta: float  # inverse temperature of the backup; inf: the largest action value
    prior: float  # parameter of the Dirichlet prior of every next state
    known: np.ndarray  # (H, S, A) mean rewards where rewards have no noise, else zeros
    random_rewards: bool  # whether rewards are drawn from a posterior
    visits: np.ndarray  # (H, S, A) n
    moves: np.ndarray  # (H, S, A, S) transitions
    rewards: np.ndarray  # (H, S, A) sums of rewards
    q: np.ndarray  # (S, A) workspace: action values of a stage in the model drawn
    value: np.ndarray  # (H + 1, S) values of the model drawn

    def plan(self, k, pi, rng):
        H, S, A = self.visits.shape
        for h in range(H - 1, -1, -1):
            for s in range(S):
                for a in range(A):
                    r = self.known[h, s, a]
                    if self.random_rewards:
                        won = self.rewards[h, s, a]
                        r = beta(rng, 1.0 + won, 1.0 + self.visits[h, s, a] - won)
                    if h == H - 1:
                        self.q[s, a] = r
                        continue
                    mass = 0.0
                    total = 0.0
                    for s2 in range(S):
                        g = gamma(rng, self.prior + self.moves[h, s, a, s2])
                        mass += g
                        total += g * self.value[h + 1, s2]
                    if mass == 0.0:  # all underflowed: a prior near 0 without data, whose law is a corner
                        mass = 1.0
                        total = self.value[h + 1, int(uniform(rng) * S)]
                    self.q[s, a] = r + total / mass
            soft_backup(self.q, self.reference[h], self.eta, pi[h], self.value[h])
        return True

    def update(self, h, s, a, r, s2):
        self.visits[h, s, a] += 1.0
        self.moves[h, s, a, s2] += 1.0
        self.rewards[h, s, a] += r

    def estimate(self, s):
        return self.value[0, s]


def psrl(problem: MDP, rounds: int, *, prior: float | None = None) -> PSRL:
    """PSRL: the optimal policy of a model drawn from the posterior, anew every episode.

    Next states have Dirichlet posteriors, Bernoulli rewards Beta posteriors; rewards without noise are known.

    Parameters
    ----------
    problem : MDP
        Of any kind; features are not used. At finite eta the policy is the regularized one (KL-PSRL).
    rounds : int
        Unused: the rule is anytime.
    prior : float, optional
        Dirichlet parameter > 0 of every next state; 1 / S by default.

    Returns
    -------
    PSRL
        Fresh learner; an episode costs O(H S^2 A) draws of gamma variables.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    Bayesian regret is O~(H sqrt(S A T)), T = K H, where all stages have the same transitions; here each has its own.

    References
    ----------
    Osband, Russo and Van Roy 2013, NeurIPS, arXiv:1306.0940; Osband and Van Roy 2017, arXiv:1607.00215.
    """
    H, S, A = problem.reward.shape
    prior = 1.0 / S if prior is None else checks.finite("prior", prior, 0.0, closed=False)
    return PSRL(
        reference=problem.reference.copy(),
        eta=problem.eta,
        prior=prior,
        known=known_rewards(problem),
        random_rewards=problem.random_rewards,
        visits=np.zeros((H, S, A)),
        moves=np.zeros((H, S, A, S)),
        rewards=np.zeros((H, S, A)),
        q=np.zeros((S, A)),
        value=np.zeros((H + 1, S)),
    )
