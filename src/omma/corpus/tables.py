"""Parquet tables: rows read by row groups, pictures as bytes or as paths."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import Any

from omma.corpus.record import Loose, Place, Raw
from omma.errors import BadData, MissingExtra, MissingFile

BATCH = 8 << 20  # bytes of rows that are decoded at a time in a scan
# Row groups that stay in memory for rows asked for one by one: as many as files take turns, or as fit.
LEAST_KEPT, KEPT_BYTES = 4, 256 << 20


class Table:
    """A parquet file. Its offsets count rows."""

    what = "a parquet table"

    def __init__(self, path: Path) -> None:
        """Read the table's own table of contents. Raises BadData, or MissingExtra without pyarrow."""
        self.path = path
        if find_spec("pyarrow") is None:
            raise MissingExtra(f"{path} is a parquet table; pip install 'omma[data]' to read it")
        meta = _told(path, lambda: _file(path).metadata)
        sizes = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
        self._bytes = [meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)]
        self._groups = tuple(sizes)
        self._ends = list(accumulate(sizes))
        self.extent = self._ends[-1] if sizes else 0

    def __len__(self) -> int:
        return self.extent

    def blocks(self) -> tuple[int, ...]:
        return self._groups

    def scan(self, start: int = 0) -> Iterator[Raw]:
        """Rows from `start` on, decoded a few megabytes at a time."""
        first = bisect_right(self._ends, start)
        for group in range(first, len(self._groups)):
            begin = self._ends[group] - self._groups[group]
            yield from self._rows(group, begin, max(start - begin, 0))

    def _rows(self, group: int, begin: int, skipped: int) -> Iterator[Raw]:
        """Rows of one group. Those that cannot be decoded are told one by one."""
        count = self._groups[group]
        each = max(1, min(1024, BATCH * count // max(self._bytes[group], 1)))
        row = 0
        try:
            for batch in _file(self.path).iter_batches(each, row_groups=[group], use_threads=False):
                if row + batch.num_rows > skipped:
                    for read in self._readers(batch, begin + row):
                        if row >= skipped:
                            yield self._raw(begin + row, read)
                        row += 1
                else:
                    row += batch.num_rows
        except _arrow_errors() as problem:
            for lost in range(max(row, skipped), count):
                yield self._raw(begin + lost, partial(_refuse, self.path, begin + lost, _why(problem)))

    def _readers(self, batch: Any, first: int) -> list[Callable[[], Loose]]:
        """What opens each row, the first of them being number `first`: one that is beyond Python is alone."""
        try:
            return [partial(Loose, value) for value in batch.to_pylist()]
        except _arrow_errors():
            return [partial(_only, self.path, batch.slice(row, 1), first + row) for row in range(len(batch))]

    def at(self, index: int) -> Raw:
        if not 0 <= index < self.extent:
            raise IndexError(f"{self.path} has {self.extent} rows, and number {index} was wanted")
        group = bisect_right(self._ends, index)
        begin = self._ends[group] - self._groups[group]
        return self._raw(index, partial(_row, self.path, group, index - begin, index))

    def _raw(self, row: int, read: Callable[[], Loose]) -> Raw:
        return Raw(Place(str(self.path), row + 1, "row"), row, read)


def _file(path: Path) -> Any:
    import pyarrow.parquet as parquet

    return parquet.ParquetFile(path)


def _arrow_errors() -> tuple[type[Exception], ...]:
    import pyarrow

    # A time that Python's own cannot hold overflows.
    return (pyarrow.ArrowException, OSError, ValueError, OverflowError)


def _told(path: Path, work: Callable[[], Any]) -> Any:
    """Do the work; whatever the reader beneath cannot do is one sentence."""
    try:
        return work()
    except FileNotFoundError:
        raise MissingFile(f"{path}: no such file; name a data file") from None
    except _arrow_errors() as problem:
        raise BadData(f"{path} is a broken parquet table: {_why(problem)}") from None


def _why(problem: Exception) -> str:
    return (str(problem).strip() or type(problem).__name__).splitlines()[0]


def _refuse(path: Path, row: int, why: str) -> Loose:
    raise BadData(f"{path} row {row + 1} cannot be decoded: {why}")


def _row(path: Path, group: int, row: int, number: int) -> Loose:
    """One row of a group that stays in memory for the next ones."""
    try:
        found = _kept.group(path, group).slice(row, 1)
    except _arrow_errors() as problem:
        return _refuse(path, number, _why(problem))
    return _only(path, found, number)


def _only(path: Path, found: Any, number: int) -> Loose:
    """The one row of a table."""
    try:
        return Loose(found.to_pylist()[0])
    except _arrow_errors() as problem:
        return _refuse(path, number, _why(problem))


class _Kept:
    """Row groups that were read last. Each is large, and its rows are asked for one after another."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[Path, int], Any] = OrderedDict()

    def group(self, path: Path, number: int) -> Any:
        """The row group as a table of pyarrow's."""
        if (path, number) not in self._held:
            self._held[path, number] = _file(path).read_row_group(number, use_threads=False)
            while len(self._held) > LEAST_KEPT and sum(t.nbytes for t in self._held.values()) > KEPT_BYTES:
                self._held.popitem(last=False)
        self._held.move_to_end((path, number))
        return self._held[path, number]


_kept = _Kept()
