"""KL-PCB over a finite class of reward tables: the Gibbs policy on the least plausible rewards (arXiv:2502.06051)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from banditlab import checks
from banditlab.contextual.dataset import Dataset, Fitted
from banditlab.contextual.finite_class import finite_class


def kl_finite_pcb(
    dataset: Dataset, *, models: ArrayLike | None = None, scale: float = 1.0, delta: float = 0.05
) -> Fitted:
    """KL-regularized pessimism over a finite class: the Gibbs policy on the minimum of the plausible reward tables.

    Table f has the squared loss sum N (mean - f)^2. Plausible are the tables whose loss is within
    scale 2 sigma^2 log(M / delta) of the least; a pair's estimate is its least value among them, not below the floor.

    Parameters
    ----------
    dataset : Dataset
        Under the regularizer KL.
    models : (M, S, K) array_like, optional
        The class of tables, M >= 1. By default 256 tables, drawn once and for all uniformly between floor and ceiling.
    scale : float
        Factor >= 0 of the loss allowed; with 1 a table that is the truth stays plausible with probability at least
        1 - delta.
    delta : float
        Failure probability in (0, 1].

    Returns
    -------
    (S, K) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range or of the wrong shape, or another regularizer than KL.

    Notes
    -----
    Reconstructed; the paper states no constants. For a table f and the truth r let g = f - r at the samples and
    epsilon the noises. Then loss(r) - loss(f) = sum (2 epsilon g - g^2), whose moment generating function at
    1 / (2 sigma^2) is at most 1; so it exceeds 2 sigma^2 log(M / delta) with probability at most delta / M, and a
    union over the class bounds the probability that the truth is dropped.

    The guarantee assumes that the class contains the truth. The default class is built without knowing it, so that its
    suboptimality need not fall to zero.

    References
    ----------
    Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026, arXiv:2502.06051.
    """
    scale = checks.finite("scale", scale, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    dataset.require_regularizer("kl_finite_pcb", "kl")
    kept = plausible(dataset, finite_class(dataset, models), scale, delta)
    return dataset.optimal(np.maximum(kept.min(axis=0), dataset.floor))


def plausible(dataset: Dataset, tables: np.ndarray, scale: float, delta: float) -> np.ndarray:
    """The version space: those of the tables (M, S, K) whose squared loss is within the allowance of the least."""
    error = tables - dataset.means(0.0)
    loss = np.einsum("isa,sa,isa->i", error, dataset.counts, error)
    allowed = scale * 2.0 * dataset.sigma * dataset.sigma * math.log(loss.size / delta)
    return tables[loss - loss.min() <= allowed]
