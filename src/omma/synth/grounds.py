"""What a drawing stands on: plain, graded, patterned and noisy grounds, with a name for their colour."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from omma.sample import Size
from omma.synth.colours import DEEP, NAMED, PALE, Ink, distance, ink, luminance, shade


@dataclass(frozen=True)
class Ground:
    """A background. `colour` is a name of COLOURS; `inks` are its extremes, which things must differ from."""

    picture: Image.Image
    colour: str
    inks: tuple[Ink, ...]

    def shows(self, rgb: Ink, least: float = 150) -> bool:
        """Whether this ink stands out everywhere."""
        return all(distance(rgb, own) >= least for own in self.inks)


def ground(size: Size, level: int, dice: Random) -> Ground:
    """Plain and mostly white at level 0; graded from level 1; patterned and noisy from level 2."""
    colour, rgb = _base(level, dice)
    luck = dice.random()
    if level == 0 or luck < (0.75, 0.7, 0.5, 0.4)[level]:
        return Ground(Image.new("RGB", size, rgb), colour, (rgb,))
    other = _beside(rgb, colour, dice)
    if level == 1 or luck < 0.7:
        return Ground(_graded(size, rgb, other, dice), colour, (rgb, other))
    if luck < 0.87:
        return Ground(_patterned(size, rgb, other, dice), colour, (rgb, other))
    return Ground(_noisy(size, rgb, dice), colour, (rgb,))


def _base(level: int, dice: Random) -> tuple[str, Ink]:
    luck = dice.random()
    if luck < (0.6, 0.45, 0.35, 0.3)[level]:
        return "white", (255, 255, 255)
    if luck < 0.7:
        return "light", dice.choice(PALE)
    if luck < 0.8:
        return "dark", dice.choice(DEEP)
    if luck < 0.86:
        return "black", ink("black", dice)
    name = dice.choice(NAMED)
    return name, ink(name, dice)


def _beside(rgb: Ink, colour: str, dice: Random) -> Ink:
    """A second ink that still bears the same name."""
    if colour == "light":
        return dice.choice(PALE)
    if colour == "dark":
        return dice.choice(DEEP)
    if colour == "white":
        return shade(rgb, dice.uniform(0.95, 0.99))
    if colour == "black" or luminance(rgb) < 40:
        return shade(rgb, dice.uniform(1.03, 1.08))
    return shade(rgb, dice.choice((dice.uniform(0.88, 0.95), dice.uniform(1.05, 1.12))))


def _graded(size: Size, rgb: Ink, other: Ink, dice: Random) -> Image.Image:
    ramp = Image.linear_gradient("L") if dice.random() < 0.75 else Image.radial_gradient("L")
    turned = ramp.rotate(dice.choice((0, 90, 180, 270))).resize(size)
    return Image.composite(Image.new("RGB", size, other), Image.new("RGB", size, rgb), turned)


def _patterned(size: Size, rgb: Ink, other: Ink, dice: Random) -> Image.Image:
    picture = Image.new("RGB", size, rgb)
    pen = ImageDraw.Draw(picture)
    step = dice.randint(6, 40)
    kind = dice.choice(("rows", "columns", "checks", "grid", "dots"))
    for column, x in enumerate(range(0, size.width, step)):
        if kind == "columns" and column % 2:
            pen.rectangle((x, 0, x + step - 1, size.height), fill=other)
        if kind == "grid":
            pen.line((x, 0, x, size.height), fill=other)
    for row, y in enumerate(range(0, size.height, step)):
        if kind == "rows" and row % 2:
            pen.rectangle((0, y, size.width, y + step - 1), fill=other)
        if kind == "grid":
            pen.line((0, y, size.width, y), fill=other)
        if kind in ("checks", "dots"):
            for x in range((row % 2) * step, size.width, 2 * step):
                if kind == "checks":
                    pen.rectangle((x, y, x + step - 1, y + step - 1), fill=other)
                else:
                    pen.ellipse((x, y, x + step // 3, y + step // 3), fill=other)
    return picture


def _noisy(size: Size, rgb: Ink, dice: Random) -> Image.Image:
    """Coarse blotches of brightness, as of paper or cloth."""
    coarse = dice.choice((1, 2, 4, 8, 16))
    shape = (-(-size.height // coarse), -(-size.width // coarse), 1)
    grain = np.random.default_rng(dice.getrandbits(32)).integers(-14, 15, shape)
    small = np.clip(np.array(rgb) + grain, 0, 255).astype(np.uint8)
    return Image.fromarray(small).resize(
        size, dice.choice((Image.Resampling.BILINEAR, Image.Resampling.NEAREST))
    )
