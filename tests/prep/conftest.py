"""A small vocabulary and a processor that all tests of the room share."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from omma.prep.processor import Processor
from omma.prep.rules import PictureRules
from omma.prep.tokenizer import Tokenizer
from omma.prep.vocabulary import train_tokenizer
from omma.spec import DecoderSpec, ModelSpec, SwiGLU, VisionSpec

TEXTS = [
    "You are a helpful assistant.",
    "What is this? A red circle, a blue square.",
    "user assistant system",
    "Überraschung, été, 日本語の文字, 中文",
]


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return train_tokenizer(iter(TEXTS * 4), 420)


@pytest.fixture(scope="session")
def spec(tokenizer: Tokenizer) -> ModelSpec:
    gates = SwiGLU(8)
    return ModelSpec(
        VisionSpec(depth=1, width=8, heads=1, feed_forward=gates, out_width=8),
        DecoderSpec(1, 8, 1, 1, 8, gates, vocabulary=420, tied=True, context=10_000),
        tokenizer.token_ids,
    )


@pytest.fixture(scope="session")
def processor(tokenizer: Tokenizer, spec: ModelSpec) -> Processor:
    return Processor(tokenizer, spec, PictureRules())


@pytest.fixture(scope="session")
def picture() -> NDArray[np.uint8]:
    """640 by 480 pixels of noise."""
    return np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
