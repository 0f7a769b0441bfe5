"""Files of drawn exercises: training data of any size, and the fixed sets that omma-nano is judged by."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from omma.errors import UnknownOption
from omma.sample import Size
from omma.synth.ask_tongues import spoken_turns
from omma.synth.dialogue import json_line
from omma.synth.exercise import draw
from omma.synth.films import fresh, write_pictures
from omma.synth.tongues import TONGUES
from omma.synth.world import Exercise, Turn

RECKONED = ("price_two", "dots_total", "price_change", "cards_total", "heaps_more", "price_total")
COMPARED = (
    *("which_has", "odd", "change_thing", "count_over", "same", "change_kind", "which_most"),
    "pictures_with",
)
SEEN_MOVING = (
    *("direction_of", "count_at", "colour_after", "side_enter", "bounces", "before", "faster"),
    "does",
)
SPOKEN = ("colour", "what", "count", "place", "relation", "exists")
CHARTED = ("chart_value", "chart_most", "chart_value", "chart_compare")
PAIRED = (Size(112, 112), Size(140, 112), Size(140, 140), Size(168, 112))
MOVING = (Size(112, 112), Size(140, 112), Size(168, 112), Size(140, 140))
SMALL = (Size(224, 224), Size(280, 196), Size(196, 280), Size(224, 168), Size(252, 252))
BROAD = (Size(224, 168), Size(280, 196), Size(224, 224), Size(280, 224))
TALL = (Size(168, 224), Size(196, 252), Size(224, 224), Size(224, 280))


@dataclass(frozen=True)
class Suite:
    """A set of questions of one sort: where pictures come from, and which turns are taken.

    Each of `answers` is the right one equally often, where some are named. Suites of one `album` share a
    folder of pictures, and where they are drawn alike also the pictures. With a `tongue` scenes are asked
    about in that language, each task as often as in the others.
    """

    world: str
    levels: tuple[int, ...]
    tasks: tuple[str, ...]
    sizes: tuple[Size, ...] = SMALL
    answers: tuple[str, ...] = ()
    album: str = ""
    tongue: str = ""


SUITES = {
    "scene_questions": Suite("scenes", (0, 1, 2), ("colour", "shape")),
    "counting": Suite("scenes", (1, 2, 3), ("count",), answers=("1", "2", "3", "4", "5", "6")),
    "relations": Suite("scenes", (1, 2), ("relation",), answers=("yes", "no")),
    "find": Suite("scenes", (0, 1, 2), ("find",)),
    "words": Suite("words", (0,), ("read",), (Size(224, 112), Size(224, 84), Size(224, 224), Size(280, 84))),
    "lines": Suite("words", (2,), ("read",)),
    "widgets": Suite("screens", (0, 1, 2), ("point", "widget_kind", "point", "widget_state")),
    "named": Suite("named", (0, 1, 2), ("what", "times", "colour", "place", "what", "exists"), album="named"),
    "named_find": Suite("named", (0, 1, 2), ("find",), album="named"),
    **{
        f"scenes_{tongue}": Suite("languages", (0, 1, 2), SPOKEN, album="scenes", tongue=tongue)
        for tongue in TONGUES
    },
    "chinese_lines": Suite(
        "chinese", (0, 1, 2), ("read",), (Size(224, 112), Size(280, 84), Size(280, 196), Size(224, 168))
    ),
    "sums": Suite("sums", (0, 1, 2), RECKONED),
    "comparisons": Suite("compared", (0, 1, 2), COMPARED, PAIRED, album="compared"),
    "references": Suite(
        "compared", (0, 1, 2), ("and_picture", "and_thing", "and_count"), PAIRED, album="compared"
    ),
    "clips": Suite("clips", (0, 1, 2), SEEN_MOVING, MOVING, album="clips"),
    "clip_times": Suite("clips", (0, 1, 2), ("when_during", "when_at", "when_seen"), MOVING, album="clips"),
    "clip_order": Suite("clips", (2, 3), ("order",), MOVING),
    "clip_find": Suite("clips", (0, 1, 2), ("find_at",), MOVING, album="clips"),
    "pages": Suite("pages", (0, 1), ("read",)),
    "rotated": Suite("signs", (0, 1), ("read",)),
    "tables": Suite("tables", (0, 1), ("table_html",), BROAD),
    "table_questions": Suite("tables", (1, 2), ("table_cell", "table_most", "table_compare", "count"), BROAD),
    "charts": Suite("charts", (0, 1), CHARTED, BROAD, album="charts"),
    "chart_tables": Suite("charts", (0, 1), ("chart_json",), BROAD, album="charts"),
    "invoices": Suite("invoices", (0, 1), ("record_json",), TALL),
    "receipts": Suite("receipts", (0, 1), ("record_json",), TALL),
    "forms": Suite("forms", (0, 1), ("record_json",), TALL),
}
WORKED = ("use_click", "use_type", "use_set", "use_absent", "use_open", "use_replace")
# Suites that anybody may write, and that omma-nano is not judged by.
FURTHER = {
    "computer": Suite("apps", (0, 1, 2), WORKED, (Size(280, 224), Size(336, 252)), album="apps"),
    "typing": Suite("apps", (0, 1, 2), ("type_target",), (Size(280, 224), Size(336, 252)), album="apps"),
}


def questions(name: str, count: int, fonts: Sequence[Path] | None = None) -> Iterator[tuple[Exercise, Turn]]:
    """`count` questions of a suite, one of each drawing, all from the test split; always the same ones.

    Tasks take turns as far as the drawings allow, and so do the answers where the suite names some. Raises
    UnknownOption for no suite.
    """
    return ((exercise, turn) for _, exercise, turn in asked(name, count, fonts))


def asked(
    name: str, count: int, fonts: Sequence[Path] | None = None, *, start: int = 0
) -> Iterator[tuple[int, Exercise, Turn]]:
    """The same, each with the number of its drawing; of the drawings from `start` on."""
    suite = _suite(name)
    given = Counter[str]()
    index = start
    while given.total() < count:
        level = suite.levels[index % len(suite.levels)]
        size = suite.sizes[index % len(suite.sizes)]
        exercise = draw(
            suite.world, (2026, index), split="test", level=level, size=size, maps=False, fonts=fonts
        )
        if suite.tongue:
            dice = Random(f"{suite.tongue} {index}")
            exercise = replace(exercise, turns=spoken_turns(exercise.drawing, suite.tongue, "test", dice))
        if (turn := _chosen(suite, exercise, given)) is not None:
            given[turn.task] += 1
            yield index, exercise, turn
        index += 1


def _suite(name: str) -> Suite:
    every = SUITES | FURTHER
    if name not in every:
        raise UnknownOption(f"no suite is called {name!r}; wanted one of {', '.join(every)}")
    return every[name]


def _chosen(suite: Suite, exercise: Exercise, given: Counter[str]) -> Turn | None:
    """The turn whose task has been given least; where answers or languages are weighed, strictly the next.

    What is to be answered in a sentence of one's own has no truth that can be marked.
    """
    at = given.total()
    if suite.answers or suite.tongue:
        tasks = [suite.tasks[at % len(suite.tasks)]]
    else:
        tasks = sorted(dict.fromkeys(suite.tasks), key=lambda task: given[task] / suite.tasks.count(task))
    wanted = suite.answers[at % len(suite.answers)] if suite.answers else None
    sound = [
        turn
        for turn in exercise.turns
        if wanted in (None, turn.answer) and turn.answer != "[]" and "said" not in turn.truth
    ]
    return next((turn for task in tasks for turn in sound if turn.task == task), None)


def make_suite(
    name: str, count: int, folder: Path, *, fonts: Sequence[Path] | None = None, overwrite: bool = False
) -> Path:
    """Write folder/NAME.jsonl and its pictures, small, into folder/NAME/ or its album. Gives the list's path.

    A line has "picture" (relative to the list), "question", "task", "truth" and "size" [width, height]; where
    they are needed also "more" pictures, "fps" of a clip, and "before": what was asked and answered before.
    """
    drawn, album = asked(name, count, fonts), _suite(name).album
    file, pictures = fresh(folder, name, overwrite, album)
    with file.open("w", encoding="utf-8") as lines:
        for number, (index, exercise, turn) in enumerate(drawn, 1):
            stem = f"{index if album else number:04}"
            lines.write(json.dumps(suite_line(exercise, turn, pictures, stem), ensure_ascii=False) + "\n")
    return file


def suite_line(exercise: Exercise, turn: Turn, pictures: Path, stem: str) -> dict[str, Any]:
    """A question as its list has it; what it shows is written into the folder, under the stem."""
    first, *more = write_pictures(exercise, pictures, stem, small=True, film=False)
    row: dict[str, Any] = {
        "picture": f"{pictures.name}/{first}",
        "question": turn.question,
        "task": turn.task,
        "truth": turn.truth,
        "size": list(exercise.drawing.picture.size),
    }
    if more:
        row["more"] = [f"{pictures.name}/{other}" for other in more]
    if exercise.fps is not None:
        row["fps"] = exercise.fps
    if before := _before(exercise, turn):
        row["before"] = before
    return row


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
    file, pictures = fresh(folder, world, overwrite)
    with file.open("w", encoding="utf-8") as lines:
        for number in range(count):
            exercise = draw(
                world, (seed, number), split=split, level=level, size=size, maps=False, fonts=fonts
            )
            names = write_pictures(exercise, pictures, f"{number + 1:06}", small=False, film=True)
            line = json_line(exercise, *(f"{world}/{name}" for name in names))
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            if progress is not None:
                progress(number + 1, count)
    return file


def _before(exercise: Exercise, turn: Turn) -> list[list[str]]:
    """The questions and answers without which this turn cannot be understood, in their order."""
    at, before = exercise.turns.index(turn), list[list[str]]()
    while exercise.turns[at].follows and at:
        at -= 1
        before.insert(0, [exercise.turns[at].question, exercise.turns[at].answer])
    return before
