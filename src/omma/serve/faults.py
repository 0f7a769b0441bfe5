"""No, as HTTP says it: every error becomes a status, a sentence, a type and a code in OpenAI's form."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from omma.errors import (
    BadAddress,
    BadInput,
    BadMessage,
    BadPicture,
    BadShape,
    BadVideo,
    Busy,
    Interrupted,
    MissingExtra,
    OmmaError,
    OutOfMemory,
    PromptTooLong,
    TooLarge,
    UnknownModel,
    UnknownOption,
)

ONCE = {"x-should-retry": "false"}  # the official clients do not ask again where this stands


class Refused(Exception):
    """A request that is not answered: its text is one sentence fit for a person.

    `code` is a word for programs, `param` the field of the request that is wrong, as ``messages[0].content``.
    """

    def __init__(
        self,
        status: int,
        text: str,
        *,
        code: str,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text)
        self.status, self.code, self.param = status, code, param
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        """The answer's body."""
        error = {"message": str(self), "type": kind_of(self.status), "param": self.param, "code": self.code}
        return {"error": error}

    @property
    def raw(self) -> bytes:
        """The answer's body as JSON."""
        return json.dumps(self.body, ensure_ascii=False).encode()


def kind_of(status: int) -> str:
    """OpenAI's type of an error by its status."""
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    return kinds.get(status, "invalid_request_error" if status < 500 else "server_error")


# The first kind that fits is taken: a status, a code, and headers.
_TABLE: tuple[tuple[type[OmmaError], int, str, Mapping[str, str]], ...] = (
    (TooLarge, 413, "request_too_large", {}),
    (PromptTooLong, 400, "context_length_exceeded", {}),
    (BadPicture, 400, "invalid_image", {}),
    (BadVideo, 400, "invalid_video", {}),
    (BadAddress, 400, "invalid_url", {}),
    (BadMessage, 400, "invalid_message", {}),
    (BadShape, 400, "invalid_schema", {}),
    (UnknownOption, 400, "invalid_value", {}),
    (BadInput, 400, "invalid_request", {}),
    (UnknownModel, 404, "model_not_found", {}),
    (Busy, 429, "rate_limit_exceeded", {}),
    (Interrupted, 503, "interrupted", {"retry-after": "1"}),
    (OutOfMemory, 507, "out_of_memory", ONCE),
    (MissingExtra, 501, "not_installed", ONCE),
)


def refusal(error: BaseException, *, param: str | None = None) -> Refused:
    """An error as it is told. What is no one's to know (a fault of ours) is told without its details."""
    if isinstance(error, Refused):
        return error
    for kind, status, code, headers in _TABLE:
        if isinstance(error, kind):
            more = {"retry-after": str(wait(error.retry_after))} if isinstance(error, Busy) else {}
            return Refused(status, str(error), code=code, param=param, headers={**headers, **more})
    text = "something went wrong inside the server; its log has the details under this request's id"
    return Refused(500, text, code="internal_error", headers=ONCE)


def wait(seconds: float) -> int:
    """Whole seconds for Retry-After: at least one."""
    return max(1, math.ceil(seconds))
