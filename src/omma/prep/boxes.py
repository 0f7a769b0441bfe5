"""Boxes and points in a model's text, read to pixels of the original picture and written from them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from omma.chat import Seen
from omma.errors import BadInput
from omma.prep.forms import found
from omma.sample import Size


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the original picture from its top left, ``x1 <= x2`` and ``y1 <= y2``."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: str = ""
    score: float | None = None


@dataclass(frozen=True)
class Point:
    """A place in pixels of the original picture, from its top left corner."""

    x: float
    y: float
    label: str = ""


@dataclass(frozen=True)
class Dialect:
    """The numbers a model counts a side by: `steps` for any side, or None: pixels of the resized picture.

    Steps are cut down and end below `steps` (0 … 999 of 1000); pixels are rounded (facts §7.1).
    """

    steps: int | None

    def units(self, resized: Size) -> Size:
        """What a whole side counts, in the model's numbers."""
        return resized if self.steps is None else Size(self.steps, self.steps)

    def write(self, value: float, side: int, unit: int) -> int:
        """A place on a side of `side` pixels, as the model's number."""
        share = min(max(value / side, 0.0), 1.0) * unit
        # What was read as k / unit comes back a hair below k at times; it is k all the same.
        return round(share) if self.steps is None else min(math.floor(share + 1e-6), unit - 1)


DIALECTS = {"grid": Dialect(1000), "pixels": Dialect(None)}


def dialect_of(name: str) -> Dialect:
    """The dialect by its name in ModelSpec.boxes. Raises BadInput when nobody speaks it."""
    try:
        return DIALECTS[name]
    except KeyError:
        raise BadInput(f"no dialect of boxes is called {name!r}; wanted {' or '.join(DIALECTS)}") from None


# Writing


def write_boxes(
    boxes: Sequence[Box], *, dialect: str, original: Size, resized: Size, key: str = "label"
) -> str:
    """Boxes as compact JSON: ``[{"bbox_2d":[12,34,567,890],"label":"…"}]``; nothing found is ``[]``."""
    scale = _writer(dialect, original, resized)
    return _compact(
        [_labelled({"bbox_2d": [*scale(b.x1, b.y1), *scale(b.x2, b.y2)]}, key, b.label) for b in boxes]
    )


def write_point(point: Point, *, dialect: str, original: Size, resized: Size, key: str = "label") -> str:
    """A point as compact JSON: ``{"point_2d":[123,456],"label":"…"}``."""
    scale = _writer(dialect, original, resized)
    return _compact(_labelled({"point_2d": [*scale(point.x, point.y)]}, key, point.label))


def write_numbers(box: Box | Point, *, dialect: str, original: Size, resized: Size) -> str:
    """Only the model's numbers of a box or point, for a text of one's own: ``[12,34,567,890]``."""
    scale = _writer(dialect, original, resized)
    if isinstance(box, Point):
        return _compact([*scale(box.x, box.y)])
    return _compact([*scale(box.x1, box.y1), *scale(box.x2, box.y2)])


def _writer(name: str, original: Size, resized: Size) -> Callable[[float, float], tuple[int, int]]:
    dialect = dialect_of(name)
    units = dialect.units(resized)
    return lambda x, y: (
        dialect.write(x, original.width, units.width),
        dialect.write(y, original.height, units.height),
    )


def _labelled(entry: dict[str, Any], key: str, label: str) -> dict[str, Any]:
    return entry | {key: label} if label else entry


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# Reading


def parse_boxes(text: str, seen: Seen) -> list[Box]:
    """The boxes in an answer, in their order, clipped to the picture. Never raises for any text.

    Corners that are the wrong way round are swapped; a box wholly outside the picture is left out. A box
    may have no width or height: the model's numbers are coarser than pixels.
    """
    read = _reader(seen)
    width, height = seen.original
    boxes = []
    for numbers, label, score in found(text, 4):
        (x1, y1), (x2, y2) = read(*numbers[:2]), read(*numbers[2:])
        left, right, top, bottom = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
        if right >= 0 and left <= width and bottom >= 0 and top <= height:
            corners = max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height))
            boxes.append(Box(*corners, label, score))
    return boxes


def parse_points(text: str, seen: Seen) -> list[Point]:
    """The points in an answer, in their order; those outside the picture are left out. Never raises."""
    read = _reader(seen)
    width, height = seen.original
    placed = ((read(*numbers), label) for numbers, label, _ in found(text, 2))
    return [Point(x, y, label) for (x, y), label in placed if 0 <= x <= width and 0 <= y <= height]


def _reader(seen: Seen) -> Callable[[float, float], tuple[float, float]]:
    units = dialect_of(seen.boxes).units(seen.resized)
    return lambda x, y: (
        x / units.width * seen.original.width,
        y / units.height * seen.original.height,
    )
