"""An answer as /v1/responses writes it: one object with items, or the events by which it comes to be."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

from omma.serve.faults import Refused
from omma.serve.reply import event
from omma.serve.speech import Called, Ended, Event, Read, Said, Thought
from omma.serve.told import REASONS, Gathered, logprob_forms, name, omma_form, usage_of
from omma.serve.wire_responses import ResponseRequest


@dataclass
class _Item:
    """An item of the output while it is written."""

    kind: str
    id: str
    call: int = 0
    text: str = ""
    logprobs: list[Any] = field(default_factory=list)


class ResponseForm:
    """One request's answer in the making. `gathered` adds up before each piece is told here."""

    def __init__(
        self,
        asked: ResponseRequest,
        model: str,
        gathered: Gathered,
        *,
        logprobs: bool,
        fetch: float | None,
        ignored: Sequence[str],
    ) -> None:
        self._asked, self._model, self._gathered = asked, model, gathered
        self._logprobs, self._fetch, self._ignored = logprobs, fetch, ignored
        self._id, self._created = name("resp_"), int(time.time())
        self._items: list[_Item] = []
        self._number = 0

    def whole(self) -> dict[str, Any]:
        """The response, finished."""
        assert self._gathered.told is not None, "the answer is not whole yet"
        cut = REASONS[self._gathered.reason] == "length"
        usage = usage_of(self._gathered)
        more = {
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "output": [self._item(one, self._status(one)) for one in self._items],
            "usage": {
                "input_tokens": usage.prompt_tokens,
                "input_tokens_details": {
                    "text_tokens": usage.prompt_tokens - usage.visual_tokens,
                    "image_tokens": usage.visual_tokens - usage.video_tokens,
                    "video_tokens": usage.video_tokens,
                    "cached_tokens": usage.cached_tokens,
                    "cache_write_tokens": 0,
                },
                "output_tokens": usage.completion_tokens,
                "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
                "total_tokens": usage.prompt_tokens + usage.completion_tokens,
            },
            "omma": omma_form(self._gathered.told, self._fetch, self._ignored),
        }
        return self._head("incomplete" if cut else "completed") | more

    def take(self, one: Event) -> list[bytes]:
        """Another piece of the answer, as events."""
        match one:
            case Read():
                return []
            case Thought(text):
                return [*self._open("reasoning"), self._delta("response.reasoning_text.delta", text)]
            case Said(text, chosen):
                told = logprob_forms(chosen) if self._logprobs else []
                begun = self._open("message")
                self._items[-1].logprobs += told
                return [*begun, self._delta("response.output_text.delta", text, logprobs=told)]
            case Called(index, arguments, _):
                begun = self._open("function_call", index)
                if not arguments:
                    return begun
                return [*begun, self._delta("response.function_call_arguments.delta", arguments)]
            case Ended():
                return self._close()

    async def events(self, told: AsyncGenerator[tuple[int, Event], None]) -> AsyncGenerator[bytes, None]:
        """The whole stream, from its creation to its completion."""
        begun = False
        async for _, one in told:
            if not begun:
                begun = True
                yield self._event("response.created", response=self._begun())
                yield self._event("response.in_progress", response=self._begun())
            for each in self.take(one):
                yield each
        whole = self.whole()
        yield self._event(f"response.{whole['status']}", response=whole)

    def failure(self, refused: Refused) -> bytes:
        """That it broke off, as the last event."""
        error = refused.body["error"]
        more = {name: error[name] for name in ("message", "code", "param")}
        return self._event("error", **more, error=error)

    def _open(self, kind: str, call: int = 0) -> list[bytes]:
        """Begin an item, unless what comes belongs to the one that is open."""
        if self._items and (self._items[-1].kind, self._items[-1].call) == (kind, call):
            return []
        told = self._close()
        prefix = {"reasoning": "rs_", "message": "msg_", "function_call": "fc_"}[kind]
        self._items.append(one := _Item(kind, name(prefix), call))
        bare = self._item(one, "in_progress") | ({"content": []} if kind != "function_call" else {})
        told.append(self._at("response.output_item.added", item=bare, item_id=None))
        if kind == "message":
            told.append(self._at("response.content_part.added", content_index=0, part=_text_part("", [])))
        return told

    def _close(self) -> list[bytes]:
        """End the item that is open."""
        if not self._items:
            return []
        one, told = self._items[-1], []
        item = self._item(one, self._status(one))
        match one.kind:
            case "reasoning":
                told.append(self._at("response.reasoning_text.done", content_index=0, text=one.text))
            case "message":
                part = {"text": one.text, "logprobs": one.logprobs}
                told.append(self._at("response.output_text.done", content_index=0, **part))
                done = _text_part(one.text, one.logprobs)
                told.append(self._at("response.content_part.done", content_index=0, part=done))
            case _:
                more = {"arguments": one.text, "name": item["name"]}
                told.append(self._at("response.function_call_arguments.done", **more))
        told.append(self._at("response.output_item.done", item=item, item_id=None))
        return told

    def _status(self, one: _Item) -> str:
        """Whether an item was cut: only the last one can be."""
        cut = self._gathered.told is not None and REASONS[self._gathered.reason] == "length"
        return "incomplete" if cut and one is self._items[-1] else "completed"

    def _delta(self, kind: str, text: str, **more: Any) -> bytes:
        one = self._items[-1]
        one.text += text
        place = {} if one.kind == "function_call" else {"content_index": 0}
        return self._at(kind, delta=text, **place, **more)

    def _at(self, kind: str, **more: Any) -> bytes:
        """An event of the item that is open."""
        told = {"output_index": len(self._items) - 1, "item_id": self._items[-1].id} | more
        return self._event(kind, **{key: value for key, value in told.items() if value is not None})

    def _event(self, kind: str, **more: Any) -> bytes:
        body = {"type": kind, "sequence_number": self._number, **more}
        self._number += 1
        return event(body, kind)

    def _item(self, one: _Item, status: str) -> dict[str, Any]:
        match one.kind:
            case "reasoning":
                content = [{"type": "reasoning_text", "text": one.text}]
                return {
                    "id": one.id,
                    "type": "reasoning",
                    "summary": [],
                    "content": content,
                    "status": status,
                }
            case "message":
                content = [_text_part(one.text, one.logprobs)]
                return {
                    "id": one.id,
                    "type": "message",
                    "role": "assistant",
                    "status": status,
                    "content": content,
                }
            case _:
                call = self._gathered.calls[one.call]
                told = {"call_id": call["id"], "name": call["name"], "arguments": one.text}
                return {"id": one.id, "type": "function_call", **told, "status": status}

    def _begun(self) -> dict[str, Any]:
        more: dict[str, Any] = {"incomplete_details": None, "output": [], "usage": None, "omma": None}
        return self._head("in_progress") | more

    def _head(self, status: str) -> dict[str, Any]:
        """What was asked, told back."""
        asked = self._asked.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"input"})
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "background": False,
            "error": None,
            "instructions": asked.get("instructions"),
            "max_output_tokens": asked.get("max_output_tokens"),
            "metadata": asked.get("metadata", {}),
            "model": self._model,
            "parallel_tool_calls": asked.get("parallel_tool_calls", True),
            "previous_response_id": None,
            "store": False,
            "temperature": asked.get("temperature"),
            "text": {"format": asked.get("text", {}).get("format", {"type": "text"})},
            "tool_choice": asked.get("tool_choice", "auto"),
            "tools": [_tool_form(tool) for tool in asked.get("tools", [])],
            "top_logprobs": asked.get("top_logprobs", 0),
            "top_p": asked.get("top_p"),
            "truncation": "disabled",
        }


def _text_part(text: str, logprobs: Sequence[Any]) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": list(logprobs)}


def _tool_form(tool: dict[str, Any]) -> dict[str, Any]:
    return {"description": None, "parameters": None, "strict": None} | tool
