"""Nash learning with the reference as rival: one answer from the plug-in Nash policy, one from pi_ref."""

from __future__ import annotations

from banditlab.dueling.nash import MIXED, NashLearner, nash_learner
from banditlab.dueling.problem import Dueling


def nash_mixed(problem: Dueling, rounds: int) -> NashLearner:
    """The KL-Nash policy of the estimated preferences against the reference, from which the second arm is drawn.

    A pair with N comparisons of which a won W has the estimate (W + 1/2) / (N + 1). The main policy is that of the
    first arm.

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
    The gap has the certificate of `nash_greedy`, (eta / 8) range(D)^2 with D_a = sum_b (P - P_hat)(a, b) pi(b). So what
    counts is each arm a against draws b of the main policy, which this rival compares as often as the reference has a.

    References
    ----------
    Ye, Xiong, Zhang, Jiang and Zhang 2024, arXiv:2402.07314. Reconstructed.
    """
    return nash_learner(problem, "nash_mixed", MIXED)
