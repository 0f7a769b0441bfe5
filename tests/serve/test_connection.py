"""A connection's patience ends: slow heads, endless heads, stalled readers, half-sent bodies."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from omma.serve.connection import Connection

HELLO = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LEFT = asyncio.Event()  # the application was told that nobody takes its flood
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Hasty(Connection):
    head_bytes = 2_000
    head_seconds = rest_seconds = stalled_seconds = 0.2


class App:
    """Answers at once without reading bodies; /flood sends until nobody takes it, and tells how it ended."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/flood":
            sending = asyncio.ensure_future(self._flood(send))
            while (await receive())["type"] != "http.disconnect":
                pass
            sending.cancel()
            LEFT.set()
            return
        await send({"type": "http.response.body", "body": b"hello"})

    async def _flood(self, send: Any) -> None:
        while True:
            await send({"type": "http.response.body", "body": bytes(1 << 16), "more_body": True})
            await asyncio.sleep(0)


def talk(said: Talk, http: type[Connection] = Hasty) -> App:
    """Run a server behind a door as the house makes it, talk over one connection, and stop it."""

    async def run() -> App:
        app = App()
        config = uvicorn.Config(app, http=http, lifespan="off", log_config=None, ws="none")
        server = uvicorn.Server(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        door = socket.create_server(("127.0.0.1", 0))
        await server.startup(sockets=[door])
        try:
            reader, writer = await asyncio.open_connection(*door.getsockname())
            async with asyncio.timeout(20):
                await said(reader, writer)
            writer.close()
        finally:
            await server.shutdown(sockets=[door])
        return app

    return asyncio.run(run())


async def told(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    """The status and the error of the answer that the server closes with."""
    raw = await reader.read()
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]


def test_requests_come_and_go_on_one_connection() -> None:
    async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            writer.write(HELLO)
            assert b"hello" in await reader.readuntil(b"0\r\n\r\n")
        writer.write(HELLO + HELLO)
        for _ in range(2):
            await reader.readuntil(b"0\r\n\r\n")

    assert talk(said).asked == ["/"] * 5


def test_a_body_does_not_wait_until_its_head_is_confirmed() -> None:
    at_once = []

    class Watched(Hasty):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            line = transport.get_extra_info("socket")
            at_once.append(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await reader.readuntil(b"0\r\n\r\n")

    talk(said, Watched)
    assert all(at_once)
    assert at_once


def test_a_head_that_does_not_end_in_time_is_408() -> None:
    async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO[:-2] + b"X-Slow: ")
        status, error = await told(reader)
        assert (status, error["code"]) == (408, "request_timeout")
        assert "0.2 s" in error["message"]

    assert not talk(said).asked


def test_the_second_head_of_a_connection_is_not_waited_for_longer() -> None:
    async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(b"GET / HT")
        assert (await told(reader))[0] == 408

    talk(said)


def test_who_says_nothing_is_left_without_a_word() -> None:
    async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b""

    assert not talk(said).asked


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: " + b"x" * 3_000,
        b"GET / HTTP/1.1\r\nX: " + b"x" * 3_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 600 + b"\r\n",
        b"GET /" + b"x" * 3_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_a_head_that_grows_is_431(head: bytes) -> None:
    async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        status, error = await told(reader)
        assert (status, error["code"]) == (431, "headers_too_large")

    assert not talk(said).asked


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"GET / HTTP/1.1\r\nA b: c\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_is_no_http_is_400(raw: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        status, error = await told(reader)
        assert (status, error["code"]) == (400, "invalid_http")

    assert not talk(said).asked
    assert not caplog.records


def test_a_body_that_trickles_on_after_its_answer_is_left() -> None:
    async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
        assert b"hello" in await reader.readuntil(b"0\r\n\r\n")
        assert await reader.read() == b""

    talk(said)


def test_a_reader_who_takes_nothing_is_left_and_the_application_learns_it() -> None:
    async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /flood HTTP/1.1\r\n\r\n")
        await LEFT.wait()

    LEFT.clear()
    talk(said)
    assert LEFT.is_set()
