"""How a screen is dressed: inks, corners, type, and the manner of its buttons and fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from omma.synth.colours import Ink, ink, luminance, shade
from omma.synth.fonts import Font, choose, font
from omma.synth.world import Split


@dataclass(frozen=True)
class Theme:
    """One look. `corner` is a radius in pixels;
    `pad` is the room above and below a label, in font sizes."""

    ground: Ink
    panel: Ink
    text: Ink
    border: Ink
    accent: Ink
    corner: float
    buttons: str  # "gray" | "filled" | "outlined"
    fields: str  # "box" | "line"
    bar: Ink
    pad: float
    type: Font
    big: Font

    @property
    def on_accent(self) -> Ink:
        """The ink of words on the accent."""
        return (255, 255, 255) if luminance(self.accent) < 165 else (0, 0, 0)


ACCENTS = ("blue", "blue", "green", "purple", "red", "orange", "pink", "black", "cyan")


def theme(dice: Random, split: Split, fonts: Sequence[Path] | None, size: int) -> Theme:
    """A look by chance: a browser's default, flat, material, dark or tinted; body text of `size` pixels."""
    face = choose(fonts, split, dice, plain=0.75)
    soft = dice.random() < 0.4
    body, big = font(face, size, soft), font(face, round(size * dice.uniform(1.25, 1.7)), soft)
    accent = ink(dice.choice(ACCENTS), dice)
    white: Ink = (255, 255, 255)
    look, pad = dice.random(), dice.choice((0.3, 0.45, 0.6, 0.75))
    if look < 0.3:
        return Theme(
            white, white, (0, 0, 0), (118, 118, 118), (0, 117, 255), dice.choice((0, 3)),
            "gray", "box", (240, 240, 240), pad, body, big,
        )  # fmt: skip
    if look < 0.5:
        back: Ink = dice.choice((white, (245, 245, 245), (240, 242, 245), (248, 250, 252)))
        return Theme(
            back, white, (33, 33, 33), (200, 200, 205), accent, dice.choice((4.0, 6.0, 10.0)),
            "filled", "box", accent, pad, body, big,
        )  # fmt: skip
    if look < 0.7:
        return Theme(
            (250, 250, 250), white, (33, 33, 33), (150, 150, 150), accent, 3.0,
            dice.choice(("filled", "outlined")), "line", accent, pad, body, big,
        )  # fmt: skip
    if look < 0.88:
        deep: Ink = dice.choice(((18, 18, 18), (30, 30, 30), (15, 23, 42), (33, 37, 41)))
        glow = shade(accent, 1.2) if luminance(accent) > 60 else ink("blue", dice)
        return Theme(
            deep, shade(deep, 1.08), (235, 235, 235), (110, 110, 115), glow,
            dice.choice((0.0, 4.0, 8.0)), dice.choice(("filled", "outlined")), "box",
            shade(deep, 1.14), pad, body, big,
        )  # fmt: skip
    tint = shade(accent, 1.85)
    return Theme(
        tint, white, (30, 30, 30), shade(accent, 1.3), accent, dice.choice((0.0, 12.0)),
        "outlined", "box", tint, pad, body, big,
    )  # fmt: skip
