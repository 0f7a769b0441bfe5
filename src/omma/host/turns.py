"""Turns at something of which there is little: so many at a time, and tenants come one after the other."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """At most `count` turns are taken at a time, by one tenant at most `each`. Lives on one loop.

    Who waits stands in a line of its tenant's own, and lines are served in rotation: a tenant with many
    waiting makes another wait for one of them, not for all; and where `each` is less than `count`, for none.
    """

    def __init__(self, count: int, each: int | None = None) -> None:
        self._free = count
        self._each = count if each is None else each
        self._taken: Counter[str] = Counter()
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return sum(not place.done() for line in self._lines.values() for place in line)

    @asynccontextmanager
    async def turn(self, tenant: str) -> AsyncIterator[None]:
        """Have a turn, for the time of a `with`."""
        if self._free and self._taken.get(tenant, 0) < self._each:
            self._take(tenant)
        else:
            await self._in_line(tenant)
        try:
            yield
        finally:
            self._give_back(tenant)

    async def _in_line(self, tenant: str) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(tenant, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # the turn came in the same moment
                self._give_back(tenant)
            raise  # a place that nobody stands in is passed over

    def _take(self, tenant: str) -> None:
        self._free -= 1
        self._taken[tenant] += 1

    def _give_back(self, tenant: str) -> None:
        """Take a turn back, and give turns to the first in the lines that have waited longest for one."""
        self._free += 1
        self._taken[tenant] -= 1
        if not self._taken[tenant]:
            del self._taken[tenant]
        while self._free and (following := self._following()) is not None:
            place = self._lines[following].popleft()
            if self._lines[following]:
                self._lines.move_to_end(following)
            else:
                del self._lines[following]
            if not place.done():
                self._take(following)
                place.set_result(None)

    def _following(self) -> str | None:
        """Whose turn it is."""
        return next((tenant for tenant in self._lines if self._taken.get(tenant, 0) < self._each), None)
