"""A web of its own for tests and benches: names, IP addresses and what stands behind them, no network."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection, Sequence
from typing import Any

import httpcore

OPEN = "93.184.216.34"


def page(body: bytes = b"pixels", status: str = "200 OK", **headers: str) -> list[bytes]:
    """An answer of HTTP/1.1 as the pieces in which it arrives. Underscores in headers are hyphens."""
    told = {"content-length": str(len(body))} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {text}" for name, text in told.items() if text)]
    return ["\r\n".join([*lines, "", ""]).encode(), body]


def moved(location: str) -> list[bytes]:
    """A redirect."""
    return page(b"", "302 Found", location=location)


class Wire(httpcore.AsyncNetworkStream):
    """One connection: gives its pieces, then ends, or waits for ever."""

    def __init__(self, pieces: Sequence[bytes], ends: bool, addresses: tuple[str, str]) -> None:
        self.pieces, self.ends, self.addresses = list(pieces), ends, addresses
        self.written = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self.pieces:
            return self.pieces.pop(0)
        if not self.ends:
            await asyncio.Event().wait()
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.written += buffer

    async def aclose(self) -> None:
        self.ends = True

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        self.written += f"[TLS to {server_hostname}]".encode()
        return self

    def get_extra_info(self, info: str) -> Any:
        return {"client_addr": (self.addresses[0], 1), "server_addr": (self.addresses[1], 2)}.get(info)


class Web:
    """Names to IP addresses, IP addresses to answers; `dialled` and `wires` tell what was connected to.

    `silent` IP addresses take a connection and say nothing. A name with several lists of addresses gives
    another one each time it is asked.
    """

    def __init__(
        self,
        names: dict[str, list[list[str]]],
        answers: dict[str, list[bytes]],
        *,
        ends: bool = True,
        silent: Collection[str] = (),
    ) -> None:
        self.names, self.answers, self.ends, self.silent = names, answers, ends, silent
        self.here = "192.168.0.2"
        self.dialled: list[tuple[str, int]] = []
        self.wires: list[Wire] = []
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host not in self.names:
            raise OSError("name not known")
        lists = self.names[host]
        return lists.pop(0) if len(lists) > 1 else lists[0]

    async def dial(self, ip: str, port: int, seconds: float) -> httpcore.AsyncNetworkStream:
        self.dialled.append((ip, port))
        if ip not in self.answers and ip not in self.silent:
            raise ConnectionRefusedError("connection refused")
        ends = self.ends and ip not in self.silent
        self.wires.append(Wire(self.answers.get(ip, ()), ends, (self.here, ip)))
        return self.wires[-1]
