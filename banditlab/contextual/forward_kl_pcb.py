"""Forward-KL-PCB: the forward-KL optimum of pessimistic rewards (Zhao et al. 2026, arXiv:2605.09214)."""

from __future__ import annotations

from banditlab.contextual import bounds
from banditlab.contextual.dataset import Dataset, Fitted


def forward_kl_pcb(dataset: Dataset, *, scale: float = 0.5, delta: float = 0.05) -> Fitted:
    """Forward-KL-regularized pessimistic contextual bandit: the optimal policy of lower confidence bounds.

    The lower bounds are those of `kl_pcb`; the policy is pi_ref / (eta (nu - lower)), nu such that it sums to one.

    Parameters
    ----------
    dataset : Dataset
        Under the regularizer forward_kl.
    scale : float
        Factor >= 0 of the width: 1 is the theorem, 0.3 to 0.5 practical.
    delta : float
        Failure probability in (0, 1].

    Returns
    -------
    (S, K) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range or another regularizer than forward_kl.

    Notes
    -----
    Reconstructed for tables.

    References
    ----------
    Zhao, Ji, Zhao and Gu 2026, arXiv:2605.09214.
    """
    dataset.require_regularizer("forward_kl_pcb", "forward_kl")
    return dataset.optimal(dataset.lower(scale, delta))


forward_kl_pcb.bound = bounds.forward_kl_pcb  # type: ignore[attr-defined]
forward_kl_pcb.law = bounds.law_pessimistic  # type: ignore[attr-defined]
