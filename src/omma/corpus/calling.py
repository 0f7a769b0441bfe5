"""Tools in a record: those that may be called, the calls of answers, and what the tools gave back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from omma import chat
from omma.chat import ROLES, Message, Tool
from omma.errors import BadData, BadMessage

SPEAKERS = (*ROLES, "tool", "developer")  # the last is what OpenAI's newer form calls the system


def read_tools(raw: Any) -> tuple[Tool, ...]:
    """The tools of a record in OpenAI's form; as text, as tables have them, that form as JSON."""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw or "[]")
        except (ValueError, RecursionError) as wrong:
            raise BadData(f"tools is no JSON: {wrong}; wanted a list of tools", "tools") from None
    try:
        return chat.tools([_stated(tool) for tool in raw] if isinstance(raw, list) else raw or ())
    except BadMessage as problem:
        raise BadData(str(problem), "tools") from None


def speaker_of(said: Mapping[str, Any], where: str) -> Message:
    """Who speaks, what is called and which call is answered: a message of OpenAI's form without its words."""
    if said.get("role") not in SPEAKERS:
        known = ", ".join(SPEAKERS[:-1])
        raise BadData(f"{where}.role is {said.get('role')!r}; wanted one of {known}", "role")
    bare: dict[str, Any] = {**said, "content": ""}
    if isinstance(calls := said.get("tool_calls"), list):
        bare["tool_calls"] = [_stated(call) for call in calls]
    try:
        return chat.messages([bare])[0]
    except BadMessage as problem:
        raise BadMessage(str(problem).replace("messages[0]", where)) from None


def check_calls(spoken: Sequence[Message], tools: Sequence[Tool]) -> None:
    """Raise BadData where a tool answers what nobody called, or one is called that is not on offer."""
    known, ids, called = {tool.name for tool in tools}, set[str](), False
    for number, said in enumerate(spoken):
        for call in said.calls:
            if known and call.name not in known:
                raise BadData(
                    f"message {number + 1} calls {call.name!r}, and tools offers {', '.join(sorted(known))}",
                    "tools",
                )
            ids.add(call.id)
            called = True
        if said.role == "tool" and (not called or (said.answers is not None and said.answers not in ids)):
            what = "a call" if said.answers is None else f"the call {said.answers!r}"
            raise BadData(f"message {number + 1} answers {what}, which no message before it makes", "tools")


def _stated(value: Any) -> Any:
    """A tool or a call without the fields that a table has for others; what is inside arguments stays."""
    if not isinstance(value, Mapping):
        return value
    said = {key: one for key, one in value.items() if one is not None}
    body = said.get("function")
    return {**said, "function": _stated(body)} if isinstance(body, Mapping) else said
