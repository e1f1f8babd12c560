"""LinPEVI-ADV: pessimism without the price of uniform concentration (Xiong et al. 2023, arXiv:2205.15512)."""

from __future__ import annotations

import numpy as np

from banditlab.mdps.episodes import Episodes
from banditlab.mdps.kl_pevi import kl_pevi


def linpevi_adv(dataset: Episodes, *, scale: float = 0.1, lam: float = 1.0) -> np.ndarray:
    """Pessimistic value iteration with the width of a reference-advantage decomposition.

    With r + P V = (r + P V_ref) + P (V - V_ref), the first term needs no bound over all V, which would widen it by
    sqrt(d), and the second is small. Ridge regression is linear in its target, so the sum of the two estimates is that
    of `pevi` whatever V_ref, and only the width differs: (H - h) scale |phi|_{Lambda^{-1}}, where `pevi` is to be
    given sqrt(d) times the scale, and the same ridge.

    Parameters
    ----------
    dataset : Episodes
        Linear, or tabular.
    scale : float
        Practical width >= 0.
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
    Reconstructed. The width of P (V - V_ref), of lower order in n, is left out, so that V_ref is not needed: nothing is
    split off and all episodes are used. Backups are soft at finite eta.

    References
    ----------
    Xiong, Zhong, Shi, Shen, Wang and Zhang 2023, ICLR, arXiv:2205.15512, Algorithm 1.
    """
    return kl_pevi(dataset, scale=scale, lam=lam)
