"""One client's connection, with an end to its patience: heads that come slowly or grow, readers who stall.

uvicorn waits for a request's head as long as its sender likes, and for a reader that takes nothing; here both
have seconds, and a head has bytes. Give the class to uvicorn: ``uvicorn.Config(app, http=Connection)``.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

from omma.errors import MissingExtra
from omma.serve.faults import Refused

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ModuleNotFoundError as error:
    raise MissingExtra(
        "the server needs uvicorn and httptools, which are absent; do: pip install 'omma[serve]'"
    ) from error

LOG = logging.getLogger("omma.serve.connection")
LOG.setLevel(logging.ERROR)  # what strangers spell wrongly is no news: a line for each would fill the disk

HEAD_BYTES = 64 << 10  # of a request line and its headers
HEAD_SECONDS = 10.0  # from a connection's beginning, or a head's first byte, to the head's end
REST_SECONDS = 10.0  # that the rest of a body is thrown away after it was answered
STALLED_SECONDS = 30.0  # that a reader may take nothing of what waits for it


class Connection(HttpToolsProtocol):
    """HTTP/1.1 by uvicorn; what it refuses before the application sees it is in OpenAI's form too."""

    head_bytes, head_seconds = HEAD_BYTES, HEAD_SECONDS
    rest_seconds, stalled_seconds = REST_SECONDS, STALLED_SECONDS

    def __init__(self, *words: Any, **names: Any) -> None:
        super().__init__(*words, **names)
        self.logger = LOG
        self._in_head = True
        self._head = 0  # bytes of the head so far
        self._patience: asyncio.TimerHandle | None = None  # for what is to come in
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        line = transport.get_extra_info("socket")
        if line.family in (socket.AF_INET, socket.AF_INET6):
            # A head and its body are two writes. Unless it is told, the system keeps the second until the
            # other side has confirmed the first, which takes 40 ms; asyncio tells it only of sockets whose
            # protocol was named when they were made.
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._be_patient()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._in_head:
            if self._patience is None:
                self._wait_for_head()
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > self.head_bytes:
            self._refuse(self._too_long())

    def on_headers_complete(self) -> None:
        self._be_patient()
        self._in_head = False
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.head_bytes:
            self._refuse(self._too_long())
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.transport.is_closing():
            return
        self._be_patient()
        self._in_head, self._head = True, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._in_head and not self.transport.is_closing() and self._patience is None:
            self._patience = self.loop.call_later(self.rest_seconds, self.transport.close)

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls where it does not understand what came."""
        if not self.transport.is_closing():
            self._refuse(Refused(400, "the request is no HTTP that is understood here", code="invalid_http"))

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _wait_for_head(self) -> None:
        self._patience = self.loop.call_later(self.head_seconds, self._give_up)

    def _be_patient(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        """The head did not come. Who said nothing at all hears nothing."""
        if self.transport.is_closing() or not self._head:
            self.transport.close()
            return
        text = f"the request's head did not arrive within {self.head_seconds:g} s; send it at once"
        self._refuse(Refused(408, text, code="request_timeout"))

    def _too_long(self) -> Refused:
        text = f"the request's headers are over {self.head_bytes:,} bytes; send fewer, and media in the body"
        return Refused(431, text, code="headers_too_large")

    def _refuse(self, why: Refused) -> None:
        """Answer and close, unless an answer is under way, which is then all there is."""
        if self.cycle is None or self.cycle.response_complete:
            head = (
                f"HTTP/1.1 {why.status} {_PHRASES[why.status]}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(why.raw)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + why.raw)
        self.transport.close()


_PHRASES = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}
