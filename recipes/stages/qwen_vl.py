"""The 2023 school (Qwen-VL): align, multi-task, instruct; then the fine-tuning that its authors published.

    omma train recipes/stages/qwen_vl.py:align --out runs/align

Published and kept: what learns, resolution, sequence length, optimiser, rates, schedule, warm-up, steps,
batch, decay down the tower, weight decay, clipping, precision (facts §8.1). Passes a step are as remembered
of the authors' cluster. Ours: the model, a Qwen2.5-VL of like size, whose tower takes any resolution, so that
224 and 448 are limits on a picture's area; Qwen-VL's own sees 448 × 448 and nothing else. Where the data
stand is yours to say: LINES.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from omma.presets import preset
from omma.train.recipe import AdamW, Lines, Rate, Recipe

MODEL = Path("models/qwen2.5-vl-7b")  # its folder: weights to begin from, tokenizer, picture rules
RUNS = Path("runs/qwen-vl-2023")
LINES = Path("data")  # captions.jsonl, tasks.jsonl, dialogues.jsonl
ADAMW = AdamW(betas=(0.9, 0.98), eps=1e-6, weight_decay=0.05)
FINE_TUNED = 16_000  # dialogues of your own in LINES/own.jsonl


def align() -> Recipe:
    """The decoder sleeps; tower and bridge learn from captions at low resolution."""
    return Recipe(
        name="qwen-vl-2023-align",
        model=preset("qwen2.5-vl-7b"),
        start=MODEL,
        processor=MODEL,
        data=Lines(LINES / "captions.jsonl"),
        learns=("vision", "bridge"),
        steps=50_000,
        dialogues=30_720,
        micro=6,
        longest=512,
        max_pixels=224 * 224,
        rate=Rate(peak=2e-4, final=1e-6, warm_up=500, shape="cosine"),
        optimiser=ADAMW,
        tower_decay=0.95,
        clip=1.0,
        precision="bfloat16",
    )


def multitask() -> Recipe:
    """Everything learns, at higher resolution: captions, questions, boxes both ways, print, plain text."""
    return replace(
        align(),
        name="qwen-vl-2023-multitask",
        start=RUNS / "align" / "model",
        data=Lines(LINES / "tasks.jsonl"),
        learns=("vision", "bridge", "decoder"),
        steps=19_000,
        dialogues=4_096,
        micro=8,
        longest=2_048,
        max_pixels=448 * 448,
        rate=Rate(peak=5e-5, final=1e-5, warm_up=400, shape="cosine"),
    )


def instruct() -> Recipe:
    """The tower rests; dialogues, of which answers and the marks that end them are learned."""
    return replace(
        multitask(),
        name="qwen-vl-2023-instruct",
        start=RUNS / "multitask" / "model",
        data=Lines(LINES / "dialogues.jsonl"),
        learns=("bridge", "decoder"),
        steps=8_000,
        dialogues=128,
        micro=8,
        rate=Rate(peak=1e-5, final=1e-6, warm_up=3_000, shape="cosine"),
        tower_decay=1.0,  # published as 0: there is nothing to decay, the tower rests
    )


def fine_tune() -> Recipe:
    """The authors' script for one's own dialogues: all but the tower, five times through."""
    steps = 5 * FINE_TUNED // 16
    return replace(
        instruct(),
        name="qwen-vl-2023-fine-tune",
        start=MODEL,
        data=Lines(LINES / "own.jsonl"),
        steps=steps,
        dialogues=16,
        micro=16,
        rate=Rate(peak=1e-5, final=0.0, warm_up=steps // 100, shape="cosine"),
        optimiser=AdamW(betas=(0.9, 0.95), weight_decay=0.1),
    )
