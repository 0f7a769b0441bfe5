"""The world of words: printed words, lines, headings and paragraphs in many fonts on many grounds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

from omma.sample import Size
from omma.synth.canvas import Canvas
from omma.synth.colours import NAMED, Ink, colour_of, ink, luminance
from omma.synth.fonts import Font, choose, font
from omma.synth.grounds import Ground, ground
from omma.synth.printing import print_line
from omma.synth.vocabulary import cased, line, scramble, token
from omma.synth.world import Drawing, Split, Thing


def page(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None) -> Drawing:
    """One large word at level 0, a few words at 1, a few lines at 2, a page with a heading at 3."""
    base = ground(size, 0 if dice.random() < 0.5 else level, dice)
    canvas = Canvas(base.picture, colour_of(base.colour))
    if level == 0:
        things = _sign(canvas, base, dice, split, fonts)
    elif level == 1 or dice.random() < 0.25:
        things = _scattered(canvas, base, level, dice, split, fonts)
    else:
        things = _lines(canvas, base, level, dice, split, fonts)
    return Drawing(
        canvas.picture, tuple(things), "words", base.colour,
        canvas.kind_map, canvas.colour_map, canvas.thing_map,
    )  # fmt: skip


def _paint(base: Ground, dice: Random) -> tuple[str | None, Ink]:
    """An ink that can be read on this ground: black or white mostly, else a named one, else no name."""
    back = sum(luminance(own) for own in base.inks) / len(base.inks)
    if dice.random() < 0.6:
        return ("black", ink("black", dice)) if back > 120 else ("white", (255, 255, 255))
    for _ in range(8):
        name = dice.choice(NAMED)
        rgb = ink(name, dice)
        if all(abs(luminance(rgb) - luminance(own)) > 70 for own in base.inks) and base.shows(rgb):
            return name, rgb
    return ("black", (0, 0, 0)) if back > 120 else ("white", (255, 255, 255))


def _fitting(
    text: str, most: int, width: float, dice: Random, split: Split, fonts: Sequence[Path] | None
) -> Font:
    """A font of at most `most` pixels in which the text is no wider than `width`; never below 9 pixels."""
    face = choose(fonts, split, dice)
    chosen = font(face, most)
    wide = chosen.length(text)
    return chosen if wide <= width else font(face, max(9, int(most * width / wide)))


def _sign(
    canvas: Canvas, base: Ground, dice: Random, split: Split, fonts: Sequence[Path] | None
) -> list[Thing]:
    """One run of letters, as large as it goes."""
    width, height = canvas.size
    text = token(split, dice, "any") if dice.random() < 0.6 else scramble(split, dice)[: dice.randint(1, 6)]
    type_ = _fitting(text, dice.randint(28, min(72, height // 2)), width - 12, dice, split, fonts)
    x = dice.uniform(4, max(4, width - type_.length(text) - 4))
    y = dice.uniform(4 - type_.top, max(5 - type_.top, height - type_.bottom - 4))
    colour, paint = _paint(base, dice)
    box, words = print_line(canvas, text, type_, x, y, paint, colour_of(colour), 0)
    return [Thing("text", colour, box, text, words=words)]


def _scattered(
    canvas: Canvas, base: Ground, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None
) -> list[Thing]:
    """Words or short lines one under the other, each in its own font, size, colour and place."""
    width, height = canvas.size
    things: list[Thing] = []
    y = dice.uniform(3, 14)
    for _ in range(dice.randint(1, 3 if level == 1 else 6)):
        text = line(split, dice, dice.randint(1, 1 + level), dice.choice(("lower", "any", "title", "upper")))
        type_ = _fitting(text, dice.randint(14, (48, 44, 36, 30)[level]), width - 10, dice, split, fonts)
        wide = type_.length(text)
        if wide > width - 6 or y + type_.height > height - 3:
            continue
        colour, paint = _paint(base, dice)
        x = dice.uniform(3, width - wide - 3)
        box, words = print_line(canvas, text, type_, x, y - type_.top, paint, colour_of(colour), len(things))
        things.append(Thing("text", colour, box, text, words=words))
        y = box[3] + dice.uniform(5, 0.3 * height if level == 1 else 24)
    return things or _sign(canvas, base, dice, split, fonts)


def _lines(
    canvas: Canvas, base: Ground, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None
) -> list[Thing]:
    """A paragraph in one font, often under a heading, as a browser or a printer sets it."""
    width, height = canvas.size
    body = font(choose(fonts, split, dice), dice.randint(13, 26 if level == 2 else 22))
    colour, paint = _paint(base, dice)
    left = dice.uniform(4, 18)
    align = dice.choices((0.0, 0.5, 1.0), (6, 2, 1))[0]
    things: list[Thing] = []
    y = dice.uniform(4, 16)
    heads = dice.random() < 0.5
    gap = dice.uniform(1.2, 1.7)
    case = dice.choices(("lower", "upper", "title"), (6, 1, 1))[0]
    for number in range(dice.randint(2, 4 if level == 2 else 7)):
        heading = heads and number == 0
        type_ = body
        if heading:
            face = body.face if dice.random() < 0.5 else choose(fonts, split, dice)
            type_ = font(face, min(48, round(body.size * dice.uniform(1.3, 2.0))))
        text = _fill(type_, width - 2 * left, dice, split, "title" if heading else case, 3 if heading else 8)
        if not text or y + type_.height > height - 3:
            break
        wide = type_.length(text)
        x = left + align * (width - 2 * left - wide)
        box, words = print_line(canvas, text, type_, x, y - type_.top, paint, colour_of(colour), len(things))
        things.append(Thing("heading" if heading else "text", colour, box, text, words=words))
        y = box[1] + max(type_.height + 2, gap * type_.size) + (0.4 * type_.size if heading else 0)
    return things or _sign(canvas, base, dice, split, fonts)


def _fill(type_: Font, width: float, dice: Random, split: Split, case: str, most: int) -> str:
    """As many runs as go into the width, up to a drawn number of at most `most`."""
    runs = line(split, dice, dice.randint(1, most), case).split(" ")
    while runs and type_.length(" ".join(runs)) > width:
        runs.pop()
    return cased(" ".join(runs), "upper" if case == "upper" else "lower-kept", dice)
