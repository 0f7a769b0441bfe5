"""The form of a conversation, ChatML written by us: turns, their marks, and what is to be learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from omma.chat import Image, Message, Text, Video

DEFAULT_SYSTEM = "You are a helpful assistant."

# The same form for other programs, which run templates: written to the folders we save, never read by us.
PUBLIC_TEMPLATE = (
    "{%- set nl = '\\n' -%}"
    "{%- if not messages or messages[0].role != 'system' -%}"
    f"{{{{- '<|im_start|>system' + nl + '{DEFAULT_SYSTEM}<|im_end|>' + nl -}}}}"
    "{%- endif -%}"
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message.role + nl -}}"
    "{%- if message.content is string -%}{{- message.content -}}{%- else -%}"
    "{%- for part in message.content -%}"
    "{%- if part.type in ('image', 'image_url') or 'image' in part or 'image_url' in part -%}"
    "{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}"
    "{%- elif part.type in ('video', 'video_url') or 'video' in part or 'video_url' in part -%}"
    "{{- '<|vision_start|><|video_pad|><|vision_end|>' -}}"
    "{%- else -%}{{- part.text -}}{%- endif -%}"
    "{%- endfor -%}"
    "{%- endif -%}"
    "{{- '<|im_end|>' + nl -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant' + nl -}}{%- endif -%}"
)


@dataclass(frozen=True)
class Mark:
    """One added token, by name."""

    name: str


TURN_START, TURN_END = Mark("<|im_start|>"), Mark("<|im_end|>")
VISION_START, VISION_END = Mark("<|vision_start|>"), Mark("<|vision_end|>")


@dataclass(frozen=True)
class Piece:
    """A stretch of the prompt. `learned`: its tokens count in the loss."""

    what: Text | Mark | Image | Video
    learned: bool = False


def pieces(messages: Sequence[Message], *, prompt: bool) -> list[Piece]:
    """A conversation as text and marks, in order, neighbouring texts joined (facts §5.4).

    A prompt ends where the assistant begins to speak. Otherwise the dialogue is whole, and what the assistant
    says is learned, with the mark that ends its turn, but not its name and not the line end after.
    """
    if not messages or messages[0].role != "system":
        messages = [Message("system", (Text(DEFAULT_SYSTEM),)), *messages]
    written = [piece for message in messages for piece in _turn(message, learning=not prompt)]
    if prompt:
        written += [Piece(TURN_START), Piece(Text("assistant\n"))]
    return written


def _turn(message: Message, *, learning: bool) -> Iterator[Piece]:
    learned = learning and message.role == "assistant"
    yield Piece(TURN_START)
    said = Text(f"{message.role}\n")
    if message.role == "assistant":
        # A model answers from "assistant\n" alone, so its words are never joined with it.
        yield Piece(said)
        said = Text("")
    for part in message.parts:
        if isinstance(part, Text):
            said = Text(said.text + part.text)
            continue
        yield Piece(said, learned)
        said = Text("")
        yield from (Piece(VISION_START), Piece(part), Piece(VISION_END))
    yield from (Piece(said, learned), Piece(TURN_END, learned), Piece(Text("\n")))
