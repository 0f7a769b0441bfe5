"""A surface on which everything is drawn twice at once: into the picture, and into the maps of its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from omma.sample import Size
from omma.synth.colours import Ink
from omma.synth.world import Edges, Thing, Word

Points: TypeAlias = NDArray[np.float64]  # (N, 2): x, y


class Canvas:
    """A picture and its three maps. Coordinates are float pixels, x to the right and y downwards."""

    def __init__(self, ground: Image.Image, colour: int) -> None:
        self.picture = ground
        self.colour = colour  # of the ground, in COLOURS
        self.size = Size(*ground.size)
        shape = (self.size.height, self.size.width)
        self.kind_map = np.zeros(shape, np.uint8)
        self.colour_map = np.full(shape, colour, np.uint8)
        self.thing_map = np.full(shape, -1, np.int16)

    def fill(
        self, rings: Sequence[Points], paint: Ink | Image.Image, mark: Mark, holes: Sequence[Points] = ()
    ) -> None:
        """Paint closed polygons with soft edges, `holes` left open. Half covered pixels are marked."""
        mask, x, y = _mask(rings, holes, None, self.size)
        if mask is not None:
            self.stamp(mask, x, y, paint, mark)

    def stroke(self, rings: Sequence[Points], width: float, paint: Ink, mark: Mark) -> None:
        """Draw along closed polygons, `width` pixels wide."""
        mask, x, y = _mask(rings, (), width, self.size)
        if mask is not None:
            self.stamp(mask, x, y, paint, mark)

    def block(self, box: Edges, corner: float, paint: Ink, mark: Mark) -> None:
        """Paint an upright rectangle on whole pixels, with round corners of this radius."""
        x1, y1, x2, y2 = (round(edge) for edge in box)
        radius = round(min(corner, (x2 - x1) / 2, (y2 - y1) / 2))
        if x2 <= x1 or y2 <= y1:
            return
        self.stamp(_block_mask(x2 - x1, y2 - y1, radius), x1, y1, paint, mark)

    def outline(self, rings: Sequence[Points], width: float, paint: Ink, mark: Mark) -> None:
        """A hollow thing: its line is painted; what it encloses is its own, in the ground's colour."""
        kind, _, thing = mark
        mask, x, y = _mask(rings, (), None, self.size)
        if mask is not None:
            self._mark(mask, x, y, (kind, self.colour, thing))
        self.stroke(rings, width, paint, mark)

    def stamp(
        self, mask: Image.Image, x: int, y: int, paint: Ink | Image.Image, mark: Mark, least: int = 128
    ) -> None:
        """Paint through a mask with its corner at (x, y); pixels covered by `least` of 255 are marked."""
        if x < 0 or y < 0 or x + mask.width > self.size.width or y + mask.height > self.size.height:
            left, top = max(0, -x), max(0, -y)
            right, bottom = min(mask.width, self.size.width - x), min(mask.height, self.size.height - y)
            if right <= left or bottom <= top:
                return
            mask = mask.crop((left, top, right, bottom))
            x, y = x + left, y + top
        if isinstance(paint, Image.Image):
            self.picture.paste(paint.resize(mask.size), (x, y), mask)
        else:
            self.picture.paste(paint, (x, y, x + mask.width, y + mask.height), mask)
        self._mark(mask, x, y, mark, least)

    def _mark(self, mask: Image.Image, x: int, y: int, mark: Mark, least: int = 128) -> None:
        covered = np.asarray(mask) >= least
        window = np.s_[y : y + mask.height, x : x + mask.width]
        kind, colour, thing = mark
        if kind is not None:
            self.kind_map[window][covered] = kind
        self.colour_map[window][covered] = colour
        self.thing_map[window][covered] = thing

    def cell(self, box: Edges, kind: int, thing: int) -> None:
        """Mark a rectangle in the maps only."""
        x1, y1, x2, y2 = (max(0, round(edge)) for edge in box)
        self.kind_map[y1:y2, x1:x2] = kind
        self.thing_map[y1:y2, x1:x2] = thing

    def inside(self, box: Edges) -> Edges:
        """The part of a box that lies in the picture."""
        width, height = (float(side) for side in self.size)
        x1, y1, x2, y2 = box
        return (
            max(0.0, min(x1, width)),
            max(0.0, min(y1, height)),
            max(0.0, min(x2, width)),
            max(0.0, min(y2, height)),
        )

    def turn(self, things: list[Thing], degrees: float, paint: Ink) -> list[Thing]:
        """Turn everything counterclockwise about the middle, `paint` behind; gives the things as turned."""
        angle = np.deg2rad(degrees)
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        x, y = self.size.width / 2, self.size.height / 2
        # For each new place the old one: PIL reads the six numbers as (a, b, c, d, e, f).
        back = (cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y)
        self.picture = self.picture.transform(
            self.size, Image.Transform.AFFINE, back, Image.Resampling.BILINEAR, fillcolor=paint
        )
        planes = np.dstack([self.kind_map, self.colour_map, (self.thing_map + 1).astype(np.uint8)])
        moved = np.array(
            Image.fromarray(planes).transform(
                self.size,
                Image.Transform.AFFINE,
                back,
                Image.Resampling.NEAREST,
                fillcolor=(0, self.colour, 0),
            )
        )
        self.kind_map, self.colour_map = moved[:, :, 0].copy(), moved[:, :, 1].copy()
        self.thing_map = moved[:, :, 2].astype(np.int16) - 1

        def turned(box: Edges) -> Edges:
            corners = np.array([(box[i], box[j]) for i in (0, 2) for j in (1, 3)]) - (x, y)
            ends = np.clip(corners @ np.array([[cos, -sin], [sin, cos]]) + (x, y), 0, self.size)
            low, high = ends.min(0), ends.max(0)
            return float(low[0]), float(low[1]), float(high[0]), float(high[1])

        return [
            replace(
                thing, box=turned(thing.box), words=tuple(Word(w.text, turned(w.box)) for w in thing.words)
            )
            for thing in things
        ]

    def seen(self, thing: int, box: Edges) -> Edges | None:
        """The box of what can still be seen of a thing inside a box, to the pixel; None when it is hidden."""
        left, top = int(box[0]), int(box[1])
        there = self.thing_map[top : int(box[3]) + 2, left : int(box[2]) + 2] == thing
        rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
        if not len(rows):
            return None
        x1, y1, x2, y2 = left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1
        return float(x1), float(y1), float(x2), float(y2)


# What the maps say of painted pixels: class (None keeps what is there), colour, thing.
Mark: TypeAlias = tuple[int | None, int, int]


def _mask(
    rings: Sequence[Points], holes: Sequence[Points], width: float | None, size: Size
) -> tuple[Image.Image | None, int, int]:
    """How much of each pixel is covered (0 to 255), and where the mask's corner stands."""
    whole = np.concatenate(list(rings))
    margin = 1.0 if width is None else width / 2 + 1
    low, high = whole.min(0) - margin, whole.max(0) + margin
    x1, y1 = max(0, int(low[0])), max(0, int(low[1]))
    x2, y2 = min(size.width, int(high[0]) + 1), min(size.height, int(high[1]) + 1)
    if x2 <= x1 or y2 <= y1:
        return None, 0, 0
    side = max(x2 - x1, y2 - y1)
    fine = 4 if side <= 64 else 3 if side <= 140 else 2
    mask = Image.new("L", ((x2 - x1) * fine, (y2 - y1) * fine))
    pen = ImageDraw.Draw(mask)
    # A polygon's corner names a pixel's middle, so that half a fine pixel is taken off.
    shift = np.array([x1, y1]) * fine + 0.5
    for ring in rings:
        points = (ring * fine - shift).ravel().tolist()
        if width is None:
            pen.polygon(points, fill=255)
        else:
            pen.line([*points, *points[:4]], fill=255, width=max(1, round(width * fine)), joint="curve")
    for hole in holes:
        pen.polygon((hole * fine - shift).ravel().tolist(), fill=0)
    return mask.reduce(fine), x1, y1


@lru_cache(maxsize=4096)
def _block_mask(width: int, height: int, radius: int) -> Image.Image:
    """A rectangle with soft round corners."""
    mask = Image.new("L", (width, height), 255)
    if radius > 0:
        fine = 4
        disc = Image.new("L", (2 * radius * fine, 2 * radius * fine))
        ImageDraw.Draw(disc).ellipse((0, 0, 2 * radius * fine - 1, 2 * radius * fine - 1), fill=255)
        disc = disc.reduce(fine)
        for x, column in ((0, 0), (width - radius, radius)):
            for y, row in ((0, 0), (height - radius, radius)):
                mask.paste(disc.crop((column, row, column + radius, row + radius)), (x, y))
    return mask
