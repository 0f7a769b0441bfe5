"""Dialogues of a file: a bad line is named, some lines are held out, media stand beside the file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from omma.errors import BadData, BadRecipe
from omma.prep.processor import Processor
from omma.train.feed import held_out, make_batches
from omma.train.lesson import line_starts, told_lesson
from omma.train.optimise import Optimiser
from omma.train.recipe import Lines, Recipe
from tests.train.school import toy_recipe


def first_lesson(recipe: Recipe, line: object) -> None:
    assert isinstance(recipe.data, Lines)
    file = recipe.data.path.with_name("other.jsonl")
    file.write_text(json.dumps(line) + "\n")
    processor = Processor.from_folder(recipe.processor, recipe.model)
    told_lesson(recipe, file, processor, 0, "train")


@pytest.mark.parametrize(
    "line",
    [
        [],
        {"messages": ["hello"]},
        {"messages": [{"role": "user", "content": ["hello"]}]},
        {"messages": [{"role": "user", "content": "a question and no answer"}]},
    ],
    ids=str,
)
def test_a_line_that_teaches_nothing_is_named(line: object, tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"other\.jsonl line 1"):
        first_lesson(toy_recipe(tmp_path), line)


def test_a_picture_named_plainly_stands_beside_the_file_too(tmp_path: Path) -> None:
    asked = [{"type": "image_url", "image_url": "0.png"}, {"type": "text", "text": "What colour?"}]
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": "red"}]
    first_lesson(toy_recipe(tmp_path), {"messages": turns})


def test_held_out_lines_are_never_trained_on(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path)
    assert isinstance(recipe.data, Lines)
    train, test = (set(line_starts(recipe.data.path, split)) for split in ("train", "test"))
    assert len(test) == 1
    assert not train & test
    assert len(train | test) == 24
    assert len(held_out(recipe)) == 1


def test_a_file_too_short_to_hold_lines_out_has_no_check(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path)
    assert isinstance(recipe.data, Lines)
    short = recipe.data.path.with_name("short.jsonl")
    short.write_text("".join(recipe.data.path.read_text().splitlines(keepends=True)[:6]))
    short_recipe = replace(recipe, data=Lines(short))
    assert held_out(short_recipe) == []
    assert len(make_batches(short_recipe, 0)) == recipe.micro


def test_a_gradient_that_is_not_finite_moves_nothing(tmp_path: Path) -> None:
    weight = torch.nn.Parameter(torch.ones(3, 3))
    optimiser = Optimiser([("decoder.norm.weight", weight)], toy_recipe(tmp_path))
    weight.grad = torch.full((3, 3), torch.nan)
    optimiser.gather()
    with pytest.raises(BadRecipe, match="norm is nan"):
        optimiser.step(1.0)
    assert torch.equal(weight, torch.ones(3, 3))
