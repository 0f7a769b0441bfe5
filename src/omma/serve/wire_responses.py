"""What a client may send to /v1/responses, OpenAI's newer form, read as strictly as the older one."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, JsonValue, Tag

from omma.serve.wire import (
    MOST_TOOLS,
    Pixels,
    RefusalPart,
    Sampling,
    Tokens,
    ToolName,
    Wire,
    Word,
    mode_or_object,
)
from omma.serve.wire_messages import InsidePicture, No, VideoWishes

Id: TypeAlias = Annotated[str, Field(min_length=1, max_length=256)]
Status: TypeAlias = Literal["in_progress", "completed", "incomplete"]


class InputText(Wire):
    """Words."""

    type: Literal["input_text"]
    text: str


class InputImage(Wire):
    """A picture: `image_url` is a data: URL, media:ID or an address; `file_id` the id of an upload."""

    type: Literal["input_image"]
    image_url: Annotated[str, Field(min_length=1)] | None = None
    file_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")] | None = None
    detail: Literal["auto", "low", "high", "original"] | None = None
    min_pixels: Pixels | None = None
    max_pixels: Pixels | None = None


class InputVideo(VideoWishes):
    """A video, as pictures are given: omma's own beside OpenAI's parts."""

    type: Literal["input_video"]
    video_url: Annotated[str, Field(min_length=1)]


class OutputText(Wire):
    """Words that the assistant said in an answer before."""

    type: Literal["output_text"]
    text: str
    annotations: list[JsonValue] | None = None
    logprobs: list[JsonValue] | None = None


InputPart: TypeAlias = Annotated[
    InputText | InputImage | InputVideo | OutputText | RefusalPart, Field(discriminator="type")
]
ShownPart: TypeAlias = Annotated[InputText | InputImage | InputVideo, Field(discriminator="type")]


def _words_or_parts(raw: Any) -> str:
    return "parts" if isinstance(raw, (list, tuple)) else "words"


InputContent: TypeAlias = Annotated[
    Annotated[str, Tag("words")] | Annotated[list[InputPart], Field(min_length=1), Tag("parts")],
    Discriminator(_words_or_parts),
]
ShownContent: TypeAlias = Annotated[
    Annotated[str, Tag("words")] | Annotated[list[ShownPart], Field(min_length=1), Tag("parts")],
    Discriminator(_words_or_parts),
]


class InputMessage(Wire):
    """A turn of the conversation. Answers' messages may come back as they were."""

    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: InputContent
    id: Id | None = None
    status: Status | None = None
    phase: str | None = None


class CalledFunction(Wire):
    """A call that the assistant made."""

    type: Literal["function_call"]
    call_id: Id
    name: ToolName
    arguments: str
    id: Id | None = None
    status: Status | None = None


class FunctionOutput(Wire):
    """What a call gave back."""

    type: Literal["function_call_output"]
    call_id: Id
    output: ShownContent
    id: Id | None = None
    status: Status | None = None


class ReasoningText(Wire):
    """A piece of thought."""

    type: Literal["reasoning_text"]
    text: str


class Reasoning(Wire):
    """What a Thinking model thought, sent back as it was answered; what others keep of theirs is ignored."""

    type: Literal["reasoning"]
    id: Id | None = None
    summary: list[JsonValue] | None = None
    content: list[ReasoningText] | None = None
    encrypted_content: str | None = None
    status: Status | None = None


def _kind(raw: Any) -> Any:
    kind = raw.get("type", "message") if isinstance(raw, dict) else getattr(raw, "type", None)
    return kind if isinstance(kind, str) else "message"


Item: TypeAlias = Annotated[
    Annotated[InputMessage, Tag("message")]
    | Annotated[CalledFunction, Tag("function_call")]
    | Annotated[FunctionOutput, Tag("function_call_output")]
    | Annotated[Reasoning, Tag("reasoning")],
    Discriminator(_kind),
]
Input: TypeAlias = Annotated[
    Annotated[str, Field(min_length=1), Tag("words")]
    | Annotated[list[Item], Field(min_length=1), Tag("parts")],
    Discriminator(_words_or_parts),
]


class PlainFormat(Wire):
    """Any text."""

    type: Literal["text"]


class AnyObjectFormat(Wire):
    """Any JSON object."""

    type: Literal["json_object"]


class NamedSchemaFormat(Wire):
    """JSON of a schema; answers are held to it always, `strict` or not."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)

    type: Literal["json_schema"]
    name: Word
    held_to: Annotated[dict[str, JsonValue], Field(alias="schema")]
    description: str | None = None
    strict: bool | None = None


class TextConfig(Wire):
    """What the text has to be."""

    format: (
        Annotated[PlainFormat | AnyObjectFormat | NamedSchemaFormat, Field(discriminator="type")] | None
    ) = None
    verbosity: None = None


class FunctionTool(Wire):
    """A function that may be called; calls are held to `parameters` always, `strict` or not."""

    type: Literal["function"]
    name: ToolName
    description: str | None = None
    parameters: dict[str, JsonValue] | None = None
    strict: bool | None = None


class NamedFunctionTool(Wire):
    """The function that has to be called."""

    type: Literal["function"]
    name: ToolName


class AllowedFunctions(Wire):
    """Functions of which some may, or one must, be called, while the model is told of all."""

    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: Annotated[list[NamedFunctionTool], Field(min_length=1, max_length=MOST_TOOLS)]


FunctionChoice: TypeAlias = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("mode")]
    | Annotated[Annotated[NamedFunctionTool | AllowedFunctions, Field(discriminator="type")], Tag("name")],
    Discriminator(mode_or_object),
]


class ResponseStreamOptions(Wire):
    """Nothing of it changes anything."""

    include_obfuscation: bool | None = None


class ResponseRequest(Sampling):
    """A conversation to be answered. Nothing is kept: `store` is ignored, `previous_response_id` refused."""

    input: Input
    instructions: str | None = None
    max_output_tokens: Tokens | None = None
    text: TextConfig | None = None
    tools: Annotated[list[FunctionTool], Field(max_length=MOST_TOOLS)] | None = None
    tool_choice: FunctionChoice | None = None
    parallel_tool_calls: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    include: list[Literal["message.output_text.logprobs", "reasoning.encrypted_content"]] | None = None
    places: InsidePicture | None = None
    truncation: Literal["disabled"] | None = None
    background: No = None
    previous_response_id: None = None
    conversation: None = None
    reasoning: None = None
    prompt: None = None
    max_tool_calls: None = None
    context_management: None = None
    stream_options: ResponseStreamOptions | None = None
