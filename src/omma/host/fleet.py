"""The engines' processes: started, watched, replaced when they die, and chosen for each order."""

from __future__ import annotations

import asyncio
import hashlib
import resource
from contextlib import suppress
from pathlib import Path
from time import monotonic

from omma.errors import Busy, Interrupted, NotStarted, OmmaError
from omma.host.link import Worker
from omma.host.settings import HostSettings
from omma.prep.rules import PictureRules
from omma.serve.desk import Card

LOOK = 1.0  # seconds between two looks at the processes
SHORT_LIFE = 10.0  # seconds; an engine that dies sooner is not started again at once for ever
BORN_DEAD, SLOWEST = 3, 30.0  # so many short lives in a row, and there is a pause, at most so long in seconds
LIGHT = 1 << 30  # bytes of weights, under which a spare holds the model already
SLACK = 4  # orders by which an engine may be fuller than another and still get those that it knows


class Fleet:
    """A number of engines of one model. Lives on one loop: `open` it, then `close` it."""

    def __init__(self, settings: HostSettings) -> None:
        self._settings = settings
        self._ready: dict[int, Worker] = {}
        self._born: set[Worker] = set()  # all that are alive, ready or not
        self._spare: Worker | None = None
        self._change = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._model: asyncio.Future[tuple[Card, PictureRules]] | None = None
        self.restarts = 0

    async def open(self) -> None:
        """Start all engines; back when the first is ready. Raises what loading the model raises."""
        self._model = asyncio.get_running_loop().create_future()
        slots = range(self._settings.replicas)
        self._tasks = [asyncio.create_task(self._keep(slot)) for slot in slots]
        self._tasks.append(asyncio.create_task(self._watch()))
        if self._settings.spare:
            self._tasks.append(asyncio.create_task(self._keep_spare()))
        await asyncio.shield(self._model)

    async def close(self) -> None:
        """End everything; back when no process is left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(worker.close() for worker in self._born))
        self._ready.clear()

    @property
    def cards(self) -> list[Card]:
        """The same, or nothing as long as no engine has loaded it."""
        loaded = self._model is not None and self._model.done() and self._model.exception() is None
        return [self.card] if loaded else []

    @property
    def card(self) -> Card:
        """What the model says of itself. Raises Busy while it is being loaded."""
        return self._told()[0]

    @property
    def rules(self) -> PictureRules:
        """How pictures are brought to the model's tower."""
        return self._told()[1]

    @property
    def workers(self) -> list[Worker]:
        """The engines that are ready, by their slots."""
        return [self._ready[slot] for slot in sorted(self._ready)]

    @property
    def numbers(self) -> list[int]:
        """The process numbers of all engines, the spare's last."""
        spare = [] if self._spare is None else [self._spare.number]
        return [worker.number for worker in self.workers] + spare

    async def chosen(self, key: str) -> Worker:
        """The engine for an order: that which has seen the same `key`, unless it is much fuller than another.

        Waits while none is ready. Raises Busy when that takes too long.
        """
        until = monotonic() + self._settings.patience
        while not (ready := self._living()):
            self._change.clear()
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + until - monotonic()):
                    await self._change.wait()
            except TimeoutError:
                raise Busy("no engine is ready just now; come again later", retry_after=5.0) from None
        least = min(worker.load for worker in ready.values())
        near = [slot for slot, worker in ready.items() if worker.load <= least + SLACK]
        return ready[max(near, key=lambda slot: hashlib.sha1(f"{slot}{key}".encode()).digest())]

    def _living(self) -> dict[int, Worker]:
        return {slot: worker for slot, worker in self._ready.items() if not worker.ended.is_set()}

    def _told(self) -> tuple[Card, PictureRules]:
        if self._model is None or not self._model.done():
            raise Busy("the model is still being loaded; come again later", retry_after=5.0)
        return self._model.result()

    async def _keep(self, slot: int) -> None:
        """See that there is always an engine in a slot."""
        short = 0
        while True:
            began = monotonic()
            worker = await self._next()
            try:
                await self._serve(slot, worker)
            except OmmaError as wrong:
                if self._refused(wrong):
                    return
            finally:
                self._ready.pop(slot, None)
                worker.kill()
            await worker.ended.wait()
            self._born.discard(worker)
            self.restarts += 1
            short = short + 1 if monotonic() - began < SHORT_LIFE else 0
            if short >= BORN_DEAD:
                await asyncio.sleep(min(SLOWEST, 0.5 * 2 ** (short - BORN_DEAD)))

    async def _serve(self, slot: int, worker: Worker) -> None:
        """Load the model, and be there until the engine dies."""
        try:
            async with asyncio.timeout(self._settings.loading):
                told = await worker.load_model(self._settings.shared)
        except TimeoutError:
            raise NotStarted(
                f"no engine was ready within {self._settings.loading:g} s; take a smaller model, or look "
                "what else this machine does"
            ) from None
        assert self._model is not None
        if not self._model.done():
            self._model.set_result(told)
        self._ready[slot] = worker
        self._change.set()
        await worker.ended.wait()

    def _refused(self, wrong: OmmaError) -> bool:
        """Whether the first loading of all failed, for a reason that will not pass."""
        assert self._model is not None
        if (isinstance(wrong, Interrupted) and self.restarts < BORN_DEAD) or self._model.done():
            return False
        self._model.set_exception(wrong)
        return True

    async def _next(self) -> Worker:
        """The spare, if it is alive, or else a new process."""
        spare, self._spare = self._spare, None
        self._change.set()
        if spare is not None and not spare.ended.is_set():
            return spare
        return await self._started()

    async def _started(self) -> Worker:
        worker = await Worker.born()
        self._born.add(worker)
        return worker

    async def _keep_spare(self) -> None:
        """Have a spare as soon as all engines are there, and another when it was taken or died."""
        while True:
            await asyncio.sleep(LOOK)
            if self._spare is not None and self._spare.ended.is_set():
                self._born.discard(self._spare)
                self._spare = None
            if self._spare is None and len(self._ready) == self._settings.replicas:
                self._spare = spare = await self._started()
                if all((worker.weights or LIGHT) < LIGHT for worker in self.workers):
                    with suppress(OmmaError):  # then it is dead, or whoever takes it hears the same
                        await spare.load_model(self._settings.shared)

    async def _watch(self) -> None:
        """Replace engines that hold too much memory, or give no sign while they have work."""
        while True:
            await asyncio.sleep(LOOK)
            for worker in self.workers:
                stalled = worker.load and monotonic() - worker.heard > self._settings.stalled
                if stalled or _over(worker.number, self._settings.memory):
                    worker.kill()


def held(number: int) -> int | None:
    """Bytes of main memory that a process holds; None where that cannot be known."""
    with suppress(OSError, ValueError, IndexError):
        words = Path(f"/proc/{number}/statm").read_text(encoding="ascii").split()
        return int(words[1]) * resource.getpagesize()
    return None


def _over(number: int, most: int | None) -> bool:
    return most is not None and (held(number) or 0) > most
