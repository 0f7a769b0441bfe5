"""What keeps a router of experts even and calm: two losses on its logits, to be added to the loss on answers.

Pure functions of one layer's router, for expert layers to call and the trainer to weigh (usually 1e-3 each).
"""

from __future__ import annotations

import torch
from torch import Tensor


def shares(chosen_TC: Tensor, experts: int) -> Tensor:
    """The part of all choices (C a token) that fell on each expert: (E,), adding up to 1."""
    counts_E = torch.bincount(chosen_TC.flatten(), minlength=experts).float()
    return counts_E / max(chosen_TC.numel(), 1)


def balance_loss(logits_TE: Tensor, chosen_TC: Tensor, shares_E: Tensor | None = None) -> Tensor:
    """How unevenly tokens fall on experts (Fedus et al. 2021): E · Σ share of choices · mean probability.

    1 when both are even, up to E when all tokens choose one expert. The gradient pushes probability away from
    experts that are chosen often. `shares_E` are those of a whole step or of all ranks, where a pass alone is
    too small to be even (default: of these tokens). fp32 whatever the logits are.
    """
    experts = logits_TE.shape[-1]
    mean_E = logits_TE.float().softmax(-1).mean(0)
    taken_E = shares(chosen_TC, experts) if shares_E is None else shares_E
    return experts * (taken_E * mean_E).sum()


def z_loss(logits_TE: Tensor) -> Tensor:
    """How large the logits have grown (Zoph et al. 2022): the mean square of their log-sum-exp, in fp32."""
    return logits_TE.float().logsumexp(-1).square().mean()
