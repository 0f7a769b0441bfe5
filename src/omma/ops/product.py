"""Products of bfloat16 rows and weights made in float32, where a processor multiplies float32 faster.

Most do: one without instructions for bfloat16 takes up to ten times as long for it, and there are some that
have them and take twice as long. Weights are turned into float32 for each product: that pays for many rows.
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

TILE = 2**21  # numbers of a weight that are turned at a time: they stay in a cache until they are multiplied
ROWS, WIDTH, TIMES = 256, 512, 4  # of the products that are timed


def linear(x_TD: Tensor, weight_FD: Tensor, bias_F: Tensor | None, wide_from: int | None) -> Tensor:
    """`F.linear`, of `wide_from` rows or more of bfloat16 by `wide_linear`."""
    if wide_from is None or x_TD.dtype != torch.bfloat16 or x_TD.numel() < wide_from * x_TD.shape[-1]:
        return F.linear(x_TD, weight_FD, bias_F)
    return wide_linear(x_TD, weight_FD, bias_F)


def wide_linear(x_TD: Tensor, weight_FD: Tensor, bias_F: Tensor | None) -> Tensor:
    """`F.linear` of bfloat16: the same numbers multiplied, added up in float32 and rounded once, (T, F).

    Nothing is kept in float32 from the forward to the backward pass.
    """
    y_TF: Tensor = _Wide.apply(x_TD, weight_FD, bias_F)  # type: ignore[no-untyped-call]
    return y_TF


class _Wide(torch.autograd.Function):
    """What is kept is what torch's own layer keeps: rows and weights as they came."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        rows, made = x.float(), x.new_empty(*x.shape[:-1], len(weight))
        step = max(1, TILE // weight.shape[1])
        tile = weight.new_empty(min(step, len(weight)), weight.shape[1], dtype=torch.float32)
        for start in range(0, len(weight), step):
            part = slice(start, start + step)
            turned = tile[: len(weight[part])].copy_(weight[part])
            made[..., part] = F.linear(rows, turned, None if bias is None else bias[part].float())
        return made

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        rows, columns, added = ctx.needs_input_grad
        d_out = gradient.float()
        d_rows = d_out.flatten(0, -2)
        return (
            (d_out @ weight.float()).to(x.dtype) if rows else None,
            (d_rows.T @ x.flatten(0, -2).float()).to(weight.dtype) if columns else None,
            d_rows.sum(0).to(weight.dtype) if added else None,
        )


def pays_from() -> int | None:
    """From how many rows on a product of bfloat16 is faster made in float32; None where it never is.

    Two numbers for two kinds of processors, and no finer: the same machine must always say the same.
    """
    slower = halves_cost()
    if slower < 1.25:
        return None
    return 64 if slower < 4 else 4


@cache
def halves_cost() -> float:
    """How many times as long as one of float32 a product of bfloat16 takes on this processor.

    Instructions for it say little, so products of a usual shape are timed, some tens of milliseconds in all.
    Matrix units leave no doubt: there the answer is a half, and nothing is timed.
    """
    if torch.cpu._is_amx_tile_supported():
        return 0.5
    return _fastest(torch.bfloat16) / _fastest(torch.float32)


def _fastest(dtype: torch.dtype) -> float:
    """Seconds of computing that the fastest of a few products took, on one thread.

    Those of a clock on the wall would be others' too, on a machine that has more to do.
    """
    rows, matrix = torch.ones(ROWS, WIDTH, dtype=dtype), torch.ones(WIDTH, WIDTH, dtype=dtype)
    threads, times = torch.get_num_threads(), []
    torch.set_num_threads(1)
    try:
        for _ in range(TIMES + 1):
            began = time.thread_time()
            F.linear(rows, matrix)
            times.append(time.thread_time() - began)
    finally:
        torch.set_num_threads(threads)
    return min(times[1:])  # the first one prepares
