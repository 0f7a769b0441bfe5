"""Calls of tools in a model's text as it is written: the words before them, and each call piece by piece.

A call is ``<tool_call>``, a line with a JSON object of a name and arguments, ``</tool_call>``: the family's
own form, to which answers are held where tools are offered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from omma.serve.speech import Called, Said

BEGIN, END = "<tool_call>", "</tool_call>"
_HEAD = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\{)')
_LONGEST_HEAD = 4096  # letters before the arguments; beyond it this is no call


class Calls:
    """Takes calls out of a text that comes in pieces."""

    def __init__(self) -> None:
        self._held = ""
        self._count = 0
        self._read = self._words
        self._value = _Value()

    def feed(self, text: str) -> Iterator[Said | Called]:
        """What is certain by now."""
        self._held += text
        before = -1
        while before != len(self._held) and self._held:
            before = len(self._held)
            yield from self._read()

    def end(self) -> Iterator[Said | Called]:
        """What was held back, as words: it became no call. Line ends after a call are nobody's.

        A call that was cut before its arguments began is nothing anybody can use, and left out.
        """
        text, self._held = self._held, ""
        if self._read == self._words and (text.strip() or not self._count) and text:
            yield Said(text)

    def _words(self) -> Iterator[Said | Called]:
        before, mark, after = self._held.partition(BEGIN)
        if mark:
            self._held, self._read = after, self._head
            words = before.rstrip("\n")
        else:
            words = before[: _certain(before)]
            self._held = before[len(words) :]
        if words and (words.strip() or not self._count):
            yield Said(words)

    def _head(self) -> Iterator[Said | Called]:
        if found := _HEAD.match(self._held):
            self._held, self._read, self._value = self._held[found.end() :], self._arguments, _Value()
            self._count += 1
            yield Called(self._count - 1, "", json.loads(found.group(1)))
        elif END in self._held or len(self._held) > _LONGEST_HEAD:
            text, self._held, self._read = self._held, "", self._words
            yield Said(BEGIN + text)

    def _arguments(self) -> Iterator[Said | Called]:
        length = self._value.feed(self._held)
        told, self._held = self._held[:length], self._held[length:]
        if self._value.ended:
            self._read = self._tail
        if told:
            yield Called(self._count - 1, told)

    def _tail(self) -> Iterator[Said | Called]:
        _, mark, after = self._held.partition(END)
        if mark:
            self._held, self._read = after, self._words
        yield from ()


class _Value:
    """Finds the end of a JSON object, letter by letter."""

    def __init__(self) -> None:
        self._depth, self._quoted, self._escaped, self.ended = 0, False, False, False

    def feed(self, text: str) -> int:
        """How many letters of the text belong to the object."""
        for place, letter in enumerate(text):
            if self._escaped:
                self._escaped = False
            elif self._quoted:
                self._escaped = letter == "\\"
                self._quoted = letter != '"'
            elif letter == '"':
                self._quoted = True
            elif letter in "{[":
                self._depth += 1
            elif letter in "}]":
                self._depth -= 1
                if not self._depth:
                    self.ended = True
                    return place + 1
        return len(text)


def _certain(text: str) -> int:
    """How much of the text cannot be line ends with the mark of a call behind them."""
    for length in range(min(len(text), len(BEGIN) - 1), 0, -1):
        if BEGIN.startswith(text[-length:]):
            text = text[:-length]
            break
    return len(text.rstrip("\n"))
