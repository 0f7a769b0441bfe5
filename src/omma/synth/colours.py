"""Colour names, and the many inks each of them stands for: no ink has two names."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import TypeAlias

Ink: TypeAlias = tuple[int, int, int]

# Inks that carry a name: the CSS ones first, then those of common design systems.
ANCHORS: dict[str, tuple[Ink, ...]] = {
    "red": (
        *((255, 0, 0), (220, 20, 60), (239, 68, 68), (244, 67, 54), (220, 38, 38), (229, 30, 30)),
        *((200, 0, 0), (255, 40, 40)),
    ),
    "green": (
        *((0, 128, 0), (0, 255, 0), (34, 139, 34), (50, 205, 50), (34, 197, 94), (76, 175, 80)),
        *((0, 100, 0), (46, 139, 87), (60, 179, 60), (22, 163, 74)),
    ),
    "blue": (
        *((0, 0, 255), (30, 144, 255), (65, 105, 225), (59, 130, 246), (33, 150, 243), (0, 0, 205)),
        *((0, 0, 128), (25, 25, 112), (70, 130, 180), (37, 99, 235), (13, 110, 253), (100, 149, 237)),
    ),
    "yellow": ((255, 255, 0), (255, 215, 0), (255, 235, 59), (250, 220, 20), (255, 240, 60), (250, 230, 90)),
    "orange": ((255, 165, 0), (255, 140, 0), (249, 115, 22), (255, 152, 0), (245, 130, 10)),
    "purple": (
        *((128, 0, 128), (147, 51, 234), (156, 39, 176), (138, 43, 226), (168, 85, 247), (102, 51, 153)),
        *((75, 0, 130), (124, 58, 237), (153, 50, 204)),
    ),
    "pink": (
        (255, 192, 203),
        (255, 105, 180),
        (236, 72, 153),
        (255, 130, 190),
        (255, 182, 193),
        (255, 20, 147),
    ),
    "brown": ((165, 42, 42), (139, 69, 19), (121, 85, 72), (120, 60, 20), (110, 60, 40), (160, 82, 45)),
    "black": ((0, 0, 0), (17, 17, 17), (33, 33, 33), (15, 20, 30)),
    "white": (
        *((255, 255, 255), (250, 250, 250), (248, 248, 250), (245, 245, 245), (240, 248, 255)),
        *((255, 250, 240), (248, 250, 252)),
    ),
    "gray": (
        *((128, 128, 128), (169, 169, 169), (107, 114, 128), (158, 158, 158), (140, 140, 145)),
        *((192, 192, 192), (105, 105, 105)),
    ),
    "cyan": ((0, 255, 255), (64, 224, 208), (0, 206, 209), (6, 182, 212), (0, 188, 212), (45, 212, 210)),
}
NAMED = tuple(ANCHORS)
NEAR = 36  # the distance from an anchor up to which an ink bears its name
# What a pixel's colour is called; the last three are for backgrounds without a name of their own.
COLOURS = (*NAMED, "light", "dark", "mixed")
PALE: tuple[Ink, ...] = (
    *((240, 238, 208), (230, 230, 250), (210, 233, 250), (230, 245, 225), (250, 235, 215), (255, 228, 225)),
    *((228, 228, 231), (235, 225, 245), (220, 235, 255), (255, 243, 205), (215, 245, 240), (222, 226, 230)),
)
DEEP: tuple[Ink, ...] = (
    *((30, 41, 59), (38, 50, 56), (45, 45, 55), (58, 44, 74), (30, 62, 54), (62, 52, 50), (28, 28, 60)),
)
_COLOUR_OF = {name: number for number, name in enumerate(COLOURS)}


def colour_of(name: str | None) -> int:
    """The number of a colour in COLOURS; 255 (to be ignored) for what has no name."""
    return 255 if name is None else _COLOUR_OF[name]


def ink(name: str, dice: Random) -> Ink:
    """An ink of this name: an exact anchor, one between two anchors, or one a little beside."""
    anchors = ANCHORS[name]
    luck = dice.random()
    first = anchors[0] if luck < 0.3 else dice.choice(anchors)
    if luck < 0.55:
        return first
    spread = 3 if name in ("black", "white") else 9
    near = tuple(min(255, max(0, part + dice.randint(-spread, spread))) for part in first)
    return (near[0], near[1], near[2])


@lru_cache(maxsize=4096)
def called(rgb: Ink) -> str:
    """What this ink is called among COLOURS: a name when an anchor is near, else light, dark or mixed."""
    name = min(NAMED, key=lambda name: _from(rgb, name))
    if _from(rgb, name) <= NEAR:
        return name
    bright = luminance(rgb)
    return "light" if bright > 200 else "dark" if bright < 70 else "mixed"


def named(rgb: Ink) -> str | None:
    """The name of this ink, or None where people would not agree on one."""
    name = called(rgb)
    return name if name in ANCHORS else None


def _from(rgb: Ink, name: str) -> float:
    return min(distance(rgb, anchor) for anchor in ANCHORS[name])


def distance(a: Ink, b: Ink) -> float:
    """How far two inks are apart for an eye: 0 for the same, about 765 from black to white ("redmean")."""
    red, green, blue = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    mean = (a[0] + b[0]) / 2
    weighed = (2 + mean / 256) * red * red + 4 * green * green + (2 + (255 - mean) / 256) * blue * blue
    return float(weighed**0.5)


def luminance(rgb: Ink) -> float:
    """Brightness as an eye weighs it, 0 to 255."""
    return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]


def shade(rgb: Ink, factor: float) -> Ink:
    """The same ink nearer to black (factor below 1) or to white (above 1, up to 2)."""
    if factor <= 1:
        return (int(rgb[0] * factor), int(rgb[1] * factor), int(rgb[2] * factor))
    lift = factor - 1
    red, green, blue = (int(part + (255 - part) * lift) for part in rgb)
    return (red, green, blue)
