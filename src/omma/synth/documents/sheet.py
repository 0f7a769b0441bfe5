"""A sheet under construction, and the document it becomes: a drawing that also knows what it means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atan2, degrees
from random import Random

from PIL import Image

from omma.sample import Size
from omma.synth.canvas import Canvas
from omma.synth.colours import Ink, called, colour_of, named
from omma.synth.documents.looks import Look
from omma.synth.documents.type import Type, set_line
from omma.synth.world import Drawing, Edges, Thing, Word, class_of


@dataclass(frozen=True)
class Document(Drawing):
    """A drawing with its meaning: a page's blocks, a table, a chart, a record. Things go by number."""

    content: object = None


class Sheet:
    """A canvas with a look on which type, rules and areas are put; what is printed becomes a thing."""

    def __init__(self, size: Size, look: Look, ground: Image.Image | None = None) -> None:
        self.look = look
        picture = ground or Image.new("RGB", size, look.paper)
        self.canvas = Canvas(picture, colour_of(called(look.paper)))
        self.width, self.height = size
        self.things: list[Thing] = []

    def put(
        self,
        text: str,
        type_: Type,
        x: float,
        top: float,
        *,
        paint: Ink | None = None,
        kind: str = "text",
        align: float = 0.0,
        spread: float = 0.0,
    ) -> int:
        """Print a line with the tops of its tall letters at `top`; gives the new thing's number.

        `x` is its left end for `align` 0, its middle for 0.5, its right end for 1. `spread` widens spaces.
        """
        paint = self.look.text if paint is None else paint
        box, words = self.print(text, type_, x, top, paint, len(self.things), align, spread)
        self.things.append(Thing(kind, named(paint), box, text, words=words))
        return len(self.things) - 1

    def print(
        self,
        text: str,
        type_: Type,
        x: float,
        top: float,
        paint: Ink,
        thing: int,
        align: float = 0.0,
        spread: float = 0.0,
    ) -> tuple[Edges, tuple[Word, ...]]:
        """Print a line that belongs to a thing of this number; gives its box and words."""
        if align:
            x -= align * type_.length(text)
        return set_line(
            self.canvas, text, type_, x, top - type_.top, paint, colour_of(called(paint)), thing, spread
        )

    def add(self, thing: Thing) -> int:
        """Take in a thing that was drawn by other means; gives its number."""
        self.things.append(thing)
        return len(self.things) - 1

    def fill(self, box: Edges, paint: Ink, kind: str | None = None, thing: int = -1) -> None:
        """Paint an upright rectangle on whole pixels. Without a kind it is ground on which others stand."""
        x1, y1, x2, y2 = (round(edge) for edge in self.canvas.inside(box))
        if x2 <= x1 or y2 <= y1:
            return
        canvas, window = self.canvas, (slice(y1, y2), slice(x1, x2))
        canvas.picture.paste(paint, (x1, y1, x2, y2))
        canvas.kind_map[window] = class_of(kind) if kind else 0
        canvas.colour_map[window] = colour_of(called(paint))
        canvas.thing_map[window] = thing

    def rule(
        self, x1: float, y1: float, x2: float, y2: float, paint: Ink | None = None, width: int = 1
    ) -> None:
        """A line across or down, `width` pixels thick, its upper or left edge at the given place."""
        down = x1 == x2
        box = (x1, y1, x1 + width, y2) if down else (x1, y1, x2, y1 + width)
        self.fill(box, self.look.rule if paint is None else paint)

    def frame(self, box: Edges, paint: Ink | None = None, width: int = 1) -> None:
        """Four rules around a box, inside it."""
        x1, y1, x2, y2 = (round(edge) for edge in box)
        self.rule(x1, y1, x2, y1, paint, width)
        self.rule(x1, y2 - width, x2, y2 - width, paint, width)
        self.rule(x1, y1, x1, y2, paint, width)
        self.rule(x2 - width, y1, x2 - width, y2, paint, width)

    def dots(self, x1: float, y: float, x2: float, step: int = 3) -> None:
        """A dotted line, as under what is to be filled in."""
        for x in range(round(x1), round(x2), step):
            self.rule(x, y, x + 1, y)

    def document(self, world: str, content: object, *, tilt: float = 0.0) -> Document:
        """The finished document; `tilt` turns the whole sheet by so many degrees, as scanners do."""
        canvas, things = self.canvas, self.things
        if tilt and len(things) < 255:  # a turned map counts things in one byte
            things = canvas.turn(things, tilt, self.look.paper)
            things = [replace(thing, box=_spread(thing.box), words=_open(thing.words)) for thing in things]
        return Document(
            canvas.picture, tuple(things), world, called(self.look.paper),
            canvas.kind_map, canvas.colour_map, canvas.thing_map, content,
        )  # fmt: skip


def _spread(box: Edges) -> Edges:
    """The box, never wholly flat: turning may push what stood at the edge out of the picture."""
    x1, y1, x2, y2 = box
    return min(x1, x2 - 1), min(y1, y2 - 1), x2, y2


def _open(words: tuple[Word, ...]) -> tuple[Word, ...]:
    return tuple(Word(found.text, _spread(found.box)) for found in words)


def tilted(level: int, dice: Random, size: Size, margin: float) -> float:
    """By how many degrees a sheet lies askew: seldom, and so little that nothing leaves its margins."""
    if level < 2 or dice.random() >= 0.12:
        return 0.0
    most = min(1.5, degrees(atan2(0.7 * margin, max(size) / 2)))
    return dice.uniform(-most, most)
