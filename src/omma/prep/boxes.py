"""Boxes and points in a model's text, read to pixels of the original picture and written from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from omma.chat import Seen
from omma.prep.dialects import compact, dialect_of, frame_of, marked
from omma.prep.forms import found


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the original picture from its top left, ``x1 <= x2`` and ``y1 <= y2``."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: str = ""
    score: float | None = None

    @property
    def width(self) -> float:
        """In pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """In pixels."""
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        """In square pixels."""
        return self.width * self.height

    @property
    def middle(self) -> Point:
        """The point in the middle, with the same label."""
        return Point((self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2, self.label)

    def contains(self, point: Point) -> bool:
        """Whether the point lies inside or on an edge."""
        return self.x1 <= point.x <= self.x2 and self.y1 <= point.y <= self.y2

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1; 0 where nothing is shared, or nothing has an area."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        if width <= 0 or height <= 0:
            return 0.0
        return width * height / (self.area + other.area - width * height)


@dataclass(frozen=True)
class Point:
    """A place in pixels of the original picture, from its top left corner."""

    x: float
    y: float
    label: str = ""

    def distance(self, other: Point) -> float:
        """How far apart two places are, in pixels."""
        return math.hypot(self.x - other.x, self.y - other.y)


# Writing


def write_boxes(boxes: Sequence[Box], seen: Seen, *, key: str = "label") -> str:
    """Boxes in the dialect of the model that was shown the picture.

    JSON: ``[{"bbox_2d":[12,34,567,890],"label":"…"}]``, nothing found is ``[]``. Tags and marks:
    ``<ref>…</ref><box>(12,34),(567,890)</box>``, a phrase once for all its boxes that stand in a row.
    """
    frame, dialect = frame_of(seen), dialect_of(seen.boxes)
    places = [[frame.write(box.x1, box.y1), frame.write(box.x2, box.y2)] for box in boxes]
    if dialect.dress == "json":
        entries = zip(places, boxes, strict=True)
        return compact([_labelled({"bbox_2d": [*a, *b]}, key, box.label) for (a, b), box in entries])
    return _marked(boxes, places, seen)


def write_points(points: Sequence[Point], seen: Seen, *, key: str = "label") -> str:
    """Points in the dialect: ``[{"point_2d":[123,456],"label":"…"}]``, or ``<box>(123,456)</box>``."""
    frame = frame_of(seen)
    if dialect_of(seen.boxes).dress == "json":
        return f"[{','.join(write_point(point, seen, key=key) for point in points)}]"
    return _marked(points, [[frame.write(point.x, point.y)] for point in points], seen)


def write_point(point: Point, seen: Seen, *, key: str = "label") -> str:
    """One point, without a list around it: ``{"point_2d":[123,456],"label":"…"}``."""
    frame = frame_of(seen)
    if dialect_of(seen.boxes).dress == "json":
        return compact(_labelled({"point_2d": [*frame.write(point.x, point.y)]}, key, point.label))
    return write_points([point], seen)


def write_numbers(shape: Box | Point, seen: Seen) -> str:
    """Only the model's numbers of a box or point, for a text of one's own: ``[12,34,567,890]``."""
    frame = frame_of(seen)
    if isinstance(shape, Point):
        return compact([*frame.write(shape.x, shape.y)])
    return compact([*frame.write(shape.x1, shape.y1), *frame.write(shape.x2, shape.y2)])


def _marked(shapes: Sequence[Box | Point], places: Iterable[list[tuple[int, int]]], seen: Seen) -> str:
    dialect, before = dialect_of(seen.boxes), [None, *(shape.label for shape in shapes)]
    told = zip(shapes, before, places, strict=False)
    return "".join(marked(shape.label, last, where, "box", dialect) for shape, last, where in told)


def _labelled(entry: dict[str, Any], key: str, label: str) -> dict[str, Any]:
    return entry | {key: label} if label else entry


# Reading


def parse_boxes(text: str, seen: Seen) -> list[Box]:
    """The boxes in an answer, in their order, clipped to the picture. Never raises for any text.

    Corners that are the wrong way round are swapped; a box wholly outside the picture is left out. A box
    may have no width or height: the model's numbers are coarser than pixels.
    """
    frame = frame_of(seen)
    boxes = []
    for numbers, label, score in found(text, 4):
        (x1, y1), (x2, y2) = frame.read(*numbers[:2]), frame.read(*numbers[2:])
        left, right, top, bottom = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
        if frame.holds(left, top, right, bottom):
            boxes.append(Box(*frame.inside(left, top), *frame.inside(right, bottom), label, score))
    return boxes


def parse_points(text: str, seen: Seen) -> list[Point]:
    """The points in an answer, in their order; those outside the picture are left out. Never raises."""
    frame = frame_of(seen)
    placed = ((frame.read(*numbers), label) for numbers, label, _ in found(text, 2))
    return [Point(x, y, label) for (x, y), label in placed if frame.holds(x, y, x, y)]
