"""OMG: optimistic best-response sampling in a regularized matrix game with bandit feedback (arXiv:2510.13060)."""

from __future__ import annotations

from banditlab.games.problem import Game
from banditlab.games.superoptimism import Superoptimistic, superoptimistic


def omg(
    problem: Game, rounds: int, *, scale: float = 0.5, delta: float = 0.1, lam: float = 1.0, growth: float = 1.1
) -> Superoptimistic:
    """OMG: equilibria of estimated payoffs, explored by optimistic best responses to them.

    With mean payoffs A_hat and a bonus b, (x, y) is the equilibrium of A_hat, x~ the best response to y under
    A_hat + b, y~ that to x under A_hat - b; each round plays x~ against y and x against y~. After n plays of a cell
    b = scale sqrt(L / (2 n)), L = log(2 A B T / delta); with features b = scale kappa |phi|, the norm that of
    Lambda^{-1}, kappa = sqrt(d log(3 (1 + 2 T / lam) / delta)) / 2 + sqrt(lam d). Both are for payoffs of spread 1/2 at
    most, and are multiplied by `Game.width_factor`.

    Parameters
    ----------
    problem : Game
        One state and one stage, such as `matrix` makes. At eta = inf equilibria are without KL.
    rounds : int
        T, in the level of the bonus; a round has two plays.
    scale : float
        Practical width >= 0; 1 is the theorem's order. See `somg` for what happens where it is too small.
    delta : float
        In (0, 1].
    lam : float
        Ridge >= 1e-6, where the game has features.
    growth : float
        The equilibrium is solved anew when the plays of some cell, or the determinant of Lambda, have grown by this
        factor; 1: every round, as in the paper.

    Returns
    -------
    Superoptimistic
        Fresh learner.

    Raises
    ------
    ValueError, TypeError
        In one line, for a game of several states or stages, or a parameter out of range.

    Notes
    -----
    Regret is O(min(eta d^2 log^2(T / delta), d sqrt(T) log(T / delta))), d = A B without features. A
    cell without plays counts as 1/2, 2 and -1 for A_hat, A_hat + b and A_hat - b. At small eta, with uniform references
    and without features, an e-fold of rounds costs eta sigma^2 (A + B - 2) / 4, sigma the payoffs' spread (derived for
    this package).

    References
    ----------
    Nayak, Yang, Yagan, Joshi and Chi 2025, arXiv:2510.13060 (OMG). Reconstructed.
    """
    if problem.reward.shape[:2] != (1, 1):
        H, S = problem.reward.shape[:2]
        raise ValueError(f"problem: H = {H}, S = {S} is not allowed, OMG plays matrix games; SOMG plays Markov games")
    return superoptimistic(problem, rounds, scale, 1.0, delta, lam, growth)
