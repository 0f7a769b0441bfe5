"""Patch rows lie in the order the tower reads, and the fast way is the plain way."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from omma.prep.patches import patch_rows
from omma.prep.rules import PictureRules
from omma.sample import Grid

PLAIN = PictureRules(mean=(0.0, 0.0, 0.0), std=(1 / 255, 1 / 255, 1 / 255))


def slow_rows(frames: NDArray[np.uint8], rules: PictureRules) -> NDArray[np.float64]:
    """The meaning, one patch at a time."""
    while len(frames) % rules.temporal:
        frames = np.concatenate([frames, frames[-1:]])
    pixels = (frames / 255 - rules.mean) / rules.std
    p, m = rules.patch, rules.merge
    _, height, width, _ = frames.shape
    return np.array(
        [
            pixels[t : t + rules.temporal, y : y + p, x : x + p].transpose(3, 0, 1, 2).ravel()
            for t in range(0, len(frames), rules.temporal)
            for block_y in range(0, height, p * m)
            for block_x in range(0, width, p * m)
            for y in range(block_y, block_y + p * m, p)
            for x in range(block_x, block_x + p * m, p)
        ]
    )


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_rows_are_those_of_the_plain_way(count: int) -> None:
    frames = np.random.default_rng(count).integers(0, 256, (count, 56, 84, 3), dtype=np.uint8)
    rows, grid = patch_rows(frames, PictureRules())
    assert grid == Grid((count + 1) // 2, 4, 6)
    assert rows.shape == (grid.patches, 1176)
    assert np.abs(rows - slow_rows(frames, PictureRules())).max() < 1e-6


def test_the_published_order_of_a_grid_of_4_by_6_holds() -> None:
    numbers = np.arange(24, dtype=np.uint8).reshape(4, 6)
    frame = np.repeat(np.kron(numbers, np.ones((14, 14), np.uint8))[..., None], 3, axis=2)
    rows, _ = patch_rows(frame[None], PLAIN)
    order = [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, 12, 13, 18, 19, 14, 15, 20, 21, 16, 17, 22, 23]
    assert rows[:, 0].round().tolist() == order


def test_the_same_frames_give_the_same_bits(picture: NDArray[np.uint8]) -> None:
    frames = picture[None, :448, :616]
    first, second = (patch_rows(frames, PictureRules())[0] for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_sides_that_are_no_whole_cells_are_our_mistake(picture: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="steps of 28"):
        patch_rows(picture[None], PictureRules())
