"""Multi-armed bandits with a reference policy: instances, bounds and algorithms."""

from banditlab.bandits.kl_ucb import kl_ucb
from banditlab.bandits.problem import Bandit, bandit

ALGORITHMS = {"kl_ucb": kl_ucb}
"""Every algorithm of the family, by name."""

__all__ = ["ALGORITHMS", "Bandit", "bandit", *ALGORITHMS]
