"""WebDataset shards: a tar read as a stream, its members gathered by name into records."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any, NamedTuple

from omma.corpus.container import Indexed
from omma.corpus.lines import read_object
from omma.corpus.record import Loose, Place, Raw
from omma.errors import BadData

PICTURES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "ppm")
VIDEOS = ("mp4", "webm", "mov", "mkv", "avi", "m4v")
LARGEST = 1 << 30  # bytes of one member
# The key ends at the first dot of the file's name; "a/0001.left.jpg" is the member left.jpg of a/0001.
KEY = re.compile(r"((?:.*/)?[^./][^./]*)\.([^/]+)", re.DOTALL)


class Member(NamedTuple):
    """One file of a shard: what follows its key, and where its bytes stand."""

    ending: str
    name: str
    start: int
    size: int
    plain: bool


@dataclass
class Group:
    """The neighbouring members of one key."""

    key: str
    offset: int
    members: list[Member] = field(default_factory=list)


class Shard(Indexed):
    """A tar of records: pictures beside .txt captions, or .json conversations."""

    kind = "a WebDataset shard"

    def _from(self, offset: int, number: int) -> Generator[Raw]:
        with self.open() as file:
            try:
                for group in groups(file, offset):
                    place = Place(str(self.path), number, key=group.key)
                    yield Raw(place, group.offset, partial(_open, self.open, group, str(place)))
                    offset, number = group.offset, number + 1
            except _Broken as problem:
                place = Place(str(self.path), number)
                yield Raw(place, problem.offset, partial(_refuse, f"{place} {problem}"))


class _Broken(Exception):
    """The shard cannot be read on from `offset`."""

    def __init__(self, why: str, offset: int) -> None:
        super().__init__(why)
        self.offset = offset


def _refuse(sentence: str) -> Loose:
    raise BadData(sentence, "broken file")


def groups(file: IO[bytes], offset: int) -> Iterator[Group]:
    """Records from `offset` on. Only headers are read; nothing of what was passed is remembered."""
    group: Group | None = None
    for start, member in _members(file, offset):
        name = member.name
        key, ending = found.groups() if (found := KEY.fullmatch(name)) else (name, "")
        if group is None or group.key != key:
            if group is not None:
                yield group
            group = Group(key, start)
        plain = member.isreg() and not member.issparse()
        group.members.append(Member(ending.lower(), name, member.offset_data, member.size, plain))
    if group is not None:
        yield group


def _members(file: IO[bytes], offset: int) -> Iterator[tuple[int, tarfile.TarInfo]]:
    """The shard's files with the first bytes of their headers; folders are passed over."""
    file.seek(offset)
    try:
        tar = tarfile.TarFile(fileobj=file, mode="r", errorlevel=2)
        while (member := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]
            if not member.isdir():
                yield member.offset, member
    except (tarfile.TarError, ValueError, OSError, OverflowError, IndexError, RecursionError) as problem:
        raise _Broken(f"is where the shard breaks off: {problem}", file.tell()) from None
    end = tar.offset
    file.seek(end)
    block = file.read(tarfile.BLOCKSIZE)
    if not block:
        raise _Broken("is where the shard breaks off: there is no end mark, so files may be missing", end)
    if block.strip(b"\0"):
        raise _Broken(f"is where the shard breaks off: no file's header stands at byte {end:,}", end)


def _open(opened: Callable[[], IO[bytes]], group: Group, place: str) -> Loose:
    """The record of a group: its .json object with the pictures and videos beside it, or its caption."""
    value: dict[str, Any] = {}
    inside: dict[str, bytes] = {}
    beside: dict[str, list[bytes]] = {"image": [], "video": []}
    with opened() as file:
        for member in group.members:
            body = _read(file, member, place)
            ending = member.ending.rsplit(".", 1)[-1]
            if ending == "json":
                value |= read_object(body, f"{place}: {member.name}").value
            elif ending == "txt":
                value.setdefault("caption", _text(body, f"{place}: {member.name}"))
            elif ending in PICTURES or ending in VIDEOS:
                beside["image" if ending in PICTURES else "video"].append(body)
                for name in (member.name, member.name.rsplit("/", 1)[-1], member.ending):
                    inside[name] = body
            else:
                value.setdefault(f".{member.ending}", None)
    return Loose(value, inside, beside)


def _read(file: IO[bytes], member: Member, place: str) -> bytes:
    if not member.plain:
        raise BadData(f"{place}: {member.name} is a link or a device; wanted a plain file")
    if member.size > LARGEST:
        raise BadData(f"{place}: {member.name} holds {member.size:,} bytes; at most {LARGEST:,} are read")
    file.seek(member.start)
    body = file.read(member.size)
    if len(body) < member.size:
        raise BadData(f"{place}: {member.name} breaks off after {len(body):,} of {member.size:,} bytes")
    return body


def _text(body: bytes, name: str) -> str:
    try:
        return body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as problem:
        raise BadData(f"{name} is not UTF-8 text: {problem.reason} at byte {problem.start}") from None
