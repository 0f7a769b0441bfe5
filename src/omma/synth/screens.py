"""The world of screens: forms, dialogs, settings, lists, cards and toolbars in several looks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

from PIL import Image

from omma.sample import Size
from omma.synth.canvas import Canvas
from omma.synth.colours import colour_of, named
from omma.synth.themes import theme
from omma.synth.vocabulary import CHOICES, FIELDS, LABELS, MENU, PAGES, SWITCHES, label, token
from omma.synth.widgets import Desk
from omma.synth.world import Drawing, Split

ICONS = ("star", "heart", "house", "envelope", "key", "cloud", "book", "clock", "arrow", "cup", "car", "lamp")


def screen(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None) -> Drawing:
    """One or two widgets at level 0, a few at 1, a form or a list at 2, a whole small window at 3."""
    low, high = ((18, 26), (15, 22), (13, 18), (12, 16))[level]
    look = theme(dice, split, fonts, dice.randint(low, high))
    back = Image.new("RGB", size, look.ground)
    canvas = Canvas(back, colour_of(named(look.ground)))
    desk = Desk(canvas, look, dice)
    _Layout(desk, split, level).fill()
    return Drawing(
        canvas.picture, tuple(desk.things), "screens", named(look.ground),
        canvas.kind_map, canvas.colour_map, canvas.thing_map,
    )  # fmt: skip


class _Layout:
    """Puts widgets one under the other, and stops where the screen ends."""

    def __init__(self, desk: Desk, split: Split, level: int) -> None:
        self.desk, self.split, self.level = desk, split, level
        self.dice = desk.dice
        width, self.bottom = (float(side) for side in desk.canvas.size)
        self.left = float(self.dice.randint(6, 18))
        self.right = width - self.left
        self.y = float(self.dice.randint(5, 14))
        self.gap = self.dice.uniform(0.5, 1.0) * desk.theme.type.size
        self.used: set[str] = set()

    def name(self, usual: tuple[str, ...], room: float) -> str | None:
        """A label that was not used on this screen and is not wider than `room`."""
        for _ in range(12):
            text = label(self.split, self.dice, usual)
            fits = self.desk.theme.type.length(text) <= room
            if text.lower() not in self.used and fits:
                self.used.add(text.lower())
                return text
        return None

    def free(self, height: float) -> bool:
        """Whether something this high still fits."""
        return self.y + height <= self.bottom - 3

    def fill(self) -> None:
        """Draw a whole screen of this level."""
        if self.level >= 1 and self.dice.random() < 0.5:
            self.header()
        if self.level == 3 and self.dice.random() < 0.25:
            self.dialog()
        if self.level == 0:
            self.y = self.dice.uniform(self.y, self.bottom * 0.55)
        blocks = [
            self.buttons,
            self.buttons,
            self.checks,
            self.field,
            self.toggles,
            self.links,
            self.rows,
            self.icons,
        ]
        most = (1, 2, 4, 7)[self.level]
        for block in self.dice.choices(blocks, (3, 2, 3, 4, 2, 1.5, 1.5, 1), k=most):
            block()
        if not self.desk.things:
            self.buttons()
        if not self.desk.things:
            self.desk.text("OK", self.left, 5)

    def header(self) -> None:
        """A title bar, a heading, tabs or a menu at the top."""
        width, type_ = self.right - self.left, self.desk.theme.type
        kind = self.dice.choice(("bar", "heading", "heading", "tabs", "menu"))
        if kind == "bar" and (text := self.name(PAGES, width)):
            height = float(round(type_.height * 1.9))
            self.desk.bar(text, height)
            self.y = height + self.gap
        elif kind == "heading" and (text := self.name(PAGES, width / 1.75)):
            self.y = self.desk.text(text, self.left, self.y, "heading").box[3] + self.gap
        elif kind == "tabs":
            x, chosen = self.left, self.dice.randrange(3)
            for number in range(3):
                if text := self.name(PAGES, self.right - x - 14):
                    x = self.desk.tab(text, x, self.y, number == chosen).box[2] + 2
            self.y += type_.height + 12 + self.gap
        elif kind == "menu":
            x, height = 0.0, float(round(type_.height * 1.7))
            for _ in range(4):
                if text := self.name(MENU, self.right - x - 16):
                    x = self.desk.row(text, x, 0, type_.length(text) + 16, height, "menu item").box[2]
            self.y = height + self.gap

    def dialog(self) -> None:
        """From here on everything stands on a panel."""
        box = (self.left, self.y, self.right, self.bottom - self.dice.randint(4, 12))
        self.desk.panel(box, self.dice.choice(("dialog", "card")))
        self.left, self.right, self.bottom = self.left + 10, self.right - 10, box[3] - 4
        self.y += 10

    def buttons(self) -> None:
        """A row of one to three buttons."""
        x, height = self.left, self.desk.button_size("X")[1]
        if not self.free(height):
            return
        primary = self.dice.randrange(3)
        if self.level == 0:
            x = self.dice.uniform(self.left, self.left + 0.3 * (self.right - self.left))
        for number in range(self.dice.randint(1, 1 + min(2, self.level))):
            text = self.name(LABELS, self.right - x - 1.5 * self.desk.theme.type.size)
            if text:
                x = self.desk.button(text, x, self.y, number == primary).box[2] + 8
        self.y += height + self.gap

    def checks(self) -> None:
        """Checkboxes or radio buttons, one under the other; of radio buttons one is chosen."""
        radio = self.dice.random() < 0.4
        side, count = self.desk.theme.type.size * 0.95, self.dice.randint(1, (1, 2, 3, 4)[self.level])
        chosen = self.dice.randrange(count)
        for number in range(count):
            text = self.name(CHOICES if radio else SWITCHES, self.right - self.left - side - 8)
            if not text or not self.free(side + 3):
                return
            on = number == chosen if radio and count > 1 else self.dice.random() < 0.5
            self.desk.check(text, self.left, self.y, on, "radio button" if radio else "checkbox")
            self.y += side + self.gap

    def field(self) -> None:
        """A label, and a text field or a dropdown below it or beside it."""
        type_ = self.desk.theme.type
        kind = "text field" if self.dice.random() < 0.8 else "dropdown"
        beside = self.dice.random() < 0.25
        width = self.right - self.left
        text = self.name(FIELDS, width * (0.45 if beside else 1))
        if not text or not self.free(type_.height * (1 if beside else 2) + type_.size * 1.4):
            return
        content = (
            token(self.split, self.dice, "any") if self.dice.random() < 0.7 or kind == "dropdown" else ""
        )
        if beside:
            inset = 0.4 * type_.size
            self.desk.text(text, self.left, self.y + inset)
            x = self.left + type_.length(text) + 10
        else:
            self.y = self.desk.text(text, self.left, self.y).box[3] + 4
            x = self.left
        room = self.right - x
        wide = max(min(80.0, room), self.dice.uniform(0.5, 1.0) * room)
        self.y = self.desk.field(text, content, x, self.y, wide, kind).box[3] + self.gap

    def toggles(self) -> None:
        """Rows of a label and a switch."""
        high = self.desk.theme.type.size * 1.1
        for _ in range(self.dice.randint(1, (1, 2, 2, 3)[self.level])):
            text = self.name(SWITCHES, self.right - self.left - 2.6 * high)
            if not text or not self.free(high + 4):
                return
            self.desk.toggle(text, self.left, self.y, self.right - self.left, self.dice.random() < 0.5)
            self.y += high + self.gap

    def links(self) -> None:
        """A link, or a line of plain words."""
        text = self.name(LABELS + PAGES, self.right - self.left)
        if text and self.free(self.desk.theme.type.height):
            kind = "link" if self.dice.random() < 0.7 else "text"
            self.y = self.desk.text(text, self.left, self.y, kind).box[3] + self.gap

    def rows(self) -> None:
        """Items of a list."""
        height = float(round(self.desk.theme.type.height * 1.8))
        for _ in range(self.dice.randint(1, (1, 2, 3, 5)[self.level])):
            text = self.name(PAGES, self.right - self.left - 16)
            if not text or not self.free(height):
                return
            self.desk.row(text, self.left, self.y, self.right - self.left, height, "list item")
            self.y += height
        self.y += self.gap

    def icons(self) -> None:
        """A row of small drawings with captions."""
        type_ = self.desk.theme.type
        side = type_.size * self.dice.uniform(1.3, 2.0)
        if not self.free(side + type_.height + 6):
            return
        x = self.left
        for shape in self.dice.sample(ICONS, 1 + min(self.level, 2)):
            text = self.name(PAGES, min(90.0, self.right - x))
            if not text:
                continue
            wide = max(side, type_.length(text))
            self.desk.icon(shape, text, x + (wide - side) / 2, self.y, side)
            x += wide + 14
        self.y += side + type_.height + 6 + self.gap
