"""Pictures and videos that were uploaded once, to be shown by their id: in memory, bounded, for a while.

Nothing that a client writes names a file; there are no files. An id is made of the bytes, the tenant and a
secret of this process: the same upload has the same id again, and nobody can work out another tenant's.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from omma.errors import BadMessage, BadPicture, Busy, TooLarge
from omma.serve.settings import Kept

# What files begin with, (place, bytes): enough to send nonsense back at once. Whether they are whole is seen
# when they are decoded, in a process of its own.
_PICTURES = (
    (0, b"\x89PNG\r\n\x1a\n"),
    (0, b"\xff\xd8\xff"),
    (0, b"GIF87a"),
    (0, b"GIF89a"),
    (8, b"WEBP"),
    (0, b"BM"),
    (0, b"II*\0"),
    (0, b"MM\0*"),
    (4, b"ftypavi"),
    (4, b"ftypmif1"),
    *((0, b"P%d" % kind) for kind in range(1, 8)),
)
_VIDEOS = (
    (4, b"ftyp"),
    (4, b"moov"),
    (4, b"mdat"),
    (4, b"wide"),
    (4, b"free"),
    (0, b"\x1aE\xdf\xa3"),
    (8, b"AVI "),
    (0, b"G"),
    (0, b"\0\0\x01"),
    (0, b"\0\0\0\x01"),
    (0, b"FLV\x01"),
    (0, b"OggS"),
    (0, b"DKIF"),
    (0, b"0&\xb2u"),
    (0, b"nut/"),
)

LARGE = 1 << 20  # bytes whose digest is made beside the loop: others are not kept waiting for it


@dataclass(frozen=True)
class ShelfLimits:
    """How much is kept: bytes of one upload, of one tenant's, of all; and for how many seconds."""

    each: int = 256 << 20
    tenant: int = 512 << 20
    whole: int = 1 << 30
    seconds: float = 3600.0


@dataclass
class _Item:
    tenant: str
    raw: bytes
    told: Kept
    ends: float


class MediaShelf:
    """Uploads by id, each tenant's apart. `serve.settings.Shelf` is its face; one asyncio loop uses it."""

    def __init__(
        self,
        limits: ShelfLimits = ShelfLimits(),
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.limits = limits
        self._clock, self._now = clock, now
        self._secret = secrets.token_bytes(32)
        self._items: OrderedDict[str, _Item] = OrderedDict()  # used longest ago in front

    async def put(self, tenant: str, raw: bytes) -> Kept:
        """Keep an upload. What the tenant used longest ago makes room for it; other tenants' never does.

        Raises BadPicture (neither a picture nor a video), TooLarge, and Busy where others fill the shelf.
        """
        size, limits = len(raw), self.limits
        if size > min(limits.each, limits.tenant, limits.whole):
            raise TooLarge(f"the upload has {size:,} bytes; at most {limits.each:,} are kept of one")
        kind = kind_of(raw)
        name = await asyncio.to_thread(self._name, tenant, raw) if size > LARGE else self._name(tenant, raw)
        self._forget_old()
        self._items.pop(name, None)
        self._make_room(tenant, size)
        kept = Kept(name, kind, size, int(self._now() + limits.seconds))
        self._items[name] = _Item(tenant, raw, kept, self._clock() + limits.seconds)
        return kept

    async def get(self, tenant: str, name: str) -> bytes:
        """An upload's bytes. Raises BadMessage for an id that is unknown, of another tenant, or too old."""
        self._forget_old()
        item = self._items.get(name)
        if item is None or item.tenant != tenant:
            raise BadMessage(f"media:{name} is not kept, or no longer; upload it again to /v1/media")
        self._items.move_to_end(name)
        return item.raw

    async def look(self, tenant: str, name: str) -> Kept | None:
        """What is kept under an id; None for one that is unknown, of another tenant, or too old."""
        self._forget_old()
        item = self._items.get(name)
        return None if item is None or item.tenant != tenant else item.told

    async def drop(self, tenant: str, name: str) -> bool:
        """Forget an upload now; whether there was one of this tenant."""
        if await self.look(tenant, name) is None:
            return False
        del self._items[name]
        return True

    def state(self) -> dict[str, int]:
        """How much is kept."""
        return {"media": len(self._items), "media_bytes": sum(len(item.raw) for item in self._items.values())}

    def _name(self, tenant: str, raw: bytes) -> str:
        told = hashlib.sha256(tenant.encode()).digest() + hashlib.sha256(raw).digest()
        return hmac.new(self._secret, told, hashlib.sha256).hexdigest()[:40]

    def _forget_old(self) -> None:
        now = self._clock()
        for name in [name for name, item in self._items.items() if item.ends <= now]:
            del self._items[name]

    def _make_room(self, tenant: str, size: int) -> None:
        own = [(name, len(item.raw)) for name, item in self._items.items() if item.tenant == tenant]
        held, whole = sum(bytes for _, bytes in own), self.state()["media_bytes"]
        gone = 0
        for name, bytes in own:
            if held - gone + size <= self.limits.tenant and whole - gone + size <= self.limits.whole:
                return
            del self._items[name]
            gone += bytes
        if whole - gone + size > self.limits.whole:
            first = min((item.ends for item in self._items.values()), default=self._clock())
            raise Busy(
                "the uploads of others fill the shelf; send a data: URL, or upload later",
                max(1.0, first - self._clock()),
            )


def kind_of(raw: bytes) -> str:
    """ "image" or "video" by a file's first bytes. Raises BadPicture for what is neither."""
    for kind, beginnings in (("image", _PICTURES), ("video", _VIDEOS)):
        if any(raw.startswith(mark, at) for at, mark in beginnings):
            return kind
    raise BadPicture(f"the upload begins with {raw[:16]!r}; wanted the bytes of a picture or a video")
