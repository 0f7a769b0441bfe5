"""A running mean of the weights: steadier than the last ones, kept beside them and moved by every step."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from omma.train.muon import local


class Average:
    """The exponential mean of fp32 masters: after each step, mean ← decay · mean + (1 - decay) · master.

    Early on the decay is lower, (1 + step) / (10 + step), so that the first weights are soon forgotten.
    """

    def __init__(self, masters: Mapping[str, Tensor], decay: float) -> None:
        self.decay = decay
        self.means = {name: master.detach().clone() for name, master in masters.items()}

    @torch.no_grad()
    def follow(self, masters: Mapping[str, Tensor], step: int) -> None:
        """Take in the masters as they are after `step` steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, mean in self.means.items():
            local(mean).lerp_(local(masters[name].detach()), 1 - decay)

    def state(self) -> dict[str, Tensor]:
        """The means by name, for a checkpoint."""
        return {f"average/{name}": mean for name, mean in self.means.items()}
