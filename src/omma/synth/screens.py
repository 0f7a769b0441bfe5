"""The world of screens: forms, dialogs, settings, lists, cards and toolbars in several looks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

from PIL import Image

from omma.sample import Size
from omma.synth.canvas import Canvas
from omma.synth.colours import called, colour_of
from omma.synth.themes import theme
from omma.synth.vocabulary import CHOICES, FIELDS, LABELS, MENU, PAGES, SWITCHES, label, line, token
from omma.synth.widgets import Desk
from omma.synth.world import Drawing, Split

ICONS = ("star", "heart", "house", "envelope", "key", "cloud", "book", "clock", "arrow", "cup", "car", "lamp")
TYPE_SIZES = ((18, 28), (15, 24), (13, 21), (12, 18))  # of body text in pixels, by level


def screen(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None) -> Drawing:
    """One or two widgets at level 0, a few at 1, a form or a list at 2, a whole small window at 3."""
    look = theme(dice, split, fonts, dice.randint(*TYPE_SIZES[level]))
    canvas = Canvas(Image.new("RGB", size, look.ground), colour_of(called(look.ground)))
    desk = Desk(canvas, look, dice)
    Layout(desk, split, level).fill()
    return Drawing(
        canvas.picture, tuple(desk.things), "screens", called(look.ground),
        canvas.kind_map, canvas.colour_map, canvas.thing_map,
    )  # fmt: skip


class Layout:
    """Puts widgets one under the other, and stops where the screen ends."""

    def __init__(self, desk: Desk, split: Split, level: int) -> None:
        self.desk, self.split, self.level = desk, split, level
        self.dice, self.type = desk.dice, desk.theme.type
        width, self.bottom = (float(side) for side in desk.canvas.size)
        self.left = float(self.dice.randint(6, 24))
        self.right = width - self.left
        self.y = float(self.dice.randint(5, 18))
        self.gap = self.dice.uniform(0.5, 1.2) * self.type.size
        self.used: set[str] = set()

    @property
    def width(self) -> float:
        """How wide a row may be, in pixels."""
        return self.right - self.left

    def name(self, usual: tuple[str, ...], room: float) -> str | None:
        """A label that was not used on this screen and is not wider than `room`."""
        for _ in range(12):
            text = label(self.split, self.dice, usual)
            if text.lower() not in self.used and self.type.length(text) <= room:
                self.used.add(text.lower())
                return text
        return None

    def free(self, height: float) -> bool:
        """Whether something this high still fits."""
        return self.y + height <= self.bottom - 4

    def fill(self) -> None:
        """Draw a whole screen of this level."""
        luck = self.dice.random()
        if self.level >= 1 and luck < 0.25:
            self.question()
            return
        if self.level >= 1 and luck < 0.65:
            self.header()
        if self.level == 3 and self.dice.random() < 0.25:
            self.card()
        if self.level == 0:
            self.y = self.dice.uniform(self.y, self.bottom * 0.55)
        blocks = (
            (self.buttons, 3), (self.checks, 3), (self.field, 4), (self.toggles, 2), (self.words, 1.5),
            (self.rows, 1.5), (self.icons, 1), (self.sliders, 0.8),
        )  # fmt: skip
        most = (1, 2, 4, 7)[self.level]
        for block in self.dice.choices([b for b, _ in blocks], [w for _, w in blocks], k=most):
            block()
        if self.level and self.dice.random() < 0.45:
            self.buttons(least=2)
        if not self.desk.things:
            self.y = 5.0
            self.desk.text("OK", self.left, self.y)

    def header(self) -> None:
        """A title bar, a heading, tabs or a menu at the top."""
        kind = self.dice.choice(("bar", "heading", "heading", "tabs", "menu"))
        if kind == "bar" and (text := self.name(PAGES, self.width)):
            height = float(round(self.type.height * self.dice.uniform(1.7, 2.4)))
            self.desk.bar(text, height)
            self.y = height + self.gap
        elif kind == "heading" and (text := self.name(PAGES, self.width / 1.75)):
            self.y = self.desk.text(text, self.left, self.y, "heading").box[3] + self.gap
        elif kind == "tabs":
            x, chosen = self.left, self.dice.randrange(3)
            for number in range(3):
                if text := self.name(PAGES, self.right - x - 14):
                    x = self.desk.tab(text, x, self.y, number == chosen).box[2] + 2
            self.y += self.type.height + 12 + self.gap
        elif kind == "menu":
            x, height = 0.0, float(round(self.type.height * 1.7))
            for _ in range(4):
                if text := self.name(MENU, self.right - x - 16):
                    x = self.desk.row(text, x, 0, self.type.length(text) + 16, height, "menu item").box[2]
            self.y = height + self.gap

    def card(self) -> None:
        """From here on everything stands on a panel."""
        box = (self.left, self.y, self.right, self.bottom - self.dice.randint(4, 12))
        self.desk.panel(box, "card")
        self.left, self.right, self.bottom = self.left + 10, self.right - 10, box[3] - 4
        self.y += 10

    def question(self) -> None:
        """A dialog over a dimmed screen: a line or two of words, and buttons below."""
        if self.dice.random() < 0.5:
            self.desk.scrim()
        high = self.desk.button_size("X")[1]
        inset = self.dice.uniform(10, 20)
        height = min(self.bottom - 8, 2 * inset + 2 * self.type.size + 2 * self.gap + high)
        self.y = max(4.0, (self.bottom - height) * self.dice.uniform(0.3, 0.6))
        self.desk.panel((self.left, self.y, self.right, self.y + height), "dialog")
        self.left, self.right, self.y = self.left + inset, self.right - inset, self.y + inset
        text = line(self.split, self.dice, self.dice.randint(2, 5))
        while self.type.length(text) > self.width and " " in text:
            text = text.rpartition(" ")[0]
        if self.type.length(text) <= self.width:
            self.used.add(text.lower())
            self.y = self.desk.text(text, self.left, self.y).box[3] + 1.5 * self.gap
        self.buttons(least=2)

    def buttons(self, least: int = 1) -> None:
        """A row of `least` to three buttons, at the left, at the right, or over the whole width."""
        height = self.desk.button_size("X")[1]
        if not self.free(height):
            return
        texts: list[str] = []
        room = self.width
        for _ in range(self.dice.randint(least, 1 + min(2, self.level))):
            pad = self.desk.button_size("")[0] + 8
            if text := self.name(LABELS, room - pad):
                texts.append(text)
                room -= self.type.length(text) + pad
        primary = self.dice.randrange(3)
        x = self.left + self.dice.choice((0, 0, 0, 0.5, 1)) * max(0.0, room)
        stretched = self.width if len(texts) == 1 and self.dice.random() < 0.2 else None
        for number, text in enumerate(texts):
            at = self.left if stretched else x
            x = self.desk.button(text, at, self.y, number == primary, stretched).box[2] + 8
        self.y += height + self.gap

    def checks(self) -> None:
        """Checkboxes or radio buttons, one under the other; of radio buttons one is chosen."""
        radio = self.dice.random() < 0.4
        side, count = self.type.size * 0.95, self.dice.randint(1, (1, 2, 3, 4)[self.level])
        chosen = self.dice.randrange(count)
        for number in range(count):
            text = self.name(CHOICES if radio else SWITCHES, self.width - side - 8)
            if not text or not self.free(max(side, self.type.height) + 3):
                return
            on = number == chosen if radio and count > 1 else self.dice.random() < 0.5
            self.desk.check(text, self.left, self.y, on, "radio button" if radio else "checkbox")
            self.y += max(side, self.type.height) + self.gap * 0.8

    def field(self) -> None:
        """A label, and a text field or a dropdown below it or beside it."""
        type_ = self.type
        kind = "text field" if self.dice.random() < 0.8 else "dropdown"
        beside = self.dice.random() < 0.25
        inset = self.desk.theme.pad * type_.size
        text = self.name(FIELDS, self.width * (0.45 if beside else 1))
        if not text or not self.free(type_.height * (1 if beside else 2) + 2 * inset + 5):
            return
        content = (
            token(self.split, self.dice, "any") if self.dice.random() < 0.6 or kind == "dropdown" else ""
        )
        x = self.left
        if beside:
            self.desk.text(text, x, self.y + inset)
            x += type_.length(text) + 10
        else:
            self.y = self.desk.text(text, x, self.y).box[3] + 4
        room = self.right - x
        wide = room if self.dice.random() < 0.5 else max(min(80.0, room), self.dice.uniform(0.5, 1.0) * room)
        self.y = self.desk.field(text, content, x, self.y, wide, kind).box[3] + self.gap

    def toggles(self) -> None:
        """Rows of a label and a switch."""
        high = self.type.size * 1.1
        for _ in range(self.dice.randint(1, (1, 2, 2, 3)[self.level])):
            text = self.name(SWITCHES, self.width - 2.6 * high)
            if not text or not self.free(max(high, self.type.height) + 4):
                return
            reach = self.width if self.dice.random() < 0.7 else self.type.length(text) + 3 * high
            self.desk.toggle(text, self.left, self.y, min(self.width, reach), self.dice.random() < 0.5)
            self.y += max(high, self.type.height) + self.gap

    def words(self) -> None:
        """A link, or a line of plain words."""
        text = self.name(LABELS + PAGES, self.width)
        if text and self.free(self.type.height):
            kind = "link" if self.dice.random() < 0.7 else "text"
            self.y = self.desk.text(text, self.left, self.y, kind).box[3] + self.gap

    def rows(self) -> None:
        """Items of a list."""
        height = float(round(self.type.height * 1.8))
        for _ in range(self.dice.randint(1, (1, 2, 3, 5)[self.level])):
            text = self.name(PAGES, self.width - 16)
            if not text or not self.free(height):
                return
            self.desk.row(text, self.left, self.y, self.width, height, "list item")
            self.y += height
        self.y += self.gap

    def icons(self) -> None:
        """A row of small drawings with captions."""
        side = self.type.size * self.dice.uniform(1.3, 2.2)
        if not self.free(side + self.type.height + 6):
            return
        x = self.left
        for shape in self.dice.sample(ICONS, 1 + min(self.level, 2)):
            if text := self.name(PAGES, min(90.0, self.right - x)):
                wide = max(side, self.type.length(text))
                self.desk.icon(shape, text, x + (wide - side) / 2, self.y, side)
                x += wide + 14
        self.y += side + self.type.height + 6 + self.gap

    def sliders(self) -> None:
        """A slider or a progress bar."""
        text = self.name(SWITCHES, self.width)
        if text and self.free(self.type.height + self.type.size + 5):
            kind = self.dice.choice(("slider", "progress bar"))
            share = self.dice.randint(1, 9) / 10
            knob = self.type.size * 0.4
            box = self.desk.slider(
                text, self.left + knob, self.y, self.width * 0.9 - 2 * knob, share, kind
            ).box
            self.y = box[3] + self.gap
