"""What one dialogue teaches: its sample, the tasks of its turns, and what stands where in its picture.

Lesson i of a source is a pure function of (source, seed, i): a resumed run sees what an unbroken one would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from omma.corpus.aside import Aside
from omma.corpus.aside import aside as set_aside
from omma.corpus.dialogue import sample_of
from omma.corpus.mix import Mix, Part, Shelf, shelf
from omma.corpus.record import Place
from omma.errors import BadData, BadInput, BadRecipe, PromptTooLong
from omma.prep.processor import Processor
from omma.prep.rules import PictureRules
from omma.sample import Pack, Sample, Size, Visual, pack
from omma.synth.dialogue import apart, dialogue, looked_at
from omma.synth.exercise import draw
from omma.synth.world import Drawing, Exercise, Split
from omma.train.branches import graft
from omma.train.recipe import Course, Lines, Recipe, Worlds

POINTS = 4  # looked at along each side of a visual token's square
IGNORE = 255  # a point that teaches nothing
TRIES = 50  # drawings until one asks what a course wants asked
TRIED = 1000  # records of a file until one can be learned from


class Marks(NamedTuple):
    """What stands at each visual token, for N tokens and Q = POINTS² points in each.

    `kinds_NQ` and `colours_NQ` index the worlds' tables (255: nothing to learn). `places_N6` are the
    token's own centre (x, y) and the box (x1, y1, x2, y2) of the thing there, as shares of the sides;
    nan without one.
    """

    kinds_NQ: NDArray[np.uint8]
    colours_NQ: NDArray[np.uint8]
    places_N6: NDArray[np.float32]


@dataclass(frozen=True)
class Lesson:
    """One dialogue, ready to be learned from.

    `tasks` name its answers in order. `cuts` are the borders of its branches (`train/branches.py`); none: its
    turns follow one another. `aside` are records it stands in for, since they cannot be used.
    """

    sample: Sample
    tasks: tuple[str, ...]
    marks: Marks | None = None
    cuts: tuple[int, ...] = ()
    aside: tuple[Aside, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Lessons end to end: what one pass of the model reads."""

    pack: Pack
    marks: Marks | None
    tasks: tuple[tuple[str, ...], ...]
    cuts: tuple[tuple[int, ...], ...] = ()
    aside: tuple[Aside, ...] = ()


def marks_of(drawing: Drawing, visual: Visual, merge: int) -> Marks:
    """Read the drawing's maps at the points of the visual tokens' squares."""
    rows, columns = visual.grid.rows // merge, visual.grid.columns // merge
    height, width = drawing.kind_map.shape
    ys = ((np.arange(rows * POINTS) + 0.5) / (rows * POINTS) * height).astype(np.int64)
    xs = ((np.arange(columns * POINTS) + 0.5) / (columns * POINTS) * width).astype(np.int64)

    def squares(seen: NDArray[np.generic]) -> NDArray[np.generic]:
        grid = seen[ys][:, xs].reshape(rows, POINTS, columns, POINTS)
        cells: NDArray[np.generic] = grid.transpose(0, 2, 1, 3).reshape(rows * columns, POINTS * POINTS)
        return cells

    things_NQ = squares(drawing.thing_map).astype(np.int64)
    middle_N = things_NQ[:, POINTS * (POINTS // 2) + POINTS // 2]
    thing_N = np.where(middle_N >= 0, middle_N, things_NQ.max(axis=1))
    sides = np.array([width, height, width, height], np.float32)
    boxes = np.array([thing.box for thing in drawing.things], np.float32).reshape(-1, 4) / sides
    places_N6 = np.full((rows * columns, 6), np.nan, np.float32)
    places_N6[:, 0] = np.tile((np.arange(columns) + 0.5) / columns, rows)
    places_N6[:, 1] = np.repeat((np.arange(rows) + 0.5) / rows, columns)
    inside_N = thing_N >= 0
    places_N6[inside_N, 2:] = boxes[thing_N[inside_N]]
    kinds, colours = squares(drawing.kind_map), squares(drawing.colour_map)
    return Marks(kinds.astype(np.uint8), colours.astype(np.uint8), places_N6)


def all_marks(exercise: Exercise, sample: Sample, rules: PictureRules) -> Marks:
    """Marks of all that the tower sees, in its order: picture by picture, of a clip slice by slice."""
    drawings = looked_at(exercise, rules.temporal)
    visuals = sample.visuals if exercise.fps is None else sample.visuals * len(drawings)
    pairs = zip(drawings, visuals, strict=True)
    found = [marks_of(drawing, visual, rules.merge) for drawing, visual in pairs]
    return Marks(*(np.concatenate(part) for part in zip(*found, strict=True)))


def drawn_lesson(recipe: Recipe, worlds: Worlds, processor: Processor, index: int, split: Split) -> Lesson:
    """Lesson `index` of drawn worlds: a course is chosen by weight, its world draws and asks."""
    course, size = course_of(recipe, worlds, index, split)
    exercise = _exercise(recipe, worlds, course, size, index, split)
    cuts: tuple[int, ...] = ()
    if recipe.apart:
        first, *others = (processor.sample(spoken, prompt=False) for spoken in apart(exercise))
        sample, cuts = graft(first, others)
    else:
        sample = processor.sample(dialogue(exercise), prompt=False)
    seen = all_marks(exercise, sample, processor.rules) if recipe.marks else None
    return Lesson(weighed(sample, recipe, cuts), tuple(turn.task for turn in exercise.turns), seen, cuts)


def course_of(recipe: Recipe, worlds: Worlds, index: int, split: Split) -> tuple[Course, Size | None]:
    """The course of lesson `index`, and the size of its picture where the course names sizes."""
    weights = np.array([course.weight for course in worlds.courses], np.float64)
    dice = np.random.default_rng((recipe.seed, index, 0 if split == "train" else 1))
    course = worlds.courses[int(dice.choice(len(weights), p=weights / weights.sum()))]
    return course, course.sizes[int(dice.integers(len(course.sizes)))] if course.sizes else None


def _exercise(
    recipe: Recipe, worlds: Worlds, course: Course, size: Size | None, index: int, split: Split
) -> Exercise:
    """A drawing with questions of the course's tasks, drawn anew while its world asks none of them."""
    for again in range(TRIES):
        exercise = draw(
            course.world,
            (recipe.seed, index, *((again,) if again else ())),
            split=split,
            level=course.level,
            size=size,
            maps=recipe.marks > 0,
            fonts=worlds.fonts or None,
            tasks=course.tasks,
            questions=course.questions,
        )
        if exercise.turns:
            return exercise
    raise BadRecipe(
        f"the course {course.world} at level {course.level} asked nothing of {', '.join(course.tasks)} in "
        f"{TRIES} drawings; name other tasks"
    )


def weighed(sample: Sample, recipe: Recipe, cuts: Sequence[int] = ()) -> Sample:
    """The sample with weights as the recipe has them: by tokens, by their square root, or all alike.

    A dialogue of n learned tokens weighs n, √n or 1 altogether (facts §8.4); each branch counts by itself.
    """
    if sample.weights_T is None or not (recipe.roots or recipe.alike):
        return sample
    weights_T = sample.weights_T.copy()
    for part in np.split(weights_T, cuts):
        learned = np.count_nonzero(part)
        if learned:
            part /= np.sqrt(learned) if recipe.roots else learned
    return replace(sample, weights_T=weights_T)


def told_lesson(recipe: Recipe, lines: Lines, processor: Processor, index: int, split: Split) -> Lesson:
    """Lesson `index` of a data file's records of this split: all in an order of their own each time round.

    A record that cannot be used is set aside with its reason, and another of the file stands in, the same for
    everyone. Raises BadData naming the last one when none can be used.
    """
    lesson, aside = try_lesson(recipe, lines, processor, index, split)
    if lesson is None:
        raise BadData(
            f"{lines.path} holds hardly anything to learn from; the last of {len(aside)} records that were "
            f"set aside, {aside[-1].place}: {aside[-1].reason}; look through it with `omma data doctor`"
        )
    return lesson


def try_lesson(
    recipe: Recipe, lines: Lines, processor: Processor, index: int, split: Split
) -> tuple[Lesson | None, tuple[Aside, ...]]:
    """The same, None when none of the records that were tried can be used, with what was set aside."""
    opened, aside = shelf_of(lines), dict[Place, Aside]()
    for attempt in range(TRIED):
        corpus, raw = opened.raw(index, recipe.seed, split, attempt)
        if raw.place in aside:
            continue
        try:
            record = corpus.record(raw)
            sample = sample_of(record, processor)
            _check_longest(sample, recipe)
            told = tuple(aside.values())
            return Lesson(weighed(sample, recipe), (lines.name,) * record.answers, aside=told), told
        except BadInput as problem:
            aside[raw.place] = set_aside(raw.place, problem)
        if len(aside) == opened.count(split):
            break
    return None, tuple(aside.values())


def shelf_of(lines: Lines) -> Shelf:
    """The data file, opened once in each process."""
    return shelf(Mix((Part(lines.path, form=lines.form, folder=lines.folder),)))


def _check_longest(sample: Sample, recipe: Recipe) -> None:
    for limit in (recipe.longest, recipe.tokens):
        if limit is not None and sample.length > limit:
            raise PromptTooLong(f"the dialogue has {sample.length:,} tokens; the recipe takes {limit:,}")


def batch(lessons: list[Lesson]) -> Batch:
    """Lay lessons end to end."""
    marked = [lesson.marks for lesson in lessons if lesson.marks is not None]
    joined = Marks(*(np.concatenate(column) for column in zip(*marked, strict=True))) if marked else None
    return Batch(
        pack([lesson.sample for lesson in lessons]),
        joined,
        tuple(lesson.tasks for lesson in lessons),
        tuple(lesson.cuts for lesson in lessons),
        tuple(told for lesson in lessons for told in lesson.aside),
    )
