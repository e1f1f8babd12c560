"""Finite classes of reward tables, for algorithms that know a class and not the rewards."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

MODELS = 256
"""Size of the default class."""


def finite_class(known: Any, models: ArrayLike | None) -> np.ndarray:
    """An (M, S, K) array of reward tables, which is not to be written to.

    Parameters
    ----------
    known : Contextual or Dataset
        Gives S, K and the known floor and ceiling of the rewards.
    models : (M, S, K) array_like or None
        The class, M >= 1; None for 256 tables drawn once and for all uniformly between floor and ceiling.

    Raises
    ------
    TypeError, ValueError
        In one line, where it is no such array.
    """
    S, K = known.reference.shape
    if models is None:
        return _default(S, K, known.floor, known.ceiling)
    try:
        tables = np.array(models, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise TypeError(f"models: expected an (M, {S}, {K}) array of numbers, got {type(models).__name__}") from None
    if tables.ndim != 3 or tables.shape[0] < 1 or tables.shape[1:] != (S, K):
        raise ValueError(f"models: expected shape (M, {S}, {K}) with M >= 1, got {tables.shape}")
    if not np.isfinite(tables).all():
        raise ValueError("models: every mean must be finite")
    return tables


@functools.lru_cache(maxsize=4)
def _default(S: int, K: int, floor: float, ceiling: float) -> np.ndarray:
    return ceiling - (ceiling - floor) * np.random.default_rng(0).random((MODELS, S, K))
