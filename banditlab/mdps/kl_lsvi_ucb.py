"""KL-LSVI-UCB: optimistic least-squares value iteration with soft backups (arXiv:2502.07460)."""

from __future__ import annotations

from banditlab.mdps.lsvi import LSVI, optimistic
from banditlab.mdps.problem import MDP


def kl_lsvi_ucb(
    problem: MDP, rounds: int, *, scale: float | None = None, lam: float = 0.1, growth: float = 1.0
) -> LSVI:
    """KL-LSVI-UCB: the optimal regularized policy of optimistic least-squares action values.

    At stage h, Q_h = phi' w_h + beta_h |phi|_{Lambda^{-1}}, clipped to [0, H - h], with w_h the ridge regression of
    r + V_{h+1}(s'), V = log E_{a ~ pi_ref} exp(eta Q) / eta; the policy is pi_ref exp(eta Q) / Z, and
    beta_h = (H - h) scale.

    Parameters
    ----------
    problem : MDP
        Linear, or tabular: then every pair (s, a) is a feature. At eta = inf it is `lsvi_ucb`.
    rounds : int
        Unused: the rule is anytime.
    scale : float, optional
        Practical width >= 0, by default 0.3 + sqrt(lam d).
    lam : float
        Ridge >= 1e-6.
    growth : float
        The plan is made anew when det Lambda has grown by this factor at a stage; 1: every episode.

    Returns
    -------
    LSVI
        Fresh learner; an episode costs O(H (S A d + d S + d^2)).

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    Reconstructed. Where |phi' w - r - P V| <= b at all pairs, b the bonus, an episode loses at most the expected sum of
    2 b, and at most (eta / 2) E sum_h U_h^2 with U_h = min(H - h, 2 b_h + E U_{h+1}): regret is logarithmic in K
    and linear in eta, until eta is of order sqrt(K).

    References
    ----------
    Zhao, Ye, Xiong, Gu and Zhang 2025, ICML, arXiv:2502.07460.
    """
    return optimistic(problem, problem.eta, scale, lam, growth)
