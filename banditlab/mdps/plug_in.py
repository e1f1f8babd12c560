"""Least-squares value iteration on offline data without pessimism."""

from __future__ import annotations

import numpy as np

from banditlab.mdps.episodes import Episodes
from banditlab.mdps.kl_pevi import kl_pevi


def plug_in(dataset: Episodes, *, lam: float = 0.01) -> np.ndarray:
    """The optimal policy of least-squares action values, regularized where the problem is.

    Parameters
    ----------
    dataset : Episodes
        Linear, or tabular: then every pair (s, a) is a feature.
    lam : float
        Ridge > 0.

    Returns
    -------
    (H, S, A) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    References
    ----------
    Jin, Yang and Wang 2021, ICML, arXiv:2012.15085, without the penalty.
    """
    return kl_pevi(dataset, scale=0.0, lam=lam)
