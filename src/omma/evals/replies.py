"""A reply beside the answer that was wanted: which kind of answer it is, and what the reply is worth."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from omma.chat import Answer, Message, Options, Responder, Seen, Tool
from omma.errors import OmmaError
from omma.evals.figures import Figure, figure
from omma.evals.marks import Mark, distance, first_number, found_share, normal
from omma.evals.suites import Progress, answers_of
from omma.prep.boxes import Box, parse_boxes, parse_points
from omma.prep.calls import parse_calls
from omma.prep.forms import found, found_rings
from omma.prep.polygons import parse_polygons
from omma.prep.template import answer_text

Kind: TypeAlias = Literal["boxes", "points", "number", "word", "text", "calls"]
KINDS: tuple[Kind, ...] = ("word", "number", "boxes", "points", "text", "calls")
NEAR = 0.05  # a number within so much of the truth, or a point within so much of the diagonal, is close
WORDS, LETTERS = 4, 40  # an answer of at most so many is a word; a longer one is text
DRAWS = 2000  # of the bootstrap
LONGEST = {"word": 48, "number": 32, "points": 256, "boxes": 1024, "text": 1024, "calls": 1024}  # tokens

_NAMED = re.compile(r"_2d|<\|?(?:box|quad)|<points?\b")
_BARE = re.compile(r"[\s\d.,;()\[\]+-]+")
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:[, ]\d{3})+|\d+)(?:\.\d+)?|[-+]?\.\d+")
_UNITS = re.compile(r"[$€£¥]?\s*(?P<number>[-+]?[\d., ]*\d)\s*(?:%|°|[^\W\d]{1,3})?\.?")


def kind_of(wanted: str) -> Kind:
    """Which kind of answer this is, by its form alone.

    Boxes and points are named as such, or the text is nothing but their numbers; a number may have a unit;
    a word is up to four of them; everything else is text, but for calls of tools.
    """
    if parse_calls(wanted).calls:
        return "calls"
    if _NAMED.search(wanted) or (_BARE.fullmatch(wanted) and re.search(r"[(\[]", wanted)):
        if found(wanted, 4) or found_rings(wanted) or wanted.strip() == "[]":
            return "boxes"
        if found(wanted, 2):
            return "points"
    short = wanted.strip()
    if _UNITS.fullmatch(short) and number_of(short) is not None:
        return "number"
    return "word" if len(short) <= LETTERS and len(short.split()) <= WORDS and "\n" not in short else "text"


def number_of(text: str) -> float | None:
    """The first number in a text, in digits, or in words up to twenty."""
    digits = _NUMBER.search(text)
    if digits is None:
        said = first_number(text)
        return None if said is None else float(said)
    return float(re.sub(r"[, ]", "", digits[0]))


# What a reply is worth


def _word(wanted: str, told: Answer) -> tuple[Mark, ...]:
    return (Mark(float(normal(told.text) == normal(wanted))),)


def _number(wanted: str, told: Answer) -> tuple[Mark, ...]:
    truth, said = number_of(wanted), number_of(told.text)
    if truth is None or said is None:
        return Mark(0.0), Mark(0.0)
    return Mark(float(said == truth)), Mark(float(abs(said - truth) <= NEAR * abs(truth)))


def _boxes(wanted: str, told: Answer) -> tuple[Mark, ...]:
    if not told.seen:
        return Mark(0.0), Mark(0.0)
    truth, said = _placed(wanted, told.seen[0]), _placed(told.text, told.seen[0])
    return Mark(found_share(truth, said)), Mark(_shared(truth, said))


def _placed(text: str, seen: Seen) -> list[Box]:
    """The boxes of a text, or else those around its quads and polygons."""
    return parse_boxes(text, seen) or [polygon.box for polygon in parse_polygons(text, seen)]


def _shared(truth: Sequence[Box], said: Sequence[Box]) -> float:
    """Mean overlap of paired boxes, the best pairs first; a box without a partner overlaps by nothing."""
    if not truth and not said:
        return 1.0
    pairs = sorted(((t.iou(s), i, j) for i, t in enumerate(truth) for j, s in enumerate(said)))
    total, used_truth, used_said = 0.0, set[int](), set[int]()
    for share, i, j in reversed(pairs):
        if i not in used_truth and j not in used_said:
            total += share
            used_truth.add(i)
            used_said.add(j)
    return total / max(len(truth), len(said))


def _points(wanted: str, told: Answer) -> tuple[Mark, ...]:
    """The share of points that have one of the reply's near by, each used once, of the longer list."""
    if not told.seen:
        return (Mark(0.0),)
    seen = told.seen[0]
    truth, said = parse_points(wanted, seen), parse_points(told.text, seen)
    reach = NEAR * (seen.original.width**2 + seen.original.height**2) ** 0.5
    hits = 0
    for point in truth:
        near = [other for other in said if point.distance(other) <= reach]
        if near:
            said.remove(min(near, key=point.distance))
            hits += 1
    return (Mark(hits / max(len(truth), len(said) + hits, 1)),)


def _text(wanted: str, told: Answer) -> tuple[Mark, ...]:
    truth, said = (" ".join(text.split()) for text in (wanted, told.text))
    full = max(len(truth), 1)
    return Mark(min(distance(truth, said), full), full), Mark(float(truth == said))


def _calls(wanted: str, told: Answer) -> tuple[Mark, ...]:
    truth, said = parse_calls(wanted).calls, parse_calls(told.text).calls
    named = [call.name for call in truth] == [call.name for call in said]
    return Mark(float(named and [c.arguments for c in truth] == [c.arguments for c in said])), Mark(
        float(named)
    )


class Measure(NamedTuple):
    """What is counted, and whether less of it is better."""

    name: str
    less: bool = False


# The first measure of a kind is the one that tells most.
_WORTH: dict[Kind, tuple[tuple[Measure, ...], Callable[[str, Answer], tuple[Mark, ...]]]] = {
    "word": ((Measure("right"),), _word),
    "number": ((Measure("right"), Measure("within 5 %")), _number),
    "boxes": ((Measure("found, overlap of half or more"), Measure("mean overlap")), _boxes),
    "points": ((Measure("within 5 % of the diagonal"),), _points),
    "text": ((Measure("letters wrong", less=True), Measure("right to the letter")), _text),
    "calls": ((Measure("right, arguments and all"), Measure("right tools")), _calls),
}


# Putting questions


@dataclass(frozen=True)
class Prompt:
    """A conversation up to an answer, the answer that was wanted, its kind, and the tools on offer."""

    said: tuple[Message, ...]
    wanted: str
    kind: Kind
    tools: tuple[Tool, ...] = ()


def prompts(
    spoken: Sequence[Message], learned: Sequence[bool], tools: tuple[Tool, ...] = ()
) -> Iterator[Prompt]:
    """The prompts of a dialogue: each answer that is learned, after everything that was said before it."""
    for at, said in enumerate(spoken):
        if said.role == "assistant" and learned[at]:
            wanted = answer_text(said)
            yield Prompt(tuple(spoken[:at]), wanted, kind_of(wanted), tools)


def replies(responder: Responder, asked: Sequence[Prompt], progress: Progress | None = None) -> list[Answer]:
    """What the responder says to each prompt, greedily."""
    told: dict[int, Answer] = {}
    for kind in KINDS:
        places = [i for i, prompt in enumerate(asked) if prompt.kind == kind]
        room = max((len(asked[i].wanted) for i in places), default=0) + 32  # a letter is a token at most
        for tools, alike in groupby(
            sorted(places, key=lambda i: repr(asked[i].tools)), lambda i: asked[i].tools
        ):
            row = list(alike)
            options = Options(temperature=0.0, max_tokens=min(LONGEST[kind], room), tools=tools)
            for index, answer in answers_of(responder, (asked[i].said for i in row), options):
                if isinstance(answer, OmmaError):
                    raise answer
                told[row[index]] = answer
                if progress is not None:
                    progress(len(told), len(asked))
    return [told[i] for i in range(len(asked))]


@dataclass(frozen=True)
class Row:
    """One measure of one kind: a figure before and one after, and what changed, told from chance.

    `blind` is the share of one who always gives the most frequent answer; None where that means nothing.
    `change` is after less before, with the 95 % interval of a bootstrap over the very same questions.
    """

    kind: Kind
    measure: Measure
    answers: int
    before: Figure
    after: Figure
    change: Figure
    blind: float | None

    @property
    def verdict(self) -> str:
        """ "better", "worse", or "no clear change" where the interval of the change holds zero."""
        if self.change.low <= 0 <= self.change.high:
            return "no clear change"
        return "better" if (self.change.value < 0) == self.measure.less else "worse"


def compare(asked: Sequence[Prompt], before: Sequence[Answer], after: Sequence[Answer]) -> list[Row]:
    """A row for every measure of every kind that was asked for."""
    rows = []
    for kind in KINDS:
        places = [i for i, prompt in enumerate(asked) if prompt.kind == kind]
        if not places:
            continue
        measures, worth = _WORTH[kind]
        marks = [[worth(asked[i].wanted, told[i]) for i in places] for told in (before, after)]
        blind = _blind([asked[i].wanted for i in places]) if kind in ("word", "number") else None
        for number, measure in enumerate(measures):
            was, now = ([mark[number] for mark in told] for told in marks)
            rows.append(Row(kind, measure, len(places), figure(was), figure(now), _change(was, now), blind))
    return rows


def _change(was: Sequence[Mark], now: Sequence[Mark]) -> Figure:
    """The difference of two shares of the same questions, with a bootstrap's interval."""
    full = np.array([mark.full for mark in was])
    gain = np.array([b.points - a.points for a, b in zip(was, now, strict=True)])
    drawn = np.random.default_rng(0).integers(0, len(full), (DRAWS, len(full)))
    low, high = np.quantile(gain[drawn].sum(1) / full[drawn].sum(1), (0.025, 0.975))
    return Figure(float(gain.sum() / full.sum()), float(low), float(high))


def _blind(wanted: Sequence[str]) -> float:
    return Counter(normal(text) for text in wanted).most_common(1)[0][1] / len(wanted)
