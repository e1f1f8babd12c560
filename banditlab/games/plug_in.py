"""The plug-in of offline Markov games: the equilibrium of the estimated game, without pessimism (arXiv:2604.06738)."""

from __future__ import annotations

import numpy as np

from banditlab import checks
from banditlab.games.plays import Plays


def plug_in(dataset: Plays, *, unseen: float = 0.0, lam: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """The equilibrium of the least-squares game, regularized where the problem is.

    Parameters
    ----------
    dataset : Plays
    unseen : float
        In [0, 1]: the action value, as a share of H - h, where no transition was seen (without features).
    lam : float
        Ridge > 0, where the game has features.

    Returns
    -------
    row, column : (H, S, A), (H, S, B) arrays

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    Where all cells are seen, which at finite eta is what unilateral coverage of the equilibrium means as it has full
    support, the duality gap falls like eta / n at finite eta and like n^{-1/2} at eta = inf. Without KL unilateral
    coverage is not enough: a cell that was not seen may tie, at the value `unseen`, with the equilibrium's.

    References
    ----------
    Beyond Pessimism: Offline Learning in KL-regularized Games 2026, arXiv:2604.06738; reconstructed from the abstract.
    """
    lam = checks.finite("lam", lam, 0.0, closed=False)
    fit = dataset.iterate(np.zeros(dataset.total.shape), unseen=unseen, lam=lam)
    return fit.row, fit.column
