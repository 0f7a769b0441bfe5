"""Places in a picture as truths name them: boxes that a point can lie in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from omma.sample import Size


def sound_box(box: Any) -> bool:
    """Whether it is [x1, y1, x2, y2] with an inside: finite sides, the upper left corner first."""
    if not (isinstance(box, list) and len(box) == 4):
        return False
    if not all(type(side) in (int, float) and math.isfinite(side) for side in box):
        return False
    return bool(box[0] < box[2] and box[1] < box[3])


def inside(box: Sequence[float], size: Size) -> bool:
    """Whether a box lies wholly in a picture of this size."""
    return box[0] >= 0 and box[1] >= 0 and box[2] <= size.width and box[3] <= size.height
