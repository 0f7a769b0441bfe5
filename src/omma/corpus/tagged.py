"""Records of conversations with tags in their words (LLaVA, ShareGPT, Qwen), of captions and of questions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omma.chat import Image, Part, Role, Text
from omma.corpus.media import KEYS, Media
from omma.corpus.phrases import grounded
from omma.corpus.record import Boxes, Loose, Record
from omma.corpus.wording import Wording, weight_of
from omma.errors import BadData

SPEAKERS: dict[str, Role] = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system",
}  # fmt: skip
CONVERSATION = {"conversations", "system", "weight", "id", *KEYS}
# The first generation's way to show a picture: "Picture 1: <img>path</img>" and a line end.
SHOWN = re.compile(r"(?P<number>Picture \d+: ?)?<img>(?P<path>.*?)</img>\n?", re.DOTALL)
CAPTIONS = ("caption", "text", "answer")
PROMPT = "Describe the picture."  # what omma's own skill asks


def read_llava(loose: Loose, folder: Path) -> Record:
    """Turns under "conversations", from human or gpt (user or assistant), one tag in the words a picture."""
    wording = Wording(Media(loose, folder))
    whole = weight_of(loose.value.get("weight"), "weight")
    for role, text, weight in _turns(loose.value):
        wording.add(role, wording.parts(text), whole * weight)
    return wording.record(set(loose.value) - CONVERSATION - wording.media.read)


def read_qwen(loose: Loose, folder: Path) -> Record:
    """The same with pictures named in the words, ``Picture 1: <img>path</img>``, or by tags.

    The words "Picture 1: " go where the record shows only one picture: nothing would be told apart by them.
    Boxes in tags are those of the picture shown last (`corpus/phrases.py`).
    """
    wording = Wording(Media(loose, folder))
    turns = list(_turns(loose.value))
    alone = sum(len(SHOWN.findall(text)) for _, text, _ in turns) == 1
    whole = weight_of(loose.value.get("weight"), "weight")
    pictures = 0
    for role, text, weight in turns:
        parts: list[Part | Boxes] = []
        for part in _shown(text, wording, alone=alone):
            pictures += isinstance(part, Image)
            last = pictures - 1 if pictures else None
            learned = role == "assistant"
            parts += grounded(part.text, last, learned=learned) if isinstance(part, Text) else [part]
        wording.add(role, parts, whole * weight)
    return wording.record(set(loose.value) - CONVERSATION - wording.media.read)


def _shown(text: str, wording: Wording, *, alone: bool) -> list[Part]:
    """The words with their pictures, by paths between tags and by places."""
    if "<img>" in SHOWN.sub("", text):
        raise BadData("an <img> is not closed; wanted <img>path</img>", "tags")
    parts: list[Part] = []
    at = 0
    for shown in SHOWN.finditer(text):
        number = "" if alone else shown["number"] or ""
        parts += [*wording.parts(text[at : shown.start()]), Text(number)]
        parts.append(Image(wording.media.find(shown["path"])))
        at = shown.end()
    return parts + wording.parts(text[at:])


def read_captions(loose: Loose, folder: Path) -> Record:
    """A picture with a caption, or with a question and its answer."""
    media = Media(loose, folder)
    wording = Wording(media)
    answer = next((loose.value[key] for key in CAPTIONS if loose.value.get(key) is not None), None)
    question = loose.value.get("question")
    if answer is None:
        raise BadData(f"there is no caption; wanted text under {', '.join(CAPTIONS)}, or a .txt in a shard")
    if isinstance(answer, list):
        raise BadData(
            f"there are {len(answer)} captions; wanted one text: omma data clean makes a record of each, or "
            "keeps the longest"
        )
    answer = _words(answer, "the caption")
    if question is not None:
        question = _words(question, "the question")
    shown: list[Part] = [media.take(kind) for kind, given in media.given.items() for _ in given]
    if not shown and question is None:
        raise BadData("there is a caption and no picture", "tags")
    if not shown and (empty := [key for key in KEYS if loose.value.get(key) == ""]):
        raise BadData(
            f"{empty[0]} is an empty text; wanted a name, or no such field where words stand alone", "tags"
        )
    wording.add("user", [*shown, Text(question or PROMPT)])
    wording.add("assistant", [Text(answer)], weight_of(loose.value.get("weight"), "weight"))
    return wording.record(set(loose.value) - {"question", "weight", "id", *CAPTIONS, *KEYS} - media.read)


def _turns(value: Mapping[str, Any]) -> list[tuple[Role, str, float]]:
    """Who says what, and how much it weighs among the record's turns."""
    turns: list[tuple[Role, str, float]] = []
    if (system := value.get("system")) is not None:
        turns.append(("system", _words(system, "system"), 1.0))
    spoken = value.get("conversations")
    if not isinstance(spoken, list) or not spoken:
        raise BadData("conversations is empty or no list; wanted turns with 'from' and 'value'")
    for number, turn in enumerate(spoken):
        where = f"conversations[{number}]"
        if not isinstance(turn, Mapping):
            raise BadData(f"{where} is {type(turn).__name__}; wanted an object with 'from' and 'value'")
        who, says = ("role", "content") if "role" in turn and "from" not in turn else ("from", "value")
        speaker = turn.get(who)
        if not isinstance(speaker, str) or speaker not in SPEAKERS:
            raise BadData(f"{where}.{who} is {speaker!r}; wanted one of {', '.join(SPEAKERS)}", "role")
        weight = weight_of(turn.get("weight"), f"{where}.weight")
        turns.append((SPEAKERS[speaker], _words(turn.get(says), f"{where}.{says}"), weight))
    return turns


def _words(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise BadData(f"{where} is {type(value).__name__}; wanted text")
    return value
