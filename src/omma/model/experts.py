"""A feed-forward of many experts, of which a router gives each token a few (facts §2.9)."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from omma.ops.experts import choose, mix_experts
from omma.spec import Experts


class Routing(NamedTuple):
    """Where tokens go: the router's scores, the experts chosen, and how much each of them counts."""

    logits_TE: Tensor
    weights_TC: Tensor
    chosen_TC: Tensor


class Router(nn.Module):
    """Scores all experts for each token. Whoever trains may listen to what it returns: `train/routers.py`."""

    def __init__(self, dim: int, experts: int, chosen: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(experts, dim))
        self.chosen = chosen

    def forward(self, x_TD: Tensor) -> Routing:
        """The `chosen` likeliest experts of each token; their weights add up to 1."""
        logits_TE = F.linear(x_TD, self.weight)
        return Routing(logits_TE, *choose(logits_TE, self.chosen))


class Bank(nn.Module):
    """All experts' matrices in two tensors, input-major as public files hold them (facts §4.3)."""

    def __init__(self, dim: int, width: int, experts: int) -> None:
        super().__init__()
        self.gate_up = nn.Parameter(torch.empty(experts, dim, 2 * width))
        self.down = nn.Parameter(torch.empty(experts, width, dim))

    def forward(self, x_TD: Tensor, routing: Routing) -> Tensor:
        """(T, D) in, (T, D) out."""
        return mix_experts(x_TD, routing.chosen_TC, routing.weights_TC, self.gate_up, self.down)


class ExpertLayer(nn.Module):
    """A router and its experts, in the place of a feed-forward."""

    def __init__(self, dim: int, spec: Experts) -> None:
        super().__init__()
        self.router = Router(dim, spec.count, spec.chosen)
        self.experts = Bank(dim, spec.width, spec.count)

    def forward(self, x_TD: Tensor) -> Tensor:
        """Same shape, same dtype."""
        y_TD: Tensor = self.experts(x_TD, self.router(x_TD))
        return y_TD
