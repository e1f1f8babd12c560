"""A contextual bandit with a reference policy: the instance as arrays, its optimum, how it is played and logged.

At context s a policy is worth J_s(pi) = <pi, r(s)> - D_f(pi || pi_ref(. | s)) / eta, and a policy for all contexts the
average of J_s over their law rho. The measure belongs to the problem: the regularizer D_f, eta (inf: unregularized,
argmax policies and plain gaps), and whether a round of regret is the gap averaged over rho or that at the context
drawn. A multi-armed bandit is the case of one context.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks, protocol, regularizer, rng
from banditlab.contextual import loop
from banditlab.contextual.dataset import Dataset, Fitted
from banditlab.contextual.loop import AVERAGED, REALISED
from banditlab.jit import check_verbs, localize
from banditlab.regression import dot
from banditlab.regularizer import kl_gap_from_policy, kl_plug_in_gap, policy_gap, policy_plug_in_gap

if TYPE_CHECKING:
    from banditlab.bandits.problem import Bandit

MEASURES = {"average": AVERAGED, "realised": REALISED}
NOISES = ("bernoulli", "gaussian")

FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "a contextual policy": {"policy": ("t", "x", "pi", "rng"), "update": ("t", "x", "a", "r")},
}
"""The verbs of a contextual learner."""


class Contextual(NamedTuple):
    """A contextual bandit with S contexts and K arms; build it with `tabular`, `linear` or an instance function."""

    mean: np.ndarray  # (S, K) mean rewards r
    reference: np.ndarray  # (S, K) pi_ref, positive
    behaviour: np.ndarray  # (S, K) the policy that collects offline data; zeros allowed
    law: np.ndarray  # (S,) rho, positive
    cumulative: np.ndarray  # (S,) its partial sums
    eta: float  # inverse temperature, inf: unregularized
    regularizer: int  # code of `regularizer.CODES`
    alpha: float  # order of the regularizer "alpha"
    noise: int  # code of the noise model
    spread: float  # Gaussian: standard deviation; Bernoulli: unused
    floor: float  # known lower bound of the mean rewards
    ceiling: float  # known upper bound
    features: np.ndarray  # (S, K, d) of norm at most 1; d = 0 where rewards have no linear structure
    parameter: np.ndarray  # (d,) theta*, r = phi' theta*
    radius: float  # known bound of the norm of theta*
    measure: int  # `loop.AVERAGED` or `loop.REALISED`
    gap: np.ndarray  # (S, K) max r(s, .) - r
    log_optimal: np.ndarray  # (S, K) log pi*
    optimal: np.ndarray  # (S, K) pi*
    value: float  # J(pi*), averaged over contexts

    @property
    def variance(self) -> np.ndarray:
        """(S, K) variances of the rewards."""
        if self.noise == protocol.GAUSSIAN:
            return np.full(self.mean.shape, self.spread * self.spread)
        return self.mean * (1.0 - self.mean)

    @property
    def sigma(self) -> float:
        """Subgaussian parameter that a learner may know: 1/2 for rewards in [0, 1], else the standard deviation."""
        return self.spread if self.noise == protocol.GAUSSIAN else 0.5

    @property
    def burn_in(self) -> int:
        """Rounds before which rates are not read: four for each arm, or for each dimension of a linear problem."""
        return 4 * (self.parameter.size or self.mean.size)

    @property
    def regularizer_name(self) -> str:
        """Name of the regularizer, as `banditlab.regularizer` takes it."""
        return next(name for name, code in regularizer.CODES.items() if code == self.regularizer)

    @property
    def summary(self) -> str:
        """The instance in a few words, for captions and manifests."""
        S, K = self.mean.shape
        kind = f"linear bandit, d = {self.parameter.size}" if self.parameter.size else "contextual bandit"
        name = self.regularizer_name
        penalty = [] if name == "kl" else [f"regularizer {name} {self.alpha:g}" if name == "alpha" else name]
        measure = [] if self.measure == AVERAGED or S == 1 else ["gap at the context drawn"]
        noise = next(name for name, code in protocol.NOISES.items() if code == self.noise)
        return ", ".join([f"{noise} {kind}", f"S = {S}", f"K = {K}", f"eta = {self.eta:g}", *penalty, *measure])

    def lower_bound(self, samples: np.ndarray) -> np.ndarray | None:
        """A lower bound (C,) of every algorithm's mean suboptimality, for a member of `instances.hard_offline`."""
        from banditlab.contextual import bounds

        return bounds.le_cam_of(self, samples)

    def lawful(self, samples: np.ndarray) -> np.ndarray:
        """(C,) sizes from which a law to first order in 1/n is shown: four samples expected of each pair in use."""
        chance = (self.law[:, None] * self.behaviour)[self.optimal > 0.0].min()
        return np.asarray(samples) * chance >= 4.0

    def crossovers(self, samples: int) -> dict[str, float]:
        """The value of eta at which the suboptimality from `samples` samples turns from 1/n to n^{-1/2}."""
        from banditlab.contextual import coverage

        worst = self.law.size * coverage.all_policy(self)
        return {r"$\sqrt{n/(SC)}$": math.sqrt(samples / worst)} if worst < math.inf else {}

    def require_features(self, algorithm: str) -> None:
        """Refuse a problem without linear structure, in one line."""
        if self.parameter.size == 0:
            raise ValueError(f"features: {algorithm} needs a linear problem, this one has no features")

    def require_regularizer(self, algorithm: str, name: str) -> None:
        """Refuse a problem with another regularizer than `name`, in one line."""
        if self.regularizer_name != name:
            raise ValueError(f"regularizer: {algorithm} needs {name!r}, the problem has {self.regularizer_name!r}")

    def require_point_masses(self, algorithm: str) -> None:
        """Refuse a regularizer to which a point mass is infinitely far from the reference, in one line."""
        name = self.regularizer_name
        if self.eta < math.inf and (name == "forward_kl" or (name == "alpha" and self.alpha < 0.0)):
            raise ValueError(f"regularizer: {algorithm} plays point masses, whose gap under {name!r} is infinite")

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
            ``regret`` (exact, cumulative), ``pseudo_regret`` (cumulative plain gaps), and ``gap``, that of the policy
            of the round, averaged over contexts.
        """
        self.check(learner)
        world = rng.stream(seed, rng.ENVIRONMENT, replication)
        own = rng.stream(seed, rng.LEARNER, replication)
        out = np.zeros((3, checkpoints.size))
        S, K = self.mean.shape
        work = np.zeros(K)
        table = np.zeros((S, K))
        status, t = loop.play(self, localize(learner), table, work, checkpoints, world, own, out, control)
        channels = {"regret": out[loop.REGRET], "pseudo_regret": out[loop.PSEUDO_REGRET], "gap": out[loop.GAP]}
        return status, t, channels

    def gap_of(self, x, pi, work):
        """J(pi*) - J(pi) at context x, for compiled code; `work` (K,) is a workspace."""
        if self.eta == math.inf:
            return dot(pi, self.gap[x])
        return kl_gap_from_policy(pi, self.log_optimal[x]) / self.eta

    def plug_in_gap_of(self, x, estimate, work):
        """The gap at context x of the policy that is optimal for an estimate (K,), for compiled code; `work` (2, K)."""
        return kl_plug_in_gap(estimate, self.mean[x], self.reference[x], self.eta, work[0], work[1])

    # What an offline study asks of a problem

    def offline(self) -> Contextual:
        """The problem as an offline study wants it."""
        return self

    @property
    def work(self) -> int:
        """Cost of one dataset and its fit, in rounds of a bandit."""
        return 4 * self.mean.size

    def dataset(self, samples: int, seed: int, replication: int) -> Dataset:
        """Data of n rounds under the behaviour policy, as counts; the cost does not depend on n.

        Parameters
        ----------
        samples : int
            n in [0, 10^14].
        seed, replication : int
            They and n seed the random stream.
        """
        counts, total = np.zeros(self.mean.shape), np.zeros(self.mean.shape)
        if samples == 0:
            return self.described(counts, total)
        state = rng.stream(seed, rng.DATA, replication, samples)
        behaviour, mean = self.behaviour, self.mean
        loop.draw_counts(samples, self.law, behaviour, mean, self.noise, self.spread, state, counts, total)
        counts.flags.writeable = total.flags.writeable = False  # several algorithms meet it
        return self.described(counts, total)

    def described(self, counts: np.ndarray, total: np.ndarray) -> Dataset:
        """A dataset of these counts and sums, (S, K) each, with what a learner may know of this problem."""
        return Dataset(
            counts=counts,
            total=total,
            reference=self.reference,
            eta=self.eta,
            regularizer=self.regularizer,
            alpha=self.alpha,
            sigma=self.sigma,
            floor=self.floor,
            ceiling=self.ceiling,
            features=self.features,
            radius=self.radius,
        )

    def check_fit(self, policy: ArrayLike) -> None:
        """Refuse what is no policy of this problem, as `suboptimality` does; nothing is compiled."""
        checks.policy("policy", policy, self.mean.shape)

    def suboptimality(self, policy: ArrayLike) -> float:
        """J(pi*) - J(pi), exact, averaged over contexts.

        Parameters
        ----------
        policy : (S, K) array_like
            A distribution for each context; one made by `Dataset.optimal` is measured by the estimate behind it, which
            keeps relative accuracy however near it is to the optimum.

        Raises
        ------
        TypeError, ValueError
            In one line, where it is no policy of this problem.
        """
        work, gaps = np.empty((2, self.mean.shape[1])), np.empty(self.law.size)
        if isinstance(policy, Fitted) and policy.serves(self):
            loop.plug_in_gaps(self, policy.estimate, work, gaps)
        else:
            loop.gaps(self, checks.policy("policy", policy, self.mean.shape), work, gaps)
        return math.fsum(self.law * gaps)


class FContextual(Contextual):
    """A contextual bandit under another f-divergence than KL, whose gaps take a solver that KL does without."""

    __slots__ = ()

    def gap_of(self, x, pi, work):
        """As in `Contextual`."""
        return policy_gap(self.regularizer, self.alpha, pi, self.mean[x], self.reference[x], self.eta, work)

    def plug_in_gap_of(self, x, estimate, work):
        """As in `Contextual`."""
        kind = self.regularizer, self.alpha
        return policy_plug_in_gap(*kind, estimate, self.mean[x], self.reference[x], self.eta, work[0], work[1])


@functools.cache
def _form(cls: type) -> str:
    return check_verbs(cls, FORMS)


def tabular(
    mean: ArrayLike,
    *,
    eta: float,
    law: ArrayLike | None = None,
    reference: ArrayLike | None = None,
    behaviour: ArrayLike | None = None,
    regularizer: str = "kl",
    alpha: float | None = None,
    noise: str = "bernoulli",
    spread: float = 1.0,
    floor: float | None = None,
    ceiling: float | None = None,
    measure: str = "average",
) -> Contextual:
    """A contextual bandit from a table of mean rewards.

    Parameters
    ----------
    mean : (S, K) array_like
        Mean rewards, S, K >= 1, in [0, 1] for Bernoulli rewards; a vector is one context.
    eta : float
        Inverse temperature > 0; ``inf`` means unregularized.
    law : (S,) array_like, optional
        Positive probabilities of the contexts; uniform by default.
    reference : (S, K) or (K,) array_like, optional
        Positive probabilities; uniform by default. One row serves all contexts.
    behaviour : (S, K) or (K,) array_like, optional
        The policy that collects offline data, zeros allowed; the reference by default.
    regularizer : {"kl", "forward_kl", "chi2", "alpha", "js", "kl_chi2"}
        See `banditlab.regularizer`.
    alpha : float, optional
        Order of the regularizer ``alpha``.
    noise : {"bernoulli", "gaussian"}
        Law of a reward given its mean.
    spread : float
        Standard deviation > 0 of Gaussian rewards.
    floor, ceiling : float, optional
        Known bounds of the mean rewards: 0 and 1 by default, or the least and largest mean where those lie outside.
    measure : {"average", "realised"}
        What a round adds to the regret: the gap averaged over the law of contexts, at the price of S policies a round,
        or the gap at the context drawn, which has the same expectation and is meant for a stream of contexts from a
        large set. (The channel ``gap`` is averaged at each checkpoint, whichever is chosen.)

    Returns
    -------
    Contextual

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    r = checks.table("mean", mean)
    S, K = r.shape
    empty = np.zeros((S, K, 0)), np.zeros(0), 0.0
    return _problem(
        r, empty, eta, law, reference, behaviour, regularizer, alpha, noise, spread, floor, ceiling, measure
    )


def linear(
    features: ArrayLike,
    parameter: ArrayLike,
    *,
    eta: float,
    radius: float | None = None,
    law: ArrayLike | None = None,
    reference: ArrayLike | None = None,
    behaviour: ArrayLike | None = None,
    regularizer: str = "kl",
    alpha: float | None = None,
    noise: str = "gaussian",
    spread: float = 1.0,
    floor: float | None = None,
    ceiling: float | None = None,
    measure: str = "average",
) -> Contextual:
    """A contextual bandit whose mean rewards are linear in features, r(s, a) = phi(s, a)' theta*.

    Parameters
    ----------
    features : (S, K, d) array_like
        phi, d >= 1, of Euclidean norm at most 1.
    parameter : (d,) array_like
        theta*.
    radius : float, optional
        Known bound of the norm of theta*; that norm by default.
    eta, law, reference, behaviour, regularizer, alpha, noise, spread, floor, ceiling, measure
        As in `tabular`; rewards are Gaussian by default.

    Returns
    -------
    Contextual

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    phi, theta = checks.features("features", features, "parameter", parameter)
    norm = math.sqrt(theta @ theta)
    bound = norm if radius is None else checks.finite("radius", radius, norm * (1.0 - 1e-12))
    return _problem(
        phi @ theta,
        (phi, theta, bound),
        eta,
        law,
        reference,
        behaviour,
        regularizer,
        alpha,
        noise,
        spread,
        floor,
        ceiling,
        measure,
    )


def one_context(problem: Bandit, *, behaviour: ArrayLike | None = None) -> Contextual:
    """A multi-armed bandit as a contextual one with a single context.

    Parameters
    ----------
    problem : Bandit
        With Bernoulli or Gaussian rewards.
    behaviour : (K,) array_like, optional
        The policy that collects offline data; the reference by default.

    Raises
    ------
    ValueError
        In one line, for Beta rewards, whose sums have no law that is drawn at once.
    """
    noise = next(name for name, code in protocol.NOISES.items() if code == problem.noise)
    return tabular(
        problem.mean,
        eta=problem.eta,
        reference=problem.reference,
        behaviour=behaviour,
        noise=noise,
        spread=problem.spread,
        ceiling=problem.ceiling,
    )


def _problem(
    r: np.ndarray,
    structure: tuple[np.ndarray, np.ndarray, float],
    eta: float,
    law: ArrayLike | None,
    reference: ArrayLike | None,
    behaviour: ArrayLike | None,
    name: str,
    alpha: float | None,
    noise: str,
    spread: float,
    floor: float | None,
    ceiling: float | None,
    measure: str,
) -> Contextual:
    """The instance of these rewards, after checking the rest."""
    S, K = r.shape
    checks.known("noise", noise, NOISES)
    checks.known("measure", measure, MEASURES)
    bad = np.argwhere((r < 0.0) | (r > 1.0))
    if noise == "bernoulli" and bad.size:
        s, a = bad[0]
        raise ValueError(f"mean[{s}, {a}]: {r[s, a]:g} is not allowed, Bernoulli rewards need means in [0, 1]")
    eta = checks.number("eta", eta, 0.0, closed=False)
    code, order = regularizer.code_of(name, alpha)
    rho = np.full(S, 1.0 / S) if law is None else checks.distribution("law", law, S)
    cumulative = np.cumsum(rho)
    cumulative[-1] = 1.0
    ref = checks.policy("reference", np.full(K, 1.0 / K) if reference is None else reference, (S, K), positive=True)
    mu = ref.copy() if behaviour is None else checks.policy("behaviour", behaviour, (S, K))
    low = min(0.0, float(r.min())) if floor is None else checks.finite("floor", floor, -math.inf, float(r.min()))
    top = max(1.0, float(r.max())) if ceiling is None else checks.finite("ceiling", ceiling, float(r.max()))
    if eta == math.inf:
        log_optimal = np.where(np.arange(K) == r.argmax(axis=1)[:, None], 0.0, -np.inf)
        values = r.max(axis=1)
    elif name == "kl":  # in NumPy: compiles nothing
        score = np.log(ref) + eta * (r - r.max(axis=1, keepdims=True))
        peak = score.max(axis=1)
        log_z = peak + np.log(np.exp(score - peak[:, None]).sum(axis=1))
        log_optimal, values = score - log_z[:, None], r.max(axis=1) + log_z / eta
    else:
        log_optimal = regularizer.log_policy(name, r, ref, eta, alpha=alpha)
        values = np.atleast_1d(regularizer.value(name, r, ref, eta, alpha=alpha))
    features, parameter, radius = structure
    return (Contextual if name == "kl" else FContextual)(
        mean=r,
        reference=ref,
        behaviour=mu,
        law=rho,
        cumulative=cumulative,
        eta=eta,
        regularizer=code,
        alpha=order,
        noise=protocol.NOISES[noise],
        spread=checks.finite("spread", spread, 0.0, closed=False),
        floor=low,
        ceiling=top,
        features=features,
        parameter=parameter,
        radius=float(radius),
        measure=MEASURES[measure],
        gap=r.max(axis=1, keepdims=True) - r,
        log_optimal=log_optimal,
        optimal=np.exp(log_optimal),
        value=math.fsum(rho * values),
    )
