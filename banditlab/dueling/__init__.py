"""Dueling bandits: arms compared in pairs, by Bradley-Terry rewards or general preferences."""

from collections.abc import Callable
from typing import Any

from banditlab.dueling.appo import appo
from banditlab.dueling.bt_greedy import bt_greedy
from banditlab.dueling.comparisons import Comparisons
from banditlab.dueling.double_thompson import double_thompson
from banditlab.dueling.gshf import gshf
from banditlab.dueling.gshf_online import gshf_online
from banditlab.dueling.gshf_set import gshf_set
from banditlab.dueling.instances import (
    borda_trap,
    bt_ladder,
    bt_linear,
    bt_tabular,
    condorcet_cycle,
    gap_linear,
    minimax_bt,
    rare_bad,
    rare_good,
    rps,
)
from banditlab.dueling.maxinp import maxinp
from banditlab.dueling.nash_enhancer import nash_enhancer
from banditlab.dueling.nash_greedy import nash_greedy
from banditlab.dueling.nash_mixed import nash_mixed
from banditlab.dueling.nash_pessimistic import nash_pessimistic
from banditlab.dueling.nash_plug_in import nash_plug_in
from banditlab.dueling.problem import Dueling, bradley_terry, preferences
from banditlab.dueling.rlhf_enhancer import rlhf_enhancer
from banditlab.dueling.rlhf_greedy import rlhf_greedy
from banditlab.dueling.rlhf_hybrid import rlhf_hybrid
from banditlab.dueling.rlhf_mixed import rlhf_mixed
from banditlab.dueling.rlhf_two_stage import rlhf_two_stage
from banditlab.dueling.rucb import rucb
from banditlab.dueling.sparring_exp3 import sparring_exp3
from banditlab.dueling.sparring_ucb import sparring_ucb
from banditlab.dueling.symmetric_pair import symmetric_pair

ALGORITHMS = {
    "rucb": rucb,
    "double_thompson": double_thompson,
    "sparring_exp3": sparring_exp3,
    "sparring_ucb": sparring_ucb,
    "rlhf_greedy": rlhf_greedy,
    "rlhf_mixed": rlhf_mixed,
    "rlhf_enhancer": rlhf_enhancer,
    "gshf_online": gshf_online,
    "rlhf_hybrid": rlhf_hybrid,
    "rlhf_two_stage": rlhf_two_stage,
    "nash_greedy": nash_greedy,
    "nash_mixed": nash_mixed,
    "nash_enhancer": nash_enhancer,
    "maxinp": maxinp,
    "symmetric_pair": symmetric_pair,
    "appo": appo,
}
"""Every online algorithm of the family, by name."""

OFFLINE: dict[str, Callable[..., Any]] = {
    "bt_greedy": bt_greedy,
    "gshf": gshf,
    "gshf_set": gshf_set,
    "nash_plug_in": nash_plug_in,
    "nash_pessimistic": nash_pessimistic,
}
"""Every offline algorithm of the family, ``(dataset) -> policy``, by name."""

INSTANCES = {
    "bradley_terry": bradley_terry,
    "preferences": preferences,
    "bt_linear": bt_linear,
    "bt_tabular": bt_tabular,
    "minimax_bt": minimax_bt,
    "bt_ladder": bt_ladder,
    "condorcet_cycle": condorcet_cycle,
    "borda_trap": borda_trap,
    "rps": rps,
    "rare_good": rare_good,
    "rare_bad": rare_bad,
    "gap_linear": gap_linear,
}
"""Every named instance of the family."""

__all__ = ["ALGORITHMS", "INSTANCES", "OFFLINE", "Comparisons", "Dueling", *ALGORITHMS, *OFFLINE, *INSTANCES]
