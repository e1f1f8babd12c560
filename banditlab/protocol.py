"""What the loops of all families share: how a replication ends, what a policy must be, how a reward is drawn."""

from __future__ import annotations

import math

from banditlab import rng
from banditlab.jit import jit

DONE, STOPPED, NON_FINITE, NOT_A_DISTRIBUTION = 0, 1, 2, 3
"""How a replication ended."""
BERNOULLI, GAUSSIAN, BETA = 0, 1, 2
"""Codes of the noise model."""

NOISES = {"bernoulli": BERNOULLI, "gaussian": GAUSSIAN, "beta": BETA}
"""Noise models by name: the law of a reward given its mean."""

POLL_ROUNDS, POLL_ARMS = 1 << 14, 1 << 20
"""Rounds, and rounds times probabilities written, between looks at the stop flag."""


def failure(status: int) -> str:
    """What a status other than `DONE` means."""
    return {NON_FINITE: "an index, a probability or a gap is not finite"}.get(
        status, "the policy is not a distribution (negative, or its sum is not 1)"
    )


@jit
def standing(pi):
    """`DONE` if `pi` (K,) is a distribution to 1e-9, else why not."""
    total = 0.0
    for a in range(pi.size):
        if not pi[a] >= 0.0:
            return NOT_A_DISTRIBUTION if pi[a] < 0.0 else NON_FINITE
        total += pi[a]
    if abs(total - 1.0) < 1e-9:
        return DONE
    return NOT_A_DISTRIBUTION if total < math.inf else NON_FINITE


@jit
def reward(noise, r, spread, state):
    """One Bernoulli or Gaussian reward of mean r, from a fixed number of the stream's draws."""
    if noise == GAUSSIAN:
        return r + spread * rng.normal_from_two(state)
    return 1.0 if rng.uniform(state) < r else 0.0
