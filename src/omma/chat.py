"""A conversation, how it is to be answered, and what comes back. No torch, no file is opened here.

What people say is in `turns`, reading OpenAI's form of it in `spoken`; both are told here by the same names.
A `Responder` is anything that answers: an engine in this process or a URL; skills, evaluation and agents
know only this protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    Protocol,
    TypeAlias,
    TypeVar,
    overload,
    runtime_checkable,
)

from omma.errors import UnknownOption, halved
from omma.shape import Shape
from omma.spoken import messages, tools
from omma.turns import (
    LOW_DETAIL,
    ROLES,
    Image,
    MediaSource,
    Message,
    Part,
    Role,
    Spoken,
    Text,
    Tool,
    ToolCall,
    Video,
    message,
)

if TYPE_CHECKING:  # numpy, which `--help` has no need of
    from omma.sample import Size

__all__ = [
    "LOW_DETAIL", "ROLES", "THOUGHTS_END", "Answer", "Chosen", "Delta", "FinishReason", "Gathering", "Image",
    "Likely", "MediaSource", "Message", "Options", "Part", "Responder", "Role", "Seen", "Spoken", "Text",
    "Tool", "ToolCall", "Usage", "Video", "full_name", "message", "messages", "source_name", "tools", "whole",
]  # fmt: skip


@dataclass(frozen=True)
class Options:
    """How to answer. None means: as the model's generation_config says, and greedy where it says nothing.

    `temperature` ≥ 0 (0 is greedy), `top_p` and `min_p` in [0, 1], `top_k` ≥ 0 (0 is off),
    `repetition_penalty` > 0 (1 is off), `presence_penalty` and `frequency_penalty` in [-2, 2], `seed` fixes
    the draws, `logprobs` is how many likeliest tokens are told beside each, `shape` is what the text has to
    be, `stop` are strings at which it ends (they are not part of it), `tools` may be called (`of` reads them
    in OpenAI's form too), `max_tokens` ≥ 1. An answer that goes round in a circle is ended, finish reason
    "loop", unless `keep_loops` says that it may. With `prompt_logprobs` the prompt's own tokens are told too,
    as `logprobs` says.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    logprobs: int | None = None
    shape: Shape | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    keep_loops: bool = False
    prompt_logprobs: bool = False

    @classmethod
    def of(cls, **wishes: Any) -> Options:
        """Options by name. An unknown name or a value out of range is an UnknownOption."""
        known = [f.name for f in fields(cls)]
        if unknown := sorted(set(wishes) - set(known)):
            raise UnknownOption(f"unknown option {', '.join(unknown)}; known: {', '.join(known)}")
        stop = wishes.get("stop") or ()
        if not isinstance(stop, (str, list, tuple)):
            raise UnknownOption(f"stop is {stop!r}; wanted a text or a list of texts")
        wishes["stop"] = (stop,) if isinstance(stop, str) else tuple(stop)
        wishes["tools"] = tools(wishes.get("tools") or ())
        options = cls(**wishes)
        options.check()
        return options

    def check(self) -> None:
        """Raise UnknownOption naming the first value that is out of its range."""
        ranges: dict[str, tuple[float, float]] = {
            "max_tokens": (1, 1_000_000),
            "temperature": (0, 100),
            "top_p": (0, 1),
            "top_k": (0, 1_000_000),
            "min_p": (0, 1),
            "repetition_penalty": (0.01, 100),
            "presence_penalty": (-2, 2),
            "frequency_penalty": (-2, 2),
            "logprobs": (0, 20),
            "seed": (-(2**63), 2**63 - 1),
        }
        whole = {"max_tokens", "top_k", "seed", "logprobs"}
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is None:
                continue
            kinds = (int,) if name in whole else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
                noun = "a whole number" if name in whole else "a number"
                raise UnknownOption(f"{name} is {value!r}; wanted {noun} from {low:,} to {high:,}")
        for name in ("keep_loops", "prompt_logprobs"):
            if not isinstance(getattr(self, name), bool):
                raise UnknownOption(f"{name} is {getattr(self, name)!r}; wanted True or False")
        if self.prompt_logprobs and self.logprobs is None:
            raise UnknownOption("prompt_logprobs needs logprobs: how many likeliest are told beside each")
        if any(not isinstance(tool, Tool) for tool in self.tools):
            raise UnknownOption("tools holds something that is no Tool; Options.of reads OpenAI's form")
        if self.shape is not None and not isinstance(self.shape, Shape):
            raise UnknownOption(f"shape is {self.shape!r}; wanted one of omma.shape, such as Schema(…)")
        if not isinstance(self.stop, (tuple, list)):
            raise UnknownOption(f"stop is {self.stop!r}; wanted a tuple of texts")
        if any(not isinstance(text, str) or not text for text in self.stop):
            raise UnknownOption(
                "stop holds something that is not text, or is empty; wanted texts of a letter or more"
            )
        if told := halved("".join(self.stop)):
            raise UnknownOption(f"stop holds {told}")


# "loop": the same words came again and again, and the answer was ended there.
FinishReason: TypeAlias = Literal["stop", "length", "loop"]


@dataclass(frozen=True)
class Usage:
    """Tokens read and written; of those read: of pictures and videos, of videos alone, still remembered.

    Of those written, `reasoning_tokens` are a Thinking model's thoughts with the mark that ends them.
    """

    prompt_tokens: int
    completion_tokens: int
    visual_tokens: int = 0
    video_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True)
class Likely:
    """A token that could have been written: its bytes, and the natural logarithm of its probability."""

    bytes: bytes
    logprob: float


@dataclass(frozen=True)
class Chosen(Likely):
    """A token that was written, and the `likeliest` in its place, best first.

    Probabilities are the model's own, before temperature, penalties, cuts and shape.
    """

    likeliest: tuple[Likely, ...] = ()


@dataclass(frozen=True)
class Seen:
    """What the model saw of a picture or video, so that coordinates can be read: geometry, no pixels.

    `tokens` is how many visual tokens it took, None where a server does not tell.
    """

    kind: str
    original: Size
    resized: Size
    boxes: str  # the dialect coordinates are written in: ModelSpec.boxes
    times: tuple[float, ...] = ()
    name: str | None = None
    tokens: int | None = None


@dataclass(frozen=True)
class Delta:
    """A piece of an answer as it is written. The last one carries `finish_reason` and `usage`.

    The first one carries the prompt's tokens as `read` where `prompt_logprobs` asked for them: how likely
    each was after those before it. The first token stands after nothing, and its log-probability is 0.
    """

    text: str
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    seen: tuple[Seen, ...] = ()
    chosen: tuple[Chosen, ...] = ()  # the tokens of this piece, where log-probabilities were asked for
    read: tuple[Chosen, ...] = ()


THOUGHTS_END = "</think>"


@dataclass(frozen=True)
class Answer:
    """A whole answer. Its text is all that was written: a Thinking model's begins with its `thoughts`.

    Where `logprobs` asked for them, `chosen` are the tokens of the text, and with `prompt_logprobs` `read`
    those of the prompt, as `Delta` has them.
    """

    text: str
    finish_reason: FinishReason
    usage: Usage
    seen: tuple[Seen, ...] = ()
    chosen: tuple[Chosen, ...] = ()
    read: tuple[Chosen, ...] = ()

    def __str__(self) -> str:
        return self.text

    @property
    def thoughts(self) -> str:
        """What was thought before it was said, without the mark that ends it; empty where nothing was."""
        return self.text.rpartition(THOUGHTS_END)[0].strip("\n")

    @property
    def said(self) -> str:
        """The text after the thoughts: where answers are looked for."""
        if THOUGHTS_END not in self.text:
            return self.text
        return self.text.rpartition(THOUGHTS_END)[2].lstrip("\n")


@runtime_checkable
class Responder(Protocol):
    """Anything that answers a conversation."""

    def stream(self, spoken: Sequence[Message], options: Options) -> Iterator[Delta]:
        """Answer piece by piece. Joined, the pieces are the whole text."""
        ...


Whole = TypeVar("Whole", bound=Answer)


class Gathering(Generic[Whole]):
    """The pieces of one answer so far, which becomes one of `kind`."""

    def __init__(self, kind: type[Whole]) -> None:
        self._kind = kind
        self._texts: list[str] = []
        self._chosen: list[Chosen] = []
        self._read: tuple[Chosen, ...] = ()

    def take(self, delta: Delta) -> Whole | None:
        """Take the next piece; the answer, with the last one."""
        self._texts.append(delta.text)
        self._chosen += delta.chosen
        self._read = self._read or delta.read
        if delta.finish_reason is None or delta.usage is None:
            return None
        text, chosen = "".join(self._texts), tuple(self._chosen)
        return self._kind(text, delta.finish_reason, delta.usage, delta.seen, chosen, self._read)


@overload
def whole(deltas: Iterator[Delta]) -> Answer: ...
@overload
def whole(deltas: Iterator[Delta], kind: type[Whole]) -> Whole: ...
def whole(deltas: Iterator[Delta], kind: type[Answer] = Answer) -> Answer:
    """Gather a stream into one answer."""
    gathering = Gathering(kind)
    for delta in deltas:
        if (answer := gathering.take(delta)) is not None:
            return answer
    raise RuntimeError("the stream ended without a finish reason")


def full_name(source: MediaSource) -> str:
    """What a media source is called where programs read it: a path as it was given; a data: URL is cut."""
    is_path = isinstance(source, Path) or (isinstance(source, str) and source[:5].lower() != "data:")
    return str(source) if is_path else source_name(source)


def source_name(source: MediaSource) -> str:
    """How to call a media source in a sentence to a person."""
    if isinstance(source, (str, Path)):
        name = str(source)
        return name if len(name) <= 120 else f"{name[:60]}…{name[-20:]}"
    return f"<{type(source).__name__}>"
