"""The command line, ``omma VERB …``: every verb of the house for people and for scripts."""

from __future__ import annotations

import sys

# All else is loaded below, where ctrl-C is met: the verbs take a good part of a second.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. `words` are those after ``omma``, by default the shell's."""
    try:
        from omma.cli.app import main as run

        return run(words)
    except KeyboardInterrupt:
        print("omma: stopped", file=sys.stderr, flush=True)
        return 130
