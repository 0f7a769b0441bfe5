"""One page's life: held by rows, kept for what it holds, or free. It knows no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).max  # the age of a page that cannot be had


class Pool:
    """Pages by number: how many rows hold each, since when nobody does, and what it holds.

    With `keep` a page with a name stays when its last row lets go of it.
    """

    def __init__(self, keep: bool) -> None:
        self.keep = keep
        self._holders = np.zeros(0, np.int32)
        self._age = np.zeros(0, np.int64)  # when a kept page was last let go of; 0 of all others
        self._lane = np.zeros(0, np.int64)  # the row in whose lane a page is, 0 for none
        self._names: dict[bytes, int] = {}
        self._named: dict[int, bytes] = {}
        self._clock = 0

    @property
    def capacity(self) -> int:
        """Pages that the pool has to have."""
        return len(self._holders)

    @property
    def held(self) -> int:
        """Pages that rows hold, a shared one counted once."""
        return int((self._holders > 0).sum())

    @property
    def kept(self) -> int:
        """Pages that no row holds and whose content is remembered."""
        return int((self._age > 0).sum())

    def find(self, names: Sequence[bytes]) -> list[int]:
        """The pages of the longest beginning of these contents that is remembered."""
        found: list[int] = []
        for name in names:
            if (page := self._names.get(name)) is None:
                break
            found.append(page)
        return found

    def _hold(self, pages: Sequence[int]) -> None:
        for page in pages:
            self._holders[page] += 1
            self._age[page] = 0

    def _take(self, pages: Sequence[int]) -> list[int]:
        """Hold pages for what is new: what was kept in them is given up."""
        for page in pages:
            self._give_up(page)
            assert not self._holders[page]
            self._holders[page] = 1
        return list(pages)

    def _let_go(self, pages: Sequence[int]) -> None:
        """The end of a beginning is of use to fewer than its front: the last page is given up first."""
        for page in reversed(pages):
            self._holders[page] -= 1
            if self._holders[page]:
                continue
            if self.keep and page in self._named:
                self._clock += 1
                self._age[page] = self._clock
            else:
                self._unname(page)

    def _give_up(self, page: int) -> None:
        if self._age[page]:
            self._age[page] = 0
            self._unname(page)

    def _unname(self, page: int) -> None:
        if (name := self._named.pop(page, None)) is not None:
            del self._names[name]

    def _oldest(self, wide: int) -> tuple[int, int]:
        """The lane whose youngest page is oldest, and that page's age: 0 if all are free."""
        lanes = self.capacity // wide
        if not lanes:
            return 0, int(NEVER)
        ages = self._ages()[: lanes * wide].reshape(lanes, wide).max(1)
        best = int(ages.argmin())
        return best * wide, int(ages[best])

    def _ages(self) -> NDArray[np.int64]:
        return np.where((self._holders > 0) | (self._lane > 0), NEVER, self._age)

    def _resize(self, capacity: int) -> None:
        more = max(capacity - self.capacity, 0)
        for name in ("_holders", "_age", "_lane"):
            numbers = getattr(self, name)
            setattr(self, name, np.concatenate([numbers[:capacity], np.zeros(more, numbers.dtype)]))
