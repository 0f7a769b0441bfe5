"""Weights laid out as a processor's matrix units read them: the same products to the bit, twice as fast."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from omma.errors import BadModel
from omma.model.layers import Linear
from omma.model.vision import VisionAttention
from omma.model.vlm import Vlm
from omma.ops import linear
from omma.ops.product import pays_from

PAYS = 20  # tokens that win back the time which packing takes
PART = 2**26  # bytes of a head that are packed at a time
UNFOLDS = 384  # rows of a product in fp32 for which laying a packed weight plain again is little work
ROWS = 4  # rows of a packed product that read its weight fastest: one or two alone take a quarter longer


class AnsweringLinear(nn.Module):
    """A linear layer for answering only: its weight neither learns nor is written, and may be packed.

    Plain weights are put into blocks anew for every product. That is little beside the product of a whole
    prompt, and more than the product of one row. From plain ones products of `wide_from` rows or more are
    made in float32; from packed ones, which must be laid plain for it, those of UNFOLDS rows or more.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, wide_from: int | None = None) -> None:
        super().__init__()
        self.wide_from = wide_from
        # One attribute for both states: a product that runs beside the packing meets the one or the other.
        self._weight = weight.detach()
        self.bias = None if bias is None else bias.detach()
        self.bytes = weight.nbytes

    @property
    def packed(self) -> bool:
        """Whether the weight lies in blocks."""
        return self._weight.is_mkldnn

    def pack(self) -> None:
        """Put the weight into blocks for good and let go of the plain one."""
        weight = self._weight
        if not weight.is_mkldnn:  # rows a call are a hint only; decoding has few
            self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, 1)

    def forward(self, x_TD: Tensor) -> Tensor:
        """(T, D) in, (T, F) out."""
        weight, rows = self._weight, len(x_TD)
        if weight.is_mkldnn and self.wide_from is not None and rows >= UNFOLDS:
            weight = weight.to_dense()
        if not weight.is_mkldnn:
            return linear(x_TD, weight, self.bias, self.wide_from)
        if rows < ROWS:
            x_TD = F.pad(x_TD, (0, 0, 0, ROWS - rows))
        y_TF: Tensor = torch.ops.mkldnn._linear_pointwise(x_TD, weight, self.bias, "none", [], "")
        return y_TF[:rows] if rows < ROWS else y_TF

    def _save_to_state_dict(self, destination: Mapping[str, Any], prefix: str, keep_vars: bool) -> None:
        raise BadModel(
            f"{prefix[:-1]} is laid out for answering and cannot be written; write what load_folder gives"
        )


class AnsweringHead(nn.Module):
    """A head for answering only, in parts, so that packing a large vocabulary does not hold an answer up."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        rows = max(1, PART * len(weight) // weight.nbytes)
        self.parts = nn.ModuleList(AnsweringLinear(part, None) for part in torch.split(weight.detach(), rows))

    def forward(self, x_TD: Tensor) -> Tensor:
        """(T, D) in, (T, V) out."""
        parts = [part(x_TD) for part in self.parts]
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)


class Packing:
    """What of a model is still to be packed: a share of it with every token, as long as that pays.

    Packing all of it takes as long as some twenty tokens save. So nothing is packed before the first token,
    and nobody waits for it in the middle of an answer.
    """

    def __init__(self, model: Vlm) -> None:
        layers = [layer for layer in model.decoder.modules() if isinstance(layer, AnsweringLinear)]
        self._share = -(-sum(layer.bytes for layer in layers) // PAYS)
        self._plain = deque(layer for layer in layers if not layer.packed)

    def go_on(self, left: int) -> None:
        """Pack a share, layer after layer, if at least PAYS of the `left` tokens of an answer may follow."""
        done = 0
        while self._plain and left >= PAYS and done < self._share:
            layer = self._plain.popleft()
            layer.pack()
            done += layer.bytes


def widen(model: Vlm) -> None:
    """Let products of many rows of bf16 be made in fp32, on a processor that is faster so; nothing else.

    Attention over what is remembered stays as it is: it reads keys and values in the dtype they are kept in.
    """
    weight = model.decoder.embedding.weight
    if weight.device.type != "cpu" or weight.dtype != torch.bfloat16 or (rows := pays_from()) is None:
        return
    for module in model.modules():
        if isinstance(module, Linear | VisionAttention):
            module.wide_from = rows


def packable(model: Vlm) -> bool:
    """Whether packing is possible and pays: bf16 weights on a processor that multiplies bf16 itself."""
    weight = model.decoder.embedding.weight
    return weight.device.type == "cpu" and weight.dtype == torch.bfloat16 and packs_bfloat16()


def packs_bfloat16() -> bool:
    """Whether this processor multiplies bf16 itself, and torch can lay weights out for it."""
    kernels = torch.ops.mkldnn
    return (
        torch._C._has_mkldnn
        and all(hasattr(kernels, name) for name in ("_reorder_linear_weight", "_linear_pointwise"))
        and bool(kernels._is_mkldnn_bf16_supported())
    )


def lay_out(model: Vlm) -> None:
    """Put layers that can be packed in the places of the decoder's linear ones. Nothing is read or copied.

    The tower reads hundreds of rows at once, where packing does not pay. A tied head gets blocks of its own,
    since the table is still read row by row.
    """
    decoder = model.decoder
    for module in [module for module in decoder.modules() if not isinstance(module, nn.Linear)]:
        for name, child in module.named_children():
            if child is decoder.head and isinstance(child, nn.Linear):
                decoder.head = AnsweringHead(child.weight)
            elif isinstance(child, nn.Linear):
                wide_from = getattr(child, "wide_from", None)
                setattr(module, name, AnsweringLinear(child.weight, child.bias, wide_from))
    if decoder.head is None:
        decoder.head = AnsweringHead(decoder.embedding.weight)
