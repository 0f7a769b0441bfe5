"""A model whose numbers for a row do not depend on the other rows, experts and all."""

from __future__ import annotations

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from omma.model.experts import Bank, Routing
from omma.model.vlm import Vlm

TOGETHER = 8  # rows that go through an expert at a time, the last ones filled up


class SteadyBank(nn.Module):
    """Experts that read the rows of each in blocks of one shape, and add up each row's in the same order."""

    def __init__(self, bank: Bank) -> None:
        super().__init__()
        self.gate_up, self.down = bank.gate_up, bank.down

    def forward(self, x_TD: Tensor, routing: Routing) -> Tensor:
        """(T, D) in, (T, D) out."""
        mixed_TD = x_TD.new_zeros(x_TD.shape, dtype=torch.float32)
        for expert in sorted(set(routing.chosen_TC.flatten().tolist())):
            tokens, turn = (routing.chosen_TC == expert).nonzero(as_tuple=True)
            weigh = routing.weights_TC[tokens, turn, None]
            for some, weight in zip(torch.split(tokens, TOGETHER), torch.split(weigh, TOGETHER), strict=True):
                x = x_TD.new_zeros(TOGETHER, x_TD.shape[1])
                x[: len(some)] = x_TD[some]
                gate, up = (x @ self.gate_up[expert]).chunk(2, -1)
                made = (F.silu(gate) * up) @ self.down[expert]
                mixed_TD.index_add_(0, some, made[: len(some)].float() * weight.float())
        return mixed_TD.to(x_TD.dtype)


def steady(model: Vlm) -> Vlm:
    """The same model over the same tensors, with experts that are steady; the model itself if it has none."""
    if not any(isinstance(module, Bank) for module in model.modules()):
        return model
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    other = deepcopy(model, dict(shared))
    for module in list(other.modules()):
        for name, child in module.named_children():
            if isinstance(child, Bank):
                setattr(module, name, SteadyBank(child))
    return other
