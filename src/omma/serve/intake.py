"""A request's body as it comes in: held to a size and a time while it is read, and to JSON in UTF-8."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from omma.errors import TooLarge
from omma.serve.faults import Refused

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]

DISCARDED_SECONDS = 5.0  # how long a body that is too large is still taken in, so that its sender can listen


class Gone(Exception):
    """The client closed the connection; nobody listens."""


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int, seconds: float) -> bytes:
    """A whole body of at most `limit` bytes within `seconds`.

    Raises TooLarge as soon as it is known, Refused (408) where the body comes too slowly, and Gone. Of a body
    that is too large as much again is thrown away, so that its sender reads the answer and not a closed door.
    """
    stated = headers.get("content-length", "")
    body = bytearray()
    over, pieces = stated.isdecimal() and int(stated[:20]) > limit, _pieces(receive)
    try:
        async with asyncio.timeout(seconds):
            while not over and (piece := await anext(pieces, None)) is not None:
                body += piece
                over = len(body) > limit
    except TimeoutError:
        raise Refused(
            408,
            f"the body did not arrive within {seconds:g} s; send it faster, or less of it",
            code="request_timeout",
            headers={"connection": "close"},
        ) from None
    if over:
        await _discard(receive, limit)
        raise TooLarge(f"the body is more than {limit:,} bytes, the most that is taken in; send less")
    return bytes(body)


def check_json(headers: Mapping[str, str]) -> None:
    """Raises Refused (415) where a body is not stated to be JSON: what a foreign page's form may send."""
    stated = headers.get("content-type", "")
    kind, _, more = stated.partition(";")
    charset = more.lower().replace(" ", "").replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise Refused(
            415,
            f"the body is {stated[:80] or 'of no stated type'}; wanted content-type: application/json",
            code="unsupported_media_type",
        )
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity"):
        text = f"the body is compressed with {coding[:40]}; send it as it is"
        raise Refused(415, text, code="unsupported_content_encoding")


async def gone(receive: Receive) -> None:
    """Returns when the client closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _pieces(receive: Receive) -> Any:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def _discard(receive: Receive, limit: int) -> None:
    left = limit
    try:
        async with asyncio.timeout(DISCARDED_SECONDS):
            async for piece in _pieces(receive):
                left -= len(piece)
                if left < 0:
                    return
    except TimeoutError:
        return
