"""Rules for the picture of a pair: it must open, be large enough, and be no strip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from omma.corpus.clean import KEEP, Drop, Pair, Rule, Sight, Verdict


@dataclass(frozen=True)
class Broken(Rule):
    """Drops a picture that is missing, cannot be decoded, or would not fit into memory.

    Not in the paper's list: a pair without its picture teaches nothing, and one bad file must not stop a run.
    """

    name: ClassVar[str] = "broken picture"

    def judge(self, pair: Pair, sight: Sight) -> Verdict:
        return Drop(sight.opened) if isinstance(sight.opened, str) else KEEP


@dataclass(frozen=True)
class PictureSize(Rule):
    """Drops a picture whose shorter side has fewer than `shortest` pixels.

    The rule: facts §8.1, which gives no number. 200 is the limit of the public web sets COYO-700M and
    DataComp (its basic filter); the first generation's tower reads 224. What has no size is for Broken.
    """

    shortest: int = 200
    name: ClassVar[str] = "picture size"

    def judge(self, pair: Pair, sight: Sight) -> Verdict:
        size = sight.size
        if size is None or min(size) >= self.shortest:
            return KEEP
        return Drop(f"{size.width}×{size.height} pixels; wanted at least {self.shortest} on each side")


@dataclass(frozen=True)
class AspectRatio(Rule):
    """Drops a picture whose longer side is more than `longest` times the shorter.

    The rule: facts §8.1, which gives no number. 3 is the limit of COYO-700M and DataComp; CC3M took 2.
    """

    longest: float = 3.0
    name: ClassVar[str] = "aspect ratio"

    def judge(self, pair: Pair, sight: Sight) -> Verdict:
        size = sight.size
        if size is None or max(size) <= self.longest * min(size):
            return KEEP
        ratio = max(size) / min(size) if min(size) else float("inf")
        return Drop(
            f"{size.width}×{size.height}: one side is {ratio:.4g} times the other; at most {self.longest:g}"
        )
