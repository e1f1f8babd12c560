"""banditlab: KL-regularized bandits and Markov games, with exact regret beside the theorem's bound."""

from banditlab import bandits, regularizer
from banditlab.jit import jit
from banditlab.simulate import SimulationError, run, sweep
from banditlab.trajectory import Grid, Trajectory, load

__version__ = "0.1.0"

__all__ = ["Grid", "SimulationError", "Trajectory", "bandits", "jit", "load", "regularizer", "run", "sweep"]
