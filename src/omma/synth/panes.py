"""Further widgets of applications: windows, open menus, lists, pale buttons, the focus, scroll bars."""

from __future__ import annotations

from random import Random

import numpy as np

from omma.synth.canvas import Canvas
from omma.synth.colours import Ink, called, colour_of, luminance, named, shade
from omma.synth.themes import Theme
from omma.synth.widgets import Desk
from omma.synth.world import Edges, Thing, class_of

WINDOW_BUTTONS = ("Close", "Maximize", "Minimize")  # from the right; drawn and not written


class Panes(Desk):
    """A screen under construction that knows more of its widgets: things go by their number."""

    def __init__(self, canvas: Canvas, theme: Theme, dice: Random) -> None:
        super().__init__(canvas, theme, dice)
        self.disabled: set[int] = set()
        self.focused: int | None = None
        self.keys: dict[int, tuple[str, ...]] = {}
        self.unwritten: set[int] = set()  # what bears no words on the screen

    def window(self, title: str, height: float) -> None:
        """A title bar with its three buttons at the right."""
        bar = self.bar(title, height)
        paint: Ink = (255, 255, 255) if luminance(self.theme.bar) < 150 else (0, 0, 0)
        side = round(height * 0.42)
        x, y = bar.box[2] - side - 8, round((height - side) / 2)
        for label in WINDOW_BUTTONS:
            number = len(self.things)
            self._window_mark(label, (x, y, x + side, y + side), paint, number)
            self.unwritten.add(number)
            self._add(Thing("button", None, (float(x), float(y), float(x + side), float(y + side)), label))
            x -= side + round(0.45 * height)

    def _window_mark(self, label: str, box: Edges, paint: Ink, number: int) -> None:
        """A cross, a frame, or a line in its box."""
        x1, y1, x2, y2 = box
        mark = (class_of("button"), colour_of(called(paint)), number)
        self.canvas.block(box, 0, self.theme.bar, (class_of("button"), 255, number))
        rings = {
            "Close": [[(x1 + 1, y1 + 1), (x2 - 1, y2 - 1)], [(x2 - 1, y1 + 1), (x1 + 1, y2 - 1)]],
            "Maximize": [[(x1 + 1, y1 + 1), (x2 - 1, y1 + 1), (x2 - 1, y2 - 1), (x1 + 1, y2 - 1)]],
            "Minimize": [[(x1 + 1, y2 - 2), (x2 - 1, y2 - 2)]],
        }[label]
        for ring in rings:
            points = np.array(ring if len(ring) > 2 else [*ring, ring[-1]], float)
            self.canvas.stroke([points], max(1.3, (x2 - x1) / 8), paint, mark)

    def faded(self, text: str, x: float, y: float) -> Thing:
        """A push button that cannot be pushed: pale words on a pale ground."""
        look = self.theme
        wide, height = self.button_size(text)
        box = (float(round(x)), float(round(y)), float(round(x) + wide), float(round(y) + height))
        light = luminance(look.ground) > 120
        fill: Ink = (236, 236, 238) if light else shade(look.panel, 1.1)
        paint: Ink = (166, 166, 170) if light else (104, 104, 108)
        self._surface(box, "button", fill, fill)
        at = box[0] + (wide - look.type.length(text)) / 2
        _, words = self._print(text, at, box[1] + (height - look.type.height) / 2, paint, look.type)
        self.disabled.add(len(self.things))
        return self._add(Thing("button", named(fill), box, text, words=words))

    def focus(self, number: int) -> None:
        """A ring of the accent around a text field, and the caret behind what stands in it."""
        thing, look = self.things[number], self.theme
        x1, y1, x2, y2 = thing.box
        mark = (class_of(thing.kind), colour_of(called(look.accent)), number)
        for edge in ((x1, y1, x2, y1 + 2), (x1, y2 - 2, x2, y2), (x1, y1, x1 + 2, y2), (x2 - 2, y1, x2, y2)):
            self.canvas.block(edge, 0, look.accent, mark)
        at = thing.words[-1].box[2] + 1 if thing.words else x1 + 6
        middle, high = (y1 + y2) / 2, 0.55 * look.type.size
        caret = (at, middle - high, at + 1, middle + high)
        self.canvas.block(caret, 0, look.text, (class_of(thing.kind), colour_of(called(look.text)), number))
        self.focused = number

    def entry(
        self, label: str, box: Edges, *, kind: str = "list item", chosen: bool = False, pale: bool = False
    ) -> Thing:
        """A row of a list or a menu; the chosen one wears the accent, a pale one cannot be chosen."""
        look = self.theme
        box = (float(round(box[0])), float(round(box[1])), float(round(box[2])), float(round(box[3])))
        fill = look.accent if chosen else look.panel
        paint = look.on_accent if chosen else look.text
        if pale:
            paint = (166, 166, 170) if luminance(look.panel) > 120 else (104, 104, 108)
            self.disabled.add(len(self.things))
        self._surface(box, kind, fill, corner=0)
        y = box[1] + (box[3] - box[1] - look.type.height) / 2
        _, words = self._print(label, box[0] + 8, y, paint, look.type)
        return self._add(Thing(kind, None, box, label, state="selected" if chosen else "", words=words))

    def menu(self, rows: list[tuple[str, tuple[str, ...]]], x: float, y: float, pale: set[int]) -> None:
        """An open menu: a framed panel of items, their keys at the right; `pale` places cannot be chosen."""
        look = self.theme
        height = round(look.type.height * 1.7)
        told = [said(keys) for _, keys in rows]
        left = max(look.type.length(text) for text, _ in rows)
        right = max(map(look.type.length, told))
        wide = round(left + right + 16 + (20 if right else 0))
        self.panel((x, y, x + wide + 2, y + height * len(rows) + 2), "card")
        for place, (text, keys) in enumerate(rows):
            number, top = len(self.things), y + 1 + place * height
            item = self.entry(
                text, (x + 1, top, x + 1 + wide, top + height), kind="menu item", pale=place in pale
            )
            if keys:
                paint = look.border if place not in pale else (150, 150, 155)
                at = item.box[2] - 8 - look.type.length(told[place])
                self._note_keys(told[place], at, top + (height - look.type.height) / 2, paint, number)
                self.keys[number] = keys

    def _note_keys(self, text: str, x: float, y: float, paint: Ink, number: int) -> None:
        """The keys of an item, printed as part of it."""
        if abs(luminance(paint) - luminance(self.theme.panel)) < 70:
            paint = self.theme.text
        before = len(self.things)
        thing = self.things[number]
        held = self.things[number:]
        del self.things[number:]  # what is printed now belongs to the item
        _, words = self._print(text, x, y, paint, self.theme.type)
        self.things += held
        assert len(self.things) == before
        words = (*thing.words, *words)
        self.things[number] = Thing(thing.kind, thing.colour, thing.box, thing.text, words=words)

    def scroll_bar(self, box: Edges, start: float, stop: float) -> Thing:
        """A track, and the part of a list that is shown as a share of all of it, from 0 to 1."""
        x1, y1, x2, y2 = (float(round(edge)) for edge in box)
        look = self.theme
        light = luminance(look.panel) > 120
        track, thumb = ((232, 232, 234), (150, 150, 156)) if light else ((50, 50, 54), (135, 135, 142))
        self._surface((x1, y1, x2, y2), "scroll bar", track, corner=0)
        high = y2 - y1
        self._surface(
            (x1 + 1, y1 + start * high, x2 - 1, y1 + stop * high), "scroll bar", thumb, corner=x2 - x1
        )
        return self._add(Thing("scroll bar", None, (x1, y1, x2, y2), state=f"{round(100 * start)}%"))


def said(keys: tuple[str, ...]) -> str:
    """Keys as they are printed: "Ctrl+Shift+S"."""
    return "+".join(key.capitalize() for key in keys)
