"""A recipe that cannot be is refused before anything is drawn or loaded."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from omma.cli.teaching import read_recipe
from omma.errors import BadData, BadRecipe
from omma.loading import resolve
from omma.presets import tiny
from omma.sample import Size
from omma.train.begin import begin
from omma.train.feed import held_out, make_batches, read_processor
from omma.train.rate import factor_of
from omma.train.recipe import AdamW, Course, Lines, Mix, Muon, Rate, Recipe, Share, Worlds
from omma.weights import read_spec
from tests.train.school import toy_recipe

SCENES = Worlds((Course("scenes", sizes=(Size(56, 56),)),))
SOUND = Recipe("sound", tiny("qwen2.5-vl"), SCENES, steps=1, rate=Rate(1e-3), processor=Path("nowhere"))
WRONG: dict[str, dict[str, Any]] = {
    "learns": {"learns": ("vision", "eyes")},
    "steps": {"steps": 0},
    "micro": {"micro": 1.5},
    "do not divide": {"dialogues": 4, "micro": 3},
    "check_dialogues": {"check_dialogues": -1},
    "longest": {"longest": 0},
    "max_pixels": {"min_pixels": 9000, "max_pixels": 8000},
    "scale": {"scale": {"tower.": 0.1}},
    "scale\\['vision.'\\]": {"scale": {"vision.": math.nan}},
    "tower_decay": {"tower_decay": 1.1},
    "rate.shape": {"rate": Rate(1e-3, shape="linear")},
    "rate.peak": {"rate": Rate(0.0)},
    "rate.fall": {"rate": Rate(1e-3, shape="trapezoid", fall=0.0)},
    "rate.final": {"rate": Rate(1e-3, final=2e-3)},
    "clip": {"clip": 0.0},
    "average is": {"average": 1.0},
    "none is kept": {"gives": "average"},
    "gives": {"gives": "best"},
    "second beta": {"optimiser": AdamW((0.9, 1.0))},
    "eps": {"optimiser": Muon(others=AdamW(eps=-1.0))},
    "precision": {"precision": "float16"},
    "both 0": {"words": 0.0},
    "roots and alike": {"roots": True, "alike": True},
    "marks need": {"marks": 1.0, "data": Lines(Path("a.jsonl"))},
    "no course": {"data": Worlds(())},
    "no share": {"data": Mix(())},
    "no world is called 'moon'": {"data": Worlds((Course("moon"),))},
    "level 4": {"data": Worlds((Course("scenes", level=4),))},
    "scenes weighs 0": {"data": Worlds((Course("scenes", 0.0),))},
    "a share weighs nan": {"data": Mix((Share(SCENES, math.nan),))},
}


@pytest.mark.parametrize("said", WRONG)
def test_what_cannot_be_is_refused_by_its_name(said: str) -> None:
    SOUND.check()
    with pytest.raises(BadRecipe, match=said):
        replace(SOUND, **WRONG[said]).check()


@pytest.mark.parametrize("stage", ["see", "learn", "drill", "grow", "further", "answer", "again"])
def test_the_school_is_sound_and_makes_the_bundled_model(stage: str) -> None:
    recipe = read_recipe(f"recipes/nano/school.py:{stage}")
    recipe.check()
    assert recipe.name == f"nano-second-{stage}"
    assert recipe.model == read_spec(resolve("omma-nano"))


def test_a_start_of_names_that_no_parameter_has_is_refused(tmp_path: Path) -> None:
    recipe = replace(toy_recipe(tmp_path), scale={"vision.blocks.": 0.1})
    with pytest.raises(BadRecipe, match=r"no parameter's name begins with 'vision\.blocks\.'"):
        begin(recipe, "cpu")


def test_a_dialogue_longer_than_the_longest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="hardly anything to learn"):
        make_batches(replace(toy_recipe(tmp_path), longest=5), 0)


def test_a_stage_narrows_the_pictures_while_it_lasts(tmp_path: Path) -> None:
    recipe = replace(toy_recipe(tmp_path), max_pixels=56 * 56)
    assert read_processor(recipe).rules.max_pixels == 56 * 56
    grids = [grid for batch in make_batches(recipe, 0) for grid in batch.pack.grids]
    assert max(grid.patches for grid in grids) <= 16


def test_the_rate_of_a_layer_falls_towards_the_patches() -> None:
    depth = SOUND.model.vision.depth
    recipe = replace(SOUND, tower_decay=0.95, scale={"vision.layers.1.": 0.5, "decoder.": 2.0})
    factors = {
        "decoder.norm.weight": 2.0,
        "vision.merger.outer.weight": 1.0,
        f"vision.layers.{depth - 1}.feed.up.weight": 0.95,
        "vision.layers.0.feed.up.weight": 0.95**depth,
        "vision.layers.1.feed.up.weight": 0.5 * 0.95 ** (depth - 1),
        "vision.patches.weight": 0.95 ** (depth + 1),
    }
    assert {name: factor_of(name, recipe) for name in factors} == pytest.approx(factors)


def test_a_mix_takes_each_source_as_often_as_it_weighs(tmp_path: Path) -> None:
    told = toy_recipe(tmp_path)
    assert isinstance(told.data, Lines)
    shares = (Share(SCENES, 1.0), Share(told.data, 3.0))
    mixed = replace(told, data=Mix(shares), dialogues=60, micro=60)
    tasks = [batch.tasks[0] for batch in make_batches(mixed, 0)]
    assert 35 < sum(asked == ("answer",) for asked in tasks) < 55
    assert all(asked == ("answer",) or "answer" not in asked for asked in tasks)


def test_a_mix_checks_with_what_holds_something_out(tmp_path: Path) -> None:
    told = toy_recipe(tmp_path)
    assert isinstance(told.data, Lines)
    short = told.data.path.with_name("short.jsonl")
    short.write_text("".join(told.data.path.read_text().splitlines(keepends=True)[:6]))
    mixed = replace(told, data=Mix((Share(SCENES), Share(Lines(short), 9.0))), check_dialogues=4)
    tasks = [task for batch in held_out(mixed) for lesson in batch.tasks for task in lesson]
    assert tasks
    assert "answer" not in tasks


def test_a_course_asks_only_what_it_names(tmp_path: Path) -> None:
    asked = replace(
        toy_recipe(tmp_path),
        data=Worlds((Course("scenes", level=1, sizes=(Size(84, 84),), tasks=("count", "colour")),)),
    )
    tasks = {task for batch in make_batches(asked, 0) for lesson in batch.tasks for task in lesson}
    assert tasks == {"count", "colour"}
    unasked = replace(asked, data=Worlds((Course("scenes", tasks=("sing",)),)))
    with pytest.raises(BadRecipe, match="asked nothing of sing"):
        make_batches(unasked, 0)
