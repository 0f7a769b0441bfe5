"""Qwen-VL's tower for pictures of one size, and its bridge: learned queries that look once at every patch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from omma.errors import PlaceholderMismatch
from omma.model.attend import Segments
from omma.model.layers import Embedding, LayerNorm, Linear, feed_forward
from omma.model.pieces import Pieces, whole
from omma.sample import Grid
from omma.spec import Resampler, VisionSpec


class StretchedTable(Embedding):
    """A square of places, stretched over a picture's patches by cubic curves, in fp32 (facts §2.1)."""

    def __init__(self, places: int, width: int) -> None:
        super().__init__(places, width)
        self.side = math.isqrt(places)

    def over(self, grid: Grid, merge: int) -> Tensor:
        """What is added to the patches of one picture, in the order of its rows: (P, W)."""
        order_P = block_order(grid, merge).to(self.weight.device)
        if (self.side, self.side) == (grid.rows, grid.columns):
            return self.weight[order_P]
        square = self.weight.float().view(self.side, self.side, -1).permute(2, 0, 1)
        size = (grid.rows, grid.columns)
        fine = F.interpolate(square[None], size, mode="bicubic", align_corners=False)[0]
        return fine.flatten(1).T[order_P].to(self.weight.dtype)


class WaveTable(StretchedTable):
    """Places as sines and cosines, half of the channels for each axis. It never learns."""

    def __init__(self, places: int, width: int) -> None:
        super().__init__(places, width)
        self.weight.requires_grad_(False)

    @torch.no_grad()
    def fill(self) -> None:
        """Write the waves: the first half goes by the column, the second by the row."""
        quarter = self.weight.shape[1] // 4
        frequencies = 10_000.0 ** -(torch.arange(quarter, dtype=torch.float64) / quarter)
        angles = torch.arange(self.side, dtype=torch.float64)[:, None] * frequencies
        waves = torch.cat([angles.sin(), angles.cos()], -1)
        by_column, by_row = waves.repeat(self.side, 1), waves.repeat_interleave(self.side, 0)
        self.weight.copy_(torch.cat([by_column, by_row], -1))


class PackedAttention(nn.Module):
    """Every patch sees its whole picture; one matrix lies head by head, its query, key and value."""

    def __init__(self, spec: VisionSpec) -> None:
        super().__init__()
        self.heads = spec.heads
        self.qkv = Linear(spec.width, 3 * spec.width)
        self.out = Linear(spec.width, spec.width)

    def forward(self, x_PW: Tensor, pictures: Segments, layer: int) -> Tensor:
        """(P, W) in, (P, W) out."""
        q_PHK, k_PHK, v_PHK = self.qkv(x_PW).unflatten(-1, (self.heads, 3, -1)).unbind(2)
        y_PW: Tensor = self.out(pictures(q_PHK, k_PHK, v_PHK, layer).flatten(1))
        return y_PW


class PlainLayer(nn.Module):
    """Attention without rotary positions and feed-forward, each behind its norm and beside its residual."""

    def __init__(self, spec: VisionSpec) -> None:
        super().__init__()
        self.attention_norm = LayerNorm(spec.width, spec.norm_eps)
        self.attention = PackedAttention(spec)
        self.feed_norm = LayerNorm(spec.width, spec.norm_eps)
        self.feed = feed_forward(spec.feed_forward, spec.width)

    def forward(self, x_PW: Tensor, pictures: Segments, layer: int) -> Tensor:
        """(P, W) in, (P, W) out."""
        x_PW = x_PW + self.attention(self.attention_norm(x_PW), pictures, layer)
        y_PW: Tensor = x_PW + self.feed(self.feed_norm(x_PW))
        return y_PW


class Matrix(nn.Module):
    """Numbers (A, B) that are no linear layer: they are used in parts, or stand on the right of a product."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(rows, columns))


class BiasedMatrix(Matrix):
    """A matrix with a bias (A,) for its rows."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__(rows, columns)
        self.bias = nn.Parameter(torch.empty(rows))


class CrossAttention(nn.Module):
    """Queries of one kind over keys and values of another; one matrix, cut in three, makes all of them."""

    def __init__(self, width: int, head_width: int) -> None:
        super().__init__()
        self.head_width = head_width
        self.inner = BiasedMatrix(3 * width, width)
        self.out = Linear(width, width)

    def forward(self, queries_ND: Tensor, keys_SPD: Tensor, values_SPD: Tensor) -> Tensor:
        """Each of S pictures looked at by the same N queries: (S, N, D)."""
        weights, biases = self.inner.weight.chunk(3), self.inner.bias.chunk(3)
        q_1HNK, k_SHPK, v_SHPK = (
            F.linear(x, weight, bias).view(*x.shape[:2], -1, self.head_width).transpose(1, 2)
            for x, weight, bias in zip((queries_ND[None], keys_SPD, values_SPD), weights, biases, strict=True)
        )
        q_SHNK = q_1HNK.expand(len(k_SHPK), -1, -1, -1)
        y_SHNK = F.scaled_dot_product_attention(q_SHNK, k_SHPK, v_SHPK)
        y_SND: Tensor = self.out(y_SHNK.transpose(1, 2).flatten(2))
        return y_SND


class ResamplingBridge(nn.Module):
    """From a picture's patches to as many tokens of the decoder as there are queries (facts §2.1).

    Places are added to queries and keys, never to values.
    """

    def __init__(self, spec: VisionSpec, kind: Resampler, grid: Grid) -> None:
        super().__init__()
        width, eps, tokens = spec.out_width, spec.norm_eps, grid.cells(spec.merge)
        self.grid, self.merge = grid, spec.merge
        self.queries = Embedding(tokens, width)
        self.places = WaveTable(tokens, width)
        self.keys = Linear(spec.width, width, False)
        self.query_norm = LayerNorm(width, eps)
        self.key_norm = LayerNorm(width, eps)
        self.attention = CrossAttention(width, kind.head_width)
        self.out_norm = LayerNorm(width, eps)
        self.projection = Matrix(width, width)

    def forward(self, x_PW: Tensor) -> Tensor:
        """(P, W) of whole pictures in, (N, D) out."""
        values_SPD = self.key_norm(self.keys(x_PW.view(-1, self.grid.patches, x_PW.shape[-1])))
        keys_SPD = values_SPD + self.places.over(self.grid, self.merge)
        queries_ND = self.query_norm(self.queries.weight) + self.places.weight
        y_SND = self.out_norm(self.attention(queries_ND, keys_SPD, values_SPD))
        y_ND: Tensor = y_SND.flatten(0, 1) @ self.projection.weight
        return y_ND


class SquareTower(nn.Module):
    """Square pictures of one size: patches, learned places, layers that see the whole picture, the bridge."""

    def __init__(self, spec: VisionSpec, kind: Resampler) -> None:
        super().__init__()
        if spec.side is None or spec.places is None or spec.side % (spec.patch * spec.merge):
            raise TypeError(f"a resampler needs pictures of one size and a table of places, not {spec!r}")
        across = spec.side // spec.patch
        self.spec, self.grid = spec, Grid(1, across, across)
        self.patches = Linear(spec.row, spec.width, spec.patch_bias)
        self.places = StretchedTable(spec.places**2, spec.width)
        self.entry_norm = LayerNorm(spec.width, spec.norm_eps)
        self.layers = nn.ModuleList(PlainLayer(spec) for _ in range(spec.depth))
        self.merger = ResamplingBridge(spec, kind, self.grid)

    def forward(self, rows_PC: Tensor, grids: Sequence[Grid]) -> Tensor:
        """Visual tokens (N, D) of all pictures, in order: see `merge` and `look`."""
        return self.merge(self.look(rows_PC, grids))

    def pieces(self, rows_PC: Tensor, grids: Sequence[Grid]) -> Pieces[Tensor]:
        """The same a layer at a time."""
        return self.merge((yield from self._look(rows_PC, grids)))

    def merge(self, looks: Sequence[Tensor]) -> Tensor:
        """Visual tokens (N, D) of what `look` gives."""
        (x_PW,) = looks
        y_ND: Tensor = self.merger(x_PW)
        return y_ND

    def look(self, rows_PC: Tensor, grids: Sequence[Grid]) -> list[Tensor]:
        """The patches' own features (P, W) before the bridge, in the order of the rows, as the only one.

        Raises PlaceholderMismatch if rows and grids were not made together, or a picture has another size.
        """
        return whole(self._look(rows_PC, grids))

    def _look(self, rows_PC: Tensor, grids: Sequence[Grid]) -> Pieces[list[Tensor]]:
        wanted = (self.grid.patches * len(grids), self.spec.row)
        if any(grid != self.grid for grid in grids) or rows_PC.shape != wanted:
            raise PlaceholderMismatch(
                f"patch rows are {tuple(rows_PC.shape)} of {len(grids)} pictures; the tower wants {wanted}, "
                f"each picture {self.spec.side} pixels square; make rows and grids with one Processor"
            )
        pictures = Segments(range(0, wanted[0] + 1, self.grid.patches), False)
        x_PW = self.patches(rows_PC.to(self.patches.weight.dtype))
        x_PW = x_PW + self.places.over(self.grid, self.spec.merge).repeat(len(grids), 1)
        x_PW = self.entry_norm(x_PW)
        for number, layer in enumerate(self.layers):
            x_PW = layer(x_PW, pictures, number)
            yield
        return [x_PW]


@lru_cache(maxsize=8)
def block_order(grid: Grid, merge: int) -> Tensor:
    """Where in reading order each patch stands as the rows come: blocks of `merge` × `merge` patches (P,)."""
    with torch.inference_mode(False):  # it is kept, and learning may follow an answer
        places = torch.arange(grid.rows * grid.columns)
        blocks = places.reshape(grid.rows // merge, merge, grid.columns // merge, merge)
        return blocks.transpose(1, 2).flatten()
