"""Videos that a record gives as their frames: which lists are such, and when the frames stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from omma.errors import BadData

STILLS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".ppm", ".webp", ".avif"})
MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"RIFF")  # JPEG, PNG, BMP, WebP
ROW = "data:video/jpeg;base64,"  # as servers are sent frames: JPEGs in base64, with commas between
CLOCK = ("fps", "sample_fps", "times")  # the second is what Qwen's own tools call the first


def is_still(source: Any) -> bool:
    """Whether a source is, by its name or its first bytes, a picture and no film."""
    if isinstance(source, Mapping):
        source = source.get("bytes") or source.get("path")
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source[:4]).startswith(MAGIC)
    if not isinstance(source, str):
        return False
    return source.startswith("data:image/") or PurePath(source).suffix.lower() in STILLS


def row_of_frames(source: str) -> list[str]:
    """The frames of a row of JPEGs, as data: URLs."""
    return [f"data:image/jpeg;base64,{frame}" for frame in source.removeprefix(ROW).split(",")]


def listed_videos(named: Sequence[Any], places: int | None) -> list[Any]:
    """A record's videos, of which any may be a list of frames.

    A list of pictures that has one place in the words, or none because it stands beside a caption, is the
    frames of one video; with as many places as it has entries each is a video of its own.
    """
    one = places in (None, 1) and len(named) > 1
    return [list(named)] if one and all(map(is_still, named)) else list(named)


def places_of(value: Mapping[str, Any]) -> int | None:
    """How many places for videos a record's messages leave; None where it has none."""
    turns = value.get("messages") or value.get("conversations")
    if not isinstance(turns, list):
        return None
    return sum(_places(turn) for turn in turns if isinstance(turn, Mapping))


def _places(turn: Mapping[str, Any]) -> int:
    said = turn.get("content") if turn.get("content") is not None else turn.get("value")
    if isinstance(said, str):
        return said.count("<video>")
    found = 0
    for part in said if isinstance(said, list) else ():
        if isinstance(part, Mapping):
            given = {key: value for key, value in part.items() if value is not None}
            found += given == {"type": "video"} or str(given.get("text")).count("<video>")
    return found


def clock_of(value: Mapping[str, Any], videos: int, where: str) -> list[dict[str, Any]]:
    """For each of so many lists of frames: its rate or its times, as fields of a `chat.Video`.

    One rate is for all; several, or lists of times, are one for each. Raises BadData where they do not fit.
    """
    given = {key: value[key] for key in CLOCK if value.get(key) is not None}
    if len(given) > 1:
        raise BadData(f"{where} has {' and '.join(given)}, which say two things; take one out", "video")
    if not given:
        return [{}] * videos
    (key, said), *_ = given.items()
    name = "times" if key == "times" else "fps"
    nested = isinstance(said, list) and (name == "fps" or any(isinstance(one, list) for one in said))
    each = list(said) if nested else [said] * videos
    if len(each) != videos or (name == "times" and not nested and videos > 1):
        raise BadData(
            f"{where} has {key} for {len(each) if nested else 1} and {videos} videos of frames; wanted one "
            "for each",
            "video",
        )
    return [{name: _checked(one, name, f"{where} has {key}")} for one in each]


def _checked(said: Any, name: str, where: str) -> Any:
    if name == "fps":
        if isinstance(said, bool) or not isinstance(said, (int, float)) or not 0 < said < 1e6:
            raise BadData(f"{where} {said!r}; wanted frames a second, over 0", "video")
        return float(said)
    if not isinstance(said, list):
        raise BadData(f"{where} {said!r}; wanted a list, the second of each frame", "video")
    return tuple(said)
