"""The world of signs: lines at any angle, pages that lie on their side, boards askew, words on arcs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from omma.sample import Size
from omma.synth.canvas import Canvas, Points
from omma.synth.colours import Ink, called, colour_of, ink, luminance, shade
from omma.synth.documents.bending import (
    Arc,
    Flat,
    Surface,
    lay_line,
    outline,
    seen_through,
    shown,
    turned,
    upright,
)
from omma.synth.documents.looks import family
from omma.synth.documents.prose import company, phrase, street
from omma.synth.documents.sheet import Document
from omma.synth.documents.type import Type, type_of
from omma.synth.grounds import Ground, ground
from omma.synth.places import reading_order
from omma.synth.printing import readable
from omma.synth.vocabulary import line
from omma.synth.world import Drawing, Split, Thing

SIZES = ((20, 46), (15, 38), (13, 30), (12, 28))  # of the type in pixels, by level
BOARDS = ("blue", "green", "red", "white", "yellow", "black", "brown", "orange", "purple")


@dataclass(frozen=True)
class Signs:
    """What the things of a drawing of signs look like: `outlines` has the ring of each, in their order.

    A straight line's ring is its four corners, clockwise from the text's own top left. `turn` is by how many
    degrees the whole page lies clockwise, where all of it lies alike, else None.
    """

    outlines: tuple[Points, ...]
    turn: int | None = None


def signs(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None) -> Drawing:
    """One turned line at level 0, a few at 1; boards, arcs and pages on their side, fuller at 2 and 3."""
    base = ground(size, 0 if dice.random() < 0.5 else level, dice)
    painter = _Painter(Canvas(base.picture, colour_of(base.colour)), base, level, dice, split, fonts)
    ways = (
        (painter.scattered, 5), (painter.lying_page, 2.5),
        (painter.board, 2 if level else 0.7), (painter.badge, 1.5 if level else 0.5),
    )  # fmt: skip
    dice.choices([way for way, _ in ways], [weight for _, weight in ways])[0]()
    if not painter.things:
        painter.scattered()
    if not painter.things:
        painter.only_word()
    return painter.document()


class _Painter:
    """Puts lines on surfaces of one picture."""

    def __init__(
        self,
        canvas: Canvas,
        base: Ground,
        level: int,
        dice: Random,
        split: Split,
        fonts: Sequence[Path] | None,
    ) -> None:
        self.canvas, self.base, self.level, self.dice = canvas, base, level, dice
        self.split, self.fonts = split, fonts
        self.width, self.height = canvas.size
        self.things: list[Thing] = []
        self.rings: list[Points] = []
        self.turn: int | None = None
        self.ordered = False  # whether things stand in reading order already
        self._taken = Image.new("1", canvas.size)

    def document(self) -> Document:
        """The finished drawing, its things in reading order."""
        order = (
            list(range(len(self.things))) if self.ordered else reading_order(self.things, self.canvas.size)
        )
        self.canvas.thing_map = np.array([*np.argsort(order), -1], np.int16)[self.canvas.thing_map]
        return Document(
            self.canvas.picture, tuple(self.things[i] for i in order), "signs", self.base.colour,
            self.canvas.kind_map, self.canvas.colour_map, self.canvas.thing_map,
            Signs(tuple(self.rings[i] for i in order), self.turn),
        )  # fmt: skip

    # Parts

    def _text(self, most: int) -> str:
        dice = self.dice
        luck = dice.random()
        if most > 1 and luck < 0.15:
            return dice.choice((company, street))(self.split, dice)
        if luck < 0.3:
            return phrase(self.split, dice, dice.randint(1, most))
        return line(self.split, dice, dice.randint(1, most), dice.choice(("any", "upper", "title", "lower")))

    def _type(self, text: str, room: float, most: float | None = None) -> Type | None:
        """Type in which the text runs no further than `room`; None where even the smallest is too wide.

        `most` pixels of type fill the place where it is to stand; then it may be larger than elsewhere.
        """
        low, high = SIZES[self.level]
        size = self.dice.randint(low, max(high, min(self.width, self.height) // 10))
        size = int(self.dice.uniform(0.6, 1.0) * most) if most else size
        chosen = family(self.fonts, self.split, self.dice, mono=self.dice.random() < 0.08)
        face, soft = self.dice.choice((chosen.regular, chosen.bold, chosen.bold)), self.dice.random() < 0.7
        wide = type_of(face, max(8, size), soft).length(text)
        size = size if wide <= room else int(size * room / wide)
        return type_of(face, size, soft) if size >= 8 else None

    def _lay(
        self,
        surface: Surface,
        text: str,
        type_: Type,
        place: tuple[float, float],
        paint: tuple[str | None, Ink],
    ) -> None:
        """Print a line whose tall letters' tops begin at `place`."""
        name, rgb = paint
        number, (x, y) = len(self.things), place
        box, words, ring = lay_line(
            self.canvas, surface, text, type_, (x, y - type_.top), rgb, colour_of(name), number
        )
        self.things.append(Thing("text", name, box, text, words=words))
        self.rings.append(ring)

    def _fits(self, ring: Points) -> bool:
        """Whether an outline lies in the picture and touches none that was taken; then it is taken."""
        x1, y1, x2, y2 = upright(ring)
        if x1 < 1 or y1 < 1 or x2 > self.width - 1 or y2 > self.height - 1:
            return False
        mine = Image.new("1", self.canvas.size)
        ImageDraw.Draw(mine).polygon(ring.ravel().tolist(), fill=1)
        window = int(x1), int(y1), int(x2) + 1, int(y2) + 1
        taken = np.asarray(self._taken.crop(window)) & np.asarray(mine.crop(window))
        if taken.any():
            return False
        self._taken.paste(1, mask=mine)
        return True

    def _plate(self, surface: Surface, box: tuple[float, float, float, float]) -> tuple[Ink, ...]:
        """A coloured plate on the surface; gives its ink."""
        rgb = ink(self.dice.choice(BOARDS), self.dice)
        self.canvas.fill([shown(surface, box)], rgb, (0, colour_of(called(rgb)), -1))
        return (rgb,)

    # Ways of writing

    def _angle(self) -> float:
        luck = self.dice.random()
        if luck < 0.3:
            return float(self.dice.choice((90, 180, 270)))
        return self.dice.uniform(-40, 40) if luck < 0.8 else self.dice.uniform(-180, 180)

    def scattered(self) -> None:
        """Lines here and there, each at an angle of its own."""
        dice = self.dice
        alike = self._angle() if dice.random() < 0.3 else None
        wanted = dice.randint(*((1, 1), (1, 3), (2, 5), (3, 9))[self.level])
        for _ in range(4 * wanted):
            if len(self.things) == wanted:
                return
            angle = self._angle() if alike is None else alike
            text = self._text(1 + self.level)
            side = abs(np.cos(np.deg2rad(angle))) * self.width + abs(np.sin(np.deg2rad(angle))) * self.height
            if (type_ := self._type(text, 0.75 * min(side, max(self.width, self.height)))) is None:
                continue
            wide, high = type_.length(text), type_.height
            pad = 0.35 * type_.size
            half = shown(
                turned(angle, (0.0, 0.0), (wide / 2, high / 2)), (-pad, -pad, wide + pad, high + pad)
            ).max(0)
            room = np.array(self.canvas.size) - 2 * half - 4
            if room.min() < 0:
                continue
            x, y = (half + 2 + room * (dice.random(), dice.random())).tolist()
            surface = turned(angle, (x, y), (wide / 2, high / 2))
            if self._fits(shown(surface, (-pad, -pad, wide + pad, high + pad))):
                board = dice.random() < 0.25
                inks = self._plate(surface, (-pad, -pad, wide + pad, high + pad)) if board else self.base.inks
                self._lay(surface, text, type_, (0.0, 0.0), readable(inks, dice))

    def lying_page(self) -> None:
        """Lines under each other on a page that was turned by a quarter, a half or three quarters, or not."""
        dice = self.dice
        self.turn, self.ordered = dice.choice((0, 90, 90, 180, 180, 270, 270)), True
        wide, high = (self.width, self.height) if self.turn % 180 == 0 else (self.height, self.width)
        surface = turned(self.turn, (self.width / 2, self.height / 2), (wide / 2, high / 2))
        margin = dice.uniform(5, 0.1 * wide + 5)
        box = (margin, margin, wide - margin, high - margin)
        self._stack(
            surface, box, self.base.inks, dice.randint(*((1, 2), (1, 3), (2, 6), (3, 14))[self.level])
        )

    def _stack(
        self, surface: Flat, box: tuple[float, float, float, float], inks: tuple[Ink, ...], most: int
    ) -> None:
        """At most so many lines of one family below each other in a box on the surface."""
        dice, (x1, y1, x2, y2) = self.dice, box
        align, paint, apart = dice.choice((0.0, 0.5, 0.5)), readable(inks, dice), dice.uniform(0.25, 0.5)
        texts = [self._text(2 + self.level) for _ in range(most)]
        room = 0.9 * (y2 - y1) / (most * 1.3)
        if (type_ := self._type(max(texts, key=len), x2 - x1, room)) is None:
            texts = [max(text.split(), key=len) for text in texts[:1]]
            if (type_ := self._type(texts[0], x2 - x1, 0.7 * (y2 - y1))) is None:
                return
        pitch = type_.height + apart * type_.size
        texts = texts[: max(1, int((y2 - y1 + pitch - type_.height) / pitch))]
        free = y2 - y1 - pitch * len(texts) + pitch - type_.height
        y = y1 + free * dice.choice((0.0, 0.5, 0.5, dice.random()))
        for text in texts:
            while text and type_.length(text) > x2 - x1:
                text = text.rpartition(" ")[0]
            if text:
                x = x1 + align * (x2 - x1 - type_.length(text))
                self._lay(surface, text, type_, (x, y), paint)
                y += pitch

    def board(self) -> None:
        """A board with one to five lines, seen from the side, from below, or askew."""
        dice = self.dice
        if min(self.width, 2 * self.height) < 150:  # too narrow for a board that can be read
            self.scattered()
            return
        self.ordered = True
        wide, high = self.width * dice.uniform(0.6, 0.85), self.height * dice.uniform(0.45, 0.8)
        corners = np.array(outline((-wide / 2, -high / 2, wide / 2, high / 2)))
        depth = dice.uniform(-0.35, 0.35) / wide, dice.uniform(-0.35, 0.35) / high
        corners = corners / (1 + corners @ np.array(depth))[:, None]
        angle = np.deg2rad(dice.uniform(-15, 15))
        corners = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        low, high_ = corners.min(0), corners.max(0)
        room = np.array(self.canvas.size) - 6
        corners = (corners - low) * float(min(1.0, *(room / (high_ - low))))
        corners += 3 + np.array([dice.random(), dice.random()]) * (room - corners.max(0))
        surface = seen_through(corners, wide, high)
        rgb = ink(dice.choice(BOARDS), dice)
        self.canvas.fill([corners], rgb, (0, colour_of(called(rgb)), -1))
        rim = 0.03 * wide
        if dice.random() < 0.5:
            edge = (255, 255, 255) if luminance(rgb) < 140 else shade(rgb, 0.3)
            self.canvas.stroke(
                [shown(surface, (rim, rim, wide - rim, high - rim))], max(1.5, rim / 2), edge,
                (0, colour_of(called(edge)), -1),
            )  # fmt: skip
        pad = 2.5 * rim
        most = dice.randint(1, (1, 2, 3, 5)[self.level])
        self._stack(surface, (pad, pad, wide - pad, high - pad), (rgb,), most)

    def badge(self) -> None:
        """Words along the upper half of a circle, often along its lower half and across its middle too."""
        dice = self.dice
        self.ordered = True
        side = min(self.width, self.height)
        radius = dice.uniform(0.28, 0.4) * side
        reach = 1.18 * radius + 4
        middle = tuple(dice.uniform(reach, max(reach, s - reach)) for s in (self.width, self.height))
        inks, at = self.base.inks, (middle[0], middle[1])
        if dice.random() < 0.5:
            rgb = ink(dice.choice(BOARDS), dice)
            ring = np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 60, endpoint=False)])
            self.canvas.fill([ring * 1.18 * radius + at], rgb, (0, colour_of(called(rgb)), -1))
            inks = (rgb,)
        paint = readable(inks, dice)
        self._along(Arc(at, radius * 0.86), dice.uniform(1.2, 2.2), paint)
        if self.level and dice.random() < 0.7:
            small = radius * 1.1
            text = self._text(2)
            if type_ := self._type(text, 1.2 * radius, 0.5 * radius):
                surface = turned(0, at, (type_.length(text) / 2, type_.height / 2))
                self._lay(surface, text, type_, (0.0, 0.0), paint)
            if dice.random() < 0.6:
                self._along(Arc(at, small, under=True), dice.uniform(1.0, 1.8), paint)

    def _along(self, arc: Arc, angle: float, paint: tuple[str | None, Ink]) -> None:
        """A line on an arc, in its middle, over at most so many radians."""
        text = self._text(2 + self.level)
        if type_ := self._type(text, angle * arc.radius, 0.38 * arc.radius):
            arc = replace(arc, radius=max(arc.radius, 1.2 * type_.size))
            self._lay(arc, text, type_, (-type_.length(text) / 2, type_.top), paint)

    def only_word(self) -> None:
        """The smallest sign."""
        chosen = family(self.fonts, self.split, self.dice)
        self._lay(
            turned(0, (2.0, 2.0), (0.0, 0.0)), "A", type_of(chosen.bold, 9, True), (0.0, 0.0),
            readable(self.base.inks, self.dice),
        )  # fmt: skip
