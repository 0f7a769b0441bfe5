"""A school at toy size: a tiny model, its processor, and a file of dialogues about coloured squares."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path

from PIL import Image

from omma.prep.processor import Processor
from omma.prep.rules import published_rules
from omma.prep.tokenizer import Tokenizer
from omma.prep.vocabulary import train_tokenizer
from omma.presets import tiny
from omma.spec import ModelSpec
from omma.train.recipe import Lines, Rate, Recipe

COLOURS = {"red": (220, 30, 30), "green": (30, 180, 30), "blue": (30, 30, 220)}


@functools.cache
def small_tokenizer() -> Tokenizer:
    """Four hundred pieces, enough for the dialogues here."""
    texts = ["What colour is the square?", *COLOURS, "You are a helpful assistant.", "user system assistant"]
    return train_tokenizer(iter(texts * 10), 400)


def small_spec(generation: str, processor: Path) -> ModelSpec:
    """The generation's toy with a vocabulary of its own; makes the processor's folder."""
    tokenizer = small_tokenizer()
    toy = tiny(generation)
    spec = replace(
        toy, ids=tokenizer.token_ids, decoder=replace(toy.decoder, vocabulary=tokenizer.size), boxes="grid"
    )
    rules = replace(published_rules(spec), min_pixels=56 * 56, max_pixels=112 * 112)
    Processor(tokenizer, spec, rules).save(processor)
    return spec


def write_dialogues(folder: Path, count: int = 24, *, shown: int = 1) -> Path:
    """A JSON Lines file of one-turn dialogues, and its pictures; one dialogue in `shown` has one."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for i in range(count):
        name = list(COLOURS)[i % 3]
        picture = Image.new("RGB", (56 + 28 * (i % 2), 56), COLOURS[name])
        picture.putpixel((0, 0), (i, i, i))  # no picture is another's copy
        picture.save(folder / f"{i}.png")
        asked = [
            {"type": "image_url", "image_url": {"url": f"{i}.png"}},
            {"type": "text", "text": "What colour?"},
        ][i % shown > 0 :]
        turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": name}]
        lines.append(json.dumps({"messages": turns}))
    file = folder / "dialogues.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


def toy_recipe(folder: Path, generation: str = "qwen2.5-vl", steps: int = 12, *, shown: int = 1) -> Recipe:
    """A recipe over the dialogues that runs in seconds; one in `shown` has a picture."""
    spec = small_spec(generation, folder / "processor")
    return Recipe(
        name="toy",
        model=spec,
        data=Lines(write_dialogues(folder / "data", shown=shown)),
        steps=steps,
        rate=Rate(peak=3e-3, warm_up=3),
        processor=folder / "processor",
        dialogues=6,
        micro=2,
        save_every=3,
        check_every=1000,
    )
