"""An engine's process as the server's loop sees it: orders go in, frames come back by their numbers."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import omma
from omma.errors import Interrupted
from omma.host.frames import Blob, Broken, Frame, HungUp, receive_from, written
from omma.host.nouns import error_of, noun, plain
from omma.host.settings import Setup
from omma.prep.rules import PictureRules
from omma.serve.desk import Card

# The process takes its code from where this one has it.
BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from omma.host.worker import main; main(int(sys.argv[2]))"
)
UNREAD = 8192  # pieces of an answer that wait for a slow reader
DIED = "the process that was answering died; ask again"
UNHEARD = "the answer was not read for too long; ask again, and read it as it comes"


class Worker:
    """A process that answers. `ended` is set when it is gone, and all that was inside has heard of it."""

    def __init__(self, process: subprocess.Popen[bytes], line: tuple[Any, asyncio.StreamWriter]) -> None:
        self._process = process
        self._source, self._sink = line
        self._sending = asyncio.Lock()
        self._numbers = count(1)
        self._inside: dict[int, asyncio.Queue[Frame | None]] = {}
        self._told: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self.ended = asyncio.Event()
        self.heard = monotonic()  # when an order inside last gave a sign
        self.state: dict[str, Any] = {}
        self.died_with: set[str] = set()  # digests of orders that were inside when it died
        self._leaving: set[asyncio.Task[None]] = set()
        self._loading: asyncio.Task[tuple[Card, PictureRules]] | None = None
        self.weights: int | None = None  # bytes that the model's files have, once it is loaded
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def born(cls) -> Worker:
        """Start a process without a model."""
        mine, its = socket.socketpair()
        home = str(Path(omma.__file__).parent.parent)
        with its:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", BOOT, home, str(its.fileno()), "omma-engine"],
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        return cls(process, await asyncio.open_unix_connection(sock=mine))

    @property
    def number(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def load(self) -> int:
        """How many orders are inside."""
        return len(self._inside)

    async def load_model(self, setup: Setup) -> tuple[Card, PictureRules]:
        """Have it load a model, if it has not begun. Raises what loading raises, Interrupted when it dies."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._load(setup))
            self._loading.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._loading)

    async def _load(self, setup: Setup) -> tuple[Card, PictureRules]:
        blobs: list[Blob] = []
        await self._send({"do": "load", "setup": plain(setup, blobs)}, blobs)
        frame = await self._told
        if frame.header["is"] == "refused":
            raise error_of(frame.header)
        self.weights = frame.header["weights"]
        card, rules = noun(frame.header["value"], frame.blobs)
        return card, rules

    async def ask(self, what: str, value: tuple[Any, ...]) -> AsyncIterator[Frame]:
        """Give it an order; its frames one by one, to the last. Closing the iterator cancels.

        Raises what the order is refused for, and Interrupted when the process dies.
        """
        number = next(self._numbers)
        came = self._inside[number] = asyncio.Queue(UNREAD)
        if self.load == 1:
            self.heard = monotonic()
        blobs: list[Blob] = []
        open_end = True
        try:
            await self._send({"do": what, "id": number, "value": plain(value, blobs)}, blobs)
            blobs.clear()
            while open_end:
                frame = await came.get()
                if frame is None:
                    raise Interrupted(DIED if self.ended.is_set() else UNHEARD)
                open_end = frame.header["is"] == "piece"
                if frame.header["is"] == "failed":
                    raise error_of(frame.header)
                yield frame
        finally:
            self._inside.pop(number, None)
            if open_end and not self.ended.is_set():
                await asyncio.shield(self._cancel(number))

    def kill(self) -> None:
        """End the process; whoever is inside hears of it."""
        self._process.send_signal(signal.SIGKILL)

    async def close(self) -> None:
        """End the process and wait until nothing of it is left."""
        self.kill()
        await self._reading

    async def _cancel(self, number: int) -> None:
        try:
            await self._send({"do": "cancel", "id": number})
        except Interrupted:
            return

    async def _send(self, header: Mapping[str, Any], blobs: list[Blob] | None = None) -> None:
        stretches = written(header, blobs or ())
        async with self._sending:
            if self.ended.is_set():
                raise Interrupted(DIED)
            try:
                for stretch in stretches:
                    self._sink.write(stretch)
                    await self._sink.drain()
            except ConnectionError:
                raise Interrupted(DIED) from None

    async def _read(self) -> None:
        """Hand out what comes, until nothing does; then tell everyone who is inside."""
        try:
            while True:
                self._take(await receive_from(self._source))
        except (HungUp, Broken):
            pass
        finally:
            self.kill()
            self.ended.set()
            for came in self._inside.values():
                _put(came, None)
            if not self._told.done():
                self._told.set_exception(Interrupted("the engine's process died while it was loading"))
                self._told.exception()  # it may be that nobody asks
            self._sink.close()
            await asyncio.gather(*self._leaving)
            await asyncio.to_thread(self._process.wait)

    def _take(self, frame: Frame) -> None:
        match frame.header.get("is"):
            case "ready" | "refused":
                self._told.set_result(frame)
            case "state":
                self.state = frame.header["state"]
            case "texts":  # of many answers
                self.heard = monotonic()
                for number, text in frame.header["of"]:
                    self._hand(number, Frame({"is": "piece", "text": text}, []))
            case _:
                self.heard = monotonic()
                self._hand(frame.header["id"], frame)

    def _hand(self, number: int, frame: Frame) -> None:
        """Put a frame where its order waits; one that is not read is ended."""
        if (came := self._inside.get(number)) and not _put(came, frame):
            leaving = asyncio.create_task(self._cancel(number))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)


def _put(came: asyncio.Queue[Frame | None], frame: Frame | None) -> bool:
    """Put a frame where its order waits. False where too many lie unread: then the answer is lost."""
    if lost := came.full():
        while not came.empty():
            came.get_nowait()
    came.put_nowait(None if lost else frame)
    return not lost
