"""Processors of toy models, one for each dialect of boxes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from omma.prep.processor import Processor
from omma.prep.rules import PictureRules
from omma.prep.tokenizer import Tokenizer
from omma.prep.vocabulary import train_tokenizer
from omma.presets import tiny

TEXTS = (
    "You are a helpful assistant.",
    "user",
    "assistant",
    "system",
    "What colour?",
    "0123456789 bbox_2d label",
)


@lru_cache(maxsize=1)
def tokenizer() -> Tokenizer:
    return train_tokenizer(iter(TEXTS * 10), 420)


@lru_cache(maxsize=8)
def processor(boxes: str = "grid", context: int = 2048, max_pixels: int = 112 * 112) -> Processor:
    """A processor that sees pictures of at most `max_pixels`."""
    toy = tiny("qwen2.5-vl")
    decoder = replace(toy.decoder, vocabulary=tokenizer().size, context=context)
    spec = replace(toy, ids=tokenizer().token_ids, decoder=decoder, boxes=boxes)
    return Processor(tokenizer(), spec, PictureRules(min_pixels=56 * 56, max_pixels=max_pixels))
