"""Named instances of the MDP family, with labels of actions that depend on the seed.

Random instances draw from ``np.random.default_rng(seed)``, so an instance is a function of its arguments. Where an
action is special its label is drawn too: ties go to the lowest action, which would solve such an instance for free.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from banditlab import checks
from banditlab.mdps.planning import backward_induction
from banditlab.mdps.problem import MDP, linear, tabular, with_models


def random_linear(
    states: int = 8, actions: int = 4, horizon: int = 4, dim: int = 4, *, seed: int = 0, eta: float
) -> MDP:
    """A random linear MDP: features on the simplex, random measures and rewards.

    Features are Dirichlet(.3), the same at all stages, next-state measures Dirichlet(.5), theta_h uniform in [0, 1]^d.

    Parameters
    ----------
    states, actions, horizon, dim : int
        S, A, H, d >= 1.
    seed : int
        Of the instance.
    eta : float
        Inverse temperature > 0; ``inf`` means unregularized.

    References
    ----------
    Jin, Yang, Wang and Jordan 2020, COLT, arXiv:1907.05388, for the class; the law of the instance is this package's.
    """
    S, A = checks.integer("states", states, 1), checks.integer("actions", actions, 1)
    H, d = checks.integer("horizon", horizon, 1), checks.integer("dim", dim, 1)
    g = np.random.default_rng(checks.integer("seed", seed, 0))
    phi = g.dirichlet(np.full(d, 0.3), size=(S, A))
    mu = g.dirichlet(np.full(S, 0.5), size=(H, d))
    theta = g.random((H, d))
    return linear(phi, np.einsum("sai,hit->hsat", phi, mu), np.einsum("sai,hi->hsa", phi, theta), eta=eta)


def random_tabular(states: int = 4, actions: int = 3, horizon: int = 3, *, seed: int = 0, eta: float) -> MDP:
    """A random tabular MDP: next-state laws uniform on the simplex, rewards uniform in [0, 1], at every stage.

    Parameters
    ----------
    states, actions, horizon : int
        S, A, H >= 1.
    seed, eta
        As in `random_linear`.

    References
    ----------
    This package's.
    """
    S, A = checks.integer("states", states, 1), checks.integer("actions", actions, 1)
    H = checks.integer("horizon", horizon, 1)
    g = np.random.default_rng(checks.integer("seed", seed, 0))
    return tabular(g.dirichlet(np.ones(S), size=(H, S, A)), g.random((H, S, A)), eta=eta)


def combination_lock(
    horizon: int = 4, actions: int = 3, slip: float = 0.0, *, seed: int = 0, eta: float = math.inf
) -> MDP:
    """A lock: one secret action at every stage keeps to the path, and the last opens, for a reward of 1.

    State 0 is the path, state 1 fallen off, from where there is no return. At eta = inf the optimum is
    (1 - slip)^(H - 1); uniform play opens with probability A^-H at slip 0.

    Parameters
    ----------
    horizon, actions : int
        H >= 1, A >= 2.
    slip : float
        Probability in [0, 1] of falling off despite the secret action, before the last stage.
    seed : int
        Of the secret.
    eta : float
        Inverse temperature > 0.

    References
    ----------
    Langford 2011; Kakade 2003 (combination lock). The instance is this package's.
    """
    H, A = checks.integer("horizon", horizon, 1), checks.integer("actions", actions, 2)
    secret = np.random.default_rng(checks.integer("seed", seed, 0)).integers(A, size=H)
    P, r = _lock(secret, A, checks.finite("slip", slip, 0.0, 1.0))
    return tabular(P, r, eta=eta)


def _lock(secret: np.ndarray, actions: int, slip: float) -> tuple[np.ndarray, np.ndarray]:
    """Transitions (H, 2, A, 2) and rewards (H, 2, A) of a lock."""
    H = secret.size
    P, r = np.zeros((H, 2, actions, 2)), np.zeros((H, 2, actions))
    P[..., 1] = 1.0
    P[np.arange(H), 0, secret] = 1.0 - slip, slip
    r[H - 1, 0, secret[-1]] = 1.0
    return P, r


def lock_class(horizon: int = 4, actions: int = 3, *, seed: int = 0, eta: float = math.inf) -> MDP:
    """A combination lock that is known to be one of all A^H locks, in an order that depends on the seed.

    Parameters
    ----------
    horizon, actions : int
        H >= 1, A >= 2.
    seed : int
        Of the secret and of the order.
    eta : float
        Inverse temperature > 0.

    References
    ----------
    Zhong et al. 2022, arXiv:2211.01962, for model classes; the instance is this package's.
    """
    problem = combination_lock(horizon, actions, seed=seed, eta=eta)
    H, _, A = problem.reward.shape
    codes = np.array(list(itertools.product(range(A), repeat=H)))
    np.random.default_rng([1, int(seed)]).shuffle(codes)
    models = [_lock(code, A, 0.0) for code in codes]
    return with_models(problem, [P for P, _ in models], [r for _, r in models])


def deep_sea(size: int = 10, *, seed: int = 0, eta: float = math.inf) -> MDP:
    """DeepSea: a grid of N rows and columns where only going right N times pays, and every step right costs.

    The column is the state, the row the stage, N = H = S; of the two actions one goes right and one left, which is
    drawn for each cell. Right costs .01 / N, the last step right from the last column pays 1: at eta = inf the optimum
    is .99. Rewards have no noise.

    Parameters
    ----------
    size : int
        N >= 2.
    seed : int
        Of the meaning of the actions.
    eta : float
        Inverse temperature > 0.

    References
    ----------
    Osband, Van Roy, Russo and Wen 2019, JMLR, arXiv:1703.07608, section 4.
    """
    N = checks.integer("size", size, 2)
    right = np.random.default_rng(checks.integer("seed", seed, 0)).integers(2, size=(N, N))
    P, r = np.zeros((N, N, 2, N)), np.zeros((N, N, 2))
    for h in range(N):
        for column in range(N):
            a = right[h, column]
            P[h, column, a, min(column + 1, N - 1)] = 1.0
            P[h, column, 1 - a, max(column - 1, 0)] = 1.0
            r[h, column, a] = -0.01 / N
    r[N - 1, N - 1, right[N - 1, N - 1]] += 1.0
    return tabular(P, r, eta=eta, noise="none")


def river_swim(states: int = 6, horizon: int = 20, *, seed: int = 0, eta: float = math.inf) -> MDP:
    """RiverSwim: swimming against the stream pays 1 at the far end, drifting back pays .005.

    Left goes one state back. Right: from the first state .4 to stay and .6 ahead, from the last .6 to stay and .4
    back, from others .35 ahead, .6 to stay and .05 back. Which action is right is drawn for each state.

    Parameters
    ----------
    states, horizon : int
        S >= 2, H >= 1.
    seed : int
        Of the labels.
    eta : float
        Inverse temperature > 0.

    References
    ----------
    Strehl and Littman 2008, J. Comput. Syst. Sci. 74; Osband, Russo and Van Roy 2013, arXiv:1306.0940.
    """
    S, H = checks.integer("states", states, 2), checks.integer("horizon", horizon, 1)
    right = np.random.default_rng(checks.integer("seed", seed, 0)).integers(2, size=S)
    P, r = np.zeros((S, 2, S)), np.zeros((S, 2))
    for s in range(S):
        ahead, behind = right[s], 1 - right[s]
        P[s, behind, max(s - 1, 0)] = 1.0
        if s == 0:
            P[s, ahead, [0, 1]] = 0.4, 0.6
        elif s == S - 1:
            P[s, ahead, [s - 1, s]] = 0.4, 0.6
        else:
            P[s, ahead, [s - 1, s, s + 1]] = 0.05, 0.6, 0.35
    r[0, 1 - right[0]], r[S - 1, right[S - 1]] = 0.005, 1.0
    return tabular(P, r, eta=eta, horizon=H)


def hypercube(horizon: int = 4, dim: int = 3, gap: float = 0.05, *, seed: int = 0, eta: float = math.inf) -> MDP:
    """The hard linear MDP on a hypercube of actions: every coordinate is worth the same small gap.

    A waiting state 0 and an absorbing good state 1 with reward 1. An action a in {-1, 1}^m leads to the good state
    with probability 1 / H + theta_h' a, theta_h in {-gap, gap}^m drawn at every stage; features are
    (a / sqrt(m), 1, 0) / sqrt(2) and (0, 0, 1), d = m + 2.

    Parameters
    ----------
    horizon, dim : int
        H >= 2, m >= 1.
    gap : float
        In (0, 1 / (H m)].
    seed : int
        Of theta and of the order of the actions.
    eta : float
        Inverse temperature > 0.

    References
    ----------
    Zhou, Gu and Szepesvari 2021, COLT, arXiv:2012.08507, section 5; this form, where the stage stands for their chain,
    is derived for this package.
    """
    H, m = checks.integer("horizon", horizon, 2), checks.integer("dim", dim, 1)
    gap = checks.finite("gap", gap, 0.0, (1.0 + 1e-12) / (H * m), closed=False)
    g = np.random.default_rng(checks.integer("seed", seed, 0))
    theta = gap * g.choice([-1.0, 1.0], size=(H, m))
    acts = g.permutation(np.array(list(itertools.product([-1.0, 1.0], repeat=m))))
    A = len(acts)
    P, r, phi = np.zeros((H, 2, A, 2)), np.zeros((H, 2, A)), np.zeros((2, A, m + 2))
    P[:, 0, :, 1] = np.clip(1.0 / H + theta @ acts.T, 0.0, 1.0)
    P[:, 0, :, 0] = 1.0 - P[:, 0, :, 1]
    P[:, 1, :, 1] = 1.0
    r[:, 1] = 1.0
    phi[0, :, :m], phi[0, :, m], phi[1, :, m + 1] = acts / math.sqrt(2.0 * m), math.sqrt(0.5), 1.0
    return linear(phi, P, r, eta=eta)


def minimax_hypercube(rounds: int, *, horizon: int = 4, dim: int = 3, seed: int = 0, eta: float = math.inf) -> MDP:
    """The hypercube whose gap is the hardest for K episodes: min(1 / (H m), 2.7 / sqrt(H K)).

    Parameters
    ----------
    rounds : int
        K >= 1.
    horizon, dim, seed, eta
        As in `hypercube`.

    References
    ----------
    Zhou, Gu and Szepesvari 2021, COLT, arXiv:2012.08507; the constant is this package's.
    """
    K, H, m = checks.integer("rounds", rounds, 1), checks.integer("horizon", horizon, 2), checks.integer("dim", dim, 1)
    return hypercube(H, m, min(1.0 / (H * m), 2.7 / math.sqrt(H * K)), seed=seed, eta=eta)


def offline_hypercube(samples: int, *, horizon: int = 4, dim: int = 3, seed: int = 0, eta: float = math.inf) -> MDP:
    """The hypercube whose gap is the hardest for n offline episodes: min(1 / (H m), .5 / sqrt(n)).

    Parameters
    ----------
    samples : int
        n >= 1.
    horizon, dim, seed, eta
        As in `hypercube`.

    References
    ----------
    Zhou, Gu and Szepesvari 2021, COLT, arXiv:2012.08507; the constant is this package's.
    """
    n, H = checks.integer("samples", samples, 1), checks.integer("horizon", horizon, 2)
    m = checks.integer("dim", dim, 1)
    return hypercube(H, m, min(1.0 / (H * m), 0.5 / math.sqrt(n)), seed=seed, eta=eta)


def jao(
    actions: int = 4, horizon: int = 6, gap: float = 0.1, *, base: float = 0.2, seed: int = 0, eta: float = math.inf
) -> MDP:
    """Two states, and at every stage one action that is slightly better at leaving the poor one.

    From state 0 the special action leads to state 1 with probability base + gap, others with base; from state 1 any
    action leads back with probability base. State 1 pays 1.

    Parameters
    ----------
    actions, horizon : int
        A >= 2, H >= 2.
    gap : float
        In (0, 1 - base].
    base : float
        In (0, 1).
    seed : int
        Of the special actions.
    eta : float
        Inverse temperature > 0.

    References
    ----------
    Jaksch, Ortner and Auer 2010, JMLR 11, section 6.
    """
    A, H = checks.integer("actions", actions, 2), checks.integer("horizon", horizon, 2)
    base = checks.finite("base", base, 0.0, 1.0, closed=False)
    gap = checks.finite("gap", gap, 0.0, 1.0 - base, closed=False)
    special = np.random.default_rng(checks.integer("seed", seed, 0)).integers(A, size=H)
    P, r = np.zeros((H, 2, A, 2)), np.zeros((H, 2, A))
    P[:, 0, :, 1] = base
    P[np.arange(H), 0, special, 1] += gap
    P[:, 0, :, 0] = 1.0 - P[:, 0, :, 1]
    P[:, 1, :, 0], P[:, 1, :, 1] = base, 1.0 - base
    r[:, 1] = 1.0
    return tabular(P, r, eta=eta)


def two_state(
    horizon: int = 20,
    *,
    payoff: float = 0.9,
    stay: float = 1.0,
    share: float = 0.6,
    seed: int = 0,
    eta: float = math.inf,
) -> MDP:
    """Two states, a hundred actions and ten features: the instance of variance-aware offline reinforcement learning.

    An action a is special or not; delta(s, a) = 1 where it is special in state 0, or is not in state 1. Then the
    reward is `payoff` and the next state alpha_h, else 1 - payoff and the other, each with probability `stay`; alpha_h
    is drawn at every stage, and the first state is either as often. Features are (bits of a in {-1, 1}^8, delta,
    1 - delta) / 3. Offline data take the special action with probability `share`, the others evenly.

    Parameters
    ----------
    horizon : int
        H >= 1.
    payoff : float
        In (1/2, 1].
    stay : float
        In (1/2, 1].
    share : float
        In (0, 1].
    seed : int
        Of alpha and of the labels.
    eta : float
        Inverse temperature > 0.

    References
    ----------
    Min, Wang, Zhou and Gu 2021, arXiv:2106.11960, section 6; Yin, Duan, Wang and Wang 2022, arXiv:2203.05804; Xiong
    et al. 2023, ICLR, arXiv:2205.15512.
    """
    H, A = checks.integer("horizon", horizon, 1), 100
    payoff = checks.finite("payoff", payoff, 0.5, 1.0, closed=False)
    stay = checks.finite("stay", stay, 0.5, 1.0, closed=False)
    share = checks.finite("share", share, 0.0, 1.0, closed=False)
    g = np.random.default_rng(checks.integer("seed", seed, 0))
    alpha = g.integers(2, size=H)
    label = g.permutation(A)  # label[0] is the special action
    bits = np.zeros((A, 8))
    bits[label] = 2.0 * ((np.arange(A)[:, None] >> np.arange(8)) & 1) - 1.0
    delta = np.zeros((2, A))
    delta[1] = 1.0
    delta[:, label[0]] = 1.0, 0.0
    phi = np.concatenate([np.broadcast_to(bits, (2, A, 8)), delta[..., None], 1.0 - delta[..., None]], axis=-1) / 3.0
    P = np.zeros((H, 2, A, 2))
    for h in range(H):
        towards = np.where(delta == 1.0, stay, 1.0 - stay)
        P[h, :, :, alpha[h]], P[h, :, :, 1 - alpha[h]] = towards, 1.0 - towards
    r = np.where(delta == 1.0, payoff, 1.0 - payoff)
    mu = np.full(A, (1.0 - share) / (A - 1))
    mu[label[0]] = share
    return linear(phi, P, np.repeat(r[None], H, axis=0), eta=eta, start=[0.5, 0.5], behaviour=mu)


def covered(problem: MDP, share: float) -> MDP:
    """The same problem with offline data from the optimum, mixed with the worst policy.

    Parameters
    ----------
    problem : MDP
    share : float
        Probability in [0, 1] of the optimum's action, at every stage and state; else that of least value.

    References
    ----------
    This package's.
    """
    share = checks.finite("share", share, 0.0, 1.0)
    allowed = (problem.reference > 0.0).astype(np.float64)
    worst = backward_induction(problem.transition, -problem.reward, allowed, math.inf)
    return problem._replace(behaviour=share * problem.optimal + (1.0 - share) * np.exp(worst.log_policy))
