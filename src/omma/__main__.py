"""``python -m omma`` is the command ``omma``."""

import sys

from omma.cli import main

if __name__ == "__main__":
    sys.exit(main())
