"""The `banditlab` command, from a checkout: ``python experiments/run.py experiment=kl_ucb_rates``."""

import sys

from banditlab.cli import main

if __name__ == "__main__":
    sys.exit(main())
