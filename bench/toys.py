"""Toy folders of every generation, with random weights, and the conversations that are put to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL.Image
import torch

from omma.chat import Image, Message, Video, message
from omma.model.vlm import Vlm
from omma.prep.processor import Processor
from omma.prep.rules import published_rules
from omma.prep.tokenizer import Tokenizer
from omma.prep.vocabulary import train_tokenizer
from omma.presets import GENERATIONS, tiny
from omma.spec import DecoderSpec, Experts, ModelSpec, VisionSpec
from omma.weights import write_folder

JUDGED = [name for name in GENERATIONS if name != "qwen-vl"]  # those that transformers has
WORDS = "What is in this picture? A red circle over a blue square. Describe the video. été 日本語 1234."


class Case(NamedTuple):
    """A conversation put to both."""

    name: str
    said: list[Message]


def write_toy(folder: Path, spec: ModelSpec) -> Path:
    """A folder with random weights, far enough from zero that no two logits lie close."""
    tokenizer = vocabulary()
    spec = replace(
        spec, ids=tokenizer.token_ids, decoder=replace(spec.decoder, vocabulary=tokenizer.size + 7)
    )
    model = Vlm(spec)
    model.initialise(torch.Generator().manual_seed(0))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "places" in name:
                weight.normal_()
            elif weight.ndim > 1 and "embedding" not in name:
                weight.normal_(std=weight.shape[1] ** -0.5)
            elif name.endswith("bias"):
                weight.normal_(std=0.3)
            else:
                weight.mul_(torch.rand_like(weight) + (20 if "embedding" in name else 0.5))
    write_folder(model, spec, folder, dtype=torch.float32)
    rules = published_rules(spec)
    Processor(tokenizer, spec, replace(rules, min_pixels=rules.factor**2, max_pixels=200_000)).save(folder)
    return folder


def vocabulary() -> Tokenizer:
    """A byte-level tokenizer with every public mark."""
    return train_tokenizer(iter([WORDS] * 4), 340)


def picture(width: int, height: int) -> PIL.Image.Image:
    """Noise: no patch like another."""
    pixels = np.random.default_rng(width * 10_000 + height).integers(0, 256, (height, width, 3), np.uint8)
    return PIL.Image.fromarray(pixels)


def cases() -> list[Case]:
    """Every kind of conversation."""
    clip = [picture(120 + i, 90).resize((130, 90)) for i in range(16)]
    one, two = Image(picture(170, 130)), Image(picture(60, 250))
    videos = [
        Case(f"a video at {fps:g} fps", [message("user", Video(clip, fps=fps), "Describe the video.")])
        for fps in (1.0, 2.0, 4.0)
    ]
    return [
        Case("text only", [message("user", "What is a red circle?")]),
        Case(
            "four turns",
            [
                message("system", "Describe."),
                message("user", "A red circle."),
                message("assistant", "A blue square."),
                message("user", "What is 1234? été 日本語"),
            ],
        ),
        Case("one picture", [message("user", one, "What is in this picture?")]),
        Case("two pictures", [message("user", one, "over", two, "What?")]),
        *videos,
        Case("a picture and a video", [message("user", two, Video(clip, fps=1.0), one, "Describe.")]),
    ]


def variants(generation: str) -> Iterator[tuple[str, ModelSpec]]:
    """The toy with other shapes: heads, head widths, tied or not."""
    spec = tiny(generation)
    sections = (24, 20, 20) if spec.decoder.interleaved else (16, 24, 24)

    def decoder(**changes: object) -> ModelSpec:
        changed: DecoderSpec = replace(spec.decoder, **changes)  # type: ignore[arg-type]
        tower: VisionSpec = replace(spec.vision, out_width=changed.width)
        return replace(spec, decoder=changed, vision=tower)

    yield "untied" if spec.decoder.tied else "tied", decoder(tied=not spec.decoder.tied)
    yield "4 heads, 4 key heads", decoder(key_heads=4)
    yield "4 heads, 1 key head", decoder(key_heads=1)
    yield "heads 128 wide", decoder(width=256, heads=2, key_heads=1, head_width=128, sections=sections)
    yield "other eps and theta", decoder(norm_eps=1e-3, rope_theta=10_000.0)
    if isinstance(spec.decoder.feed_forward, Experts):
        yield "one expert of eight", decoder(feed_forward=Experts(24, 8, 1))
        yield "all experts", decoder(feed_forward=Experts(24, 5, 5))
    tower = spec.vision
    if tower.window is not None:
        yield "6 heads, 3 key heads", decoder(width=96, heads=6, key_heads=3)
        yield "windows of 2 cells", replace(spec, vision=replace(tower, window=56, full_layers=(0,)))
    if tower.deepstack:
        yield "one level, 48 places a side", replace(spec, vision=replace(tower, deepstack=(2,), places=48))
        yield "tower heads 72 wide", replace(spec, vision=replace(tower, width=144))
    else:
        feed = replace(tower.feed_forward, width=320)
        yield "tower heads 80 wide", replace(spec, vision=replace(tower, width=160, feed_forward=feed))
