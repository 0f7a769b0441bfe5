"""The items of /v1/responses as turns of a chat, and where in the input each of their parts stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from omma.serve import wire
from omma.serve import wire_responses as asks
from omma.serve.faults import Refused

# Of one turn: places within it, as ".content[0].image_url.url", and where that stands in the request.
Places: TypeAlias = Mapping[str, str]


def turns(asked: asks.ResponseRequest) -> tuple[list[wire.Message], list[Places]]:
    """The items as messages of a chat, and the places of each. Raises Refused.

    Thoughts, words and calls that follow each other are one turn of the assistant.
    """
    said: list[wire.Message] = []
    places: list[Places] = []
    if asked.instructions:
        said.append(wire.SystemMessage(role="system", content=asked.instructions))
        places.append({"": "instructions"})
    if isinstance(asked.input, str):
        said.append(wire.UserMessage(role="user", content=asked.input))
        return said, [*places, {"": "input"}]
    for index, item in enumerate(asked.input):
        turn, stands = _turn(item, f"input[{index}]"), dict(_places(item, f"input[{index}]"))
        before = said[-1] if said else None
        if (joined := _joined(before, turn)) is None:
            said.append(turn)
            places.append(stands)
            continue
        calls = len(before.tool_calls or ()) if isinstance(before, wire.AssistantMessage) else 0
        said[-1] = joined
        later = {name.replace("[0]", f"[{calls}]", 1): place for name, place in stands.items() if name}
        places[-1] = {**places[-1], **later}
    return said, places


def place_of(param: str, places: Sequence[Places]) -> str:
    """Where in the request a place of the chat stands: ``messages[1].content[0].image_url.url``, say."""
    if (found := re.match(r"messages\[(\d+)\]", param)) is None:
        return "input" if param == "messages" else param
    known, rest = places[int(found[1])], param[found.end() :]
    name = max((name for name in known if rest.startswith(name)), key=len)
    return known[name] + rest[len(name) :]


def kept_elsewhere(asked: asks.ResponseRequest) -> Iterator[str]:
    """What other servers keep of their thoughts, which nobody can read here."""
    items = [] if isinstance(asked.input, str) else asked.input
    for index, item in enumerate(items):
        if isinstance(item, asks.Reasoning):
            yield from (
                f"input[{index}].{name}" for name in ("summary", "encrypted_content") if getattr(item, name)
            )


def _places(item: asks.Item, where: str) -> Iterator[tuple[str, str]]:
    yield "", where
    match item:
        case asks.CalledFunction():
            yield ".tool_calls[0].function", where
        case asks.Reasoning():
            yield ".reasoning_content", f"{where}.content"
        case asks.FunctionOutput(output=output):
            yield ".tool_call_id", f"{where}.call_id"
            yield ".content", f"{where}.output"
            yield from _media(output, f"{where}.output")
        case asks.InputMessage(content=content):
            yield ".content", f"{where}.content"
            yield from _media(content, f"{where}.content")


def _media(content: str | Sequence[asks.InputPart], where: str) -> Iterator[tuple[str, str]]:
    for index, part in enumerate([] if isinstance(content, str) else content):
        here = f"{where}[{index}]"
        match part:
            case asks.InputImage():
                yield f".content[{index}].image_url", here
                name = "image_url" if part.file_id is None else "file_id"
                yield f".content[{index}].image_url.url", f"{here}.{name}"
            case asks.InputVideo():
                yield f".content[{index}].video_url", here
                yield f".content[{index}].video_url.url", f"{here}.video_url"


def _turn(item: asks.Item, where: str) -> wire.Message:
    match item:
        case asks.InputMessage(role="assistant", content=content):
            said = _said(content, where)
            parts: str | list[wire.TextPart | wire.RefusalPart]
            parts = said if isinstance(said, str) else [*said]
            return wire.AssistantMessage(role="assistant", content=parts)
        case asks.InputMessage(role="user", content=content):
            return wire.UserMessage(role="user", content=_shown(content, f"{where}.content"))
        case asks.InputMessage(content=content):
            return wire.SystemMessage(role="system", content=_said(content, where))
        case asks.CalledFunction():
            function = wire.CalledFunction(name=item.name, arguments=item.arguments)
            call = wire.CalledTool(id=item.call_id, type="function", function=function)
            return wire.AssistantMessage(role="assistant", tool_calls=[call])
        case asks.FunctionOutput(output=output):
            shown = _shown(output, f"{where}.output")
            return wire.ToolMessage(role="tool", tool_call_id=item.call_id, content=shown)
        case asks.Reasoning(content=content):
            thoughts = "".join(part.text for part in content or ())
            return wire.AssistantMessage(role="assistant", content="", reasoning_content=thoughts)


def _joined(before: wire.Message | None, after: wire.Message) -> wire.AssistantMessage | None:
    """One turn of the assistant out of two: thoughts, words, then calls; None where they are not that."""
    if not isinstance(before, wire.AssistantMessage) or not isinstance(after, wire.AssistantMessage):
        return None
    if (before.tool_calls or before.content) and (after.content or after.reasoning_content):
        return None
    return wire.AssistantMessage(
        role="assistant",
        content=after.content or before.content,
        reasoning_content=before.reasoning_content or after.reasoning_content,
        tool_calls=[*(before.tool_calls or ()), *(after.tool_calls or ())] or None,
    )


def _said(content: str | Sequence[asks.InputPart], where: str) -> str | list[wire.TextPart]:
    if isinstance(content, str):
        return content
    texts = []
    for index, part in enumerate(content):
        if isinstance(part, wire.RefusalPart):
            texts.append(wire.TextPart(type="text", text=part.refusal))
            continue
        if not isinstance(part, (asks.InputText, asks.OutputText)):
            param = f"{where}.content[{index}]"
            text = f"{param} is {part.type}; only a person shows something, wanted words here"
            raise Refused(400, text, code="invalid_value", param=param)
        texts.append(wire.TextPart(type="text", text=part.text))
    return texts


def _shown(content: str | Sequence[asks.InputPart], where: str) -> str | list[wire.Part]:
    if isinstance(content, str):
        return content
    return [_part(part, f"{where}[{index}]") for index, part in enumerate(content)]


def _part(part: asks.InputPart, where: str) -> wire.Part:
    match part:
        case asks.InputImage():
            if (part.image_url is None) == (part.file_id is None):
                what = "neither image_url nor file_id" if part.file_id is None else "image_url and file_id"
                text = f"{where} has {what}; wanted one of them"
                raise Refused(400, text, code="invalid_value", param=where)
            url = part.image_url or f"media:{part.file_id}"
            limits = {"detail": part.detail, "min_pixels": part.min_pixels, "max_pixels": part.max_pixels}
            source = wire.PictureSource.model_validate({"url": url, **limits})
            return wire.PicturePart(type="image_url", image_url=source)
        case asks.InputVideo():
            told = part.model_dump(exclude={"type", "video_url"})
            film = wire.VideoSource.model_validate({"url": part.video_url, **told})
            return wire.VideoPart(type="video_url", video_url=film)
        case wire.RefusalPart(refusal=text):
            return wire.TextPart(type="text", text=text)
        case _:
            return wire.TextPart(type="text", text=part.text)
