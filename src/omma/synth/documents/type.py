"""Setting type quickly: glyphs are drawn once and laid side by side, each character's cell in the maps."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from omma.synth.canvas import Canvas
from omma.synth.colours import Ink
from omma.synth.fonts import Face, Font
from omma.synth.printing import FAINT
from omma.synth.world import Edges, Word, class_of

KERNED = 18  # pixels of type from which pairs such as AV are drawn together
_KINDS = np.array([class_of(chr(code)) for code in range(127)], np.uint8)


class Glyph:
    """One character's ink, and where it stands against the pen on the baseline, in fine pixels."""

    __slots__ = ("left", "mask", "top")

    def __init__(self, font: Font, letter: str) -> None:
        x1, y1, x2, y2 = (int(edge) for edge in font.ink.getbbox(letter, anchor="ls"))
        self.left, self.top = min(0, x1) - 1, y1 - 1
        self.mask = Image.new("L", (x2 - self.left + 2, y2 - self.top + 2))
        pen = ImageDraw.Draw(self.mask)
        pen.text((-self.left, -self.top), letter, fill=255, font=font.ink, anchor="ls")


class Type:
    """A face at a size in pixels. `soft` draws at twice the size and halves, as browsers smooth letters."""

    def __init__(self, face: Face, size: int, soft: bool) -> None:
        self.face, self.size, self.soft = face, size, soft
        self.fine = 2 if soft else 1
        self._font = Font(face, size * self.fine, False)
        # Tops of tall letters and bottoms of hanging ones, relative to the baseline, y downwards.
        self.top, self.bottom = self._font.top / self.fine, self._font.bottom / self.fine
        self._glyphs: dict[str, Glyph] = {}
        self._widths: dict[str, float] = {}

    @property
    def height(self) -> float:
        """From the top of tall letters to the bottom of hanging ones, in pixels."""
        return self.bottom - self.top

    def _advance(self, text: str) -> float:
        width = self._widths.get(text)
        if width is None:
            width = self._widths[text] = self._font.ink.getlength(text) / self.fine
        return width

    def edges(self, text: str, spread: float = 0.0) -> list[float]:
        """Where each character begins, and where the last ends, in pixels; `spread` widens every space."""
        at, places, before = 0.0, [0.0], ""
        advance, kerned = self._advance, self.size >= KERNED
        for letter in text:
            if kerned and before:
                at += advance(before + letter) - advance(before) - advance(letter)
                places[-1] = at
            at += advance(letter)
            if letter == " ":
                at += spread
            places.append(at)
            before = letter
        return places

    def length(self, text: str) -> float:
        """How wide the text runs, in pixels."""
        return self.edges(text)[-1]

    def glyph(self, letter: str) -> Glyph:
        """The letter's ink, drawn once."""
        known = self._glyphs.get(letter)
        if known is None:
            known = self._glyphs[letter] = Glyph(self._font, letter)
        return known

    def mask(self, text: str, edges: list[float]) -> tuple[Image.Image, int, int]:
        """How much of each pixel the line covers; how far left and above of its start the mask begins."""
        fine, margin, up = self.fine, 2 + self.size // 3, round(-self.top) + self.size // 3
        width, height = int(edges[-1]) + 2 * margin + 1, up + round(self.bottom) + margin
        mask = Image.new("L", (width * fine, height * fine))
        pen, x, y = ImageDraw.Draw(mask), margin * fine, up * fine
        for letter, edge in zip(text, edges, strict=False):
            if letter != " ":
                glyph = self.glyph(letter)
                pen.bitmap((x + round(edge * fine) + glyph.left, y + glyph.top), glyph.mask, fill=255)
        return (mask.reduce(fine) if fine > 1 else mask), margin, up

    def wrap(self, text: str, width: float, indent: float = 0.0) -> list[str]:
        """The text in lines no wider than `width`, broken at spaces; the first begins at `indent`.

        Words that are wider than a line are left out, so that nothing ever stands out of its column.
        """
        lines: list[str] = []
        at, space = 0.0, self._advance(" ")
        for run in text.split(" "):
            wide = self.length(run)
            if wide > width - (0 if lines else indent):
                continue
            if lines and at + space + wide <= width:
                lines[-1] += f" {run}"
                at += space + wide
            else:
                at = wide if lines else wide + indent
                lines.append(run)
        return lines


def kinds_of(text: str) -> NDArray[np.uint8]:
    """The class of each character."""
    return _KINDS[np.frombuffer(text.encode("ascii"), np.uint8)]


@lru_cache(maxsize=512)
def type_of(face: Face, size: int, soft: bool) -> Type:
    """The face at this size, opened once."""
    return Type(face, size, soft)


def set_line(
    canvas: Canvas,
    text: str,
    type_: Type,
    x: float,
    baseline: float,
    paint: Ink,
    colour: int,
    thing: int,
    spread: float = 0.0,
) -> tuple[Edges, tuple[Word, ...]]:
    """Print one line from `x` on, as `printing.print_line` does; gives its box and its words.

    The box runs from the first character's cell to the last one's, and from tall letters' tops to the
    bottoms of hanging ones, cut at the picture's edge.
    """
    x, baseline = round(x), round(baseline)
    edges = type_.edges(text, spread)
    top, bottom = baseline + type_.top, baseline + type_.bottom
    width, height = canvas.size
    columns = np.clip(np.rint(np.array(edges) + x), 0, width).astype(np.int64)
    columns = np.maximum.accumulate(columns)
    window = np.s_[max(0, round(top)) : min(height, round(bottom)), columns[0] : columns[-1]]
    canvas.kind_map[window] = np.repeat(kinds_of(text), np.diff(columns))
    canvas.thing_map[window] = thing
    mask, margin, up = type_.mask(text, edges)
    canvas.stamp(mask, x - margin, baseline - up, paint, (None, colour, thing), FAINT)
    words = []
    start = 0
    for run in text.split(" "):
        stop = start + len(run)
        if run:
            words.append(Word(run, canvas.inside((x + edges[start], top, x + edges[stop], bottom))))
        start = stop + 1
    return canvas.inside((x + edges[0], top, x + edges[-1], bottom)), tuple(words)
