"""The outlines of everything that can stand in a scene, in a unit square from -1 to 1, y downwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import pi, sqrt

import numpy as np

from omma.synth.canvas import Points


@dataclass(frozen=True, eq=False)
class Layer:
    """Closed polygons painted with one ink: "body" is the thing's own colour, "shade" a darker body, else a name."""

    rings: tuple[Points, ...]
    ink: str = "body"
    holes: tuple[Points, ...] = ()


def _round(
    x: float = 0, y: float = 0, rx: float = 1, ry: float | None = None, start: float = 0, turn: float = 2
) -> Points:
    """An ellipse, or a part of one from angle `start` over `turn`, both in half turns, clockwise from the right."""
    angle = (start + np.linspace(0, turn, 48, endpoint=turn != 2)) * pi
    return np.stack([x + rx * np.cos(angle), y + (rx if ry is None else ry) * np.sin(angle)], 1)


def _regular(count: int, inner: float | None = None) -> Points:
    """A regular polygon with a corner on top; with `inner`, a star whose notches are at that radius."""
    corners = count if inner is None else 2 * count
    angle = np.arange(corners) * 2 * pi / corners - pi / 2
    radius = np.ones(corners)
    if inner is not None:
        radius[1::2] = inner
    return np.stack([np.cos(angle) * radius, np.sin(angle) * radius], 1)


def _box(x1: float, y1: float, x2: float, y2: float) -> Points:
    return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], float)


def _corners(*points: tuple[float, float]) -> Points:
    return np.array(points, float)


def _heart() -> Points:
    angle = np.linspace(0, 2 * pi, 60, endpoint=False)
    x = np.sin(angle) ** 3
    y = -(13 * np.cos(angle) - 5 * np.cos(2 * angle) - 2 * np.cos(3 * angle) - np.cos(4 * angle)) / 16
    return np.stack([x, y], 1)


def _crescent() -> Points:
    """A disc less a second disc to its right."""
    outer = _round(0, 0, 1, start=0.3, turn=1.4)
    tip = outer[0]
    x = 0.42
    radius = float(np.hypot(tip[0] - x, tip[1]))
    half = float(np.arctan2(tip[1], tip[0] - x)) / pi
    return np.concatenate([outer, _round(x, 0, radius, start=-half, turn=-(2 - 2 * half))])


def _plus(arm: float) -> Points:
    a = arm
    return _corners(
        (-a, -1),
        (a, -1),
        (a, -a),
        (1, -a),
        (1, a),
        (a, a),
        (a, 1),
        (-a, 1),
        (-a, a),
        (-1, a),
        (-1, -a),
        (-a, -a),
    )


def _drop() -> Points:
    return np.concatenate([_corners((0, -1.3)), _round(0, 0.2, 0.8, start=-0.12, turn=1.24)])


PLAIN: dict[str, Callable[[], Points]] = {
    "circle": _round,
    "square": lambda: _box(-1, -1, 1, 1),
    "rectangle": lambda: _box(-1, -1, 1, 1),
    "triangle": lambda: _corners((0, -1), (1, 0.8), (-1, 0.8)),
    "oval": _round,
    "diamond": lambda: _corners((0, -1), (1, 0), (0, 1), (-1, 0)),
    "star": lambda: _regular(5, 0.42),
    "heart": _heart,
    "cross": lambda: _plus(0.34),
    "hexagon": lambda: _regular(6),
    "pentagon": lambda: _regular(5),
    "crescent": _crescent,
    "arrow": lambda: _corners((-1, -0.3), (0.1, -0.3), (0.1, -0.8), (1, 0), (0.1, 0.8), (0.1, 0.3), (-1, 0.3)),
    "semicircle": lambda: _round(0, 0.5, 1, start=1, turn=1),
    "drop": _drop,
}  # fmt: skip


@cache
def layers(kind: str) -> tuple[Layer, ...]:
    """How this kind is drawn, back to front."""
    if kind in PLAIN:
        return (Layer((PLAIN[kind](),)),)
    return DRAWN[kind]()


def _ring() -> tuple[Layer, ...]:
    return (Layer((_round(),), holes=(_round(rx=0.58),)),)


def _house() -> tuple[Layer, ...]:
    return (
        Layer((_box(0.4, -0.85, 0.65, -0.2),), "shade"),
        Layer((_box(-0.8, -0.15, 0.8, 1),)),
        Layer((_corners((0, -1), (1, -0.12), (-1, -0.12)),), "shade"),
        Layer((_box(-0.15, 0.4, 0.25, 1),), "brown"),
        Layer((_box(-0.6, 0.1, -0.25, 0.45), _box(0.4, 0.1, 0.7, 0.45)), "white"),
    )


def _tree() -> tuple[Layer, ...]:
    crown = (_round(0, -0.45, 0.6, 0.55), _round(-0.42, -0.05, 0.45), _round(0.42, -0.05, 0.45))
    return (Layer((_box(-0.14, 0.1, 0.14, 1),), "brown"), Layer(crown))


def _car() -> tuple[Layer, ...]:
    return (
        Layer((_corners((-0.6, -0.05), (-0.38, -0.5), (0.3, -0.5), (0.6, -0.05)), _corners((-1, 0), (-0.9, -0.1), (0.85, -0.1), (1, 0.05), (1, 0.4), (-1, 0.4)))),
        Layer((_corners((-0.44, -0.1), (-0.3, -0.4), (-0.06, -0.4), (-0.06, -0.1)), _corners((0.04, -0.1), (0.04, -0.4), (0.24, -0.4), (0.42, -0.1))), "white"),
        Layer((_round(-0.55, 0.4, 0.23), _round(0.55, 0.4, 0.23)), "black"),
        Layer((_round(-0.55, 0.4, 0.1), _round(0.55, 0.4, 0.1)), "gray"),
    )  # fmt: skip


def _cup() -> tuple[Layer, ...]:
    return (
        Layer((_round(0.55, 0, 0.42, 0.45),), holes=(_round(0.55, 0, 0.25, 0.28),)),
        Layer((_corners((-0.95, -0.8), (0.55, -0.8), (0.45, 0.8), (-0.85, 0.8)),)),
        Layer((_round(-0.2, -0.8, 0.75, 0.14),), "shade"),
    )


def _flower() -> tuple[Layer, ...]:
    spots = [(0.42 * np.cos(a), -0.35 + 0.42 * np.sin(a)) for a in np.arange(6) * pi / 3]
    return (
        Layer((_box(-0.06, -0.2, 0.06, 1), _round(0.28, 0.6, 0.25, 0.1), _round(-0.28, 0.75, 0.25, 0.1)), "green"),
        Layer(tuple(_round(x, y, 0.26) for x, y in spots)),
        Layer((_round(0, -0.35, 0.24),), "yellow"),
    )  # fmt: skip


def _fish() -> tuple[Layer, ...]:
    return (
        Layer((_corners((0.45, 0), (1, -0.5), (0.88, 0), (1, 0.5)),), "shade"),
        Layer((_round(-0.2, 0, 0.8, 0.48),)),
        Layer((_corners((-0.2, -0.42), (0.15, -0.72), (0.3, -0.3)),)),
        Layer((_round(-0.62, -0.12, 0.11),), "white"),
        Layer((_round(-0.64, -0.12, 0.06),), "black"),
    )


def _sun() -> tuple[Layer, ...]:
    rays = []
    for angle in np.arange(8) * pi / 4:
        out, side = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        rays.append(np.stack([out * 0.68 - side * 0.12, out, out * 0.68 + side * 0.12]))
    return (Layer((_round(rx=0.55), *rays)),)


def _cloud() -> tuple[Layer, ...]:
    return (Layer((_round(-0.55, 0.15, 0.42), _round(-0.1, -0.15, 0.55), _round(0.5, 0.1, 0.47), _box(-0.55, 0.15, 0.5, 0.57))),)  # fmt: skip


def _face() -> tuple[Layer, ...]:
    smile = np.concatenate([_round(0, 0.1, 0.55, 0.5, 0.1, 0.8), _round(0, 0.1, 0.42, 0.36, 0.9, -0.8)])
    return (Layer((_round(),)), Layer((_round(-0.35, -0.25, 0.13, 0.18), _round(0.35, -0.25, 0.13, 0.18), smile), "black"))  # fmt: skip


def _key() -> tuple[Layer, ...]:
    return (
        Layer((_round(-0.6, 0, 0.4), _box(-0.3, -0.1, 1, 0.1), _box(0.55, 0, 0.68, 0.4), _box(0.82, 0, 0.95, 0.34)), holes=(_round(-0.6, 0, 0.18),)),
    )  # fmt: skip


def _boat() -> tuple[Layer, ...]:
    return (
        Layer((_box(-0.05, -1, 0.05, 0.4),), "brown"),
        Layer((_corners((0.1, -0.95), (0.85, 0.2), (0.1, 0.2)), _corners((-0.1, -0.7), (-0.1, 0.2), (-0.7, 0.2))), "gray"),
        Layer((_corners((-1, 0.35), (1, 0.35), (0.65, 0.95), (-0.65, 0.95)),)),
    )  # fmt: skip


def _mushroom() -> tuple[Layer, ...]:
    return (
        Layer((_corners((-0.25, 0), (0.25, 0), (0.35, 0.95), (-0.35, 0.95)),), "gray"),
        Layer((_round(0, 0.1, 1, 1, 1, 1),)),
        Layer((_round(-0.4, -0.3, 0.15), _round(0.15, -0.55, 0.17), _round(0.55, -0.15, 0.12)), "white"),
    )


def _umbrella() -> tuple[Layer, ...]:
    hook = np.concatenate([_round(0.19, 0.8, 0.25, 0.2, 1, -1), _round(0.19, 0.8, 0.12, 0.09, 0, 1)])
    scallops = tuple(_round(x, 0.02, 0.34, 0.18) for x in (-0.66, 0, 0.66))
    return (
        Layer((_box(-0.06, -0.1, 0.07, 0.82), hook), "black"),
        Layer((_round(0, 0.02, 1, 1, 1, 1),), holes=scallops),
    )


def _balloon() -> tuple[Layer, ...]:
    return (
        Layer((_box(-0.03, 0.45, 0.03, 1),), "black"),
        Layer((_round(0, -0.3, 0.62, 0.7), _corners((0, 0.3), (0.14, 0.55), (-0.14, 0.55)))),
        Layer((_round(-0.25, -0.55, 0.1, 0.17),), "white"),
    )


def _apple() -> tuple[Layer, ...]:
    return (
        Layer((_corners((-0.05, -0.5), (0.05, -1), (0.17, -0.97), (0.06, -0.5)),), "brown"),
        Layer((_round(0.36, -0.78, 0.28, 0.13),), "green"),
        Layer((_round(-0.3, 0.1, 0.62, 0.7), _round(0.3, 0.1, 0.62, 0.7))),
    )


def _bird() -> tuple[Layer, ...]:
    return (
        Layer((_corners((0.5, 0.1), (1, -0.2), (0.95, 0.2)), _corners((-0.1, 0.55), (0, 0.55), (0, 0.9), (-0.1, 0.9)), _corners((0.15, 0.5), (0.25, 0.5), (0.25, 0.9), (0.15, 0.9))), "shade"),
        Layer((_round(0.05, 0.15, 0.68, 0.45), _round(-0.5, -0.35, 0.33))),
        Layer((_corners((-0.8, -0.45), (-1, -0.3), (-0.78, -0.22)),), "orange"),
        Layer((_round(-0.56, -0.42, 0.07),), "black"),
        Layer((_round(0.2, 0.1, 0.35, 0.2),), "shade"),
    )  # fmt: skip


def _envelope() -> tuple[Layer, ...]:
    flap = _corners((-1, -0.65), (0, 0.15), (1, -0.65), (1, -0.5), (0, 0.3), (-1, -0.5))
    return (Layer((_box(-1, -0.65, 1, 0.65),)), Layer((flap,), "shade"))


def _book() -> tuple[Layer, ...]:
    return (
        Layer((_box(-0.75, -1, 0.75, 1),)),
        Layer((_box(-0.75, -1, -0.55, 1),), "shade"),
        Layer((_box(-0.3, -0.7, 0.5, -0.3),), "white"),
    )


def _lamp() -> tuple[Layer, ...]:
    return (
        Layer((_box(-0.07, 0, 0.07, 0.9), _box(-0.45, 0.85, 0.45, 1)), "gray"),
        Layer((_corners((-0.35, -1), (0.35, -1), (0.75, 0.1), (-0.75, 0.1)),)),
    )


def _butterfly() -> tuple[Layer, ...]:
    wings = (_round(-0.52, -0.35, 0.48, 0.5), _round(0.52, -0.35, 0.48, 0.5), _round(-0.42, 0.48, 0.36, 0.38), _round(0.42, 0.48, 0.36, 0.38))  # fmt: skip
    feelers = (
        _corners((-0.03, -0.6), (-0.3, -1), (-0.22, -1)),
        _corners((0.03, -0.6), (0.3, -1), (0.22, -1)),
    )
    return (Layer(wings), Layer((_round(0, 0, 0.1, 0.75), *feelers), "black"))


def _clock() -> tuple[Layer, ...]:
    hands = (_box(-0.05, -0.55, 0.05, 0.05), _box(-0.05, -0.05, 0.42, 0.05))
    return (Layer((_round(),)), Layer((_round(rx=0.78),), "white"), Layer((*hands, _round(rx=0.08)), "black"))


def _bottle() -> tuple[Layer, ...]:
    neck = _corners((-0.16, -0.8), (0.16, -0.8), (0.16, -0.4), (0.42, -0.1), (0.42, 1), (-0.42, 1), (-0.42, -0.1), (-0.16, -0.4))  # fmt: skip
    return (Layer((_box(-0.2, -1, 0.2, -0.8),), "shade"), Layer((neck,)), Layer((_box(-0.42, 0.15, 0.42, 0.65),), "white"))  # fmt: skip


def _cat() -> tuple[Layer, ...]:
    ears = (_corners((-0.9, -1), (-0.15, -0.6), (-0.85, 0)), _corners((0.9, -1), (0.85, 0), (0.15, -0.6)))
    nose = _corners((-0.12, 0.2), (0.12, 0.2), (0, 0.35))
    whiskers = tuple(_corners((s * 0.25, y), (s * 1, y + d), (s * 1, y + d + 0.05)) for s in (-1, 1) for y, d in ((0.35, -0.1), (0.42, 0.1)))  # fmt: skip
    return (
        Layer((_round(0, 0.1, 0.9, 0.8), *ears)),
        Layer((_round(-0.35, -0.08, 0.14), _round(0.35, -0.08, 0.14), nose, *whiskers), "black"),
    )


DRAWN: dict[str, Callable[[], tuple[Layer, ...]]] = {
    "ring": _ring, "house": _house, "tree": _tree, "car": _car, "cup": _cup, "flower": _flower, "fish": _fish,
    "sun": _sun, "cloud": _cloud, "face": _face, "key": _key, "boat": _boat, "mushroom": _mushroom,
    "umbrella": _umbrella, "balloon": _balloon, "apple": _apple, "bird": _bird, "envelope": _envelope,
    "book": _book, "lamp": _lamp, "butterfly": _butterfly, "clock": _clock, "bottle": _bottle, "cat": _cat,
}  # fmt: skip


def equal_sides(kind: str) -> bool:
    """Whether stretching would make it another kind."""
    return kind in ("circle", "square", "ring", "hexagon", "pentagon", "star", "face", "clock", "sun")


LONG = {"rectangle": (1.5, 2.4), "oval": (1.5, 2.2), "diamond": (1.0, 1.5)}
SMALLEST_TURN = sqrt(0.5)
