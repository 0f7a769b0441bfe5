"""Turns that share a picture and nothing else: each is answered as if it were the only one.

In an ordinary dialogue a later answer can be read off an earlier one, and the picture need not be looked at.
Here the picture's rows stand once, every turn is a branch that sees them and itself, and positions go on from
the picture in each: what is learned is what a single question will meet, at the price of one picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from omma.ops.blocks import attend_shown
from omma.sample import Sample

WASTE = 1.3  # pieces share a call while the longest is no more than so many times the shortest
NEARLY = 32  # rows of a trunk, so many more or less, that make no difference
TOGETHER = 64  # pieces that share a call at most


class Branches:
    """Causal attention where branches of a segment see its trunk and themselves. An `Attend`.

    `starts` are the S + 1 borders of segments on the row axis; `cuts[s]` the C + 1 borders of segment s's
    branches, counted from its own start, the first being the trunk's end. Empty: the segment is all trunk.
    """

    def __init__(self, starts: Sequence[int], cuts: Sequence[Sequence[int]], device: torch.device) -> None:
        pieces = sorted(
            (
                piece
                for (start, stop), cut in zip(pairwise(starts), cuts, strict=True)
                for piece in _pieces(start, stop - start, cut)
            ),
            key=lambda piece: (_depth(piece), piece.rows),
        )
        groups = [_group(alike) for alike in _alike(pieces)]
        self.shown = [group.shown_NLM.to(device) for group in groups]
        self.own_R = torch.cat([group.own_NL.flatten() for group in groups]).to(device)
        self.seen_S = torch.cat([group.seen_NM.flatten() for group in groups]).to(device)
        real_T = torch.cat([group.real_R for group in groups]).nonzero().squeeze(-1).to(device)
        self.back_T = real_T[self.own_R[real_T].argsort()]

    def __call__(self, q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, layer: int) -> Tensor:
        """Attention of every row over what its branch may see: (T, H, K).

        Rows are gathered once for all groups: the gradient of a gathering is as large as what was gathered
        from, and to add one up for every group took longer than the attention.
        """
        own, seen = ([mask.shape[0] * mask.shape[axis] for mask in self.shown] for axis in (1, 2))
        asked = zip(
            torch.split(q_THK.index_select(0, self.own_R), own),
            torch.split(k_TGK.index_select(0, self.seen_S), seen),
            torch.split(v_TGK.index_select(0, self.seen_S), seen),
            self.shown,
            strict=True,
        )
        return torch.cat([_attend(*rows) for rows in asked]).index_select(0, self.back_T)


class Piece(NamedTuple):
    """Rows that follow one another: a branch, or a trunk. It sees `trunk` rows from `root` on, and itself."""

    start: int
    rows: int
    root: int
    trunk: int


class Group(NamedTuple):
    """N pieces of like length in one call: own rows padded to L, then the trunk's to M, and what is shown.

    `real_R` says of the N × L own rows which are not there to fill up.
    """

    own_NL: Tensor
    seen_NM: Tensor
    shown_NLM: Tensor
    real_R: Tensor


def _pieces(start: int, length: int, cuts: Sequence[int]) -> Iterator[Piece]:
    """The trunk of one segment and its branches."""
    trunk = cuts[0] if cuts else length
    yield Piece(start, trunk, start, 0)
    for begin, end in pairwise(cuts):
        yield Piece(start + begin, end - begin, start, trunk)


def _depth(piece: Piece) -> int:
    """Pieces of one depth have trunks of nearly one length."""
    return -(-piece.trunk // NEARLY)


def _alike(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Pieces, sorted by depth and length, cut into runs of nearly one shape."""
    run: list[Piece] = []
    for piece in pieces:
        longer = run and piece.rows > WASTE * run[0].rows + 2
        if run and (longer or _depth(piece) != _depth(run[0]) or len(run) == TOGETHER):
            yield run
            run = []
        run.append(piece)
    if run:
        yield run


def _group(pieces: Sequence[Piece]) -> Group:
    longest, deepest = max(p.rows for p in pieces), max(p.trunk for p in pieces)
    starts, rows, roots, trunks = (torch.tensor(column)[:, None] for column in zip(*pieces, strict=True))
    at_L, at_M = torch.arange(longest), torch.arange(deepest)
    # A place behind the last real row repeats it; no real query sees it.
    own_NL = starts + at_L.minimum(rows - 1)
    trunk_NM = roots + at_M.minimum((trunks - 1).clamp(min=0))
    causal = torch.ones(longest, longest, dtype=torch.bool).tril().expand(len(pieces), -1, -1)
    shown = (at_M < trunks)[:, None].expand(-1, longest, -1)
    return Group(
        own_NL,
        torch.cat((own_NL, trunk_NM), 1),
        torch.cat((causal, shown), 2),
        (at_L < rows).flatten(),
    )


def _attend(q_RHK: Tensor, k_SGK: Tensor, v_SGK: Tensor, shown_NLM: Tensor) -> Tensor:
    """Attention of one group's own rows (N · L, H, K) over what it sees (N · M, G, K), piece after piece."""
    count, shared = len(shown_NLM), q_RHK.shape[1] // k_SGK.shape[1]
    q, k, v = (x.view(count, -1, *x.shape[1:]) for x in (q_RHK, k_SGK, v_SGK))
    if torch.is_grad_enabled() and q.requires_grad and q.dtype == torch.bfloat16 and q.device.type == "cpu":
        out = attend_shown(q, k, v, shown_NLM)
    else:
        k, v = (x.repeat_interleave(shared, 2).transpose(1, 2) for x in (k, v))
        mask = shown_NLM[:, None]
        out = F.scaled_dot_product_attention(q.transpose(1, 2), k, v, attn_mask=mask).transpose(1, 2)
    return out.flatten(0, 1)


def graft(first: Sample, others: Sequence[Sample]) -> tuple[Sample, tuple[int, ...]]:
    """One sample whose turns are branches on the pictures of the `first`, and the borders of its branches.

    `first` is a whole dialogue that begins with its pictures, one or several; `others` are dialogues in words
    alone, with the same words before the question. Every branch keeps the weights it came with.
    """
    trunk, before = first.visuals[-1].stop + 1, first.visuals[0].start - first.visuals[0].lead
    if any(not np.array_equal(other.ids_T[:before], first.ids_T[:before]) for other in others):
        raise ValueError("the turns do not begin alike; graft only dialogues made by one Processor")
    after = int(first.positions_3T[:, trunk - 1].max()) + 1
    ids, weights = [first.ids_T], [_weights(first)]
    positions = [first.positions_3T]
    for other in others:
        ids.append(other.ids_T[before:])
        weights.append(_weights(other)[before:])
        positions.append(np.tile(np.arange(len(ids[-1])) + after, (3, 1)))
    cuts = np.cumsum([trunk, len(ids[0]) - trunk, *(len(branch) for branch in ids[1:])])
    sample = Sample(
        np.concatenate(ids), np.concatenate(positions, axis=1), first.visuals, np.concatenate(weights)
    )
    return sample, tuple(int(cut) for cut in cuts)


def _weights(sample: Sample) -> np.ndarray:
    if sample.weights_T is None:
        raise ValueError("a prompt teaches nothing; graft whole dialogues")
    return sample.weights_T
