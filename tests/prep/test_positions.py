"""Positions follow the published vectors, on all three axes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from omma.prep.positions import mrope_positions
from omma.sample import Grid


class Block(NamedTuple):
    grid: Grid
    start: int
    seconds_per_slice: float = 0.0


def test_words_count_on_alike_on_all_axes() -> None:
    positions = mrope_positions(5, [], merge=2, tokens_per_second=2.0)
    assert positions.tolist() == [[0, 1, 2, 3, 4]] * 3


def test_the_published_vector_of_a_picture_and_a_video_holds() -> None:
    blocks = [Block(Grid(1, 4, 4), 3), Block(Grid(3, 2, 4), 10, 1.0)]
    positions = mrope_positions(19, blocks, merge=2, tokens_per_second=2.0)
    assert positions.tolist() == [
        [0, 1, 2, 3, 3, 3, 3, 5, 6, 7, 8, 8, 10, 10, 12, 12, 13, 14, 15],
        [0, 1, 2, 3, 3, 4, 4, 5, 6, 7, 8, 8, 8, 8, 8, 8, 13, 14, 15],
        [0, 1, 2, 3, 4, 3, 4, 5, 6, 7, 8, 9, 8, 9, 8, 9, 13, 14, 15],
    ]
    assert positions.max() + 1 - 19 == -3


def test_the_published_vector_of_slices_between_words_holds() -> None:
    # Qwen3-VL writes every slice of a video as a block of its own, its second before it in words.
    blocks = [Block(Grid(1, 4, 4), 3), Block(Grid(1, 2, 4), 12), Block(Grid(1, 2, 4), 18)]
    positions = mrope_positions(23, blocks, merge=2, tokens_per_second=2.0)
    assert positions.tolist() == [
        [0, 1, 2, 3, 3, 3, 3, 5, 6, 7, 8, 9, 10, 10, 12, 13, 14, 15, 16, 16, 18, 19, 20],
        [0, 1, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9, 10, 10, 12, 13, 14, 15, 16, 16, 18, 19, 20],
        [0, 1, 2, 3, 4, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
    ]
    assert positions.max() + 1 - 23 == -2


def test_time_is_multiplied_before_it_is_cut() -> None:
    # Half a second a slice and two numbers a second: an integer cast of the seconds would lose them all.
    positions = mrope_positions(4, [Block(Grid(4, 2, 2), 0, 0.5)], merge=2, tokens_per_second=2.0)
    assert positions[0].tolist() == [0, 1, 2, 3]


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=20, unique=True).map(sorted), st.integers(1, 30))
def test_time_is_cut_as_the_models_learned_it(ticks: list[int], rate: int) -> None:
    """The published product, in torch and single precision; frames a third of a second apart make wholes."""
    seconds = 2 * (ticks[-1] - ticks[0]) / rate / (len(ticks) - 1)
    blocks = [Block(Grid(len(ticks), 2, 2), 0, seconds)]
    positions = mrope_positions(len(ticks), blocks, merge=2, tokens_per_second=2.0)
    assert positions[0].tolist() == (torch.arange(len(ticks)) * (2 * torch.tensor(seconds))).long().tolist()


@pytest.mark.parametrize("slices", [1, 2, 7])
def test_words_after_a_video_stand_after_its_last_moment(slices: int) -> None:
    positions = mrope_positions(
        slices + 1, [Block(Grid(slices, 2, 2), 0, 3.0)], merge=2, tokens_per_second=2.0
    )
    assert positions[:, -1].tolist() == [positions[:, :-1].max() + 1] * 3


def test_two_blocks_may_touch() -> None:
    positions = mrope_positions(
        2, [Block(Grid(1, 2, 2), 0), Block(Grid(1, 2, 2), 1)], merge=2, tokens_per_second=2.0
    )
    assert np.array_equal(positions, [[0, 1]] * 3)
