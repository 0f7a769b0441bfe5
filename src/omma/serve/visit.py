"""One request on its way through the server: who asks for what, since when, and what is told of it."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
HEADER_LIMIT = 8192  # characters of one header's value that are looked at


@dataclass
class Visit:
    """A request. `notes` go into its line of the log: numbers and names, never what was said or shown.

    `stages` are seconds by stage, `stopping` says that the server is being stopped, `cut` that it waits for
    this answer no longer. `shape_at` and `shown_at` are the places in the request of what its answer is held
    to, and of each picture and video.
    """

    id: str
    method: str
    path: str
    headers: Mapping[str, str]
    tenant: str = ""
    route: str = ""
    began: float = field(default_factory=time.monotonic)
    notes: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    stopping: bool = False
    cut: bool = False
    shape_at: str | None = None
    shown_at: tuple[str, ...] = ()
    status: int = 0

    @classmethod
    def of(cls, scope: Scope) -> Visit:
        """The visit that a scope begins. A request id of the client is taken if it is short and plain."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        wanted = headers.get("x-request-id", "")
        name = wanted if _ID.fullmatch(wanted) else f"req-{secrets.token_hex(12)}"
        return cls(name, scope["method"], scope["path"], headers)

    @property
    def seconds(self) -> float:
        """Since its beginning."""
        return time.monotonic() - self.began

    def size(self, limit: int) -> int:
        """Bytes of its body as they are stated, the limit where they are not."""
        stated = self.headers.get("content-length", "")
        return min(int(stated[:20]), limit) if stated.isdecimal() else limit
