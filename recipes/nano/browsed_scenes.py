"""Scenes for a browser to draw: shapes and gardens in SVG, with what is asked about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from omma.sample import Size
from omma.skills import find
from omma.synth.wordings import plural

COLOURS = {
    "red": ("red", "crimson", "firebrick"), "blue": ("blue", "royalblue", "navy"),
    "green": ("green", "limegreen", "seagreen"), "yellow": ("yellow", "gold"),
    "orange": ("orange", "darkorange"), "purple": ("purple", "darkviolet"), "black": ("black",),
    "pink": ("hotpink", "pink"), "brown": ("saddlebrown", "sienna"), "gray": ("gray",),
}  # fmt: skip
GROUNDS = ("white", "ghostwhite", "aliceblue", "ivory", "lavender", "honeydew", "midnightblue", "#222")
DARK = GROUNDS[-2:]
UNSEEN = {
    "midnightblue": ("blue", "purple", "black", "green", "brown"),
    "#222": ("black", "blue", "brown", "purple"),
}
SHAPES = ("circle", "square", "triangle", "star", "heart", "rectangle", "diamond", "cross")
GROWN = (
    "house",
    "tree",
    "car",
    "star",
    "heart",
)  # a garden's things, and shapes that are none of their parts
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Shown:
    """A page, the size of its window, and what is asked about it: question, task and truth."""

    body: str
    ground: str
    size: Size
    asked: tuple[tuple[str, str, dict[str, Any]], ...]


def shapes(dice: Random) -> Shown:
    """Two to six shapes in one style, sometimes several alike, none over another."""
    size = Size(dice.choice((280, 308, 336, 364)), dice.choice((196, 224, 252)))
    ground = dice.choice(GROUNDS)
    colours = [name for name in COLOURS if name not in UNSEEN.get(ground, ())]
    kinds = [dice.choice(SHAPES) for _ in range(dice.randint(2, 6))]
    if dice.random() < 0.5:
        kinds = [kinds[0]] * dice.randint(2, 5) + kinds[1:2]
    one = dice.choice(colours) if dice.random() < 0.4 else None
    placed: list[tuple[str, str, Box]] = []
    drawn = ""
    for kind in kinds:
        side = dice.uniform(0.18, 0.34) * min(size)
        wide = side * (1.7 if kind == "rectangle" else 1)
        for _ in range(60):
            x, y = dice.uniform(6, size.width - wide - 6), dice.uniform(6, size.height - side - 6)
            if all(
                x > b[2] + 8 or x + wide < b[0] - 8 or y > b[3] + 8 or y + side < b[1] - 8 for *_, b in placed
            ):
                colour = one or dice.choice(colours)
                ink = dice.choice(COLOURS[colour])
                box, path = outline(kind, x, y, wide, side)
                drawn += f'<path d="{path}" fill="{ink}"/>'
                placed.append((kind, colour, box))
                break
    return Shown(svg(size, drawn), ground, size, tuple(about_things(placed, SHAPES, dice)))


def outline(kind: str, x: float, y: float, wide: float, side: float) -> tuple[Box, str]:
    """The box of a shape with its corner at (x, y), and its path."""
    if kind == "circle":
        r = side / 2
        return (x, y, x + side, y + side), f"M{x} {y + r}a{r} {r} 0 1 0 {side} 0a{r} {r} 0 1 0 {-side} 0z"
    if kind == "heart":
        path = "M.5 .95C-.2 .45 .1 0 .3 .05C.42 .07 .5 .2 .5 .25C.5 .2 .58 .07 .7 .05C.9 0 1.2 .45 .5 .95z"
        parts = path.replace("M", " M ").replace("C", " C ").replace("z", " z").split()
        numbers = iter(range(10**6))
        moved = [p if p in "MCz" else str((x, y)[next(numbers) % 2] + float(p) * side) for p in parts]
        return (x + 0.068 * side, y + 0.044 * side, x + 0.932 * side, y + 0.95 * side), " ".join(moved)
    corners = {
        "square": ((0, 0), (1, 0), (1, 1), (0, 1)),
        "rectangle": ((0, 0), (1, 0), (1, 1), (0, 1)),
        "triangle": ((0.5, 0), (1, 1), (0, 1)),
        "diamond": ((0.5, 0), (1, 0.5), (0.5, 1), (0, 0.5)),
        "cross": ((0.35, 0), (0.65, 0), (0.65, 0.35), (1, 0.35), (1, 0.65), (0.65, 0.65), (0.65, 1),
                  (0.35, 1), (0.35, 0.65), (0, 0.65), (0, 0.35), (0.35, 0.35)),
        "star": tuple(
            (0.5 + r * math.sin(n * math.pi / 5), 0.5 - r * math.cos(n * math.pi / 5))
            for n, r in enumerate((0.5, 0.2) * 5)
        ),
    }[kind]  # fmt: skip
    at = [(x + wide * u, y + side * v) for u, v in corners]
    xs, ys = zip(*at, strict=True)
    return (min(xs), min(ys), max(xs), max(ys)), "M" + "L".join(f"{u} {v}" for u, v in at) + "z"


def garden(dice: Random) -> Shown:
    """A house, trees and a car on the grass, and the sun over them."""
    size = Size(dice.choice((308, 336, 392)), dice.choice((224, 252, 280)))
    floor, drawn = size.height - dice.randint(20, 44), ""
    placed: list[tuple[str, str, Box]] = []
    if dice.random() < 0.5:
        drawn += f'<rect y="{floor - 8}" width="{size.width}" height="90" fill="yellowgreen"/>'
    x = dice.uniform(6, 30)
    for kind in dice.sample(("house", "tree", "car", "tree"), dice.randint(2, 3)):
        colour, box, more = standing(kind, x, size.width * dice.uniform(0.2, 0.27), floor, dice)
        if box[2] > size.width - 4:
            break
        drawn += more
        placed.append((kind, colour, box))
        x = box[2] + dice.uniform(8, 26)
    r = size.height * dice.uniform(0.07, 0.11)
    cx, cy = dice.uniform(r + 6, size.width - r - 6), r + 6
    colour = dice.choice(("yellow", "yellow", "orange", "red"))
    if all(top > cy + r + 3 for *_, (_, top, _, _) in placed):
        drawn += f'<circle cx="{cx}" cy="{cy}" r="{r}" fill="{COLOURS[colour][0]}"/>'
        placed.append(("sun", colour, (cx - r, cy - r, cx + r, cy + r)))
    return Shown(svg(size, drawn), dice.choice(GROUNDS[:5]), size, tuple(about_things(placed, GROWN, dice)))


def standing(kind: str, x: float, wide: float, floor: float, dice: Random) -> tuple[str, Box, str]:
    """A house, a tree or a car that stands on the floor from x on: its colour, its box, its drawing."""
    if kind == "tree":
        wide, high = wide * 0.7, wide * dice.uniform(1.0, 1.4)
        top, r = floor - high, wide / 2
        drawn = (
            f'<rect x="{x + 0.4 * wide}" y="{top + r}" width="{0.2 * wide}" height="{high - r}"'
            f' fill="saddlebrown"/><circle cx="{x + r}" cy="{top + r}" r="{r}"'
            f' fill="{dice.choice(COLOURS["green"])}"/>'
        )
        return "green", (x, top, x + wide, floor), drawn
    colour = dice.choice(("red", "blue", "orange", "yellow" if kind == "house" else "purple"))
    ink = COLOURS[colour][0]
    if kind == "house":
        high = wide * dice.uniform(0.9, 1.2)
        top = floor - high
        drawn = (
            f'<rect x="{x + 0.1 * wide}" y="{top + 0.4 * high}" width="{0.8 * wide}" height="{0.6 * high}"'
            f' fill="{ink}"/><path d="M{x} {top + 0.42 * high}L{x + wide / 2} {top}'
            f'L{x + wide} {top + 0.42 * high}z" fill="{dice.choice(("maroon", "dimgray", "sienna"))}"/>'
            f'<rect x="{x + 0.4 * wide}" y="{floor - 0.32 * high}" width="{0.2 * wide}"'
            f' height="{0.32 * high}" fill="#432"/>'
        )
        return colour, (x, top, x + wide, floor), drawn
    high = wide * 0.5
    wheels = "".join(
        f'<circle cx="{x + part * wide}" cy="{floor - 0.17 * high}" r="{0.17 * high}"/>'
        for part in (0.25, 0.75)
    )
    drawn = (
        f'<path d="M{x} {floor - 0.15 * high}v{-0.4 * high}h{0.2 * wide}l{0.12 * wide} {-0.45 * high}'
        f'h{0.4 * wide}l{0.12 * wide} {0.45 * high}h{0.16 * wide}v{0.4 * high}z" fill="{ink}"/>{wheels}'
    )
    return colour, (x, floor - high, x + wide, floor), drawn


def about_things(
    placed: Sequence[tuple[str, str, Box]], others: Sequence[str], dice: Random
) -> list[tuple[str, str, dict[str, Any]]]:
    """Three questions of different sorts about what was placed; of `others` one may be asked for in vain."""
    kinds = [kind for kind, *_ in placed]
    kind = dice.choice(kinds)
    boxes = [{"box": [round(side, 1) for side in box], "label": kind} for k, _, box in placed if k == kind]
    count = len(boxes)
    taken = {*kinds, "rectangle"} if "square" in kinds else {*kinds}  # a square is a rectangle
    other = dice.choice([name for name in others if name not in taken])
    there = dice.random() < 0.5
    asked: list[tuple[str, str, dict[str, Any]]] = [
        (f"How many {plural(kind)} are there?", "count", {"number": count}),
        (find.PROMPT.format(what=kind), "find", {"boxes": boxes}),
        (
            f"Is there a {kind if there else other} in the picture?",
            "exists",
            {"word": "yes" if there else "no"},
        ),
    ]
    if alone := [(k, colour) for k, colour, _ in placed if kinds.count(k) == 1]:
        k, colour = dice.choice(alone)
        asked.append((f"What colour is the {k}?", "colour", {"word": colour}))
        asked.append((f"What is the colour of the {k}?", "colour", {"word": colour}))
    return dice.sample(asked, 3)


def svg(size: Size, drawn: str) -> str:
    """A drawing over the whole window."""
    return f'<svg width="{size.width}" height="{size.height}" style="display:block">{drawn}</svg>'
