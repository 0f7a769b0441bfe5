"""What one dialogue teaches: its sample, the tasks of its turns, and what stands where in its picture.

Lesson i of a source is a pure function of (source, seed, i): a resumed run sees what an unbroken one would.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from omma import chat
from omma.chat import Image, Message, Part, Text, message
from omma.errors import BadData, BadMessage, MissingFile
from omma.prep.processor import Processor
from omma.sample import Pack, Sample, Visual, pack
from omma.synth.dialogue import dialogue
from omma.synth.exercise import draw
from omma.synth.world import Drawing, Split
from omma.train.branches import graft
from omma.train.recipe import Recipe, Worlds

POINTS = 4  # looked at along each side of a visual token's square
IGNORE = 255  # a point that teaches nothing
HELD_OUT = 20  # one line of a file in so many is kept for the check


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
    turns follow one another.
    """

    sample: Sample
    tasks: tuple[str, ...]
    marks: Marks | None = None
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Lessons end to end: what one pass of the model reads."""

    pack: Pack
    marks: Marks | None
    tasks: tuple[tuple[str, ...], ...]
    cuts: tuple[tuple[int, ...], ...] = ()


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


def drawn_lesson(recipe: Recipe, worlds: Worlds, processor: Processor, index: int, split: Split) -> Lesson:
    """Lesson `index` of drawn worlds: a course is chosen by weight, its world draws and asks."""
    weights = np.array([course.weight for course in worlds.courses], np.float64)
    dice = np.random.default_rng((recipe.seed, index, 0 if split == "train" else 1))
    course = worlds.courses[int(dice.choice(len(weights), p=weights / weights.sum()))]
    exercise = draw(
        course.world,
        (recipe.seed, index),
        split=split,
        level=course.level,
        size=course.sizes[int(dice.integers(len(course.sizes)))] if course.sizes else None,
        maps=recipe.marks > 0,
        fonts=worlds.fonts or None,
    )
    cuts: tuple[int, ...] = ()
    if recipe.apart:
        turns = [message("user", turn.question) for turn in exercise.turns]
        answers = [message("assistant", turn.answer) for turn in exercise.turns]
        shown = message("user", Image(exercise.drawing.picture), exercise.turns[0].question)
        first = processor.sample([shown, answers[0]], prompt=False)
        others = [processor.sample(pair, prompt=False) for pair in zip(turns[1:], answers[1:], strict=True)]
        sample, cuts = graft(first, others)
    else:
        sample = processor.sample(dialogue(exercise), prompt=False)
    seen = marks_of(exercise.drawing, sample.visuals[0], processor.rules.merge) if recipe.marks else None
    if recipe.roots:
        sample = rooted(sample)
    return Lesson(sample, tuple(turn.task for turn in exercise.turns), seen, cuts)


def rooted(sample: Sample) -> Sample:
    """Every answer weighs the square root of its length, so that long ones do not drown short ones."""
    if sample.weights_T is None:
        return sample
    weights_T = sample.weights_T.copy()
    at_A = np.flatnonzero(weights_T)
    for answer in np.split(at_A, np.flatnonzero(np.diff(at_A) > 1) + 1):
        weights_T[answer] /= np.sqrt(len(answer))
    return replace(sample, weights_T=weights_T)


def told_lesson(recipe: Recipe, path: Path, processor: Processor, index: int, split: Split) -> Lesson:
    """Lesson `index` of a file's lines of this split: line by line in an order of its own each time round.

    Media named by a relative path stand beside the file. Raises BadData naming the line.
    """
    starts = line_starts(path, split)
    turn, place = divmod(index, len(starts))
    number, start = starts[int(np.random.default_rng((recipe.seed, turn)).permutation(len(starts))[place])]
    with path.open("rb") as file:
        file.seek(start)
        raw = file.readline()
    try:
        spoken = [_beside(said, path.parent) for said in chat.messages(json.loads(raw)["messages"])]
    except (ValueError, KeyError, TypeError, BadMessage) as problem:
        raise BadData(
            f"{path} line {number} is not a dialogue: {problem}; wanted {{'messages': […]}}"
        ) from None
    answers = sum(said.role == "assistant" for said in spoken)
    if not answers:
        raise BadData(
            f"{path} line {number} holds no answer; wanted a message of the assistant to learn from"
        )
    sample = processor.sample(spoken, prompt=False)
    return Lesson(rooted(sample) if recipe.roots else sample, ("answer",) * answers)


@functools.cache
def line_starts(path: Path, split: Split) -> tuple[tuple[int, int], ...]:
    """Number and first byte of each line of the split that is not empty; every twentieth is held out."""
    starts, at = [], 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    starts.append((number, at))
                at += len(line)
    except OSError as problem:
        raise MissingFile(f"{path} cannot be read: {problem.strerror}; name a JSON Lines file") from None
    if not starts:
        raise BadData(f"{path} has no lines; wanted one dialogue a line")
    return tuple(s for i, s in enumerate(starts, 1) if (i % HELD_OUT == 0) == (split == "test"))


def _beside(said: Message, folder: Path) -> Message:
    """The message with media of relative paths found in `folder`."""

    def found(part: Part) -> Part:
        if isinstance(part, Text) or not isinstance(part.source, str) or ":" in part.source:
            return part
        return replace(part, source=str(folder / part.source))

    return replace(said, parts=tuple(found(part) for part in said.parts))


def batch(lessons: list[Lesson]) -> Batch:
    """Lay lessons end to end."""
    marked = [lesson.marks for lesson in lessons if lesson.marks is not None]
    joined = Marks(*(np.concatenate(column) for column in zip(*marked, strict=True))) if marked else None
    return Batch(
        pack([lesson.sample for lesson in lessons]),
        joined,
        tuple(lesson.tasks for lesson in lessons),
        tuple(lesson.cuts for lesson in lessons),
    )
