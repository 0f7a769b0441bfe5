"""What a run computes in: float32, bfloat16, or bfloat16 whose products are made in float32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from omma.ops.product import halves_cost

WIDE = "wide_from"  # the attribute of modules that can multiply so


@dataclass(frozen=True)
class Numbers:
    """The dtype of weights and rows; `wide` says that bfloat16 ones are multiplied in float32."""

    dtype: torch.dtype
    wide: bool = False

    def facts(self) -> dict[str, str]:
        """What a checkpoint remembers of it, so that a run goes on as it began, wherever that is."""
        name = str(self.dtype).removeprefix("torch.")
        return {"precision": name, "products": "float32" if self.wide else name}

    @classmethod
    def remembered(cls, facts: Mapping[str, str], device: str) -> Numbers | None:
        """From such facts, None where there are none. What a processor widens an accelerator does not."""
        if (name := facts.get("precision")) is None:
            return None
        dtype = torch.float32 if name == "float32" else torch.bfloat16
        on_cpu = torch.device(device).type == "cpu"
        return cls(dtype, wide=on_cpu and facts.get("products", name) != name)

    def lay(self, model: nn.Module) -> None:
        """Say so to the model's layers. Its parameters are left in the dtype they have."""
        for module in model.modules():
            if hasattr(module, WIDE):
                setattr(module, WIDE, 0 if self.wide else None)


def numbers_for(precision: str, device: str) -> Numbers:
    """Those of a run that begins. A processor that multiplies float32 faster does so in bfloat16 too."""
    dtype = compute_dtype(precision, device)
    on_cpu = torch.device(device).type == "cpu"
    return Numbers(dtype, wide=on_cpu and dtype == torch.bfloat16 and not halves_gain())


def compute_dtype(precision: str, device: str) -> torch.dtype:
    """What a model computes in: for "auto" bfloat16, if the machine multiplies it faster than float32."""
    if precision != "auto":
        return torch.float32 if precision == "float32" else torch.bfloat16
    return torch.bfloat16 if torch.device(device).type != "cpu" or halves_gain() else torch.float32


def halves_gain() -> bool:
    """Whether this processor multiplies bfloat16 faster than float32."""
    return halves_cost() < 1
