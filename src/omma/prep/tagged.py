"""Qwen-VL's form of a conversation (2023): numbered pictures between tags, in turns or as one text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from omma.chat import Message, Text, Tool
from omma.errors import BadMessage
from omma.prep.ranks import PICTURE_END, PICTURE_START
from omma.prep.template import DEFAULT_SYSTEM, TURN_END, TURN_START, Mark, Piece

END_OF_TEXT = Mark("<|endoftext|>")
SLOTS_START, SLOTS_END = Mark(PICTURE_START), Mark(PICTURE_END)
LINE_END = Piece(Text("\n"))


@dataclass
class _Counter:
    """Counts the pictures of a conversation."""

    count: int = 0

    def next(self) -> int:
        self.count += 1
        return self.count


def tagged_turns(messages: Sequence[Message], *, prompt: bool) -> list[Piece]:
    """A conversation in turns, as Qwen-VL-Chat was taught it (facts §5.2).

    Turns stand apart by one line end; a role, the line end after it and what is said are spelled each for
    itself. Pictures are numbered through the whole conversation. A prompt ends where the assistant begins to
    speak; otherwise what it says is learned, with the mark that ends its turn.
    """
    if not messages or messages[0].role != "system":
        messages = [Message("system", (Text(DEFAULT_SYSTEM),)), *messages]
    counter, written = _Counter(), list[Piece]()
    for said in messages:
        learned = said.role == "assistant" and not prompt
        written += [LINE_END] if written else []
        written += [Piece(TURN_START), Piece(Text(said.role)), LINE_END]
        written += [*_content(said, counter, learned), Piece(TURN_END, learned)]
    if prompt:
        written += [LINE_END, Piece(TURN_START), Piece(Text("assistant")), LINE_END]
    return written


def running_text(messages: Sequence[Message], *, prompt: bool) -> list[Piece]:
    """A conversation as one text without marks of turns, as the base model was taught it.

    What was said follows on as it stands, whoever said it; what the assistant says is learned, with the mark
    that ends a text behind it.
    """
    counter, written = _Counter(), list[Piece]()
    for said in messages:
        learned = said.role == "assistant" and not prompt
        written += _content(said, counter, learned)
        written += [Piece(END_OF_TEXT, learned)] if said.role == "assistant" else []
    return written


def _content(said: Message, counter: _Counter, learned: bool) -> Iterator[Piece]:
    """What a message says, every picture on a line with its number; words between pictures are joined.

    A number or a line end that stands there already is not written twice.
    """
    text, shown = "", False
    for part in said.parts:
        if isinstance(part, Text):
            text += part.text
            continue
        number = f"Picture {counter.next()}: "
        words = _after(shown, text).removesuffix(number) + number
        yield from (Piece(Text(words), learned), Piece(SLOTS_START), Piece(part), Piece(SLOTS_END))
        text, shown = "", True
    if words := _after(shown, text):
        yield Piece(Text(words), learned)


def without_tools(messages: Sequence[Message], tools: Sequence[Tool]) -> None:
    """Raise BadMessage where tools are offered, called or answer: this form has no place for them."""
    if tools or any(said.role == "tool" or said.calls for said in messages):
        raise BadMessage("Qwen-VL of 2023 knows no tools; leave them out, or ask a later model")


def _after(shown: bool, text: str) -> str:
    """The words after a picture, on a line of their own."""
    return "\n" + text if shown and not text.startswith("\n") else text
