"""Logged data: a table of contexts, actions and rewards, checked and turned into a `Dataset`."""

from __future__ import annotations

import math
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab import regularizer as regularizers
from banditlab.contextual.dataset import COLUMNS, Dataset

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet")
"""Kinds of file that `read_log` reads."""


def read_log(
    source: str | os.PathLike[str] | pd.DataFrame,
    *,
    reference: ArrayLike,
    eta: float,
    regularizer: str = "kl",
    alpha: float | None = None,
    features: ArrayLike | None = None,
    radius: float | None = None,
    floor: float = 0.0,
    ceiling: float = 1.0,
    sigma: float | None = None,
) -> Dataset:
    """A dataset from a log: a row a sample, with columns ``context``, ``action`` and ``reward``.

    Contexts and actions are integers from 0; other columns are ignored. Policies that collected the log are not asked
    for: its counts say how well it covers each pair.

    Parameters
    ----------
    source : path or DataFrame
        A file ``.csv`` (with a header) or ``.parquet``, or a table.
    reference : (S, K) or (K,) array_like
        pi_ref, positive; its shape says how many contexts and actions there are, a vector is one context.
    eta : float
        Inverse temperature > 0; ``inf`` means unregularized.
    regularizer : {"kl", "forward_kl", "chi2", "alpha", "js", "kl_chi2"}
        See `banditlab.regularizer`.
    alpha : float, optional
        Order of the regularizer ``alpha``.
    features : (S, K, d) array_like, optional
        For rewards that are linear, of Euclidean norm at most 1.
    radius : float, optional
        Known bound >= 0 of the norm of the linear parameter; required with features.
    floor, ceiling : float
        Least and largest reward possible.
    sigma : float, optional
        Rewards are sigma-subgaussian, sigma > 0; by default (ceiling - floor) / 2, which holds for every law on
        [floor, ceiling] by Hoeffding's lemma.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        In one line, for a parameter out of range; a file that is missing, empty, of another kind or unreadable; a
        column that is missing, with those there are; a context or action that is no integer in range, or a reward that
        is no number in [floor, ceiling], with its row. Rows count from 1, without header and blank lines.
    """
    ref = checks.table("reference", reference)
    ref = checks.policy("reference", ref, (ref.shape[0], ref.shape[1]), positive=True)
    S, K = ref.shape
    code, order = regularizers.code_of(regularizer, alpha)
    eta = checks.number("eta", eta, 0.0, closed=False)
    low = checks.finite("floor", floor, -math.inf)
    top = checks.finite("ceiling", ceiling, low, closed=False)
    noise = (top - low) / 2.0 if sigma is None else checks.finite("sigma", sigma, 0.0, closed=False)
    phi, norm = _structure(features, radius, (S, K))

    table = _table(source)
    if len(table) == 0:
        raise ValueError("source: a log without rows is not allowed, must hold at least one")
    pair = _integers(table, "context", S) * K + _integers(table, "action", K)
    reward = _numbers(table, "reward")
    wrong = ~((reward >= low) & (reward <= top))  # NaN is wrong too
    if wrong.any():
        _refuse(table, "reward", wrong, f"a number in [{low:g}, {top:g}]")
    counts = np.bincount(pair, minlength=S * K).astype(np.float64).reshape(S, K)
    total = np.bincount(pair, weights=reward, minlength=S * K).reshape(S, K)
    counts.flags.writeable = total.flags.writeable = False
    return Dataset(
        counts=counts,
        total=total,
        reference=ref,
        eta=eta,
        regularizer=code,
        alpha=order,
        sigma=noise,
        floor=low,
        ceiling=top,
        features=phi,
        radius=norm,
    )


def _structure(features: ArrayLike | None, radius: float | None, shape: tuple[int, int]) -> tuple[np.ndarray, float]:
    """Features (S, K, d), d = 0 where there are none, and the bound of the parameter's norm."""
    if features is None:
        if radius is not None:
            raise ValueError("radius: is not allowed without features")
        return np.zeros((*shape, 0)), 0.0
    try:
        phi = np.array(features, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise TypeError(f"features: expected an (S, K, d) array of numbers, got {type(features).__name__}") from None
    if phi.ndim != 3 or phi.shape[:2] != shape or phi.shape[2] < 1:
        raise ValueError(f"features: expected shape {(*shape, 'd')} with d >= 1, got {phi.shape}".replace("'", ""))
    if not np.isfinite(phi).all():
        raise ValueError("features: every entry must be finite")
    largest = math.sqrt(float((phi * phi).sum(axis=-1).max()))
    if largest > 1.0 + 1e-9:
        raise ValueError(f"features: a norm of {largest:g} is not allowed, must be at most 1")
    if radius is None:
        raise ValueError("radius: is missing, must bound the norm of the linear parameter")
    return phi, checks.finite("radius", radius, 0.0)


def _table(source: Any) -> pd.DataFrame:
    """The three columns of a log."""
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        _require_columns(list(source.columns))
        return source[list(COLUMNS)]
    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"source: expected a path or a DataFrame, got {type(source).__name__}")
    path = Path(source)
    if path.suffix not in SUFFIXES:
        raise ValueError(f"source: {path.name!r} is not allowed, must end in {' or '.join(SUFFIXES)}")
    if not path.is_file():
        raise FileNotFoundError(f"source: there is no file {path}")
    if path.stat().st_size == 0:
        raise ValueError(f"source: {path} is empty, must hold a header and at least one row")
    if path.suffix == ".csv":
        options = {"skipinitialspace": True, "low_memory": False}  # one type a column, whatever its length
        first = _read(pd.read_csv, path, header=None, nrows=1, dtype=str, keep_default_na=False, **options)
        _require_columns(first.iloc[0].tolist())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)
                # every column: only then are long rows refused; no index: else a comma at their end shifts all columns
                return _read(pd.read_csv, path, index_col=False, **options)[list(COLUMNS)]
        except pd.errors.ParserWarning:
            raise ValueError(f"source: {path} cannot be read as a .csv table (rows longer than the header)") from None
    from pyarrow import parquet

    _require_columns(_read(parquet.read_schema, path).names)
    return _read(pd.read_parquet, path, columns=list(COLUMNS))


def _read(reader: Callable[..., Any], path: Path, **options: Any) -> Any:
    """What the reader makes of the file, or one line saying that it cannot."""
    try:
        return reader(path, **options)
    except (ValueError, NotImplementedError, OSError) as error:
        reason = str(error).strip().replace("\n", " ")
        raise ValueError(f"source: {path} cannot be read as a {path.suffix} table ({reason})") from None


def _require_columns(found: list[Any]) -> None:
    for name in COLUMNS:
        if found.count(name) != 1:
            what = "there is no such column" if name not in found else "there are several such columns"
            raise ValueError(f"{name}: {what}, found {', '.join(map(str, found)) or 'none'}")


def _numbers(table: pd.DataFrame, name: str) -> np.ndarray:
    """A column as float64, NaN for what is no number."""
    import pandas as pd

    column = table[name]
    if column.dtype.kind in "cmM" or isinstance(column.dtype, pd.PeriodDtype):
        raise ValueError(f"{name}: a column of type {column.dtype} is not allowed, must be real numbers")
    if column.dtype == object:
        column = column.map(_real)
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=math.nan)


def _real(value: Any) -> Any:
    """An entry; NaN for a number that no float holds."""
    large = isinstance(value, int) and abs(value) > sys.float_info.max
    return math.nan if large or isinstance(value, complex | np.complexfloating) else value


def _integers(table: pd.DataFrame, name: str, size: int) -> np.ndarray:
    """A column of integers in [0, size)."""
    values = _numbers(table, name)
    wrong = ~((values >= 0.0) & (values < size) & (values == np.floor(values)))
    if wrong.any():
        _refuse(table, name, wrong, f"an integer from 0 to {size - 1}")
    return values.astype(np.int64)


def _refuse(table: pd.DataFrame, name: str, wrong: np.ndarray, allowed: str) -> None:
    """Name the first wrong entry of a column, in one line."""
    i = int(wrong.argmax())
    value = table[name].iloc[i]
    if isinstance(value, int) and value.bit_length() > 64:
        shown = f"an integer of {value.bit_length()} bits"
    else:
        shown = repr(value) if isinstance(value, str) else str(value)
    raise ValueError(f"row {i + 1}, {name}: {shown} is not allowed, must be {allowed}")
