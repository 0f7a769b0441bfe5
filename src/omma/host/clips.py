"""Decoded media that are remembered: what a tenant shows again is not decoded again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from omma.prep.video import Clip


class Clips:
    """The clips that were asked for last, by any key, of together at most `most` bytes of pixels."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, Clip] = OrderedDict()
        self.bytes = 0

    def get(self, key: Hashable) -> Clip | None:
        """The clip that was put under the key, if it is still here."""
        clip = self._held.get(key)
        if clip is not None:
            self._held.move_to_end(key)
        return clip

    def put(self, key: Hashable, clip: Clip) -> None:
        """Remember a clip, and forget those that were longest not asked for."""
        if key in self._held or clip.frames.nbytes > self._most:
            return
        self._held[key] = clip
        self.bytes += clip.frames.nbytes
        while self.bytes > self._most:
            self.bytes -= self._held.popitem(last=False)[1].frames.nbytes
