"""Where things stand: places in words, reading order, and room for one more thing."""

from __future__ import annotations

from random import Random

from omma.sample import Size
from omma.synth.world import Edges, Thing

PLACES = (
    ("top left", "top", "top right"),
    ("left", "middle", "right"),
    ("bottom left", "bottom", "bottom right"),
)
_SAID = {"left": "on the left", "right": "on the right", "middle": "in the middle"}


def place(box: Edges, size: Size) -> str:
    """The ninth of the picture in which the middle of the box lies, in words."""
    column = min(2, int((box[0] + box[2]) * 1.5 / size.width))
    row = min(2, int((box[1] + box[3]) * 1.5 / size.height))
    return PLACES[row][column]


def place_said(name: str) -> str:
    """A place as it stands in a sentence: "at the top left", "on the left", "in the middle"."""
    return _SAID.get(name, f"at the {name}")


def clearly_placed(box: Edges, size: Size, margin: float = 0.04) -> bool:
    """Whether the middle of the box is well away from the borders between the ninths."""
    middles = ((box[0] + box[2]) / 2 / size.width, (box[1] + box[3]) / 2 / size.height)
    return all(min(abs(part - 1 / 3), abs(part - 2 / 3)) >= margin for part in middles)


def reading_order(things: list[Thing], size: Size) -> list[int]:
    """The order of being named: by the third of the picture the middle lies in, then from left to right."""

    def key(number: int) -> tuple[int, float, float]:
        x, y = things[number].centre
        return min(2, int(3 * y / size.height)), x, y

    return sorted(range(len(things)), key=key)


def overlap(a: Edges, b: Edges) -> float:
    """The area two boxes share, in square pixels."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)


def room(
    taken: list[Edges], width: float, height: float, size: Size, dice: Random, gap: float, hidden: float = 0.0
) -> Edges | None:
    """A free place for a box of this size, `gap` pixels from all others; None when 24 tries found none.

    `hidden` is the part of an earlier box that may be covered (0 to 1).
    """
    if width + 2 > size.width or height + 2 > size.height:
        return None
    for _ in range(24):
        x, y = dice.uniform(1, size.width - width - 1), dice.uniform(1, size.height - height - 1)
        wide = (x - gap, y - gap, x + width + gap, y + height + gap)
        if all(
            overlap(wide, box) <= hidden * min((box[2] - box[0]) * (box[3] - box[1]), width * height)
            for box in taken
        ):
            return x, y, x + width, y + height
    return None
