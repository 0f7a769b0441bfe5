"""Pixels to the rows that the vision tower reads: resized, normalised, cut into patches, block by block."""

from __future__ import annotations

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from omma.prep.rules import PictureRules
from omma.sample import Grid, Size


def fit(picture: PIL.Image.Image, size: Size) -> NDArray[np.uint8]:
    """The RGB picture at `size`, bicubic on bytes as the public processors do it: (H, W, 3)."""
    if picture.size != tuple(size):
        picture = picture.resize(size, PIL.Image.Resampling.BICUBIC)
    return np.asarray(picture)


def patch_rows(frames: NDArray[np.uint8], rules: PictureRules) -> tuple[NDArray[np.float32], Grid]:
    """Cut frames (N, H, W, 3), 0 … 255, into normalised patch rows and say on which grid they lie.

    H and W are multiples of the rules' `factor`. A row is (channel, frame, y, x) flattened, as convolution
    weights are; rows come block by block of `merge` × `merge` patches, blocks in reading order, slice by
    slice. When N is no multiple of `temporal`, the last frame is repeated (facts §2.2).
    """
    count, height, width, channels = frames.shape
    patch, temporal, merge = rules.patch, rules.temporal, rules.merge
    if height % rules.factor or width % rules.factor or not count:
        raise ValueError(
            f"{count} frames of {width}×{height}; wanted at least one, of sides in steps of {rules.factor}"
        )
    grid = Grid(-(-count // temporal), height // patch, width // patch)
    # A lone picture is cut once and written `temporal` times.
    depth = 1 if count == 1 else temporal
    if count > 1 and (lacking := grid.slices * temporal - count):
        frames = np.concatenate([frames, np.repeat(frames[-1:], lacking, axis=0)])
    blocks = frames.reshape(
        grid.slices, depth, grid.rows // merge, merge, patch, grid.columns // merge, merge, patch, channels
    )
    cut = np.ascontiguousarray(blocks.transpose(0, 2, 5, 3, 6, 8, 1, 4, 7))
    cut = cut.reshape(grid.patches, channels, depth, patch * patch)
    rows = np.empty((grid.patches, channels, temporal, patch * patch), np.float32)
    for channel in range(channels):
        scale = np.float32(1 / (255 * rules.std[channel]))
        shift = np.float32(rules.mean[channel] / rules.std[channel])
        np.multiply(cut[:, channel], scale, out=rows[:, channel], dtype=np.float32)
        rows[:, channel] -= shift
    return rows.reshape(grid.patches, -1), grid
