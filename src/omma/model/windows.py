"""Where a picture's patches stand and which see each other: windows, slices, places (facts §2.4, §2.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import torch
from torch import Tensor

from omma.sample import Grid


@dataclass(frozen=True)
class Layout:
    """One picture's or video's cells in window order.

    `order_N` are the cells as the windows take them, `places_P2` each patch's row and column in that order;
    `windows` and `slices` are lengths in patches.
    """

    order_N: Tensor
    places_P2: Tensor
    windows: tuple[int, ...]
    slices: tuple[int, ...]


@dataclass(frozen=True)
class Floorplan:
    """All pictures of one call, end to end. `order_N` and `back_N` undo each other.

    `grids` are the pictures as they lie: those whose slices are as long stand together.
    """

    grids: tuple[Grid, ...]
    order_N: Tensor
    back_N: Tensor
    places_P2: Tensor
    window_starts: tuple[int, ...]
    slice_starts: tuple[int, ...]


@lru_cache(maxsize=128)
def layout(grid: Grid, merge: int, side: int | None) -> Layout:
    """Cut a grid into windows of `side` × `side` cells, slice by slice; windows at the edges are smaller.

    With `side` None a slice is one window.
    """
    rows, columns = grid.rows // merge, grid.columns // merge
    side = side or max(rows, columns)
    across = -(-columns // side)
    row_N = torch.arange(rows).repeat_interleave(columns)
    column_N = torch.arange(columns).repeat(rows)
    window_N = row_N // side * across + column_N // side
    order_N = window_N.argsort(stable=True)
    unit = merge * merge
    lengths = tuple(n * unit for n in window_N.bincount().tolist())
    inner = torch.arange(unit)
    inside_U2 = torch.stack([inner // merge, inner % merge], -1)
    cells_N2 = torch.stack([row_N, column_N], -1)[order_N] * merge
    places_P2 = (cells_N2[:, None] + inside_U2).flatten(0, 1)
    times = torch.arange(grid.slices)[:, None] * (rows * columns)
    return Layout(
        order_N=(order_N + times).flatten(),
        places_P2=places_P2.repeat(grid.slices, 1),
        windows=lengths * grid.slices,
        slices=(grid.rows * grid.columns,) * grid.slices,
    )


def floorplan(grids: Sequence[Grid], merge: int, side: int | None) -> Floorplan:
    """Lay the layouts of several pictures end to end, short slices first.

    So attention takes all slices of one length at once, and no layer must move their rows for it.
    """
    ends = accumulate(grid.patches // merge**2 for grid in grids)
    placed = sorted(zip(grids, ends, strict=True), key=lambda pair: pair[0].rows * pair[0].columns)
    layouts = [layout(grid, merge, side) for grid, _ in placed]
    order_N = torch.cat(
        [one.order_N + end - len(one.order_N) for one, (_, end) in zip(layouts, placed, strict=True)]
    )
    return Floorplan(
        grids=tuple(grid for grid, _ in placed),
        order_N=order_N,
        back_N=order_N.argsort(),
        places_P2=torch.cat([one.places_P2 for one in layouts]),
        window_starts=tuple(accumulate((n for one in layouts for n in one.windows), initial=0)),
        slice_starts=tuple(accumulate((n for one in layouts for n in one.slices), initial=0)),
    )
