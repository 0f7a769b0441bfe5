"""A server's no, of whatever shape, as the error of ours that means the same."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
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
    OmmaError,
    OutOfMemory,
    PromptTooLong,
    TooLarge,
    UnknownModel,
    UnknownOption,
    Unreachable,
)

# The codes of our own server, some of which are OpenAI's.
_CODES: Mapping[str, type[OmmaError]] = {
    "context_length_exceeded": PromptTooLong,
    "invalid_image": BadPicture,
    "invalid_video": BadVideo,
    "invalid_url": BadAddress,
    "invalid_message": BadMessage,
    "invalid_schema": BadShape,
    "invalid_value": UnknownOption,
    "unknown_parameter": UnknownOption,
    "request_too_large": TooLarge,
    "model_not_found": UnknownModel,
    "out_of_memory": OutOfMemory,
}
_TOO_LONG = re.compile(r"context length|context window|maximum model length|too many tokens", re.IGNORECASE)
LONGEST = 600  # letters of a server's words that are passed on


def refusal(status: int, headers: Mapping[str, str], body: bytes, server: str) -> OmmaError:
    """The error for an answer that is none: its kind by status and code, its words the server's own."""
    words, code = told(body)
    said = f"{server} answers {status}" + (f": {words}" if words else "")
    if status in (401, 403):
        return Unreachable(f"{said}; give the server's key")
    if status == 429 or (status == 503 and "retry-after" in headers and code != "interrupted"):
        return Busy(said, wait(headers.get("retry-after")))
    if kind := _CODES.get(code):
        return kind(said)
    if status == 413:
        return TooLarge(said)
    if status == 404:
        return UnknownModel(f"{said}; wanted a model and a path that the server knows")
    if 400 <= status < 500 and _TOO_LONG.search(words):
        return PromptTooLong(said)
    if 400 <= status < 500 and status != 408:
        return BadMessage(said) if status in (400, 422) else BadInput(said)
    return Interrupted(said)


def refusal_of(error: Any, server: str) -> OmmaError:
    """The error that stands in the middle of a stream, or in an answer of status 200."""
    body = json.dumps(error if isinstance(error, Mapping) and "error" in error else {"error": error}).encode()
    code = error.get("code") if isinstance(error, Mapping) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    known = isinstance(code, str) and code in _CODES
    return refusal(400 if known else status, {}, body, server)


def told(body: bytes) -> tuple[str, str]:
    """The sentence and the code in a refusal: OpenAI's form, a flat object, a detail, or plain text."""
    text = body.decode("utf-8", errors="replace").strip()
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return _short(re.sub(r"<[^>]*>", " ", text)), ""
    if isinstance(raw, Mapping) and isinstance(raw.get("error"), Mapping):
        raw = raw["error"]
    if not isinstance(raw, Mapping):
        return _short(str(raw)), ""
    words = next((raw[key] for key in ("message", "error", "detail") if raw.get(key)), "")
    if isinstance(words, list):
        words = "; ".join(_fault(one) for one in words)
    return _short(str(words)), str(raw.get("code") or "")


def _fault(one: Any) -> str:
    """One of FastAPI's faults: where, and what."""
    if not isinstance(one, Mapping):
        return str(one)
    return f"{'.'.join(map(str, one.get('loc') or ()))}: {one.get('msg', '')}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def wait(said: str | None) -> float:
    """The seconds that a Retry-After means, as a number or as a date; 1 where it says nothing."""
    if said is None:
        return 1.0
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, TypeError):
        return 1.0
