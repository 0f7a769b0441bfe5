"""Quads and polygons in a model's text, read to pixels of the original picture and written from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from omma.chat import Seen
from omma.prep.boxes import Box, Point
from omma.prep.dialects import compact, dialect_of, frame_of, marked
from omma.prep.forms import found_rings

Corner = tuple[float, float]


@dataclass(frozen=True)
class Polygon:
    """Three corners or more, (x, y) in pixels of the original picture, in the order the outline goes.

    A quad has four: those of a line of text begin at its own top left and go round clockwise. Areas and
    overlaps are those of outlines that do not cross themselves.
    """

    corners: tuple[Corner, ...]
    label: str = ""
    score: float | None = None

    def __post_init__(self) -> None:
        """Corners may come as lists, as JSON has them. Raises ValueError for fewer than three."""
        corners = tuple((float(x), float(y)) for x, y in self.corners)
        if len(corners) < 3:
            raise ValueError(f"a polygon has {len(corners)} corners; wanted three or more")
        object.__setattr__(self, "corners", corners)

    @property
    def is_quad(self) -> bool:
        """Whether there are four corners."""
        return len(self.corners) == 4

    @property
    def box(self) -> Box:
        """The upright box around it, with the same label."""
        xs, ys = zip(*self.corners, strict=True)
        return Box(min(xs), min(ys), max(xs), max(ys), self.label, self.score)

    @property
    def area(self) -> float:
        """In square pixels."""
        return abs(sum(_cross((0.0, 0.0), a, b) for a, b in pairwise(_closed(self.corners)))) / 2

    def contains(self, point: Point) -> bool:
        """Whether the point lies inside; on the outline either may be told."""
        inside = False
        for (x1, y1), (x2, y2) in pairwise(_closed(self.corners)):
            if (y1 > point.y) != (y2 > point.y):
                inside ^= point.x < x1 + (point.y - y1) / (y2 - y1) * (x2 - x1)
        return inside

    def iou(self, other: Polygon) -> float:
        """Intersection over union, 0 to 1, of any two outlines, hollow ones too.

        Each is a sum of triangles from one place, some of them taken away, and triangles are easily cut.
        """
        middle = self.corners[0]
        both = 0.0
        for a, b in pairwise(_closed(self.corners)):
            for c, d in pairwise(_closed(other.corners)):
                first, second = [middle, a, b], [middle, c, d]
                both += _turn(first) * _turn(second) * _shared(first, second)
        both = abs(both)
        whole = self.area + other.area - both
        return min(1.0, both / whole) if whole > 0 else 0.0


def write_polygons(polygons: Sequence[Polygon], seen: Seen, *, key: str = "label") -> str:
    """Polygons in the dialect of the model that was shown the picture.

    JSON: ``[{"quad_2d":[x1,y1,…,x4,y4],"label":"…"}]`` for four corners, else "polygon_2d"; tags and marks:
    ``<ref>…</ref><quad>(x1,y1),…,(x4,y4)</quad>``, with as many corners as there are.
    """
    frame, dialect = frame_of(seen), dialect_of(seen.boxes)
    rings = [[frame.write(x, y) for x, y in polygon.corners] for polygon in polygons]
    if dialect.dress == "json":
        entries = []
        for polygon, ring in zip(polygons, rings, strict=True):
            numbers = [number for corner in ring for number in corner]
            labelled = {key: polygon.label} if polygon.label else {}
            entries.append({"quad_2d" if polygon.is_quad else "polygon_2d": numbers} | labelled)
        return compact(entries)
    before = [None, *(polygon.label for polygon in polygons)]
    told = zip(polygons, before, rings, strict=False)
    return "".join(marked(polygon.label, last, ring, "quad", dialect) for polygon, last, ring in told)


def parse_polygons(text: str, seen: Seen) -> list[Polygon]:
    """The quads and polygons in an answer, in their order. Never raises for any text.

    Corners outside the picture are moved to the nearest place in it; a polygon of which the box around it is
    wholly outside is left out.
    """
    return [
        Polygon(corners, label, score)
        for numbers, label, score in found_rings(text)
        if (corners := _placed(numbers, seen)) is not None
    ]


def parse_quads(text: str, seen: Seen) -> list[Polygon]:
    """Those polygons of an answer that have four corners."""
    return [polygon for polygon in parse_polygons(text, seen) if polygon.is_quad]


def ring_of(written: str, seen: Seen) -> Polygon | None:
    """The polygon of an attribute such as data-polygon="x1 y1 x2 y2 …"; None where it holds none."""
    words = re.findall(r"[^\s,;()]+", written)
    try:
        numbers = tuple(float(word) for word in words)
    except ValueError:
        return None
    corners = _placed(numbers, seen) if len(numbers) >= 6 and len(numbers) % 2 == 0 else None
    return None if corners is None else Polygon(corners)


def _placed(numbers: Sequence[float], seen: Seen) -> tuple[Corner, ...] | None:
    """Corners in pixels inside the picture; None where nothing of them is."""
    frame = frame_of(seen)
    corners = [frame.read(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    xs, ys = zip(*corners, strict=True)
    if not frame.holds(min(xs), min(ys), max(xs), max(ys)):
        return None
    return tuple(frame.inside(x, y) for x, y in corners)


def _closed(corners: Sequence[Corner]) -> list[Corner]:
    return [*corners, corners[0]]


def _cross(a: Corner, b: Corner, c: Corner) -> float:
    """Twice the area of a triangle, below nought where it goes round the other way."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _turn(triangle: list[Corner]) -> int:
    """1 or -1 by the way a triangle goes round, 0 where it is flat."""
    cross = _cross(triangle[0], triangle[1], triangle[2])
    return (cross > 0) - (cross < 0)


def _shared(one: list[Corner], other: list[Corner]) -> float:
    """The area that two triangles share: one is cut along each side of the other (Sutherland, Hodgman)."""
    left, turn = one, _turn(other)
    for a, b in pairwise(_closed(other)):
        kept: list[Corner] = []
        for p, q in pairwise(_closed(left) if left else []):
            side_p, side_q = turn * _cross(a, b, p), turn * _cross(a, b, q)
            if side_p >= 0:
                kept.append(p)
            if side_p * side_q < 0:
                share = side_p / (side_p - side_q)
                kept.append((p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])))
        left = kept
    return abs(sum(_cross(left[0], p, q) for p, q in pairwise(left))) / 2 if left else 0.0
