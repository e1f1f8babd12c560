"""A zero-sum Markov game with a finite horizon and simultaneous moves: tabular, linear in known features, or a matrix.

Transitions P_h(s' | s, a, b) and mean rewards r_h(s, a, b) in [0, 1], paid by the column player to the row player,
belong to the stages h = 0, ..., H - 1. The measure belongs to the problem: eta (``inf``: unregularized) and the
players' references, for the value

    J(x, y) = E_{x,y} sum_h r_h - KL(x_h || x_ref,h)(s_h) / eta + KL(y_h || y_ref,h)(s_h) / eta,

and what a pair (x, y) loses is its duality gap max_x' J(x', y) - min_y' J(x, y'), which is zero at the equilibrium.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks, protocol, rng
from banditlab.episodic import (
    check_features,
    check_means,
    entry,
    finite_array,
    partial_sums,
    policy_table,
    staged,
    start_law,
    tables,
)
from banditlab.games import loop, planning
from banditlab.games.plays import Plays
from banditlab.jit import check_verbs, localize
from banditlab.mdps.loop import draw_episodes

FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "a Markov game learner": {
        "plan": ("k", "row", "column", "rng"),
        "update": ("h", "s", "a", "b", "r", "s2"),
    },
}
"""The verbs of a learner.

``plan(k, row, column, rng)`` writes the policies of round k, ``row`` (M, H, S, A) and ``column`` (M, H, S, B), or
returns False where they are those of the round before. The pair of entries 0 is measured; played are the pairs (i, j)
in the rows of the learner's field ``matches`` (n, 2), an episode each, or where it has none the measured pair. A
learner with a field ``joint`` (H, S, A B), which it fills too, plays that joint policy instead, one episode a round. A
field ``effort`` (3,) of counts is recorded (see `backup.Arena`).
"""

NOISES = {"bernoulli": protocol.BERNOULLI, "gaussian": protocol.GAUSSIAN, "none": loop.NO_NOISE}
"""Laws of a reward given its mean."""


class JointActions(NamedTuple):
    """The game as an MDP whose actions are the pairs (a, b), numbered a B + b: what draws offline data."""

    start: np.ndarray  # (S,)
    behaviour: np.ndarray  # (H, S, A B)
    transition: np.ndarray  # (H, S, A B, S)
    reward: np.ndarray  # (H, S, A B)
    random_rewards: bool  # whether rewards are Bernoulli draws


class Game(NamedTuple):
    """A zero-sum Markov game; build it with `tabular`, `linear`, `matrix` or an instance."""

    transition: np.ndarray  # (H, S, A, B, S) P_h(s' | s, a, b)
    cumulative: np.ndarray  # (H, S, A, B, S) its partial sums over s'
    reward: np.ndarray  # (H, S, A, B) mean rewards in [0, 1]
    noise: int  # code of `NOISES`
    spread: float  # standard deviation of Gaussian rewards
    start: np.ndarray  # (S,) law of the first state
    start_cumulative: np.ndarray  # (S,) its partial sums
    features: np.ndarray  # (H, S, A, B, d) of norm at most 1; d = 0 where there is no linear structure
    row_reference: np.ndarray  # (H, S, A) x_ref, positive
    column_reference: np.ndarray  # (H, S, B) y_ref, positive
    row_log_reference: np.ndarray  # (H, S, A) its logarithm
    column_log_reference: np.ndarray  # (H, S, B) its logarithm
    behaviour: np.ndarray  # (H, S, A, B) the joint policy that collects offline data
    eta: float  # inverse temperature of both players, inf: unregularized

    @property
    def horizon(self) -> int:
        """H, the number of stages."""
        return self.reward.shape[0]

    @property
    def burn_in(self) -> int:
        """Rounds before which rates are not read: four for each pair of actions, or each dimension, of a stage."""
        return 4 * (self.features.shape[4] or self.reward.shape[2] * self.reward.shape[3])

    @property
    def width_factor(self) -> float:
        """Factor of confidence widths, which are for rewards of spread 1/2 at most, as those in [0, 1] are."""
        return max(1.0, 2.0 * self.spread) if self.noise == protocol.GAUSSIAN else 1.0

    @property
    def summary(self) -> str:
        """The instance in a few words, for captions and manifests."""
        H, S, A, B = self.reward.shape
        d = self.features.shape[4]
        actions = f"{A} x {B} actions"
        noise = {
            protocol.BERNOULLI: [],
            protocol.GAUSSIAN: [f"Gaussian rewards of spread {self.spread:g}"],
            loop.NO_NOISE: ["rewards without noise"],
        }[self.noise]
        linear = [f"d = {d}"] if d else []
        if H == S == 1:
            return ", ".join([f"matrix game, {actions}", *linear, f"eta = {self.eta:g}", *noise])
        kind = f"{'linear' if d else 'tabular'} Markov game"
        return ", ".join([kind, *linear, f"H = {H}", f"S = {S}", actions, f"eta = {self.eta:g}", *noise])

    @property
    def regret_label(self) -> str:
        """What a round of regret is, for the axis of a figure."""
        return "cumulative duality gap\n" r"$\Sigma_{j\leq k}\,\mathrm{max}_x\,J(x,y_j)-\mathrm{min}_y\,J(x_j,y)$"

    @property
    def gap_label(self) -> str:
        """What an offline policy loses, for the axis of a figure."""
        return "duality gap\n" r"$\mathrm{max}_x\,J(x,\hat y)-\mathrm{min}_y\,J(\hat x,y)$"

    @property
    def time_label(self) -> str:
        """What a round is, for the axis of a figure."""
        return "round $k$"

    @property
    def sample_label(self) -> str:
        """What a sample is, for the axis of a figure."""
        return "number of episodes $n$"

    def crossovers(self, rounds: int) -> dict[str, float]:
        """The value of eta at which regret is expected to turn from log K to its growth without regularization."""
        return {r"$\sqrt{K}$": math.sqrt(rounds)}

    def check(self, learner: Any) -> None:
        """Check a learner's verbs and matches.

        Raises
        ------
        TypeError, ValueError
            In one line, naming the verb that is missing or misnamed, or the field.
        """
        _form(type(learner))  # type: ignore[arg-type]
        _matches(learner)
        joint = getattr(learner, "joint", None)
        H, S, A, B = self.reward.shape
        if joint is not None and np.shape(joint) != (H, S, A * B):
            raise ValueError(f"joint: expected shape (H, S, A B) = {(H, S, A * B)}, got {np.shape(joint)}")

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
            Increasing rounds at which is recorded.
        seed, replication : int
            They and the stream's number seed the random streams.
        control : (2,) int64 array
            Entry 0 stops the loop when set; entry 1 receives the rounds done.

        Returns
        -------
        status, round : int
            `protocol.DONE` or why and where the replication ended.
        channels : dict of (C,) arrays
            ``regret`` (the exact duality gap of the measured pair, cumulative) and ``plans``; of learners that count
            them ``solves`` (matrix games), ``restarts`` (warm starts that failed) and ``certificate`` (the largest gap
            that a solver left), all since the first round.
        """
        self.check(learner)
        world = rng.stream(seed, rng.ENVIRONMENT, replication)
        own = rng.stream(seed, rng.LEARNER, replication)
        H, S, A, B = self.reward.shape
        matches = _matches(learner)
        M = 1 + int(matches.max())
        joint = getattr(learner, "joint", np.zeros((0, S, A * B)))
        effort = getattr(learner, "effort", None)
        out = np.zeros((loop.EFFORT + 3, checkpoints.size))
        status, k = loop.play(
            self,
            localize(learner),
            np.zeros((M, H, S, A)),
            np.zeros((M, H, S, B)),
            joint,
            matches,
            np.zeros(3) if effort is None else effort,
            loop.gauge(self.reward.shape),
            checkpoints,
            world,
            own,
            out,
            control,
        )
        channels = {"regret": out[loop.REGRET], "plans": out[loop.PLANS]}
        if effort is not None:
            channels |= dict(zip(("solves", "restarts", "certificate"), out[loop.EFFORT :], strict=True))
        return status, k, channels

    # The exact solution

    def equilibrium(self) -> planning.GamePlan:
        """An equilibrium, its values from every state and the action values, by backward induction."""
        return planning.equilibrium(self.transition, self.reward, self.row_reference, self.column_reference, self.eta)

    @property
    def value(self) -> float:
        """Value of the game, solved when asked for."""
        return math.fsum(self.start * self.equilibrium().value[0])

    # What an offline study asks of a problem

    def offline(self) -> Game:
        """The problem as an offline study wants it."""
        return self

    @property
    def work(self) -> int:
        """Cost of one dataset and its fit, in rounds of a bandit."""
        return 20 * self.transition.size

    def joint_actions(self) -> JointActions:
        """The game as an MDP whose actions are the pairs, played by the behaviour policy."""
        H, S, A, B = self.reward.shape
        return JointActions(
            start=self.start,
            behaviour=self.behaviour.reshape(H, S, A * B),
            transition=self.transition.reshape(H, S, A * B, S),
            reward=self.reward.reshape(H, S, A * B),
            random_rewards=self.noise == protocol.BERNOULLI,
        )

    def dataset(self, samples: int, seed: int, replication: int) -> Plays:
        """Counts of n episodes of the behaviour policy; the cost does not depend on n.

        Parameters
        ----------
        samples : int
            n in [0, 10^14].
        seed, replication : int
            They and n seed the random stream.
        """
        H, S, A, B = self.reward.shape
        samples = checks.integer("samples", samples, 0, 10**14)
        moves, total = np.zeros((H, S, A, B, S)), np.zeros((H, S, A, B))
        if samples > 0:
            state = rng.stream(seed, rng.DATA, replication, samples)
            flat = moves.reshape(H, S, A * B, S), total.reshape(H, S, A * B)
            draw_episodes(samples, self.joint_actions(), state, np.zeros((2, S)), *flat)
            if self.noise == protocol.GAUSSIAN:
                loop.add_noise(state, moves.sum(axis=-1), self.spread, total)
        moves.flags.writeable = total.flags.writeable = False  # several algorithms meet it
        return self.described(moves, total)

    def described(self, moves: np.ndarray, total: np.ndarray) -> Plays:
        """A dataset of these counts and sums, with what a learner may know of this problem."""
        return Plays(
            moves=moves,
            total=total,
            features=self.features,
            row_reference=self.row_reference,
            column_reference=self.column_reference,
            eta=self.eta,
            start=self.start,
            width_factor=self.width_factor,
        )

    def pair(self, policy: Any) -> tuple[np.ndarray, np.ndarray]:
        """A pair of policies (H, S, A), (H, S, B), checked; one row, or table, serves all states, or stages.

        Raises
        ------
        TypeError, ValueError
            In one line, where it is none.
        """
        H, S, A, B = self.reward.shape
        if not isinstance(policy, tuple | list) or len(policy) != 2:
            raise TypeError(f"policy: expected a pair (row, column) of policies, got {type(policy).__name__}")
        return policy_table("row", policy[0], (H, S, A)), policy_table("column", policy[1], (H, S, B))

    def check_fit(self, policy: Any) -> None:
        """Refuse what is no pair of policies of this problem, as `suboptimality` does; nothing is compiled."""
        self.pair(policy)

    def suboptimality(self, policy: Any) -> float:
        """Duality gap of a pair of policies (row, column), exact, as a sum of nonnegative terms.

        Raises
        ------
        TypeError, ValueError
            In one line, where it is no pair of policies of this problem.
        """
        row, column = self.pair(policy)
        status, gap = loop.duality_gap(self, row, column, loop.gauge(self.reward.shape))
        return float(gap) if status == protocol.DONE else math.inf

    def lower_bound(self, samples: np.ndarray) -> None:
        """None is known."""

    def lawful(self, samples: np.ndarray) -> np.ndarray:
        """(C,) sizes from which a law to first order in 1/n is shown: none is known."""
        return np.zeros(np.shape(samples), bool)


@functools.cache
def _form(cls: type) -> str:
    return check_verbs(cls, FORMS)


def _matches(learner: Any) -> np.ndarray:
    """(n, 2) the pairs that a learner plays; by default the measured one."""
    pairs = getattr(learner, "matches", np.zeros((1, 2), dtype=np.int64))
    whole = isinstance(pairs, np.ndarray) and pairs.dtype == np.int64
    if not whole or pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.size < 1 or pairs.min() < 0:
        raise ValueError(f"matches: expected an (n, 2) int64 array of policies' numbers, got {pairs!r}")
    return pairs


def tabular(
    transition: ArrayLike,
    reward: ArrayLike,
    *,
    eta: float,
    horizon: int | None = None,
    start: ArrayLike | int = 0,
    row_reference: ArrayLike | None = None,
    column_reference: ArrayLike | None = None,
    behaviour: ArrayLike | None = None,
    noise: str = "bernoulli",
    spread: float = 0.5,
) -> Game:
    """A zero-sum Markov game from tables of transitions and mean rewards.

    Parameters
    ----------
    transition : (H, S, A, B, S) or (S, A, B, S) array_like
        P_h(s' | s, a, b), rows summing to one; one table serves all stages. The players may have different numbers of
        actions.
    reward : (H, S, A, B) or (S, A, B) array_like
        Mean rewards of the row player, in [0, 1].
    eta : float
        Inverse temperature > 0 of both players; ``inf`` means unregularized.
    horizon : int, optional
        H >= 1, where neither table has a stage axis.
    start : int or (S,) array_like
        The first state, or its law.
    row_reference, column_reference : (H, S, A), (S, A) or (A,) array_like, optional
        Positive policies, uniform by default.
    behaviour : (H, S, A, B), (S, A, B) or (A, B) array_like, optional
        Joint policy of offline data; by default both players follow their references.
    noise : {"bernoulli", "gaussian", "none"}
        Law of a reward given its mean.
    spread : float
        Standard deviation > 0 of Gaussian rewards.

    Returns
    -------
    Game

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range; nothing is compiled.
    """
    P, r = tables(transition, reward, horizon, "AB")
    return _game(P, r, np.zeros((*r.shape, 0)), eta, start, (row_reference, column_reference), behaviour, noise, spread)


def linear(
    features: ArrayLike,
    transition: ArrayLike,
    reward: ArrayLike,
    *,
    eta: float,
    horizon: int | None = None,
    start: ArrayLike | int = 0,
    row_reference: ArrayLike | None = None,
    column_reference: ArrayLike | None = None,
    behaviour: ArrayLike | None = None,
    noise: str = "bernoulli",
    spread: float = 0.5,
) -> Game:
    """A linear Markov game: tables of transitions and mean rewards that known features realise.

    Parameters
    ----------
    features : (H, S, A, B, d) or (S, A, B, d) array_like
        phi, d >= 1, of Euclidean norm at most 1.
    transition, reward, eta, horizon, start, row_reference, column_reference, behaviour, noise, spread
        As in `tabular`.

    Returns
    -------
    Game

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range, or features that do not realise the tables, with the residual.

    References
    ----------
    Xie, Chen, Wang and Yang 2020, COLT, arXiv:2002.07066 (linear Markov games).
    """
    P, r = tables(transition, reward, horizon, "AB")
    phi = staged("features", features, 4, len(r))
    if phi.shape[:4] != r.shape or phi.shape[4] < 1:
        raise ValueError(f"features: expected shape {r.shape} and d >= 1, got {np.shape(features)}")
    check_features(phi, P, r)
    return _game(P, r, phi, eta, start, (row_reference, column_reference), behaviour, noise, spread)


def matrix(
    payoff: ArrayLike,
    *,
    eta: float,
    row_reference: ArrayLike | None = None,
    column_reference: ArrayLike | None = None,
    behaviour: ArrayLike | None = None,
    noise: str = "bernoulli",
    spread: float = 0.5,
) -> Game:
    """A matrix game with bandit feedback: one state, one stage.

    Parameters
    ----------
    payoff : (A, B) array_like
        Mean payoffs of the row player, in [0, 1].
    eta, row_reference, column_reference, behaviour, noise, spread
        As in `tabular`.

    Returns
    -------
    Game

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    A = finite_array("payoff", payoff)
    if A.ndim != 2 or A.size < 1:
        raise ValueError(f"payoff: expected shape (A, B) with A, B >= 1, got {A.shape}")
    check_means("payoff", A, "payoffs must be")
    P = np.ones((1, 1, *A.shape, 1))
    return _game(
        P,
        A[None, None],
        np.zeros((1, 1, *A.shape, 0)),
        eta,
        0,
        (row_reference, column_reference),
        behaviour,
        noise,
        spread,
    )


def _game(
    P: np.ndarray,
    r: np.ndarray,
    phi: np.ndarray,
    eta: float,
    start: ArrayLike | int,
    references: tuple[ArrayLike | None, ArrayLike | None],
    behaviour: ArrayLike | None,
    noise: str,
    spread: float,
) -> Game:
    """The instance of these tables, after checking the rest."""
    H, S, A, B = r.shape
    checks.known("noise", noise, NOISES)
    spread = checks.finite("spread", spread, 0.0, closed=False)
    eta = checks.number("eta", eta, 0.0, closed=False)
    check_means("reward", r, "rewards must be")
    law = start_law(start, S)
    rows, columns = (np.full(n, 1.0 / n) if x is None else x for n, x in zip((A, B), references, strict=True))
    x_ref = policy_table("row_reference", rows, (H, S, A), positive=True)
    y_ref = policy_table("column_reference", columns, (H, S, B), positive=True)
    data = np.einsum("hsa,hsb->hsab", x_ref, y_ref) if behaviour is None else _joint(behaviour, r.shape)
    return Game(
        transition=P,
        cumulative=partial_sums(P),
        reward=r,
        noise=NOISES[noise],
        spread=spread,
        start=law,
        start_cumulative=partial_sums(law),
        features=phi,
        row_reference=x_ref,
        column_reference=y_ref,
        row_log_reference=np.log(x_ref),
        column_log_reference=np.log(y_ref),
        behaviour=np.array(data, order="C"),
        eta=eta,
    )


def _joint(behaviour: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """(H, S, A, B) joint policy, normalised."""
    mu = finite_array("behaviour", behaviour)
    if mu.shape not in (shape, shape[1:], shape[2:]):
        raise ValueError(f"behaviour: expected shape {shape}, {shape[1:]} or {shape[2:]}, got {mu.shape}")
    bad = np.argwhere(mu < 0.0)
    if bad.size:
        raise ValueError(f"{entry('behaviour', bad[0])}: {mu[tuple(bad[0])]:g} is not allowed, must be at least 0")
    total = mu.sum(axis=(-2, -1), keepdims=True)
    worst = float(total.flat[int(np.abs(total - 1.0).argmax())])
    if abs(worst - 1.0) > 1e-9:
        raise ValueError(f"behaviour: sums to {worst:.12g} in some state, must sum to 1")
    return np.broadcast_to(mu / total, shape)
