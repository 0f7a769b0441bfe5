"""The desk over a cluster: Ray Serve holds replicas of a whole desk, an order goes to one that is free."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from omma.errors import Busy, Interrupted, MissingExtra, NotStarted, OmmaError
from omma.host.desk import HostDesk
from omma.host.settings import HostSettings
from omma.scale.clean_ray import connected
from omma.serve.desk import Card, Cost, Desk, Order, Told

APP, SEATS = "omma", "Seat"
LOOK = 2.0  # seconds between two looks at how the replicas are


class Opening(Protocol):
    """How a replica gets its desk. It travels to the replica's machine."""

    async def open(self) -> Desk:
        """The desk, ready to answer."""
        ...

    async def close(self, desk: Desk) -> None:
        """Let go of all that it holds."""
        ...


@dataclass(frozen=True)
class HostOpening:
    """A replica is a host of processes, as `omma serve` has on one machine: media are decoded apart there."""

    settings: HostSettings

    async def open(self) -> Desk:
        """Start the processes; back when they are ready."""
        desk = HostDesk(self.settings)
        await desk.open()
        return desk

    async def close(self, desk: Desk) -> None:
        """End them."""
        if isinstance(desk, HostDesk):
            await desk.close()


class Seat:
    """A replica: a desk in an actor. What is wrong with an order is told as a value, so it keeps its kind."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._desk: Desk | None = None
        self._lock = asyncio.Lock()

    async def _ready(self) -> Desk:
        async with self._lock:
            if self._desk is None:
                self._desk = await self._opening.open()
        return self._desk

    async def check_health(self) -> None:
        """Raise where no order can be answered: Ray replaces the replica then.

        A desk that does not open for a reason that will not pass is no matter of health: `models` tells it.
        """
        try:
            desk = await self._ready()
        except OmmaError:
            return
        if not desk.state().get("ready"):
            raise RuntimeError("the desk is not ready")

    async def models(self) -> Sequence[Card] | OmmaError:
        """What is offered, or why nothing is."""
        try:
            return list((await self._ready()).models())
        except OmmaError as wrong:
            return wrong

    async def walls(self) -> list[str]:
        """Which walls stand around the decoding of media here."""
        return list((await self._ready()).state().get("walls", ()))

    async def cost(self, order: Order) -> Cost | OmmaError:
        """What the prompt would take, or why it is not taken."""
        try:
            return await (await self._ready()).cost(order)
        except OmmaError as wrong:
            return wrong

    async def answer(self, order: Order) -> AsyncGenerator[Told | OmmaError, None]:
        """Answer piece by piece; where Ray cancels this, the desk's answer is closed."""
        try:
            async with aclosing((await self._ready()).answer(order)) as pieces:
                async for piece in pieces:
                    yield piece
        except OmmaError as wrong:
            yield wrong

    async def __del__(self) -> None:
        if self._desk is not None:
            await self._opening.close(self._desk)


class RayDesk:
    """A `serve.desk.Desk` over `replicas` of a desk on a Ray cluster. `open` before and `close` after use.

    `address` is the cluster's; None starts one on this machine. At most `inside` orders are in a replica at
    once and as many wait for each; more are refused as Busy. A replica that dies is replaced, and those who
    were inside are told to ask again. The replicas have `patience` seconds to be ready at first.
    """

    def __init__(
        self,
        opening: Opening,
        replicas: int = 1,
        *,
        address: str | None = None,
        inside: int = 64,
        patience: float = 600.0,
    ) -> None:
        self._opening, self._replicas, self._address, self._limit = opening, replicas, address, inside
        self._patience = patience
        self._own = False  # whether the cluster was started here
        self._closing = False
        self._serve: Any = None  # Ray Serve, and the way to its replicas
        self._handle: Any = None
        self._cards: list[Card] = []
        self._walls: list[str] = []
        self._running = 0
        self._inside = 0
        self._looking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the replicas; back when all of them are ready.

        Raises MissingExtra, what opening a replica's desk raises, and NotStarted where it takes too long.
        """
        with _own_signals():
            self._own = self._address is None and not _known()
            connected(self._address)
        try:
            async with asyncio.timeout(self._patience):
                await _apart(self._deploy)
                told = await self._handle.models.remote()
        except TimeoutError:
            raise NotStarted(
                f"the replicas on Ray were not ready within {self._patience:g} s; look at the cluster with: "
                "ray status"
            ) from None
        if isinstance(told, OmmaError):
            raise told
        self._cards, self._walls = told, await self._handle.walls.remote()
        self._running = await asyncio.to_thread(self._count)
        self._looking = asyncio.create_task(self._look())

    async def close(self) -> None:
        """End the replicas, and the cluster if it was started here; another one stays as it is."""
        self._closing = True
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
        if self._serve is not None:
            await asyncio.to_thread(self._serve.shutdown)
        if self._own:
            import ray

            await asyncio.to_thread(ray.shutdown)

    def _deploy(self) -> None:
        try:
            from ray import serve
        except ModuleNotFoundError:
            raise MissingExtra("Ray Serve is not installed; pip install 'omma[ray]' to serve on it") from None
        if self._closing:
            return
        self._serve = serve
        serve.start(proxy_location="Disabled")  # the door is our own server
        deployment: Any = serve.deployment(
            name=SEATS,
            num_replicas=self._replicas,
            max_ongoing_requests=self._limit,
            max_queued_requests=self._limit * self._replicas,
            ray_actor_options={"num_cpus": 0},  # the processes it starts are not Ray's to count
        )
        try:
            self._handle = serve.run(deployment(Seat).bind(self._opening), name=APP, route_prefix=None)
        except RuntimeError as wrong:
            why = str(wrong).strip().splitlines()[-1]
            raise NotStarted(f"no replica came up on Ray: {why}") from None

    def models(self) -> Sequence[Card]:
        """What the replicas offer."""
        return self._cards

    def state(self) -> Mapping[str, Any]:
        """How many replicas run, of how many, how many orders are inside, and the walls of one replica."""
        ready = self._running > 0
        return {
            "ready": ready,
            "engines": self._running,
            "replicas": self._replicas,
            "inside": self._inside,
            "walls": self._walls,
        }

    async def cost(self, order: Order) -> Cost:
        """What the prompt would take."""
        from ray.exceptions import RayError
        from ray.serve.exceptions import BackPressureError

        try:
            told = await self._handle.cost.remote(order)
        except BackPressureError:
            raise _full() from None
        except RayError as wrong:
            raise _died(wrong) from None
        if isinstance(told, OmmaError):
            raise told
        cost: Cost = told
        return cost

    async def answer(self, order: Order) -> AsyncGenerator[Told, None]:
        """Answer piece by piece; closing the iterator cancels in the replica."""
        from ray.exceptions import RayError
        from ray.serve.exceptions import BackPressureError

        pieces = self._handle.options(stream=True).answer.remote(order)
        self._inside += 1
        over = False
        try:
            async for told in pieces:
                if isinstance(told, OmmaError):
                    over = True
                    raise told
                yield told
            over = True
        except BackPressureError:
            raise _full() from None
        except RayError as wrong:
            raise _died(wrong) from None
        finally:
            self._inside -= 1
            if not over:
                pieces.cancel()

    async def _look(self) -> None:
        """Count the replicas that run, now and then."""
        while True:
            await asyncio.sleep(LOOK)
            self._running = await asyncio.to_thread(self._count)

    def _count(self) -> int:
        app = self._serve.status().applications.get(APP)
        states: Mapping[Any, int] = app.deployments[SEATS].replica_states if app is not None else {}
        return int(states.get("RUNNING", 0))


def hosts_on_ray(address: str | None) -> Callable[[HostSettings], RayDesk]:
    """What makes a desk of a host's settings whose replicas are hosts on the cluster, one engine in each."""

    def made(settings: HostSettings) -> RayDesk:
        alone = HostOpening(replace(settings, replicas=1))
        patience = settings.loading
        return RayDesk(alone, settings.replicas, address=address, inside=settings.inside, patience=patience)

    return made


def _known() -> bool:
    """Whether this process is connected to a cluster already."""
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


async def _apart(work: Callable[[], None]) -> None:
    """Do blocking work in a thread that nothing waits for when it is given up."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(wrong: Exception | None) -> None:
        if not done.done():
            done.set_result(None) if wrong is None else done.set_exception(wrong)

    def run() -> None:
        wrong = None
        try:
            work()
        except Exception as error:
            wrong = error
        with suppress(RuntimeError):  # the loop is closed: whoever asked has left
            loop.call_soon_threadsafe(settle, wrong)

    threading.Thread(target=run, daemon=True).start()
    await done


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes the process's signals to itself when it connects; they are taken back here."""
    inside = threading.current_thread() is threading.main_thread()
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)} if inside else {}
    try:
        yield
    finally:
        for number, handler in kept.items():
            if handler is not None:
                signal.signal(number, handler)


def _full() -> Busy:
    return Busy("every replica is busy and as many orders wait; come again later")


def _died(wrong: Exception) -> Interrupted:
    return Interrupted(f"the replica that was answering died ({type(wrong).__name__}); ask again")
