"""What happens to a picture before it is seen: blur, noise, compression, dim or hard light. Nothing moves."""

from __future__ import annotations

from io import BytesIO
from random import Random

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

OFTEN = (0.0, 0.06, 0.22, 0.35)  # how likely a picture is worn, by level


def wear(picture: Image.Image, level: int, dice: Random) -> Image.Image:
    """The picture as it is at level 0, and more and more often worn above it; the size stays."""
    if dice.random() >= OFTEN[level]:
        return picture
    match dice.randrange(5):
        case 0:
            return picture.filter(ImageFilter.GaussianBlur(dice.uniform(0.3, 0.9)))
        case 1:
            return _grainy(picture, dice)
        case 2:
            return _compressed(picture, dice.randint(35, 90))
        case 3:
            return ImageEnhance.Contrast(picture).enhance(dice.uniform(0.85, 1.1))
        case _:
            return _coarse(picture, dice.uniform(0.7, 0.95))


def _grainy(picture: Image.Image, dice: Random) -> Image.Image:
    """Noise that is the same in all three colours."""
    pixels = np.asarray(picture).astype(np.int16)
    strength = dice.randint(3, 12)
    grain = np.random.default_rng(dice.getrandbits(32)).integers(
        -strength, strength + 1, pixels.shape[:2], np.int8
    )
    return Image.fromarray(np.clip(pixels + grain[:, :, None], 0, 255).astype(np.uint8))


def _compressed(picture: Image.Image, quality: int) -> Image.Image:
    held = BytesIO()
    picture.save(held, "JPEG", quality=quality)
    return Image.open(held).convert("RGB")


def _coarse(picture: Image.Image, share: float) -> Image.Image:
    """Scaled down and up again, as a screenshot that was passed around."""
    small = (max(8, round(picture.width * share)), max(8, round(picture.height * share)))
    return picture.resize(small, Image.Resampling.BILINEAR).resize(picture.size, Image.Resampling.BILINEAR)
