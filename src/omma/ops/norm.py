"""Root-mean-square norm: torch's own, and one with its gradient written out for learning on a CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def rms_norm(x_TD: Tensor, weight_D: Tensor, eps: float) -> Tensor:
    """Divide each row by its root mean square, in fp32, and weigh it."""
    if x_TD.device.type == "cpu" and torch.is_grad_enabled() and x_TD.requires_grad:
        learnt_TD: Tensor = _RMSNorm.apply(x_TD, weight_D, eps)  # type: ignore[no-untyped-call]
        return learnt_TD
    return torch.rms_norm(x_TD, weight_D.shape, weight_D, eps)


class _RMSNorm(torch.autograd.Function):
    """Keeps the input and one number a row, where torch on a CPU keeps every step."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        length: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        scale = length.square_().mul_(1 / x.shape[-1]).add_(eps).rsqrt_()
        ctx.save_for_backward(x, weight, scale)
        return (x * scale).mul_(weight).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        x, weight, scale = ctx.saved_tensors
        normal, d_out = x * scale, gradient.float()
        weighed = d_out * normal
        d_weight = weighed.flatten(0, -2).sum(0)
        shared = (weighed @ weight.float()).unsqueeze(-1) / x.shape[-1]
        d_x = (d_out * weight).sub_(normal.mul_(shared)).mul_(scale)
        return d_x.to(x.dtype), d_weight.to(weight.dtype), None
