"""Hybrid RLHF: offline comparisons first, then the plug-in policy against the reference (arXiv:2312.11456)."""

from __future__ import annotations

import math

from banditlab import checks
from banditlab.dueling.problem import Dueling
from banditlab.dueling.rlhf import REFERENCE, RLHF, fresh


def rlhf_hybrid(problem: Dueling, rounds: int, *, share: float = 0.5, lam: float | None = None) -> RLHF:
    """Offline comparisons for a share of the rounds, then the Gibbs policy of all of them against the reference.

    In the first ceil(share rounds) rounds both arms are independent draws of the problem's behaviour policy, as in an
    offline dataset. Afterwards one is a draw of the main policy, the other of the reference. The main policy is at all
    times that of the rewards estimated from all comparisons so far, by regularized maximum likelihood, projected into
    the range known of them.

    Parameters
    ----------
    problem : Dueling
        Bradley-Terry, tabular or linear. Read are features, reference, behaviour, eta, and the known range: `span`
        without features, `radius` with.
    rounds : int
        T.
    share : float
        In (0, 1]; 1 is offline learning throughout.
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
    lemma). Offline comparisons count as rounds, and their regret is that of the policy that they would give: so schemes
    meet at equal numbers of comparisons.

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456, hybrid learning. Reconstructed.
    """
    share = checks.finite("share", share, 0.0, 1.0, closed=False)
    return fresh(problem, "rlhf_hybrid", REFERENCE, lam, stage=math.ceil(share * rounds), source=problem.behaviour)
