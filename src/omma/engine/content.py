"""Names of what pages and pictures hold: equal content has one name, no other content has it. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from omma.engine.pages import PAGE
from omma.sample import Sample, Visual
from omma.spec import DecoderSpec

WORDS = 4  # 64-bit words in a picture's digest
RECORD = 4 + WORDS  # 64-bit words that say what one token is: id, three positions, digest of its picture


def digest(visual: Visual) -> bytes:
    """What the tower sees of a picture or video, in 32 bytes: its patch rows and how they are laid."""
    told = blake2b(repr((*visual.grid, visual.rows_PC.shape)).encode(), digest_size=8 * WORDS)
    told.update(np.ascontiguousarray(visual.rows_PC, np.float32).data)
    return told.digest()


def digests(sample: Sample) -> tuple[bytes, ...]:
    """Those of all that a sample shows."""
    return tuple(digest(visual) for visual in sample.visuals)


def doublings(spec: DecoderSpec, length: int) -> int:
    """How many times over the trained length a prompt reaches, as positions are stretched by it (facts §3.1).

    Keys of prompts with unequal numbers turn differently; of models that stretch nothing, 0.
    """
    if spec.stretch is None or not spec.stretch.ntk:
        return 0
    step, reach = 0, spec.stretch.trained
    while reach < min(length, spec.context):
        step, reach = step + 1, 2 * reach
    return step


class Content:
    """The names of one row's full pages, in order. A name stands for all tokens up to the end of its page.

    Prompts of different tenants, or stretched differently, have no name in common.
    """

    def __init__(self, sample: Sample, shown: Sequence[bytes], *, tenant: str, doublings: int) -> None:
        self.names: list[bytes] = []
        self._last = blake2b(f"{doublings} {tenant}".encode(), digest_size=32).digest()
        self._rest = b""
        self._add(_records(sample, shown))

    def write(self, token: int, position: int) -> None:
        """One more token, written at this position on all axes."""
        record = np.zeros((1, RECORD), np.int64)
        record[0, :4] = token, position, position, position
        self._add(record)

    def _add(self, records_TR: NDArray[np.int64]) -> None:
        data = self._rest + records_TR.tobytes()
        size = PAGE * RECORD * 8
        for start in range(0, len(data) - size + 1, size):
            self._last = blake2b(self._last + data[start : start + size], digest_size=32).digest()
            self.names.append(self._last)
        self._rest = data[len(data) // size * size :]


def _records(sample: Sample, shown: Sequence[bytes]) -> NDArray[np.int64]:
    """A visual token is which picture it is of and its number there; its id says neither."""
    records_TR = np.zeros((sample.length, RECORD), np.int64)
    records_TR[:, 0] = sample.ids_T
    records_TR[:, 1:4] = sample.positions_3T.T
    for visual, told in zip(sample.visuals, shown, strict=True):
        records_TR[visual.places, 0] = -1 - np.arange(visual.tokens)
        records_TR[visual.places, 4:] = np.frombuffer(told, np.int64)
    return records_TR
