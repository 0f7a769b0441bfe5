"""Scenes as people draw them: a sky with its sun or moon, and houses, trees and cars that stand below it.

Here a plain disc in the sky is a sun and no circle, because of where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from PIL import Image, ImageDraw

from omma.sample import Size
from omma.synth.canvas import Canvas
from omma.synth.colours import DEEP, NAMED, PALE, Ink, called, colour_of, ink
from omma.synth.grounds import Ground
from omma.synth.outlines import disc, layer
from omma.synth.places import overlap
from omma.synth.scenes import arrange, devise, put, scene
from omma.synth.world import Drawing, Edges, Thing

DAY: tuple[Ink, ...] = (
    (255, 255, 255),
    (240, 248, 255),
    (135, 206, 235),
    (173, 216, 230),
    (224, 242, 254),
    *PALE,
)
NIGHT: tuple[Ink, ...] = ((0, 0, 0), (25, 25, 112), (0, 0, 64), *DEEP)
LAND = ("green", "green", "green", "brown", "gray", "yellow", "orange", "white")
DISC = (layer(disc()),)
# What hangs in the sky and what stands below: kind, how often, and its sides as shares of the shorter side.
ALOFT = (
    ("cloud", 3.0, 0.15, 0.4),
    ("bird", 1.0, 0.1, 0.25),
    ("balloon", 1.0, 0.15, 0.35),
    ("butterfly", 0.5, 0.1, 0.2),
)
STANDING = (
    ("house", 3.0, 0.3, 0.65), ("tree", 3.0, 0.25, 0.65), ("car", 2.0, 0.2, 0.45), ("flower", 1.5, 0.15, 0.4),
    ("boat", 0.7, 0.2, 0.45), ("cat", 0.7, 0.15, 0.3), ("mushroom", 0.7, 0.12, 0.3), ("lamp", 0.4, 0.25, 0.5),
)  # fmt: skip
USUAL = {  # the colours in which a thing is met; any other in a third of the cases
    "sun": ("yellow", "yellow", "orange", "red"),
    "crescent": ("yellow", "white", "gray"),
    "cloud": ("white", "white", "gray"),
    "tree": ("green",),
    "house": ("red", "blue", "yellow", "orange", "brown", "white"),
}


def landscape(size: Size, level: int, dice: Random) -> Drawing:
    """One to five things and more, by level, on one line, which a band of land may show; a sky over them."""
    night = dice.random() < 0.15
    sky = dice.choice(NIGHT if night else DAY)
    line = size.height * dice.uniform(0.66, 0.95)
    land = ink(dice.choice(LAND), dice) if dice.random() < 0.5 else None
    picture = Image.new("RGB", size, sky)
    if land:
        edge = line - size.height * dice.uniform(0, 0.12)
        ImageDraw.Draw(picture).rectangle((0, round(edge), size.width, size.height), fill=land)
    base = Ground(picture, _ground(sky, land), (sky, land) if land else (sky,))
    canvas = Canvas(picture, colour_of(base.colour))
    flat = dice.random() < 0.6
    taken: list[Edges] = []
    things: list[Thing] = []

    def add(kind: str, share: float, aloft: bool) -> None:
        own = DISC if kind == "sun" and dice.random() < 0.6 else None
        wish = devise(kind, _colour(kind, dice), base, size, level, flat, dice, parts=own, share=share)
        for _ in range(12):
            x = dice.uniform(2, max(2.0, size.width - wish.width - 2))
            y = dice.uniform(2, max(3.0, 0.4 * size.height - wish.height)) if aloft else line - wish.height
            box = (x, y, x + wish.width, y + wish.height)
            wide = (x - 6, y - 6, box[2] + 6, box[3] + 6)
            inside = y >= 1 and box[2] <= size.width - 1 and box[3] <= size.height - 1
            if inside and not any(overlap(wide, other) for other in taken):
                taken.append(box)
                things.append(put(canvas, wish, box, len(things)))
                return

    for kind, share in _standing(level, dice):
        add(kind, share, aloft=False)
    if dice.random() < 0.75:
        add("crescent" if night else "sun", dice.uniform(0.12, 0.32), aloft=True)
    for kind, share in _chosen(ALOFT, dice.randint(0, 1 + level // 2), dice):
        add(kind, share, aloft=True)
    return arrange(canvas, things, base.colour) if things else scene(size, level, dice)


def _standing(level: int, dice: Random) -> list[tuple[str, float]]:
    """What stands on the line; sometimes several of one kind, as in a wood or a street."""
    count = dice.randint(1, 2 + level)
    chosen = _chosen(STANDING, count, dice)
    if dice.random() < 0.3:
        kind, share = chosen[0]
        chosen = [(kind, share * dice.uniform(0.8, 1.2))] * dice.randint(1, count) + chosen[1:]
    return chosen[:count]


def _chosen(
    among: Sequence[tuple[str, float, float, float]], count: int, dice: Random
) -> list[tuple[str, float]]:
    rows = dice.choices(among, [row[1] for row in among], k=count)
    return [(kind, dice.uniform(low, high)) for kind, _, low, high in rows]


def _colour(kind: str, dice: Random) -> str:
    return dice.choice(USUAL[kind] if kind in USUAL and dice.random() < 0.67 else NAMED)


def _ground(sky: Ink, land: Ink | None) -> str:
    """The name of the sky where there is nothing else; otherwise none."""
    if land:
        return "mixed"
    return "light" if sky in PALE else "dark" if sky in DEEP else called(sky)


def pictured(size: Size, level: int, dice: Random) -> Drawing:
    """A scene of things anywhere or, from level 1 on and once in six, a landscape."""
    paint = landscape if level and dice.random() < 1 / 6 else scene
    return paint(size, level, dice)
