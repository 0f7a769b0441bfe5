"""Turns at something of which there is little: so many at a time, and tenants come one after the other."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """At most `count` turns are taken at a time. Lives on one loop.

    Who waits stands in a line of its tenant's own, and lines are served in rotation: a tenant with many
    waiting makes another wait for one of them, not for all.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return sum(not place.done() for line in self._lines.values() for place in line)

    @asynccontextmanager
    async def turn(self, tenant: str) -> AsyncIterator[None]:
        """Have a turn, for the time of a `with`."""
        if self._free:
            self._free -= 1
        else:
            await self._in_line(tenant)
        try:
            yield
        finally:
            self._pass_on()

    async def _in_line(self, tenant: str) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(tenant, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # the turn came in the same moment
                self._pass_on()
            raise  # a place that nobody stands in is passed over

    def _pass_on(self) -> None:
        """Give a turn to the first in the line that has waited longest for one."""
        while self._lines:
            tenant, line = self._lines.popitem(last=False)
            place = line.popleft()
            if line:
                self._lines[tenant] = line
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
