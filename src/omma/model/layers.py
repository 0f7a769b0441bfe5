"""The layers both towers are made of. Parameters start undefined: a folder or `initialise` fills them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from omma.model.experts import ExpertLayer
from omma.ops import linear, rms_norm
from omma.spec import Experts, FeedForward, Gelu, Norm, SwiGLU


class Linear(nn.Linear):
    """torch's linear layer, without the cost of drawing weights that are about to be replaced.

    Products of `wide_from` rows or more of bfloat16 are made in float32.
    """

    wide_from: int | None = None

    def reset_parameters(self) -> None:
        """Leave the memory as it is."""

    def forward(self, x_TD: Tensor) -> Tensor:
        """(T, D) in, (T, F) out."""
        return linear(x_TD, self.weight, self.bias, self.wide_from)


class Embedding(nn.Embedding):
    """torch's embedding table, without the cost of drawing it."""

    def reset_parameters(self) -> None:
        """Leave the memory as it is."""


class RMSNorm(nn.Module):
    """Root-mean-square norm over the last axis, computed in fp32."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))
        self.eps = eps

    def forward(self, x_TD: Tensor) -> Tensor:
        """Same shape, same dtype."""
        return rms_norm(x_TD, self.weight, self.eps)


class LayerNorm(nn.Module):
    """Mean and variance norm over the last axis, computed in fp32."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))
        self.bias = nn.Parameter(torch.empty(width))
        self.eps = eps

    def forward(self, x_TD: Tensor) -> Tensor:
        """Same shape, same dtype."""
        return F.layer_norm(x_TD, self.weight.shape, self.weight, self.bias, self.eps)


def norm(kind: Norm, width: int, eps: float) -> RMSNorm | LayerNorm:
    """The norm of this kind."""
    match kind:
        case "rms":
            return RMSNorm(width, eps)
        case "layer":
            return LayerNorm(width, eps)
        case _:
            raise TypeError(f"no norm is built from {kind!r}")


class SwiGLULayer(nn.Module):
    """``down(silu(gate(x)) * up(x))``."""

    def __init__(self, dim: int, width: int, bias: bool) -> None:
        super().__init__()
        self.gate = Linear(dim, width, bias)
        self.up = Linear(dim, width, bias)
        self.down = Linear(width, dim, bias)

    def forward(self, x_TD: Tensor) -> Tensor:
        """Same shape, same dtype."""
        y_TD: Tensor = self.down(F.silu(self.gate(x_TD)) * self.up(x_TD))
        return y_TD


class GeluLayer(nn.Module):
    """``down(gelu(up(x)))``."""

    def __init__(self, dim: int, width: int, curve: str) -> None:
        super().__init__()
        self.up = Linear(dim, width)
        self.down = Linear(width, dim)
        self.curve = CURVES[curve]

    def forward(self, x_TD: Tensor) -> Tensor:
        """Same shape, same dtype."""
        y_TD: Tensor = self.down(self.curve(self.up(x_TD)))
        return y_TD


def _quick(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


CURVES: dict[str, Callable[[Tensor], Tensor]] = {
    "erf": F.gelu,
    "tanh": partial(F.gelu, approximate="tanh"),
    "quick": _quick,
}


def feed_forward(spec: FeedForward, dim: int) -> nn.Module:
    """The module for a feed-forward of this kind."""
    match spec:
        case SwiGLU(width, bias):
            return SwiGLULayer(dim, width, bias)
        case Gelu(width, curve):
            return GeluLayer(dim, width, curve)
        case Experts():
            return ExpertLayer(dim, spec)
        case _:
            raise TypeError(f"no feed-forward is built from {spec!r}")
