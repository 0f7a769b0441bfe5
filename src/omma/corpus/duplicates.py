"""The same thing twice: contents told apart by a digest of eight bytes each, whatever their number."""

from __future__ import annotations

import functools
import hashlib
from array import array
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from omma.chat import MediaSource, Message, Text
from omma.corpus.record import Record
from omma.errors import BadPicture
from omma.prep.sources import open_bytes

WHOLE = 1 << 40  # bytes of one medium that are read to tell it from others


class Pair(NamedTuple):
    """The first of some things that are the same, and one that repeats it, by the numbers they came with."""

    first: int
    again: int


class Sightings:
    """Contents as they come, each with the number of its record. 64 bits tell ten million apart but for
    three chances in a million.
    """

    def __init__(self) -> None:
        self._contents, self._names, self._numbers = array("Q"), array("Q"), array("Q")

    def see(self, content: bytes, number: int, name: bytes = b"") -> None:
        """Note a content's digest, the record it came in, and the name it came under."""
        self._contents.append(_short(content))
        self._names.append(_short(name))
        self._numbers.append(number)

    @property
    def seen(self) -> int:
        """How many were noted."""
        return len(self._contents)

    @property
    def different(self) -> int:
        """How many different contents there were."""
        return len(np.unique(np.frombuffer(self._contents, np.uint64))) if self._contents else 0

    @property
    def copies(self) -> int:
        """Names under which a content came that had come under another name."""
        if not self._contents:
            return 0
        both = np.stack([np.frombuffer(column, np.uint64) for column in (self._contents, self._names)])
        return len(np.unique(both, axis=1).T) - self.different

    def pairs(self, most: int, *, renamed: bool = False) -> list[Pair]:
        """Some repeats with what they repeat, in their order. `renamed`: only those under another name."""
        if not self._contents:
            return []
        contents = np.frombuffer(self._contents, np.uint64)
        _, firsts, which = np.unique(contents, return_index=True, return_inverse=True)
        first = firsts[which]
        names = np.frombuffer(self._names, np.uint64)
        again = names != names[first] if renamed else np.arange(len(contents)) != first
        return [Pair(self._numbers[first[i]], self._numbers[i]) for i in np.flatnonzero(again)[:most]]


def _short(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def record_digest(record: Record) -> bytes:
    """Tells what a record says and shows, not how its file writes it or what its media are called."""
    digest = hashlib.blake2b(digest_size=16)
    for said in record.messages:
        digest.update(repr((said.role, _parts(said))).encode("utf-8", "surrogatepass"))
    facts = record.weights, record.boxes, record.tools, [said.calls for said in record.messages]
    digest.update(repr(facts).encode("utf-8", "surrogatepass"))
    return digest.digest()


def _parts(said: Message) -> list[object]:
    """Words, and media by their contents with what is wished of them: another size or rate shows another."""
    return [
        part.text if isinstance(part, Text) else (media_digest(part.source), replace(part, source=b""))
        for part in said.parts
    ]


def media_digest(source: MediaSource) -> bytes:
    """A digest of a picture's or video's bytes, or of all of its frames'. Raises MissingFile."""
    if isinstance(source, tuple):
        return hashlib.blake2b(b"".join(map(media_digest, source)), digest_size=16).digest()
    if isinstance(source, bytes):
        return hashlib.blake2b(source, digest_size=16).digest()
    return _file_digest(str(source))


@functools.lru_cache(maxsize=4096)
def _file_digest(name: str) -> bytes:
    with open_bytes(name, "picture or video", BadPicture, WHOLE) as file:
        return hashlib.file_digest(file, functools.partial(hashlib.blake2b, digest_size=16)).digest()  # type: ignore[arg-type]
