"""What outlines are made of: layers of closed polygons in a square from -1 to 1, y downwards."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from omma.synth.canvas import Points


@dataclass(frozen=True, eq=False)
class Layer:
    """Closed polygons painted with one ink: "body" (the thing's own), "shade" (a darker body) or a colour."""

    rings: tuple[Points, ...]
    ink: str = "body"
    holes: tuple[Points, ...] = ()


def layer(*rings: Points, ink: str = "body", holes: tuple[Points, ...] = ()) -> Layer:
    """A layer of these polygons."""
    return Layer(rings, ink, holes)


def corners(points: str) -> Points:
    """A polygon from its corners: "x,y x,y …"."""
    return np.array([[float(part) for part in corner.split(",")] for corner in points.split()])


def rect(x1: float, y1: float, x2: float, y2: float) -> Points:
    """An upright rectangle."""
    return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], float)


def disc(x: float = 0, y: float = 0, rx: float = 1, ry: float | None = None) -> Points:
    """An ellipse; a circle when one radius is given."""
    return arc(x, y, rx, rx if ry is None else ry, 0, 2)


def arc(x: float, y: float, rx: float, ry: float, start: float, turn: float) -> Points:
    """A part of an ellipse from `start` over `turn`, both in half turns, clockwise from the right."""
    angle = (start + np.linspace(0, turn, 48, endpoint=turn != 2)) * pi
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], 1)


def regular(count: int, inner: float | None = None, start: float = -0.5) -> Points:
    """A regular polygon with a corner at `start`; with `inner`, a star whose notches have that radius."""
    sides = count if inner is None else 2 * count
    angle = np.arange(sides) * 2 * pi / sides + start * pi
    radius = np.ones(sides)
    if inner is not None:
        radius[1::2] = inner
    return np.stack([np.cos(angle) * radius, np.sin(angle) * radius], 1)


def rays(count: int, near: float, half: float, width: float) -> tuple[Points, ...]:
    """Triangles around the middle, from radius `near` out to 1; `width` above 0 blunts their tips."""
    found = []
    for angle in np.arange(count) * 2 * pi / count:
        out = np.array([np.cos(angle), np.sin(angle)])
        side = np.array([-out[1], out[0]])
        found.append(
            np.stack(
                [out * near - side * half, out - side * width, out + side * width, out * near + side * half]
            )
        )
    return tuple(found)
