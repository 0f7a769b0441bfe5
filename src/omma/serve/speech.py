"""The pieces that an answer comes in: thoughts, words, calls of tools, the end; thoughts taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from omma.chat import THOUGHTS_END, Chosen
from omma.serve.desk import Told


@dataclass(frozen=True)
class Thought:
    """A piece of what was thought before it was said."""

    text: str


@dataclass(frozen=True)
class Read:
    """The prompt's tokens with their log-probabilities, before anything else; the first has none."""

    chosen: tuple[Chosen, ...]


@dataclass(frozen=True)
class Said:
    """A piece of the answer's words, with its tokens where log-probabilities were asked for."""

    text: str
    chosen: tuple[Chosen, ...] = ()


@dataclass(frozen=True)
class Called:
    """A call of a tool, or more of its arguments' JSON. The first piece of one carries its `name`."""

    index: int
    arguments: str
    name: str | None = None


@dataclass(frozen=True)
class Ended:
    """The end: the last piece that was told, with finish reason, usage, geometry and seconds."""

    told: Told


Event: TypeAlias = Read | Thought | Said | Called | Ended


class Thoughts:
    """Parts a Thinking model's text at the mark that ends its thoughts, which it may come in pieces of."""

    def __init__(self, thinks: bool) -> None:
        self._inside, self._held = thinks, ""
        self._bare = thinks  # nothing but line ends stood on this side of the mark yet

    @property
    def inside(self) -> bool:
        """Whether the text still belongs to the thoughts."""
        return self._inside

    def feed(self, text: str) -> Iterator[Thought | Said]:
        """The pieces that are certain by now. Line ends around the mark belong to neither side."""
        self._held += text
        if self._inside:
            before, mark, after = self._held.partition(THOUGHTS_END)
            if not mark:
                certain = before[: _certain(before)]
                self._held = before[len(certain) :]
                yield from self._stripped(certain, Thought)
                return
            yield from self._stripped(before.rstrip("\n"), Thought)
            self._inside, self._bare, self._held = False, True, after
        text, self._held = self._held, ""
        yield from self._stripped(text, Said)

    def end(self) -> Iterator[Thought | Said]:
        """What was held back."""
        if self._inside:
            yield from self._stripped(self._held.rstrip("\n"), Thought)
        self._held = ""

    def _stripped(self, text: str, kind: type[Thought] | type[Said]) -> Iterator[Thought | Said]:
        if self._bare:
            text = text.lstrip("\n")
        if text:
            self._bare = False
            yield kind(text)


def _certain(text: str) -> int:
    """How much of the text cannot be part of line ends with a mark behind them."""
    for length in range(min(len(text), len(THOUGHTS_END) - 1), 0, -1):
        if THOUGHTS_END.startswith(text[-length:]):
            text = text[:-length]
            break
    return len(text.rstrip("\n"))
