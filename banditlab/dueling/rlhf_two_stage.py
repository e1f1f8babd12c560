"""Two-stage mixed sampling for RLHF (Zhao, Ye, Gu and Zhang 2025, arXiv:2411.04625)."""

from __future__ import annotations

import math

from banditlab import checks
from banditlab.dueling.problem import Dueling
from banditlab.dueling.rlhf import FROZEN, RLHF, fresh


def rlhf_two_stage(problem: Dueling, rounds: int, *, share: float = 0.5, lam: float | None = None) -> RLHF:
    """The reference against itself for a share of the rounds, then the Gibbs policy of their fit against itself.

    In the first m = ceil(share rounds) rounds both arms are independent draws of the reference, in the others of pi_0,
    the main policy at the end of that stage, which stays as it is. The main policy is the Gibbs policy of the last fit
    of all comparisons so far. Rewards are estimated by regularized maximum likelihood and projected into their known
    range.

    Parameters
    ----------
    problem : Dueling
        Bradley-Terry, tabular or linear. Read are features, reference, eta, and the known range: `span` without
        features, `radius` with.
    rounds : int
        T.
    share : float
        In (0, 1).
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
    lemma). The number of comparisons for a gap epsilon is of the order eta^2 D^2 e^R in the first stage and
    (eta / epsilon) e^R in the second, D^2 the coverage of the reference, at most 1 / min ref in tables, R the range of
    rewards: additive in the coverage. With m below about eta^2 / min ref the second stage may lock in on a policy that
    never compares the best arm, and end behind offline learning.

    References
    ----------
    Zhao, Ye, Gu and Zhang 2025, NeurIPS, arXiv:2411.04625. Reconstructed.
    """
    share = checks.finite("share", share, 0.0, 1.0, closed=False)
    if share == 1.0:
        raise ValueError("share: 1 is not allowed, must be in (0, 1)")
    return fresh(problem, "rlhf_two_stage", FROZEN, lam, stage=math.ceil(share * rounds))
