"""Weights for a model that learns from nothing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from omma.model.experts import Bank, Router
from omma.model.layers import LayerNorm, RMSNorm
from omma.model.resampler import Matrix, WaveTable


@torch.no_grad()
def draw_weights(
    stack: nn.Module, depth: int, generator: torch.Generator, *, deviation: float = 0.02
) -> None:
    """Norms one, biases zero, matrices from a normal of `deviation` cut at two deviations.

    Matrices that end a residual branch (`attention.out`, `feed.down`, experts' `down`) are drawn narrower
    by 1 / sqrt(2 · `depth`), so that the residual stream's variance does not grow with depth.
    """
    for name, module in stack.named_modules():
        if isinstance(module, RMSNorm | LayerNorm):
            module.weight.fill_(1.0)
            if isinstance(module, LayerNorm):
                module.bias.zero_()
        elif isinstance(module, WaveTable):
            module.fill()
        elif isinstance(module, Bank):
            _draw(module.gate_up, deviation, generator)
            _draw(module.down, deviation * (2 * depth) ** -0.5, generator)
        elif isinstance(module, (nn.Linear, nn.Embedding, Matrix, Router)):
            ends = name.endswith(("attention.out", "feed.down"))
            _draw(module.weight, deviation * ((2 * depth) ** -0.5 if ends else 1.0), generator)
            bias = getattr(module, "bias", None)
            if bias is not None:
                bias.zero_()


def _draw(weight: Tensor, width: float, generator: torch.Generator) -> None:
    nn.init.trunc_normal_(weight, 0.0, width, -2 * width, 2 * width, generator=generator)
