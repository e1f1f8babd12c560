"""Greedy sampling for RLHF: both answers from the plug-in policy (Wu, Shi, Yang and Shen 2025, arXiv:2510.24700)."""

from __future__ import annotations

from banditlab.dueling.problem import Dueling
from banditlab.dueling.rlhf import RLHF, SELF, fresh


def rlhf_greedy(problem: Dueling, rounds: int, *, lam: float | None = None, projected: bool = True) -> RLHF:
    """Greedy sampling: both arms are independent draws of the Gibbs policy of the estimated rewards.

    Rewards are estimated by regularized maximum likelihood and projected into the range known of them. The main policy
    is the one compared with itself.

    Parameters
    ----------
    problem : Dueling
        Bradley-Terry, tabular or linear. Read are features, reference, eta, and the known range: `span` without
        features, `radius` with.
    rounds : int
        Unused: the rule is anytime.
    lam : float, optional
        Ridge > 0; by default 0.1 without features, 0.5 with.
    projected : bool
        Whether the known range is imposed.

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
    lemma). Where eta times the range of rewards is large the policy soon is nearly deterministic and compares an arm
    with itself, which tells nothing: regret is logarithmic with a constant that is exponential in that product.
    Without the projection it may stay so for ever, and at eta = inf it never compares two arms at all.

    References
    ----------
    Wu, Shi, Yang and Shen, NeurIPS 2025, arXiv:2510.24700; Xiong et al. 2024, ICML, arXiv:2312.11456. Reconstructed.
    """
    return fresh(problem, "rlhf_greedy", SELF, lam, projected=bool(projected))
