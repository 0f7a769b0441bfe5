"""What is answered, described: the OpenAPI document is made of these, and tests hold answers to them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Told(BaseModel):
    """An object with these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class Fault(Told):
    """What is wrong: a sentence, its kind, the field of the request, and a word for programs."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(Told):
    """Every answer that is no success."""

    error: Fault


class TokenDetails(Told):
    """What a prompt's tokens stand for; those `cached` were known already."""

    text_tokens: int
    image_tokens: int
    video_tokens: int
    cached_tokens: int


class WrittenDetails(Told):
    """Of what was written, a Thinking model's thoughts."""

    reasoning_tokens: int


class ChatUsage(Told):
    """Tokens read and written."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: TokenDetails
    completion_tokens_details: WrittenDetails


class LikelyToken(Told):
    """A token, and the natural logarithm of its probability."""

    token: str
    logprob: float
    bytes: list[int]


class ChosenToken(LikelyToken):
    """A token that was written, and the likeliest in its place."""

    top_logprobs: list[LikelyToken]


class Logprobs(Told):
    """Tokens of an answer's words."""

    content: list[ChosenToken]
    refusal: None


class FunctionCall(Told):
    """A function and its arguments as JSON in a text."""

    name: str
    arguments: str


class ToolCall(Told):
    """A call of a tool."""

    id: str
    type: Literal["function"]
    function: FunctionCall


class AnswerMessage(Told):
    """What the assistant says; `reasoning_content` is what a Thinking model thought before."""

    role: Literal["assistant"]
    content: str | None
    refusal: None
    reasoning_content: str | None = None
    tool_calls: list[ToolCall] | None = None


class ChatChoice(Told):
    """One answer. "length" also ends an answer that ran in circles: `omma.finish_reason` says "loop" then."""

    index: int
    message: AnswerMessage
    logprobs: Logprobs | None
    finish_reason: Literal["stop", "length", "tool_calls"]


class SeenMedium(Told):
    """What was seen of a picture or video: [width, height] in pixels, visual tokens, seconds of frames."""

    kind: Literal["image", "video"]
    original: list[int]
    resized: list[int]
    dialect: str
    tokens: int | None = None
    times: list[float] | None = None


class OmmaPart(Told):
    """What OpenAI's form has no place for.

    `geometry` has for each picture and video the places in its pixels and the times in its seconds that the
    text holds; `seconds` are by stage: fetch, media, resize, encode, prefill, decode. `ignored` names fields
    that were sent and change nothing. With several choices, `choices` has the same of each.
    """

    finish_reason: Literal["stop", "length", "loop"]
    geometry: dict[str, Any] | None
    seen: list[SeenMedium]
    seconds: dict[str, float]
    ignored: list[str]
    choices: list[OmmaPart] | None = None


class ChatCompletion(Told):
    """An answer to a conversation."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage
    omma: OmmaPart


class OmmaModel(Told):
    """A model: its tokens of context, how it writes places, whether it thinks, its skills' words."""

    family: str
    context: int
    dialect: str
    thinks: bool
    calls: bool
    digest: str
    prompts: dict[str, str]


class ModelEntry(Told):
    """A model that answers here."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    omma: OmmaModel


class ModelList(Told):
    """All models that answer here."""

    object: Literal["list"]
    data: list[ModelEntry]


class CostDetails(Told):
    """What a prompt's tokens stand for."""

    text_tokens: int
    image_tokens: int
    video_tokens: int


class CostOfOne(Told):
    """What one picture or video comes to."""

    kind: Literal["image", "video"]
    original: list[int]
    resized: list[int]
    tokens: int
    frames: int


class CostPreview(Told):
    """What a prompt would take. `seconds` to the first token are a guess, null where nothing was measured."""

    object: Literal["omma.cost"]
    model: str
    prompt_tokens: int
    prompt_tokens_details: CostDetails
    context: int
    fits: bool
    seconds: float | None
    shown: list[CostOfOne]


class CompletionLogprobs(Told):
    """Tokens of a continuation, in lists side by side; an echoed prompt's first one has no probability."""

    tokens: list[str]
    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None]
    text_offset: list[int]


class CompletionChoice(Told):
    """One continuation."""

    index: int
    text: str
    logprobs: CompletionLogprobs | None
    finish_reason: Literal["stop", "length"]


class Completion(Told):
    """A text continued."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: ChatUsage
    omma: OmmaPart


class KeptMedium(Told):
    """An upload: show it as `media:ID` until it expires, in seconds since 1970."""

    id: str
    object: Literal["omma.media"]
    kind: Literal["image", "video"]
    bytes: int
    expires_at: int


class ForgottenMedium(Told):
    """An upload that is kept no longer."""

    id: str
    object: Literal["omma.media.deleted"]
    deleted: Literal[True]


class Alive(Told):
    """The server answers."""

    status: Literal["ok"]


class Ready(Told):
    """The models answer; how things stand."""

    status: Literal["ready"]
    state: dict[str, Any]
