"""What every operation means: plainest torch, shortest, slow; its fast twin is judged by it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from omma.ops.rotary import Tables


def attend_segments(
    q_THK: Tensor, k_TGK: Tensor, v_TGK: Tensor, starts: Sequence[int], *, causal: bool
) -> Tensor:
    """Attention inside each segment; no token sees across a border. `starts` are the S + 1 borders."""
    out = []
    group = q_THK.shape[1] // k_TGK.shape[1]
    for a, b in pairwise(starts):
        q, k, v = (x[a:b].float().transpose(0, 1) for x in (q_THK, k_TGK, v_TGK))
        k, v = k.repeat_interleave(group, 0), v.repeat_interleave(group, 0)
        score = q @ k.mT * q.shape[-1] ** -0.5
        if causal:
            score = score.masked_fill(torch.ones_like(score[0]).triu(1).bool(), -torch.inf)
        out.append((score.softmax(-1) @ v).transpose(0, 1).to(q_THK.dtype))
    return torch.cat(out)


def rotate(x_THK: Tensor, tables: Tables) -> Tensor:
    """Turn each head's pairs (i, i + K/2) by their angles, in fp32 (facts §3.4)."""
    half = x_THK.shape[-1] // 2
    cos, sin = tables.cos_T1K[..., :half], tables.sin_T1K[..., half:]
    first, second = x_THK[..., :half].float(), x_THK[..., half:].float()
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1).to(x_THK.dtype)


def rms_norm(x_TD: Tensor, weight_D: Tensor, eps: float) -> Tensor:
    """Divide each row by its root mean square, in fp32, and weigh it."""
    x = x_TD.float()
    return (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)).to(x_TD.dtype) * weight_D


def mix_experts(
    x_TD: Tensor, chosen_TC: Tensor, weights_TC: Tensor, gate_up_EDF: Tensor, down_EFD: Tensor
) -> Tensor:
    """Each token through each of its experts, one after the other; what they say, weighed and added up."""
    mixed = []
    for x_D, chosen_C, weights_C in zip(x_TD, chosen_TC.tolist(), weights_TC, strict=True):
        said_D = torch.zeros_like(x_D, dtype=torch.float32)
        for expert, weight in zip(chosen_C, weights_C, strict=True):
            gate_F, up_F = (x_D @ gate_up_EDF[expert]).chunk(2)
            said_D = said_D + (weight * (torch.nn.functional.silu(gate_F) * up_F)) @ down_EFD[expert]
        mixed.append(said_D.to(x_TD.dtype))
    return torch.stack(mixed)
