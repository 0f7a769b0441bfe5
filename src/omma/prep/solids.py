"""3D boxes in a model's text: metres before the camera, degrees, and their outline in the picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from omma.chat import Seen
from omma.prep.dialects import compact, dialect_of
from omma.prep.forms import groups_of, label_of, score_of
from omma.prep.loose import entries
from omma.sample import Size

Three = tuple[float, float, float]
DIGITS = 4  # behind the point, of what is written
HALF_TURN = 180.0  # degrees; a model counts a half turn as 1 (facts §7.1)
VIEW = 60.0  # degrees that a picture shows on each side where nothing is known of its camera


@dataclass(frozen=True)
class Camera:
    """How a camera throws space on a picture: focal lengths and the middle, all in pixels of the picture."""

    fx: float
    fy: float
    cx: float
    cy: float

    @classmethod
    def of(cls, picture: Size, view: float = VIEW) -> Camera:
        """A camera that sees `view` degrees from left to right, and as many from top to bottom."""
        far = 2 * math.tan(math.radians(view) / 2)
        return cls(picture.width / far, picture.height / far, picture.width / 2, picture.height / 2)

    def place(self, at: Three) -> tuple[float, float] | None:
        """Where a place in space is seen, in pixels; None for what is not before the camera."""
        x, y, z = at
        return (self.cx + self.fx * x / z, self.cy + self.fy * y / z) if z > 0 else None


@dataclass(frozen=True)
class Solid:
    """A box in space: its middle and sizes in metres, in the camera's axes (right, down, ahead).

    `turns` are degrees about those three axes, taken one after the other. The public prompt names the last
    three numbers roll, pitch, yaw; the code that draws them turns about x, y and z in this order.
    """

    middle: Three
    size: Three
    turns: Three = (0.0, 0.0, 0.0)
    label: str = ""
    score: float | None = None

    def __post_init__(self) -> None:
        """Triples may come as lists, as JSON has them."""
        for name in ("middle", "size", "turns"):
            x, y, z = getattr(self, name)
            object.__setattr__(self, name, (float(x), float(y), float(z)))

    @property
    def volume(self) -> float:
        """In cubic metres."""
        return math.prod(self.size)

    def contains(self, at: Three) -> bool:
        """Whether a place in space lies inside or on a face."""
        x, y, z = (a - m for a, m in zip(at, self.middle, strict=True))
        for axis in (2, 1, 0):
            x, y, z = _turned((x, y, z), axis, -self.turns[axis])
        return all(abs(a) <= abs(side) / 2 + 1e-9 for a, side in zip((x, y, z), self.size, strict=True))

    @property
    def corners(self) -> tuple[Three, ...]:
        """The eight corners in space."""
        return tuple(self._corners())

    def _corners(self) -> Iterator[Three]:
        for signs in product((-0.5, 0.5), repeat=3):
            x, y, z = (sign * side for sign, side in zip(signs, self.size, strict=True))
            for axis, degrees in enumerate(self.turns):
                x, y, z = _turned((x, y, z), axis, degrees)
            yield x + self.middle[0], y + self.middle[1], z + self.middle[2]

    def seen(self, camera: Camera) -> tuple[tuple[float, float] | None, ...]:
        """The eight corners in pixels, perhaps outside the picture; None for those behind the camera."""
        return tuple(camera.place(corner) for corner in self.corners)


def _turned(at: Three, axis: int, degrees: float) -> Three:
    """A place turned about one of the axes."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y, z = at
    if axis == 0:
        return x, y * cos - z * sin, y * sin + z * cos
    if axis == 1:
        return x * cos + z * sin, y, z * cos - x * sin
    return x * cos - y * sin, x * sin + y * cos, z


def write_solids(solids: Sequence[Solid], seen: Seen, *, key: str = "label") -> str:
    """3D boxes as every generation writes them, for only one does:

    ``[{"bbox_3d":[x,y,z,width,height,depth,about x,about y,about z],"label":"…"}]`` in metres and half turns.
    """
    dialect_of(seen.boxes)
    written = []
    for solid in solids:
        turns = (turn / HALF_TURN for turn in solid.turns)
        numbers = [_short(number) for number in (*solid.middle, *solid.size, *turns)]
        written.append({"bbox_3d": numbers} | ({key: solid.label} if solid.label else {}))
    return compact(written)


def parse_solids(text: str, seen: Seen) -> list[Solid]:
    """The 3D boxes in an answer, in their order. Never raises for any text.

    Metres do not hang on the picture's size. A box with a size below nought is left out.
    """
    dialect_of(seen.boxes)
    solids = []
    for entry in entries(text):
        for numbers in groups_of(entry, 9):
            middle, size, turns = numbers[:3], numbers[3:6], [turn * HALF_TURN for turn in numbers[6:]]
            if min(size) >= 0 and all(map(math.isfinite, turns)):
                solids.append(Solid(middle, size, tuple(turns), label_of(entry), score_of(entry)))  # type: ignore[arg-type]
    return solids


def _short(number: float) -> int | float:
    """Few digits; whole numbers without a point."""
    rounded = round(number, DIGITS)
    return int(rounded) if rounded == int(rounded) else rounded
