"""The pictures and videos of a record: found beside its file or inside its shard, and dealt out in order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from omma.chat import Image, MediaSource, Video
from omma.corpus.record import Loose
from omma.errors import BadData

Kind: TypeAlias = Literal["image", "video"]
KINDS: tuple[Kind, ...] = ("image", "video")
KEYS = ("image", "images", "video", "videos")
WORDS = {"image": "picture", "video": "video"}
ELSEWHERE = re.compile(r"data:|file:|[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class Media:
    """What a record shows, each picture in its place. Names are relative to `folder`.

    A record may name its media beside the text, or leave that to the shard it stands in.
    """

    def __init__(self, loose: Loose, folder: Path) -> None:
        self._inside, self._folder = loose.inside, folder
        self._named_inside = False
        self.given: dict[Kind, list[MediaSource]] = {kind: self._given(loose, kind) for kind in KINDS}
        self._taken: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        self.any = any(key in loose.value for key in KEYS) or any(loose.beside.values())

    def _given(self, loose: Loose, kind: Kind) -> list[MediaSource]:
        """The media that stand beside the text, by the record's own names or else as the shard has them."""
        named = [name for key in (kind, f"{kind}s") for name in _listed(loose.value.get(key))]
        beside = list(loose.beside.get(kind, ()))
        known = any(isinstance(name, str) and name in loose.inside for name in named)
        if beside and not known and len(named) in (0, len(beside)):
            return list(beside)
        return [self.find(name) for name in named]

    def find(self, source: Any) -> MediaSource:
        """A named source as it can be opened: bytes, a path from the folder, a data: URL as it is."""
        if isinstance(source, Mapping):  # as tables of pictures have them
            source = source.get("bytes") or source.get("path")
        if isinstance(source, (bytes, bytearray, memoryview)):
            return bytes(source)
        if source == "":
            raise BadData("a picture or video has an empty name; wanted its path or its bytes")
        if isinstance(source, (list, tuple)):
            raise BadData("a video is a list of its frames; wanted one file, or the frames as pictures")
        if not isinstance(source, str):
            raise BadData(f"a picture or video is {type(source).__name__}; wanted its path or its bytes")
        if (body := self._inside.get(source)) is not None:
            self._named_inside = True
            return body
        return source if ELSEWHERE.match(source) else str(self._folder / source)

    def placed(self, part: Image | Video) -> Image | Video:
        """The part with its source found; pixels stay as they are."""
        return replace(part, source=self.find(part.source))

    def take(self, kind: Kind) -> Image | Video:
        """The next picture or video, for a place that names none. Places too many are told by `check`."""
        number = self._taken[kind]
        self._taken[kind] += 1
        if number >= len(self.given[kind]):
            return Image("") if kind == "image" else Video("")  # never opened: `check` refuses the record
        source = self.given[kind][number]
        return Image(source) if kind == "image" else Video(source)

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


def _listed(value: Any) -> list[Any]:
    if value is None or (isinstance(value, (str, bytes)) and not value):
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
