"""The desk over processes: media are decoded in one kind, answers written in another, and either may die."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from omma.chat import Delta, Image, Message, Options, Part, Video, source_name
from omma.errors import BadInput, BadMessage, Busy, Interrupted
from omma.host.clips import Clips
from omma.host.decode import Decoders, Taken, Wanted
from omma.host.fleet import Fleet
from omma.host.frames import Blob, Frame, written
from omma.host.nouns import noun, plain
from omma.host.quarantine import Quarantine
from omma.host.settings import HostSettings
from omma.host.turns import Turns
from omma.prep.video import Clip
from omma.serve.desk import Card, Cost, Order, Told

_UNNAMED = (source_name(b""), source_name(np.zeros(0)))  # what a decoder calls a medium of a request
BEGINNING = 256  # letters by which conversations are known that begin alike
NEWEST = 0.1  # how much of the guess of speed is the newest answer's


class Seen(NamedTuple):
    """An order whose media are decoded, and the seconds that took by stage."""

    messages: tuple[Message, ...]
    seconds: dict[str, float]
    key: str


class HostDesk:
    """A `serve.desk.Desk` over processes of its own. Made by `opened`."""

    def __init__(self, settings: HostSettings) -> None:
        self._settings = settings
        self._decoders = Decoders(settings.decode)
        self._threads = ThreadPoolExecutor(settings.decode.jobs, "decode")
        jobs = settings.decode.jobs
        self._turns = Turns(jobs, max(1, jobs - 1))  # one is always left for somebody else
        self._fleet = Fleet(settings)
        self._clips = Clips(settings.clips)
        self._quarantine = Quarantine()
        self._inside = 0
        self._pace: float | None = None  # seconds that a token of a prompt takes

    async def open(self) -> None:
        """Start everything; back when the first engine and a decoder are ready."""
        await self._fleet.open()
        await asyncio.to_thread(self._decoders.warm)

    async def close(self) -> None:
        """End everything; back when no process is left."""
        await self._fleet.close()
        await asyncio.to_thread(self._decoders.close)
        self._threads.shutdown(cancel_futures=True)

    def models(self) -> Sequence[Card]:
        """The one model, as soon as it is loaded."""
        return self._fleet.cards

    def state(self) -> Mapping[str, Any]:
        """Sums over the engines, and how decoders and engines fared."""
        workers = self._fleet.workers
        told: dict[str, Any] = {}
        for worker in workers:
            for name, value in worker.state.items():
                told[name] = told.get(name, 0) + value
        engines = {"engines": len(workers), "engine_restarts": self._fleet.restarts}
        processes = {"engines": self._fleet.numbers, "decoders": self._decoders.processes}
        return {
            "ready": bool(workers),
            "inside": self._inside,
            "decoding_waits": self._turns.waiting,
            "clip_bytes": self._clips.bytes,
            **told,
            **engines,
            **self._decoders.state(),
            "processes": processes,
            "walls": list(self._decoders.walls),
        }

    async def answer(self, order: Order) -> AsyncGenerator[Told, None]:
        """Answer piece by piece; closing the iterator cancels."""
        async with self._place(order):
            seen = await self._seen(order)
            value = (seen.messages, order.options, order.tenant)
            async with self._quarantine.around(_digest(order.messages, order.options)) as watch:
                worker = watch.worker = await self._fleet.chosen(seen.key)
                async for frame in worker.ask("answer", value):
                    yield self._told(frame, seen)

    async def cost(self, order: Order) -> Cost:
        """What the prompt would take: media are decoded and words spelled, and no model is run."""
        async with self._place(order):
            seen = await self._seen(order)
            worker = await self._fleet.chosen(seen.key)
            async for frame in worker.ask("cost", (seen.messages, order.options)):
                cost: Cost = noun(frame.header["value"], frame.blobs)
                seconds = None if self._pace is None else self._pace * cost.prompt_tokens
                return replace(cost, seconds=None if seconds is None else round(seconds, 3))
        raise Interrupted("nothing was said about the cost; ask again")

    @asynccontextmanager
    async def _place(self, order: Order) -> AsyncIterator[None]:
        """A place in the house, for a model that is here."""
        if order.model != self._fleet.card.name:
            raise BadInput(f"no model is called {order.model!r}; known: {self._fleet.card.name}")
        if self._inside >= self._settings.inside:
            raise Busy(f"{self._inside} orders are inside, which is all that have room; come again later")
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def _seen(self, order: Order) -> Seen:
        """Decode all media of an order, each once."""
        seconds: dict[str, float] = {}
        digests: list[str] = []
        messages: list[Message] = []
        number = 0
        for message in order.messages:
            parts: list[Part] = []
            for part in message.parts:
                if isinstance(part, (Image, Video)):
                    number += 1
                    clip, digest = await self._clip(part, order.tenant, number, seconds)
                    digests.append(digest)
                    part = replace(part, source=clip)
                parts.append(part)
            messages.append(replace(message, parts=tuple(parts)))
        words = "".join(message.text for message in order.messages[:2])[:BEGINNING]
        key = "\n".join([order.tenant, *digests[:1], words])
        return Seen(tuple(messages), seconds, key)

    async def _clip(
        self, part: Image | Video, tenant: str, number: int, seconds: dict[str, float]
    ) -> tuple[Clip, str]:
        """A medium's clip and its digest; the seconds it took are added to those of its order."""
        called = f"picture {number}" if isinstance(part, Image) else f"video {number}"
        if not isinstance(part.source, bytes):
            raise BadMessage(f"{called} is {type(part.source).__name__}; wanted its bytes")
        loop = asyncio.get_running_loop()
        digest = await loop.run_in_executor(None, lambda: hashlib.sha256(part.source).hexdigest())
        key = (tenant, digest, replace(part, source=None))
        if (clip := self._clips.get(key)) is not None:
            return replace(clip, name=called), digest  # it may stand elsewhere than when it was kept
        try:
            async with self._turns.turn(tenant):
                taken = await self._decoded(part, digest)
        except BadInput as wrong:
            said = str(wrong)
            for name in _UNNAMED:
                said = said.replace(name, called)
            named = type(wrong)(said)
            named.shown = number
            raise named from None
        for stage, spent in taken.seconds.items():
            seconds[stage] = seconds.get(stage, 0.0) + spent
        clip = replace(taken.clip, name=called)
        self._clips.put(key, clip)
        return clip, digest

    async def _decoded(self, part: Image | Video, digest: str) -> Taken:
        """The medium, by a decoder. Whoever leaves meanwhile takes the job along."""
        wanted = Wanted()
        work = partial(
            self._decoders.decode,
            part,
            self._fleet.rules,
            room=self._fleet.card.context,
            digest=digest,
            wanted=wanted,
        )
        decoding = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(decoding)
        except asyncio.CancelledError:
            wanted.drop()
            await asyncio.wait([decoding])
            decoding.exception()
            raise

    def _told(self, frame: Frame, seen: Seen) -> Told:
        if (text := frame.header.get("text")) is not None:
            return Told(Delta(text))
        delta = noun(frame.header["value"], frame.blobs)
        if frame.header["is"] == "piece":
            return Told(delta)
        seconds = dict(frame.header["seconds"])
        for stage, spent in seen.seconds.items():
            seconds[stage] = seconds.get(stage, 0.0) + spent
        if delta.usage is not None and (read := delta.usage.prompt_tokens - delta.usage.cached_tokens) > 0:
            newest = (seconds.get("prefill", 0.0) + seconds.get("encode", 0.0)) / read
            self._pace = newest if self._pace is None else (1 - NEWEST) * self._pace + NEWEST * newest
        return Told(delta, frame.header["geometry"], seconds)


@asynccontextmanager
async def opened(settings: HostSettings) -> AsyncIterator[HostDesk]:
    """A desk that is ready, for the time of a `with`. Raises what loading the model raises."""
    desk = HostDesk(settings)
    try:
        await desk.open()
        yield desk
    finally:
        await desk.close()


def _digest(messages: tuple[Message, ...], options: Options) -> str:
    """Which conversation this is, with its options, its media by their bytes."""
    blobs: list[Blob] = []
    told = hashlib.sha256()
    for stretch in written({"order": plain((messages, options), blobs)}, blobs):
        told.update(stretch)
    return told.hexdigest()
