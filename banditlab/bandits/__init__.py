"""Multi-armed bandits with a reference policy: instances, bounds and algorithms."""

from banditlab.bandits import bounds
from banditlab.bandits.as_policy import as_policy
from banditlab.bandits.conservative import conservative
from banditlab.bandits.corrupted import corrupted
from banditlab.bandits.delayed import delayed
from banditlab.bandits.exp3 import exp3
from banditlab.bandits.feel_good_thompson import feel_good_thompson
from banditlab.bandits.imed import imed
from banditlab.bandits.instances import (
    bernoulli,
    beta,
    classic,
    gaussian,
    hard_minimax,
    hard_multiscale,
    hard_smooth,
    linear_means,
    random,
    textbook,
)
from banditlab.bandits.kl_batched import kl_batched
from banditlab.bandits.kl_eps_greedy import kl_eps_greedy
from banditlab.bandits.kl_explore_then_commit import kl_explore_then_commit
from banditlab.bandits.kl_greedy import kl_greedy
from banditlab.bandits.kl_index_ucb import kl_index_ucb
from banditlab.bandits.kl_mirror_descent import kl_mirror_descent
from banditlab.bandits.kl_robust_ucb import kl_robust_ucb
from banditlab.bandits.kl_thompson import kl_thompson
from banditlab.bandits.kl_ucb import kl_ucb
from banditlab.bandits.moss import moss
from banditlab.bandits.problem import Bandit, bandit
from banditlab.bandits.thompson_beta import thompson_beta
from banditlab.bandits.ucb1 import ucb1

ALGORITHMS = {
    "kl_ucb": kl_ucb,
    "kl_greedy": kl_greedy,
    "kl_explore_then_commit": kl_explore_then_commit,
    "kl_eps_greedy": kl_eps_greedy,
    "kl_thompson": kl_thompson,
    "kl_mirror_descent": kl_mirror_descent,
    "kl_batched": kl_batched,
    "kl_robust_ucb": kl_robust_ucb,
    "feel_good_thompson": feel_good_thompson,
    "ucb1": ucb1,
    "moss": moss,
    "kl_index_ucb": kl_index_ucb,
    "thompson_beta": thompson_beta,
    "imed": imed,
    "exp3": exp3,
    "delayed": delayed,
    "conservative": conservative,
    "corrupted": corrupted,
}
"""Every algorithm of the family, by name."""

INSTANCES = {
    "bernoulli": bernoulli,
    "gaussian": gaussian,
    "beta": beta,
    "textbook": textbook,
    "classic": classic,
    "linear_means": linear_means,
    "random": random,
    "hard_minimax": hard_minimax,
    "hard_multiscale": hard_multiscale,
    "hard_smooth": hard_smooth,
}
"""Every named instance of the family."""

__all__ = ["ALGORITHMS", "INSTANCES", "Bandit", "as_policy", "bandit", "bounds", *ALGORITHMS, *INSTANCES]
