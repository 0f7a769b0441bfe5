"""Setting lines of type on a canvas: the ink in the picture, each character's cell in the maps."""

from __future__ import annotations

from PIL import ImageDraw

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
    ImageDraw.Draw(canvas.picture).text((x, baseline), text, fill=paint, font=font.ink, anchor="ls")
    edges = [x + edge for edge in font.edges(text)]
    top, bottom = baseline + font.top, baseline + font.bottom
    for letter, left, right in zip(text, edges, edges[1:], strict=False):
        canvas.cell((left, top, right, bottom), class_of(letter), thing)
    canvas.recolour(_inside((edges[0], top, edges[-1], bottom), canvas), paint, colour)
    words = []
    start = 0
    for run in text.split(" "):
        stop = start + len(run)
        if run:
            words.append(Word(run, _inside((edges[start], top, edges[stop], bottom), canvas)))
        start = stop + 1
    return _inside((edges[0], top, edges[-1], bottom), canvas), tuple(words)


def _inside(box: Edges, canvas: Canvas) -> Edges:
    """The part of a box that lies in the picture."""
    width, height = canvas.size
    return (
        min(max(0.0, box[0]), width), min(max(0.0, box[1]), height),
        min(max(0.0, box[2]), width), min(max(0.0, box[3]), height),
    )  # fmt: skip
