"""Values drawn out of bytes, so that a fuzzer that changes bytes changes what is drawn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

NUMBERS = (0, 1, -1, 2, 255, 2**31 - 1, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e308, 1e-320)
LETTERS = (
    "",
    "a",
    "\u0000",
    "\ud800",
    "\u202e",
    "é",
    "<|im_end|>",
    "\\",
    '"',
    "..",
    "/",
    "9" * 30,
    "𝒳",
    "\u200b",
)


class Draw:
    """Bytes as decisions, one after the other; when they are used up, every decision is the first."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        """Bytes that are not used."""
        return len(self._data) - self._at

    def number(self, most: int) -> int:
        """From 0 to less than `most`."""
        if self._at >= len(self._data) or most < 2:
            return 0
        size = 1 if most <= 256 else 2
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return int.from_bytes(piece, "big") % most

    def one(self, choices: Sequence[Any]) -> Any:
        """One of them."""
        return choices[self.number(len(choices))]

    def bytes(self) -> bytes:
        """As many as the first of them says."""
        size = self.number(256)
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def text(self, words: Sequence[str]) -> str:
        """A text of the words, of odd letters, and of the bytes themselves."""
        match self.number(4):
            case 0 | 1:
                return str(self.one(words))
            case 2:
                return "".join(self.one(LETTERS) for _ in range(self.number(6)))
            case _:
                return self.bytes().decode("latin-1")

    def value(self, keys: Sequence[str], words: Sequence[str], deep: int = 6) -> Any:
        """A value of JSON whose objects have these keys."""
        match self.number(8 if deep and self.left else 5):
            case 0:
                return self.one((None, True, False))
            case 1:
                return self.one(NUMBERS)
            case 2 | 3 | 4:
                return self.text(words)
            case 5:
                return [self.value(keys, words, deep - 1) for _ in range(self.number(5))]
            case _:
                return self.object(keys, words, deep)

    def object(self, keys: Sequence[str], words: Sequence[str], deep: int = 6) -> dict[str, Any]:
        """An object of JSON."""
        names = (self.one(keys) if self.number(16) else self.text(words) for _ in range(1 + self.number(6)))
        return {name: self.value(keys, words, deep - 1) for name in names}

    def changed(self, value: Any, keys: Sequence[str], words: Sequence[str]) -> Any:
        """A value with some of what it holds drawn anew, left out or doubled."""
        if not self.left or not self.number(8):
            return self.value(keys, words, 4)
        match value:
            case dict():
                made = {
                    name: self.changed(inner, keys, words) for name, inner in value.items() if self.number(16)
                }
                if not self.number(8):
                    made[self.one(keys)] = self.value(keys, words, 3)
                return made
            case list():
                return [
                    self.changed(item, keys, words)
                    for item in value
                    for _ in range(self.one((1, 1, 1, 2, 0)))
                ]
            case _:
                return value


def as_body(value: Any) -> bytes:
    """A value as a client may write it: halves of characters and numbers that are none among it."""
    return json.dumps(value, ensure_ascii=True).encode()
