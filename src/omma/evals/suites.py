"""Suites of questions read from their files, put to a responder, and marked answer by answer."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from omma.chat import Answer, Image, Message, Options, Part, Responder, Video, message, whole
from omma.errors import BadData, MissingFile, OmmaError
from omma.evals.calls import written_calls
from omma.evals.figures import Figure, chance, figure
from omma.evals.marks import Mark, Question, form, mark, missed
from omma.evals.questions import read_question
from omma.prep.pictures import header_size
from omma.prep.sources import check_plain

# Tokens an answer may take at most, by the form of its truth: one that runs on is cut and marked as it is.
LONGEST = {
    "word": 32,
    "number": 32,
    "value": 32,
    "point": 64,
    "boxes": 512,
    "lines": 512,
    "html": 1024,
    "record": 1024,
    "spans": 96,
    "second": 32,
    "order": 192,
    "result": 256,
    "calls": 160,
}

TIMES, MORE = 2, 16  # an answer may be so many times as long as the longest truth, and so many tokens more

Progress = Callable[[int, int], None]


@runtime_checkable
class ManyAtOnce(Protocol):
    """A responder that answers many conversations faster together than one by one."""

    def answers(
        self, conversations: Iterable[Sequence[Message]], options: Options
    ) -> Iterator[tuple[int, Answer | OmmaError]]:
        """Answers as they are finished, each with its conversation's place in line.

        A conversation that cannot be answered has its error in the answer's place.
        """
        ...


def answers_of(
    responder: Responder, conversations: Iterable[Sequence[Message]], options: Options
) -> Iterator[tuple[int, Answer | OmmaError]]:
    """Answers of any responder, as `ManyAtOnce` gives them."""
    if isinstance(responder, ManyAtOnce):
        yield from responder.answers(conversations, options)
        return
    for index, spoken in enumerate(conversations):
        try:
            answer: Answer | OmmaError = whole(responder.stream(spoken, options))
        except OmmaError as wrong:
            answer = wrong
        yield index, answer


@dataclass(frozen=True)
class Suite:
    """Questions that are judged together. Its truths are all printed lines, or none is."""

    name: str
    questions: tuple[Question, ...]

    @property
    def counts_errors(self) -> bool:
        """Whether the figure is a share of wrong letters, of which fewer are better."""
        return form(self.questions[0].truth) == "lines"

    @property
    def chance(self) -> float:
        """The figure of one who never looks."""
        return chance(self.questions)


@dataclass(frozen=True)
class Record:
    """A question, what was answered or why nothing could be, and its mark. As texts, both are sentences."""

    question: Question
    answer: Answer | OmmaError
    mark: Mark


@dataclass(frozen=True)
class SuiteScore:
    """A suite's figure with every answer behind it, in the suite's order, and how long any could be."""

    suite: Suite
    records: tuple[Record, ...]
    longest: int = 0

    @property
    def figure(self) -> Figure:
        """The share of points, or of wrong letters, with its interval."""
        return figure([record.mark for record in self.records])

    @property
    def unanswered(self) -> list[tuple[int, Record]]:
        """The questions that could not be answered, each with its number in the suite, from 1."""
        numbered = enumerate(self.records, 1)
        return [(number, record) for number, record in numbered if isinstance(record.answer, OmmaError)]

    @property
    def failures(self) -> list[Record]:
        """Answers that are not wholly right, the worst first."""
        errors = self.suite.counts_errors
        shares = [(r.mark.points / r.mark.full if errors else 1 - r.mark.points, r) for r in self.records]
        return [record for share, record in sorted(shares, key=lambda pair: -pair[0]) if share > 0]


def read_suite(path: Path) -> Suite:
    """Read a suite, called as its file: a question a line, its picture named relative to the file.

    Raises MissingFile or BadData, which names the line.
    """
    try:
        check_plain(path, str(path))
        lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n")
    except OSError as error:
        raise MissingFile(f"{path}: {error.strerror}; wanted a suite of questions, one a line") from error
    measure = cache(header_size)  # questions share pictures
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    questions = tuple(read_question(line, path, number, measure) for number, line in numbered)
    if not questions:
        raise BadData(f"{path} holds no question; wanted one a line")
    if len({form(question.truth) == "lines" for question in questions}) > 1:
        raise BadData(
            f"{path} mixes printed lines with other truths; their figures cannot be added: part them"
        )
    return Suite(path.stem, questions)


def evaluate(responder: Responder, suite: Suite, progress: Progress | None = None) -> SuiteScore:
    """Put every question to the responder, greedily, and mark the answers. `progress` hears done and all.

    A question that cannot be answered, because of its picture for example, counts as wrong: see `unanswered`.
    No answer is longer than `limits` allows.
    """
    records: dict[int, Record] = {}
    longest = limits(responder, suite)
    for index, answer in _answered(responder, suite, longest):
        question = suite.questions[index]
        got = missed(question.truth) if isinstance(answer, OmmaError) else mark(question.truth, answer)
        records[index] = Record(question, answer, got)
        if progress is not None:
            progress(len(records), len(suite.questions))
    records_in_order = tuple(records[i] for i in range(len(suite.questions)))
    return SuiteScore(suite, records_in_order, max(longest.values()))


def limits(responder: Responder, suite: Suite) -> dict[str, int]:
    """Tokens that answers may take, by the form of their truth: `TIMES` the suite's longest and `MORE`.

    Never more than `LONGEST`. Counted by the responder's own tokenizer, or in bytes where it shows none: a
    token is one byte at least.
    """
    processor = getattr(responder, "processor", None)
    counted: dict[str, int] = {}
    for question in suite.questions:
        kind, text = form(question.truth), _as_told(question)
        taken = len(text.encode() if processor is None else processor.tokenizer.text(text))
        counted[kind] = max(counted.get(kind, 0), taken)
    return {kind: min(TIMES * taken + MORE, LONGEST[kind]) for kind, taken in counted.items()}


def _as_told(question: Question) -> str:
    """The truth as one would tell it. What a place or a span is called is in the question at the latest."""
    truth, kind = question.truth, form(question.truth)
    match kind:
        case "lines" | "order":
            return "\n".join(truth[kind])
        case "result":
            return "\n".join([*truth.get("steps", ()), str(truth[kind])])
        case "point":
            return json.dumps({"point_2d": truth["box"][:2], "label": question.question}, ensure_ascii=False)
        case "spans":
            named = [{"start": a, "end": b, "label": question.question} for a, b in truth[kind]]
            return json.dumps(named, ensure_ascii=False)
        case "boxes":
            boxes = [{"bbox_2d": b["box"], "label": b.get("label", question.question)} for b in truth[kind]]
            return json.dumps(boxes, ensure_ascii=False)
        case "record":
            return json.dumps(truth[kind], ensure_ascii=False)
        case "calls":
            return written_calls(truth)
        case _:
            return str(truth[kind])


def _answered(
    responder: Responder, suite: Suite, limits: Mapping[str, int]
) -> Iterator[tuple[int, Answer | OmmaError]]:
    """Answers with their places, form by form, since each form has its own length."""
    for kind, longest in limits.items():
        places = [i for i, question in enumerate(suite.questions) if form(question.truth) == kind]
        asked = (_said(suite.questions[i]) for i in places)
        for index, answer in answers_of(responder, asked, Options(temperature=0.0, max_tokens=longest)):
            yield places[index], answer


def _said(question: Question) -> tuple[Message, ...]:
    """What is shown with the first words, what was said before, and the question."""
    shown: tuple[Part, ...] = tuple(Image(path) for path in (question.picture, *question.more))
    if question.fps is not None:
        shown = (Video(question.picture, fps=question.fps),)
    first, *rest = [*(words for turn in question.before for words in turn), question.question]
    others = [message("user" if number % 2 else "assistant", words) for number, words in enumerate(rest)]
    return (message("user", *shown, first), *others)
