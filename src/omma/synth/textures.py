"""Grounds that nobody takes for paper: clouds of colour, cloth, boards, blurred lights, loose marks."""

from __future__ import annotations

from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from omma.sample import Size
from omma.synth.colours import DEEP, NAMED, PALE, Ink, ink, shade
from omma.synth.grounds import Ground


def textured(size: Size, dice: Random) -> Ground:
    """A ground of many inks. Its colour is called "mixed"."""
    make = dice.choice((_clouds, _clouds, _boards, _cloth, _lights, _marks, _marks))
    first, second = _inks(dice)
    picture = make(size, first, second, dice)
    middle = picture.resize((3, 3), Image.Resampling.BOX)
    seen = [middle.getpixel((x, y)) for x in range(3) for y in range(3)]
    return Ground(picture, "mixed", tuple(_ink(pixel) for pixel in seen))


def _ink(pixel: object) -> Ink:
    assert isinstance(pixel, tuple), "a picture in RGB has three numbers a pixel"
    return pixel[0], pixel[1], pixel[2]


def _inks(dice: Random) -> tuple[Ink, Ink]:
    """Two inks that go together: both pale, both deep, or a named one in two shades."""
    luck = dice.random()
    if luck < 0.35:
        return dice.choice(PALE), dice.choice(PALE)
    if luck < 0.55:
        return dice.choice(DEEP), dice.choice(DEEP)
    base = ink(dice.choice(NAMED), dice)
    return shade(base, dice.uniform(0.7, 1.0)), shade(base, dice.uniform(1.1, 1.5))


def _field(size: Size, coarse: int, dice: Random, stretch: tuple[int, int] = (1, 1)) -> NDArray[np.float32]:
    """Smooth chance between 0 and 1, `coarse` pixels from hill to hill: (height, width)."""
    shape = (
        max(2, -(-size.height // (coarse * stretch[1]))),
        max(2, -(-size.width // (coarse * stretch[0]))),
    )
    small = np.random.default_rng(dice.getrandbits(32)).integers(0, 256, shape, np.uint8)
    wide = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(wide, np.float32) / np.float32(255)


def _between(share: NDArray[np.float32], first: Ink, second: Ink) -> Image.Image:
    mask = Image.fromarray((np.clip(share, 0, 1) * 255).astype(np.uint8))
    size = mask.size
    return Image.composite(Image.new("RGB", size, second), Image.new("RGB", size, first), mask)


def _clouds(size: Size, first: Ink, second: Ink, dice: Random) -> Image.Image:
    side = max(size)
    field = 0.6 * _field(size, side // 3, dice) + 0.3 * _field(size, max(4, side // 9), dice)
    return _between(field + 0.1 * _field(size, 3, dice), first, second)


def _boards(size: Size, first: Ink, second: Ink, dice: Random) -> Image.Image:
    """Long grain in boards side by side."""
    grain = 0.7 * _field(size, 3, dice, (24, 1)) + 0.3 * _field(size, max(4, size.width // 4), dice)
    picture = _between(grain, first, second)
    pen, wide = ImageDraw.Draw(picture), dice.randint(18, 60)
    for y in range(dice.randint(0, wide), size.height, wide):
        pen.line((0, y, size.width, y), fill=shade(first, 0.6))
    return picture if dice.random() < 0.5 else picture.rotate(90, expand=True).resize(size)


def _cloth(size: Size, first: Ink, second: Ink, dice: Random) -> Image.Image:
    """Checks of crossing bands."""
    wide = dice.randint(6, 30)
    columns = (np.arange(size.width) // wide % 2)[None, :]
    rows = (np.arange(size.height) // wide % 2)[:, None]
    share = (columns + rows) / 2 * dice.uniform(0.5, 1.0)
    return _between((share * 0.85 + 0.15 * _field(size, 2, dice)).astype(np.float32), first, second)


def _lights(size: Size, first: Ink, second: Ink, dice: Random) -> Image.Image:
    """Blurred discs, as of what lies far behind."""
    picture = Image.new("RGB", size, first)
    pen = ImageDraw.Draw(picture)
    for _ in range(dice.randint(6, 16)):
        x, y = dice.uniform(0, size.width), dice.uniform(0, size.height)
        r = dice.uniform(0.04, 0.2) * max(size)
        tint = second if dice.random() < 0.6 else ink(dice.choice(NAMED), dice)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=tint)
    return picture.filter(ImageFilter.BoxBlur(dice.uniform(5, 12)))


def _marks(size: Size, first: Ink, second: Ink, dice: Random) -> Image.Image:
    """Dots, dashes and rings strewn about: nothing that has a name."""
    picture = Image.new("RGB", size, first)
    pen = ImageDraw.Draw(picture)
    for _ in range(dice.randint(15, 70)):
        x, y, r = dice.uniform(0, size.width), dice.uniform(0, size.height), dice.uniform(1, 5)
        tint = second if dice.random() < 0.7 else ink(dice.choice(NAMED), dice)
        form = dice.randrange(3)
        if form == 0:
            pen.ellipse((x - r, y - r, x + r, y + r), fill=tint)
        elif form == 1:
            pen.line((x, y, x + dice.uniform(-9, 9), y + dice.uniform(-9, 9)), fill=tint, width=2)
        else:
            pen.arc((x - r, y - r, x + r, y + r), 0, dice.randint(90, 360), fill=tint)
    return picture
