"""The rule for captions with boxes: as many boxes as can stand without one label inside another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from omma.corpus.clean import KEEP, Change, Drop, Label, Pair, Rule, Sight, Verdict


@dataclass(frozen=True)
class NestedLabels(Rule):
    """Keeps as many boxes as possible of a caption whose labels must not lie inside or across each other.

    "a dog in the grass", "a dog" and "the grass" cannot all be marked in one text; the two short ones carry
    more boxes. A label that is no stretch of the text, or a box that is none, goes first. `least_score` drops
    boxes the detector was less sure of. A caption left without a box is dropped.

    The rule: facts §8.1, a greedy choice on GRIT. Taking labels by their ends, as the greedy choice does,
    keeps the most labels; here each step also weighs the boxes they carry, so that it keeps the most boxes.
    """

    least_score: float = 0.0
    name: ClassVar[str] = "nested labels"

    def judge(self, pair: Pair, sight: Sight) -> Verdict:
        if not pair.labels:
            return Drop("no label has a box")
        text = pair.texts[0] if pair.texts else ""
        sound = [label for label in pair.labels if self._is_sound(label, len(text))]
        kept = chosen(sound)
        if not kept:
            return Drop(f"none of its {len(pair.labels)} boxes can be used")
        if len(kept) == len(pair.labels):
            return KEEP
        why = f"{len(kept)} of {len(pair.labels)} boxes kept, whose labels do not lie in each other"
        return Change(replace(pair, labels=tuple(kept)), why)

    def _is_sound(self, label: Label, length: int) -> bool:
        left, top, right, bottom = label.box
        sure = label.score is None or label.score >= self.least_score
        return (
            sure
            and 0 <= label.start < label.stop <= length
            and 0 <= left < right <= 1
            and 0 <= top < bottom <= 1
        )


def chosen(labels: Sequence[Label]) -> list[Label]:
    """The most labels, in the given order, whose stretches of text are the same or have nothing in common.

    Of two choices with as many boxes, the one that ends earlier in the text.
    """
    boxes: dict[tuple[int, int], int] = {}
    for label in labels:
        boxes[label.stop, label.start] = boxes.get((label.stop, label.start), 0) + 1
    spans = sorted(boxes)
    ends = [stop for stop, _ in spans]
    most = [0]  # of the first n spans
    for number, (stop, start) in enumerate(spans):
        before = bisect_right(ends, start, 0, number)
        most.append(max(most[-1], most[before] + boxes[stop, start]))
    taken, number = set(), len(spans)
    while number:
        if most[number] == most[number - 1]:
            number -= 1
            continue
        stop, start = spans[number - 1]
        taken.add((stop, start))
        number = bisect_right(ends, start, 0, number - 1)
    return [label for label in labels if (label.stop, label.start) in taken]
