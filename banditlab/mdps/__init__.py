"""Episodic MDPs: optimism, posterior sampling and pessimism, tabular or linear, with exact values."""

from collections.abc import Callable
from typing import Any

from banditlab.mdps import coverage, planning
from banditlab.mdps.conditional_posterior_sampling import conditional_posterior_sampling
from banditlab.mdps.episodes import Episodes
from banditlab.mdps.gec_posterior_sampling import gec_posterior_sampling
from banditlab.mdps.greedy import greedy
from banditlab.mdps.instances import (
    combination_lock,
    covered,
    deep_sea,
    hypercube,
    jao,
    lock_class,
    minimax_hypercube,
    offline_hypercube,
    random_linear,
    random_tabular,
    river_swim,
    two_state,
)
from banditlab.mdps.kl_lsvi_ucb import kl_lsvi_ucb
from banditlab.mdps.kl_pevi import kl_pevi
from banditlab.mdps.linpevi_adv import linpevi_adv
from banditlab.mdps.linpevi_adv_plus import linpevi_adv_plus
from banditlab.mdps.lsvi_ucb import lsvi_ucb
from banditlab.mdps.pevi import pevi
from banditlab.mdps.plug_in import plug_in
from banditlab.mdps.problem import MDP, linear, tabular, with_models
from banditlab.mdps.psrl import psrl
from banditlab.mdps.rlsvi import rlsvi
from banditlab.mdps.ucbvi import ucbvi

ALGORITHMS = {
    "lsvi_ucb": lsvi_ucb,
    "kl_lsvi_ucb": kl_lsvi_ucb,
    "greedy": greedy,
    "ucbvi": ucbvi,
    "psrl": psrl,
    "rlsvi": rlsvi,
    "conditional_posterior_sampling": conditional_posterior_sampling,
    "gec_posterior_sampling": gec_posterior_sampling,
}
"""Every online algorithm of the family, by name."""

OFFLINE: dict[str, Callable[..., Any]] = {
    "plug_in": plug_in,
    "pevi": pevi,
    "kl_pevi": kl_pevi,
    "linpevi_adv": linpevi_adv,
    "linpevi_adv_plus": linpevi_adv_plus,
}
"""Every offline algorithm of the family, ``(dataset) -> policy``, by name."""

INSTANCES = {
    "tabular": tabular,
    "linear": linear,
    "random_linear": random_linear,
    "random_tabular": random_tabular,
    "combination_lock": combination_lock,
    "lock_class": lock_class,
    "deep_sea": deep_sea,
    "river_swim": river_swim,
    "hypercube": hypercube,
    "minimax_hypercube": minimax_hypercube,
    "offline_hypercube": offline_hypercube,
    "jao": jao,
    "two_state": two_state,
}
"""Every named instance of the family."""

__all__ = [
    "ALGORITHMS",
    "INSTANCES",
    "MDP",
    "OFFLINE",
    "Episodes",
    "coverage",
    "covered",
    "planning",
    "with_models",
    *ALGORITHMS,
    *OFFLINE,
    *INSTANCES,
]
