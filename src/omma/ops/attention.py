"""Attention inside segments of one long axis, in as few calls as their lengths allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Plan:
    """How to attend inside the segments between `starts`: made once, used by every layer."""

    starts: tuple[int, ...]
    lengths: tuple[int, ...]
    causal: bool


def plan_segments(starts: Sequence[int], *, causal: bool) -> Plan:
    """Plan attention inside the segments between the S + 1 borders `starts`."""
    return Plan(tuple(starts), tuple(b - a for a, b in pairwise(starts)), causal)


def attend_plan(q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, plan: Plan) -> Tensor:
    """Attention inside each planned segment."""
    lengths, count = plan.lengths, len(plan.lengths)
    if len(set(lengths)) == 1:
        q, k, v = (x.reshape(count, lengths[0], *x.shape[1:]) for x in (q_THK, k_TGK, v_TGK))
        return _attend(q, k, v, plan.causal).flatten(0, 1)
    parts = zip(*(torch.split(x, list(lengths)) for x in (q_THK, k_TGK, v_TGK)), strict=True)
    return torch.cat([_attend(q[None], k[None], v[None], plan.causal)[0] for q, k, v in parts])


def attend_segments(
    q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, starts: Sequence[int], *, causal: bool
) -> Tensor:
    """Attention inside each segment; no token sees across a border. `starts` are the S + 1 borders."""
    return attend_plan(q_THK, k_TGK, v_TGK, plan_segments(starts, causal=causal))


def _attend(q_STHK: Tensor, k_STGK: Tensor, v_STGK: Tensor, causal: bool) -> Tensor:
    q, k, v = (x.transpose(1, 2) for x in (q_STHK, k_STGK, v_STGK))
    grouped = q.shape[1] != k.shape[1]
    return F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=grouped).transpose(1, 2)
