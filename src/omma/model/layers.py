"""The layers both towers are made of. Parameters start undefined: a folder or `initialise` fills them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from omma.ops import rms_norm
from omma.spec import FeedForward, SwiGLU


class Linear(nn.Linear):
    """torch's linear layer, without the cost of drawing weights that are about to be replaced."""

    def reset_parameters(self) -> None:
        """Leave the memory as it is."""


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


def feed_forward(spec: FeedForward, dim: int) -> nn.Module:
    """The module for a feed-forward of this kind."""
    match spec:
        case SwiGLU(width, bias):
            return SwiGLULayer(dim, width, bias)
        case _:
            raise TypeError(f"no feed-forward is built from {spec!r}")
