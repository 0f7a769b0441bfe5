"""Long work that is done a piece at a time, so that who does it can do other things in between."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

Made = TypeVar("Made")
Pieces: TypeAlias = Generator[None, None, Made]  # each `next` does a piece; what was made is what it returns


def whole(pieces: Pieces[Made]) -> Made:
    """Do all of it at once."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            made: Made = end.value
            return made
