"""Every route: its method and path, the work behind it, what it takes and what it may answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel

from omma.serve import chats, continuations, responses, standing, uploads, wire, wire_items, wire_responses
from omma.serve import wire_answers as told
from omma.serve.meters import CONTENT_TYPE
from omma.serve.reply import Reply
from omma.serve.service import UPLOADS, Service
from omma.serve.visit import Receive, Visit

Work: TypeAlias = Callable[[Service, Visit, Receive, Reply], Awaitable[None]]

# Why a request may be refused, by status; each route names those that it can come to.
REFUSALS = {
    400: "The request is not understood, or asks for what cannot be done; `param` names the place.",
    401: "A key is missing, or is not known.",
    403: "A page of another site asks.",
    404: "There is no such model, or no such route.",
    405: "The route does not know this method.",
    408: "The body came too slowly.",
    413: "The body, or what it shows, is too large.",
    415: "The body is of another type than this route takes.",
    421: "The server has another name.",
    429: "Too much is asked at once; Retry-After says when to come again.",
    500: "A fault of the server.",
    501: "The server lacks a part that this needs.",
    503: "The server is being stopped, or what was answering died; ask again.",
    504: "The answer took too long.",
    507: "This machine has not the memory for it.",
}
# A piece of a stream: `data` is JSON in OpenAI's form, or [DONE].
EVENT = {
    "type": "object",
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
    "required": ["data"],
}
READS = (401, 403, 421, 500, 503)
TAKES = (400, 401, 403, 404, 408, 413, 415, 421, 429, 500, 501, 503, 504, 507)


@dataclass(frozen=True)
class Route:
    """A route. `body` is read as JSON by a model; `raw` says that it is bytes of a medium."""

    method: str
    path: str
    work: Work
    summary: str
    answer: type[BaseModel] | str
    refusals: tuple[int, ...] = READS
    body: type[BaseModel] | None = None
    raw: bool = False
    streams: bool = False
    parameters: tuple[str, ...] = ()

    @property
    def responses(self) -> dict[int, dict[str, Any]]:
        """What it may answer, for the document."""
        told_here: dict[int, dict[str, Any]] = {200: {"description": "The answer."}}
        if isinstance(self.answer, str):
            told_here[200]["content"] = {self.answer: {"schema": {"type": "string"}}}
        else:
            told_here[200]["model"] = self.answer
        if self.streams:
            told_here[200]["content"] = {"text/event-stream": {"schema": EVENT}}
        for status in self.refusals:
            told_here[status] = {"model": told.ErrorBody, "description": REFUSALS[status]}
        return told_here

    @property
    def extra(self) -> dict[str, Any]:
        """Its body and its path's parts, for the document."""
        said: dict[str, Any] = {}
        if self.parameters:
            said["parameters"] = [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
                for name in self.parameters
            ]
        content: dict[str, Any] = {}
        if self.body is not None:
            content["application/json"] = {"schema": {"$ref": f"#/components/schemas/{self.body.__name__}"}}
        if self.raw:
            for kind in ("image/*", "video/*", "application/octet-stream"):
                content[kind] = {"schema": {"type": "string", "format": "binary"}}
        if content:
            said["requestBody"] = {"required": True, "content": content}
        return said


ROUTES = (
    Route(
        "POST",
        "/v1/chat/completions",
        chats.chat,
        "Answer a conversation, whole or as a stream.",
        told.ChatCompletion,
        TAKES,
        wire.ChatRequest,
        streams=True,
    ),
    Route(
        "POST",
        "/v1/responses",
        responses.response,
        "Answer a conversation in OpenAI's newer form; nothing is kept.",
        wire_items.ResponseObject,
        TAKES,
        wire_responses.ResponseRequest,
        streams=True,
    ),
    Route(
        "POST",
        "/v1/completions",
        continuations.completion,
        "Continue words as they are, without a conversation's form.",
        told.Completion,
        TAKES,
        wire.CompletionRequest,
        streams=True,
    ),
    Route(
        "POST",
        "/v1/cost",
        chats.cost,
        "What a conversation would take; nothing is run.",
        told.CostPreview,
        TAKES,
        wire.ChatRequest,
    ),
    Route(
        "POST",
        UPLOADS,
        uploads.upload,
        "Keep a picture or video, to be shown as media:ID.",
        told.KeptMedium,
        tuple(status for status in TAKES if status not in (404, 507)),
        raw=True,
    ),
    Route(
        "GET",
        f"{UPLOADS}/{{id}}",
        uploads.kept,
        "What is kept under an id, and until when.",
        told.KeptMedium,
        (*READS, 404, 501),
        parameters=("id",),
    ),
    Route(
        "DELETE",
        f"{UPLOADS}/{{id}}",
        uploads.forget,
        "Forget an upload now.",
        told.ForgottenMedium,
        (*READS, 404, 501),
        parameters=("id",),
    ),
    Route("GET", "/v1/models", standing.models, "The models that answer here.", told.ModelList),
    Route(
        "GET",
        "/v1/models/{model:path}",
        standing.model,
        "One model.",
        told.ModelEntry,
        (*READS, 404),
        parameters=("model",),
    ),
    Route(
        "GET",
        "/healthz",
        standing.alive,
        "The server is alive; no key is asked.",
        told.Alive,
        (403, 421, 500),
    ),
    Route("GET", "/readyz", standing.ready, "The models are ready.", told.Ready, READS),
    Route("GET", "/metrics", standing.metrics, "Counters and times, for Prometheus.", CONTENT_TYPE),
)
