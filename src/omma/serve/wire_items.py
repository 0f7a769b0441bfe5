"""What /v1/responses answers, described: an object of items, and the pieces they are made of."""

from __future__ import annotations

from typing import Any, Literal

from omma.serve.wire_answers import ChosenToken, OmmaPart, TokenDetails, Told, WrittenDetails


class ResponseTokenDetails(TokenDetails):
    """What a prompt's tokens stand for."""

    cache_write_tokens: int


class ResponseUsage(Told):
    """Tokens read and written."""

    input_tokens: int
    input_tokens_details: ResponseTokenDetails
    output_tokens: int
    output_tokens_details: WrittenDetails
    total_tokens: int


class IncompleteDetails(Told):
    """Why it is not whole; an answer that ran in circles was cut too: see `omma.finish_reason`."""

    reason: Literal["max_output_tokens"]


class AnswerText(Told):
    """Words."""

    type: Literal["output_text"]
    text: str
    annotations: list[Any]
    logprobs: list[ChosenToken]


class ThoughtText(Told):
    """A thought."""

    type: Literal["reasoning_text"]
    text: str


class ReasoningItem(Told):
    """What a Thinking model thought."""

    id: str
    type: Literal["reasoning"]
    summary: list[Any]
    content: list[ThoughtText]
    status: Literal["in_progress", "completed", "incomplete"]


class MessageItem(Told):
    """What the assistant said."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    status: Literal["in_progress", "completed", "incomplete"]
    content: list[AnswerText]


class CallItem(Told):
    """A call of a tool."""

    id: str
    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str
    status: Literal["in_progress", "completed", "incomplete"]


class ResponseObject(Told):
    """An answer in items, and what was asked. It is not kept: no id of it can be asked for again."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["completed", "incomplete", "in_progress"]
    background: Literal[False]
    error: None
    incomplete_details: IncompleteDetails | None
    instructions: str | None
    max_output_tokens: int | None
    metadata: dict[str, str]
    model: str
    output: list[ReasoningItem | MessageItem | CallItem]
    parallel_tool_calls: bool
    previous_response_id: None
    store: Literal[False]
    temperature: float | None
    text: dict[str, Any]
    tool_choice: str | dict[str, Any]
    tools: list[dict[str, Any]]
    top_logprobs: int
    top_p: float | None
    truncation: Literal["disabled"]
    usage: ResponseUsage | None
    omma: OmmaPart | None
