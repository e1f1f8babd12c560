"""Zero-sum Markov games, KL-regularized or not: optimism, posterior sampling and pessimism, with exact duality gaps."""

from collections.abc import Callable
from typing import Any

from banditlab.games import coverage, planning
from banditlab.games.instances import (
    hard_pair,
    mixed_core,
    mixed_matrix,
    random_linear,
    random_tabular,
    trap,
    turn_based,
)
from banditlab.games.kl_pmvi import kl_pmvi
from banditlab.games.nash_vi import nash_vi
from banditlab.games.omg import omg
from banditlab.games.plays import Plays
from banditlab.games.plug_in import plug_in
from banditlab.games.pmvi import pmvi
from banditlab.games.problem import Game, linear, matrix, tabular
from banditlab.games.self_play_posterior_sampling import self_play_posterior_sampling
from banditlab.games.somg import somg

ALGORITHMS = {
    "omg": omg,
    "somg": somg,
    "nash_vi": nash_vi,
    "self_play_posterior_sampling": self_play_posterior_sampling,
}
"""Every online algorithm of the family, by name."""

OFFLINE: dict[str, Callable[..., Any]] = {"plug_in": plug_in, "pmvi": pmvi, "kl_pmvi": kl_pmvi}
"""Every offline algorithm of the family, ``(dataset) -> (row, column)``, by name."""

INSTANCES = {
    "tabular": tabular,
    "linear": linear,
    "matrix": matrix,
    "random_tabular": random_tabular,
    "mixed_core": mixed_core,
    "random_linear": random_linear,
    "turn_based": turn_based,
    "mixed_matrix": mixed_matrix,
    "hard_pair": hard_pair,
    "trap": trap,
}
"""Every named instance of the family."""

__all__ = [
    "ALGORITHMS",
    "INSTANCES",
    "OFFLINE",
    "Game",
    "Plays",
    "coverage",
    "planning",
    *ALGORITHMS,
    *OFFLINE,
    *INSTANCES,
]
