"""Offline RLHF without pessimism: maximum likelihood, then the Gibbs policy; in tables it is DPO."""

from __future__ import annotations

from banditlab import checks
from banditlab.contextual.dataset import Fitted
from banditlab.dueling.comparisons import Comparisons


def bt_greedy(dataset: Comparisons, *, lam: float = 0.1) -> Fitted:
    """Greedy offline RLHF: the Gibbs policy of the Bradley-Terry maximum-likelihood rewards.

    Parameters
    ----------
    dataset : Comparisons
        With Bradley-Terry preferences.
    lam : float
        Ridge > 0 of the fit.

    Returns
    -------
    (X, K) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range or general preferences.

    Notes
    -----
    With an unrestricted softmax policy the minimiser of the DPO loss is this policy, without ridge and projection. With
    u the error of the rewards its gap is at most (eta / 8) E_x (max u - min u)^2, always. Rewards are projected into
    their known range.

    References
    ----------
    Rafailov et al. 2023, arXiv:2305.18290 (DPO). Xiong et al. 2024, ICML, arXiv:2312.11456.
    """
    lam = checks.finite("lam", lam, 0.0, closed=False)
    dataset.require_rewards("bt_greedy")
    return dataset.optimal(dataset.rewards(dataset.estimated(lam)))
