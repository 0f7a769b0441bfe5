"""The command line, ``omma VERB …``: every verb of the house for people and for scripts."""

from omma.cli.app import main

__all__ = ["main"]
