"""What people say, and what they show: parts, turns and tools. No torch, no file is opened here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, TypeAlias

# One "raw" message alone is no conversation: words to be continued as they are, without a form around them.
Role: TypeAlias = Literal["system", "user", "assistant", "tool", "raw"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant")  # who speaks; a tool answers what was called

LOW_DETAIL = 512 * 512  # pixels of a picture that is shown in low detail

# A picture or video may be named (str, Path), be bytes, or be an open PIL picture or array (H, W, 3) uint8.
MediaSource: TypeAlias = Any


@dataclass(frozen=True)
class Text:
    """Words. They never turn into markup, whatever they hold; Qwen-VL's tags of places are words to it."""

    text: str


@dataclass(frozen=True)
class Image:
    """A picture, not yet opened. Limits in pixels (area) override the model's own; None keeps them.

    `detail` "low" is at most LOW_DETAIL pixels, and never more than the model's own limit.
    """

    source: MediaSource
    min_pixels: int | None = None
    max_pixels: int | None = None
    detail: Literal["low"] | None = None


@dataclass(frozen=True)
class Video:
    """A video, not yet opened. `fps` is the rate it is sampled at; `start` and `stop` cut it, in seconds.

    Of a list of frames `fps` is their own rate, or `times` are the seconds that they stand at.
    """

    source: MediaSource
    fps: float | None = None
    max_frames: int | None = None
    start: float | None = None
    stop: float | None = None
    max_pixels: int | None = None
    times: tuple[float, ...] | None = None


Part: TypeAlias = Text | Image | Video


NO_PARAMETERS: Mapping[str, Any] = {"type": "object", "properties": {}}


@dataclass(frozen=True)
class Tool:
    """What may be called: its name, what it is for, and a JSON Schema of its arguments, an object."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: NO_PARAMETERS)

    @property
    def form(self) -> dict[str, Any]:
        """The tool as OpenAI's wire and the models' prompts have it."""
        about = {"description": self.description} if self.description else {}
        return {
            "type": "function",
            "function": {"name": self.name, **about, "parameters": dict(self.parameters)},
        }


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool. `id` names it among the calls of a conversation."""

    name: str
    arguments: Mapping[str, Any]
    id: str = ""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation: an assistant's may end with `calls`, a tool's `answers` one by its id."""

    role: Role
    parts: tuple[Part, ...]
    calls: tuple[ToolCall, ...] = ()
    answers: str | None = None

    @property
    def text(self) -> str:
        """The words of the turn, pictures left out."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


def message(role: Role, *parts: Part | str) -> Message:
    """Say something: ``message("user", Image("a.png"), "What is this?")``."""
    return Message(role, tuple(Text(part) if isinstance(part, str) else part for part in parts))


def in_order(told: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation with what tools gave back in the order of their calls: models are told no ids.

    An answer that names no call stays behind those that do.
    """
    order: dict[str | None, int] = {}
    written: list[Message] = []
    for tools, row in groupby(told, lambda message: message.role == "tool"):
        turns = list(row)
        written += sorted(turns, key=lambda one: order.get(one.answers, len(order))) if tools else turns
        for turn in turns:
            order |= {call.id: len(order) + place for place, call in enumerate(turn.calls)}
    return tuple(written)


Spoken: TypeAlias = Sequence[Message | Mapping[str, Any]]
