"""From marks to figures: the share of a suite, its 95 % interval, and what blind answers would have got."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

from omma.chat import Answer, Usage
from omma.evals.calls import blind_calls
from omma.evals.marks import Mark, Question, form, found_share, mark, true_boxes
from omma.evals.times import SHARES, written
from omma.prep.boxes import Box
from omma.sample import Size

NORMAL = 1.959964  # standard deviations on each side of 95 %


class Figure(NamedTuple):
    """A share in [0, 1] and the borders of its 95 % interval."""

    value: float
    low: float
    high: float


def figure(marks: Sequence[Mark]) -> Figure:
    """All points out of all that could be had. Wilson's interval for yes-or-no marks, else a bootstrap's.

    The bootstrap draws questions, 2000 times, from a generator with a fixed seed.
    """
    points, full = np.array(marks, float).reshape(-1, 2).T
    if not len(points):
        raise ValueError("a figure is made of at least one mark")
    share = float(points.sum() / full.sum())
    if np.isin(points, (0, 1)).all() and (full == 1).all():
        return Figure(share, *_wilson(share, len(points)))
    drawn = np.random.default_rng(0).integers(0, len(points), (2000, len(points)))
    shares = points[drawn].sum(1) / full[drawn].sum(1)
    low, high = np.quantile(shares, (0.025, 0.975))
    return Figure(share, float(low), float(high))


def _wilson(share: float, count: int) -> tuple[float, float]:
    spread = NORMAL**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = NORMAL * sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def chance(questions: Sequence[Question]) -> float:
    """The share of one who never looks: for every task the best of a few answers made without the picture.

    Words and numbers: always the most frequent truth. Boxes: none, the whole picture, or a random one.
    Points and clicks: the middle, or a random one. Lines: silence. Figures, tables and records: what is right
    elsewhere. The truths themselves choose which, so this errs on the high side.
    """
    groups: dict[tuple[str, str], list[Question]] = defaultdict(list)
    for question in questions:
        groups[question.task, form(question.truth)].append(question)
    blind = [_BLIND[kind](group) for (_, kind), group in groups.items()]
    return sum(mark.points for mark in blind) / sum(mark.full for mark in blind)


def _most_frequent(group: Sequence[Question]) -> Mark:
    truths = Counter(str(question.truth[form(question.truth)]) for question in group)
    return Mark(truths.most_common(1)[0][1], len(group))


def _any_box(group: Sequence[Question]) -> Mark:
    dice = np.random.default_rng(0)

    def random_box(size: Size) -> list[Box]:
        (x1, x2), (y1, y2) = np.sort(dice.random((2, 2)) * [[size.width], [size.height]])
        return [Box(x1, y1, x2, y2)]

    answers: list[tuple[int, Callable[[Size], list[Box]]]] = [
        (1, lambda size: []),
        (1, lambda size: [Box(0, 0, size.width, size.height)]),
        (100, random_box),
    ]
    points = [
        sum(found_share(true_boxes(q.truth), answer(q.size)) for q in group for _ in range(times)) / times
        for times, answer in answers
    ]
    return Mark(max(points), len(group))


def _any_point(group: Sequence[Question]) -> Mark:
    middle = area = 0.0
    for question in group:
        x1, y1, x2, y2 = question.truth["box"]
        size = question.size
        middle += x1 <= size.width / 2 <= x2 and y1 <= size.height / 2 <= y2
        area += (x2 - x1) * (y2 - y1) / (size.width * size.height)
    return Mark(max(middle, area), len(group))


def _silence(group: Sequence[Question]) -> Mark:
    letters = sum(len(" ".join("\n".join(question.truth["lines"]).split())) for question in group)
    return Mark(letters, letters)


def _anothers(group: Sequence[Question]) -> Mark:
    """The best of a few answers that are right elsewhere: always one and the same."""
    best = 0.0
    for other in group[:: max(1, len(group) // 4)]:
        told = other.truth[form(other.truth)]
        said = written(other.truth) if form(other.truth) in SHARES else None
        answer = Answer(said or (told if isinstance(told, str) else json.dumps(told)), "stop", Usage(0, 0))
        best = max(best, sum(mark(question.truth, answer).points for question in group))
    return Mark(best, len(group))


def _any_calls(group: Sequence[Question]) -> Mark:
    return Mark(blind_calls(group), len(group))


_BLIND: Mapping[str, Callable[[Sequence[Question]], Mark]] = {
    "word": _most_frequent,
    "number": _most_frequent,
    "boxes": _any_box,
    "point": _any_point,
    "lines": _silence,
    "value": _anothers,
    "html": _anothers,
    "record": _anothers,
    "calls": _any_calls,
    **dict.fromkeys(SHARES, _anothers),
}
