"""What a client may send to /v1/chat/completions, /v1/completions and /v1/cost: OpenAI's form, read strictly.

A field that nobody reads is an error, but for those in IGNORED: they change nothing about an answer, the
official clients send them, and the answer names those it met.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, JsonValue, Tag

from omma.serve.wire_messages import (
    AnswerParts,
    AssistantMessage,
    CalledFunction,
    CalledTool,
    InsidePicture,
    Message,
    Part,
    Parts,
    PicturePart,
    PictureSource,
    Pixels,
    RefusalPart,
    SystemMessage,
    TextPart,
    Texts,
    ToolMessage,
    ToolName,
    Turn,
    UserMessage,
    VideoPart,
    VideoSource,
    Wire,
    Word,
    Words,
)

__all__ = [
    "IGNORED", "LONGEST", "MOST_CHOICES", "MOST_TOOLS", "Allowed", "AllowedTools", "AnswerParts",
    "AssistantMessage", "CalledFunction", "CalledTool", "ChatRequest", "Choosing", "CompletionRequest",
    "Format", "Function", "InsidePicture", "Message", "NamedFunction", "NamedSchema", "NamedTool",
    "ObjectFormat",
    "Part", "Parts", "PicturePart", "PictureSource", "Pixels", "Prompt", "Prompts", "RefusalPart",
    "Sampling", "SchemaFormat", "Stop", "Stops", "StreamOptions", "SystemMessage", "TextFormat",
    "TextPart", "Texts", "Tokens", "Tool", "ToolChoice", "ToolMessage", "ToolName", "Turn",
    "UserMessage", "VideoPart", "VideoSource", "Wire", "Word", "Words", "mode_or_object",
]  # fmt: skip

IGNORED = (
    "user",
    "safety_identifier",
    "store",
    "metadata",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "prediction",
)

MOST_CHOICES = 16
MOST_TOOLS = 64
LONGEST = 1_000_000  # tokens of an answer


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


class Allowed(Wire):
    """Tools of which some may, or one must, be called."""

    mode: Literal["auto", "required"]
    tools: Annotated[list[NamedTool], Field(min_length=1, max_length=MOST_TOOLS)]


class AllowedTools(Wire):
    """Some of the tools, while the model is told of all."""

    type: Literal["allowed_tools"]
    allowed_tools: Allowed


def mode_or_object(raw: Any) -> str:
    """Which side of a union a choice is on."""
    return "mode" if isinstance(raw, str) else "name"


ToolChoice: TypeAlias = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("mode")]
    | Annotated[Annotated[NamedTool | AllowedTools, Field(discriminator="type")], Tag("name")],
    Discriminator(mode_or_object),
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

    `top_k`, `min_p`, `repetition_penalty`, `regex` and `keep_loops` (an answer that goes round in a circle is
    not ended) are omma's own, beside OpenAI's, and of its newer forms `seed` and the penalties too. What
    stands in IGNORED changes nothing.
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
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    keep_loops: bool | None = None
    regex: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    prompt_cache_options: dict[str, JsonValue] | None = None
    moderation: None = None

    @property
    def ignored(self) -> list[str]:
        """Fields that were given and change nothing."""
        return [name for name in IGNORED if getattr(self, name, None) is not None]


class Choosing(Sampling):
    """`n` answers to one request, each ending at a `stop` or after so many tokens."""

    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=MOST_CHOICES)] | None = None
    stop: Stops | None = None
    logit_bias: Annotated[dict[str, float], Field(max_length=0)] | None = None
    prediction: JsonValue | None = None


class ChatRequest(Choosing):
    """A conversation to be answered."""

    messages: Annotated[list[Message], Field(min_length=1)]
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: Format | None = None
    tools: Annotated[list[Tool], Field(max_length=MOST_TOOLS)] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    places: InsidePicture | None = None
    modalities: list[Literal["text"]] | None = None
    audio: None = None
    functions: None = None
    function_call: None = None
    reasoning_effort: None = None
    verbosity: None = None
    web_search_options: None = None


Prompt: TypeAlias = Annotated[str, Field(min_length=1)]
Prompts: TypeAlias = Annotated[
    Annotated[Prompt, Tag("one")]
    | Annotated[list[Prompt], Field(min_length=1, max_length=MOST_CHOICES), Tag("many")],
    Discriminator(_one_or_many),
]


class CompletionRequest(Choosing):
    """Words to be continued as they are, without a conversation's form; several prompts, each `n` times.

    With `echo` the prompt stands before what continues it, its tokens with log-probabilities where `logprobs`
    are asked for; `max_tokens` may be 0 then: nothing is continued, and the prompt alone is measured.
    """

    prompt: Prompts
    max_tokens: Annotated[int, Field(ge=0, le=LONGEST)] | None = None
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    echo: bool | None = None
    best_of: Annotated[int, Field(ge=1, le=1)] | None = None
    suffix: None = None
