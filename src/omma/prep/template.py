"""The form of a conversation, ChatML written by us: turns, their marks, and what is to be learned."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from omma.chat import Image, Message, Part, Text, Tool, ToolCall, Video

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
CALL_START, CALL_END = Mark("<tool_call>"), Mark("</tool_call>")
RESULT_START, RESULT_END = Mark("<tool_response>"), Mark("</tool_response>")
# These are letters in a vocabulary that has no such tokens (facts §5.3).
SPELLED = {mark.name for mark in (CALL_START, CALL_END, RESULT_START, RESULT_END)}


@dataclass(frozen=True)
class Piece:
    """A stretch of the prompt. `learned`: its tokens count in the loss."""

    what: Text | Mark | Image | Video
    learned: bool = False


PLAIN = Form()
ANSWER = Piece(Text("assistant\n"))
ENDED = (Piece(TURN_END), Piece(Text("\n")))
THOUGHTS = (Piece(THINK_START), Piece(Text("\n")))


def pieces(
    messages: Sequence[Message], *, prompt: bool, form: Form = PLAIN, tools: Sequence[Tool] = ()
) -> list[Piece]:
    """A conversation as text and marks, in order, neighbouring texts joined (facts §5.4).

    A prompt ends where the assistant begins to speak. Otherwise the dialogue is whole, and what the assistant
    says is learned, with the mark that ends its turn, but not its name and not the line end after. Tools are
    declared at the end of the system message; what they answer stands in a person's turn.
    """
    if form.system is not None and (not messages or messages[0].role != "system"):
        messages = [Message("system", (Text(form.system),)), *messages]
    written: list[Piece] = []
    if tools:
        told = messages[0].parts if _are(messages[:1], "system") else ()
        messages = messages[1:] if _are(messages[:1], "system") else messages
        parts = (*told, *([Text("\n\n")] if told else ()), *_declared(tools))
        written += [Piece(TURN_START), *_spoken("system\n", parts, False, form), *ENDED]
    asked = max((i for i, said in enumerate(messages) if _is_question(said)), default=-1)
    for number, message in enumerate(messages):
        learned = message.role == "assistant" and not prompt
        if message.role == "tool":
            before, after = messages[:number][-1:], messages[number + 1 :][:1]
            written += _result(message, form, first=not _are(before, "tool"), last=not _are(after, "tool"))
            continue
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


def spelled(written: Sequence[Piece], known: Collection[str]) -> list[Piece]:
    """Pieces for a vocabulary of these marks: marks of tools that it lacks are letters of the text around."""
    if not (lacking := SPELLED - set(known)):
        return list(written)
    told: list[Piece] = []
    joining = False
    for piece in written:
        letters = isinstance(piece.what, Mark) and piece.what.name in lacking
        words = Text(piece.what.name) if isinstance(piece.what, Mark) and letters else piece.what
        before = told[-1].what if told else None
        same = bool(told) and told[-1].learned == piece.learned and told[-1] is not ANSWER
        if (letters or joining) and same and isinstance(before, Text) and isinstance(words, Text):
            told[-1] = replace(piece, what=Text(before.text + words.text))
        else:
            told.append(replace(piece, what=words))
        joining = letters
    return told


def _are(messages: Sequence[Message], role: str) -> bool:
    """Whether there is such a message."""
    return bool(messages) and messages[0].role == role


# Models were taught calls by exactly these words (facts §5.4), the marks of a call among them.
_BEFORE = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>"
)
_AFTER = (
    Text(
        "\n</tools>\n\nFor each function call, return a json object with function name and arguments within "
    ),
    *(CALL_START, CALL_END, Text(" XML tags:\n"), CALL_START),
    *(Text('\n{"name": <function-name>, "arguments": <args-json-object>}\n'), CALL_END),
)


def declaration() -> tuple[str, str]:
    """The words before and after the tools that a system message declares, each tool on a line of its own."""
    return _BEFORE, "".join(part.text if isinstance(part, Text) else part.name for part in _AFTER)


def _declared(tools: Sequence[Tool]) -> Iterator[Text | Mark]:
    """The block that declares tools."""
    yield Text("\n".join((_BEFORE, *(_json(tool.form) for tool in tools))))
    yield from _AFTER


def _called(calls: Sequence[ToolCall], *, after: bool) -> Iterator[Text | Mark]:
    """Calls, each on lines of its own, `after` words or before any."""
    for number, call in enumerate(calls):
        line = Text("\n") if after or number else Text("")
        body = f'\n{{"name": {_json(call.name)}, "arguments": {_json(dict(call.arguments))}}}\n'
        yield from (line, CALL_START, Text(body), CALL_END)


def answer_text(message: Message) -> str:
    """What an assistant says and calls, as it writes it."""
    called = _called(message.calls, after=bool(message.text))
    told = (part.name if isinstance(part, Mark) else part.text for part in called)
    return message.text + "".join(told)


def _result(message: Message, form: Form, *, first: bool, last: bool) -> Iterator[Piece]:
    """What a tool answered, in a turn of the user's that results in a row share."""
    if first:
        yield Piece(TURN_START)
    parts = (RESULT_START, Text("\n"), *message.parts, Text("\n"), RESULT_END)
    yield from _spoken("user\n" if first else "\n", parts, False, form)
    if last:
        yield from ENDED


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


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
    """What the assistant said and called.

    Thoughts stand only after the last question, where work may still go on.
    """
    words = all(isinstance(part, Text) for part in message.parts)
    if not form.thinks or not words:
        calls = _called(message.calls, after=not words or bool(message.text))
        yield from _spoken("", (*message.parts, *calls), learned, form)
        return
    thought, _, said = message.text.rpartition("</think>")
    thought = thought.removeprefix("<think>").strip("\n")
    calls = _called(message.calls, after=bool(said.lstrip("\n") if thought else said))
    if open and (last or thought):
        yield from THOUGHTS
        parts = (Text(f"{thought}\n"), THINK_END, Text("\n\n" + said.lstrip("\n")))
        yield from _spoken("", (*parts, *calls), learned, form)
    else:
        shown = Text(said.lstrip("\n") if thought else said)
        yield from _spoken("", (shown, *calls), learned, form)


def _is_question(message: Message) -> bool:
    """Whether a person speaks, and not a tool that was called."""
    result = message.text.startswith("<tool_response>") and message.text.endswith("</tool_response>")
    return message.role == "user" and not result
