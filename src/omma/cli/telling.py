"""An answer on its way out: as it comes, or as one JSON object when it is whole."""

from __future__ import annotations

from collections.abc import Iterator

from omma.chat import Answer, Delta, whole
from omma.cli.forms import answer_form
from omma.cli.say import aside, say, say_json


def tell(deltas: Iterator[Delta], *, json: bool) -> Answer:
    """Write an answer as it comes, or as one JSON object when it is whole."""
    if json:
        answer = whole(deltas)
        say_json(answer_form(answer))
        return answer
    answer = whole(_aloud(deltas))
    say()
    if answer.finish_reason == "length":
        aside(f"(cut after {answer.usage.completion_tokens} tokens; --max-tokens sets how many)")
    elif not answer.text.strip():
        aside("(the model ended before its first word; ask otherwise, with a picture, or a larger model)")
    return answer


def _aloud(deltas: Iterator[Delta]) -> Iterator[Delta]:
    for delta in deltas:
        say(delta.text, end="")
        yield delta
