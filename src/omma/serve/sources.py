"""What a client shows, as bytes: data: URLs are read here, uploads and addresses are asked of their doors."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from omma.errors import BadAddress, BadInput, BadMessage, BadPicture, BadVideo
from omma.serve.settings import Fetcher, Shelf

_DATA = re.compile(r"data:[^,]{0,256}?;base64,", re.IGNORECASE)
_UPLOAD = re.compile(r"media:([A-Za-z0-9_-]{1,128})")


@dataclass(frozen=True)
class Sources:
    """Where media come from. Without a fetcher no address is opened, without a shelf nothing was uploaded."""

    fetcher: Fetcher | None = None
    shelf: Shelf | None = None

    async def take(self, url: str, kind: str, tenant: str) -> bytes:
        """The bytes of a picture or video. No path is ever opened.

        Raises BadPicture or BadVideo (a data: URL that is none), BadAddress, BadMessage, TooLarge and Busy.
        """
        if url[:5].lower() == "data:":
            return _data(url, BadPicture if kind == "image" else BadVideo)
        if found := _UPLOAD.fullmatch(url):
            if self.shelf is None:
                raise BadMessage("this server keeps no uploads; send a data: URL")
            return await self.shelf.get(tenant, found.group(1))
        if url[:7].lower() == "http://" or url[:8].lower() == "https://":
            if self.fetcher is None:
                raise BadAddress(
                    "this server fetches nothing from addresses; send a data: URL, or upload to /v1/media "
                    "and name it media:ID"
                )
            return await self.fetcher.fetch(url)
        shown = url if len(url) <= 40 else f"{url[:30]}…"
        raise BadAddress(f"{shown!r} names nothing here; wanted a data: URL, media:ID or an http(s) address")


def fetched(url: str) -> bool:
    """Whether a source lies behind an address, and time goes into getting it."""
    return url[:4].lower() == "http"


def _data(url: str, refuse: type[BadInput]) -> bytes:
    head = _DATA.match(url)
    if head is None:
        raise refuse(f"{url[:30]!r}… is no data: URL with base64; wanted data:image/png;base64,…")
    told = "".join(url[head.end() :].split())  # as browsers read it: some programs break lines,
    told += "=" * (-len(told) % 4)  # and some leave the filling out
    try:
        raw = base64.b64decode(told, validate=True)
    except (binascii.Error, ValueError) as error:
        raise refuse(f"the data: URL holds no base64: {str(error).lower()}") from None
    if not raw:
        raise refuse("the data: URL holds no bytes; wanted a picture or video")
    return raw
