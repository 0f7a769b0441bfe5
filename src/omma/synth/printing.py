"""Setting lines of type on a canvas: the ink in the picture, each character's cell in the maps."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from PIL import Image, ImageDraw

from omma.synth.canvas import Canvas
from omma.synth.colours import NAMED, Ink, ink, luminance
from omma.synth.fonts import Font
from omma.synth.world import Edges, Word, class_of

FAINT = 96  # of 255: thin strokes at small sizes cover less than half a pixel, and are ink all the same


def readable(inks: Sequence[Ink], dice: Random) -> tuple[str | None, Ink]:
    """An ink that can be read on all of these, and its name: black or white mostly, else a named one."""
    back = sum(luminance(own) for own in inks) / len(inks)
    plain: tuple[str, Ink] = ("black", ink("black", dice)) if back > 120 else ("white", (255, 255, 255))
    if dice.random() < 0.55:
        return plain
    for _ in range(6):
        name = dice.choice(NAMED)
        rgb = ink(name, dice)
        if all(abs(luminance(rgb) - luminance(own)) > 85 for own in inks):
            return name, rgb
    return plain


def print_line(
    canvas: Canvas, text: str, font: Font, x: float, baseline: float, paint: Ink, colour: int, thing: int
) -> tuple[Edges, tuple[Word, ...]]:
    """Print one line from `x` on; gives its box and its words. `colour` is what the map says of the ink.

    The box runs from the first character's cell to the last one's, and from tall letters' tops to the
    bottoms of hanging ones, cut at the picture's edge.
    """
    x, baseline = round(x), round(baseline)
    edges = [x + edge for edge in font.edges(text)]
    top, bottom = baseline + font.top, baseline + font.bottom
    for letter, left, right in zip(text, edges, edges[1:], strict=False):
        canvas.cell((left, top, right, bottom), class_of(letter), thing)
    # A margin leaves room for what hangs over: slanted letters, brackets, swashes.
    margin, up = 2 + font.size // 3, round(-font.top) + font.size // 3
    mask = _mask(text, font, margin, up)
    canvas.stamp(mask, x - margin, baseline - up, paint, (None, colour, thing), FAINT)
    words = []
    start = 0
    for run in text.split(" "):
        stop = start + len(run)
        if run:
            words.append(Word(run, canvas.inside((edges[start], top, edges[stop], bottom))))
        start = stop + 1
    return canvas.inside((edges[0], top, edges[-1], bottom)), tuple(words)


def _mask(text: str, font: Font, margin: int, up: int) -> Image.Image:
    """How much of each pixel the line covers. It starts at `margin`; its baseline is `up` below the top."""
    width, height = round(font.length(text)) + 2 * margin, up + round(font.bottom) + margin
    mask = Image.new("L", (width * font.fine, height * font.fine))
    at = (margin * font.fine, up * font.fine)
    ImageDraw.Draw(mask).text(at, text, fill=255, font=font.ink, anchor="ls", features=font.features)
    return mask.reduce(font.fine) if font.fine > 1 else mask
