"""Reads a conversation in OpenAI's form: strictly, naming the place of what is wrong. No file is opened."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from omma.errors import BadMessage
from omma.turns import (
    NO_PARAMETERS,
    ROLES,
    Image,
    MediaSource,
    Message,
    Part,
    Role,
    Spoken,
    Text,
    Tool,
    ToolCall,
    Video,
    in_order,
)

_SPEAKING: tuple[Role, ...] = (*ROLES, "tool")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_READ = {"assistant": {"role", "content", "tool_calls"}, "tool": {"role", "content", "tool_call_id"}}


def messages(spoken: Spoken) -> tuple[Message, ...]:
    """Read a conversation in OpenAI's form, or in ours, or mixed. Raises BadMessage naming the place.

    A picture's `detail` "low" is at most LOW_DETAIL pixels; others are the model's own limits.
    An assistant's message may have `tool_calls`, and then no content; a tool's has the `tool_call_id` it
    answers, and stands in the order of the calls. What would not be read is refused, a message's `name` too:
    no template has a place for it.
    """
    if isinstance(spoken, (str, bytes, Mapping)) or not isinstance(spoken, Sequence):
        raise BadMessage(
            f"messages is {type(spoken).__name__}; wanted a list of messages with a role and a content"
        )
    if not spoken:
        raise BadMessage("messages is empty; say at least one thing")
    told = [_read(one, f"messages[{i}]") for i, one in enumerate(spoken)]
    if len(told) > 1 and any(one.role == "raw" for one in told):
        raise BadMessage("a raw message stands beside others; wanted it alone, or turns of a conversation")
    return in_order(told)


def _read(raw: Any, where: str) -> Message:
    return _checked(raw, where) if isinstance(raw, Message) else _message(raw, where)


def _checked(said: Message, where: str) -> Message:
    """A message of ours; nothing held whoever made it to the types of its fields."""
    if said.role not in (*_SPEAKING, "raw"):
        raise BadMessage(f"{where}.role is {said.role!r}; wanted one of {', '.join(_SPEAKING)}")
    if not isinstance(said.parts, (tuple, list)):
        raise BadMessage(f"{where}.parts is {type(said.parts).__name__}; wanted a tuple of parts")
    for number, part in enumerate(said.parts):
        if not isinstance(part, (Text, Image, Video)):
            raise BadMessage(f"{where}.parts[{number}] is {part!r:.80}; wanted Text, Image or Video")
        if isinstance(part, Text) and not isinstance(part.text, str):
            raise BadMessage(f"{where}.parts[{number}].text is {type(part.text).__name__}; wanted text")
    return said


def _message(raw: Any, where: str) -> Message:
    if not isinstance(raw, Mapping):
        raise BadMessage(f"{where} is {type(raw).__name__}; wanted an object with 'role' and 'content'")
    role = raw.get("role")
    if role == "developer":  # what OpenAI's newer form calls the system's words
        role = "system"
    if role not in _SPEAKING:
        raise BadMessage(f"{where}.role is {role!r}; wanted one of {', '.join(_SPEAKING)}")
    if unread := {key for key in raw if raw[key] is not None} - _READ.get(role, {"role", "content"}):
        raise BadMessage(
            f"{where} has {', '.join(sorted(map(str, unread)))}, which nobody reads; take it out"
        )
    calls = _calls(raw["tool_calls"], f"{where}.tool_calls") if raw.get("tool_calls") else ()
    answers = raw.get("tool_call_id")
    if answers is not None and not isinstance(answers, str):
        raise BadMessage(f"{where}.tool_call_id is {answers!r}; wanted the id of a call, as text")
    return Message(role, _content(raw.get("content"), where, empty=bool(calls)), calls, answers)


def _content(content: Any, where: str, *, empty: bool) -> tuple[Part, ...]:
    """What a message says; nothing at all only where it may be `empty`."""
    if content is None and empty:
        return ()
    if isinstance(content, str):
        return (Text(content),)
    if not isinstance(content, Sequence) or isinstance(content, (bytes, Mapping)):
        raise BadMessage(f"{where}.content is {type(content).__name__}; wanted text or a list of parts")
    return tuple(_part(p, f"{where}.content[{i}]") for i, p in enumerate(content))


def _calls(raw: Any, where: str) -> tuple[ToolCall, ...]:
    if not isinstance(raw, Sequence) or isinstance(raw, (str, bytes)):
        raise BadMessage(f"{where} is {type(raw).__name__}; wanted a list of calls")
    return tuple(_call(one, f"{where}[{i}]") for i, one in enumerate(raw))


def _call(raw: Any, where: str) -> ToolCall:
    if isinstance(raw, ToolCall):
        return raw
    body = raw.get("function") if isinstance(raw, Mapping) else None
    if not isinstance(body, Mapping):
        raise BadMessage(f"{where} is no call; wanted an object with 'id', 'type' and 'function'")
    _read_all(raw, {"id", "type", "function"}, where)
    _read_all(body, {"name", "arguments"}, f"{where}.function")
    name, called = raw.get("id"), body.get("name")
    if raw.get("type", "function") != "function" or not isinstance(name or "", str):
        raise BadMessage(
            f"{where} has type {raw.get('type')!r} and id {name!r}; wanted 'function' and a text"
        )
    if not isinstance(called, str) or not called:
        raise BadMessage(f"{where}.function.name is {called!r}; wanted the name of a tool")
    return ToolCall(called, _arguments(body.get("arguments"), f"{where}.function.arguments"), name or "")


def _arguments(raw: Any, where: str) -> Mapping[str, Any]:
    """Arguments, an object or one written as JSON."""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw or "{}")
        except (ValueError, RecursionError) as wrong:
            raise BadMessage(f"{where} is no JSON: {wrong}; wanted an object, written as JSON") from None
    if not isinstance(raw, Mapping):
        raise BadMessage(f"{where} is {type(raw).__name__}; wanted an object, written as JSON")
    return raw


def tools(raw: Sequence[Tool | Mapping[str, Any]]) -> tuple[Tool, ...]:
    """Tools in OpenAI's form, or in ours, or mixed. Raises BadMessage naming the place.

    Whether an answer can be held to their parameters is the grammar's to say: `shape.Calls`.
    """
    if isinstance(raw, (str, bytes, Mapping)) or not isinstance(raw, Sequence):
        raise BadMessage(f"tools is {type(raw).__name__}; wanted a list of tools")
    told = tuple(one if isinstance(one, Tool) else _tool(one, f"tools[{i}]") for i, one in enumerate(raw))
    names = [tool.name for tool in told]
    for name in names:
        if not _NAME.fullmatch(name):
            raise BadMessage(f"a tool is called {name[:80]!r}; wanted 1 to 64 letters, figures, _ . or -")
        if names.count(name) > 1:
            raise BadMessage(f"two tools are called {name!r}; name them apart")
    return told


def _tool(raw: Any, where: str) -> Tool:
    body = raw.get("function") if isinstance(raw, Mapping) else None
    if not isinstance(body, Mapping) or raw.get("type", "function") != "function":
        raise BadMessage(f"{where} is no tool; wanted an object with 'type' \"function\" and 'function'")
    _read_all(raw, {"type", "function"}, where)
    _read_all(body, {"name", "description", "parameters", "strict"}, f"{where}.function")
    name, about = body.get("name"), body.get("description")
    parameters = body.get("parameters")
    if not isinstance(name, str) or not isinstance(about or "", str):
        raise BadMessage(f"{where}.function has name {name!r} and description {about!r}; wanted texts")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise BadMessage(f"{where}.function.parameters is {type(parameters).__name__}; wanted a JSON Schema")
    return Tool(name, about or "", parameters or NO_PARAMETERS)


def _part(raw: Any, where: str) -> Part:
    if isinstance(raw, (Text, Image, Video)):
        return raw
    if not isinstance(raw, Mapping):
        raise BadMessage(f"{where} is {type(raw).__name__}; wanted an object with a 'type'")
    match raw.get("type"):
        case "text":
            text = raw.get("text")
            if not isinstance(text, str):
                raise BadMessage(f"{where}.text is {type(text).__name__}; wanted text")
            _read_all(raw, {"type", "text"}, where)
            return Text(text)
        case "image_url" | "image":
            source, limits = _media(raw, "image", where)
            _read_all(limits, {"min_pixels", "max_pixels", "detail"}, where)
            detail = _detail(limits, where)
            return Image(source, limits.get("min_pixels"), limits.get("max_pixels"), detail)
        case "video_url" | "video":
            source, limits = _media(raw, "video", where)
            known = {"fps", "max_frames", "start", "stop", "max_pixels"}
            _read_all(limits, {*known, "times"}, where)
            times = limits.get("times")
            moments = None if times is None else tuple(times) if isinstance(times, Sequence) else (times,)
            return Video(source, **{name: limits.get(name) for name in known}, times=moments)
        case other:
            raise BadMessage(f"{where}.type is {other!r}; wanted text, image_url or video_url")


def _detail(limits: Mapping[str, Any], where: str) -> Literal["low"] | None:
    """In how much detail a picture is shown; None is as much as the model's limits let in."""
    detail = limits.get("detail")
    if detail not in (None, "low", "high", "original", "auto"):
        raise BadMessage(f"{where}.detail is {detail!r}; wanted low, high, original or auto")
    if detail == "low" and limits.get("max_pixels") is not None:
        raise BadMessage(f"{where} has detail low and max_pixels, which say two things; take one out")
    return "low" if detail == "low" else None


def _media(raw: Mapping[str, Any], kind: str, where: str) -> tuple[MediaSource, dict[str, Any]]:
    """Take a media part apart: what is shown, and the limits beside it."""
    key = raw["type"]
    body = raw.get(key)
    if isinstance(body, Mapping):
        source, limits = body.get("url"), {k: v for k, v in body.items() if k != "url"}
    else:
        source, limits = body, {}
    if source is None:
        raise BadMessage(f"{where}.{key} is missing; wanted a path, a data: URL, bytes or an open {kind}")
    beside = {k: v for k, v in raw.items() if k not in ("type", key)}
    if twice := sorted(limits.keys() & beside.keys()):
        raise BadMessage(f"{where} has {', '.join(twice)} twice, inside {key} and beside it; take one out")
    return source, limits | beside


def _read_all(raw: Mapping[str, Any], known: set[str], where: str) -> None:
    if unread := set(raw) - known:
        raise BadMessage(
            f"{where} has {', '.join(sorted(map(str, unread)))}, which nobody reads; "
            f"known: {', '.join(sorted(known))}"
        )
