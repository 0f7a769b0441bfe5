"""The world of scenes: shapes and simple drawn things in named colours, on every sort of ground."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

import numpy as np
from PIL import Image

from omma.sample import Size
from omma.synth.canvas import Canvas, Mark, Points
from omma.synth.colours import NAMED, Ink, called, colour_of, distance, ink, luminance, shade
from omma.synth.grounds import Ground, ground
from omma.synth.outlines import Layer
from omma.synth.places import reading_order, room
from omma.synth.shapes import LONG, ROUND, choose_layers
from omma.synth.world import OBJECTS, SHAPES, Drawing, Edges, Thing, class_of

FEWEST, MOST = (1, 1, 2, 3), (2, 4, 6, 8)  # things, by level
SIDES = ((0.34, 0.68), (0.2, 0.5), (0.13, 0.45), (0.09, 0.4))  # of the shorter side, by level
NEVER_HOLLOW = ("circle", "ring", "crescent", "sun")
ARROWS = ("right", "down", "left", "up")


@dataclass(frozen=True)
class Wish:
    """A thing that is to be drawn: everything about it but its place."""

    kind: str
    colour: str
    ink: Ink
    edge: Ink
    style: str  # "flat" | "edged" | "hollow" | "shaded"
    rings: tuple[tuple[Layer, tuple[Points, ...], tuple[Points, ...]], ...]
    width: float
    height: float
    state: str = ""


def scene(size: Size, level: int, dice: Random) -> Drawing:
    """A scene of 1 to 8 things. Below level 3 nothing hides anything."""
    base = ground(size, level, dice)
    canvas = Canvas(base.picture, colour_of(base.colour))
    taken: list[Edges] = []
    things: list[Thing] = []
    flat = dice.random() < 0.4
    gap = 0.02 * min(size) + 1
    hidden = 0.12 if level == 3 and dice.random() < 0.4 else 0.0
    rows = _rows(size, dice) if level and dice.random() < 0.2 else None
    for kind, colour in _cast(level, base, dice):
        wish = devise(kind, colour, base, size, level, flat, dice)
        box = rows.next(wish.width, wish.height) if rows else None
        if box is None and (rows is None or not things):
            rows = None
            box = room(taken, wish.width, wish.height, size, dice, gap, hidden)
        if box is not None:
            taken.append(box)
            things.append(put(canvas, wish, box, len(things)))
    return arrange(canvas, things, base.colour)


def arrange(canvas: Canvas, things: list[Thing], colour: str) -> Drawing:
    """The drawing with its things in reading order, each with the box of what is seen of it."""
    things = [visible(canvas, number, thing) for number, thing in enumerate(things)]
    order = reading_order(things, canvas.size)
    renumber(canvas, order)
    return Drawing(
        canvas.picture, tuple(things[i] for i in order), "scenes", colour,
        canvas.kind_map, canvas.colour_map, canvas.thing_map,
    )  # fmt: skip


def _cast(level: int, base: Ground, dice: Random) -> list[tuple[str, str]]:
    """Kinds and colours that are to appear: mixed, several of one kind, or several of one colour."""
    colours = [name for name in NAMED if name != base.colour]
    kinds = SHAPES + OBJECTS
    count = dice.randint(1 if dice.random() < 0.15 else FEWEST[level], MOST[level])
    theme = dice.random()
    kind_weights = [2.0] * len(SHAPES) + [1.0] * len(OBJECTS)
    cast = list(zip(dice.choices(kinds, kind_weights, k=count), dice.choices(colours, k=count), strict=True))
    if theme < 0.3 and level:
        same = dice.randint(count // 2, count)
        cast = [(cast[0][0], colour) for _, colour in cast[:same]] + cast[same:]
    elif theme < 0.42 and level:
        same = dice.randint(1, count)
        cast = [(kind, cast[0][1]) for kind, _ in cast[:same]] + cast[same:]
    elif theme < 0.6 and level:
        same = dice.randint(count // 2, count)
        cast = [cast[0]] * same + cast[same:]
    return cast


def devise(
    kind: str,
    colour: str,
    base: Ground,
    size: Size,
    level: int,
    flat: bool,
    dice: Random,
    *,
    parts: tuple[Layer, ...] | None = None,
    share: float | None = None,
) -> Wish:
    """A thing of this kind and colour that shows on this ground, in a size and manner of the level.

    `parts` are its layers where none of the usual is wanted, `share` its longer side as a share of the
    picture's shorter one.
    """
    rgb = ink(colour, dice)
    style = _style(kind, base.shows(rgb), flat, dice)
    short = min(size)
    low, high = SIDES[level]
    side = short * (share or dice.uniform(low, high))
    stretch = dice.uniform(*LONG[kind]) if kind in LONG else 1.0
    stretch *= 1.0 if kind in ROUND or kind in LONG or flat else dice.uniform(0.85, 1.18)
    if dice.random() < 0.5 and kind in ("rectangle", "oval"):
        stretch = 1 / stretch
    turn, state = 0.0, ""
    if kind == "arrow":
        quarter = dice.randrange(4)
        turn, state = quarter * 90.0, ARROWS[quarter]
    if level and not flat and kind != "diamond":
        turn += dice.uniform(-10, 10) if dice.random() < 0.5 else 0.0
    mirror = kind != "arrow" and dice.random() < 0.5
    rings, width, height = _fit(parts or choose_layers(kind, dice), stretch, turn, mirror, side)
    edge = (20, 20, 20) if base.shows((20, 20, 20)) else (250, 250, 250)
    return Wish(kind, colour, rgb, edge, style, rings, width, height, state)


def _style(kind: str, shows: bool, flat: bool, dice: Random) -> str:
    style = "flat"
    if not shows:
        style = "edged"
    elif not flat:
        style = dice.choices(("flat", "edged", "hollow", "shaded"), (5, 2, 1.2, 1.2))[0]
    return "edged" if style == "hollow" and (kind in NEVER_HOLLOW or kind in OBJECTS) else style


def _fit(
    parts: tuple[Layer, ...], stretch: float, turn: float, mirror: bool, side: float
) -> tuple[tuple[tuple[Layer, tuple[Points, ...], tuple[Points, ...]], ...], float, float]:
    """Stretch, mirror, turn (degrees, clockwise) and scale to a longer side; the corner comes to (0, 0)."""
    angle = np.deg2rad(turn)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = np.diag([-stretch if mirror else stretch, 1.0]) @ matrix
    moved = [
        (part, tuple(ring @ matrix for ring in part.rings), tuple(hole @ matrix for hole in part.holes))
        for part in parts
    ]
    every = np.concatenate([ring for _, rings, _ in moved for ring in rings])
    low, high = every.min(0), every.max(0)
    scale = side / float((high - low).max())
    width, height = ((high - low) * scale).tolist()
    fitted = tuple(
        (part, tuple((r - low) * scale for r in rings), tuple((h - low) * scale for h in holes))
        for part, rings, holes in moved
    )
    return fitted, width, height


def put(canvas: Canvas, wish: Wish, box: Edges, number: int) -> Thing:
    """Draw it with its corner where the box has its own; gives the thing with the box of all its ink."""
    corner = np.array(box[:2])
    kind = class_of(wish.kind)
    side = max(wish.width, wish.height)
    pen = max(3.0, side * 0.06) if wish.style == "edged" else max(3.0, side * 0.09)
    for part, rings, holes in wish.rings:
        at = [ring + corner for ring in rings]
        gone = [hole + corner for hole in holes]
        if wish.style == "hollow":
            canvas.outline(at, pen, wish.ink, (kind, colour_of(wish.colour), number))
            continue
        if wish.style == "edged" and part.ink == "body":
            canvas.stroke(at + gone, pen, wish.edge, (kind, colour_of(called(wish.edge)), number))
        paint, mark = _paint(part.ink, wish, kind, number)
        canvas.fill(at, paint, mark, gone)
    size = canvas.size
    grow = pen / 2 if wish.style in ("edged", "hollow") else 0.0
    seen = (
        max(0.0, box[0] - grow), max(0.0, box[1] - grow),
        min(float(size.width), box[2] + grow), min(float(size.height), box[3] + grow),
    )  # fmt: skip
    return Thing(wish.kind, wish.colour, seen, size=size_word(side / min(size)), state=wish.state)


def _paint(name: str, wish: Wish, kind: int, number: int) -> tuple[Ink | Image.Image, Mark]:
    """The ink of one layer, and what the maps say of it."""
    body = colour_of(wish.colour)
    if name == "body":
        if wish.style == "shaded":
            return _sheen(wish.ink), (kind, body, number)
        return wish.ink, (kind, body, number)
    if name == "shade" or name == wish.colour:
        factor = 1.35 if luminance(wish.ink) < 50 else 0.72
        return shade(wish.ink, factor), (kind, 255, number)
    fixed = {"white": (255, 255, 255), "black": (20, 20, 20), "gray": (128, 128, 128), "brown": (139, 69, 19),
             "green": (34, 139, 34), "yellow": (255, 225, 0), "orange": (255, 140, 0)}[name]  # fmt: skip
    if distance(fixed, wish.ink) < 90:
        return shade(wish.ink, 1.5 if luminance(wish.ink) < 50 else 0.6), (kind, 255, number)
    return fixed, (kind, colour_of(name), number)


def _sheen(rgb: Ink) -> Image.Image:
    """The ink from a little lighter to a little darker, downwards."""
    ramp = Image.linear_gradient("L")
    return Image.composite(
        Image.new("RGB", ramp.size, shade(rgb, 0.82)), Image.new("RGB", ramp.size, shade(rgb, 1.12)), ramp
    )


def size_word(share: float) -> str:
    """Large, medium or small, by the longer side as a share of the picture's shorter side."""
    return "large" if share >= 0.4 else "small" if share < 0.2 else "medium"


def visible(canvas: Canvas, number: int, thing: Thing) -> Thing:
    """The thing with the box of what can be seen, where a part is covered or a tip is too fine to be seen."""
    box = canvas.seen(number, thing.box)
    if box is None or all(abs(a - b) <= 1.5 for a, b in zip(box, thing.box, strict=True)):
        return thing
    return replace(thing, box=box)


def renumber(canvas: Canvas, order: list[int]) -> None:
    """Let the map of things count in reading order."""
    if order == sorted(order):
        return
    table = np.full(len(order) + 1, -1, np.int16)
    for new, old in enumerate(order):
        table[old] = new
    canvas.thing_map = table[canvas.thing_map]


class _Rows:
    """Places in equal cells, row by row, as a page lays out its boxes."""

    def __init__(self, columns: int, rows: int, size: Size) -> None:
        self.cells = [(c, r) for r in range(rows) for c in range(columns)]
        self.width, self.height = size.width / columns, size.height / rows

    def next(self, width: float, height: float) -> Edges | None:
        """The next cell's middle; None when the thing is too large for a cell or no cell is left."""
        if not self.cells or width > self.width - 4 or height > self.height - 4:
            return None
        column, row = self.cells.pop(0)
        x = column * self.width + (self.width - width) / 2
        y = row * self.height + (self.height - height) / 2
        return x, y, x + width, y + height


def _rows(size: Size, dice: Random) -> _Rows:
    columns, rows = dice.choice(((2, 2), (3, 2), (2, 3), (3, 3), (4, 1), (3, 1), (2, 1), (4, 2)))
    return _Rows(columns, rows, size)
