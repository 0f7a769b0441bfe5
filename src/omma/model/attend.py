"""Attention's memory as the model sees it, and the one that needs none: whole segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from omma.model.pieces import Pieces
from omma.ops import Plan, attend_in_pieces, attend_plan

SCORES = 2**23  # of a head, in a piece of attention


class Attend(Protocol):
    """Attention's memory. The model calls it and does not ask what stands behind."""

    def __call__(self, q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, layer: int) -> Tensor:
        """Attend the queries of `layer` over its keys and values, with what is remembered: (T, H, K)."""
        ...


class Segments:
    """Every row sees its own segment and nothing else: whole prompts, training packs, windows of a picture.

    `starts` are the S + 1 borders on the row axis, from 0 to T.
    """

    def __init__(self, starts: Sequence[int], causal: bool = True) -> None:
        self.plan = Plan(starts, causal=causal)

    def __call__(self, q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, layer: int) -> Tensor:
        """Attention inside each segment: (T, H, K)."""
        return attend_plan(q_THK, k_TGK, v_TGK, self.plan)

    def pieces(self, q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor) -> Pieces[Tensor]:
        """The same a piece at a time, where segments are long and not causal."""
        return attend_in_pieces(q_THK, k_TGK, v_TGK, self.plan, SCORES)
