"""An answer as /v1/chat/completions writes it: whole, or in chunks."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

from omma.serve.reply import DONE, event
from omma.serve.speech import Called, Ended, Event, Said, Thought
from omma.serve.told import REASONS, Gathered, logprob_forms, name, omma_form, usage_form, usage_of


@dataclass
class ChatForm:
    """One request's answer in the making; `choices` are told one beside the other."""

    model: str
    choices: int = 1
    logprobs: bool = False
    usage: bool = False
    fetch: float | None = None
    ignored: Sequence[str] = ()
    id: str = field(default_factory=lambda: name("chatcmpl-"))
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, gathered: Sequence[Gathered]) -> dict[str, Any]:
        """A chat.completion."""
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [self._choice(index, one) for index, one in enumerate(gathered)],
            "usage": usage_form([usage_of(one) for one in gathered]),
            "omma": self._omma(gathered),
        }

    async def chunks(
        self, told: AsyncGenerator[tuple[int, Event], None], gathered: Sequence[Gathered]
    ) -> AsyncGenerator[bytes, None]:
        """The same as server-sent events. `gathered` adds up on the way."""
        begun: set[int] = set()
        async for index, one in told:
            if index not in begun:
                begun.add(index)
                yield self._chunk(index, {"role": "assistant", "content": ""})
            if isinstance(one, Ended):
                yield self._last(index, gathered[index], one)
            else:
                yield self._piece(index, gathered[index], one)
        if self.usage:
            usage = usage_form([usage_of(each) for each in gathered])
            yield event(self._head([]) | {"usage": usage})
        yield DONE

    def _piece(self, index: int, gathered: Gathered, one: Event) -> bytes:
        match one:
            case Thought(text):
                return self._chunk(index, {"reasoning_content": text})
            case Said(text, chosen):
                told = logprob_forms(chosen) if self.logprobs else None
                return self._chunk(index, {"content": text}, logprobs=told)
            case Called():
                return self._chunk(index, {"tool_calls": [_call_piece(one, gathered)]})
            case _:
                raise TypeError(f"{one!r} is no piece of an answer")

    def _last(self, index: int, gathered: Gathered, one: Ended) -> bytes:
        chunk = self._head([_choice(index, {}, _reason(gathered), None)])
        if self.usage:
            chunk["usage"] = None
        return event(chunk | {"omma": omma_form(one.told, self.fetch, self.ignored)})

    def _chunk(self, index: int, delta: dict[str, Any], *, logprobs: list[Any] | None = None) -> bytes:
        told = None if logprobs is None else {"content": logprobs, "refusal": None}
        chunk = self._head([_choice(index, delta, None, told)])
        return event(chunk | ({"usage": None} if self.usage else {}))

    def _head(self, choices: list[Any]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }

    def _choice(self, index: int, one: Gathered) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if one.calls and not one.text else one.text,
            "refusal": None,
        }
        if one.thoughts:
            message["reasoning_content"] = one.thoughts
        if one.calls:
            message["tool_calls"] = [call_form(call) for call in one.calls]
        told = {"content": logprob_forms(one.chosen), "refusal": None} if self.logprobs else None
        return {"index": index, "message": message, "logprobs": told, "finish_reason": _reason(one)}

    def _omma(self, gathered: Sequence[Gathered]) -> dict[str, Any]:
        """Of the first choice; with several, `choices` has the same of each."""
        forms = [omma_form(one.told, self.fetch, self.ignored) for one in gathered if one.told is not None]
        return forms[0] if len(forms) == 1 else forms[0] | {"choices": forms}


def call_form(call: dict[str, str]) -> dict[str, Any]:
    """A call of a tool."""
    function = {"name": call["name"], "arguments": call["arguments"]}
    return {"id": call["id"], "type": "function", "function": function}


def _call_piece(one: Called, gathered: Gathered) -> dict[str, Any]:
    """A piece of a call: id and name only in the first."""
    if one.name is None:
        return {"index": one.index, "function": {"arguments": one.arguments}}
    function = {"name": one.name, "arguments": one.arguments}
    return {
        "index": one.index,
        "id": gathered.calls[one.index]["id"],
        "type": "function",
        "function": function,
    }


def _choice(index: int, delta: dict[str, Any], reason: str | None, logprobs: Any) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}


def _reason(gathered: Gathered) -> str:
    reason = REASONS[gathered.reason]
    return "tool_calls" if gathered.calls and reason == "stop" else reason
