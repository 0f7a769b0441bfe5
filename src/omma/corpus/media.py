"""The pictures and videos of a record: found beside its file or inside its shard, and dealt out in order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from omma.chat import Image, MediaSource, Video
from omma.corpus.frames import CLOCK, ROW, clock_of, listed_videos, places_of, row_of_frames
from omma.corpus.record import Loose
from omma.errors import BadData

Kind: TypeAlias = Literal["image", "video"]
KINDS: tuple[Kind, ...] = ("image", "video")
KEYS = ("image", "images", "video", "videos")
LIMITS = ("max_frames", "start", "stop", "max_pixels")  # what else a video of frames may say
WORDS = {"image": "picture", "video": "video"}
ELSEWHERE = re.compile(r"data:|file:|[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class Media:
    """What a record shows, each picture in its place. Names are relative to `folder`.

    A record may name its media beside the text, or leave that to the shard it stands in.
    """

    def __init__(self, loose: Loose, folder: Path) -> None:
        self._inside, self._folder = loose.inside, folder
        self._named_inside = False
        self.read: set[str] = set()  # fields of the record beside its media that were read with them
        self.given: dict[Kind, list[MediaSource]] = {kind: self._given(loose, kind) for kind in KINDS}
        self._taken: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        self.any = any(key in loose.value for key in KEYS) or any(loose.beside.values())

    def _given(self, loose: Loose, kind: Kind) -> list[MediaSource]:
        """The media that stand beside the text, by the record's own names or else as the shard has them.

        A video that is given as frames is a whole `Video`, with their rate or times.
        """
        named = [name for key in (kind, f"{kind}s") for name in listed(loose.value.get(key))]
        if kind == "video":
            named = listed_videos(named, places_of(loose.value))
        beside = list(loose.beside.get(kind, ()))
        known = any(isinstance(name, str) and name in loose.inside for name in named)
        if beside and not known and len(named) in (0, len(beside)):
            return list(beside)
        framed = sum(isinstance(name, list) for name in named) if kind == "video" else 0
        clocks = iter(clock_of(loose.value, framed, "the record") if framed else ())
        self.read |= {key for key in CLOCK if framed and key in loose.value}
        return [self._video(name, clocks) if kind == "video" else self.find(name) for name in named]

    def film(self, source: Mapping[str, Any]) -> Video:
        """A video of frames, which stand in an object with their rate or times."""
        said = {key: value for key, value in source.items() if value is not None}
        if unread := sorted(map(str, set(said) - {"frames", *CLOCK, *LIMITS})):
            raise BadData(f"a video of frames has {', '.join(unread)}, which nobody reads", "video")
        (clock,) = clock_of(said, 1, "a video of frames")
        return Video(
            self.frames(said["frames"]), **clock, **{key: said[key] for key in LIMITS if key in said}
        )

    def _video(self, source: Any, clocks: Iterator[Mapping[str, Any]]) -> MediaSource:
        """A video that is named, or one of frames."""
        if isinstance(source, Mapping) and source.get("frames") is not None:
            return self.film(source)
        if isinstance(source, list):
            return Video(self.frames(source), **next(clocks))
        return self.find(source)

    def frames(self, sources: Any) -> tuple[MediaSource, ...]:
        """The frames of a video, found."""
        if not isinstance(sources, (list, tuple)) or not sources:
            raise BadData(f"the frames of a video are {sources!r:.60}; wanted a list of pictures", "video")
        return tuple(self.find(source, "a frame of a video") for source in sources)

    def find(self, source: Any, what: str = "a picture or video") -> MediaSource:
        """A named source as it can be opened: bytes, a path from the folder, a data: URL as it is."""
        if isinstance(source, Mapping):  # as tables of pictures have them
            source = source.get("bytes") or source.get("path")
        if isinstance(source, (bytes, bytearray, memoryview)):
            return bytes(source)
        if source == "":
            raise BadData(f"{what} has an empty name; wanted its path or its bytes")
        if not isinstance(source, str):
            raise BadData(f"{what} is {type(source).__name__}; wanted its path or its bytes")
        if (body := self._inside.get(source)) is not None:
            self._named_inside = True
            return body
        return source if ELSEWHERE.match(source) else str(self._folder / source)

    def placed(self, part: Image | Video) -> Image | Video:
        """The part with its source found; the source of a video may be its frames."""
        if isinstance(part, Image):
            return replace(part, source=self.find(part.source, "a picture"))
        source = part.source
        if isinstance(source, str) and source.startswith(ROW):
            source = row_of_frames(source)
        listed = isinstance(source, (list, tuple))
        return replace(part, source=self.frames(source) if listed else self.find(source, "a video"))

    def take(self, kind: Kind) -> Image | Video:
        """The next picture or video, for a place that names none. Places too many are told by `check`."""
        number = self._taken[kind]
        self._taken[kind] += 1
        if number >= len(self.given[kind]):
            return Image("") if kind == "image" else Video("")  # never opened: `check` refuses the record
        source = self.given[kind][number]
        if kind == "image":
            return Image(source)
        return source if isinstance(source, Video) else Video(source)

    def check(self) -> None:
        """Raise BadData unless there were as many places as media of each kind."""
        for kind in KINDS:
            places, given = self._taken[kind], len(self.given[kind])
            if places != given and (places or not self._named_inside):
                word = WORDS[kind]
                raise BadData(
                    f"the text has {places} <{kind}> and the record {given} {word}{'s' * (given != 1)}; "
                    f"wanted one <{kind}> for each",
                    "tags",
                )


def listed(value: Any) -> list[Any]:
    """What a field of media names: one, a list of them, or none."""
    if value is None or (isinstance(value, (str, bytes)) and not value):
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
