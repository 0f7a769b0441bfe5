"""The school of early 2025 (Qwen2.5-VL): see, everything, long, instruct.

Published and kept: what learns, how many tokens, sequence lengths (facts §8.3); the report counts the
merger to the tower. Not published, so ours: rates, batch, weight decay, and with them the number of steps.
The tower's own first schooling (pictures against texts, as CLIP's) and the last stage on preference pairs
are other kinds of loss and no stages of this trainer.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from omma.presets import preset
from omma.train.recipe import AdamW, Lines, Rate, Recipe

MODEL = Path("models/qwen2.5-vl-7b")
RUNS = Path("runs/qwen2.5-vl")
LINES = Path("data")
SHORT, LONG = 8_192, 32_768
STEP = 1_024 * SHORT  # tokens of a step; ours


def see() -> Recipe:
    """The tower learns from captions, visual knowledge and printed text; 1.5 T tokens."""
    return Recipe(
        name="qwen2.5-vl-see",
        model=preset("qwen2.5-vl-7b"),
        start=MODEL,
        processor=MODEL,
        data=Lines(LINES / "pairs.jsonl"),
        learns=("vision", "bridge"),
        steps=1_500_000_000_000 // STEP,
        dialogues=STEP // SHORT,
        micro=8,
        longest=SHORT,
        rate=Rate(peak=2e-4, final=1e-6, warm_up=500, shape="cosine"),
        optimiser=AdamW(betas=(0.9, 0.95), weight_decay=0.1),
        precision="bfloat16",
    )


def everything() -> Recipe:
    """All parts learn: text, interleaved, questions, video, grounding, agents; 2 T tokens."""
    return replace(
        see(),
        name="qwen2.5-vl-everything",
        start=RUNS / "see" / "model",
        data=Lines(LINES / "mixed.jsonl"),
        learns=("vision", "bridge", "decoder"),
        steps=2_000_000_000_000 // STEP,
        rate=Rate(peak=5e-5, final=1e-5, warm_up=400, shape="cosine"),
    )


def long() -> Recipe:
    """The same at four times the length: long videos, long agents' work, long documents; 0.6 T tokens."""
    return replace(
        everything(),
        name="qwen2.5-vl-long",
        start=RUNS / "everything" / "model",
        data=Lines(LINES / "long.jsonl"),
        steps=600_000_000_000 // STEP,
        dialogues=STEP // LONG,
        longest=LONG,
        rate=Rate(peak=1e-5, final=1e-6, warm_up=400, shape="cosine"),
        recompute=True,
    )


def instruct() -> Recipe:
    """The decoder alone learns from two million dialogues, half of them in words only, once through."""
    return replace(
        long(),
        name="qwen2.5-vl-instruct",
        start=RUNS / "long" / "model",
        data=Lines(LINES / "dialogues.jsonl"),
        learns=("decoder",),
        steps=2_000_000 // 128,
        dialogues=128,
    )
