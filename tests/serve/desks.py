"""A desk in this process over a model, and a server around it: what the tests of the wire talk to."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any

import httpx
import openai
import uvicorn

from omma.chat import Delta, FinishReason, Usage
from omma.prep.geometry import geometry
from omma.respond import Model
from omma.sample import Size
from omma.serve.app import build_app
from omma.serve.desk import Card, Cost, Order, Shown, Told
from omma.serve.doorway import Doorway

NAME = "omma-nano"


@dataclass
class ModelDesk:
    """Answers by a model of this process, each order in a thread of its own."""

    model: Model
    answered: list[Order] = field(default_factory=list)
    open: int = 0
    closed: Callable[[], None] = lambda: None

    def models(self) -> Sequence[Card]:
        spec = self.model.spec
        return [Card(NAME, spec.family, spec.decoder.context, spec.boxes, self.model.thinks, created=1)]

    def state(self) -> Mapping[str, Any]:
        return {"ready": True, "running": self.open, "seconds": {"encode": 0.5}}

    async def cost(self, order: Order) -> Cost:
        sample = await asyncio.to_thread(
            self.model.processor.sample, order.messages, tools=order.options.tools
        )
        counts = {"image": 0, "video": 0}
        for visual in sample.visuals:
            counts[visual.kind] += visual.tokens
        shown = tuple(
            Shown(v.kind, v.original, v.resized, v.tokens, max(1, len(v.times))) for v in sample.visuals
        )
        text = sample.length - sum(counts.values())
        return Cost(text, counts["image"], counts["video"], self.model.spec.decoder.context, shown)

    async def answer(self, order: Order) -> AsyncGenerator[Told, None]:
        self.answered.append(order)
        loop, line = asyncio.get_running_loop(), asyncio.Queue[Delta | Exception]()
        stop = threading.Event()
        work = threading.Thread(target=self._work, args=(order, loop, line, stop), daemon=True)
        self.open += 1
        try:
            work.start()
            text = ""
            while True:
                came = await line.get()
                if isinstance(came, Exception):
                    raise came
                text += came.text
                if came.finish_reason is None:
                    yield Told(came)
                    continue
                yield Told(came, geometry(text, came.seen), {"prefill": 0.1, "decode": 0.2})
                return
        finally:
            stop.set()
            self.open -= 1
            self.closed()

    def _work(self, order: Order, loop: Any, line: Any, stop: threading.Event) -> None:
        try:
            for delta in self.model.stream(order.messages, order.options):
                if stop.is_set():
                    return
                loop.call_soon_threadsafe(line.put_nowait, delta)
        except Exception as error:
            if not stop.is_set():
                loop.call_soon_threadsafe(line.put_nowait, error)


CARD = Card(NAME, "qwen3-vl", 4096, "relative", created=1, digest="00")


def told(*texts: str, reason: FinishReason = "stop", usage: Usage | None = None) -> list[Told]:
    """An answer of these pieces."""
    last = Delta("", reason, usage or Usage(10, len(texts)))
    return [*(Told(Delta(text)) for text in texts), Told(last, {"shown": []}, {"prefill": 0.1})]


@dataclass
class ScriptDesk:
    """Tells what it was given, piece by piece; an error in the script is raised there.

    With `held` it stops before the piece of that number until `release` is called, and says by `waits` that
    it stands there, by `left` that it was closed.
    """

    script: Sequence[Told | Exception] = field(default_factory=lambda: told("Hello", " there"))
    card: Card = CARD
    held: int | None = None
    is_ready: bool = True
    orders: list[Order] = field(default_factory=list)
    waits: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    _go: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        self._go.set()

    def models(self) -> Sequence[Card]:
        return [self.card]

    def state(self) -> Mapping[str, Any]:
        return {"ready": self.is_ready, "running": 0, "note": "as it is"}

    async def cost(self, order: Order) -> Cost:
        self.orders.append(order)
        return Cost(7, 5, 0, self.card.context, (Shown("image", Size(40, 30), Size(56, 28), 5),), 0.25)

    async def answer(self, order: Order) -> AsyncGenerator[Told, None]:
        self.orders.append(order)
        try:
            for number, piece in enumerate(self.script):
                if number == self.held:
                    self.waits.set()
                    while not self._go.is_set():
                        await asyncio.sleep(0.005)
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.left.set()


@dataclass
class Served:
    """A server that runs."""

    address: str
    app: Doorway
    desk: Any
    loop: asyncio.AbstractEventLoop
    _stopping: list[concurrent.futures.Future[bool]] = field(default_factory=list)

    def stop(self) -> None:
        """Let nobody else in."""
        self._stopping.append(asyncio.run_coroutine_threadsafe(self.app.close(), self.loop))
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop).result(30)

    def stopped(self) -> bool:
        """Whether all answers ended after `stop`."""
        return self._stopping[0].result(30)

    def client(self, **more: Any) -> openai.OpenAI:
        """The official client."""
        return openai.OpenAI(base_url=f"{self.address}/v1", **({"api_key": "none", "max_retries": 0} | more))

    def http(self, **more: Any) -> httpx.Client:
        """A plain client."""
        return httpx.Client(base_url=self.address, timeout=60, trust_env=False, **more)


@contextmanager
def serving(desk: Any, *args: Any, **more: Any) -> Iterator[Served]:
    """The server around a desk, run by uvicorn in a thread on a free port."""
    app = build_app(desk, *args, **more)
    config = uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    started = threading.Event()
    begin, loops = server.startup, []

    async def startup(*args: Any, **more: Any) -> None:
        await begin(*args, **more)
        loops.append(asyncio.get_running_loop())
        started.set()

    server.startup = startup  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        assert started.wait(30), "the server did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(f"http://127.0.0.1:{port}", app, desk, loops[0])
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server did not end"


def in_time(look: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What is found in the end: a server writes its log and counts when its answer has gone out already."""
    by = monotonic() + seconds
    while not (found := look()):
        assert monotonic() < by, f"nothing in {seconds:g} s"
        sleep(0.01)
    return found
