"""The work behind every route: read, order, answer. It knows no web framework; each method is given a visit.

Whatever goes wrong ends here as an answer: before its first byte with a status of its own, after it with an
event in the stream.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, nullcontext
from typing import Any, TypeAlias

from omma.serve import wire
from omma.serve.chat_form import ChatForm, gather
from omma.serve.conversation import Taken, taken
from omma.serve.desk import Card, Desk, Order, Told
from omma.serve.faults import ONCE, Refused, refusal
from omma.serve.intake import Gone, check_json, read_body
from omma.serve.merging import merged, while_listening
from omma.serve.meters import CONTENT_TYPE, Meters
from omma.serve.orders import card_of, chat_options, copies
from omma.serve.reading import Read, read
from omma.serve.reply import Reply
from omma.serve.settings import Gate, Settings
from omma.serve.sources import Sources
from omma.serve.speech import Ended, Event, events
from omma.serve.told import Gathered, cost_form, seconds_of
from omma.serve.visit import Receive, Send, Visit

LOG = logging.getLogger("omma.serve")
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
                    async with self.gate.enter(visit.tenant, visit.size(self.settings.body)):
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
        except Exception as error:  # the one border where every mistake becomes an answer and a line of log
            refused = refusal(error)
            if refused.code == "internal_error":
                visit.notes["fault"] = fault_of(error)
        if refused is not None:
            visit.notes["code"] = refused.code
            await reply.fail(refused)

    # The routes

    async def chat(self, visit: Visit, receive: Receive, reply: Reply) -> None:
        """POST /v1/chat/completions"""
        asked = await self._read(wire.ChatRequest, visit, receive)
        await while_listening(self._chat(asked, visit, reply), receive)

    async def cost(self, visit: Visit, receive: Receive, reply: Reply) -> None:
        """POST /v1/cost"""
        asked = await self._read(wire.ChatRequest, visit, receive)
        await while_listening(self._cost(asked, visit, reply), receive)

    async def models(self, visit: Visit, receive: Receive, reply: Reply) -> None:
        """GET /v1/models"""
        await reply.json(200, {"object": "list", "data": [model_form(card) for card in self.desk.models()]})

    async def model(self, visit: Visit, receive: Receive, reply: Reply) -> None:
        """GET /v1/models/{id}"""
        wanted = visit.path.removeprefix("/v1/models/")
        await reply.json(200, model_form(card_of(self.desk.models(), wanted)))

    async def alive(self, visit: Visit, receive: Receive, reply: Reply) -> None:
        """GET /healthz"""
        await reply.json(200, {"status": "ok"})

    async def ready(self, visit: Visit, receive: Receive, reply: Reply) -> None:
        """GET /readyz"""
        state = self.desk.state()
        ready = bool(state.get("ready", True))
        body = {"status": "ready" if ready else "not ready", "state": json.loads(json.dumps(dict(state)))}
        await reply.json(200 if ready else 503, body, None if ready else {"retry-after": "2"})

    async def metrics(self, visit: Visit, receive: Receive, reply: Reply) -> None:
        """GET /metrics"""
        await reply.whole(200, self.meters.page(), CONTENT_TYPE)

    # What they share

    async def _read(self, kind: type[Read], visit: Visit, receive: Receive) -> Read:
        check_json(visit.headers)
        limits = self.settings
        raw = await read_body(receive, visit.headers, limits.body, limits.arriving)
        return await asyncio.to_thread(read, kind, raw) if len(raw) > 1 << 20 else read(kind, raw)

    async def _chat(self, asked: wire.ChatRequest, visit: Visit, reply: Reply) -> None:
        card, said, order = await self._order(asked, visit)
        gathered = [Gathered() for _ in range(asked.n or 1)]
        form = ChatForm(
            card.name,
            len(gathered),
            logprobs=bool(asked.logprobs),
            usage=bool(asked.stream_options and asked.stream_options.include_usage),
            fetch=said.fetch,
            ignored=[*asked.ignored, *said.ignored],
        )
        told = self.answers(copies(order, len(gathered)), card, visit, gathered, said.fetch)
        if asked.stream:
            await send_stream(reply, form.chunks(told, gathered))
            return
        async with aclosing(told):
            async for _ in told:
                pass
        await reply.json(200, form.whole(gathered))

    async def _cost(self, asked: wire.ChatRequest, visit: Visit, reply: Reply) -> None:
        card, _, order = await self._order(asked, visit)
        await reply.json(200, cost_form(await self.desk.cost(order), card.name))

    async def _order(self, asked: wire.ChatRequest, visit: Visit) -> tuple[Card, Taken, Order]:
        card = card_of(self.desk.models(), asked.model)
        visit.notes |= {"model": card.name, "stream": bool(asked.stream)}
        options = chat_options(asked)
        said = await taken(
            asked.messages, self.sources, self.settings, tenant=visit.tenant, thinks=card.thinks
        )
        return card, said, Order(said.messages, options, card.name, visit.tenant, visit.id)

    async def answers(
        self,
        orders: Sequence[Order],
        card: Card,
        visit: Visit,
        gathered: Sequence[Gathered],
        fetch: float | None,
    ) -> AsyncGenerator[tuple[int, Event], None]:
        """What the desk tells for each order, as it comes; it adds up in `gathered`, meters and log."""
        async with self.gate.turn(visit.tenant) if self.gate else nullcontext():
            streams = [events(self._timed(order, visit), thinks=card.thinks) for order in orders]
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
        self.meters.told(reason, usage, seconds_of(told, fetch))
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


def model_form(card: Card) -> dict[str, Any]:
    """A model as it is listed; what OpenAI's form has no place for stands in `omma`."""
    more = {
        "family": card.family,
        "context": card.context,
        "dialect": card.dialect,
        "thinks": card.thinks,
        "calls": card.calls,
        "digest": card.digest,
        "prompts": dict(card.prompts),
    }
    return {"id": card.name, "object": "model", "created": card.created, "owned_by": "omma", "omma": more}


def fault_of(error: BaseException) -> list[str]:
    """Where a mistake of ours happened, without its text: that may quote what was said."""
    frames = traceback.extract_tb(error.__traceback__)
    return [type(error).__name__, *(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:])]
