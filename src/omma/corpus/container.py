"""A file of records: read from front to back in constant memory, and from any record on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from omma.corpus.gzipped import Gzipped
from omma.corpus.record import Loose, Place, Raw
from omma.errors import BadData, MissingFile

STRIDE = 16  # of so many records one place is kept: 1 byte a record


class Container(Protocol):
    """What every kind of data file gives. `what` names the kind; `extent` is its length in offsets."""

    @property
    def path(self) -> Path: ...
    @property
    def what(self) -> str: ...
    @property
    def extent(self) -> int: ...
    def __len__(self) -> int:
        """Records, broken ones among them. The first call may look through the file."""
        ...

    def scan(self, start: int = 0) -> Iterator[Raw]:
        """Records in their order, from number `start` on (0-based)."""
        ...

    def at(self, index: int) -> Raw:
        """Record `index`. Raises IndexError past the end."""
        ...

    def blocks(self) -> tuple[int, ...]:
        """Lengths of the stretches that are cheap to read only as a whole; none: every record is alone."""
        ...


class Marks(NamedTuple):
    """Offset and number of every STRIDE-th record, and how many records there are."""

    offsets: array[int]
    numbers: array[int]
    records: int


class Indexed(ABC):
    """A file without a table of contents: one pass notes where every sixteenth record begins.

    Packed with gzip its offsets are those of what is in it, and its extent is a guess.
    """

    kind = ""
    unit = "record"
    first = 0  # the offset of the first record

    def __init__(self, path: Path, packed: Gzipped | None = None) -> None:
        self.path, self._packed = path, packed
        try:
            self.extent = path.stat().st_size if packed is None else packed.guess()
        except OSError as problem:
            raise MissingFile(f"{path} cannot be read: {problem.strerror}; name a data file") from None

    @property
    def what(self) -> str:
        """The kind of file, in words."""
        return self.kind if self._packed is None else f"{self.kind}, packed with gzip,"

    def open(self) -> IO[bytes]:
        """The file, or what is in it."""
        return self.path.open("rb") if self._packed is None else self._packed.open()

    def _records(self, offset: int, number: int) -> Generator[Raw]:
        """Records from `offset` on, and one that tells of a damage behind which nothing can be unpacked."""
        last, end = number - 1, None if self._packed is None else self._packed.end
        if end is None or offset <= end:
            with closing(self._from(offset, number)) as found:
                for raw in found:
                    last = raw.place.number
                    yield raw
        if self._packed is not None and (why := self._packed.problem()):
            place = Place(str(self.path), last + 1, self.unit)
            told = f"{place} is where the packed file breaks off: {why}; fetch it again"
            yield Raw(place, (self._packed.end or 0) + 1, partial(_refuse, told))

    @abstractmethod
    def _from(self, offset: int, number: int) -> Generator[Raw]:
        """Records from `offset` on; the first of them has this number (1-based)."""

    @cached_property
    def _marks(self) -> Marks:
        offsets, numbers, count = array("Q"), array("Q"), 0
        for raw in self._records(self.first, 1):
            if count % STRIDE == 0:
                offsets.append(raw.offset)
                numbers.append(raw.place.number)
            count += 1
        return Marks(offsets, numbers, count)

    def __len__(self) -> int:
        return self._marks.records

    def scan(self, start: int = 0) -> Iterator[Raw]:
        if start == 0:
            return self._records(self.first, 1)
        if start >= len(self):
            return iter(())
        mark, rest = divmod(start, STRIDE)
        return islice(self._records(self._marks.offsets[mark], self._marks.numbers[mark]), rest, None)

    def at(self, index: int) -> Raw:
        if not 0 <= index < len(self):
            raise IndexError(f"{self.path} has {len(self)} records, and number {index} was wanted")
        mark, rest = divmod(index, STRIDE)
        found = self._records(self._marks.offsets[mark], self._marks.numbers[mark])
        with closing(found):
            return next(islice(found, rest, None))

    def blocks(self) -> tuple[int, ...]:
        return ()


def _refuse(sentence: str) -> Loose:
    raise BadData(sentence, "broken file")
