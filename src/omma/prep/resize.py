"""The size a picture is brought to for the tower: whole cells, between two areas, its shape kept."""

from __future__ import annotations

import math

from omma.errors import BadPicture
from omma.sample import Size

LONGEST_RATIO = 200


def smart_resize(size: Size, *, factor: int, min_pixels: int, max_pixels: int) -> Size:
    """The nearest size whose sides are multiples of `factor` and whose area lies between the limits.

    Areas are in pixels. Halves round to even; the raw sides decide the scale (facts §6.2). A very long
    picture can end a little outside the limits, since no side goes below `factor`.
    Raises BadPicture when a side is missing or one side is over 200 times the other.
    """
    width, height = size
    if min(width, height) < 1:
        raise BadPicture(f"the picture is {width}×{height}; wanted at least one pixel on each side")
    if (ratio := max(width, height) / min(width, height)) > LONGEST_RATIO:
        raise BadPicture(
            f"the picture is {width}×{height}, one side {ratio:.0f} times the other; "
            f"at most {LONGEST_RATIO} times is understood, so cut it into parts"
        )
    if not 0 < min_pixels <= max_pixels:
        raise BadPicture(
            f"the limits min_pixels {min_pixels} and max_pixels {max_pixels} leave no size between"
        )
    rounded = Size(round(width / factor) * factor, round(height / factor) * factor)
    area = rounded.width * rounded.height
    if area > max_pixels:
        shrink = math.sqrt(width * height / max_pixels)
        return Size(*(max(factor, math.floor(side / shrink / factor) * factor) for side in size))
    if area < min_pixels:
        grow = math.sqrt(min_pixels / (width * height))
        return Size(*(math.ceil(side * grow / factor) * factor for side in size))
    return rounded
