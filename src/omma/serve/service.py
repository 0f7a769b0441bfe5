"""What all routes share: the deadline, the body, answers as a desk tells them. It knows no web framework.

Whatever goes wrong ends here as an answer: before its first byte with a status of its own, after it with an
event in the stream.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, nullcontext
from typing import TypeAlias

from omma.errors import BadInput, BadShape
from omma.serve.desk import Desk, Order, Told
from omma.serve.faults import ONCE, Refused, refusal
from omma.serve.intake import Gone, check_json, read_body
from omma.serve.listening import events
from omma.serve.merging import merged
from omma.serve.meters import Meters
from omma.serve.reading import Read, read
from omma.serve.reply import Reply
from omma.serve.settings import Gate, Settings
from omma.serve.sources import Sources
from omma.serve.speech import Ended, Event
from omma.serve.told import Gathered, gather, seconds_of
from omma.serve.visit import Receive, Send, Visit

LOG = logging.getLogger("omma.serve")
UPLOADS = "/v1/media"
LEFT = 499  # the status in log and meters of a client that closed its connection

Work: TypeAlias = Callable[[Visit, Receive, Reply], Awaitable[None]]


class Service:
    """Answers visits by a desk."""

    def __init__(
        self, desk: Desk, settings: Settings, sources: Sources, gate: Gate | None, meters: Meters
    ) -> None:
        self.desk, self.settings, self.sources, self.gate = desk, settings, sources, gate
        self.meters = meters

    async def run(self, work: Work, visit: Visit, receive: Receive, send: Send) -> None:
        """Do the work of a route within the deadline; every error becomes an answer."""
        reply = Reply(send)
        refused: Refused | None = None
        try:
            async with asyncio.timeout(max(0.0, self.settings.deadline - visit.seconds)):
                if visit.method == "POST" and self.gate is not None:
                    async with self.gate.enter(visit.tenant, visit.size(self._most(visit))):
                        await work(visit, receive, reply)
                else:
                    await work(visit, receive, reply)
        except Gone:
            visit.status = LEFT
        except TimeoutError:
            refused = Refused(
                504,
                f"the answer took more than {self.settings.deadline:g} s; ask for fewer tokens",
                code="deadline_exceeded",
                headers=ONCE,
            )
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not visit.cut or task is None:
                raise
            task.uncancel()
            text = "the server was stopped before the answer had ended; ask again, another one may answer"
            refused = Refused(503, text, code="stopping", headers={"retry-after": "2"})
        except Exception as error:  # the one border where every mistake becomes an answer and a line of log
            refused = refusal(error, param=_place(error, visit))
            if refused.code == "internal_error":
                visit.notes["fault"] = fault_of(error)
        if refused is not None:
            visit.notes["code"] = refused.code
            await reply.fail(refused)

    def _most(self, visit: Visit) -> int:
        """Bytes that a body may have."""
        return self.settings.media if visit.route == UPLOADS else self.settings.body

    async def read(self, kind: type[Read], visit: Visit, receive: Receive) -> Read:
        """The body of a request, read by its model. Raises Refused, TooLarge and Gone."""
        check_json(visit.headers)
        limits = self.settings
        raw = await read_body(receive, visit.headers, limits.body, limits.arriving)
        return await asyncio.to_thread(read, kind, raw) if len(raw) > 1 << 20 else read(kind, raw)

    async def answers(
        self,
        orders: Sequence[Order],
        visit: Visit,
        gathered: Sequence[Gathered],
        *,
        fetch: float | None = None,
        thinks: bool = False,
        calls: bool = False,
    ) -> AsyncGenerator[tuple[int, Event], None]:
        """What the desk tells for each order, as it comes; it adds up in `gathered`, meters and log."""
        async with self.gate.turn(visit.tenant) if self.gate else nullcontext():
            streams = [events(self._timed(order, visit), thinks=thinks, calls=calls) for order in orders]
            async with aclosing(merged(streams)) as pieces:
                async for index, one in pieces:
                    gather(gathered[index], one)
                    if isinstance(one, Ended):
                        self._note(one.told, visit, fetch)
                    yield index, one

    async def _timed(self, order: Order, visit: Visit) -> AsyncGenerator[Told, None]:
        before: float | None = None
        async with aclosing(self.desk.answer(order)) as told:
            async for piece in told:
                now = time.monotonic()
                if before is None:
                    self.meters.first(visit.seconds)
                    visit.notes.setdefault("first_token", round(visit.seconds, 4))
                else:
                    self.meters.between(now - before)
                before = now
                yield piece

    def _note(self, told: Told, visit: Visit, fetch: float | None) -> None:
        usage, reason = told.delta.usage, told.delta.finish_reason or "stop"
        visit.stages = seconds_of(told, fetch)
        self.meters.told(reason, usage, visit.stages)
        visit.notes["finish"] = reason
        if usage is not None:
            written = visit.notes.get("completion_tokens", 0) + usage.completion_tokens
            visit.notes |= {"prompt_tokens": usage.prompt_tokens, "completion_tokens": written}
            if self.gate is not None:
                self.gate.spend(visit.tenant, usage.prompt_tokens + usage.completion_tokens)


async def send_stream(reply: Reply, chunks: AsyncGenerator[bytes, None]) -> None:
    """Send events as they come. Nothing is sent before the first is there: an error may come in its place."""
    async with aclosing(chunks):
        async for chunk in chunks:
            if not reply.begun:
                await reply.stream()
            await reply.piece(chunk)
    await reply.end()


def _place(error: Exception, visit: Visit) -> str | None:
    """The place in the request of what a desk found wrong with it."""
    if isinstance(error, BadShape):
        return visit.shape_at
    if isinstance(error, BadInput) and error.shown is not None and error.shown <= len(visit.shown_at):
        return visit.shown_at[error.shown - 1]
    return None


def fault_of(error: BaseException) -> list[str]:
    """Where a mistake of ours happened, without its text: that may quote what was said."""
    frames = traceback.extract_tb(error.__traceback__)
    return [type(error).__name__, *(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:])]
