"""banditlab: KL-regularized bandits and Markov games, with exact regret beside the theorem's bound."""

from banditlab import bandits, contextual, dueling, equilibrium, games, mdps, regularizer
from banditlab.jit import jit
from banditlab.simulate import SimulationError, run, run_offline, sweep
from banditlab.trajectory import Grid, Offline, Trajectory, load

__version__ = "0.1.0"

__all__ = [
    "Grid",
    "Offline",
    "SimulationError",
    "Trajectory",
    "bandits",
    "contextual",
    "dueling",
    "equilibrium",
    "games",
    "jit",
    "load",
    "mdps",
    "regularizer",
    "run",
    "run_offline",
    "sweep",
]
