"""Makes omma-nano's vocabulary: pieces for the words of questions and answers, letters for printed text.

    python recipes/nano/vocabulary.py

What is printed in a picture can be any string and is read letter by letter; pieces learned from it would only
hide the letters. So printed text is left out of what the merges are learned from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from school import PROCESSOR, VOCABULARY

from omma.prep.rules import CELL, QWEN3, write_rules
from omma.prep.template import DEFAULT_SYSTEM
from omma.prep.vocabulary import train_tokenizer
from omma.synth.exercise import WORLDS, draw

PER_WORLD = 400
LIMITS = replace(
    QWEN3,
    patch=14,
    min_pixels=16 * CELL,
    max_pixels=256 * CELL,
    volume=(16 * CELL, 2048 * CELL),
    max_frames=64,
)


def texts() -> Iterator[str]:
    """Questions and answers with everything printed cut out, and the words of the form."""
    yield from (DEFAULT_SYSTEM, "system\n", "user\n", "assistant\n") * 1000
    for world in WORLDS:
        for index in range(PER_WORLD):
            exercise = draw(world, (99, index), split="train", level=index % 4, size=None, maps=False)
            printed = sorted(
                {thing.text for thing in exercise.drawing.things if thing.text}, key=len, reverse=True
            )
            for turn in exercise.turns:
                for text in (turn.question, turn.answer):
                    for words in printed:
                        text = text.replace(words, "")
                    yield re.sub(r'"[^"]*"', '""', text) if "bbox" not in text else text


if __name__ == "__main__":
    PROCESSOR.mkdir(exist_ok=True)
    tokenizer = train_tokenizer(texts(), VOCABULARY)
    (PROCESSOR / "tokenizer.json").write_text(tokenizer.source)
    write_rules(LIMITS, PROCESSOR, "Qwen3VLProcessor")
    print(f"{tokenizer.size} tokens in {PROCESSOR}")
