"""Sees the pictures that a step reads, a piece at a time, unless what was seen of them is remembered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from omma.engine.cache import Part
from omma.engine.features import Features
from omma.engine.row import Row
from omma.errors import OmmaError, PlaceholderMismatch
from omma.model.memory import memory_for
from omma.model.pieces import Pieces
from omma.model.vlm import Vlm

SMALLER = "show a smaller picture, or give it a smaller max_pixels"


@dataclass(frozen=True)
class Look:
    """A picture that is being seen: which of its row's, how large, and what is left to do."""

    number: int
    patches: int
    pieces: Pieces[Tensor]


@dataclass
class Glance:
    """The seeing of one step: how long it may take, and the sizes of what is under way in it."""

    seconds: float
    until: float
    under_way: list[int]
    begun: bool = False

    def may_begin(self, patches: int) -> bool:
        """Whether another picture may begin: while there is time, and one in every step.

        Beside others it has to be half as large as the smallest: all together hold twice the memory of one.
        """
        in_time = not self.begun or time.perf_counter() < self.until
        return in_time and all(2 * patches <= other for other in self.under_way)

    def stop(self) -> float:
        """When a look that goes on now has to pause: all have equal shares of the time."""
        now = time.perf_counter()
        return min(now + self.seconds / len(self.under_way), max(self.until, now))


class Eyes:
    """The model's tower, and features that are kept for pictures shown again.

    Every picture is seen by itself: what is seen of it does not depend on what else is shown, nor on how
    often its seeing pauses. An accelerator is given its work ahead of time and pauses seldom.
    """

    def __init__(self, model: Vlm, kept: Features) -> None:
        self._model, self._kept = model, kept
        self._looks: WeakKeyDictionary[Row, Look] = WeakKeyDictionary()

    def ready(
        self, parts: Sequence[Part], rows: Sequence[Row], seconds: float
    ) -> tuple[list[Part], dict[int, OmmaError]]:
        """The parts whose pictures were seen, and what is wrong with pictures of others, by ticket.

        About so many `seconds` go into seeing, and at least a piece of work into each picture under way.
        Parts end before a picture that has not been seen to its end.
        """
        ready: list[Part] = []
        wrong: dict[int, OmmaError] = {}
        sizes = [self._looks[row].patches for row in rows if row in self._looks]
        glance = Glance(seconds, time.perf_counter() + seconds, sizes)
        for part, row in zip(parts, rows, strict=True):
            count = part.more
            for number, _, _ in row.shows(part.start, part.stop):
                try:
                    if self._known(row, number) or self._seen(row, number, glance):
                        continue
                    count = max(int(row.places(number)[0]) - part.start, 0)
                except OmmaError as error:
                    wrong[part.row], count = error, 0
                break
            if count:
                ready.append(part._replace(more=count))
        return ready, wrong

    def forget(self, row: Row) -> None:
        """Let go of what is being seen of a row."""
        self._looks.pop(row, None)

    def _known(self, row: Row, number: int) -> bool:
        if number in row.features:
            return True
        if not self._kept.limit or (found := self._kept.get(row.tenant, row.shown[number])) is None:
            return False
        row.features[number] = found
        return True

    def _seen(self, row: Row, number: int, glance: Glance) -> bool:
        """Go on with a picture, or begin with it; whether it has been seen to its end.

        Raises PlaceholderMismatch and OutOfMemory.
        """
        if (look := self._looks.pop(row, None)) is None:
            look = self._begun(row, number)
            if not glance.may_begin(look.patches):
                return False
            glance.under_way.append(look.patches)
            glance.begun = True
        began, stop = time.perf_counter(), glance.stop()
        try:
            with memory_for(f"a picture of {look.patches:,} patches", SMALLER):
                features_NX = _go_on(look.pieces, stop)
        finally:
            row.times.encode += time.perf_counter() - began
        if features_NX is None:
            self._looks[row] = look
            return False
        glance.under_way.remove(look.patches)
        self._keep(row, number, features_NX)
        return True

    def _begun(self, row: Row, number: int) -> Look:
        visual = row.request.sample.visuals[number]
        device = self._model.decoder.embedding.weight.device

        def pieces() -> Pieces[Tensor]:
            rows_PC = torch.from_numpy(visual.rows_PC).to(device)
            return (yield from self._model.looking(rows_PC, [visual.grid]))

        return Look(number, visual.grid.patches, pieces())

    def _keep(self, row: Row, number: int, features_NX: Tensor) -> None:
        visual = row.request.sample.visuals[number]
        if len(features_NX) != visual.tokens:
            raise PlaceholderMismatch(
                f"picture {number}: the prompt leaves {visual.tokens} places but the tower makes "
                f"{len(features_NX)} features; make prompt and patches with one Processor"
            )
        row.features[number] = features_NX
        if self._kept.limit:
            self._kept.put(row.tenant, row.shown[number], features_NX)


def _go_on(pieces: Pieces[Tensor], stop: float) -> Tensor | None:
    """Do pieces until that moment, one at least; what was made if that was the last."""
    try:
        next(pieces)
        while time.perf_counter() < stop:
            next(pieces)
    except StopIteration as end:
        made: Tensor = end.value
        return made
    return None
