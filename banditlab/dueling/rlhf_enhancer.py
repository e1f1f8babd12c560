"""RLHF with an exploring rival: the enhancer of online GSHF in its practical form (arXiv:2312.11456)."""

from __future__ import annotations

from banditlab import checks
from banditlab.dueling.problem import Dueling
from banditlab.dueling.rlhf import RLHF, UNCERTAIN, fresh


def rlhf_enhancer(problem: Dueling, rounds: int, *, widths: float = 2.0, lam: float | None = None) -> RLHF:
    """The Gibbs policy of the estimated rewards against the arm that is most uncertain beside the one it drew.

    Rewards are estimated by regularized maximum likelihood and projected into the range known of them. The first arm a
    is a draw of the main policy. The second has the largest |z|, z = phi(a) - phi(b), in the norm of the inverse
    Hessian, among the arms that may be nearly as likely: r_hat(b) + log ref(b) / eta + widths |z| at least
    r_hat(a) + log ref(a) / eta - 1 / eta. Where there is none it is a, and the round is lost.

    Parameters
    ----------
    problem : Dueling
        Bradley-Terry, tabular or linear. Read are features, reference, eta, and the known range: `span` without
        features, `radius` with.
    rounds : int
        Unused: the rule is anytime.
    widths : float
        Standard errors > 0 by which the reward of the second arm may exceed its estimate, against that of the first.
    lam : float, optional
        Ridge > 0; by default 0.1 without features, 0.5 with.

    Returns
    -------
    RLHF
        Fresh learner; a round costs O(K^2), with features O(K d^2), and fits are at most about fifteen for each
        doubling of the comparisons after two hundred (of a context's comparisons without features).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range, general preferences, or a known range that is not positive.

    Notes
    -----
    The gap of the main policy is at most (eta / 8) E_x (max d - min d)^2, d = r - r_hat, at every round (Hoeffding's
    lemma). The second arm depends on the first, while a round's two distributions are drawn from independently: so
    `duel` draws the first arm from the learner's own stream and writes two point masses, and regrets of the arms
    compared are those of that draw. The Hessian is that of the last fit. Of arms equally uncertain the lowest is taken.
    With `widths` = 2 a poor arm that is rare under the reference (`rare_bad`) costs more than with the reference as
    rival, with 5 it does not.

    References
    ----------
    Xiong et al. 2024, ICML, arXiv:2312.11456, for online GSHF; this form of its enhancer is reconstructed.
    """
    widths = checks.finite("widths", widths, 0.0, closed=False)
    return fresh(problem, "rlhf_enhancer", UNCERTAIN, lam, scale=widths)
