"""Weights laid out as a processor's matrix units read them: the same products to the bit, twice as fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from omma.errors import BadModel
from omma.model.vlm import Vlm


class PackedLinear(nn.Module):
    """A linear layer for answering only: its weight is in blocks, and neither learns nor is written.

    Plain weights are put into blocks anew for every product, which costs more than a product with one row.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        # Rows a call are a hint only; decoding has few.
        self._blocks: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), 1)
        self._bias = None if bias is None else bias.detach()

    def forward(self, x_TD: Tensor) -> Tensor:
        """(T, D) in, (T, F) out."""
        y_TF: Tensor = torch.ops.mkldnn._linear_pointwise(x_TD, self._blocks, self._bias, "none", [], "")
        return y_TF

    def _save_to_state_dict(self, destination: Mapping[str, Any], prefix: str, keep_vars: bool) -> None:
        raise BadModel(
            f"{prefix[:-1]} is packed for answering and cannot be written; write what load_folder gives"
        )


def packable(model: Vlm) -> bool:
    """Whether packing is possible and pays: bf16 weights on a processor that multiplies bf16 itself."""
    weight = model.decoder.embedding.weight
    kernels = torch.ops.mkldnn
    return (
        weight.device.type == "cpu"
        and weight.dtype == torch.bfloat16
        and torch._C._has_mkldnn
        and all(hasattr(kernels, name) for name in ("_reorder_linear_weight", "_linear_pointwise"))
        and bool(kernels._is_mkldnn_bf16_supported())
    )


def pack_weights(model: Vlm) -> None:
    """Pack the decoder's linear layers in place, one after the other: no more than one lies in memory twice.

    The tower reads hundreds of rows at once, where packing does not pay. A tied head gets blocks of its own,
    since the table is still read row by row.
    """
    holders = [module for module in model.decoder.modules() if not isinstance(module, nn.Linear)]
    for module in holders:
        for name, child in module.named_children():
            if isinstance(child, nn.Linear):
                setattr(module, name, PackedLinear(child.weight, child.bias))
    if model.decoder.head is None:
        model.decoder.head = PackedLinear(model.decoder.embedding.weight, None)
