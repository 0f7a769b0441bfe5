"""An exercise as a conversation to learn from, and as a line of the native data form."""

from __future__ import annotations

from typing import Any

from omma.chat import Image, Message, message
from omma.synth.world import Exercise


def dialogue(exercise: Exercise) -> list[Message]:
    """All turns as one conversation; the picture stands in the first question only."""
    spoken: list[Message] = []
    for number, turn in enumerate(exercise.turns):
        shown = (Image(exercise.drawing.picture),) if number == 0 else ()
        spoken.append(message("user", *shown, turn.question))
        spoken.append(message("assistant", turn.answer))
    return spoken


def json_line(exercise: Exercise, picture: str) -> dict[str, Any]:
    """The same in OpenAI's form, with the picture by its path: one line of a data file."""
    spoken: list[dict[str, Any]] = []
    for number, turn in enumerate(exercise.turns):
        content: list[dict[str, Any]] = [{"type": "text", "text": turn.question}]
        if number == 0:
            content.insert(0, {"type": "image_url", "image_url": {"url": picture}})
        spoken.append({"role": "user", "content": content})
        spoken.append({"role": "assistant", "content": turn.answer})
    return {"messages": spoken}
