"""Attention inside segments of one long axis, in as few calls as their lengths allow."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from omma.ops.blocks import LONGEST, attend_blocks

_STEP = 32  # causal segments are lengthened to a multiple of this, so that nearly equal ones share a call


class Run(NamedTuple):
    """So many segments of so many rows each, end to end."""

    segments: int
    rows: int


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
        self.rows = starts[-1]
        order = sorted(range(len(lengths)), key=padded.__getitem__)
        self._order: tuple[Tensor, Tensor] | None = None
        if padded != lengths or order != sorted(order):
            last = [max(n - 1, 0) for n in lengths]
            take = [torch.arange(padded[i]).clamp_(max=last[i]) + starts[i] for i in order]
            place = dict(zip(order, accumulate((padded[i] for i in order), initial=0), strict=False))
            back = [torch.arange(n) + place[i] for i, n in enumerate(lengths)]
            self._order = torch.cat(take), torch.cat(back)

    def order(self, device: torch.device) -> tuple[Tensor, Tensor] | None:
        """The rows of all runs, and where the real ones are among them; None if they lie so already."""
        if self._order is not None and self._order[0].device != device:
            self._order = self._order[0].to(device), self._order[1].to(device)
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
    if (order := plan.order(q_THK.device)) is None:
        return _attend_runs(q_THK, k_TGK, v_TGK, plan)
    take, back = order
    q_RHK, k_RGK, v_RGK = (x.index_select(0, take) for x in (q_THK, k_TGK, v_TGK))
    return _attend_runs(q_RHK, k_RGK, v_RGK, plan).index_select(0, back)


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
    learns = torch.is_grad_enabled() and q.requires_grad
    if learns and q.device.type == "cpu" and q.dtype == torch.bfloat16 and run.rows <= LONGEST:
        return attend_blocks(q, k, v, causal=causal).flatten(0, 1)
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    grouped = q.shape[1] != k.shape[1]
    out = F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=grouped)
    return out.transpose(1, 2).flatten(0, 1)
