"""Parameters by part, counted on the model itself, built without memory."""

from __future__ import annotations

from typing import NamedTuple

import torch

from omma.model.vlm import Vlm
from omma.spec import ModelSpec

_BRIDGE = ("vision.merger.", "vision.deep.", "vision.resampler.")


class Parameters(NamedTuple):
    """How many numbers each part holds. `active` are those that one token is multiplied with."""

    tower: int
    bridge: int
    embedding: int
    layers: int
    head: int
    active: int

    @property
    def total(self) -> int:
        """All parts."""
        return self.tower + self.bridge + self.embedding + self.layers + self.head


def blueprint(spec: ModelSpec, dtype: torch.dtype = torch.bfloat16) -> Vlm:
    """The model as it would be, on the meta device."""
    with torch.device("meta"):
        return Vlm(spec).to(dtype)


def count(model: Vlm) -> Parameters:
    """The parameters of a model by part; a tied head has none of its own."""
    sizes = dict.fromkeys(("tower", "bridge", "embedding", "layers", "head"), 0)
    for name, weight in model.named_parameters():
        sizes[_part(name)] += weight.numel()
    return Parameters(**sizes, active=sum(sizes.values()) - _resting(model))


def _part(name: str) -> str:
    if name.startswith(_BRIDGE):
        return "bridge"
    if name.startswith("vision."):
        return "tower"
    kind = name.split(".")[1]
    return kind if kind in ("embedding", "head") else "layers"


def _resting(model: Vlm) -> int:
    """Parameters of the experts that a token is not sent to."""
    resting = 0
    for part, spec in ((model.vision, model.spec.vision), (model.decoder, model.spec.decoder)):
        feed = spec.feed_forward
        count, chosen = getattr(feed, "count", 0), getattr(feed, "chosen", 0)
        if not count:
            continue
        experts = sum(
            weight.numel()
            for name, weight in part.named_parameters()
            if weight.dim() == 3 and len(weight) == count
        )
        resting += experts * (count - chosen) // count
    return resting
