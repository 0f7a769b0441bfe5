"""The rule of likeness between a picture and its text, whoever scores it; and two that do."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
import PIL.Image

from omma.corpus.clean import KEEP, Change, Drop, Pair, Rule, Sight, Verdict


class Shown(NamedTuple):
    """A picture that may be opened, one of its texts, and the pair they are of."""

    sight: Sight
    text: str
    pair: Pair


class Scorer(Protocol):
    """Says how well texts fit their pictures; higher is better, in the scorer's own scale.

    It scores each by itself, whatever stands beside it: then the same data comes out of any number of
    workers. None is for what it cannot score. Its repr names it and its settings: work that was done by
    another scorer is not taken up again.
    """

    def scores(self, shown: Sequence[Shown]) -> Sequence[float | None]:
        """A score for each, in order."""
        ...


@dataclass(frozen=True)
class Similarity(Rule):
    """Drops texts that score less than `least`; a pair falls with its last.

    `least_of` has thresholds of sets by name; a pair's set is told by its field `field`. The rule: facts
    §8.1, a threshold per set, none of them published. 0.28 is LAION-5B's, for the cosine of CLIP ViT-B/32.
    What has no score is dropped, for nobody has seen that it fits.
    """

    scorer: Scorer
    least: float = 0.28
    least_of: Mapping[str, float] = field(default_factory=dict)
    field: str = "set"
    name: ClassVar[str] = "similarity"

    def judge(self, pair: Pair, sight: Sight) -> Verdict:
        return self.judge_all([pair], [sight])[0]

    def judge_all(self, pairs: Sequence[Pair], sights: Sequence[Sight]) -> Sequence[Verdict]:
        shown = [
            Shown(sight, text, pair) for pair, sight in zip(pairs, sights, strict=True) for text in pair.texts
        ]
        scores = iter(zip(shown, self.scorer.scores(shown), strict=True))
        return [self._verdict(pair, [next(scores)[1] for _ in pair.texts]) for pair in pairs]

    def _verdict(self, pair: Pair, scores: Sequence[float | None]) -> Verdict:
        collection = str(pair.meta.get(self.field, ""))
        least = self.least_of.get(collection, self.least)
        good = [score is not None and score >= least for score in scores]
        if all(good):
            return KEEP
        told = ", ".join("none" if score is None else f"{score:.4g}" for score in scores)
        why = f"score {told}; wanted at least {least:g}" + (f" in {collection}" if collection else "")
        if not any(good):
            return Drop(why)
        return Change(pair.said([t if g else None for t, g in zip(pair.texts, good, strict=True)]), why)


@dataclass(frozen=True)
class StoredScore:
    """Scores that the data brings along, as LAION, COYO and DataComp do: the number in the field `field`."""

    field: str = "similarity"

    def scores(self, shown: Sequence[Shown]) -> Sequence[float | None]:
        return [_number(one.pair.meta.get(self.field)) for one in shown]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) <= sys.float_info.max else None


# Hue in degrees, from and to; colours without one are told by saturation and value.
_HUES = {
    "red": (340, 20), "orange": (15, 45), "yellow": (40, 75), "green": (70, 170), "blue": (175, 265),
    "purple": (255, 320), "pink": (290, 355),
}  # fmt: skip
_GREYS = ("black", "white", "grey", "gray")


@dataclass(frozen=True)
class ColourWords:
    """An example of a scorer, without a model: the share of the colours a text names that the picture shows.

    0 to 1; 1 where none of its ten colours is named. A colour is shown when it covers `area` of the picture.
    """

    area: float = 0.01

    def scores(self, shown: Sequence[Shown]) -> Sequence[float | None]:
        return [self._score(one) for one in shown]

    def _score(self, one: Shown) -> float | None:
        said = set(one.text.casefold().replace(",", " ").replace(".", " ").split())
        named = [colour for colour in (*_HUES, *_GREYS) if colour in said]
        if not named:
            return 1.0
        if one.sight.picture is None:
            return None
        shares = colour_shares(one.sight.picture)
        return sum(shares[colour] >= self.area for colour in named) / len(named)


def colour_shares(picture: PIL.Image.Image) -> dict[str, float]:
    """How much of a picture each of the ten colour words could name, 0 to 1; neighbours overlap."""
    small = picture.resize((64, 64), PIL.Image.Resampling.NEAREST).convert("HSV")
    hue, saturation, value = (np.asarray(small, np.int64)[..., i] for i in range(3))
    degrees = hue * 360 // 256
    coloured = (saturation >= 64) & (value >= 64)
    shares = {}
    for name, (first, last) in _HUES.items():
        inside = (
            (first <= degrees) & (degrees <= last) if first < last else (degrees >= first) | (degrees <= last)
        )
        shares[name] = float((coloured & inside).mean())
    shares["black"] = float((value < 64).mean())
    shares["white"] = float(((saturation < 48) & (value >= 208)).mean())
    shares["grey"] = shares["gray"] = float(((saturation < 48) & (value >= 64) & (value < 208)).mean())
    return shares
