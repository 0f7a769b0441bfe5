"""Sees the pictures that a step reads, one by one, unless what was seen of them is still remembered."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from omma.engine.cache import Part
from omma.engine.features import Features
from omma.engine.row import Row
from omma.errors import OmmaError, PlaceholderMismatch
from omma.model.memory import memory_for
from omma.model.vlm import Vlm

SMALLER = "show a smaller picture, or give it a smaller max_pixels"


class Eyes:
    """The model's tower, and features that are kept for pictures shown again.

    Every picture is seen by itself: what is seen of it does not depend on what else is shown.
    """

    def __init__(self, model: Vlm, kept: Features) -> None:
        self._model, self._kept = model, kept

    def ready(self, parts: Sequence[Part], rows: Sequence[Row]) -> tuple[list[Part], dict[int, OmmaError]]:
        """The parts whose pictures were seen, and what is wrong with pictures of others, by ticket.

        While others write, one picture is seen a step, and parts end before the next one.
        """
        ready: list[Part] = []
        wrong: dict[int, OmmaError] = {}
        patient = not any(part.more == 1 for part in parts)
        seen = 0
        for part, row in zip(parts, rows, strict=True):
            count = part.more
            for number, _, _ in row.shows(part.start, part.stop):
                if self._known(row, number):
                    continue
                if seen and not patient:
                    count = max(int(row.places(number)[0]) - part.start, 0)
                    break
                try:
                    self._see(row, number)
                except OmmaError as error:
                    wrong[part.row], count = error, 0
                    break
                seen += 1
            if count:
                ready.append(part._replace(more=count))
        return ready, wrong

    def _known(self, row: Row, number: int) -> bool:
        if number in row.features:
            return True
        if not self._kept.limit or (found := self._kept.get(row.tenant, row.shown[number])) is None:
            return False
        row.features[number] = found
        return True

    def _see(self, row: Row, number: int) -> None:
        """Raises PlaceholderMismatch and OutOfMemory."""
        began = time.perf_counter()
        visual = row.request.sample.visuals[number]
        device = self._model.decoder.embedding.weight.device
        with memory_for(f"a picture of {visual.grid.patches:,} patches", SMALLER):
            rows_PC = torch.from_numpy(visual.rows_PC).to(device)
            row.features[number] = features_NX = self._model.see(rows_PC, [visual.grid])
        if len(features_NX) != visual.tokens:
            raise PlaceholderMismatch(
                f"picture {number}: the prompt leaves {visual.tokens} places but the tower makes "
                f"{len(features_NX)} features; make prompt and patches with one Processor"
            )
        row.times.encode += time.perf_counter() - began
        if self._kept.limit:
            self._kept.put(row.tenant, row.shown[number], features_NX)
