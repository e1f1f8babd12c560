"""Checks of episodic problems, for MDPs and for Markov games: tables by stage, next-state laws, features, policies.

Each returns fresh arrays as the kernels want them, or raises in one line.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks

REALISED = 1e-9
"""Residual up to which features are said to realise transitions and rewards."""


def finite_array(name: str, value: ArrayLike) -> np.ndarray:
    """A fresh array of finite numbers.

    Raises
    ------
    TypeError, ValueError
        In one line, where it is none; the message names the first offending entry.
    """
    try:
        x = np.array(value, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected an array of numbers, got {type(value).__name__}") from None
    bad = np.argwhere(~np.isfinite(x))
    if bad.size:
        raise ValueError(f"{entry(name, bad[0])}: {x[tuple(bad[0])]:g} is not allowed, must be finite")
    return x


def entry(name: str, index: np.ndarray) -> str:
    """An entry of an array, for a message."""
    return f"{name}[{', '.join(str(int(i)) for i in index)}]"


def staged(name: str, value: ArrayLike, axes: int, horizon: int | None) -> np.ndarray:
    """A fresh array of finite numbers with a stage axis in front of `axes` others, repeated where it has none.

    Raises
    ------
    TypeError, ValueError
        In one line, where it has other axes, or another number of stages.
    """
    x = finite_array(name, value)
    if x.ndim not in (axes, axes + 1) or x.size < 1:
        raise ValueError(f"{name}: expected {axes} axes, or {axes + 1} with a stage, got shape {x.shape}")
    if x.ndim == axes:
        if horizon is None:
            raise ValueError(f"{name}: has no stage axis, give the horizon")
        x = np.repeat(x[None], horizon, axis=0)
    elif horizon is not None and len(x) != horizon:
        raise ValueError(f"{name}: has {len(x)} stages, must have {horizon}")
    return x


def tables(
    transition: ArrayLike, reward: ArrayLike, horizon: int | None, players: str = "A"
) -> tuple[np.ndarray, np.ndarray]:
    """Transitions (H, S, A, S) and rewards (H, S, A), or with an axis of actions for each of several players.

    Parameters
    ----------
    transition, reward : array_like
        With a stage axis or without.
    horizon : int or None
        H >= 1, needed where neither has a stage axis.
    players : str
        A letter for each player's actions.

    Raises
    ------
    TypeError, ValueError
        In one line, where they are none.
    """
    P, r = finite_array("transition", transition), finite_array("reward", reward)
    H = None if horizon is None else checks.integer("horizon", horizon, 1)
    axes = 1 + len(players)  # of a reward without stages
    if H is None and axes + 2 in (P.ndim, r.ndim + 1):
        H = len(P) if P.ndim == axes + 2 else len(r)
    if H == 0:
        raise ValueError("horizon: H = 0 is not allowed, must be at least 1")
    P, r = staged("transition", P, axes + 1, H), staged("reward", r, axes, H)
    if P.shape[1] != P.shape[-1] or r.shape != P.shape[:-1]:
        form = ", ".join(["H", "S", *players])
        raise ValueError(f"transition: expected ({form}, S) with rewards ({form}), got {P.shape} and {r.shape}")
    check_laws("transition", P)
    return P / P.sum(axis=-1, keepdims=True), r


def check_laws(name: str, P: np.ndarray) -> None:
    """Refuse an array whose rows along the last axis are no distributions to 1e-9.

    Raises
    ------
    ValueError
        In one line.
    """
    bad = np.argwhere(P < 0.0)
    if bad.size:
        raise ValueError(f"{entry(name, bad[0])}: {P[tuple(bad[0])]:g} is not allowed, must be at least 0")
    total = P.sum(axis=-1)
    bad = np.argwhere(np.abs(total - 1.0) > 1e-9)
    if bad.size:
        raise ValueError(f"{entry(name, bad[0])}: sums to {total[tuple(bad[0])]:.12g}, must sum to 1")


def check_means(name: str, r: np.ndarray, whose: str = "Bernoulli rewards need means") -> None:
    """Refuse mean rewards outside [0, 1].

    Raises
    ------
    ValueError
        In one line.
    """
    bad = np.argwhere((r < 0.0) | (r > 1.0))
    if bad.size:
        where, x = entry(name, bad[0]), float(r[tuple(bad[0])])
        raise ValueError(f"{where}: {x!r} is not allowed, {whose} in [0, 1]")


def check_features(phi: np.ndarray, P: np.ndarray, r: np.ndarray) -> None:
    """Refuse features (H, ..., d) of norm above 1, or in which transitions (H, ..., S) and rewards are not linear.

    Raises
    ------
    ValueError
        In one line, with the residual.
    """
    norms = np.sqrt((phi * phi).sum(axis=-1))
    if norms.max() > 1.0 + 1e-9:
        raise ValueError(f"features: a norm of {norms.max():g} is not allowed, must be at most 1")
    for h in range(len(phi)):
        rows = phi[h].reshape(-1, phi.shape[-1])
        wanted = np.concatenate([P[h].reshape(len(rows), -1), r[h].reshape(len(rows), 1)], axis=1)
        solution = np.linalg.lstsq(rows, wanted, rcond=None)[0]
        residual = float(np.abs(rows @ solution - wanted).max())
        if residual > REALISED:
            raise ValueError(
                f"features[{h}]: a residual of {residual:.3g} is not allowed, transitions and rewards must be linear "
                f"in the features to {REALISED:g}"
            )


def start_law(start: ArrayLike | int, states: int) -> np.ndarray:
    """(S,) law of the first state, from it or from the state itself.

    Raises
    ------
    TypeError, ValueError
        In one line, where it is neither.
    """
    if np.ndim(start) == 0:
        law = np.zeros(states)
        law[checks.integer("start", start, 0, states - 1)] = 1.0
        return law
    return checks.policy("start", np.asarray(start)[None], (1, states))[0]


def policy_table(name: str, value: ArrayLike, shape: tuple[int, int, int], *, positive: bool = False) -> np.ndarray:
    """A fresh (H, S, A) array of distributions to 1e-9, normalised; one row, or table, serves all states, or stages.

    Raises
    ------
    TypeError, ValueError
        In one line, where it is none, or, if `positive`, where it has a zero.
    """
    H, S, A = shape
    try:
        p = np.array(value, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected an (H, S, A) array of numbers, got {type(value).__name__}") from None
    if p.shape not in ((A,), (S, A), (H, S, A)):
        raise ValueError(f"{name}: expected shape {shape}, {shape[1:]} or {shape[2:]}, got {p.shape}")
    p = np.broadcast_to(p, shape).reshape(H * S, A)
    return checks.policy(name, p, (H * S, A), positive=positive).reshape(shape)


def partial_sums(p: np.ndarray) -> np.ndarray:
    """Cumulative distribution over the last axis, exactly one from the last state of positive probability on."""
    out = np.cumsum(p, axis=-1)
    last = p.shape[-1] - 1 - (p[..., ::-1] > 0.0).argmax(axis=-1)
    out[np.arange(p.shape[-1]) >= last[..., None]] = 1.0
    return np.ascontiguousarray(out)
