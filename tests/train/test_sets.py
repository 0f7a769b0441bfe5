"""Lessons of several pictures and of clips: marks for all that is seen, turns that follow in one branch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from omma.prep.processor import Processor
from omma.prep.rules import CELL
from omma.sample import Size
from omma.train.lesson import Lesson, batch, drawn_lesson
from omma.train.recipe import Course, Rate, Recipe, Worlds
from tests.train.school import small_spec


def lessons(folder: Path, world: str, apart: bool, tasks: tuple[str, ...] = ()) -> list[Lesson]:
    spec = small_spec("qwen2.5-vl", folder)
    worlds = Worlds((Course(world, level=1, sizes=(Size(84, 84),), tasks=tasks),))
    recipe = Recipe("sets", spec, worlds, 1, Rate(1e-3), folder, marks=1.0, apart=apart)
    processor = Processor.from_folder(folder, spec)
    processor = replace(processor, rules=replace(processor.rules, frame_min_pixels=9 * CELL))
    return [drawn_lesson(recipe, worlds, processor, index, "train") for index in range(4)]


@pytest.mark.parametrize("world", ["compared", "clips"])
@pytest.mark.parametrize("apart", [True, False])
def test_every_visual_token_of_every_picture_has_its_mark(tmp_path: Path, world: str, apart: bool) -> None:
    made = lessons(tmp_path, world, apart)
    for lesson in made:
        assert lesson.marks is not None
        seen = sum(visual.stop - visual.start for visual in lesson.sample.visuals)
        assert len(lesson.marks.kinds_NQ) == len(lesson.marks.places_N6) == seen
        assert lesson.cuts == () or lesson.cuts[0] == lesson.sample.visuals[-1].stop + 1
    joined = batch(made)
    assert joined.marks is not None
    assert len(joined.marks.kinds_NQ) == len(joined.pack.places_N)


def test_the_marks_of_a_clip_change_with_its_frames(tmp_path: Path) -> None:
    changed = 0
    for lesson in lessons(tmp_path, "clips", False):
        (visual,) = lesson.sample.visuals
        assert lesson.marks is not None
        slices = lesson.marks.places_N6.reshape(visual.grid.slices, -1, 6)
        changed += any(not np.array_equal(slices[0], other, equal_nan=True) for other in slices)
    assert changed >= 2


def test_a_turn_that_follows_shares_its_branch_and_is_not_chosen_without_the_one_before(
    tmp_path: Path,
) -> None:
    follows = ("and_picture", "and_thing", "and_count")
    for lesson in lessons(tmp_path, "compared", True, follows):
        assert len(lesson.tasks) == 2 * (len(lesson.cuts) - 1)
        assert set(lesson.tasks[::2]) <= {"colour_in", "count_in"}
        assert set(lesson.tasks[1::2]) <= set(follows)
