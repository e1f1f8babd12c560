"""KL-PMVI: regularized equilibria of pessimistic action values, offline (with KL, after arXiv:2202.07511)."""

from __future__ import annotations

import numpy as np

from banditlab.games.plays import GameFit, Plays, game_widths


def kl_pmvi(
    dataset: Plays, *, scale: float = 0.5, delta: float = 0.1, lam: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """KL-PMVI: each player's regularized equilibrium policy under action values that are pessimistic for it.

    As `pmvi`, with the regularized equilibrium and value of every stage; at eta = inf it is `pmvi`.

    Parameters
    ----------
    dataset : Plays
    scale : float
        Practical width >= 0.
    delta : float
        In (0, 1].
    lam : float
        Ridge > 0, where the game has features.

    Returns
    -------
    row, column : (H, S, A), (H, S, B) arrays

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    References
    ----------
    Zhong, Xiong, Tan, Wang, Zhang, Wang and Yang 2022, ICML, arXiv:2202.07511, for the widths; the regularized form is
    derived for this package.
    """
    low, high = brackets(dataset, scale, delta, lam)
    return low.row, high.column


def brackets(dataset: Plays, scale: float, delta: float, lam: float) -> tuple[GameFit, GameFit]:
    """Value iteration with the widths taken off, and with them added; arguments as of `kl_pmvi`."""
    width = game_widths(dataset, scale, delta, lam)
    return (
        dataset.iterate(-width, unseen=0.0, lam=lam),
        dataset.iterate(width, unseen=1.0, lam=lam),
    )
