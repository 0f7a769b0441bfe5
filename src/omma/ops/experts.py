"""A mixture of experts: tokens sorted by their experts, one product a group, only chosen experts read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

FEW = 4  # rows below which torch's own product of a matrix by input is the faster one on a processor


class Group(NamedTuple):
    """The pairs of one expert: their places `start` to `stop` among all pairs sorted by expert."""

    expert: int
    start: int
    stop: int


def choose(logits_TE: Tensor, chosen: int) -> tuple[Tensor, Tensor]:
    """The `chosen` likeliest experts of each token, weights first: two tensors (T, C).

    Probabilities over all experts and their share among the chosen are taken in fp32; the weights then have
    the logits' dtype (facts §2.9).
    """
    likely = logits_TE.softmax(-1, dtype=torch.float32).topk(chosen, -1)
    weights_TC = likely.values / likely.values.sum(-1, keepdim=True)
    return weights_TC.to(logits_TE.dtype), likely.indices


def mix_experts(
    x_TD: Tensor, chosen_TC: Tensor, weights_TC: Tensor, gate_up_EDF: Tensor, down_EFD: Tensor
) -> Tensor:
    """Each token through its C experts, weighed and added up: (T, D).

    An expert is ``(silu(x @ gate) * (x @ up)) @ down``; `gate_up_EDF` (E, D, 2 F) holds the gate's columns
    first, input-major as in public files (facts §4.3). Experts that no token chose are not read, and the sum
    over a token's experts is taken in fp32.
    """
    if x_TD.is_cuda and x_TD.dtype == torch.bfloat16 and _aligned(gate_up_EDF, down_EFD):
        return _mix_at_once(x_TD, chosen_TC, weights_TC, gate_up_EDF, down_EFD)
    mixed_TD: Tensor = _Groups.apply(x_TD, chosen_TC, weights_TC, gate_up_EDF, down_EFD)  # type: ignore[no-untyped-call]
    return mixed_TD


def sort_pairs(chosen_TC: Tensor) -> tuple[Tensor, Tensor]:
    """Pairs of a token and an expert, by expert and then token: their order and their experts, (T · C,)."""
    sorted_N, order_N = chosen_TC.flatten().sort(stable=True)
    return order_N, sorted_N


def groups(sorted_N: Tensor) -> list[Group]:
    """Where the pairs of each chosen expert begin and end; nothing for an expert that nobody chose."""
    counts: list[int] = sorted_N.bincount().tolist()
    borders = pairwise(accumulate(counts, initial=0))
    return [Group(e, a, b) for e, (a, b) in enumerate(borders) if b > a]


def product(x_ND: Tensor, weight_DF: Tensor) -> Tensor:
    """``x @ weight`` for a plain matrix, by the kernel that is fastest for few rows on a processor."""
    fast = x_ND.device.type == "cpu" and x_ND.dtype == torch.float32 and len(x_ND) >= FEW
    if fast and torch._C._has_mkldnn:
        y_NF: Tensor = torch.ops.mkldnn._linear_pointwise(x_ND, weight_DF.mT, None, "none", [], "")
        return y_NF
    return x_ND @ weight_DF


def _aligned(*weights: Tensor) -> bool:
    """Whether rows begin where an accelerator's grouped product wants them: at multiples of 16 bytes."""
    return hasattr(torch, "_grouped_mm") and all(weight.shape[-1] % 8 == 0 for weight in weights)


def _mix_at_once(
    x_TD: Tensor, chosen_TC: Tensor, weights_TC: Tensor, gate_up_EDF: Tensor, down_EFD: Tensor
) -> Tensor:
    """All groups in one product each way, without asking the accelerator how large they are."""
    order_N, sorted_N = sort_pairs(chosen_TC)
    tokens_N = order_N // chosen_TC.shape[1]
    experts = torch.arange(len(gate_up_EDF), device=sorted_N.device)
    stops_E = torch.searchsorted(sorted_N, experts, right=True).int()
    gate_NF, up_NF = torch._grouped_mm(x_TD[tokens_N], gate_up_EDF, stops_E).chunk(2, -1)
    hidden_NF = F.silu(gate_NF) * up_NF * weights_TC.flatten()[order_N, None]
    out_ND = torch._grouped_mm(hidden_NF, down_EFD, stops_E)
    mixed_TD = x_TD.new_zeros(x_TD.shape, dtype=torch.float32).index_add(0, tokens_N, out_ND.float())
    return mixed_TD.to(x_TD.dtype)


class _Groups(torch.autograd.Function):
    """One product a group each way. What is kept is the input and the gates' and ups' values.

    Written out because gradients of ``weights[expert]`` would each be as large as all experts together.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, chosen: Tensor, weights: Tensor, gate_up: Tensor, down: Tensor
    ) -> Tensor:
        order, sorted_ = sort_pairs(chosen)
        tokens, weigh = order // chosen.shape[1], weights.flatten()[order, None]
        parts = groups(sorted_)
        mixed = x.new_zeros(x.shape, dtype=torch.float32)
        learns = any(ctx.needs_input_grad)
        kept = x.new_empty(len(order), gate_up.shape[-1]) if learns else None
        for expert, start, stop in parts:
            inner = product(x.index_select(0, tokens[start:stop]), gate_up[expert])
            if kept is not None:
                kept[start:stop] = inner
            gate, up = inner.chunk(2, -1)
            hidden = F.silu(gate).mul_(up).mul_(weigh[start:stop])
            mixed.index_add_(0, tokens[start:stop], product(hidden, down[expert]).float())
        if kept is not None:
            ctx.save_for_backward(x, gate_up, down, order, tokens, weigh, kept)
            ctx.parts, ctx.shape = parts, weights.shape
        return mixed.to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, gate_up, down, order, tokens, weigh, kept = ctx.saved_tensors
        to_x, _, to_weights, to_gate_up, to_down = ctx.needs_input_grad
        d_x = x.new_zeros(x.shape, dtype=torch.float32) if to_x else None
        d_weigh = weigh.new_empty(len(order)) if to_weights else None
        d_gate_up = _rest_zero(gate_up, ctx.parts) if to_gate_up else None
        d_down = _rest_zero(down, ctx.parts) if to_down else None
        for expert, start, stop in ctx.parts:
            here = tokens[start:stop]
            gate, up = kept[start:stop].chunk(2, -1)
            d_out = gradient.index_select(0, here)
            curve = F.silu(gate)
            hidden, d_hidden = curve * up, product(d_out, down[expert].mT)
            if d_weigh is not None:
                d_weigh[start:stop] = torch.linalg.vecdot(d_hidden, hidden)
            if d_down is not None:
                torch.mm(hidden.mul_(weigh[start:stop]).mT, d_out, out=d_down[expert])
            d_hidden.mul_(weigh[start:stop])
            d_gate = torch.ops.aten.silu_backward(d_hidden * up, gate)
            d_inner = torch.cat([d_gate, d_hidden.mul_(curve)], -1)
            if d_gate_up is not None:
                torch.mm(x.index_select(0, here).mT, d_inner, out=d_gate_up[expert])
            if d_x is not None:
                d_x.index_add_(0, here, product(d_inner, gate_up[expert].mT).float())
        back = None if d_weigh is None else torch.empty_like(d_weigh).index_copy_(0, order, d_weigh)
        d_weights = None if back is None else back.view(ctx.shape)
        return None if d_x is None else d_x.to(x.dtype), None, d_weights, d_gate_up, d_down


def _rest_zero(weights: Tensor, parts: Sequence[Group]) -> Tensor:
    """Room for a gradient: zeros for experts that nobody chose, anything for the others."""
    room = torch.empty_like(weights)
    chosen = {part.expert for part in parts}
    for expert in range(len(weights)):
        if expert not in chosen:
            room[expert].zero_()
    return room
