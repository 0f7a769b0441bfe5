"""A desk over processes for tests that are not asynchronous: its loop runs in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

from omma.chat import Delta, Options, Part, message
from omma.host.desk import HostDesk
from omma.host.settings import HostSettings
from omma.serve.desk import Order, Told

Given = TypeVar("Given")
LONG = 300.0  # seconds that nothing takes; a test that waits so long has failed


class Host:
    """A desk that is open, and the loop it lives on."""

    def __init__(self, desk: HostDesk, loop: asyncio.AbstractEventLoop) -> None:
        self.desk, self.loop = desk, loop

    def do(self, work: Coroutine[Any, Any, Given]) -> Given:
        """Do the work on the desk's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(LONG)

    def told(self, *parts: Part | str, **wishes: Any) -> list[Told]:
        """All that is told of one order."""

        async def gathered() -> list[Told]:
            return [told async for told in self.desk.answer(order(*parts, **wishes))]

        return self.do(gathered())

    def text(self, *parts: Part | str, **wishes: Any) -> str:
        """The text of the answer to one order."""
        return "".join(told.delta.text for told in self.told(*parts, **wishes))

    def wait_for(self, **state: int) -> None:
        """Wait until the desk's state says so."""
        until = monotonic() + LONG
        while any(self.desk.state().get(name) != value for name, value in state.items()):
            assert monotonic() < until, self.desk.state()
            sleep(0.02)


def order(*parts: Part | str, tenant: str = "", model: str = "omma-nano", **wishes: Any) -> Order:
    return Order((message("user", *parts),), Options.of(**wishes), model, tenant)


@contextmanager
def hosting(settings: HostSettings) -> Iterator[Host]:
    """A desk for the time of a `with`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:

        async def made() -> HostDesk:
            return HostDesk(settings)

        desk = asyncio.run_coroutine_threadsafe(made(), loop).result()
        host = Host(desk, loop)
        try:
            host.do(desk.open())
            yield host
        finally:
            host.do(desk.close())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def alive(numbers: list[int]) -> list[int]:
    """Those of these processes that are still there."""
    return [number for number in numbers if Path(f"/proc/{number}").exists()]


def ended(told: list[Told]) -> Delta:
    return told[-1].delta
