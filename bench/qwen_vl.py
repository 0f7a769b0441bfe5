"""Qwen-VL of 2023 on the scales: a toy of it in the public folder's form, with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from omma.model.vlm import Vlm
from omma.prep.processor import Processor
from omma.prep.ranks import RankedTokenizer
from omma.prep.rules import PictureRules, square_rules
from omma.prep.vocabulary import train_tokenizer
from omma.presets import tiny
from omma.spec import ModelSpec
from omma.weights import write_folder

WORDS = "What is in this picture? Picture 1: a red circle over a blue square (12,34). été 日本語 1234."


def write_toy(folder: Path, spec: ModelSpec | None = None, *, seed: int = 0) -> Path:
    """A folder with config.json, safetensors under public names, and qwen.tiktoken, all of it random.

    `spec` is the toy Qwen-VL-Chat, or one with other numbers; its ids and vocabulary are the tokenizer's.
    The weights are far enough from zero that no two logits lie close.
    """
    tokenizer, spec = vocabulary(), spec or tiny("qwen-vl")
    decoder = replace(spec.decoder, vocabulary=tokenizer.size + 7)
    spec = replace(spec, ids=tokenizer.token_ids, decoder=decoder)
    model = Vlm(spec)
    dice = torch.Generator().manual_seed(seed)
    model.initialise(dice)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if not weight.requires_grad:
                continue
            if weight.ndim > 1 and "embedding" not in name:
                weight.normal_(std=weight.shape[1] ** -0.5, generator=dice)
            elif name.endswith("bias"):
                weight.normal_(std=0.3, generator=dice)
            else:
                drawn = torch.rand(weight.shape, generator=dice)
                weight.mul_(drawn + (20 if "embedding" in name else 0.5))
    write_folder(model, spec, folder, dtype=torch.float32)
    Processor(tokenizer, spec, square_rules(spec.vision) or PictureRules()).save(folder)
    return folder


def vocabulary() -> RankedTokenizer:
    """A vocabulary of ranks with every public mark."""
    return RankedTokenizer.of(train_tokenizer(iter([WORDS] * 4), 340))
