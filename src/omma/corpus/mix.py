"""Several data files in one stream, by weights: sample i is a pure function of the mix, the seed and i."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

from omma.corpus.order import SPLITS, Order, Split, key_of, split_count, split_record, turn_of
from omma.corpus.reading import Corpus
from omma.corpus.record import Raw
from omma.errors import BadData


@dataclass(frozen=True)
class Part:
    """One data file, or shards that belong together, and how often it comes up beside the others.

    `form` names how its records are written where that is not to be told by looking, `folder` is where media
    of relative paths are looked for (beside the file), `name` is how its answers are called in the check.
    """

    path: Path
    weight: float = 1.0
    form: str | None = None
    folder: Path | None = None
    name: str = "answer"


@dataclass(frozen=True)
class Mix:
    """Data files with their weights: one of 2 comes up twice as often as one of 1, whatever their sizes."""

    parts: tuple[Part, ...]

    def problem(self) -> str | None:
        """What cannot be of this mix, None if nothing."""
        if not self.parts:
            return "the mix names no data file; wanted at least one"
        for part in self.parts:
            if not 0 < part.weight < math.inf:
                return f"{part.path} has weight {part.weight}; wanted a number over 0"
        return None


class Pick(NamedTuple):
    """A sample's record: the number of its file in the mix, and its own number in the file."""

    part: int
    record: int


class Shelf:
    """A mix with its files open. Opening looks through each file once."""

    def __init__(self, mix: Mix) -> None:
        """Raises MissingFile and BadData for a file that is none or holds no record."""
        self.mix = mix
        self.corpora = [Corpus(part.path, part.form, part.folder) for part in mix.parts]
        for corpus in self.corpora:
            if not len(corpus):
                raise BadData(f"{corpus.name} holds no records")
        self._orders = {
            (part, split): _order(len(corpus), corpus.blocks(), split)
            for part, corpus in enumerate(self.corpora)
            for split in SPLITS
        }

    def count(self, split: Split) -> int:
        """Records of the split, over all files."""
        return sum(split_count(len(corpus), split) for corpus in self.corpora)

    def raw(self, index: int, seed: int, split: Split = "train", attempt: int = 0) -> tuple[Corpus, Raw]:
        """The record of sample `index`, not yet read, and the file it is of."""
        pick = self.pick(index, seed, split, attempt)
        return self.corpora[pick.part], self.corpora[pick.part].at(pick.record)

    def pick(self, index: int, seed: int, split: Split = "train", attempt: int = 0) -> Pick:
        """The record of sample `index`. Each file is gone through in an order of its own, again and again.

        `attempt` 1, 2, … are others of the same file, to stand in for a record that cannot be used.
        """
        part, number = self._turn(index, seed, split)
        order = self._orders[part, split]
        turn, place = divmod(number, order.count)
        key = key_of(seed, part, turn, attempt, split == "test")
        return Pick(part, split_record(order.at(place, key), split))

    def _turn(self, index: int, seed: int, split: Split) -> tuple[int, int]:
        """Which file sample `index` is from, and how many came from that file before."""
        filled = [part for part in range(len(self.corpora)) if self._orders[part, split].count]
        which, number = turn_of(index, [self.mix.parts[part].weight for part in filled], seed)
        return filled[which], number


def _order(count: int, blocks: tuple[int, ...], split: Split) -> Order:
    borders = [split_count(border, split) for border in (0, *accumulate(blocks))]
    return Order(split_count(count, split), [b - a for a, b in pairwise(borders)])


@functools.lru_cache(maxsize=8)
def shelf(mix: Mix) -> Shelf:
    """The mix with its files open, once in each process."""
    return Shelf(mix)
