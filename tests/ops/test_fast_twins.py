"""Each fast operation says what the plain one says: awkward sizes, both dtypes, forward and gradients."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from omma import ops
from omma.ops import reference
from omma.ops.blocks import BLOCK, LONGEST

TOLERANCE = {torch.float32: 2e-5, torch.bfloat16: 4e-2}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)


def noise(*shape: int, dtype: torch.dtype, seed: int = 0) -> Tensor:
    draw = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return draw.to(dtype).requires_grad_()


def assert_twins(
    fast: Callable[..., Tensor], plain: Callable[..., Tensor], *inputs: Tensor, tolerance: float
) -> None:
    """Same values and same gradients, in proportion to the largest of each."""
    told, meant = fast(*inputs), plain(*inputs)
    signal = noise(*meant.shape, dtype=meant.dtype, seed=1).detach()
    pairs = [(told, meant)]
    pairs += zip(
        torch.autograd.grad(told, inputs, signal), torch.autograd.grad(meant, inputs, signal), strict=True
    )
    with torch.no_grad():
        pairs.append((fast(*inputs), meant))
    for got, wanted in pairs:
        assert got.dtype == wanted.dtype
        assert got.shape == wanted.shape
        gap = (got.float() - wanted.float()).detach().abs().max()
        assert gap <= tolerance * max(1.0, float(wanted.detach().abs().max()))


SEGMENTS = {
    "one row": [1],
    "a prime": [31],
    "equal windows": [16] * 6,
    "windows with edges": [64, 64, 32, 64, 64, 32, 16, 16, 8],
    "slices apart": [12, 5, 12, 5, 12],
    "ragged": [1, 2, 33, 7, 64, 65, 31],
    "an empty one": [5, 0, 7],
    "a block less one": [BLOCK - 1],
    "a block": [BLOCK],
    "a block and one": [BLOCK + 1, 3],
    "two blocks and a prime": [2 * BLOCK + 37, 2 * BLOCK],
}


@DTYPES
@pytest.mark.parametrize("causal", [True, False], ids=["causal", "whole"])
@pytest.mark.parametrize("heads", [(1, 1), (4, 4), (4, 2), (6, 1)], ids=str)
@pytest.mark.parametrize("lengths", SEGMENTS.values(), ids=SEGMENTS.keys())
def test_segments_attend_as_their_meaning_says(
    lengths: list[int], heads: tuple[int, int], causal: bool, dtype: torch.dtype
) -> None:
    starts, (query_heads, key_heads) = tuple(accumulate(lengths, initial=0)), heads
    q = noise(starts[-1], query_heads, 8, dtype=dtype, seed=2)
    k, v = (noise(starts[-1], key_heads, 8, dtype=dtype, seed=s) for s in (3, 4))
    assert_twins(
        lambda q, k, v: ops.attend_segments(q, k, v, starts, causal=causal),
        lambda q, k, v: reference.attend_segments(q, k, v, starts, causal=causal),
        q,
        k,
        v,
        tolerance=TOLERANCE[dtype],
    )


@pytest.mark.slow
def test_a_segment_too_long_to_keep_its_probabilities_attends_the_same() -> None:
    length = LONGEST + 1
    q, k, v = (noise(length, 1, 8, dtype=torch.bfloat16, seed=s) for s in range(3))
    assert_twins(
        lambda q, k, v: ops.attend_segments(q, k, v, (0, length), causal=True),
        lambda q, k, v: reference.attend_segments(q, k, v, (0, length), causal=True),
        q,
        k,
        v,
        tolerance=TOLERANCE[torch.bfloat16],
    )


def test_one_plan_serves_every_layer() -> None:
    plan = ops.Plan((0, 3, 10, 12), causal=True)
    q, k, v = (noise(12, 2, 8, dtype=torch.float32, seed=s) for s in range(3))
    assert torch.equal(ops.attend_plan(q, k, v, plan), ops.attend_plan(q, k, v, plan))


@pytest.mark.parametrize(
    ("lengths", "causal", "runs"),
    [
        ([64] * 5, False, [(5, 64)]),
        ([314] * 3, True, [(3, 314)]),
        ([64, 8, 64, 8], False, [(2, 8), (2, 64)]),
        ([300, 310, 90], True, [(1, 96), (2, 320)]),
    ],
)
def test_segments_of_like_length_share_a_call(
    lengths: list[int], causal: bool, runs: list[tuple[int, int]]
) -> None:
    plan = ops.Plan(tuple(accumulate(lengths, initial=0)), causal=causal)
    assert list(plan.runs) == runs


@DTYPES
@pytest.mark.parametrize(("rows", "width"), [(1, 1), (7, 31), (64, 64)])
def test_the_norm_is_its_meaning(rows: int, width: int, dtype: torch.dtype) -> None:
    assert_twins(
        lambda x, w: ops.rms_norm(x, w, 1e-6),
        lambda x, w: reference.rms_norm(x, w, 1e-6),
        noise(rows, width, dtype=dtype),
        noise(width, dtype=dtype, seed=5),
        tolerance=TOLERANCE[dtype],
    )


@DTYPES
@pytest.mark.parametrize(("rows", "names"), [(1, 7), (300, 2**13), (70, 31)])
def test_surprise_is_the_cross_entropy_of_rows_against_a_table(
    rows: int, names: int, dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(0)
    truth_A, weights_A = torch.randint(names, (rows,), generator=generator), torch.rand(rows)

    def plain(hidden_AD: Tensor, table_VD: Tensor) -> Tensor:
        logits_AV = (hidden_AD @ table_VD.T).float()
        return (F.cross_entropy(logits_AV, truth_A, reduction="none") * weights_A).sum()

    assert_twins(
        lambda hidden, table: ops.linear_cross_entropy(hidden, table, truth_A, weights_A),
        plain,
        noise(rows, 16, dtype=dtype),
        noise(names, 16, dtype=dtype, seed=1),
        tolerance=TOLERANCE[dtype],
    )


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("shape", [(1, 5), (3, 4, 5)], ids=str)
@pytest.mark.parametrize("tile", [1, 11, 2**21])
def test_wide_products_are_those_of_the_same_numbers_rounded_once(
    shape: tuple[int, ...], biased: bool, tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omma.ops.product.TILE", tile)
    given = [noise(*size, dtype=torch.bfloat16, seed=seed) for seed, size in enumerate([shape, (7, 5), (7,)])]
    given = given if biased else given[:2]
    signal = noise(*shape[:-1], 7, dtype=torch.bfloat16, seed=9).detach()
    exact = [x.detach().double().requires_grad_() for x in given]
    y, meant = ops.wide_linear(given[0], given[1], given[2] if biased else None), F.linear(*exact)
    told = [y, *torch.autograd.grad(y, given, signal)]
    wanted = [meant, *torch.autograd.grad(meant, exact, signal.double())]
    for got, exactly in zip(told, wanted, strict=True):
        assert torch.allclose(got.double(), exactly, rtol=2**-8, atol=1e-6)


@DTYPES
@pytest.mark.parametrize("rows", [1, 13])
def test_rotation_is_its_meaning(rows: int, dtype: torch.dtype) -> None:
    tables = ops.axis_tables(torch.arange(3 * rows).view(3, rows), (2, 3, 3), 1e6)
    assert_twins(
        lambda x: ops.rotate(x, tables),
        lambda x: reference.rotate(x, tables),
        noise(rows, 3, 16, dtype=dtype),
        tolerance=TOLERANCE[dtype],
    )


def test_sections_take_their_frequencies_from_time_row_and_column() -> None:
    tables = ops.axis_tables(torch.tensor([[1], [0], [0]]), (2, 3, 3), 1e6)
    turned = (tables.sin_T1K[0, 0, 8:] != 0).tolist()
    assert turned == [True, True, False, False, False, False, False, False]


def test_half_of_a_patchs_angles_turn_with_its_row() -> None:
    tables = ops.grid_tables(torch.tensor([[5, 0]]), 16, 1e4)
    assert (tables.sin_T1K[0, 0, 8:] != 0).tolist() == [True] * 4 + [False] * 4
