"""Rotary positions: the angle tables, made once a forward, and the turning of query and key heads."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Tables(NamedTuple):
    """Cosines and sines of every row's angles, fp32 (T, 1, K): each angle twice, the first sine negated."""

    cos_T1K: Tensor
    sin_T1K: Tensor


@lru_cache(maxsize=32)
def _frequencies(count: int, theta: float, device: torch.device) -> Tensor:
    """`count` inverse frequencies theta^(-i/count), fp32, rounded as the public code rounds them."""
    return 1.0 / theta ** (torch.arange(count, dtype=torch.float32, device=device) / count)


def axis_tables(
    positions_3T: Tensor, sections: tuple[int, ...], theta: float, interleaved: bool = False
) -> Tables:
    """Tables of multimodal positions (time, row, column).

    The first `sections[0]` frequencies turn with time, the next with the row, the last with the column.
    `interleaved`, the axes take turns as long as row and column have frequencies left (facts §3.4).
    """
    if interleaved:
        frequencies = _frequencies(sum(sections), theta, positions_3T.device)
        axis_F = torch.tensor(turns(sections), device=positions_3T.device)
        return _tables(positions_3T.float().index_select(0, axis_F).T * frequencies)
    parts = torch.split(_frequencies(sum(sections), theta, positions_3T.device), list(sections))
    rows = positions_3T.float()
    return _tables(torch.cat([rows[axis, :, None] * part for axis, part in enumerate(parts)], -1))


def turns(sections: tuple[int, ...]) -> list[int]:
    """The axis (0 time, 1 row, 2 column) of each frequency where they interleave: 0 1 2 0 1 2 … 0 0."""
    axis_F = [0] * sum(sections)
    for axis in range(1, len(sections)):
        last = min(len(sections) * sections[axis], len(axis_F))
        axis_F[axis : last : len(sections)] = [axis] * len(range(axis, last, len(sections)))
    return axis_F


def grid_tables(places_P2: Tensor, head_width: int, theta: float) -> Tables:
    """Tables of patches at (row, column): half of the angles turn with each (facts §2.3)."""
    frequencies = _frequencies(head_width // 4, theta, places_P2.device)
    return _tables((places_P2.float()[:, :, None] * frequencies).flatten(1))


def _tables(angle: Tensor) -> Tables:
    cos, sin = angle.cos(), angle.sin()
    return Tables(torch.cat([cos, cos], -1)[:, None], torch.cat([-sin, sin], -1)[:, None])


def rotate(x_THK: Tensor, tables: Tables) -> Tensor:
    """Turn each head's pairs (i, i + K/2) by their angles, in fp32 (facts §3.4)."""
    if torch.is_grad_enabled() and x_THK.requires_grad:
        learnt_THK: Tensor = _Turning.apply(x_THK, *tables)  # type: ignore[no-untyped-call]
        return learnt_THK
    return _turned(x_THK, tables)


def _turned(x_THK: Tensor, tables: Tables, way: int = 1) -> Tensor:
    x, half = x_THK.float(), x_THK.shape[-1] // 2
    turned = x * tables.cos_T1K
    turned[..., :half].addcmul_(x[..., half:], tables.sin_T1K[..., :half], value=way)
    turned[..., half:].addcmul_(x[..., :half], tables.sin_T1K[..., half:], value=way)
    return turned.to(x_THK.dtype)


class _Turning(torch.autograd.Function):
    """Gradients are turned back by the same angles: nothing of the heads is kept for them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _turned(x, Tables(cos, sin))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _turned(gradient, Tables(*ctx.saved_tensors), -1), None, None
