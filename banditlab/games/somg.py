"""SOMG: superoptimistic best-response sampling in a regularized Markov game (arXiv:2510.13060)."""

from __future__ import annotations

from banditlab.games.problem import Game
from banditlab.games.superoptimism import Superoptimistic, superoptimistic


def somg(
    problem: Game,
    rounds: int,
    *,
    scale: float = 0.5,
    superoptimism: float = 1.0,
    delta: float = 0.1,
    lam: float = 1.0,
    growth: float = 1.1,
) -> Superoptimistic:
    """SOMG: equilibria of estimated action values, explored by superoptimistic best responses to them.

    Backwards, with r + P V estimated by means, or by ridge regression on features, and L = log(2 S A B H K / delta):
    Q = r + P V in [0, H - h] has the equilibrium (x, y) and value V; Q+ = r + P V+ + b, at most 2 (H - h), has the best
    response x~ to y and its value V+; Q- = r + P V- - b, at least -(H - h), has y~ and V-, where after n visits
    b = scale superoptimism (H - h) sqrt(L / (2 n)), times `Game.width_factor`. Each round is two episodes, x~ against y
    and x against y~.

    Parameters
    ----------
    problem : Game
        Linear, or tabular. At eta = inf equilibria and responses are without KL.
    rounds : int
        K, in the level of the bonus.
    scale : float
        Practical width >= 0; 1 is the theorem's order. Without KL, or nearly, optimism fails on some seeds where it is
        too small (on most at .1, on few at .3): an action valued too low is never tried again, and regret is linear.
    superoptimism : float
        Factor >= 0 of the bonus; 2 or 3 in theory, for the errors of Q and of Q+.
    delta : float
        In (0, 1].
    lam : float
        Ridge >= 1e-6, where the game has features; then b = scale superoptimism (H - h) kappa |phi|, the norm that of
        Lambda^{-1}, kappa = sqrt(d log(3 (1 + 2 K / lam) / delta)) / 2 + sqrt(lam d).
    growth : float
        Plans are made anew when some visits, or det Lambda at some stage, have grown by this factor; 1: every round.

    Returns
    -------
    Superoptimistic
        Fresh learner; a plan costs O(H S^2 A B), or O(H (S A B d + d S + d^2)), and H S equilibria.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    The published ceilings of Q+ grow like H^2, here 2 (H - h) serves. Regret is
    O(min(eta d^3 H^7 log^2(d K / delta), d^{3/2} H^3 sqrt(K) log)).

    References
    ----------
    Nayak, Yang, Yagan, Joshi and Chi 2025, arXiv:2510.13060 (SOMG). Reconstructed.
    """
    return superoptimistic(problem, rounds, scale, superoptimism, delta, lam, growth)
