"""A recipe that cannot be is refused before anything is drawn or loaded."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from omma.cli.teaching import read_recipe
from omma.errors import BadData, BadFolder, BadRecipe, MissingFile
from omma.loading import resolve
from omma.presets import tiny
from omma.sample import Size
from omma.train.begin import begin
from omma.train.feed import held_out, make_batches, read_processor
from omma.train.rate import factor_of
from omma.train.recipe import SEEDS, AdamW, Course, Lines, Mix, Muon, Rate, Recipe, Share, Worlds
from omma.weights import read_spec
from tests.train.school import toy_recipe

SCENES = Worlds((Course("scenes", sizes=(Size(56, 56),)),))
TOY = tiny("qwen2.5-vl")
SOUND = Recipe("sound", TOY, SCENES, steps=1, rate=Rate(1e-3), processor=Path("nowhere"))
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
    "size -1 x 0": {"data": Worlds((Course("scenes", sizes=(Size(-1, 0),)),))},
    "average is 1.0; wanted one from 0 to below 1": {"average": 1.0},
    "without a slash": {"name": "a/b"},
    "name is ''; wanted one": {"name": ""},
    "momentum": {"optimiser": Muon(momentum=1.0)},
    "nothing reads while marks is 0": {"head": Path("nofile")},
    "seed is -1": {"seed": -1},
    "seed is 1000000000001; wanted a whole number from 0": {"seed": SEEDS + 1},
    # Of another type than the annotation's: told before anything else looks at it.
    r"recipe\.rate is 0\.001; wanted Rate": {"rate": 1e-3},
    r"recipe\.rate\.peak is '1e-3'; wanted a number": {"rate": Rate("1e-3")},  # type: ignore[arg-type]
    r"recipe\.rate\.final is 1000": {"rate": Rate(1e-3, final=10**400)},
    r"recipe\.steps is True; wanted a whole number": {"steps": True},
    r"recipe\.longest is '3'; wanted a whole number or None": {"longest": "3"},
    r"recipe\.roots is 'no'; wanted True or False": {"roots": "no"},
    r"recipe\.name is None; wanted a text": {"name": None},
    r"recipe\.processor is 'foo'; wanted a Path: write Path\('foo'\)": {"processor": "foo"},
    r"recipe\.scale is 2\.0; wanted a dict of texts to numbers": {"scale": 2.0},
    r"recipe\.scale\['vision\.'\] is '2'; wanted a number": {"scale": {"vision.": "2"}},
    r"a name in recipe\.scale is 1; wanted a text": {"scale": {1: 2.0}},
    r"recipe\.learns is 'decoder'; wanted a tuple of texts": {"learns": "decoder"},
    r"recipe\.learns is \['decoder'\]; .* in the place of \[": {"learns": ["decoder"]},
    r"recipe\.optimiser is None; wanted AdamW\(…\) or Muon": {"optimiser": None},
    r"recipe\.optimiser\.betas is \(0\.9,\); wanted a tuple of 2 numbers": {
        "optimiser": AdamW((0.9,))  # type: ignore[arg-type]
    },
    r"recipe\.optimiser\.others\.betas\[1\] is '1'": {
        "optimiser": Muon(others=AdamW((0.9, "1")))  # type: ignore[arg-type]
    },
    r"recipe\.model is 'omma-nano'; wanted ModelSpec": {"model": "omma-nano"},
    r"recipe\.model\.vision\.depth is 1\.5": {
        "model": replace(TOY, vision=replace(TOY.vision, depth=1.5))  # type: ignore[arg-type]
    },
    r"recipe\.model\.vision\.norm is 'none'; wanted 'rms' or 'layer'": {
        "model": replace(TOY, vision=replace(TOY.vision, norm="none"))  # type: ignore[arg-type]
    },
    r"recipe\.data is None; wanted Worlds\(…\), Lines\(…\) or Mix": {"data": None},
    r"recipe\.data\.courses is Course": {"data": Worlds(Course("scenes"))},  # type: ignore[arg-type]
    r"recipe\.data\.courses\[0\]\.tasks is 'find'": {
        "data": Worlds((Course("scenes", tasks="find"),))  # type: ignore[arg-type]
    },
    r"courses\[0\]\.sizes\[0\] is \(56, 56\); wanted Size": {
        "data": Worlds((Course("scenes", sizes=((56, 56),)),))  # type: ignore[arg-type]
    },
    r"fonts\[0\] is 'folder'; wanted a Path": {
        "data": Worlds((Course("scenes"),), fonts=("folder",))  # type: ignore[arg-type]
    },
    r"shares\[0\] is Lines": {"data": Mix((Lines(Path("a.jsonl")),))},  # type: ignore[arg-type]
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


@pytest.mark.parametrize("limit", ["longest", "tokens"])
def test_a_drawn_dialogue_with_more_tokens_than_the_limit_is_refused(limit: str, tmp_path: Path) -> None:
    drawn = replace(toy_recipe(tmp_path), data=SCENES, micro=1, **{limit: 5})
    with pytest.raises(
        BadData, match=f"dialogue 0 has .* more than the recipe's {limit} of 5; .* raise {limit}"
    ):
        make_batches(drawn, 0)


def test_folders_that_are_not_there_are_named(tmp_path: Path) -> None:
    recipe, nowhere = toy_recipe(tmp_path), tmp_path / "nowhere"
    with pytest.raises(BadFolder, match="nowhere: there is no such folder"):
        read_processor(replace(recipe, processor=nowhere))
    with pytest.raises(MissingFile, match="nowhere: there is no such folder of fonts"):
        begin(replace(recipe, data=Worlds(SCENES.courses, fonts=(nowhere,))), "cpu")


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
