"""A file of questions to a file of answers, each row once, whenever and however often the work is ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from omma.chat import Options
from omma.errors import BadData, BadModel, Busy, Interrupted, OmmaError, UnknownOption
from omma.prep.sources import same_file
from omma.scale.ledger import Ledger
from omma.scale.rows import Asked, Row, answer_line, error_line, read_asked, read_rows
from omma.verbs import Reply, Verbs

AHEAD = 1024  # rows that are looked at together: those of the same options are answered side by side
Line = Mapping[str, Any]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Later:
    """A row that was not answered for a reason that passes: it has no line, and the next run asks it."""

    why: OmmaError


class Workers(Protocol):
    """Who answers the rows of a batch."""

    @property
    def model(self) -> str:
        """The name of the model."""
        ...

    def lines(self, rows: Iterator[Row], folder: Path) -> Iterator[Line | Later]:
        """A line for every row, in any order, or why it has to wait."""
        ...


@dataclass
class Report:
    """How a run ended. `skipped` were done before it; `waiting` have no line yet, and `why`."""

    rows: int
    skipped: int
    answered: int = 0
    failed: int = 0
    torn: bool = False
    waiting: int = 0
    why: OmmaError | None = field(default=None, repr=False)

    def form(self) -> dict[str, Any]:
        """As JSON has it. `failed` counts all rows of the output that have an error."""
        told = {name: getattr(self, name) for name in ("rows", "skipped", "answered", "failed", "waiting")}
        return told | ({"why": str(self.why)} if self.why is not None else {})


def run_batch(source: Path, out: Path, workers: Workers, progress: Progress | None = None) -> Report:
    """Answer every row of `source` that has no line in `out` yet, and add its line there.

    A row that cannot be answered gets a line with its error, and so does a line that is no row. Raises
    BadData where no line is a row, the input has a name twice, or the output is not of this input and this
    model; MissingFile; nothing is asked then.
    """
    if source.resolve() == out.resolve() or same_file(source, out):
        raise BadData(f"{source} is the input; name another file for the answers")
    digests = _digests(source)
    with Ledger(out) as ledger:
        _check(ledger, digests, workers.model)
        report = Report(len(digests), len(ledger.done), torn=bool(ledger.torn))
        left = (row for row in read_rows(source) if row.name not in ledger.done)
        if progress is not None:
            progress(report.skipped, report.rows)
        for told in workers.lines(_unchanged(left, digests, source), source.parent):
            if isinstance(told, Later):
                report.waiting += 1
                report.why = report.why or told.why
                continue
            ledger.add(told)
            report.answered += told.get("error") is None
            if progress is not None:
                progress(len(ledger.done), report.rows)
        report.failed = ledger.failed
    return report


def _digests(source: Path) -> dict[str, str]:
    """What tells the rows, by their names. Raises BadData where there is no row."""
    digests, first, sound = dict[str, str](), None, False
    for row in read_rows(source):
        digests[row.name] = row.digest
        first, sound = first or row.wrong, sound or row.wrong is None
    if first is not None and not sound:
        raise first
    if not digests:
        raise BadData(f"{source} is empty; wanted rows of JSON, one a line")
    return digests


def _check(ledger: Ledger, digests: Mapping[str, str], model: str) -> None:
    """Raise BadData where the output has answers to other rows, or of another model."""
    for name, of in ledger.done.items():
        if name not in digests:
            raise BadData(f"{ledger.path} answers {name!r}, which the input does not ask; name another file")
        if of.get("row") != digests[name]:
            raise BadData(f"{ledger.path} answers {name!r} as it was: the row has changed; name another file")
        if of.get("model") != model:
            raise BadData(
                f"{ledger.path} has answers of {of.get('model')!r}, and now {model!r} is to answer; "
                "name another file"
            )


def _unchanged(rows: Iterator[Row], digests: Mapping[str, str], source: Path) -> Iterator[Row]:
    for row in rows:
        if digests.get(row.name) != row.digest:
            raise BadData(f"{source}, line {row.place.number} changed while it was read; run it again")
        yield row


@dataclass(frozen=True)
class Alone:
    """A model that this process holds, or is connected to: `rows` are answered side by side."""

    responder: Verbs
    name: str
    rows: int = 32

    @property
    def model(self) -> str:
        """The name of the model."""
        return self.name

    def lines(self, rows: Iterator[Row], folder: Path) -> Iterator[Line | Later]:
        """A line for every row, as they are finished."""
        while some := list(islice(rows, AHEAD)):
            yield from answered(self.responder, self.name, some, folder, self.rows)


def answered(
    responder: Verbs, name: str, rows: Sequence[Row], folder: Path, at_once: int
) -> Iterator[Line | Later]:
    """Lines for some rows: those of the same options are answered together."""
    groups: list[tuple[Options, list[tuple[Row, Asked]]]] = []
    for row in rows:
        try:
            asked = read_asked(row, folder)
            if asked.model not in (None, name):
                raise UnknownOption(f"the row asks {asked.model!r}, and {name!r} answers here; take it out")
        except OmmaError as wrong:
            yield error_line(row, wrong, name)
            continue
        group = next((each for options, each in groups if options == asked.options), None)
        if group is None:
            groups.append((asked.options, group := []))
        group.append((row, asked))
    for options, group in groups:
        told = responder.answers((asked.messages for _, asked in group), options, rows=at_once)
        for index, answer in told:
            yield _told(*group[index], answer, name)


def _told(row: Row, asked: Asked, answer: Reply | OmmaError, name: str) -> Line | Later:
    if isinstance(answer, (Busy, Interrupted)):
        return Later(answer)
    if isinstance(answer, BadModel):  # no row's fault: the model is not to be had
        raise answer
    if isinstance(answer, OmmaError):
        return error_line(row, answer, name)
    return answer_line(row, answer, name, called_for=bool(asked.options.tools))
