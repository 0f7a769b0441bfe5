"""The tower of one size and its bridge: pictures are seen alone, gradients reach all but the waves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from omma.errors import PlaceholderMismatch
from omma.model.attend import Segments
from omma.model.decoder import Embedded
from omma.model.pieces import whole
from omma.model.resampler import StretchedTable, WaveTable, block_order
from omma.model.vlm import Vlm
from omma.presets import tiny
from omma.sample import Grid, Pack
from omma.train.rate import part_of

SPEC = tiny("qwen-vl")
WHOLE = Grid(1, 32, 32)


@cache
def model() -> Vlm:
    vlm = Vlm(SPEC)
    vlm.initialise(torch.Generator().manual_seed(0))
    with torch.no_grad():
        for name, weight in vlm.named_parameters():
            weight.mul_(1 if weight.ndim == 1 or part_of(name) == "fixed" else 4)
    return vlm


def rows(count: int, seed: int = 0) -> Tensor:
    return torch.randn(count * 1024, SPEC.vision.row, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_a_picture_among_others_is_seen_as_alone() -> None:
    shown = rows(3)
    together = model().see(shown, [WHOLE] * 3)
    assert torch.equal(whole(model().looking(shown, [WHOLE] * 3)), together)
    alone = [model().see(one, [WHOLE]) for one in shown.view(3, 1024, -1)]
    assert together.shape == (3 * 256, SPEC.decoder.width)
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


@torch.no_grad()
def test_a_patch_is_told_by_its_place() -> None:
    shown = rows(1)
    turned = shown.flip(0)
    assert not torch.allclose(model().see(turned, [WHOLE]), model().see(shown, [WHOLE]), atol=1e-3)


@pytest.mark.parametrize(
    ("count", "grids"),
    [(1024, [Grid(1, 32, 30)]), (1024, [WHOLE] * 2), (1023, [WHOLE]), (2048, [Grid(2, 32, 32)])],
)
def test_pictures_of_another_size_are_refused(count: int, grids: Sequence[Grid]) -> None:
    with pytest.raises(PlaceholderMismatch, match="448 pixels square"):
        model().see(torch.zeros(count, SPEC.vision.row), grids)


def test_gradients_reach_every_parameter_but_the_waves() -> None:
    vlm = Vlm(SPEC)
    vlm.load_state_dict(model().state_dict())
    dice = np.random.default_rng(0)
    ids = np.concatenate([np.full(256, SPEC.ids.image), dice.integers(0, 256, 20)])
    places = np.arange(256)
    positions = np.broadcast_to(np.arange(276), (3, 276)).copy()
    weights = np.ones(276, np.float32)
    one = Pack(ids, positions, weights, (0, 276), rows(1).numpy(), (WHOLE,), places)
    hidden = vlm.read(one, Segments(one.starts), learning=True)
    torch.logsumexp(vlm.logits(hidden), -1).sum().backward()  # type: ignore[no-untyped-call]
    without = {
        name for name, weight in vlm.named_parameters() if weight.grad is None or not weight.grad.any()
    }
    assert without == {"vision.merger.places.weight"}
    assert {part_of(name) for name in without} == {"fixed"}


def test_waves_are_sines_and_cosines_of_column_and_row() -> None:
    table = WaveTable(4, 8)
    table.fill()

    def waves(place: int) -> list[float]:
        return [np.sin(place), np.sin(place / 100), np.cos(place), np.cos(place / 100)]

    wanted = [[*waves(column), *waves(row)] for row in (0, 1) for column in (0, 1)]
    assert np.allclose(table.weight.numpy(), wanted)
    assert not table.weight.requires_grad


@torch.no_grad()
def test_a_table_of_the_picture_s_own_size_is_taken_as_it_is() -> None:
    table = StretchedTable(16, 3)
    table.weight.copy_(torch.arange(48.0).view(16, 3))
    assert block_order(Grid(1, 4, 4), 2).tolist() == [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]
    assert torch.equal(table.over(Grid(1, 4, 4), 1), table.weight)
    assert torch.equal(table.over(Grid(1, 4, 4), 2), table.weight[block_order(Grid(1, 4, 4), 2)])


@torch.no_grad()
def test_a_stretched_table_goes_by_rows_and_columns() -> None:
    table = StretchedTable(256, 3)
    row, column = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    table.weight.copy_(torch.stack([row.flatten(), column.flatten(), torch.ones(256)], -1))
    down, across, flat = table.over(WHOLE, 1).view(32, 32, 3).unbind(-1)
    assert torch.allclose(down, down[:, :1].expand(32, 32), atol=1e-5)
    assert torch.allclose(across, down.T, atol=1e-5)
    assert (down[1:] > down[:-1]).all()
    assert torch.allclose(flat, torch.ones(32, 32), atol=1e-5)


@torch.no_grad()
def test_far_positions_are_stretched_by_the_prompt_and_never_while_learning() -> None:
    ids = torch.arange(700) % 256
    positions = torch.arange(700).expand(3, -1)

    def read(reach: int | None) -> Tensor:
        reach_T = None if reach is None else torch.full((700,), reach)
        hidden: Tensor = model()(model().embed(ids, None, None, reach_T), positions, Segments((0, 700)))
        return hidden

    learning, near, far, farther = read(None), read(512), read(513), read(1025)
    assert torch.allclose(learning[:512], near[:512], atol=1e-5)
    assert not torch.allclose(learning[600:], near[600:], atol=1e-3)  # queries beyond 512 are longer
    assert not torch.allclose(near[:512], far[:512], atol=1e-3)  # the base is another from the first token on
    assert torch.allclose(far, read(1024), atol=1e-6)
    assert not torch.allclose(far, farther, atol=1e-3)


def test_a_part_of_the_rows_keeps_its_reach() -> None:
    whole = Embedded(torch.zeros(9, 2), reach_T=torch.arange(9))
    part = whole.part(2, 5)
    assert part.reach_T is not None
    assert part.reach_T.tolist() == [2, 3, 4]
