"""/v1/media: a picture or video is taken in once, shown as ``media:ID`` in many requests, and forgotten."""

from __future__ import annotations

from omma.serve.faults import Refused
from omma.serve.intake import read_body
from omma.serve.reading import shortened
from omma.serve.reply import Reply
from omma.serve.service import UPLOADS, Service
from omma.serve.settings import Kept, Shelf
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
    shelf = _shelf(service)
    raw = await read_body(receive, visit.headers, service.settings.media, service.settings.arriving)
    if not raw:
        raise Refused(400, "the body is empty; wanted the bytes of a picture or video", code="invalid_image")
    await reply.json(200, _form(await shelf.put(visit.tenant, raw)))


async def kept(service: Service, visit: Visit, receive: Receive, reply: Reply) -> None:
    """Tell what is kept under an id, not the bytes themselves."""
    name = _name(visit)
    found = await _shelf(service).look(visit.tenant, name)
    if found is None:
        raise _unknown(name)
    await reply.json(200, _form(found))


async def forget(service: Service, visit: Visit, receive: Receive, reply: Reply) -> None:
    """Forget an upload now. Requests that took it before are answered all the same."""
    name = _name(visit)
    if not await _shelf(service).drop(visit.tenant, name):
        raise _unknown(name)
    await reply.json(200, {"id": name, "object": "omma.media.deleted", "deleted": True})


def _shelf(service: Service) -> Shelf:
    if service.sources.shelf is None:
        raise Refused(501, "this server keeps no uploads; send data: URLs", code="not_offered")
    return service.sources.shelf


def _name(visit: Visit) -> str:
    return visit.path.removeprefix(f"{UPLOADS}/")


def _unknown(name: str) -> Refused:
    text = f"media:{shortened(name)} is not kept, or no longer; upload it to {UPLOADS}"
    return Refused(404, text, code="not_found")


def _form(kept: Kept) -> dict[str, object]:
    return {
        "id": kept.id,
        "object": "omma.media",
        "kind": kept.kind,
        "bytes": kept.bytes,
        "expires_at": kept.expires,
    }
