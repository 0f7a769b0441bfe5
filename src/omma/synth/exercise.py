"""One call for every world: the same arguments always give the same picture and the same questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np

from omma.errors import UnknownOption
from omma.sample import Size
from omma.synth.ask_pages import page_turns
from omma.synth.ask_scenes import scene_turns
from omma.synth.ask_screens import screen_turns
from omma.synth.dialogue import turns_of
from omma.synth.documents.worlds import DOCUMENT_SIZES, DOCUMENT_WORLDS
from omma.synth.gallery import GALLERY, GALLERY_SIZES, SETS
from omma.synth.landscapes import pictured
from omma.synth.letters import letters
from omma.synth.pages import page
from omma.synth.screens import screen
from omma.synth.wear import wear
from omma.synth.world import Drawing, Exercise, Split, Turn

LEVELS = (0, 1, 2, 3)
NARROWEST, WIDEST = 28, 4096  # pixels of a side that may be asked for
SIZES: tuple[tuple[Size, ...], ...] = (
    (Size(168, 168), Size(196, 196), Size(224, 224), Size(224, 168)),
    (Size(196, 196), Size(224, 224), Size(224, 168), Size(252, 196), Size(168, 224)),
    (Size(224, 224), Size(280, 196), Size(252, 252), Size(196, 280), Size(320, 240)),
    (Size(224, 224), Size(280, 196), Size(336, 252), Size(320, 240), Size(252, 336), Size(448, 336)),
)
BRIEF = 32  # letters of an answer that costs little to learn from
PLACED = 128  # and of one that says where something is, which takes more of them
NOTHING = 0.25  # so many of the further questions, at most, ask where something is that is not there
STRIPS = (Size(280, 84), Size(392, 84), Size(336, 112), Size(364, 168))  # as lines of type are often cut out
_Painter = Callable[[Size, int, Random, Split, Sequence[Path] | None], Drawing]
_Asker = Callable[[Drawing, Split, Random], tuple[Turn, ...]]
_WORLDS: dict[str, tuple[_Painter, _Asker]] = {
    "scenes": (lambda size, level, dice, split, fonts: pictured(size, level, dice), scene_turns),
    "words": (page, page_turns),
    "letters": (letters, page_turns),
    "screens": (screen, screen_turns),
    **DOCUMENT_WORLDS,
    **GALLERY,
}
_SIZES = {**DOCUMENT_SIZES, **GALLERY_SIZES}
WORLDS = (*_WORLDS, *SETS)


def draw(
    world: str,
    seed: int | Sequence[int],
    *,
    split: str = "train",
    level: int = 3,
    size: Size | None = None,
    maps: bool = True,
    fonts: Sequence[Path] | None = None,
    tasks: Sequence[str] = (),
    questions: int | None = None,
) -> Exercise:
    """A picture of this world and what can be asked about it: a pure function of its arguments.

    `level` 0 to 3 goes from easy to hard; `size` None draws one that suits the level; `fonts` are folders
    (default: the system's). A world asks a handful of questions: of these `tasks` only, where some are named
    (it may have none of them), and with `questions` it goes on, briefly, until there are about so many.
    The splits share no wording but omma's own prompts, no font family, no seed.
    Raises UnknownOption for a world, level or split that does not exist.
    """
    if world not in WORLDS or level not in LEVELS or split not in ("train", "test"):
        raise UnknownOption(
            f"world {world!r}, level {level!r}, split {split!r}; wanted one of {', '.join(WORLDS)}, "
            "a level of 0, 1, 2, 3, and train or test"
        )
    numbers = [seed] if isinstance(seed, int) else list(seed)
    dice = Random(f"{world} {split} {level} {numbers} {size and tuple(size)}")
    half: Split = "train" if split == "train" else "test"
    if world in SETS:
        return _shown(_of(SETS[world](size, level, dice, half, fonts), tasks), maps)
    paint, ask = _WORLDS[world]
    usual = _SIZES.get(world, SIZES)[level] + (STRIPS if world == "words" and level else ())
    drawing = paint(size or dice.choice(usual), level, dice, half, fonts)
    drawing = replace(drawing, picture=wear(drawing.picture, level, dice))
    exercise = _of(Exercise(drawing, ask(drawing, half, dice)), tasks)
    if questions is not None:
        more = (_of(Exercise(drawing, ask(drawing, half, dice)), tasks) for _ in range(4 * questions))
        exercise = replace(exercise, turns=_with_more(exercise.turns, more, questions))
    return _shown(exercise, maps)


def _of(exercise: Exercise, tasks: Sequence[str]) -> Exercise:
    return replace(exercise, turns=turns_of(exercise, tasks)) if tasks else exercise


def _with_more(turns: tuple[Turn, ...], more: Iterable[Exercise], questions: int) -> tuple[Turn, ...]:
    """The turns and others that stand alone and are answered briefly, none of them in the same words."""
    asked = {turn.question: turn for turn in turns}
    nothing = int(NOTHING * max(0, questions - len(asked)))
    for exercise in more:
        for turn in exercise.turns:
            if len(asked) >= questions or turn.follows or turn.question in asked or not _brief(turn):
                continue
            if turn.truth == {"boxes": []}:
                if not nothing:
                    continue
                nothing -= 1
            asked[turn.question] = turn
        if len(asked) >= questions:
            break
    return (*turns, *list(asked.values())[len({turn.question for turn in turns}) :])


def _brief(turn: Turn) -> bool:
    return len(turn.answer) <= (PLACED if turn.truth.keys() & {"boxes", "point"} else BRIEF)


def _shown(exercise: Exercise, maps: bool) -> Exercise:
    """The exercise as it is, or with empty maps."""
    if maps:
        return exercise
    nothing = np.zeros((0, 0), np.uint8)
    first, *more = (
        replace(drawing, kind_map=nothing, colour_map=nothing, thing_map=nothing.astype(np.int16))
        for drawing in exercise.drawings
    )
    return replace(exercise, drawing=first, more=tuple(more))
