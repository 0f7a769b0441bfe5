"""POST /v1/completions: words are continued as they are, without a conversation around them."""

from __future__ import annotations

import codecs
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from omma.chat import Chosen, message
from omma.serve import wire
from omma.serve.desk import Order
from omma.serve.faults import Refused
from omma.serve.merging import while_listening
from omma.serve.orders import card_of, check_stream, copies, options_of, place_of
from omma.serve.reply import DONE, Reply, event
from omma.serve.service import Service, send_stream
from omma.serve.speech import Ended, Event, Said
from omma.serve.told import LEAST, REASONS, Gathered, name, omma_form, usage_form, usage_of, word
from omma.serve.visit import Receive, Visit


async def completion(service: Service, visit: Visit, receive: Receive, reply: Reply) -> None:
    """Continue words, whole or as a stream."""
    asked = await service.read(wire.CompletionRequest, visit, receive)
    await while_listening(_complete(service, asked, visit, reply), receive)


async def _complete(service: Service, asked: wire.CompletionRequest, visit: Visit, reply: Reply) -> None:
    card = card_of(service.desk.models(), asked.model)
    visit.notes |= {"model": card.name, "stream": bool(asked.stream)}
    check_stream(asked)
    if asked.max_tokens == 0 and not asked.echo:
        text = "max_tokens is 0 and the prompt is not echoed: nothing would come; ask for 1 or more, or echo"
        raise Refused(400, text, code="invalid_value", param="max_tokens")
    # Who measures a prompt alone has a token written, and is not told of it.
    most = 1 if asked.max_tokens == 0 else asked.max_tokens
    options = options_of(asked, most=most, logprobs=asked.logprobs, stop=asked.stop)
    options = replace(options, prompt_logprobs=bool(asked.echo) and asked.logprobs is not None)
    visit.shape_at = place_of(options.shape, "regex")
    prompts, count = [asked.prompt] if isinstance(asked.prompt, str) else asked.prompt, asked.n or 1
    if len(prompts) * count > wire.MOST_CHOICES:
        text = f"{len(prompts)} prompts {count} times are over {wire.MOST_CHOICES} answers; ask for fewer"
        raise Refused(400, text, code="invalid_value", param="prompt")
    orders = [
        each
        for prompt in prompts
        for each in copies(
            Order((message("raw", prompt),), options, card.name, visit.tenant, visit.id), count
        )
    ]
    gathered = [Gathered() for _ in orders]
    form = _Form(card.name, asked, prompts, gathered)
    told = service.answers(orders, visit, gathered)
    if asked.stream:
        await send_stream(reply, form.chunks(told))
        return
    async with aclosing(told):
        async for _ in told:
            pass
    await reply.json(200, form.whole())


class _Form:
    """One request's answer in the making: of each prompt in turn as many choices as were asked for."""

    def __init__(
        self,
        model: str,
        asked: wire.CompletionRequest,
        prompts: Sequence[str],
        gathered: Sequence[Gathered],
    ) -> None:
        self._asked, self._gathered, self._count = asked, gathered, len(gathered) // len(prompts)
        self._prompts = [prompt for prompt in prompts for _ in range(self._count)]
        self._usage = bool(asked.stream_options and asked.stream_options.include_usage)
        head = {"id": name("cmpl-"), "object": "text_completion", "created": int(time.time()), "model": model}
        self._head: dict[str, Any] = head
        self._places = [_Places() for _ in gathered]

    def whole(self) -> dict[str, Any]:
        """A text_completion."""
        choices = [self._whole(index) for index in range(len(self._gathered))]
        forms = [
            omma_form(one.told, None, self._asked.ignored) for one in self._gathered if one.told is not None
        ]
        omma = forms[0] if len(forms) == 1 else forms[0] | {"choices": forms}
        return self._head | {"choices": choices, "usage": self._used(), "omma": omma}

    async def chunks(self, told: AsyncGenerator[tuple[int, Event], None]) -> AsyncGenerator[bytes, None]:
        """The same as server-sent events."""
        more = {"usage": None} if self._usage else {}
        begun: set[int] = set()
        async for index, one in told:
            if self._asked.echo and index not in begun:
                begun.add(index)
                read = self._gathered[index].read
                yield event(
                    self._head | {"choices": [self._choice(index, self._echoed(index), read, None)]} | more
                )
            if isinstance(one, Said) and not self._mute:
                choice = self._choice(index, one.text, one.chosen, None)
                yield event(self._head | {"choices": [choice]} | more)
            elif isinstance(one, Ended):
                choice = self._choice(index, "", (), self._reason(index))
                omma = omma_form(one.told, None, self._asked.ignored)
                yield event(self._head | {"choices": [choice], "omma": omma} | more)
        if self._usage:
            yield event(self._head | {"choices": [], "usage": self._used()})
        yield DONE

    def _whole(self, index: int) -> dict[str, Any]:
        one = self._gathered[index]
        text, chosen = ("", []) if self._mute else (one.text, one.chosen)
        return self._choice(index, self._echoed(index) + text, [*one.read, *chosen], self._reason(index))

    @property
    def _mute(self) -> bool:
        """Whether the prompt alone is told."""
        return self._asked.max_tokens == 0

    def _echoed(self, index: int) -> str:
        return self._prompts[index] if self._asked.echo else ""

    def _reason(self, index: int) -> str:
        return "length" if self._mute else REASONS[self._gathered[index].reason]

    def _used(self) -> dict[str, Any]:
        usages = [usage_of(one) for one in self._gathered]
        return usage_form(
            [replace(one, completion_tokens=0) for one in usages] if self._mute else usages, self._count
        )

    def _choice(self, index: int, text: str, chosen: Sequence[Chosen], reason: str | None) -> dict[str, Any]:
        told = None if self._asked.logprobs is None else self._logprobs(index, chosen)
        return {"index": index, "text": text, "logprobs": told, "finish_reason": reason}

    def _logprobs(self, index: int, chosen: Sequence[Chosen]) -> dict[str, Any]:
        """Tokens in lists side by side. Of an echoed prompt's first token nothing can be said."""
        places = self._places[index]
        first = bool(self._asked.echo) and not places.begun
        offsets = [places.next(one.bytes) for one in chosen]
        scores: list[float | None] = [max(one.logprob, LEAST) for one in chosen]
        likeliest: list[dict[str, float] | None] = [
            {word(other): max(other.logprob, LEAST) for other in reversed(one.likeliest)} for one in chosen
        ]
        if first and chosen:
            scores[0] = likeliest[0] = None
        return {
            "tokens": [word(one) for one in chosen],
            "token_logprobs": scores,
            "top_logprobs": likeliest,
            "text_offset": offsets,
        }


class _Places:
    """Where in a text its tokens begin, in letters; one that begins inside a letter, where that does."""

    def __init__(self) -> None:
        self.begun = False
        self._letters = codecs.getincrementaldecoder("utf-8")("replace")
        self._place = 0

    def next(self, raw: bytes) -> int:
        """The place of a token of these bytes, which stands after those before it."""
        self.begun, place = True, self._place
        self._place += len(self._letters.decode(raw))
        return place
