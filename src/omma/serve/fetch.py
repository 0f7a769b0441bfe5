"""Media behind addresses of the web: off unless it is switched on, and then no door into the house's network.

An address is read by one parser (`serve.addresses`), its name is resolved once, and the connection goes to
the very IP address that was checked, so a name server that changes its answer changes nothing. Each redirect
is a new address, checked like the first. Nothing of the environment is used: no proxies, no passwords.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeAlias

from omma.errors import BadAddress, Busy, MissingExtra
from omma.serve.addresses import Address, IPAddress, check_open, follow, parse

try:
    import httpcore
except ModuleNotFoundError as error:
    raise MissingExtra(
        "addresses are fetched by httpx, which is absent; do: pip install 'omma[serve]'"
    ) from error

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
Dial: TypeAlias = Callable[[str, int, float], Awaitable[httpcore.AsyncNetworkStream]]

REDIRECTS = (301, 302, 303, 307, 308)
TRIED = 3  # of the IP addresses that a name has


@dataclass(frozen=True)
class FetchLimits:
    """What may be fetched.

    `hosts` None is every host of the open internet; otherwise names, "*.a.example" for all below a.example
    (and not it). `bytes` of one body, `seconds` from asking to the last byte, redirects included. `at_once`
    fetches go at a time for everyone together, `waiting` more wait; beyond that it is Busy.
    """

    hosts: frozenset[str] | None = None
    ports: frozenset[int] = frozenset({80, 443})
    bytes: int = 64 << 20
    seconds: float = 20.0
    redirects: int = 3
    at_once: int = 8
    waiting: int = 64


class Fetcher:
    """Fetches media. `resolve`, `dial` and `trust` are what tests put in place of a network."""

    def __init__(
        self,
        limits: FetchLimits = FetchLimits(),
        *,
        resolve: Resolve | None = None,
        dial: Dial | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.limits = limits
        self._threads = ThreadPoolExecutor(limits.at_once, "names")  # a slow name server holds up no others
        self._resolve = resolve or self._ask_names
        self._dial = dial or _dial
        self._given_trust = trust
        self._asked = 0
        self._turn = asyncio.Semaphore(limits.at_once)

    async def fetch(self, text: str) -> bytes:
        """The bytes behind an address. Raises BadAddress, or Busy where too many wait already.

        What they are is not asked: a type that a stranger's server states proves nothing.
        """
        limits = self.limits
        address = self._allowed(parse(text))
        if self._asked >= limits.at_once + limits.waiting:
            raise Busy("too many addresses are being fetched; ask again in a moment", retry_after=2.0)
        self._asked += 1
        try:
            async with asyncio.timeout(limits.seconds), self._turn:
                return await self._followed(address)
        except TimeoutError:
            raise BadAddress(
                f"{address.host} did not give all within {limits.seconds:g} s; upload it to /v1/media instead"
            ) from None
        finally:
            self._asked -= 1

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """Whose certificates are believed: this machine's list, read when first needed."""
        return self._given_trust or ssl.create_default_context()

    def close(self) -> None:
        """Give the threads back that ask name servers."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask_names(self, host: str, port: int) -> list[str]:
        """A name's IP addresses. The dot at its end keeps the machine's own search list out of it."""
        ask = partial(socket.getaddrinfo, f"{host}.", port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    async def _followed(self, address: Address) -> bytes:
        for _ in range(self.limits.redirects + 1):
            came = await self._visit(address)
            if isinstance(came, bytes):
                return came
            if address.scheme == "https" and came.scheme == "http":
                raise BadAddress(f"{address.host} redirects from https to http, which is not followed")
            address = self._allowed(came)
        raise BadAddress(
            f"{address.host} redirects more than {self.limits.redirects} times; give the last address"
        )

    def _allowed(self, address: Address) -> Address:
        """The address, if the lists of hosts and ports hold it and, where it is an IP address, it is open."""
        if address.port not in self.limits.ports:
            ports = ", ".join(map(str, sorted(self.limits.ports)))
            raise BadAddress(f"{address.host} is asked at port {address.port}; only {ports} are fetched from")
        if self.limits.hosts is not None and not _listed(address.host, self.limits.hosts):
            raise BadAddress(f"{address.host} is not among the hosts that this server fetches from")
        if address.ip is not None:
            check_open(address.ip, address.host)
        return address

    async def _visit(self, address: Address) -> bytes | Address:
        """The body behind an address, or where it sends us."""
        pinned = _Pinned(address.host, await self._addresses(address), self._dial)
        async with _answer(address, pinned, self._trust if address.scheme == "https" else None) as response:
            if response.status in REDIRECTS:
                location = dict(_lowered(response.headers)).get("location")
                if location is None:
                    raise BadAddress(f"{address.host} redirects and does not say where to")
                return follow(address, location)
            if response.status != 200:
                raise BadAddress(f"{address.host} answered {response.status}; wanted 200 and the bytes")
            return await self._body(address, response)

    async def _addresses(self, address: Address) -> list[IPAddress]:
        """Where a host is, asked for once. One closed address among them, and none is taken."""
        if address.ip is not None:
            return [address.ip]
        try:
            found = await self._resolve(address.host, address.port)
            ips = [ipaddress.ip_address(text) for text in found]
        except (OSError, UnicodeError, ValueError):
            ips = []
        if not ips:
            raise BadAddress(f"{address.host} is not known to the name servers; look at its spelling")
        for ip in ips:
            check_open(ip, address.host)
        return ips

    async def _body(self, address: Address, response: httpcore.Response) -> bytes:
        headers = dict(_lowered(response.headers))
        limit = self.limits.bytes
        too_long = BadAddress(f"{address.host} gives more than {limit:,} bytes, the most that is fetched")
        if headers.get("content-encoding", "identity") not in ("", "identity"):
            raise BadAddress(
                f"{address.host} sends {headers['content-encoding'][:40]!r}, though identity was asked for; "
                "compressed bodies are not opened"
            )
        stated = headers.get("content-length", "0")
        if stated.isdecimal() and int(stated[:20]) > limit:
            raise too_long
        body = bytearray()
        async for piece in response.aiter_stream():
            body += piece
            if len(body) > limit:
                raise too_long
        if not body:
            raise BadAddress(f"{address.host} answered with no bytes at all")
        return bytes(body)


class _Pinned(httpcore.AsyncNetworkBackend):
    """Connects to the IP addresses that were checked, whatever the name says by now."""

    def __init__(self, host: str, ips: Sequence[IPAddress], dial: Dial) -> None:
        self._host, self._ips, self._dial = host, ips, dial

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        assert host == self._host, "a connection is made to another host than was checked"
        refused: Exception | None = None
        for ip in self._ips[:TRIED]:
            try:
                stream = await self._dial(str(ip), port, timeout or 0.0)
            except (OSError, httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                refused = error
                continue
            if _is_this_machine(stream):
                await stream.aclose()
                raise BadAddress(f"{host} is this machine, which is not fetched from")
            return stream
        raise httpcore.ConnectError(str(refused))


@asynccontextmanager
async def _answer(
    address: Address, pinned: _Pinned, trust: ssl.SSLContext | None
) -> AsyncIterator[httpcore.Response]:
    """The answer to one GET on a connection of its own, closed at the end."""
    request = httpcore.Request(
        b"GET",
        httpcore.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode(),
            port=address.port,
            target=_target(address.target).encode(),
        ),
        headers=[
            (b"Host", address.authority.encode()),
            (b"User-Agent", b"omma"),
            (b"Accept", b"image/*, video/*;q=0.9, */*;q=0.1"),
            (b"Accept-Encoding", b"identity"),
            (b"Connection", b"close"),
        ],
        extensions={"timeout": {"connect": 5.0, "read": 10.0, "write": 10.0, "pool": 1.0}},
    )
    try:
        async with httpcore.AsyncHTTPConnection(
            origin=request.url.origin, ssl_context=trust, network_backend=pinned
        ) as connection:
            response = await connection.handle_async_request(request)
            try:
                yield response
            finally:
                await response.aclose()
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        why = str(error).strip() or type(error).__name__
        raise BadAddress(f"{address.host} cannot be fetched from: {why[:200]}") from error


def _target(target: str) -> str:
    """The path as a request line has it: never empty."""
    return target if target.startswith("/") else f"/{target}"


def _lowered(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1").lower(), value.decode("latin-1").strip()) for name, value in headers]


def _listed(host: str, hosts: frozenset[str]) -> bool:
    """Whether a host stands in a list, itself or by a "*." above it."""
    labels = host.split(".")
    return host in hosts or any("*." + ".".join(labels[i:]) in hosts for i in range(1, len(labels)))


def _is_this_machine(stream: httpcore.AsyncNetworkStream) -> bool:
    """Whether both ends of a connection have one IP address: this machine has open addresses of its own."""
    here, there = stream.get_extra_info("client_addr"), stream.get_extra_info("server_addr")
    return bool(here and there and here[0] == there[0])


async def _dial(ip: str, port: int, seconds: float) -> httpcore.AsyncNetworkStream:
    return await httpcore.AnyIOBackend().connect_tcp(ip, port, timeout=seconds or None)
