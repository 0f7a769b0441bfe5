"""What the model sees: ids, positions and patch rows of one conversation, and several of them end to end.

Plain numpy, no torch. `prep` makes samples; training packs them, the engine runs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Size(NamedTuple):
    """A picture's sides in pixels."""

    width: int
    height: int


class Grid(NamedTuple):
    """Patches of one picture or video before merging: temporal slices, rows, columns (facts §2.2)."""

    slices: int
    rows: int
    columns: int

    @property
    def patches(self) -> int:
        """Raw patch rows the tower reads."""
        return self.slices * self.rows * self.columns

    def cells(self, merge: int) -> int:
        """Visual tokens after merging `merge` × `merge` patches."""
        return self.patches // (merge * merge)


@dataclass(frozen=True)
class Visual:
    """One picture or video inside a sample, with its geometry.

    `rows_PC` are normalised patch rows in 2×2-block order, float32. `start`:`stop` are the places of its
    visual tokens in the sample's ids, and `lead` how many tokens before them introduce it. Where words stand
    between a video's slices, `stretches` are the places of each slice's tokens. `original` is the size after
    EXIF orientation: what a person sees.
    `times` are the seconds of the video's sampled frames (empty for a picture). `name` is how to call it.
    """

    kind: str  # "image" | "video"
    rows_PC: NDArray[np.float32]
    grid: Grid
    start: int
    stop: int
    original: Size
    resized: Size
    times: tuple[float, ...] = ()
    seconds_per_slice: float = 0.0
    name: str | None = None
    lead: int = 1
    stretches: tuple[tuple[int, int], ...] = ()

    @property
    def tokens(self) -> int:
        """Visual tokens, without the words between them."""
        return len(self.places)

    @property
    def places(self) -> NDArray[np.int64]:
        """The places of its visual tokens in the sample's ids."""
        return np.concatenate([np.arange(*each) for each in self.stretches or ((self.start, self.stop),)])


@dataclass(frozen=True)
class Sample:
    """One conversation, ready for the model.

    `ids_T` int64; `positions_3T` int64, rows time, row, column; `weights_T` float32 or None: how much the
    prediction *of* token t counts in the loss (0 for everything that is not to be learned).
    """

    ids_T: NDArray[np.int64]
    positions_3T: NDArray[np.int64]
    visuals: tuple[Visual, ...] = ()
    weights_T: NDArray[np.float32] | None = None

    @property
    def length(self) -> int:
        """Tokens, visual ones included."""
        return len(self.ids_T)

    @property
    def next_position(self) -> int:
        """The position of the first token after the prompt, the same on all three axes (facts §3.2)."""
        return int(self.positions_3T.max()) + 1 if self.length else 0


@dataclass(frozen=True)
class Pack:
    """Samples end to end on one axis T; `starts` are the S + 1 borders between them.

    `places_N` are the places of all visual tokens, in the order in which the tower makes their features:
    visual by visual, as the samples stand.
    """

    ids_T: NDArray[np.int64]
    positions_3T: NDArray[np.int64]
    weights_T: NDArray[np.float32]
    starts: tuple[int, ...]
    rows_PC: NDArray[np.float32] | None = None
    grids: tuple[Grid, ...] = ()
    places_N: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def reach_T(self) -> NDArray[np.int64]:
        """The length of the sample that each token belongs to."""
        lengths_S = np.diff(self.starts)
        return np.repeat(lengths_S, lengths_S)


def pack(samples: Sequence[Sample]) -> Pack:
    """Lay samples end to end. No token is added, none is lost, nothing crosses a border."""
    if not samples:
        raise ValueError("a pack is made of at least one sample")
    starts = np.cumsum([0, *(sample.length for sample in samples)])
    visuals = [
        (int(start), visual) for start, s in zip(starts, samples, strict=False) for visual in s.visuals
    ]
    nothing_learned = [
        np.zeros(s.length, np.float32) if s.weights_T is None else s.weights_T for s in samples
    ]
    return Pack(
        ids_T=np.concatenate([s.ids_T for s in samples]),
        positions_3T=np.concatenate([s.positions_3T for s in samples], axis=1),
        weights_T=np.concatenate(nothing_learned),
        starts=tuple(int(start) for start in starts),
        rows_PC=np.concatenate([v.rows_PC for _, v in visuals]) if visuals else None,
        grids=tuple(v.grid for _, v in visuals),
        places_N=np.concatenate([at + v.places for at, v in visuals]) if visuals else np.zeros(0, np.int64),
    )
