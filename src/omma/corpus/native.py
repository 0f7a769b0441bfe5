"""Records of OpenAI-style messages, the native form, with boxes and weights beside what is said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omma import chat
from omma.chat import ROLES, Part, Text
from omma.corpus.media import KEYS, KINDS, Media
from omma.corpus.objects import PARTS, Objects, boxes_part
from omma.corpus.record import Boxes, Loose, Record
from omma.corpus.wording import Wording, weight_of
from omma.errors import BadData, BadMessage

KNOWN = {"id", "messages", "objects", "weight", *KEYS}


def read_messages(loose: Loose, folder: Path) -> Record:
    """The conversation under "messages". Raises BadInput saying what is not understood.

    <image> and <video> in the words are places only when the record names pictures beside its messages;
    otherwise they are words. A message may carry a "weight", and so may the record.
    """
    media, objects = Media(loose, folder), Objects(loose.value.get("objects"))
    wording = Wording(media)
    whole = weight_of(loose.value.get("weight"), "weight")
    spoken = loose.value.get("messages")
    if spoken is None:
        fields = ", ".join(map(str, loose.value)) or "no field"
        raise BadData(f"the record has {fields}; wanted messages, each with a role and a content")
    if not isinstance(spoken, list) or not spoken:
        raise BadData("messages is empty or no list; wanted messages with a role and a content")
    for number, raw in enumerate(spoken):
        where = f"messages[{number}]"
        if not isinstance(raw, Mapping):
            raise BadData(f"{where} is {type(raw).__name__}; wanted an object with 'role' and 'content'")
        said = {key: value for key, value in raw.items() if value is not None}
        if said.get("role") not in ROLES:
            raise BadData(f"{where}.role is {said.get('role')!r}; wanted one of {', '.join(ROLES)}", "role")
        if called := sorted(said.keys() & {"tool_calls", "tool_call_id"}):
            raise BadData(f"{where} has {called[0]}, which training does not read yet; take it out", "role")
        weight = weight_of(said.pop("weight", None), f"{where}.weight")
        parts = _parts(said, where, wording, objects)
        wording.add(said["role"], parts, whole * weight)
    objects.check()
    return wording.record(set(loose.value) - KNOWN)


def _parts(said: dict[str, Any], where: str, wording: Wording, objects: Objects) -> list[Part | Boxes]:
    """What one message says, in order."""
    content = said.get("content")
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
        try:
            one = chat.messages([{**said, "content": [part]}])[0].parts[0]
        except BadMessage as problem:  # said of the only part of the only message
            told = str(problem).replace("messages[0].content[0]", name)
            raise BadMessage(told.replace("messages[0]", where)) from None
        parts += _found(one, wording, objects)
    return parts


def _is_part(raw: Any) -> bool:
    return isinstance(raw, Mapping) and isinstance(raw.get("type"), str)


def _found(part: Part, wording: Wording, objects: Objects) -> list[Part | Boxes]:
    """The part with its places filled and its media found."""
    if not isinstance(part, Text):
        return [wording.media.placed(part)]
    parts = wording.parts(part.text) if wording.media.any else [part]
    if not objects.any:
        return [*parts]
    return [new for old in parts for new in (objects.split(old.text) if isinstance(old, Text) else [old])]
