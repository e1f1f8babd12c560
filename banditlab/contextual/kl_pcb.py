"""KL-PCB: the Gibbs policy on pessimistic rewards (Zhao et al. 2025, arXiv:2502.06051; Ji et al. 2026)."""

from __future__ import annotations

from banditlab.contextual import bounds
from banditlab.contextual.dataset import Dataset, Fitted


def kl_pcb(dataset: Dataset, *, scale: float = 0.5, delta: float = 0.05) -> Fitted:
    """KL-regularized pessimistic contextual bandit: the Gibbs policy on lower confidence bounds.

    With N samples of a pair the lower bound is max(floor, mean - scale sigma sqrt(2 L / N)), L = log(2 S K / delta);
    sigma = 1/2 for rewards in [0, 1], which is Hoeffding's width. A pair without samples gets the floor.

    Parameters
    ----------
    dataset : Dataset
        Under the regularizer KL.
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
        In one line, for a parameter out of range or another regularizer than KL.

    Notes
    -----
    Reconstructed for tables; the papers treat general function classes, and the constants of `bounds.certificate` are
    this package's.

    References
    ----------
    Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026, arXiv:2502.06051. Ji, Di, Zhao, Zhao and Gu 2026, arXiv:2605.02141.
    """
    dataset.require_regularizer("kl_pcb", "kl")
    return dataset.optimal(dataset.lower(scale, delta))


kl_pcb.bound = bounds.kl_pcb  # type: ignore[attr-defined]
kl_pcb.law = bounds.law_kl_pcb  # type: ignore[attr-defined]
