"""Turns that share a picture and nothing else: each is answered as if it were the only one.

In an ordinary dialogue a later answer can be read off an earlier one, and the picture need not be looked at.
Here the picture's rows stand once, every turn is a branch that sees them and itself, and positions go on from
the picture in each: what is learned is what a single question will meet, at the price of one picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from omma.sample import Sample

TOGETHER = 4  # segments of like length that share a call


class Branches:
    """Causal attention where branches of a segment see its trunk and themselves. An `Attend`.

    `starts` are the S + 1 borders of segments on the row axis; `cuts[s]` the C + 1 borders of segment s's
    branches, counted from its own start, the first being the trunk's end. Empty: the segment is all trunk.
    """

    def __init__(self, starts: Sequence[int], cuts: Sequence[Sequence[int]], device: torch.device) -> None:
        lengths = [b - a for a, b in pairwise(starts)]
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        self.groups = [
            _group([(starts[s], lengths[s], cuts[s]) for s in order[at : at + TOGETHER]], device)
            for at in range(0, len(order), TOGETHER)
        ]
        self.back_T = torch.cat([group.rows_R for group in self.groups]).argsort()

    def __call__(self, q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, layer: int) -> Tensor:
        """Attention of every row over what its branch may see: (T, H, K)."""
        out_RHK = torch.cat([_attend(q_THK, k_TGK, v_TGK, group) for group in self.groups])
        return out_RHK.index_select(0, self.back_T)


class Group(NamedTuple):
    """Segments of like length in one call: rows padded to L, what sees what, and the real ones' places."""

    take_SL: Tensor
    mask_SLL: Tensor
    real_R: Tensor
    rows_R: Tensor


def _group(segments: Sequence[tuple[int, int, Sequence[int]]], device: torch.device) -> Group:
    longest = max(length for _, length, _ in segments)
    branch_SL = torch.full((len(segments), longest), -1, dtype=torch.long)
    take_SL = torch.zeros_like(branch_SL)
    for s, (start, length, cuts) in enumerate(segments):
        take_SL[s, :length] = torch.arange(start, start + length)
        branch_SL[s, :length] = torch.bucketize(
            torch.arange(length), torch.tensor(cuts or (length,)), right=True
        )
    seen_SLL = (branch_SL[:, None, :] == 0) | (branch_SL[:, None, :] == branch_SL[:, :, None])
    real_R = (branch_SL.flatten() >= 0).nonzero().squeeze(-1)
    rows_R = take_SL.flatten()[real_R]
    return Group(*(x.to(device) for x in (take_SL, seen_SLL.tril(), real_R, rows_R)))


def _attend(q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, group: Group) -> Tensor:
    """Attention of one group's real rows, segment after segment."""
    shared = q_THK.shape[1] // k_TGK.shape[1]
    q, k, v = (x[group.take_SL].transpose(1, 2) for x in (q_THK, k_TGK, v_TGK))
    k, v = k.repeat_interleave(shared, 1), v.repeat_interleave(shared, 1)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=group.mask_SLL[:, None])
    return out.transpose(1, 2).flatten(0, 1).index_select(0, group.real_R)


def graft(first: Sample, others: Sequence[Sample]) -> tuple[Sample, tuple[int, ...]]:
    """One sample whose turns are branches on the picture of the `first`, and the borders of its branches.

    `first` is a whole dialogue of one turn that begins with one picture; `others` are dialogues of one turn
    in words alone, with the same words before the question. Every branch keeps the weights it came with.
    """
    visual = first.visuals[0]
    trunk, before = visual.stop + 1, visual.start - 1
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
