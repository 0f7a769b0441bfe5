"""The vision tower and its merger, Qwen2.5-VL's kind: patch rows in, visual tokens out (facts §2.2–2.6)."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from omma.errors import PlaceholderMismatch
from omma.model.attend import Segments
from omma.model.layers import Linear, RMSNorm, feed_forward
from omma.model.windows import floorplan
from omma.ops import Tables, grid_tables, rotate
from omma.sample import Grid
from omma.spec import VisionSpec


class VisionAttention(nn.Module):
    """Every patch sees its window, or its whole slice: the segments decide."""

    def __init__(self, spec: VisionSpec) -> None:
        super().__init__()
        self.heads = spec.heads
        self.qkv = Linear(spec.width, 3 * spec.width)
        self.out = Linear(spec.width, spec.width)

    def forward(self, x_PW: Tensor, tables: Tables, segments: Segments, layer: int) -> Tensor:
        """(P, W) in, (P, W) out."""
        q_PHK, k_PHK, v_PHK = self.qkv(x_PW).unflatten(-1, (3, self.heads, -1)).unbind(1)
        q_PHK, k_PHK = rotate(q_PHK, tables), rotate(k_PHK, tables)
        y_PW: Tensor = self.out(segments(q_PHK, k_PHK, v_PHK, layer).flatten(1))
        return y_PW


class VisionLayer(nn.Module):
    """Attention and feed-forward, each behind its norm and beside its residual."""

    def __init__(self, spec: VisionSpec) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(spec.width, spec.norm_eps)
        self.attention = VisionAttention(spec)
        self.feed_norm = RMSNorm(spec.width, spec.norm_eps)
        self.feed = feed_forward(spec.feed_forward, spec.width)

    def forward(self, x_PW: Tensor, tables: Tables, segments: Segments, layer: int) -> Tensor:
        """(P, W) in, (P, W) out."""
        x_PW = x_PW + self.attention(self.attention_norm(x_PW), tables, segments, layer)
        y_PW: Tensor = x_PW + self.feed(self.feed_norm(x_PW))
        return y_PW


class Merger(nn.Module):
    """The bridge: merge × merge neighbouring patches become one token of the decoder's width."""

    def __init__(self, spec: VisionSpec) -> None:
        super().__init__()
        self.unit = spec.merge * spec.merge
        self.norm = RMSNorm(spec.width, spec.norm_eps)
        self.inner = Linear(spec.width * self.unit, spec.width * self.unit)
        self.outer = Linear(spec.width * self.unit, spec.out_width)

    def forward(self, x_PW: Tensor) -> Tensor:
        """(P, W) in, (P / unit, D) out."""
        x_NU = self.norm(x_PW).reshape(-1, x_PW.shape[-1] * self.unit)
        y_ND: Tensor = self.outer(F.gelu(self.inner(x_NU)))
        return y_ND


class VisionTower(nn.Module):
    """Patch embedding, window and full layers, merger."""

    def __init__(self, spec: VisionSpec) -> None:
        super().__init__()
        self.spec = spec
        self.patches = Linear(spec.row, spec.width, False)
        self.layers = nn.ModuleList(VisionLayer(spec) for _ in range(spec.depth))
        self.merger = Merger(spec)

    def forward(self, rows_PC: Tensor, grids: Sequence[Grid]) -> Tensor:
        """Visual tokens (N, D) of all pictures, in order. PlaceholderMismatch if rows and grids differ."""
        y_ND: Tensor = self.merger(self.look(rows_PC, grids))
        return y_ND

    def look(self, rows_PC: Tensor, grids: Sequence[Grid]) -> Tensor:
        """The patches' own features (P, W) before they are merged, in the order of the rows.

        Raises PlaceholderMismatch if rows and grids were not made together.
        """
        spec, unit = self.spec, self.spec.merge**2
        cells = sum(g.slices * (g.rows // spec.merge) * (g.columns // spec.merge) for g in grids)
        if rows_PC.shape != (wanted := (cells * unit, spec.row)):
            raise PlaceholderMismatch(
                f"patch rows are {tuple(rows_PC.shape)} but the grids want {wanted}; "
                "make rows and grids with one Processor"
            )
        plan = floorplan(grids, spec.merge, spec.window // spec.patch // spec.merge)
        device = rows_PC.device
        tables = grid_tables(plan.places_P2.to(device), spec.width // spec.heads, spec.rope_theta)
        windows, slices = Segments(plan.window_starts, False), Segments(plan.slice_starts, False)
        x_PW = self.patches(rows_PC.to(self.patches.weight.dtype))
        x_PW = x_PW.unflatten(0, (-1, unit)).index_select(0, plan.order_N.to(device)).flatten(0, 1)
        for number, layer in enumerate(self.layers):
            segments = slices if number in spec.full_layers else windows
            x_PW = layer(x_PW, tables, segments, number)
        cells_NUW: Tensor = x_PW.unflatten(0, (-1, unit))
        return cells_NUW.index_select(0, plan.back_N.to(device)).flatten(0, 1)
