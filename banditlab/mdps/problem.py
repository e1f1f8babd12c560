"""An episodic MDP with a finite horizon: tabular, or linear in known features.

Transitions P_h(s' | s, a) and mean rewards r_h(s, a) belong to the stages h = 0, ..., H - 1. In a linear MDP both are
linear in known features, P_h(s' | s, a) = phi_h(s, a)' mu_h(s') and r_h = phi_h' theta_h. The measure belongs to the
problem: eta (``inf``: unregularized) and the reference policy, for the value

    J(pi) = E_pi sum_h r_h(s_h, a_h) - KL(pi_h || pi_ref,h)(s_h) / eta.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks, protocol, rng
from banditlab.episodic import (
    REALISED,
    check_features,
    check_laws,
    check_means,
    finite_array,
    partial_sums,
    policy_table,
    staged,
    start_law,
    tables,
)
from banditlab.jit import check_verbs, has_verb, localize
from banditlab.mdps import loop
from banditlab.mdps.episodes import Episodes
from banditlab.mdps.planning import backward_induction

FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "an episodic learner": {
        "plan": ("k", "pi", "rng"),
        "update": ("h", "s", "a", "r", "s2"),
        "estimate": ("s",),
    },
}
"""The verbs of a learner.

``plan(k, pi, rng)`` writes the policy (H, S, A) of episode k, or returns False where it is that of the episode before.
``estimate(s)`` is optional: the learner's estimate of the value of a first state under the plan it wrote last.
"""

NOISES = {"bernoulli": True, "none": False}
"""Whether a reward is a Bernoulli draw of its mean, or its mean."""


class MDP(NamedTuple):
    """An episodic MDP with H stages, S states and A actions; build it with `tabular`, `linear` or an instance."""

    transition: np.ndarray  # (H, S, A, S) P_h(s' | s, a)
    cumulative: np.ndarray  # (H, S, A, S) its partial sums over s'
    reward: np.ndarray  # (H, S, A) mean rewards
    random_rewards: bool  # Bernoulli draws of them, in [0, 1]; else the means themselves, which learners may know
    start: np.ndarray  # (S,) law of the first state
    start_cumulative: np.ndarray  # (S,) its partial sums
    features: np.ndarray  # (H, S, A, d) of norm at most 1; d = 0 where there is no linear structure
    reference: np.ndarray  # (H, S, A) pi_ref, zeros allowed
    behaviour: np.ndarray  # (H, S, A) the policy that collects offline data
    eta: float  # inverse temperature, inf: unregularized
    models: np.ndarray  # (M, H, S, A, S) a finite class of transitions that holds the truth; M = 0: none
    model_rewards: np.ndarray  # (M, H, S, A) their mean rewards
    optimal: np.ndarray  # (H, S, A) pi*
    log_optimal: np.ndarray  # (H, S, A) its logarithm
    advantage: np.ndarray  # (H, S, A) V*_h(s) - Q*_h(s, a) >= 0 at eta = inf, inf off pi_ref; zeros at finite eta
    optimal_value: np.ndarray  # (H + 1, S) V*
    value: float  # J(pi*)

    @property
    def horizon(self) -> int:
        """H, the number of stages."""
        return self.reward.shape[0]

    @property
    def burn_in(self) -> int:
        """Episodes before which rates are not read: four for each action, or each dimension, of a stage."""
        return 4 * (self.features.shape[3] or self.reward.shape[2])

    @property
    def summary(self) -> str:
        """The instance in a few words, for captions and manifests."""
        H, S, A = self.reward.shape
        d = self.features.shape[3]
        kind = f"linear MDP, d = {d}" if d else "tabular MDP"
        rewards = [] if self.random_rewards else ["rewards without noise"]
        return ", ".join([kind, f"H = {H}", f"S = {S}", f"A = {A}", f"eta = {self.eta:g}", *rewards])

    @property
    def regret_label(self) -> str:
        """What an episode of regret is, for the axis of a figure."""
        return "cumulative regret\n" r"$\Sigma_{j\leq k}\,J^{*}-J(\pi_j)$"

    @property
    def time_label(self) -> str:
        """What a round is, for the axis of a figure."""
        return "episode $k$"

    @property
    def sample_label(self) -> str:
        """What a sample is, for the axis of a figure."""
        return "number of episodes $n$"

    def crossovers(self, rounds: int) -> dict[str, float]:
        """The value of eta at which regret is expected to turn from log K to its growth without regularization."""
        return {r"$\sqrt{K}$": math.sqrt(rounds)}

    def check(self, learner: Any) -> None:
        """Check a learner's verbs.

        Raises
        ------
        TypeError
            In one line, naming the verb that is missing or misnamed.
        """
        _form(type(learner))  # type: ignore[arg-type]

    @staticmethod
    def failure(status: int) -> str:
        """What a status other than `protocol.DONE` means."""
        return protocol.failure(status)

    def play(
        self, learner: Any, checkpoints: np.ndarray, seed: int, replication: int, control: np.ndarray
    ) -> tuple[int, int, dict[str, np.ndarray]]:
        """Play one replication.

        Parameters
        ----------
        learner : NamedTuple
            Fresh learner with the verbs of `FORMS`.
        checkpoints : (C,) int64 array
            Increasing episodes at which is recorded.
        seed, replication : int
            They and the stream's number seed the random streams.
        control : (2,) int64 array
            Entry 0 stops the loop when set; entry 1 receives the episodes done.

        Returns
        -------
        status, episode : int
            `protocol.DONE` or why and where the replication ended.
        channels : dict of (C,) arrays
            ``regret`` (exact, cumulative), ``plans`` (cumulative) and, of learners that estimate their value,
            ``optimism``, the share of episodes so far in which the estimate was at least J(pi*).
        """
        self.check(learner)
        world = rng.stream(seed, rng.ENVIRONMENT, replication)
        own = rng.stream(seed, rng.LEARNER, replication)
        out = np.zeros((3, checkpoints.size))
        pi = np.zeros(self.reward.shape)
        occupied, following = np.zeros(self.start.size), np.zeros(self.start.size)
        status, k = loop.play(self, localize(learner), pi, occupied, following, checkpoints, world, own, out, control)
        channels = {"regret": out[loop.REGRET], "plans": out[loop.PLANS]}
        if has_verb(type(learner), "estimate"):
            channels["optimism"] = out[loop.OPTIMISM]
        return status, k, channels

    # What an offline study asks of a problem

    def offline(self) -> MDP:
        """The problem as an offline study wants it."""
        return self

    @property
    def work(self) -> int:
        """Cost of one dataset and its fit, in rounds of a bandit."""
        return 2 * self.transition.size

    def dataset(self, samples: int, seed: int, replication: int) -> Episodes:
        """Counts of n episodes of the behaviour policy, in two independent halves; the cost does not depend on n.

        Parameters
        ----------
        samples : int
            n in [0, 10^14].
        seed, replication : int
            They and n seed the random stream.
        """
        H, S, A = self.reward.shape
        moves, total = np.zeros((2, H, S, A, S)), np.zeros((2, H, S, A))
        if samples > 0:
            state = rng.stream(seed, rng.DATA, replication, samples)
            here = np.zeros((2, S))
            for half, n in enumerate((samples - samples // 2, samples // 2)):
                loop.draw_episodes(n, self, state, here, moves[half], total[half])
        moves.flags.writeable = total.flags.writeable = False  # several algorithms meet it
        return self.described(moves, total)

    def described(self, moves: np.ndarray, total: np.ndarray) -> Episodes:
        """A dataset of these counts and sums, with what a learner may know of this problem."""
        return Episodes(
            moves=moves,
            total=total,
            features=self.features,
            reference=self.reference,
            eta=self.eta,
            start=self.start,
        )

    def check_fit(self, policy: ArrayLike) -> None:
        """Refuse what is no policy of this problem, as `suboptimality` does; nothing is compiled."""
        policy_table("policy", policy, self.reward.shape)

    def suboptimality(self, policy: ArrayLike) -> float:
        """J(pi*) - J(pi) of a policy (H, S, A), exact, as a sum of nonnegative terms.

        Raises
        ------
        TypeError, ValueError
            In one line, where it is no policy of this problem.
        """
        pi = policy_table("policy", policy, self.reward.shape)
        status, gap = loop.policy_gap(self, pi, np.zeros(self.start.size), np.zeros(self.start.size))
        return float(gap) if status == protocol.DONE else math.inf

    def lower_bound(self, samples: np.ndarray) -> None:
        """None is known."""

    def lawful(self, samples: np.ndarray) -> np.ndarray:
        """(C,) sizes from which a law to first order in 1/n is shown: none is known."""
        return np.zeros(np.shape(samples), bool)


@functools.cache
def _form(cls: type) -> str:
    return check_verbs(cls, FORMS)


def tabular(
    transition: ArrayLike,
    reward: ArrayLike,
    *,
    eta: float,
    horizon: int | None = None,
    start: ArrayLike | int = 0,
    reference: ArrayLike | None = None,
    behaviour: ArrayLike | None = None,
    noise: str = "bernoulli",
) -> MDP:
    """An episodic MDP from tables of transitions and mean rewards.

    Parameters
    ----------
    transition : (H, S, A, S) or (S, A, S) array_like
        P_h(s' | s, a), rows summing to one; one table serves all stages.
    reward : (H, S, A) or (S, A) array_like
        Mean rewards, in [0, 1] for Bernoulli rewards.
    eta : float
        Inverse temperature > 0; ``inf`` means unregularized.
    horizon : int, optional
        H >= 1, where neither table has a stage axis.
    start : int or (S,) array_like
        The first state, or its law.
    reference, behaviour : (H, S, A), (S, A) or (A,) array_like, optional
        Policies; the reference is uniform by default, the behaviour (of offline data) the reference. A policy that
        may take an action of reference probability zero has value -inf, at eta = inf too.
    noise : {"bernoulli", "none"}
        Law of a reward given its mean. Rewards without noise may be known to learners.

    Returns
    -------
    MDP

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    P, r = tables(transition, reward, horizon)
    H, S, A = r.shape
    return _problem(P, r, np.zeros((H, S, A, 0)), eta, start, reference, behaviour, noise)


def linear(
    features: ArrayLike,
    transition: ArrayLike,
    reward: ArrayLike,
    *,
    eta: float,
    horizon: int | None = None,
    start: ArrayLike | int = 0,
    reference: ArrayLike | None = None,
    behaviour: ArrayLike | None = None,
    noise: str = "bernoulli",
) -> MDP:
    """A linear MDP: tables of transitions and mean rewards that known features realise.

    Parameters
    ----------
    features : (H, S, A, d) or (S, A, d) array_like
        phi, d >= 1, of Euclidean norm at most 1.
    transition, reward, eta, horizon, start, reference, behaviour, noise
        As in `tabular`.

    Returns
    -------
    MDP

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range, or features that do not realise the tables, with the residual.

    References
    ----------
    Jin, Yang, Wang and Jordan 2020, COLT, arXiv:1907.05388, Assumption A.
    """
    P, r = tables(transition, reward, horizon)
    H, S, A = r.shape
    phi = staged("features", features, 3, H)
    if phi.shape[:3] != (H, S, A) or phi.shape[3] < 1:
        raise ValueError(f"features: expected shape {(H, S, A)} and d >= 1, got {np.shape(features)}")
    check_features(phi, P, r)
    return _problem(P, r, phi, eta, start, reference, behaviour, noise)


def with_models(problem: MDP, transitions: ArrayLike, rewards: ArrayLike) -> MDP:
    """The same problem, known to be one of M models.

    Parameters
    ----------
    problem : MDP
    transitions : (M, H, S, A, S) array_like
    rewards : (M, H, S, A) array_like
        Mean rewards, in [0, 1] where the problem's are Bernoulli.

    Raises
    ------
    ValueError, TypeError
        In one line, where a model is none or none of them is the problem.
    """
    P, r = finite_array("transitions", transitions), finite_array("rewards", rewards)
    M = P.shape[0] if P.ndim else 0
    wanted = (M, *problem.transition.shape)
    if M < 1 or P.shape != wanted or r.shape != wanted[:-1]:
        raise ValueError(
            f"transitions: expected shape (M, H, S, A, S) = {('M', *wanted[1:])} and rewards (M, H, S, A), M >= 1, "
            f"got {P.shape} and {r.shape}".replace("'", "")
        )
    check_laws("transitions", P)
    if problem.random_rewards:
        check_means("rewards", r)
    P /= P.sum(axis=-1, keepdims=True)
    distance = np.abs(P - problem.transition).max(axis=(1, 2, 3, 4)) + np.abs(r - problem.reward).max(axis=(1, 2, 3))
    if distance.min() > REALISED:
        raise ValueError(f"transitions: the nearest model is {distance.min():.3g} away, one must be the problem's own")
    return problem._replace(models=P, model_rewards=r)


def _problem(
    P: np.ndarray,
    r: np.ndarray,
    phi: np.ndarray,
    eta: float,
    start: ArrayLike | int,
    reference: ArrayLike | None,
    behaviour: ArrayLike | None,
    noise: str,
) -> MDP:
    """The instance of these tables, after checking the rest."""
    H, S, A = r.shape
    checks.known("noise", noise, NOISES)
    eta = checks.number("eta", eta, 0.0, closed=False)
    if NOISES[noise]:
        check_means("reward", r)
    law = start_law(start, S)
    ref = policy_table("reference", np.full(A, 1.0 / A) if reference is None else reference, (H, S, A))
    mu = ref.copy() if behaviour is None else policy_table("behaviour", behaviour, (H, S, A))
    value, q, log_optimal = backward_induction(P, r, ref, eta)
    lost = np.where(ref > 0.0, np.maximum(value[:H, :, None] - q, 0.0), math.inf)
    return MDP(
        transition=P,
        cumulative=partial_sums(P),
        reward=r,
        random_rewards=NOISES[noise],
        start=law,
        start_cumulative=partial_sums(law),
        features=phi,
        reference=ref,
        behaviour=mu,
        eta=eta,
        models=np.zeros((0, H, S, A, S)),
        model_rewards=np.zeros((0, H, S, A)),
        optimal=np.exp(log_optimal),
        log_optimal=log_optimal,
        advantage=lost if eta == math.inf else np.zeros((H, S, A)),
        optimal_value=value,
        value=math.fsum(law * value[0]),
    )
