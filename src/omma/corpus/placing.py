"""Boxes of the original picture become words: the model's own numbers, after its resize."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import PIL.Image

from omma.chat import Image, Message, Part, Seen, Text
from omma.corpus.phrases import TAG
from omma.corpus.record import Boxes, Record
from omma.errors import BadData
from omma.prep.boxes import Box, Point, write_boxes, write_numbers, write_point, write_points
from omma.prep.dialects import dialect_of
from omma.prep.pictures import open_picture
from omma.prep.processor import Processor
from omma.prep.visuals import picture_size
from omma.sample import Size

GRID = 1000
BEYOND = 1.0  # pixels that an edge may lie outside the picture: annotators round; it is cut to the edge


class Shown(NamedTuple):
    """A picture that was opened, and how the model sees it."""

    picture: PIL.Image.Image
    seen: Seen

    def write(self, boxes: Boxes) -> str:
        """The boxes as text. Raises BadData for one outside the picture."""
        shapes = [_in_pixels(shape, boxes.unit, self.seen.original) for shape in boxes.shapes]
        if boxes.said and dialect_of(self.seen.boxes).dress == "tags":
            return boxes.said
        if boxes.form == "phrase":
            return self._phrase(shapes, boxes.said)
        if boxes.form == "bare":
            return write_numbers(shapes[0], self.seen)
        points = [shape for shape in shapes if isinstance(shape, Point)]
        if points and boxes.form == "one":
            return write_point(points[0], self.seen, key=boxes.key)
        if points:
            return write_points(points, self.seen, key=boxes.key)
        return write_boxes([shape for shape in shapes if isinstance(shape, Box)], self.seen, key=boxes.key)

    def _phrase(self, shapes: Sequence[Box | Point], said: str) -> str:
        """A phrase and the boxes of what it names, for a text of words."""
        boxes = [shape for shape in shapes if isinstance(shape, Box)]
        if not boxes:
            return TAG.sub("", said)
        if dialect_of(self.seen.boxes).dress != "json":
            return write_boxes(boxes, self.seen)
        numbers = ", ".join(write_numbers(box, self.seen) for box in boxes)
        return f"{boxes[0].label} {numbers}".strip()


def place_boxes(record: Record, processor: Processor) -> tuple[Message, ...]:
    """The record's messages with its boxes written for the processor's model.

    The numbers are those that `prep.boxes` reads back: pixels of the resized picture or the grid, as the
    model's spec says. A picture that has boxes is opened here, upright, and handed on as pixels.
    Raises BadData for boxes outside their picture, and what opening a picture raises.
    """
    if not record.boxes:
        return record.messages
    parts: list[list[Part]] = [list(said.parts) for said in record.messages]
    where = [(m, p) for m, said in enumerate(parts) for p, part in enumerate(said) if isinstance(part, Image)]
    opened: dict[int, Shown] = {}
    for boxes in record.boxes:
        number = boxes.picture or 0
        if number not in opened:
            message, place = where[number]
            opened[number], parts[message][place] = _open(parts[message][place], processor)
        parts[boxes.message][boxes.part] = Text(opened[number].write(boxes))
    return tuple(replace(said, parts=tuple(new)) for said, new in zip(record.messages, parts, strict=True))


def _open(part: Part, processor: Processor) -> tuple[Shown, Image]:
    """The picture, and the part that shows its pixels."""
    assert isinstance(part, Image)
    picture = open_picture(part.source)
    original = Size(*picture.size)
    resized = picture_size(part, processor.rules, original)
    seen = Seen("image", original, resized, processor.spec.boxes)
    return Shown(picture, seen), replace(part, source=picture)


def _in_pixels(shape: Box | Point, unit: str, original: Size) -> Box | Point:
    """The shape in pixels of the original picture. Raises BadData when it lies outside."""
    sides: Sequence[float] = (1.0, 1.0)
    if unit != "pixels":
        steps = 1.0 if unit == "share" else float(GRID)
        sides = (original.width / steps, original.height / steps)
    if isinstance(shape, Point):
        shape = replace(shape, x=shape.x * sides[0], y=shape.y * sides[1])
        edges: tuple[float, ...] = (shape.x, shape.y)
    else:
        x1, y1, x2, y2 = (n * sides[i % 2] for i, n in enumerate((shape.x1, shape.y1, shape.x2, shape.y2)))
        shape = replace(shape, x1=x1, y1=y1, x2=x2, y2=y2)
        edges = (x1, y1, x2, y2)
    far = any(not -BEYOND <= edge <= original[number % 2] + BEYOND for number, edge in enumerate(edges))
    if far or (isinstance(shape, Box) and _cut_to_nothing(shape, original)):
        name = shape.label or ("the point" if isinstance(shape, Point) else "the box")
        raise BadData(
            f"{name} at {', '.join(f'{edge:g}' for edge in edges)} lies outside the picture of "
            f"{original.width}×{original.height} pixels",
            "boxes",
        )
    return shape


def _cut_to_nothing(box: Box, picture: Size) -> bool:
    """Whether nothing of the box is left once it is cut to the picture's edges."""
    return box.x2 <= 0 or box.y2 <= 0 or box.x1 >= picture.width or box.y1 >= picture.height
