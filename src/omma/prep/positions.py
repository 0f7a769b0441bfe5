"""Where each token stands in time, row and column: the three numbers that rotary positions turn by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from omma.sample import Grid, Visual


class Block(Protocol):
    """What positions need of a picture or video; a `Visual` is one."""

    @property
    def grid(self) -> Grid: ...
    @property
    def start(self) -> int: ...
    @property
    def seconds_per_slice(self) -> float: ...


class Slice(NamedTuple):
    """One slice of a video, a block of its own."""

    grid: Grid
    start: int
    seconds_per_slice: float = 0.0


def blocks_of(visuals: Sequence[Visual]) -> list[Block]:
    """The blocks that pictures and videos make: one each, but one for each slice with words between."""
    blocks: list[Block] = []
    for visual in visuals:
        blocks += [Slice(visual.grid._replace(slices=1), start) for start, _ in visual.stretches] or [visual]
    return blocks


def mrope_positions(
    length: int, blocks: Sequence[Block], *, merge: int, tokens_per_second: float | None
) -> NDArray[np.int64]:
    """Positions (3, length) of a sequence whose visual tokens begin at each block's `start`.

    Words count on, the same on all three axes. Inside a block the axes part: time goes by
    ``floor(slice · seconds_per_slice · tokens_per_second)``, or by slices where that is None, row and column
    by merged cells. After it, all go on from the highest number so far, plus one (facts §3.2, §3.3).
    """
    positions = np.empty((3, length), np.int64)
    place = counter = 0
    for block in blocks:
        words = block.start - place
        positions[:, place : block.start] = np.arange(counter, counter + words)
        counter += words
        rows, columns = block.grid.rows // merge, block.grid.columns // merge
        times = [_time(i, block, tokens_per_second) for i in range(block.grid.slices)]
        place = block.start + len(times) * rows * columns
        cells = np.meshgrid(times, np.arange(rows), np.arange(columns), indexing="ij")
        positions[:, block.start : place] = np.stack(cells).reshape(3, -1) + counter
        counter += max(times[-1], rows - 1, columns - 1) + 1
    positions[:, place:] = np.arange(counter, counter + length - place)
    return positions


def _time(number: int, block: Block, tokens_per_second: float | None) -> int:
    """Where a slice stands on the axis of time, from its block's start."""
    if tokens_per_second is None:
        return number
    # In single precision, as the models were trained: a hair under a whole number in double is whole.
    interval = np.float32(tokens_per_second) * np.float32(block.seconds_per_slice)
    return math.floor(np.float32(number) * interval)
