"""A question with its truth, and what an answer to it is worth: words, numbers, boxes, lines, tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from omma.chat import Answer
from omma.evals.calls import calls_share
from omma.evals.records import fields_told
from omma.evals.tables import teds
from omma.evals.texts import distance as distance
from omma.evals.texts import first_figure, near
from omma.evals.texts import normal as normal
from omma.evals.times import SHARES
from omma.evals.truths import FORMS as FORMS
from omma.evals.truths import check_truth as check_truth
from omma.prep.boxes import Box, parse_boxes, parse_points
from omma.sample import Size

Truth: TypeAlias = Mapping[str, Any]
NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
HALF = 0.5  # the overlap (IoU) from which a box counts as found
YES_OR_NO = ("yes", "no", "sí", "ja", "nein", "oui", "non", "是", "否", "はい", "いいえ")


@dataclass(frozen=True)
class Question:
    """One question about a picture, several, or a clip. `truth` is in pixels of the picture, of `size`.

    `more` are the pictures after the first. Where `fps` is set the picture is a clip, shown at so many frames
    a second. `before` are the questions and answers that went before in the same dialogue.
    """

    picture: Path
    question: str
    task: str
    truth: Truth
    size: Size
    more: tuple[Path, ...] = ()
    fps: float | None = None
    before: tuple[tuple[str, str], ...] = ()


class Mark(NamedTuple):
    """`points` out of `full`. For lines the points are errors, in letters: there fewer are better."""

    points: float
    full: float = 1.0


def mark(truth: Truth, answer: Answer) -> Mark:
    """Judge an answer. Raises KeyError for a truth of no known form."""
    return _MARKS[form(truth)](truth, answer)


def missed(truth: Truth) -> Mark:
    """The mark where there is no answer at all: wholly wrong."""
    letters = len(_letters(truth)) if "lines" in truth else 0
    return Mark(letters, letters) if letters else Mark(0.0)


def form(truth: Truth) -> str:
    """The form of a truth. Raises KeyError when it has none that is known."""
    for name in FORMS:
        if name in truth:
            return name
    raise KeyError(f"a truth with {', '.join(truth) or 'nothing'}; wanted one of {', '.join(FORMS)}")


# A word or two, and numbers


def _word(truth: Truth, answer: Answer) -> Mark:
    """The same after `normal`. Where yes or no is the truth, the first word of the answer decides."""
    wanted, told = normal(truth["word"]), normal(answer.text)
    if wanted in YES_OR_NO:
        told = told[: len(wanted)] if wanted > "ÿ" else re.split(r"\W", told, maxsplit=1)[0]
    return Mark(float(told == wanted))


def _number(truth: Truth, answer: Answer) -> Mark:
    return Mark(float(first_number(answer.text) == truth["number"]))


def first_number(text: str) -> int | None:
    """The first number in a text, in digits or in a word up to twenty; "none" and "no" are 0."""
    for found in re.findall(r"\d+|[a-z]+", text.casefold()):
        if found.isdigit():
            return int(found)
        if found in NUMBERS:
            return NUMBERS.index(found)
        if found in ("none", "no"):
            return 0
    return None


# Places


def found_share(wanted: Sequence[Box], told: Sequence[Box]) -> float:
    """F1 of boxes that overlap by half or more, paired greedily from the best overlap down.

    Labels are not read. One box wanted and one told: 1 or 0. None wanted and none told: 1.
    """
    if not wanted and not told:
        return 1.0
    pairs = sorted(((w.iou(t), i, j) for i, w in enumerate(wanted) for j, t in enumerate(told)), reverse=True)
    free_wanted, free_told = set(range(len(wanted))), set(range(len(told)))
    for share, i, j in pairs:
        if share >= HALF and i in free_wanted and j in free_told:
            free_wanted.remove(i)
            free_told.remove(j)
    return 2 * (len(wanted) - len(free_wanted)) / (len(wanted) + len(told))


def true_boxes(truth: Truth) -> list[Box]:
    """The boxes of a truth, in pixels of the picture."""
    corners: list[tuple[float, float, float, float]] = [entry["box"] for entry in truth["boxes"]]
    return [Box(x1, y1, x2, y2) for x1, y1, x2, y2 in corners]


def _boxes(truth: Truth, answer: Answer) -> Mark:
    """Of several pictures the truth names the one that is meant, counted from 1."""
    seen = answer.seen[truth.get("picture", 1) - 1 :][:1]
    told = parse_boxes(answer.text, seen[0]) if seen else []
    return Mark(found_share(true_boxes(truth), told))


def _point(truth: Truth, answer: Answer) -> Mark:
    """1 when the first point lies in the box."""
    points = parse_points(answer.text, answer.seen[0]) if answer.seen else []
    x1, y1, x2, y2 = truth["box"]
    return Mark(float(any(x1 <= point.x <= x2 and y1 <= point.y <= y2 for point in points[:1])))


# Printed lines


def _lines(truth: Truth, answer: Answer) -> Mark:
    """Letters wrong, missing or too many, at most all of them; any run of blanks is one blank."""
    wanted, told = _letters(truth), " ".join(answer.text.split())
    return Mark(min(distance(wanted, told), len(wanted)), len(wanted))


def _letters(truth: Truth) -> str:
    return " ".join("\n".join(truth["lines"]).split())


# Documents


def _value(truth: Truth, answer: Answer) -> Mark:
    """1 when the first figure of the answer is the wanted one, within the truth's tolerance."""
    told = first_figure(answer.text)
    return Mark(float(told is not None and near(told, truth["value"], truth.get("tolerance", 0.0))))


def _html(truth: Truth, answer: Answer) -> Mark:
    return Mark(teds(truth["html"], answer.text))


def _calls(truth: Truth, answer: Answer) -> Mark:
    return Mark(calls_share(truth, answer))


def _record(truth: Truth, answer: Answer) -> Mark:
    return Mark(fields_told(truth["record"], answer.text, truth.get("tolerance", 0.0)))


def _shared(share: Callable[[Truth, str], float]) -> Callable[[Truth, Answer], Mark]:
    """A share of an answer's text as a mark."""
    return lambda truth, answer: Mark(share(truth, answer.text))


_MARKS: dict[str, Callable[[Truth, Answer], Mark]] = {
    "word": _word,
    "number": _number,
    "boxes": _boxes,
    "point": _point,
    "lines": _lines,
    "value": _value,
    "html": _html,
    "record": _record,
    "calls": _calls,
    **{name: _shared(share) for name, share in SHARES.items()},
}
