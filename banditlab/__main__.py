"""``python -m banditlab``: the command."""

import sys

from banditlab.cli import main

if __name__ == "__main__":
    sys.exit(main())
