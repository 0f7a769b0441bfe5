"""Attention inside segments of one long axis, in as few calls as their lengths allow."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from omma.ops.blocks import LONGEST, attend_blocks, attend_causal

_STEP = 32  # causal segments are lengthened to a multiple of this, so that nearly equal ones share a call


class Run(NamedTuple):
    """So many segments of so many rows each, end to end."""

    segments: int
    rows: int


class Order(NamedTuple):
    """Rows in the order of runs are `take`; the real ones among them stand at `back`, others are `spare`."""

    take: Tensor
    back: Tensor
    spare: Tensor

    @classmethod
    def of(cls, take: Tensor, back: Tensor) -> Order:
        """The two orders, and what stands in the first for nothing but its length."""
        real = torch.zeros(len(take), dtype=torch.bool).index_fill_(0, back, True)
        return cls(take, back, (~real).nonzero().squeeze(-1))


class _Laid(torch.autograd.Function):
    """Rows in the order of runs. Spare rows have no gradient: nothing that is used depends on them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, take: Tensor, back: Tensor, _: Tensor) -> Tensor:
        ctx.save_for_backward(back)
        return x.index_select(0, take)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        return gradient.index_select(0, *ctx.saved_tensors), None, None, None


class _Returned(torch.autograd.Function):
    """The real rows in their own order again. A gathering's own gradient adds rows up one by one, slowly."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, take: Tensor, back: Tensor, spare: Tensor) -> Tensor:
        ctx.save_for_backward(take, spare)
        return x.index_select(0, back)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        take, spare = ctx.saved_tensors
        return gradient.index_select(0, take).index_fill_(0, spare, 0.0), None, None, None


class Plan:
    """How to attend inside the segments between the S + 1 borders `starts`, made once for all layers.

    Segments of equal length go together; causal ones also with a few rows more, which stand behind the last
    real row, where no real query sees them.
    """

    def __init__(self, starts: Sequence[int], *, causal: bool) -> None:
        self.causal = causal
        lengths = [b - a for a, b in pairwise(starts)]
        alike = len(set(lengths)) <= 1
        padded = [-(-n // _STEP) * _STEP if causal and not alike else n for n in lengths]
        self.runs = tuple(Run(padded.count(size), size) for size in sorted(set(padded)) if size)
        self.rows, self.starts = starts[-1], tuple(starts)
        order = sorted(range(len(lengths)), key=padded.__getitem__)
        self._order: Order | None = None
        if padded != lengths or order != sorted(order):
            last = [max(n - 1, 0) for n in lengths]
            take = [torch.arange(padded[i]).clamp_(max=last[i]) + starts[i] for i in order]
            place = dict(zip(order, accumulate((padded[i] for i in order), initial=0), strict=False))
            back = [torch.arange(n) + place[i] for i, n in enumerate(lengths)]
            self._order = Order.of(torch.cat(take), torch.cat(back))

    def order(self, device: torch.device) -> Order | None:
        """The rows of all runs, and where the real ones are among them; None if they lie so already."""
        if self._order is not None and self._order.take.device != device:
            self._order = Order(*(numbers.to(device) for numbers in self._order))
        return self._order


def attend_segments(
    q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, starts: Sequence[int], *, causal: bool
) -> Tensor:
    """Attention inside each segment; no token sees across a border. `starts` are the S + 1 borders."""
    return attend_plan(q_THK, k_TGK, v_TGK, Plan(starts, causal=causal))


def attend_plan(q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, plan: Plan) -> Tensor:
    """Attention inside each planned segment."""
    assert q_THK.shape[0] == plan.rows, f"{q_THK.shape[0]} rows for segments of {plan.rows}"
    if not plan.runs:
        return q_THK
    if plan.causal and _learns(q_THK) and max(run.rows for run in plan.runs) <= LONGEST:
        return attend_causal(q_THK, k_TGK, v_TGK, plan.starts)
    if (order := plan.order(q_THK.device)) is None:
        return _attend_runs(q_THK, k_TGK, v_TGK, plan)
    q_RHK, k_RGK, v_RGK = (_Laid.apply(x, *order) for x in (q_THK, k_TGK, v_TGK))  # type: ignore[no-untyped-call]
    out_THK: Tensor = _Returned.apply(_attend_runs(q_RHK, k_RGK, v_RGK, plan), *order)  # type: ignore[no-untyped-call]
    return out_THK


def attend_in_pieces(
    q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, plan: Plan, scores: int
) -> Generator[None, None, Tensor]:
    """The same where nothing is causal, a piece of about so many `scores` of each head at a time.

    Only segments of one length that are longer than that are cut: by their queries, evenly.
    """
    rows = plan.runs[0].rows if len(plan.runs) == 1 else 0
    if plan.causal or rows * rows <= scores or plan.order(q_THK.device) is not None:
        return attend_plan(q_THK, k_TGK, v_TGK, plan)
    made = []
    count = -(-rows * rows // scores)
    borders = [rows * i // count for i in range(count + 1)]
    for q_RHK, k_RGK, v_RGK in zip(*(torch.split(x, rows) for x in (q_THK, k_TGK, v_TGK)), strict=True):
        k, v = (x[None].transpose(1, 2) for x in (k_RGK, v_RGK))
        for start, stop in pairwise(borders):
            q = q_RHK[None, start:stop].transpose(1, 2)
            out = F.scaled_dot_product_attention(q, k, v, enable_gqa=q.shape[1] != k.shape[1])
            made.append(out.transpose(1, 2).flatten(0, 1))
            yield
    return torch.cat(made)


def _attend_runs(q_RHK: Tensor, k_RGK: Tensor, v_RGK: Tensor, plan: Plan) -> Tensor:
    sizes = [run.segments * run.rows for run in plan.runs]
    if len(sizes) == 1:
        return _attend(q_RHK, k_RGK, v_RGK, plan.runs[0], plan.causal)
    parts = zip(*(torch.split(x, sizes) for x in (q_RHK, k_RGK, v_RGK)), plan.runs, strict=True)
    return torch.cat([_attend(q, k, v, run, plan.causal) for q, k, v, run in parts])


def _attend(q_RHK: Tensor, k_RGK: Tensor, v_RGK: Tensor, run: Run, causal: bool) -> Tensor:
    """Attention of one run: segments of one length become a batch."""
    q, k, v = (x.reshape(*run, *x.shape[1:]) for x in (q_RHK, k_RGK, v_RGK))
    if _learns(q_RHK) and not causal and q.dtype == torch.bfloat16 and run.rows <= LONGEST:
        return attend_blocks(q, k, v).flatten(0, 1)
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    grouped = q.shape[1] != k.shape[1]
    out = F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=grouped)
    return out.transpose(1, 2).flatten(0, 1)


def _learns(q: Tensor) -> bool:
    """Whether gradients go through these queries, on a processor."""
    return torch.is_grad_enabled() and q.requires_grad and q.device.type == "cpu"
