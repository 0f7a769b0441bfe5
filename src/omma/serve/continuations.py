"""POST /v1/completions: words are continued as they are, without a conversation around them."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
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
    options = options_of(asked, most=asked.max_tokens, logprobs=asked.logprobs, stop=asked.stop)
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
    form = _Form(card.name, asked, gathered, count)
    told = service.answers(orders, visit, gathered)
    if asked.stream:
        await send_stream(reply, form.chunks(told))
        return
    async with aclosing(told):
        async for _ in told:
            pass
    await reply.json(200, form.whole())


class _Form:
    """One request's answer in the making."""

    def __init__(
        self, model: str, asked: wire.CompletionRequest, gathered: Sequence[Gathered], count: int
    ) -> None:
        self._asked, self._gathered, self._count = asked, gathered, count
        self._usage = bool(asked.stream_options and asked.stream_options.include_usage)
        head = {"id": name("cmpl-"), "object": "text_completion", "created": int(time.time()), "model": model}
        self._head: dict[str, Any] = head
        self._places = [0] * len(gathered)  # letters of each choice that were told

    def whole(self) -> dict[str, Any]:
        """A text_completion."""
        choices = [
            self._choice(index, one.text, one.chosen, REASONS[one.reason])
            for index, one in enumerate(self._gathered)
        ]
        forms = [
            omma_form(one.told, None, self._asked.ignored) for one in self._gathered if one.told is not None
        ]
        omma = forms[0] if len(forms) == 1 else forms[0] | {"choices": forms}
        return self._head | {"choices": choices, "usage": self._used(), "omma": omma}

    async def chunks(self, told: AsyncGenerator[tuple[int, Event], None]) -> AsyncGenerator[bytes, None]:
        """The same as server-sent events."""
        more = {"usage": None} if self._usage else {}
        async for index, one in told:
            if isinstance(one, Said):
                choice = self._choice(index, one.text, one.chosen, None)
                yield event(self._head | {"choices": [choice]} | more)
            elif isinstance(one, Ended):
                choice = self._choice(index, "", (), REASONS[self._gathered[index].reason])
                omma = omma_form(one.told, None, self._asked.ignored)
                yield event(self._head | {"choices": [choice], "omma": omma} | more)
        if self._usage:
            yield event(self._head | {"choices": [], "usage": self._used()})
        yield DONE

    def _used(self) -> dict[str, Any]:
        return usage_form([usage_of(one) for one in self._gathered], self._count)

    def _choice(self, index: int, text: str, chosen: Sequence[Chosen], reason: str | None) -> dict[str, Any]:
        told = None if self._asked.logprobs is None else self._logprobs(index, chosen)
        return {"index": index, "text": text, "logprobs": told, "finish_reason": reason}

    def _logprobs(self, index: int, chosen: Sequence[Chosen]) -> dict[str, Any]:
        words, places = [word(one) for one in chosen], []
        for each in words:
            places.append(self._places[index])
            self._places[index] += len(each)
        return {
            "tokens": words,
            "token_logprobs": [max(one.logprob, LEAST) for one in chosen],
            "top_logprobs": [
                {word(other): max(other.logprob, LEAST) for other in one.likeliest} for one in chosen
            ],
            "text_offset": places,
        }
