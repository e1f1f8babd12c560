"""Online Gibbs sampling from human feedback with the enhancer of the theory (Xiong et al. 2024, arXiv:2312.11456)."""

from __future__ import annotations

from banditlab import checks
from banditlab.dueling.problem import Dueling
from banditlab.dueling.rlhf import EXPLORING, RLHF, fresh


def gshf_online(problem: Dueling, rounds: int, *, scale: float = 4.0, lam: float | None = None) -> RLHF:
    """The Gibbs policy of the estimated rewards against the most uncertain policy that may still be as good.

    Rewards are estimated by regularized maximum likelihood and projected into the range known of them. The first arm is
    drawn from the main policy pi, the second from the policy p of the context with the largest |E_p phi - E_pi phi| in
    the norm of V^{-1} among those with KL(p || pi) <= eta beta |E_p phi - E_pi phi|; V is the ridge and the sum of z z'
    over comparisons, z = phi(a) - phi(b) (in tables phi is a unit vector an arm).

    Parameters
    ----------
    problem : Dueling
        Bradley-Terry, tabular or linear. Read are features, reference, eta, and the known range: `span` without
        features, `radius` with.
    rounds : int
        Unused: the rule is anytime.
    scale : float
        beta in (0, 1e100]; the theorem's is the radius of the confidence set.
    lam : float, optional
        Ridge > 0; by default 0.1 without features, 0.5 with.

    Returns
    -------
    RLHF
        Fresh learner; a round costs O(K^2), with features O(K d + d^2). Fits are at most about fifteen for each
        doubling of the comparisons after two hundred, and after one the second policy of a context met takes O(K^3).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, general preferences, or a known range that is not positive.

    Notes
    -----
    The gap of the main policy is at most (eta / 8) E_x (max d - min d)^2, d = r - r_hat, at every round (Hoeffding's
    lemma). A convex function is maximised over a set that need not be convex, by a search from every arm that climbs
    from tilt to tilt of pi; on random instances of three arms it comes within 2 % of the best of a fine grid. The
    second policy is that of the last fit, with V as the context was met after it.

    The default of beta is about half the practical radius 2 sqrt(2 log T). Much smaller ones lock in at a large eta as
    greedy sampling does (experiment `rlhf_exploration`).

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456, online GSHF. Reconstructed.
    """
    scale = checks.finite("scale", scale, 0.0, 1e100, closed=False)
    return fresh(problem, "gshf_online", EXPLORING, lam, scale=scale)
