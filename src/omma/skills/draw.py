"""Draw what was found on a copy of the picture: crisp outlines, legible labels, a colour for each label."""

from __future__ import annotations

from collections.abc import Sequence

import PIL.Image
from PIL import ImageDraw, ImageFont

from omma.chat import Image, MediaSource
from omma.prep.boxes import Box, Point
from omma.prep.pictures import open_picture
from omma.prep.polygons import Polygon
from omma.skills.read import Line

# Okabe and Ito's colours, which people who see few colours tell apart, and whether words on them are dark.
COLOURS: tuple[tuple[str, bool], ...] = (
    ("#D55E00", False),
    ("#0072B2", False),
    ("#009E73", False),
    ("#CC79A7", True),
    ("#E69F00", True),
    ("#56B4E9", True),
    ("#F0E442", True),
)

LONGEST = 40  # letters of a label

Shape = Box | Point | Polygon


def draw_boxes(picture: MediaSource | Image, found: Sequence[Shape | Line | None]) -> PIL.Image.Image:
    """A copy of the picture, upright and in RGB, with all that was found on it. None is passed over."""
    source = picture.source if isinstance(picture, Image) else picture
    drawn = open_picture(source).copy()
    pen = ImageDraw.Draw(drawn)
    unit = max(1, round(min(drawn.size) / 300))
    font = ImageFont.load_default(max(11, round(min(drawn.size) / 32)))
    shapes = [shape for one in found if (shape := _shape(one)) is not None]
    labels = list(dict.fromkeys(shape.label for shape in shapes))
    for shape in shapes:
        colour, dark = COLOURS[labels.index(shape.label) % len(COLOURS)]
        corner = _outline(pen, shape, colour, unit)
        if shape.label:
            text = " ".join(shape.label[:LONGEST].split())
            _label(pen, drawn.size, corner, text, font, colour, "black" if dark else "white")
    return drawn


def _shape(one: Shape | Line | None) -> Shape | None:
    """A line is its outline with no label: its words already stand in the picture."""
    if isinstance(one, Line):
        if one.quad is not None:
            return Polygon(one.quad.corners)
        return one.box and Box(one.box.x1, one.box.y1, one.box.x2, one.box.y2)
    return one


def _outline(pen: ImageDraw.ImageDraw, shape: Shape, colour: str, unit: int) -> tuple[float, float]:
    """Draw with a white rim, so that it is seen on any ground; give the corner the label hangs on."""
    if isinstance(shape, Polygon):
        ring = [*shape.corners, *shape.corners[:2]]
        pen.line(ring, fill="white", width=unit * 4, joint="curve")
        pen.line(ring, fill=colour, width=unit * 2, joint="curve")
        return shape.box.x1, shape.box.y1
    if isinstance(shape, Box):
        corners = (shape.x1, shape.y1, shape.x2, shape.y2)
        rim = (shape.x1 - unit, shape.y1 - unit, shape.x2 + unit, shape.y2 + unit)
        pen.rectangle(rim, outline="white", width=unit * 4)
        pen.rectangle(corners, outline=colour, width=unit * 2)
        return shape.x1, shape.y1
    for radius, fill in ((unit * 6, "white"), (unit * 5, colour), (unit * 2, "white")):
        pen.ellipse((shape.x - radius, shape.y - radius, shape.x + radius, shape.y + radius), fill=fill)
    return shape.x + unit * 6, shape.y - unit * 6


def _label(
    pen: ImageDraw.ImageDraw,
    size: tuple[int, int],
    corner: tuple[float, float],
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    colour: str,
    ink: str,
) -> None:
    """A plate above the corner, or below it where there is no room, wholly inside the picture."""
    left, _, right, _ = pen.textbbox((0, 0), text, font=font)
    _, top, _, bottom = pen.textbbox((0, 0), "Ág", font=font)  # every plate is as high as any letter needs
    pad = (bottom - top) * 0.15
    width, height = right - left + 2 * pad, bottom - top + 2 * pad
    x = max(0.0, min(corner[0], size[0] - width))
    y = corner[1] - height if corner[1] >= height else corner[1]
    y = max(0.0, min(y, size[1] - height))
    pen.rectangle((x, y, x + width, y + height), fill=colour)
    pen.text((x + pad - left, y + pad - top), text, font=font, fill=ink)
