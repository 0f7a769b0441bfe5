"""The world of letters: pages printed full, where nearly every place is a letter to learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from omma.sample import Size
from omma.synth.canvas import Canvas
from omma.synth.colours import colour_of
from omma.synth.fonts import PRINTABLE, choose, font
from omma.synth.grounds import ground
from omma.synth.printing import print_line, readable
from omma.synth.vocabulary import kept_for_test, line, scramble
from omma.synth.world import Drawing, Split, Thing

SIZES = ((22, 56), (16, 44), (12, 32), (9, 22))  # of the type in pixels, by level
MOST = 8  # lines on a page


def letters(size: Size, level: int, dice: Random, split: Split, fonts: Sequence[Path] | None) -> Drawing:
    """Up to eight lines that fill the page: half of them words, half of them letters in no order."""
    base = ground(size, 0 if dice.random() < 0.6 else level, dice)
    canvas = Canvas(base.picture, colour_of(base.colour))
    things: list[Thing] = []
    alike = dice.random() < 0.5
    face, soft = choose(fonts, split, dice), dice.random() < 0.5
    low, high = SIZES[level]
    points = dice.randint(low, high)
    paint = readable(base.inks, dice)
    top = dice.uniform(1, 8)
    while len(things) < MOST:
        if not alike:
            face, soft = choose(fonts, split, dice), dice.random() < 0.5
            points, paint = dice.randint(low, high), readable(base.inks, dice)
        type_ = font(face, points, soft)
        if things and top + type_.height > size.height - 1:
            break
        text = _run(split, dice, type_.length, size.width - 4)
        x = dice.uniform(2, max(2.0, size.width - type_.length(text) - 2))
        colour, rgb = paint
        number = len(things)
        box, words = print_line(canvas, text, type_, x, top - type_.top, rgb, colour_of(colour), number)
        things.append(Thing("text", colour, box, text, words=words))
        top += type_.height + dice.uniform(0.1, 0.5) * type_.size
    return Drawing(
        canvas.picture, tuple(things), "letters", base.colour,
        canvas.kind_map, canvas.colour_map, canvas.thing_map,
    )  # fmt: skip


def _run(split: Split, dice: Random, length: Callable[[str], float], width: float) -> str:
    """Words, or printable characters in no order, as many as fit in the width; one at least."""
    if dice.random() < 0.5:
        text = line(split, dice, dice.choice((1, 6, 6)), dice.choice(("lower", "any", "title", "upper")))
    else:
        text = " ".join(
            scramble(split, dice) if dice.random() < 0.6 else _medley(dice)
            for _ in range(dice.choice((1, 6)))
        )
    while len(text) > 1 and length(text) > width:
        text = text[:-1].rstrip()
    # Cutting may have laid bare a word that training never prints.
    if split == "train" and any(kept_for_test(run) for run in text.split()):
        return _run(split, dice, length, width)
    return text


def _medley(dice: Random) -> str:
    """Two to seven of all the printable characters, so that the rare ones are learned too."""
    return "".join(dice.choices(PRINTABLE[1:], k=dice.randint(2, 7)))
