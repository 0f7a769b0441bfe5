"""Every way omma says no, as one tree. A message has what was got, what was wanted, and what to do.

OmmaError
├── BadInput                 what a person gave cannot be used (exit code 2 on the command line)
│   ├── MissingFile          no such file, or it cannot be opened
│   ├── BadPicture           not a picture, broken, or refused by a limit
│   ├── BadVideo             not a video, without pictures, broken, or refused by a limit
│   ├── BadAddress           an address that may not be fetched, or that gives nothing in time
│   ├── BadMessage           a conversation whose shape or parts are not understood
│   ├── BadData              a data file, or a record of one, is not what it should be
│   ├── UnknownOption        an option that nobody reads, or a value out of its range
│   ├── BadShape             a schema, an expression or a tool that an answer cannot be held to
│   ├── TooLarge             more bytes, pictures or requests at once than are taken in
│   └── PromptTooLong        more tokens than the model's context holds
├── BadModel                 a model cannot be had from what was named (exit code 2)
│   ├── UnknownModel         no such bundled name, folder or preset
│   ├── BadFolder            a file of the folder is missing, unreadable or contradicts another
│   ├── TensorMismatch       a tensor is missing, left over, or of the wrong shape or dtype
│   ├── UnsafeFile           a pickle where safetensors are wanted
│   └── Unreachable          the hub does not answer, or does not give the model
├── BadRecipe                a training recipe that contradicts itself or its model (exit code 2)
├── BadCheckpoint            a run folder that cannot be gone on from (exit code 2)
├── Busy                     too much is being asked at once; later it goes (exit code 75)
├── Interrupted              what was answering died; asked again it goes (exit code 75)
├── NotStarted               what is to answer did not come up (exit code 70)
├── OutOfMemory              this machine has not the memory for what was asked (exit code 71)
├── MissingExtra             a wing's extra packages are not installed (exit code 2)
└── PlaceholderMismatch      prompt and patches were not made together (our mistake or a caller's)
"""

from __future__ import annotations

import json
import sys


class OmmaError(Exception):
    """The root of all errors that omma raises on purpose. Its text is one sentence fit for a person."""


class BadInput(OmmaError):
    """What a person gave cannot be used. `shown` numbers the picture or video that is wrong, from 1."""

    shown: int | None = None


class MissingFile(BadInput):
    """A file that was named does not exist or cannot be opened."""


class BadPicture(BadInput):
    """The bytes are not a picture, are broken, or are refused by a limit."""


class BadVideo(BadInput):
    """The bytes are not a video, hold no pictures, are broken, or are refused by a limit."""


class BadAddress(BadInput):
    """An address that may not be fetched, or behind which nothing usable came in time."""


class BadMessage(BadInput):
    """A conversation's shape, a role or a part is not understood."""


class BadData(BadInput):
    """A data file, or a record of one, is not what it should be. `kind` says shortly what is wrong."""

    def __init__(self, text: str, kind: str = "record") -> None:
        super().__init__(text)
        self.kind = kind


class UnknownOption(BadInput):
    """An option that nobody reads, or a value out of its range."""


class BadShape(BadInput):
    """A schema, a regular expression or a tool's parameters that an answer cannot be held to."""


class TooLarge(BadInput):
    """More bytes, pictures or requests at once than are taken in."""


class PromptTooLong(BadInput):
    """The prompt, with its pictures, has more tokens than the model's context."""


class BadModel(OmmaError):
    """A model cannot be had from what was named."""


class UnknownModel(BadModel):
    """No bundled model, folder or preset has this name."""


class BadFolder(BadModel):
    """A file of a model's folder is missing, unreadable, or contradicts another."""


class TensorMismatch(BadModel):
    """A tensor is missing, left over, or has the wrong shape or dtype. The message names it."""


class UnsafeFile(BadModel):
    """A pickle stands where safetensors are wanted. It is never opened."""


class Unreachable(BadModel):
    """The hub does not answer, breaks off, or does not give the model to whoever asks."""


class BadRecipe(OmmaError):
    """A training recipe contradicts itself or the model it is for."""


class BadCheckpoint(OmmaError):
    """A run folder cannot be gone on from."""


class Busy(OmmaError):
    """Too much is being asked at once. After `retry_after` seconds it may go."""

    def __init__(self, text: str, retry_after: float = 1.0) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Interrupted(OmmaError):
    """What was answering died in the middle of it. Nothing is wrong with the request: ask again."""


class NotStarted(OmmaError):
    """What is to answer did not come up: it took too long, or broke off again and again."""


class OutOfMemory(OmmaError):
    """This machine has not the memory for what was asked; the message says what was too large."""


class MissingExtra(OmmaError):
    """A wing's extra packages are not installed; the message says how to get them."""


class PlaceholderMismatch(OmmaError):
    """The prompt's places for visual tokens and the tower's features differ in number."""


def unread(wrong: Exception) -> str:
    """In words, why bytes or a text could not be read as JSON."""
    match wrong:
        case UnicodeDecodeError():
            return f"its byte {wrong.start + 1:,} is not UTF-8"
        case json.JSONDecodeError():
            return f"{wrong.msg[:1].lower()}{wrong.msg[1:]}, at letter {wrong.pos + 1:,}"
        case RecursionError():
            return "it is nested too deep"
        case ValueError() if "integer string conversion" in str(wrong):
            return f"a number in it has more than {sys.get_int_max_str_digits():,} figures"
        case _:
            return str(wrong)


def halved(text: str) -> str | None:
    """In words, where a text holds half of a character (a lone surrogate); None for whole text.

    Python and JSON can say one, UTF-8 has no bytes for it, and so no tokenizer, file or server takes it.
    """
    try:
        text.encode()
    except UnicodeEncodeError as wrong:
        near = text[max(0, wrong.start - 20) : wrong.end + 20]
        return f"half of a character, near {near!r}; wanted whole Unicode characters"
    return None
