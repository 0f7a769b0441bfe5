"""What goes back: a JSON body, or a stream of server-sent events; and a no, in whichever it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from omma.serve.faults import Refused
from omma.serve.visit import Send

DONE = b"data: [DONE]\n\n"


def as_json(body: Any) -> bytes:
    """JSON in UTF-8 on one line. Numbers that JSON does not know are our mistake."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def event(body: Any, name: str | None = None) -> bytes:
    """A server-sent event; JSON has no line ends, so it is one line of data."""
    head = b"" if name is None else f"event: {name}\n".encode()
    return head + b"data: " + as_json(body) + b"\n\n"


class Reply:
    """The one answer to a request."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False
        self.ended = False
        self.failure: Callable[[Refused], bytes] = lambda refused: event(refused.body, "error")

    async def json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """Answer with a body of JSON."""
        await self.whole(status, as_json(body), "application/json", headers)

    async def whole(
        self, status: int, raw: bytes, kind: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer with a body that is all there."""
        await self._begin(status, {"content-type": kind, "content-length": str(len(raw)), **(headers or {})})
        await self._send({"type": "http.response.body", "body": raw})
        self.ended = True

    async def stream(self, headers: Mapping[str, str] | None = None) -> None:
        """Begin to answer with events."""
        more = {"content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no"}
        await self._begin(200, more | dict(headers or {}))

    async def piece(self, raw: bytes) -> None:
        """One event or more."""
        await self._send({"type": "http.response.body", "body": raw, "more_body": True})

    async def end(self) -> None:
        """No more events."""
        await self._send({"type": "http.response.body", "body": b""})
        self.ended = True

    async def fail(self, refused: Refused) -> None:
        """Say no. In a stream it is an event, which the official clients raise as an error."""
        if not self.begun:
            await self.whole(refused.status, refused.raw, "application/json", refused.headers)
        elif not self.ended:
            await self.piece(self.failure(refused))
            await self.end()

    async def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.begun = True
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})
