"""How a picture looks, in two numbers of 64 bits and 256 greys, so that copies are found near each other."""

from __future__ import annotations

import hashlib
import math
from functools import cache
from typing import NamedTuple

import numpy as np
import PIL.Image
from numpy.typing import NDArray

SIDE = 32  # pixels a side that the waves are measured on
FLAT = 4.0  # grey levels a picture must vary by (standard deviation), or its hashes would tell noise
STEP = 2  # grey levels between neighbours that count as one being lighter
CELLS = 16  # cells a side of the greys that the last look compares
AGREE = 0.93  # how much they must agree (correlation)


class PictureHash(NamedTuple):
    """How a picture looks. `waves` and `steps` are 64 bits each, None for a picture too flat to have any.

    `pixels` is a digest of the picture's very pixels: equal only for the same picture. `greys` are its
    CELLS × CELLS cells in rows, a byte each; none for a flat picture.
    """

    waves: int | None
    steps: int | None
    pixels: str
    greys: bytes = b""


def picture_hash(picture: PIL.Image.Image) -> PictureHash:
    """The hashes of an RGB picture. All arithmetic is in whole numbers: the same on every machine."""
    digest = hashlib.blake2b(repr(picture.size).encode(), digest_size=16)
    digest.update(picture.tobytes())
    grey = picture.convert("L")
    small = np.asarray(grey.resize((SIDE, SIDE), PIL.Image.Resampling.BOX), np.int64)
    if float(small.std()) < FLAT:
        return PictureHash(None, None, digest.hexdigest())
    cells = grey.resize((CELLS, CELLS), PIL.Image.Resampling.BOX).tobytes()
    return PictureHash(_waves(small), _steps(grey), digest.hexdigest(), cells)


def _waves(small: NDArray[np.int64]) -> int:
    """pHash: which of the 64 slowest waves of the picture, its mean left out, are above their median."""
    rows, columns = _slowest()
    cosines = _cosines()
    found = (cosines @ small @ cosines.T)[rows, columns]
    return _bits(found > np.median(found))


def _steps(grey: PIL.Image.Image) -> int:
    """dHash: where, on 8 rows of 9 pixels, a pixel is lighter than its left neighbour."""
    small = np.asarray(grey.resize((9, 8), PIL.Image.Resampling.BOX), np.int64)
    return _bits((np.diff(small, axis=1) > STEP).ravel())


def _bits(signs: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(signs).tobytes(), "big")


@cache
def _cosines() -> NDArray[np.int64]:
    """The waves of the discrete cosine transform (II) on SIDE pixels, in thousandths: (waves, pixels)."""
    at = np.arange(SIDE)
    waves: NDArray[np.float64] = np.cos(np.pi * at[:, None] * (2 * at[None] + 1) / (2 * SIDE))
    return np.rint(1000 * waves).astype(np.int64)


@cache
def _slowest() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column numbers of the 64 slowest waves after the mean, the ones of equal speed by rows."""
    order = sorted(((r, c) for r in range(SIDE) for c in range(SIDE)), key=lambda rc: (rc[0] + rc[1], rc[0]))
    rows, columns = np.array(order[1:65]).T
    return rows, columns


def distance(one: int, other: int) -> int:
    """In how many of their bits two hashes differ."""
    return (one ^ other).bit_count()


def looks_alike(one: PictureHash, other: PictureHash, radius: int) -> bool:
    """Whether both hashes are at most `radius` bits apart and the greys agree, or the pixels are the same.

    The hashes alone take smooth pictures with small things on them for each other; the greys tell them apart.
    """
    if one.pixels == other.pixels:
        return True
    if one.waves is None or one.steps is None or other.waves is None or other.steps is None:
        return False
    near = distance(one.waves, other.waves) <= radius and distance(one.steps, other.steps) <= radius
    return near and agreement(one.greys, other.greys) >= AGREE


def agreement(one: bytes, other: bytes) -> float:
    """The correlation of two rows of greys, -1 to 1: lighter or paler copies agree wholly."""
    a, b = (np.frombuffer(greys, np.uint8).astype(np.int64) for greys in (one, other))
    spread = _spread(a, a) * _spread(b, b)
    return _spread(a, b) / math.sqrt(spread) if spread else float(one == other)


def _spread(a: NDArray[np.int64], b: NDArray[np.int64]) -> int:
    return int(len(a) * (a * b).sum() - a.sum() * b.sum())
