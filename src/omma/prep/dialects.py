"""How each generation writes places: the numbers it counts a side by, and the dress it puts them in."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Literal

from omma.chat import Seen
from omma.errors import BadInput
from omma.sample import Size

WHOLE = 1000  # what a side counts where it is counted in steps


@dataclass(frozen=True)
class Dialect:
    """A generation's way to write places (facts §7.1).

    `dress` is what stands around the numbers: "json" objects, the "tags" of 2023 (``<box>``), or Qwen2-VL's
    "marks" (``<|box_start|>``). `steps` is what any side counts; None: the pixels of the resized picture.
    Where `cut`, numbers are cut down and end below `steps`, else they are rounded and `steps` is among them.
    `clock` says that times are written as minutes and seconds, "01:02.50", and not as seconds (facts §7.4).
    `shifted` says that the model's time begins with the first frame it is shown, not with the video.
    """

    dress: Literal["json", "tags", "marks"] = "json"
    steps: int | None = WHOLE
    cut: bool = False
    clock: bool = False
    shifted: bool = True
    span: tuple[str, str, str] = ("start_time", "end_time", "description")  # the keys of an event

    def units(self, resized: Size) -> Size:
        """What a whole side counts, in the model's numbers."""
        return resized if self.steps is None else Size(self.steps, self.steps)


# The names that ModelSpec.boxes may have.
DIALECTS = {
    "tags": Dialect("tags", cut=True),  # Qwen-VL and Qwen-VL-Chat, 2023
    "marks": Dialect("marks", cut=True),  # Qwen2-VL
    "pixels": Dialect(steps=None, clock=True),  # Qwen2.5-VL
    "relative": Dialect(shifted=False),  # Qwen3-VL
    "grid": Dialect(cut=True, span=("start", "end", "label")),  # omma-nano
}


def dialect_of(name: str) -> Dialect:
    """The dialect by its name in ModelSpec.boxes. Raises BadInput when nobody speaks it."""
    try:
        return DIALECTS[name]
    except KeyError:
        raise BadInput(f"no dialect of boxes is called {name!r}; wanted {' or '.join(DIALECTS)}") from None


@dataclass(frozen=True)
class Frame:
    """The model's numbers and the pixels of the original picture, each from the other.

    A whole side of `original` pixels counts `units`.
    """

    original: Size
    units: Size
    cut: bool

    def read(self, x: float, y: float) -> tuple[float, float]:
        """The model's numbers as pixels of the original picture."""
        return x / self.units.width * self.original.width, y / self.units.height * self.original.height

    def write(self, x: float, y: float) -> tuple[int, int]:
        """Pixels of the original picture as the model's numbers; what lies outside is moved to the edge."""
        return (
            self._number(x / self.original.width, self.units.width),
            self._number(y / self.original.height, self.units.height),
        )

    def holds(self, x1: float, y1: float, x2: float, y2: float) -> bool:
        """Whether any of this rectangle, in pixels, is in the picture or touches its edge."""
        return x2 >= 0 and x1 <= self.original.width and y2 >= 0 and y1 <= self.original.height

    def inside(self, x: float, y: float) -> tuple[float, float]:
        """The place in the picture that is nearest to one."""
        return min(max(x, 0.0), float(self.original.width)), min(max(y, 0.0), float(self.original.height))

    def _number(self, share: float, unit: int) -> int:
        share = min(max(share, 0.0), 1.0) * unit
        # What was read as k / unit comes back a hair below k at times; it is k all the same.
        return min(math.floor(share + 1e-6), unit - 1) if self.cut else round(share)


def frame_of(seen: Seen, *, whole: int | None = None) -> Frame:
    """The frame of a picture that was shown; `whole` is what a side counts where the dialect is overruled."""
    dialect = dialect_of(seen.boxes)
    units = dialect.units(seen.resized) if whole is None else Size(whole, whole)
    return Frame(seen.original, units, dialect.cut)


# Marks around a phrase and around numbers, by the dialect's dress; the first of "tags" are 2023's.
MARKS = {
    "tags": {"phrase": ("<ref>", "</ref>"), "box": ("<box>", "</box>"), "quad": ("<quad>", "</quad>")},
    "marks": {
        "phrase": ("<|object_ref_start|>", "<|object_ref_end|>"),
        "box": ("<|box_start|>", "<|box_end|>"),
        "quad": ("<|quad_start|>", "<|quad_end|>"),
    },
}
ANY_MARK = re.compile(
    "|".join(re.escape(m) for dress in MARKS.values() for pair in dress.values() for m in pair)
)

# Qwen2-VL's marks are tokens of their own in whatever is said; those of 2023 are its tokenizer's business.
SPOKEN_MARK = re.compile("(" + "|".join(re.escape(m) for pair in MARKS["marks"].values() for m in pair) + ")")


def marked(
    label: str, before: str | None, places: list[tuple[int, int]], shape: str, dialect: Dialect
) -> str:
    """Places between their marks, after their phrase unless it is that of the place `before`.

    A phrase is not said twice in a row; an empty one is said only after another. Raises BadInput for a label
    that holds a mark, which would be read as one.
    """
    if ANY_MARK.search(label):
        raise BadInput(
            f"the label {label[:80]!r} holds a mark of boxes, and would be read as one; take it out"
        )
    marks = MARKS[dialect.dress]
    first, last = marks[shape]
    phrase = "" if label == (before or "") else label.join(marks["phrase"])
    return phrase + first + ",".join(f"({x},{y})" for x, y in places) + last


def compact(value: object) -> str:
    """JSON without a blank, letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
