"""The form of a conversation, ChatML written by us: turns, their marks, and what is to be learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from omma.chat import Image, Message, Part, Text, Video

DEFAULT_SYSTEM = "You are a helpful assistant."


@dataclass(frozen=True)
class Form:
    """A generation's form (facts §5.4): the message that comes first if no other of the system's does.

    A model that `thinks` begins every answer with its thoughts, and is shown those of past answers no more;
    with `written_times` a video is given without marks around it, to be written slice by slice.
    """

    system: str | None = DEFAULT_SYSTEM
    thinks: bool = False
    written_times: bool = False


@dataclass(frozen=True)
class Mark:
    """One added token, by name."""

    name: str


TURN_START, TURN_END = Mark("<|im_start|>"), Mark("<|im_end|>")
VISION_START, VISION_END = Mark("<|vision_start|>"), Mark("<|vision_end|>")
THINK_START, THINK_END = Mark("<think>"), Mark("</think>")


@dataclass(frozen=True)
class Piece:
    """A stretch of the prompt. `learned`: its tokens count in the loss."""

    what: Text | Mark | Image | Video
    learned: bool = False


PLAIN = Form()
ANSWER = Piece(Text("assistant\n"))
THOUGHTS = (Piece(THINK_START), Piece(Text("\n")))


def pieces(messages: Sequence[Message], *, prompt: bool, form: Form = PLAIN) -> list[Piece]:
    """A conversation as text and marks, in order, neighbouring texts joined (facts §5.4).

    A prompt ends where the assistant begins to speak. Otherwise the dialogue is whole, and what the assistant
    says is learned, with the mark that ends its turn, but not its name and not the line end after.
    """
    if form.system is not None and (not messages or messages[0].role != "system"):
        messages = [Message("system", (Text(form.system),)), *messages]
    asked = max((i for i, said in enumerate(messages) if _is_question(said)), default=-1)
    written: list[Piece] = []
    for number, message in enumerate(messages):
        learned = message.role == "assistant" and not prompt
        written.append(Piece(TURN_START))
        if message.role != "assistant":
            written += _spoken(f"{message.role}\n", message.parts, learned, form)
        else:
            # A model answers from "assistant\n" alone, so its words are never joined with it.
            written.append(ANSWER)
            written += _answered(message, learned, form, open=number > asked, last=message is messages[-1])
        written += (Piece(TURN_END, learned), Piece(Text("\n")))
    if prompt:
        written += [Piece(TURN_START), ANSWER, *(THOUGHTS if form.thinks else ())]
    return written


def _spoken(begun: str, parts: Sequence[Part | Mark], learned: bool, form: Form) -> Iterator[Piece]:
    said = Text(begun)
    for part in parts:
        if isinstance(part, Text):
            said = Text(said.text + part.text)
            continue
        yield Piece(said, learned)
        said = Text("")
        if isinstance(part, Mark):
            yield Piece(part, learned)
        elif isinstance(part, Video) and form.written_times:
            yield Piece(part)
        else:
            yield from (Piece(VISION_START), Piece(part), Piece(VISION_END))
    yield Piece(said, learned)


def _answered(message: Message, learned: bool, form: Form, *, open: bool, last: bool) -> Iterator[Piece]:
    """What the assistant said. Thoughts stand only after the last question, where work may still go on."""
    words = all(isinstance(part, Text) for part in message.parts)
    if not form.thinks or not words:
        yield from _spoken("", message.parts, learned, form)
        return
    thought, _, said = message.text.rpartition("</think>")
    thought = thought.removeprefix("<think>").strip("\n")
    if open and (last or thought):
        yield from THOUGHTS
        parts = (Text(f"{thought}\n"), THINK_END, Text("\n\n" + said.lstrip("\n")))
        yield from _spoken("", parts, learned, form)
    else:
        yield Piece(Text(said.lstrip("\n") if thought else said), learned)


def _is_question(message: Message) -> bool:
    """Whether a person speaks, and not a tool that was called."""
    result = message.text.startswith("<tool_response>") and message.text.endswith("</tool_response>")
    return message.role == "user" and not result
