"""Theorems of the bandit family as functions: upper and lower bounds, asymptotic laws, the crossover.

An upper bound is a function ``(problem, rounds, checkpoints, **parameters)`` to a (C,) curve, with the
keyword parameters and defaults of its constructor, so that it can be drawn beside that run. Where the theorem
says nothing about the run the curve is NaN. A lower bound has the same form. A law, named ``law_`` and the
algorithm, is a number, the limit of d Reg / d log t on a fixed instance at finite eta (explore-then-commit: a
curve).

Throughout, r are the mean rewards, s2_a the variance of a reward of arm a, p = pi* the regularized optimum.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks, protocol
from banditlab.bandits.problem import Bandit

# ---------------------------------------------------------------------------------------------------------
# Upper bounds
# ---------------------------------------------------------------------------------------------------------


def kl_ucb(
    problem: Bandit,
    rounds: int,
    checkpoints: ArrayLike,
    *,
    scale: float = 0.5,
    delta: float = 0.01,
    level: float | None = None,
    anytime: bool = False,
) -> np.ndarray:
    """High-probability regret bound of KL-UCB: O(eta K log^2 T) and, free of eta, O(sqrt(K T log T)).

    With probability at least 1 - 2 delta it holds at all rounds t at once (the anytime form: at all t >= 1):

        Reg(t) <= min{ t phi(R), kappa [ phi(R) (m + log(1/delta)) + S(t) ] },
        S(t) = min{ A m (1 + log(t/m)), 2 B sqrt(m t) }.

    Here m = min(K, t), kappa = e / (e - 1), phi(u) = min(u, eta u^2 / 2), R = ceiling - min r (at most 1 for
    rewards in [0, 1]), B = sigma sqrt(2) (sqrt(L0) + scale sqrt(L)) and A = eta B^2 / 2, with sigma = 1/2, or
    the standard deviation of Gaussian rewards, L the level of the index and L0 = log(2 K T / delta); both are
    log(2 K s^2 / delta) in the anytime form, s the largest power of two up to t. At scale = 1 and sigma =
    1/2: A = eta L, B = sqrt(2 L). At eta = inf, kappa = 1, the term with log(1/delta) is absent and the
    probability 1 - delta.

    Parameters
    ----------
    problem : Bandit
        K arms, any reference policy, eta in (0, inf].
    rounds : int
        T >= 1, as given to the constructor.
    checkpoints : (C,) array_like of int
        Rounds t in [1, T].
    scale, delta, level, anytime
        As given to `banditlab.bandits.kl_ucb`.

    Returns
    -------
    (C,) ndarray
        The bound; NaN where scale * sqrt(L) < sqrt(L0). So scale < 1 has no bound at the default level: its
        indices are optimistic with too small a probability for a union bound, and the curve of scale = 1 says
        nothing about it.

    Notes
    -----
    *1. Good event.* Let G: |mean_n(a) - r_a| <= b_n := sigma sqrt(2 L0 / n) for every arm a and n = 1, ..., T
    pulls. Rewards in [0, 1] are sigma-subgaussian with sigma = 1/2, so each of the 2 K T one-sided events
    fails with probability at most exp(-L0) = delta / (2 K T), hence P(G) >= 1 - delta. Anytime: an arm has n
    pulls in round n + 1 at the earliest, where the level is log(2 K s(n+1)^2 / delta), and the level never
    falls. The union over arms, sides and n >= 1 is at most delta sum_{m >= 2} s(m)^{-2} = delta sum_{j >= 1}
    2^j 4^{-j} = delta.

    *2. Optimism.* Let u = index - r. On G, scale sqrt(L) >= sqrt(L0) gives 0 <= u(a) <= v_n := min(B /
    sqrt(n), R) with n >= 1 pulls: the clip keeps u >= 0 because r <= ceiling. Unseen arms have u = ceiling -
    r in [0, R], so v_0 := R.

    *3. One round.* pi_t is the Gibbs policy of the index, so its gap is log E[e^{-eta u}] / eta + E[u] under
    pi_t, which is at most E[e^{-eta u} - 1 + eta u] / eta <= E[phi(u)], because e^{-x} - 1 + x <= min(x, x^2
    / 2) for x >= 0. As phi increases, gap_t <= E_{pi_t}[phi(v_N)] <= phi(R), N the pulls of the arm drawn.
    The first bound, t phi(R), follows.

    *4. From expectations to pulls.* Z_t = phi(v_N) / phi(R), N now the pulls of the arm a_t that was drawn,
    lies in [0, 1]. By convexity e^{-z} <= 1 - z / kappa there, so E_{t-1}[e^{-Z_t}] <= exp(-E_{t-1}[Z_t] /
    kappa), and exp(sum_{s <= t} (E_{s-1}[Z_s] / kappa - Z_s)) is a nonnegative supermartingale from 1. By
    Ville's inequality, with probability at least 1 - delta, at all t: sum E_{s-1}[Z_s] <= kappa (sum Z_s +
    log(1/delta)). Multiply by phi(R). At eta = inf the policy is a point mass, E_{t-1}[Z_t] = Z_t, and this
    step is not needed.

    *5. Harmonic sums.* An arm with N >= 1 pulls has contributed at most phi(R) (its first pull, at n = 0)
    plus sum_{n=1}^{N-1} min(A / n, B / sqrt(n)), where sum 1/n <= 1 + log N and sum 1/sqrt(n) <= 2 sqrt(N).
    Over the m' <= m arms pulled, concavity gives at most m' (1 + log(t/m')) and 2 sqrt(m' t), and both
    increase in m' <= t.

    The form in which kappa log(1/delta) is multiplied by A or B (Z_t scaled by these instead of by phi(R)) is
    implied: phi(R) <= min(A, B) because R <= 1, sigma = 1/2 and 2 L0 >= 2 log 2 > 1. Had the first K pulls
    been forced and charged as the reference, K phi(R) could be K min(1, eta/8) without kappa.

    References
    ----------
    Zhao, Ye, Xiong, Gu and Zhang, ICML 2025, arXiv:2502.07460 (logarithmic regret); Ji, Zhao, Zhao, Di and
    Gu, 2026, arXiv:2603.02155 (both regimes for K arms). The constants are derived above.
    """
    K = problem.mean.size
    t = np.asarray(checkpoints, dtype=np.float64)
    if anytime:
        needed = math.log(2.0 * K / delta) + 2.0 * math.log(2.0) * (np.frexp(t)[1] - 1.0)
        used = needed
    else:
        needed = np.full_like(t, math.log(2.0 * K * rounds / delta))
        used = needed if level is None else np.full_like(t, level)
    optimism = scale * np.sqrt(used)
    valid = optimism >= np.sqrt(needed) * (1.0 - 1e-12)

    b = problem.sigma * math.sqrt(2.0) * (np.sqrt(needed) + optimism)
    widest = problem.ceiling - float(problem.mean.min())
    first = min(widest, 0.5 * problem.eta * widest * widest) if widest > 0.0 else 0.0
    m = np.minimum(K, t)
    sums = np.minimum(0.5 * problem.eta * b * b * m * (1.0 + np.log(t / m)), 2.0 * b * np.sqrt(m * t))
    if math.isinf(problem.eta):
        curve = first * m + sums
    else:
        curve = math.e / (math.e - 1.0) * (first * (m + math.log(1.0 / delta)) + sums)
    return np.where(valid, np.minimum(curve, first * t), np.nan)


def ucb1(problem: Bandit, rounds: int, checkpoints: ArrayLike) -> np.ndarray:
    """Expected-regret bound of UCB1, unregularized: O(sum log t / Delta).

    sum over Delta > 0 of 8 (2 sigma)^2 log t / Delta + (1 + pi^2 / 3) Delta, and never more than t max Delta,
    with sigma = 1/2 for rewards in [0, 1] or the standard deviation of Gaussian ones.

    Parameters
    ----------
    problem : Bandit
        eta = inf.
    rounds : int
        Unused: UCB1 does not know the horizon.
    checkpoints : (C,) array_like of int
        Rounds t >= 1.

    Returns
    -------
    (C,) ndarray
        NaN at finite eta, where regret is another measure.

    References
    ----------
    Auer, Cesa-Bianchi and Fischer, Machine Learning 47 (2002), Theorem 1.
    """
    t = np.asarray(checkpoints, dtype=np.float64)
    gap = problem.gap[problem.gap > 0.0]
    squared = (2.0 * problem.sigma) ** 2
    return _plain(problem, t, 8.0 * squared * np.log(t) * (1.0 / gap).sum() + (1.0 + math.pi**2 / 3.0) * gap.sum())


def moss(problem: Bandit, rounds: int, checkpoints: ArrayLike) -> np.ndarray:
    """Expected-regret bound of MOSS, unregularized: 39 sigma sqrt(K T) + sum Delta, at most t max Delta.

    sigma = 1/2 for rewards in [0, 1], which implies the familiar 25 sqrt(K T) for T >= K, or the standard
    deviation of Gaussian rewards.

    Parameters
    ----------
    problem : Bandit
        eta = inf.
    rounds : int
        T >= 1, as given to the constructor; the theorem bounds Reg(T), and Reg(t) <= Reg(T).
    checkpoints : (C,) array_like of int
        Rounds t in [1, T].

    Returns
    -------
    (C,) ndarray
        NaN at finite eta, where regret is another measure.

    References
    ----------
    Lattimore and Szepesvari, Bandit Algorithms (2020), Theorem 9.1, for rewards divided by sigma.
    Audibert and Bubeck, COLT 2009, Theorem 5 (rewards in [0, 1], with another constant).
    """
    t = np.asarray(checkpoints, dtype=np.float64)
    final = 39.0 * problem.sigma * math.sqrt(problem.mean.size * rounds) + problem.gap.sum()
    return _plain(problem, t, np.full_like(t, final))


def exp3(problem: Bandit, rounds: int, checkpoints: ArrayLike, *, gamma: float | None = None) -> np.ndarray:
    """Expected-regret bound of EXP3, unregularized: (e - 1) gamma t + K log K / gamma, at most t max Delta.

    At the default gamma and t = T it is 2 sqrt((e - 1) K T log K).

    Parameters
    ----------
    problem : Bandit
        Rewards in [0, 1], eta = inf.
    rounds : int
        T >= 1; enters the default gamma.
    checkpoints : (C,) array_like of int
        Rounds t >= 1.
    gamma : float, optional
        As given to `banditlab.bandits.exp3`.

    Returns
    -------
    (C,) ndarray
        NaN at finite eta, where regret is another measure.

    References
    ----------
    Auer, Cesa-Bianchi, Freund and Schapire, SIAM J. Comput. 32 (2002), Theorem 3.1 and Corollary 3.2.
    """
    t = np.asarray(checkpoints, dtype=np.float64)
    K = problem.mean.size
    if gamma is None:
        gamma = best_gamma(K, rounds)
    learning = K * math.log(K) / gamma if gamma > 0.0 else math.inf
    return _plain(problem, t, (math.e - 1.0) * gamma * t + learning)


def best_gamma(K: int, rounds: int) -> float:
    """The share min(1, sqrt(K log K / ((e - 1) T))) of uniform exploration that minimises the bound of EXP3."""
    return min(1.0, math.sqrt(K * math.log(K) / ((math.e - 1.0) * rounds)))


def _plain(problem: Bandit, t: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """The curve of a theorem on plain regret, cut at t max Delta; NaN where regret is not plain."""
    return np.minimum(curve, t * problem.gap.max()) if math.isinf(problem.eta) else np.full_like(t, np.nan)


# ---------------------------------------------------------------------------------------------------------
# Lower bounds
# ---------------------------------------------------------------------------------------------------------


def lower_logarithmic(problem: Bandit, rounds: int, checkpoints: ArrayLike) -> np.ndarray:
    """The curve (eta/2) s2 (K - 1) log t: eta (K - 1) / 8 log t for Bernoulli arms near 1/2.

    Its form Omega(eta K log T) is a theorem; with this constant it is the reference of plots, approached by
    averages over `hard_smooth`, not a number that no algorithm can beat at finite t or on one instance.
    `lower_bayes` is.

    Parameters
    ----------
    problem : Bandit
        K arms with a uniform reference, eta finite; s2 is the variance of a reward of mean 1/2.
    rounds : int
        Unused.
    checkpoints : (C,) array_like of int
        Rounds t >= 1.

    Returns
    -------
    (C,) ndarray

    Raises
    ------
    ValueError
        At eta = inf.

    References
    ----------
    Ji, Zhao, Zhao, Di and Gu, 2026, arXiv:2603.02155 (the form).
    """
    eta = checks.finite("eta", problem.eta, 0.0, closed=False)
    return (
        0.5
        * eta
        * _variance_at_half(problem)
        * (problem.mean.size - 1)
        * np.log(np.asarray(checkpoints, dtype=np.float64))
    )


def lower_minimax(problem: Bandit, rounds: int, checkpoints: ArrayLike) -> np.ndarray:
    """Minimax lower bound of unregularized bandits: min(sqrt(K t), t) / 20.

    Some instance with rewards in [0, 1] that depends on t costs every algorithm at least this much plain
    regret by round t, in expectation; on a fixed instance regret falls below it eventually. The form
    Omega(sqrt(K T)) persists under KL regularization for eta beyond `crossover_sharp`.

    Parameters
    ----------
    problem : Bandit
        Only K >= 2 matters.
    rounds : int
        Unused.
    checkpoints : (C,) array_like of int
        Rounds t >= 1.

    Returns
    -------
    (C,) ndarray

    References
    ----------
    Auer, Cesa-Bianchi, Freund and Schapire, SIAM J. Comput. 32 (2002), Theorem 5.1.
    Ji, Zhao, Zhao, Di and Gu, 2026, arXiv:2603.02155 (large eta).
    """
    t = np.asarray(checkpoints, dtype=np.float64)
    return np.minimum(np.sqrt(problem.mean.size * t), t) / 20.0 if problem.mean.size > 1 else np.zeros_like(t)


def lower_bayes(problem: Bandit, rounds: int, checkpoints: ArrayLike, *, width: float | None = None) -> np.ndarray:
    """Provable Bayes lower bound under the prior of `hard_smooth`, for every algorithm: Omega(eta K log T).

    The average of Reg(t) over the prior and the rewards is at least

        eta (K - 1) k / (2 i) log(1 + i t w^2 / (pi^2 K)),   i = 1 / (1/4 - w^2),   k = K / (1 + (K - 1) e^{2
        eta w}).

    Both i / 4 and k tend to 1 as w falls: the constant is then that of `lower_logarithmic`.

    Parameters
    ----------
    problem : Bandit
        An instance of `hard_smooth` (K Bernoulli arms, uniform reference, eta finite).
    rounds : int
        Unused.
    checkpoints : (C,) array_like of int
        Rounds t >= 1.
    width : float, optional
        w in (0, 1/2), the half-width of the prior; min(1/4, 1 / (2 eta)) by default, as in `hard_smooth`.

    Returns
    -------
    (C,) ndarray

    Raises
    ------
    ValueError
        At eta = inf, or for a width out of range.

    Notes
    -----
    r_a = 1/2 + theta_a with independent theta_a of density cos^2(pi theta / 2w) / w on [-w, w].

    *1.* log pi* = eta r - log Z, so the policy of least posterior expected KL(pi || pi*) is pi_ref exp(eta
    E[r | history]): the Gibbs policy of the posterior mean. No algorithm has a smaller average gap, and both
    theta and its posterior mean h lie in the cube [-w, w]^K.

    *2.* KL is the Bregman divergence of the log-partition function, so its Hessian along the segment gives
    gap >= (eta/2) Var_q(theta - h) for the Gibbs policy q of some point of the cube, and Var_q >= K min(q)
    Var_uniform >= k Var_uniform.

    *3.* The likelihood of adaptively collected data factorizes over arms, so the posterior is a product and
    E Var_uniform(theta - h) = (1/K)(1 - 1/K) sum_a E (theta_a - h_a)^2.

    *4.* van Trees for each arm: the Fisher information of the data of t - 1 rounds is at most i E[N_a], that
    of the prior pi^2 / w^2. By convexity in sum_a E[N_a] = t - 1, sum_a E (theta_a - h_a)^2 >= K / (i (t-1) /
    K + pi^2 / w^2).

    *5.* Sum over rounds: sum_{s=1}^t 1 / (i (s-1) / K + pi^2 / w^2) >= (K / i) log(1 + i t w^2 / (pi^2 K)).

    References
    ----------
    Gill and Levit, Bernoulli 1 (1995), eq. (1): the van Trees inequality. Ji, Zhao, Zhao, Di and Gu, 2026,
    arXiv:2603.02155: Omega(eta K log T). The bound is derived above.
    """
    eta, w, i = _smooth_prior(problem, width)
    K = problem.mean.size
    k = K / (1.0 + (K - 1) * math.exp(2.0 * eta * w))
    t = np.asarray(checkpoints, dtype=np.float64)
    return eta * (K - 1) * k / (2.0 * i) * np.log1p(i * t * w * w / (math.pi**2 * K))


def lower_bayes_pair(problem: Bandit, rounds: int, checkpoints: ArrayLike, *, width: float | None = None) -> np.ndarray:
    """Provable Bayes lower bound with two arms, one of them known: Omega(eta log T) for every algorithm.

    Means (1/2, 1/2 + theta), theta from the prior of `hard_smooth`, uniform reference. With A''(x) = 1 / (2 +
    2 cosh x) and i = 1 / (1/4 - w^2), the average of Reg(t) over the prior and the rewards is at least

        eta A''(eta w) / (2 i) log(1 + i t w^2 / pi^2),

    which is 0.0220 eta log(1 + 0.540 t w^2) at eta = 2, and more than that at any other eta at the default
    width.

    Parameters
    ----------
    problem : Bandit
        Only eta, finite, matters.
    rounds, checkpoints, width
        As in `lower_bayes`.

    Returns
    -------
    (C,) ndarray

    Raises
    ------
    ValueError
        At eta = inf, or for a width out of range.

    Notes
    -----
    As in `lower_bayes`, with one log odds: A(x) = log(1 + e^x), gap = [A(x) - A(y) - A'(y)(x - y)] / eta with
    x = eta theta and y = eta h in [-eta w, eta w], hence gap >= (eta/2) A''(eta w) (theta - h)^2; the Fisher
    information of t - 1 rounds is at most i (t - 1).
    """
    eta, w, i = _smooth_prior(problem, width)
    curvature = 1.0 / (2.0 + 2.0 * math.cosh(eta * w))
    t = np.asarray(checkpoints, dtype=np.float64)
    return eta * curvature / (2.0 * i) * np.log1p(i * t * w * w / math.pi**2)


def smooth_width(eta: float) -> float:
    """Half-width min(1/4, 1 / (2 eta)) of the prior of `hard_smooth`: it moves log pi* by about one."""
    return min(0.25, 0.5 / eta)


def _smooth_prior(problem: Bandit, width: float | None) -> tuple[float, float, float]:
    """eta, the half-width w, and the largest Fisher information 1 / (1/4 - w^2) of one Bernoulli reward."""
    eta = checks.finite("eta", problem.eta, 0.0, closed=False)
    w = smooth_width(eta) if width is None else checks.finite("width", width, 0.0, closed=False)
    if w >= 0.5:
        raise ValueError(f"width: {w:g} is not allowed, must be in (0, 0.5)")
    return eta, w, 1.0 / (0.25 - w * w)


def lai_robbins(problem: Bandit) -> float:
    """The constant C of Lai and Robbins: plain regret of a uniformly good algorithm is at least about C log T.

    C = sum over Delta_a > 0 of Delta_a / KL(law of arm a || law of the best arm), within the problem's noise
    model (Bernoulli; Gaussian or Beta with the spread known).

    Parameters
    ----------
    problem : Bandit

    Returns
    -------
    float
        0 where no arm is worse, or where a sure best arm (r = 1, Bernoulli) makes every divergence infinite.

    References
    ----------
    Lai and Robbins, Adv. Appl. Math. 6 (1985), Theorem 1.
    """
    best = float(problem.mean.max())
    worse = problem.mean[problem.gap > 0.0]
    if worse.size == 0:
        return 0.0
    if problem.noise == protocol.GAUSSIAN:
        divergence = (best - worse) ** 2 / (2.0 * problem.spread**2)
    elif problem.noise == protocol.BETA:
        from scipy.special import betaln, digamma

        s = problem.spread
        divergence = betaln(best * s, (1.0 - best) * s) - betaln(worse * s, (1.0 - worse) * s)
        divergence = divergence + (worse - best) * s * (digamma(worse * s) - digamma((1.0 - worse) * s))
    else:
        divergence = _bernoulli_divergence(worse, best)
    return float(((best - worse) / divergence).sum())


def _bernoulli_divergence(p: np.ndarray, q: float) -> np.ndarray:
    """(K,) KL(Bernoulli(p) || Bernoulli(q)) for p < q."""
    with np.errstate(divide="ignore", invalid="ignore"):
        success = np.where(p > 0.0, p * np.log(p / q), 0.0)
        return success + (1.0 - p) * (np.log1p(-p) - np.log1p(-np.float64(q)))


def _variance_at_half(problem: Bandit) -> float:
    """Variance of a reward of mean 1/2 under the problem's noise model."""
    if problem.noise == protocol.GAUSSIAN:
        return problem.spread**2
    return 0.25 / (1.0 + problem.spread) if problem.noise == protocol.BETA else 0.25


# ---------------------------------------------------------------------------------------------------------
# Asymptotic laws at finite eta: d Reg / d log t on a fixed instance
# ---------------------------------------------------------------------------------------------------------


def law_kl_greedy(problem: Bandit) -> float:
    """Law of the greedy Gibbs policy: (eta/2) sum_a s2_a (1 - p_a).

    The gap of the Gibbs policy of means with independent errors of variance v_a is (eta/2) sum_a p_a (1 -
    p_a) v_a to second order, and v_a = s2_a / N_a with N_a ~ p_a t. The mean over replications of greedy is
    reached late at large eta: it is driven by rare long burn-ins.

    Parameters
    ----------
    problem : Bandit
        eta finite.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        At eta = inf, as for every law below.
    """
    return 0.5 * _finite_eta(problem) * float((problem.variance * (1.0 - problem.optimal)).sum())


def law_kl_ucb(
    problem: Bandit,
    rounds: int,
    *,
    scale: float = 0.5,
    delta: float = 0.01,
    level: float | None = None,
    anytime: bool = False,
) -> float:
    """Law of KL-UCB: (eta/2) {sum_a s2_a (1 - p_a) + 2 sigma^2 scale^2 L [K - (sum_a sqrt(p_a))^2]}.

    The bonus scale sigma sqrt(2 L / (p_a t)) costs (eta/2) times its *variance* under p: nothing where p is
    uniform. At a fixed level the regret of one run grows like log t; over runs of growing T, and in the
    anytime form, L grows as well and the regret like log^2. Reached when eta^2 K L is much less than t.

    Parameters
    ----------
    problem : Bandit
        eta finite.
    rounds : int
        T >= 1; enters the level L, as in the constructor. The anytime form: the round at which the slope is
        taken.
    scale, delta, level, anytime
        As given to `banditlab.bandits.kl_ucb`.

    Returns
    -------
    float
    """
    K = problem.mean.size
    if anytime:
        level = math.log(2.0 * K / delta) + 2.0 * math.log(2.0) * math.floor(math.log2(rounds))
    elif level is None:
        level = math.log(2.0 * K * rounds / delta)
    spread = K - float(np.sqrt(problem.optimal).sum()) ** 2
    bonus = 2.0 * (problem.sigma * scale) ** 2 * level * spread
    return law_kl_greedy(problem) + 0.5 * _finite_eta(problem) * bonus


def law_kl_thompson(problem: Bandit, *, s2: float = 0.25) -> float:
    """Law of Gaussian Thompson sampling under KL regularization: greedy's plus (eta/2) s2 (K - 1).

    The sampled errors have variance s2 / N_a on top of the estimation errors: twice greedy where s2 is the
    variance of the rewards.

    Parameters
    ----------
    problem : Bandit
        eta finite.
    s2 : float
        Variance of the posterior draw after one pull, as given to the constructor.

    Returns
    -------
    float
    """
    return law_kl_greedy(problem) + 0.5 * _finite_eta(problem) * s2 * (problem.mean.size - 1)


def law_kl_eps_greedy(problem: Bandit) -> float:
    """Law of the greedy Gibbs policy mixed with uniform exploration at rate O(K/t): greedy's.

    The mixture costs O(1/t^2) in a round, which is summable; it cures the burn-in of greedy at large eta.

    Parameters
    ----------
    problem : Bandit
        eta finite.

    Returns
    -------
    float
    """
    return law_kl_greedy(problem)


def law_kl_batched(problem: Bandit, *, rho: float = 2.0) -> float:
    """Law of greedy updated at times rho^k only: greedy's times (rho - 1) / log(rho).

    Parameters
    ----------
    problem : Bandit
        eta finite.
    rho : float
        Growth > 1 of the batches, as given to the constructor.

    Returns
    -------
    float
    """
    return law_kl_greedy(problem) * (rho - 1.0) / math.log(rho)


def law_kl_mirror_descent(problem: Bandit) -> float:
    """Law of importance-weighted mirror descent with step 1/t.

    (eta/2) [sum_a s2_a (1 - p_a) + sum_a r_a^2 (1 - 2 p_a) + (sum_a p_a r_a)^2].

    The error of the importance-weighted mean has covariance (diag((s2 + r^2) / p) - r r^T) / t; its variance
    under p is the bracket over t. Weights of up to e^eta make it useless, and the law late, beyond eta of
    about 10.

    Parameters
    ----------
    problem : Bandit
        eta finite.

    Returns
    -------
    float
    """
    p, r = problem.optimal, problem.mean
    second = float((r * r * (1.0 - 2.0 * p)).sum() + (p @ r) ** 2)
    return law_kl_greedy(problem) + 0.5 * _finite_eta(problem) * second


def law_kl_explore_then_commit(
    problem: Bandit, rounds: int, checkpoints: ArrayLike, *, exploration: int | None = None
) -> np.ndarray:
    """Regret of explore-then-commit with n exploratory rounds drawn from the reference.

    To second order in the errors, min(t, n) gap(ref) + max(t - n, 0) eta V / (2 n), with V = sum_a s2_a p_a
    (1 - p_a) / ref_a. At the best n this is about 2 sqrt(gap(ref) eta V T / 2): sqrt(T) at every eta.

    Parameters
    ----------
    problem : Bandit
        eta finite.
    rounds : int
        T >= 1.
    checkpoints : (C,) array_like of int
        Rounds t in [1, T].
    exploration : int, optional
        n >= 1; by default `best_exploration`, which knows the truth.

    Returns
    -------
    (C,) ndarray
    """
    eta = _finite_eta(problem)
    n = best_exploration(problem, rounds) if exploration is None else exploration
    t = np.asarray(checkpoints, dtype=np.float64)
    return np.minimum(t, n) * _reference_gap(problem) + np.maximum(t - n, 0.0) * eta * _exploration_variance(
        problem
    ) / (2.0 * n)


def best_exploration(problem: Bandit, rounds: int) -> int:
    """Exploratory rounds that minimise `law_kl_explore_then_commit` at T.

    sqrt(T eta V / (2 gap(ref))), within [1, T]. It uses the true means; an algorithm cannot.

    Parameters
    ----------
    problem : Bandit
        eta finite.
    rounds : int
        T >= 1.

    Returns
    -------
    int
    """
    gap = _reference_gap(problem)
    if gap <= 0.0:
        return rounds
    n = math.sqrt(rounds * _finite_eta(problem) * _exploration_variance(problem) / (2.0 * gap))
    return int(min(max(round(n), 1), rounds))


def _finite_eta(problem: Bandit) -> float:
    return checks.finite("eta", problem.eta, 0.0, closed=False)


def _reference_gap(problem: Bandit) -> float:
    """J* - J(pi_ref) >= 0."""
    return max(problem.value - float(problem.reference @ problem.mean), 0.0)


def _exploration_variance(problem: Bandit) -> float:
    """sum_a s2_a p_a (1 - p_a) / ref_a."""
    p = problem.optimal
    return float((problem.variance * p * (1.0 - p) / problem.reference).sum())


# ---------------------------------------------------------------------------------------------------------
# Where logarithmic regret turns into square-root regret
# ---------------------------------------------------------------------------------------------------------


def crossover_sharp(arms: ArrayLike, rounds: ArrayLike) -> np.ndarray:
    """The inverse temperature sqrt(T / K) at which eta K meets sqrt(K T), logarithms left out.

    Parameters
    ----------
    arms, rounds : array_like
        K >= 1 and T >= 1; they broadcast.

    Returns
    -------
    ndarray
    """
    return np.sqrt(np.asarray(rounds, dtype=np.float64) / np.asarray(arms, dtype=np.float64))


def crossover_bound(arms: ArrayLike, rounds: ArrayLike, level: ArrayLike) -> np.ndarray:
    """The inverse temperature at which the two terms of the bound of KL-UCB are equal.

    2 sqrt(2 T / (L K)) / (1 + log(T / K)), at scale 1 and L = log(2 K T / delta). Regret looks like sqrt(K T)
    for eta above it and like eta K log T below. Measured crossovers lie between it and `crossover_sharp`,
    nearer the latter.

    Parameters
    ----------
    arms, rounds, level : array_like
        1 <= K <= T and L > 0; they broadcast.

    Returns
    -------
    ndarray
    """
    per_arm = np.asarray(rounds, dtype=np.float64) / np.asarray(arms, dtype=np.float64)
    return 2.0 * np.sqrt(2.0 * per_arm / np.asarray(level, dtype=np.float64)) / (1.0 + np.log(per_arm))
