"""The dask executor beside threads: overhead for shards of two seconds or more, and what a second worker brings.

One study, eight replications of `kl_ucb`, each a shard of about two seconds, played in turn by two threads, by one
worker process and by two, on kernels that are compiled already; the least of the turns counts. Run it on an otherwise
idle machine: the load average is printed beside the numbers. The bytes of all three are compared.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from typing import Any

import banditlab as bl

PROBLEM = bl.bandits.bandit([0.3, 0.45, 0.5, 0.55, 0.7], eta=5.0)
RULE = {"KL-UCB": bl.bandits.kl_ucb}


def seconds(rounds: int, **executor: Any) -> tuple[float, bytes]:
    """Wall time of the study, and its numbers."""
    start = time.perf_counter()
    result = bl.run(PROBLEM, RULE, rounds=rounds, replications=8, **executor)
    return time.perf_counter() - start, result.regret["KL-UCB"].tobytes()


def main() -> None:
    """Measure and print."""
    from distributed import Client, LocalCluster

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=60_000_000, help="rounds of a replication")
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    print(f"load average before: {', '.join(f'{x:.2f}' for x in os.getloadavg())}; {os.cpu_count()} processors")
    options: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with (
        LocalCluster(n_workers=1, **options) as alone,
        LocalCluster(n_workers=2, **options) as pair,
        Client(alone, set_as_default=False) as one,
        Client(pair, set_as_default=False) as two,
    ):
        executors = {"two threads": {"threads": 2}, "one worker": {"executor": one}, "two workers": {"executor": two}}
        for executor in executors.values():
            for _ in range(2):
                seconds(1000, **executor)  # every worker loads the kernels
        least: dict[str, float] = dict.fromkeys(executors, float("inf"))
        numbers = set()
        for _ in range(given.turns):
            for name, executor in executors.items():
                spent, found = seconds(given.rounds, **executor)
                least[name] = min(least[name], spent)
                numbers.add(found)
    for name, spent in least.items():
        print(f"{name:12} {spent:7.2f} s, {8 * given.rounds / spent / 1e6:7.1f} M rounds/s")
    print(f"a shard takes {least['one worker'] / 8:.2f} s")
    print(f"two workers over two threads: {least['two workers'] / least['two threads']:.3f} (aim: at most 1.10)")
    print(f"throughput of two workers over one: {least['one worker'] / least['two workers']:.3f} (aim: at least 1.7)")
    print(f"bytes: {'the same' if len(numbers) == 1 else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
