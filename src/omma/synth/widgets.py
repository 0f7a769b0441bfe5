"""Widgets, each drawn with its label and known by its box and state."""

from __future__ import annotations

from random import Random

import numpy as np

from omma.synth.canvas import Canvas
from omma.synth.colours import Ink, called, colour_of, luminance, named, shade
from omma.synth.fonts import Font
from omma.synth.printing import print_line
from omma.synth.shapes import choose_layers
from omma.synth.themes import Theme
from omma.synth.world import Edges, Thing, Word, class_of


class Desk:
    """A screen under construction: where widgets are put, one after the other."""

    def __init__(self, canvas: Canvas, theme: Theme, dice: Random) -> None:
        self.canvas, self.theme, self.dice = canvas, theme, dice
        self.things: list[Thing] = []
        self.calm = dice.random() < 0.5  # whether buttons that are not the primary one stay gray

    def _add(self, thing: Thing) -> Thing:
        self.things.append(thing)
        return thing

    def _surface(
        self, box: Edges, kind: str, fill: Ink, border: Ink | None = None, corner: float | None = None
    ) -> None:
        """A filled area, with a border of one pixel where one is given."""
        number = len(self.things)
        radius = self.theme.corner if corner is None else corner
        if border is not None:
            self.canvas.block(box, radius, border, (class_of(kind), colour_of(called(border)), number))
            box, radius = _grown(box, -1), radius - 1
        self.canvas.block(box, radius, fill, (class_of(kind), colour_of(called(fill)), number))

    def _print(
        self, text: str, x: float, y: float, paint: Ink, type_: Font
    ) -> tuple[Edges, tuple[Word, ...]]:
        """Print with the top of tall letters at `y`."""
        return print_line(
            self.canvas, text, type_, x, y - type_.top, paint, colour_of(called(paint)), len(self.things)
        )

    def text(self, text: str, x: float, y: float, kind: str = "text", paint: Ink | None = None) -> Thing:
        """A line of words; a "heading" is set larger, a "link" is underlined."""
        type_ = self.theme.big if kind == "heading" else self.theme.type
        paint = paint or self.theme.text
        if kind == "link":
            paint = (0, 0, 238) if luminance(self.theme.ground) > 120 else (100, 180, 255)
        box, words = self._print(text, x, y, paint, type_)
        if kind == "link":
            under = box[3] - type_.bottom + 1
            line = (box[0], under, box[2], under + 1)
            self.canvas.block(line, 0, paint, (None, colour_of("blue"), len(self.things)))
        return self._add(Thing(kind, named(paint), box, text, words=words))

    def bar(self, text: str, height: float) -> Thing:
        """A title bar over the whole width."""
        box = (0.0, 0.0, float(self.canvas.size.width), height)
        self._surface(box, "title bar", self.theme.bar, corner=0)
        paint: Ink = (255, 255, 255) if luminance(self.theme.bar) < 150 else (0, 0, 0)
        y = (height - self.theme.type.height) / 2
        _, words = self._print(text, 10, y, paint, self.theme.type)
        return self._add(Thing("title bar", named(self.theme.bar), box, text, words=words))

    def button_size(self, text: str) -> tuple[float, float]:
        """How wide and high a button with this label is."""
        type_ = self.theme.type
        return round(type_.length(text) + (0.8 + 1.6 * self.theme.pad) * type_.size), round(
            type_.height + 2 * self.theme.pad * type_.size
        )

    def button(self, text: str, x: float, y: float, primary: bool, width: float | None = None) -> Thing:
        """A push button; the primary one wears the accent."""
        look = self.theme
        own, height = self.button_size(text)
        box = (round(x), round(y), round(x) + (width or own), round(y) + height)
        if look.buttons == "gray" and not primary:
            fill, border, paint = (239, 239, 239), look.border, (0, 0, 0)
        elif look.buttons == "filled" and not primary and self.calm:
            fill, border, paint = (221, 223, 226), (221, 223, 226), (20, 20, 20)
        elif look.buttons == "filled" or primary:
            fill, border, paint = look.accent, look.accent, look.on_accent
        else:
            fill, border, paint = look.panel, look.accent, look.text
        self._surface(box, "button", fill, border)
        at = box[0] + (box[2] - box[0] - look.type.length(text)) / 2
        _, words = self._print(text, at, box[1] + (height - look.type.height) / 2, paint, look.type)
        return self._add(Thing("button", named(fill), box, text, words=words))

    def field(
        self, label: str, content: str, x: float, y: float, width: float, kind: str = "text field"
    ) -> Thing:
        """A text field or a dropdown, empty or with words in it. Its label is printed elsewhere."""
        look = self.theme
        height = round(look.type.height + 2 * look.pad * look.type.size)
        box = (round(x), round(y), round(x + width), round(y) + height)
        fill = look.panel
        if look.fields == "line" and kind == "text field":
            self._surface(box, kind, shade(fill, 0.96), corner=0)
            line = (box[0], box[3] - 1, box[2], box[3])
            self.canvas.block(line, 0, look.border, (class_of(kind), 255, len(self.things)))
        else:
            self._surface(box, kind, fill, look.border, min(look.corner, 6))
        paint = look.text if self.dice.random() < 0.5 else look.border
        if abs(luminance(fill) - luminance(paint)) < 90:
            paint = (118, 118, 118)
        while content and look.type.length(content) > width - 26:
            content = content[:-1].rstrip()
        _, words = self._print(
            content, box[0] + 6, box[1] + (height - look.type.height) / 2, paint, look.type
        )
        if kind == "dropdown":
            x2, middle = box[2] - 12, (box[1] + box[3]) / 2
            tip = np.array([(x2 - 4, middle - 2.5), (x2 + 4, middle - 2.5), (x2, middle + 3)])
            self.canvas.fill([tip], look.text, (class_of(kind), 255, len(self.things)))
        return self._add(Thing(kind, named(fill), box, label, state=content, words=words))

    def check(self, label: str, x: float, y: float, on: bool, kind: str) -> Thing:
        """A checkbox or a radio button, its label to the right. The box is that of the little mark alone."""
        look, side = self.theme, float(round(self.theme.type.size * 0.95))
        box = (round(x), round(y), round(x) + side, round(y) + side)
        middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
        mark = (class_of(kind), 255, len(self.things))
        if kind == "radio button":
            self._surface(box, kind, look.accent if on else look.border, corner=side)
            self._surface(_grown(box, -1.5), kind, look.panel, corner=side)
            if on:
                self._surface(_grown(box, -side * 0.26), kind, look.accent, corner=side)
        else:
            self._surface(box, kind, look.accent if on else look.panel, look.accent if on else look.border, 2)
            if on:
                tick = np.array(
                    [(-0.32, 0.0), (-0.1, 0.24), (0.34, -0.26), (0.24, -0.36), (-0.1, 0.05), (-0.22, -0.1)]
                )
                self.canvas.fill([tick * side + middle], look.on_accent, mark)
        top = middle[1] - (look.type.top + look.type.bottom) / 2 + look.type.top
        _, words = self._print(label, box[2] + 6, top, look.text, look.type)
        return self._add(Thing(kind, None, box, label, state="checked" if on else "unchecked", words=words))

    def toggle(self, label: str, x: float, y: float, width: float, on: bool) -> Thing:
        """A switch at the right end of a row, its label at the left end."""
        look, high = self.theme, float(round(self.theme.type.size * 1.1))
        box = (round(x + width - 1.8 * high), round(y), round(x + width), round(y) + high)
        track: Ink = look.accent if on else (170, 170, 175)
        self._surface(box, "toggle", track, corner=high)
        at = box[2] - high + 2 if on else box[0] + 2
        self._surface((at, box[1] + 2, at + high - 4, box[3] - 2), "toggle", (255, 255, 255), corner=high)
        top = (box[1] + box[3]) / 2 - look.type.height / 2
        _, words = self._print(label, x, top, look.text, look.type)
        return self._add(Thing("toggle", named(track), box, label, state="on" if on else "off", words=words))

    def slider(self, label: str, x: float, y: float, width: float, share: float, kind: str) -> Thing:
        """A slider or a progress bar under its label, filled from the left up to a share from 0 to 1."""
        look = self.theme
        thick = 4.0 if kind == "slider" else float(round(look.type.size * 0.6))
        caption, words = self._print(label, x, y, look.text, look.type)
        middle = caption[3] + 5 + look.type.size * 0.4
        left, right, split = round(x), round(x + width), round(x + width * share)
        top, bottom = round(middle - thick / 2), round(middle + thick / 2)
        self._surface((left, top, right, bottom), kind, shade(look.border, 1.3), corner=thick)
        if split > left:
            self._surface((left, top, split, bottom), kind, look.accent, corner=thick)
        if kind == "slider":
            knob = look.type.size * 0.4
            self._surface(
                (split - knob, middle - knob, split + knob, middle + knob), kind, look.accent, corner=knob
            )
            top, bottom = round(middle - knob), round(middle + knob)
        seen = self.canvas.inside((left, top, right, bottom))
        return self._add(
            Thing(kind, named(look.accent), seen, label, state=f"{round(share * 100)}%", words=words)
        )

    def tab(self, label: str, x: float, y: float, selected: bool) -> Thing:
        """One tab of a row; the selected one is underlined in the accent."""
        look = self.theme
        width, height = look.type.length(label) + 14, look.type.height + 12
        box = (round(x), round(y), round(x + width), round(y + height))
        self._surface(box, "tab", look.panel if selected else look.ground, corner=0)
        paint = look.text
        _, words = self._print(label, box[0] + 7, box[1] + 5, paint, look.type)
        if selected:
            line = (box[0], box[3] - 3, box[2], box[3])
            self.canvas.block(
                line, 0, look.accent, (class_of("tab"), colour_of(called(look.accent)), len(self.things))
            )
        return self._add(Thing("tab", None, box, label, state="selected" if selected else "", words=words))

    def row(self, label: str, x: float, y: float, width: float, height: float, kind: str) -> Thing:
        """A list item or menu item: a row with words at the left and a hair line below."""
        look = self.theme
        box = (round(x), round(y), round(x + width), round(y + height))
        self._surface(box, kind, look.panel, corner=0)
        _, words = self._print(label, x + 8, box[1] + (height - look.type.height) / 2, look.text, look.type)
        if kind == "list item":
            line = (box[0], box[3] - 1, box[2], box[3])
            self.canvas.block(line, 0, look.border, (class_of(kind), 255, len(self.things)))
        return self._add(Thing(kind, None, box, label, words=words))

    def icon(self, shape: str, label: str, x: float, y: float, side: float) -> Thing:
        """A small drawing over its caption. The box is the drawing's."""
        look, number = self.theme, len(self.things)
        mark = (class_of("icon"), colour_of(called(look.accent)), number)
        parts = choose_layers(shape, self.dice)
        every = np.concatenate([ring for part in parts for ring in part.rings])
        low, span = every.min(0), float(np.ptp(every, axis=0).max())
        for part in parts:
            paint = look.accent if part.ink == "body" else shade(look.accent, 0.7)
            rings, holes = (
                [(ring - low) / span * side + (x, y) for ring in group] for group in (part.rings, part.holes)
            )
            self.canvas.fill(rings, paint, mark, holes)
        wide, high = (np.ptp(every, axis=0) / span * side).tolist()
        box = (x, y, x + wide, y + high)
        at = max(2.0, x + wide / 2 - look.type.length(label) / 2)
        _, words = self._print(label, at, y + side + 4, look.text, look.type)
        return self._add(Thing("icon", named(look.accent), box, label, state=shape, words=words))

    def scrim(self) -> None:
        """Dim everything that was drawn, as behind a dialog."""
        canvas = self.canvas
        canvas.picture = canvas.picture.point(lambda part: int(part * 0.45))
        canvas.colour = colour_of(called(shade(self.theme.ground, 0.45)))
        canvas.colour_map[:] = canvas.colour

    def panel(self, box: Edges, kind: str) -> Thing:
        """A card or a dialog: an empty area on which others stand."""
        self._surface(box, kind, self.theme.panel, self.theme.border)
        return self._add(Thing(kind, named(self.theme.panel), box))


def _grown(box: Edges, by: float) -> Edges:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by
