"""Weights for a model that learns from nothing."""

from __future__ import annotations

import torch
from torch import nn

from omma.model.layers import RMSNorm


@torch.no_grad()
def draw_weights(model: nn.Module, generator: torch.Generator, *, std: float = 0.02) -> None:
    """Norms one, biases zero, matrices from a normal of `std` cut at two deviations.

    Matrices that end a residual branch (`attention.out`, `feed.down`) are drawn narrower by
    1 / sqrt(2 · depth), so that the residual stream's variance does not grow with depth.
    """
    depths = {name: len(child.layers) for name, child in model.named_children()}  # type: ignore[arg-type]
    for name, module in model.named_modules():
        match module:
            case RMSNorm():
                module.weight.fill_(1.0)
            case nn.Linear() | nn.Embedding():
                ends = name.endswith(("attention.out", "feed.down"))
                narrow = (2 * depths[name.split(".")[0]]) ** -0.5 if ends else 1.0
                deviation = std * narrow
                nn.init.trunc_normal_(
                    module.weight, 0.0, deviation, -2 * deviation, 2 * deviation, generator=generator
                )
                if getattr(module, "bias", None) is not None:
                    module.bias.zero_()  # type: ignore[union-attr]
            case _:
                pass
