"""Words on their way to the terminal: sentences, JSON, and nothing that steers a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

# Control characters could move the cursor or colour what follows; a picture's text may hold any of them.
_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
_ONE_LINE = {**_CONTROLS, 10: " ", 9: " "}


def sentence(text: str) -> str:
    """The text on one line, without control characters."""
    return text.translate(_ONE_LINE).strip()


def harmless(text: str) -> str:
    """The text as it may be shown on a terminal."""
    return text.translate(_CONTROLS)


def say(text: str = "", *, end: str = "\n") -> None:
    """Write to stdout at once; what goes to a terminal is made harmless first."""
    print(harmless(text) if sys.stdout.isatty() else text, end=end, flush=True)


def aside(text: str) -> None:
    """Write a remark to stderr, where it does not mix with the result."""
    print(sentence(text), file=sys.stderr, flush=True)


def say_json(value: Any) -> None:
    """Write one JSON value on one line."""
    print(json.dumps(value, ensure_ascii=False, separators=(", ", ": ")), flush=True)


def rows(table: Iterable[Iterable[str]]) -> str:
    """Columns of text, as wide as their widest cell; the first stands left, numbers stand right."""
    lines = [[sentence(cell) for cell in line] for line in table]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(_cell, line, widths)).rstrip() for line in lines)


def _cell(text: str, width: int) -> str:
    number = text.removeprefix("-").replace(".", "", 1).replace(",", "").isdigit()
    return text.rjust(width) if number else text.ljust(width)
