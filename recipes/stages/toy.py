"""The 2023 school at toy size: minutes on a processor, from random weights, on drawn pictures.

    for stage in align multitask instruct; do omma train recipes/stages/toy.py:$stage; done

What learns, rates, decays and clipping are those of recipes/stages/qwen_vl.py, the warm-up has the same
share of the steps; the model is a Qwen3-VL at toy widths. It shows the road and makes no good model:
omma-nano's school is recipes/nano/school.py.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from omma.prep.tokenizer import Tokenizer
from omma.presets import tiny
from omma.sample import Size
from omma.spec import ModelSpec
from omma.train.recipe import Course, Lines, Mix, Recipe, Share, Worlds
from omma.train.scaled import scaled

HERE = Path(__file__).parent
PROCESSOR = HERE.parent / "nano" / "processor"
RUNS = Path("runs/toy")
STEPS, DIALOGUES = 60, 12
LOW = (Size(112, 112), Size(140, 84), Size(84, 140))
HIGH = (Size(168, 168), Size(196, 140), Size(224, 112))

# Tasks of the 2023 multi-task stage in millions of samples (facts §8.1), and what a world asks like them.
AMOUNTS = {
    "captions": (19.7, "scenes", ("describe",)),
    "questions": (3.6, "scenes", ("colour", "count", "shape", "exists", "compare", "relation", "place")),
    "grounding": (3.5, "scenes", ("find",)),
    "referring": (8.7, "screens", ("find", "point")),
    "grounded captions": (8.7, "scenes", ("find_all",)),
    "printed text": (24.8, "words", ("read", "read_boxes", "read_line")),
}
TEXT = 7.8


def published(file: str) -> ModuleType:
    """A file of stages that stands beside this one."""
    spec = importlib.util.spec_from_file_location(f"stages_{Path(file).stem}", HERE / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def model() -> ModelSpec:
    """A Qwen3-VL at toy widths with the vocabulary and the patches of omma-nano."""
    toy = tiny("qwen3-vl")
    return replace(
        toy,
        vision=replace(toy.vision, patch=14),
        decoder=replace(toy.decoder, vocabulary=2048),
        ids=Tokenizer.from_file(PROCESSOR / "tokenizer.json").token_ids,
        boxes="grid",
    )


def _toy(recipe: Recipe, name: str, data: Worlds | Mix, start: Path | None) -> Recipe:
    """The published stage for the toy."""
    return scaled(
        recipe,
        model=model(),
        processor=PROCESSOR,
        data=data,
        steps=STEPS,
        dialogues=DIALOGUES,
        start=start,
        name=name,
        precision="float32",
        check_dialogues=24,
    )


def align() -> Recipe:
    """The decoder sleeps; tower and bridge learn from descriptions at low resolution."""
    courses = (
        Course("scenes", 3.0, level=0, sizes=LOW, tasks=("describe",)),
        Course("screens", 1.0, level=0, sizes=LOW, tasks=("describe",)),
    )
    return _toy(published("qwen_vl.py").align(), "toy-align", Worlds(courses), None)


def multitask() -> Recipe:
    """Everything learns, the tasks in the published proportions."""
    courses = tuple(
        Course(world, amount, level=0, sizes=HIGH, tasks=tasks) for amount, world, tasks in AMOUNTS.values()
    )
    drawn = sum(amount for amount, _, _ in AMOUNTS.values())
    data = Mix((Share(Worlds(courses), drawn), Share(Lines(text()), TEXT)))
    return _toy(published("qwen_vl.py").multitask(), "toy-multitask", data, RUNS / "align" / "model")


def instruct() -> Recipe:
    """The tower rests; whole dialogues, of which answers and the marks that end them are learned."""
    courses = tuple(Course(world, 1.0, level=0, sizes=HIGH) for world in ("scenes", "words", "screens"))
    return _toy(
        published("qwen_vl.py").instruct(), "toy-instruct", Worlds(courses), RUNS / "multitask" / "model"
    )


def text() -> Path:
    """A file of dialogues in words alone, written when it is not there: counting and spelling."""
    file = RUNS / "text.jsonl"
    if not file.exists():
        words = ("red", "green", "blue", "circle", "square", "star", "house", "tree", "button", "heading")
        asked = [(f"Spell the word {word}.", " ".join(word)) for word in words]
        asked += [(f"What is {a} plus {b}?", str(a + b)) for a in range(6) for b in range(6)]
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [
            {"messages": [{"role": "user", "content": said}, {"role": "assistant", "content": answer}]}
            for said, answer in asked
        ]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file
