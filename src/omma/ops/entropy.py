"""Cross-entropy of rows against a table of embeddings: scores are made, judged and dropped in blocks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

SCORES = {"cpu": 2**20}  # in a block: what a core's cache holds
MANY = 2**26  # where it is not a cache that sets the size
FEWEST = 256  # rows of a block, however long the table is: its gradient is gone through once for each


def linear_cross_entropy(hidden_AD: Tensor, table_VD: Tensor, truth_A: Tensor, weights_A: Tensor) -> Tensor:
    """The sum over rows of weight times −log softmax(hidden · tableᵀ) at the truth: fp32, a scalar.

    Gradients are made with the scores, block by block, so that neither A × V scores nor their gradients
    ever stand in memory together; products are in the dtype of `hidden_AD`, everything else in fp32.
    """
    loss: Tensor = _Entropy.apply(hidden_AD, table_VD, truth_A, weights_A)  # type: ignore[no-untyped-call]
    return loss


class _Entropy(torch.autograd.Function):
    """Gradients for a loss of weight 1, scaled when that of the loss is known."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, table: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
        learns, moves = ctx.needs_input_grad[:2]
        d_hidden = torch.empty_like(hidden) if learns else None
        d_table = torch.zeros_like(table, dtype=torch.float32) if moves else None
        loss = weights.new_zeros((), dtype=torch.float32)
        rows = max(SCORES.get(table.device.type, MANY) // len(table), FEWEST)
        for start in range(0, len(hidden), rows):
            block = slice(start, start + rows)
            scores = (hidden[block] @ table.T).float()
            scores -= scores.amax(-1, keepdim=True)
            wanted = truth[block, None]
            right = scores.gather(1, wanted)
            shares = scores.exp_()
            whole = shares.sum(-1, keepdim=True)
            weight = weights[block, None].float()
            loss += (weight * (whole.log() - right)).sum()
            if not (learns or moves):
                continue
            shares.mul_(weight / whole).scatter_add_(1, wanted, -weight)
            d_scores = shares.to(hidden.dtype)
            if d_hidden is not None:
                torch.mm(d_scores, table, out=d_hidden[block])
            if d_table is not None:
                if table.dtype == torch.float32:
                    d_table.addmm_(d_scores.T, hidden[block])
                else:
                    d_table += d_scores.T @ hidden[block]
        ctx.save_for_backward(d_hidden, d_table)
        ctx.dtype = table.dtype
        return loss

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        d_hidden, d_table = ctx.saved_tensors
        return (
            None if d_hidden is None else d_hidden * gradient.to(d_hidden.dtype),
            None if d_table is None else (d_table * gradient).to(ctx.dtype),
            None,
            None,
        )
