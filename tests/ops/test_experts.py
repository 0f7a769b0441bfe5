"""Experts in groups say what experts one by one say, and read no expert that nobody chose."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from omma.ops import reference
from omma.ops.experts import FEW, choose, groups, mix_experts, sort_pairs
from tests.ops.test_fast_twins import DTYPES, TOLERANCE, assert_twins, noise

WIDTH, FEED = 16, 24  # twice FEED is not WIDTH: no orientation passes for another


def routed(tokens: int, experts: int, chosen: int, spread: str) -> Tensor:
    draw = torch.Generator().manual_seed(tokens)
    match spread:
        case "even":
            return torch.stack([torch.randperm(experts, generator=draw)[:chosen] for _ in range(tokens)])
        case "all on the last":
            return torch.arange(experts - chosen, experts).repeat(tokens, 1)
        case _:
            return (torch.arange(chosen) + torch.arange(tokens)[:, None] // 3) % experts


CASES = [
    (1, 1, 5, "even"),
    (7, 2, 1, "even"),
    (7, 2, 3 * FEW, "all on the last"),
    (7, 2, FEW - 1, "all on the last"),
    (7, 2, FEW, "all on the last"),
    (7, 2, FEW + 1, "all on the last"),
    (32, 8, 1, "in runs"),
    (32, 8, 23, "even"),
    (32, 8, 23, "in runs"),
]


@DTYPES
@pytest.mark.parametrize(("experts", "chosen", "tokens", "spread"), CASES, ids=str)
def test_experts_in_groups_are_their_meaning(
    experts: int, chosen: int, tokens: int, spread: str, dtype: torch.dtype
) -> None:
    chosen_TC = routed(tokens, experts, chosen, spread)
    assert_twins(
        lambda x, w, gate_up, down: mix_experts(x, chosen_TC, w, gate_up, down),
        lambda x, w, gate_up, down: reference.mix_experts(x, chosen_TC, w, gate_up, down),
        noise(tokens, WIDTH, dtype=dtype),
        noise(tokens, chosen, dtype=dtype, seed=2),
        noise(experts, WIDTH, 2 * FEED, dtype=dtype, seed=3),
        noise(experts, FEED, WIDTH, dtype=dtype, seed=4),
        tolerance=TOLERANCE[dtype],
    )


def test_gradients_are_those_of_small_differences() -> None:
    torch.manual_seed(0)
    shapes = ((5, 4), (5, 2), (3, 4, 6), (3, 3, 4))
    inputs = tuple(torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes)
    chosen_TC = torch.tensor([[0, 2], [2, 0], [0, 2], [2, 0], [0, 2]])

    def mixed(x: Tensor, w: Tensor, gate_up: Tensor, down: Tensor) -> Tensor:
        return mix_experts(x, chosen_TC, w, gate_up, down)

    # The sum over experts is taken in fp32, which bounds how small a difference can be seen.
    assert torch.autograd.gradcheck(mixed, inputs, eps=1e-2, atol=1e-3, rtol=1e-2)


def test_an_expert_that_nobody_chose_is_not_read() -> None:
    gate_up = torch.full((4, WIDTH, 2 * FEED), torch.nan)
    down = torch.full((4, FEED, WIDTH), torch.nan)
    for expert in (1, 3):
        gate_up[expert], down[expert] = torch.randn(WIDTH, 2 * FEED), torch.randn(FEED, WIDTH)
    gate_up.requires_grad_(), down.requires_grad_()
    mixed = mix_experts(torch.randn(5, WIDTH), torch.tensor([[1, 3]] * 5), torch.rand(5, 2), gate_up, down)
    mixed.sum().backward()
    assert mixed.isfinite().all()
    for gradient in (gate_up.grad, down.grad):
        assert gradient is not None
        assert gradient.isfinite().all()
        assert gradient.flatten(1).any(1).tolist() == [False, True, False, True]


def test_no_tokens_are_no_work() -> None:
    gate_up, down = torch.randn(4, WIDTH, 2 * FEED, requires_grad=True), torch.randn(4, FEED, WIDTH)
    none = torch.empty(0, 2)
    mixed = mix_experts(torch.empty(0, WIDTH), none.long(), none, gate_up, down)
    mixed.sum().backward()
    assert mixed.shape == (0, WIDTH)
    assert gate_up.grad is not None
    assert not gate_up.grad.any()


def test_groups_are_the_tokens_of_each_expert_in_order() -> None:
    order_N, sorted_N = sort_pairs(torch.tensor([[3, 0], [0, 5], [3, 5]]))
    assert [tuple(group) for group in groups(sorted_N)] == [(0, 0, 2), (3, 2, 4), (5, 4, 6)]
    assert order_N.tolist() == [1, 2, 0, 4, 3, 5]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_weights_are_shares_of_the_likeliest_in_fp32(dtype: torch.dtype) -> None:
    logits_TE = (torch.randn(9, 12, generator=torch.Generator().manual_seed(0)) * 4).to(dtype)
    weights_TC, chosen_TC = choose(logits_TE, 3)
    near = {torch.float32: 1e-6, torch.bfloat16: 4e-3}[dtype]
    for row, weights, chosen in zip(logits_TE.double(), weights_TC, chosen_TC, strict=True):
        wanted = row.sort(descending=True, stable=True).indices[:3]
        assert chosen.tolist() == wanted.tolist()
        assert torch.allclose(weights.double(), row[wanted].softmax(0), atol=near)
    assert weights_TC.dtype == dtype
