"""A multi-armed bandit with a reference policy: the instance as arrays, its optimum, and how it is played.

The measure belongs to the problem. Finite eta: J(pi) = <pi, r> - KL(pi || pi_ref) / eta, maximised by
pi*(a) = pi_ref(a) exp(eta r(a)) / Z with J* = log(Z) / eta, and J* - J(pi) = KL(pi || pi*) / eta. eta = inf means
unregularized: argmax policies and plain gaps.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks, protocol, rng
from banditlab.bandits import loop
from banditlab.gibbs import gibbs_state
from banditlab.jit import check_verbs, localize

FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "an index rule": {"index": ("a", "t"), "update": ("t", "a", "r"), "refresh": ("t",)},
    "a general policy": {"policy": ("t", "pi", "rng"), "update": ("t", "a", "r")},
}
"""The verbs of a bandit learner; ``refresh`` is optional."""


class Bandit(NamedTuple):
    """A K-armed bandit; build it with `bandit` or an instance function."""

    mean: np.ndarray  # (K,) mean rewards r
    reference: np.ndarray  # (K,) pi_ref, positive
    eta: float  # inverse temperature, inf: unregularized
    noise: int  # code of the noise model
    spread: float  # Gaussian: standard deviation; Beta: a + b; Bernoulli: unused
    ceiling: float  # known upper bound of the mean rewards
    gap: np.ndarray  # (K,) max r - r
    log_optimal: np.ndarray  # (K,) log pi*
    optimal: np.ndarray  # (K,) pi*
    value: float  # J(pi*)

    @property
    def variance(self) -> np.ndarray:
        """(K,) variances of the rewards."""
        if self.noise == protocol.GAUSSIAN:
            return np.full(self.mean.size, self.spread * self.spread)
        bernoulli = self.mean * (1.0 - self.mean)
        return bernoulli / (1.0 + self.spread) if self.noise == protocol.BETA else bernoulli

    @property
    def sigma(self) -> float:
        """Subgaussian parameter that a learner may know: 1/2 for rewards in [0, 1], else the standard deviation."""
        return self.spread if self.noise == protocol.GAUSSIAN else 0.5

    @property
    def burn_in(self) -> int:
        """Rounds before which rates are not read: four pulls an arm."""
        return 4 * self.mean.size

    @property
    def summary(self) -> str:
        """The instance in a few words, for captions and manifests."""
        name = next(name for name, code in protocol.NOISES.items() if code == self.noise)
        return f"{name} bandit, K = {self.mean.size}, eta = {self.eta:g}"

    def crossovers(self, rounds: int) -> dict[str, float]:
        """Named values of eta at which regret over `rounds` rounds turns from order eta K log T to sqrt(K T)."""
        from banditlab.bandits import bounds

        K = self.mean.size
        if rounds < K:
            return {}
        level = math.log(2.0 * K * rounds / 0.01)  # of kl_ucb with its default delta
        return {
            r"$\sqrt{T/K}$": float(bounds.crossover_sharp(K, rounds)),
            r"$\eta_c(K, T)$": float(bounds.crossover_bound(K, rounds, level)),
        }

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
            Increasing rounds at which the cumulative regret is recorded.
        seed, replication : int
            They and the stream's number seed the random streams.
        control : (2,) int64 array
            Entry 0 stops the loop when set; entry 1 receives the rounds done.

        Returns
        -------
        status, round : int
            `protocol.DONE` or why and where the replication ended.
        channels : dict of (C,) arrays
            ``regret`` (exact, cumulative) and ``pseudo_regret`` (cumulative plain gaps).
        """
        form = _form(type(learner))  # type: ignore[arg-type]
        learner = localize(learner)
        world = rng.stream(seed, rng.ENVIRONMENT, replication)
        spare = np.empty(4, np.uint64)
        out = np.zeros((2, checkpoints.size))
        if form == "a general policy":
            own = rng.stream(seed, rng.LEARNER, replication)
            pi = np.zeros(self.mean.size)
            status, t = loop.play_policy(self, learner, pi, checkpoints, world, spare, own, out, control)
        elif math.isinf(self.eta):
            index = np.zeros(self.mean.size)
            status, t = loop.play_greedy(self, learner, index, checkpoints, world, spare, out, control)
        else:
            status, t = loop.play_index(self, learner, *gibbs_state(self), checkpoints, world, spare, out, control)
        return status, t, {"regret": out[loop.REGRET], "pseudo_regret": out[loop.PSEUDO_REGRET]}

    def offline(self) -> Any:
        """The bandit as a contextual one with a single context, whose data come from the reference policy."""
        from banditlab.contextual.problem import one_context

        return one_context(self)


@functools.cache
def _form(cls: type) -> str:
    return check_verbs(cls, FORMS)


def bandit(
    mean: ArrayLike,
    *,
    eta: float,
    reference: ArrayLike | None = None,
    noise: str = "bernoulli",
    spread: float = 1.0,
    ceiling: float | None = None,
) -> Bandit:
    """A bandit from its means, reference policy, inverse temperature and noise model.

    Parameters
    ----------
    mean : (K,) array_like
        Mean rewards, K >= 1; in [0, 1] for Bernoulli, in (0, 1) for Beta rewards.
    eta : float
        Inverse temperature > 0; ``inf`` means unregularized.
    reference : (K,) array_like, optional
        Positive probabilities summing to one; uniform by default.
    noise : {"bernoulli", "gaussian", "beta"}
        Law of a reward given its arm.
    spread : float
        Gaussian: standard deviation > 0. Beta: concentration a + b > 0 of Beta(spread r, spread (1 - r)).
    ceiling : float, optional
        A known upper bound of the means, at which optimistic indices are clipped: 1 by default for Bernoulli and Beta
        rewards, ``max(1, max mean)`` for Gaussian ones.

    Returns
    -------
    Bandit

    Raises
    ------
    ValueError, TypeError
        In one line, for a value out of range.
    """
    checks.known("noise", noise, protocol.NOISES)
    low, high = (-math.inf, math.inf) if noise == "gaussian" else (0.0, 1.0)
    r = checks.vector("mean", mean, low=low, high=high)
    if noise == "beta" and not ((r > 0.0) & (r < 1.0)).all():
        raise ValueError(f"mean: Beta rewards need means inside (0, 1), got {r.min():g} to {r.max():g}")
    eta = checks.number("eta", eta, 0.0, closed=False)
    K = r.size
    ref = np.full(K, 1.0 / K) if reference is None else checks.distribution("reference", reference, K)
    spread = checks.finite("spread", spread, 0.0, closed=False)
    top = max(1.0, float(r.max())) if ceiling is None else checks.finite("ceiling", ceiling, float(r.max()))
    if math.isinf(eta):
        log_optimal = np.where(np.arange(K) == r.argmax(), 0.0, -np.inf)
        value = float(r.max())
    else:
        score = np.log(ref) + eta * (r - r.max())
        log_z = math.log(math.fsum(np.exp(score - score.max()))) + score.max()
        log_optimal = score - log_z
        value = float(r.max() + log_z / eta)
    return Bandit(
        mean=r,
        reference=ref,
        eta=eta,
        noise=protocol.NOISES[noise],
        spread=spread,
        ceiling=top,
        gap=r.max() - r,
        log_optimal=log_optimal,
        optimal=np.exp(log_optimal),
        value=value,
    )
