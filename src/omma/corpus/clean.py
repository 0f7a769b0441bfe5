"""The nouns of cleaning: a pair from the web, what a rule says of it, and the walk of pairs through rules."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeAlias

import PIL.Image

from omma.chat import MediaSource, source_name
from omma.errors import BadInput, BadPicture, OmmaError, UnknownOption
from omma.prep.pictures import PictureLimits, open_picture, read_header
from omma.prep.sources import decoding, open_bytes
from omma.sample import Size

TOGETHER = 16  # pairs that walk side by side: so many decoded pictures are in memory at once
LIMITS = PictureLimits()


class Label(NamedTuple):
    """Letters `start` to `stop` of a caption and one box that shows what they name.

    `box` is left, top, right, bottom as shares of the picture's sides, 0 to 1.
    """

    start: int
    stop: int
    box: tuple[float, float, float, float]
    score: float | None = None


@dataclass(frozen=True)
class Pair:
    """A picture and what is said of it, once or several times over.

    `labels` belong to the first text. `asked` are the messages before the answer as their file has them,
    none for a bare caption. `meta` is whatever else the file says, as JSON has it.
    """

    picture: MediaSource
    texts: tuple[str, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[Label, ...] = ()
    asked: tuple[Mapping[str, Any], ...] = ()

    def said(self, texts: Sequence[str | None]) -> Pair:
        """The pair with each text replaced; None takes one away. Labels go where their words went.

        A label whose words are no longer there, or whose text is taken away, is lost.
        """
        left = tuple(text for text in texts if text is not None)
        labels = self.labels
        if labels and texts[0] != self.texts[0]:
            labels = () if texts[0] is None else tuple(_moved(labels, self.texts[0], texts[0]))
        return replace(self, texts=left, labels=labels)


def _moved(labels: Sequence[Label], before: str, after: str) -> Iterator[Label]:
    """Labels on a text that was rewritten: the n-th place of the same words."""
    for label in labels:
        words = before[label.start : label.stop]
        at = -1
        for _ in range(before[: label.start].count(words) + 1 if words else 0):
            at = after.find(words, at + 1)
            if at < 0:
                break
        if at >= 0:
            yield label._replace(start=at, stop=at + len(words))


class Sight:
    """The picture of a pair, opened when a rule first asks, and not before."""

    def __init__(self, source: MediaSource, limits: PictureLimits = LIMITS) -> None:
        self.source, self.limits = source, limits

    @cached_property
    def size(self) -> Size | None:
        """The sides its header tells, None when it tells none. Nothing is decoded."""
        if isinstance(self.source, PIL.Image.Image):
            return Size(*self.source.size)
        name = source_name(self.source)
        try:
            with (
                open_bytes(self.source, "picture", BadPicture, self.limits.bytes) as file,
                decoding(self.source, "picture", BadPicture),
            ):
                return Size(*read_header(file, name, self.limits).size)
        except BadInput:
            return None

    @cached_property
    def opened(self) -> PIL.Image.Image | str:
        """The picture in RGB, or one sentence that says why it cannot be had."""
        try:
            return open_picture(self.source, self.limits)
        except BadInput as problem:
            return str(problem)

    @property
    def picture(self) -> PIL.Image.Image | None:
        """The picture in RGB, None when it cannot be had."""
        return None if isinstance(self.opened, str) else self.opened


@dataclass(frozen=True)
class Keep:
    """The rule finds no fault."""


@dataclass(frozen=True)
class Change:
    """The rule hands on another pair in place of the one it was given."""

    pair: Pair
    why: str


@dataclass(frozen=True)
class Drop:
    """The pair goes no further."""

    why: str


Verdict: TypeAlias = Keep | Change | Drop
KEEP = Keep()


class Rule(ABC):
    """One rule of cleaning: a frozen dataclass whose numbers are its fields. It judges each pair alone."""

    name: ClassVar[str]

    @abstractmethod
    def judge(self, pair: Pair, sight: Sight) -> Verdict:
        """Keep the pair, change it, or drop it with a reason. Never raises for what a pair holds."""

    def judge_all(self, pairs: Sequence[Pair], sights: Sequence[Sight]) -> Sequence[Verdict]:
        """Verdicts in order. A rule that is faster on many at once answers the same as one by one."""
        return [self.judge(pair, sight) for pair, sight in zip(pairs, sights, strict=True)]


class Reading(NamedTuple):
    """What a rule makes of one text: the text to go on with, None for a bad one, and why if not as it was."""

    text: str | None
    why: str = ""


class TextRule(Rule):
    """A rule that reads each text alone. A pair falls with its last text; fewer texts are a change."""

    @abstractmethod
    def read(self, text: str) -> Reading:
        """Judge one text."""

    def judge(self, pair: Pair, sight: Sight) -> Verdict:
        readings = [self.read(text) for text in pair.texts]
        reasons = list(dict.fromkeys(reading.why for reading in readings if reading.why))
        if all(reading.text is None for reading in readings):
            return Drop("; ".join(reasons) or "nothing is said")
        if all(reading.text == text for reading, text in zip(readings, pair.texts, strict=True)):
            return KEEP
        changed = pair.said([reading.text for reading in readings])
        if lost := len(pair.labels) - len(changed.labels):
            reasons.append(f"{lost} labels lost their words")
        return Change(changed, "; ".join(reasons))


class Step(NamedTuple):
    """What one rule did to a pair: `after` is None when it fell."""

    rule: str
    why: str
    before: Pair
    after: Pair | None


@dataclass(frozen=True)
class Judged:
    """A pair at the end of its walk: None when it fell. Rules that kept it as it was leave no step."""

    pair: Pair | None
    steps: tuple[Step, ...]
    sight: Sight


def clean(pairs: Sequence[Pair], rules: Sequence[Rule], limits: PictureLimits = LIMITS) -> list[Judged]:
    """Walk pairs side by side through the rules, in the rules' order. One result for each pair, in order.

    All decoded pictures are in memory until the results are let go: give `TOGETHER` at a time. Raises
    UnknownOption for a rule of a person's own that fails.
    """
    sights = [Sight(pair.picture, limits) for pair in pairs]
    now: list[Pair | None] = list(pairs)
    steps: list[list[Step]] = [[] for _ in pairs]
    for rule in rules:
        left = [(i, pair) for i, pair in enumerate(now) if pair is not None]
        verdicts = _verdicts(rule, [pair for _, pair in left], [sights[i] for i, _ in left])
        for (i, pair), verdict in zip(left, verdicts, strict=True):
            match verdict:
                case Change(after, why):
                    now[i] = after
                    steps[i].append(Step(rule.name, why, pair, after))
                case Drop(why):
                    now[i] = None
                    steps[i].append(Step(rule.name, why, pair, None))
                case Keep():
                    pass
    return [Judged(pair, tuple(done), sight) for pair, done, sight in zip(now, steps, sights, strict=True)]


def _verdicts(rule: Rule, pairs: Sequence[Pair], sights: Sequence[Sight]) -> Sequence[Verdict]:
    """What a rule says of these pairs; what goes wrong in one of a person's own is said as theirs."""
    try:
        return rule.judge_all(pairs, sights)
    except (OmmaError, MemoryError):
        raise
    except Exception as wrong:
        if type(rule).__module__.startswith("omma."):
            raise
        last = traceback.extract_tb(wrong.__traceback__)[-1]
        raise UnknownOption(
            f"the rule {rule.name} fails on a pair: {type(wrong).__name__}: {wrong} "
            f"({Path(last.filename).name} line {last.lineno}); mend it and run the command again"
        ) from None
