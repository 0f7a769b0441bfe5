"""The page book: which row's keys and values lie in which pages of one pool. It knows no torch.

A page is `PAGE` tokens. A row is given a *lane*, a stretch of the pool as wide as the next power of two and
beginning at a multiple of it, in which it may grow: so a row's pages lie end to end, and rows in lanes of one
width stand at equal distances. Only where memory is short do a row's pages lie scattered.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from omma.engine.pool import NEVER, Pool

PAGE = 16  # tokens
NARROWEST = 4  # pages of the narrowest lane


class Copy(NamedTuple):
    """What lies in page `source` has to be written to page `target` before anything else is."""

    source: int
    target: int


class Lane(NamedTuple):
    """Pages from `start` to `stop` that no other row is given."""

    start: int
    stop: int

    @property
    def width(self) -> int:
        """In pages."""
        return self.stop - self.start


def pages_for(tokens: int) -> int:
    """How many pages so many tokens take."""
    return -(-tokens // PAGE)


class Pages(Pool):
    """Who holds which page. A page is held by rows, or kept for its content, or free.

    A full page whose content was named (`name`) is shared by every row that begins with it. With `keep` it
    stays after its last row has gone, until memory is wanted: those unused for longest go first. There are
    never more than `limit` pages; the pool, `capacity` pages, grows as it has to, and with a limit it grows
    before anything kept is given up.
    """

    def __init__(self, limit: int | None = None, *, keep: bool = False) -> None:
        super().__init__(keep)
        self.limit = limit
        self.tables: dict[int, list[int]] = {}
        self.lanes: dict[int, Lane] = {}
        self.fresh: list[
            Lane
        ] = []  # lanes just given, whose pages hold anything: whoever has the pool cleans

    def open(self, row: int, count: int, shared: Sequence[int] = ()) -> list[Copy] | None:
        """Give a new row `count` pages, more than the `shared` ones that it begins with.

        Shared pages are gone on from where they lie or copied into the row's own lane, and held in common
        only where there is no lane. None, and nothing has changed, where there are not enough pages.
        """
        assert row > 0
        assert row not in self.tables
        assert len(shared) < count
        self._hold(shared)
        wide = _width(count)
        if shared and self._goes_on(shared, wide):
            self._enter(row, Lane(shared[0], shared[0] + wide), len(shared))
            self.tables[row] = [*shared, *self._take(range(shared[-1] + 1, shared[0] + count))]
            return []
        if (start := self._stretch(wide)) is not None:
            self._enter(row, Lane(start, start + wide), 0)
            self.tables[row] = self._take(range(start, start + count))
            self._let_go(shared)
            return [Copy(*each) for each in zip(shared, self.tables[row], strict=False)]
        own = self._scattered(count - len(shared))
        if own is None:
            self._let_go(shared)
            return None
        self.tables[row] = [*shared, *own]
        return []

    def extend(self, row: int, count: int) -> list[Copy] | None:
        """Make a row's pages `count` at least: in its lane, in a wider one, or wherever a page is to be had.

        None where there are not enough; what was given up to then is kept.
        """
        table = self.tables[row]
        while len(table) < count:
            following = table[-1] + 1
            if (lane := self.lanes.get(row)) is not None and following < lane.stop:
                table += self._take([following])
                continue
            if (copies := self._moved(row, count)) is not None:
                return copies
            if (more := self._scattered(1, after=table[-1])) is None:
                return None
            self._leave(row)
            table += more
        return []

    def name(self, row: int, index: int, name: bytes) -> None:
        """Say what the row's page of this number holds, full and for good. A name's first page has it."""
        page = self.tables[row][index]
        if name not in self._names and page not in self._named:
            self._names[name], self._named[page] = page, name

    def close(self, row: int) -> None:
        """Take a row's pages back, if it is known."""
        if row in self.tables:
            self._leave(row)
            self._let_go(self.tables.pop(row))
            if not self.keep and not self.tables:
                self._resize(0)

    def forget(self, row: int) -> None:
        """Nobody is to share what only this row holds: it may be broken."""
        for page in self.tables.get(row, ()):
            if self._holders[page] == 1:
                self._unname(page)

    def clear(self) -> None:
        """Give up all that is kept; without a row the pool shrinks to nothing."""
        for page in np.flatnonzero(self._age).tolist():
            self._give_up(page)
        if not self.tables:
            self._resize(0)

    def refuse(self, limit: int) -> None:
        """The pool cannot be had larger than this. Whoever was given pages beyond has been closed."""
        self.limit = limit
        for page in np.flatnonzero(self._age[limit:]).tolist():
            self._give_up(limit + page)
        assert not self._holders[limit:].any()
        self._resize(min(limit, self.capacity))

    def run(self, row: int) -> int | None:
        """The first of a row's pages if they lie end to end, else None."""
        table = self.tables[row]
        return table[0] if row in self.lanes or _in_line(table) else None

    def check(self) -> None:
        """Count everything anew. Raises AssertionError: the book is wrong, whatever was asked of it."""
        holders = np.zeros(self.capacity, np.int32)
        for row, table in self.tables.items():
            assert len(set(table)) == len(table), f"row {row} has a page twice"
            holders[table] += 1
            if (lane := self.lanes.get(row)) is not None:
                assert table == list(range(lane.start, lane.start + len(table))), f"row {row} left its lane"
                assert lane.start + len(table) <= lane.stop
                assert lane.start % lane.width == 0
                assert (self._lane[lane.start : lane.stop] == row).all()
                # Others may read the beginning; what lies behind it is the row's alone.
                assert not holders[lane.start + len(table) : lane.stop].any()
        assert (holders == self._holders).all(), "holders are miscounted"
        assert self.lanes.keys() <= self.tables.keys()
        assert set(self._lane.tolist()) - {0} == set(self.lanes), "a lane outlives its row"
        assert {page: name for name, page in self._names.items()} == self._named
        for page in np.flatnonzero(holders > 1).tolist():
            assert page in self._named, f"page {page} is shared and may still be written to"
        for page in np.flatnonzero(self._age).tolist():
            assert not holders[page], f"page {page} is kept and held"
            assert page in self._named, f"page {page} is kept and nobody can find it"
        for page in self._named:
            assert holders[page] or self._age[page], f"page {page} is free and has a name"
        assert self.limit is None or self.capacity <= self.limit

    # ---- lanes

    def _enter(self, row: int, lane: Lane, used: int) -> None:
        for page in range(lane.start + used, lane.stop):
            self._give_up(page)
        self._lane[lane.start : lane.stop] = row
        self.lanes[row] = lane
        self.fresh.append(Lane(lane.start + used, lane.stop))

    def _leave(self, row: int) -> None:
        if (lane := self.lanes.pop(row, None)) is not None:
            self._lane[lane.start : lane.stop] = 0

    def _moved(self, row: int, count: int) -> list[Copy] | None:
        """Into a lane that holds `count` pages, if there is one. Names move with pages nobody else holds."""
        old = self.tables[row]
        if self._widened(row, _width(count)):
            self.tables[row] += self._take(range(old[-1] + 1, old[0] + count))
            return []
        if (start := self._stretch(_width(count))) is None:
            return None
        self._leave(row)
        self._enter(row, Lane(start, start + _width(count)), 0)
        table = self._take(range(start, start + count))
        copies = [Copy(*each) for each in zip(old, table, strict=False)]
        for source, target in copies:
            if self._holders[source] == 1 and (name := self._named.pop(source, None)) is not None:
                self._names[name], self._named[target] = target, name
        self.tables[row] = table
        self._let_go(old)
        return copies

    def _widened(self, row: int, wide: int) -> bool:
        """Make a row's lane wider where it is, if nobody is behind it."""
        if (lane := self.lanes.get(row)) is None or lane.start % wide:
            return False
        stop = lane.start + wide
        if lane.stop == self.capacity and (self.limit is None or stop <= self.limit):
            self._resize(stop)
        if stop > self.capacity or self._ages()[lane.stop : stop].max() == NEVER:
            return False
        self._enter(row, Lane(lane.start, stop), len(self.tables[row]))
        return True

    def _goes_on(self, shared: Sequence[int], wide: int) -> bool:
        """Whether shared pages are the beginning of a lane that is nobody's."""
        start = shared[0]
        if start % wide or start + wide > self.capacity or not _in_line(shared):
            return False
        alone = not self._lane[start : start + wide].any()
        return alone and not self._holders[start + len(shared) : start + wide].any()

    def _stretch(self, wide: int) -> int | None:
        """Where a lane so wide can begin: where nothing is, in a larger pool, or where it is oldest."""
        start, age = self._oldest(wide)
        if age == 0:
            return start
        if (self.limit is not None or age == NEVER) and self._grown(wide):
            return self._oldest(wide)[0]
        return None if age == NEVER else start

    def _grown(self, wide: int) -> bool:
        """Make the pool larger by a lane at least, and double it if that is allowed."""
        wanted = -(-self.capacity // wide) * wide + wide
        if self.limit is not None and wanted > self.limit:
            return False
        larger = max(wanted, 2 * self.capacity)
        self._resize(larger if self.limit is None else min(larger, self.limit))
        return True

    def _scattered(self, count: int, after: int | None = None) -> list[int] | None:
        """Any pages, oldest first, or else unused ones of lanes. The one behind `after` is best."""
        if self.limit is not None and self.capacity < self.limit:
            self._resize(self.limit)
        ages = self._ages()
        if (ages < NEVER).sum() < count:
            self._dissolve(count - int((ages < NEVER).sum()))
            ages = self._ages()
        if after is not None and count == 1 and after + 1 < self.capacity and ages[after + 1] < NEVER:
            return self._take([after + 1])
        found = ages.argsort(kind="stable")[:count]
        if len(found) < count or ages[found[-1]] == NEVER:
            return None
        return self._take(sorted(found.tolist()))

    def _dissolve(self, count: int) -> None:
        """Take lanes away, the emptiest first, until so many pages more are to be had."""
        spare = {row: lane.width - len(self.tables[row]) for row, lane in self.lanes.items()}
        for row in sorted(spare, key=spare.__getitem__, reverse=True):
            if count <= 0 or not spare[row]:
                return
            self._leave(row)
            count -= spare[row]


def _in_line(pages: Sequence[int]) -> bool:
    return all(b == a + 1 for a, b in pairwise(pages))


def _width(pages: int) -> int:
    """The lane for so many pages: the next power of two."""
    wide = NARROWEST
    while wide < pages:
        wide *= 2
    return wide
