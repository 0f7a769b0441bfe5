"""A conversation and its options as the body of a request to /chat/completions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from omma.chat import Image, Message, Options, Part, Seen, Text, ToolCall, Video
from omma.errors import BadMessage, BadShape, UnknownOption
from omma.prep.dialects import dialect_of
from omma.remote.peer import Peer
from omma.remote.showing import show_picture, show_video
from omma.shape import Calls, Json, Matching, Places, Schema, Shape

# Fields that are called as our options are; the last three are known to vLLM and SGLang beside OpenAI's own.
_SAME = (
    "max_tokens",
    "temperature",
    "top_p",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "top_k",
    "min_p",
    "repetition_penalty",
)


def body(spoken: Sequence[Message], options: Options, peer: Peer) -> tuple[dict[str, Any], list[Seen]]:
    """The body, and what will be seen of each picture and video.

    An option that is left open is left out: the server decides. Raises what showing raises, BadMessage where
    a picture stands in a turn that is not a person's, BadShape and UnknownOption for what no server can be
    told.
    """
    seen: list[Seen] = []
    told: dict[str, Any] = {
        "model": peer.model,
        "messages": [_message(said, seen, peer) for said in spoken],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    told |= {name: value for name in _SAME if (value := getattr(options, name)) is not None}
    if options.keep_loops and peer.make == "omma":  # others never end what goes round in a circle
        told["keep_loops"] = True
    if dialect_of(peer.dialect).dress != "json" and peer.make in ("vllm", "sglang"):
        told["skip_special_tokens"] = False  # these write places between marks, which they leave out else
    if options.stop:
        told["stop"] = list(options.stop)
    if options.prompt_logprobs:
        raise UnknownOption(
            "prompt_logprobs of a conversation is told by a model of this process; over HTTP ask "
            "/v1/completions with echo and logprobs"
        )
    if options.logprobs is not None:
        told |= {"logprobs": True, "top_logprobs": options.logprobs}
    if options.tools:
        told["tools"] = [tool.form for tool in options.tools]
    if options.shape is not None:
        told |= _shape(options, options.shape, peer)
    return told, seen


def _message(said: Message, seen: list[Seen], peer: Peer) -> dict[str, Any]:
    if said.calls:
        calls = [call_form(call) for call in said.calls]
        return {"role": said.role, "content": said.text or None, "tool_calls": calls}
    if said.role == "tool":
        words = all(isinstance(part, Text) for part in said.parts)
        if not words and peer.make != "omma":
            raise BadMessage("a tool shows something, which this server does not take; let a user show it")
        content = said.text if words else [_part(part, seen, peer) for part in said.parts]
        return {"role": "tool", "content": content, "tool_call_id": said.answers or ""}
    if said.role == "raw":
        raise BadMessage("a raw message is no conversation, and goes to a model of this process only")
    if all(isinstance(part, Text) for part in said.parts):
        return {"role": said.role, "content": said.text}
    if said.role != "user":
        raise BadMessage(
            f"a turn of the {said.role} shows something, which servers do not take; let a user show it"
        )
    return {"role": said.role, "content": [_part(part, seen, peer) for part in said.parts]}


def call_form(call: ToolCall) -> dict[str, Any]:
    """A call as OpenAI's wire has it, its arguments as JSON in a text."""
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _part(part: Part, seen: list[Seen], peer: Peer) -> dict[str, Any]:
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Image():
            shown = show_picture(part, peer)
        case Video():
            shown = show_video(part, peer)
    seen.append(shown.seen)
    return dict(shown.part)


def _shape(options: Options, shape: Shape, peer: Peer) -> dict[str, Any]:
    """What holds an answer to its shape, in the server's own field where OpenAI has none."""
    match shape:
        case Json():
            return {"response_format": {"type": "json_object"}}
        case Schema(schema):
            named = {"name": "answer", "schema": schema, "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        case Matching(pattern) if peer.make in ("omma", "sglang"):
            return {"regex": pattern}
        case Calls(must=must, several=several) if options.tools:
            return {"tool_choice": "required" if must else "auto", "parallel_tool_calls": several}
        case Places(None, None, most, points, picture) if peer.make == "omma":
            return {"places": {"kind": "points" if points else "boxes", "most": most, "picture": picture}}
        case Matching(pattern) if peer.make == "vllm":
            return {"structured_outputs": {"regex": pattern}}
        case _:
            raise BadShape(
                f"this server cannot be told to hold answers to {type(shape).__name__}; give a Schema or Json"
            )
