"""Online Nash learning with an exploring rival, the enhancer (Ye et al. 2024, arXiv:2402.07314)."""

from __future__ import annotations

from banditlab import checks
from banditlab.dueling.nash import ENHANCER, NashLearner, nash_learner
from banditlab.dueling.problem import Dueling


def nash_enhancer(problem: Dueling, rounds: int, *, scale: float = 1.0) -> NashLearner:
    """The KL-Nash policy of the estimated preferences against the most uncertain policy that is not far from it.

    The rival q of the main policy pi maximises pi' b q under KL(q || pi) <= eta pi' b q, where a pair with N
    comparisons of which a won W has the estimate (W + 1/2) / (N + 1) and the width
    b = scale / sqrt(N) + 1 / (2 (N + 1)), at most 1/2 + |estimate - 1/2|.

    Parameters
    ----------
    problem : Dueling
        General preferences at finite eta. Read are reference and eta.
    rounds : int
        Unused: the rule is anytime.
    scale : float
        Factor >= 0.

    Returns
    -------
    NashLearner
        Fresh learner; a round costs O(K), and fits, of O(K^3) a Newton step, are at most about fifteen for each
        doubling of a context's comparisons after two hundred.

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, Bradley-Terry preferences or eta = inf.

    Notes
    -----
    The gap has the certificate of `nash_greedy`. The rival is pi exp(s b' pi) / Z with the largest s that the
    constraint allows, at most 10^6 eta; it is computed at fits, and is the reference before the first. In place of
    the paper's batches both policies change at fits.

    References
    ----------
    Ye, Xiong, Zhang, Jiang and Zhang 2024, arXiv:2402.07314. Reconstructed.
    """
    return nash_learner(problem, "nash_enhancer", ENHANCER, checks.finite("scale", scale, 0.0))
