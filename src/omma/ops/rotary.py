"""Rotary positions: the angle tables, made once a forward, and the turning of query and key heads."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=32)
def _frequencies(count: int, theta: float, device: torch.device) -> Tensor:
    """`count` inverse frequencies theta^(-i/count), fp32."""
    return theta ** (-torch.arange(count, dtype=torch.float32, device=device) / count)


def axis_tables(positions_3T: Tensor, sections: tuple[int, ...], theta: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines (T, K/2) of multimodal positions, fp32.

    The first `sections[0]` frequencies turn with time, the next with the row, the last with the column
    (facts §3.4, chunked).
    """
    frequencies = _frequencies(sum(sections), theta, positions_3T.device)
    parts = torch.split(frequencies, list(sections))
    rows = positions_3T.float()
    angle = torch.cat([rows[axis, :, None] * part for axis, part in enumerate(parts)], -1)
    return angle.cos(), angle.sin()


def grid_tables(places_P2: Tensor, head_width: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines (P, K/2), fp32: half of the angles turn with the row, half with the column (§2.3)."""
    frequencies = _frequencies(head_width // 4, theta, places_P2.device)
    angle = (places_P2.float()[:, :, None] * frequencies).flatten(1)
    return angle.cos(), angle.sin()


def rotate(x_THK: Tensor, cos_TK: Tensor, sin_TK: Tensor) -> Tensor:
    """Turn each head's pairs (i, i + K/2) by their angles: half tables (T, K/2), fp32 (facts §3.4)."""
    first, second = x_THK.float().chunk(2, -1)
    cos, sin = cos_TK[:, None], sin_TK[:, None]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1).to(x_THK.dtype)
