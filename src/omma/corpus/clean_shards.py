"""Shards of a cleaning: pairs that are cleaned together and lie, once done, in a file until the run ends."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from omma.corpus.clean_batch import Batch, Row, row_of
from omma.corpus.clean_pairs import Found
from omma.prep.pictures import picture_format

PICTURES = "pictures"
_ESCAPED = re.compile("[\ud800-\udfff\x85\u2028\u2029]")  # not writable, or taken for the end of a line


class Shard(NamedTuple):
    """Some pairs, the file their outcomes go to, and the mark it carries: of the rules and of the pairs.

    `size` is how many; `rows` is empty once nobody needs them.
    """

    rows: list[Row]
    size: int
    file: Path
    mark: str

    @property
    def batch(self) -> Batch:
        """The pairs as columns."""
        return {name: [row[at] for row in self.rows] for at, name in enumerate(Row._fields)}

    @property
    def done(self) -> bool:
        """Whether its outcomes are there, of the very same pairs by the very same rules."""
        try:
            with self.file.open(encoding="utf-8") as file:
                return bool(json.loads(file.readline()).get("mark") == self.mark)
        except (OSError, ValueError, AttributeError):
            return False

    def write(self, outcomes: Sequence[str], out: Path) -> None:
        """Lay down the outcomes; pictures of kept pairs that came as bytes go to `out`/pictures first."""
        lines = [json.dumps({"mark": self.mark})]
        for row, told in zip(self.rows, outcomes, strict=True):
            outcome = json.loads(told)
            if row.picture and "kept" in outcome:
                outcome["file"] = _lay_down(row, out)
            lines.append(json.dumps({"where": row.where, **outcome}))
        write_whole(self.file, "".join(f"{line}\n" for line in lines))


def _lay_down(row: Row, out: Path) -> str:
    kind = (picture_format(io.BytesIO(row.picture)) or "bin").lower()
    path = out / PICTURES / f"{row.number:09}.{kind}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(row.picture)
    return f"{PICTURES}/{path.name}"


class Queue:
    """Shards in their order, of which only those that are not done go to the workers."""

    def __init__(self, found: Iterable[Found], size: int, folder: Path, plan: str) -> None:
        self._rows = (row_of(number, one) for number, one in enumerate(found))
        self._size, self._folder, self._plan = size, folder, plan
        self._waiting: deque[Shard] = deque()

    def undone(self) -> Iterator[Batch]:
        """The batches to work on. Shards that are done are passed over, and remembered."""
        number = 0
        while rows := list(islice(self._rows, self._size)):
            mark = _mark(self._plan, rows)
            shard = Shard(rows, len(rows), self._folder / f"{number:07}.jsonl", mark)
            number += 1
            if shard.done:
                self._waiting.append(shard._replace(rows=[]))
            else:
                self._waiting.append(shard)
                yield shard.batch

    def passed(self) -> Iterator[Shard]:
        """Shards at the queue's head that are done, taken off it."""
        while self._waiting and self._waiting[0].done:
            yield self._waiting.popleft()

    def head(self) -> Shard:
        """The shard whose outcomes come next, `passed` having been called; it stays."""
        return self._waiting[0]


def _mark(plan: str, rows: Sequence[Row]) -> str:
    digest = hashlib.blake2b(plan.encode("utf-8", "backslashreplace"), digest_size=20)
    for row in rows:
        told = json.dumps([row.number, row.where, row.line, len(row.picture)])
        digest.update(told.encode())
        digest.update(row.picture)
    return digest.hexdigest()


def outcomes_of(file: Path) -> Iterator[dict[str, Any]]:
    """What a shard's file holds: an outcome for each pair, with where it stood."""
    with file.open(encoding="utf-8") as lines:
        next(lines)
        yield from map(json.loads, lines)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    half = path.with_name(f"{path.name}.part")
    half.write_text(text, encoding="utf-8")
    os.replace(half, path)


def json_line(value: Any) -> str:
    """One JSON value on a line that every reader of lines takes for one, whatever its texts hold.

    A number that JSON does not have (NaN, infinity) is null.
    """
    try:
        line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        value = json.loads(json.dumps(value), parse_constant=lambda _: None)
        line = json.dumps(value, ensure_ascii=False)
    return f"{json.dumps(value) if _ESCAPED.search(line) else line}\n"
