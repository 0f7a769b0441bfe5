"""A conversation of the wire as our messages: every picture and video is bytes by then."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from omma.chat import LOW_DETAIL, THOUGHTS_END, Image, Message, Part, Text, ToolCall, Video
from omma.errors import OmmaError
from omma.serve import wire
from omma.serve.faults import Refused, refusal
from omma.serve.reading import shortened
from omma.serve.settings import Settings
from omma.serve.sources import Sources, fetched
from omma.turns import in_order

AT_ONCE = 4  # media of one request that are fetched side by side


@dataclass(frozen=True)
class Taken:
    """A conversation with its media here; the seconds that went into fetching, and what nobody reads.

    `places` say where each picture and video stands in the request.
    """

    messages: tuple[Message, ...]
    fetch: float | None = None
    ignored: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


async def taken(
    asked: Sequence[wire.Message], sources: Sources, settings: Settings, *, tenant: str, thinks: bool
) -> Taken:
    """A conversation as messages. Raises Refused, naming the place of what is wrong."""
    shown = [part for part, _ in _placed(asked)]
    _count(len(asked), shown, settings)
    began = time.monotonic()
    media = dict(zip(map(id, shown), await _media(asked, sources, tenant), strict=True))
    away = any(fetched(_source(part).url) for part in shown)
    told = [_message(said, f"messages[{i}]", media, thinks) for i, said in enumerate(asked)]
    _answering(told)
    seconds = time.monotonic() - began if away else None
    places = tuple(where for _, where in _placed(asked))
    return Taken(in_order(told), seconds, tuple(_unread(asked, thinks)), places)


def _answering(told: Sequence[Message]) -> None:
    """Raises Refused for what a tool gave back to no call before it."""
    known: set[str] = set()
    for number, message in enumerate(told):
        known |= {call.id for call in message.calls}
        if message.role == "tool" and message.answers not in known:
            where = f"messages[{number}].tool_call_id"
            text = f"{where} is {shortened(message.answers)}; wanted the id of a call before it"
            raise Refused(400, text, code="invalid_message", param=where)


def _unread(asked: Sequence[wire.Message], thinks: bool) -> Iterator[str]:
    """What was sent and no model here is told."""
    for i, said in enumerate(asked):
        if said.name is not None:
            yield f"messages[{i}].name"
        if isinstance(said, wire.AssistantMessage) and said.reasoning_content and not thinks:
            yield f"messages[{i}].reasoning_content"


Visible = wire.PicturePart | wire.VideoPart


def _placed(asked: Sequence[wire.Message]) -> Iterator[tuple[Visible, str]]:
    """Every picture and video, and where it stands."""
    for i, said in enumerate(asked):
        for j, part in enumerate(said.content if isinstance(said.content, list) else []):
            if isinstance(part, (wire.PicturePart, wire.VideoPart)):
                yield part, f"messages[{i}].content[{j}].{part.type}.url"


def _count(messages: int, shown: Sequence[Visible], settings: Settings) -> None:
    counts = {
        "messages": (messages, settings.messages),
        "pictures": (sum(isinstance(part, wire.PicturePart) for part in shown), settings.pictures),
        "videos": (sum(isinstance(part, wire.VideoPart) for part in shown), settings.videos),
    }
    for noun, (count, most) in counts.items():
        if count > most:
            text = f"there are {count} {noun}; at most {most} are taken in one request"
            raise Refused(413, text, code="request_too_large", param="messages")


async def _media(asked: Sequence[wire.Message], sources: Sources, tenant: str) -> list[bytes]:
    """The bytes of all that is shown, in order."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def take(part: Visible, where: str) -> bytes:
        kind = "image" if isinstance(part, wire.PicturePart) else "video"
        try:
            async with turn:
                return await sources.take(_source(part).url, kind, tenant)
        except OmmaError as error:
            raise refusal(error, param=where) from error

    wanted: list[asyncio.Task[bytes]] = []
    try:
        async with asyncio.TaskGroup() as group:
            for part, where in _placed(asked):
                wanted.append(group.create_task(take(part, where)))
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    return [task.result() for task in wanted]


def _source(part: Visible) -> wire.PictureSource | wire.VideoSource:
    return part.image_url if isinstance(part, wire.PicturePart) else part.video_url


def _message(said: wire.Message, where: str, media: dict[int, bytes], thinks: bool) -> Message:
    match said:
        case wire.SystemMessage():
            return Message("system", _texts(said.content))
        case wire.UserMessage():
            return Message("user", _parts(said.content, where, media))
        case wire.AssistantMessage():
            return _answer(said, where, thinks)
        case wire.ToolMessage():
            return Message("tool", _parts(said.content, where, media), answers=said.tool_call_id)


def _answer(said: wire.AssistantMessage, where: str, thinks: bool) -> Message:
    content = said.refusal if said.content is None else said.content
    if content is None and not said.tool_calls:
        text = f"{where} has neither content nor tool_calls; wanted what the assistant said"
        raise Refused(400, text, code="invalid_message", param=f"{where}.content")
    texts = _texts(content) if content else ()
    if thinks and said.reasoning_content:
        texts = (Text(f"<think>\n{said.reasoning_content}\n{THOUGHTS_END}\n\n"), *texts)
    calls = [_call(call, f"{where}.tool_calls[{i}]") for i, call in enumerate(said.tool_calls or ())]
    return Message("assistant", texts, tuple(calls))


def _call(call: wire.CalledTool, where: str) -> ToolCall:
    try:
        arguments = json.loads(call.function.arguments or "{}")
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        text = f"{where}.function.arguments is no JSON object in a text; send it as it was answered"
        raise Refused(400, text, code="invalid_message", param=f"{where}.function.arguments")
    return ToolCall(call.function.name, arguments, call.id)


def _texts(content: str | Sequence[wire.TextPart | wire.RefusalPart]) -> tuple[Text, ...]:
    if isinstance(content, str):
        return (Text(content),)
    return tuple(Text(part.text if isinstance(part, wire.TextPart) else part.refusal) for part in content)


def _parts(content: str | Sequence[wire.Part], where: str, media: dict[int, bytes]) -> tuple[Part, ...]:
    parts = [content] if isinstance(content, str) else content
    return tuple(_part(part, f"{where}.content[{j}]", media) for j, part in enumerate(parts))


def _part(part: str | wire.TextPart | Visible, where: str, media: dict[int, bytes]) -> Part:
    match part:
        case str():
            return Text(part)
        case wire.TextPart():
            return Text(part.text)
        case wire.PicturePart(image_url=source):
            return _picture(source, media[id(part)], f"{where}.image_url")
        case wire.VideoPart(video_url=source):
            _in_order(source.start, source.stop, f"{where}.video_url.stop")
            return Video(
                media[id(part)],
                fps=source.fps,
                max_frames=source.max_frames,
                start=source.start,
                stop=source.stop,
                max_pixels=source.max_pixels,
            )


def _picture(source: wire.PictureSource, raw: bytes, where: str) -> Image:
    low, most = source.detail == "low", source.max_pixels
    if low and most is not None:
        text = f"{where} has detail low and max_pixels, which say two things; take one out"
        raise Refused(400, text, code="invalid_value", param=f"{where}.max_pixels")
    most = LOW_DETAIL if low else most
    if most is not None and source.min_pixels is not None and source.min_pixels > most:
        text = f"{where}.min_pixels is {source.min_pixels}, more than the most, {most}; lower it"
        raise Refused(400, text, code="invalid_value", param=f"{where}.min_pixels")
    return Image(raw, source.min_pixels, source.max_pixels, "low" if low else None)


def _in_order(start: float | None, stop: float | None, where: str) -> None:
    if stop is not None and stop <= (start or 0):
        text = f"{where} is {stop:g}, not after the start, {start or 0:g}; wanted a later second"
        raise Refused(400, text, code="invalid_value", param=where)
