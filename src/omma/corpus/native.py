"""Records of OpenAI-style messages, the native form, with boxes and weights beside what is said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omma import chat
from omma.chat import Message, Part, Text
from omma.corpus.calling import read_tools, speaker_of
from omma.corpus.media import KEYS, KINDS, Media
from omma.corpus.objects import PARTS, Objects, boxes_part
from omma.corpus.record import Boxes, Loose, Record
from omma.corpus.wording import Wording, weight_of
from omma.errors import BadData, BadMessage
from omma.turns import in_order

KNOWN = {"id", "messages", "objects", "tools", "weight", *KEYS}


def read_messages(loose: Loose, folder: Path) -> Record:
    """The conversation under "messages". Raises BadInput saying what is not understood.

    <image> and <video> in the words are places only when the record names pictures beside its messages;
    otherwise they are words. A message may carry a "weight", and so may the record. Calls of tools are
    answers, and what the tools gave back comes in the order of the calls, as a conversation that is answered
    has it.
    """
    media, objects = Media(loose, folder), Objects(loose.value.get("objects"))
    wording = Wording(media, read_tools(loose.value.get("tools")))
    whole = weight_of(loose.value.get("weight"), "weight")
    spoken = loose.value.get("messages")
    if spoken is None:
        fields = ", ".join(map(str, loose.value)) or "no field"
        raise BadData(f"the record has {fields}; wanted messages, each with a role and a content")
    if not isinstance(spoken, list) or not spoken:
        raise BadData("messages is empty or no list; wanted messages with a role and a content")
    turns: dict[int, tuple[Message, list[Part | Boxes], float]] = {}
    for number, raw in enumerate(spoken):
        where = f"messages[{number}]"
        if not isinstance(raw, Mapping):
            raise BadData(f"{where} is {type(raw).__name__}; wanted an object with 'role' and 'content'")
        said = {key: value for key, value in raw.items() if value is not None}
        weight = weight_of(said.pop("weight", None), f"{where}.weight")
        speaker = speaker_of(said, where)
        turns[id(speaker)] = speaker, _parts(said, speaker, where, wording, objects), whole * weight
    objects.check()
    for speaker in in_order([speaker for speaker, _, _ in turns.values()]):
        wording.add(*turns[id(speaker)])
    return wording.record(set(loose.value) - KNOWN - media.read)


def _parts(
    said: dict[str, Any], speaker: Message, where: str, wording: Wording, objects: Objects
) -> list[Part | Boxes]:
    """What one message says, in order; nothing where it only calls."""
    content = said.get("content")
    if content is None and speaker.calls:
        return []
    listed: list[Any] = content if isinstance(content, list) else [{"type": "text", "text": content}]
    parts: list[Part | Boxes] = []
    for number, raw in enumerate(listed):
        name = f"{where}.content[{number}]"
        part = {key: value for key, value in raw.items() if value is not None} if _is_part(raw) else raw
        if _is_part(raw) and part["type"] in PARTS:
            parts.append(boxes_part(part, name))
            continue
        if _is_part(raw) and part["type"] in KINDS and set(part) == {"type"}:
            parts.append(wording.media.take(part["type"]))
            continue
        if _is_part(raw) and part["type"] == "video" and _holds(part.get("video"), "frames"):
            parts.append(wording.media.film(part["video"]))
            continue
        if _is_part(raw) and part["type"] in ("video", "video_url") and "sample_fps" in part:
            part = {"fps" if key == "sample_fps" else key: value for key, value in part.items()}
        try:
            one = chat.messages([{"role": "user", "content": [part]}])[0].parts[0]
        except BadMessage as problem:  # said of the only part of the only message
            told = str(problem).replace("messages[0].content[0]", name)
            raise BadMessage(told.replace("messages[0]", where)) from None
        parts += _found(one, wording, objects)
    return parts


def _is_part(raw: Any) -> bool:
    return isinstance(raw, Mapping) and isinstance(raw.get("type"), str)


def _holds(value: Any, key: str) -> bool:
    return isinstance(value, Mapping) and value.get(key) is not None


def _found(part: Part, wording: Wording, objects: Objects) -> list[Part | Boxes]:
    """The part with its places filled and its media found."""
    if not isinstance(part, Text):
        return [wording.media.placed(part)]
    parts = wording.parts(part.text) if wording.media.any else [part]
    if not objects.any:
        return [*parts]
    return [new for old in parts for new in (objects.split(old.text) if isinstance(old, Text) else [old])]
