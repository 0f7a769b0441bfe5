"""The published stages stand as they were published, and move what they say and nothing else (facts §8)."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from omma.cli.teaching import read_recipe
from omma.errors import BadRecipe
from omma.presets import tiny
from omma.train.begin import begin
from omma.train.feed import make_batches, read_processor
from omma.train.loop import step
from omma.train.rate import part_of, rate_at
from omma.train.recipe import AdamW, Course, Lines, Recipe, Worlds
from omma.train.scaled import scaled

STAGES = Path(__file__).parents[2] / "recipes" / "stages"
FILES = {
    "qwen_vl.py": ("align", "multitask", "instruct", "fine_tune"),
    "qwen2_vl.py": ("see", "everything", "instruct"),
    "qwen25_vl.py": ("see", "everything", "long", "instruct"),
    "qwen3_vl.py": ("align", "everything", "long", "longest", "instruct", "instruct_long", "fine_tune"),
}
ALL, TOWER, REST = {"vision", "bridge", "decoder"}, {"vision", "bridge"}, {"bridge", "decoder"}
# facts §8.1: learns, steps, dialogues, passes, peak, final, warm-up, decay down the tower, tokens, pixels
OF_2023 = {
    "align": (TOWER, 50_000, 30_720, 6, 2e-4, 1e-6, 500, 0.95, 512, 224 * 224),
    "multitask": (ALL, 19_000, 4_096, 8, 5e-5, 1e-5, 400, 0.95, 2_048, 448 * 448),
    "instruct": (REST, 8_000, 128, 8, 1e-5, 1e-6, 3_000, 1.0, 2_048, 448 * 448),
}
# facts §8.1 to 8.4: what learns, and the longest sequence
LEARNS = {
    "qwen_vl.py:fine_tune": (REST, 2_048),
    "qwen2_vl.py:see": (TOWER, 32_768),
    "qwen2_vl.py:everything": (ALL, 32_768),
    "qwen2_vl.py:instruct": ({"decoder"}, 32_768),
    "qwen25_vl.py:see": (TOWER, 8_192),
    "qwen25_vl.py:everything": (ALL, 8_192),
    "qwen25_vl.py:long": (ALL, 32_768),
    "qwen25_vl.py:instruct": ({"decoder"}, 32_768),
    "qwen3_vl.py:align": ({"bridge"}, 8_192),
    "qwen3_vl.py:everything": (ALL, 8_192),
    "qwen3_vl.py:long": (ALL, 32_768),
    "qwen3_vl.py:longest": (ALL, 262_144),
    "qwen3_vl.py:instruct": (ALL, 32_768),
    "qwen3_vl.py:instruct_long": (ALL, 262_144),
    "qwen3_vl.py:fine_tune": (ALL, 4_096),
}
# facts §8.2 to 8.4: tokens seen, in thousand millions
TOKENS = {
    "qwen2_vl.py:see": 600,
    "qwen2_vl.py:everything": 800,
    "qwen25_vl.py:see": 1500,
    "qwen25_vl.py:everything": 2000,
    "qwen25_vl.py:long": 600,
    "qwen3_vl.py:align": 67,
    "qwen3_vl.py:everything": 1000,
    "qwen3_vl.py:long": 1000,
    "qwen3_vl.py:longest": 100,
}


def stage(named: str) -> Recipe:
    return read_recipe(str(STAGES / named))


@pytest.mark.parametrize("name", OF_2023)
def test_the_recipe_of_2023_stands_as_published(name: str) -> None:
    made = stage(f"qwen_vl.py:{name}")
    rate = made.rate
    told = (set(made.learns), made.steps, made.dialogues, made.micro, rate.peak, rate.final, rate.warm_up)
    assert (*told, made.tower_decay, made.longest, made.max_pixels) == OF_2023[name]
    assert (rate.shape, made.clip, made.precision) == ("cosine", 1.0, "bfloat16")
    assert made.optimiser == AdamW(betas=(0.9, 0.98), eps=1e-6, weight_decay=0.05)
    assert rate_at(rate, rate.warm_up - 1, made.steps) == pytest.approx(rate.peak)
    assert rate_at(rate, made.steps, made.steps) == pytest.approx(rate.final)


@pytest.mark.parametrize("name", LEARNS)
def test_every_stage_learns_what_was_published(name: str) -> None:
    made = stage(name)
    assert (set(made.learns), made.longest) == LEARNS[name]
    assert made.model.decoder.context >= (made.longest or 0)
    assert made.roots == (name.startswith("qwen3_vl.py") and not name.endswith("fine_tune"))


@pytest.mark.parametrize("name", LEARNS)
def test_a_school_is_that_of_its_own_generation(name: str) -> None:
    family = {"qwen2_vl.py": "qwen2-vl", "qwen3_vl.py": "qwen3-vl"}.get(name.partition(":")[0], "qwen2.5-vl")
    assert stage(name).model.family == family


@pytest.mark.parametrize("name", TOKENS)
def test_the_steps_come_to_the_tokens_that_were_published(name: str) -> None:
    module = program(STAGES / name.partition(":")[0])
    assert stage(name).steps * module.STEP == pytest.approx(TOKENS[name] * 1e9, rel=1e-3)


def test_every_stage_is_in_a_table() -> None:
    told = {f"{file}:{name}" for file, names in FILES.items() for name in names}
    assert told == {f"qwen_vl.py:{name}" for name in OF_2023} | set(LEARNS)
    assert {path.name for path in STAGES.glob("*.py")} == {*FILES, "toy.py"}


def program(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"test_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def toy(tmp_path: Path) -> ModuleType:
    module: Any = program(STAGES / "toy.py")
    module.RUNS = tmp_path
    return module  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", OF_2023)
def test_a_stage_moves_what_it_says_and_nothing_else(name: str, toy: ModuleType) -> None:
    made: Callable[[], Recipe] = getattr(toy, name)
    recipe = scaled(
        made(), model=toy.model(), processor=toy.PROCESSOR, data=made().data, steps=2, dialogues=6
    )
    run = begin(recipe, "cpu")
    before = {key: parameter.detach().clone() for key, parameter in run.model.named_parameters()}
    for number in range(recipe.steps):
        step(run, recipe, make_batches(recipe, number))
    moved = {
        key for key, parameter in run.model.named_parameters() if not torch.equal(before[key], parameter)
    }
    assert moved == {key for key in before if part_of(key) in OF_2023[name][0]}


def test_dialogues_teach_answers_and_the_marks_that_end_them(toy: ModuleType) -> None:
    recipe = toy.instruct()
    (made,) = make_batches(recipe, 0)
    processor = read_processor(recipe)
    pack, end = made.pack, recipe.model.ids.turn_end
    learned = np.flatnonzero(pack.weights_T)
    turns = np.split(learned, np.flatnonzero(np.diff(learned) > 1) + 1)
    assert len(turns) == sum(map(len, made.tasks))
    before = processor.tokenizer.text("assistant\n")
    for turn in turns:
        assert pack.ids_T[turn[-1]] == end
        assert end not in pack.ids_T[turn[:-1]]
        assert pack.ids_T[turn[0] - len(before) : turn[0]].tolist() == before


@pytest.mark.parametrize("name", OF_2023)
def test_a_toy_stage_keeps_the_published_numbers(name: str, toy: ModuleType) -> None:
    small, published = getattr(toy, name)(), stage(f"qwen_vl.py:{name}")
    for field in ("learns", "optimiser", "tower_decay", "clip", "roots", "scale", "max_pixels"):
        assert getattr(small, field) == getattr(published, field)
    assert (small.rate.peak, small.rate.final) == (published.rate.peak, published.rate.final)
    share = published.rate.warm_up / published.steps
    assert small.rate.warm_up == round(share * small.steps)


def test_a_stage_of_no_steps_is_refused() -> None:
    with pytest.raises(BadRecipe, match="steps is 0"):
        scaled(
            stage("qwen_vl.py:align"),
            model=tiny("qwen2.5-vl"),
            processor=Path("nowhere"),
            data=Worlds((Course("scenes"),)),
            steps=0,
            dialogues=1,
        )


def test_the_published_stages_name_files_that_are_the_readers_to_bring() -> None:
    assert isinstance(stage("qwen_vl.py:align").data, Lines)
