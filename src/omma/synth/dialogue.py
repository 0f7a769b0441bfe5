"""An exercise as a conversation to learn from, and as a line of the native data form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from omma.chat import Image, Message, Part, Video, message
from omma.synth.world import Drawing, Exercise, Turn


def shown(exercise: Exercise) -> tuple[Part, ...]:
    """What stands in the first question: the pictures, or the clip as its frames with their rate."""
    pictures = [drawing.picture for drawing in exercise.drawings]
    if exercise.fps is not None:
        return (Video(pictures, fps=exercise.fps),)
    return tuple(Image(picture) for picture in pictures)


def dialogue(exercise: Exercise) -> list[Message]:
    """All turns as one conversation; the pictures stand in the first question only."""
    return _spoken(exercise.turns, shown(exercise))


def apart(exercise: Exercise) -> list[list[Message]]:
    """The turns as conversations that stand apart, of which only the first shows the pictures.

    A turn that follows on another is understood after that one only, and stands behind it.
    """
    return [
        _spoken(chain, shown(exercise) if number == 0 else ())
        for number, chain in enumerate(_chains(exercise))
    ]


def turns_of(exercise: Exercise, tasks: Sequence[str]) -> tuple[Turn, ...]:
    """The turns of these tasks, with what they follow on and what follows on them."""
    chains = (chain for chain in _chains(exercise) if any(turn.task in tasks for turn in chain))
    return tuple(turn for chain in chains for turn in chain)


def _chains(exercise: Exercise) -> list[list[Turn]]:
    """Turns that are understood only one after the other, together."""
    chains: list[list[Turn]] = []
    for turn in exercise.turns:
        if turn.follows and chains:
            chains[-1].append(turn)
        else:
            chains.append([turn])
    return chains


def looked_at(exercise: Exercise, temporal: int) -> tuple[Drawing, ...]:
    """The drawings as a tower sees them: every picture, or of every `temporal` frames of a clip the first."""
    return exercise.drawings if exercise.fps is None else exercise.drawings[::temporal]


def _spoken(turns: Sequence[Turn], pictures: tuple[Part, ...]) -> list[Message]:
    spoken: list[Message] = []
    for number, turn in enumerate(turns):
        before = pictures if number == 0 else ()
        spoken.append(message("user", *before, turn.question))
        spoken.append(message("assistant", turn.answer))
    return spoken


def json_line(exercise: Exercise, *paths: str) -> dict[str, Any]:
    """The same in OpenAI's form, with the pictures or the clip by their paths: one line of a data file."""
    if exercise.fps is not None:
        media = [{"type": "video_url", "video_url": {"url": path, "fps": exercise.fps}} for path in paths]
    else:
        media = [{"type": "image_url", "image_url": {"url": path}} for path in paths]
    spoken: list[dict[str, Any]] = []
    for number, turn in enumerate(exercise.turns):
        content: list[dict[str, Any]] = list(media) if number == 0 else []
        content.append({"type": "text", "text": turn.question})
        spoken.append({"role": "user", "content": content})
        spoken.append({"role": "assistant", "content": turn.answer})
    return {"messages": spoken}
