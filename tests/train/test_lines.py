"""Dialogues of a file: a bad line is named, some lines are held out, media stand beside the file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from omma.corpus.mix import shelf
from omma.corpus.order import SPLITS
from omma.errors import BadData, BadRecipe
from omma.prep.processor import Processor
from omma.presets import tiny
from omma.train.feed import held_out, make_batches, packs
from omma.train.lesson import shelf_of, told_lesson
from omma.train.loop import train
from omma.train.optimise import Optimiser
from omma.train.recipe import Course, Lines, Mix, Rate, Recipe, Share, Worlds
from tests.corpus.goods import FORMS, write
from tests.train.school import toy_recipe


def first_lesson(recipe: Recipe, line: object) -> None:
    assert isinstance(recipe.data, Lines)
    file = recipe.data.path.with_name("other.jsonl")
    file.write_text(json.dumps(line) + "\n")
    processor = Processor.from_folder(recipe.processor, recipe.model)
    told_lesson(recipe, Lines(file), processor, 0, "train")


@pytest.mark.parametrize(
    "line",
    [
        {"messages": []},
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
    opened = shelf_of(recipe.data)
    train, test = ({opened.pick(i, 0, split) for i in range(opened.count(split))} for split in SPLITS)
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


def lose_a_picture(recipe: Recipe, *numbers: int) -> None:
    assert isinstance(recipe.data, Lines)
    for number in numbers:
        (recipe.data.path.parent / f"{number}.png").unlink()


def lengths(recipe: Recipe, step: int = 0) -> list[list[int]]:
    return [list(np.diff(made.pack.starts)) for made in make_batches(recipe, step)]


def test_records_that_cannot_be_used_are_stood_in_for_and_told_once(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path, steps=16)
    lose_a_picture(recipe, 3, 4, 19)
    told: list[dict[str, object]] = []
    train(recipe, tmp_path / "run", workers=0, tell=lambda line: told.append(dict(line)))
    lines = [json.loads(line) for line in (tmp_path / "run/set-aside.jsonl").read_text().splitlines()]
    assert sorted((line["line"], line["kind"]) for line in lines) == [
        (4, "missing media"), (5, "missing media"), (20, "missing media"),
    ]  # fmt: skip
    assert all("dialogues.jsonl" in line["file"] and ".png" in line["reason"] for line in lines)
    assert told[-1]["set_aside"] == 3


def test_the_same_records_stand_in_whoever_asks(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path)
    lose_a_picture(recipe, *range(0, 24, 2))
    wanted = [[made.pack.ids_T.tolist() for made in make_batches(recipe, step)] for step in range(4)]
    shelf.cache_clear()
    again = [[made.pack.ids_T.tolist() for made in make_batches(recipe, step)] for step in reversed(range(4))]
    assert again[::-1] == wanted


def test_data_that_holds_nothing_to_learn_from_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path)
    lose_a_picture(recipe, *range(24))
    with pytest.raises(BadData, match=r"23 records that were set aside, .*\.jsonl line \d+: .*\.png"):
        make_batches(recipe, 0)


def test_a_dialogue_over_the_recipes_longest_is_set_aside(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path)
    (whole,) = lengths(replace(recipe, micro=1))
    assert len(set(whole)) > 1
    most = max(whole) - 1
    narrow = replace(recipe, longest=most)
    assert all(length <= most for made in lengths(narrow) for length in made)
    assert {told.kind for made in make_batches(narrow, 0) for told in made.aside} == {"too long"}


def test_packs_hold_at_most_their_tokens_and_everything_once() -> None:
    dice = np.random.default_rng(0)
    for ranks in (1, 2, 4):
        for _ in range(50):
            sizes = [int(n) for n in dice.integers(1, 101, 16)]
            made = packs(sizes, 100, ranks)
            assert sorted(number for pack in made for number in pack) == list(range(16))
            assert all(0 < sum(sizes[number] for number in pack) <= 100 for pack in made)
            assert len(made) % ranks == 0
            assert len(made) <= max(1, 11 / 9 * -(-sum(sizes) // 100) + 16)


def test_ranks_share_a_packed_step_in_as_many_passes_each(tmp_path: Path) -> None:
    recipe = replace(toy_recipe(tmp_path), micro=1, tokens=130)
    alone = sorted(length for made in lengths(recipe) for length in made)
    dealt = [make_batches(recipe, 0, rank=rank, ranks=3) for rank in range(3)]
    assert len({len(passes) for passes in dealt}) == 1
    told = [int(n) for passes in dealt for made in passes for n in np.diff(made.pack.starts)]
    assert sorted(told) == alone
    with pytest.raises(BadRecipe, match="do not divide among 4 ranks"):
        make_batches(recipe, 0, ranks=4)


def test_a_step_packed_by_tokens_teaches_the_same(tmp_path: Path) -> None:
    recipe = replace(toy_recipe(tmp_path, steps=3), precision="float32")
    (whole,) = lengths(replace(recipe, micro=1))
    tight = replace(recipe, micro=1, tokens=int(2 * max(whole)))
    assert [sum(made) <= 2 * max(whole) for made in lengths(tight)] == [True] * len(lengths(tight))
    assert sorted(length for made in lengths(tight) for length in made) == sorted(whole)
    losses: list[list[float]] = []
    for number, kind in enumerate((replace(recipe, micro=1), tight)):
        losses.append([])
        train(kind, tmp_path / str(number), workers=0, tell=lambda line: losses[-1].append(line["answers"]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_files_come_by_their_weights_each_in_whole_rounds(tmp_path: Path) -> None:
    recipe = toy_recipe(tmp_path)
    assert isinstance(recipe.data, Lines)
    other = recipe.data.path.with_name("other.jsonl")
    turns = [{"role": "user", "content": "What colour?"}, {"role": "assistant", "content": "blue"}]
    other.write_text((json.dumps({"messages": turns}) + "\n") * 40)
    mixed = replace(
        recipe,
        data=Mix((Share(recipe.data, 1.0), Share(Lines(other, name="other"), 3.0))),
        dialogues=128,
        micro=1,
    )
    mixed.check()
    tasks = [task for step in range(8) for made in make_batches(mixed, step) for (task,) in made.tasks]
    assert tasks.count("other") == pytest.approx(768, abs=2)
    assert len(held_out(mixed)) > 0


def test_drawn_worlds_keep_the_recipe_they_had() -> None:
    """Fields that came later change nothing of a recipe that leaves them alone: its runs go on."""
    spec = tiny("qwen2.5-vl")
    recipe = Recipe("see", spec, Worlds((Course("scenes"),)), 5, Rate(1e-3), Path("processor"))
    assert recipe.fingerprint() != replace(recipe, tokens=100).fingerprint()
    assert recipe.fingerprint() == "ced3e0c5402eae8d"  # as it was when there was one generation
    other = replace(spec, vision=replace(spec.vision, norm="layer"))
    assert replace(recipe, model=other).fingerprint() != recipe.fingerprint()


@pytest.mark.parametrize("form", [form for form in FORMS if "table" not in form])  # rows come by groups
def test_every_form_teaches_the_same_lessons(form: str, tmp_path: Path) -> None:
    plain, other = tmp_path / "plain", tmp_path / "other"
    plain.mkdir()
    other.mkdir()
    recipe = toy_recipe(tmp_path)
    wanted, told = (
        [batch.pack for batch in make_batches(replace(recipe, data=Lines(file)), 1)]
        for file in (write("native lines", plain, 24), write(form, other, 24))
    )
    for one, two in zip(wanted, told, strict=True):
        assert np.array_equal(one.ids_T, two.ids_T)
        assert np.array_equal(one.weights_T, two.weights_T)
        assert one.rows_PC is not None
        assert np.array_equal(one.rows_PC, two.rows_PC)
