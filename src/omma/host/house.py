"""A server and the processes behind it, from the first breath to the last: what `omma serve` runs."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from omma.errors import BadInput, MissingExtra
from omma.host.desk import HostDesk
from omma.host.settings import HostSettings
from omma.host.thrift import be_thrifty, settle
from omma.serve.desk import Desk
from omma.serve.doorway import Doorway
from omma.serve.fetch import Fetcher, FetchLimits
from omma.serve.keys import KeyRing
from omma.serve.media import MediaShelf
from omma.serve.quota import Quota
from omma.serve.settings import Settings
from omma.serve.traces import NoTraces, Traces, sent_to

try:
    import uvicorn

    from omma.serve.app import SAFE, build_app
    from omma.serve.connection import Connection
except ModuleNotFoundError as absent:
    raise MissingExtra(
        f'the server needs {absent.name}, which is not installed; get it with: pip install "omma[serve]"'
    ) from absent

WAITING = 2048  # connections that the system keeps until they are taken up
KEPT_OPEN = 30  # seconds for which an idle connection is kept
STOPPING = (signal.SIGTERM, signal.SIGINT)


class HouseDesk(Desk, Protocol):
    """A desk that is opened behind the door, and closed after it."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class House:
    """Where it stands, who may come in, and what is inside. `fetch` None opens no address of the web.

    `desk` makes what stands behind the server of the settings of its `processes`. `traces` is the OTLP
    address that traces are sent to.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    keys: KeyRing = field(default_factory=lambda: KeyRing(()))
    fetch: FetchLimits | None = None
    server: Settings = SAFE
    processes: HostSettings = field(default_factory=HostSettings)
    desk: Callable[[HostSettings], HouseDesk] = HostDesk
    traces: str | None = None


@dataclass(frozen=True)
class Open:
    """What is said when a model answers: the server's address, and how media are confined."""

    url: str
    model: str
    walls: tuple[str, ...]


def run(house: House, told: Callable[[Open], None]) -> None:
    """Serve until SIGTERM or SIGINT; `told` is called when a model answers. Until then all hear 503.

    On the first signal nobody else is let in and answers under way are finished, as long as the settings'
    `leaving` says; on the second they are not. Raises BadInput for a place that cannot be had, and what
    loading the model raises.
    """
    be_thrifty()
    with _listening(house) as door:
        asyncio.run(_live(house, door, told))


async def _live(house: House, door: socket.socket, told: Callable[[Open], None]) -> None:
    asked, hurried = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPPING:
        loop.add_signal_handler(number, lambda: (hurried if asked.is_set() else asked).set())
    traces = NoTraces() if house.traces is None else sent_to(house.traces)
    desk = house.desk(house.processes)
    fetcher = None if house.fetch is None else Fetcher(house.fetch)
    app = _application(house, door, desk, fetcher, traces)
    server = _Server(_as_we_serve(app))
    serving = asyncio.create_task(server.serve(sockets=[door]))
    try:
        # The door is open before a model answers: who asks hears that it is not ready, and does not wait.
        if await _first(desk.open(), asked):
            settle()
            told(Open(_url(door), desk.models()[0].name, tuple(desk.state().get("walls", ()))))
            await _first(asyncio.shield(serving), asked)
        if not serving.done():
            await _first(app.close(), hurried)
    finally:
        server.should_exit = True
        server.force_exit = hurried.is_set()
        await asyncio.gather(serving, return_exceptions=True)
        await desk.close()
        if fetcher is not None:
            fetcher.close()
    await serving


def _application(
    house: House, door: socket.socket, desk: HouseDesk, fetcher: Fetcher | None, traces: Traces
) -> Doorway:
    """The server around the desk."""
    local = ipaddress.ip_address(door.getsockname()[0]).is_loopback
    return build_app(
        desk,
        house.server if local else replace(house.server, hosts=()),  # others call it by names of theirs
        keys=house.keys,
        fetcher=fetcher,
        shelf=MediaShelf(),
        gate=Quota(named=house.keys.allowed),
        traces=traces,
    )


def _as_we_serve(app: Doorway) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEPT_OPEN,
        timeout_graceful_shutdown=1,
    )


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _first(work: Any, sign: asyncio.Event) -> bool:
    """Do the work unless the sign comes first; whether it was done. What it raises is raised."""
    doing = asyncio.ensure_future(work)
    waiting = asyncio.create_task(sign.wait())
    await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if doing.done():
        doing.result()
        return True
    doing.cancel()
    await asyncio.gather(doing, return_exceptions=True)
    return False


@contextmanager
def _listening(house: House) -> Iterator[socket.socket]:
    """The door, bound to its place. Raises BadInput where that cannot be."""
    try:
        found = socket.getaddrinfo(house.host, house.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise BadInput(f"host is {house.host!r}, which is no address here: {error.strerror}") from None
    family, _, _, _, place = found[0]
    if not ipaddress.ip_address(place[0]).is_loopback and not house.keys:
        raise BadInput(
            f"{house.host} is reached from other machines, and no key is asked for; give --key or "
            "--key-file, or stay at 127.0.0.1"
        )
    try:
        door = socket.create_server((str(place[0]), house.port), family=family, backlog=WAITING)
    except OSError as error:
        why = (error.strerror or str(error)).lower().partition(" (")[0]
        raise BadInput(
            f"port {house.port} of {house.host} cannot be had: {why}; give another --port, or 0 for any"
        ) from None
    with door:
        yield door


def _url(door: socket.socket) -> str:
    host, port = door.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
