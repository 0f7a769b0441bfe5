"""What a client may send to /v1/chat/completions, /v1/completions and /v1/cost: OpenAI's form, read strictly.

A field that nobody reads is an error, but for those in IGNORED: they change nothing about an answer, the
official clients send them, and the answer names those it met.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, JsonValue, Tag
from pydantic_core import PydanticCustomError

IGNORED = (
    "user",
    "safety_identifier",
    "store",
    "metadata",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prediction",
)

MOST_CHOICES = 16
MOST_TOOLS = 64
LONGEST = 1_000_000  # tokens of an answer

Word: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
ToolName: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


def _no_number(raw: Any) -> Any:
    """0 is no false."""
    if raw is not None and not isinstance(raw, bool):
        raise PydanticCustomError("bool_type", "true or false")
    return raw


No: TypeAlias = Annotated[Literal[False] | None, BeforeValidator(_no_number)]
Pixels: TypeAlias = Annotated[int, Field(ge=1, le=2**31)]


class Wire(BaseModel):
    """Read as it stands: no number out of a text, no field that nobody knows."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class TextPart(Wire):
    """Words."""

    type: Literal["text"]
    text: str


class PictureSource(Wire):
    """A picture: a data: URL, `media:ID` of an upload, or an address where the server fetches those.

    `detail` low is at most 512 × 512 pixels of area and never more than the model's own limit; all others
    are the model's own limits. `min_pixels` and `max_pixels` are limits of area instead of those.
    """

    url: Annotated[str, Field(min_length=1)]
    detail: Literal["auto", "low", "high", "original"] | None = None
    min_pixels: Pixels | None = None
    max_pixels: Pixels | None = None


class PicturePart(Wire):
    """A picture."""

    type: Literal["image_url"]
    image_url: PictureSource


class VideoSource(Wire):
    """A video, given as pictures are; it is sampled `fps` times a second, from `start` to `stop` seconds."""

    url: Annotated[str, Field(min_length=1)]
    fps: Annotated[float, Field(gt=0, le=120)] | None = None
    max_frames: Annotated[int, Field(ge=1, le=100_000)] | None = None
    start: Annotated[float, Field(ge=0, le=1e6)] | None = None
    stop: Annotated[float, Field(ge=0, le=1e6)] | None = None
    max_pixels: Pixels | None = None


class VideoPart(Wire):
    """A video."""

    type: Literal["video_url"]
    video_url: VideoSource


def _words_or_parts(raw: Any) -> str:
    return "parts" if isinstance(raw, (list, tuple)) else "words"


Part: TypeAlias = Annotated[TextPart | PicturePart | VideoPart, Field(discriminator="type")]
Words: TypeAlias = Annotated[str, Tag("words")]
Texts: TypeAlias = Annotated[
    Words | Annotated[list[TextPart], Field(min_length=1), Tag("parts")], Discriminator(_words_or_parts)
]
Parts: TypeAlias = Annotated[
    Words | Annotated[list[Part], Field(min_length=1), Tag("parts")], Discriminator(_words_or_parts)
]


class CalledFunction(Wire):
    """A function that was called, its arguments as JSON in a text."""

    name: ToolName
    arguments: str


class CalledTool(Wire):
    """A tool that the assistant called."""

    id: Annotated[str, Field(min_length=1, max_length=256)]
    type: Literal["function"]
    function: CalledFunction


class SystemMessage(Wire):
    """What the assistant is told beforehand; "developer" means the same."""

    role: Literal["system", "developer"]
    content: Texts


class UserMessage(Wire):
    """What a person says and shows."""

    role: Literal["user"]
    content: Parts


class AssistantMessage(Wire):
    """What the assistant said. Fields that answers of OpenAI have may come back, empty."""

    role: Literal["assistant"]
    content: Texts | None = None
    reasoning_content: str | None = None
    tool_calls: Annotated[list[CalledTool], Field(min_length=1)] | None = None
    refusal: None = None
    audio: None = None
    function_call: None = None
    annotations: Annotated[list[JsonValue], Field(max_length=0)] | None = None


class ToolMessage(Wire):
    """What a tool gave back."""

    role: Literal["tool"]
    tool_call_id: Annotated[str, Field(min_length=1, max_length=256)]
    content: Texts


Message: TypeAlias = Annotated[
    SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]


class Function(Wire):
    """A function that may be called. Calls are held to `parameters` always, `strict` or not."""

    name: ToolName
    description: str | None = None
    parameters: dict[str, JsonValue] | None = None
    strict: bool | None = None


class Tool(Wire):
    """A tool that may be called."""

    type: Literal["function"]
    function: Function


class NamedFunction(Wire):
    """A function by its name."""

    name: ToolName


class NamedTool(Wire):
    """The tool that has to be called."""

    type: Literal["function"]
    function: NamedFunction


def _mode_or_name(raw: Any) -> str:
    return "mode" if isinstance(raw, str) else "name"


ToolChoice: TypeAlias = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("mode")] | Annotated[NamedTool, Tag("name")],
    Discriminator(_mode_or_name),
]


class TextFormat(Wire):
    """Any text."""

    type: Literal["text"]


class ObjectFormat(Wire):
    """Any JSON object."""

    type: Literal["json_object"]


class NamedSchema(Wire):
    """A JSON Schema with a name. Answers are held to it always, `strict` or not."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)

    name: Word
    description: str | None = None
    held_to: Annotated[dict[str, JsonValue], Field(alias="schema")]
    strict: bool | None = None


class SchemaFormat(Wire):
    """JSON of a schema."""

    type: Literal["json_schema"]
    json_schema: NamedSchema


Format: TypeAlias = Annotated[TextFormat | ObjectFormat | SchemaFormat, Field(discriminator="type")]


class StreamOptions(Wire):
    """With `include_usage` a last piece without choices tells the usage."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


def _one_or_many(raw: Any) -> str:
    return "many" if isinstance(raw, (list, tuple)) else "one"


Stop: TypeAlias = Annotated[str, Field(min_length=1, max_length=1024)]
Stops: TypeAlias = Annotated[
    Annotated[Stop, Tag("one")] | Annotated[list[Stop], Field(max_length=16), Tag("many")],
    Discriminator(_one_or_many),
]
Tokens: TypeAlias = Annotated[int, Field(ge=1, le=LONGEST)]


class Sampling(Wire):
    """How to draw tokens; what is left out is as the model's own settings say. `top_k` 0 is off.

    `top_k`, `min_p`, `repetition_penalty` and `regex` are omma's own, beside OpenAI's, and of its newer forms
    `seed` and the penalties too. What stands in IGNORED changes nothing.
    """

    model: str | None = None
    stream: bool | None = None
    temperature: Annotated[float, Field(ge=0, le=100)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Field(ge=0.01, le=100)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1 - MOST_CHOICES)] | None = None
    regex: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None

    @property
    def ignored(self) -> list[str]:
        """Fields that were given and change nothing."""
        return [name for name in IGNORED if getattr(self, name, None) is not None]


class Choosing(Sampling):
    """`n` answers to one request, each ending at a `stop` or after so many tokens."""

    stream_options: StreamOptions | None = None
    max_tokens: Tokens | None = None
    n: Annotated[int, Field(ge=1, le=MOST_CHOICES)] | None = None
    stop: Stops | None = None
    logit_bias: Annotated[dict[str, float], Field(max_length=0)] | None = None
    prediction: JsonValue | None = None


class ChatRequest(Choosing):
    """A conversation to be answered."""

    messages: Annotated[list[Message], Field(min_length=1)]
    max_completion_tokens: Tokens | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: Format | None = None
    tools: Annotated[list[Tool], Field(max_length=MOST_TOOLS)] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    modalities: list[Literal["text"]] | None = None


class CompletionRequest(Choosing):
    """Words to be continued as they are, without a conversation's form."""

    prompt: Annotated[str, Field(min_length=1)]
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    echo: No = None
    best_of: Annotated[int, Field(ge=1, le=1)] | None = None
    suffix: None = None
