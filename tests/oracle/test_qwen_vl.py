"""The 2023 model says what an independent reading of its description says; and that judge is judged."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.oracle.numpy_qwen_vl import interpolated, rotation, sincos


@pytest.mark.parametrize(("own", "side"), [(16, 32), (16, 8), (16, 16), (4, 7), (7, 3)])
def test_the_judge_interpolates_as_torch_does(own: int, side: int) -> None:
    table = np.random.default_rng(own).normal(size=(own * own, 5))
    grid = torch.from_numpy(table).reshape(1, own, own, 5).permute(0, 3, 1, 2)
    wanted = torch.nn.functional.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False)
    assert np.abs(interpolated(table, side) - wanted[0].permute(1, 2, 0).reshape(-1, 5).numpy()).max() < 1e-12


def test_the_judge_turns_heads_at_the_speeds_of_torch() -> None:
    speeds = 1.0 / 10_000.0 ** (torch.arange(0, 128, 2).float() / 128)
    angles = torch.outer(torch.arange(5000.0), speeds).double()
    cosine, sine = rotation(5000, 128, 10_000)
    assert np.abs(cosine[:, :64] - angles.cos().numpy()).max() < 1e-12
    assert np.abs(sine[:, 64:] - angles.sin().numpy()).max() < 1e-12


def test_the_places_of_the_resampler_are_waves_of_column_and_row() -> None:
    table = sincos(8, 3).reshape(3, 3, 8)
    assert np.allclose(table[0, 0], [0, 0, 1, 1, 0, 0, 1, 1])
    assert np.allclose(table[2, 1, :4], np.r_[np.sin([1, 0.01]), np.cos([1, 0.01])])
    assert np.allclose(table[2, 1, 4:], np.r_[np.sin([2, 0.02]), np.cos([2, 0.02])])
