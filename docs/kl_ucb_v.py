"""The worked example of the page "Write your own algorithm"."""

# learner
import math
from typing import NamedTuple

import numpy as np

import banditlab as bl


class KLUCBV(NamedTuple):
    """State of KL-UCB-V; build it with `kl_ucb_v`."""

    scale: float  # multiplies the width; 1 is UCB-V
    level: float  # L
    pulls: np.ndarray  # (K,) what changes lives in arrays
    total: np.ndarray  # (K,) summed rewards
    squares: np.ndarray  # (K,) summed squares

    def index(self, a, t):
        n = self.pulls[a]
        if n == 0.0:
            return 1.0
        mean = self.total[a] / n
        variance = max(self.squares[a] / n - mean * mean, 0.0)
        width = math.sqrt(2.0 * variance * self.level / n) + 3.0 * self.level / n
        return min(mean + self.scale * width, 1.0)

    def update(self, t, a, r):
        self.pulls[a] += 1.0
        self.total[a] += r
        self.squares[a] += r * r


# constructor
def kl_ucb_v(problem, rounds, *, scale=1.0, delta=0.01):
    """KL-UCB-V, for rewards in [0, 1]."""
    if not (scale >= 0.0 and 0.0 < delta < 1.0):
        raise ValueError(f"scale >= 0 and 0 < delta < 1, got {scale:g} and {delta:g}")
    K = problem.mean.size
    level = math.log(3.0 * K * rounds / delta)
    return KLUCBV(float(scale), level, np.zeros(K), np.zeros(K), np.zeros(K))


# race
def race(rounds=1 << 17, replications=100):
    """KL-UCB-V against KL-UCB, on arms of small means and hence small variances."""
    problem = bl.bandits.bernoulli([0.02, 0.03, 0.03, 0.04, 0.08], eta=20.0)
    rivals = {"KL-UCB": bl.bandits.kl_ucb, "KL-UCB-V": kl_ucb_v}
    return bl.run(problem, rivals, rounds=rounds, replications=replications, seed=0)


if __name__ == "__main__":
    result = race()
    print(result.rates())
    result.save("results/kl_ucb_v")  # then: banditlab report results/kl_ucb_v
# end
