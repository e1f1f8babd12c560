"""PEVI: pessimistic value iteration on offline data (Jin, Yang and Wang 2021, arXiv:2012.15085)."""

from __future__ import annotations

import math

import numpy as np

from banditlab.mdps.episodes import Episodes
from banditlab.mdps.kl_pevi import kl_pevi


def pevi(dataset: Episodes, *, scale: float = 0.3, lam: float = 0.01) -> np.ndarray:
    """Pessimistic value iteration: greedy on least-squares action values less an elliptic width.

    At stage h, Q_h = phi' w_h - (H - h) scale |phi|_{Lambda^{-1}}, clipped to [0, H - h], with w_h the ridge
    regression of r + max_a Q_{h+1}(s', a), over actions that the reference may take, on all transitions of the stage.

    Parameters
    ----------
    dataset : Episodes
        Linear, or tabular: then every pair (s, a) is a feature.
    scale : float
        Practical width >= 0; the theorem's is of order d sqrt(log(d H n)).
    lam : float
        Ridge > 0.

    Returns
    -------
    (H, S, A) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    Where the widths hold its suboptimality is at most 2 sum_h E_{pi*} of them, whatever else the data cover. The
    policy is greedy also where the problem is regularized; `kl_pevi` is not.

    References
    ----------
    Jin, Yang and Wang 2021, ICML, arXiv:2012.15085, Algorithm 2.
    """
    return kl_pevi(dataset._replace(eta=math.inf), scale=scale, lam=lam)
