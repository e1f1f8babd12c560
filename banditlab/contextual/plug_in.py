"""The plug-in policy: optimal for the empirical means (certainty equivalence)."""

from __future__ import annotations

from banditlab import checks
from banditlab.contextual import bounds
from banditlab.contextual.dataset import Dataset, Fitted


def plug_in(dataset: Dataset, *, unseen: float = 0.5) -> Fitted:
    """Plug-in: the policy that is optimal for the empirical means, under the problem's own regularizer.

    Parameters
    ----------
    dataset : Dataset
    unseen : float
        Estimate of the reward of a pair without samples.

    Returns
    -------
    (S, K) array

    Raises
    ------
    ValueError, TypeError
        In one line, for `unseen` not a finite number.

    Notes
    -----
    Its mean suboptimality falls like `bounds.law_plug_in` where every arm is sampled; where an arm is rare it need
    not fall at all (`instances.rare_junk`).

    References
    ----------
    Zhao, Ji, Zhao, Zhang and Gu, ICLR 2026, arXiv:2502.06051, for its failure and its remedies `kl_pcb` and `f_pcb`.
    """
    return dataset.optimal(dataset.means(checks.finite("unseen", unseen, -float("inf"))))


plug_in.law = bounds.law_plug_in  # type: ignore[attr-defined]
