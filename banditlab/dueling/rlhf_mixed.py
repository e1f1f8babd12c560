"""RLHF with the reference as rival: one answer from the plug-in policy, one from pi_ref (arXiv:2312.11456)."""

from __future__ import annotations

from banditlab.dueling.problem import Dueling
from banditlab.dueling.rlhf import REFERENCE, RLHF, fresh


def rlhf_mixed(problem: Dueling, rounds: int, *, lam: float | None = None) -> RLHF:
    """The Gibbs policy of the estimated rewards against the reference, from which the second arm is drawn.

    Rewards are estimated by regularized maximum likelihood and projected into the range known of them. The main policy
    is that of the first arm.

    Parameters
    ----------
    problem : Dueling
        Bradley-Terry, tabular or linear. Read are features, reference, eta, and the known range: `span` without
        features, `radius` with.
    rounds : int
        Unused: the rule is anytime.
    lam : float, optional
        Ridge > 0; by default 0.1 without features, 0.5 with.

    Returns
    -------
    RLHF
        Fresh learner; a round costs O(K^2), with features O(K d + d^2), and fits are at most about fifteen for
        each doubling of the comparisons after two hundred (of a context's comparisons without features).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, general preferences, or a known range that is not positive.

    Notes
    -----
    The gap of the main policy is at most (eta / 8) E_x (max d - min d)^2, d = r - r_hat, at every round (Hoeffding's
    lemma). The rival keeps trying every arm, which greedy sampling does not; it is the online half of hybrid learning,
    whose guarantee needs the reference to cover the optimum together with the offline data.

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456. Reconstructed.
    """
    return fresh(problem, "rlhf_mixed", REFERENCE, lam)
