"""The school of 2024 (Qwen2-VL): see, everything, instruct.

Published and kept: what learns, how many tokens, frames at 2 a second (facts §8.2). The report counts the
merger to the tower, and so do `learns` here. Not published, so ours: rates, batch, weight decay (the 2023
school's), and with them the number of steps.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from omma.presets import preset
from omma.train.recipe import AdamW, Lines, Rate, Recipe

MODEL = Path("models/qwen2-vl-7b")
RUNS = Path("runs/qwen2-vl-2024")
LINES = Path("data")
DIALOGUE = 2_048  # tokens of a dialogue on average; ours
STEP = 1_024 * DIALOGUE  # tokens of a step; ours


def see() -> Recipe:
    """The tower learns beside a decoder that sleeps: pictures and text, print, classes; 600 B tokens."""
    return Recipe(
        name="qwen2-vl-2024-see",
        model=preset("qwen2-vl-7b"),
        start=MODEL,
        processor=MODEL,
        data=Lines(LINES / "pairs.jsonl"),
        learns=("vision", "bridge"),
        steps=600_000_000_000 // STEP,
        dialogues=STEP // DIALOGUE,
        micro=8,
        longest=32_768,
        rate=Rate(peak=2e-4, final=1e-6, warm_up=500, shape="cosine"),
        optimiser=AdamW(betas=(0.9, 0.98), eps=1e-6, weight_decay=0.05),
        precision="bfloat16",
    )


def everything() -> Recipe:
    """All parts learn: interleaved text and pictures, questions, video, plain text; 800 B tokens more."""
    return replace(
        see(),
        name="qwen2-vl-2024-everything",
        start=RUNS / "see" / "model",
        data=Lines(LINES / "mixed.jsonl"),
        learns=("vision", "bridge", "decoder"),
        steps=800_000_000_000 // STEP,
        rate=Rate(peak=5e-5, final=1e-5, warm_up=400, shape="cosine"),
    )


def instruct() -> Recipe:
    """The decoder alone learns from dialogues: pictures, documents, several pictures, video, agents."""
    return replace(
        everything(),
        name="qwen2-vl-2024-instruct",
        start=RUNS / "everything" / "model",
        data=Lines(LINES / "dialogues.jsonl"),
        learns=("decoder",),
        steps=8_000,
        dialogues=128,
        rate=Rate(peak=1e-5, final=1e-6, warm_up=400, shape="cosine"),
    )
