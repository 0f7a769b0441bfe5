"""A program that serves a small desk by two replicas on Ray and says how orders fared, as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from omma.chat import Delta, Options, Usage, message
from omma.errors import BadFolder, Interrupted, OmmaError, PromptTooLong
from omma.scale.serve_ray import RayDesk
from omma.serve.desk import Card, Cost, Desk, Order, Told


@dataclass
class SmallDesk:
    """Says its process's number, then what it was told; "long" does not end, "wrong" is refused."""

    folder: Path

    def models(self) -> Sequence[Card]:
        return [Card("small", "none", 64, "grid")]

    def state(self) -> Mapping[str, Any]:
        return {"ready": True, "walls": ["files: none"]}

    async def cost(self, order: Order) -> Cost:
        return Cost(len(order.messages[0].text), 0, 0, 64)

    async def answer(self, order: Order) -> AsyncGenerator[Told, None]:
        text = order.messages[0].text
        if text == "wrong":
            raise PromptTooLong("65 tokens; wanted 64 at most")
        try:
            yield Told(Delta(str(os.getpid())))
            while text == "long":
                await asyncio.sleep(0.05)
                yield Told(Delta("."))
            await asyncio.sleep(0.2)
            yield Told(Delta(f" {text}", "stop", Usage(1, 1)), {"shown": []})
        finally:
            if text == "long":
                (self.folder / "left").touch()


@dataclass(frozen=True)
class SmallOpening:
    """Opens the small desk."""

    folder: Path

    async def open(self) -> Desk:
        return SmallDesk(self.folder)

    async def close(self, desk: Desk) -> None:
        (self.folder / f"closed-{os.getpid()}").touch()


@dataclass(frozen=True)
class NeverOpen:
    """Opens nothing: for ever, or for a reason."""

    reason: str | None

    async def open(self) -> Desk:
        if self.reason is None:
            await asyncio.Event().wait()
        raise BadFolder(str(self.reason))

    async def close(self, desk: Desk) -> None:
        """Nothing is held."""


async def unopened(reason: str | None, patience: float) -> str:
    """Why a desk does not open, which is closed behind it."""
    desk = RayDesk(NeverOpen(reason), 1, patience=patience)
    try:
        await desk.open()
    except OmmaError as wrong:
        return f"{type(wrong).__name__}: {wrong}"
    finally:
        await desk.close()
    return "opened"


def order(text: str) -> Order:
    return Order((message("user", text),), Options(), "small")


async def whole(desk: RayDesk, text: str) -> str:
    return "".join([told.delta.text async for told in desk.answer(order(text))])


async def kind(desk: RayDesk, text: str) -> str:
    try:
        return await whole(desk, text)
    except OmmaError as wrong:
        return f"{type(wrong).__name__}: {wrong}"


async def main(folder: Path) -> None:
    ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    desk = RayDesk(SmallOpening(folder), 2)
    await desk.open()
    told: dict[str, Any] = {"models": [card.name for card in desk.models()], "state": dict(desk.state())}
    answers = await asyncio.gather(*(whole(desk, f"n{i}") for i in range(12)))
    told["answers"] = [answer.split()[1] for answer in answers]
    told["processes"] = len({answer.split()[0] for answer in answers})
    told["cost"] = (await desk.cost(order("12345"))).prompt_tokens
    told["wrong"] = await kind(desk, "wrong")
    async with aclosing(desk.answer(order("long"))) as pieces:
        told["first"] = (await anext(pieces)).delta.text.isdigit()
    async with asyncio.timeout(60):
        while not (folder / "left").exists():
            await asyncio.sleep(0.05)
    told["inside"] = desk.state()["inside"]
    try:
        async for piece in desk.answer(order("long")):
            if piece.delta.text.isdigit():
                os.kill(int(piece.delta.text), signal.SIGKILL)
        told["killed"] = "ended"
    except Interrupted as wrong:
        told["killed"] = str(wrong)
    told["after"] = (await whole(desk, "again")).split()[1]
    async with asyncio.timeout(120):
        while desk.state()["engines"] < 2:
            await asyncio.sleep(0.1)
    await desk.close()
    told["slow"] = await unopened(None, 5.0)
    told["refused"] = await unopened("config.json is missing", 120.0)
    print(json.dumps(told))
    ray.shutdown()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
