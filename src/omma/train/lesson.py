"""What one dialogue teaches: its sample, the tasks of its turns, and what stands where in its picture.

Lesson i of a source is a pure function of (source, seed, i): a resumed run sees what an unbroken one would.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from omma import chat
from omma.errors import BadData, BadMessage, MissingFile
from omma.prep.processor import Processor
from omma.sample import Pack, Sample, Visual, pack
from omma.synth.dialogue import dialogue
from omma.synth.exercise import draw
from omma.synth.world import Drawing
from omma.train.recipe import Worlds

POINTS = 4  # looked at along each side of a visual token's square
IGNORE = 255  # a point that teaches nothing


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
    """One dialogue, ready to be learned from. `tasks` name its answers in order."""

    sample: Sample
    tasks: tuple[str, ...]
    marks: Marks | None = None


@dataclass(frozen=True)
class Batch:
    """Lessons end to end: what one pass of the model reads."""

    pack: Pack
    marks: Marks | None
    tasks: tuple[tuple[str, ...], ...]


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


def drawn_lesson(
    worlds: Worlds, processor: Processor, seed: int, index: int, *, split: str, marks: bool
) -> Lesson:
    """Lesson `index` of drawn worlds: a course is chosen by weight, its world draws and asks."""
    weights = np.array([course.weight for course in worlds.courses], np.float64)
    chosen = np.random.default_rng((seed, index, 0 if split == "train" else 1))
    course = worlds.courses[int(chosen.choice(len(weights), p=weights / weights.sum()))]
    size = course.sizes[int(chosen.integers(len(course.sizes)))] if course.sizes else None
    exercise = draw(
        course.world,
        (seed, index),
        split=split,
        level=course.level,
        size=size,
        maps=marks,
        fonts=worlds.fonts or None,
    )
    sample = processor.sample(dialogue(exercise), prompt=False)
    seen = marks_of(exercise.drawing, sample.visuals[0], processor.rules.merge) if marks else None
    return Lesson(sample, tuple(turn.task for turn in exercise.turns), seen)


def told_lesson(path: Path, processor: Processor, seed: int, index: int) -> Lesson:
    """Lesson `index` of a file: line by line in an order of its own each time round."""
    starts = _line_starts(path)
    turn, place = divmod(index, len(starts))
    line = int(np.random.default_rng((seed, turn)).permutation(len(starts))[place])
    with path.open("rb") as file:
        file.seek(starts[line])
        raw = file.readline()
    try:
        spoken = chat.messages(_beside(json.loads(raw)["messages"], path.parent))
    except (ValueError, KeyError, TypeError, BadMessage) as problem:
        raise BadData(
            f"{path} line {line + 1} is not a dialogue: {problem}; wanted {{'messages': […]}}"
        ) from None
    answers = sum(message.role == "assistant" for message in spoken)
    return Lesson(processor.sample(spoken, prompt=False), ("answer",) * answers)


@functools.cache
def _line_starts(path: Path) -> tuple[int, ...]:
    """Where each line that is not empty begins, in bytes."""
    starts, at = [], 0
    try:
        with path.open("rb") as file:
            for line in file:
                if line.strip():
                    starts.append(at)
                at += len(line)
    except OSError as problem:
        raise MissingFile(f"{path} cannot be read: {problem.strerror}; name a JSON Lines file") from None
    if not starts:
        raise BadData(f"{path} has no lines; wanted one dialogue a line")
    return tuple(starts)


def _beside(spoken: Any, folder: Path) -> Any:
    """Media named by a relative path stand beside the data file."""
    for message in spoken:
        if isinstance(message.get("content"), list):
            for part in message["content"]:
                kind = part.get("type")
                body = part.get(kind)
                if isinstance(body, dict) and isinstance(body.get("url"), str) and ":" not in body["url"]:
                    body["url"] = str(folder / body["url"])
                elif kind in ("image", "video") and isinstance(body, str) and ":" not in body:
                    part[kind] = str(folder / body)
    return spoken


def batch(lessons: list[Lesson]) -> Batch:
    """Lay lessons end to end."""
    marked = [lesson.marks for lesson in lessons if lesson.marks is not None]
    joined = Marks(*(np.concatenate(column) for column in zip(*marked, strict=True))) if marked else None
    return Batch(
        pack([lesson.sample for lesson in lessons]), joined, tuple(lesson.tasks for lesson in lessons)
    )
