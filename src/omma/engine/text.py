"""Turns ids into text as they come: a character is never split, and the text ends before a stop."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence


class TextStream:
    """The text of one answer, released as soon as it is certain.

    Held back are the bytes of an unfinished character, and letters that may yet turn out to be the
    beginning of a stop text. What is released does not depend on how the bytes were cut into tokens.
    """

    def __init__(self, bytes_of: Callable[[int], bytes], stop: Sequence[str] = ()) -> None:
        self._bytes_of = bytes_of
        self._stop = tuple(stop)
        self._characters = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self.taken = self.told = 0  # letters that were taken in so far, and that were released
        self.stopped = False  # a stop text stood in the answer; nothing more is released

    def add(self, token: int) -> str:
        """Take a token; give the text that has become certain."""
        return self._take(self._characters.decode(self._bytes_of(token)))

    def close(self) -> str:
        """The answer is over: give what was held back. Unfinished bytes become U+FFFD."""
        text = self._take(self._characters.decode(b"", final=True))
        held, self._held = self._held, ""
        self.told += len(held)
        return text + held

    def _take(self, text: str) -> str:
        self.taken += len(text)
        if self.stopped:
            return ""
        text = self._held + text
        found = [(at + len(stop), at) for stop in self._stop if (at := text.find(stop)) >= 0]
        if found:
            self.stopped, self._held = True, ""
            self.told += min(found)[1]
            return text[: min(found)[1]]
        certain = len(text) - self._beginning(text)
        self._held = text[certain:]
        self.told += certain
        return text[:certain]

    def _beginning(self, text: str) -> int:
        """How many letters at the end of `text` may be the beginning of a stop."""
        longest = max((len(stop) for stop in self._stop), default=1) - 1
        for length in range(min(longest, len(text)), 0, -1):
            tail = text[-length:]
            if any(stop.startswith(tail) for stop in self._stop):
                return length
        return 0
