"""What a run computes in: float32, bfloat16, or bfloat16 whose products are made in float32."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import torch
from torch import nn
from torch.nn import functional

WIDE = "wide"  # the attribute of modules that can multiply so


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
    def remembered(cls, facts: Mapping[str, str]) -> Numbers | None:
        """From such facts; None where there are none."""
        if (name := facts.get("precision")) is None:
            return None
        dtype = torch.float32 if name == "float32" else torch.bfloat16
        return cls(dtype, wide=facts.get("products", name) != name)

    def lay(self, model: nn.Module) -> None:
        """Say so to the model's layers. Its parameters are left in the dtype they have."""
        for module in model.modules():
            if hasattr(module, WIDE):
                setattr(module, WIDE, self.wide)


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


@cache
def halves_gain() -> bool:
    """Whether this processor multiplies bfloat16 faster than float32.

    Instructions for it are not enough: there are processors that have them and take twice as long, so
    products of a usual shape are timed, some tens of milliseconds in all.
    """
    if not (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()):
        return False
    return _fastest(torch.bfloat16) < _fastest(torch.float32)


def _fastest(dtype: torch.dtype) -> float:
    """Seconds of computing that the fastest of a few products took, on one thread.

    Those of a clock on the wall would be others' too, on a machine that has more to do.
    """
    rows, matrix = torch.ones(512, 1024, dtype=dtype), torch.ones(1024, 1024, dtype=dtype)
    threads, times = torch.get_num_threads(), []
    torch.set_num_threads(1)
    try:
        for _ in range(6):
            began = time.thread_time()
            functional.linear(rows, matrix)
            times.append(time.thread_time() - began)
    finally:
        torch.set_num_threads(threads)
    return min(times[1:])  # the first one prepares
