"""One road for a picture: a conversation becomes the same numbers every time, and only we set marks."""

from __future__ import annotations

import numpy as np
import pytest

from omma.chat import Image, message
from omma.errors import PromptTooLong
from omma.prep.processor import Processor
from omma.prep.rules import PictureRules
from omma.prep.vocabulary import train_tokenizer
from omma.spec import DecoderSpec, ModelSpec, SwiGLU, VisionSpec

TEXTS = [
    "You are a helpful assistant.",
    "What is this? A red circle, a blue square.",
    "user assistant system",
] * 4
TOKENIZER = train_tokenizer(iter(TEXTS), 400)


def spec(context: int = 10_000) -> ModelSpec:
    gates = SwiGLU(8)
    return ModelSpec(
        VisionSpec(depth=1, width=8, heads=1, feed_forward=gates, out_width=8),
        DecoderSpec(1, 8, 1, 1, 8, gates, vocabulary=400, tied=True, context=context),
        TOKENIZER.token_ids,
    )


PROCESSOR = Processor(TOKENIZER, spec(), PictureRules())
PICTURE = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)


def test_a_picture_of_640_by_480_takes_391_places() -> None:
    sample = PROCESSOR.sample([message("user", Image(PICTURE), "What is this?")])
    (visual,) = sample.visuals
    assert visual.stop - visual.start == 391
    assert set(sample.ids_T[visual.start : visual.stop]) == {TOKENIZER.token_ids.image}


def test_only_what_the_assistant_says_is_learned_and_the_mark_that_ends_it() -> None:
    sample = PROCESSOR.sample(
        [message("user", "What is this?"), message("assistant", "A red circle.")], prompt=False
    )
    assert sample.weights_T is not None
    learned = [int(i) for i in sample.ids_T[sample.weights_T > 0]]
    assert TOKENIZER.decode(learned, skip_marks=False) == "A red circle.<|im_end|>"


def test_a_conversation_longer_than_the_context_is_refused() -> None:
    short = Processor(TOKENIZER, spec(context=100), PictureRules())
    with pytest.raises(PromptTooLong, match="takes 391 tokens"):
        short.sample([message("user", Image(PICTURE))])
