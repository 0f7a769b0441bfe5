"""The world of forms: labels with boxes, lines or combs that were filled in, ticks, choices and sections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as Folder
from random import Random

import numpy as np

from omma.sample import Size
from omma.synth.colours import Ink, called, colour_of, shade
from omma.synth.documents.answers import ANSWERS, NUMBERS, coded, key_of
from omma.synth.documents.clerks import Clerk, fitting
from omma.synth.documents.lexicon import pick
from omma.synth.documents.looks import family, look
from omma.synth.documents.records import Value
from omma.synth.documents.sheet import Sheet, tilted
from omma.synth.documents.type import type_of
from omma.synth.fonts import Face
from omma.synth.vocabulary import kept_for_test
from omma.synth.world import Drawing, Split, Thing, Word, class_of

TYPE = ((13, 18), (11, 15), (10, 13), (10, 14))  # pixels of the labels, by level
FIELDS = ((1, 3), (2, 5), (4, 10), (8, 28))
PENS: tuple[Ink, ...] = ((0, 0, 0), (20, 30, 110), (10, 40, 160), (30, 30, 30), (0, 0, 90))


def form(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Folder] | None) -> Drawing:
    """One to three fields at level 0; ticks, choices, sections and two columns up to level 3."""
    dress = look(split, dice, fonts, dark=0.0, mono=0.03)
    pen = family(fonts, split, dice, mono=dice.random() < 0.15)
    sheet = Sheet(size, dress)
    desk = _Desk(
        Clerk(sheet, level, dice, split), (pen.italic if dice.random() < 0.4 else pen.regular, dress.soft)
    )
    desk.fill()
    return sheet.document("forms", desk.clerk.record("form"), tilt=tilted(level, dice, size, desk.margin))


class _Desk:
    """Puts fields one under the other, in one column or in two."""

    def __init__(self, clerk: Clerk, pen: tuple[Face, bool]) -> None:
        self.clerk, self.sheet, self.dice, self.level = clerk, clerk.sheet, clerk.dice, clerk.level
        sheet, dice, dress = clerk.sheet, clerk.dice, clerk.look
        side = min(sheet.width, 1.3 * sheet.height)
        size = min(dice.randint(*TYPE[self.level]), max(8, int(side / 11)))
        self.labels = dress.type(size, bold=dice.random() < 0.15)
        self.pen = type_of(pen[0], round(size * dice.uniform(1.0, 1.15)), pen[1])
        self.title = dress.type(size * dice.uniform(1.4, 2.0), bold=True, head=True)
        self.heads = dress.type(size * 1.1, bold=True)
        self.ink = dice.choice(PENS)
        self.margin = max(4.0, dice.uniform(0.03, 0.07) * sheet.width)
        self.columns = 2 if self.level > 1 and sheet.width > 24 * size and dice.random() < 0.5 else 1
        gap = 1.5 * size
        self.width = (sheet.width - 2 * self.margin - gap * (self.columns - 1)) / self.columns
        self.lefts = [self.margin + column * (self.width + gap) for column in range(self.columns)]
        self.column, self.top, self.y = 0, self.margin, self.margin
        self.bottom = sheet.height - self.margin
        self.above = dice.random() < 0.4  # labels stand above their fields
        self.manner = dice.choice(("box", "box", "line", "line", "dots", "gray"))
        self.tall = round(self.pen.height + size * dice.uniform(0.5, 0.9))
        self.gap = size * dice.uniform(0.35, 0.8)
        self.used: set[str] = set()
        self.sections = 0
        self.barred = dice.random() < 0.5 and dress.fill != dress.paper  # sections stand on bars

    @property
    def left(self) -> float:
        """The left end of the column."""
        return self.lefts[self.column]

    def _room(self, height: float) -> bool:
        """Whether so much fits here, or at the next column's head."""
        if self.y + height <= self.bottom:
            return True
        if self.column + 1 == self.columns:
            return False
        self.column, self.y = self.column + 1, self.top
        return self.y + height <= self.bottom

    def fill(self) -> None:
        """The whole form."""
        dice = self.dice
        if self.sheet.height > 7 * self.labels.size and (self.level or dice.random() < 0.5):
            self._title()
        wanted = dice.randint(*FIELDS[self.level])
        high = self.tall + self.gap + (1.25 * self.labels.size if self.above else 0)
        if self.columns == 2:  # both columns equally long
            self.bottom = min(self.bottom, self.top + max(2.5 * high, 0.58 * wanted * high))
        fields = (
            (self.text, 6), (self.number, 0.7), (self.comb, 0.8 * (self.level > 0)),
            (self.tick, 1.5), (self.choice, 1.3 * (self.level > 0)), (self.section, 0.8 * (self.level > 1)),
        )  # fmt: skip
        for _ in range(3 * wanted):
            if len(self.clerk.fields) >= wanted:
                break
            dice.choices([f for f, _ in fields], [w for _, w in fields])[0]()
        if not self.clerk.fields:
            self._answer("Name", ["Kim"])
        if self.level > 1 and self._room(2.2 * self.tall) and dice.random() < 0.4:
            self._signature()

    def _title(self) -> None:
        text = pick("form title", self.clerk.split, self.dice)
        if self.title.length(text) > self.sheet.width - 2 * self.margin:
            return
        align = self.dice.choice((0.0, 0.5))
        x = self.margin + align * (self.sheet.width - 2 * self.margin)
        paint = self.clerk.look.accent
        self.sheet.put(text, self.title, x, self.y, paint=paint, kind="title", align=align)
        self.y += 1.4 * self.title.size
        self.top = self.y

    def section(self) -> None:
        """A heading over the fields that follow."""
        text = pick("form section", self.clerk.split, self.dice)
        fields = len(self.clerk.fields)
        if text in self.used or fields == self.sections or not self._room(3.5 * self.tall):
            return
        self.used.add(text)
        self.sections = fields
        if self.barred:
            height = round(1.5 * self.heads.size)
            self.sheet.fill(
                (self.left, self.y, self.left + self.width, self.y + height), self.clerk.look.fill
            )
            top = self.y + (height - self.heads.height) / 2
            paint = self.clerk.look.on(self.clerk.look.fill)
            self.sheet.put(text, self.heads, self.left + 4, top, paint=paint, kind="heading")
            self.y += height + self.gap
        else:
            self.sheet.put(text, self.heads, self.left, self.y + 0.3 * self.gap, kind="heading")
            self.y += 1.3 * self.heads.size + self.gap

    # Fields

    def _new(self, label: str) -> bool:
        """Whether this is asked for the first time, in words that may be printed."""
        words = label.replace("-", " ").split()
        if label in self.used or (
            self.clerk.split == "train" and any(kept_for_test(word.strip(".")) for word in words)
        ):
            return False
        self.used.add(label)
        return True

    def text(self) -> None:
        """A label and what was written beside or below it; seldom nothing."""
        label, answer = self.dice.choice(ANSWERS)
        if self._new(label):
            empty = self.level and self.dice.random() < 0.1
            self._answer(label, [] if empty else [answer(self.clerk.split, self.dice) for _ in range(5)])

    def number(self) -> None:
        """A whole number."""
        label, most = self.dice.choice(NUMBERS)
        if self._new(label):
            number = self.dice.randint(1, most)
            self._answer(label, [str(number)], number)

    def _place(self, label: str, height: float) -> tuple[float, float, float, float] | None:
        """Print a label, beside or above; gives the room for its answer, or None where there is none."""
        said = f"{label}:" if not self.above and self.dice.random() < 0.7 and label[-1] != "." else label
        wide = self.labels.length(f"{said} ")
        above = self.above or wide > 0.55 * self.width
        if wide > self.width or not self._room(height + (1.3 * self.labels.size if above else 0)):
            return None
        look_ = self.clerk.look
        if above:
            self.sheet.put(said, self.labels, self.left, self.y, paint=look_.muted)
            self.y += 1.25 * self.labels.size
            box = (self.left, self.y, self.left + self.width, self.y + height)
        else:
            top = self.y + (height - self.labels.height) / 2
            self.sheet.put(said, self.labels, self.left, top, paint=look_.text)
            x = self.left + max(wide, 0.38 * self.width if self.columns == 1 else 0.0)
            box = (x, self.y, self.left + self.width, self.y + height)
        self.y += height + self.gap
        return box

    def _answer(self, label: str, texts: list[str], value: Value = None) -> None:
        """A label and the first of these texts that fits in its field; where none does, it stays empty."""
        if (box := self._place(label, self.tall)) is None:
            return
        x1, y1, x2, y2 = (round(edge) for edge in box)
        self._field((x1, y1, x2, y2))
        fitted = fitting(texts, self.pen, x2 - x1 - 8)
        if not fitted:
            self.clerk.note((key_of(label),), None, label)
            return
        told = fitted[0] if value is None else value
        top = y1 + (y2 - y1 - self.pen.height) / 2
        path = (key_of(label),)
        self.clerk.write(fitted[0], self.pen, x1 + 4, top, path=path, value=told, label=label, paint=self.ink)

    def _field(self, box: tuple[int, int, int, int]) -> None:
        """What shows where to write."""
        x1, _, x2, y2 = box
        look_ = self.clerk.look
        match self.manner:
            case "box":
                self.sheet.frame(box)
            case "gray":
                self.sheet.fill(
                    box, look_.stripe if look_.stripe != look_.paper else shade(look_.paper, 0.95)
                )
            case "line":
                self.sheet.rule(x1, y2 - 2, x2, y2 - 2)
            case _:
                self.sheet.dots(x1, y2 - 2, x2)

    def comb(self) -> None:
        """A short code, each character in a box of its own."""
        label, text = coded(self.dice)
        cell = round(self.tall * 0.9)
        room = self.width * (1.0 if self.above else 0.45)
        if len(text) * cell > room or not self._new(label):
            return
        if (box := self._place(label, self.tall)) is None:
            return
        x, y = round(box[0]), round(box[1])
        number = len(self.sheet.things)
        words: list[Word] = []
        for at, letter in enumerate(text):
            edge = x + at * cell
            self.sheet.frame((edge, y, edge + cell + 1, y + self.tall))
            left = edge + (cell - self.pen.length(letter)) / 2
            top = y + (self.tall - self.pen.height) / 2
            words += self.sheet.print(letter, self.pen, left, top, self.ink, number)[1]
        ends = (x, y, x + len(text) * cell + 1, y + self.tall)
        self.sheet.add(Thing("text", None, self.sheet.canvas.inside(ends), text, words=tuple(words)))
        self.clerk.note((key_of(label),), text, label, number)

    def tick(self) -> None:
        """A box that is ticked or not, before its label."""
        label = pick("yes field", self.clerk.split, self.dice)
        if self.labels.length(label) + 1.8 * self.labels.size > self.width or not self._new(label):
            return
        if self._room(1.4 * self.labels.size):
            on = self.dice.random() < 0.5
            number = self._mark(label, self.left, self.y, on, "checkbox")
            self.clerk.note((key_of(label),), on, label, number)
            self.y += 1.4 * self.labels.size + self.gap

    def _mark(self, label: str, x: float, y: float, on: bool, kind: str) -> int:
        """A checkbox or a radio button and its label; gives the thing, whose box is that of the mark."""
        side, number, canvas = round(0.95 * self.labels.size), len(self.sheet.things), self.sheet.canvas
        left, top = round(x), round(y)
        ink, mark = self.clerk.look.text, (class_of(kind), 255, number)
        paper = self.clerk.look.paper
        corner = side if kind == "radio button" else 0
        box = (left, top, left + side, top + side)
        canvas.block(box, corner, ink, mark)
        canvas.block((left + 1, top + 1, left + side - 1, top + side - 1), corner, paper, mark)
        if on and kind == "radio button":
            dot = side * 0.28
            canvas.block((left + dot, top + dot, left + side - dot, top + side - dot), side, self.ink, mark)
        elif on:
            middle = np.array([left + side / 2, top + side / 2])
            for ends in _STROKES[self.dice.randrange(2)]:
                line = np.array(ends) * side + middle
                canvas.stroke([np.concatenate([line, line[-2:-1]])], max(1.5, side / 8), self.ink, mark)
        state = "checked" if on else "unchecked"
        text = x + side + 0.4 * self.labels.size
        at = top + (side - self.labels.height) / 2
        _, words = self.sheet.print(label, self.labels, text, at, ink, number)
        seen = canvas.inside((float(left), float(top), float(left + side), float(top + side)))
        return self.sheet.add(Thing(kind, None, seen, label, state=state, words=words))

    def choice(self) -> None:
        """A label and a few answers, of which one is marked."""
        label, _, rest = pick("choice field", self.clerk.split, self.dice).partition(": ")
        options = rest.split(", ")
        widths = [self.labels.length(option) + 2.6 * self.labels.size for option in options]
        wide = self.labels.length(f"{label}: ")
        stacked = wide + sum(widths) > self.width
        height = 1.4 * self.labels.size
        if max(*widths, wide) > self.width or not self._room(height * (1 + len(options) * stacked)):
            return
        if not self._new(label):
            return
        chosen, kind = (
            self.dice.randrange(len(options)),
            self.dice.choice(("radio button", "radio button", "checkbox")),
        )
        self.sheet.put(f"{label}:", self.labels, self.left, self.y)
        x = self.left + wide + 0.4 * self.labels.size
        number = None
        for at, (option, width) in enumerate(zip(options, widths, strict=True)):
            if stacked:
                x, self.y = self.left, self.y + height
            marked = self._mark(option, x, self.y, at == chosen, kind)
            number = marked if at == chosen else number
            x += width
        self.clerk.note((key_of(label),), options[chosen], label, number)
        self.y += height + self.gap

    def _signature(self) -> None:
        """A scribble over a line."""
        wide = min(self.width, 12 * self.labels.size)
        y = self.y + 1.4 * self.tall
        self.sheet.rule(self.left, y, self.left + wide, y)
        self.sheet.put("Signature", self.labels, self.left, y + 3, paint=self.clerk.look.muted)
        steps = np.linspace(0, 1, 40)
        rng = np.random.default_rng(self.dice.getrandbits(32))
        waves = sum(
            rng.normal(0, 0.5) * np.sin(steps * rng.uniform(8, 40) + rng.uniform(0, 6)) for _ in range(3)
        )
        xs = self.left + wide * (0.1 + 0.7 * steps + 0.03 * np.sin(steps * 50))
        ys = np.clip(y - 0.55 * self.tall * (1 + 0.5 * np.asarray(waves)), y - 1.3 * self.tall, y - 1)
        line = np.column_stack([xs, ys])
        mark = (0, colour_of(called(self.ink)), -1)
        self.sheet.canvas.stroke([np.concatenate([line, line[::-1]])], 1.5, self.ink, mark)


_STROKES = (
    (((-0.3, -0.3), (0.3, 0.3)), ((-0.3, 0.3), (0.3, -0.3))),
    (((-0.32, 0.0), (-0.08, 0.28), (0.4, -0.35)),),
)
