"""Small framed drawings, as they stand between the paragraphs of a page and above a letterhead."""

from __future__ import annotations

from random import Random

import numpy as np

from omma.synth.colours import Ink, called, colour_of, ink, luminance, named, shade
from omma.synth.documents.sheet import Sheet
from omma.synth.shapes import choose_layers
from omma.synth.world import OBJECTS, SHAPES, Edges, Thing, class_of

INKS = ("blue", "red", "green", "orange", "purple", "brown", "cyan")


def figure(sheet: Sheet, box: Edges, dice: Random) -> None:
    """A frame with one to three shapes or objects side by side."""
    back: Ink = dice.choice(((240, 243, 247), (245, 245, 240), (232, 238, 245), sheet.look.paper))
    sheet.fill(box, back)
    if dice.random() < 0.6:
        sheet.frame(box)
    sheet.add(Thing("picture", None, sheet.canvas.inside(box)))
    x1, y1, x2, y2 = box
    count = dice.randint(1, 3)
    side = 0.8 * min((x2 - x1) / count, y2 - y1)
    for number in range(count):
        middle = x1 + (x2 - x1) * (number + 0.5) / count, (y1 + y2) / 2
        emblem(sheet, dice.choice(SHAPES + OBJECTS), middle, side * dice.uniform(0.6, 1.0), back, dice)


def emblem(sheet: Sheet, kind: str, middle: tuple[float, float], side: float, back: Ink, dice: Random) -> int:
    """One shape or object of this size about a middle; gives its thing's number."""
    rgb = ink(dice.choice(INKS), dice)
    while abs(luminance(rgb) - luminance(back)) < 50:
        rgb = ink(dice.choice((*INKS, "black", "yellow")), dice)
    parts = choose_layers(kind, dice)
    every = np.concatenate([ring for part in parts for ring in part.rings])
    low, high = every.min(0), every.max(0)
    scale = side / float((high - low).max())
    corner = np.array(middle) - (high - low) * scale / 2
    mark = (class_of(kind), colour_of(called(rgb)), len(sheet.things))
    for part in parts:
        paint = rgb if part.ink == "body" else shade(rgb, 0.7)
        rings, holes = (
            [(ring - low) * scale + corner for ring in group] for group in (part.rings, part.holes)
        )
        sheet.canvas.fill(rings, paint, mark, holes)
    wide, tall = ((high - low) * scale).tolist()
    x, y = corner.tolist()
    return sheet.add(Thing(kind, named(rgb), sheet.canvas.inside((x, y, x + wide, y + tall))))
