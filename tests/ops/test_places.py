"""Where a patch or a token stands, by the published vectors: on the learned grid, on the frequencies."""

from __future__ import annotations

import pytest
import torch

from omma.ops import axis_tables, corners
from omma.ops.rotary import turns

# The places of a grid of 4 by 6 patches, in blocks of 2 by 2 (facts §11).
ORDER = [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, 12, 13, 18, 19, 14, 15, 20, 21, 16, 17, 22, 23]


def test_a_grid_of_48_stretched_over_4_by_6_patches_is_the_published_one() -> None:
    numbers, shares = corners(torch.tensor([divmod(place, 6) for place in ORDER]), 4, 6, 48)
    wanted = [
        *(0, 9.4, 752, 761.4, 18.8, 28.2, 770.8, 780.2, 37.6, 47, 789.6, 799),
        *(1504, 1513.4, 2256, 2265.4, 1522.8, 1532.2, 2274.8, 2284.2, 1541.6, 1551, 2293.6, 2303),
    ]
    assert torch.allclose((numbers * shares).sum(-1), torch.tensor(wanted), atol=2e-3)
    assert torch.allclose(shares.sum(-1), torch.ones(24))


@pytest.mark.parametrize("count", [1, 2, 47, 48, 49, 100])
def test_the_first_and_the_last_patch_stand_on_the_edges_of_the_grid(count: int) -> None:
    # A lone patch stands on the first place. Half-pixel centres would miss both edges.
    places = torch.tensor([(0, 0), (count - 1, count - 1)])
    numbers, shares = corners(places, count, count, 48)
    first, last = (numbers * shares).sum(-1).tolist()
    assert first == 0
    assert last == pytest.approx(48 * 48 - 1 if count > 1 else 0)


def test_time_row_and_column_take_turns_on_the_frequencies() -> None:
    axis_F = turns((24, 20, 20))
    assert [axis_F.count(axis) for axis in range(3)] == [24, 20, 20]
    assert axis_F == [i % 3 if i < 60 else 0 for i in range(64)]


@pytest.mark.parametrize(
    ("interleaved", "wanted"),
    [(False, [0] * 24 + [1] * 20 + [2] * 20), (True, [i % 3 if i < 60 else 0 for i in range(64)])],
)
def test_each_frequency_turns_with_its_axis_alone(interleaved: bool, wanted: list[int]) -> None:
    moved = []
    for axis in range(3):
        positions_3T = torch.zeros(3, 1, dtype=torch.int64)
        positions_3T[axis] = 1
        moved.append(axis_tables(positions_3T, (24, 20, 20), 100.0, interleaved).sin_T1K[0, 0, 64:] != 0)
    assert torch.stack(moved).int().argmax(0).tolist() == wanted
    assert torch.stack(moved).sum(0).tolist() == [1] * 64


def test_words_turn_alike_in_either_order() -> None:
    positions_3T = torch.arange(50).expand(3, -1)
    chunked, interleaved = (axis_tables(positions_3T, (24, 20, 20), 5e6, kind) for kind in (False, True))
    assert torch.equal(chunked.cos_T1K, interleaved.cos_T1K)
    assert torch.equal(chunked.sin_T1K, interleaved.sin_T1K)
