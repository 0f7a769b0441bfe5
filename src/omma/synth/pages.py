"""The world of words: printed words, lines, headings and paragraphs in many fonts on many grounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from omma.sample import Size
from omma.synth.canvas import Canvas
from omma.synth.colours import NAMED, PALE, Ink, called, colour_of, ink
from omma.synth.fonts import Font, choose, font
from omma.synth.grounds import Ground, ground
from omma.synth.printing import print_line, readable
from omma.synth.vocabulary import line, scramble, token
from omma.synth.world import Drawing, Split, Thing

PLATE = 0.4  # a plate's margin around its words, in font sizes


def page(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None) -> Drawing:
    """One large word at level 0, a few words at 1, a few lines at 2, a page with a heading at 3."""
    base = ground(size, 0 if dice.random() < 0.5 else level, dice)
    setter = _Setter(Canvas(base.picture, colour_of(base.colour)), base, level, dice, split, fonts)
    if level == 0:
        setter.sign()
    elif level == 1 or dice.random() < 0.25:
        setter.scattered()
    else:
        setter.paragraph()
    things, canvas = setter.things or setter.sign(), setter.canvas
    if level > 1 and dice.random() < 0.15:
        things = canvas.turn(things, dice.uniform(-2, 2), base.inks[0])
    return Drawing(
        canvas.picture, tuple(things), "words", base.colour,
        canvas.kind_map, canvas.colour_map, canvas.thing_map,
    )  # fmt: skip


@dataclass(frozen=True)
class _Line:
    """A line that is to be printed; `gap` is the room below it, in pixels."""

    text: str
    type: Font
    kind: str
    gap: float


class _Setter:
    """Sets type on one page."""

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

    def _type(self, text: str, most: int, width: float) -> Font:
        """A font of 9 to `most` pixels in which the text is no wider than `width`, if that can be."""
        face, soft = choose(self.fonts, self.split, self.dice), self.dice.random() < 0.4
        chosen = font(face, most, soft)
        wide = chosen.length(text)
        return chosen if wide <= width else font(face, max(9, int(most * width / wide)), soft)

    def _print(
        self, text: str, type_: Font, x: float, top: float, paint: tuple[str | None, Ink], kind: str
    ) -> Thing:
        colour, rgb = paint
        box, words = print_line(
            self.canvas, text, type_, x, top - type_.top, rgb, colour_of(colour), len(self.things)
        )
        self.things.append(Thing(kind, colour, box, text, words=words))
        return self.things[-1]

    def sign(self) -> list[Thing]:
        """One run of letters, as large as it goes."""
        dice = self.dice
        text = token(self.split, dice, "any") if dice.random() < 0.6 else scramble(self.split, dice)
        type_ = self._type(text, dice.randint(24, max(28, min(76, int(self.height * 0.6)))), self.width - 14)
        x = dice.uniform(4, max(4, self.width - type_.length(text) - 4))
        top = dice.uniform(4, max(4, self.height - type_.height - 4))
        self._print(text, type_, x, top, readable(self.base.inks, self.dice), "text")
        return self.things

    def scattered(self) -> None:
        """Words or short lines one under the other, each in its own font, size, colour and place."""
        dice, level = self.dice, self.level
        planned: list[_Line] = []
        room = self.height - 8.0
        for _ in range(dice.randint(1, 3 if level == 1 else 6)):
            text = line(
                self.split, dice, dice.randint(1, 1 + level), dice.choice(("lower", "any", "title", "upper"))
            )
            type_ = self._type(text, dice.randint(14, (48, 44, 36, 30)[level]), self.width - 24)
            gap = dice.uniform(5, 0.25 * self.height if level == 1 else 24)
            if type_.length(text) <= self.width - 22 and type_.height + gap <= room:
                planned.append(_Line(text, type_, "text", gap))
                room -= type_.height + gap
        top = 4 + dice.uniform(0, max(0.0, room))
        for item in planned:
            wide = item.type.length(item.text)
            x = dice.uniform(10, max(10, self.width - wide - 10))
            inks = self.base.inks
            if dice.random() < 0.15 and item.gap > item.type.size * PLATE * 2:
                inks = (self._plate(x, top, wide, item.type),)
            self._print(item.text, item.type, x, top, readable(inks, self.dice), "text")
            top += item.type.height + item.gap

    def _plate(self, x: float, top: float, wide: float, type_: Font) -> Ink:
        """A coloured plate on which a line is going to stand."""
        rgb = ink(self.dice.choice(NAMED), self.dice) if self.dice.random() < 0.7 else self.dice.choice(PALE)
        pad = min(type_.size * PLATE, 9.0)
        box = (x - pad, top - pad, x + wide + pad, top + type_.height + pad)
        self.canvas.block(box, self.dice.choice((0, 4, 8, 30)), rgb, (0, colour_of(called(rgb)), -1))
        return rgb

    def paragraph(self) -> None:
        """Lines in one font, often under a heading, as a browser or a printer sets them."""
        dice = self.dice
        low, high = (15, 30) if self.level == 2 else (13, 24)
        body = font(choose(self.fonts, self.split, dice), dice.randint(low, high), dice.random() < 0.4)
        left = dice.uniform(5, 22)
        planned = self._plan(body, self.width - 2 * left)
        free = self.height - 6 - sum(item.type.height + item.gap for item in planned)
        top = 4 + (dice.uniform(0, max(0.0, free)) if dice.random() < 0.6 else min(free, dice.uniform(0, 14)))
        align = dice.choices((0.0, 0.5, 1.0), (6, 2, 1))[0]
        paint = readable(self.base.inks, self.dice)
        for item in planned:
            wide = item.type.length(item.text)
            x = left + align * (self.width - 2 * left - wide)
            colours = (
                readable(self.base.inks, self.dice)
                if item.kind == "heading" and dice.random() < 0.4
                else paint
            )
            head = self._print(item.text, item.type, x, top, colours, item.kind)
            if item.kind == "heading" and dice.random() < 0.3:
                under = head.box[3] + 0.3 * item.gap
                rule = (left, under, self.width - left, under + dice.choice((1, 2, 3)))
                self.canvas.block(rule, 0, colours[1], (0, colour_of(colours[0]), -1))
            top += item.type.height + item.gap

    def _plan(self, body: Font, width: float) -> list[_Line]:
        """The lines of a paragraph that fit in this width and on this page."""
        dice, planned = self.dice, list[_Line]()
        heads, spacing = dice.random() < 0.5, dice.uniform(1.15, 1.7)
        case = dice.choices(("lower", "upper", "title"), (6, 1, 1))[0]
        room = self.height - 8.0
        for number in range(dice.randint(1 + heads, 4 if self.level == 2 else 7)):
            heading = heads and number == 0
            type_ = body
            if heading:
                face = body.face if dice.random() < 0.5 else choose(self.fonts, self.split, dice)
                type_ = font(face, min(48, round(body.size * dice.uniform(1.3, 2.0))), body.soft)
            text = self._fill(type_, width, "title" if heading else case, 3 if heading else 8)
            gap = max(2.0, spacing * type_.size - type_.height) + (0.4 * type_.size if heading else 0)
            if text and type_.height + gap <= room:
                planned.append(_Line(text, type_, "heading" if heading else "text", gap))
                room -= type_.height + gap
        return planned

    def _fill(self, type_: Font, width: float, case: str, most: int) -> str:
        """As many runs as go into the width, up to a drawn number of at most `most`."""
        runs = line(self.split, self.dice, self.dice.randint(1, most), case).split(" ")
        while runs and type_.length(" ".join(runs)) > width:
            runs.pop()
        return " ".join(runs)
