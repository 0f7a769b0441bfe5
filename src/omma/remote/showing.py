"""Pictures and videos as data: URLs that a server reads as we do, and the geometry to read answers by."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import PIL.Image

from omma.chat import Image, MediaSource, Seen, Video, full_name, source_name
from omma.errors import BadInput, BadPicture, BadVideo, UnknownOption
from omma.prep.patches import fit
from omma.prep.pictures import ORIENTATION, PictureLimits, open_picture, read_header
from omma.prep.reels import LIMITS, is_list, open_reel
from omma.prep.sources import open_bytes
from omma.prep.video import frame_size, frames_to_take, spread
from omma.prep.visuals import picture_size
from omma.remote.peer import Peer
from omma.sample import Size

# What every server reads as it stands: no transparency, no turn that one applies and another does not.
_PLAIN = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_LIMITS = ("min_pixels", "max_pixels", "detail")
_CUTS = ("fps", "max_frames", "start", "stop", "max_pixels")


class Shown(NamedTuple):
    """A part as it is sent, and what its model sees of it as far as this side can know."""

    part: Mapping[str, Any]
    seen: Seen


def show_picture(part: Image, peer: Peer) -> Shown:
    """A picture in its own bytes, or as PNG where those are not plain, or limits are set for others' servers.

    Its size before the model is worked out from the published limits: a server that runs with others moves
    the boxes of a model that counts pixels. Raises what opening the picture raises, and UnknownOption.
    """
    name = source_name(part.source)
    raw = _held(part.source)
    picture = _opened(raw, part.source, name)
    original = Size(*picture.size)
    resized = picture_size(part, peer.rules, original)
    limits = {key: getattr(part, key) for key in _LIMITS if getattr(part, key)}
    if limits and peer.make != "omma":  # no field of theirs says this of one picture
        raw, picture, limits = None, PIL.Image.fromarray(fit(picture, resized)), {}
    kind = None if raw is None else _plain(raw, name)
    url = _url(kind, raw) if kind and raw else _url("image/png", _png(picture))
    sent = {"type": "image_url", "image_url": {"url": url, **limits}}
    return Shown(sent, Seen("image", original, resized, peer.dialect, name=full_name(part.source)))


def _held(source: MediaSource) -> bytes | None:
    """The bytes of a picture; None of one that is pixels."""
    if isinstance(source, (np.ndarray, PIL.Image.Image)):
        return None
    with open_bytes(source, "picture", BadPicture, PictureLimits().bytes) as file:
        return file.read()


def _opened(raw: bytes | None, source: MediaSource, name: str) -> PIL.Image.Image:
    """The picture upright in RGB; what is wrong with it is said of its own name."""
    try:
        return open_picture(source if raw is None else raw)
    except BadPicture as wrong:
        raise BadPicture(str(wrong).replace(source_name(b""), name)) from None


def _plain(raw: bytes, name: str) -> str | None:
    """The media type, where every server reads these bytes alike."""
    header = read_header(io.BytesIO(raw), name, PictureLimits())
    turned = header.getexif().get(ORIENTATION, 1) != 1
    moves = getattr(header, "n_frames", 1) > 1
    if turned or moves or header.mode not in ("RGB", "L", "P") or header.has_transparency_data:
        return None
    return _PLAIN.get(header.format or "")


def _png(picture: PIL.Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=3)
    return file.getvalue()


def _url(kind: str, raw: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(raw).decode()}"


def show_video(part: Video, peer: Peer) -> Shown:
    """A video in its own bytes. Only our own server cuts and thins one; others are given it whole.

    A list of pictures goes to vLLM, which takes such as a comma-separated row of JPEGs.
    Raises what opening the video raises, BadInput and UnknownOption for what the server cannot be told.
    """
    name = source_name(part.source)
    if part.times is not None:
        raise UnknownOption(f"{name} has times, which no server can be told; give fps, or a file")
    cuts = {cut: value for cut in _CUTS if (value := getattr(part, cut)) is not None}
    if is_list(part.source):
        return _show_frames(part, peer, name)
    with open_bytes(part.source, "video", BadVideo, LIMITS.bytes) as file:
        raw = file.read()
    if cuts and peer.make != "omma":
        raise UnknownOption(
            f"{name} has {', '.join(cuts)}, which this server cannot be told of one video; leave them out, "
            "cut the video yourself, or connect to omma serve"
        )
    sent = {"type": "video_url", "video_url": {"url": _url("video/mp4", raw), **cuts}}
    return Shown(sent, _clip(part, raw, peer, name))


def _clip(part: Video, raw: bytes, peer: Peer, name: str) -> Seen:
    """What a model of this family is shown of a video by the published rules."""
    if peer.make == "omma":  # it tells what it showed
        return Seen("video", Size(1, 1), Size(1, 1), peer.dialect, name=full_name(part.source))
    rules = peer.rules
    try:
        with open_reel(raw, rules.fps) as reel:
            count = frames_to_take(len(reel.times), reel.rate, rules.fps, rules)
            times = tuple(reel.times[i] for i in spread(len(reel.times), count))
            called, size = full_name(part.source), frame_size(reel.size, count, rules)
            return Seen("video", reel.size, size, peer.dialect, times, called)
    except BadVideo as wrong:
        raise BadVideo(str(wrong).replace(source_name(b""), name)) from None


def _show_frames(part: Video, peer: Peer, name: str) -> Shown:
    if peer.make != "vllm":
        raise BadInput(
            f"{name} is a list of pictures, which this server does not take as a video; give a file"
        )
    rules, rows = peer.rules, []
    with open_reel(part.source, part.fps or rules.fps) as reel:
        numbers = range(len(reel.times))
        for frame in reel.pick(numbers):
            file = io.BytesIO()
            frame.save(file, "JPEG", quality=95)
            rows.append(base64.b64encode(file.getvalue()).decode())
        size = frame_size(reel.size, len(rows), rules, part.max_pixels)
        seen = Seen("video", reel.size, size, peer.dialect, tuple(reel.times), name)
    url = f"data:video/jpeg;base64,{','.join(rows)}"
    return Shown({"type": "video_url", "video_url": {"url": url}}, seen)
