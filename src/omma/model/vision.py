"""The vision tower and its mergers, since Qwen2-VL: patch rows in, visual tokens out (facts §2.2–2.8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from omma.errors import PlaceholderMismatch
from omma.model.attend import Segments
from omma.model.layers import Embedding, Linear, feed_forward, norm
from omma.model.pieces import Pieces, whole
from omma.model.windows import floorplan
from omma.ops import Tables, corners, grid_tables, rotate
from omma.sample import Grid
from omma.spec import VisionSpec


class VisionAttention(nn.Module):
    """Every patch sees its window or its whole slice: the segments decide. Of `wide_from` rows on in fp32."""

    wide_from: int | None = None

    def __init__(self, spec: VisionSpec) -> None:
        super().__init__()
        self.heads = spec.heads
        self.qkv = Linear(spec.width, 3 * spec.width)
        self.out = Linear(spec.width, spec.width)

    def forward(self, x_PW: Tensor, tables: Tables, segments: Segments, layer: int) -> Tensor:
        """(P, W) in, (P, W) out."""
        seen_PHK = segments(*self._asked(x_PW, tables), layer)
        y_PW: Tensor = self.out(seen_PHK.flatten(1).to(x_PW.dtype))
        return y_PW

    def pieces(self, x_PW: Tensor, tables: Tables, segments: Segments) -> Pieces[Tensor]:
        """The same a piece at a time."""
        seen_PHK = yield from segments.pieces(*self._asked(x_PW, tables))
        y_PW: Tensor = self.out(seen_PHK.flatten(1).to(x_PW.dtype))
        return y_PW

    def _asked(self, x_PW: Tensor, tables: Tables) -> tuple[Tensor, Tensor, Tensor]:
        qkv_PX = self.qkv(x_PW)
        if self.wide_from is not None and len(qkv_PX) >= self.wide_from:
            qkv_PX = qkv_PX.float()
        q_PHK, k_PHK, v_PHK = qkv_PX.unflatten(-1, (3, self.heads, -1)).unbind(1)
        return rotate(q_PHK, tables), rotate(k_PHK, tables), v_PHK


class VisionLayer(nn.Module):
    """Attention and feed-forward, each behind its norm and beside its residual."""

    def __init__(self, spec: VisionSpec) -> None:
        super().__init__()
        self.attention_norm = norm(spec.norm, spec.width, spec.norm_eps)
        self.attention = VisionAttention(spec)
        self.feed_norm = norm(spec.norm, spec.width, spec.norm_eps)
        self.feed = feed_forward(spec.feed_forward, spec.width)

    def forward(self, x_PW: Tensor, tables: Tables, segments: Segments, layer: int) -> Tensor:
        """(P, W) in, (P, W) out."""
        x_PW = x_PW + self.attention(self.attention_norm(x_PW), tables, segments, layer)
        y_PW: Tensor = x_PW + self.feed(self.feed_norm(x_PW))
        return y_PW

    def pieces(self, x_PW: Tensor, tables: Tables, segments: Segments) -> Pieces[Tensor]:
        """The same a piece at a time."""
        x_PW = x_PW + (yield from self.attention.pieces(self.attention_norm(x_PW), tables, segments))
        yield
        y_PW: Tensor = x_PW + self.feed(self.feed_norm(x_PW))
        yield
        return y_PW


class Merger(nn.Module):
    """The bridge: merge × merge neighbouring patches become one token of the decoder's width.

    They are normed one by one, or `together` (facts §2.8).
    """

    def __init__(self, spec: VisionSpec, together: bool = False) -> None:
        super().__init__()
        self.joined = spec.width * spec.merge * spec.merge
        self.normed = self.joined if together else spec.width
        self.norm = norm(spec.norm, self.normed, spec.norm_eps)
        self.inner = Linear(self.joined, self.joined)
        self.outer = Linear(self.joined, spec.out_width)

    def forward(self, x_PW: Tensor) -> Tensor:
        """(P, W) in, (P / unit, D) out."""
        x_NU = self.norm(x_PW.reshape(-1, self.normed)).reshape(-1, self.joined)
        y_ND: Tensor = self.outer(F.gelu(self.inner(x_NU)))
        return y_ND


class PlaceTable(Embedding):
    """Learned positions, `side` × `side` of them, stretched over every picture (facts §2.7)."""

    def __init__(self, side: int, width: int) -> None:
        super().__init__(side * side, width)
        self.side = side

    def forward(self, places_P2: Tensor, grids: Sequence[Grid]) -> Tensor:  # type: ignore[override]
        """What is added to the patches at these places of the pictures: (P, W), mixed in fp32."""
        numbers: list[Tensor] = []
        shares: list[Tensor] = []
        for grid, places in zip(grids, torch.split(places_P2, [grid.patches for grid in grids]), strict=True):
            for kept, made in zip(
                (numbers, shares), corners(places, grid.rows, grid.columns, self.side), strict=True
            ):
                kept.append(made.to(self.weight.device))
        around_P4W = super().forward(torch.cat(numbers)).float()
        return (around_P4W * torch.cat(shares)[..., None]).sum(1).to(self.weight.dtype)


class VisionTower(nn.Module):
    """Patch embedding, learned positions if there are any, window and full layers, mergers."""

    def __init__(self, spec: VisionSpec) -> None:
        super().__init__()
        self.spec = spec
        self.patches = Linear(spec.row, spec.width, spec.patch_bias)
        self.places = None if spec.places is None else PlaceTable(spec.places, spec.width)
        self.layers = nn.ModuleList(VisionLayer(spec) for _ in range(spec.depth))
        self.merger = Merger(spec)
        self.deep = nn.ModuleList(Merger(spec, together=True) for _ in spec.deepstack)

    def forward(self, rows_PC: Tensor, grids: Sequence[Grid]) -> Tensor:
        """Features of all pictures' visual tokens, in order: see `merge` and `look`."""
        return self.merge(self.look(rows_PC, grids))

    def pieces(self, rows_PC: Tensor, grids: Sequence[Grid]) -> Pieces[Tensor]:
        """The same a piece at a time: long attention is cut by its queries."""
        return self.merge((yield from self._look(rows_PC, grids, cut=True)))

    def merge(self, looks: Sequence[Tensor]) -> Tensor:
        """Features (N, D + L · D) of visual tokens: what they are, then what L layers of the decoder add."""
        mergers = (self.merger, *self.deep)
        parts = [merger(x_PW) for merger, x_PW in zip(mergers, looks, strict=True)]
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)

    def look(self, rows_PC: Tensor, grids: Sequence[Grid]) -> list[Tensor]:
        """The patches' own features (P, W) before they are merged, in the order of the rows.

        Those after the last layer, then those after each layer that `deepstack` names.
        Raises PlaceholderMismatch if rows and grids were not made together.
        """
        return whole(self._look(rows_PC, grids, cut=False))

    def _look(self, rows_PC: Tensor, grids: Sequence[Grid], *, cut: bool) -> Pieces[list[Tensor]]:
        spec, unit = self.spec, self.spec.merge**2
        cells = sum(g.slices * (g.rows // spec.merge) * (g.columns // spec.merge) for g in grids)
        if rows_PC.shape != (wanted := (cells * unit, spec.row)):
            raise PlaceholderMismatch(
                f"patch rows are {tuple(rows_PC.shape)} but the grids want {wanted}; "
                "make rows and grids with one Processor"
            )
        side = None if spec.window is None else spec.window // spec.patch // spec.merge
        plan = floorplan(grids, spec.merge, side)
        device = rows_PC.device
        tables = grid_tables(plan.places_P2.to(device), spec.width // spec.heads, spec.rope_theta)
        windows, slices = Segments(plan.window_starts, False), Segments(plan.slice_starts, False)
        x_PW = self.patches(rows_PC.to(self.patches.weight.dtype))
        x_PW = _reordered(x_PW, plan.order_N, unit)
        if self.places is not None:
            x_PW = x_PW + self.places(plan.places_P2, plan.grids)
        levels: dict[int, Tensor] = {}
        for number, layer in enumerate(self.layers):
            segments = slices if number in spec.full_layers else windows
            x_PW = (
                (yield from cast(VisionLayer, layer).pieces(x_PW, tables, segments))
                if cut
                else layer(x_PW, tables, segments, number)
            )
            if number in spec.deepstack:
                levels[number] = x_PW
        seen = (x_PW, *(levels[number] for number in spec.deepstack))
        return [_reordered(x_PW, plan.back_N, unit) for x_PW in seen]


def _reordered(x_PW: Tensor, order_N: Tensor, unit: int) -> Tensor:
    """Cells of `unit` patches in another order."""
    cells_NUW = x_PW.reshape(-1, unit, x_PW.shape[-1])
    return cells_NUW.index_select(0, order_N.to(x_PW.device)).flatten(0, 1)
