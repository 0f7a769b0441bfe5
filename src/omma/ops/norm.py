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
        if gradient.dtype == x.dtype == weight.dtype == torch.float32:
            return *_as_centred(gradient, x, weight, scale), None
        normal, d_out = x * scale, gradient.float()
        weighed = d_out * normal
        d_weight = weighed.flatten(0, -2).sum(0)
        shared = (weighed @ weight.float()).unsqueeze(-1) / x.shape[-1]
        d_x = (d_out * weight).sub_(normal.mul_(shared)).mul_(scale)
        return d_x.to(x.dtype), d_weight.to(weight.dtype), None


def _as_centred(d_out: Tensor, x: Tensor, weight: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Both gradients by the layer norm's own kernel: for rows whose mean is said to be 0 it is this norm's.

    It takes away each row's mean of the weighed gradient besides, which is given back. Half of the time that
    products one by one take; of bfloat16 it adds the weights' gradient up too roughly.
    """
    width = x.shape[-1]
    d_x, d_weight, _ = torch.ops.aten.native_layer_norm_backward(
        d_out, x, [width], torch.zeros_like(scale), scale, weight, None, [True, True, False]
    )
    return d_x.add_((d_out @ weight).unsqueeze(-1).mul_(scale).div_(width)), d_weight
