"""JSON Lines: a record a line, read line by line however long the file is."""

from __future__ import annotations

import codecs
import json
from collections.abc import Generator
from functools import partial
from typing import IO

from omma.corpus.container import Indexed
from omma.corpus.record import Loose, Place, Raw
from omma.errors import BadData, unread

LONGEST = 64 << 20  # bytes of one record's text


class LinesFile(Indexed):
    """A file of JSON Lines. Blank lines count as lines and are no records."""

    kind, unit = "JSON Lines", "line"

    def _from(self, offset: int, number: int) -> Generator[Raw]:
        with self.open() as file:
            file.seek(offset)
            while line := file.readline(LONGEST):
                place, length = Place(str(self.path), number, "line"), len(line)
                if length == LONGEST and not line.endswith(b"\n"):
                    length += _skip_line(file)
                    yield Raw(place, offset, partial(too_long, str(place)))
                elif line.strip():
                    yield Raw(place, offset, partial(read_object, line, str(place)))
                offset, number = offset + length, number + 1


def _skip_line(file: IO[bytes]) -> int:
    """Read on to the line's end; how many bytes that were."""
    skipped = 0
    while rest := file.readline(LONGEST):
        skipped += len(rest)
        if rest.endswith(b"\n"):
            break
    return skipped


def too_long(place: str) -> Loose:
    """Refuse a record that is longer than any conversation."""
    raise BadData(f"{place} is longer than {LONGEST >> 20} MiB; keep media in files of their own")


def read_object(text: bytes, place: str) -> Loose:
    """The JSON object in `text`. Raises BadData naming the place."""
    try:
        value = json.loads(text.removeprefix(codecs.BOM_UTF8))
    except UnicodeDecodeError as problem:
        raise BadData(f"{place} is not UTF-8 text: {problem.reason} at byte {problem.start}") from None
    except (ValueError, RecursionError) as problem:
        raise BadData(f"{place} is not JSON that can be read: {unread(problem)}") from None
    if not isinstance(value, dict):
        raise BadData(f"{place} holds {type(value).__name__}; wanted an object such as {{'messages': […]}}")
    return Loose(value)
