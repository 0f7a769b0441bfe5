"""Orders that engines died with: after several deaths they are refused, and the last one is theirs alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from omma.errors import BadMessage, Interrupted
from omma.host.link import Worker
from omma.host.poison import Poison

DEATHS = 3  # of engines with an order inside, after which it is refused


class Watch:
    """Which engine an order is in."""

    worker: Worker | None = None


class Quarantine:
    """Counts, by an order's digest, the deaths of engines that it was inside of.

    Everyone who was inside is suspected, and one of them at most is guilty. So whoever would be refused the
    next time runs beside no other such order, and the last death is laid on the right one.
    """

    def __init__(self, deaths: int = DEATHS) -> None:
        self.deaths = Poison(deaths)
        self._most = deaths
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def around(self, digest: str) -> AsyncIterator[Watch]:
        """Be answered, by the engine that is put into the watch. Raises BadMessage where that is over."""
        async with AsyncExitStack() as stack:
            if self.deaths.deaths(digest) == self._most - 1:
                await stack.enter_async_context(self._alone)
            if self.deaths.refused(digest):
                raise BadMessage(
                    f"{self._most} times an engine died while it was at this conversation; it is not tried "
                    "again"
                )
            watch = Watch()
            try:
                yield watch
            except Interrupted:
                worker = watch.worker
                if worker is not None and worker.ended.is_set() and digest not in worker.died_with:
                    worker.died_with.add(digest)
                    self.deaths.died(digest)
                raise
            self.deaths.lived(digest)
