"""Greedy sampling for Nash learning: both answers from the plug-in Nash policy (Wu et al. 2025, arXiv:2510.24700)."""

from __future__ import annotations

from banditlab.dueling.nash import GREEDY, NashLearner, nash_learner
from banditlab.dueling.problem import Dueling


def nash_greedy(problem: Dueling, rounds: int) -> NashLearner:
    """Greedy sampling: both arms are independent draws of the KL-Nash policy of the estimated preferences.

    A pair with N comparisons of which a won W has the estimate (W + 1/2) / (N + 1).

    Parameters
    ----------
    problem : Dueling
        General preferences at finite eta. Read are reference and eta.
    rounds : int
        Unused: the rule is anytime.

    Returns
    -------
    NashLearner
        Fresh learner; a round costs O(K), and fits, of O(K^3) a Newton step, are at most about fifteen for each
        doubling of a context's comparisons after two hundred.

    Raises
    ------
    ValueError
        In one line, for Bradley-Terry preferences or eta = inf.

    Notes
    -----
    With D = (P - estimate) pi the gap of the main policy pi is at most eta E_x (max D - min D)^2 / 8 at every fit. On a
    cycle the policy stays mixed at any eta, so that informative pairs keep coming. Bradley-Terry preferences are
    refused: their KL-Nash policy is not the Gibbs policy of their rewards, of which the gap there would be.

    References
    ----------
    Wu, Shi, Yang and Shen, NeurIPS 2025, arXiv:2510.24700. Reconstructed.
    """
    return nash_learner(problem, "nash_greedy", GREEDY)
