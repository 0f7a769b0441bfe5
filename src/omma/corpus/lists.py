"""One JSON list of records, taken apart as it streams by: memory holds one record, not the list."""

from __future__ import annotations

import codecs
import re
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from omma.corpus.container import Indexed
from omma.corpus.gzipped import Gzipped
from omma.corpus.lines import LONGEST, read_object
from omma.corpus.record import Loose, Place, Raw
from omma.errors import BadData

CHUNK = 1 << 18
# A whole string, or a sign. A quote that opens a string which is not all there comes as a lone sign.
TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', re.DOTALL)
BLANK = b" \t\r\n"


class Element(NamedTuple):
    """An element of the list: its first byte in the file, its text, and what is wrong with it."""

    offset: int
    text: bytes
    problem: str = ""


class ListFile(Indexed):
    """A file with one JSON list in it."""

    kind = "a JSON list"

    def __init__(self, path: Path, packed: Gzipped | None = None) -> None:
        super().__init__(path, packed)
        with self.open() as file:
            head = file.read(CHUNK)
        self.first = head.find(b"[") + 1

    def _from(self, offset: int, number: int) -> Generator[Raw]:
        with self.open() as file:
            file.seek(offset)
            for count, element in enumerate(elements(file, offset), number):
                place = Place(str(self.path), count)
                if element.problem:
                    yield Raw(place, element.offset, partial(_broken, f"{place} {element.problem}"))
                else:
                    yield Raw(place, element.offset, partial(read_object, element.text, str(place)))


def _broken(sentence: str) -> Loose:
    raise BadData(sentence, "broken file")


def starts_list(head: bytes) -> bool:
    """Whether a file that begins so holds one JSON list."""
    return head.removeprefix(codecs.BOM_UTF8).lstrip(BLANK).startswith(b"[")


class _Window:
    """The stretch of a file that is in memory. `start` is where the element at hand begins in it."""

    def __init__(self, file: IO[bytes], offset: int) -> None:
        self.file, self.base = file, offset
        self.bytes, self.start = b"", 0

    def slide(self) -> bool:
        """Let go of what lies before the element, read on; False at the file's end."""
        self.base += self.start
        kept = self.bytes[self.start :]
        more = self.file.read(max(CHUNK, len(kept)))
        self.bytes, self.start = kept + more, 0
        return bool(more)

    def element(self, stop: int) -> Element | None:
        """What stands before `stop`, None for blanks."""
        text = self.bytes[self.start : stop]
        offset = self.base + self.start + len(text) - len(text.lstrip(BLANK))
        return Element(offset, text.strip(BLANK)) if text.strip(BLANK) else None


def elements(file: IO[bytes], offset: int) -> Generator[Element]:
    """The elements of a list, `file` standing at `offset` behind its bracket or before any element.

    An element that is not closed before LONGEST bytes, or before the file's end, is the last one, with its
    problem: what follows it cannot be told apart.
    """
    window, at, depth = _Window(file, offset), 0, 0
    while True:
        for token in TOKEN.finditer(window.bytes, at):
            sign = window.bytes[token.start()]
            if sign == 0x22 and token.end() - token.start() == 1:  # the rest of the string is not here yet
                at = token.start()
                break
            at = token.end()
            if sign in b"[{":
                depth += 1
            elif sign in b"]}" and depth:
                depth -= 1
            elif sign in b",]" and not depth:
                if element := window.element(token.start()):
                    yield element
                window.start = at
                if sign != 0x2C:
                    yield from _after(window)
                    return
        else:
            at = max(at, len(window.bytes))
        at -= window.start
        if len(window.bytes) - window.start > LONGEST:
            yield Element(window.base + window.start, b"", f"{_UNCLOSED} within {LONGEST >> 20} MiB")
            return
        if not window.slide():
            yield from _last(window, closed=not depth and at == len(window.bytes))
            return


_UNCLOSED = "has a bracket or a quote that is not closed"
_BREAKS_OFF = "is where the list breaks off: the file ends before its last bracket"


def _last(window: _Window, *, closed: bool) -> Generator[Element]:
    """What stands at the end of a file whose list is not ended: an element counts if it is all there."""
    left = window.element(len(window.bytes))
    if left and closed:
        yield left
        left = None
    yield Element(left.offset if left else window.base + len(window.bytes), b"", _BREAKS_OFF)


def _after(window: _Window) -> Generator[Element]:
    """Words after the list's end are no record, and are told."""
    offset = window.base + window.start
    while not (rest := window.bytes[window.start :].strip(BLANK)):
        window.start = len(window.bytes)
        if not window.slide():
            return
    yield Element(offset, b"", f"stands behind the list's end: {rest[:20]!r}; wanted nothing there")
