"""Copies among pairs: which of them are near each other, and which one of each group is kept."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from omma.corpus.near import PictureHash, looks_alike
from omma.corpus.near_texts import Shingles, Sketch, TextIndex, in_common, shingles, sketch
from omma.errors import UnknownOption

By: TypeAlias = Literal["both", "picture", "text", "either"]
BITS = 64


class HammingIndex:
    """Numbers of 64 bits, found again by any number at most `radius` bits away.

    The bits are cut into `radius` + 1 bands: of two numbers that differ in no more bits than that, one band
    at least is the same. Nothing within the radius is missed.
    """

    def __init__(self, radius: int) -> None:
        if not 0 <= radius < BITS // 4:
            raise UnknownOption(f"radius is {radius}; wanted 0 to {BITS // 4 - 1} of {BITS} bits")
        self.radius = radius
        edges = [BITS * n // (radius + 1) for n in range(radius + 2)]
        self._cuts = [(low, (1 << (high - low)) - 1) for low, high in pairwise(edges)]
        self._bands: list[dict[int, tuple[array[int], array[int]]]] = [{} for _ in self._cuts]

    def add(self, key: int, number: int) -> None:
        """Take in a number under a key, 0 or more."""
        for (low, mask), band in zip(self._cuts, self._bands, strict=True):
            numbers, keys = band.setdefault((number >> low) & mask, (array("Q"), array("Q")))
            numbers.append(number)
            keys.append(key)

    def near(self, number: int) -> list[int]:
        """Keys of all numbers within the radius, each once, the smallest first."""
        found: set[int] = set()
        for (low, mask), band in zip(self._cuts, self._bands, strict=True):
            if (bucket := band.get((number >> low) & mask)) is not None:
                differing = np.frombuffer(bucket[0], np.uint64) ^ np.uint64(number)
                close = np.bitwise_count(differing) <= self.radius
                found.update(np.frombuffer(bucket[1], np.uint64)[close].tolist())
        return sorted(found)


class Entry(NamedTuple):
    """A pair as the search for copies knows it. `number` is its place in the data; `area` is in pixels."""

    number: int
    looks: PictureHash
    text: str
    area: int


class Copy(NamedTuple):
    """A pair that is near one that is kept, and why it is thought so."""

    number: int
    kept: int
    why: str


@dataclass(frozen=True)
class Near:
    """When two pairs are copies of each other, and which one stays.

    `by` says what must be near: "both" picture and text, the "picture", the "text", or "either". Pictures
    are near when both their hashes are at most `radius` of 64 bits apart and their greys agree (see
    `looks_alike`), texts when they have at least `likeness` of their words and pairs of words in common.

    Kept is the pair with the longest text; of these the one with the largest picture; of these the first.
    Pairs are taken in that order, and each that is near one already kept is its copy: every copy is near
    the very pair that stands for it, and no two kept ones are near each other.

    The search holds about 1.5 KB of memory for each pair it keeps, 6 KB where a text alone may make a copy.

    Radius 6 holds copies that were scaled, saved again or lightened a little; one that lost more than a
    hundredth at each edge is at times farther away.
    """

    by: By = "both"
    radius: int = 6
    likeness: float = 0.8
    name: ClassVar[str] = "near copy"

    def __post_init__(self) -> None:
        if self.by not in get_args(By):
            raise UnknownOption(f"near is {self.by!r}; wanted one of {', '.join(get_args(By))}")
        if not 0 < self.likeness <= 1:
            raise UnknownOption(f"likeness is {self.likeness}; wanted a share over 0 and up to 1")
        HammingIndex(self.radius)

    def copies(self, entries: Sequence[Entry]) -> Iterator[Copy]:
        """The pairs that go, in the order they are found out. The order of `entries` does not matter."""
        kept = _Kept(self)
        for entry in sorted(entries, key=lambda one: (-len(one.text), -one.area, one.number)):
            if (copy := kept.take(entry)) is not None:
                yield copy


class _Kept:
    """Pairs that stay, and whether another is near one of them."""

    def __init__(self, rule: Near) -> None:
        self.rule = rule
        self.entries: list[Entry] = []
        self.pictures, self.texts = HammingIndex(rule.radius), TextIndex()
        self.same: dict[str, list[int]] = {}
        self.words: list[array[int]] = []  # the shingles of each, packed

    def take(self, entry: Entry) -> Copy | None:
        """Keep the pair, or say whose copy it is."""
        said = shingles(entry.text) if self.rule.by != "picture" else frozenset()
        drawn: Sketch = sketch(said) if self.rule.by in ("text", "either") else ()
        for place in self._candidates(entry, drawn):
            if why := self._why(entry, said, place):
                return Copy(entry.number, self.entries[place].number, why)
        place = len(self.entries)
        self.entries.append(entry)
        self.words.append(array("Q", said))
        self.texts.add(place, drawn)
        self.same.setdefault(entry.looks.pixels, []).append(place)
        if entry.looks.waves is not None:
            self.pictures.add(place, entry.looks.waves)
        return None

    def _candidates(self, entry: Entry, drawn: Sketch) -> list[int]:
        places = set(self.texts.near(drawn))
        if self.rule.by != "text":
            places.update(self.same.get(entry.looks.pixels, ()))
            if entry.looks.waves is not None:
                places.update(self.pictures.near(entry.looks.waves))
        return sorted(places)

    def _why(self, entry: Entry, said: Shingles, place: int) -> str:
        by = self.rule.by
        picture = by != "text" and looks_alike(entry.looks, self.entries[place].looks, self.rule.radius)
        share = in_common(said, frozenset(self.words[place])) if by != "picture" else 0.0
        text = share >= self.rule.likeness or (by != "picture" and entry.text == self.entries[place].text)
        near = {"both": picture and text, "picture": picture, "text": text, "either": picture or text}[by]
        said_so = [*(["picture"] if picture else []), *([f"{share:.0%} of the text"] if text else [])]
        return " and ".join(said_so) if near else ""
