"""Writes checkpoints of random weights in published shapes: ``python -m bench.checkpoints SHAPE FOLDER``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from omma.model.vlm import Vlm
from omma.prep.processor import Processor
from omma.prep.rules import published_rules
from omma.prep.vocabulary import train_tokenizer
from omma.presets import preset, tiny
from omma.spec import ModelSpec, TokenIds
from omma.weights.folder import write_folder

WORDS = ["You are a helpful assistant. What is in the picture? user system assistant"]


def shape(name: str, ids: TokenIds) -> ModelSpec:
    """A shape by name: a preset, "PRESET/DEPTH" for one cut to its first layers, or "toy"."""
    spec, _, depth = name.partition("/")
    whole = tiny("qwen2.5-vl") if spec == "toy" else preset(spec)
    if depth:
        whole = replace(whole, decoder=replace(whole.decoder, depth=int(depth)))
    return replace(whole, ids=ids)


def write(name: str, folder: Path) -> None:
    """Write the checkpoint in bfloat16. The folder appears when it is whole."""
    tokenizer = train_tokenizer(iter(WORDS * 4), 310)
    spec = shape(name, tokenizer.token_ids)
    with torch.device("meta"):
        model = Vlm(spec).to(torch.bfloat16)
    model.to_empty(device="cpu")
    torch.manual_seed(0)
    with torch.no_grad():
        for module in model.modules():
            for kind, weight in module.named_parameters(recurse=False):
                fill(kind, weight)
    half_made = folder.with_name(folder.name + ".new")
    write_folder(model, spec, half_made, dtype=torch.bfloat16, shard_bytes=1_000_000_000)
    Processor(tokenizer, spec, published_rules(spec)).save(half_made)
    half_made.rename(folder)


def fill(kind: str, weight: nn.Parameter) -> None:
    """Small even noise for matrices, ones for norms, zeros for biases: activations stay of order one."""
    if weight.ndim > 1:
        weight.uniform_(-0.03, 0.03)
    else:
        weight.fill_(0.0 if "bias" in kind else 1.0)


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]))
