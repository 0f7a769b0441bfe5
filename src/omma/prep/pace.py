"""How many frames a second are taken of a video, where that follows from what moves in it and its length."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

SIDE = 32  # of the small grey pictures that are compared
FULL = 1.0  # the whole range of grey crossed once a second, on the average of all places: full motion
PROBES = 256  # frames that are looked at, at most: all of a short video, some of a long one


@dataclass(frozen=True)
class Pace:
    """Frames a second from `slowest`, where nothing moves, to `fastest`."""

    slowest: float
    fastest: float

    def rate(self, motion: float, seconds: float, most: int) -> float:
        """Frames a second to take of `seconds` of video in which so much moves (0 to 1).

        Each step of motion multiplies the rate alike. No more is taken than leaves `most` frames in all, and
        never less than the slowest: a video that is longer than `most` frames of that is spread over them.
        """
        wanted = self.slowest * math.pow(self.fastest / self.slowest, min(max(motion, 0.0), 1.0))
        all_of_it = most * (1 + 1e-9) / seconds if seconds > 0 else wanted  # rounded, it may not lose a frame
        return max(self.slowest, min(wanted, all_of_it))


def motion(frames: Iterable[PIL.Image.Image], times: Iterable[float]) -> float:
    """How much moves in frames that stand at these seconds, from 0, nothing, to 1.

    The mean change of grey between neighbours, over the seconds between first and last. One pass, holding two
    small pictures. One frame does not move.
    """
    before: NDArray[np.float32] | None = None
    first = last = changed = 0.0
    for frame, time in zip(frames, times, strict=False):
        grey = frame.convert("L").resize((SIDE, SIDE), PIL.Image.Resampling.BOX)
        here = np.asarray(grey, np.float32) / np.float32(255)
        if before is None:
            first = time
        else:
            changed += float(np.abs(here - before).mean())
        before, last = here, time
    return min(changed / (last - first) / FULL, 1.0) if last > first else 0.0
