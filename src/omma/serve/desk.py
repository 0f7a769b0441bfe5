"""What stands behind the server: orders in, what is told out. The server knows nothing else of models.

A `Desk` is an engine in this thread, processes on this machine or a fleet; the server cannot tell.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from omma.chat import Delta, Message, Options
from omma.sample import Size


@dataclass(frozen=True)
class Card:
    """A model as it is offered: its `name` in orders, its `context` in tokens, its `dialect` of places.

    `digest` tells weights apart, as hexadecimal SHA-256; `created` is in seconds since 1970. `thinks` says
    that its answers begin with thoughts, `calls` that it was taught to call tools. `prompts` are the words of
    each skill in its dialect, by name, as `skills.prompts.prompts` gives them: ``{what}`` is a wish's place.
    """

    name: str
    family: str
    context: int
    dialect: str
    thinks: bool = False
    calls: bool = True
    digest: str = ""
    created: int = 0
    prompts: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Order:
    """One conversation to be answered once.

    Media in `messages` are bytes, already fetched: never paths, never addresses. `model` is a name of one of
    the desk's cards. Caches are never shared between tenants. `name` is the request's id, for logs.
    """

    messages: tuple[Message, ...]
    options: Options
    model: str
    tenant: str = ""
    name: str = ""


@dataclass(frozen=True)
class Told:
    """A piece of an answer. The last one also says what was found where, and where the time went.

    `geometry` is fit for JSON, as `prep.geometry.geometry` makes it: for each picture or video, places in its
    original pixels and times in its seconds. `seconds` are by stage: "media" (media bytes to pixels),
    "resize", "encode", "prefill" and "decode" (of tokens); a stage that was not needed is left out. The
    server adds "fetch".
    """

    delta: Delta
    geometry: Mapping[str, Any] | None = None
    seconds: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Shown:
    """What a picture or video of an order would come to: `kind` is "image" or "video"."""

    kind: str
    original: Size
    resized: Size
    tokens: int
    frames: int = 1


@dataclass(frozen=True)
class Cost:
    """What an order's prompt would take. Nothing was run.

    Tokens of words, pictures and videos add up to the prompt; `seconds` is a guess of the time to the first
    token on this machine, None where nothing was measured yet.
    """

    text_tokens: int
    picture_tokens: int
    video_tokens: int
    context: int
    shown: tuple[Shown, ...] = ()
    seconds: float | None = None

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the whole prompt."""
        return self.text_tokens + self.picture_tokens + self.video_tokens


@runtime_checkable
class Desk(Protocol):
    """Answers orders, many at a time. Every method is called from one asyncio loop and must not block it."""

    def models(self) -> Sequence[Card]:
        """What is offered, the first one where an order does not choose. May change while serving."""
        ...

    def answer(self, order: Order) -> AsyncGenerator[Told, None]:
        """Answer piece by piece; closing it (`aclose`), or cancelling who waits, cancels within one step.

        What is wrong with the order is raised before the first piece: BadInput and its kinds, TooLarge, Busy
        with the seconds after which to come again, OutOfMemory. Interrupted may come at any time: what was
        answering died, and asked again it goes. The last piece's delta carries `finish_reason` and `usage`.
        """
        ...

    async def cost(self, order: Order) -> Cost:
        """What the prompt would take. Raises what `answer` raises for the same order.

        A prompt that is longer than the context may be counted all the same.
        """
        ...

    def state(self) -> Mapping[str, Any]:
        """How things stand: "ready" (bool), and numbers: "running", "waiting", "pages_used", "pages_free", ….

        Numbers become gauges of /metrics under their names; what is neither number nor bool is shown by
        /readyz only.
        """
        ...
