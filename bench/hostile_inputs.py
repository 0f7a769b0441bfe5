"""What a hostile client sends, as a table: each input with its wanted status and a piece of the sentence.

Every input goes over a connection of its own, spelled byte by byte: no client library stands between.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

# Bytes that are sent, or seconds that pass before the next.
Step: TypeAlias = bytes | float
SILENT = 0  # the status of a connection that is closed without a word


@dataclass(frozen=True)
class Target:
    """The server under attack: the attacker's own key, and the id of an upload of someone else."""

    host: str
    port: int
    key: str
    strange: str = "0" * 40


@dataclass(frozen=True)
class Attack:
    """An input. `status` None: the sender leaves and hears nothing. `within` is its deadline in seconds."""

    name: str
    status: int | None
    says: str
    send: Callable[[Target], Iterable[Step]]
    within: float = 20.0


def head(
    target: Target, path: str = "/v1/chat/completions", method: str = "POST", **more: str | None
) -> bytes:
    """A request's head. Underscores in names are hyphens; None leaves a header out."""
    told: dict[str, str | None] = {
        "host": f"{target.host}:{target.port}",
        "authorization": f"Bearer {target.key}",
        "content-type": "application/json",
        "connection": "close",
    }
    told |= {name.replace("_", "-"): value for name, value in more.items()}
    lines = [
        f"{method} {path} HTTP/1.1",
        *(f"{name}: {text}" for name, text in told.items() if text is not None),
    ]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


def sent(
    body: bytes, path: str = "/v1/chat/completions", **more: str | None
) -> Callable[[Target], list[Step]]:
    """A whole request with a body."""
    return lambda target: [head(target, path, "POST", content_length=str(len(body)), **more), body]


def asked(path: str, method: str = "GET", **more: str | None) -> Callable[[Target], list[Step]]:
    """A request without a body."""
    return lambda target: [head(target, path, method, content_type=None, **more)]


def chat(content: Any, **more: Any) -> bytes:
    """The body of a question."""
    return json.dumps({"messages": [{"role": "user", "content": content}], "max_tokens": 1, **more}).encode()


def said(content: Any, **more: Any) -> Callable[[Target], list[Step]]:
    """A question."""
    return sent(chat(content, **more))


def shown(url: str, kind: str = "image") -> Callable[[Target], list[Step]]:
    """A question about what an address names."""
    return said([{"type": f"{kind}_url", f"{kind}_url": {"url": url}}])


def data(make: Callable[[], bytes], kind: str = "image") -> Callable[[Target], list[Step]]:
    """A question about bytes, which are made when they are needed."""
    return lambda target: shown(f"data:{kind}/x;base64," + base64.b64encode(make()).decode(), kind)(target)
