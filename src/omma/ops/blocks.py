"""Attention written out in blocks of queries, probabilities kept: the fastest way to learn on a CPU.

Batched products come near the machine's speed where the fused kernel, which works in small tiles, reaches a
fifth of it in bf16; under a causal mask a block multiplies only the keys up to its end.
Without gradients the fused kernel is used instead: it keeps scores in fp32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

BLOCK = 128
LONGEST = 2048  # rows of a segment beyond which keeping the probabilities costs too much memory


def attend_blocks(q_STHK: Tensor, k_STGK: Tensor, v_STGK: Tensor) -> Tensor:
    """Attention of S segments of T rows each, all of them seen, G key heads shared by H: (S, T, H, K)."""
    segments, length, heads, width = q_STHK.shape
    shared = k_STGK.shape[2]
    group = heads // shared
    q = q_STHK.reshape(segments, length, shared, group, width).transpose(1, 2)
    q = q.reshape(-1, length, group, width)
    k, v = (x.transpose(1, 2).reshape(-1, length, width) for x in (k_STGK, v_STGK))
    out: Tensor = _Blocks.apply(q, k, v)  # type: ignore[no-untyped-call]
    return out.view(segments, shared, length, group, width).transpose(1, 2).reshape(q_STHK.shape)


def attend_causal(q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, starts: Sequence[int]) -> Tensor:
    """Causal attention inside each segment between the S + 1 borders `starts`: (T, H, K).

    Segments go one by one, so that none is lengthened and no row is moved.
    """
    out: Tensor = _Causal.apply(q_THK, k_TGK, v_TGK, tuple(starts))  # type: ignore[no-untyped-call]
    return out


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


def _blocks(rows: int) -> Iterator[slice]:
    """Blocks of queries."""
    for start in range(0, rows, BLOCK):
        yield slice(start, min(start + BLOCK, rows))


def _scores(q: Tensor, k: Tensor) -> Tensor:
    """Products of queries (N, R, K) and keys (N, T, K), scaled: (N, R, T)."""
    return torch.baddbmm(q.new_empty(1), q, k.mT, beta=0, alpha=q.shape[-1] ** -0.5)


def _d_scores(d_out: Tensor, v: Tensor, share: Tensor) -> Tensor:
    """The gradient of scores whose softmax `share` weighed the values."""
    return torch._softmax_backward_data(torch.bmm(d_out, v.mT), share, -1, share.dtype)


class _Blocks(torch.autograd.Function):
    """Queries (N, T, R, K) over keys and values (N, T, K): R query heads share a key head."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        kept, outs = [], []
        for rows in _blocks(q.shape[1]):
            kept.append(_scores(q[:, rows].flatten(1, 2), k).softmax(-1))
            outs.append(torch.bmm(kept[-1], v).view(len(q), -1, *q.shape[2:]))
        ctx.save_for_backward(q, k, v, *kept)
        return torch.cat(outs, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v, *kept = ctx.saved_tensors
        dq, dk, dv = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        for rows, share in zip(_blocks(q.shape[1]), kept, strict=True):
            d_out = gradient[:, rows].flatten(1, 2)
            d_score = _d_scores(d_out, v, share)
            dq[:, rows] = torch.bmm(d_score, k).view(len(q), -1, *q.shape[2:])
            dk.baddbmm_(d_score.mT, q[:, rows].flatten(1, 2))
            dv.baddbmm_(share.mT, d_out)
        scale = q.shape[-1] ** -0.5
        return dq.mul_(scale), dk.mul_(scale), dv


class _Causal(torch.autograd.Function):
    """Segments of queries (T, H, K) over keys and values (T, G, K), one after another."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, starts: tuple[int, ...]) -> Tensor:
        out, kept, group = torch.empty_like(q), list[Tensor](), q.shape[1] // k.shape[1]
        for start, stop in pairwise(starts):
            queries, keys, values = _grouped(q[start:stop], group), *_heads(start, stop, k, v)
            made = _laid_grouped(out[start:stop], group)
            for rows in _blocks(stop - start):
                wide = slice(rows.start * group, rows.stop * group)
                score = _scores(queries[:, wide], keys[:, : rows.stop])
                own = score.view(len(keys), -1, group, rows.stop)[..., rows]
                own.add_(_later(rows.stop - rows.start, q.dtype))
                kept.append(score.softmax(-1))
                made[:, rows] = _apart(torch.bmm(kept[-1], values[:, : rows.stop]), group)
        ctx.save_for_backward(q, k, v, *kept)
        ctx.starts = starts
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        q, k, v, *kept = ctx.saved_tensors
        group, scale = q.shape[1] // k.shape[1], q.shape[-1] ** -0.5
        dq, dk, dv = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
        for start, stop in reversed(list(pairwise(ctx.starts))):
            queries, d_outs = (_grouped(x[start:stop], group) for x in (q, gradient))
            keys, values = _heads(start, stop, k, v)
            d_keys, d_values = (x.new_zeros(x.shape) for x in (keys, values))
            made = _laid_grouped(dq[start:stop], group)
            for rows in reversed(list(_blocks(stop - start))):
                wide = slice(rows.start * group, rows.stop * group)
                share, d_out = kept.pop(), d_outs[:, wide]
                d_score = _d_scores(d_out, values[:, : rows.stop], share)
                made[:, rows] = _apart(torch.bmm(d_score, keys[:, : rows.stop]), group)
                # One product that is also added would go head by head where it does not fill what it adds to.
                d_keys[:, : rows.stop] += torch.bmm(d_score.mT, queries[:, wide])
                d_values[:, : rows.stop] += torch.bmm(share.mT, d_out)
            dk[start:stop], dv[start:stop] = d_keys.transpose(0, 1), d_values.transpose(0, 1)
        return dq.mul_(scale), dk.mul_(scale), dv, None


def _heads(start: int, stop: int, *rows: Tensor) -> Iterator[Tensor]:
    """A segment of rows (T, G, K), heads first."""
    return (x[start:stop].transpose(0, 1) for x in rows)


def _grouped(x_THK: Tensor, group: int) -> Tensor:
    """Query heads beside the key head they share: (G, T · R, K)."""
    return _laid_grouped(x_THK, group).flatten(1, 2)


def _laid_grouped(x_THK: Tensor, group: int) -> Tensor:
    """The same rows where they lie: (G, T, R, K)."""
    length, heads, width = x_THK.shape
    return x_THK.view(length, heads // group, group, width).transpose(0, 1)


def _apart(x_GQK: Tensor, group: int) -> Tensor:
    """Products of grouped queries as (G, T, R, K)."""
    shared, rows, width = x_GQK.shape
    return x_GQK.view(shared, rows // group, group, width)


@lru_cache(maxsize=BLOCK)
def _later(rows: int, dtype: torch.dtype) -> Tensor:
    """What hides later keys of a block from its queries, for any number of heads: (rows, 1, rows)."""
    return torch.full((rows, rows), -torch.inf, dtype=dtype).triu_(1)[:, None]
