"""Attention written out in blocks of queries, probabilities kept: the fastest way to learn in bf16 on a CPU.

Batched products come near the machine's speed where the fused kernel, which works in small tiles, reaches a
fifth of it; under a causal mask a block multiplies only the keys up to its end. Without gradients the fused
kernel is used instead: it keeps scores in fp32.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

BLOCK = 128
LONGEST = 2048  # rows of a segment beyond which keeping the probabilities costs too much memory


def attend_blocks(q_STHK: Tensor, k_STGK: Tensor, v_STGK: Tensor, *, causal: bool) -> Tensor:
    """Attention of S segments of T rows each, G key heads shared by H query heads: (S, T, H, K)."""
    segments, length, heads, width = q_STHK.shape
    shared = k_STGK.shape[2]
    group = heads // shared
    q = q_STHK.reshape(segments, length, shared, group, width).transpose(1, 2)
    q = q.reshape(-1, length, group, width)
    k, v = (x.transpose(1, 2).reshape(-1, length, width) for x in (k_STGK, v_STGK))
    out: Tensor = _Blocks.apply(q, k, v, causal)  # type: ignore[no-untyped-call]
    return out.view(segments, shared, length, group, width).transpose(1, 2).reshape(q_STHK.shape)


def attend_shown(q_NLHK: Tensor, k_NMGK: Tensor, v_NMGK: Tensor, shown_NLM: Tensor) -> Tensor:
    """Attention of N pieces of L queries over the M keys that `shown_NLM` lets each see: (N, L, H, K).

    Every query must see a key. Scores are in the queries' dtype.
    """
    pieces, length, heads, width = q_NLHK.shape
    seen, shared = k_NMGK.shape[1:3]
    group = heads // shared
    q = q_NLHK.view(pieces, length, shared, group, width).permute(0, 2, 3, 1, 4)
    q = q.reshape(pieces * shared, group * length, width)
    k, v = (x.transpose(1, 2).reshape(-1, seen, width) for x in (k_NMGK, v_NMGK))
    hidden = q.new_zeros(()).where(shown_NLM, -torch.inf)
    hidden = hidden[:, None, None].expand(-1, shared, group, -1, -1).reshape(-1, group * length, seen)
    share = torch.baddbmm(hidden, q, k.mT, alpha=width**-0.5).softmax(-1)
    out = torch.bmm(share, v).view(pieces, shared, group, length, width)
    return out.permute(0, 3, 1, 2, 4).reshape(q_NLHK.shape)


def _blocks(rows: int, causal: bool) -> Iterator[tuple[slice, slice]]:
    """Blocks of queries, and the keys each may see."""
    for start in range(0, rows, BLOCK):
        stop = min(start + BLOCK, rows)
        yield slice(start, stop), slice(0, stop if causal else rows)


class _Blocks(torch.autograd.Function):
    """Queries (N, T, R, K) over keys and values (N, T, K): R query heads share a key head."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, causal: bool) -> Tensor:
        batch, _, group, width = q.shape
        kept, outs = [], []
        for rows, seen in _blocks(q.shape[1], causal):
            queries = q[:, rows].flatten(1, 2)
            score = torch.baddbmm(queries.new_empty(1), queries, k[:, seen].mT, beta=0, alpha=width**-0.5)
            if causal:
                size = rows.stop - rows.start
                later = score.new_full((size, size), -torch.inf).triu_(1)
                score.view(batch, size, group, -1)[..., rows].add_(later[:, None])
            kept.append(score.softmax(-1))
            outs.append(torch.bmm(kept[-1], v[:, seen]).view(batch, -1, group, width))
        ctx.save_for_backward(q, k, v, *kept)
        ctx.causal = causal
        return torch.cat(outs, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        q, k, v, *kept = ctx.saved_tensors
        batch, _, group, width = q.shape
        scale = width**-0.5
        dq, dk, dv = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        for (rows, seen), share in zip(_blocks(q.shape[1], ctx.causal), kept, strict=True):
            d_out = gradient[:, rows].flatten(1, 2)
            d_share = torch.bmm(d_out, v[:, seen].mT)
            d_score = torch._softmax_backward_data(d_share, share, -1, share.dtype)
            dq[:, rows] = torch.bmm(d_score, k[:, seen]).view(batch, -1, group, width)
            dk[:, seen].baddbmm_(d_score.mT, q[:, rows].flatten(1, 2), alpha=scale)
            dv[:, seen].baddbmm_(share.mT, d_out)
        return dq.mul_(scale), dk, dv, None
