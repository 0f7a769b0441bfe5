"""The outlines of plain shapes, and how any kind of thing may be stretched and turned."""

from __future__ import annotations

from functools import cache
from random import Random

import numpy as np

from omma.synth.canvas import Points
from omma.synth.nature import GROWN
from omma.synth.objects import MADE
from omma.synth.outlines import Layer, arc, corners, disc, layer, rect, regular
from omma.synth.world import OBJECTS, SHAPES

# How much longer one side of these must be, so that nobody takes them for another kind.
LONG = {"rectangle": (1.5, 2.4), "oval": (1.5, 2.2), "diamond": (0.62, 1.0)}
ROUND = ("circle", "square", "ring", "hexagon", "pentagon", "star", "face", "clock", "sun")  # never stretched


def _heart() -> Points:
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    y = 13 * np.cos(angle) - 5 * np.cos(2 * angle) - 2 * np.cos(3 * angle) - np.cos(4 * angle)
    return np.stack([np.sin(angle) ** 3, -y / 16], 1)


def _crescent(depth: float) -> Points:
    """A disc less a second disc that stands `depth` to its right."""
    outer = arc(0, 0, 1, 1, 0.3, 1.4)
    tip = outer[0]
    radius = float(np.hypot(tip[0] - depth, tip[1]))
    half = float(np.arctan2(tip[1], tip[0] - depth)) / np.pi
    return np.concatenate([outer, arc(depth, 0, radius, radius, -half, -(2 - 2 * half))])


def _plus(arm: float) -> Points:
    quarter = np.array([(-arm, -1), (arm, -1), (arm, -arm)])
    turns = [np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) for a in np.arange(4) * np.pi / 2]
    return np.concatenate([quarter @ turn for turn in turns])


def _arrow(shaft: float, neck: float) -> Points:
    return corners(f"-1,{-shaft} {neck},{-shaft} {neck},-0.8 1,0 {neck},0.8 {neck},{shaft} -1,{shaft}")


SHAPE_LAYERS: dict[str, tuple[Layer, ...]] = {
    "circle": (layer(disc()),),
    "square": (layer(rect(-1, -1, 1, 1)),),
    "rectangle": (layer(rect(-1, -1, 1, 1)),),
    "triangle": (layer(corners("0,-1 1,0.8 -1,0.8")), layer(corners("0,-1 0.8,1 -0.8,1"))),
    "oval": (layer(disc()),),
    "diamond": (layer(corners("0,-1 1,0 0,1 -1,0")),),
    "star": (
        layer(regular(5, 0.42)),
        layer(regular(5, 0.382)),
        layer(regular(5, 0.5)),
        layer(regular(6, 0.5)),
    ),
    "heart": (layer(_heart()),),
    "cross": (layer(_plus(0.34)), layer(_plus(0.25)), layer(_plus(0.4))),
    "ring": tuple(layer(disc(), holes=(disc(rx=inner),)) for inner in (0.5, 0.6, 0.7)),
    "hexagon": (layer(regular(6)), layer(regular(6, start=0))),
    "pentagon": (layer(regular(5)),),
    "crescent": (layer(_crescent(0.42)), layer(_crescent(0.3)), layer(_crescent(0.55))),
    "arrow": (layer(_arrow(0.3, 0.1)), layer(_arrow(0.2, 0.3)), layer(_arrow(0.4, 0))),
    "semicircle": (layer(arc(0, 0.5, 1, 1, 1, 1)),),
}


_OBJECT_LAYERS = MADE | GROWN


@cache
def variants(kind: str) -> tuple[tuple[Layer, ...], ...]:
    """All ways in which this kind is drawn; each has its layers back to front."""
    if kind in SHAPE_LAYERS:
        return tuple((part,) for part in SHAPE_LAYERS[kind])
    return _OBJECT_LAYERS[kind]


def choose_layers(kind: str, dice: Random) -> tuple[Layer, ...]:
    """One way of drawing this kind, the first of them most often."""
    ways = variants(kind)
    return ways[0] if dice.random() < 0.4 else dice.choice(ways)


assert set(SHAPE_LAYERS) == set(SHAPES)
assert set(_OBJECT_LAYERS) == set(OBJECTS)
