"""Windows, slices and places of patches: the public vectors (facts §2.5, §11)."""

from __future__ import annotations

import pytest

from omma.model.windows import floorplan, layout
from omma.sample import Grid


def test_windows_at_the_edges_are_smaller() -> None:
    plan = floorplan([Grid(1, 12, 20)], 2, 4)
    assert plan.window_starts == (0, 64, 128, 160, 192, 224, 240)
    assert plan.order_N.tolist() == [
        *(0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33),
        *(4, 5, 6, 7, 14, 15, 16, 17, 24, 25, 26, 27, 34, 35, 36, 37),
        *(8, 9, 18, 19, 28, 29, 38, 39, 40, 41, 42, 43, 50, 51, 52, 53, 44, 45, 46, 47, 54, 55, 56, 57),
        *(48, 49, 58, 59),
    ]


def test_a_grid_of_whole_windows_has_no_empty_ones() -> None:
    plan = floorplan([Grid(1, 16, 16)], 2, 4)
    assert plan.window_starts == (0, 64, 128, 192, 256)
    corners = [plan.order_N[start // 4].item() for start in plan.window_starts[:-1]]
    assert corners == [0, 4, 32, 36]


def test_windows_never_cross_slices() -> None:
    plan = floorplan([Grid(2, 6, 10)], 2, 4)
    first = [0, 1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13, 4, 9, 14]
    assert plan.order_N.tolist() == first + [cell + 15 for cell in first]
    assert plan.window_starts == (0, 48, 60, 108, 120)
    assert plan.slice_starts == (0, 60, 120)


@pytest.mark.parametrize("grids", [[Grid(1, 2, 2)], [Grid(3, 14, 6), Grid(1, 8, 8), Grid(2, 2, 34)]])
def test_the_way_back_undoes_the_window_order(grids: list[Grid]) -> None:
    plan = floorplan(grids, 2, 4)
    cells = sum(grid.cells(2) for grid in grids)
    assert plan.order_N[plan.back_N].tolist() == list(range(cells))


def test_slices_of_one_length_stand_together() -> None:
    wide, small, tall = Grid(1, 4, 8), Grid(2, 4, 4), Grid(1, 8, 4)
    plan = floorplan([wide, small, tall], 2, None)
    assert plan.grids == (small, wide, tall)
    assert plan.slice_starts == (0, 16, 32, 64, 96)
    assert plan.order_N.tolist() == [*range(8, 16), *range(8), *range(16, 24)]


def test_patches_stand_in_blocks_of_the_merger() -> None:
    assert layout(Grid(1, 2, 4), 2, 4).places_P2.tolist() == [
        *([0, 0], [0, 1], [1, 0], [1, 1]),
        *([0, 2], [0, 3], [1, 2], [1, 3]),
    ]
