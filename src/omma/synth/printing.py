"""Setting lines of type on a canvas: the ink in the picture, each character's cell in the maps."""

from __future__ import annotations

from PIL import Image, ImageDraw

from omma.synth.canvas import Canvas
from omma.synth.colours import Ink
from omma.synth.fonts import Font
from omma.synth.world import Edges, Word, class_of


def print_line(
    canvas: Canvas, text: str, font: Font, x: float, baseline: float, paint: Ink, colour: int, thing: int
) -> tuple[Edges, tuple[Word, ...]]:
    """Print one line from `x` on; gives its box and its words. `colour` is what the map says of the ink.

    The box runs from the first character's cell to the last one's, and from tall letters' tops to the
    bottoms of hanging ones, cut at the picture's edge.
    """
    x, baseline = float(round(x)), float(round(baseline))
    if font.soft:
        _print_soft(canvas, text, font, x, baseline, paint)
    else:
        ImageDraw.Draw(canvas.picture).text((x, baseline), text, fill=paint, font=font.ink, anchor="ls")
    edges = [x + edge for edge in font.edges(text)]
    top, bottom = baseline + font.top, baseline + font.bottom
    for letter, left, right in zip(text, edges, edges[1:], strict=False):
        canvas.cell((left, top, right, bottom), class_of(letter), thing)
    canvas.recolour(canvas.inside((edges[0], top, edges[-1], bottom)), paint, colour)
    words = []
    start = 0
    for run in text.split(" "):
        stop = start + len(run)
        if run:
            words.append(Word(run, canvas.inside((edges[start], top, edges[stop], bottom))))
        start = stop + 1
    return canvas.inside((edges[0], top, edges[-1], bottom)), tuple(words)


def _print_soft(canvas: Canvas, text: str, font: Font, x: float, baseline: float, paint: Ink) -> None:
    """Print at the font's finer scale and bring it down; a margin leaves room for overhanging letters."""
    fine, margin = font.fine, 4 + font.size // 2
    width, height = round(font.length(text)) + 2 * margin, round(font.height) + 2 * margin
    mask = Image.new("L", (width * fine, height * fine))
    at = (margin * fine, (margin - font.top) * fine)
    ImageDraw.Draw(mask).text(at, text, fill=255, font=font.ink, anchor="ls")
    corner = (round(x) - margin, round(baseline + font.top) - margin)
    canvas.picture.paste(paint, (*corner, corner[0] + width, corner[1] + height), mask.reduce(fine))
