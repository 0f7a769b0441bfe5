"""A desk for journeys: the bundled model, and beside it a teller that says what it is given to say."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace

from omma.chat import Delta, Usage
from omma.prep.geometry import geometry
from omma.serve.desk import Card, Order, Told
from omma.skills.prompts import prompts
from tests.serve.desks import NAME, ModelDesk

TELLER = "teller"


@dataclass
class JourneyDesk(ModelDesk):
    """Two models to choose from. What the teller says is read for places like any model's answer.

    `says` is the whole of it; where `endless`, it comes again and again until the reader goes away, which
    `left` tells.
    """

    says: str = ""
    endless: bool = False
    left: threading.Event = field(default_factory=threading.Event)

    def models(self) -> Sequence[Card]:
        (nano,) = super().models()
        nano = replace(nano, prompts=prompts(nano.dialect))
        return [nano, replace(nano, name=TELLER)]

    async def answer(self, order: Order) -> AsyncGenerator[Told, None]:
        if order.model == NAME:
            async for told in super().answer(order):
                yield told
            return
        self.answered.append(order)
        processor = self.model.processor
        sample = await asyncio.to_thread(processor.sample, order.messages)
        seen = processor.seen(sample)
        written = 0
        try:
            while True:
                for word in self.says.splitlines(keepends=True):
                    written += 1
                    yield Told(Delta(word))
                    await asyncio.sleep(0.01)
                if not self.endless:
                    break
        finally:
            self.left.set()
        usage = Usage(sample.length, written, sum(visual.tokens for visual in sample.visuals))
        stages = {"media": 0.01, "resize": 0.02, "encode": 0.2, "prefill": 0.1, "decode": 0.3}
        yield Told(Delta("", "stop", usage, seen), geometry(self.says, seen), stages)
