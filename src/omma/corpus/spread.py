"""How numbers lie: least, middle and greatest, and how many fall in each of a few round intervals."""

from __future__ import annotations

from array import array
from typing import NamedTuple

import numpy as np

BARS = 12
SKEWED = 8  # where the greatest is so many times the middle, each interval is wider than the last


class Bar(NamedTuple):
    """How many numbers lie from `low` up to, and without, `high`."""

    low: int
    high: int
    holds: int


class Spread:
    """Whole numbers from 0 on, as they come; eight bytes each."""

    def __init__(self) -> None:
        self._values = array("Q")

    def take(self, value: int) -> None:
        """Note one number."""
        self._values.append(value)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def total(self) -> int:
        """All of them added up."""
        return sum(self._values)

    def at(self, share: float) -> int:
        """The number below which this share of them lies: 0 is the least, 0.5 the middle, 1 the greatest."""
        return int(np.quantile(np.frombuffer(self._values, np.uint64), share, method="nearest"))

    def bars(self) -> list[Bar]:
        """At most about a dozen intervals that hold everything, with round borders."""
        if not self._values:
            return []
        values = np.frombuffer(self._values, np.uint64)
        borders = self._borders()
        counts, _ = np.histogram(values, np.array([*borders[:-1], borders[-1] - 0.5]))
        return [Bar(low, high, int(n)) for low, high, n in zip(borders, borders[1:], counts, strict=False)]

    def _borders(self) -> list[int]:
        least, middle, most = self.at(0), self.at(0.5), self.at(1)
        if most > SKEWED * max(middle, 1):
            return _doubling(least, most)
        width = _round_up((most - least) / BARS)
        first = least // width * width
        return list(range(first, most + width + 1, width))

    def form(self) -> dict[str, object]:
        """As JSON has it."""
        if not self._values:
            return {"count": 0}
        points = {"least": 0.0, "middle": 0.5, "nine_tenths": 0.9, "greatest": 1.0}
        told = {name: self.at(share) for name, share in points.items()}
        return {
            "count": len(self),
            "total": self.total,
            **told,
            "bars": [bar._asdict() for bar in self.bars()],
        }


def _doubling(least: int, most: int) -> list[int]:
    """Borders each about half as much again as the last (128, 192, 256, 384, …), or twice or more of it."""
    powers = (most.bit_length() - max(least, 1).bit_length()) * 2 + 1
    step = max(1, -(-powers // BARS))
    first = 2 * (max(least, 1).bit_length() - 1)
    borders = [] if least else [0]
    while not borders or borders[-1] <= most:
        borders.append((2, 3)[first % 2] << first // 2 >> 1)
        first += step
    return sorted(set(borders))


def _round_up(width: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, …"""
    size = 1
    while True:
        for step in (1, 2, 5):
            if step * size >= width:
                return step * size
        size *= 10
