"""A conversation as it is put together: places in its words become parts, and only answers are learned."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from omma.chat import Image, Message, Part, Role, Text, Tool
from omma.corpus.calling import check_calls
from omma.corpus.media import Kind, Media
from omma.corpus.record import Boxes, Record
from omma.errors import BadData

# A place for a picture, with the line end that sets it off from the words; it is no part of what is said.
LIGHTEST, HEAVIEST = 1e-6, 1e6
PLACE = re.compile(r"<(image|video)>\n?|\n<(image|video)>\Z")


class Wording:
    """Messages, weights and boxes so far: `add` takes a message, `record` ends it with the last checks."""

    def __init__(self, media: Media, tools: tuple[Tool, ...] = ()) -> None:
        self.media, self.tools = media, tools
        self.messages: list[Message] = []
        self.weights: list[float] = []
        self.boxes: list[Boxes] = []

    def add(self, speaker: Role | Message, parts: Iterable[Part | Boxes], weight: float = 1.0) -> None:
        """Say the parts, as a role or as a message with its calls. `weight` counts for answers only."""
        begun = speaker if isinstance(speaker, Message) else Message(speaker, ())
        said: list[Part] = []
        for part in parts:
            if isinstance(part, Boxes):
                self.boxes.append(replace(part, message=len(self.messages), part=len(said)))
                said.append(Text(""))
            elif not isinstance(part, Text) or part.text:
                said.append(part)
        self.messages.append(replace(begun, parts=tuple(said)))
        self.weights.append(weight if begun.role == "assistant" else 0.0)

    def parts(self, text: str) -> list[Part]:
        """Words with <image> and <video> in them: each stands for the record's next picture or video."""
        parts: list[Part] = []
        at = 0
        for place in PLACE.finditer(text):
            kind: Kind = "image" if "image" in place[0] else "video"
            parts += [Text(text[at : place.start()]), self.media.take(kind)]
            at = place.end()
        return [*parts, Text(text[at:])]

    def record(self, unread: Iterable[str] = ()) -> Record:
        """The whole conversation. Raises BadData when it cannot be learned from as it stands."""
        self.media.check()
        check_calls(self.messages, self.tools)
        boxed = {box.message for box in self.boxes}
        for number, said in enumerate(self.messages):
            if said.role == "assistant":
                _check_answer(said, f"message {number + 1}", boxed=number in boxed)
        if not any(self.weights):
            raise BadData(
                "there is no answer to learn from; wanted a message of the assistant with a weight",
                "empty answer",
            )
        pictures = sum(isinstance(part, Image) for said in self.messages for part in said.parts)
        for box in self.boxes:
            _check_picture(box, pictures)
        return Record(tuple(self.messages), tuple(self.weights), tuple(self.boxes), self.tools, tuple(unread))


def _check_answer(said: Message, name: str, *, boxed: bool) -> None:
    if any(not isinstance(part, Text) for part in said.parts):
        raise BadData(f"{name} is an answer that shows a picture or video; wanted words only", "answer")
    if not said.text.strip() and not boxed and not said.calls:
        raise BadData(f"{name} is an answer without words", "empty answer")


def _check_picture(box: Boxes, pictures: int) -> None:
    if box.picture is None and pictures != 1:
        raise BadData(
            f"there are boxes, and {pictures} pictures; wanted the picture's number, from 0, as 'image'",
            "boxes",
        )
    if box.picture is not None and box.picture >= pictures:
        raise BadData(
            f"boxes are of picture {box.picture}, counted from 0, and there are {pictures}", "boxes"
        )


def weight_of(value: Any, what: str) -> float:
    """A weight as a record names it: 0, or a number that counts among others; 1 where it names none.

    Two far lighter ones multiplied would be 0 in single precision, and a loss of such tokens no number.
    """
    if value is None:
        return 1.0
    sound = not isinstance(value, bool) and isinstance(value, (int, float))
    if not sound or not (value == 0 or LIGHTEST <= value < HEAVIEST):
        raise BadData(
            f"{what} is {value!r:.60}; wanted 0, or a number from {LIGHTEST:f} to {HEAVIEST:,.0f}", "weight"
        )
    return float(value)
