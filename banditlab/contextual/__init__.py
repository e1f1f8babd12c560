"""Contextual bandits, online and offline: instances, coverage, bounds and algorithms."""

from banditlab.contextual import bounds, coverage
from banditlab.contextual.answers import Answers, answers, majority_trap
from banditlab.contextual.best_of_majority import best_of_majority
from banditlab.contextual.best_of_n import best_of_n
from banditlab.contextual.dataset import Dataset
from banditlab.contextual.f_pcb import f_pcb
from banditlab.contextual.feel_good_thompson import feel_good_thompson
from banditlab.contextual.forward_kl_pcb import forward_kl_pcb
from banditlab.contextual.instances import (
    coverage_sweep,
    forward_kl_example,
    hard_offline,
    hard_offline_minimax,
    random_linear,
    random_tabular,
    rare_junk,
)
from banditlab.contextual.kl_eluder_ucb import kl_eluder_ucb
from banditlab.contextual.kl_finite_pcb import kl_finite_pcb
from banditlab.contextual.kl_lin_greedy import kl_lin_greedy
from banditlab.contextual.kl_lin_pcb import kl_lin_pcb
from banditlab.contextual.kl_lin_thompson import kl_lin_thompson
from banditlab.contextual.kl_lin_ucb import kl_lin_ucb
from banditlab.contextual.kl_pcb import kl_pcb
from banditlab.contextual.lin_thompson import lin_thompson
from banditlab.contextual.lin_ucb import lin_ucb
from banditlab.contextual.logs import read_log
from banditlab.contextual.majority_vote import majority_vote
from banditlab.contextual.plug_in import plug_in
from banditlab.contextual.problem import Contextual, linear, one_context, tabular

ALGORITHMS = {
    "kl_lin_ucb": kl_lin_ucb,
    "kl_lin_greedy": kl_lin_greedy,
    "kl_lin_thompson": kl_lin_thompson,
    "kl_eluder_ucb": kl_eluder_ucb,
    "feel_good_thompson": feel_good_thompson,
    "lin_ucb": lin_ucb,
    "lin_thompson": lin_thompson,
}
"""Every online algorithm of the family, by name."""

OFFLINE = {
    "plug_in": plug_in,
    "kl_pcb": kl_pcb,
    "f_pcb": f_pcb,
    "forward_kl_pcb": forward_kl_pcb,
    "kl_lin_pcb": kl_lin_pcb,
    "kl_finite_pcb": kl_finite_pcb,
}
"""Every offline algorithm of the family, ``(dataset) -> policy``, by name."""

SELECTIONS = {
    "best_of_n": best_of_n,
    "majority_vote": majority_vote,
    "best_of_majority": best_of_majority,
}
"""Every rule that submits some of many drawn answers, ``(draws) -> answers``, by name."""

INSTANCES = {
    "tabular": tabular,
    "linear": linear,
    "hard_offline": hard_offline,
    "hard_offline_minimax": hard_offline_minimax,
    "rare_junk": rare_junk,
    "coverage_sweep": coverage_sweep,
    "forward_kl_example": forward_kl_example,
    "random_tabular": random_tabular,
    "random_linear": random_linear,
    "answers": answers,
    "majority_trap": majority_trap,
}
"""Every named instance of the family."""

__all__ = [
    "ALGORITHMS",
    "INSTANCES",
    "OFFLINE",
    "SELECTIONS",
    "Answers",
    "Contextual",
    "Dataset",
    "bounds",
    "coverage",
    "one_context",
    "read_log",
    *ALGORITHMS,
    *OFFLINE,
    *SELECTIONS,
    *INSTANCES,
]
