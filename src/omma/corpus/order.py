"""In what order things come, without a list of them: every place is worked out from its number alone."""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Literal, TypeAlias

Split: TypeAlias = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")

HELD_OUT = 20  # one record in so many is kept for the check
ROUNDS = 4
WORD = (1 << 64) - 1
FINE = 1 << 32  # weights are counted in so many parts, so that shares are exact
BLOCK = 1024  # samples within which the sources' turns are shuffled


def stirred(number: int) -> int:
    """64 bits that look like chance: the finaliser of SplitMix64 (Steele et al. 2014)."""
    number = (number + 0x9E3779B97F4A7C15) & WORD
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & WORD
    return number ^ (number >> 31)


def key_of(*numbers: int) -> int:
    """One key from several numbers; another order or number is another key."""
    key = 0
    for number in numbers:
        key = stirred(key ^ stirred(number & WORD))
    return key


def shuffled(place: int, count: int, key: int) -> int:
    """Where `place` of 0 … count - 1 goes in the shuffle of this key: each number comes once.

    A Feistel network over the next even power of two; what falls outside walks on until it is inside.
    """
    half = max(1, ((count - 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    while True:
        left, right = place >> half, place & mask
        for turn in range(ROUNDS):
            left, right = right, left ^ (stirred(key ^ (right << 8 | turn)) & mask)
        place = left << half | right
        if place < count:
            return place


class Order:
    """A shuffle of `count` records, a new one for each key.

    With `blocks` (lengths that add up to `count`) the blocks are shuffled, and each one's records within it:
    records that are read together come together.
    """

    def __init__(self, count: int, blocks: Sequence[int] = ()) -> None:
        self.count = count
        self._starts = [0, *accumulate(blocks)] if len(blocks) > 1 else []
        self._laid = functools.lru_cache(maxsize=4)(self._lay)

    def at(self, place: int, key: int) -> int:
        """The record that comes at `place` of 0 … count - 1."""
        if not self._starts:
            return shuffled(place, self.count, key)
        ends, blocks = self._laid(key)
        number = bisect_right(ends, place)
        block = blocks[number]
        begin, end = self._starts[block], self._starts[block + 1]
        within = place - (ends[number] - (end - begin))
        return begin + shuffled(within, end - begin, key_of(key, block))

    def _lay(self, key: int) -> tuple[list[int], list[int]]:
        """Where each block ends in the shuffle, and which block that is."""
        lengths = [b - a for a, b in pairwise(self._starts)]
        blocks = [shuffled(place, len(lengths), key) for place in range(len(lengths))]
        return list(accumulate(lengths[block] for block in blocks)), blocks


def turn_of(index: int, weights: Sequence[float], seed: int) -> tuple[int, int]:
    """Which source sample `index` is from, and how many samples that source gave before it.

    In every block of 1,024 samples each source has its share, give or take one for each source; within a
    block the turns are shuffled. A lone source gives them all, in its own order.
    """
    if len(weights) == 1:
        return 0, index
    block, slot = divmod(index, BLOCK)
    number = block * BLOCK + shuffled(slot, BLOCK, key_of(seed, block))
    for source, weight in enumerate(weights[:-1]):
        share = round(weight / sum(weights[source:]) * FINE)
        before, after = number * share // FINE, (number + 1) * share // FINE
        if after > before:
            return source, before
        number -= before
    return len(weights) - 1, number


def split_count(count: int, split: Split) -> int:
    """How many of `count` records belong to the split: every twentieth is held out."""
    return count // HELD_OUT if split == "test" else count - count // HELD_OUT


def split_record(place: int, split: Split) -> int:
    """Which record is number `place` of its split, both 0-based."""
    return HELD_OUT * (place + 1) - 1 if split == "test" else place + place // (HELD_OUT - 1)
