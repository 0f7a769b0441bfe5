"""Which values a schema may ask for word by word, in `const` and `enum`. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omma.errors import BadShape

WHOLE = 9 * 10**18


def constant(value: Any, where: str) -> None:
    """Any value is taken, but for whole numbers at the end of 64 bits. Raises BadShape.

    Over one near -2^63 llguidance 1.9 ends the process, with no error that could be caught.
    """
    waiting = [value]
    while waiting:
        match waiting.pop():
            case int() as number if abs(number) > WHOLE:
                raise BadShape(f"{where} holds {str(number)[:40]}; wanted whole numbers within ±9·10^18")
            case Mapping() as inside:
                waiting += inside.values()
            case list() | tuple() as inside:
                waiting += inside
