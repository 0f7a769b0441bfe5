"""Remembers which bytes brought a decoder down, so that they cannot do it again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict


class Poison:
    """Counts, by digest, how often something died of the same bytes; after `most` times they are refused.

    It remembers at most `room` digests, those that were met last.
    """

    def __init__(self, most: int = 2, room: int = 4096) -> None:
        self._most, self._room = most, room
        self._deaths: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many digests are refused."""
        with self._lock:
            return sum(deaths >= self._most for deaths in self._deaths.values())

    def deaths(self, digest: str) -> int:
        """How often these bytes were died of."""
        with self._lock:
            return self._deaths.get(digest, 0)

    def refused(self, digest: str) -> bool:
        """Whether these bytes have done it as often as is borne."""
        return self.deaths(digest) >= self._most

    def died(self, digest: str) -> None:
        """Something died of these bytes."""
        with self._lock:
            self._deaths[digest] = self._deaths.get(digest, 0) + 1
            self._deaths.move_to_end(digest)
            while len(self._deaths) > self._room:
                self._deaths.popitem(last=False)

    def lived(self, digest: str) -> None:
        """These bytes went through: whatever happened before was not their doing."""
        with self._lock:
            self._deaths.pop(digest, None)
