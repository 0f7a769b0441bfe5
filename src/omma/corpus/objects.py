"""Boxes and points as records give them: parts of a message, or objects with places for them in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omma.chat import Text
from omma.corpus.record import Boxes, Unit
from omma.errors import BadData
from omma.prep.boxes import Box, Point

PARTS = ("boxes", "points", "point")
FARTHEST = 1e9  # pixels; no picture is so wide
PLACE = re.compile(r"<(bbox|ref-object)>")
UNITS: dict[Any, Unit] = {
    None: "pixels", "pixels": "pixels", "share": "share", "grid": "grid", "real": "pixels", "norm1": "share",
}  # fmt: skip


def boxes_part(raw: Mapping[str, Any], where: str) -> Boxes:
    """A part of a message with geometry in it:

    ``{"type": "boxes", "boxes": [{"box": [x1, y1, x2, y2], "label": "mug"}], "image": 0, "unit": "pixels",
    "key": "label"}``, ``{"type": "points", "points": [{"point": [x, y], "label": …}]}``, or one point as
    ``{"type": "point", "point": [x, y], "label": …}``. All but the numbers may be left out.
    """
    kind = raw["type"]
    known = {"type", kind, "image", "unit", "key", *(("label",) if kind == "point" else ())}
    if unread := sorted(map(str, set(raw) - known)):
        raise BadData(f"{where} has {', '.join(unread)}, which nobody reads", "boxes")
    listed = [raw] if kind == "point" else raw.get(kind)
    if not isinstance(listed, list):
        raise BadData(f"{where}.{kind} is {type(listed).__name__}; wanted a list", "boxes")
    name = "box" if kind == "boxes" else "point"
    shapes = []
    for number, entry in enumerate(listed):
        if not isinstance(entry, Mapping):
            raise BadData(f"{where}.{kind}[{number}] is {entry!r}; wanted an object with {name!r}", "boxes")
        shape = shape_of(entry.get(name), entry.get("label"), f"{where}.{kind}[{number}]")
        if isinstance(shape, Box) != (name == "box"):
            raise BadData(f"{where}.{kind}[{number}] does not hold the numbers of a {name}", "boxes")
        shapes.append(shape)
    key = raw.get("key", "label")
    if not isinstance(key, str) or not key:
        raise BadData(f"{where}.key is {key!r}; wanted the name that labels are written under", "boxes")
    form = "one" if kind == "point" else "list"
    return Boxes(tuple(shapes), picture_of(raw.get("image")), unit_of(raw.get("unit")), form, key)  # type: ignore[arg-type]


def shape_of(numbers: Any, label: Any, where: str) -> Box | Point:
    """Four numbers are a box, two a point."""
    sound = isinstance(numbers, Sequence) and all(
        isinstance(n, (int, float)) and not isinstance(n, bool) and abs(n) < FARTHEST for n in numbers
    )
    if not sound or len(numbers) not in (2, 4):
        raise BadData(f"{where} has {numbers!r}; wanted x1, y1, x2, y2 or x, y", "boxes")
    if label is not None and not isinstance(label, str):
        raise BadData(f"{where}.label is {label!r}; wanted text", "boxes")
    if len(numbers) == 2:
        return Point(float(numbers[0]), float(numbers[1]), label or "")
    x1, y1, x2, y2 = map(float, numbers)
    if x1 >= x2 or y1 >= y2:
        raise BadData(
            f"{where} is {numbers!r}; wanted the top left corner first, then the bottom right", "boxes"
        )
    return Box(x1, y1, x2, y2, label or "")


def unit_of(name: Any) -> Unit:
    """What numbers count, by name; pixels of the original picture where none is named."""
    if isinstance(name, (str, type(None))) and name in UNITS:
        return UNITS[name]
    raise BadData(f"boxes are counted in {name!r}; wanted pixels, share or grid", "boxes")


def picture_of(number: Any) -> int | None:
    """Which picture, counted from 0; None names none."""
    if number is None or (isinstance(number, int) and not isinstance(number, bool) and number >= 0):
        return number
    raise BadData(f"boxes are of picture {number!r}; wanted its number, from 0", "boxes")


class Objects:
    """A record's "objects": boxes and names that the places <bbox> and <ref-object> stand for, in order.

    ``{"bbox": [[x1, y1, x2, y2], …], "ref": ["the mug", …], "bbox_type": "real", "image_id": [0, …]}``
    """

    def __init__(self, raw: Any) -> None:
        raw = {} if raw is None else raw
        if not isinstance(raw, Mapping):
            raise BadData(f"objects is {type(raw).__name__}; wanted an object with 'bbox'", "boxes")
        if unread := sorted(map(str, set(raw) - {"bbox", "ref", "bbox_type", "image_id"})):
            raise BadData(f"objects has {', '.join(unread)}, which nobody reads", "boxes")
        self.any = bool(raw)
        self._unit = unit_of(raw.get("bbox_type"))
        self._boxes, self._names = _list(raw, "bbox"), _list(raw, "ref")
        self._pictures = _list(raw, "image_id")
        if self._pictures and len(self._pictures) != len(self._boxes):
            raise BadData(
                f"objects has {len(self._boxes)} bbox and {len(self._pictures)} image_id; wanted as many",
                "boxes",
            )
        self._taken = {"bbox": 0, "ref-object": 0}

    def split(self, text: str) -> Iterator[Text | Boxes]:
        """The text with each place filled by the next box or name."""
        at = 0
        for place in PLACE.finditer(text):
            yield Text(text[at : place.start()])
            at = place.end()
            number = self._taken[place[1]]
            self._taken[place[1]] += 1
            if place[1] == "bbox" and number < len(self._boxes):
                picture = picture_of(self._pictures[number]) if self._pictures else None
                shape = shape_of(self._boxes[number], None, f"objects.bbox[{number}]")
                yield Boxes((shape,), picture, self._unit, "bare")
            elif place[1] == "ref-object" and number < len(self._names):
                yield Text(_name(self._names[number], number))
        yield Text(text[at:])

    def check(self) -> None:
        """Raise BadData unless there were as many places as boxes and names."""
        for place, given in (("bbox", len(self._boxes)), ("ref-object", len(self._names))):
            if self._taken[place] != given:
                raise BadData(
                    f"the text has {self._taken[place]} <{place}> and objects has {given}; wanted as many",
                    "tags",
                )


def _list(raw: Mapping[str, Any], key: str) -> list[Any]:
    value = raw.get(key)
    if value is not None and not isinstance(value, list):
        raise BadData(f"objects.{key} is {type(value).__name__}; wanted a list", "boxes")
    return value or []


def _name(value: Any, number: int) -> str:
    if not isinstance(value, str):
        raise BadData(f"objects.ref[{number}] is {value!r}; wanted text", "boxes")
    return value
