"""The school of late 2025 (Qwen3-VL): align, everything, long, longest, instruct twice; then fine-tuning.

Published and kept: what learns, how many tokens, sequence lengths, and that a dialogue weighs the square
root of its length in all of it (facts §8.4). Not published, so ours: rates, batch, weight decay, and with
them the number of steps; what learns in the instruct stages is not said either: everything here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from omma.presets import preset
from omma.train.recipe import AdamW, Lines, Rate, Recipe

MODEL = Path("models/qwen3-vl-8b")
RUNS = Path("runs/qwen3-vl")
LINES = Path("data")
SHORT, LONG, LONGEST = 8_192, 32_768, 262_144
STEP = 1_024 * SHORT  # tokens of a step; ours
FINE_TUNED = 16_000  # dialogues of your own in LINES/own.jsonl


def align() -> Recipe:
    """The merger alone learns; 67 B tokens."""
    return Recipe(
        name="qwen3-vl-align",
        model=preset("qwen3-vl-8b"),
        start=MODEL,
        processor=MODEL,
        data=Lines(LINES / "pairs.jsonl"),
        learns=("bridge",),
        steps=67_000_000_000 // STEP,
        dialogues=STEP // SHORT,
        micro=8,
        longest=SHORT,
        rate=Rate(peak=1e-3, final=1e-5, warm_up=500, shape="cosine"),
        optimiser=AdamW(betas=(0.9, 0.95), weight_decay=0.1),
        roots=True,
        precision="bfloat16",
    )


def everything() -> Recipe:
    """All parts learn; 1 T tokens."""
    return replace(
        align(),
        name="qwen3-vl-everything",
        start=RUNS / "align" / "model",
        data=Lines(LINES / "mixed.jsonl"),
        learns=("vision", "bridge", "decoder"),
        steps=1_000_000_000_000 // STEP,
        rate=Rate(peak=5e-5, final=1e-5, warm_up=400, shape="cosine"),
    )


def long() -> Recipe:
    """The same at four times the length; another 1 T tokens."""
    return replace(
        everything(),
        name="qwen3-vl-long",
        start=RUNS / "everything" / "model",
        data=Lines(LINES / "long.jsonl"),
        dialogues=STEP // LONG,
        longest=LONG,
        rate=Rate(peak=1e-5, final=1e-6, warm_up=400, shape="cosine"),
        recompute=True,
    )


def longest() -> Recipe:
    """At eight times that: whole books, hours of video; 100 B tokens."""
    made = long()
    return replace(
        made,
        name="qwen3-vl-longest",
        model=replace(made.model, decoder=replace(made.model.decoder, context=LONGEST)),
        start=RUNS / "long" / "model",
        data=Lines(LINES / "longest.jsonl"),
        steps=100_000_000_000 // STEP,
        dialogues=STEP // LONGEST,
        longest=LONGEST,
    )


def instruct() -> Recipe:
    """1.2 million dialogues, a third of them in words only, once through at 32 thousand tokens."""
    return replace(
        longest(),
        name="qwen3-vl-instruct",
        start=RUNS / "longest" / "model",
        data=Lines(LINES / "dialogues.jsonl"),
        steps=1_200_000 // 128,
        dialogues=128,
        longest=LONG,
    )


def instruct_long() -> Recipe:
    """The same dialogues once more, with long ones among them: up to 256 thousand tokens."""
    return replace(
        instruct(),
        name="qwen3-vl-instruct-long",
        start=RUNS / "instruct" / "model",
        longest=LONGEST,
    )


def fine_tune() -> Recipe:
    """The authors' script for one's own dialogues: 1e-6 for decoder and tower, 1e-5 for the bridge."""
    steps = FINE_TUNED // 16
    return Recipe(
        name="qwen3-vl-fine-tune",
        model=preset("qwen3-vl-8b"),
        start=MODEL,
        processor=MODEL,
        data=Lines(LINES / "own.jsonl"),
        steps=steps,
        dialogues=16,
        micro=4,
        longest=4_096,
        min_pixels=16 * 28 * 28,
        max_pixels=576 * 28 * 28,
        rate=Rate(peak=1e-6, final=0.0, warm_up=round(0.03 * steps), shape="cosine"),
        scale={"vision.merger.": 10.0, "vision.deep.": 10.0},
        optimiser=AdamW(betas=(0.9, 0.999), weight_decay=0.01),
        precision="bfloat16",
    )
