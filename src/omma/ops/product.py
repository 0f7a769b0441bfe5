"""Products of bfloat16 rows and weights made in float32, for processors that multiply float32 faster."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


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
        return F.linear(x.float(), weight.float(), None if bias is None else bias.float()).to(x.dtype)

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
