"""The world of applications: windows with menus, bars, lists, forms and dialogs, and pages in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from omma.sample import Size
from omma.synth.canvas import Canvas
from omma.synth.colours import called, colour_of
from omma.synth.documents.sheet import Document
from omma.synth.panes import Panes
from omma.synth.places import overlap
from omma.synth.screens import Layout
from omma.synth.themes import theme
from omma.synth.vocabulary import LABELS, MENU, PAGES, line, word
from omma.synth.world import Drawing, Edges, Split, Thing

TYPE_SIZES = ((15, 21), (13, 18), (12, 16), (12, 16))  # of body text in pixels, by level
APP_SIZES = (
    (Size(224, 168), Size(224, 224), Size(280, 196), Size(252, 196)),
    (Size(280, 224), Size(320, 240), Size(336, 252), Size(252, 336)),
    (Size(448, 336), Size(400, 300), Size(480, 360), Size(360, 480)),
    (Size(640, 480), Size(560, 420), Size(800, 600), Size(480, 640)),
)
ENDS = ("txt", "pdf", "png", "zip", "csv", "md", "mp3", "html")
ITEMS: dict[str, tuple[str, ...]] = {  # of a menu, with the keys that they have everywhere
    "New": ("ctrl", "n"), "Open": ("ctrl", "o"), "Save": ("ctrl", "s"), "Save as": ("ctrl", "shift", "s"),
    "Print": ("ctrl", "p"), "Undo": ("ctrl", "z"), "Redo": ("ctrl", "y"), "Cut": ("ctrl", "x"),
    "Copy": ("ctrl", "c"), "Paste": ("ctrl", "v"), "Select all": ("ctrl", "a"), "Find": ("ctrl", "f"),
    "Rename": ("f2",), "Refresh": ("f5",), "Export": (), "Options": (), "Properties": (),
    "Close tab": ("ctrl", "w"),
}  # fmt: skip


@dataclass(frozen=True)
class Interface:
    """What a screen lets one do; things go by number.

    `active` may be acted on now, `disabled` are those of them that do nothing, `focused` is the field that is
    typed into, `scrolls` a list's scroll bar. `keys` are printed beside items; `unwritten` bear no words.
    """

    active: frozenset[int]
    disabled: frozenset[int] = frozenset()
    focused: int | None = None
    keys: tuple[tuple[int, tuple[str, ...]], ...] = ()
    unwritten: frozenset[int] = frozenset()
    scrolls: int | None = None


def app(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None) -> Drawing:
    """A few widgets at level 0, a window at 1, menus, lists and pages at 2, open menus and dialogs at 3."""
    look = theme(dice, split, fonts, dice.randint(*TYPE_SIZES[level]))
    canvas = Canvas(Image.new("RGB", size, look.ground), colour_of(called(look.ground)))
    desk = Panes(canvas, look, dice)
    layout = _App(desk, split, level)
    layout.fill()
    return layout.drawing(called(look.ground))


class _App(Layout):
    """Puts the parts of one application on a screen."""

    desk: Panes

    def __init__(self, desk: Panes, split: Split, level: int) -> None:
        super().__init__(desk, split, level)
        self.menus: list[int] = []
        self.scrolls: int | None = None
        self.front = 0  # the first thing of what lies in front of all else
        self.modal = False

    def fill(self) -> None:
        """A whole screen of this level."""
        dice = self.dice
        manner = dice.choice(("form", "files", "settings", "page")) if self.level else "form"
        if self.level:
            self._frame(browser=manner == "page")
        if self.level >= 2 and manner != "page" and self.width > 18 * self.type.size and dice.random() < 0.6:
            self._sidebar()
        parts = {
            "form": (self.field, self.field, self.checks, self.field, self.toggles),
            "settings": (self.toggles, self.checks, self.sliders, self.field, self.toggles),
            "files": (self._tools, self._files),
            "page": (self._links, self._words, self._search, self._words, self._links),
        }[manner]
        for part in parts[: (2, 3, 4, 5)[self.level]] if manner != "files" else parts:
            part()
        if manner in ("form", "settings"):
            self.buttons()
        if not self.desk.things:
            self.desk.button("OK", self.left, 4.0, True)
        self._in_front()

    # The frame

    def _frame(self, *, browser: bool) -> None:
        """The title bar, and a menu bar or what a browser has below it."""
        dice, desk, type_ = self.dice, self.desk, self.type
        height = float(round(type_.height * dice.uniform(1.8, 2.3)))
        if self.bottom < 7 * height:
            return
        title = self.name(PAGES, self.right - 3.4 * height - 16) or "App"
        desk.window(title, height)
        self.y = height
        if browser:
            inset = 5.0
            self.y += inset
            address = (
                f"{word(self.split, dice)}.{dice.choice(('com', 'org', 'net'))}/{word(self.split, dice)}"
            )
            self.y = desk.field(
                "Address bar", address, inset, self.y, self.right + self.left - 2 * inset
            ).box[3]
        elif self.level >= 2 or dice.random() < 0.5:
            x, high = 0.0, float(round(type_.height * 1.7))
            for _ in range(dice.randint(2, 5)):
                if text := self.name(MENU, self.right - x - 16):
                    self.menus.append(len(desk.things))
                    x = desk.row(text, x, self.y, type_.length(text) + 16, high, "menu item").box[2]
            self.y += high
        self.y += self.gap

    def _sidebar(self) -> None:
        """A list of places at the left, of which one is chosen."""
        height, top = float(round(self.type.height * 1.9)), self.y - 0.5 * self.gap
        wide = min(0.34 * (self.right + self.left), 11 * self.type.size)
        count = self.dice.randint(3, 5)
        chosen = self.dice.randrange(count)
        y = top
        for number in range(count):
            text = self.name(PAGES, wide - 16)
            if text and y + height < self.bottom:
                self.desk.entry(text, (0.0, y, wide, y + height), chosen=number == chosen)
                y += height
        self.left = wide + 12

    # What stands in it

    def field(self) -> None:
        """A field as on every screen; one of all of them may have the focus."""
        before = len(self.desk.things)
        super().field()
        last = len(self.desk.things) - 1
        fresh = last >= before and self.desk.things[last].kind == "text field"
        if fresh and self.desk.focused is None and self.dice.random() < 0.4:
            self.desk.focus(last)

    def buttons(self, least: int = 1) -> None:
        """Push buttons side by side; now and then one that cannot be pushed."""
        height = self.desk.button_size("X")[1]
        x = self.left
        if not self.free(height):
            return
        for number in range(self.dice.randint(least, 1 + min(2, self.level))):
            pad = self.desk.button_size("")[0]
            if text := self.name(LABELS, self.right - x - pad):
                faded = self.level and self.dice.random() < 0.25
                put = (
                    self.desk.faded(text, x, self.y)
                    if faded
                    else self.desk.button(text, x, self.y, number == 0)
                )
                x = put.box[2] + 8
        self.y += height + self.gap

    def _tools(self) -> None:
        """A bar of buttons over a list."""
        self.buttons()

    def _files(self) -> None:
        """Files in a list, one of them chosen, with a scroll bar where there are more."""
        dice, height = self.dice, float(round(self.type.height * 1.8))
        count = min((2, 4, 7, 12)[self.level], int((self.bottom - 4 - self.y) / height))
        if count < 1:
            return
        more = count > 2 and dice.random() < 0.6
        right, top = self.right - (14 if more else 0), self.y
        chosen = dice.randrange(count) if dice.random() < 0.7 else None
        for number in range(count):
            text = self._file(right - self.left - 16)
            if text is not None:
                self.desk.entry(text, (self.left, self.y, right, self.y + height), chosen=number == chosen)
            self.y += height
        if more:
            self.scrolls = len(self.desk.things)
            start = dice.choice((0.0, 0.0, dice.uniform(0.1, 0.4)))
            self.desk.scroll_bar((right + 2, top, self.right, self.y), start, start + dice.uniform(0.3, 0.6))
        self.y += self.gap

    def _file(self, room: float) -> str | None:
        """A file's name that was not used."""
        for _ in range(8):
            text = f"{word(self.split, self.dice)}.{self.dice.choice(ENDS)}"
            if text not in self.used and self.type.length(text) <= room:
                self.used.add(text)
                return text
        return None

    def _links(self) -> None:
        """Links side by side."""
        x = self.left
        if not self.free(self.type.height + 4):
            return
        for _ in range(self.dice.randint(2, 4)):
            if text := self.name(PAGES + LABELS, self.right - x):
                x = self.desk.text(text, x, self.y, "link").box[2] + 1.3 * self.type.size
        self.y += self.type.height + 1.2 * self.gap

    def _words(self) -> None:
        """A heading and a few lines that nobody can click."""
        big = self.desk.theme.big
        heading = self.name(PAGES, self.width / 1.75)
        if heading and self.free(big.height + 2 * self.type.height):
            self.y = self.desk.text(heading, self.left, self.y, "heading").box[3] + 0.8 * self.gap
        for _ in range(self.dice.randint(1, 3)):
            text = line(self.split, self.dice, self.dice.randint(2, 6))
            while self.type.length(text) > self.width and " " in text:
                text = text.rpartition(" ")[0]
            if (
                self.free(self.type.height)
                and self.type.length(text) <= self.width
                and text.lower() not in self.used
            ):
                self.used.add(text.lower())
                self.y = self.desk.text(text, self.left, self.y).box[3] + 0.6 * self.gap
        self.y += 0.6 * self.gap

    def _search(self) -> None:
        """A field without words beside a button."""
        text = self.name(("Search", "Find", "Go"), self.width * 0.3)
        if not text or not self.free(self.desk.button_size("X")[1]):
            return
        wide = self.desk.button_size(text)[0]
        if self.width - wide - 8 < 50:
            return
        field = self.desk.field("search", "", self.left, self.y, self.width - wide - 8)
        if self.desk.focused is None and self.dice.random() < 0.3:
            self.desk.focus(len(self.desk.things) - 1)
        self.desk.button(text, field.box[2] + 8, self.y, True)
        self.y = field.box[3] + self.gap

    # What lies in front

    def _in_front(self) -> None:
        """An open menu or a dialog, at the harder levels."""
        often = (0.0, 0.1, 0.3, 0.45)[self.level]
        if self.dice.random() >= often:
            return
        if self.menus:
            self._open_menu()
        elif self.bottom > 14 * self.type.size:
            self._dialog()

    def _open_menu(self) -> None:
        """One of the menus, with its items below it."""
        dice, desk = self.dice, self.desk
        held = desk.things[self.menus[0]].box
        room = int((desk.canvas.size.height - held[3] - 8) / round(self.type.height * 1.7))
        free = [text for text in ITEMS if text.lower() not in self.used]
        names = dice.sample(free, min(room, dice.randint(3, 6), len(free)))
        names = [
            text for text in names if self.type.length(f"{text} Ctrl+Shift+S") + 50 < desk.canvas.size.width
        ]
        if len(names) < 2:
            return
        rows = [(text, ITEMS[text] if dice.random() < 0.7 else ()) for text in names]
        at = dice.choice([n for n in self.menus if desk.things[n].box[0] < 0.4 * desk.canvas.size.width])
        x, y = desk.things[at].box[0], desk.things[at].box[3]
        wide = max(self.type.length(f"{text} Ctrl+Shift+S") for text in names) + 44
        x = max(0.0, min(x, desk.canvas.size.width - wide))
        desk.things[at] = replace(desk.things[at], state="open")
        self.front = len(desk.things)
        desk.menu(rows, x, y, {n for n in range(len(rows)) if dice.random() < 0.2})

    def _dialog(self) -> None:
        """A question with buttons that wants to be answered first."""
        desk, dice = self.desk, self.dice
        width, tall = desk.canvas.size
        high = desk.button_size("X")[1]
        inset = 0.9 * self.type.size
        wide, height = (
            min(width - 24.0, 18.0 * self.type.size),
            2 * inset + self.type.height + self.gap + high,
        )
        x, y = round((width - wide) / 2), round((tall - height) * dice.uniform(0.35, 0.6))
        desk.scrim()
        self.front, self.modal = len(desk.things), True
        desk.panel((x, y, x + wide, y + height), "dialog")
        self.left, self.right, self.y, self.bottom = x + inset, x + wide - inset, y + inset, y + height
        text = line(self.split, dice, 3)
        while self.type.length(text) > self.width and " " in text:
            text = text.rpartition(" ")[0]
        if self.type.length(text) <= self.width:
            self.used.add(text.lower())
            self.y = desk.text(text, self.left, self.y).box[3] + self.gap
        self.y, self.bottom = y + height - inset - high, float(tall)
        self.buttons()

    # What came of it

    def drawing(self, background: str) -> Drawing:
        """The screen, with what can be done on it. What is wholly covered is no thing of it."""
        desk, canvas = self.desk, self.desk.canvas
        cover = desk.things[self.front].box if self.front else None
        hidden = [
            number
            for number, thing in enumerate(desk.things[: self.front])
            if cover and any(overlap(cover, box) > 0 for box in (thing.box, *(w.box for w in thing.words)))
        ]
        whole = (0.0, 0.0, float(canvas.size.width), float(canvas.size.height))
        seen = {number: canvas.seen(number, whole) for number in hidden}
        order = [number for number in range(len(desk.things)) if seen.get(number, whole) is not None]
        table = np.full(len(desk.things) + 1, -1, np.int16)
        table[order] = np.arange(len(order))
        canvas.thing_map = table[canvas.thing_map]
        things = tuple(_rest(desk.things[number], seen.get(number), cover) for number in order)
        return Document(
            canvas.picture, things, "apps", background,
            canvas.kind_map, canvas.colour_map, canvas.thing_map, self._interface(hidden, table.tolist()),
        )  # fmt: skip

    def _interface(self, hidden: list[int], table: list[int]) -> Interface:
        """What can be done on the screen, by the numbers that things have in the end."""
        desk = self.desk
        first = self.front if self.modal else 0
        active = [number for number in range(first, len(desk.things)) if number not in hidden]
        focused = desk.focused if desk.focused in active else None
        return Interface(
            frozenset(table[number] for number in active),
            frozenset(table[number] for number in desk.disabled if number in active),
            None if focused is None else table[focused],
            tuple((table[number], keys) for number, keys in desk.keys.items()),
            frozenset(table[number] for number in desk.unwritten if number in active),
            table[self.scrolls] if self.scrolls in active else None,
        )


def _rest(thing: Thing, seen: Edges | None, cover: Edges | None) -> Thing:
    """A thing as it is seen: of one that is partly covered what is left."""
    if seen is None or cover is None:
        return thing
    words = tuple(found for found in thing.words if overlap(cover, found.box) == 0)
    return replace(thing, box=seen, words=words)
