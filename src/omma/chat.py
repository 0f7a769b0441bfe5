"""What people say: parts, messages, options, and what comes back. No torch, no file is opened here.

The wire form is OpenAI's chat messages; `messages` reads it. A `Responder` is anything that answers:
an engine in this process or a URL; skills, evaluation and agents know only this protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from omma.errors import BadMessage, UnknownOption
from omma.sample import Size
from omma.shape import Shape

Role: TypeAlias = Literal["system", "user", "assistant"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant")

LOW_DETAIL = 512 * 512  # pixels of a picture that is shown in low detail

# A picture or video may be named (str, Path), be bytes, or be an open PIL picture or array (H, W, 3) uint8.
MediaSource: TypeAlias = Any


@dataclass(frozen=True)
class Text:
    """Words. They never turn into markup, whatever they hold; Qwen-VL's tags of places are words to it."""

    text: str


@dataclass(frozen=True)
class Image:
    """A picture, not yet opened. Limits in pixels (area) override the model's own; None keeps them."""

    source: MediaSource
    min_pixels: int | None = None
    max_pixels: int | None = None


@dataclass(frozen=True)
class Video:
    """A video, not yet opened. `fps` is the rate it is sampled at; `start` and `stop` cut it, in seconds."""

    source: MediaSource
    fps: float | None = None
    max_frames: int | None = None
    start: float | None = None
    stop: float | None = None
    max_pixels: int | None = None


Part: TypeAlias = Text | Image | Video


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The words of the turn, pictures left out."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


def message(role: Role, *parts: Part | str) -> Message:
    """Say something: ``message("user", Image("a.png"), "What is this?")``."""
    return Message(role, tuple(Text(part) if isinstance(part, str) else part for part in parts))


Spoken: TypeAlias = Sequence[Message | Mapping[str, Any]]


def messages(spoken: Spoken) -> tuple[Message, ...]:
    """Read a conversation in OpenAI's form, or in ours, or mixed. Raises BadMessage naming the place.

    A picture's `detail` "low" is a `max_pixels` of LOW_DETAIL; "high" and "auto" are the model's own limits.
    What would not be read is refused, a message's `name` too: no template has a place for it.
    """
    if isinstance(spoken, (str, bytes, Mapping)) or not isinstance(spoken, Sequence):
        raise BadMessage(
            f"messages is {type(spoken).__name__}; wanted a list of messages with a role and a content"
        )
    if not spoken:
        raise BadMessage("messages is empty; say at least one thing")
    return tuple(m if isinstance(m, Message) else _message(m, f"messages[{i}]") for i, m in enumerate(spoken))


def _message(raw: Any, where: str) -> Message:
    if not isinstance(raw, Mapping):
        raise BadMessage(f"{where} is {type(raw).__name__}; wanted an object with 'role' and 'content'")
    role = raw.get("role")
    if role not in ROLES:
        raise BadMessage(f"{where}.role is {role!r}; wanted one of {', '.join(ROLES)}")
    if unread := set(raw) - {"role", "content"}:
        raise BadMessage(
            f"{where} has {', '.join(sorted(map(str, unread)))}, which nobody reads; take it out"
        )
    content = raw.get("content")
    if isinstance(content, str):
        return Message(role, (Text(content),))
    if not isinstance(content, Sequence) or isinstance(content, (bytes, Mapping)):
        raise BadMessage(f"{where}.content is {type(content).__name__}; wanted text or a list of parts")
    return Message(role, tuple(_part(p, f"{where}.content[{i}]") for i, p in enumerate(content)))


def _part(raw: Any, where: str) -> Part:
    if isinstance(raw, (Text, Image, Video)):
        return raw
    if not isinstance(raw, Mapping):
        raise BadMessage(f"{where} is {type(raw).__name__}; wanted an object with a 'type'")
    match raw.get("type"):
        case "text":
            text = raw.get("text")
            if not isinstance(text, str):
                raise BadMessage(f"{where}.text is {type(text).__name__}; wanted text")
            _read_all(raw, {"type", "text"}, where)
            return Text(text)
        case "image_url" | "image":
            source, limits = _media(raw, "image", where)
            _read_all(limits, {"min_pixels", "max_pixels", "detail"}, where)
            return Image(source, limits.get("min_pixels"), _most_pixels(limits, where))
        case "video_url" | "video":
            source, limits = _media(raw, "video", where)
            known = {"fps", "max_frames", "start", "stop", "max_pixels"}
            _read_all(limits, known, where)
            return Video(source, **{name: limits.get(name) for name in known})
        case other:
            raise BadMessage(f"{where}.type is {other!r}; wanted text, image_url or video_url")


def _most_pixels(limits: Mapping[str, Any], where: str) -> Any:
    """The most pixels of a picture, as its `max_pixels` or its `detail` say."""
    most, detail = limits.get("max_pixels"), limits.get("detail")
    if detail not in (None, "low", "high", "auto"):
        raise BadMessage(f"{where}.detail is {detail!r}; wanted low, high or auto")
    if detail == "low" and most is not None:
        raise BadMessage(f"{where} has detail low and max_pixels, which say two things; take one out")
    return LOW_DETAIL if detail == "low" else most


def _media(raw: Mapping[str, Any], kind: str, where: str) -> tuple[MediaSource, dict[str, Any]]:
    """Take a media part apart: what is shown, and the limits beside it."""
    key = raw["type"]
    body = raw.get(key)
    if isinstance(body, Mapping):
        source, limits = body.get("url"), {k: v for k, v in body.items() if k != "url"}
    else:
        source, limits = body, {}
    if source is None:
        raise BadMessage(f"{where}.{key} is missing; wanted a path, a data: URL, bytes or an open {kind}")
    beside = {k: v for k, v in raw.items() if k not in ("type", key)}
    if twice := sorted(limits.keys() & beside.keys()):
        raise BadMessage(f"{where} has {', '.join(twice)} twice, inside {key} and beside it; take one out")
    return source, limits | beside


def _read_all(raw: Mapping[str, Any], known: set[str], where: str) -> None:
    if unread := set(raw) - known:
        raise BadMessage(
            f"{where} has {', '.join(sorted(map(str, unread)))}, which nobody reads; "
            f"known: {', '.join(sorted(known))}"
        )


@dataclass(frozen=True)
class Options:
    """How to answer. None means: as the model's generation_config says, and greedy where it says nothing.

    `temperature` ≥ 0 (0 is greedy), `top_p` and `min_p` in [0, 1], `top_k` ≥ 0 (0 is off),
    `repetition_penalty` > 0 (1 is off), `presence_penalty` and `frequency_penalty` in [-2, 2], `seed` fixes
    the draws, `logprobs` is how many likeliest tokens are told beside each, `shape` is what the text has to
    be, `stop` are strings at which it ends (they are not part of it), `max_tokens` ≥ 1.
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
                raise UnknownOption(f"{name} is {value!r}; wanted {noun} from {low:g} to {high:g}")
        if self.shape is not None and not isinstance(self.shape, Shape):
            raise UnknownOption(f"shape is {self.shape!r}; wanted one of omma.shape, such as Schema(…)")
        if not isinstance(self.stop, (tuple, list)):
            raise UnknownOption(f"stop is {self.stop!r}; wanted a tuple of texts")
        if any(not isinstance(text, str) or not text for text in self.stop):
            raise UnknownOption(
                "stop holds something that is not text, or is empty; wanted texts of a letter or more"
            )


# "loop": the same words came again and again, and the answer was ended there.
FinishReason: TypeAlias = Literal["stop", "length", "loop"]


@dataclass(frozen=True)
class Usage:
    """Tokens read and written; of those read: of pictures and videos, of videos alone, still remembered."""

    prompt_tokens: int
    completion_tokens: int
    visual_tokens: int = 0
    video_tokens: int = 0
    cached_tokens: int = 0


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
    """What the model saw of a picture or video, so that coordinates can be read: geometry, no pixels."""

    kind: str
    original: Size
    resized: Size
    boxes: str  # the dialect coordinates are written in: ModelSpec.boxes
    times: tuple[float, ...] = ()
    name: str | None = None


@dataclass(frozen=True)
class Delta:
    """A piece of an answer as it is written. The last one carries `finish_reason` and `usage`."""

    text: str
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    seen: tuple[Seen, ...] = ()
    chosen: tuple[Chosen, ...] = ()  # the tokens of this piece, where log-probabilities were asked for


THOUGHTS_END = "</think>"


@dataclass(frozen=True)
class Answer:
    """A whole answer. Its text is all that was written: a Thinking model's begins with its `thoughts`."""

    text: str
    finish_reason: FinishReason
    usage: Usage
    seen: tuple[Seen, ...] = ()

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


def whole(deltas: Iterator[Delta]) -> Answer:
    """Gather a stream into one Answer."""
    texts: list[str] = []
    for delta in deltas:
        texts.append(delta.text)
        if delta.finish_reason is not None and delta.usage is not None:
            return Answer("".join(texts), delta.finish_reason, delta.usage, delta.seen)
    raise RuntimeError("the stream ended without a finish reason")


def source_name(source: MediaSource) -> str:
    """How to call a media source in a sentence to a person."""
    if isinstance(source, (str, Path)):
        name = str(source)
        return name if len(name) <= 120 else f"{name[:60]}…{name[-20:]}"
    return f"<{type(source).__name__}>"
