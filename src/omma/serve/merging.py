"""Several answers at once as one stream, and work that ends when nobody listens any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from omma.serve.intake import Gone, gone
from omma.serve.visit import Receive

Item = TypeVar("Item")

AHEAD = 64  # pieces that wait until they are taken


async def merged(
    streams: Sequence[AsyncGenerator[Item, None]],
) -> AsyncGenerator[tuple[int, Item], None]:
    """The items of all streams as they come, each with its stream's number. One error ends them all."""
    line: asyncio.Queue[tuple[int, Item] | BaseException | None] = asyncio.Queue(AHEAD)

    async def pump(number: int, stream: AsyncGenerator[Item, None]) -> None:
        try:
            async with aclosing(stream) as items:
                async for item in items:
                    await line.put((number, item))
        except Exception as error:  # raised again by whoever takes from the line
            await line.put(error)
        else:
            await line.put(None)

    pumps = [asyncio.create_task(pump(number, stream)) for number, stream in enumerate(streams)]
    try:
        left = len(pumps)
        while left:
            came = await line.get()
            if isinstance(came, BaseException):
                raise came
            if came is None:
                left -= 1
            else:
                yield came
    finally:
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def while_listening(work: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Do the work, and leave it when the client is gone. Raises Gone, and what the work raises."""
    doing = asyncio.create_task(work)
    watching = asyncio.create_task(gone(receive))
    try:
        await asyncio.wait({doing, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise Gone
        doing.result()
    finally:
        for task in (doing, watching):
            task.cancel()
        await asyncio.gather(doing, watching, return_exceptions=True)
