"""A stream of server-sent events, in bytes however cut, to the data of each event."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from omma.errors import Interrupted

LONGEST = 64 << 20  # bytes of one line; more is no answer of a model
_LINE = re.compile(rb"\r\n|\n|\r")


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a stream. They end at CR, LF or both, and nowhere else: JSON may hold other line ends."""
    held: list[bytes] = []
    size, after_return = 0, False
    for piece in pieces:
        if not piece:
            continue
        fresh = piece[1:] if after_return and piece.startswith(b"\n") else piece
        after_return = piece.endswith(b"\r")  # an LF that follows belongs to it
        for line in (found := _LINE.split(fresh))[:-1]:
            yield b"".join([*held, line])
            held, size = [], 0
        held.append(found[-1])
        size += len(found[-1])
        if size > LONGEST:
            raise Interrupted(f"the server sent a line of over {LONGEST:,} bytes, which is no answer")
    if size:
        yield b"".join(held)


def events(pieces: Iterable[bytes]) -> Iterator[str]:
    """The data of each event, its lines joined. Comments and other fields are passed over.

    A last event without an empty line behind it counts: some servers leave that out.
    """
    data: list[bytes] = []
    for line in lines(pieces):
        if not line:
            if data:
                yield _text(data)
            data = []
        elif line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
    if data:
        yield _text(data)


def _text(data: list[bytes]) -> str:
    return b"\n".join(data).decode("utf-8", errors="replace")
