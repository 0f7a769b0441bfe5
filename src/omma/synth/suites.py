"""Files of drawn exercises: training data of any size, and the fixed sets that omma-nano is judged by."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from omma.errors import BadInput, UnknownOption
from omma.sample import Size
from omma.synth.dialogue import json_line
from omma.synth.exercise import draw
from omma.synth.world import Exercise, Turn

SMALL = (Size(224, 224), Size(280, 196), Size(196, 280), Size(224, 168), Size(252, 252))


@dataclass(frozen=True)
class Suite:
    """A set of questions of one sort: where pictures come from, and which turns are taken."""

    world: str
    levels: tuple[int, ...]
    tasks: tuple[str, ...]
    sizes: tuple[Size, ...] = SMALL
    answers: tuple[str, ...] = ()  # each of them equally often, where some are named


SUITES = {
    "scene_questions": Suite("scenes", (0, 1, 2), ("colour", "shape")),
    "counting": Suite("scenes", (1, 2, 3), ("count",), answers=("1", "2", "3", "4", "5", "6")),
    "relations": Suite("scenes", (1, 2), ("relation",), answers=("yes", "no")),
    "find": Suite("scenes", (0, 1, 2), ("find",)),
    "words": Suite("words", (0,), ("read",), (Size(224, 112), Size(224, 84), Size(224, 224), Size(280, 84))),
    "lines": Suite("words", (2,), ("read",)),
    "widgets": Suite("screens", (0, 1, 2), ("point", "widget_kind", "point", "widget_state")),
}


def questions(name: str, count: int, fonts: Sequence[Path] | None = None) -> Iterator[tuple[Exercise, Turn]]:
    """`count` questions of a suite, one of each drawing, all from the test split; always the same ones.

    Tasks take turns, and so do the answers where the suite names some. Raises UnknownOption for no suite.
    """
    if name not in SUITES:
        raise UnknownOption(f"no suite is called {name!r}; wanted one of {', '.join(SUITES)}")
    suite = SUITES[name]
    given = index = 0
    while given < count:
        level = suite.levels[index % len(suite.levels)]
        size = suite.sizes[index % len(suite.sizes)]
        exercise = draw(
            suite.world, (2026, index), split="test", level=level, size=size, maps=False, fonts=fonts
        )
        index += 1
        wanted = suite.answers[given % len(suite.answers)] if suite.answers else None
        task = suite.tasks[given % len(suite.tasks)]
        for turn in exercise.turns:
            if turn.task == task and wanted in (None, turn.answer) and turn.answer != "[]":
                yield exercise, turn
                given += 1
                break


def make_suite(
    name: str, count: int, folder: Path, *, fonts: Sequence[Path] | None = None, overwrite: bool = False
) -> Path:
    """Write folder/NAME.jsonl and its pictures, lossless, into folder/NAME/. Gives the path of the list.

    A line has "picture" (relative to the list), "question", "task", "truth" and "size" [width, height].
    """
    file, pictures = _fresh(folder, name, overwrite)
    with file.open("w", encoding="utf-8") as lines:
        for number, (exercise, turn) in enumerate(questions(name, count, fonts), 1):
            path = pictures / f"{number:04}.webp"
            _save(exercise.drawing.picture, path, small=True)
            row: dict[str, Any] = {
                "picture": f"{name}/{path.name}",
                "question": turn.question,
                "task": turn.task,
                "truth": turn.truth,
                "size": list(exercise.drawing.picture.size),
            }
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    return file


def make_data(
    world: str,
    count: int,
    folder: Path,
    *,
    seed: int = 0,
    split: str = "train",
    level: int = 3,
    size: Size | None = None,
    fonts: Sequence[Path] | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write `count` dialogues to folder/WORLD.jsonl and their pictures to folder/WORLD/; gives the list.

    The lines are OpenAI-style messages whose picture paths are relative to the list. `progress` is called
    with (written, count). Raises BadInput where files stand already and `overwrite` is false.
    """
    if count < 1:
        raise UnknownOption(f"count is {count}; wanted at least 1 dialogue")
    draw(world, (seed, 0), split=split, level=level, maps=False, fonts=fonts)  # refuse before writing
    file, pictures = _fresh(folder, world, overwrite)
    with file.open("w", encoding="utf-8") as lines:
        for number in range(count):
            exercise = draw(
                world, (seed, number), split=split, level=level, size=size, maps=False, fonts=fonts
            )
            path = pictures / f"{number + 1:06}.webp"
            _save(exercise.drawing.picture, path, small=False)
            lines.write(json.dumps(json_line(exercise, f"{world}/{path.name}"), ensure_ascii=False) + "\n")
            if progress is not None:
                progress(number + 1, count)
    return file


def _save(picture: Image.Image, path: Path, *, small: bool) -> None:
    """Lossless either way; `small` takes ten times as long."""
    picture.save(path, "WEBP", lossless=True, quality=100 if small else 20, method=4 if small else 0)


def _fresh(folder: Path, name: str, overwrite: bool) -> tuple[Path, Path]:
    """Where the list and the pictures go, made and empty of older ones."""
    file, pictures = folder / f"{name}.jsonl", folder / name
    older = sorted(pictures.glob("*.webp")) if pictures.is_dir() else []
    if (file.exists() or older) and not overwrite:
        raise BadInput(f"{file} or its pictures exist already; name another folder, or ask to overwrite")
    for path in older:
        path.unlink()
    pictures.mkdir(parents=True, exist_ok=True)
    return file, pictures
