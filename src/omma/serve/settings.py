"""How a server goes: its limits, and the doors that others build for it: fetching, uploads, quotas, times."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Settings:
    """Every limit of the server, safe as it stands.

    `hosts` are the names that a Host header may have, without port (a page elsewhere that points its name at
    this machine is refused); empty allows any. Sizes are bytes, times seconds: `body` of a JSON request,
    `media` of an upload, `arriving` until a whole body is here, `deadline` from the first byte of a request
    to the last of its answer, `leaving` that answers may still take when the server is stopped. `pictures`
    and `videos` are of one conversation. `page` is the page at /, `docs` the OpenAPI document.
    """

    hosts: tuple[str, ...] = LOOPBACK
    body: int = 32 << 20
    media: int = 256 << 20
    arriving: float = 60.0
    deadline: float = 600.0
    leaving: float = 30.0
    messages: int = 2048
    pictures: int = 64
    videos: int = 8
    page: bool = True
    docs: bool = True


class Fetcher(Protocol):
    """Takes bytes from addresses of the web."""

    async def fetch(self, text: str) -> bytes:
        """The bytes behind an address. Raises BadAddress, TooLarge and Busy."""
        ...


@dataclass(frozen=True)
class Kept:
    """An upload that is kept: ask for it as ``media:ID``. `kind` is "image" or "video", `expires` in seconds
    since 1970."""

    id: str
    kind: str
    bytes: int
    expires: int


class Shelf(Protocol):
    """Keeps uploaded media for a while, each tenant's apart."""

    async def put(self, tenant: str, raw: bytes) -> Kept:
        """Keep an upload. Raises BadPicture or BadVideo (it is neither), TooLarge and Busy (no room)."""
        ...

    async def get(self, tenant: str, name: str) -> bytes:
        """The bytes that were kept under an id. Raises BadMessage: unknown, of someone else, or expired."""
        ...

    async def look(self, tenant: str, name: str) -> Kept | None:
        """What is kept under an id, if anything is, and it is this tenant's."""
        ...

    async def drop(self, tenant: str, name: str) -> bool:
        """Forget an upload now; whether there was one of this tenant."""
        ...


class Gate(Protocol):
    """Decides who is let in, before anything is read of what they send, and who is answered first."""

    def enter(self, tenant: str, size: int) -> AbstractAsyncContextManager[None]:
        """Held from a request's head to its answer's last byte; `size` is the most its body may have.

        Entering raises Busy (the tenant's share is used up, or the server's) and TooLarge.
        """
        ...

    def turn(self, tenant: str) -> AbstractAsyncContextManager[None]:
        """Held while a request is answered; entering waits until it is its turn."""
        ...

    def spend(self, tenant: str, tokens: int) -> None:
        """Count tokens that were read or written for a tenant."""
        ...
