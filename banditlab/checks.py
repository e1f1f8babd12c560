"""Checks of what users pass in: each returns the value as the kernels want it, or raises in one line.

Scalars become ``float``, arrays C-contiguous writable float64, because anything else would compile a second kernel.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray[Any, np.dtype[np.float64]]


def _show(x: float) -> str:
    """A number for a message: short, but never rounded into the allowed range."""
    return f"{x:g}" if float(f"{x:g}") == x else repr(x)


def number(name: str, value: Any, low: float, high: float = math.inf, *, closed: bool = True) -> float:
    """A float in [low, high], or in (low, high] where not `closed`; an infinite bound is itself allowed.

    Raises
    ------
    TypeError
        Where `value` is not a real number.
    ValueError
        Where it is NaN or outside the interval.
    """
    try:
        x = float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name}: expected a number, got {value!r}") from None
    if not (low <= x <= high if closed else low < x <= high):
        bracket = "[" if closed else "("
        raise ValueError(f"{name}: {_show(x)} is not in {bracket}{low:g}, {high:g}]")
    return x


def finite(name: str, value: Any, low: float, high: float = math.inf, *, closed: bool = True) -> float:
    """As `number`, and finite."""
    x = number(name, value, low, high, closed=closed)
    if math.isinf(x):
        raise ValueError(f"{name}: must be finite, got {x:g}")
    return x


def integer(name: str, value: Any, low: int, high: int = 2**63 - 1) -> int:
    """An int in [low, high]; floats with an integral value (1e5) are welcome.

    Raises
    ------
    TypeError, ValueError
        Where `value` is no integer, or outside the interval.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or value != value // 1:
        raise TypeError(f"{name}: expected an integer of at least {low}, got {value!r}")
    if value < low:
        raise ValueError(f"{name}: {value} is not allowed, must be at least {low}")
    if value > high:
        raise ValueError(f"{name}: {value} is not allowed, must be at most {high}")
    return int(value)


def vector(
    name: str, value: ArrayLike, *, size: int | None = None, low: float = -math.inf, high: float = math.inf
) -> Array:
    """A fresh (K,) array of finite numbers in [low, high], K >= 1.

    Raises
    ------
    TypeError, ValueError
        Where it is no such array; the message names the first offending entry.
    """
    try:
        x = np.array(value, dtype=np.float64, order="C", ndmin=1)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a sequence of numbers, got {value!r}") from None
    if x.ndim != 1 or x.size < 1:
        raise ValueError(f"{name}: expected a vector of at least one entry, got shape {x.shape}")
    if size is not None and x.size != size:
        raise ValueError(f"{name}: expected {size} entries, one an arm, got {x.size}")
    bad = np.flatnonzero(~(np.isfinite(x) & (x >= low) & (x <= high)))
    if bad.size:
        allowed = "finite" if math.isinf(low) and math.isinf(high) else f"in [{low:g}, {high:g}]"
        raise ValueError(f"{name}[{bad[0]}]: {_show(float(x[bad[0]]))} is not allowed, must be {allowed}")
    return x


def distribution(name: str, value: ArrayLike, size: int) -> Array:
    """A (size,) array of positive numbers that sum to one within 1e-9, normalised to rounding.

    Raises
    ------
    TypeError, ValueError
        Where it is none; zero entries are refused, because KL to it would be infinite.
    """
    p = vector(name, value, size=size, low=0.0)
    zero = np.flatnonzero(p == 0.0)
    if zero.size:
        raise ValueError(f"{name}[{zero[0]}]: 0 is not allowed, every arm needs positive reference mass")
    if abs(p.sum() - 1.0) > 1e-9:
        raise ValueError(f"{name}: sums to {p.sum():.12g}, must sum to 1")
    return p / p.sum()


def table(name: str, value: ArrayLike) -> Array:
    """A fresh (S, K) array of finite numbers, S, K >= 1; a vector is one row.

    Raises
    ------
    TypeError, ValueError
        Where it is no such array; the message names the first offending entry.
    """
    try:
        x = np.array(value, dtype=np.float64, order="C", ndmin=2)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a table of numbers, a row a context, got {value!r}") from None
    if x.ndim != 2 or x.size < 1:
        raise ValueError(f"{name}: expected shape (S, K) with S, K >= 1, got {x.shape}")
    bad = np.argwhere(~np.isfinite(x))
    if bad.size:
        s, a = bad[0]
        raise ValueError(f"{name}[{s}, {a}]: {x[s, a]:g} is not allowed, must be finite")
    return x


def policy(name: str, value: ArrayLike, shape: tuple[int, int], *, positive: bool = False) -> Array:
    """A fresh (S, K) array whose rows are distributions to 1e-9, normalised to rounding; a vector serves all rows.

    Raises
    ------
    TypeError, ValueError
        Where it is none, or, if `positive`, where it has a zero, to which KL would be infinite.
    """
    p = table(name, value)
    if p.shape != shape:
        if p.shape != (1, shape[1]):
            raise ValueError(f"{name}: expected shape {shape} or {shape[1:]}, got {np.shape(value)}")
        p = np.repeat(p, shape[0], axis=0)
    bad = np.argwhere((p <= 0.0) if positive else (p < 0.0))
    if bad.size:
        s, a = bad[0]
        allowed = "every arm needs positive reference mass" if positive else "must be at least 0"
        raise ValueError(f"{name}[{s}, {a}]: {_show(float(p[s, a]))} is not allowed, {allowed}")
    total = p.sum(axis=1)
    s = int(np.abs(total - 1.0).argmax())
    if abs(total[s] - 1.0) > 1e-9:
        raise ValueError(f"{name}[{s}]: sums to {total[s]:.12g}, must sum to 1")
    return p / total[:, None]


def features(name: str, value: ArrayLike, parameter: str, theta: ArrayLike) -> tuple[Array, Array]:
    """Fresh features (S, K, d) of norm at most 1 and a parameter (d,), d >= 1.

    Raises
    ------
    TypeError, ValueError
        Where they are no such arrays.
    """
    wanted = vector(parameter, theta)
    try:
        phi = np.array(value, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected an (S, K, d) array of numbers, got {type(value).__name__}") from None
    if phi.ndim != 3 or phi.shape[0] < 1 or phi.shape[1] < 1 or phi.shape[2] != wanted.size:
        raise ValueError(f"{name}: expected shape (S, K, d) with d = {wanted.size} as in {parameter}, got {phi.shape}")
    if not np.isfinite(phi).all():
        raise ValueError(f"{name}: every entry must be finite")
    norms = np.sqrt((phi * phi).sum(axis=-1))
    if norms.max() > 1.0 + 1e-9:
        raise ValueError(f"{name}: a norm of {norms.max():g} is not allowed, must be at most 1")
    return phi, wanted


def known(kind: str, name: str, names: Iterable[str]) -> str:
    """`name` if it is among `names`.

    Raises
    ------
    ValueError
        Otherwise, with the nearest names.
    """
    names = sorted(names)
    if name in names:
        return name
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}"
    raise ValueError(f"{kind}: {name!r} is unknown; {hint}")
