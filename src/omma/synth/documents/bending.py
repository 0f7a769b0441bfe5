"""Type that does not run straight across: turned, seen in perspective, or bent along an arc."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import cos, pi, sin
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omma.synth.canvas import Canvas, Points
from omma.synth.colours import Ink
from omma.synth.documents.type import Type, kinds_of
from omma.synth.printing import FAINT
from omma.synth.world import Edges, Word

Plane: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Flat:
    """A plane seen from somewhere: a 3 x 3 matrix takes places (x, y, 1) on it to places in the picture."""

    matrix: tuple[tuple[float, float, float], ...]

    def out(self, places: Points) -> Points:
        """Places on the plane, (N, 2), as places in the picture."""
        ends = np.column_stack([places, np.ones(len(places))]) @ np.array(self.matrix).T
        shown: Points = ends[:, :2] / ends[:, 2:]
        return shown

    @cached_property
    def _inverse(self) -> NDArray[np.float32]:
        return np.linalg.inv(np.array(self.matrix)).astype(np.float32)

    def back(self, x_W: Plane, y_H: Plane) -> tuple[Plane, Plane]:
        """For a window of the picture, columns by rows, the places on the plane: x (H, W) and y (H, W)."""
        m, x, y = self._inverse, x_W[None, :], y_H[:, None]
        depth = m[2, 0] * x + (m[2, 1] * y + m[2, 2])
        return (m[0, 0] * x + (m[0, 1] * y + m[0, 2])) / depth, (
            m[1, 0] * x + (m[1, 1] * y + m[1, 2])
        ) / depth


@dataclass(frozen=True)
class Arc:
    """A circle along which lines run: clockwise over its top, or, `under` it, left to right along its foot.

    A place on it is (along the arc from its highest or lowest point, below the baseline), in pixels.
    """

    middle: tuple[float, float]
    radius: float
    under: bool = False

    def out(self, places: Points) -> Points:
        """Places along the arc, (N, 2), as places in the picture."""
        sign = -1.0 if self.under else 1.0
        radius = self.radius - sign * places[:, 1]
        angle = places[:, 0] / self.radius
        x, y = self.middle[0] + radius * np.sin(angle), self.middle[1] - sign * radius * np.cos(angle)
        return np.column_stack([x, y])

    def back(self, x_W: Plane, y_H: Plane) -> tuple[Plane, Plane]:
        """For a window of the picture, columns by rows, the places along the arc: (H, W) each."""
        sign = np.float32(-1.0 if self.under else 1.0)
        x, y = (x_W - np.float32(self.middle[0]))[None, :], (np.float32(self.middle[1]) - y_H)[:, None]
        angle: Plane = np.arctan2(x, sign * y)
        below: Plane = sign * (np.float32(self.radius) - np.hypot(x, y))
        return angle * np.float32(self.radius), below


Surface: TypeAlias = Flat | Arc


def turned(degrees: float, middle: tuple[float, float], about: tuple[float, float]) -> Flat:
    """A plane turned clockwise, whose place `about` comes to stand at `middle` of the picture."""
    c, s = cos(degrees * pi / 180), sin(degrees * pi / 180)
    x = middle[0] - c * about[0] + s * about[1]
    y = middle[1] - s * about[0] - c * about[1]
    return Flat(((c, -s, x), (s, c, y), (0.0, 0.0, 1.0)))


def seen_through(corners: Points, width: float, height: float) -> Flat:
    """The plane whose rectangle from (0, 0) to (width, height) fills these corners, clockwise."""
    rows, ends = [], []
    for (x, y), (u, v) in zip(((0, 0), (width, 0), (width, height), (0, height)), corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        ends += [u, v]
    a, b, c, d, e, f, g, h = np.linalg.solve(np.array(rows, float), np.array(ends, float)).tolist()
    return Flat(((a, b, c), (d, e, f), (g, h, 1.0)))


def outline(box: Edges, steps: int = 1) -> Points:
    """Corners of a box, clockwise from its top left, with further places between on its long sides."""
    x1, y1, x2, y2 = box
    along = np.linspace(x1, x2, steps + 1)
    above, below = np.full(steps + 1, y1), np.full(steps + 1, y2)
    return np.concatenate([np.column_stack([along, above]), np.column_stack([along[::-1], below])])


def shown(surface: Surface, box: Edges) -> Points:
    """The outline in the picture of a box that lies on a surface: four corners, or many along an arc."""
    return surface.out(outline(box, 1 if isinstance(surface, Flat) else 12))


def upright(ring: Points) -> Edges:
    """The box around places of the picture."""
    (x1, y1), (x2, y2) = ring.min(0).tolist(), ring.max(0).tolist()
    return x1, y1, x2, y2


def lay_line(
    canvas: Canvas,
    surface: Surface,
    text: str,
    type_: Type,
    place: tuple[float, float],
    paint: Ink,
    colour: int,
    thing: int,
) -> tuple[Edges, tuple[Word, ...], Points]:
    """Print a line on a surface, its baseline's start at `place`; gives its box, its words, its outline."""
    edges = type_.edges(text)
    x, y = place
    cell: Edges = (x, y + type_.top, x + edges[-1], y + type_.bottom)
    ring = shown(surface, cell)
    low, high = np.floor(ring.min(0)) - type_.size // 2, np.ceil(ring.max(0)) + type_.size // 2
    left, top = np.maximum(low, 0).astype(int).tolist()
    right, bottom = np.minimum(high, canvas.size).astype(int).tolist()
    if right > left and bottom > top:
        at_x, at_y = surface.back(
            np.arange(left, right, dtype=np.float32) + np.float32(0.5),
            np.arange(top, bottom, dtype=np.float32) + np.float32(0.5),
        )
        along, below = at_x - np.float32(x), at_y - np.float32(y)
        inside = (along >= 0) & (along < edges[-1]) & (below >= type_.top) & (below < type_.bottom)
        columns = np.searchsorted(np.array(edges[1:-1], np.float32), along[inside], side="right")
        window = np.s_[top:bottom, left:right]
        canvas.kind_map[window][inside] = kinds_of(text)[columns]
        canvas.thing_map[window][inside] = thing
        mask = _sampled(type_, text, edges, along, below)
        canvas.stamp(mask, left, top, paint, (None, colour, thing), FAINT)
    words, start = [], 0
    for run in text.split(" "):
        stop = start + len(run)
        if run:
            part = (x + edges[start], cell[1], x + edges[stop], cell[3])
            words.append(Word(run, canvas.inside(upright(shown(surface, part)))))
        start = stop + 1
    return canvas.inside(upright(ring)), tuple(words), ring


def _sampled(type_: Type, text: str, edges: list[float], along: Plane, below: Plane) -> Image.Image:
    """The line's ink where it comes to stand, each pixel mixed from four of the straight line's."""
    straight, margin, up = type_.mask(text, edges)
    ink = np.asarray(straight, np.float32)
    height, width = ink.shape
    u, v = along + np.float32(margin - 0.5), below + np.float32(up - 0.5)
    near = (u >= 0) & (u < width - 1) & (v >= 0) & (v < height - 1)
    u, v = u[near], v[near]
    column, row = u.astype(np.int32), v.astype(np.int32)
    right, down = u - column, v - row
    flat, start = ink.ravel(), row * width + column
    upper = flat[start] * (1 - right) + flat[start + 1] * right
    lower = flat[start + width] * (1 - right) + flat[start + width + 1] * right
    mask = np.zeros(near.shape, np.uint8)
    mask[near] = upper * (1 - down) + lower * down
    return Image.fromarray(mask)
