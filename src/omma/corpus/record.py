"""The nouns of a data file: where a record stands, how the file has it, and what is said in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from omma.chat import Message, Tool
from omma.prep.boxes import Box, Point

Unit: TypeAlias = Literal["pixels", "share", "grid"]


class Place(NamedTuple):
    """Where a record stands: the file, and the `unit` (line, record or row) counted from 1.

    `key` is its name inside a shard.
    """

    file: str
    number: int
    unit: str = "record"
    key: str | None = None

    def __str__(self) -> str:
        named = "" if self.key is None else f" ({self.key})"
        return f"{self.file} {self.unit} {self.number}{named}"


class Loose(NamedTuple):
    """A record as its file has it.

    Of a shard, `inside` are the files that stood beside it, by name, and `beside` the same media in their
    order, by kind ("image", "video").
    """

    value: Mapping[str, Any]
    inside: Mapping[str, bytes] = {}
    beside: Mapping[str, Sequence[bytes]] = {}


@dataclass(frozen=True)
class Raw:
    """A record that was found and not yet read.

    `offset` is what stands before it in its file, in bytes (rows of a table). `read` opens it; it raises
    BadData when it cannot be taken apart.
    """

    place: Place
    offset: int
    read: Callable[[], Loose]


@dataclass(frozen=True)
class Boxes:
    """Boxes or points that a message holds as text, still to be written in the model's own numbers.

    The text of part `part` of message `message` is replaced. `picture` counts the conversation's pictures
    from 0, in the order they are shown; None is the only one. `unit` is what the numbers count: "pixels" of
    the original picture, a "share" of its sides (0 … 1), or the "grid" of thousandths. `form` is how they are
    written: "list" and "one" as JSON with labels under `key`, "bare" as the numbers alone, "phrase" as the
    label with its numbers. `said` is how the record wrote them where it did so in the tags of 2023: a model
    that speaks these learns just that.
    """

    shapes: tuple[Box | Point, ...]
    picture: int | None = None
    unit: Unit = "pixels"
    form: Literal["list", "one", "bare", "phrase"] = "list"
    key: str = "label"
    said: str = ""
    message: int = 0
    part: int = 0


@dataclass(frozen=True)
class Record:
    """A conversation of a data file. `weights`, one a message: how much its words count in the loss.

    Only answers have a weight over 0. `tools` are those that may be called in it. `unread` names the fields
    of the file's record that nobody reads.
    """

    messages: tuple[Message, ...]
    weights: tuple[float, ...]
    boxes: tuple[Boxes, ...] = ()
    tools: tuple[Tool, ...] = ()
    unread: tuple[str, ...] = field(default=(), compare=False)

    @property
    def answers(self) -> int:
        """How many messages are learned from."""
        return sum(weight > 0 for weight in self.weights)
