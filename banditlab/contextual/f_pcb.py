"""f-PCB: the optimal policy of offline estimates under any f-divergence (Zhao et al. 2025, arXiv:2502.06051)."""

from __future__ import annotations

import math

from banditlab import checks
from banditlab.contextual import bounds
from banditlab.contextual.dataset import Dataset, Fitted


def f_pcb(dataset: Dataset, *, scale: float = 0.0, delta: float = 0.05, unseen: float = 0.5) -> Fitted:
    """f-divergence-regularized contextual bandit: the optimal policy of empirical means or of their lower bounds.

    Under a strongly convex f (``chi2``, ``kl_chi2``) no pessimism is needed: a gap is at most
    (eta / 2) E_ref[(estimate - r)^2], whatever the coverage of the optimum.

    Parameters
    ----------
    dataset : Dataset
        Under any regularizer.
    scale : float
        Factor >= 0 of the confidence width. With 0 the estimates are the empirical means, `unseen` where there is no
        sample; else the lower bounds of `kl_pcb`, which are the floor where there is no sample.
    delta : float
        Failure probability in (0, 1]; read where scale > 0.
    unseen : float
        Estimate of the reward of a pair without samples; read where scale = 0.

    Returns
    -------
    (S, K) array

    Raises
    ------
    ValueError, TypeError
        In one line, for a parameter out of range.

    Notes
    -----
    Reconstructed for tables; the paper treats general function classes.

    References
    ----------
    Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026, arXiv:2502.06051.
    """
    scale = checks.finite("scale", scale, 0.0)
    delta = checks.finite("delta", delta, 0.0, 1.0, closed=False)
    unseen = checks.finite("unseen", unseen, -math.inf)
    return dataset.optimal(dataset.lower(scale, delta) if scale > 0.0 else dataset.means(unseen))


f_pcb.bound = bounds.f_pcb  # type: ignore[attr-defined]
f_pcb.law = bounds.law_f_pcb  # type: ignore[attr-defined]
