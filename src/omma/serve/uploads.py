"""POST /v1/media: a picture or video is taken in once, to be shown as ``media:ID`` in many requests."""

from __future__ import annotations

from omma.serve.faults import Refused
from omma.serve.intake import read_body
from omma.serve.reply import Reply
from omma.serve.service import Service
from omma.serve.visit import Receive, Visit


async def upload(service: Service, visit: Visit, receive: Receive, reply: Reply) -> None:
    """Keep the body, which is the medium's bytes. Its name and its stated type count for nothing."""
    kind = visit.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind.startswith(("image/", "video/")) and kind != "application/octet-stream":
        text = (
            f"the body is {kind[:80] or 'of no stated type'}; wanted image/…, video/… or "
            "application/octet-stream, and the file's bytes alone"
        )
        raise Refused(415, text, code="unsupported_media_type")
    if service.sources.shelf is None:
        raise Refused(501, "this server keeps no uploads; send data: URLs", code="not_offered")
    raw = await read_body(receive, visit.headers, service.settings.media, service.settings.arriving)
    if not raw:
        raise Refused(400, "the body is empty; wanted the bytes of a picture or video", code="invalid_image")
    kept = await service.sources.shelf.put(visit.tenant, raw)
    body = {
        "id": kept.id,
        "object": "omma.media",
        "kind": kept.kind,
        "bytes": kept.bytes,
        "expires_at": kept.expires,
    }
    await reply.json(200, body)
