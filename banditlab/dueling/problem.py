"""A dueling bandit: arms are compared in pairs, and what is known of them are probabilities of winning.

Preferences come from a Bradley-Terry model, P(a beats b) = sigma(r(a) - r(b)), or are any matrices with P + P' = 1. The
measure belongs to the problem. Under KL regularization it is the gap of the learner's main policy: with rewards
J(pi*) - J(pi) = KL(pi || pi*) / eta as in the contextual family, without rewards the one-sided duality gap
1/2 - min_q V(pi, q) = KL(pi || BR(pi)) / eta of the preference game. Otherwise it is a regret of the two arms compared,
against the Condorcet winner (average, strong or weak), by Borda or Copeland scores, or by rewards.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks, equilibrium, protocol, rng
from banditlab import regularizer as regularizers
from banditlab.contextual.dataset import Fitted
from banditlab.dueling import loop
from banditlab.dueling.comparisons import Comparisons, draw_comparisons
from banditlab.equilibrium import self_play_gap
from banditlab.jit import check_verbs, localize
from banditlab.preference import fitted
from banditlab.regression import dot
from banditlab.regularizer import kl_gap_from_policy, kl_plug_in_gap, policy_gap, policy_plug_in_gap

MEASURES = {
    "kl": loop.KL,
    "average": loop.AVERAGE,
    "strong": loop.STRONG,
    "weak": loop.WEAK,
    "borda": loop.BORDA,
    "copeland": loop.COPELAND,
    "reward": loop.REWARD,
    "first": loop.FIRST,
}
"""What a round of regret may be: the regularized gap of the main policy, or a loss of the arms compared."""

LOCKED = 0.99
"""Share of rounds that compare an arm with itself above which a learner that has not decided is locked in."""

FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "a preference policy": {
        "policy": ("x", "pi"),
        "duel": ("t", "x", "first", "second", "rng"),
        "update": ("t", "x", "a", "b", "y"),
        "refresh": ("t",),
    },
    "a dueling rule": {
        "duel": ("t", "x", "first", "second", "rng"),
        "update": ("t", "x", "a", "b", "y"),
    },
}
"""The verbs of a dueling learner.

``refresh(t)`` is optional: whether the main policy changed before round t; without it, any round may change it.
"""


class Dueling(NamedTuple):
    """A dueling bandit with X contexts and K arms; build it with `bradley_terry`, `preferences` or an instance."""

    preference: np.ndarray  # (X, K, K) P(a beats b)
    reward: np.ndarray  # (X, K) r, zeros where preferences come from no rewards
    bradley_terry: bool  # whether they come from rewards
    reference: np.ndarray  # (X, K) pi_ref, positive
    log_reference: np.ndarray  # (X, K) its logarithm
    behaviour: np.ndarray  # (X, K) the policy from which both arms of offline comparisons are drawn; zeros allowed
    law: np.ndarray  # (X,) rho, positive
    cumulative: np.ndarray  # (X,) its partial sums
    eta: float  # inverse temperature, inf: unregularized
    regularizer: int  # code of `regularizer.CODES`
    alpha: float  # order of the regularizer "alpha"
    span: float  # known bound R of max r - min r
    features: np.ndarray  # (X, K, d) of norm at most 1; d = 0 where rewards have no linear structure
    parameter: np.ndarray  # (d,) theta*, r = phi' theta*
    radius: float  # known bound of the norm of theta*
    measure: int  # `loop.KL` or another code of `MEASURES`
    winner: np.ndarray  # (X,) int64, the Condorcet winner of each context, or -1
    gap: np.ndarray  # (X, K) what an arm loses by the measure
    condorcet_gap: np.ndarray  # (X, K) P(winner beats a) - 1/2; zeros where a context has no Condorcet winner
    borda_gap: np.ndarray  # (X, K) largest Borda score minus that of a
    reward_gap: np.ndarray  # (X, K) max r - r
    log_optimal: np.ndarray  # (X, K) log pi*: Gibbs policy of r, or KL-Nash policy
    optimal: np.ndarray  # (X, K) pi*

    @property
    def burn_in(self) -> int:
        """Rounds before which rates are not read: four for each pair of arms."""
        return 2 * self.reference.shape[1] * (self.reference.shape[1] - 1) + 4

    @property
    def summary(self) -> str:
        """The instance in a few words, for captions and manifests."""
        X, K = self.reference.shape
        kind = "Bradley-Terry duels" if self.bradley_terry else "general preferences"
        dim = [f"d = {self.parameter.size}"] if self.parameter.size else []
        contexts = [f"X = {X}"] if X > 1 else []
        name = next(name for name, code in MEASURES.items() if code == self.measure)
        eta = [f"eta = {self.eta:g}"]
        if self.measure != loop.KL:
            eta = ["regret of the first arm" if self.measure == loop.FIRST else f"{name} regret"]
        ref = self.reference[0]
        masses = []
        if X == 1 and ref.max() > ref.min() * (1.0 + 1e-9):
            best = int(self.reward[0].argmax()) if self.bradley_terry else int(ref.argmin())
            what = "of the best arm" if self.bradley_terry else "at the least"
            masses = [f"reference mass {ref[best]:.3g} {what}"]
        penalty = next(name for name, code in regularizers.CODES.items() if code == self.regularizer)
        order = f" {self.alpha:g}" if penalty == "alpha" else ""
        other = [] if penalty == "kl" else [f"regularizer {penalty}{order}"]
        return ", ".join([kind, *dim, *contexts, f"K = {K}", *eta, *other, *masses])

    @property
    def regret_label(self) -> str:
        """What a round of regret is, for the axis of a figure."""
        what = {
            loop.KL: r"J^{*}-J(\pi_s)" if self.bradley_terry else r"\frac{1}{2}-\min_q V(\pi_s,q)",
            loop.STRONG: r"\max(\Delta_{a_s},\Delta_{b_s})",
            loop.WEAK: r"\min(\Delta_{a_s},\Delta_{b_s})",
            loop.REWARD: r"2r^{*}-r(a_s)-r(b_s)",
            loop.FIRST: r"r^{*}-r(a_s)",
            loop.BORDA: r"\max b-\frac{1}{2}(b(a_s)+b(b_s))",
            loop.COPELAND: r"\max c-\frac{1}{2}(c(a_s)+c(b_s))",
        }.get(self.measure, r"\frac{1}{2}(\Delta_{a_s}+\Delta_{b_s})")
        name = next(name for name, code in MEASURES.items() if code == self.measure)
        kind = "duality gap" if self.measure == loop.KL and not self.bradley_terry else "regret"
        of = "" if self.measure == loop.KL else f"{name} "
        return f"cumulative {of}{kind}\n" rf"$\Sigma_{{s\leq t}}\,{what}$"

    @property
    def gap_label(self) -> str:
        """What the gap of a policy from data is, for the axis of a figure."""
        if self.bradley_terry:
            return "suboptimality\n" r"$J^{*}-J(\hat\pi)$"
        return "duality gap\n" r"$\frac{1}{2}-\min_q V(\hat\pi,q)$"

    def crossovers(self, rounds: int) -> dict[str, float]:
        """None are known."""
        return {}

    def check(self, learner: Any) -> None:
        """Check a learner's verbs, and that it has a main policy where that is measured.

        Raises
        ------
        TypeError
            In one line, naming the verb that is missing or misnamed.
        ValueError
            Where the regularizer is not KL.
        """
        form = _form(type(learner))  # type: ignore[arg-type]
        name = type(learner).__name__
        if self.regularizer != regularizers.KL:
            raise ValueError(f"regularizer: {name} plays online, where it must be 'kl'")
        if self.measure == loop.KL and form != "a preference policy":
            raise TypeError(f"learner {name} has no main policy `policy(x, pi)`, which the measure 'kl' is of")

    @staticmethod
    def failure(status: int) -> str:
        """What a status other than `protocol.DONE` means."""
        return protocol.failure(status)

    def gap_of(self, x, pi, work):
        """The gap of the main policy at context x, for compiled code; `work` (4, K) is a workspace."""
        if self.bradley_terry:
            if self.eta == math.inf:
                return dot(pi, self.reward_gap[x])
            return kl_gap_from_policy(pi, self.log_optimal[x]) / self.eta
        log_pi = work[0]
        for a in range(pi.size):
            log_pi[a] = math.log(pi[a]) if pi[a] > 0.0 else -math.inf
        return self_play_gap(self.preference[x], log_pi, self.log_reference[x], self.eta, work[1], work[2], work[3])

    def plug_in_gap_of(self, x, estimate, work):
        """The gap at context x of the policy that is optimal for an estimate (K,); `work` as in `gap_of`."""
        return kl_plug_in_gap(estimate, self.reward[x], self.reference[x], self.eta, work[0], work[1])

    def require_one_context(self, algorithm: str) -> None:
        """Refuse a problem with several contexts, in one line."""
        if self.law.size > 1:
            raise ValueError(f"contexts: {algorithm} is for one context, the problem has {self.law.size}")

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
            Cumulative: ``regret`` (exact, by the problem's measure), ``queries`` (comparisons asked and told), ``same``
            (rounds in which both arms were the same), ``borda_regret``, and where they are defined
            ``average_regret`` (Condorcet) and ``reward_regret`` (2 max r - r(a) - r(b)). ``locked`` is 1 at the last
            checkpoint where more than 99 % of the rounds compared an arm with itself although the comparisons leave
            two arms that may be the best (`undecided`).
        """
        self.check(learner)
        world = rng.stream(seed, rng.ENVIRONMENT, replication)
        own = rng.stream(seed, rng.LEARNER, replication)
        out = np.zeros((6, checkpoints.size))
        K = self.reference.shape[1]
        first, second, pi = (np.zeros(K) for _ in range(3))
        work = np.zeros((4, K))
        wins = np.zeros(self.preference.shape)
        lazy = hasattr(learner, "refresh")
        status, t = loop.play(
            self, localize(learner), lazy, first, second, pi, work, wins, checkpoints, world, own, out, control
        )
        channels = {"regret": out[loop.REGRET], "queries": out[loop.QUERIES], "same": out[loop.SAME]}
        channels["borda_regret"] = out[loop.BORDA_REGRET]
        if (self.winner >= 0).all():
            channels["average_regret"] = out[loop.AVERAGE_REGRET]
        if self.bradley_terry:
            channels["reward_regret"] = out[loop.REWARD_REGRET]
        channels["locked"] = np.zeros(checkpoints.size)
        if status == protocol.DONE and out[loop.SAME, -1] > LOCKED * checkpoints[-1]:
            channels["locked"][-1] = float(undecided(self, wins).any())
        return status, t, channels

    @staticmethod
    def caution(channels: dict[str, np.ndarray]) -> str | None:
        """What a user should be warned of after replications with these channels, (replications, C) each."""
        locked = int(channels["locked"][:, -1].sum())
        if locked == 0:
            return None
        return (
            f"in {locked} of {len(channels['locked'])} replications over {100.0 * LOCKED:g} % of the rounds compared "
            "an arm with itself while two arms may still be the best: regret may be linear"
        )

    # What an offline study asks of a problem

    def offline(self) -> Dueling:
        """The problem as an offline study wants it.

        Raises
        ------
        ValueError
            Where its measure is a regret of comparisons, which a policy alone has not.
        """
        if self.measure != loop.KL:
            raise ValueError("measure: an offline study needs 'kl', which takes a finite eta")
        return self

    @property
    def work(self) -> int:
        """Cost of one dataset and its fit, in rounds of a bandit: a fit is some ten Newton steps."""
        return 40 * self.preference.size

    def dataset(self, samples: int, seed: int, replication: int) -> Comparisons:
        """Win counts of n comparisons of independent draws of the behaviour policy; the cost does not depend on n.

        Parameters
        ----------
        samples : int
            n in [0, 10^14]; pairs of one arm count and tell nothing.
        seed, replication : int
            They and n seed the random stream.
        """
        wins = np.zeros(self.preference.shape)
        if samples > 0:
            state = rng.stream(seed, rng.DATA, replication, samples)
            draw_comparisons(samples, self.law, self.behaviour, self.preference, state, wins)
        wins.flags.writeable = False  # several algorithms meet it
        return self.described(wins)

    def described(self, wins: np.ndarray) -> Comparisons:
        """A dataset of these win counts (X, K, K), with what a learner may know of this problem."""
        return Comparisons(
            wins=wins,
            reference=self.reference,
            law=self.law,
            eta=self.eta,
            regularizer=self.regularizer,
            alpha=self.alpha,
            bradley_terry=self.bradley_terry,
            span=self.span,
            features=self.features,
            radius=self.radius,
        )

    def check_fit(self, policy: ArrayLike) -> None:
        """Refuse what is no policy of this problem, as `suboptimality` does; nothing is compiled."""
        checks.policy("policy", policy, self.reference.shape)

    def suboptimality(self, policy: ArrayLike) -> float:
        """The exact gap of a policy (X, K), averaged over contexts.

        Raises
        ------
        TypeError, ValueError
            In one line, where it is no policy of this problem.
        """
        X, K = self.reference.shape
        work, gaps = np.empty((4, K)), np.empty(X)
        if self.bradley_terry and isinstance(policy, Fitted) and policy.serves(self):
            for x in range(X):
                gaps[x] = self.plug_in_gap_of(x, policy.estimate[x], work)
        else:
            pi = checks.policy("policy", policy, (X, K))
            for x in range(X):
                gaps[x] = self.gap_of(x, pi[x], work)
        return math.fsum(self.law * gaps)

    def lower_bound(self, samples: np.ndarray) -> None:
        """None is known."""

    def lawful(self, samples: np.ndarray) -> np.ndarray:
        """(C,) sizes from which a law to first order in 1/n is shown: none is known."""
        return np.zeros(np.shape(samples), bool)


class FDueling(Dueling):
    """A Bradley-Terry problem under another f-divergence than KL, for offline studies."""

    __slots__ = ()

    def gap_of(self, x, pi, work):
        """As in `Dueling`."""
        return policy_gap(self.regularizer, self.alpha, pi, self.reward[x], self.reference[x], self.eta, work[0])

    def plug_in_gap_of(self, x, estimate, work):
        """As in `Dueling`."""
        kind = self.regularizer, self.alpha
        return policy_plug_in_gap(*kind, estimate, self.reward[x], self.reference[x], self.eta, work[0], work[1])


def undecided(problem: Dueling, wins: np.ndarray) -> np.ndarray:
    """Contexts in which comparisons leave two arms, neither even with the other, that may both be the best.

    An arm may be the best unless another is shown to beat it with confidence 95 %: without features by Hoeffding's
    interval of the share of its wins, W / N + sqrt(log(20) / (2 N)) < 1/2; with features by Wald's interval, a
    difference of estimated rewards of more than 1.645 |z| in the norm of the inverse Hessian, z that of features.

    Parameters
    ----------
    problem : Dueling
    wins : (X, K, K) array
        Comparisons of a with b in context x that a won, in [x, a, b].

    Returns
    -------
    (X,) bool array
    """
    if problem.features.shape[2]:
        fit = fitted(problem.features, wins, 1.0, bound=problem.radius or math.inf)
        r = problem.features @ fit.projected[0]
        z = problem.features[:, :, None] - problem.features[:, None]
        width = np.sqrt(np.maximum(np.einsum("xabi,ij,xabj->xab", z, fit.covariance[0], z), 0.0))
        beaten = r[:, :, None] - r[:, None] + 1.645 * width < 0.0
    else:
        n = np.maximum(wins + wins.transpose(0, 2, 1), 1e-300)
        beaten = wins / n + np.sqrt(0.5 * math.log(20.0) / n) < 0.5
    possible = ~beaten.any(axis=2)
    both = possible[:, :, None] & possible[:, None]
    return (both & (problem.preference != 0.5)).any(axis=(1, 2))


@functools.cache
def _form(cls: type) -> str:
    return check_verbs(cls, FORMS)


def bradley_terry(
    reward: ArrayLike | None = None,
    *,
    eta: float,
    features: ArrayLike | None = None,
    parameter: ArrayLike | None = None,
    span: float | None = None,
    radius: float | None = None,
    law: ArrayLike | None = None,
    reference: ArrayLike | None = None,
    behaviour: ArrayLike | None = None,
    regularizer: str = "kl",
    alpha: float | None = None,
    measure: str | None = None,
) -> Dueling:
    """A Bradley-Terry problem: arm a beats b with probability sigma(r(a) - r(b)).

    Parameters
    ----------
    reward : (X, K) array_like, optional
        A table of rewards; a vector is one context. Given instead of features and parameter.
    eta : float
        Inverse temperature > 0; ``inf`` means unregularized.
    features : (X, K, d) array_like, optional
        phi of norm at most 1, for rewards phi' theta*.
    parameter : (d,) array_like, optional
        theta*.
    span : float, optional
        Known bound R of max r - min r in every context; its value by default.
    radius : float, optional
        Known bound of the norm of theta*; its value by default.
    law : (X,) array_like, optional
        Positive probabilities of the contexts; uniform by default.
    reference : (X, K) or (K,) array_like, optional
        Positive probabilities; uniform by default.
    behaviour : (X, K) or (K,) array_like, optional
        The policy of which both arms of an offline comparison are independent draws; the reference by default.
    regularizer : {"kl", "forward_kl", "chi2", "alpha", "js", "kl_chi2"}
        See `banditlab.regularizer`; for offline studies, while online learners need ``kl``.
    alpha : float, optional
        Order of the regularizer ``alpha``.
    measure : str, optional
        One of `MEASURES`; by default ``kl``, the regularized gap, and at eta = inf ``reward``, of both arms
        (``first``: of the first arm alone).

    Returns
    -------
    Dueling

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.

    References
    ----------
    Bradley and Terry 1952, Biometrika 39.
    """
    if reward is not None and features is None and parameter is None:
        r = checks.table("reward", reward)
        phi, theta = np.zeros((*r.shape, 0)), np.zeros(0)
    elif reward is None and features is not None and parameter is not None:
        phi, theta = checks.features("features", features, "parameter", parameter)
        r = phi @ theta
    else:
        raise ValueError("reward: give either reward, or features and parameter")
    largest = float((r.max(axis=1) - r.min(axis=1)).max())
    R = largest if span is None else checks.finite("span", span, largest * (1.0 - 1e-12))
    norm = math.sqrt(theta @ theta)
    B = norm if radius is None else checks.finite("radius", radius, norm * (1.0 - 1e-12))
    difference = r[:, :, None] - r[:, None, :]
    P = 0.5 * (1.0 + np.tanh(0.5 * difference))
    kind = regularizer, alpha
    return _problem(P, r, True, eta, R, (phi, theta, B), law, reference, behaviour, measure, kind)


def preferences(
    preference: ArrayLike,
    *,
    eta: float = math.inf,
    law: ArrayLike | None = None,
    reference: ArrayLike | None = None,
    behaviour: ArrayLike | None = None,
    measure: str | None = None,
) -> Dueling:
    """A problem of general preferences, with or without a Condorcet winner.

    Parameters
    ----------
    preference : (X, K, K) or (K, K) array_like
        P(a beats b) in [0, 1], P + P' = 1.
    eta, law, reference, behaviour
        As in `bradley_terry`.
    measure : str, optional
        One of `MEASURES` but ``reward`` and ``first``; ``kl`` by default, at eta = inf ``average``.

    Returns
    -------
    Dueling

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range, a matrix that is not P + P' = 1, or a Condorcet regret where a context
        has no Condorcet winner.
    """
    try:
        P = np.array(preference, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise TypeError(f"preference: expected an (X, K, K) array, got {type(preference).__name__}") from None
    if P.ndim == 2:
        P = P[None].copy()
    if P.ndim != 3 or P.shape[1] != P.shape[2] or P.size < 1:
        raise ValueError(f"preference: expected shape (X, K, K), got {np.shape(preference)}")
    bad = np.argwhere(~((P >= 0.0) & (P <= 1.0)))
    if bad.size:
        x, a, b = bad[0]
        raise ValueError(f"preference[{x}, {a}, {b}]: {P[x, a, b]:g} is not allowed, must be in [0, 1]")
    total = P + P.transpose(0, 2, 1)
    x, a, b = np.unravel_index(np.abs(total - 1.0).argmax(), P.shape)
    if abs(total[x, a, b] - 1.0) > 1e-9:
        raise ValueError(f"preference[{x}, {a}, {b}]: P + P' = {total[x, a, b]:.10g} is not allowed, must be 1")
    P = np.ascontiguousarray(0.5 * (P + 1.0 - P.transpose(0, 2, 1)))
    X, K, _ = P.shape
    empty = np.zeros((X, K, 0)), np.zeros(0), 0.0
    return _problem(P, np.zeros((X, K)), False, eta, 0.0, empty, law, reference, behaviour, measure)


def condorcet_winners(preference: np.ndarray) -> np.ndarray:
    """(X,) the arm that beats every other with probability above 1/2, or -1."""
    K = preference.shape[1]
    wins = (preference > 0.5).sum(axis=2)
    return np.where(wins.max(axis=1) == K - 1, wins.argmax(axis=1), -1).astype(np.int64)


def _problem(
    P: np.ndarray,
    r: np.ndarray,
    rewarded: bool,
    eta: float,
    span: float,
    structure: tuple[np.ndarray, np.ndarray, float],
    law: ArrayLike | None,
    reference: ArrayLike | None,
    behaviour: ArrayLike | None,
    measure: str | None,
    kind: tuple[str, float | None] = ("kl", None),
) -> Dueling:
    """The instance of these preferences, after checking the rest."""
    X, K, _ = P.shape
    eta = checks.number("eta", eta, 0.0, closed=False)
    if measure is None:
        measure = "kl" if eta < math.inf else "reward" if rewarded else "average"
    checks.known("measure", measure, MEASURES)
    if measure == "kl" and eta == math.inf:
        raise ValueError("measure: 'kl' is not allowed at eta = inf, which is unregularized")
    if measure in ("reward", "first") and not rewarded:
        raise ValueError(f"measure: {measure!r} is not allowed, these preferences come from no rewards")
    name, alpha = kind
    code, order = regularizers.code_of(name, alpha)
    rho = np.full(X, 1.0 / X) if law is None else checks.distribution("law", law, X)
    cumulative = np.cumsum(rho)
    cumulative[-1] = 1.0
    ref = checks.policy("reference", np.full(K, 1.0 / K) if reference is None else reference, (X, K), positive=True)
    mu = ref.copy() if behaviour is None else checks.policy("behaviour", behaviour, (X, K))
    winner = condorcet_winners(P)
    if measure in ("average", "strong", "weak") and (winner < 0).any():
        where = f" of context {int((winner < 0).argmax())}" if X > 1 else ""
        raise ValueError(
            f"measure: {measure!r} is not allowed, the preferences{where} have no Condorcet winner; "
            "use 'borda', 'copeland', or 'kl' at finite eta"
        )
    condorcet = np.where(winner[:, None] >= 0, P[np.arange(X), np.maximum(winner, 0)] - 0.5, 0.0)
    borda = (P.sum(axis=2) - 0.5) / max(K - 1, 1)
    beaten = (P > 0.5).sum(axis=2) / max(K - 1, 1)
    gaps = {
        "borda": borda.max(axis=1, keepdims=True) - borda,
        "copeland": beaten.max(axis=1, keepdims=True) - beaten,
        "reward": 2.0 * (r.max(axis=1, keepdims=True) - r),
        "first": r.max(axis=1, keepdims=True) - r,
    }
    if eta == math.inf:
        log_optimal = np.full((X, K), -math.inf)
        if rewarded:
            log_optimal[np.arange(X), r.argmax(axis=1)] = 0.0
        else:
            with np.errstate(divide="ignore"):
                log_optimal = np.log(np.stack([equilibrium.von_neumann_winner(p) for p in P]))
    elif rewarded:
        log_optimal = regularizers.log_policy(name, r, ref, eta, alpha=alpha)
    else:
        log_optimal = np.stack([equilibrium.newton(p, q, eta).log_policy for p, q in zip(P, ref, strict=True)])
    features, parameter, radius = structure
    return (Dueling if name == "kl" else FDueling)(
        preference=P,
        reward=r,
        bradley_terry=rewarded,
        reference=ref,
        log_reference=np.log(ref),
        behaviour=mu,
        law=rho,
        cumulative=cumulative,
        eta=eta,
        regularizer=code,
        alpha=order,
        span=float(span),
        features=features,
        parameter=parameter,
        radius=float(radius),
        measure=MEASURES[measure],
        winner=winner,
        gap=np.ascontiguousarray(gaps.get(measure, condorcet)),
        condorcet_gap=np.ascontiguousarray(condorcet),
        borda_gap=np.ascontiguousarray(gaps["borda"]),
        reward_gap=gaps["first"],
        log_optimal=log_optimal,
        optimal=np.exp(log_optimal),
    )
