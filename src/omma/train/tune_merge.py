"""An adapter merged into its base and written as a model's folder of its own."""

from __future__ import annotations

from pathlib import Path

import torch

from omma.errors import BadFolder
from omma.loading import load_folder
from omma.weights import write_folder
from omma.weights.adapters import base_of, is_adapter
from omma.weights.config import GENERATION
from omma.weights.fields import write_json
from omma.weights.lora import merge, spec_of


def merge_folder(adapter: Path, out: Path, *, model: str | None = None, dtype: str = "auto") -> float:
    """Write the base with the adapter merged into it; the share of the change that rounding took.

    `model` is the base, by default the one that the adapter names; `dtype` "auto" is the base's own.
    `out` must not be there yet or be an empty folder. Raises BadFolder for one that is filled, or that
    holds no adapter, and what loading raises.
    """
    if not is_adapter(adapter):
        raise BadFolder(f"{adapter} holds no adapter; wanted a folder with adapter_config.json")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadFolder(f"{out} is there already; name a folder that is not, or take it away first")
    loaded = load_folder(model or base_of(adapter), device="cpu", dtype=dtype, adapter=adapter)
    lost = merge(loaded.model)
    out.mkdir(parents=True, exist_ok=True)
    if loaded.generation:
        write_json(out / GENERATION, loaded.generation)
    kind: torch.dtype = loaded.model.decoder.embedding.weight.dtype
    write_folder(loaded.model, spec_of(loaded.model), out, dtype=kind)
    loaded.processor.save(out)
    return lost
