"""The nouns of a drawn world: things, the drawing that holds their truth, and what is asked about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image as Picture

from omma.synth.colours import COLOURS

Split: TypeAlias = Literal["train", "test"]
Edges: TypeAlias = tuple[float, float, float, float]  # x1, y1, x2, y2 in pixels of the picture

SHAPES = (
    *("circle", "square", "rectangle", "triangle", "oval", "diamond", "star", "heart", "cross", "ring"),
    *("hexagon", "pentagon", "crescent", "arrow", "semicircle"),
)
OBJECTS = (
    *("house", "tree", "car", "cup", "flower", "fish", "sun", "cloud", "face", "key", "boat", "mushroom"),
    *("umbrella", "balloon", "apple", "bird", "envelope", "book", "lamp", "butterfly", "drop", "clock"),
    *("bottle", "cat"),
)
WIDGETS = (
    *("title bar", "heading", "text", "button", "text field", "checkbox", "radio button", "toggle", "tab"),
    *("menu item", "link", "icon", "list item", "card", "dropdown", "slider", "progress bar", "dialog"),
)
FIGURES = ("bar", "slice", "picture")  # parts of charts, and pictures on pages
# The class of a pixel. Only ever append: trained vision heads count on the order.
CLASSES = ("background", *(chr(code) for code in range(32, 127)), *SHAPES, *OBJECTS, *WIDGETS, *FIGURES)
IGNORE = 255
_CLASS_OF = {name: number for number, name in enumerate(CLASSES)}


def class_of(name: str) -> int:
    """The number of a class in CLASSES; IGNORE for what has none."""
    return _CLASS_OF.get(name, IGNORE)


class Word(NamedTuple):
    """One printed word and where it stands."""

    text: str
    box: Edges


@dataclass(frozen=True)
class Thing:
    """One thing of a drawing. `box` is what can be seen of it, in float pixels, inside the picture.

    `colour` is a name of COLOURS or None when it has no single one. `size` is "large", "medium", "small" or
    "" (for text and widgets). `state` is "checked", "unchecked", "on", "off", an arrow's direction, or "".
    `text` is what is printed on it or beside it, `words` the same word by word.
    """

    kind: str
    colour: str | None
    box: Edges
    text: str = ""
    size: str = ""
    state: str = ""
    words: tuple[Word, ...] = ()

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box, in pixels."""
        x1, y1, x2, y2 = self.box
        return (x1 + x2) / 2, (y1 + y2) / 2

    @property
    def area(self) -> float:
        """The area of the box, in square pixels."""
        x1, y1, x2, y2 = self.box
        return (x2 - x1) * (y2 - y1)

    @property
    def name(self) -> str:
        """Colour and kind: "red circle"."""
        return f"{self.colour} {self.kind}" if self.colour else self.kind


@dataclass(frozen=True)
class Drawing:
    """A picture that knows its truth. Things stand in reading order.

    The maps are (height, width), or (0, 0) where they were not wanted: `kind_map` uint8 into CLASSES and
    `colour_map` uint8 into COLOURS, 255 where nothing is to be learned; `thing_map` int16 into things, -1
    for the background. A character's pixels are its whole cell: advance width times line box.
    """

    picture: Picture
    things: tuple[Thing, ...]
    world: str
    background: str
    kind_map: NDArray[np.uint8]
    colour_map: NDArray[np.uint8]
    thing_map: NDArray[np.int16]


@dataclass(frozen=True)
class Turn:
    """One question and its answer. `truth` is what a scorer needs, as JSON: see the task's own wording.

    One that `follows` is understood only after the turn before it: "And the blue one?"
    """

    question: str
    answer: str
    task: str
    truth: dict[str, Any]
    follows: bool = False


@dataclass(frozen=True)
class Exercise:
    """Drawings and what is asked about them, the answers that say most first.

    Where there are `more` than one they are shown in their order: as pictures of one dialogue, or, where
    `fps` is set, as the frames of one clip, so many a second. They are of one size.
    """

    drawing: Drawing
    turns: tuple[Turn, ...]
    more: tuple[Drawing, ...] = ()
    fps: float | None = None

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        """All of them, the first included."""
        return (self.drawing, *self.more)


assert len(CLASSES) < 250
assert len(COLOURS) < 250
