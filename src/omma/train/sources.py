"""Where a run's dialogues come from: drawn worlds, data files, and mixes of them, with their checks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from omma.corpus.forms import reader
from omma.errors import BadRecipe
from omma.sample import Size
from omma.synth.exercise import LEVELS, NARROWEST, WIDEST, WORLDS


@dataclass(frozen=True)
class Course:
    """One world at one level, and how often it comes up.

    `sizes` are drawn evenly; empty: the world's own. `tasks` are the turns that are kept of what the world
    asks; empty: all of them. With `questions` it goes on, briefly, until there are about so many of them: a
    picture's cost is paid once, and a question that is answered by a word or a place costs little.
    """

    world: str
    weight: float = 1.0
    level: int = 0
    sizes: tuple[Size, ...] = ()
    tasks: tuple[str, ...] = ()
    questions: int | None = None


@dataclass(frozen=True)
class Worlds:
    """Pictures drawn while the run goes: endless, never stored, sample i the same for everyone."""

    courses: tuple[Course, ...]
    fonts: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Lines:
    """Dialogues of a data file in any form that `omma data doctor` knows, or of shards that belong together.

    They come in a new order each time round; one in twenty is kept for the check. `form` names how records
    are written where that cannot be told by looking, `folder` is where media are looked for (beside the
    file), and `name` is what its answers are called in the check.
    """

    path: Path
    form: str | None = None
    folder: Path | None = None
    name: str = "answer"


@dataclass(frozen=True)
class Share:
    """One source of a mix, and how often it comes up."""

    data: Worlds | Lines
    weight: float = 1.0


@dataclass(frozen=True)
class Mix:
    """Several sources by weight: in every 1,024 dialogues each has its share, in a shuffled order."""

    shares: tuple[Share, ...]


Data: TypeAlias = Worlds | Lines | Mix


def check_data(data: Data) -> None:
    """Raise BadRecipe or UnknownOption for a source that nothing can be drawn from."""
    match data:
        case Mix(shares):
            if not shares:
                raise BadRecipe("data names no share; wanted at least one source")
            for share in shares:
                _check_weight("a share", share.weight)
                check_data(share.data)
        case Lines(form=form):
            if form is not None:
                reader(form)
        case Worlds(courses):
            if not courses:
                raise BadRecipe("data names no course; wanted at least one world")
            for course in courses:
                _check_course(course)


def _check_course(course: Course) -> None:
    if course.world not in WORLDS:
        raise BadRecipe(f"no world is called {course.world!r}; known: {', '.join(WORLDS)}")
    _check_weight(f"the course {course.world}", course.weight)
    if course.level not in LEVELS:
        raise BadRecipe(f"the course {course.world} has level {course.level}; wanted 0 to 3")
    if course.questions is not None and course.questions < 1:
        raise BadRecipe(
            f"the course {course.world} asks {course.questions} questions; wanted 1 or more, or None"
        )
    for size in course.sizes:
        if not NARROWEST <= min(size) <= max(size) <= WIDEST:
            raise BadRecipe(
                f"the course {course.world} has the size {size.width} x {size.height}; wanted sides from "
                f"{NARROWEST} to {WIDEST} pixels"
            )


def _check_weight(what: str, weight: float) -> None:
    if not 0 < weight < math.inf:
        raise BadRecipe(f"{what} weighs {weight!r}; wanted a number over 0")


def without_places(data: dict[str, object]) -> dict[str, object]:
    """What a source is, without where its files and fonts stand."""
    kept = {name: value for name, value in data.items() if name not in ("path", "folder", "name", "fonts")}
    if isinstance(courses := kept.get("courses"), (list, tuple)):
        # As in recipes of before, whose runs can go on.
        kept["courses"] = [
            {name: value for name, value in course.items() if (name, value) != ("questions", None)}
            for course in courses
        ]
    if isinstance(shares := kept.get("shares"), (list, tuple)):
        kept["shares"] = [share | {"data": without_places(share["data"])} for share in shares]
    return kept
