"""The files of the page at /: read once, known by their digests, under a policy that lets nothing out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from omma.serve.faults import Refused
from omma.serve.reply import Reply
from omma.serve.visit import Visit

FOLDER = Path(__file__).parent / "page"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
}
# The page loads its own files and what a person shows it (blob:), speaks to its own server, and makes no
# element out of a text.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
DOORS = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), clipboard-write=(self)"


@dataclass(frozen=True)
class PageFile:
    """A file as it is sent: its content type, its bytes, and the digest by which a browser asks for news."""

    kind: str
    raw: bytes = field(repr=False)
    etag: str

    @property
    def headers(self) -> Mapping[str, str]:
        """Beside content type and length: keep it, but ask each time whether it is still the same."""
        return {
            "etag": self.etag,
            "cache-control": "no-cache",
            "content-security-policy": POLICY,
            "permissions-policy": DOORS,
            "cross-origin-opener-policy": "same-origin",
        }

    def known(self, asked: str) -> bool:
        """Whether a browser that says If-None-Match has it already."""
        return any(tag.strip().removeprefix("W/") in (self.etag, "*") for tag in asked.split(","))


def page_files(folder: Path = FOLDER) -> dict[str, PageFile]:
    """Every file of the page by the path it is asked for: "/" and "/page/main.js" and so on; {} without one.

    Nothing else of the disk can be named: who asks for a path looks into this dictionary.
    """
    files = {}
    for path in sorted(folder.glob("*")):
        if (kind := KINDS.get(path.suffix)) is not None:
            raw = path.read_bytes()
            place = "/" if path.name == "index.html" else f"/page/{path.name}"
            files[place] = PageFile(kind, raw, f'"{hashlib.sha256(raw).hexdigest()[:32]}"')
    return files


async def send_page(files: Mapping[str, PageFile], visit: Visit, reply: Reply) -> None:
    """Answer with the file that the path names, or 304 where the browser has it. Raises Refused (404)."""
    if (file := files.get(visit.path)) is None:
        raise Refused(404, f"the page has no file {visit.path[:80]!r}; open / instead", code="not_found")
    if file.known(visit.headers.get("if-none-match", "")):
        await reply.whole(304, b"", file.kind, file.headers)
    else:
        await reply.whole(200, file.raw, file.kind, file.headers)
